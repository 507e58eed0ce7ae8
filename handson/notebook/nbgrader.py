"""The workshop's stand-in while nbgrader executes a notebook: it only scores evidence.

An evidence cell gets points for the evidence that was handed in beside the notebooks, by the rules
of `handson grade`.  Every other verb does nothing: it calls neither AWS nor a container engine, and
makes no home folder.

nbgrader reads a number in a cell's plain-text output as its points, and gives no points to a cell
that writes to standard error.  So a score is a number as text, and a card as HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from handson import grading
from handson.aws import settings
from handson.core import messages
from handson.core.cards import Card, CardPart, Displayable, Note, warning_notes
from handson.core.folders import find_current_folder
from handson.course import checks, syllabus
from handson.course.checks import CheckResult
from handson.course.course import Course
from handson.course.evidence import HAND_IN
from handson.grading import CheckMark, Finding, Requirements, findings
from handson.notebook.evidence_cards import describe_origin


class SkippedCall(Displayable):
    """The result of a verb that was skipped; any attribute or call gives another one."""

    def card(self) -> Card:
        """Return the card: nothing was called."""
        note = Note(messages.text("notebook.scoring.undone-note"))
        return Card(messages.text("notebook.scoring.undone"), (note,))

    def __getattr__(self, name: str) -> SkippedCall:
        if name.startswith("_"):  # IPython and pickle look for special methods
            raise AttributeError(name)
        return SkippedCall()

    def __call__(self, *_arguments: object, **_keywords: object) -> SkippedCall:
        return SkippedCall()


class ScoringWorkshop(SkippedCall):
    """Scores the evidence that was handed in, and skips every other verb.

    Args:
        folders: The folders with evidence: the notebook's own and, for a learner who validates
            it, their home folder.
        course: What may vary from learner to learner.
    """

    def __init__(self, folders: Sequence[Path], course: Course = Course()) -> None:
        self._folders = folders
        self._asked = Requirements(course=course)

    def card(self) -> Card:
        """Return the card: what nbgrader does here."""
        notes = (Note(messages.text("notebook.scoring.begun", file=HAND_IN)),)
        return Card(messages.text("notebook.scoring.title"), notes)

    def evidence(self, check: str) -> CheckScore | SkippedCall:
        """Return the points of one check for the evidence that was handed in.

        The drawing task is skipped: a person marks it.

        Raises:
            InvalidInput: There is no such check.
        """
        checks.require_check(check)
        if check == syllabus.DRAWING.id:
            return SkippedCall()
        mark, findings = grading.judge_folders(check, self._folders, self._asked)
        return CheckScore(mark, tuple(findings))


class CheckScore(Displayable, Struct, frozen=True):
    """The points of one check, with the facts and findings that decided them."""

    mark: CheckMark
    findings: tuple[Finding, ...]

    def card(self) -> Card:
        """Return the card: points, why points are withheld, facts, and whose evidence it is."""
        mark, label, proof = self.mark, findings.check_label(self.mark.id), self.mark.proof
        parts: list[CardPart] = []
        for finding in self.findings:
            parts += warning_notes(finding.message, finding.remedy)
        if mark.status == "missing":
            advice = messages.advice("notebook.scoring.missing", check=label, file=HAND_IN)
            parts += warning_notes(*advice)
        if proof is not None and mark.facts:
            parts += CheckResult(mark.id, mark.facts, mark.diagnoses).card().parts
            parts.append(describe_origin(proof.learner, proof.observed_at, proof.digest))
        values = {"points": mark.points, "possible": mark.possible}
        title = messages.text("notebook.scoring.points", check=label, **values)
        return Card(title, parts, state="ok" if mark.status == "passed" else "bad")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": str(self.mark.points), "text/html": self.card().html()}


def start_scoring() -> ScoringWorkshop:
    """Return the stand-in for the notebook that nbgrader executes."""
    folders = [find_current_folder()]
    if settings.nbgrader_step() == "validate":
        folders.append(settings.find_home())
    return ScoringWorkshop(folders, Course(exercise=settings.find_variation()))
