"""What the cells of a submission hold: the answers, the diagram, and what became of the cells.

A person marks the four answers and the diagram.  Their cells are found by nbgrader's `grade_id`;
where an editor dropped it, by the cell's id or by the heading of the question.  The lines that the
learner was given are left out of an answer, in either language.

Missing, repeated and moved cells need a person's eye only where a cell seals evidence or holds an
answer.  Learners may add cells, and optional notebooks may look as they like.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

from handson.core.text import list_briefly
from handson.course import syllabus
from handson.grading import handout
from handson.grading.model import (
    ANSWERED,
    MISSING,
    NOTE,
    UNTOUCHED,
    WARNING,
    Finding,
    Written,
    replace_surrogates,
)
from handson.grading.reading import Cell, Notebook

LONGEST = 20_000
"""Letters of an answer."""
LARGEST = 200_000
"""Letters of a picture; the pictures of the workshop have 60,000."""
DIAGRAM_CELL = "architecture-diagram"
MARKED = (*syllabus.QUESTIONS, syllabus.DIAGRAM)
"""What people mark."""

_IDS = frozenset(item.grade_id for item in MARKED)
_SCORED = {check.notebook for check in syllabus.CHECKS} | {item.notebook for item in MARKED}
_SOLUTION = re.compile("(?:BEGIN|END) SOLUTION")
_DIAGRAM = "from handson.drawing import Diagram"


def collect_answers(
    notebooks: Sequence[Notebook], *, pictures: bool = False
) -> tuple[tuple[Written, ...], Written, list[Finding]]:
    """Return the answers in the syllabus's order, the diagram, and the findings about them.

    With `pictures`, the diagram has the picture that it drew, unless that is too large.
    """
    found, findings = _find_marked_cells(notebooks)
    answers = tuple(_read_answer(each, found.get(each.grade_id)) for each in syllabus.QUESTIONS)
    diagram = _read_diagram(found.get(syllabus.DIAGRAM.grade_id), pictures=pictures)
    return answers, diagram, findings


def compare_cells(notebooks: Sequence[Notebook]) -> Iterator[Finding]:
    """Yield what differs from the notebooks that were handed out."""
    names = {notebook.name for notebook in notebooks}
    missing = [name for name in syllabus.NOTEBOOKS if name not in names]
    for severity, named in (
        (WARNING, [name for name in missing if name in _SCORED]),
        (NOTE, [name for name in missing if name not in _SCORED]),
    ):
        if named:
            values = {"notebooks": ", ".join(named)}
            yield Finding(code="notebook-missing", severity=severity, values=values)
    for notebook in notebooks:
        if notebook.name not in syllabus.OPTIONAL_NOTEBOOKS:
            yield from _compare_cells(notebook)


def find_moved_cells(own: Sequence[str], given: Sequence[str]) -> list[str]:
    """Return the fewest cells whose move puts the others into the given order."""
    place = {name: number for number, name in enumerate(given)}
    places = [place[name] for name in own]
    # The longest increasing subsequence stays: `ends` has, by length, where the best one ends.
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, wanted in enumerate(places):
        length = bisect_left(ends, wanted)
        ends[length : length + 1] = [wanted]
        last[length : length + 1] = [index]
        before.append(last[length - 1] if length else -1)
    staying: set[int] = set()
    index = last[-1] if last else -1
    while index >= 0:
        staying.add(index)
        index = before[index]
    return [name for number, name in enumerate(own) if number not in staying]


def _find_marked_cells(notebooks: Sequence[Notebook]) -> tuple[dict[str, Cell], list[Finding]]:
    cells = [cell for notebook in notebooks for cell in notebook.cells]
    found: dict[str, Cell] = {}
    # The first of several is the course's own; those after it are copies.
    for cell in cells:
        if cell.grade_id in _IDS:
            found.setdefault(cell.grade_id, cell)
    guessed: list[str] = []
    for cell in cells if len(found) < len(_IDS) else ():
        grade_id = _guess_grade_id(cell)
        if grade_id and grade_id not in found:
            found[grade_id] = cell
            guessed.append(grade_id)
    values = {"cells": ", ".join(guessed)}
    return found, [Finding(code="grade-id-lost", severity=NOTE, values=values)] if guessed else []


def _guess_grade_id(cell: Cell) -> str:
    if cell.cell_type == "code":
        is_diagram = cell.name == DIAGRAM_CELL or _DIAGRAM in cell.text
        return syllabus.DIAGRAM.grade_id if is_diagram else ""
    if cell.name in _IDS:
        return cell.name
    return handout.headings().get(cell.text.lstrip().partition("\n")[0].strip(), "")


def _read_answer(question: syllabus.Answer, cell: Cell | None) -> Written:
    if cell is None:
        return Written(grade_id=question.grade_id, status=MISSING, possible=question.points)
    given = handout.given_lines()
    lines = (line.strip() and line for line in cell.text.splitlines())
    own = (line for line in lines if not line or line.strip() not in given)
    text = "\n".join(own).strip()[:LONGEST]
    return Written(
        grade_id=question.grade_id,
        status=ANSWERED if text else UNTOUCHED,
        possible=question.points,
        text=replace_surrogates(text),
    )


def _read_diagram(cell: Cell | None, *, pictures: bool) -> Written:
    goal = syllabus.DIAGRAM
    if cell is None:
        return Written(grade_id=goal.grade_id, status=MISSING, possible=goal.points)
    given = {_without_stubs(words.answers[goal.grade_id]) for words in handout.editions()}
    drawn = next((output for output in cell.outputs if output.has_picture), None)
    picture = drawn.picture if drawn and pictures else ""
    return Written(
        grade_id=goal.grade_id,
        status=UNTOUCHED if _without_stubs(cell.text) in {*given, ""} else ANSWERED,
        possible=goal.points,
        text=replace_surrogates(cell.text[:LONGEST]),
        drawn=drawn is not None,
        picture=replace_surrogates(picture) if len(picture) <= LARGEST else "",
    )


def _without_stubs(source: str) -> str:
    """Return the code of a diagram without the lines that nbgrader adds."""
    stubs, lines = handout.STUBS.splitlines(), source.strip().splitlines()
    own = (line for line in lines if line.strip() not in stubs and not _SOLUTION.search(line))
    return "\n".join(own).strip()


def _compare_cells(notebook: Notebook) -> Iterator[Finding]:
    given = handout.cells().notebooks[notebook.name]
    counted = Counter(cell.name for cell in notebook.cells if cell.name in set(given))
    if not counted:
        yield Finding(code="cells-unknown", severity=NOTE, where=notebook.where)
        return
    important = {*_IDS, *handout.cells().evidence}
    for code, names, needs_review in (
        ("cells-missing", [name for name in given if name not in counted], important),
        ("cells-twice", [name for name, count in counted.items() if count > 1], important),
        (
            "cells-moved",
            find_moved_cells(list(counted), given),
            {*important, *handout.cells().code},
        ),
    ):
        if names:
            severity = WARNING if needs_review.intersection(names) else NOTE
            values = {"cells": list_briefly(names), "count": str(len(names))}
            yield Finding(code=code, severity=severity, where=notebook.where, values=values)
    if notebook.lost:
        values = {"count": str(notebook.lost)}
        yield Finding(code="cells-broken", severity=WARNING, where=notebook.where, values=values)
