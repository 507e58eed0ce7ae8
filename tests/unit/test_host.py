"""What stands in a browser's tab for threads, tried on a computer."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handson.core.host import CallingWorkers
from handson.notebook import tab


def test_workers_of_a_tab_do_the_work_when_it_is_given() -> None:
    done: list[int] = []
    with CallingWorkers(8) as pool:
        first = pool.submit(done.append, 1)
        assert (first.done(), done) == (True, [1])
        assert list(pool.map(str, [2, 3])) == ["2", "3"]
        failed = pool.submit(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        failed.result()


def test_a_notebook_of_a_tab_notes_after_each_cell_what_is_done(tmp_path: Path) -> None:
    cells: dict[str, Any] = {}
    events, completer = SimpleNamespace(register=cells.__setitem__), SimpleNamespace(use_jedi=True)
    shell = SimpleNamespace(events=events, Completer=completer, user_ns={})
    tab.prepare_tab(shell)
    cells["post_run_cell"]("its result")  # the workshop has not started
    done = SimpleNamespace(count_done=lambda: {"01-network": (1, 3)})
    for name in ("home", "file"):
        where = SimpleNamespace(home=tmp_path / name)
        shell.user_ns["workshop"] = SimpleNamespace(settings=where, overview=lambda: done)
        (tmp_path / "file").touch()  # in which nothing can be kept
        (tmp_path / "home").mkdir(exist_ok=True)
        cells["post_run_cell"]("its result")
    assert json.loads((tmp_path / "home" / tab.NOTES).read_bytes()) == {"01-network": [1, 3]}
    assert completer.use_jedi is False
