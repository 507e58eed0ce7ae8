"""The commands that the cards show, pasted into a shell: they make what the workshop makes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from handson import cluster, network, registry
from handson import emulator as room
from handson.cluster import Form as ClusterForm
from handson.network import Form
from tests.conftest import require
from tests.emulator.hooks import connect, reset, shape

pytestmark = pytest.mark.emulator

PLACES = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
AWS, BASH = shutil.which("aws", path=PLACES), shutil.which("bash")


@pytest.fixture(autouse=True)
def cli() -> None:
    require("awscli", AWS is not None, "there is no aws command")
    require("awscli", BASH is not None, "there is no bash to paste into")


def paste(commands: tuple[str, ...], folder: Path) -> None:
    """Run the commands in a shell that knows nothing else of AWS."""
    done = subprocess.run(
        [str(BASH), "-eu", "-c", "\n".join(commands)],
        env={"PATH": f"{Path(str(AWS)).parent}{os.pathsep}{os.defpath}", "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("form", [Form(), Form(name="two words", private_subnets=2)])
def test_the_commands_of_a_network_make_the_same_network(
    emulator: room.Running, tmp_path: Path, form: Form
) -> None:
    made = network.ensure_network(connect(emulator), form)
    expected = shape(connect(emulator))
    reset(emulator)
    paste(made.commands, tmp_path)
    assert shape(connect(emulator)) == expected


def test_the_commands_of_cluster_and_repository_make_the_same(
    emulator: room.Running, tmp_path: Path
) -> None:
    aws = connect(emulator)
    clusters: Any = cluster.ensure_cluster(aws, ClusterForm())
    repository = registry.ensure_repository(aws, "rails-app")
    reset(emulator)
    paste((*clusters.commands, *repository.commands), tmp_path)
    assert (cluster.find_clusters(aws), registry.find_repositories(aws)) == (
        (clusters.cluster,),
        (repository.repository,),
    )
