"""The commands that the cards show, pasted into a shell: they make what the workshop makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handson.aws import emulator as room
from handson.course.exercise import NetworkForm
from handson.resources import cluster, network
from handson.resources.cluster import ClusterForm as ClusterForm
from handson.resources.repository import ensure_repository, find_repositories
from tests.emulator.hooks import connect, reset, shape
from tests.shell import paste, require_shell

pytestmark = [pytest.mark.emulator, pytest.mark.process]


@pytest.fixture(autouse=True)
def cli() -> None:
    require_shell()


@pytest.mark.parametrize("form", [NetworkForm(), NetworkForm(name="two words", private_subnets=2)])
def test_the_commands_of_a_network_make_the_same_network(
    emulator: room.Running, tmp_path: Path, form: NetworkForm
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
    repository = ensure_repository(aws, "rails-app")
    reset(emulator)
    paste((*clusters.commands, *repository.commands), tmp_path)
    assert (cluster.find_clusters(aws), find_repositories(aws)) == (
        (clusters.cluster,),
        (repository.repository,),
    )
