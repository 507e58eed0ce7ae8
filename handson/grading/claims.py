"""Claims: the evidence records of a submission, from its notebooks and the journal beside them.

This module finds out whether a record is intact, not whether it proves anything.  A record of
another form becomes a finding, and so does an evidence cell that has lost its record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import msgspec

from handson.core.text import one_line, pick_fields
from handson.course import evidence, syllabus
from handson.course.exercise import Exercise
from handson.course.state import Target
from handson.grading.findings import Claim, Finding, Severity, make_finding
from handson.grading.notebooks import Notebook, load_handout, load_json

AWS = "aws"
NOTEBOOK, JOURNAL = "notebook", "journal"
MOST_BYTES = 200_000
"""Of one record; those of this workshop have 2,000 to 4,000."""
MOST_CLAIMS = 300
"""Of one submission: enough to run each evidence cell fifty times."""

_TARGET = "kind account region"
_CARD = re.compile(r"sha256:[0-9a-f]{64}")
_CALL = re.compile(r"""\bworkshop\.evidence\(\s*(?:check\s*=\s*)?["']([\w-]{1,20})["']""")


class _Request(msgspec.Struct):
    service: str = ""
    operation: str = ""
    request_id: str = ""


class _Record(msgspec.Struct):
    """The fields of `handson.evidence/1` that grading reads.

    The first record of a chain has no `previous`; records sealed in earlier versions have null.
    """

    check: str
    learner: str
    target: Target
    observed_at: str
    digest: str
    requests: list[_Request]
    observed: dict[str, Any]
    previous: str | None = None
    exercise: Exercise | None = None


@dataclass
class Claims:
    """The evidence of a submission: each claim once, and the findings about the rest.

    `journal` holds the digests of the journal's records; it is empty without a journal.
    """

    items: list[Claim] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    journal: set[str] = field(default_factory=set)

    @property
    def names(self) -> set[str]:
        """The names that the evidence bears."""
        return {claim.learner for claim in self.items if claim.learner}

    @cached_property
    def judged(self) -> dict[str, Claim]:
        """By check, the claim by which it is judged.

        Of the intact records the newest in the notebooks counts, else the newest in the journal.
        The newest time in a record's chain decides, then the length of the chain: a computer's
        clock may have been set back in between.
        """

        def rank(claim: Claim) -> tuple[object, ...]:
            chain = list(self.walk_chain(claim))
            newest = max(each.observed_at for each in chain)
            return claim.intact, claim.source == NOTEBOOK, newest, len(chain), claim.digest

        # Of several claims for a check, the last one put into the dict stays.
        return {claim.check: claim for claim in sorted(self.items, key=rank)}

    @cached_property
    def own(self) -> list[Claim]:
        """What was handed in to be judged; the rest of the journal is history."""
        judged = [*self.judged.values()]
        return [claim for claim in self.items if claim.source == NOTEBOOK or claim in judged]

    @cached_property
    def _intact(self) -> dict[str, Claim]:
        return {claim.digest: claim for claim in self.items if claim.intact}

    def walk_chain(self, claim: Claim) -> Iterator[Claim]:
        """Yield a claim and the intact ones before it in its chain, as far as they are known."""
        walked: set[str] = set()
        at: Claim | None = claim
        while at is not None and at.digest not in walked:
            walked.add(at.digest)
            yield at
            at = self._intact.get(at.previous or "")


def gather_claims(notebooks: Sequence[Notebook], journal: Iterable[tuple[str, bytes]]) -> Claims:
    """Return the claims of a submission; a record in a notebook and in the journal counts once.

    Args:
        notebooks: The notebooks.
        journal: The lines of the journals, each with the place of its file.
    """
    records = [(NOTEBOOK, *record) for notebook in notebooks for record in notebook.records()]
    records += [(JOURNAL, *line) for line in journal]
    items: dict[tuple[str, bool], Claim] = {}
    findings: list[Finding] = []
    digests: set[str] = set()
    for source, where, data in records:
        if len(items) + len(findings) == MOST_CLAIMS:
            findings.append(make_finding("records-many", where=where, most=MOST_CLAIMS))
            break
        claim = _read_record(data, source=source, where=where)
        if isinstance(claim, Finding):
            findings.append(claim)
            continue
        items.setdefault((claim.digest, claim.intact), claim)
        if source == JOURNAL:
            digests.add(claim.digest)
    intact = {claim.check for claim in items.values() if claim.source == JOURNAL and claim.intact}
    lost = [finding for each in notebooks for finding in _find_lost_records(each, intact)]
    return Claims([*items.values()], [*lost, *findings], digests)


def find_objects(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects in a list of a JSON object that may hold anything."""
    found = holder.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _read_record(data: bytes, *, source: str, where: str) -> Claim | Finding:
    """Return the claim that a record makes, or why it is not one."""
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"{len(data)} bytes")
        record, repeated = load_json(data)
        if record.get("schema") != evidence.SCHEMA:
            schema = one_line(str(record.get("schema")))
            return make_finding("record-schema", where=where, schema=schema)
        twice = tuple(map(one_line, repeated))
        return _make_claim(record, source=source, where=where, repeated=twice)
    except (ValueError, RecursionError, AttributeError, OverflowError) as error:
        reason = one_line(str(error) or type(error).__name__)
        return make_finding("record-malformed", where=where, reason=reason)


def _make_claim(record: dict[str, Any], **about: Any) -> Claim:
    read = msgspec.convert(record, _Record)
    observed_at = datetime.fromisoformat(read.observed_at)
    requests = [each for each in read.requests if each.request_id]
    if read.check not in syllabus.EVIDENCE_IDS:
        raise ValueError(f"check: {read.check}")
    if observed_at.tzinfo is None:
        raise ValueError(f"observed_at: {read.observed_at}")
    about |= {name: one_line(text) for name, text in pick_fields(read.target, _TARGET).items()}
    return Claim(
        check=read.check,
        digest=one_line(read.digest),
        learner=one_line(" ".join(read.learner.split())),
        observed_at=observed_at.astimezone(UTC).isoformat(timespec="seconds"),
        previous=one_line(read.previous) if read.previous else None,
        requests=tuple(one_line(each.request_id) for each in requests),
        calls=tuple(sorted({one_line(f"{each.service}:{each.operation}") for each in requests})),
        observed=msgspec.json.encode(read.observed),
        prefix=one_line((read.exercise or Exercise()).network.name),
        intact=evidence.is_intact(record),
        owners=tuple(_list_owners(read.observed)),
        contradiction=_find_contradiction(read),
        **about,
    )


def _list_owners(observed: dict[str, Any]) -> Iterator[str]:
    """Yield the owner tags of the resources that a record observed; it may hold anything."""
    for name in ("vpcs", "clusters", "repositories"):
        owners = (item.get("owner") for item in find_objects(observed, name))
        yield from (owner for owner in owners if isinstance(owner, str))


def _find_contradiction(record: _Record) -> str:
    """Return how a record contradicts itself about its target, or ""."""
    target, observed = record.target, record.observed.get("target")
    observed = observed if isinstance(observed, dict) else {}
    for name, own in pick_fields(target, _TARGET).items():
        if own != observed.get(name):
            return f"{name}: {one_line(own)} / {one_line(str(observed.get(name)))}"
    return f"aws: {one_line(target.endpoint)}" if target.kind == AWS and target.endpoint else ""


def _find_lost_records(notebook: Notebook, journal: Set[str]) -> Iterator[Finding]:
    """Yield a finding for each evidence cell without a record: it has a card alone, or nothing.

    Args:
        notebook: The notebook.
        journal: The checks of which the journal has an intact record.
    """
    for cell in notebook.cells:
        if cell.cell_type != "code" or any(output.record for output in cell.outputs):
            continue
        call = _CALL.search(cell.text)  # in a cell that the learner added, or whose id is lost
        check = load_handout().evidence.get(cell.name) or (call and call[1])
        if check not in syllabus.EVIDENCE_IDS:
            continue
        where = notebook.locate(cell)
        # A diagram may be drawn with another tool; its evidence gives no points.
        severity: Severity = "note" if check == syllabus.DRAWING.id else "warning"
        card = next(filter(None, (_CARD.search(output.text) for output in cell.outputs)), None)
        code = "output-other" if cell.outputs else "outputs-missing"
        code = "metadata-stripped" if card else code
        if check in journal:
            code, severity = "metadata-restored", "note"
        values = {"digest": card.group()[:19]} if card else {}
        yield make_finding(code, severity, check=check, where=where, **values)
