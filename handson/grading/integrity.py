"""Integrity within one submission: is the evidence what it says, and from where it should be.

`objection` answers why a record cannot count; `look` yields a finding for each record that is not
as it should be, so that no point is withheld without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from handson.core.text import one_line
from handson.course import syllabus
from handson.grading import chain
from handson.grading.claims import NOTEBOOK, Claim, Claims
from handson.grading.judging import choose
from handson.grading.model import NOTE, SERIOUS, WARNING, Finding
from handson.grading.requirements import Requirements
from handson.grading.roster import Learner

AWS = "aws"


@dataclass(frozen=True)
class Expected:
    """What one learner's evidence has to be: the class's requirements, and who hands in."""

    requirements: Requirements
    learner: Learner
    is_known: bool = True
    """Somebody is said to hand in: by the roster, or by the name of a folder."""

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that are right for this learner; none when any is."""
        own = (self.learner.account,) if self.learner.account else ()
        return own or self.requirements.accounts

    def objection(self, claim: Claim) -> str:
        """Return why a claim does not count, as the code of a finding, or nothing."""
        asked = self.requirements
        if not claim.intact:
            return "digest-broken"
        if contradiction(claim):
            return "target-contradiction"
        if asked.target and claim.target.kind != asked.target:
            return "target-other"
        if self.accounts and claim.target.account not in self.accounts:
            return "account-other"
        if asked.region and claim.target.region != asked.region:
            return "region-other"
        return ""


def look(claims: Claims, expected: Expected) -> Iterator[Finding]:
    """Yield what is to be said about the evidence of one submission."""
    for claim in claims.items:
        yield from _records(claim)
    for claim in _own(claims):
        yield from _places(claim, expected)
        yield from _times(claim, expected.requirements)
    yield from _names(claims, expected)
    yield from chain.look(claims)


def _own(claims: Claims) -> list[Claim]:
    """Return what was handed in as the learner's: all in the notebooks, and what is judged by.

    The rest of the journal is history.
    """
    judged = [choose(claims, check) for check in syllabus.EVIDENCE_IDS]
    return [claim for claim in claims.items if claim.source == NOTEBOOK or claim in judged]


def contradiction(claim: Claim) -> str:
    """Return what two parts of a record say that cannot both be so, or nothing."""
    own = {"kind": claim.target.kind, "account": claim.target.account}
    own["region"] = claim.target.region
    seen = claim.observed.get("target")
    seen = seen if isinstance(seen, dict) else {}
    for name, value in own.items():
        if seen.get(name) != value:
            return f"{name}: {one_line(value)} / {one_line(str(seen.get(name)))}"
    if claim.target.kind == AWS and claim.target.endpoint:
        return f"aws: {one_line(claim.target.endpoint)}"
    return ""


def _records(claim: Claim) -> Iterator[Finding]:
    if not claim.intact:
        severity = SERIOUS if claim.source == NOTEBOOK else WARNING
        yield _finding("digest-broken", severity, claim, digest=one_line(claim.digest)[:19])
    if claim.twins:
        yield _finding("record-twins", SERIOUS, claim, names=one_line(", ".join(claim.twins)))
    said = contradiction(claim)
    if said:
        yield _finding("target-contradiction", SERIOUS, claim, said=said)


def _places(claim: Claim, expected: Expected) -> Iterator[Finding]:
    asked, target = expected.requirements, claim.target
    if asked.target and target.kind != asked.target:
        yield _finding(
            "target-other", SERIOUS, claim, kind=one_line(target.kind), wanted=asked.target
        )
    if expected.accounts and target.account not in expected.accounts:
        wanted = ", ".join(expected.accounts)
        yield _finding(
            "account-other", SERIOUS, claim, account=one_line(target.account), wanted=wanted
        )
    if target.region != asked.expected_region:
        severity = SERIOUS if asked.region else WARNING
        wanted = asked.expected_region
        yield _finding(
            "region-other", severity, claim, region=one_line(target.region), wanted=wanted
        )


def _times(claim: Claim, asked: Requirements) -> Iterator[Finding]:
    if asked.since is not None and claim.observed_at < asked.since:
        seen, limit = _said(claim.observed_at), _said(asked.since)
        yield _finding("too-early", WARNING, claim, seen=seen, limit=limit)
    if asked.until is not None and claim.observed_at >= asked.until:
        seen, limit = _said(claim.observed_at), _said(asked.until)
        yield _finding("too-late", WARNING, claim, seen=seen, limit=limit)


def _names(claims: Claims, expected: Expected) -> Iterator[Finding]:
    """Yield a finding for each name in the evidence that is not the one who hands in."""
    bearers: dict[str, list[Claim]] = {}
    for claim in _own(claims):
        bearers.setdefault(claim.learner, []).append(claim)
    if "" in bearers:
        yield _finding("learner-unnamed", NOTE, bearers.pop("")[0])
    if len(bearers) > 1 and not expected.is_known:
        first = next(iter(bearers.values()))[0]
        yield _finding(
            "learner-several", WARNING, first, names=one_line(", ".join(sorted(bearers)))
        )
        return
    for name, borne in bearers.items():
        if expected.is_known and not expected.learner.is_named(name):
            values = {"named": one_line(name), "count": str(len(borne))}
            yield _finding("learner-other", SERIOUS, borne[0], **values)


def _said(moment: datetime) -> str:
    """Return a moment on the clock of whoever grades, who gave the window by it."""
    return moment.astimezone().isoformat(timespec="minutes")


def _finding(code: str, severity: str, claim: Claim, /, **values: str) -> Finding:
    return Finding(
        code=code, severity=severity, check=claim.check, where=claim.where, values=values
    )
