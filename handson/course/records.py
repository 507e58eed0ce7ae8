"""Evidence as notebooks show it: one record, the journal, and what a killed embedded AWS lost.

Whatever a record says of itself, verdicts are derived anew from what it observed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handson.core import messages
from handson.core.cards import Card, Note, Part, Rows, Shown, Table, warning
from handson.core.errors import InvalidInput
from handson.core.files import nearby
from handson.course import checks, syllabus
from handson.course.checks import CheckResult, Verification
from handson.course.evidence import METADATA_KEY, Record, is_intact
from handson.course.exercise import Exercise


@dataclass(frozen=True, repr=False)
class Evidence(Shown):
    """An evidence cell: the facts for people, and the record in the output's metadata.

    `outdone` says that an earlier record of the check passes, and this newer one does not.
    """

    record: Record
    result: CheckResult
    outdone: bool = False

    def card(self) -> Card:
        """Return the check's card, and who saw it, when, under which digest."""
        card = self.result.card()
        newest = warning(*messages.advice("notebook.workshop.outdone")) if self.outdone else ()
        rows = [
            (messages.text("notebook.workshop.row-learner"), learner_label(self.record["learner"])),
            (messages.text("notebook.workshop.row-observed-at"), self.record["observed_at"]),
            (messages.text("notebook.workshop.row-digest"), self.record["digest"]),
        ]
        return Card(card.title, (*card.parts, *newest, Rows(rows)), state=card.state)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return super()._repr_mimebundle_(include, exclude), {METADATA_KEY: self.record}


@dataclass(frozen=True, repr=False)
class Entries(Shown):
    """The learner's evidence so far, in order."""

    records: tuple[Record, ...]
    learner: str = ""
    exercise: Exercise = Exercise()

    def card(self) -> Card:
        """Return the card: the last record of each check, derived anew, and whose they are."""
        title = messages.text("notebook.workshop.journal")
        whose = Rows(
            [(messages.text("notebook.workshop.row-learner"), learner_label(self.learner))]
        )
        if not self.records:
            empty = Note(messages.text("notebook.workshop.journal-empty"))
            return Card(title, (empty, whose), state="info")
        headers = (
            "",
            *(messages.text(f"notebook.workshop.column-{name}") for name in _ENTRY_COLUMNS),
        )
        latest = {record["check"]: record for record in self.records}
        rows = [
            _entry(latest[name], self.exercise) for name in syllabus.EVIDENCE_IDS if name in latest
        ]
        return Card(title, (Table(headers, rows), whose), state=_state(rows))


@dataclass(frozen=True, repr=False)
class HandedIn(Shown):
    """The journal as a file to hand in: where it is, whose, and which checks it has proof of."""

    records: tuple[Record, ...]
    learner: str
    path: Path
    exercise: Exercise = Exercise()

    def card(self) -> Card:
        """Return the card: what the last record of every check and of the drawing task shows.

        The drawing task is not counted among the checks.
        """
        latest = {record["check"]: record for record in self.records}
        rows = [
            (_mark(latest.get(name), self.exercise), messages.text(f"course.checks.check.{name}"))
            for name in syllabus.CHECK_IDS
        ]
        proved = sum(mark == "ok" for mark, _ in rows)
        count = len(rows)
        drawn = _mark(latest.get(syllabus.DRAWING.id), self.exercise) == "ok"
        drawing = (
            messages.text(f"course.checks.check.{syllabus.DRAWING.id}"),
            messages.text("course.checks.passed" if drawn else "course.checks.failed"),
        )
        title = messages.text("notebook.workshop.handed-in", proved=proved, count=count)
        header = messages.text("notebook.workshop.column-check")
        file = (messages.text("notebook.workshop.row-hand-in"), nearby(self.path))
        whose = (messages.text("notebook.workshop.row-learner"), learner_label(self.learner))
        parts: tuple[Part, ...] = (Table(("", header), rows), Rows((drawing, file, whose)))
        if proved < count:
            parts += warning(*messages.advice("notebook.workshop.proof-missing"))
        elif not drawn:
            parts += warning(*messages.advice("notebook.workshop.drawing-missing"))
        parts += (Note(messages.text("notebook.workshop.hand-in-too")),)
        return Card(title, parts, state=_state(rows) if drawn else "warn")


@dataclass(frozen=True, repr=False)
class Lost(Shown):
    """What the embedded AWS lost when it was killed, and which notebook makes it again."""

    verification: Verification
    recorded: frozenset[str]

    def card(self) -> Card:
        """Return the card: one sentence."""
        failing = [result for result in self.verification.checks if not result.passed]
        lost = [result.label for result in failing if result.id in self.recorded]
        if not failing:
            sentence = messages.text("notebook.workshop.lost-nothing")
        else:
            notebook = syllabus.check(failing[0].id).notebook
            what = messages.text("notebook.workshop.and").join(lost) or messages.text(
                "notebook.workshop.lost-recent"
            )
            sentence = messages.text("notebook.workshop.lost", what=what, notebook=notebook)
        return Card(messages.text("notebook.workshop.restarted"), (Note(sentence),), state="warn")


def learner_label(learner: str) -> str:
    """Return the learner for people: the name, or how to give one."""
    return learner or messages.text("notebook.workshop.no-learner")


_ENTRY_COLUMNS = ("check", "observed-at", "digest")


def _entry(record: Record, exercise: Exercise) -> tuple[str, ...]:
    label = messages.text(f"course.checks.check.{record['check']}")
    return (_mark(record, exercise), label, record["observed_at"], f"{record['digest'][:19]}…")


def _state(rows: Sequence[Sequence[str]]) -> str:
    return "ok" if all(mark == "ok" for mark, *_ in rows) else "warn"


def _mark(record: Record | None, exercise: Exercise) -> str:
    return "ok" if record is not None and is_intact(record) and proves(record, exercise) else "bad"


def proves(record: Record, exercise: Exercise = Exercise()) -> bool:
    """Tell whether what a record observed passes its check; it may say anything."""
    try:
        return checks.derive(record["check"], record["observed"], exercise).passed
    except InvalidInput:
        return False
