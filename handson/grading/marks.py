"""Marks that people gave for answers and diagrams: a CSV that the report saves and grading reads.

    learner,answers,why-network,why-zones,why-cluster,why-registry,architecture
    s01,t1f0c0c6b2a55,4,3.5,4,2,

An empty cell is not marked yet.  `answers` identifies the texts that were marked, so that marks for
an earlier submission are noticed; it may be missing, and so may questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import one_line
from handson.grading.answers import MARKED
from handson.grading.findings import WARNING, Result, make_finding
from handson.grading.roster import escape_formula, read_rows

LEARNER, ANSWERS = "learner", "answers"


@dataclass(frozen=True)
class LearnerMarks:
    """The marks of one learner by `grade_id`, and the fingerprint of the texts that were marked."""

    fingerprint: str
    marks: Mapping[str, float]


@dataclass(frozen=True)
class Marks:
    """The marks of a class by learner."""

    given: Mapping[str, LearnerMarks] = field(default_factory=dict)

    def apply(self, result: Result) -> Result:
        """Return a result with its marks, and a finding where they are for other texts."""
        given = self.given.get(escape_formula(result.learner))
        if given is None or not given.marks:
            return result
        is_stale = given.fingerprint and given.fingerprint != fingerprint_texts(result)
        findings = (make_finding("marks-stale", WARNING),) if is_stale else ()
        *answers, diagram = (
            replace(written, mark=given.marks.get(written.grade_id)) for written in result.written
        )
        return replace(
            result,
            answers=tuple(answers),
            diagram=diagram,
            findings=(*findings, *result.findings),
        )

    def find_unknown(self, learners: Sequence[str]) -> tuple[str, ...]:
        """Return the names that have marks and are not among the learners."""
        known = {escape_formula(learner) for learner in learners}
        return tuple(learner for learner in self.given if learner not in known)


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
            marks = _read_marks(path, learner, cells)
            given[learner] = LearnerMarks(cells.get(ANSWERS, ""), marks)
    return Marks(given)


def _read_marks(path: Path, learner: str, cells: Mapping[str, str]) -> dict[str, float]:
    marks: dict[str, float] = {}
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
        marks[item.grade_id] = mark
    return marks
