"""What a learner hands in: one zip, which grading reads as it reads the folder; and its gaps."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handson.core import messages
from handson.core.errors import NotReady
from handson.course import evidence
from handson.grading import Learner, Requirements, Roster, export_names, grade_class
from handson.grading.notebooks import load_handout
from handson.notebook.hand_in import HandInFile, write_hand_in

from . import making
from .making import Book

NAME = "山田 花子"
FILES = [*(f"{name}.ipynb" for name in making.committed()), "journal.jsonl"]


@pytest.fixture(autouse=True)
def japanese() -> None:
    messages.use("ja")


@pytest.fixture
def book() -> Book:
    return making.hand_in(NAME, seed=1)


def hand_in(book: Book, folder: Path, learner: str = NAME) -> HandInFile:
    home = folder / ".handson"
    home.mkdir(parents=True, exist_ok=True)
    return write_hand_in(folder, book.records, learner=learner, home=home, beside=folder)


def marks(path: Path) -> Any:
    """Return what grading makes of a zip or a folder, but for what it is called."""
    [result] = grade_class([path]).results
    answers = [(answer.status, answer.text) for answer in result.written]
    codes = [finding.code for finding in result.findings if finding.code != "learner-other"]
    return [check.to_json()["status"] for check in result.checks], answers, codes


def test_the_zip_holds_what_is_graded_and_nothing_else_and_gets_the_folders_marks(
    book: Book, tmp_path: Path
) -> None:
    folder = book.write(tmp_path / "work")
    (folder / ".01-network.ipynb").write_text("{}")
    (folder / "secret.txt").write_text("x")
    assert hand_in(book, folder).gaps == []
    (folder / ".handson" / "proof.jwt").write_text("a.b.c")
    handed = hand_in(book, folder)  # again: it replaces the first
    assert (handed.card().state, handed.path.name) == ("ok", f"{NAME}.zip")
    assert zipfile.ZipFile(handed.path).namelist() == [*FILES, "proof.jwt"]
    assert [path.name for path in folder.glob("*.zip")] == [handed.path.name]
    for learner_of in (handed.path, folder):  # the folder, which holds the zip, too
        assert marks(learner_of)[0] == ["passed"] * 5
    (folder / ".handson" / "proof.jwt").unlink()
    assert marks(hand_in(book, folder).path) == marks(folder)


def test_the_zips_of_a_class_are_told_apart_by_their_names(tmp_path: Path) -> None:
    names = ["Conan O'Brien", "s01/山田_花子", NAME]
    for number, name in enumerate(names):
        book = making.hand_in(name, seed=number)
        handed = hand_in(book, book.write(tmp_path / str(number)), name)
        (tmp_path / "inbox").mkdir(exist_ok=True)
        shutil.move(handed.path, tmp_path / "inbox")
    results = grade_class([tmp_path / "inbox"]).results
    assert [(each.learner.id, each.points) for each in results] == [
        ("Conan O'Brien", 80),
        ("s01-山田-花子", 80),
        (NAME, 80),
    ]
    codes = {finding.code for each in results for finding in each.findings}
    assert [code for code in codes if code.startswith("learner")] == []


@pytest.mark.parametrize("is_listed", [True, False])
def test_the_folders_that_a_hub_keeps_are_each_learner_once_by_the_hubs_name(
    is_listed: bool, tmp_path: Path
) -> None:
    users = ["ben", "s1001", "taro.yamada@example.ac.jp", "鈴木一郎"]
    for number, user in enumerate(users):
        book = making.hand_in(user, seed=number)
        folder, beside = tmp_path / "hand-ins" / user, tmp_path / f"home-{number}"
        folder.mkdir(parents=True)
        home = book.write(beside)
        write_hand_in(folder, book.records, learner=user, home=home, beside=beside)
    (tmp_path / "hand-ins" / "zoe").mkdir()  # who has not handed in
    roster = Roster(tuple(map(Learner, [*users, "zoe"]))) if is_listed else Roster()
    results = grade_class([tmp_path / "hand-ins"], Requirements(roster=roster)).results
    found = [
        (each.learner.id, each.points, [one.code for one in each.findings]) for each in results
    ]
    expected = {user: (80, []) for user in users} | {"zoe": (0, ["nothing-handed-in"])}
    assert {learner: tuple(rest) for learner, *rest in found} == expected
    assert len(found) == len(expected)


@making.FEW
@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=57))
def test_a_zips_name_is_one_for_every_disk_and_names_nobody_else(learner: str) -> None:
    name = export_names.make_zip_name(learner)
    owner = export_names.find_person(name).name
    assert not set(name) & set('<>:"/\\|?*\n')
    assert name[0] not in ". "
    assert len(name.encode()) < 240
    assert owner == "" or export_names.is_same_person(owner, learner)


def empty(book: Book) -> None:
    """Leave a question as it was handed out."""
    book.cell("why-zones")["source"] = Book(making.committed()).cell("why-zones")["source"]


def unnamed(book: Book) -> None:
    """Record the cluster's evidence as before the name was given."""
    record = making.resealed(book.records[1], learner="")
    book.records[1] = record
    for output in book.cell("cluster-evidence-record")["outputs"]:
        output["metadata"] = {evidence.METADATA_KEY: record}


def fail_later(book: Book) -> None:
    """Record the cluster again, without a cluster, and save neither."""
    seen = {**book.records[1]["observed"], "clusters": []}
    later = {"observed": seen, "observed_at": "2026-05-13T01:00:00+00:00"}
    book.records.append(making.resealed(book.records[1], **later))


def overwrite(book: Book) -> None:
    """Save another tab, which has not run the cell."""
    book.cell("cluster-evidence-record")["outputs"] = []


def drop_record(book: Book) -> None:
    overwrite(book)
    del book.records[1]


GAPS: dict[str, tuple[Callable[[Book], object], list[tuple[str, str]]]] = {
    "unanswered": (empty, [("unanswered", "05-architecture")]),
    "unnamed": (unnamed, [("other-name", "02-cluster")]),
    "not saved": (fail_later, [("unsaved", "02-cluster")]),
    "overwritten": (overwrite, [("unsaved", "02-cluster")]),
    "without evidence": (drop_record, [("missing", "02-cluster")]),
    "without a notebook": (
        lambda book: book.notebooks.pop("02-cluster"),
        [("no-notebook", "02-cluster"), ("unsaved", "02-cluster")],
    ),
    "renamed": (lambda book: book.notebooks.update(mine=book.notebooks.pop("02-cluster")), []),
    "cut off": (
        lambda book: book.notebooks.update({"02-cluster": "{"}),
        [("no-notebook", "02-cluster"), ("unreadable", "02-cluster.ipynb"),
         ("unsaved", "02-cluster")],
    ),
    "too large": (
        lambda book: book.notebooks["02-cluster"].update(pad="x" * 40_000_000),
        [("no-notebook", "02-cluster"), ("unreadable", "02-cluster.ipynb"),
         ("unsaved", "02-cluster")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GAPS)
def test_each_gap_is_named_with_its_notebook_and_what_to_do(
    name: str, book: Book, tmp_path: Path
) -> None:
    spoil, expected = GAPS[name]
    spoil(book)
    handed = hand_in(book, book.write(tmp_path / "work"))
    assert sorted((gap.state, gap.place) for gap in handed.gaps) == expected
    said = repr(handed)
    assert said.count("→") == len({state for state, _ in expected})
    assert all(place in said for _, place in expected)


def test_a_check_that_failed_and_a_name_that_is_missing_come_first(tmp_path: Path) -> None:
    book = making.hand_in("", seed=1, observe=making.no_cluster)
    handed = hand_in(book, book.write(tmp_path / "work"), "")
    assert [gap.state for gap in handed.gaps] == ["no-name", "failed"]
    assert [item.state for item in handed.items[:3]] == ["no-name", "failed", "ok"]
    assert 'handson.start(learner="' in repr(handed)
    assert (handed.path.name, marks(handed.path)[0].count("passed")) == ("submission.zip", 4)


def test_what_another_tab_overwrote_is_graded_by_the_journal_in_the_zip(
    book: Book, tmp_path: Path
) -> None:
    for cell in load_handout().evidence:
        book.cell(cell)["outputs"] = []
    handed = hand_in(book, book.write(tmp_path / "work"))
    assert {gap.state for gap in handed.gaps} == {"unsaved"}
    assert marks(handed.path)[0] == ["passed"] * 5


def test_a_zip_that_cannot_be_written_says_why_and_stays_as_it_was(
    book: Book, tmp_path: Path
) -> None:
    folder = book.write(tmp_path / "work")
    (folder / f"{NAME}.zip").mkdir()
    with pytest.raises(NotReady, match=NAME):
        hand_in(book, folder)
    with pytest.raises(NotReady, match="gone"):
        write_hand_in(tmp_path / "gone", book.records, learner=NAME, home=folder, beside=folder)
