"""Notebooks in real kernels: `handson run`, what a kernel shows, a run that fails or is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell as code
from nbformat.v4 import new_markdown_cell, new_notebook

from handson.aws import emulator, settings
from handson.core.waiting import wait_until
from handson.course import syllabus
from handson.course.evidence import Journal, is_intact
from handson.notebook import replay
from handson.notebook.replay import Outcome

from .book import NOTEBOOKS

pytestmark = pytest.mark.notebooks

ROOT = NOTEBOOKS.parent
SLEEP = "import os, pathlib, time; pathlib.Path('{}').write_text(str(os.getpid())); time.sleep(60)"
MAY_FAIL = {"tags": ["raises-exception"]}


def environment(home: Path) -> dict[str, str]:
    own = {"HANDSON_HOME": str(home), "HANDSON_ENGINE": "builtin", "PYTHONPATH": str(ROOT)}
    return {**os.environ, **own, "PYTHONUTF8": "1"}


@contextmanager
def started(home: Path, *, cwd: Path = ROOT) -> Iterator[subprocess.Popen[str]]:
    """Start `handson run`, which Ctrl-C reaches as it does in a terminal; leave nothing behind."""
    process = subprocess.Popen(
        [sys.executable, "-m", "handson", "run"],
        cwd=cwd,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        emulator.stop_emulator(home)


def write_edition(folder: Path, **cells: list[Any]) -> None:
    """Write a Japanese edition with the given cells in some notebooks and none in the others."""
    edition = folder / "notebooks" / "ja"
    edition.mkdir(parents=True, exist_ok=True)
    for name in syllabus.NOTEBOOKS:
        book = new_notebook(cells=cells.get("n" + name.partition("-")[0], []))
        nbformat.write(book, edition / f"{name}.ipynb")


def run_some(folder: Path, count: int, told: list[tuple[str, int, int]]) -> list[Outcome]:
    home = folder / "home"
    chosen = settings.read_settings(environment(home), cwd=folder, home=str(home))
    found = replay.find_notebooks(folder, lang="ja")[:count]
    return replay.run_notebooks(
        chosen, found, output=folder / "run", on_cell=lambda *cell: told.append(cell)
    )


def outputs(copy: Path) -> list[list[Any]]:
    node = nbformat.read(copy, as_version=4)
    return [cell.outputs for cell in node.cells if cell.cell_type == "code"]


def kinds(copy: Path) -> list[list[str]]:
    return [[output.output_type for output in cell] for cell in outputs(copy)]


def kernels_of(home: Path) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "environ"])
        if "ipykernel" in " ".join(process.info["cmdline"] or ())
        and (process.info["environ"] or {}).get("HANDSON_HOME") == str(home)
    ]


@dataclass(frozen=True)
class Finished:
    home: Path
    code: int
    out: list[str]
    err: list[str]
    sources: dict[Path, bytes]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    home = tmp_path_factory.mktemp("run") / "home"
    sources = {path: path.read_bytes() for path in (NOTEBOOKS / "ja").glob("*.ipynb")}
    with started(home) as process:
        out, err = process.communicate(timeout=180)
        yield Finished(home, process.returncode, out.splitlines(), err.splitlines(), sources)


@pytest.mark.full  # as make workshop
def test_a_run_in_which_all_checks_pass_ends_with_0_and_says_so(finished: Finished) -> None:
    out, folder = "\n".join(finished.out), finished.home / "run"
    ticked = [line for line in finished.out[1:] if "✔" in line]
    assert finished.code == 0, "\n".join([*finished.out, *finished.err])
    assert finished.out[0].partition("(")[0] == "✔ 5 項目のうち 5 項目ができています"
    assert len(ticked) == 5
    assert f"{folder / 'aws.svg'}" in out
    assert "handson emulator reset" in finished.out[-1]
    assert [line.partition(":")[0] for line in finished.err] == list(syllabus.NOTEBOOKS)


@pytest.mark.full
def test_notebooks_are_kept_executed_with_pictures_log_and_one_chain_of_evidence(
    finished: Finished,
) -> None:
    kept = {path.name for path in (finished.home / "run").iterdir()}
    pictures = {"aws.svg", "local.svg", "onprem-aws.svg"}
    executed = {f"{name}.ipynb" for name in syllabus.NOTEBOOKS}
    assert executed | pictures | {"kernel.log"} <= kept
    assert {path: path.read_bytes() for path in finished.sources} == finished.sources
    assert kernels_of(finished.home) == []
    copies = [finished.home / "run" / f"{name}.ipynb" for name in syllabus.NOTEBOOKS]
    shown = [output for copy in copies for cell in outputs(copy) for output in cell]
    records = [o.metadata["handson"] for o in shown if "handson" in o.get("metadata", {})]
    digests = [record["digest"] for record in records]
    assert records == Journal(finished.home).records()
    assert [record.get("previous") for record in records] == [None, *digests[:-1]]
    checks = ["network", "cluster", "repository", "image", "image-uri", "architecture"]
    assert [record["check"] for record in records] == checks


SHOWN = [
    code("import handson\nworkshop = handson.start(learner='Hanako')"),
    code("workshop.ensure_cluster();"),
    code("workshop.evidence('network')"),
    code("workshop.evidence('netwrk')", metadata=MAY_FAIL),
    code("1 / 0", metadata=MAY_FAIL),
]
IMPORT = "from handson.core import errors"
FAILING = [
    new_markdown_cell("# A notebook"),
    code("import os; print('well'); os.write(2, b'from below\\n');"),
    code("1 / 0", metadata={"tags": ["nbval-skip"]}),
    code("1 / 0", metadata=MAY_FAIL),
    code(f"{IMPORT}; raise errors.NotReady('Gone.', 'Make it.')", id="gone"),
    code("print('never')", outputs=[nbformat.v4.new_output("stream", text="from before\n")]),
]


Partly = tuple[Path, list[Outcome], list[tuple[str, int, int]]]
"""A run in which the second of three notebooks failed: its folder, outcomes and progress."""


@pytest.fixture(scope="module")
def partly(tmp_path_factory: pytest.TempPathFactory) -> Partly:
    folder = tmp_path_factory.mktemp("partly")
    write_edition(folder, n00=SHOWN, n01=FAILING)
    kept = folder / "run"
    kept.mkdir()
    (kept / "02-cluster.ipynb").write_text("earlier")
    (kept / "my-notes.ipynb").write_text("mine")
    told: list[tuple[str, int, int]] = []
    outcomes = run_some(folder, 3, told)
    emulator.stop_emulator(folder / "home")
    return kept, outcomes, told


def test_progress_leaves_nothing_beside_a_card_evidence_its_record_and_an_error_of_ours_two_lines(
    partly: Partly,
) -> None:
    progress, [evidence], [ours], [theirs] = outputs(partly[1][0].copy)[1:]
    assert [output.data["text/plain"] for output in progress] == [""]
    record = json.loads(json.dumps(evidence.metadata["handson"]))
    assert (record["check"], record["learner"]) == ("network", "Hanako")
    assert is_intact(record)
    assert sorted(evidence.data) == ["text/html", "text/plain"]
    assert "request_id" not in json.dumps(evidence.data)
    assert [line[0] for line in ours.traceback] == ["✗", "→"]
    assert "Traceback" not in "".join(ours.traceback)
    assert "Traceback" in "".join(theirs.traceback)


def test_a_failing_notebook_is_the_last_one_and_kept_as_far_as_it_came(partly: Partly) -> None:
    folder, (well, failed), told = partly
    assert (well.error, failed.cell, failed.error) == ("", "gone", "✗ Gone.\n→ Make it.")
    assert told[-1] == ("01-network", 2, 4)
    assert kinds(failed.copy) == [["stream"], [], ["error"], ["error"], []]
    assert not (folder / "02-cluster.ipynb").exists()
    assert (folder / "my-notes.ipynb").read_text() == "mine"
    assert "from below" in (folder / "kernel.log").read_text(encoding="utf-8")


def test_a_kernel_that_dies_is_told_with_its_log(tmp_path: Path) -> None:
    write_edition(tmp_path, n00=[code("import os; os._exit(7)", id="only")])
    [outcome] = run_some(tmp_path, 1, [])
    assert (outcome.cell, len(outcome.error.splitlines())) == ("only", 2)
    assert "kernel.log" in outcome.error


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(signal.SIGINT, id="ctrl-c"),
        pytest.param(signal.SIGTERM, id="term", marks=pytest.mark.full),
    ],
)
def test_a_stopped_run_says_so_keeps_what_ran_and_leaves_no_kernel(
    tmp_path: Path, sent: signal.Signals
) -> None:
    awake, home = tmp_path / "awake", tmp_path / "home"
    write_edition(tmp_path, n00=[code("print('well')"), code(SLEEP.format(awake))])
    with started(home, cwd=tmp_path) as process:
        wait_until(awake.exists, done=bool, what="the sleeping cell", timeout=60, interval=0.05)
        process.send_signal(sent)
        _, err = process.communicate(timeout=30)
        assert (process.returncode, len(err.splitlines())) == (130, 1)
    assert kernels_of(home) == []
    assert kinds(home / "run" / "00-prepare.ipynb") == [["stream"], []]


def test_a_run_that_fails_ends_with_1_and_names_the_cell_and_its_copy(tmp_path: Path) -> None:
    write_edition(tmp_path, n00=[code("1 + 1")], n01=[code("1 / 0", id="broken-cell")])
    with started(tmp_path / "home", cwd=tmp_path) as process:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 1
    said = ("00-prepare: 1/1", "broken-cell", "ZeroDivisionError: division by zero", "run")
    assert [words for words in said if words not in err] == []
    assert "Traceback" not in err
    assert "✘" in out
