"""Clean-up: everything that carries the tag, in AWS's order, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from handson.aws import Aws
from handson.aws import emulator as room
from handson.core.errors import AWSError, NotAllowed, WaitTimeout
from handson.course.exercise import NetworkForm
from handson.resources import cleanup, cluster, network
from handson.resources.cluster import ClusterForm as ClusterForm
from handson.resources.receipts import Cleanup
from handson.resources.repository import ensure_repository, find_repositories
from handson.resources.vpc_listing import find_vpcs
from tests.emulator.hooks import (
    Answer,
    Change,
    LoseReply,
    StopAt,
    Stopped,
    connect,
    shape,
    writes,
)
from tests.unit.fake_aws import Clock, Refusal

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]

ORDER = [
    "DeleteCluster",
    "DeleteRepository",
    "DisassociateRouteTable",
    "DisassociateRouteTable",
    "DeleteVpcEndpoints",
    "DeleteSubnet",
    "DeleteSubnet",
    "DeleteRouteTable",
    "DetachInternetGateway",
    "DeleteInternetGateway",
    "DeleteVpc",
]
TYPES = [
    "AWS::ECS::Cluster",
    "AWS::ECR::Repository",
    "AWS::EC2::VPCEndpoint",
    "AWS::EC2::Subnet",
    "AWS::EC2::Subnet",
    "AWS::EC2::RouteTable",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::VPC",
]


@pytest.fixture
def empty(emulator: room.Running) -> dict[str, Any]:
    """Return the shape of the region before anything was made in it."""
    return shape(connect(emulator))


@pytest.fixture
def vpc(emulator: room.Running, empty: dict[str, Any]) -> Any:
    """Make everything, and return the VPC."""
    aws = connect(emulator)
    cluster.ensure_cluster(aws, ClusterForm())
    ensure_repository(aws, "rails-app")
    return network.ensure_network(aws, NetworkForm()).vpc


def left(done: Cleanup) -> list[tuple[str, str]]:
    return [(removal.resource.type, removal.reason) for removal in done.left]


def test_what_would_be_deleted_is_listed_in_order(emulator: room.Running, vpc: Any) -> None:
    assert [item.type for item in cleanup.find_tagged(connect(emulator))] == TYPES


def test_listing_deletes_nothing(emulator: room.Running, vpc: Any) -> None:
    aws = connect(emulator)
    cleanup.find_tagged(aws)
    assert writes(aws) == []


def test_everything_is_deleted_in_the_order_aws_asks_for(emulator: room.Running, vpc: Any) -> None:
    aws = connect(emulator)
    cleanup.delete_tagged(aws)
    assert writes(aws) == ORDER


def test_afterwards_the_region_is_as_it_was(
    emulator: room.Running, empty: dict[str, Any], vpc: Any
) -> None:
    aws = connect(emulator)
    cleanup.delete_tagged(aws)
    living = [found for found in cluster.find_clusters(aws) if not found.is_deleted]
    assert (shape(aws), living, find_repositories(aws)) == (empty, [], ())


def test_private_subnets_are_deleted_too(emulator: room.Running, empty: dict[str, Any]) -> None:
    aws = connect(emulator)
    network.ensure_network(aws, NetworkForm(private_subnets=4))
    cleanup.delete_tagged(aws)
    assert shape(aws) == empty


def test_deleting_twice_is_content(emulator: room.Running, vpc: Any) -> None:
    cleanup.delete_tagged(connect(emulator))
    again = connect(emulator)
    done = cleanup.delete_tagged(again)
    assert (done.found, done.removals, writes(again)) == ((), (), [])


@pytest.mark.parametrize("k", range(1, len(ORDER) + 1))
def test_a_clean_up_stopped_at_any_call_is_completed(
    emulator: room.Running, empty: dict[str, Any], vpc: Any, k: int
) -> None:
    with pytest.raises(Stopped):
        cleanup.delete_tagged(connect(emulator, StopAt(k)))
    aws = connect(emulator)
    done = cleanup.delete_tagged(aws)
    assert (left(done), shape(aws)) == ([], empty)


@pytest.mark.parametrize("k", range(1, len(ORDER) + 1))
def test_a_lost_reply_is_healed_within_the_same_run(
    emulator: room.Running, empty: dict[str, Any], vpc: Any, k: int
) -> None:
    aws = connect(emulator, LoseReply(k))
    done = cleanup.delete_tagged(aws)
    assert (left(done), shape(aws)) == ([], empty)


@pytest.mark.parametrize("k", range(1, 12))
def test_a_network_stopped_half_made_is_deleted(
    emulator: room.Running, empty: dict[str, Any], k: int
) -> None:
    with pytest.raises(Stopped):
        network.ensure_network(connect(emulator, StopAt(k)), NetworkForm())
    aws = connect(emulator)
    cleanup.delete_tagged(aws)
    assert shape(aws) == empty


def by_hand(ec2: Any, vpc: Any, what: str) -> str:
    """Make something in the VPC without the tag; return its id."""
    if what == "subnet":
        made = ec2.create_subnet(VpcId=vpc.id, CidrBlock="10.0.200.0/24")["Subnet"]["SubnetId"]
    elif what == "security group":
        made = ec2.create_security_group(VpcId=vpc.id, GroupName="web", Description="web")[
            "GroupId"
        ]
    elif what == "route table":
        made = ec2.create_route_table(VpcId=vpc.id)["RouteTable"]["RouteTableId"]
    elif what == "endpoint":
        service = "com.amazonaws.us-east-1.dynamodb"
        reply = ec2.create_vpc_endpoint(
            VpcId=vpc.id, ServiceName=service, VpcEndpointType="Gateway"
        )
        made = reply["VpcEndpoint"]["VpcEndpointId"]
    else:
        reply = ec2.create_network_interface(SubnetId=vpc.subnets[0].id)
        made = reply["NetworkInterface"]["NetworkInterfaceId"]
    return str(made)


IN_VPC = ["subnet", "security group", "route table", "endpoint", "network interface"]


@pytest.mark.parametrize("what", IN_VPC)
def test_a_thing_made_by_hand_keeps_the_vpc_and_is_named(
    emulator: room.Running, client: Any, vpc: Any, what: str
) -> None:
    made = by_hand(client("ec2"), vpc, what)
    kept = dict(left(cleanup.delete_tagged(connect(emulator))))
    assert made in kept["AWS::EC2::VPC"]


@pytest.mark.parametrize("what", IN_VPC)
def test_what_was_made_by_hand_is_never_deleted(
    emulator: room.Running, client: Any, vpc: Any, what: str
) -> None:
    ec2 = client("ec2")
    made = by_hand(ec2, vpc, what)
    cleanup.delete_tagged(connect(emulator))
    assert made in everything(ec2)


def everything(ec2: Any) -> str:
    replies = [
        ec2.describe_subnets()["Subnets"],
        ec2.describe_security_groups()["SecurityGroups"],
        ec2.describe_route_tables()["RouteTables"],
        ec2.describe_vpc_endpoints()["VpcEndpoints"],
        ec2.describe_network_interfaces()["NetworkInterfaces"],
        ec2.describe_internet_gateways()["InternetGateways"],
    ]
    return str(replies)


def test_a_named_thing_made_by_hand_is_told_by_its_name(
    emulator: room.Running, client: Any, vpc: Any
) -> None:
    ec2 = client("ec2")
    made = by_hand(ec2, vpc, "subnet")
    ec2.create_tags(Resources=[made], Tags=[{"Key": "Name", "Value": "my-own-subnet"}])
    kept = dict(left(cleanup.delete_tagged(connect(emulator))))
    assert "my-own-subnet" in kept["AWS::EC2::VPC"]


def test_a_subnet_with_a_network_interface_in_it_is_kept(
    emulator: room.Running, client: Any, vpc: Any
) -> None:
    made = by_hand(client("ec2"), vpc, "network interface")
    kept = dict(left(cleanup.delete_tagged(connect(emulator))))
    assert made in kept["AWS::EC2::Subnet"]


def test_a_gateway_attached_by_hand_is_left(emulator: room.Running, client: Any) -> None:
    aws = connect(emulator)
    vpc = network.ensure_network(aws, NetworkForm(public_subnets=0, private_subnets=2)).vpc
    ec2 = client("ec2")
    made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc.id)
    kept = dict(left(cleanup.delete_tagged(aws)))
    assert (made in kept["AWS::EC2::VPC"], made in everything(ec2)) == (True, True)


def test_what_kept_the_vpc_gone_the_next_run_deletes_it(
    emulator: room.Running, client: Any, vpc: Any, empty: dict[str, Any]
) -> None:
    ec2 = client("ec2")
    made = by_hand(ec2, vpc, "subnet")
    cleanup.delete_tagged(connect(emulator))
    ec2.delete_subnet(SubnetId=made)
    aws = connect(emulator)
    assert (left(cleanup.delete_tagged(aws)), shape(aws)) == ([], empty)


def test_a_vpc_made_by_hand_is_left_while_what_is_tagged_in_it_goes(
    emulator: room.Running, client: Any
) -> None:
    ec2 = client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "Name", "Value": "ecs-handson-vpc"}])
    aws = connect(emulator)
    network.ensure_network(aws, NetworkForm())
    cleanup.delete_tagged(aws)
    [kept] = [vpc for vpc in find_vpcs(aws) if not vpc.is_default]
    assert (kept.id, kept.subnets, kept.endpoints) == (vpc_id, (), ())


def test_detaching_the_gateway_is_tried_again_while_something_depends_on_it(
    emulator: room.Running, vpc: Any
) -> None:
    busy = Answer("DetachInternetGateway", *[Refusal("DependencyViolation")] * 3)
    done = cleanup.delete_tagged(connect(emulator, busy, kind="aws"))
    assert (busy.asked, left(done)) == (4, [])


def test_what_aws_refuses_to_delete_in_the_end_is_left_with_its_words(
    emulator: room.Running, vpc: Any
) -> None:
    refusal = Refusal("DependencyViolation", "has mapped public addresses")
    busy = Answer("DetachInternetGateway", *[refusal] * 99)
    kept = dict(left(cleanup.delete_tagged(connect(emulator, busy, kind="aws"))))
    assert "has mapped public addresses" in kept["AWS::EC2::InternetGateway"]


class SlowEndpoint:
    """Shows a deleted endpoint for some looks more, in a state of AWS's spelling."""

    def __init__(self, *states: str) -> None:
        self.states = list(states)
        self.deleted: list[str] = []

    def attach(self, session: Any) -> None:
        session.register("provide-client-params.ec2.DeleteVpcEndpoints", self._delete)
        session.register("after-call.ec2.DescribeVpcEndpoints", self._describe)

    def _delete(self, params: dict[str, Any], **_: Any) -> None:
        self.deleted += params["VpcEndpointIds"]

    def _describe(self, parsed: dict[str, Any], **_: Any) -> None:
        if self.deleted and self.states:
            tags = [{"Key": "handson", "Value": "ecs-handson"}]
            raw = {"VpcEndpointId": self.deleted[0], "State": self.states.pop(0), "Tags": tags}
            # Before others: moto itself goes on listing it, as deleted.
            parsed["VpcEndpoints"] = [raw, *parsed.get("VpcEndpoints", ())]


@pytest.mark.parametrize(
    "states",
    [["deleting"] * 5, ["Deleting"] * 5, ["Deleting", "Deleted"], ["deleting", "deleted"]],
    ids=str,
)
def test_the_endpoint_is_waited_for(
    emulator: room.Running, vpc: Any, empty: dict[str, Any], states: list[str]
) -> None:
    clock = Clock()
    slow = SlowEndpoint(*states)
    done = cleanup.delete_tagged(connect(emulator, slow, kind="aws", clock=clock))
    deleting = [state for state in states if state.lower() == "deleting"]
    assert (left(done), len(clock.pauses)) == ([], len(deleting))


def test_an_endpoint_that_never_goes_is_told(emulator: room.Running, vpc: Any) -> None:
    slow = SlowEndpoint(*["deleting"] * 999)
    with pytest.raises(WaitTimeout) as late:
        cleanup.delete_tagged(connect(emulator, slow, kind="aws"))
    assert (slow.deleted[0] in str(late.value), len(str(late.value).splitlines())) == (True, 2)


def test_an_endpoint_still_going_since_the_last_time_is_waited_for(
    emulator: room.Running, vpc: Any
) -> None:
    clock = Clock()
    slow = SlowEndpoint(*["deleting"] * 4)
    slow.deleted.append("vpce-of-last-time")
    cleanup.delete_tagged(connect(emulator, slow, kind="aws", clock=clock))
    assert slow.states == []


def unsuccessful(code: str) -> dict[str, Any]:
    error = {"Code": code, "Message": "said AWS"}
    return {"Unsuccessful": [{"ResourceId": "vpce-1", "Error": error}]}


def test_a_failure_hidden_in_a_successful_reply_is_told(emulator: room.Running, vpc: Any) -> None:
    hidden = Answer("DeleteVpcEndpoints", unsuccessful("OperationNotPermitted"))
    with pytest.raises(AWSError) as refused:
        cleanup.delete_tagged(connect(emulator, hidden))
    assert (refused.value.code, len(str(refused.value).splitlines())) == (
        "OperationNotPermitted",
        2,
    )


def test_a_dependency_hidden_in_a_successful_reply_leaves_the_endpoint(
    emulator: room.Running, vpc: Any
) -> None:
    hidden = Answer("DeleteVpcEndpoints", unsuccessful("DependencyViolation"))
    kept = dict(left(cleanup.delete_tagged(connect(emulator, hidden))))
    assert "said AWS" in kept["AWS::EC2::VPCEndpoint"]


def test_an_endpoint_gone_already_is_content(emulator: room.Running, client: Any, vpc: Any) -> None:
    client("ec2").delete_vpc_endpoints(VpcEndpointIds=[vpc.endpoints[0].id])

    def show(parsed: dict[str, Any]) -> None:
        tags = [{"Key": "handson", "Value": "ecs-handson"}]
        raw = {"VpcEndpointId": "vpce-gone", "State": "available", "Tags": tags}
        parsed["VpcEndpoints"] = [raw] if not gone.asked else []

    gone = Answer("DeleteVpcEndpoints", unsuccessful("InvalidVpcEndpoint.NotFound"))
    showing = Change("DescribeVpcEndpoints", show)
    assert left(cleanup.delete_tagged(connect(emulator, gone, showing))) == []


def test_a_denied_deletion_stops_the_clean_up(emulator: room.Running, vpc: Any) -> None:
    denied = Answer("DeleteSubnet", Refusal("UnauthorizedOperation", status=403))
    with pytest.raises(NotAllowed):
        cleanup.delete_tagged(connect(emulator, denied))


def test_the_receipt_names_what_was_deleted(emulator: room.Running, vpc: Any) -> None:
    shown = str(cleanup.delete_tagged(connect(emulator)))
    names = ("ecs-handson-vpc", "ecs-handson-cluster", "rails-app", "ecs-handson-vpce-s3")
    assert [name for name in names if name not in shown] == []


def test_the_receipt_says_what_is_left_and_why(
    emulator: room.Running, client: Any, vpc: Any
) -> None:
    made = by_hand(client("ec2"), vpc, "subnet")
    assert made in str(cleanup.delete_tagged(connect(emulator)))


def test_the_list_is_a_card(emulator: room.Running, vpc: Any) -> None:
    aws: Aws = connect(emulator)
    assert "ecs-handson-vpc" in str(Cleanup(cleanup.find_tagged(aws)))
