"""The chain: each record names the one that the same learner sealed before it.

What a chain can show depends on how much of it is there.  Notebooks hold the last record of each
evidence cell, so a cell that was run again leaves a gap, which is no fault; the journal closes it.
Where the journal is there and a record still has no predecessor, the chain is broken; and a record
of a notebook that the journal does not know was not sealed where the journal was kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby

from handson.core.text import one_line
from handson.grading.claims import Claim, Claims
from handson.grading.model import NOTE, SERIOUS, WARNING, Finding

_MOST = 3


def look(claims: Claims) -> Iterator[Finding]:
    """Yield what is wrong with the chain of each name that the evidence bears."""
    ordered = sorted(claims.items, key=lambda claim: claim.learner)
    for _, own in groupby(ordered, key=lambda claim: claim.learner):
        yield from _look(list(own), whole=bool(claims.journal))
    strange = [claim for claim in claims.items if claim.digest not in claims.journal]
    if claims.journal and strange:
        yield _finding("not-in-journal", WARNING, strange)


def _look(claims: list[Claim], *, whole: bool) -> Iterator[Finding]:
    known = {claim.digest: claim for claim in claims}
    yield from _forks(claims)
    gaps = [claim for claim in claims if claim.previous and claim.previous not in known]
    if gaps:
        code, severity = ("chain-broken", SERIOUS) if whole else ("chain-gap", NOTE)
        yield _finding(code, severity, gaps)
    late = [
        claim
        for claim in claims
        if claim.previous in known and known[claim.previous].observed_at > claim.observed_at
    ]
    if late:
        yield _finding("chain-order", WARNING, late)


def _forks(claims: list[Claim]) -> Iterator[Finding]:
    """Yield a finding for records that follow the same one, or for several that follow none."""
    followers: dict[str | None, list[Claim]] = defaultdict(list)
    for claim in claims:
        followers[claim.previous].append(claim)
    for previous, found in followers.items():
        if len(found) > 1:
            code = "chain-forked" if previous else "chain-begun-twice"
            yield _finding(code, WARNING, found)


def _finding(code: str, severity: str, claims: list[Claim]) -> Finding:
    ordered = sorted(claims, key=lambda claim: (claim.observed_at, claim.check))
    named = [f"{claim.check} {claim.seen_at} {one_line(claim.digest)[:19]}" for claim in ordered]
    more = "" if len(named) <= _MOST else f", … ({len(named)})"
    return Finding(
        code=code,
        severity=severity,
        check=ordered[0].check,
        where=ordered[0].where,
        values={"records": ", ".join(named[:_MOST]) + more},
    )
