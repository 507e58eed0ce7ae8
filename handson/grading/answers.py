"""What the cells of a submission hold: the answers, the diagram, and what became of the cells.

A person marks the four answers and the diagram.  Their cells are found by nbgrader's `grade_id`;
where an editor dropped it, by the cell's id or by the heading of the question.  The lines that the
learner was given are left out of an answer, in either language.

Missing, repeated and moved cells need a person's eye only where a cell seals evidence or holds an
answer.  Learners may add cells, and optional notebooks may look as they like.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from handson.core.text import list_briefly
from handson.course import syllabus
from handson.grading.findings import (
    ANSWERED,
    MISSING,
    NOTE,
    UNTOUCHED,
    WARNING,
    Finding,
    Written,
    make_finding,
    replace_surrogates,
)
from handson.grading.notebooks import STUBS, Cell, Notebook, load_cells, load_editions

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
    *answers, diagram = (_read_written(item, found.get(item.grade_id), pictures) for item in MARKED)
    lost = [make_finding("grade-id-lost", NOTE, cells=", ".join(guessed))] if guessed else []
    return tuple(answers), diagram, lost


def compare_cells(notebooks: Sequence[Notebook]) -> Iterator[Finding]:
    """Yield what differs from the notebooks that were handed out."""
    missing = {*syllabus.NOTEBOOKS} - {notebook.name for notebook in notebooks}
    for severity, named in ((WARNING, missing & _SCORED), (NOTE, missing - _SCORED)):
        if named:
            yield make_finding("notebook-missing", severity, notebooks=", ".join(sorted(named)))
    for notebook in notebooks:
        if notebook.name not in syllabus.OPTIONAL_NOTEBOOKS:
            yield from _compare_notebook(notebook)


def find_moved_cells(own: Sequence[str], given: Sequence[str]) -> list[str]:
    """Return the cells that are not in the given order, as few as explain it."""
    blocks = SequenceMatcher(None, given, own, autojunk=False).get_matching_blocks()
    staying = {at for block in blocks for at in range(block.b, block.b + block.size)}
    return [name for at, name in enumerate(own) if at not in staying]


def _compare_notebook(notebook: Notebook) -> Iterator[Finding]:
    course, where = load_cells(), notebook.where
    given = course.notebooks[notebook.name]
    counted = Counter(cell.name for cell in notebook.cells if cell.name in set(given))
    if not counted:
        yield make_finding("cells-unknown", NOTE, where=where)
        return
    important = {*_IDS, *course.evidence}
    for code, names, needs_review in (
        ("cells-missing", [name for name in given if name not in counted], important),
        ("cells-twice", [name for name, count in counted.items() if count > 1], important),
        ("cells-moved", find_moved_cells([*counted], given), {*important, *course.code}),
    ):
        if names:
            severity = WARNING if needs_review.intersection(names) else NOTE
            cells = list_briefly(names)
            yield make_finding(code, severity, where=where, cells=cells, count=len(names))
    if notebook.lost:
        yield make_finding("cells-broken", where=where, count=notebook.lost)


def _guess_grade_id(cell: Cell) -> str:
    """Return the item that a cell without an nbgrader id answers, by its id or its text, or ""."""
    if cell.cell_type == "code":
        is_diagram = cell.name == DIAGRAM_CELL or _DIAGRAM in cell.text
        return syllabus.DIAGRAM.grade_id if is_diagram else ""
    if cell.name in _IDS:
        return cell.name
    heading = _read_heading(cell.text)
    for edition in load_editions():
        for grade_id, source in edition.answers.items():
            if heading.startswith("#") and heading == _read_heading(source):
                return grade_id
    return ""


def _read_heading(source: str) -> str:
    return source.lstrip().partition("\n")[0].strip()


def _read_written(item: syllabus.Answer, cell: Cell | None, pictures: bool) -> Written:
    if cell is None:
        return Written(grade_id=item.grade_id, status=MISSING, possible=item.points)
    is_diagram = item == syllabus.DIAGRAM
    text = cell.text if is_diagram else _leave_out_given_lines(cell.text)
    given = {_leave_out_stubs(edition.answers[item.grade_id]) for edition in load_editions()}
    is_untouched = _leave_out_stubs(text) in {*given, ""}
    drawn = next((output for output in cell.outputs if output.has_picture), None)
    picture = drawn.picture if drawn and pictures else ""
    return Written(
        grade_id=item.grade_id,
        status=UNTOUCHED if is_untouched else ANSWERED,
        possible=item.points,
        text=replace_surrogates(text[:LONGEST]),
        drawn=drawn is not None,
        picture=replace_surrogates(picture) if len(picture) <= LARGEST else "",
    )


def _leave_out_given_lines(text: str) -> str:
    """Return an answer without the lines that learners find in their cells, in any language."""
    sources = (source for edition in load_editions() for source in edition.answers.values())
    given = {line.strip() for source in (*sources, STUBS) for line in source.splitlines()}
    lines = (line.strip() and line for line in text.splitlines())
    return "\n".join(line for line in lines if not line or line.strip() not in given).strip()


def _leave_out_stubs(code: str) -> str:
    """Return the code of a diagram without the lines that nbgrader adds."""
    stubs = STUBS.splitlines()
    own = (line for line in code.strip().splitlines() if line.strip() not in stubs)
    return "\n".join(line for line in own if not _SOLUTION.search(line)).strip()
