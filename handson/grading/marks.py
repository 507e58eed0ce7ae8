"""Marks that people gave for answers and diagrams: a CSV that the report saves and grading reads.

    learner,answers,why-network,why-zones,why-cluster,why-registry,architecture
    s01,t1f0c0c6b2a55,4,3.5,4,2,

An empty cell is not marked yet.  `answers` identifies the texts that were marked, so that marks for
an earlier submission are noticed; it may be missing, and so may questions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import one_line
from handson.grading.answers import MARKED
from handson.grading.findings import Result, make_finding
from handson.grading.roster import escape_formula, read_rows

LEARNER, ANSWERS = "learner", "answers"


@dataclass(frozen=True)
class LearnerMarks:
    """The points of one learner by `grade_id`, and the fingerprint of the texts marked."""

    fingerprint: str
    points: dict[str, float]


Marks = Mapping[str, LearnerMarks]
"""The marks of a class by learner, whose name is written as in a CSV."""


def apply_marks(result: Result, marks: Marks) -> Result:
    """Return a result with its marks, and a finding where they are for other texts."""
    given = marks.get(escape_formula(result.learner))
    if given is None or not given.points:
        return result
    is_stale = given.fingerprint and given.fingerprint != fingerprint_texts(result)
    findings = (make_finding("marks-stale"),) if is_stale else ()
    *answers, diagram = (
        replace(written, mark=given.points.get(written.grade_id)) for written in result.written
    )
    findings = (*findings, *result.findings)
    return replace(result, answers=tuple(answers), diagram=diagram, findings=findings)


def fingerprint_texts(result: Result) -> str:
    """Return a short hash of the texts that people mark.

    It begins with a letter that no number has: a spreadsheet would write 123456789012 as 1.23E+11.
    """
    texts = "\0".join(written.text for written in result.written)
    return f"t{sha256(texts.encode('utf-8')).hexdigest()[:12]}"


def read_marks(path: Path) -> Marks:
    """Return the marks of a CSV file.

    Raises:
        InvalidInput: It cannot be read, lacks a column, or has marks outside the range.
    """
    head, *rows = read_rows(path) or [[]]
    heads = [cell.strip() for cell in head]
    if LEARNER not in heads or not any(item.grade_id in heads for item in MARKED):
        raise InvalidInput(*messages.advice("grading.marks-columns", path=path))
    given: dict[str, LearnerMarks] = {}
    for row in rows:
        cells = dict(zip(heads, (cell.strip() for cell in row), strict=False))
        learner = escape_formula(cells.get(LEARNER, ""))
        if learner in given:
            who = one_line(learner)
            raise InvalidInput(*messages.advice("grading.marks-twice", path=path, learner=who))
        if learner:
            points = _read_points(path, learner, cells)
            given[learner] = LearnerMarks(cells.get(ANSWERS, ""), points)
    return given


def _read_points(path: Path, learner: str, cells: Mapping[str, str]) -> dict[str, float]:
    points: dict[str, float] = {}
    for item in MARKED:
        value = cells.get(item.grade_id, "")
        if not value:
            continue
        try:
            mark = float(value.replace(",", "."))
        except ValueError:
            mark = -1
        if not 0 <= mark <= item.points:
            advice = messages.advice(
                "grading.marks-wrong",
                path=path,
                learner=one_line(learner),
                question=item.grade_id,
                value=one_line(value),
                possible=item.points,
            )
            raise InvalidInput(*advice)
        points[item.grade_id] = mark
    return points
