"""Claims: the evidence records of a submission, from its notebooks and the journal beside them.

A claim is a record that has the form of one.  Whether it is intact is found out here, whether it
proves anything is not.  What has no such form becomes a finding, and so does an evidence cell of
which an editor has left only the card.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from handson.core.text import one_line
from handson.course import evidence, syllabus
from handson.course.state import Target
from handson.grading import handout, reading
from handson.grading.model import NOTE, WARNING, Finding
from handson.grading.reading import Cell, Notebook

NOTEBOOK, JOURNAL = "notebook", "journal"
MOST_BYTES = 200_000
"""Of one record; those of this workshop have 2,000 to 4,000."""
MOST_CLAIMS = 300
"""Of one submission: whoever runs each evidence cell sixty times is heard out."""

_CARD = re.compile(r"sha256:[0-9a-f]{64}")
_sorted_encoder = msgspec.json.Encoder(order="sorted")


class _Request(msgspec.Struct):
    request_id: str = ""


class _Shape(msgspec.Struct):
    """The fields that a record of `handson.evidence/1` has."""

    check: str
    learner: str
    target: Target
    observed_at: str
    digest: str
    requests: list[_Request]
    observed: dict[str, Any]
    previous: str | None = None
    exercise: dict[str, Any] | None = None


@dataclass(frozen=True)
class Claim:
    """A record, where it was found, and whether it is as it was sealed."""

    check: str
    learner: str
    target: Target
    observed_at: datetime
    digest: str
    previous: str | None
    requests: tuple[str, ...]
    observed: dict[str, Any]
    intact: bool
    source: str
    where: str
    twins: tuple[str, ...] = ()
    """Names that stand twice in its JSON."""

    @property
    def seen_at(self) -> str:
        """When it was observed, in UTC."""
        return self.observed_at.isoformat(timespec="seconds")


@dataclass
class Claims:
    """What the evidence of a submission is: claims, each once, and what to say of the rest."""

    items: list[Claim] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    journal: set[str] = field(default_factory=set)
    """The digests of the journal's records, if it was handed in too."""
    _by_digest: dict[str, Claim] = field(default_factory=dict)

    def add(self, claim: Claim) -> None:
        """Take in a claim."""
        self.items.append(claim)
        self._by_digest[claim.digest] = claim

    def of(self, check: str) -> list[Claim]:
        """Return the claims for a check."""
        return [claim for claim in self.items if claim.check == check]

    def place(self, claim: Claim) -> tuple[datetime, int]:
        """Return where a claim stands among the others: a later one compares greater.

        That is when it or what came before it in the chain was observed, whichever is latest, and
        how much came before it: a computer's clock may have been set back in between.
        """
        known = self._by_digest
        before, seen = claim.previous, {claim.digest}
        latest = claim.observed_at
        while before in known and before not in seen:
            seen.add(before)
            latest = max(latest, known[before].observed_at)
            before = known[before].previous
        return latest, len(seen)


@dataclass(frozen=True)
class Line:
    """A line of a journal file."""

    where: str
    data: bytes


def gather(notebooks: Iterable[Notebook], journal: Iterable[Line]) -> Claims:
    """Return the claims of a submission; a record that a notebook and the journal hold is one."""
    claims = Claims()
    for notebook in notebooks:
        for cell, data in notebook.records():
            where = f"{notebook.where}#{cell.name}" if cell.name else notebook.where
            _add(claims, data, source=NOTEBOOK, where=where)
        _add_what_is_left(claims, notebook)
    for entry in journal:
        _add(claims, entry.data, source=JOURNAL, where=entry.where)
    return claims


def _add(claims: Claims, data: bytes, *, source: str, where: str) -> None:
    if len(claims.items) >= MOST_CLAIMS:
        if not any(finding.code == "records-many" for finding in claims.findings):
            values = {"most": str(MOST_CLAIMS)}
            claims.findings.append(
                Finding(code="records-many", severity=WARNING, where=where, values=values)
            )
        return
    claim = _read(data, source=source, where=where)
    if isinstance(claim, Finding):
        claims.findings.append(claim)
        return
    if source == JOURNAL:
        claims.journal.add(claim.digest)
    if not any(_is_same(claim, known) for known in claims.items):
        claims.add(claim)


def _is_same(claim: Claim, known: Claim) -> bool:
    return claim.digest == known.digest and claim.intact == known.intact


def _read(data: bytes, *, source: str, where: str) -> Claim | Finding:
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"{len(data)} bytes")
        record = _decoded(data)
        if record.get("schema") != evidence.SCHEMA:
            values = {"schema": one_line(str(record.get("schema")))}
            return Finding(code="record-schema", severity=WARNING, where=where, values=values)
        shape = msgspec.convert(record, _Shape)
        twins = _twins(data, record)
        return _claim(shape, record, source=source, where=where, twins=twins)
    except (ValueError, RecursionError, AttributeError, OverflowError) as error:
        values = {"reason": one_line(str(error) or type(error).__name__)}
        return Finding(code="record-malformed", severity=WARNING, where=where, values=values)


def _decoded(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except ValueError:
        return reading.load(data)


def _claim(
    shape: _Shape, record: dict[str, Any], *, source: str, where: str, twins: tuple[str, ...]
) -> Claim:
    if shape.check not in syllabus.EVIDENCE_IDS:
        raise ValueError(f"check: {shape.check}")
    observed_at = datetime.fromisoformat(shape.observed_at)
    if observed_at.tzinfo is None:
        raise ValueError(f"observed_at: {shape.observed_at}")
    return Claim(
        check=shape.check,
        learner=shape.learner,
        target=shape.target,
        observed_at=observed_at.astimezone(UTC),
        digest=shape.digest,
        previous=shape.previous,
        requests=tuple(request.request_id for request in shape.requests if request.request_id),
        observed=shape.observed,
        intact=_is_intact(record),
        source=source,
        where=where,
        twins=twins,
    )


def _is_intact(record: dict[str, Any]) -> bool:
    """Tell whether a record has its digest.

    For a record as `evidence.seal` makes it, sorted JSON is the canonical form, and computed forty
    times as fast; whatever else gives another digest is left to `evidence`.
    """
    rest = {key: value for key, value in record.items() if key != "digest"}
    quick = hashlib.sha256(_sorted_encoder.encode(rest)).hexdigest()
    return record["digest"] == f"sha256:{quick}" or evidence.is_intact(record)


def _twins(data: bytes, record: dict[str, Any]) -> tuple[str, ...]:
    """Return the names that stand twice in a record's JSON, of which others may read the other."""
    # What vanished in reading took its quotation marks with it; only then is it looked for.
    if data.count(b'"') == _sorted_encoder.encode(record).count(b'"'):
        return ()
    twice: list[str] = []
    reading.load(data, twice)
    return tuple(twice)


def _add_what_is_left(claims: Claims, notebook: Notebook) -> None:
    """Note the evidence cells that have lost their record: with a card, or with nothing at all."""
    lessons, known = handout.cells().evidence, handout.notebook_of_cell()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        check = lessons.get(cell.name) if cell.name in known else _check_of_source(cell)
        if check is not None and not any(output.record for output in cell.outputs):
            where = f"{notebook.where}#{cell.name}"
            claims.findings.append(_left(cell, check=check, where=where))


def _left(cell: Cell, *, check: str, where: str) -> Finding:
    card = next(filter(None, (_CARD.search(output.text) for output in cell.outputs)), None)
    if card is None:
        code = "output-other" if cell.outputs else "outputs-missing"
        return Finding(code=code, severity=WARNING, check=check, where=where)
    values = {"digest": card.group()[:19]}
    return Finding(
        code="metadata-stripped", severity=WARNING, check=check, where=where, values=values
    )


_CALL = re.compile(r"""\bworkshop\.evidence\(\s*(?:check\s*=\s*)?["']([\w-]{1,20})["']""")


def _check_of_source(cell: Cell) -> str | None:
    found = _CALL.search(cell.text)
    return found[1] if found and found[1] in syllabus.EVIDENCE_IDS else None


def superseded(claims: Claims) -> Iterator[Finding]:
    """Yield the findings of gathering; what the journal makes up for is a note."""
    kept = {claim.check for claim in claims.items if claim.source == JOURNAL and claim.intact}
    for finding in claims.findings:
        if finding.code in _LOST and finding.check in kept:
            finding = msgspec.structs.replace(finding, code="metadata-restored", severity=NOTE)
        yield finding


_LOST = ("metadata-stripped", "outputs-missing", "output-other")
