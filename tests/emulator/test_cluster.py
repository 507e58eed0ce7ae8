"""The cluster on real emulators; AWS's states and races are tried in tests/unit/test_cluster.py."""

from __future__ import annotations

from typing import Any

import pytest

from handson.aws import Aws
from handson.aws import emulator as room
from handson.resources import cluster
from handson.resources.cleanup import delete_tagged
from handson.resources.cluster import ClusterForm
from tests.emulator.hooks import LoseReply, StopAt, Stopped, connect, writes

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]

NAME = "ecs-handson-cluster"


def names(aws: Aws) -> list[str]:
    return [found.name for found in cluster.find_clusters(aws) if not found.is_deleted]


def test_the_cluster_is_active_on_fargate_and_made_once(emulator: room.Running) -> None:
    made = cluster.ensure_cluster(connect(emulator), ClusterForm())
    found = made.cluster
    assert (found.name, found.status, found.tagged) == (NAME, "ACTIVE", True)
    assert (found.capacity_providers, found.container_instances) == (("FARGATE", "FARGATE_SPOT"), 0)
    assert f"aws ecs create-cluster --cluster-name {NAME}" in str(made)
    again = connect(emulator)
    assert cluster.ensure_cluster(again, ClusterForm()).cluster == found
    assert writes(again) == []


def test_a_run_that_was_stopped_or_lost_its_reply_makes_one_cluster(emulator: room.Running) -> None:
    with pytest.raises(Stopped):
        cluster.ensure_cluster(connect(emulator, StopAt(1)), ClusterForm())
    lost = LoseReply(1)
    cluster.ensure_cluster(connect(emulator, lost), ClusterForm())
    assert (names(connect(emulator)), lost.seen) == ([NAME], ["CreateCluster"])


def test_only_ours_is_deleted_and_made_anew(emulator: room.Running, client: Any) -> None:
    aws = connect(emulator)
    cluster.ensure_cluster(aws, ClusterForm())
    client("ecs").create_cluster(clusterName="by-hand")
    gone = [item.name for item in delete_tagged(aws).found]
    assert (gone, names(aws), delete_tagged(aws).removals) == ([NAME], ["by-hand"], ())
    assert cluster.ensure_cluster(aws, ClusterForm()).cluster.status == "ACTIVE"
