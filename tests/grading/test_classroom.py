"""A class: every submission graded, in the roster's order, and compared with the others."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from handson.core.errors import InvalidInput
from handson.grading import Grades, Learner, Requirements, Roster, grade_class
from handson.grading.output import format_json

from . import making
from .making import sealed, zipped

ROSTER = Roster((Learner("s02", "B"), Learner("s01", "A"), Learner("s03", "C")))
ASKED = Requirements(roster=ROSTER)


def put(folder: Path, **named: str) -> Path:
    for name, learner in named.items():
        (folder / name).mkdir()
        id = str(uuid5(NAMESPACE_URL, learner))
        request = {"service": "ecs", "operation": "DescribeClusters", "request_id": id}
        record = sealed(learner=learner, requests=[request])
        (folder / name / "journal.jsonl").write_text(json.dumps(record))
    return folder


def codes(grades: Grades) -> list[tuple[str, list[str]]]:
    return [(each.learner.id, [f.code for f in each.findings if f.code != "notebook-missing"])
            for each in grades.results]  # fmt: skip


def test_learners_stand_in_the_rosters_order_and_the_others_after_them(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    (put(tmp_path, s99="s99", s01="s01", s02="s02") / "m").mkdir()
    grades = grade_class([tmp_path], ASKED, on_progress=lambda *done: seen.append(done))
    others = [("m", ["nothing-handed-in", "not-in-roster"]), ("s99", ["not-in-roster"])]
    assert codes(grades) == [("s02", []), ("s01", []), ("s03", ["nothing-handed-in"]), *others]
    assert [each.handed_in for each in grades.results] == [True, True, False, False, True]
    assert (grades.readable, seen) == (3, [(1, 4), (2, 4), (3, 4), (4, 4)])


def test_a_folder_with_a_part_of_a_learners_name_is_another_persons(tmp_path: Path) -> None:
    put(tmp_path, **{"Yang Yang": "Yang Yang", "Yang Wei": "Yang Wei"})
    roster = Roster((Learner("s001", "Yang Yang"), Learner("s002", "楊 威")))
    grades = grade_class([tmp_path], Requirements(roster=roster))
    others = [("s002", ["nothing-handed-in"]), ("Yang Wei", ["not-in-roster"])]
    assert codes(grades) == [("s001", []), *others]


def test_folders_without_a_file_of_a_learners_are_nothing_to_grade(tmp_path: Path) -> None:
    for name in ("", "s01", "s02/Feedback Attachment(s)"):
        (tmp_path / name).mkdir(exist_ok=True, parents=True)
        (tmp_path / name / "timestamp.txt").write_text("20261128")
        for roster in (ROSTER, Roster()):
            with pytest.raises(InvalidInput, match="採点する提出物がありません"):
                grade_class([tmp_path], Requirements(roster=roster))


def test_one_sentence_tells_that_folders_bear_accounts(tmp_path: Path) -> None:
    put(tmp_path, **{"hanako-y": "山田 花子", "2026002@0095": "佐藤 太郎", "s99": "s99"})
    grades = grade_class([tmp_path])
    names = [(each.learner.id, each.learner.name) for each in grades.results]
    assert names == [("2026002@0095", "佐藤 太郎"), ("hanako-y", "山田 花子"), ("s99", "")]
    assert [notice.partition("人")[0] for notice in grades.notices] == ["2 "]


def test_two_processes_find_what_one_finds(tmp_path: Path) -> None:
    put(tmp_path, **{f"s{number}": f"s{number % 9}" for number in range(30)})
    one, two = (format_json(grade_class([tmp_path], workers=workers)) for workers in (1, 2))
    assert one == two


def test_two_submissions_of_one_learner_are_told_with_the_places(tmp_path: Path) -> None:
    one, other = (f"s01_{number}_assignsubmission_file_" for number in (1, 2))
    put(tmp_path, **{one: "s01", other: "S01"})
    grades = grade_class([tmp_path], Requirements(roster=Roster((Learner("s01"),))))
    told = [(each.findings[0].code, each.findings[0].others) for each in grades.results]
    assert told == [("learner-twice", (f"{tmp_path.name}/{name}",)) for name in (other, one)]


PLACED = {
    "s01": ("ppppp", "same-record same-request same-resource answers-alike"),
    "s02": ("ppppp", "same-record same-request same-resource answers-alike learner-other"),
    "s03": ("ppppp", ""),
    "s04": ("ppppp", ""),
    "s05": ("ppppp", ""),
    "s06": ("ppppp", "chain-forked not-in-journal requests-again"),
    "s07": ("-----", "nothing-readable file-not-json"),
    "s08": ("-fppp", "file-bomb file-link notebook-missing"),
}


class Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch pickle-was-loaded",)


def hand_in_all(inbox: Path) -> None:
    books = {name: making.hand_in(name, seed=n,
                                  observe=making.no_cluster if name in ("s06", "s08") else None)
             for n, name in enumerate(PLACED)}  # fmt: skip
    for number, cell in enumerate(books["s04"].cells()):  # as Colab saves them
        del cell["id"]
        cell["metadata"] = {"id": f"x7Yz{number:08}"}
    for cell in books["s05"].cells():
        cell["outputs"] = []
    for output in books["s06"].cell("cluster-evidence-record")["outputs"]:  # forged
        seen = making.recorded()["cluster"]["observed"]
        forged = making.resealed(output["metadata"]["handson"], observed=seen)
        output["metadata"] = {"handson": forged}
    bomb = zipped({"01-network.ipynb": b" " * 7_000_000})
    in_zip = {f"XXXX/{name}": data for name, data in books["s03"].files().items()}
    files = {
        **{"s01": books["s01"].files(), "s02": books["s01"].files()},
        "s04": books["s04"].files(),
        "s05": {**books["s05"].files(), "work/.handson/journal.jsonl": books["s05"].journal()},
        "s06": {**books["s06"].files(), "journal.jsonl": books["s06"].journal()},
        "s07": {name: pickle.dumps(Bomb()) for name in books["s07"].files()},
        "s08": {**books["s08"].files(), "more.zip": bomb},
        "": {"s03_山田.zip": zipped(in_zip).replace(b"XXXX/", "提出/".encode("cp932"))},
    }
    for folder, saved in files.items():
        for name, data in saved.items():
            path = inbox / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    (inbox / "s08" / "01-network.ipynb").unlink()
    (inbox / "s08" / "01-network.ipynb").symlink_to(inbox / "s01" / "01-network.ipynb")


def test_each_learner_is_placed_rightly_and_nothing_is_executed(tmp_path: Path) -> None:
    hand_in_all(tmp_path)
    roster = Roster(tuple(map(Learner, PLACED)))
    letters = {"passed": "p", "failed": "f", "unproven": "?", "missing": "-"}
    results = grade_class([tmp_path], Requirements(roster=roster)).results
    marks = ["".join(letters[mark.status] for mark in each.checks) for each in results]
    told = [{finding.code for finding in each.to_review()} for each in results]
    placed = zip(PLACED, zip(marks, told, strict=True), strict=True)
    assert dict(placed) == {name: (of, {*codes.split()}) for name, (of, codes) in PLACED.items()}
    assert [*Path.cwd().glob("pickle-*"), *tmp_path.rglob("pickle-*")] == []
