"""Points: every verdict is derived again from what evidence observed, by the checks themselves.

Which evidence counts: of the intact records the newest in the notebooks, else the newest in the
journal; the chain goes before the clock.  A check's points are given whole when every fact passes
that is no advice, else none: half a network carries no service, and what is missing is told fact by
fact.  Where there is evidence and none of it counts, the check is *unproven*: no points, the facts
all the same, and the reason.
"""

from __future__ import annotations

from collections.abc import Callable

from handson.core.errors import InvalidInput
from handson.core.text import one_line
from handson.course import checks, syllabus
from handson.course.checks import CheckResult
from handson.grading.claims import NOTEBOOK, Claim, Claims
from handson.grading.model import (
    FAILED,
    MISSING,
    PASSED,
    UNPROVEN,
    WARNING,
    CheckMark,
    Explained,
    Fact,
    Finding,
    Proof,
)

Objection = Callable[[Claim], str]
"""Answers why a claim does not count, as the code of a finding, or nothing."""


def judge(
    check: syllabus.Check, claims: Claims, objection: Objection
) -> tuple[CheckMark, list[Finding]]:
    """Return what became of a check, and what to say about its evidence beyond its facts."""
    chosen = choose(claims, check.id)
    if chosen is None:
        return CheckMark(id=check.id, status=MISSING, points=0, possible=check.points), []
    try:
        result = checks.derive(check.id, chosen.observed)
    except InvalidInput as error:
        finding = _unreadable(chosen, error)
        mark = _mark(check, chosen, UNPROVEN, reason=finding.code)
        return mark, [finding]
    reason = objection(chosen)
    status = UNPROVEN if reason else PASSED if result.passed else FAILED
    return _mark(check, chosen, status, result=result, reason=reason), []


def choose(claims: Claims, check: str) -> Claim | None:
    """Return the claim by which a check is judged."""

    def rank(claim: Claim) -> tuple[object, ...]:
        return claim.intact, claim.source == NOTEBOOK, claims.place(claim), claim.digest

    found = claims.of(check)
    return found[0] if len(found) == 1 else max(found, key=rank, default=None)


def _mark(
    check: syllabus.Check,
    claim: Claim,
    status: str,
    *,
    result: CheckResult | None = None,
    reason: str = "",
) -> CheckMark:
    return CheckMark(
        id=check.id,
        status=status,
        points=check.points if status == PASSED else 0,
        possible=check.points,
        facts=_facts(result),
        diagnoses=_diagnoses(result),
        proof=_proof(claim, result),
        reason=reason,
    )


def _facts(result: CheckResult | None) -> tuple[Fact, ...]:
    return tuple(
        Fact(
            id=fact.id,
            expected=fact.expected,
            observed=fact.observed,
            passed=fact.passed,
            advice=fact.advice,
        )
        for fact in (result.facts if result else ())
    )


def _diagnoses(result: CheckResult | None) -> tuple[Explained, ...]:
    return tuple(
        Explained(code=found.code, message=found.message, remedy=found.remedy)
        for found in (result.diagnoses if result else ())
    )


def _proof(claim: Claim, result: CheckResult | None) -> Proof:
    return Proof(
        digest=one_line(claim.digest),
        observed_at=claim.seen_at,
        learner=one_line(claim.learner),
        kind=one_line(claim.target.kind),
        account=one_line(claim.target.account),
        region=one_line(claim.target.region),
        intact=claim.intact,
        source=claim.source,
        where=claim.where,
        previous=one_line(claim.previous) if claim.previous else None,
        requests=tuple(map(one_line, claim.requests)),
        observed=claim.observed if result else None,
    )


def _unreadable(claim: Claim, error: InvalidInput) -> Finding:
    return Finding(
        code="observed-unreadable",
        severity=WARNING,
        check=claim.check,
        where=claim.where,
        values={"reason": error.problem},
    )
