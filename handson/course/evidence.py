"""Evidence: the state that one check reads, as a sealed record that can be judged again.

A record holds the state and no verdict: each reader derives facts and verdict from it.  Its digest
is SHA-256 over the RFC 8785 canonical JSON of its other fields.  `previous` is the digest of the
learner's record before it, so that the records form a chain; the first record has no `previous`.
A record holds no JSON null, because some editors drop nulls from a notebook's metadata.  The
journal in the home folder keeps all records, one JSON object a line.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from handson.core.files import explain_unwritable, hold_lock, open_private
from handson.course.exercise import Exercise

SCHEMA = "handson.evidence/1"
METADATA_KEY = "handson"
HAND_IN = "journal.jsonl"
"""The name of the journal's copy beside the notebooks, which the learner hands in."""

_UNUSABLE = "course.evidence.journal"

Record = dict[str, Any]


class Observation(Struct, frozen=True):
    """The state of the target for one check, before it is sealed.

    Attributes:
        check: The check's id.
        target: The target, as JSON.
        observed: The state that the check reads, as JSON.
        requests: The calls to AWS: dicts with ``service``, ``operation`` and ``request_id``.
        exercise: The exercise that the learner works on.
    """

    check: str
    target: dict[str, Any]
    observed: dict[str, Any]
    requests: Sequence[dict[str, str]]
    exercise: Exercise = Exercise()


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def digest_of(record: Record) -> str:
    """Return ``sha256:<hex>`` over the RFC 8785 form of a record without its own digest.

    Raises:
        ValueError: Canonical JSON cannot hold a value of the record (NaN, huge integers).
    """
    import rfc8785

    rest = {key: value for key, value in record.items() if key != "digest"}
    return "sha256:" + hashlib.sha256(rfc8785.dumps(rest)).hexdigest()


def seal(
    observation: Observation, *, learner: str, previous: str | None, observed_at: datetime
) -> Record:
    """Return the record of an observation, with the digest of the one before it and its own."""
    record: Record = {
        "schema": SCHEMA,
        "check": observation.check,
        "learner": learner,
        "target": observation.target,
        "exercise": observation.exercise.to_json(),
        "observed": observation.observed,
        "requests": list(observation.requests),
        "observed_at": observed_at.astimezone(UTC).isoformat(timespec="seconds"),
        "previous": previous,
    }
    whole: Record = _drop_nulls(record)
    return {**whole, "digest": digest_of(whole)}


def _drop_nulls(value: Any) -> Any:
    """Return a JSON value without its null fields; `Snapshot.from_json` reads them as None."""
    if isinstance(value, dict):
        return {key: _drop_nulls(item) for key, item in value.items() if item is not None}
    return [_drop_nulls(item) for item in value] if isinstance(value, list) else value


def as_lines(records: Sequence[Record]) -> str:
    """Return the lines of a journal: each record as one JSON object."""
    lines = (json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in records)
    return "".join(f"{line}\n" for line in lines)


def is_intact(record: Record) -> bool:
    """Tell whether a record's digest fits its content.

    Earlier versions sealed records with nulls, which some editors drop.  Such a record still counts
    as intact: its digest fits once the nulls are restored.
    """
    try:
        digest = record.get("digest")
        return bool(digest == digest_of(record) or digest == digest_of(_restore_nulls(record)))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return False


def _restore_nulls(record: Record) -> Record:
    """Return a record with the nulls that earlier versions sealed."""
    observed = {"recorded_uri": None, "recorded_run": None, "drawing": None, **record["observed"]}
    observed["target"] = {"endpoint": None, **observed["target"]}
    observed["images"] = [{"built_by": None, **image} for image in observed["images"]]
    target = {"endpoint": None, **record["target"]}
    return {"previous": None, **record, "target": target, "observed": observed}


class Journal:
    """All records of a home folder, in the order in which they were sealed.

    Args:
        home: The home folder, which has to exist.
        clock: Returns the time at which a record is sealed.
        patience: Seconds to wait for another process that adds a record.
    """

    def __init__(
        self, home: Path, *, clock: Callable[[], datetime] = now, patience: float = 30.0
    ) -> None:
        self._path = home / "journal.jsonl"
        self._lock = home / "journal.lock"
        self._clock = clock
        self._patience = patience

    def records(self) -> list[Record]:
        """Return all readable records; a line that was cut off while it was written is skipped.

        Raises:
            NotReady: The journal exists and cannot be read.
        """
        with explain_unwritable(self._path, _UNUSABLE), suppress(FileNotFoundError):
            # Lines end with "\n" only: a name in a record may hold other line separators.
            lines = self._path.read_text(encoding="utf-8", errors="replace").split("\n")
            return [record for line in lines if (record := _parse_record(line)) is not None]
        return []

    def add(self, observation: Observation, *, learner: str) -> Record:
        """Add an observation as the learner's next record, and return the record.

        Two kernels may call this at once; a lock keeps their records in one chain.

        Raises:
            NotReady: The journal cannot be written (no space, no permission, another process
                locks it); its content is unchanged.
        """
        with hold_lock(self._lock, timeout=self._patience, busy="course.evidence.busy"):
            digests = [each["digest"] for each in self.records() if each["learner"] == learner]
            previous = digests[-1] if digests else None
            at = self._clock()
            record = seal(observation, learner=learner, previous=previous, observed_at=at)
            with explain_unwritable(self._path, _UNUSABLE):
                self._append(record)
        return record

    def _append(self, record: Record) -> None:
        line = as_lines([record]).encode()
        # Unbuffered: a buffer would try again to write what did not fit when the file is closed.
        with open_private(self._path) as file:
            start = file.seek(0, os.SEEK_END)
            if start:
                file.seek(-1, os.SEEK_END)
                line = line if file.read() == b"\n" else b"\n" + line  # after a line cut off
            rest = memoryview(line)
            try:
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())  # a record that a notebook shows survives a power failure
            except OSError:
                file.truncate(start)
                raise


def _parse_record(line: str) -> Record | None:
    """Return the record on a line, or None for a line without the fields that readers need."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_record = isinstance(record, dict) and "observed" in record
    return record if is_record and all(type(record.get(it)) is str for it in _TEXTS) else None


_TEXTS = ("schema", "check", "learner", "observed_at", "digest")
