"""Points and doubts: what the evidence of a submission is worth, and what is not as it should be.

The checks derive every verdict again from what the evidence observed.  A check gives all its points
when every fact passes that is not advice, else none: half a network carries no service, and the
facts say what is missing.  Where the course says so, it gives the share of those facts instead.  A
check with evidence of which none counts is *unproven*: no points, the facts all the same, and the
reason.

Each record names the one that the same learner sealed before it.  Notebooks hold the last record of
each evidence cell, so a cell that was run again leaves a harmless gap, which the journal closes.
With the journal at hand, a record without its predecessor breaks the chain; and a record that only
a notebook holds was not sealed where the journal was kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil, floor

from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import fold_name, group_pairs, list_briefly
from handson.course import checks, evidence, syllabus
from handson.course.course import Course
from handson.course.exercise import Exercise
from handson.course.owners import HOME, describe_owners, name_owner, read_name
from handson.course.variation import Variation
from handson.grading.claims import AWS, NOTEBOOK, Claims
from handson.grading.findings import CheckMark, Claim, Finding, Severity
from handson.grading.roster import Learner, Roster
from handson.grading.tokens import Keys

_derive_exercise = lru_cache(64)(Variation.derive_exercise)


@dataclass(frozen=True)
class Requirements:
    """What the instructor asks of the evidence of a class.

    Evidence from another target, account or region than is asked for does not count, and a finding
    says so.  Without `region`, the region of the learner's cluster is asked for; where that is not
    the exercise's, a finding says so.  The window never withholds points: a person judges lateness.

    Attributes:
        course: What the items are worth, the learners whose deadline is a later one, and what was
            to be built; records are judged by that, whatever exercise they name.
        roster: The learners of the class; without it, those whom folders and evidence name.
        pictures: Keep the pictures that the diagrams drew.
        target: "aws" or "emulator"; None takes both.
        accounts: The AWS accounts that count, for everybody; a roster may name one each.
        region: The region that counts, or None.
        since: The moment at which the window opens.
        until: The moment at which the window has closed.
        keys: The keys of the issuers whose proofs are checked; without them proofs stay unchecked.
        now: The moment of grading.
        holders: By the prefix of an individual exercise, the learners of the class who have it.
        learner: The one learner of whom this is asked.
        others: The names in that learner's evidence that are not the learner's.
    """

    course: Course = Course()
    roster: Roster = Roster()
    pictures: bool = False
    target: str | None = None
    accounts: tuple[str, ...] = ()
    region: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    keys: Keys = field(default_factory=dict)
    now: datetime = field(default_factory=evidence.now, compare=False)
    holders: Mapping[str, Sequence[Learner]] = field(default_factory=dict)
    learner: Learner = Learner("")
    others: Collection[str] = ()

    def for_class(self, learners: Iterable[Learner]) -> Requirements:
        """Return what is asked, with the exercises that the learners of a class may have."""
        pairs = (
            (self.find_prefix(name), learner)
            for learner in learners
            # They may have started with any of these.
            for name in (learner.id, learner.name, learner.label, *learner.aliases)
            if name and self.course.exercise
        )
        return dataclasses.replace(self, holders=group_pairs(dict.fromkeys(pairs)))

    def find_exercise(self, name: str) -> Exercise:
        """Return the exercise by which a learner's evidence with that name is judged."""
        own = self.learner.id if name in ("", *self.others) else name
        return _derive_exercise(self.course.exercise, own) if self.course.exercise else Exercise()

    def find_prefix(self, name: str) -> str:
        """Return how the names begin of the exercise that a name gives."""
        return self.course.derive_exercise(name).network.name

    def for_learner(self, learner: Learner, others: Collection[str] = ()) -> Requirements:
        """Return what is asked of one learner, who may have an account and a deadline apart."""
        own = (learner.account,) if learner.account else self.accounts
        extensions = {fold_name(who): moment for who, moment in self.course.extensions.items()}
        own_until = extensions.get(fold_name(learner.id), self.until)
        until = max(own_until, self.until) if own_until and self.until else own_until
        return dataclasses.replace(self, accounts=own, until=until, learner=learner, others=others)

    def find_region(self, claims: Claims) -> str | None:
        """Return the region that counts: the one asked for, else that of the cluster's evidence."""
        cluster = claims.judged.get("cluster")
        return self.region or (cluster.region if cluster else None)


def judge_check(check: syllabus.Check, claims: Claims, asked: Requirements) -> CheckMark:
    """Return the mark of a check by the claim that counts for it."""
    mark = CheckMark(id=check.id, status="missing", points=0, possible=check.points)
    claim = claims.judged.get(check.id)
    if claim is None:
        return mark
    try:
        result = checks.derive(check.id, claim.read_observed(), asked.find_exercise(claim.learner))
    except InvalidInput as error:
        unreadable = claim.make_finding("observed-unreadable", reason=error.problem)
        return replace(mark, status="unproven", proof=claim, objection=unreadable)
    objections = (*_examine_record(claim), *_examine_target(claim, claims, asked))
    status = "unproven" if objections else "passed" if result.passed else "failed"
    return replace(
        mark,
        status=status,
        points=0 if objections else _give_points(check, result, asked.course),
        facts=result.facts,
        diagnoses=result.diagnoses,
        proof=claim,
        objection=objections[0] if objections else None,
    )


def _give_points(check: syllabus.Check, result: checks.CheckResult, course: Course) -> int | float:
    """Return the points of evidence that counts: all or none, or the share of facts that pass."""
    if result.passed or check.id not in course.by_fact:
        return check.points if result.passed else 0
    facts = [fact.passed for fact in result.facts if not fact.advice]
    share = check.points * sum(facts) / len(facts)
    rounded = round(share, 1)
    return rounded if rounded < check.points else floor(share * 10) / 10  # never all of them


def measure_lateness(claims: Claims, until: datetime | None) -> int:
    """Return by how many seconds the newest evidence that is judged missed a deadline."""
    newest = max((claim.observed_at for claim in claims.judged.values()), default="")
    if not newest or until is None or datetime.fromisoformat(newest) < until:
        return 0
    return max(1, ceil((datetime.fromisoformat(newest) - until).total_seconds()))


def examine_evidence(claims: Claims, asked: Requirements) -> Iterator[Finding]:
    """Yield a finding for each record and chain that is not as it should be."""
    for claim in claims.items:
        yield from _examine_record(claim)
        if claim.repeated:
            yield claim.make_finding("record-twins", "serious", names=[*claim.repeated])
    for claim in claims.own:
        yield from _examine_target(claim, claims, asked)
        yield from _examine_circumstances(claim, claims, asked)
    by_prefix = {claim.prefix: claim for claim in claims.judged.values()}
    names = [f"{claim.learner}: {prefix}" for prefix, claim in sorted(by_prefix.items())]
    last = next(reversed(by_prefix.values()), None)
    if last and asked.course.exercise and len(by_prefix) > 1:
        yield last.make_finding("exercise-several", names=names)
    if last and not asked.course.exercise and {*by_prefix} != {Exercise().network.name}:
        yield last.make_finding("exercise-varied", names=names)
    for _, chain in sorted(group_pairs((each.learner, each) for each in claims.items).items()):
        yield from _examine_chain(chain, is_whole=bool(claims.journal))
    unknown = [claim for claim in claims.items if claim.digest not in claims.journal]
    if claims.journal and unknown:
        yield _about_chain(unknown, "not-in-journal")


def _examine_record(claim: Claim) -> Iterator[Finding]:
    """Yield why a record proves nothing."""
    if not claim.intact:
        severity: Severity = "serious" if claim.source == NOTEBOOK else "warning"
        yield claim.make_finding("digest-broken", severity, digest=claim.digest[:19])
    if claim.contradiction:
        yield claim.make_finding("target-contradiction", "serious", said=claim.contradiction)


def _examine_target(claim: Claim, claims: Claims, asked: Requirements) -> Iterator[Finding]:
    """Yield why a claim is for another exercise, or from the wrong place, to count."""
    region, own = asked.find_region(claims), asked.find_exercise(claim.learner).network.name
    if asked.course.exercise and claim.prefix != own:
        holders = [each.label for each in asked.holders.get(claim.prefix, ())]
        if not holders and asked.find_prefix(claim.learner) == claim.prefix:
            holders = [claim.learner]
        kind = "everybody" if claim.prefix == Exercise().network.name else "nobody"
        whose = holders or messages.label("grading.exercise-of", kind)
        values = {"prefix": claim.prefix, "whose": whose, "wanted": asked.learner.label or own}
        yield claim.make_finding("exercise-other", "serious", **values)
    if asked.target and claim.kind != asked.target:
        yield claim.make_finding("target-other", "serious", kind=claim.kind, wanted=asked.target)
    if asked.accounts and claim.account not in asked.accounts:
        wanted = ", ".join(asked.accounts)
        yield claim.make_finding("account-other", "serious", account=claim.account, wanted=wanted)
    if region and claim.region != region:
        yield claim.make_finding("region-other", "serious", region=claim.region, wanted=region)


def _examine_circumstances(claim: Claim, claims: Claims, asked: Requirements) -> Iterator[Finding]:
    """Yield what a person has to look at although the claim counts."""
    usual = asked.find_exercise(claim.learner).region
    moment = datetime.fromisoformat(claim.observed_at)
    counts = asked.find_region(claims) in (None, claim.region)
    if not asked.region and claim.region != usual and counts and claim.learner not in asked.others:
        yield claim.make_finding("region-other", region=claim.region, wanted=usual)
    own = {"", *map(name_owner, (claim.learner, fold_name(claim.learner)))}
    others = [it for it in claim.owners if it not in own and not it.startswith(HOME)]
    if others := [it for it in others if not asked.learner.is_named(read_name(it))]:
        # Several learners work in one account; on the embedded AWS `identity` knows the class.
        severity: Severity = "warning" if claim.kind == AWS else "note"
        yield claim.make_finding("owner-other", severity, named=describe_owners(*others))
    seen = format_local(moment)
    if asked.since is not None and moment < asked.since:
        yield claim.make_finding("too-early", seen=seen, limit=format_local(asked.since))
    if asked.until is not None and moment >= asked.until:
        yield claim.make_finding("too-late", seen=seen, limit=format_end(asked.until))


def format_local(moment: datetime) -> str:
    """Return a moment in this machine's time zone, in which the window was given."""
    return moment.astimezone().isoformat(timespec="minutes")


def format_end(moment: datetime) -> str:
    """Return a deadline in this machine's time zone; the end of a day as that day's date."""
    local = moment.astimezone()
    is_end_of_day = not (local.hour or local.minute or local.second)
    return f"{local - timedelta(hours=1):%Y-%m-%d}" if is_end_of_day else format_local(local)


def _examine_chain(chain: list[Claim], *, is_whole: bool) -> Iterator[Finding]:
    """Yield the forks, gaps and contradictions of time among the records of one name."""
    known = {claim.digest: claim for claim in chain}
    for previous, found in group_pairs((claim.previous, claim) for claim in chain).items():
        if len(found) > 1:
            code = "chain-forked" if previous else "chain-begun-twice"
            # Whoever goes on at another computer begins another chain there.
            yield _about_chain(found, code, "warning" if previous else "note")
    if gaps := [claim for claim in chain if claim.previous and claim.previous not in known]:
        severity: Severity = "serious" if is_whole else "note"
        yield _about_chain(gaps, "chain-broken" if is_whole else "chain-gap", severity)
    pairs = [(known[claim.previous], claim) for claim in chain if claim.previous in known]
    if late := [claim for before, claim in pairs if before.observed_at > claim.observed_at]:
        yield _about_chain(late, "chain-order")


def _about_chain(claims: list[Claim], code: str, severity: Severity = "warning") -> Finding:
    ordered = sorted(claims, key=lambda claim: (claim.observed_at, claim.check))
    named = [f"{claim.check} {claim.observed_at} {claim.digest[:19]}" for claim in ordered]
    return ordered[0].make_finding(code, severity, records=list_briefly(named, most=3))
