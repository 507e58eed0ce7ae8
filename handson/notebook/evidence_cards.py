"""Evidence as notebooks show it: a record, the journal, a loss.

Every verdict here is derived again from what a record observed, whatever else the record says.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from msgspec import Struct

from handson.core import messages
from handson.core.cards import Card, Displayable, Note, Rows, Table, list_fields, warning_notes
from handson.core.errors import InvalidInput
from handson.course import checks, syllabus
from handson.course.checks import CheckResult, Verification
from handson.course.evidence import METADATA_KEY, Record, is_intact
from handson.course.exercise import Exercise

_DIGEST_LETTERS = 19
"""How much of a digest the journal's table shows: "sha256:" and twelve digits."""


class Evidence(Displayable, Struct, frozen=True):
    """The result of an evidence cell: facts for people, and the record in the output's metadata.

    Attributes:
        record: The record.
        result: The check's result.
        outdone: Whether an earlier record of the check passes and this newer one does not.
    """

    record: Record
    result: CheckResult
    outdone: bool = False

    def card(self) -> Card:
        """Return the check's card, with the learner, the time and the digest of the record."""
        card, record = self.result.card(), self.record
        origin = describe_origin(record["learner"], record["observed_at"], record["digest"])
        notes: tuple[Note, ...] = ()
        if self.outdone:
            notes += warning_notes(*messages.advice("notebook.workshop.outdone"))
        if not record["learner"]:
            notes += warning_notes(*messages.advice("notebook.workshop.unnamed-record"))
        return Card(card.title, (*card.parts, *notes, origin), state=card.state)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return super()._repr_mimebundle_(include, exclude), {METADATA_KEY: self.record}


class JournalEntries(Displayable, Struct, frozen=True):
    """Evidence so far, in order, and what the learner is asked to build."""

    records: tuple[Record, ...]
    learner: str = ""
    exercise: Exercise = Exercise()

    @cached_property
    def latest(self) -> dict[str, Record]:
        """The last record of each check."""
        return {record["check"]: record for record in self.records}

    def has_passed(self, check: str) -> bool:
        """Tell whether any record of a check passes it."""
        return any(self._passes(record) for record in self.records if record["check"] == check)

    def mark(self, check: str) -> str:
        """Return the mark of a check: "ok" where its last record is unchanged and passes."""
        record = self.latest.get(check)
        proven = record is not None and is_intact(record) and self._passes(record)
        return "ok" if proven else "bad"

    def card(self) -> Card:
        """Return a card with the last record of each check."""
        title = messages.text("notebook.workshop.journal")
        learner = list_fields("notebook.workshop.row", {"learner": name_learner(self.learner)})
        if not self.records:
            empty = Note(messages.text("notebook.workshop.journal-empty"))
            return Card(title, (empty, learner), state="info")
        columns = ("", "column-check", "row.observed-at", "row.digest")
        rows = [
            (
                self.mark(check),
                messages.label("course.checks.check", check),
                record["observed_at"],
                f"{record['digest'][:_DIGEST_LETTERS]}…",
            )
            for check in syllabus.EVIDENCE_IDS
            if (record := self.latest.get(check)) is not None
        ]
        state = "ok" if all(mark == "ok" for mark, *_ in rows) else "warn"
        return Card(
            title, (Table.labelled("notebook.workshop", columns, rows), learner), state=state
        )

    def _passes(self, record: Record) -> bool:
        """Tell whether what a record observed passes its check; the record may hold anything."""
        try:
            return checks.derive(record["check"], record["observed"], self.exercise).passed
        except InvalidInput:
            return False


class RestartNotice(Displayable, Struct, frozen=True):
    """What the embedded AWS lost when it was killed, and which notebook makes it again."""

    verification: Verification
    recorded: frozenset[str]

    def card(self) -> Card:
        """Return a card of one sentence."""
        failing = self.verification.failing
        sentence = messages.text("notebook.workshop.lost-nothing")
        if failing:
            lost = [result.label for result in failing if result.id in self.recorded]
            what = messages.text("notebook.workshop.and").join(lost)
            sentence = messages.text(
                "notebook.workshop.lost",
                what=what or messages.text("notebook.workshop.lost-recent"),
                notebook=failing[0].notebook,
            )
        return Card(messages.text("notebook.workshop.restarted"), (Note(sentence),), state="warn")


def describe_origin(learner: str, observed_at: str, digest: str) -> Rows:
    """Return the rows that say whose a record is, when it was made, and its digest."""
    values = {"learner": name_learner(learner), "observed-at": observed_at, "digest": digest}
    return list_fields("notebook.workshop.row", values)


def name_learner(learner: str, source: str = "") -> str:
    """Return the learner's name with its source, or how to set one, for a row of a card."""
    if learner and source not in ("", "argument"):
        return f"{learner} ({messages.label('notebook.workshop.learner-from', source)})"
    return learner or messages.text("notebook.workshop.no-learner")
