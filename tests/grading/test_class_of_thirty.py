"""A class of honest, weak, careless, copying and hostile learners, every one placed rightly."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from handson import grading
from handson.grading import Requirements, Result, read_moment, read_roster

from . import classes
from .classes import STATUSES, everybody


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    classes.write(folder)
    return folder


def graded(inbox: Path, roster: Path, **asked: Any) -> dict[str, Result]:
    window = {"since": read_moment(classes.SINCE), "until": read_moment(classes.UNTIL)}
    grades = grading.grade_class(
        [inbox], roster=read_roster(roster), requirements=Requirements(**window, **asked)
    )
    return {result.learner: result for result in grades.results}


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, Result]:
    return graded(folder / "inbox", folder / "roster.csv")


def test_each_learner_is_placed_rightly(results: dict[str, Result]) -> None:
    found, placed = {}, {}
    for learner in everybody():
        result = results[learner.id]
        marks = [mark.status for mark in result.checks], result.points, result.name
        review = {finding.code for finding in result.to_review()}
        answered = sum(answer.status == "answered" for answer in result.answers)
        notes = {found.code for found in result.findings} & {*learner.notes.split()}
        found[learner.id] = (*marks, review, answered, notes)
        statuses = [STATUSES[letter] for letter in learner.checks]
        codes = {*learner.review.split()}, learner.answered, {*learner.notes.split()}
        placed[learner.id] = (statuses, learner.points, learner.name, *codes)
    assert found == placed
    assert list(results) == list(placed)


def test_points_are_withheld_only_with_a_reason(results: dict[str, Result]) -> None:
    for result in results.values():
        told = {finding.code for finding in result.to_review()}
        for mark in result.checks:
            wrong = [fact.id for fact in mark.facts if not (fact.passed or fact.advice)]
            reasons = {"passed": True, "failed": wrong, "unproven": mark.reason in told}
            assert reasons.get(mark.status, told)
            assert mark.points == (mark.possible if mark.status == "passed" else 0)


def test_nothing_of_a_submission_was_executed(results: dict[str, Result]) -> None:
    assert results["s27"].points == 0
    assert not Path("pickle-was-loaded").exists()


def test_those_who_copied_are_named_with_who_was_first(results: dict[str, Result]) -> None:
    copied = next(found for found in results["s19"].findings if found.code == "same-record")
    forged = next(found for found in results["s21"].findings if found.code == "same-request")
    assert (copied.others, copied.values["first"]) == (
        (results["s18"].label,),
        results["s18"].label,
    )
    assert forged.values["first"] == results["s20"].label
    alike = next(found for found in results["s22"].findings if found.code == "answers-alike")
    assert alike.others == (results["s23"].label, results["s24"].label)
    assert classes.ESSAY in "\n".join(alike.passages[0].common)


def test_only_real_aws_counts_where_it_is_asked_for(folder: Path) -> None:
    strict = graded(folder / "inbox", folder / "roster.csv", target="aws")
    points = {learner: result.points for learner, result in strict.items() if result.points}
    assert points == {"s13": 80}


def test_two_processes_find_what_one_finds(folder: Path) -> None:
    texts = []
    for workers in (1, 2):
        grades = grading.grade_class([folder / "inbox"], workers=workers)
        file = io.StringIO()
        grading.write_json(grades, file)
        texts.append(file.getvalue())
    assert texts[0] == texts[1]


def test_the_same_class_as_one_zip_is_placed_the_same(
    results: dict[str, Result], folder: Path, tmp_path: Path
) -> None:
    """What a platform exports as one file; links and pipes do not survive the packing."""
    files = {
        f"export/{path.relative_to(folder / 'inbox').as_posix()}": path.read_bytes()
        for path in sorted((folder / "inbox").rglob("*"))
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 10_000_000
    }
    export = tmp_path / "export.zip"
    export.write_bytes(classes.zipped(files))
    found = graded(export, folder / "roster.csv")
    other = {name for name in found if found[name].points != results[name].points}
    assert other <= {"s11"}  # the zip has one time for all its files, so no submission is older
