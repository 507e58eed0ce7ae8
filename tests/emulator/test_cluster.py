"""The cluster on the embedded AWS."""

from __future__ import annotations

from typing import Any

import pytest

from handson.aws import emulator as room
from handson.resources import cluster
from handson.resources.cluster import ClusterForm
from tests.emulator.hooks import LoseReply, StopAt, Stopped, connect, writes

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]


def arns(client: Any) -> list[str]:
    return list(client("ecs").list_clusters()["clusterArns"])


def test_the_cluster_is_active_on_fargate_without_instances(emulator: room.Running) -> None:
    made = cluster.ensure_cluster(connect(emulator), ClusterForm()).cluster
    assert (
        made.name,
        made.status,
        made.capacity_providers,
        made.container_instances,
        made.tagged,
    ) == ("ecs-handson-cluster", "ACTIVE", ("FARGATE", "FARGATE_SPOT"), 0, True)


def test_a_second_run_makes_no_mutating_call(emulator: room.Running) -> None:
    cluster.ensure_cluster(connect(emulator), ClusterForm())
    again = connect(emulator)
    cluster.ensure_cluster(again, ClusterForm())
    assert writes(again) == []


def test_a_cluster_of_another_name_is_made_and_warned_of(emulator: room.Running) -> None:
    made = cluster.ensure_cluster(connect(emulator), ClusterForm(name="ecs-handson-clustr"))
    assert (made.card().state, "ecs-handson-clustr" in repr(made.notes)) == ("warn", True)


def test_a_cluster_made_by_hand_without_providers_gets_them(
    emulator: room.Running, client: Any
) -> None:
    client("ecs").create_cluster(clusterName="ecs-handson-cluster")
    made = cluster.ensure_cluster(connect(emulator), ClusterForm()).cluster
    assert made.capacity_providers == ("FARGATE", "FARGATE_SPOT")


def test_a_run_that_was_stopped_is_completed(emulator: room.Running, client: Any) -> None:
    with pytest.raises(Stopped):
        cluster.ensure_cluster(connect(emulator, StopAt(1)), ClusterForm())
    made = cluster.ensure_cluster(connect(emulator), ClusterForm()).cluster
    assert arns(client) == [made.arn]


def test_a_lost_reply_makes_no_second_call(emulator: room.Running, client: Any) -> None:
    lost = LoseReply(1)
    made = cluster.ensure_cluster(connect(emulator, lost), ClusterForm()).cluster
    assert (arns(client), lost.seen) == ([made.arn], ["CreateCluster"])


def test_a_deleted_cluster_is_made_anew(emulator: room.Running) -> None:
    aws = connect(emulator)
    cluster.ensure_cluster(aws, ClusterForm())
    cluster.delete_clusters(aws)
    assert cluster.ensure_cluster(aws, ClusterForm()).cluster.status == "ACTIVE"


def test_deleting_twice_is_content(emulator: room.Running) -> None:
    aws = connect(emulator)
    cluster.ensure_cluster(aws, ClusterForm())
    gone = [removal.resource.name for removal in cluster.delete_clusters(aws)]
    assert (gone, cluster.delete_clusters(aws)) == (["ecs-handson-cluster"], [])


def test_a_cluster_made_by_hand_is_left(emulator: room.Running, client: Any) -> None:
    client("ecs").create_cluster(clusterName="by-hand")
    cluster.delete_clusters(connect(emulator))
    assert len(arns(client)) == 1


def test_a_cluster_in_which_a_service_runs_is_left_with_a_reason(
    emulator: room.Running, client: Any
) -> None:
    aws = connect(emulator)
    cluster.ensure_cluster(aws, ClusterForm())
    ecs = client("ecs")
    ecs.register_task_definition(
        family="shop", containerDefinitions=[{"name": "shop", "image": "rails-app", "memory": 64}]
    )
    ecs.create_service(
        cluster="ecs-handson-cluster", serviceName="shop", taskDefinition="shop", desiredCount=0
    )
    [removal] = cluster.delete_clusters(aws)
    assert (removal.reason != "", len(arns(client))) == (True, 1)


def test_the_card_shows_the_command(emulator: room.Running) -> None:
    made = cluster.ensure_cluster(connect(emulator), ClusterForm())
    assert "aws ecs create-cluster --cluster-name ecs-handson-cluster" in str(made)
