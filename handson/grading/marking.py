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

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import list_briefly, one_line
from handson.course import syllabus
from handson.course.course import Course
from handson.grading.answers import fingerprint_texts
from handson.grading.findings import CheckMark, Finding, Result, Ruling, Written, make_finding
from handson.grading.notebooks import MARKED
from handson.grading.tables import escape_formula, read_table, unescape_formula

LEARNER, ANSWERS, COMMENT = "learner", "answers", "comment"

_ITEMS = (*(item.grade_id for item in MARKED), *syllabus.CHECK_IDS)
_TEXTS = (
    *(f"{item.grade_id}-comment" for item in MARKED),
    *(f"{check.id}-reason" for check in syllabus.CHECKS),
    COMMENT,
)


@dataclass(frozen=True)
class LearnerMarks:
    """The marks of one learner.

    Attributes:
        points: The points by `grade_id` and, of overruled checks, by the check's id.
        texts: The comments and reasons by their columns.
        fingerprints: Those of the texts that were marked.
        conflicts: A finding for each item that has different points in several files.
    """

    points: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    fingerprints: tuple[str, ...] = ()
    conflicts: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Marks:
    """The marks of a class by learner, whose name is written as in a CSV, and what to tell."""

    learners: Mapping[str, LearnerMarks] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def read_marks(paths: Sequence[Path], course: Course = Course()) -> Marks:
    """Return the marks of CSV files, merged.

    Comments and reasons are joined.  An item with different points in several files has none.

    Raises:
        InvalidInput: A file cannot be read, lacks a column, has points outside the range, or has
            points without a reason.
    """
    possible = {item.grade_id: item.points for item in course.marked}
    possible |= {check.id: check.points for check in course.checks}
    given: dict[str, dict[Path, LearnerMarks]] = defaultdict(dict)
    notices: list[str] = []
    for path in paths:
        head, *rows = read_table(path).rows or [[]]
        heads = [cell.strip() for cell in head]
        known = {*_ITEMS, *_TEXTS}
        if LEARNER not in heads or known.isdisjoint(heads):
            raise InvalidInput.from_key("grading.marks-columns", path=path)
        unknown = [cell for cell in heads if cell and cell not in {*known, LEARNER, ANSWERS}]
        if unknown:
            listed = list_briefly(unknown)
            notices.append(messages.text("grading.marks-ignored", path=path, columns=listed))
        for row in rows:
            cells = dict(zip(heads, (unescape_formula(cell.strip()) for cell in row), strict=False))
            learner = escape_formula(cells.get(LEARNER, ""))
            if not learner:
                continue
            if path in given[learner]:
                who = one_line(learner)
                raise InvalidInput.from_key("grading.marks-twice", path=path, learner=who)
            given[learner][path] = _read_row(path, learner, cells, possible)
    merged = {learner: _merge(by_path) for learner, by_path in given.items()}
    return Marks(merged, tuple(notices))


def restore_zeros(marks: Marks, learners: Set[str]) -> Marks:
    """Return the marks with the zeros that a spreadsheet drops from the front of a number.

    Marks of nobody in the class move to the learner whose number they may be, if that has none.
    """
    zeros = {learner.lstrip("0"): learner for learner in learners - marks.learners.keys()}
    given = marks.learners.items()
    whose = {who if who in learners else zeros.get(who, who): own for who, own in given}
    return Marks(whose, marks.notices)


def apply_marks(result: Result, marks: Marks) -> Result:
    """Return a result with its marks, and findings where they conflict or are for other texts."""
    given = marks.learners.get(escape_formula(result.learner), LearnerMarks())
    is_stale = any(each != fingerprint_texts(result) for each in given.fingerprints)
    stale = (make_finding("marks-stale"),) if is_stale else ()
    *answers, diagram = (_apply_to_written(written, given) for written in result.written)
    return replace(
        result,
        checks=tuple(_apply_to_check(check, given) for check in result.checks),
        answers=tuple(answers),
        diagram=diagram,
        comment=given.texts.get(COMMENT, ""),
        findings=(*given.conflicts, *stale, *result.findings),
    )


def _read_row(
    path: Path, learner: str, cells: Mapping[str, str], possible: Mapping[str, float]
) -> LearnerMarks:
    points = {item: _read_number(value) for item in possible if (value := cells.get(item))}
    for item, number in points.items():
        if not 0 <= number <= possible[item]:
            raise InvalidInput.from_key(
                "grading.marks-wrong",
                path=path,
                learner=one_line(learner),
                item=item,
                value=one_line(cells[item]),
                possible=possible[item],
            )
    texts = {column: text for column in _TEXTS if (text := cells.get(column))}
    for check in syllabus.CHECK_IDS:
        if (check in points) != (f"{check}-reason" in texts):
            who = one_line(learner)
            raise InvalidInput.from_key("grading.marks-reason", path=path, learner=who, check=check)
    fingerprint = cells.get(ANSWERS) if points or texts else None
    return LearnerMarks(points, texts, (fingerprint,) if fingerprint else ())


def _read_number(value: str) -> float:
    """Return a number as people of any country write it, or -1."""
    try:
        return float(value.replace(",", "."))
    except ValueError:
        return -1


def _merge(by_path: Mapping[Path, LearnerMarks]) -> LearnerMarks:
    """Return the marks that several files give one learner."""
    points: dict[str, float] = {}
    conflicts: list[Finding] = []
    for item in _ITEMS:
        found = {path: each.points[item] for path, each in by_path.items() if item in each.points}
        if len({*found.values()}) > 1:
            listed = ", ".join(f"{one_line(str(path))}: {mark:g}" for path, mark in found.items())
            conflicts.append(make_finding("marks-conflict", item=item, marks=listed))
        elif found:
            points[item] = next(iter(found.values()))
    texts: dict[str, dict[str, None]] = defaultdict(dict)
    for each in by_path.values():
        for column, text in each.texts.items():
            texts[column][text] = None
    return LearnerMarks(
        points,
        {column: "\n".join(different) for column, different in texts.items()},
        tuple(dict.fromkeys(it for each in by_path.values() for it in each.fingerprints)),
        tuple(conflicts),
    )


def _apply_to_written(written: Written, given: LearnerMarks) -> Written:
    comment = given.texts.get(f"{written.grade_id}-comment", "")
    return replace(written, mark=given.points.get(written.grade_id), comment=comment)


def _apply_to_check(check: CheckMark, given: LearnerMarks) -> CheckMark:
    if check.id not in given.points:
        return check
    ruling = Ruling(points=given.points[check.id], reason=given.texts[f"{check.id}-reason"])
    return replace(check, ruling=ruling)
