"""Evidence that is not what it should be: each finding, its reason, and what it costs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handson.core import messages
from handson.course import evidence
from handson.course.evidence import Observation
from handson.course.exercise import Exercise
from handson.course.state import Snapshot
from handson.grading import Learner, Requirements, Result, Roster, grade_class, read_moment
from handson.grading.findings import SEVERITIES

from . import making
from .making import Book

ROSTER = Roster((Learner("s01", "山田 花子", "A"), Learner("s02", "佐藤 太郎", "A")))


def graded(folder: Path, *, roster: Roster = ROSTER, **asked: Any) -> Result:
    """Return the result of s01, who handed in a folder of that name."""
    grades = grade_class([folder], roster=roster, requirements=Requirements(**asked))
    return next(result for result in grades.results if result.learner == "s01")


def codes(result: Result) -> set[str]:
    return {finding.code for finding in result.findings}


@pytest.mark.parametrize("left", [[], ["backwards"], ["other cells"]], ids=str)
def test_nothing_of_an_optional_notebook_matters(tmp_path: Path, left: list[str]) -> None:
    book = making.hand_in("s01", seed=7)
    cells = book.notebooks.pop("06-troubleshooting")["cells"]
    kept = {"backwards": cells[::-1], "other cells": cells[:1]}
    for name in left:
        book.notebooks["06-troubleshooting"] = {"cells": kept[name], "metadata": {}, "nbformat": 4}
    book.write(tmp_path / "s01")
    assert graded(tmp_path / "s01").findings == ()


def statuses(result: Result) -> set[str]:
    return {mark.status for mark in result.checks}


@pytest.fixture
def book() -> Book:
    return making.hand_in("山田 花子", seed=1)


@pytest.fixture
def class_folder(tmp_path: Path) -> Path:
    making.hand_in("佐藤 太郎", seed=2).write(tmp_path / "s02")
    return tmp_path


def change(book: Book, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    for _, output in book.outputs():
        output["metadata"]["handson"] = edit(output["metadata"]["handson"])


def test_what_is_right_has_nothing_to_say(book: Book, class_folder: Path) -> None:
    book.write(class_folder / "s01")
    result = graded(class_folder)
    assert (result.points, result.findings) == (80, ())


@pytest.mark.parametrize("name", ["observed_at", "learner", "check", "previous", "requests"])
def test_whatever_is_changed_after_sealing_breaks_the_digest(
    book: Book, class_folder: Path, name: str
) -> None:
    def edited(record: dict[str, Any]) -> dict[str, Any]:
        check = "network" if record["check"] == "cluster" else "cluster"
        others = {"observed_at": "2026-05-12T00:00:00+00:00", "check": check, "requests": []}
        return {**record, name: others.get(name, "x")}

    change(book, edited)
    book.write(class_folder / "s01")
    result = graded(class_folder)
    assert "digest-broken" in codes(result)
    assert (result.points, statuses(result) <= {"unproven", "missing"}) == (0, True)


def test_a_broken_digest_costs_that_check_alone(book: Book, class_folder: Path) -> None:
    _, output = next(book.outputs())
    output["metadata"]["handson"] = {**output["metadata"]["handson"], "passed": True}
    book.write(class_folder / "s01")
    result = graded(class_folder)
    assert [mark.reason for mark in result.checks] == ["digest-broken", None, None, None, None]
    assert result.check("network").facts[0].observed is True


def test_the_journal_makes_up_for_a_broken_record(book: Book, class_folder: Path) -> None:
    change(book, lambda record: {**record, "learner": "x"})
    folder = book.write(class_folder / "s01")
    (folder / "journal.jsonl").write_bytes(book.journal())
    result = graded(class_folder)
    assert (result.points, result.checks[0].proof and result.checks[0].proof.source) == (
        80,
        "journal",
    )
    assert "digest-broken" in codes(result)


def test_another_ones_journal_is_told_by_its_name_and_target(class_folder: Path) -> None:
    folder = class_folder / "s01"
    folder.mkdir()
    (folder / "journal.jsonl").write_bytes(making.hand_in("高橋 健", seed=9).journal())
    result = graded(class_folder, target="aws")
    assert {"learner-other", "target-other"} <= codes(result)
    assert {mark.reason for mark in result.checks} == {"target-other"}


def test_a_verdict_that_is_written_into_a_record_changes_nothing(class_folder: Path) -> None:
    def none(check: str, observed: dict[str, Any]) -> None:
        observed["clusters"] = []

    book = making.hand_in("山田 花子", seed=1, observe=none)
    change(book, lambda record: making.resealed(record, passed=True, verdict="passed", points=99))
    book.write(class_folder / "s01")
    assert graded(class_folder).check("cluster").status == "failed"


@pytest.mark.parametrize("exercise", [True, "x", 7, []])
def test_a_record_whose_exercise_is_not_an_object_does_not_count(
    book: Book, class_folder: Path, exercise: object
) -> None:
    change(book, lambda record: making.resealed(record, exercise=exercise))
    book.write(class_folder / "s01")
    result = graded(class_folder)
    assert result.points == 0
    assert "record-malformed" in codes(result)


def test_two_that_follow_the_same_record_are_a_fork(book: Book, class_folder: Path) -> None:
    first = book.records[0]["digest"]
    outputs = [output for _, output in book.outputs()]
    outputs[2]["metadata"]["handson"] = making.resealed(book.records[2], previous=first)
    book.write(class_folder / "s01")
    assert {"chain-forked", "chain-gap"} <= codes(graded(class_folder))


def test_two_beginnings_are_told(book: Book, class_folder: Path) -> None:
    outputs = [output for _, output in book.outputs()]
    outputs[4]["metadata"]["handson"] = making.resealed(book.records[4], previous=None)
    book.write(class_folder / "s01")
    assert "chain-begun-twice" in codes(graded(class_folder))


def test_a_record_that_is_older_than_the_one_before_it_is_told(
    book: Book, class_folder: Path
) -> None:
    outputs = [output for _, output in book.outputs()]
    early = making.resealed(book.records[-1], observed_at="2026-05-01T00:00:00+00:00")
    outputs[-1]["metadata"]["handson"] = early
    book.write(class_folder / "s01")
    assert codes(graded(class_folder)) == {"chain-order"}


@pytest.mark.parametrize("days", [1, -1], ids=["the clock goes on", "the clock was set back"])
def test_of_a_journal_the_last_record_of_the_chain_counts(
    book: Book, class_folder: Path, days: int
) -> None:
    first = next(record for record in book.records if record["check"] == "cluster")
    failed = making.resealed(first, observed={**first["observed"], "clusters": []})
    journal = making.Book({}, [failed])
    later = making.STARTED + timedelta(days=days)
    seen = Observation("cluster", first["target"], first["observed"], first["requests"])
    making.seal(journal, seen, learner=first["learner"], observed_at=later)
    (class_folder / "s01").mkdir()
    (class_folder / "s01" / "journal.jsonl").write_bytes(journal.journal())
    assert graded(class_folder).check("cluster").status == "passed"


def test_a_gap_is_a_note_until_the_journal_shows_that_it_is_none(
    book: Book, class_folder: Path
) -> None:
    outputs = [output for _, output in book.outputs()]
    outputs[4]["metadata"]["handson"] = making.resealed(
        book.records[4], previous="sha256:" + "0" * 64
    )
    folder = book.write(class_folder / "s01")
    gap = graded(class_folder).findings
    (folder / "journal.jsonl").write_bytes(book.journal())
    broken = graded(class_folder)
    assert [(finding.code, finding.severity) for finding in gap] == [("chain-gap", "note")]
    assert {"chain-broken", "not-in-journal"} <= codes(broken)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"target": "aws"}, "target-other"),
        ({"accounts": ("112233445566",)}, "account-other"),
        ({"region": "eu-west-1"}, "region-other"),
    ],
)
def test_evidence_from_elsewhere_does_not_count_where_it_was_asked_for(
    book: Book, class_folder: Path, asked: dict[str, Any], code: str
) -> None:
    book.write(class_folder / "s01")
    result = graded(class_folder, **asked)
    assert (result.points, {mark.reason for mark in result.checks}) == (0, {code})
    assert {finding.severity for finding in result.findings} == {"serious"}


def test_a_roster_may_name_each_learners_account(book: Book, class_folder: Path) -> None:
    book.write(class_folder / "s01")
    for account, points in (("123456789012", 80), ("999999999999", 0)):
        roster = Roster((Learner("s01", "山田 花子", "A", account),))
        assert graded(class_folder, roster=roster).points == points


@pytest.fixture
def tokyo(
    monkeypatch: pytest.MonkeyPatch, require: Callable[[str, bool, str], None]
) -> Iterator[None]:
    """Grade on a computer in Japan."""
    require("tzset", hasattr(time, "tzset"), "this system's time zone cannot be set for a test")
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_the_window_is_told_on_the_clock_of_who_grades(book: Book, class_folder: Path) -> None:
    book.write(class_folder / "s01")
    found = graded(class_folder, until=read_moment("2026-05-01")).findings
    finding = next(item for item in found if item.code == "too-late")
    assert finding.values["limit"] == "2026-05-01T00:00+09:00"
    assert finding.values["seen"].endswith("+09:00")


def test_the_window_is_told_and_withholds_nothing(book: Book, class_folder: Path) -> None:
    book.write(class_folder / "s01")
    day = timedelta(days=1)
    early = graded(class_folder, since=making.STARTED + day)
    late = graded(class_folder, until=making.STARTED - day)
    assert (codes(early), codes(late)) == ({"too-early"}, {"too-late"})
    assert (early.points, late.points) == (80, 80)


def test_another_name_than_the_one_who_hands_in_is_serious(class_folder: Path) -> None:
    making.hand_in("高橋 健", seed=1).write(class_folder / "s01")
    result = graded(class_folder)
    finding = next(found for found in result.findings if found.code == "learner-other")
    assert (finding.severity, finding.values) == ("serious", {"named": "高橋 健", "count": "6"})


@pytest.mark.parametrize("name", ["s01", "S01", "山田花子", "山田\u3000花子", "花子 山田 (s01)"])
def test_a_name_may_be_written_in_several_ways(class_folder: Path, name: str) -> None:
    making.hand_in(name, seed=1).write(class_folder / "s01")
    assert codes(graded(class_folder)) == set()


def test_a_name_that_stands_twice_in_a_record_is_told(book: Book, class_folder: Path) -> None:
    folder = book.write(class_folder / "s01")
    path = folder / "02-cluster.ipynb"
    data = path.read_bytes().replace(b'"check": "cluster"', b'"check":"network","check": "cluster"')
    path.write_bytes(data)
    assert codes(graded(class_folder)) == {"record-twins"}


def test_a_notebook_with_two_lists_of_cells_is_told(book: Book, class_folder: Path) -> None:
    folder = book.write(class_folder / "s01")
    path = folder / "04-evidence.ipynb"
    path.write_bytes(path.read_bytes().replace(b'{\n "cells"', b'{"cells": [],\n "cells"', 1))
    assert codes(graded(class_folder)) == {"file-twins"}


@pytest.mark.parametrize("schema", ["handson.evidence/2", None, 7, ["handson.evidence/1"]])
def test_another_schema_is_not_guessed_at(book: Book, class_folder: Path, schema: object) -> None:
    change(book, lambda record: making.resealed(record, schema=schema))
    book.write(class_folder / "s01")
    result = graded(class_folder)
    assert (codes(result), statuses(result)) == ({"record-schema"}, {"missing"})


def test_the_same_resource_alone_is_for_a_human_eye(class_folder: Path) -> None:
    """Two who share a VPC, with evidence of their own."""
    book = making.hand_in("山田 花子", seed=1)
    shared = making.hand_in("佐藤 太郎", seed=2).records[0]
    cell, output = next(book.outputs())
    seen = Observation("network", shared["target"], shared["observed"], book.records[0]["requests"])
    record = evidence.seal(
        seen, learner="山田 花子", previous=None, observed_at=making.STARTED + timedelta(days=9)
    )
    cell["outputs"] = [{**output, "metadata": {"handson": record}}]
    book.write(class_folder / "s01")
    found = [finding for finding in graded(class_folder).findings if finding.others]
    assert [(f.code, f.severity, f.others) for f in found] == [
        ("same-resource", "warning", ("s02 佐藤 太郎",))
    ]
    assert found[0].values["first"] == "s02 佐藤 太郎"


def test_a_default_vpc_is_nobodys(class_folder: Path) -> None:
    def default_alone(check: str, observed: dict[str, Any]) -> None:
        default = making.recorded()["network"]["observed"]["vpcs"]
        observed["vpcs"] = [vpc for vpc in default if vpc["is_default"]] * (check == "network")

    for seed, learner in enumerate(("s01", "s02")):
        book = making.hand_in("", seed=seed, observe=default_alone)
        book.write(class_folder / learner)
    assert codes(graded(class_folder)) == {"learner-unnamed"}


def test_the_notebooks_as_they_are_handed_out_prove_nothing(class_folder: Path) -> None:
    Book(dict(making.committed())).write(class_folder / "s01")
    result = graded(class_folder)
    assert (codes(result), statuses(result)) == ({"metadata-stripped"}, {"missing"})


def test_every_finding_speaks_both_languages_and_has_a_remedy() -> None:
    sentences = messages.catalogue("grading")
    advice = [name.removesuffix(".problem") for name in sentences if name.endswith(".problem")]
    assert len(advice) > 50
    for name in advice:
        for part in ("problem", "remedy"):
            assert sentences[f"{name}.{part}"]["ja"] != sentences[f"{name}.{part}"]["en"]


def test_a_finding_is_said_in_the_language_of_who_reads_it(book: Book, class_folder: Path) -> None:
    book.write(class_folder / "s01")
    finding = graded(class_folder, target="aws").findings[0]
    japanese = finding.message
    messages.use("en")
    assert "comes from emulator, not from aws" in finding.message
    assert japanese != finding.message
    assert finding.severity in SEVERITIES
    assert json.dumps(finding.to_json())


# The exercise.


TOKYO = Exercise(region="ap-northeast-1", cluster="another-cluster")


def renamed_cluster(check: str, observed: dict[str, Any]) -> None:
    for cluster in observed["clusters"]:
        cluster["name"] = TOKYO.cluster


def test_evidence_is_judged_by_the_exercise_that_grading_is_given(class_folder: Path) -> None:
    making.hand_in("山田 花子", seed=1, observe=renamed_cluster).write(class_folder / "s01")
    own = graded(class_folder, exercise=Exercise(cluster=TOKYO.cluster)).check("cluster")
    seeds = graded(class_folder).check("cluster")
    assert (own.status, seeds.status) == ("passed", "failed")


def test_the_exercise_that_a_record_names_changes_nothing(class_folder: Path) -> None:
    book = making.hand_in("山田 花子", seed=1, observe=renamed_cluster)
    named = TOKYO.to_json()
    change(book, lambda record: making.resealed(record, exercise=named, previous=None))
    book.write(class_folder / "s01")
    assert graded(class_folder).check("cluster").status == "failed"


def test_the_exercises_region_is_the_one_that_is_expected(book: Book, class_folder: Path) -> None:
    book.write(class_folder / "s01")
    found = graded(class_folder, exercise=Exercise(region="eu-west-1")).findings
    assert {(item.code, item.severity) for item in found} == {("region-other", "warning")}


def without_nulls(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: without_nulls(value) for key, value in data.items() if value is not None}
    return [without_nulls(item) for item in data] if isinstance(data, list) else data


@pytest.mark.parametrize("restore", [dict, without_nulls], ids=["kept", "dropped"])
def test_records_that_were_sealed_with_nulls_count(
    book: Book, class_folder: Path, restore: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    sealed: dict[str | None, str] = {}

    def date_back(record: dict[str, Any]) -> dict[str, Any]:
        old = {name: value for name, value in record.items() if name not in ("digest", "exercise")}
        old["previous"] = sealed.get(record.get("previous"))
        old["target"] = {"endpoint": None, **record["target"]}
        old["observed"] = Snapshot.from_json(record["observed"]).to_json()
        sealed[record["digest"]] = evidence.digest_of(old)
        return restore({**old, "digest": sealed[record["digest"]]})

    change(book, date_back)
    book.write(class_folder / "s01")
    result = graded(class_folder)
    assert (result.points, result.findings) == (80, ())
