"""What notebooks hold while nbgrader executes them, in the workshop's place.

An evidence cell is worth its points by the evidence that was handed in beside the notebooks: judged
as `handson grade` judges it, by the checks that sealed it.  Everything else that a notebook asks
for is left undone: neither AWS nor a container engine is touched, and no home folder is made.

nbgrader takes a number that a cell shows as its points, and takes them all away where a cell writes
to standard error; so a score is a number as plain text, and a card for people as HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handson import grading
from handson.aws import settings
from handson.core import messages
from handson.core.cards import Card, Note, Part, Rows, Shown, warning
from handson.core.errors import InvalidInput
from handson.course import checks, syllabus
from handson.course.evidence import HAND_IN
from handson.course.records import learner_label
from handson.grading import CheckMark, Finding, model


class Undone(Shown):
    """What a verb gives that was not carried out; it takes whatever a notebook does with it."""

    def card(self) -> Card:
        """Return the card: nothing was touched."""
        note = Note(messages.text("notebook.scoring.undone-note"))
        return Card(messages.text("notebook.scoring.undone"), (note,))

    def __getattr__(self, name: str) -> Undone:
        if name.startswith("_"):  # what IPython asks a result for, and pickling
            raise AttributeError(name)
        return Undone()

    def __call__(self, *_arguments: object, **_keywords: object) -> Undone:
        return Undone()


class Scoring(Undone):
    """Scores the evidence that was handed in; every other verb is left undone.

    Args:
        folders: Where evidence is read; the notebook's own, and for a learner who validates it
            also their home folder.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def card(self) -> Card:
        """Return the card: what this is."""
        notes = (Note(messages.text("notebook.scoring.begun", file=HAND_IN)),)
        return Card(messages.text("notebook.scoring.title"), notes)

    def evidence(self, check: str) -> Score:
        """Return what one check is worth by the evidence that was handed in.

        Raises:
            InvalidInput: There is no such check.
        """
        if check not in syllabus.CHECK_IDS:
            choices = ", ".join(syllabus.CHECK_IDS)
            raise InvalidInput(
                *messages.advice("notebook.scoring.no-check", check=check, choices=choices)
            )
        mark, findings = grading.judge_folders(check, self._folders)
        return Score(mark, tuple(findings))


@dataclass(frozen=True, repr=False)
class Score(Shown):
    """The points of one check, and the facts that they were given or withheld for."""

    mark: CheckMark
    findings: tuple[Finding, ...]

    def card(self) -> Card:
        """Return the card: points, facts, whose evidence it is, and why points are withheld."""
        mark, label = self.mark, model.check_label(self.mark.id)
        values = {"check": label, "points": mark.points, "possible": mark.possible}
        parts: list[Part] = []
        for finding in self.findings:
            parts += warning(finding.message, finding.remedy)
        if mark.status == model.MISSING:
            advice = messages.advice("notebook.scoring.missing", check=label, file=HAND_IN)
            parts += warning(*advice)
        title = messages.text("notebook.scoring.points", **values)
        state = "ok" if mark.status == model.PASSED else "bad"
        return Card(title, (*parts, *self._facts()), state=state)

    def _facts(self) -> Sequence[Part]:
        proof = self.mark.proof
        if proof is None or proof.observed is None:
            return ()
        rows = [
            (messages.text("notebook.workshop.row-learner"), learner_label(proof.learner)),
            (messages.text("notebook.workshop.row-observed-at"), proof.observed_at),
            (messages.text("notebook.workshop.row-digest"), proof.digest),
        ]
        return (*checks.derive(self.mark.id, proof.observed).card().parts, Rows(rows))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": str(self.mark.points), "text/html": self.card().html()}


def begin() -> Scoring:
    """Return what scores the notebook that nbgrader executes."""
    folders = [Path.cwd()]
    if settings.nbgrader_step() == "validate":
        folders.append(settings.home_of_environment())
    return Scoring(folders)
