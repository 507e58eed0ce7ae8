"""The committed notebooks under nbval: they hold, twice too, and a spoiled fact is seen."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from handson.aws import emulator

from .book import NOTEBOOKS, read_book

ROOT = NOTEBOOKS.parent
NBVAL = ("-p", "nbval.plugin", "--nbval", "--nbval-sanitize-with", ROOT / "tests" / "nbval.cfg")
QUIET = ("-p", "no:cacheprovider", "--rootdir=.", "--tb=no", "-rA")
RESULT = re.compile(r"^(\w+) \S*?([\w-]+)\.ipynb::Cell (\d+)", re.MULTILINE)

CREATE, EVIDENCE = "network-create-network", "network-evidence-record"
SPOILS = {
    "another block": (CREATE, "10.0.16.0/20", "10.0.32.0/20"),
    "another zone": (CREATE, "us-east-1b", "us-east-1c"),
    "another route": (CREATE, "0.0.0.0/0", "10.9.0.0/16"),
    "another verdict": (EVIDENCE, "✔", "✘"),
}

pytestmark = pytest.mark.notebooks


def cells_of(name: str, *ids: str) -> list[Any]:
    """Return committed cells, the first code cell before them."""
    book = read_book(name)
    by_id = {cell.id: cell for cell in book.node.cells}
    return [book.cells("code")[0], *(by_id[cell_id] for cell_id in ids)]


def with_spoils() -> list[Any]:
    """Return the committed cells of the network, and after them a copy of one for each spoil."""
    cells = cells_of("01-network", CREATE, EVIDENCE)
    by_id = {cell.id: cell for cell in cells}
    spoils = []
    for name, old, new in SPOILS.values():
        spoils.append(copy.deepcopy(by_id[name]))
        for output in spoils[-1].outputs:
            output.data = {kind: text.replace(old, new) for kind, text in output.data.items()}
    return cells + spoils


def with_a_deleted_cluster() -> list[Any]:
    """Return the committed cells of the cluster; before its evidence, the cluster is deleted."""
    cells = cells_of("02-cluster", "cluster-create-cluster", "cluster-evidence-record")
    delete = "workshop.aws.call('ecs', 'DeleteCluster', cluster='ecs-handson-cluster');"
    ignored = {"tags": ["nbval-ignore-output"]}
    return [*cells[:-1], nbformat.v4.new_code_cell(delete, metadata=ignored), cells[-1]]


def replay(folder: Path, **notebooks: list[Any]) -> dict[str, dict[int, str]]:
    """Replay notebooks one after another in one home folder; return each cell's result by place."""
    for name, cells in notebooks.items():
        fresh = [cell | {"id": f"cell-{number}"} for number, cell in enumerate(cells)]
        book = nbformat.v4.new_notebook(cells=[nbformat.from_dict(cell) for cell in fresh])
        nbformat.write(book, folder / f"{name}.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *map(str, NBVAL), *QUIET]
        + [f"{name}.ipynb" for name in notebooks],
        cwd=folder,
        env={
            **os.environ,
            "HANDSON_HOME": str(folder / "home"),
            "HANDSON_HAND_IN": str(folder),
            "HANDSON_ENGINE": "builtin",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    results: dict[str, dict[int, str]] = {name: {} for name in notebooks}
    for result, name, place in RESULT.findall(done.stdout):
        results[name][int(place)] = result
    assert all(results.values()), done.stdout + done.stderr
    return results


@pytest.mark.full  # the first half is make replay
def test_a_committed_output_holds_twice_and_a_spoiled_fact_is_seen(tmp_path: Path) -> None:
    whole = read_book("01-network").cells("code")
    run = [n for n, cell in enumerate(whole) if "nbval-skip" not in cell.metadata.get("tags", ())]
    try:
        results = replay(
            tmp_path,
            whole=whole,
            spoils=with_spoils(),
            deleted=with_a_deleted_cluster(),
        )
    finally:
        emulator.stop_emulator(tmp_path / "home")
    assert results["whole"] == dict.fromkeys(run, "PASSED")
    seen = dict(zip(SPOILS, (results["spoils"].pop(place) for place in range(3, 7)), strict=True))
    assert seen == dict.fromkeys(SPOILS, "FAILED")
    assert results["spoils"] == dict.fromkeys(range(3), "PASSED")  # for the second time
    assert results["deleted"] == {0: "PASSED", 1: "PASSED", 2: "PASSED", 3: "FAILED"}
