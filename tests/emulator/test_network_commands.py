"""The commands that the cards show, pasted into a shell: they make what the workshop makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handson.aws import Aws
from handson.aws import emulator as room
from handson.course.exercise import NetworkForm
from handson.resources.cluster import ClusterForm, ensure_cluster, find_clusters
from handson.resources.network import ensure_network
from handson.resources.repository import ensure_repository, find_repositories
from tests.emulator.hooks import connect, reset, shape
from tests.shell import paste, require_shell

pytestmark = [pytest.mark.emulator, pytest.mark.process]

# Every kind of call, and a name that a shell would take for two words.
FORM = NetworkForm(name="two words", availability_zones=1, public_subnets=1, private_subnets=1)


def everything(aws: Aws) -> list[Any]:
    return [shape(aws), find_clusters(aws), find_repositories(aws)]


@pytest.mark.full
def test_the_pasted_commands_make_the_same(emulator: room.Running, tmp_path: Path) -> None:
    require_shell()
    aws = connect(emulator)
    made = [
        ensure_network(aws, FORM),
        ensure_cluster(aws, ClusterForm()),
        ensure_repository(aws, "rails-app"),
    ]
    expected = everything(aws)
    reset(emulator)
    paste([command for card in made for command in card.commands], tmp_path)
    assert everything(aws) == expected
