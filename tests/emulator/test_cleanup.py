"""Clean-up on real emulators: everything that carries the tag, and nothing else.

What it decides, and how it waits, is tried in tests/unit/test_cleanup.py and
tests/unit/test_network_deletion.py, with AWS played by a fake.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from handson.aws import Aws
from handson.aws import emulator as room
from handson.course.exercise import NetworkForm
from handson.resources import cleanup, cluster
from handson.resources.cluster import ClusterForm as ClusterForm
from handson.resources.network import ensure_network
from handson.resources.receipts import Cleanup
from handson.resources.repository import ensure_repository, find_repositories
from handson.resources.vpc_listing import find_vpcs
from tests.emulator.hooks import LoseReply, StopAt, Stopped, connect, reset, shape, writes
from tests.emulator.second_opinion import choose_calls
from tests.unit.fake_ec2 import DELETIONS

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]

HALF_GIGABYTE = 2**29
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
ORDER = ["DeleteRepository", "DeleteCluster", *DELETIONS]


def make(aws: Aws) -> None:
    """Make everything but an image."""
    cluster.ensure_cluster(aws, ClusterForm())
    ensure_repository(aws, "rails-app")
    ensure_network(aws, NetworkForm())


@pytest.fixture
def empty(emulator: room.Running) -> dict[str, Any]:
    """Return the shape of the region before anything was made in it."""
    return shape(connect(emulator))


def left(done: Cleanup) -> dict[str, str]:
    return {removal.resource.type: removal.reason for removal in done.left}


def test_everything_is_deleted_in_awss_order_and_the_region_is_as_it_was(
    emulator: room.Running, empty: dict[str, Any]
) -> None:
    aws = connect(emulator)
    make(connect(emulator))
    done = cleanup.delete_tagged(aws)
    assert (writes(aws), left(done)) == (ORDER, {})
    living = [found for found in cluster.find_clusters(aws) if not found.is_deleted]
    assert [shape(aws), living, find_repositories(aws)] == [empty, [], ()]
    again = connect(emulator)
    assert (cleanup.delete_tagged(again).found, writes(again)) == ((), [])


@pytest.mark.parametrize("disturb", [StopAt, LoseReply])
@pytest.mark.full
def test_a_clean_up_disturbed_at_any_call_is_completed(
    emulator: room.Running, empty: dict[str, Any], disturb: Any
) -> None:
    """Stopped, it is completed by the next run; a lost reply is healed within the same one."""
    different = {}
    for k in choose_calls(emulator, len(ORDER)):
        make(connect(emulator))
        if disturb is StopAt:
            with pytest.raises(Stopped):
                cleanup.delete_tagged(connect(emulator, StopAt(k)))
        hooks = [LoseReply(k)] if disturb is LoseReply else []
        aws = connect(emulator, *hooks)
        done = cleanup.delete_tagged(aws)
        if (seen := (left(done), shape(aws))) != ({}, empty):
            different[k, ORDER[k - 1]] = seen
        reset(emulator)
    assert different == {}


@pytest.mark.full
def test_a_network_stopped_half_made_is_deleted(
    emulator: room.Running, empty: dict[str, Any]
) -> None:
    different = {}
    for k in choose_calls(emulator, 11):
        with pytest.raises(Stopped):
            ensure_network(connect(emulator, StopAt(k)), NetworkForm())
        aws = connect(emulator)
        cleanup.delete_tagged(aws)
        if (seen := shape(aws)) != empty:
            different[k] = seen
        reset(emulator)
    assert different == {}


def test_a_vpc_made_by_hand_is_left_while_what_is_tagged_in_it_goes(
    emulator: room.Running, client: Any
) -> None:
    ec2 = client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "Name", "Value": "ecs-handson-vpc"}])
    aws = connect(emulator)
    ensure_network(aws, NetworkForm())
    cleanup.delete_tagged(aws)
    [kept] = [vpc for vpc in find_vpcs(aws) if not vpc.is_default]
    assert (kept.id, kept.subnets, kept.endpoints) == (vpc_id, (), ())


def push(aws: Aws, *, tag: str, size: int) -> None:
    """Put an image of one layer into ECR, without the layer: its size stands in the manifest."""
    layer = {"mediaType": MANIFEST, "digest": f"sha256:{size:064x}", "size": size}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer], "annotations": tag}
    said = {"imageManifest": json.dumps(manifest), "imageTag": tag}
    aws.call("ecr", "PutImage", repositoryName="rails-app", **said)


def test_the_cost_is_that_of_the_layers_since_they_were_pushed(
    emulator: room.Running, tmp_path: Path
) -> None:
    aws = connect(emulator, kind="aws")
    make(connect(emulator))
    push(aws, tag="latest", size=HALF_GIGABYTE)
    push(aws, tag="1", size=HALF_GIGABYTE)  # the same layer in another image costs nothing
    push(aws, tag="latest", size=HALF_GIGABYTE // 2)  # and one whose tag is taken goes on costing
    done = cleanup.clean_up(aws, tmp_path, clock=lambda: datetime.now(UTC) + timedelta(hours=730))
    [path] = (tmp_path / "receipts").glob("*.json")
    cost = json.loads(path.read_text(encoding="utf-8"))["cost"]
    [stored] = cost["storage"]
    assert (stored["size_bytes"], cost["charged"]) == (HALF_GIGABYTE * 3 // 2, True)
    assert cost["usd"] == pytest.approx(0.075, rel=1e-3)
    assert [it for it in ("AWSServiceRoleForECS", "0.0750 USD") if it not in repr(done)] == []
    assert {request.service for request in aws.requests} == {"ec2", "ecs", "ecr"}
