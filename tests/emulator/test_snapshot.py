"""One look at everything: the snapshot that checks and pictures read."""

from __future__ import annotations

from pathlib import Path

import pytest

from handson.aws import emulator as room
from handson.core.errors import NotAllowed
from handson.course.exercise import NetworkForm
from handson.course.state import Snapshot
from handson.resources import cluster, network, registry
from handson.resources.cluster import Form as ClusterForm
from handson.resources.snapshot import take_snapshot
from tests.emulator.hooks import Answer, Meeting, connect, writes
from tests.emulator.test_registry import Registry
from tests.unit.fake_aws import Refusal

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]


def make_everything(emulator: room.Running) -> None:
    aws = connect(emulator)
    network.ensure_network(aws, NetworkForm())
    cluster.ensure_cluster(aws, ClusterForm())
    registry.ensure_repository(aws, "rails-app")
    pushing = Registry(emulator)
    pushing.put(pushing.image(), tag="latest")


def test_an_empty_region_holds_its_default_vpc_alone(
    emulator: room.Running, tmp_path: Path
) -> None:
    seen = take_snapshot(connect(emulator), home=tmp_path)
    counts = (len(seen.clusters), len(seen.repositories), len(seen.images), seen.recorded_uri)
    assert ([vpc.is_default for vpc in seen.vpcs], counts) == ([True], (0, 0, 0, None))


def test_everything_that_was_made_is_seen(emulator: room.Running, tmp_path: Path) -> None:
    make_everything(emulator)
    seen = take_snapshot(connect(emulator), home=tmp_path)
    assert (
        [vpc.name for vpc in seen.vpcs],
        [item.name for item in seen.clusters],
        [item.name for item in seen.repositories],
        [item.tags for item in seen.images],
    ) == (["", "ecs-handson-vpc"], ["ecs-handson-cluster"], ["rails-app"], [("latest",)])


def test_looking_changes_nothing(emulator: room.Running, tmp_path: Path) -> None:
    make_everything(emulator)
    aws = connect(emulator)
    take_snapshot(aws, home=tmp_path)
    assert writes(aws) == []


def test_two_looks_see_the_same(emulator: room.Running, tmp_path: Path) -> None:
    make_everything(emulator)
    first = take_snapshot(connect(emulator), home=tmp_path)
    assert take_snapshot(connect(emulator), home=tmp_path) == first


def test_a_look_survives_the_way_through_a_notebook(emulator: room.Running, tmp_path: Path) -> None:
    make_everything(emulator)
    seen = take_snapshot(connect(emulator), home=tmp_path)
    assert Snapshot.from_json(seen.to_json()) == seen


def test_the_services_are_looked_at_at_once(emulator: room.Running, tmp_path: Path) -> None:
    meeting = Meeting({"DescribeVpcs", "ListClusters", "DescribeRepositories"}, parties=3)
    assert take_snapshot(connect(emulator, meeting), home=tmp_path).vpcs[0].is_default


@pytest.mark.parametrize("operation", ["DescribeSubnets", "ListClusters", "DescribeRepositories"])
def test_a_look_that_is_denied_is_told(
    emulator: room.Running, tmp_path: Path, operation: str
) -> None:
    denied = Answer(operation, Refusal("AccessDenied", status=403))
    with pytest.raises(NotAllowed, match=operation):
        take_snapshot(connect(emulator, denied), home=tmp_path)
