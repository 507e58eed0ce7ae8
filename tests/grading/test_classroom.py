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


def put(folder: Path, **named: str) -> Path:
    """Make folders of learners, each with evidence of the learner of that name."""
    for name, learner in named.items():
        (folder / name).mkdir()
        record = sealed(learner=learner, requests=[{"request_id": f"request {learner}"}])
        (folder / name / "journal.jsonl").write_text(json.dumps(record))
    return folder


def codes(grades: Grades) -> list[tuple[str, list[str]]]:
    told = [(each.learner, [found.code for found in each.findings]) for each in grades.results]
    return [(name, [code for code in found if code != "notebook-missing"]) for name, found in told]


def test_learners_stand_in_the_rosters_order_and_the_others_after_them(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    put(tmp_path, s99="s99", s01="s01", s02="s02", m="m")
    grades = grade_class([tmp_path], roster=ROSTER, on_progress=lambda *done: seen.append(done))
    others = [("m", ["not-in-roster"]), ("s99", ["not-in-roster"])]
    assert codes(grades) == [("s02", []), ("s01", []), ("s03", ["nothing-handed-in"]), *others]
    assert [each.handed_in for each in grades.results] == [True, True, False, True, True]
    assert (grades.readable, seen) == (4, [(1, 4), (2, 4), (3, 4), (4, 4)])


def test_what_holds_nothing_is_not_readable(tmp_path: Path) -> None:
    (tmp_path / "s01").mkdir()
    grades = grade_class([tmp_path])
    assert (grades.readable, codes(grades)) == (0, [("s01", ["nothing-readable"])])


def test_two_submissions_of_one_learner_are_told_with_the_places(tmp_path: Path) -> None:
    names = [f"s01_{number}_assignsubmission_file_" for number in (1, 2)]
    put(tmp_path, **{names[0]: "s01", names[1]: "S01"})
    (one, other) = grade_class([tmp_path], roster=Roster((Learner("s01"),))).results
    assert (one.findings[0].code, other.findings[0].code) == ("learner-twice", "learner-twice")
    assert one.findings[0].others == (f"{tmp_path.name}/{names[1]}",)
    assert other.findings[0].others == (f"{tmp_path.name}/{names[0]}",)


def test_what_several_share_stands_before_their_other_findings(tmp_path: Path) -> None:
    put(tmp_path, s01="s01", s02="s01")
    shared = ["same-record", "same-request"]
    expected = [("s01", shared), ("s02", [*shared, "learner-other"])]
    assert codes(grade_class([tmp_path])) == expected


def test_marks_are_given_by_name_and_those_of_nobody_are_listed(tmp_path: Path) -> None:
    marks = dict.fromkeys(("s01", "'=2", "zz", "s99"), LearnerMarks("", {"why-zones": 3.0}))
    grades = grade_class([put(tmp_path, s01="s01", **{"=2": "=2"})], marks=marks)
    assert [result.marks for result in grades.results] == [[3.0], [3.0]]
    assert grades.strangers == ["s99", "zz"]


def test_nothing_to_grade_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="none"):
        grade_class([tmp_path / "none"])
    with pytest.raises(InvalidInput, match="採点する提出物"):
        grade_class([])
