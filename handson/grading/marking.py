"""The marks that people give: files that the report saves, merged and put into the results.

A file of marks is a CSV with a row a learner.  All columns but `learner` may be missing, and an
empty cell says nothing:

    learner            the learner, as in the results
    answers            a fingerprint of the texts that were marked; an earlier submission differs
    why-network …      the points of a question or, in `architecture`, of the diagram
    why-network-comment …  what the marker tells the learner about it
    network …          the points of a check, where a person overrules it
    network-reason …   why; it is needed beside those points
    comment            what the marker tells the learner about the whole
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import list_briefly, one_line
from handson.course import syllabus
from handson.course.course import Course
from handson.grading.answers import fingerprint_texts
from handson.grading.findings import CheckMark, Item, Result, make_finding
from handson.grading.notebooks import MARKED
from handson.grading.tables import escape_formula, read_table, unescape_formula

LEARNER, ANSWERS, COMMENT = "learner", "answers", "comment"
TEXTS = {item.grade_id: f"{item.grade_id}-comment" for item in MARKED}
TEXTS |= {check: f"{check}-reason" for check in syllabus.CHECK_IDS}
"""By the column of an item's points, that of what is said about them."""
COLUMNS = (*chain(*TEXTS.items()), COMMENT)
"""What people give, in the order in which the report saves it."""

Given = Mapping[str, Mapping[Any, Path]]
"""What is given a learner: by column the different values, and a file that has each."""
T = TypeVar("T", bound=Item)


@dataclass(frozen=True)
class Marks:
    """The marks of a class by learner, whose name is written as in a CSV, and what to tell."""

    learners: Mapping[str, Given] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def read_marks(paths: Sequence[Path], course: Course = Course()) -> Marks:
    """Return the marks of CSV files together.

    Raises:
        InvalidInput: A file cannot be read, lacks a column, has points outside the range, or has
            points without a reason.
    """
    learners: dict[str, dict[str, dict[Any, Path]]] = {}
    notices: list[str] = []
    for path in paths:
        head, *rows = read_table(path).rows or [[]]
        heads = [cell.strip() for cell in head]
        if LEARNER not in heads or {*COLUMNS}.isdisjoint(heads):
            raise InvalidInput.from_key("grading.marks-columns", path=path)
        if unknown := [cell for cell in heads if cell and cell not in (LEARNER, ANSWERS, *COLUMNS)]:
            columns = list_briefly(unknown)
            notices.append(messages.text("grading.marks-ignored", path=path, columns=columns))
        read: set[str] = set()
        for row in rows:
            texts = (unescape_formula(cell.strip()) for cell in row)
            cells = {head: text for head, text in zip(heads, texts, strict=False) if text}
            learner = escape_formula(cells.pop(LEARNER, ""))
            about: dict[str, Any] = {"path": path, "learner": one_line(learner)}
            if learner in read:
                raise InvalidInput.from_key("grading.marks-twice", **about)
            if learner:
                read.add(learner)
                own = learners.setdefault(learner, {})
                for column, value in _read_cells(cells, course.possible, about):
                    own.setdefault(column, {}).setdefault(value, path)
    return Marks(learners, tuple(notices))


def apply_marks(results: Sequence[Result], marks: Marks) -> tuple[tuple[Result, ...], list[str]]:
    """Return the results with their marks, and those who have marks and are not in the class.

    Comments and reasons are joined.  An item with different points in several files has none, and a
    finding; so have marks that were given to other texts.
    """
    names = {escape_formula(result.learner.id) for result in results}
    # A spreadsheet drops the zeros from the front of a number.
    zeros = {name.lstrip("0"): name for name in names - marks.learners.keys()}
    read = marks.learners.items()
    whose = {who if who in names else zeros.get(who, who): own for who, own in read}
    given = (whose.get(escape_formula(result.learner.id), {}) for result in results)
    return tuple(map(_apply, results, given)), sorted(whose.keys() - names)


def _read_cells(
    cells: Mapping[str, str], possible: Mapping[str, float], about: Mapping[str, Any]
) -> Iterator[tuple[str, str | float]]:
    """Yield the columns of a row and their values; the fingerprint only beside something else."""
    for column, cell in cells.items():
        if column in possible:
            number, most = _read_number(cell), possible[column]
            if not 0 <= number <= most:
                told: dict[str, Any] = {**about, "item": column, "value": one_line(cell)}
                raise InvalidInput.from_key("grading.marks-wrong", **told, possible=most)
            yield column, number
        elif column in COLUMNS or (column == ANSWERS and not cells.keys().isdisjoint(COLUMNS)):
            yield column, cell
    for check in syllabus.CHECK_IDS:
        if (check in cells) != (TEXTS[check] in cells):
            raise InvalidInput.from_key("grading.marks-reason", **about, check=check)


def _read_number(value: str) -> float:
    """Return a number as people of any country write it, or -1."""
    try:
        return float(value.replace(",", "."))
    except ValueError:
        return -1


def _apply(result: Result, given: Given) -> Result:
    def apply_to(item: T) -> T:
        points, comment = [*given.get(item.id, ())], "\n".join(given.get(TEXTS[item.id], ()))
        if len(points) != 1 and isinstance(item, CheckMark):
            return item
        return replace(item, mark=points[0] if len(points) == 1 else None, comment=comment)

    findings = list(result.findings)
    if any(each != fingerprint_texts(result) for each in given.get(ANSWERS, ())):
        findings.insert(0, make_finding("marks-stale"))
    for item in TEXTS:
        values = given.get(item, {})
        if len(values) > 1:
            listed = ", ".join(f"{one_line(str(path))}: {mark:g}" for mark, path in values.items())
            findings.insert(0, make_finding("marks-conflict", item=item, marks=listed))
    return replace(
        result,
        checks=tuple(map(apply_to, result.checks)),
        written=tuple(map(apply_to, result.written)),
        comment="\n".join(given.get(COMMENT, ())),
        findings=tuple(findings),
    )
