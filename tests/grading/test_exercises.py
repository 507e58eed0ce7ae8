"""Individual labs in grading: whose exercise evidence is for, and what changed in the middle."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from handson.board.class_folder import ClassFolder
from handson.core import messages
from handson.course import checks, evidence
from handson.course.course import Course
from handson.course.evidence import Observation
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.course.variation import Variation
from handson.grading import Grades, Learner, Requirements, Result, Roster, grade_class
from handson.notebook.nbgrader import ScoringWorkshop

SPRING = Course(exercise=Variation(key="spring"), by_fact=("network",))
AUTUMN = Course(exercise=Variation(key="autumn"))
HANAKO, TARO = Learner("s07", "Hanako Yamada"), Learner("s08", "Taro Sato", aliases=("tsato",))
CLASS = Roster((HANAKO, TARO))
CHECKS = ("network", "cluster", "repository")


def hand_in(
    folder: Path, *names: str, exercise: Exercise | None = None, course: Course = SPRING
) -> Path:
    """Write a journal with evidence for three checks; with several names, each has some."""
    previous, records = None, []
    for number, check in enumerate(CHECKS):
        name = names[number % len(names)]
        own = exercise or course.derive_exercise(name)
        goal = describe_goal(own)
        observed = checks.trim(check, goal, own).to_json()
        at = datetime(2026, 5, 11, number, tzinfo=UTC)
        seen = Observation(check, goal.target.to_json(), observed, [], own)
        record = evidence.seal(seen, learner=name, previous=previous, observed_at=at)
        previous = record["digest"]
        records.append(record)
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text(evidence.as_lines(records), encoding="utf-8")
    return folder


def grade(folder: Path, *, roster: Roster = CLASS, course: Course = SPRING) -> Grades:
    return grade_class([folder], Requirements(course=course, roster=roster))


def grade_one(folder: Path, learner: str = "s07", *, course: Course = SPRING) -> Result:
    results = grade(folder, course=course).results
    return next(each for each in results if each.learner.id == learner)


def codes(result: Result) -> set[str]:
    return {each.code for each in result.findings if each.code.startswith("exercise")}


def said(result: Result) -> str:
    return " ".join(each.message for each in result.findings if each.code == "exercise-other")


@pytest.mark.parametrize("name", ["s07", "ＨＡＮＡＫＯ yamada", "s07 Hanako Yamada"])
def test_evidence_counts_under_any_name_that_is_the_learners(name: str, tmp_path: Path) -> None:
    hand_in(tmp_path / "s07", name)
    result = grade_one(tmp_path)
    assert (result.points, codes(result)) == (55, set())
    assert result.exercise == SPRING.derive_exercise(name)


@pytest.mark.parametrize("name", ["s08", "Taro Sato", "tsato", "Sato Taro"])
def test_evidence_for_anothers_exercise_gets_no_points_and_is_told_whose_it_is(
    name: str, tmp_path: Path
) -> None:
    hand_in(tmp_path / "s07", name)
    result = grade_one(tmp_path)
    assert (result.points, codes(result)) == (0, {"exercise-other"})
    assert [mark.status for mark in result.checks][:4] == ["unproven"] * 2 + ["unproven", "missing"]
    assert SPRING.derive_exercise(name).network.name in said(result)
    assert re.search(rf"{TARO.name}|{name}", said(result))


def test_anothers_exercise_under_ones_own_name_is_told_with_the_others(tmp_path: Path) -> None:
    hand_in(tmp_path / "s07", "s07", exercise=SPRING.derive_exercise("Taro Sato"))
    result = grade_one(tmp_path)
    assert result.points == 0
    assert "s08 Taro Sato" in said(result)


def test_without_a_roster_the_folders_name_the_class(tmp_path: Path) -> None:
    hand_in(tmp_path / "Hanako Yamada", "Taro Sato")
    hand_in(tmp_path / "Taro Sato", "Taro Sato")
    results = grade(tmp_path, roster=Roster()).results
    assert {each.learner.id: each.points for each in results} == {
        "Hanako Yamada": 0,
        "Taro Sato": 55,
    }
    assert "Taro Sato" in said(results[0])


def test_a_key_that_changed_and_a_course_that_was_missing_are_told_and_cost_no_record(
    tmp_path: Path,
) -> None:
    hand_in(tmp_path / "s07", "s07", course=AUTUMN)
    hand_in(tmp_path / "s08", "s08", exercise=Exercise())
    messages.use("en")
    changed, missing = grade_one(tmp_path), grade_one(tmp_path, "s08")
    assert (changed.points, missing.points) == (0, 0)
    assert "nobody's" in said(changed)
    assert "without course.toml" in said(missing)
    assert all(mark.facts for mark in changed.checks[:3])
    assert grade_one(tmp_path, course=AUTUMN).points == 55


def test_grading_without_the_course_says_what_it_lacks(tmp_path: Path) -> None:
    hand_in(tmp_path / "s07", "s07")
    result = grade_one(tmp_path, course=Course())
    assert (result.points, codes(result)) == (0, {"exercise-varied"})
    assert codes(grade_one(tmp_path)) == set()


def test_two_names_of_one_learner_count_and_are_told(tmp_path: Path) -> None:
    hand_in(tmp_path / "s07", "s07", "Hanako Yamada")
    result = grade_one(tmp_path)
    assert (result.points, codes(result)) == (55, {"exercise-several"})


def test_who_is_not_in_the_roster_is_graded_by_their_own_exercise_and_listed(
    tmp_path: Path,
) -> None:
    hand_in(tmp_path / "Jiro Kato", "Jiro Kato")
    result = grade_one(tmp_path, "Jiro Kato")
    assert (result.points, codes(result)) == (55, set())
    assert "not-in-roster" in {each.code for each in result.findings}


def test_learners_whose_names_give_one_exercise_are_named(tmp_path: Path) -> None:
    hand_in(tmp_path / "s07", "s07")
    twins = Roster((HANAKO, Learner("s09", "Hanako  YAMADA")))
    [notice] = grade(tmp_path, roster=twins).notices
    prefix = SPRING.derive_exercise("Hanako Yamada").network.name
    assert [part in notice for part in ("s07", "s09", prefix)] == [True] * 3
    assert grade(tmp_path).notices == ()
    assert grade(tmp_path, roster=twins, course=Course()).notices == ()


def test_nbgrader_scores_by_the_exercise_of_the_name_in_the_evidence(tmp_path: Path) -> None:
    own = hand_in(tmp_path / "own", "s07")
    usual = hand_in(tmp_path / "usual", "s07", exercise=Exercise())
    scores = [ScoringWorkshop([folder], SPRING).evidence("cluster") for folder in (own, usual)]
    assert [score.mark.points for score in scores] == [15, 0]


def test_the_class_board_judges_each_by_their_own_exercise(tmp_path: Path) -> None:
    hand_in(tmp_path / "hanako", "Hanako")
    hand_in(tmp_path / "jiro", "", exercise=SPRING.derive_exercise("jiro"))
    hand_in(tmp_path / "taro", "Taro", exercise=Exercise())
    board = ClassFolder(tmp_path, SPRING)
    checks = {each.name: each.checks[:3] for each in board.read()}
    passed, unproven = ("passed",) * 3, ("unproven",) * 3
    assert checks == {"hanako": passed, "jiro": passed, "taro": unproven}
    assert board.exercise.cluster == "ecs-handson-…-cluster"
    assert ClassFolder(tmp_path).exercise == Exercise()


def test_another_region_and_values_added_later_are_seen_in_facts_and_findings(
    tmp_path: Path,
) -> None:
    own = SPRING.derive_exercise("s07")
    hand_in(tmp_path / "s07", "s07", exercise=replace(own, region="eu-west-1"))
    result = grade_one(tmp_path)
    assert result.points == 55
    assert "region-other" in {each.code for each in result.findings}
