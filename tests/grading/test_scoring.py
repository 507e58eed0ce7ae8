"""What notebooks hold while nbgrader executes them: points by evidence, and nothing touched."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import handson
from handson import grading
from handson.core import messages
from handson.core.errors import InvalidInput
from handson.course import syllabus
from handson.notebook import nbgrader, widgets
from handson.notebook.nbgrader import CheckScore, ScoringWorkshop
from handson.notebook.workshop import Workshop

from . import making
from .making import Book

POINTS = [str(check.points) for check in syllabus.CHECKS]
NOTHING = ["0"] * len(POINTS)


@pytest.fixture
def book() -> Book:
    return making.hand_in("山田 花子", seed=1)


@pytest.fixture
def executing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Answer ``executing()`` with what a notebook in `tmp_path` holds under nbgrader."""

    def start(step: str = "autograde", **settings: str) -> Any:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("NBGRADER_EXECUTION", step)
        for name, value in settings.items():
            monkeypatch.setenv(f"HANDSON_{name.upper()}", value)
        return handson.start(learner="花子")

    return start


def scores(folder: Path) -> list[CheckScore]:
    held = ScoringWorkshop([folder])
    return [held.evidence(check) for check in syllabus.CHECK_IDS]


def shown(score: CheckScore) -> str:
    """Return what nbgrader takes as the points of a cell."""
    return str(score._repr_mimebundle_()["text/plain"])


def written(score: CheckScore) -> str:
    return str(score._repr_mimebundle_()["text/html"]).replace("<wbr>", "")


def test_evidence_beside_the_notebooks_gets_its_points(book: Book, tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(book.journal())
    assert [shown(score) for score in scores(tmp_path)] == POINTS


def test_evidence_in_the_notebooks_gets_them_too(book: Book, tmp_path: Path) -> None:
    book.write(tmp_path)
    assert [shown(score) for score in scores(tmp_path)] == POINTS


def test_nothing_at_all_gets_nothing_and_says_what_to_hand_in(tmp_path: Path) -> None:
    found = scores(tmp_path)
    assert [shown(score) for score in found] == NOTHING
    assert all("journal.jsonl" in written(score) for score in found)


def test_a_fact_that_is_wrong_gets_nothing_and_is_shown_with_its_remedy(tmp_path: Path) -> None:
    def other_block(check: str, seen: dict[str, Any]) -> None:
        if check == "network":
            seen["vpcs"][0]["cidr"] = "10.9.0.0/16"

    book = making.hand_in("山田 花子", seed=1, observe=other_block)
    (tmp_path / "journal.jsonl").write_bytes(book.journal())
    network, *others = scores(tmp_path)
    assert [shown(network), *map(shown, others)] == ["0", *POINTS[1:]]
    assert ("10.9.0.0/16" in written(network), "→" in written(network)) == (True, True)


def test_evidence_that_was_changed_gets_nothing_and_says_why(book: Book, tmp_path: Path) -> None:
    changed = book.journal().replace(b'"name":"ecs-handson-cluster"', b'"name":"another-cluster"')
    (tmp_path / "journal.jsonl").write_bytes(changed)
    messages.use("en")
    cluster = scores(tmp_path)[1]
    assert (shown(cluster), "changed after it was sealed" in written(cluster)) == ("0", True)


def test_the_notebooks_as_they_are_handed_out_get_nothing(tmp_path: Path) -> None:
    Book(making.committed()).write(tmp_path)
    assert [shown(score) for score in scores(tmp_path)] == NOTHING


def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").symlink_to("/etc/hostname")
    assert "journal.jsonl" in scores(tmp_path)[0].findings[0].where


@pytest.mark.parametrize("lines", [b"", b"\xff\n", b'{"schema": 1}\n', b"[" * 100_000, b"null\n"])
def test_no_journal_stops_the_scoring(tmp_path: Path, lines: bytes) -> None:
    (tmp_path / "journal.jsonl").write_bytes(lines)
    assert [shown(score) for score in scores(tmp_path)] == NOTHING


def test_a_strangers_words_are_escaped(tmp_path: Path) -> None:
    book = making.hand_in("<script>alert(1)</script>", seed=1)
    (tmp_path / "journal.jsonl").write_bytes(book.journal())
    assert [("<script>" in written(score)) for score in scores(tmp_path)] == [False] * len(POINTS)


@pytest.mark.parametrize("spoilt", ["network", "cluster", "repository", "image", "image-uri"])
def test_points_are_those_that_the_command_gives(tmp_path: Path, spoilt: str) -> None:
    def spoil(check: str, seen: dict[str, Any]) -> None:
        if check == spoilt:
            seen["target"]["region"] = "eu-west-1"

    book = making.hand_in("s01", seed=1, observe=spoil)
    book.write(tmp_path / "s01")
    grades = grading.grade_class([tmp_path])
    (result,) = grades.results
    assert [str(mark.points) for mark in result.checks] == list(map(shown, scores(tmp_path)))


def test_a_check_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="netwrk"):
        ScoringWorkshop([tmp_path]).evidence("netwrk")


def test_the_drawing_task_is_left_for_a_person_to_mark(tmp_path: Path) -> None:
    assert "nbgrader" in repr(ScoringWorkshop([tmp_path]).evidence("architecture"))


def test_a_notebook_holds_it_while_nbgrader_executes_it(executing: Callable[..., Any]) -> None:
    assert isinstance(executing(), ScoringWorkshop)


def test_starting_creates_nothing_and_calls_nobody(
    executing: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was called")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    home = str(tmp_path / "home")
    held = executing(target="aws", aws_account="123456789012", engine="docker", home=home)
    for verb in (name for name in vars(Workshop) if not name.startswith("_")):
        getattr(held, verb)("network") if verb == "evidence" else getattr(held, verb)()
    assert list(tmp_path.iterdir()) == []


def test_a_verb_is_left_undone_whatever_is_done_with_its_result(tmp_path: Path) -> None:
    undone = ScoringWorkshop([tmp_path]).ensure_network(name="x").vpc.id
    assert "nbgrader" in repr(undone)


def test_nothing_is_said_on_standard_error(
    book: Book, executing: Callable[..., Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "journal.jsonl").write_bytes(book.journal())
    held = executing()
    assert ([shown(held.evidence(check)) for check in syllabus.CHECK_IDS], capfd.readouterr()) == (
        POINTS,
        ("", ""),
    )


WIDGETS: dict[str, Callable[[Any], Any]] = {
    "form": lambda held: widgets.form(held, "network"),
    "board": widgets.board,
    "questions": lambda held: widgets.questions(held, "why-zones"),
}


@pytest.mark.parametrize("name", WIDGETS)
@pytest.mark.parametrize("step", ["autograde", "validate"])
def test_a_widget_touches_nothing_and_says_so(
    executing: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
    step: str,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was called")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    shown = WIDGETS[name](executing(step, home=str(tmp_path / "home")))
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "nbgrader" in bundle["text/plain"]
    assert not bundle["text/plain"].strip().isdigit()  # which nbgrader would take for points
    assert (capfd.readouterr(), list(tmp_path.iterdir())) == (("", ""), [])


@pytest.mark.parametrize(("step", "points"), [("validate", "30"), ("autograde", "0")])
def test_only_a_learner_who_validates_reads_a_home_folder(
    book: Book, executing: Callable[..., Any], tmp_path: Path, step: str, points: str
) -> None:
    home = tmp_path / ".elsewhere"
    home.mkdir()
    (home / "journal.jsonl").write_bytes(book.journal())
    assert shown(executing(step, home=str(home)).evidence("network")) == points


def test_it_speaks_the_language_of_the_environment(executing: Callable[..., Any]) -> None:
    assert "neither AWS" in repr(executing(lang="en"))


def test_outside_of_nbgrader_nothing_is_executed() -> None:
    assert "NBGRADER_EXECUTION" not in os.environ
    assert nbgrader.settings.nbgrader_step() == ""
