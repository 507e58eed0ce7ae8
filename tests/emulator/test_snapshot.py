"""One look at everything: the snapshot that checks, pictures and evidence read."""

from __future__ import annotations

from pathlib import Path

import pytest

from handson.aws import emulator as room
from handson.course.exercise import NetworkForm
from handson.course.state import Snapshot
from handson.resources import cluster, network
from handson.resources.cluster import ClusterForm as ClusterForm
from handson.resources.repository import ensure_repository
from handson.resources.snapshot import take_snapshot
from tests.emulator.hooks import Meeting, connect, writes
from tests.emulator.test_registry import Registry

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]


def make_everything(emulator: room.Running) -> None:
    aws = connect(emulator)
    network.ensure_network(aws, NetworkForm())
    cluster.ensure_cluster(aws, ClusterForm())
    ensure_repository(aws, "rails-app")
    pushing = Registry(emulator)
    pushing.put(pushing.image(), tag="latest")


def test_everything_that_was_made_is_seen_and_nothing_changed(
    emulator: room.Running, tmp_path: Path
) -> None:
    make_everything(emulator)
    aws = connect(emulator)
    seen = take_snapshot(aws, home=tmp_path)
    names = [item.name for item in (*seen.vpcs, *seen.clusters, *seen.repositories)]
    assert names == ["", "ecs-handson-vpc", "ecs-handson-cluster", "rails-app"]
    assert [item.tags for item in seen.images] == [("latest",)]
    assert take_snapshot(aws, home=tmp_path) == seen
    assert Snapshot.from_json(seen.to_json()) == seen
    assert writes(aws) == []


def test_the_services_are_looked_at_at_once(emulator: room.Running, tmp_path: Path) -> None:
    meeting = Meeting({"DescribeVpcs", "ListClusters", "DescribeImages"}, parties=3)
    seen = take_snapshot(connect(emulator, meeting), home=tmp_path)
    assert [vpc.is_default for vpc in seen.vpcs] == [True]
    assert [seen.clusters, seen.repositories, seen.images, seen.recorded_uri] == [(), (), (), None]
