"""The activity log: what a learner's errors leave for the class board, and what they do not."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from handson.core import folders
from handson.core.errors import AWSError, InvalidInput, NotReady
from handson.core.text import check_choice
from handson.course import activity
from handson.course.activity import Activity, add_activity, name_error, read_activities

AT = datetime(2026, 5, 11, 1, tzinfo=UTC)
SECRET = "hunter2"


def read(home: Path) -> list[dict[str, Any]]:
    path = home / activity.LOG
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run cells, each with an id, of a kernel that has started 01-network; return the errors."""
    monkeypatch.setenv(folders.SESSION, str(tmp_path / "01-network-Copy1.ipynb"))
    shell = InteractiveShell()
    activity.begin_log(shell, tmp_path)
    activity.begin_log(shell, tmp_path)

    def run_cells(*cells: tuple[str, str]) -> list[str]:
        for name, source in cells:
            shell.run_cell(source, cell_id=name)
        return [line["error"] for line in read(tmp_path)][2:]

    yield run_cells
    activity.begin_log(None, None)


def test_each_error_and_its_end_is_a_line_without_anything_of_the_learners(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = f"class {SECRET}(ValueError): pass\nraise {SECRET}('{SECRET}')"
    ours = "from handson import NotReady; raise NotReady.from_key('drawing.no-diagram')"
    cells = [("a", f"{SECRET}("), ("b", own), ("c", ours), ("d", "1"), ("c", "1"), ("c", "1")]
    cells += [("e", "raise KeyboardInterrupt"), ("e", "no_such_name")]
    expected = ["SyntaxError", "ValueError", "drawing.no-diagram", "", "NameError"]
    assert run(*cells) == expected
    assert {line["notebook"] for line in read(tmp_path)} == {"01-network"}
    assert {tuple(line) for line in read(tmp_path)} == {("at", "notebook", "error")}
    assert SECRET not in (tmp_path / activity.LOG).read_text("utf-8")
    assert SECRET in capsys.readouterr().out


def test_the_name_of_another_notebook_is_left_out_and_off_is_off(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(folders.SESSION, f"{SECRET}.ipynb")
    run(("a", "1/0"))
    assert read(tmp_path)[-1] | {"at": ""} == {
        "at": "",
        "notebook": "",
        "error": "ZeroDivisionError",
    }
    activity.begin_log(None, None)
    assert run(("a", "1/0")) == ["ZeroDivisionError"]


def test_an_error_is_named_by_its_key_else_by_its_code_else_by_its_class() -> None:
    with pytest.raises(InvalidInput) as chosen:
        check_choice("drawing.view", SECRET, ["aws"])
    with pytest.raises(NotReady) as closed, NotReady.replace_os_errors("parity.unwritable", path=1):
        raise OSError(SECRET)
    errors = [
        chosen.value,
        closed.value,
        AWSError("", "", code="InvalidVpc.Range"),
        AWSError("", ""),
    ]
    assert [name_error(each) for each in errors] == [
        "drawing.view", "parity.unwritable", "InvalidVpc.Range", "AWSError",
    ]  # fmt: skip


def test_the_log_is_its_owners_alone_and_reads_back(tmp_path: Path) -> None:
    written = [Activity(AT, "01-network", error) for error in ("NameError", "", "x" * 120)]
    for each in written:
        add_activity(tmp_path, each)
    path = tmp_path / activity.LOG
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [*read_activities(path.read_bytes().split(b"\n"))] == written


def test_a_log_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / activity.LOG).mkdir()
    add_activity(tmp_path, Activity(AT))
    add_activity(tmp_path / "nowhere", Activity(AT))
    assert os.listdir(tmp_path) == [activity.LOG]


def test_a_line_of_another_form_is_left_out() -> None:
    lines = [
        b'{"at":"2026-05-11T01:00:00Z","error":"NameError"}', b"",
        b'{"at":"2026-05-11T01:00:00","error":""}', b'{"at":"2026-05-', b"[" * 100_000,
        b'{"at":"2026-05-11T01:00:00Z","error":"%s"}' % (b"x" * 121), b"\xff\xfe",
    ]  # fmt: skip
    assert [*read_activities(lines)] == [Activity(AT, "", "NameError")]
