"""A class of honest, weak, careless, copying and hostile learners, every one placed rightly."""

from __future__ import annotations

import io
import os
from collections import Counter
from pathlib import Path

import pytest

from handson import grading
from handson.grading import Requirements, Result, read_moment, read_roster

from . import classes
from .classes import Learner, everybody


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("class")


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, Result]:
    classes.write(folder)
    return graded(folder)


def graded(folder: Path, **asked: str) -> dict[str, Result]:
    requirements = Requirements(
        since=read_moment(classes.SINCE), until=read_moment(classes.UNTIL), **asked
    )
    roster = read_roster(folder / "roster.csv")
    grades = grading.grade_class([folder / "inbox"], roster=roster, requirements=requirements)
    return {result.learner: result for result in grades.results}


def test_there_are_sixty_of_five_kinds() -> None:
    kinds = Counter(learner.kind for learner in everybody())
    assert kinds == {"honest": 22, "weak": 10, "careless": 10, "copying": 10, "hostile": 8}


def test_each_has_one_result_in_the_order_of_the_roster(results: dict[str, Result]) -> None:
    assert list(results) == [learner.id for learner in everybody()]


@pytest.mark.parametrize("learner", everybody(), ids=lambda learner: f"{learner.id}-{learner.kind}")
def test_a_learner_is_placed_rightly(results: dict[str, Result], learner: Learner) -> None:
    result = results[learner.id]
    codes = {finding.code for finding in result.to_review()}
    assert ([mark.status for mark in result.checks], codes) == (learner.statuses, learner.review)
    assert result.points == learner.points
    assert learner.notes <= {finding.code for finding in result.findings}
    assert sum(answer.status == "answered" for answer in result.answers) == learner.answered
    assert result.name == learner.name


def test_points_are_withheld_only_with_a_reason(results: dict[str, Result]) -> None:
    for result in results.values():
        told = {finding.code for finding in result.to_review()}
        for mark in result.checks:
            wrong = [fact.id for fact in mark.facts if not (fact.passed or fact.advice)]
            reasons = {"passed": True, "failed": wrong, "unproven": mark.reason in told}
            assert reasons.get(mark.status, told)
            assert mark.points == (mark.possible if mark.status == "passed" else 0)


def test_nothing_of_a_submission_was_executed(results: dict[str, Result]) -> None:
    assert results["s56"].points == 0
    assert not Path("pickle-was-loaded").exists()


def test_those_who_copied_are_named_with_who_was_first(results: dict[str, Result]) -> None:
    copied = next(f for f in results["s44"].findings if f.code == "same-record")
    assert copied.others == (results["s43"].label,)
    assert copied.values["first"] == results["s43"].label
    forged = next(f for f in results["s46"].findings if f.code == "same-request")
    assert forged.values["first"] == results["s45"].label


def test_answers_alike_stand_side_by_side(results: dict[str, Result]) -> None:
    alike = next(f for f in results["s49"].findings if f.code == "answers-alike")
    assert set(alike.others) == {results["s50"].label, results["s51"].label}
    assert [passage.grade_id for passage in alike.passages] == ["why-registry"]
    assert classes.ESSAY in "\n".join(alike.passages[0].common)


def test_only_real_aws_counts_where_it_is_asked_for(
    results: dict[str, Result], folder: Path
) -> None:
    strict = graded(folder, target="aws")
    assert [learner for learner, result in strict.items() if result.points] == ["s20"]
    reasons = {mark.reason for mark in strict["s01"].checks}
    assert (strict["s20"].points, reasons) == (80, {"target-other"})


def test_two_processes_find_what_one_finds(results: dict[str, Result], folder: Path) -> None:
    roster = read_roster(folder / "roster.csv")
    texts = []
    for workers in (1, 2):
        grades = grading.grade_class([folder / "inbox"], roster=roster, workers=workers)
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
    asked = Requirements(since=read_moment(classes.SINCE), until=read_moment(classes.UNTIL))
    roster = read_roster(folder / "roster.csv")
    grades = grading.grade_class([export], roster=roster, requirements=asked)
    points = {result.learner: result.points for result in grades.results}
    other = {name for name in points if points[name] != results[name].points}
    assert other <= {"s16"}  # the zip has one time for all its files, so no submission is older
    assert os.path.getsize(export) > 1_000_000
