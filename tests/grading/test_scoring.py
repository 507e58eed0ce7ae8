"""What notebooks hold while nbgrader executes them: points by evidence, and nothing touched."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import handson
from handson.core import messages
from handson.core.errors import InvalidInput
from handson.course import syllabus
from handson.notebook import widgets
from handson.notebook.nbgrader import CheckScore, ScoringWorkshop
from handson.notebook.workshop import Workshop

from . import making
from .making import Book

POINTS = ["30", "15", "10", "15", "10"]


@pytest.fixture
def book() -> Book:
    return making.hand_in("山田 花子", seed=1)


@pytest.fixture
def executing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def refuse(*_: object) -> None:
        raise AssertionError("something was called")

    def start(step: str = "autograde", **settings: str) -> Any:
        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("NBGRADER_EXECUTION", step)
        for name, value in settings.items():
            monkeypatch.setenv(f"HANDSON_{name.upper()}", value)
        return handson.start(learner="花子")

    return start


def keep(folder: Path, journal: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "journal.jsonl").write_bytes(journal)
    return folder


def scores(folder: Path) -> list[CheckScore]:
    held = ScoringWorkshop([folder])
    return [held.evidence(check) for check in syllabus.CHECK_IDS]


def shown(score: CheckScore) -> str:
    return str(score._repr_mimebundle_()["text/plain"])


def written(score: CheckScore) -> str:
    return str(score._repr_mimebundle_()["text/html"]).replace("<wbr>", "")


def test_evidence_in_a_journal_or_in_notebooks_gets_its_points(book: Book, tmp_path: Path) -> None:
    folders = [keep(tmp_path / "a", book.journal()), book.write(tmp_path / "b")]
    assert [list(map(shown, scores(folder))) for folder in folders] == [POINTS, POINTS]


def test_without_evidence_or_automatic_points_there_are_none(tmp_path: Path) -> None:
    lines = [b"", b"\xff\n", b'{"schema": 1}\n', b"[" * 100_000, b"null\n"]
    folders = [keep(tmp_path / str(number), data) for number, data in enumerate(lines)]
    folders += [tmp_path / "none", Book(making.committed()).write(tmp_path / "handed-out")]
    found = [score for folder in folders for score in scores(folder)]
    assert {shown(score) for score in found} == {"0"}
    assert all("journal.jsonl" in written(score) for score in scores(tmp_path / "none"))
    workshop = ScoringWorkshop([tmp_path])
    with pytest.raises(InvalidInput, match="netwrk"):
        workshop.evidence("netwrk")
    assert "nbgrader" in repr(workshop.evidence("architecture"))
    assert "nbgrader" in repr(workshop.ensure_network(name="x").vpc.id)


def test_a_fact_that_is_wrong_gets_nothing_and_is_shown_with_its_remedy(tmp_path: Path) -> None:
    def other_block(check: str, seen: dict[str, Any]) -> None:
        if check == "network":
            seen["vpcs"][0]["cidr"] = "10.9.0.0/16"

    book = making.hand_in("<script>alert(1)</script>", seed=1, observe=other_block)
    network, *others = scores(keep(tmp_path, book.journal()))
    assert [shown(network), *map(shown, others)] == ["0", *POINTS[1:]]
    assert [sign for sign in ("10.9.0.0/16", "→") if sign not in written(network)] == []
    assert [score for score in (network, *others) if "<script>" in written(score)] == []


def test_evidence_that_does_not_count_says_why(book: Book, tmp_path: Path) -> None:
    changed = book.journal().replace(b'"name":"ecs-handson-cluster"', b'"name":"another-cluster"')
    messages.use("en")
    cluster = scores(keep(tmp_path, changed))[1]
    assert shown(cluster) == "0"
    assert "changed after it was sealed" in written(cluster)
    (tmp_path / "journal.jsonl").unlink()
    (tmp_path / "journal.jsonl").symlink_to("/etc/hostname")
    assert scores(tmp_path)[0].findings[0].where == "journal.jsonl"


def test_verbs_and_widgets_create_nothing_call_nobody_and_say_so_only_in_their_cells(
    executing: Callable[..., Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    of_aws = {"target": "aws", "aws_account": "123456789012", "engine": "docker"}
    for step in ("autograde", "validate"):
        held = executing(step, home=str(tmp_path / "home"), **of_aws)
        for verb in (name for name in vars(Workshop) if not name.startswith("_")):
            getattr(held, verb)("network") if verb == "evidence" else getattr(held, verb)()
        asked = (widgets.form(held, "network"), widgets.board(held))
        for widget in (*asked, widgets.questions(held, "why-zones")):
            bundle = widget._repr_mimebundle_()
            assert set(bundle) == {"text/plain", "text/html"}
            assert "nbgrader" in bundle["text/plain"]
            assert not bundle["text/plain"].strip().isdigit()  # nbgrader would take it for points
    assert (capfd.readouterr(), list(tmp_path.iterdir())) == (("", ""), [])


def test_only_a_learner_who_validates_reads_a_home_folder(
    book: Book, executing: Callable[..., Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = str(keep(tmp_path / ".elsewhere", book.journal()))
    for step, points in (("autograde", "0"), ("validate", "30")):
        assert shown(executing(step, home=home).evidence("network")) == points
    assert capfd.readouterr() == ("", "")
