"""The committed notebooks under nbval: they hold, and a spoiled fact is seen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NBVAL = ("-m", "pytest", "--nbval", "--nbval-sanitize-with", str(ROOT / "tests" / "nbval.cfg"))

pytestmark = pytest.mark.notebooks


class Class:
    """A copy of the notebooks with a home folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.notebooks = folder / "notebooks"
        shutil.copytree(
            ROOT / "notebooks", self.notebooks, ignore=shutil.ignore_patterns(".handson")
        )
        self._environ = {
            **os.environ,
            "HANDSON_HOME": str(folder / "home"),
            "HANDSON_HAND_IN": str(folder),
            "HANDSON_ENGINE": "builtin",
            "PYTHONPATH": str(ROOT),
        }

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the folder of the notebooks."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.notebooks,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def handson(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command `handson`."""
        return self.python("-m", "handson", *arguments)

    def replay(self, *names: str) -> subprocess.CompletedProcess[str]:
        """Run nbval on notebooks of the Japanese edition."""
        files = [str(self.notebooks / "ja" / f"{name}.ipynb") for name in names]
        return self.python(*NBVAL, "-p", "no:cacheprovider", *files)

    def rewrite(self, name: str, *, old: str, new: str) -> None:
        """Replace a text in a committed notebook's outputs."""
        path = self.notebooks / "ja" / f"{name}.ipynb"
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                said = json.dumps(cell["outputs"], ensure_ascii=False)
                cell["outputs"] = json.loads(said.replace(old, new))
        path.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")


@pytest.fixture
def class_(tmp_path: Path) -> Iterator[Class]:
    """A class of one, whose embedded AWS is stopped afterwards."""
    made = Class(tmp_path)
    yield made
    made.handson("emulator", "stop")


def test_a_notebook_replayed_twice_in_the_same_home_holds_both_times(class_: Class) -> None:
    first, second = class_.replay("01-network"), class_.replay("01-network")

    assert (first.returncode, second.returncode) == (0, 0), first.stdout + second.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("10.0.16.0/20", "10.0.32.0/20"),
        ("us-east-1b", "us-east-1c"),
        ("0.0.0.0/0", "10.9.0.0/16"),
        ("✔", "✘"),
    ],
    ids=["another block", "another zone", "another route", "another verdict"],
)
def test_a_committed_output_with_another_fact_fails(class_: Class, old: str, new: str) -> None:
    class_.rewrite("01-network", old=old, new=new)

    replayed = class_.replay("01-network")

    assert replayed.returncode == 1, replayed.stdout


def test_a_wrong_state_fails_though_the_notebooks_are_as_committed(class_: Class) -> None:
    made = class_.replay("01-network", "02-cluster", "03-image")
    assert made.returncode == 0, made.stdout
    spoil = "import handson; handson.start().aws.call('ecs', 'DeleteCluster', cluster='{}')"
    spoiled = class_.python("-c", spoil.format("ecs-handson-cluster"))
    assert spoiled.returncode == 0, spoiled.stderr

    replayed = class_.replay("04-evidence")

    assert replayed.returncode == 1, replayed.stdout
