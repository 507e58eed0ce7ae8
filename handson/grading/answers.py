"""The four answers and the diagram, as a person has to mark them.

A cell is found by its nbgrader `grade_id`; where an editor dropped that, by its id, which is the
same for the answers, or by the question it begins with.  The question's own lines are left out of
the answer, in either language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from handson.course import syllabus
from handson.grading import handout
from handson.grading.model import ANSWERED, MISSING, NOTE, UNTOUCHED, Finding, Written, clean
from handson.grading.reading import Cell, Notebook

LONGEST = 20_000
LARGEST = 200_000
"""Letters of a picture; the pictures of the workshop have 60,000."""
DIAGRAM_CELL = "architecture-diagram"

_MARK = re.compile("(?:BEGIN|END) SOLUTION")
_DIAGRAM = "from handson.drawing import Diagram"


def collect(
    notebooks: Sequence[Notebook], *, pictures: bool = False
) -> tuple[tuple[Written, ...], Written, list[Finding]]:
    """Return the answers in the syllabus's order, the diagram, and what to say about them.

    With `pictures`, the diagram has the picture that it drew, unless that is too large.
    """
    found, findings = _found(notebooks)
    answers = tuple(_answer(question, found.get(question.grade_id)) for question in _QUESTIONS)
    diagram = _diagram(found.get(syllabus.DIAGRAM.grade_id), pictures=pictures)
    return answers, diagram, findings


_QUESTIONS = syllabus.QUESTIONS
_IDS = frozenset(answer.grade_id for answer in (*syllabus.QUESTIONS, syllabus.DIAGRAM))


def _found(notebooks: Sequence[Notebook]) -> tuple[dict[str, Cell], list[Finding]]:
    found: dict[str, Cell] = {}
    # The first of several is the course's own; what follows it is a copy.
    for cell in _cells(notebooks):
        if cell.grade_id in _IDS:
            found.setdefault(cell.grade_id, cell)
    if len(found) == len(_IDS):
        return found, []
    guessed = [
        grade_id
        for cell in _cells(notebooks)
        if (grade_id := _guessed(cell)) and found.setdefault(grade_id, cell) is cell
    ]
    guessed = [grade_id for grade_id in guessed if found[grade_id].grade_id != grade_id]
    values = {"cells": ", ".join(guessed)}
    return found, [Finding(code="grade-id-lost", severity=NOTE, values=values)] if guessed else []


def _cells(notebooks: Sequence[Notebook]) -> Iterator[Cell]:
    return (cell for notebook in notebooks for cell in notebook.cells)


def _guessed(cell: Cell) -> str:
    if cell.cell_type == "code":
        is_diagram = cell.name == DIAGRAM_CELL or _DIAGRAM in cell.text
        return syllabus.DIAGRAM.grade_id if is_diagram else ""
    if cell.name in _IDS:
        return cell.name
    return handout.headings().get(cell.text.lstrip().partition("\n")[0].strip(), "")


def _answer(question: syllabus.Answer, cell: Cell | None) -> Written:
    if cell is None:
        return Written(grade_id=question.grade_id, status=MISSING, possible=question.points)
    text = "\n".join(_own_lines(cell.text)).strip()[:LONGEST]
    return Written(
        grade_id=question.grade_id,
        status=ANSWERED if text else UNTOUCHED,
        possible=question.points,
        text=clean(text),
    )


def _own_lines(source: str) -> Iterator[str]:
    given = handout.given_lines()
    for line in source.splitlines():
        if line.strip() not in given:
            yield line
        elif not line.strip():
            yield ""


def _drawn(source: str) -> str:
    """Return the code of a diagram without nbgrader's own lines."""
    stubs = handout.STUBS.splitlines()
    lines = source.strip().splitlines()
    own = (line for line in lines if line.strip() not in stubs and not _MARK.search(line))
    return "\n".join(own).strip()


def _diagram(cell: Cell | None, *, pictures: bool) -> Written:
    goal = syllabus.DIAGRAM
    if cell is None:
        return Written(grade_id=goal.grade_id, status=MISSING, possible=goal.points)
    given = {_drawn(edition.answers[goal.grade_id]) for edition in handout.editions()}
    drawn = next((output for output in cell.outputs if output.has_picture), None)
    picture = drawn.picture if drawn and pictures else ""
    return Written(
        grade_id=goal.grade_id,
        status=UNTOUCHED if _drawn(cell.text) in {*given, ""} else ANSWERED,
        possible=goal.points,
        text=clean(cell.text[:LONGEST]),
        drawn=drawn is not None,
        picture=clean(picture) if len(picture) <= LARGEST else "",
    )
