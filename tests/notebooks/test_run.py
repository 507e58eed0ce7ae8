"""Notebooks in real kernels: `handson run`, what a kernel shows, a run that fails or is stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from handson.aws import emulator, settings
from handson.notebook import replay
from handson.course import syllabus
from handson.core.cards import MARKS
from handson.course.evidence import Journal, is_intact
from handson.notebook.replay import Outcome
from handson.core.waiting import wait_until

pytestmark = pytest.mark.notebooks

ROOT = Path(__file__).parents[2]
SLEEP = "import os, pathlib, time; pathlib.Path('{}').write_text(str(os.getpid())); time.sleep(60)"


def environment(home: Path) -> dict[str, str]:
    own = {"HANDSON_HOME": str(home), "HANDSON_ENGINE": "builtin", "PYTHONPATH": str(ROOT)}
    return {**os.environ, **own, "PYTHONUTF8": "1"}


def start(home: Path, *words: str, cwd: Path = ROOT) -> subprocess.Popen[str]:
    """Start `handson run`, which Ctrl-C reaches as it does in a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "handson", "run", *words],
        cwd=cwd,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )


def write_edition(folder: Path, **cells: list[Any]) -> Path:
    """Write a Japanese edition with the given cells in some notebooks and none in the others."""
    edition = folder / "notebooks" / "ja"
    edition.mkdir(parents=True)
    for name in syllabus.NOTEBOOKS:
        key = "n" + name.partition("-")[0]
        book = new_notebook(cells=cells.get(key, []))
        nbformat.write(book, edition / f"{name}.ipynb")
    return edition


def code(source: str, **changes: Any) -> Any:
    return new_code_cell(source, **changes)


def outputs(copy: Path) -> list[list[Any]]:
    """Return the outputs of each code cell."""
    node = nbformat.read(copy, as_version=4)
    return [cell.outputs for cell in node.cells if cell.cell_type == "code"]


# The whole workshop, once


@dataclass(frozen=True)
class Finished:
    """A run that has ended: where it ran, and what it said."""

    home: Path
    code: int
    out: str
    err: str
    sources: dict[Path, bytes]

    @property
    def folder(self) -> Path:
        return self.home / "run"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    home = tmp_path_factory.mktemp("run") / "home"
    sources = {path: path.read_bytes() for path in (ROOT / "notebooks" / "ja").glob("*.ipynb")}
    process = start(home)
    out, err = process.communicate(timeout=180)
    yield Finished(home, process.returncode, out, err, sources)
    emulator.stop_emulator(home)


def test_a_run_in_which_all_checks_pass_ends_with_0(finished: Finished) -> None:
    assert finished.code == 0, finished.out + finished.err


def test_results_go_to_standard_output_alone(finished: Finished) -> None:
    first, *rest = finished.out.splitlines()
    ticked = [line for line in rest if "✔" in line]
    assert (first.partition("(")[0], len(ticked)) == ("✔ 5 項目のうち 5 項目ができています", 5)


def test_progress_goes_to_standard_error_a_line_a_notebook(finished: Finished) -> None:
    lines = finished.err.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(syllabus.NOTEBOOKS)


def test_it_says_where_the_notebooks_and_the_picture_are(finished: Finished) -> None:
    seen = [str(finished.folder) in finished.out, str(finished.folder / "aws.svg") in finished.out]
    assert seen == [True, True]


def test_its_last_line_says_how_to_begin_anew(finished: Finished) -> None:
    assert "handson emulator reset" in finished.out.splitlines()[-1]


def test_every_notebook_is_kept_executed(finished: Finished) -> None:
    kept = sorted(path.stem for path in finished.folder.glob("*.ipynb"))
    assert kept == list(syllabus.NOTEBOOKS)


def test_the_pictures_are_beside_them(finished: Finished) -> None:
    kept = sorted(path.name for path in finished.folder.glob("*.svg"))
    assert kept == ["aws.svg", "local.svg", "onprem-aws.svg"]


def test_the_source_notebooks_are_as_they_were(finished: Finished) -> None:
    assert {path: path.read_bytes() for path in finished.sources} == finished.sources


def test_what_kernels_write_to_their_terminal_is_in_a_log(finished: Finished) -> None:
    assert (finished.folder / "kernel.log").is_file()


def test_no_kernel_is_left(finished: Finished) -> None:
    assert kernels_of(finished.home) == []


def test_the_evidence_makes_one_chain(finished: Finished) -> None:
    records = Journal(finished.home).records()
    digests = [record["digest"] for record in records]
    assert [record.get("previous") for record in records] == [None, *digests[:-1]]


def test_the_evidence_in_the_notebooks_is_the_journals(finished: Finished) -> None:
    found = []
    for name in syllabus.NOTEBOOKS:
        for cell in outputs(finished.folder / f"{name}.ipynb"):
            found += [
                out.metadata["handson"] for out in cell if "handson" in out.get("metadata", {})
            ]
    assert found == Journal(finished.home).records()


def test_a_second_run_ends_with_0_too(finished: Finished) -> None:
    process = start(finished.home)
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, out + err


# What a kernel shows


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[list[Any]]]:
    """Return the outputs of: progress, evidence, a refusal, a repeated display of evidence."""
    folder = tmp_path_factory.mktemp("shown")
    refused = {"tags": ["raises-exception"]}
    cells = [
        code("import handson\nworkshop = handson.start(learner='Hanako')"),
        code("workshop.ensure_cluster();"),
        code("workshop.evidence('network')"),
        code("workshop.evidence('netwrk')", metadata=refused),
        code("1 / 0", metadata=refused),
    ]
    write_edition(folder, n00=cells)
    chosen = settings.read_settings(
        environment(folder / "home"), cwd=folder, home=str(folder / "home"), engine="builtin"
    )
    found = replay.find_notebooks(folder, lang="ja")[:1]
    outcome = replay.run_notebooks(chosen, found, output=folder / "run", on_cell=ignore)[0]
    assert not outcome.failed, outcome.error
    yield outputs(outcome.copy)
    emulator.stop_emulator(chosen.home)


def ignore(_name: str, _done: int, _total: int) -> None:
    """Show no progress."""


def test_progress_leaves_one_output_that_ends_as_a_sentence(shown: list[list[Any]]) -> None:
    [output] = shown[1]
    assert output.data["text/plain"] == "▸ クラスター: 終わりました。"


def test_evidence_carries_its_record_in_the_outputs_metadata(shown: list[list[Any]]) -> None:
    [output] = shown[2]
    record = json.loads(json.dumps(output.metadata["handson"]))
    assert (record["check"], record["learner"], is_intact(record)) == ("network", "Hanako", True)


def test_evidence_is_shown_as_text_and_html(shown: list[list[Any]]) -> None:
    [output] = shown[2]
    assert sorted(output.data) == ["text/html", "text/plain"]


def test_the_record_is_not_in_what_people_and_nbval_see(shown: list[list[Any]]) -> None:
    [output] = shown[2]
    assert "request_id" not in json.dumps(output.data)


def test_an_error_of_ours_is_two_lines(shown: list[list[Any]]) -> None:
    [output] = shown[3]
    assert [line[0] for line in output.traceback] == ["✗", "→"]


def test_an_error_of_ours_is_no_traceback(shown: list[list[Any]]) -> None:
    assert "Traceback" not in "".join(shown[3][0].traceback)


def test_an_error_of_the_learners_keeps_its_traceback(shown: list[list[Any]]) -> None:
    assert "Traceback" in "".join(shown[4][0].traceback)


# A notebook that fails


@dataclass(frozen=True)
class Failed:
    """A run that failed in the second notebook, its outcomes and what it told on the way."""

    folder: Path
    outcomes: list[Outcome]
    told: list[tuple[str, int, int]]
    sources: dict[Path, bytes]


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Failed:
    folder = tmp_path_factory.mktemp("failed")
    old = [nbformat.v4.new_output("stream", text="from an earlier run\n")]
    cells = [
        new_markdown_cell("# A notebook"),
        code("import sys, os; print('well'); os.write(2, b'from below\\n');", id="well"),
        code("1 / 0", id="allowed", metadata={"tags": ["raises-exception"]}),
        code(
            "from handson.core.errors import NotReady; raise NotReady('It is gone.', 'Make it.')",
            id="gone",
        ),
        code("print('never')", id="never", outputs=old),
    ]
    write_edition(folder, n00=[code("1 + 1", id="sum")], n01=cells)
    (folder / "run").mkdir()
    (folder / "run" / "02-cluster.ipynb").write_text("earlier")
    (folder / "run" / "my-notes.ipynb").write_text("mine")
    chosen = settings.read_settings(environment(folder / "home"), cwd=folder, home=str(folder / "home"))
    found = replay.find_notebooks(folder, lang="ja")
    sources = {path: path.read_bytes() for path in found}
    told: list[tuple[str, int, int]] = []
    outcomes = replay.run_notebooks(
        chosen, found, output=folder / "run", on_cell=lambda *cell: told.append(cell)
    )
    return Failed(folder, outcomes, told, sources)


def test_a_failing_notebook_is_the_last_one(failed: Failed) -> None:
    assert [outcome.failed for outcome in failed.outcomes] == [False, True]


def test_the_failing_cell_is_told_by_its_id(failed: Failed) -> None:
    assert failed.outcomes[-1].cell == "gone"


def test_the_errors_two_lines_are_told(failed: Failed) -> None:
    assert failed.outcomes[-1].error == "✗ It is gone.\n→ Make it."


def test_only_cells_that_ran_to_their_end_are_counted(failed: Failed) -> None:
    assert failed.told[-1] == ("01-network", 2, 4)


def test_the_copy_of_the_failing_notebook_is_kept_as_far_as_it_came(failed: Failed) -> None:
    cells = outputs(failed.outcomes[-1].copy)
    assert [[output.output_type for output in cell] for cell in cells] == [
        ["stream"],
        ["error"],
        ["error"],
        [],
    ]


def test_copies_of_an_earlier_run_do_not_stay(failed: Failed) -> None:
    assert not (failed.folder / "run" / "02-cluster.ipynb").exists()


def test_other_files_in_the_folder_stay(failed: Failed) -> None:
    assert (failed.folder / "run" / "my-notes.ipynb").read_text() == "mine"


def test_the_sources_of_a_failed_run_are_as_they_were(failed: Failed) -> None:
    assert {path: path.read_bytes() for path in failed.sources} == failed.sources


def test_what_a_cell_writes_below_python_is_logged_too(failed: Failed) -> None:
    assert "from below" in (failed.folder / "run" / "kernel.log").read_text(encoding="utf-8")


def run_one(folder: Path, source: str) -> Outcome:
    """Run a notebook of one cell."""
    write_edition(folder, n00=[code(source, id="only")])
    chosen = settings.read_settings(environment(folder / "home"), cwd=folder, home=str(folder / "home"))
    found = replay.find_notebooks(folder, lang="ja")[:1]
    return replay.run_notebooks(chosen, found, output=folder / "run", on_cell=ignore)[0]


def test_a_strange_error_is_told_in_two_lines_that_name_the_copy(tmp_path: Path) -> None:
    outcome = run_one(tmp_path, "1 / 0")
    problem, remedy = outcome.error.splitlines()
    assert (problem, str(outcome.copy) in remedy) == (
        "✗ ZeroDivisionError: division by zero",
        True,
    )


def test_a_kernel_that_dies_is_told_with_its_log(tmp_path: Path) -> None:
    outcome = run_one(tmp_path, "import os; os._exit(7)")
    seen = (outcome.cell, len(outcome.error.splitlines()), "kernel.log" in outcome.error)
    assert seen == ("only", 2, True)


def test_a_run_that_fails_ends_with_1_and_names_the_cell(tmp_path: Path) -> None:
    write_edition(tmp_path, n00=[code("1 / 0", id="broken-cell")])
    process = start(tmp_path / "home", cwd=tmp_path)
    out, err = process.communicate(timeout=120)
    emulator.stop_emulator(tmp_path / "home")
    seen = (process.returncode, "broken-cell" in err, "Traceback" in err, "✘" in out)
    assert seen == (1, True, False, True)


# Stopped


def kernels_of(home: Path) -> list[int]:
    """Return the kernels that run for a home folder."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if "ipykernel" in words and process.environ().get("HANDSON_HOME") == str(home):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="module", params=[signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "term"])
def stopped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, int, str]]:
    """Stop a run whose second cell sleeps; return its folder, exit code and standard error."""
    folder = tmp_path_factory.mktemp("stopped")
    awake = folder / "awake"
    cells = [code("print('well')", id="well"), code(SLEEP.format(awake), id="sleep")]
    write_edition(folder, n00=cells)
    process = start(folder / "home", cwd=folder)
    wait_until(awake.exists, done=bool, what="the sleeping cell", timeout=60, interval=0.05)
    time.sleep(0.2)
    process.send_signal(request.param)
    _, err = process.communicate(timeout=30)
    yield folder, process.returncode, err
    emulator.stop_emulator(folder / "home")


def test_a_stopped_run_ends_with_130(stopped: tuple[Path, int, str]) -> None:
    assert stopped[1] == 130


def test_a_stopped_run_says_so_in_one_line(stopped: tuple[Path, int, str]) -> None:
    assert len(stopped[2].splitlines()) == 1


def test_a_stopped_run_leaves_no_kernel(stopped: tuple[Path, int, str]) -> None:
    assert kernels_of(stopped[0] / "home") == []


def test_a_stopped_run_keeps_the_notebook_as_far_as_it_came(
    stopped: tuple[Path, int, str],
) -> None:
    cells = outputs(stopped[0] / "home" / "run" / "00-prepare.ipynb")
    assert [[output.output_type for output in cell] for cell in cells] == [["stream"], []]


def test_a_run_after_a_stopped_one_works(stopped: tuple[Path, int, str]) -> None:
    folder = stopped[0]
    book = new_notebook(cells=[code("1 + 1")])
    nbformat.write(book, folder / "notebooks" / "ja" / "00-prepare.ipynb")
    process = start(folder / "home", cwd=folder)
    _, err = process.communicate(timeout=120)
    assert re.search("00-prepare: 1/1", err)


def test_the_mark_of_a_failing_check_is_not_the_one_of_a_passing_one() -> None:
    assert MARKS["ok"] != MARKS["bad"]
