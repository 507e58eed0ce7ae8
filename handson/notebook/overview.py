"""The overview under each `start`: notebooks done, what comes next, and whose name evidence bears.

Nothing of it is stored.  Verdicts are derived from the journal, answers are read in the saved
notebook, and the clean-up is known by its receipt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handson.core import messages
from handson.core.cards import Card, CardPart, Displayable, Rows, Step, Steps, warning_notes
from handson.core.text import list_briefly
from handson.course import syllabus
from handson.course.exercise import Exercise
from handson.grading import Written
from handson.grading.findings import ANSWERED
from handson.notebook.evidence_cards import JournalEntries, describe_learner

_LOOKING, _LAST = "04-evidence", "99-cleanup"


@dataclass(frozen=True, repr=False)
class Overview(Displayable):
    """Where a learner is in the course.

    Attributes:
        entries: The records that bear the learner's name, or none.
        answers: The answers to the questions, as they are saved.
        cleaned_up_at: The time of the clean-up that left nothing, or "".
        region: The region that the workshop was started in.
    """

    entries: JournalEntries
    answers: Sequence[Written] = ()
    cleaned_up_at: str = ""
    region: str = Exercise().region

    def card(self) -> Card:
        """Return a card with a tile for each notebook, the next one, the name, and warnings."""
        steps = tuple(map(self._describe, syllabus.ALL_NOTEBOOKS))
        aside = (*syllabus.OPTIONAL_NOTEBOOKS, _LAST)
        coming = next((at for at in steps if at.state != "ok" and at.notebook not in aside), None)
        onward = messages.text("notebook.overview.finished")
        if coming:
            onward = messages.text("notebook.overview.next", notebook=coming.notebook)
        parts: list[CardPart] = [Steps(steps, onward, coming)]
        parts.append(Rows([describe_learner(self.entries.learner)]))
        warnings = [note for advice in self._list_warnings() for note in warning_notes(*advice)]
        marks = self._list_marks(_LOOKING)
        values = {"passed": marks.count("ok"), "count": len(marks)}
        title = messages.text("notebook.overview.title", **values)
        state = "warn" if warnings else "info" if coming else "ok"
        return Card(title, (*parts, *warnings), state=state)

    def _describe(self, notebook: str) -> Step:
        marks = self._list_marks(notebook)
        done = marks.count("ok")
        state = "bad" if "bad" in marks else "ok" if done == len(marks) > 0 else ""
        name = messages.label("notebook.overview.notebook", notebook)
        return Step(state, notebook, name, f"{done}/{len(marks)}" if len(marks) > 1 else "")

    def _list_marks(self, notebook: str) -> list[str]:
        """Return the marks of what is done in a notebook; "" for what is not begun."""
        if notebook == syllabus.ALL_NOTEBOOKS[0]:
            return ["ok"]  # the workshop has started
        if notebook == _LAST:
            newest = max((each["observed_at"] for each in self.entries.records), default="")
            return ["ok" if newest <= self.cleaned_up_at != "" else ""]
        checks = (*syllabus.CHECKS, syllabus.DRAWING)
        ids = [check.id for check in checks if check.notebook == notebook]
        ids = [*syllabus.CHECK_IDS] if notebook == _LOOKING else ids
        marks = [self.entries.mark(id) if id in self.entries.latest else "" for id in ids]
        answers = self.answers if notebook == syllabus.DRAWING.notebook else ()
        return [*marks, *("ok" if each.status == ANSWERED else "" for each in answers)]

    def _list_warnings(self) -> Iterator[tuple[str, str]]:
        records = self.entries.latest.items()
        unnamed = [check for check, record in records if not record["learner"]]
        names = [check for check in syllabus.EVIDENCE_IDS if check in unnamed]
        labels = list_briefly([messages.label("course.checks.check", name) for name in names])
        wanted = Exercise().region
        if not self.entries.learner:
            yield messages.advice("notebook.overview.unnamed")
        elif labels:
            yield messages.advice("notebook.overview.unnamed-records", checks=labels)
        if self.region != wanted:
            values = {"region": self.region, "wanted": wanted}
            yield messages.advice("notebook.overview.other-region", **values)
