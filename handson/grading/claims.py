"""Claims: the evidence records of a submission, from its notebooks and the journal beside them.

A claim is a record of the right form.  This module finds out whether it is intact, not whether it
proves anything.  A record of another form becomes a finding, and so does an evidence cell that has
lost its record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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
"""Of one submission: enough to run each evidence cell fifty times."""

_CARD = re.compile(r"sha256:[0-9a-f]{64}")
_CALL = re.compile(r"""\bworkshop\.evidence\(\s*(?:check\s*=\s*)?["']([\w-]{1,20})["']""")
_LOST = ("metadata-stripped", "outputs-missing", "output-other")


class _Request(msgspec.Struct):
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
    exercise: dict[str, Any] | None = None


@dataclass(frozen=True)
class Claim:
    """A record, where it was found, and whether it still has the digest it was sealed with.

    `repeated` are the names that stand twice in its JSON.
    """

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
    repeated: tuple[str, ...] = ()

    @property
    def seen_at(self) -> str:
        """The time at which it was observed, in UTC."""
        return self.observed_at.isoformat(timespec="seconds")


@dataclass
class Claims:
    """The evidence of a submission: each claim once, and the findings about the rest.

    `journal` holds the digests of the journal's records; it is empty without a journal.
    """

    items: list[Claim] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    journal: set[str] = field(default_factory=set)
    _by_digest: dict[str, Claim] = field(default_factory=dict)

    def add(self, claim: Claim) -> None:
        """Add a claim, unless the same one is known."""
        if claim.source == JOURNAL:
            self.journal.add(claim.digest)
        own = (claim.digest, claim.intact)
        if not any(own == (known.digest, known.intact) for known in self.items):
            self.items.append(claim)
            self._by_digest[claim.digest] = claim

    def of(self, check: str) -> list[Claim]:
        """Return the claims for a check."""
        return [claim for claim in self.items if claim.check == check]

    def find_place(self, claim: Claim) -> tuple[datetime, int]:
        """Return the place of a claim among the others: a later one compares greater.

        The newest time in its chain decides, then the length of the chain: a computer's clock may
        have been set back in between.
        """
        chain = list(walk_chain(claim, self._by_digest))
        return max(each.observed_at for each in chain), len(chain)


@dataclass(frozen=True)
class Line:
    """A line of a journal file."""

    where: str
    data: bytes


def walk_chain(claim: Claim, known: Mapping[str, Claim]) -> Iterator[Claim]:
    """Yield a claim and those before it in its chain, as far as they are known."""
    at: Claim | None = claim
    walked: set[str] = set()
    while at is not None and at.digest not in walked:
        walked.add(at.digest)
        yield at
        at = known.get(at.previous or "")


def gather_claims(notebooks: Iterable[Notebook], journal: Iterable[Line]) -> Claims:
    """Return the claims of a submission; a record in a notebook and in the journal counts once."""
    claims = Claims()
    for notebook in notebooks:
        for cell, data in notebook.records():
            where = f"{notebook.where}#{cell.name}" if cell.name else notebook.where
            _add_record(claims, data, source=NOTEBOOK, where=where)
        claims.findings += _find_lost_records(notebook)
    for entry in journal:
        _add_record(claims, entry.data, source=JOURNAL, where=entry.where)
    intact = {claim.check for claim in claims.items if claim.source == JOURNAL and claim.intact}
    claims.findings = [
        msgspec.structs.replace(finding, code="metadata-restored", severity=NOTE)
        if finding.code in _LOST and finding.check in intact
        else finding
        for finding in claims.findings
    ]
    return claims


def _add_record(claims: Claims, data: bytes, *, source: str, where: str) -> None:
    if len(claims.items) >= MOST_CLAIMS:
        if not any(finding.code == "records-many" for finding in claims.findings):
            claims.findings.append(_finding("records-many", where, most=str(MOST_CLAIMS)))
        return
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"{len(data)} bytes")
        record = _decode(data)
        if record.get("schema") != evidence.SCHEMA:
            schema = one_line(str(record.get("schema")))
            claims.findings.append(_finding("record-schema", where, schema=schema))
        else:
            claims.add(_read_claim(data, record, source=source, where=where))
    except (ValueError, RecursionError, AttributeError, OverflowError) as error:
        reason = one_line(str(error) or type(error).__name__)
        claims.findings.append(_finding("record-malformed", where, reason=reason))


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except ValueError:
        return reading.load_json(data)


def _read_claim(data: bytes, record: dict[str, Any], *, source: str, where: str) -> Claim:
    read = msgspec.convert(record, _Record)
    observed_at = datetime.fromisoformat(read.observed_at)
    if read.check not in syllabus.EVIDENCE_IDS:
        raise ValueError(f"check: {read.check}")
    if observed_at.tzinfo is None:
        raise ValueError(f"observed_at: {read.observed_at}")
    return Claim(
        check=read.check,
        learner=read.learner,
        target=read.target,
        observed_at=observed_at.astimezone(UTC),
        digest=read.digest,
        previous=read.previous,
        requests=tuple(request.request_id for request in read.requests if request.request_id),
        observed=read.observed,
        intact=evidence.is_intact(record),
        source=source,
        where=where,
        repeated=_find_repeated_names(data, record),
    )


def _find_repeated_names(data: bytes, record: dict[str, Any]) -> tuple[str, ...]:
    """Return the names that stand twice in a record's JSON: another reader may take the other."""
    # Reading drops one of the two with its quotation marks; counting them is quicker than parsing.
    if data.count(b'"') == msgspec.json.encode(record).count(b'"'):
        return ()
    repeated: list[str] = []
    reading.load_json(data, repeated)
    return tuple(repeated)


def _find_lost_records(notebook: Notebook) -> Iterator[Finding]:
    """Yield a finding for each evidence cell without a record: it has a card alone, or nothing."""
    checks, known = handout.cells().evidence, handout.notebook_of_cell()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        check = checks.get(cell.name) if cell.name in known else _find_call(cell)
        if check is not None and not any(output.record for output in cell.outputs):
            where = f"{notebook.where}#{cell.name}"
            card = next(filter(None, (_CARD.search(output.text) for output in cell.outputs)), None)
            if card is not None:
                yield _finding("metadata-stripped", where, check, digest=card.group()[:19])
            else:
                code = "output-other" if cell.outputs else "outputs-missing"
                yield _finding(code, where, check)


def _find_call(cell: Cell) -> str | None:
    """Return the check whose evidence a learner's own cell asks for, or None."""
    found = _CALL.search(cell.text)
    return found[1] if found and found[1] in syllabus.EVIDENCE_IDS else None


def _finding(code: str, where: str, check: str | None = None, **values: str) -> Finding:
    return Finding(code=code, severity=WARNING, check=check, where=where, values=values)
