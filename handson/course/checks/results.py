"""The result of a check: its facts, the causes of false ones, the verdict, and the cards with them.

Each cause is a diagnosis: a stable code, a sentence, and the one next thing to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from handson.core import messages
from handson.core.cards import MARKS, Card, CardPart, Displayable, Note, Table, warning_notes
from handson.core.text import find_nearest, list_briefly, one_line, pick_fields, write_call
from handson.course import owners, syllabus
from handson.course.state import Sighting, Snapshot, Target, Unseen

SCHEMA = "handson.verification/1"
Facts = Mapping[str, tuple[Any, Any]]
"""The expected and the observed value of each fact, by id, in the order of the card."""

Kept = Mapping[str, Any]
"""The fields of a snapshot that a check reads, besides its target."""

COULD_NOT_LOOK = "could-not-look"
"""The code of the diagnosis where a service refused or failed."""

NETWORK_CLEANUP = 'workshop.cleanup("network", confirm="delete")'
_LONG = 20
"""The letters of a value that is worth repeating."""

T = TypeVar("T")


class FactResult(Struct, frozen=True):
    """One thing that a check looks at.

    Attributes:
        id: The fact's id.
        expected: What the exercise asks for, as a JSON value.
        observed: The value on AWS, as a JSON value; None where there was nothing to look at.
        advice: The fact is shown but does not fail its check.
    """

    id: str
    expected: Any
    observed: Any
    advice: bool

    @property
    def passed(self) -> bool:
        """A fact passes exactly when the observed value is the expected one, type included."""
        return type(self.observed) is type(self.expected) and bool(self.observed == self.expected)

    @property
    def label(self) -> str:
        """The fact's name for people, in the current language."""
        return messages.label("course.checks.fact", self.id)

    def to_json(self) -> dict[str, Any]:
        """Return the fact as the contract `handson.verification/1` has it."""
        return pick_fields(self, "id expected observed passed")


class Diagnosis(Struct, frozen=True):
    """Why facts are false, and the one next thing to do about it.

    Attributes:
        code: The stable name of the cause.
        message: The cause, in the language that was current.
        remedy: What to do, in that language.
        facts: The ids of the facts that the diagnosis explains.
        resource: AWS's id of the resource it is about, or "".
        call: The single call that mends it where a notebook would, too; "" if there is none.
    """

    code: str
    message: str
    remedy: str
    facts: tuple[str, ...]
    resource: str = ""
    call: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the diagnosis as the contract `handson.verification/1` has it."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}


class CheckResult(Displayable, Struct, frozen=True):
    """One check's facts, and the diagnoses of the false ones."""

    id: str
    facts: tuple[FactResult, ...]
    diagnoses: tuple[Diagnosis, ...]

    @property
    def passed(self) -> bool:
        """Every fact passed; advice does not count."""
        return all(fact.passed for fact in self.facts if not fact.advice)

    @property
    def notebook(self) -> str:
        """The notebook that makes what the check looks at."""
        return syllabus.find_check(self.id).notebook

    @property
    def looked(self) -> bool:
        """False when a service that the check reads refused or failed: nothing is known then."""
        return all(diagnosis.code != COULD_NOT_LOOK for diagnosis in self.diagnoses)

    @property
    def state(self) -> str:
        """The card's mark: "ok", "bad", or "warn" where the check could not look."""
        return "warn" if not self.looked else "ok" if self.passed else "bad"

    @property
    def label(self) -> str:
        """The check's name for people, in the current language."""
        return messages.label("course.checks.check", self.id)

    @property
    def verdict(self) -> str:
        """The verdict for people, in the current language."""
        if not self.looked:
            return messages.text("course.checks.not-looked")
        return messages.text("course.checks.passed" if self.passed else "course.checks.failed")

    @property
    def counted(self) -> str:
        """How many of the facts passed, as in "3/4"; advice does not count."""
        if not self.looked:
            return "–"
        facts = [fact for fact in self.facts if not fact.advice]
        return f"{sum(fact.passed for fact in facts)}/{len(facts)}"

    def to_json(self) -> dict[str, Any]:
        """Return the check as the contract `handson.verification/1` has it."""
        return {
            **pick_fields(self, "id passed"),
            "facts": [fact.to_json() for fact in self.facts],
            "diagnoses": [diagnosis.to_json() for diagnosis in self.diagnoses],
        }

    def card(self) -> Card:
        """Return the card: expected beside observed, then what to do.

        Each fact that is advice has one line with the same mark whatever it says, so that a
        comparison of two runs can leave those lines out.
        """
        parts: list[CardPart] = []
        if self.looked:
            parts.append(_table(self.facts))
            parts += [Note(self._advice_line(f), state="advice") for f in self.facts if f.advice]
        for diagnosis in self.diagnoses:
            if not _is_advice(diagnosis):
                parts += warning_notes(diagnosis.message, diagnosis.remedy)
        return Card(f"{self.label}: {self.verdict}", tuple(parts), state=self.state)

    def _advice_line(self, fact: FactResult) -> str:
        said = f"{fact.label}: {describe_value(fact.observed)}"
        reasons = [d for d in self.diagnoses if _is_advice(d) and fact.id in d.facts]
        return " ".join([said, *(f"· {d.message} {d.remedy}" for d in reasons)])


class Verification(Displayable, Struct, frozen=True):
    """The results of all checks over one look at the target."""

    target: Target
    checks: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Every check passed."""
        return not self.failing

    @property
    def failing(self) -> list[CheckResult]:
        """The checks that did not pass, in the order of the syllabus."""
        return [check for check in self.checks if not check.passed]

    def to_json(self) -> dict[str, Any]:
        """Return the contract `handson.verification/1`."""
        return {
            "schema": SCHEMA,
            "target": self.target.to_json(),
            "passed": self.passed,
            "checks": [check.to_json() for check in self.checks],
        }

    def card(self) -> Card:
        """Return the card: a table of the checks, then the false facts and what to do."""
        listed = sorted(self.checks, key=lambda check: check.passed)
        rows = [(each.state, each.label, each.counted, each.notebook) for each in listed]
        columns = ("", "check", "facts", "notebook")
        parts: list[CardPart] = [Table.labelled("course.checks.column", columns, rows)]
        for check in self.checks:
            if not check.passed:
                parts.append(Note(f"{check.label}:"))
                if check.looked:
                    parts.append(_table([fact for fact in check.facts if not fact.passed]))
                for diagnosis in check.diagnoses:
                    parts += warning_notes(diagnosis.message, diagnosis.remedy)
        counts = {"passed": len(self.checks) - len(self.failing), "count": len(self.checks)}
        where = {
            it: one_line(text) for it, text in pick_fields(self.target, "account region").items()
        }
        title = messages.text("course.checks.verified", **counts, **where)
        return Card(title, tuple(parts), state="ok" if self.passed else "bad")


def _is_advice(diagnosis: Diagnosis) -> bool:
    return set(diagnosis.facts) <= set(syllabus.ADVICE)


def diagnose(
    code: str, *facts: str, remedy: str = "", call: str = "", **values: object
) -> Diagnosis:
    """Return a diagnosis for `conclude`, which keeps it only for facts that are false.

    Args:
        code: The code, which is also the name of its sentence among "course.checks.cause".
        facts: The ids of the facts that the cause may explain; none stands for all false facts.
        remedy: The one next thing to do; "" stands for running the check's notebook.
        call: The single call that mends it, as code for a cell.
        values: The sentence's placeholders; `id` is also the diagnosis's resource.
    """
    safe = {name: one_line(v) if isinstance(v, str) else v for name, v in values.items()}
    message = messages.label("course.checks.cause", code, **safe)
    return Diagnosis(code, message, remedy, facts, str(values.get("id", "")), call)


def explain_absence(
    check_id: str, snapshot: Snapshot, *, elsewhere: str, here: str, there: str = "", **values: str
) -> Diagnosis:
    """Return why a check finds no resource to judge.

    Args:
        check_id: The check.
        snapshot: The state, whose sightings name other regions that hold the resource.
        elsewhere: The code if another region holds it.
        here: The code otherwise.
        there: The other region, where no sighting names one.
        values: The placeholders of the sentences besides `region` and `there`.
    """
    region = snapshot.target.region
    seen = [sighting.region for sighting in find_sightings(snapshot, check_id)]
    there = list_briefly(list(dict.fromkeys(seen))) or there
    notebook = syllabus.find_check(check_id).notebook
    foreign = [item for item in snapshot.foreign if item.check == check_id]
    if foreign and not there:
        first = foreign[0]
        _, remedy = owners.explain_foreign(first.name, first.owner, region=region)
        if check_id == "network":  # several VPCs may have the same name
            mine = owners.advise_owner(first.owner)
            remedy = messages.text("course.checks.remedy.beside", notebook=notebook, mine=mine)
        whose = owners.describe_owners(*(item.owner for item in foreign))
        return diagnose("foreign", remedy=remedy, name=first.name, owner=whose, region=region)
    if not there:
        return diagnose(here, region=region, **values)
    remedy = messages.text(
        "course.checks.remedy.run-here", notebook=notebook, here=region, there=there
    )
    return diagnose(elsewhere, remedy=remedy, region=region, there=there, **values)


def find_sightings(snapshot: Snapshot, check_id: str) -> tuple[Sighting, ...]:
    """Return what other regions hold of what a check misses here."""
    here = snapshot.target.region
    return tuple(
        item for item in snapshot.elsewhere if item.check == check_id and item.region != here
    )


def find_similar(name: str, items: Iterable[tuple[str, T]]) -> tuple[T, ...]:
    """Return the first item whose name is spelled most like `name`, if any is similar."""
    pairs = list(items)
    near = find_nearest(name, sorted({given for given, _ in pairs}))
    return tuple(item for given, item in pairs if given == near)[:1]


def advise_call(call: str, *, then: str = "") -> str:
    """Return the remedy of making a call in a new cell, then running notebooks from one on."""
    if then:
        return messages.text("course.checks.remedy.type-then-run", call=call, notebook=then)
    return messages.text("course.checks.remedy.type", call=call)


def write_aws_call(service: str, operation: str, **parameters: Any) -> str:
    """Return a call of AWS as code for a cell: learners may have no aws CLI."""
    return write_call("workshop.aws.call", service, operation, **parameters)


def conclude(
    check_id: str, facts: Facts, causes: Iterable[Diagnosis], *, found: bool = True
) -> CheckResult:
    """Return the result of a check.

    Args:
        check_id: A check of the syllabus.
        facts: All its facts.
        causes: What `diagnose` returns for anything that may be wrong.  Of each cause the result
            keeps the false facts, and no cause without any.
        found: False where the resource is missing: then only the first fact was observed.
    """
    results = tuple(
        FactResult(id, expected, seen if found or not place else None, id in syllabus.ADVICE)
        for place, (id, (expected, seen)) in enumerate(facts.items())
    )
    false = tuple(fact.id for fact in results if not fact.passed)
    if not false:  # most causes come from generators, whose sentences need not be written
        return CheckResult(check_id, results, ())
    run = messages.text("course.checks.remedy.run", notebook=syllabus.find_check(check_id).notebook)
    diagnoses = (
        replace(
            cause,
            facts=tuple(id for id in cause.facts or false if id in false),
            remedy=cause.remedy or run,
        )
        for cause in causes
    )
    return CheckResult(check_id, results, tuple(kept for kept in diagnoses if kept.facts))


def conclude_unseen(result: CheckResult, unseen: Unseen) -> CheckResult:
    """Return the result of a check whose service could not be looked at: no fact is known."""
    facts = {fact.id: (fact.expected, None) for fact in result.facts}
    message = messages.text("course.checks.could-not-look", problem=unseen.problem)
    cause = Diagnosis(COULD_NOT_LOOK, message, unseen.remedy, facts=())
    return conclude(result.id, facts, [cause])


def describe_value(value: Any) -> str:
    """Return a JSON value in the current language, never the bare name of a mark."""
    if isinstance(value, bool):
        return messages.text("course.checks.yes" if value else "course.checks.no")
    if value is None or value == []:
        return messages.text("course.checks.unseen" if value is None else "course.checks.nothing")
    if isinstance(value, list):
        text = list_briefly([_describe_item(item) for item in value])
    else:
        text = one_line(_describe_item(value))
    # A table shows a cell that is the name of a mark as that mark.
    return f"“{text}”" if text in MARKS else text


def _describe_item(value: Any) -> str:
    """Return a string, with the end of a route in the current language."""
    destination, arrow, target = str(value).partition(" → ")
    ends = {
        "internet gateway": messages.text("course.checks.to-gateway"),
        "blackhole": messages.text("course.checks.to-blackhole"),
        "none": messages.text("course.checks.to-none"),
    }
    return f"{destination}{arrow}{ends.get(target, target)}"


def _table(facts: Sequence[FactResult]) -> Table:
    """Return a table of facts without the advice, false ones first; no long value stands twice."""
    rows = []
    for fact in sorted(facts, key=lambda fact: fact.passed):
        expected, observed = describe_value(fact.expected), describe_value(fact.observed)
        if fact.passed and len(observed) > _LONG:
            observed = messages.text("course.checks.as-expected")
        if not fact.advice:
            rows.append(("ok" if fact.passed else "bad", fact.label, expected, observed))
    return Table.labelled("course.checks.column", ("", "fact", "expected", "observed"), rows)
