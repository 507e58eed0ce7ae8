"""The cluster on real emulators; AWS's states and races are tried in tests/unit/test_cluster.py."""

from __future__ import annotations

from typing import Any

import pytest

from handson.aws import emulator as room
from handson.resources import cluster
from handson.resources.cluster import ClusterForm
from tests.emulator.hooks import LoseReply, StopAt, Stopped, connect, writes

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]

NAME = "ecs-handson-cluster"


def names(client: Any) -> list[str]:
    return [arn.rpartition("/")[2] for arn in client("ecs").list_clusters()["clusterArns"]]


def test_the_cluster_is_active_on_fargate_and_made_once(emulator: room.Running) -> None:
    made = cluster.ensure_cluster(connect(emulator), ClusterForm())
    found = made.cluster
    assert (found.name, found.status, found.tagged) == (NAME, "ACTIVE", True)
    assert (found.capacity_providers, found.container_instances) == (("FARGATE", "FARGATE_SPOT"), 0)
    assert f"aws ecs create-cluster --cluster-name {NAME}" in str(made)
    again = connect(emulator)
    assert cluster.ensure_cluster(again, ClusterForm()).cluster == found
    assert writes(again) == []


def test_a_run_that_was_stopped_or_lost_its_reply_makes_one_cluster(
    emulator: room.Running, client: Any
) -> None:
    with pytest.raises(Stopped):
        cluster.ensure_cluster(connect(emulator, StopAt(1)), ClusterForm())
    lost = LoseReply(1)
    cluster.ensure_cluster(connect(emulator, lost), ClusterForm())
    assert (names(client), lost.seen) == ([NAME], ["CreateCluster"])


def test_only_ours_is_deleted_once_no_service_runs_in_it(
    emulator: room.Running, client: Any
) -> None:
    aws, ecs = connect(emulator), client("ecs")
    cluster.ensure_cluster(aws, ClusterForm())
    ecs.create_cluster(clusterName="by-hand")
    container = {"name": "shop", "image": "rails-app", "memory": 64}
    ecs.register_task_definition(family="shop", containerDefinitions=[container])
    ecs.create_service(cluster=NAME, serviceName="shop", taskDefinition="shop", desiredCount=0)
    [removal] = cluster.delete_clusters(aws)
    assert ("shop" in removal.reason, sorted(names(client))) == (True, ["by-hand", NAME])
    ecs.delete_service(cluster=NAME, service="shop", force=True)
    assert [it.reason for it in cluster.delete_clusters(aws)] == [""]
    assert (names(client), cluster.delete_clusters(aws)) == (["by-hand"], [])
