"""What people mark: the answers and the diagram of a submission.

The cells of the four answers and the diagram are found by nbgrader's `grade_id`; where an editor
dropped it, by the cell's id or by the heading of the question.  The lines that the learner was
given are left out of an answer, in either language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256

from handson.core.text import find_invisible, replace_surrogates, show_invisible
from handson.course import syllabus
from handson.course.course import Course
from handson.grading.findings import Finding, Result, Written, make_finding
from handson.grading.notebooks import MARKED, STUBS, Cell, Notebook, load_handout

LONGEST = 20_000
"""The longest answer that is read, in letters."""
LARGEST = 200_000
"""The longest picture that is read, in letters; the workshop's own have about 60,000."""
DIAGRAM_CELL = "architecture-diagram"

_SHOWN = 6
"""Invisible letters that a finding names."""
_IDS = frozenset(item.grade_id for item in MARKED)
_SOLUTION = re.compile("(?:BEGIN|END) SOLUTION")
_DIAGRAM = "from handson.drawing import Diagram"


def collect_answers(
    notebooks: Sequence[Notebook], course: Course = Course(), *, pictures: bool = False
) -> tuple[tuple[Written, ...], list[Finding]]:
    """Return the answers in the syllabus's order with the diagram last, and findings about them.

    With `pictures`, the diagram has the picture that it drew, unless that is too large.
    """
    cells = [cell for notebook in notebooks for cell in notebook.cells]
    # The first of several is the course's own; those after it are copies.
    named = {cell.grade_id: cell for cell in reversed(cells) if cell.grade_id in _IDS}
    tried = reversed(cells) if len(named) < len(_IDS) else ()
    found = {_guess_grade_id(cell): cell for cell in tried} | named
    guessed = [name for name in found if name and name not in named]
    written = [_read_written(item, found.get(item.grade_id), pictures) for item in course.marked]
    lost = [make_finding("grade-id-lost", "note", cells=guessed[::-1])] if guessed else []
    return tuple(written), [*lost, *_find_hidden(written)]


def fingerprint_texts(result: Result) -> str:
    """Return a short hash of the texts that people mark.

    It begins with a letter that no number has: a spreadsheet would write 123456789012 as 1.23E+11.
    """
    texts = "\0".join(written.text for written in result.written)
    return f"t{sha256(texts.encode('utf-8')).hexdigest()[:12]}"


def _find_hidden(written: Sequence[Written]) -> Iterator[Finding]:
    """Yield a finding for each text that has letters which nobody sees."""
    for each in written:
        if hidden := find_invisible(each.text):
            about = {"question": each.id, "letters": show_invisible(hidden[:_SHOWN])}
            yield make_finding("invisible-letters", "note", count=len(hidden), **about)


def _guess_grade_id(cell: Cell) -> str:
    """Return the item that a cell without an nbgrader id answers, by its id or its text, or ""."""
    if cell.cell_type == "code":
        is_diagram = cell.name == DIAGRAM_CELL or _DIAGRAM in cell.text
        return syllabus.DIAGRAM.grade_id if is_diagram else ""
    if cell.name in _IDS:
        return cell.name
    given = (pair for edition in load_handout().editions for pair in edition.answers.items())
    headings = {_read_heading(source): grade_id for grade_id, source in given}
    heading = _read_heading(cell.text)
    return headings.get(heading, "") if heading.startswith("#") else ""


def _read_heading(source: str) -> str:
    return source.lstrip().partition("\n")[0].strip()


def _read_written(item: syllabus.Answer, cell: Cell | None, pictures: bool) -> Written:
    if cell is None:
        return Written(id=item.grade_id, status="missing", possible=item.points)
    is_diagram = item.grade_id == syllabus.DIAGRAM.grade_id
    own = _leave_out_given_lines(cell.text)
    drawn = next((output for output in cell.outputs if output.has_picture), None)
    picture = drawn.picture if drawn and pictures else ""
    return Written(
        id=item.grade_id,
        status="answered" if own else "untouched",
        possible=item.points,
        text=replace_surrogates((cell.text if is_diagram else own)[:LONGEST]),
        drawn=drawn is not None,
        picture=replace_surrogates(picture) if len(picture) <= LARGEST else "",
    )


def _leave_out_given_lines(text: str) -> str:
    """Return a text without the lines that learners find in their cells, in any language."""
    given = _load_given_lines()
    lines = (line.strip() and line for line in text.splitlines() if not _SOLUTION.search(line))
    return "\n".join(line for line in lines if not line or line.strip() not in given).strip()


@cache
def _load_given_lines() -> frozenset[str]:
    sources = (source for edition in load_handout().editions for source in edition.answers.values())
    return frozenset(line.strip() for source in (*sources, STUBS) for line in source.splitlines())
