"""What a check answers: facts, diagnoses, a verdict, and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handson.core import messages
from handson.core.cards import MARKS, Card, Note, Part, Shown, Table, warning
from handson.core.text import list_briefly, one_line
from handson.course import syllabus
from handson.course.state import Target

SCHEMA = "handson.verification/1"


@dataclass(frozen=True)
class FactResult:
    """One thing a check looked at.

    Attributes:
        id: The fact's id in the syllabus.
        expected: What the exercise asks for, as a JSON value.
        observed: What was seen, as a JSON value; None when there was nothing to look at.
        advice: The fact is told but does not fail its check.
    """

    id: str
    expected: Any
    observed: Any
    advice: bool = False

    @property
    def passed(self) -> bool:
        """A fact passes exactly when what was seen is what the exercise asks for."""
        return type(self.observed) is type(self.expected) and bool(self.observed == self.expected)

    @property
    def label(self) -> str:
        """The fact's name for people, in the current language."""
        return messages.text(f"course.checks.fact.{self.id}")

    def to_json(self) -> dict[str, Any]:
        """Return the fact as the contract `handson.verification/1` has it."""
        return {
            "id": self.id,
            "expected": self.expected,
            "observed": self.observed,
            "passed": self.passed,
        }


@dataclass(frozen=True)
class Diagnosis:
    """Why facts are false, and the one next thing to do about it.

    `code` is stable; `message` and `remedy` are in the language that was current; `facts` are the
    ids of the facts it explains, `resource` is AWS's id of what it is about, where it has one.
    """

    code: str
    message: str
    remedy: str
    facts: tuple[str, ...]
    resource: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the diagnosis as the contract `handson.verification/1` has it."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}


@dataclass(frozen=True, repr=False)
class CheckResult(Shown):
    """One check's facts, in the syllabus's order, and the diagnoses of those that are false."""

    id: str
    facts: tuple[FactResult, ...]
    diagnoses: tuple[Diagnosis, ...]

    @property
    def passed(self) -> bool:
        """Every fact passed; those that are advice do not count."""
        return all(fact.passed for fact in self.facts if not fact.advice)

    @property
    def label(self) -> str:
        """The check's name for people, in the current language."""
        return messages.text(f"course.checks.check.{self.id}")

    @property
    def counted(self) -> str:
        """How many of its facts passed, as in "3/4"; those that are advice do not count."""
        facts = [fact for fact in self.facts if not fact.advice]
        return f"{sum(fact.passed for fact in facts)}/{len(facts)}"

    def fact(self, fact_id: str) -> FactResult:
        """Return the fact of that id.

        Raises:
            KeyError: The check has no such fact.
        """
        for fact in self.facts:
            if fact.id == fact_id:
                return fact
        raise KeyError(fact_id)

    def to_json(self) -> dict[str, Any]:
        """Return the check as the contract `handson.verification/1` has it."""
        return {
            "id": self.id,
            "passed": self.passed,
            "facts": [fact.to_json() for fact in self.facts],
            "diagnoses": [diagnosis.to_json() for diagnosis in self.diagnoses],
        }

    def card(self) -> Card:
        """Return the card: expected beside observed, then what to do.

        Advice stands on lines of its own, always one a fact and always with the same mark, so that
        whoever compares two runs can leave those lines out.
        """
        verdict = messages.text("course.checks.passed" if self.passed else "course.checks.failed")
        parts: list[Part] = [_table([fact for fact in self.facts if not fact.advice])]
        parts += [Note(self._advice_line(f), state="advice") for f in self.facts if f.advice]
        for diagnosis in self.diagnoses:
            if not self._is_advice(diagnosis):
                parts += warning(diagnosis.message, diagnosis.remedy)
        title = f"{self.label}: {verdict}"
        return Card(title, tuple(parts), state="ok" if self.passed else "bad")

    def _is_advice(self, diagnosis: Diagnosis) -> bool:
        return bool(diagnosis.facts) and all(self.fact(id).advice for id in diagnosis.facts)

    def _advice_line(self, fact: FactResult) -> str:
        said = f"{fact.label}: {words(fact.observed)}"
        reasons = [d for d in self.diagnoses if self._is_advice(d) and fact.id in d.facts]
        return " ".join([said, *(f"· {d.message} {d.remedy}" for d in reasons)])


@dataclass(frozen=True, repr=False)
class Verification(Shown):
    """The checks of one look at the target."""

    target: Target
    checks: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Every check passed."""
        return all(check.passed for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Return the contract `handson.verification/1`."""
        target = self.target
        return {
            "schema": SCHEMA,
            "target": {
                "kind": target.kind,
                "account": target.account,
                "region": target.region,
                "endpoint": target.endpoint,
            },
            "passed": self.passed,
            "checks": [check.to_json() for check in self.checks],
        }

    def card(self) -> Card:
        """Return the card: the checks as a table, then what to do about those that failed.

        Of a check that failed, only the facts that are false are shown.
        """
        headers = ["", *(messages.text(f"course.checks.column-{name}") for name in _CHECK_COLUMNS)]
        parts: list[Part] = [Table(headers, [_summary(check) for check in self.checks])]
        for check in self.checks:
            if not check.passed:
                false = [fact for fact in check.facts if not fact.advice and not fact.passed]
                parts += [Note(f"{check.label}:"), _table(false)]
                for diagnosis in check.diagnoses:
                    parts += warning(diagnosis.message, diagnosis.remedy)
        title = messages.text(
            "course.checks.verified",
            passed=sum(check.passed for check in self.checks),
            count=len(self.checks),
            account=one_line(self.target.account),
            region=one_line(self.target.region),
        )
        return Card(title, tuple(parts), state="ok" if self.passed else "bad")


_FACT_COLUMNS = ("fact", "expected", "observed")
_CHECK_COLUMNS = ("check", "facts", "notebook")


def conclude(
    check_id: str,
    *,
    expected: Mapping[str, Any],
    observed: Mapping[str, Any],
    diagnoses: Sequence[Diagnosis],
) -> CheckResult:
    """Return the result of a check, all its facts in the syllabus's order.

    Args:
        check_id: A check of the syllabus.
        expected: By fact id, for every fact.
        observed: By fact id; what is left out was not there to be seen.
        diagnoses: Why facts are false.

    Raises:
        KeyError: `expected` lacks a fact of the syllabus.
    """
    facts = tuple(
        FactResult(fact.id, expected[fact.id], observed.get(fact.id), fact.advice)
        for fact in syllabus.check(check_id).facts
    )
    return CheckResult(check_id, facts, tuple(diagnoses))


def words(value: Any) -> str:
    """Say a JSON value in the current language; never by accident the name of a mark."""
    if isinstance(value, bool):
        return messages.text("course.checks.yes" if value else "course.checks.no")
    if value is None or value == []:
        return messages.text("course.checks.unseen" if value is None else "course.checks.nothing")
    said = (
        list_briefly(list(map(_item, value))) if isinstance(value, list) else one_line(_item(value))
    )
    return f"“{said}”" if said in MARKS else said


def _item(value: Any) -> str:
    """Say a string, and where a route leads in the current language."""
    destination, arrow, target = str(value).partition(" → ")
    if target not in _TARGETS:
        return str(value)
    return f"{destination}{arrow}{messages.text(f'course.checks.{_TARGETS[target]}')}"


_TARGETS = {"internet gateway": "to-gateway", "blackhole": "to-blackhole", "none": "to-none"}


def _table(facts: Sequence[FactResult]) -> Table:
    headers = ["", *(messages.text(f"course.checks.column-{name}") for name in _FACT_COLUMNS)]
    return Table(headers, [_row(fact) for fact in facts])


def _row(fact: FactResult) -> tuple[str, str, str, str]:
    verdict = "ok" if fact.passed else "bad"
    return verdict, fact.label, words(fact.expected), words(fact.observed)


def _summary(check: CheckResult) -> tuple[str, str, str, str]:
    notebook = syllabus.check(check.id).notebook
    return "ok" if check.passed else "bad", check.label, check.counted, notebook
