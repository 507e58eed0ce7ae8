"""A class of honest, weak, careless, copying and hostile learners, every one placed rightly."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from handson import grading
from handson.grading import Requirements, Result, read_roster

from . import classes
from .classes import STATUSES, everybody


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    classes.write(folder)
    return folder


def graded(inbox: Path, roster: Path, **asked: Any) -> dict[str, Result]:
    given = {"roster": read_roster(roster), "requirements": Requirements(**asked)}
    return {each.learner: each for each in grading.grade_class([inbox], **given).results}


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, Result]:
    return graded(folder / "inbox", folder / "roster.csv")


def test_each_learner_is_placed_rightly(results: dict[str, Result]) -> None:
    found, placed = {}, {}
    for learner in everybody():
        result, notes = results[learner.id], {*learner.notes.split()}
        marks = [mark.status for mark in result.checks], result.points, result.name
        codes = {each.code for each in result.to_review()}, {each.code for each in result.findings}
        answered = sum(answer.status == "answered" for answer in result.answers)
        found[learner.id] = (*marks, codes[0], codes[1] & notes, answered)
        statuses = [STATUSES[letter] for letter in learner.checks]
        told = {*learner.review.split()}, notes, learner.answered
        placed[learner.id] = (statuses, learner.points, learner.name, *told)
    assert found == placed
    assert list(results) == list(placed)
    assert not Path("pickle-was-loaded").exists()


def test_those_who_copied_are_named_with_who_was_first(results: dict[str, Result]) -> None:
    label = {learner: result.label for learner, result in results.items()}
    copied = next(each for each in results["s20"].findings if each.code == "same-record")
    forged = next(each for each in results["s22"].findings if each.code == "same-request")
    alike = next(each for each in results["s23"].findings if each.code == "answers-alike")
    assert (copied.others, copied.values["first"]) == ((label["s19"],), label["s19"])
    assert forged.values["first"] == label["s21"]
    assert alike.others == (label["s24"], label["s25"])
    assert classes.ESSAY in "\n".join(alike.passages[0].common)


def test_only_real_aws_counts_where_it_is_asked_for(folder: Path) -> None:
    strict = graded(folder / "inbox", folder / "roster.csv", target="aws")
    assert {name: each.points for name, each in strict.items() if each.points} == {"s15": 80}


def test_two_processes_find_what_one_finds(folder: Path) -> None:
    texts = []
    for workers in (1, 2):
        file = io.StringIO()
        grading.write_json(grading.grade_class([folder / "inbox"], workers=workers), file)
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
    (tmp_path / "export.zip").write_bytes(classes.zipped(files))
    found = graded(tmp_path / "export.zip", folder / "roster.csv")
    other = {name for name in found if found[name].points != results[name].points}
    assert other <= {"s13"}  # the zip has one time for all its files, so no submission is older
