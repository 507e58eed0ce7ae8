"""What people gave for the answers and the diagrams: a CSV that the report saves and grading reads.

    learner,answers,why-network,why-zones,why-cluster,why-registry,architecture
    s01,t1f0c0c6b2a55,4,3.5,4,2,

An empty cell is not marked yet.  `answers` tells which texts were marked, so that marks for an
earlier submission are noticed; it may be missing, and so may questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import one_line
from handson.course import syllabus
from handson.grading import tables
from handson.grading.model import WARNING, Finding, Result, Written

LEARNER, ANSWERS = "learner", "answers"
MARKED = (*syllabus.QUESTIONS, syllabus.DIAGRAM)


@dataclass(frozen=True)
class Given:
    """The marks of one learner by `grade_id`, and the texts that they were given for."""

    answers: str
    marks: Mapping[str, float]


@dataclass(frozen=True)
class Marks:
    """The marks of a class by learner."""

    given: Mapping[str, Given] = field(default_factory=dict)

    def apply(self, result: Result) -> Result:
        """Return a result with its marks, and a finding where they are for other texts."""
        given = self.given.get(tables.harmless(result.learner))
        if given is None or not given.marks:
            return result
        stale = given.answers and given.answers != fingerprint(result)
        findings = (Finding(code="marks-stale", severity=WARNING),) if stale else ()
        return replace(
            result,
            answers=tuple(_marked(answer, given) for answer in result.answers),
            diagram=_marked(result.diagram, given),
            findings=(*findings, *result.findings),
        )

    def unknown(self, learners: Sequence[str]) -> list[str]:
        """Return who has marks and is none of the learners."""
        known = {tables.harmless(learner) for learner in learners}
        return [learner for learner in self.given if learner not in known]


def fingerprint(result: Result) -> str:
    """Return what tells the texts of one submission from those of another.

    It begins with a letter that no number has: a spreadsheet would write 123456789012 as 1.23E+11.
    """
    texts = "\0".join(written.text for written in result.written)
    return f"t{sha256(texts.encode('utf-8')).hexdigest()[:12]}"


def read_marks(path: Path) -> Marks:
    """Return the marks of a CSV file.

    Raises:
        InvalidInput: It cannot be read, lacks a column, or has marks that cannot be.
    """
    head, *rows = tables.rows(path) or [[]]
    heads = [cell.strip() for cell in head]
    if LEARNER not in heads or not any(item.grade_id in heads for item in MARKED):
        raise InvalidInput(*messages.advice("grading.marks-columns", path=path))
    given: dict[str, Given] = {}
    for row in rows:
        cells = dict(zip(heads, (cell.strip() for cell in row), strict=False))
        learner = tables.harmless(cells.get(LEARNER, ""))
        if learner in given:
            who = one_line(learner)
            raise InvalidInput(*messages.advice("grading.marks-twice", path=path, learner=who))
        if learner:
            marks = dict(_marks(path, learner, cells))
            given[learner] = Given(cells.get(ANSWERS, ""), marks)
    return Marks(given)


def _marks(path: Path, learner: str, cells: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for item in MARKED:
        value = cells.get(item.grade_id, "")
        if value:
            mark = _number(value)
            if mark is None or not 0 <= mark <= item.points:
                raise InvalidInput(
                    *messages.advice(
                        "grading.marks-wrong",
                        path=path,
                        learner=one_line(learner),
                        question=item.grade_id,
                        value=one_line(value),
                        possible=item.points,
                    )
                )
            yield item.grade_id, mark


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _marked(written: Written, given: Given) -> Written:
    return replace(written, mark=given.marks.get(written.grade_id))
