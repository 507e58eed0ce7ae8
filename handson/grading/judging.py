"""Points: the checks derive every verdict again from what the evidence observed.

Of the intact records the newest in the notebooks counts, else the newest in the journal; the order
of the chain goes before the clock.  A check gives all its points when every fact passes that is not
advice, else none: half a network carries no service, and the facts say what is missing.  A check
with evidence of which none counts is *unproven*: no points, the facts all the same, and the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import one_line
from handson.course import checks, syllabus
from handson.course.exercise import Exercise
from handson.grading.claims import NOTEBOOK, Claim, Claims
from handson.grading.model import (
    FAILED,
    MISSING,
    PASSED,
    UNPROVEN,
    WARNING,
    CheckMark,
    Finding,
    Proof,
)
from handson.grading.roster import Learner
from handson.grading.tokens import Keys

AWS = "aws"


@dataclass(frozen=True)
class Requirements:
    """What the instructor asks of evidence.

    Evidence from another target, account or region than is asked for does not count, and a finding
    says so.  Without `region`, evidence from another region than the exercise's counts, and only a
    finding says so.  The window never withholds points: a person judges lateness.

    Attributes:
        exercise: What was to be built; records are judged by it, whatever exercise they name.
        target: "aws" or "emulator"; None takes both.
        accounts: The AWS accounts that count, for everybody; a roster may name one each.
        region: The region that counts, or None.
        since: The moment at which the window opens.
        until: The moment at which the window has closed.
        keys: The issuers of proofs that are trusted, with their keys.
    """

    exercise: Exercise = Exercise()
    target: str | None = None
    accounts: tuple[str, ...] = ()
    region: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    keys: Keys = field(default_factory=dict)

    @property
    def expected_region(self) -> str:
        """The region that evidence should come from."""
        return self.region or self.exercise.region


@dataclass(frozen=True)
class Expected:
    """What one learner's evidence has to be: the requirements of the class, and the learner.

    `is_known` says whether the roster or the name of a folder names the learner.
    """

    requirements: Requirements
    learner: Learner
    is_known: bool = True

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that count for this learner; empty where any counts."""
        own = (self.learner.account,) if self.learner.account else ()
        return own or self.requirements.accounts

    def find_objection(self, claim: Claim) -> str | None:
        """Return why a claim does not count, as the code of a finding, or None."""
        asked, target = self.requirements, claim.target
        if not claim.intact:
            return "digest-broken"
        if find_contradiction(claim):
            return "target-contradiction"
        if asked.target and target.kind != asked.target:
            return "target-other"
        if self.accounts and target.account not in self.accounts:
            return "account-other"
        if asked.region and target.region != asked.region:
            return "region-other"
        return None


def find_contradiction(claim: Claim) -> str:
    """Return how a record contradicts itself about its target, or ""."""
    target, observed = claim.target, claim.observed.get("target")
    observed = observed if isinstance(observed, dict) else {}
    for name in ("kind", "account", "region"):
        own, seen = getattr(target, name), observed.get(name)
        if own != seen:
            return f"{name}: {one_line(own)} / {one_line(str(seen))}"
    return f"aws: {one_line(target.endpoint)}" if target.kind == AWS and target.endpoint else ""


def judge(
    check: syllabus.Check, claims: Claims, expected: Expected
) -> tuple[CheckMark, list[Finding]]:
    """Return the mark of a check, and the findings about its evidence beyond its facts."""
    claim = choose_claim(claims, check.id)
    if claim is None:
        return CheckMark(id=check.id, status=MISSING, points=0, possible=check.points), []
    findings: list[Finding] = []
    reason, result = expected.find_objection(claim), None
    try:
        result = checks.derive(check.id, claim.observed, expected.requirements.exercise)
        status = UNPROVEN if reason else PASSED if result.passed else FAILED
    except InvalidInput as error:
        status, reason = UNPROVEN, "observed-unreadable"
        values = {"reason": error.problem}
        finding = Finding(
            code=reason, severity=WARNING, check=check.id, where=claim.where, values=values
        )
        findings.append(finding)
    mark = CheckMark(
        id=check.id,
        status=status,
        points=check.points if status == PASSED else 0,
        possible=check.points,
        facts=result.facts if result else (),
        diagnoses=result.diagnoses if result else (),
        proof=_describe_proof(claim, is_readable=result is not None),
        reason=reason,
    )
    return mark, findings


def choose_claim(claims: Claims, check: str) -> Claim | None:
    """Return the claim by which a check is judged."""

    def rank(claim: Claim) -> tuple[object, ...]:
        return claim.intact, claim.source == NOTEBOOK, claims.find_place(claim), claim.digest

    return max(claims.of(check), key=rank, default=None)


def read_moment(text: str, *, end: bool = False) -> datetime:
    """Return the moment of an ISO 8601 date or time; without a zone it is this machine's.

    Args:
        text: Such as ``2026-05-01`` or ``2026-05-01T17:00+09:00``.
        end: Take the end of the day where the text is a date.

    Raises:
        InvalidInput: It is neither a date nor a time.
    """
    try:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return datetime.fromisoformat(text).astimezone(UTC)
        return datetime.combine(day + timedelta(days=int(end)), time()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(*messages.advice("grading.no-moment", text=one_line(text))) from None


def _describe_proof(claim: Claim, *, is_readable: bool) -> Proof:
    target = claim.target
    return Proof(
        digest=one_line(claim.digest),
        observed_at=claim.seen_at,
        learner=one_line(claim.learner),
        kind=one_line(target.kind),
        account=one_line(target.account),
        region=one_line(target.region),
        intact=claim.intact,
        source=claim.source,
        where=claim.where,
        previous=one_line(claim.previous) if claim.previous else None,
        requests=tuple(map(one_line, claim.requests)),
        observed=claim.observed if is_readable else None,
    )
