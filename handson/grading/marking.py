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
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import list_briefly, one_line
from handson.course import syllabus
from handson.course.course import Course
from handson.grading.answers import fingerprint_texts
from handson.grading.findings import CheckMark, Result, Ruling, Written, make_finding
from handson.grading.notebooks import MARKED
from handson.grading.tables import escape_formula, read_table, unescape_formula

LEARNER, ANSWERS, COMMENT = "learner", "answers", "comment"

_ITEMS = (*(item.grade_id for item in MARKED), *syllabus.CHECK_IDS)
_TEXTS = (
    *(f"{item.grade_id}-comment" for item in MARKED),
    *(f"{check.id}-reason" for check in syllabus.CHECKS),
    COMMENT,
)


Given = Mapping[str, Mapping[Any, Path]]
"""What is given a learner: by column the different values, and a file that has each."""


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
    possible = {item.grade_id: item.points for item in course.marked}
    possible |= {check.id: check.points for check in course.checks}
    known = {*_ITEMS, *_TEXTS}
    learners: dict[str, dict[str, dict[Any, Path]]] = {}
    notices: list[str] = []
    for path in paths:
        head, *rows = read_table(path).rows or [[]]
        heads = [cell.strip() for cell in head]
        if LEARNER not in heads or known.isdisjoint(heads):
            raise InvalidInput.from_key("grading.marks-columns", path=path)
        unknown = [cell for cell in heads if cell and cell not in {*known, LEARNER, ANSWERS}]
        if unknown:
            listed = list_briefly(unknown)
            notices.append(messages.text("grading.marks-ignored", path=path, columns=listed))
        read: set[str] = set()
        for row in rows:
            texts = (unescape_formula(cell.strip()) for cell in row)
            cells = {head: text for head, text in zip(heads, texts, strict=False) if text}
            learner = escape_formula(cells.get(LEARNER, ""))
            about: dict[str, Any] = {"path": path, "learner": one_line(learner)}
            if learner in read:
                raise InvalidInput.from_key("grading.marks-twice", **about)
            if learner:
                read.add(learner)
                own = learners.setdefault(learner, {})
                for column, value in _read_row(cells, possible, about):
                    own.setdefault(column, {}).setdefault(value, path)
    return Marks(learners, tuple(notices))


def apply_marks(results: Sequence[Result], marks: Marks) -> tuple[tuple[Result, ...], list[str]]:
    """Return the results with their marks, and those who have marks and are not in the class.

    Comments and reasons are joined.  An item with different points in several files has none, and a
    finding; so have marks that were given to other texts.
    """
    names = {escape_formula(result.learner) for result in results}
    # A spreadsheet drops the zeros from the front of a number.
    zeros = {name.lstrip("0"): name for name in names - marks.learners.keys()}
    read = marks.learners.items()
    whose = {who if who in names else zeros.get(who, who): given for who, given in read}
    marked = (_apply(result, whose.get(escape_formula(result.learner), {})) for result in results)
    return tuple(marked), sorted(whose.keys() - names)


def _read_row(
    cells: Mapping[str, str], possible: Mapping[str, float], about: Mapping[str, Any]
) -> Iterator[tuple[str, str | float]]:
    """Yield the columns of a row and their values; the fingerprint only beside something else."""
    for item, most in possible.items():
        if item in cells:
            number = _read_number(cells[item])
            if not 0 <= number <= most:
                told: dict[str, Any] = {**about, "item": item, "value": one_line(cells[item])}
                raise InvalidInput.from_key("grading.marks-wrong", **told, possible=most)
            yield item, number
        if item in syllabus.CHECK_IDS and (item in cells) != (f"{item}-reason" in cells):
            raise InvalidInput.from_key("grading.marks-reason", **about, check=item)
    yield from ((column, cells[column]) for column in _TEXTS if column in cells)
    if ANSWERS in cells and not cells.keys().isdisjoint({*_ITEMS, *_TEXTS}):
        yield ANSWERS, cells[ANSWERS]


def _read_number(value: str) -> float:
    """Return a number as people of any country write it, or -1."""
    try:
        return float(value.replace(",", "."))
    except ValueError:
        return -1


def _apply(result: Result, given: Given) -> Result:
    def find_points(item: str) -> float | None:
        first, *others = given.get(item, (None,))
        return None if others else first

    def join(column: str) -> str:
        return "\n".join(given.get(column, ()))

    def apply_to_written(written: Written) -> Written:
        item = written.grade_id
        return replace(written, mark=find_points(item), comment=join(f"{item}-comment"))

    def apply_to_check(check: CheckMark) -> CheckMark:
        points, reason = find_points(check.id), join(f"{check.id}-reason")
        return (
            check if points is None else replace(check, ruling=Ruling(points=points, reason=reason))
        )

    findings = list(result.findings)
    if any(each != fingerprint_texts(result) for each in given.get(ANSWERS, ())):
        findings.insert(0, make_finding("marks-stale"))
    for item in _ITEMS:
        values = given.get(item, {})
        if len(values) > 1:
            listed = ", ".join(f"{one_line(str(path))}: {mark:g}" for mark, path in values.items())
            findings.insert(0, make_finding("marks-conflict", item=item, marks=listed))
    return replace(
        result,
        checks=tuple(map(apply_to_check, result.checks)),
        answers=tuple(map(apply_to_written, result.answers)),
        diagram=apply_to_written(result.diagram),
        comment=join(COMMENT),
        findings=tuple(findings),
    )
