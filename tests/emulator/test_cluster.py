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
    arns = client("ecs").list_clusters()["clusterArns"]
    return [arn.rpartition("/")[2] for arn in arns]


def test_the_cluster_is_active_on_fargate_and_made_once(emulator: room.Running) -> None:
    made = cluster.ensure_cluster(connect(emulator), ClusterForm())
    found = made.cluster
    assert (found.name, found.status, found.capacity_providers, found.container_instances) == (
        NAME,
        "ACTIVE",
        ("FARGATE", "FARGATE_SPOT"),
        0,
    )
    assert found.tagged
    assert f"aws ecs create-cluster --cluster-name {NAME}" in str(made)
    again = connect(emulator)
    assert cluster.ensure_cluster(again, ClusterForm()).cluster == found
    assert writes(again) == []


def test_a_cluster_of_another_name_is_made_and_warned_of(emulator: room.Running) -> None:
    made = cluster.ensure_cluster(connect(emulator), ClusterForm(name="ecs-handson-clustr"))
    assert made.card().state == "warn"
    assert "ecs-handson-clustr" in repr(made.notes)


def test_a_run_that_was_stopped_or_lost_its_reply_makes_one_cluster(
    emulator: room.Running, client: Any
) -> None:
    with pytest.raises(Stopped):
        cluster.ensure_cluster(connect(emulator, StopAt(1)), ClusterForm())
    lost = LoseReply(1)
    cluster.ensure_cluster(connect(emulator, lost), ClusterForm())
    assert (names(client), lost.seen) == ([NAME], ["CreateCluster"])


def test_only_ours_is_deleted_and_made_anew(emulator: room.Running, client: Any) -> None:
    aws = connect(emulator)
    cluster.ensure_cluster(aws, ClusterForm())
    client("ecs").create_cluster(clusterName="by-hand")
    gone = [removal.resource.name for removal in cluster.delete_clusters(aws)]
    assert (gone, names(client), cluster.delete_clusters(aws)) == ([NAME], ["by-hand"], [])
    assert cluster.ensure_cluster(aws, ClusterForm()).cluster.status == "ACTIVE"


def test_a_cluster_in_which_a_service_runs_is_left_with_a_reason(
    emulator: room.Running, client: Any
) -> None:
    aws = connect(emulator)
    cluster.ensure_cluster(aws, ClusterForm())
    ecs = client("ecs")
    ecs.register_task_definition(
        family="shop", containerDefinitions=[{"name": "shop", "image": "rails-app", "memory": 64}]
    )
    ecs.create_service(cluster=NAME, serviceName="shop", taskDefinition="shop", desiredCount=0)
    [removal] = cluster.delete_clusters(aws)
    assert "shop" in removal.reason
    assert names(client) == [NAME]
