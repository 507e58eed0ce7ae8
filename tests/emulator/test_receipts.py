"""Clean-up in every region that was used: its receipt is true, interrupted or not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from handson.aws import Aws
from handson.aws.emulator import Running
from handson.core import messages
from handson.core.errors import NotAllowed
from handson.course.exercise import NetworkForm
from handson.resources import cleanup, cluster, network
from handson.resources.cluster import ClusterForm as ClusterForm
from handson.resources.receipts import Cleanup
from handson.resources.repository import ensure_repository
from handson.resources.vpc_listing import find_vpcs
from tests.emulator.hooks import Answer, Change, StopAt, Stopped, connect, reset, writes
from tests.emulator.test_cleanup import ORDER
from tests.unit.fake_aws import Refusal

pytestmark = pytest.mark.emulator

TOKYO = "ap-northeast-1"
HALF_GIGABYTE = 2**29
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
Look = Callable[[], datetime]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def make(aws: Aws, *, image: bool = True) -> None:
    network.ensure_network(aws, NetworkForm())
    cluster.ensure_cluster(aws, ClusterForm())
    ensure_repository(aws, "rails-app")
    if image:
        push(aws, tag="latest", size=HALF_GIGABYTE)


def push(aws: Aws, *, tag: str, size: int) -> None:
    """Put an image of one layer into ECR, without the layer: its size stands in the manifest."""
    layer = {"mediaType": MANIFEST, "digest": f"sha256:{size:064x}", "size": size}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer], "annotations": tag}
    said = {"imageManifest": json.dumps(manifest), "imageTag": tag}
    aws.call("ecr", "PutImage", repositoryName="rails-app", **said)


def a_month_later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=730)


def clean(aws: Aws, home: Path) -> Cleanup:
    return cleanup.clean_up(aws, home, clock=a_month_later)


def receipt(home: Path) -> dict[str, Any]:
    """Return the only receipt of a home folder."""
    [path] = (home / "receipts").glob("*.json")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def ids(resources: list[dict[str, Any]]) -> set[str]:
    return {item["id"] for item in resources}


def found(aws: Aws) -> set[str]:
    return {item.id for item in cleanup.find_tagged(aws)}


# The receipt is true


def test_the_receipt_names_all_that_was_there_as_deleted(emulator: Running, home: Path) -> None:
    aws = connect(emulator)
    make(aws)
    there = found(aws)
    clean(aws, home)
    kept = receipt(home)
    assert (ids(kept["deleted"]), kept["left"], kept["nothing_left"]) == (there, [], True)
    assert found(aws) == set()


def test_what_a_learner_made_by_hand_is_named_with_what_it_keeps(
    emulator: Running, client: Any, home: Path
) -> None:
    aws = connect(emulator)
    make(aws)
    vpc = next(vpc for vpc in find_vpcs(aws) if vpc.tagged)
    group = client("ec2").create_security_group(
        VpcId=vpc.id, GroupName="my-own-group", Description="by hand"
    )["GroupId"]
    done = clean(aws, home)
    [left] = receipt(home)["left"]
    assert (left["resource"]["id"], found(aws)) == (vpc.id, {vpc.id})
    assert f"my-own-group (AWS::EC2::SecurityGroup {group})" in left["reason"]
    assert (receipt(home)["nothing_left"], left["reason"] in repr(done)) == (False, True)


def test_a_network_interface_is_told_with_the_instance_that_it_belongs_to(
    emulator: Running, client: Any, home: Path
) -> None:
    aws = connect(emulator)
    vpc = network.ensure_network(aws, NetworkForm()).vpc
    client("ec2").create_network_interface(SubnetId=vpc.subnets[0].id)

    def belong(parsed: dict[str, Any]) -> None:
        for interface in parsed["NetworkInterfaces"]:
            interface["Attachment"] = {"InstanceId": "i-0123456789"}

    clean(connect(emulator, Change("DescribeNetworkInterfaces", belong)), home)
    assert [item["resource"]["type"] for item in receipt(home)["left"]] == [
        "AWS::EC2::Subnet",
        "AWS::EC2::VPC",
    ]
    assert "i-0123456789" in receipt(home)["left"][0]["reason"]


def test_what_aws_shows_again_after_it_was_deleted_is_left(emulator: Running, home: Path) -> None:
    aws = connect(emulator)
    make(aws)
    raw = aws.call("ec2", "DescribeVpcs")["Vpcs"]
    [ours] = [item for item in raw if item.get("Tags")]

    def show(parsed: dict[str, Any]) -> None:
        known = [item["VpcId"] for item in parsed["Vpcs"]]
        parsed["Vpcs"] += [ours] if ours["VpcId"] not in known else []

    clean(connect(emulator, Change("DescribeVpcs", show)), home)
    [left] = receipt(home)["left"]
    assert (left["resource"]["id"], left["reason"]) == (
        ours["VpcId"],
        messages.text("resources.cleanup.still-listed"),
    )


BY_HAND: dict[str, Callable[[Any], Any]] = {
    "AWS::ECS::Cluster": lambda client: client("ecs").create_cluster(
        clusterName="ecs-handson-cluster"
    ),
    "AWS::ECR::Repository": lambda client: client("ecr").create_repository(
        repositoryName="rails-app"
    ),
    "AWS::EC2::VPC": lambda client: client("ec2").create_tags(
        Resources=[client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]],
        Tags=[{"Key": "Name", "Value": "ecs-handson-vpc"}],
    ),
}


@pytest.mark.parametrize("kind", BY_HAND)
def test_what_has_a_name_of_the_exercises_without_the_tag_is_left_and_named(
    emulator: Running, client: Any, home: Path, kind: str
) -> None:
    BY_HAND[kind](client)
    aws = connect(emulator)
    done = clean(aws, home)
    kept = receipt(home)
    assert ([item["type"] for item in kept["beside"]], writes(aws)) == ([kind], [])
    assert (kept["nothing_left"], kept["beside"][0]["name"] in repr(done)) == (True, True)


def test_the_role_of_ecs_is_never_asked_for(emulator: Running, home: Path) -> None:
    aws = connect(emulator)
    make(aws)
    clean(aws, home)
    assert {request.service for request in aws.requests} == {"ec2", "ecs", "ecr"}


# What it cost


def test_the_cost_is_that_of_the_layers_since_they_were_pushed(
    emulator: Running, home: Path
) -> None:
    aws = connect(emulator)
    make(aws)
    push(aws, tag="1", size=HALF_GIGABYTE)  # the same layer in another image costs nothing
    push(aws, tag="latest", size=HALF_GIGABYTE // 2)  # and one whose tag is taken goes on costing
    done = clean(aws, home)
    cost = receipt(home)["cost"]
    [stored] = cost["storage"]
    assert stored["size_bytes"] == HALF_GIGABYTE * 3 // 2
    assert (cost["usd"], cost["charged"]) == (pytest.approx(0.075, rel=1e-3), False)
    assert "0.0750 USD" in repr(done)


def test_on_real_aws_it_was_charged_and_the_receipt_says_how_to_look_further(
    emulator: Running, home: Path
) -> None:
    make(connect(emulator))
    done = clean(connect(emulator, kind="aws"), home)
    seen = (receipt(home)["cost"]["charged"], "AWSServiceRoleForECS" in repr(done))
    assert (*seen, "us-east-1" in repr(done)) == (True, True, True)


def test_without_an_image_there_is_nothing_to_pay(emulator: Running, home: Path) -> None:
    aws = connect(emulator)
    make(aws, image=False)
    done = clean(aws, home)
    assert receipt(home)["cost"]["usd"] == 0
    assert messages.text("resources.cleanup.nothing-stored-free") in repr(done)


# Interrupted


@pytest.mark.parametrize("k", range(1, len(ORDER) + 1))
def test_interrupted_at_any_deleting_call_the_next_run_ends_with_one_whole_receipt(
    emulator: Running, home: Path, k: int
) -> None:
    aws = connect(emulator)
    make(aws)
    there = found(aws)
    with pytest.raises(Stopped):
        clean(connect(emulator, StopAt(k)), home)
    assert (receipt(home)["state"], receipt(home)["deleted"]) == ("begun", [])
    clean(aws, home)
    kept = receipt(home)
    assert (ids(kept["deleted"]), kept["nothing_left"], kept["state"]) == (there, True, "finished")
    assert kept["cost"]["usd"] == pytest.approx(0.05, rel=1e-3)


def test_interrupted_after_the_last_call_the_list_says_so(emulator: Running, home: Path) -> None:
    aws = connect(emulator)
    make(aws, image=False)
    with pytest.raises(Stopped):
        clean(connect(emulator, StopAt(len(ORDER))), home)
    cleanup.delete_tagged(aws)
    listed = cleanup.list_cleanup(aws, home)
    assert (listed.found, listed.unfinished) == ((), True)
    assert messages.text("resources.cleanup.unfinished") in repr(listed)


# Two regions


@pytest.fixture
def two(emulator: Running, home: Path) -> Iterator[Aws]:
    """Make everything in us-east-1, and an image in Tokyo by mistake."""
    aws = connect(emulator)
    make(aws)
    tokyo = aws.in_region(TOKYO)
    ensure_repository(tokyo, "rails-app")
    push(tokyo, tag="latest", size=HALF_GIGABYTE)
    network.ensure_network(tokyo, NetworkForm())
    cleanup.remember_region(home, tokyo.target)
    yield aws
    reset(emulator)


def test_both_regions_are_listed(two: Aws, home: Path) -> None:
    listed = cleanup.list_cleanup(two, home)
    assert {item.region for item in listed.found} == {"us-east-1", TOKYO}
    assert TOKYO in repr(listed)


def test_both_regions_are_cleaned_up(two: Aws, home: Path) -> None:
    clean(two, home)
    kept = receipt(home)
    assert (found(two), found(two.in_region(TOKYO)), kept["nothing_left"]) == (set(), set(), True)
    assert (kept["regions"], {item["region"] for item in kept["cost"]["storage"]}) == (
        ["us-east-1", TOKYO],
        {"us-east-1", TOKYO},
    )


def test_a_region_that_may_not_be_looked_at_does_not_stop_the_other(
    emulator: Running, two: Aws, home: Path
) -> None:
    denied = Answer("ListClusters", Refusal("AccessDeniedException"))
    aws = connect(emulator, OnlyIn(TOKYO, denied))
    done = clean(aws, home)
    [left] = receipt(home)["left"]
    assert (found(two), left["resource"]["id"]) == (set(), TOKYO)
    assert ("ecs:ListClusters" in left["reason"], done.left != ()) == (True, True)
    assert [item for item in receipt(home)["deleted"] if item["region"] == TOKYO] == []


def test_a_denial_at_home_stops_the_clean_up(emulator: Running, home: Path) -> None:
    with pytest.raises(NotAllowed):
        clean(connect(emulator, Answer("ListClusters", Refusal("AccessDeniedException"))), home)


class OnlyIn:
    """Lets a hook see the calls to one region alone."""

    def __init__(self, region: str, hook: Answer) -> None:
        self._region = region
        self._hook = hook

    def attach(self, session: Any) -> None:
        session.register("before-call", self._before)

    def _before(self, model: Any, context: dict[str, Any], **_: Any) -> Any:
        if context["client_region"] == self._region:
            return self._hook._before(model)
        return None
