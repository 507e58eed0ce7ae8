"""A class: every submission graded, in the roster's order, and compared with the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handson.core.errors import InvalidInput
from handson.grading import Grades, Learner, Roster, grade_class
from handson.grading.answers import LearnerMarks

from .making import sealed

ROSTER = Roster((Learner("s02", "B"), Learner("s01", "A"), Learner("s03", "C")))


def put(folder: Path, *names: str) -> Path:
    """Make a folder for each of the names, with evidence of the learner's."""
    for name in names:
        (folder / name).mkdir(parents=True)
        record = sealed(learner=name, requests=[{"request_id": f"{name} {folder.name}"}])
        (folder / name / "journal.jsonl").write_text(json.dumps(record))
    return folder


def codes(grades: Grades) -> dict[str, list[str]]:
    return {
        each.learner: [found.code for found in each.findings if found.code != "notebook-missing"]
        for each in grades.results
    }


def test_learners_stand_in_the_rosters_order_and_the_others_after_them(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    grades = grade_class(
        [put(tmp_path, "s99", "s01", "s02", "m")],
        roster=ROSTER,
        on_progress=lambda done, whole: seen.append((done, whole)),
    )
    assert codes(grades) == {
        **{"s02": [], "s01": [], "s03": ["nothing-handed-in"]},
        **{"m": ["not-in-roster"], "s99": ["not-in-roster"]},
    }
    assert [each.handed_in for each in grades.results] == [True, True, False, True, True]
    assert (grades.readable, seen) == (4, [(1, 4), (2, 4), (3, 4), (4, 4)])
    assert (grades.results[2].name, grades.results[2].source) == ("C", "")


def test_what_holds_nothing_is_not_readable(tmp_path: Path) -> None:
    (tmp_path / "s01").mkdir()
    grades = grade_class([tmp_path])
    assert (grades.readable, codes(grades)) == (0, {"s01": ["nothing-readable"]})


def test_two_submissions_of_one_learner_are_told_with_the_places(tmp_path: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / f"s01_{number}_assignsubmission_file_"
        put(tmp_path / str(number), "s01").joinpath("s01").rename(folder)
        (tmp_path / str(number)).rmdir()
    grades = grade_class([tmp_path], roster=Roster((Learner("s01"),)))
    twice = [
        (each.learner, each.findings[0].code, each.findings[0].others) for each in grades.results
    ]
    places = [f"{tmp_path.name}/s01_{number}_assignsubmission_file_" for number in (1, 2)]
    assert twice == [
        ("s01", "learner-twice", (places[1],)),
        ("s01", "learner-twice", (places[0],)),
    ]


def test_what_several_share_stands_before_their_other_findings(tmp_path: Path) -> None:
    put(tmp_path, "s01").joinpath("s01").rename(tmp_path / "s02")
    put(tmp_path, "s01")
    found = codes(grade_class([tmp_path]))
    assert found == {"s01": ["same-record", "same-request"], "s02": [
        "same-record", "same-request", "learner-other",
    ]}  # fmt: skip


def test_marks_are_given_by_name_and_those_of_nobody_are_listed(tmp_path: Path) -> None:
    given = LearnerMarks("", {"why-zones": 3.0})
    marks = dict.fromkeys(("s01", "'=2", "zz", "s99"), given)
    grades = grade_class([put(tmp_path, "s01", "=2")], marks=marks)
    assert [result.marks for result in grades.results] == [[3.0], [3.0]]
    assert grades.strangers == ["s99", "zz"]


def test_nothing_to_grade_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="none"):
        grade_class([tmp_path / "none"])
    with pytest.raises(InvalidInput, match="採点する提出物"):
        grade_class([])
