"""The overview under each `start`: notebooks done, what comes next, and whose name evidence bears.

Nothing of it is stored.  Verdicts are derived from the journal, answers are read in the saved
notebook, and the clean-up is known by its receipt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from handson.core import messages
from handson.core.cards import Card, Displayable, Note, Rows, Tile, Tiles, warning_notes
from handson.core.text import list_briefly
from handson.course import syllabus
from handson.course.exercise import Exercise
from handson.notebook.evidence_cards import JournalEntries, name_learner

if TYPE_CHECKING:
    from handson.grading import Written

_FIRST, _LAST = syllabus.ALL_NOTEBOOKS[0], syllabus.ALL_NOTEBOOKS[-1]
_ALL_CHECKS = "04-evidence"
_WIDTH = 80


class Overview(Displayable, Struct, frozen=True):
    """Where a learner is in the course.

    Attributes:
        entries: The records that bear the learner's name, or none.
        answers: The answers to the questions, as they are saved.
        cleaned_up_at: The time of the clean-up that left nothing, or "".
        region: The region that the workshop was started in.
        learner_from: The source of the learner's name, as in `Settings`.
        is_logged: Whether starts and the names of errors are logged.
        warnings: What else is to be set right: problems with their remedies.
    """

    entries: JournalEntries
    answers: Sequence[Written] = ()
    cleaned_up_at: str = ""
    region: str = Exercise().region
    learner_from: str = ""
    is_logged: bool = False
    warnings: Sequence[tuple[str, str]] = ()

    def card(self) -> Card:
        """Return a card with a tile for each notebook, the next one, the name, and warnings."""
        marks = {name: self._list_marks(name) for name in syllabus.ALL_NOTEBOOKS}
        left = [name for name in syllabus.NOTEBOOKS[:-1] if {*marks[name]} != {"ok"}]
        onward = Note(messages.text("notebook.overview.finished"))
        if left:
            said = messages.text("notebook.overview.next", notebook=left[0])
            onward = Note(said, "info", f"{left[0]}.ipynb")
        tiles = [_make_tile(name, found, is_next=name in left[:1]) for name, found in marks.items()]
        notes = [note for advice in self._list_warnings() for note in warning_notes(*advice)]
        values = {"passed": marks[_ALL_CHECKS].count("ok"), "count": len(marks[_ALL_CHECKS])}
        title = messages.text("notebook.overview.title", **values)
        learner = name_learner(self.entries.learner, self.learner_from)
        own = _list_own_values(self.entries.exercise)
        rows = Rows([(messages.text("notebook.workshop.row.learner"), learner), *own])
        about = (Tiles(tiles, _WIDTH), onward, rows)
        logged = (Note(messages.text("notebook.overview.logged")),) * self.is_logged
        return Card(
            title, (*about, *logged, *notes), state="warn" if notes else "info" if left else "ok"
        )

    def count_done(self) -> dict[str, tuple[int, int]]:
        """Return for each notebook how much of it is done, and how much there is."""
        marks = {name: self._list_marks(name) for name in syllabus.ALL_NOTEBOOKS}
        return {name: (found.count("ok"), len(found)) for name, found in marks.items()}

    def _list_marks(self, notebook: str) -> list[str]:
        """Return the marks of what is done in a notebook; "" for what is not begun."""
        if notebook == _FIRST:
            return ["ok"]  # the workshop has started
        if notebook == _LAST:
            newest = max((each["observed_at"] for each in self.entries.records), default="")
            return ["ok" if newest <= self.cleaned_up_at != "" else ""]
        checks = (*syllabus.CHECKS, syllabus.DRAWING)
        ids = [check.id for check in checks if check.notebook == notebook]
        ids = [*syllabus.CHECK_IDS] if notebook == _ALL_CHECKS else ids
        marks = [self.entries.mark(id) if id in self.entries.latest else "" for id in ids]
        answered = {each.id for each in self.answers if each.status == "answered"}
        asked = [each.grade_id for each in syllabus.QUESTIONS if each.notebook == notebook]
        return [*marks, *("ok" if each in answered else "" for each in asked)]

    def _list_warnings(self) -> Iterator[tuple[str, str]]:
        yield from self.warnings
        latest, wanted = self.entries.latest, self.entries.exercise.region
        ids = [id for id in syllabus.EVIDENCE_IDS if id in latest and not latest[id]["learner"]]
        if not self.entries.learner:
            yield messages.advice("notebook.overview.unnamed")
        elif ids:
            checks = list_briefly([messages.label("course.checks.check", id) for id in ids])
            yield messages.advice("notebook.overview.unnamed-records", checks=checks)
        if self.region != wanted:
            values = {"region": self.region, "wanted": wanted}
            yield messages.advice("notebook.overview.other-region", **values)


def _list_own_values(exercise: Exercise) -> list[tuple[str, str]]:
    """Return the rows with the values of an individual exercise; none for the workshop's own."""
    if exercise == Exercise():
        return []
    form, rows = exercise.network, []
    settings = ("start.region", "network.name", "network.cidr", "cluster.name", "repository.name")
    values = (exercise.region, form.name, form.cidr, exercise.cluster, exercise.repository)
    for setting, value in zip(settings, values, strict=True):
        label = messages.label("notebook.widgets.setting", setting)
        rows.append((messages.text("notebook.overview.own", setting=label), value))
    return rows


def _make_tile(notebook: str, marks: Sequence[str], *, is_next: bool) -> Tile:
    done, number = marks.count("ok"), notebook.partition("-")[0]
    state = "bad" if "bad" in marks else "ok" if done == len(marks) > 0 else "info" * is_next
    count = f" {done}/{len(marks)}" if len(marks) > 1 else ""
    name = messages.label("notebook.overview.notebook", notebook)
    return Tile(state, f"{number}{count}", (name,), f"{notebook}.ipynb")
