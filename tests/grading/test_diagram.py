"""The diagram: what its check found is shown to the person who marks it, and adds no points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handson.grading import Requirements, Result, Roster, grade_class
from handson.grading.findings import FAILED, MISSING, PASSED, UNPROVEN, CheckMark
from tests.unit.drawn_by_learners import WRONG, draw

from . import making
from .making import Book


def graded(book: Book, folder: Path) -> Result:
    book.write(folder / "s01")
    grades = grade_class([folder], roster=Roster(()), requirements=Requirements())
    return grades.results[0]


def read(result: Result) -> CheckMark:
    assert result.diagram.check is not None
    return result.diagram.check


def drawing(name: str) -> Book:
    """Return the notebooks of somebody who drew a wrong diagram."""

    def observe(check: str, observed: Any) -> None:
        if check == "architecture":
            observed["drawing"] = draw(WRONG[name][0]).to_json()

    return making.hand_in("s01", seed=1, observe=observe)


def test_a_complete_diagram_passes_its_check(tmp_path: Path) -> None:
    result = graded(making.hand_in("s01", seed=1), tmp_path)
    assert (read(result).status, result.points) == (PASSED, 80)


@pytest.mark.parametrize("name", ["ECR inside the VPC", "servers", "no authentication"])
def test_what_a_diagram_lacks_is_told_by_fact(tmp_path: Path, name: str) -> None:
    result = graded(drawing(name), tmp_path)
    wrong = {fact.id for fact in read(result).facts if not fact.passed}
    assert (read(result).status, wrong) == (FAILED, WRONG[name][1])


def test_what_a_diagram_lacks_costs_no_automatic_points(tmp_path: Path) -> None:
    assert graded(drawing("servers"), tmp_path).points == 80


def test_a_verdict_written_into_the_evidence_changes_nothing(tmp_path: Path) -> None:
    book = drawing("servers")
    for _, output in book.outputs():
        record = output["metadata"]["handson"]
        output["metadata"]["handson"] = making.resealed(record, passed=True)
    assert read(graded(book, tmp_path)).status == FAILED


def test_evidence_that_was_changed_does_not_count(tmp_path: Path) -> None:
    book = drawing("servers")
    for _, output in book.outputs():
        if output["metadata"]["handson"]["check"] == "architecture":
            output["metadata"]["handson"]["observed"]["drawing"] = making.drawing()
    result = graded(book, tmp_path)
    assert (read(result).status, read(result).reason) == (UNPROVEN, "digest-broken")


def test_without_evidence_the_diagram_is_marked_by_its_code_alone(tmp_path: Path) -> None:
    book = making.hand_in("s01", seed=1)
    book.cell("architecture-evidence-record")["outputs"] = []
    result = graded(book, tmp_path)
    found = [(finding.code, finding.check) for finding in result.findings]
    assert (read(result).status, found) == (MISSING, [("outputs-missing", "architecture")])
    assert "Diagram" in result.diagram.text
