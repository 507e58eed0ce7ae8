"""Identity: whose a submission is, and which names in it say something else.

The platform or the folders of an export, the roster and the names in the evidence may say it.  The
submission's own name goes first.  The evidence decides among namesakes, and where that name is a
number, an account or a repository, which say of nobody whose a submission is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import replace

from handson.core.text import group_pairs, one_line
from handson.grading.claims import Claims
from handson.grading.export_names import is_same_person, says_who
from handson.grading.findings import Finding, Result, Severity, make_finding
from handson.grading.marks import Requirements
from handson.grading.roster import Learner, Roster
from handson.grading.sources import Submission

_RAISED: dict[str, Severity] = {"owner-other": "warning", "learner-other": "serious"}
"""The findings that name somebody, and how serious they are if that is another learner."""


@dataclass(frozen=True)
class Identity:
    """The learner of a submission, by what is known of it.

    Attributes:
        submission: The submission, whose own name may mention the learner.
        names: The names in its evidence.
        asked: What is asked of the class; it has the roster.
    """

    submission: Submission
    names: Set[str]
    asked: Requirements

    @cached_property
    def owner(self) -> str:
        """What the platform or a folder calls the learner, or "".

        Of several folders it is the one whom the evidence names.
        """
        guesses = self.submission.guesses
        if not (guesses and self.names):
            return self.submission.person.name
        pairs = ((guess, name) for guess in guesses for name in self.names)
        return next((guess for guess, name in pairs if is_same_person(guess, name)), "")

    @cached_property
    def namesakes(self) -> Sequence[Learner]:
        """The learners of the roster whom the owner's name may mean."""
        return self.asked.roster.find_namesakes(self.owner)

    @cached_property
    def learner(self) -> Learner:
        """The learner.

        Among namesakes the platform's number decides where the roster has it, else the evidence.
        If the owner's name says of nobody, the name in the evidence is used; if that names several
        people or nobody, the submission's place is.
        """
        submission, owner, number = self.submission, self.owner, self.submission.person.number
        candidates = [each for each in self.namesakes if number in each.aliases] or self.namesakes
        bearers = {known for name in self.names if (known := self.asked.roster.find(name))}
        if len(candidates) == 1:
            return candidates[0]
        if len(bearers) == 1 and bearers <= {*candidates}:
            return bearers.pop()
        name = next(iter(self.names)) if len(self.names) == 1 else ""
        is_told, known = says_who(owner, name), self.asked.roster.find(name)
        if not is_told and (known or not owner):
            return known or Learner(name or submission.source)
        name = owner if is_told else name
        if submission.has_namesakes and number:
            return Learner(f"{owner} ({number})", name or owner)
        return Learner(owner, "" if is_same_person(owner, name) else name)

    @cached_property
    def is_named(self) -> bool:
        """The owner's name or the roster says who it is, so that other names contradict it.

        The name of a group says so of nobody.
        """
        if len(self.names) > 1 and not self.namesakes:
            return any(map(self.learner.is_named, self.names))
        known = (self.owner, self.learner.name)
        return any(says_who(own, name) for own in known for name in self.names)

    @property
    def others(self) -> set[str]:
        """The names in the evidence that are another's, for individual exercises."""
        names = self.names if self.asked.course.exercise else ()
        return {name for name in names if self._is_other(name)}

    def _is_other(self, name: str) -> bool:
        holders = self.asked.holders.get(self.asked.find_prefix(name), ())
        if holders or self.asked.roster.find(name) not in (None, self.learner):
            return self.learner.id not in {each.id for each in holders}
        says_another = says_who(name, self.learner.id) and not self.learner.is_named(name)
        return self.is_named and says_another

    def examine_names(self, claims: Claims) -> Iterator[Finding]:
        """Yield a finding for each name in the evidence that is not the learner's."""
        by_name = group_pairs((claim.learner, claim) for claim in claims.own)
        if "" in by_name:
            yield by_name.pop("")[0].make_finding("learner-unnamed", "note")
        if len(by_name) > 1 and not self.is_named:
            first = next(iter(by_name.values()))[0]
            yield first.make_finding("learner-several", names=sorted(by_name))
        for name, own in by_name.items():
            if self.is_named and not self.learner.is_named(name):
                # A number or an account may be the learner's; the class shows if it is another's.
                severity: Severity = "serious" if says_who(name, self.learner.id) else "note"
                yield own[0].make_finding("learner-other", severity, named=name, count=len(own))

    def examine_owner(self) -> Iterator[Finding]:
        """Yield the findings about the submission as a whole, and about its own name."""
        submission, owner = self.submission, one_line(self.owner)
        if submission.earlier:
            about = {"count": submission.earlier, "source": submission.source}
            yield make_finding("earlier-left", "note", **about)
        if submission.person.is_late:
            yield make_finding("late-by-name")
        if self.owner and not self.namesakes:
            is_known = bool(self.learner.name) or self.learner in self.asked.roster.learners
            if is_known and not says_who(self.owner, ""):
                yield make_finding("no-person", "note", name=owner)
            elif self.asked.roster.learners:
                yield make_finding("not-in-roster")
        if self.namesakes and self.learner not in self.namesakes:
            learners = [each.id for each in self.namesakes]
            yield make_finding("name-of-several", learners=learners, name=owner)


def compare_names(results: Sequence[Result], roster: Roster) -> Iterator[Result]:
    """Yield each result with the findings about names in it that are others' of the class.

    On the embedded AWS an owner's tag with another name is a name that was typed before, unless it
    is that of another learner.
    """
    learners = (*roster.learners, *(each.learner for each in results))
    everybody = Roster(tuple(dict.fromkeys(learners)))
    for result in results:
        learner, findings = result.learner, []
        for finding in result.findings:
            if finding.code in _RAISED:
                others = _find_others(finding.values["named"], learner, everybody)
                severity = _RAISED[finding.code] if others else finding.severity
                finding = replace(finding, severity=severity, others=others)
            findings.append(finding)
        for name in filter(learner.is_named, result.named):
            if others := _find_others(name, learner, everybody):
                findings.append(make_finding("names-several", others=others, named=name))
        yield replace(result, findings=tuple(findings))


def _find_others(name: str, learner: Learner, everybody: Roster) -> tuple[str, ...]:
    """Return whom else a name means, but for those whom the learner's own name means, too."""
    own = everybody.find_mentions(learner.label) | everybody.find_mentions(learner.name)
    others = everybody.find_mentions(name) - own
    return tuple(sorted({each.label for each, _ in others if each != learner}))
