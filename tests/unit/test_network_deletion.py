"""What clean-up deletes of the network, what it keeps and why: on a region that a fake plays."""

from __future__ import annotations

from typing import Any

import pytest

from handson.core.errors import AWSError
from handson.course.exercise import NetworkForm
from handson.course.state import Removal
from handson.resources.cleanup import delete_tagged
from handson.resources.network import ensure_network
from handson.resources.network_deletion import list_network_resources
from tests.unit.fake_aws import Refusal, no_answer, unauthorized
from tests.unit.fake_ec2 import DELETIONS as ORDER
from tests.unit.fake_ec2 import TAG, FakeEc2


@pytest.fixture
def region() -> FakeEc2:
    """Return a region with the workshop's network and a stranger's VPC that is in use."""
    region = FakeEc2()
    other = region.add("Vpc", name="ecs-handson-vpc", CidrBlock="10.9.0.0/16")
    region.add("SecurityGroup", VpcId=other, GroupName="web")
    region.add("NetworkInterface", VpcId=other, SubnetId="subnet-of-the-other")
    ensure_network(region.connect(kind="emulator"), NetworkForm(name="shop"))
    region.calls.clear()
    return region


def delete(region: FakeEc2, **patience: Any) -> list[Removal]:
    return list(delete_tagged(region.connect(**patience)).removals)


def kept(region: FakeEc2, **patience: Any) -> dict[str, str]:
    """Delete; return why what was kept was kept, by its name."""
    removals = delete(region, **patience)
    return {item.resource.name: item.reason for item in removals if item.reason}


def vpc_id(region: FakeEc2, name: str = "shop-vpc") -> str:
    return str(region.named("Vpc", name)["VpcId"])


def test_all_resources_are_listed_in_the_order_of_deletion_with_their_tag(region: FakeEc2) -> None:
    region.add("Subnet", VpcId=vpc_id(region), CidrBlock="10.0.200.0/24")
    listed = [item.resource for item in list_network_resources(region.connect())]
    assert [(item.type, item.name, item.tagged) for item in listed] == [
        ("AWS::EC2::VPCEndpoint", "shop-vpce-s3", True),
        ("AWS::EC2::RouteTable", "", False),
        ("AWS::EC2::RouteTable", "", False),
        ("AWS::EC2::RouteTable", "shop-rtb-public", True),
        ("AWS::EC2::Subnet", "", False),
        ("AWS::EC2::Subnet", "shop-subnet-public1-us-east-1a", True),
        ("AWS::EC2::Subnet", "shop-subnet-public2-us-east-1b", True),
        ("AWS::EC2::InternetGateway", "shop-igw", True),
        ("AWS::EC2::VPC", "ecs-handson-vpc", False),
        ("AWS::EC2::VPC", "shop-vpc", True),
    ]
    assert {item.region for item in listed} == {"us-east-1"}
    assert listed[-1].id == vpc_id(region)
    assert region.writes == []


def test_what_is_tagged_is_deleted_in_awss_order_and_nothing_else(region: FakeEc2) -> None:
    said: list[str] = []
    gateway = region.named("InternetGateway", "shop-igw")["InternetGatewayId"]
    inside = {"InternetGatewayId": gateway, "VpcId": vpc_id(region)}
    removals = delete_tagged(region.connect().report_to(said.append)).removals
    assert region.writes == ORDER
    assert region.said("DetachInternetGateway") == [inside]
    assert [raw["Tags"][0]["Value"] for raw in region.held["Vpc"]] == ["ecs-handson-vpc"]
    assert [item.reason for item in removals] == [""] * 6
    assert said == [f"{item.resource.label} {item.resource.name}" for item in removals]
    region.calls.clear()
    assert (delete(region), region.writes) == ([], [])


def test_what_has_no_name_is_listed_and_reported_by_its_id() -> None:
    region, said = FakeEc2(), []
    for id in ("igw-b", "igw-a"):
        region.add("InternetGateway", InternetGatewayId=id, tagged=True)
    delete_tagged(region.connect().report_to(said.append))
    assert said == ["インターネットゲートウェイ igw-a", "インターネットゲートウェイ igw-b"]


def test_a_learners_table_and_the_main_one_are_never_disassociated(region: FakeEc2) -> None:
    joined = {"SubnetId": "subnet-mine", "RouteTableAssociationId": "assoc-mine"}
    other = vpc_id(region, "ecs-handson-vpc")
    region.add("RouteTable", VpcId=other, Associations=[joined])
    [main] = [it for it in region.held["RouteTable"] if it["VpcId"] == vpc_id(region)][:1]
    main["Tags"].append(TAG)
    delete(region)
    assert {"AssociationId": "assoc-mine"} not in region.said("DisassociateRouteTable")
    assert len(region.said("DisassociateRouteTable")) == 2


MADE: dict[str, tuple[str, dict[str, str]]] = {
    "subnet-mine": ("Subnet", {"SubnetId": "subnet-mine"}),
    "my-own": ("Subnet", {"name": "my-own"}),
    "rtb-mine": ("RouteTable", {"RouteTableId": "rtb-mine"}),
    "vpce-mine": ("VpcEndpoint", {"VpcEndpointId": "vpce-mine"}),
    "nat-mine": ("NatGateway", {"NatGatewayId": "nat-mine"}),
    "web": ("SecurityGroup", {"GroupName": "web", "Description": "for all"}),
    "eni-mine": ("NetworkInterface", {"NetworkInterfaceId": "eni-mine"}),
    "igw-mine": ("InternetGateway", {"InternetGatewayId": "igw-mine"}),
}


@pytest.mark.parametrize("named", MADE)
def test_what_a_learner_made_keeps_the_vpc_and_is_named(region: FakeEc2, named: str) -> None:
    noun, fields = MADE[named]
    vpc = vpc_id(region)
    joined = {"Attachments": [{"VpcId": vpc}]} if noun == "InternetGateway" else {"VpcId": vpc}
    region.add(noun, **joined, **fields)
    reasons = kept(region)
    assert list(reasons) == ["shop-vpc"]
    assert [named in reasons["shop-vpc"], "for all" in reasons["shop-vpc"]] == [True, False]
    assert reasons["shop-vpc"].count("(") == 2  # neither the main table nor the default group
    assert region.writes == ORDER[:-1]


OWNERS: dict[str, dict[str, Any]] = {
    "eni-1 (ネットワークインターフェイス) ← i-1": {
        "Attachment": {"InstanceId": "i-1"}, "Description": "ELB"},
    "eni-2 (ネットワークインターフェイス) ← ELB": {"Attachment": {}, "Description": "ELB"},
    "eni-3 (ネットワークインターフェイス)": {},
}  # fmt: skip


def test_network_interfaces_keep_their_subnet_and_are_told_with_their_owners(
    region: FakeEc2,
) -> None:
    subnet = region.named("Subnet", "shop-subnet-public1-us-east-1a")
    where = {"VpcId": subnet["VpcId"], "SubnetId": subnet["SubnetId"]}
    for told, fields in OWNERS.items():
        region.add("NetworkInterface", NetworkInterfaceId=told[:5], **where, **fields)
    reasons = kept(region)
    assert list(reasons) == ["shop-subnet-public1-us-east-1a", "shop-vpc"]
    for reason in reasons.values():
        assert ([told for told in OWNERS if told not in reason], reason.count("←")) == ([], 2)
    assert region.writes == [*ORDER[:5], *ORDER[6:-1]]


GONE_ALREADY = {
    "DisassociateRouteTable": "InvalidAssociationID.NotFound",
    "DeleteSubnet": "InvalidSubnetID.NotFound",
    "DetachInternetGateway": "Gateway.NotAttached",
    "DeleteInternetGateway": "InvalidInternetGatewayID.NotFound",
    "DeleteVpc": "InvalidVpcID.NotFound",
}


@pytest.mark.parametrize(("operation", "code"), GONE_ALREADY.items())
def test_what_is_gone_already_is_content(region: FakeEc2, operation: str, code: str) -> None:
    region.answers(operation, Refusal(code))
    assert all("NotFound" not in reason for reason in kept(region).values())
    assert "DeleteVpc" in region.writes


@pytest.mark.parametrize("operation", ["DeleteSubnet", "DetachInternetGateway"])
def test_what_is_in_use_for_a_while_is_tried_again(region: FakeEc2, operation: str) -> None:
    region.first(operation, *[Refusal("DependencyViolation")] * 3)
    before = len([name for name in ORDER if name == operation])
    assert (kept(region), len(region.said(operation))) == ({}, before + 3)


def test_what_stays_in_use_is_kept_with_awss_words(region: FakeEc2) -> None:
    busy = Refusal("DependencyViolation", "has mapped public addresses")
    region.answers("DetachInternetGateway", busy)
    before = region.clock.now
    reasons = kept(region)
    assert list(reasons) == ["shop-igw", "shop-vpc"]
    assert "has mapped public addresses" in reasons["shop-igw"]
    assert region.clock.now - before == pytest.approx(600.0, abs=5.0)  # not for the VPC as well
    assert "DeleteInternetGateway" not in region.writes


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        ("DisassociateRouteTable", ["shop-rtb-public"]),
        ("DeleteSubnet", ["shop-subnet-public1-us-east-1a", "shop-subnet-public2-us-east-1b"]),
        ("DeleteInternetGateway", ["shop-igw"]),
    ],
)
def test_another_refusal_is_told_and_stops_nothing_else(
    region: FakeEc2, operation: str, names: list[str]
) -> None:
    region.answers(operation, unauthorized(f"ec2:{operation}"))
    reasons = kept(region)
    assert [name for name in names if operation not in reasons[name]] == []
    left = [name for name in ORDER[2:] if name not in region.writes]
    assert set(left) <= {"DeleteRouteTable", "DeleteSubnet"}
    assert region.clock.pauses == []


def test_a_lost_connection_stops_the_deletion(region: FakeEc2) -> None:
    for operation in ("DeleteSubnet", "GetCallerIdentity"):
        region.answers(operation, no_answer())
    with pytest.raises(AWSError):
        delete(region)
    assert "DeleteVpc" not in region.writes


def unsuccessful(**error: str) -> dict[str, Any]:
    return {"Unsuccessful": [{"ResourceId": "vpce-1", "Error": error}]}


def slowly(region: FakeEc2, *states: str) -> None:
    """Let the endpoint be shown in these states for as many looks after its deletion."""
    endpoint = region.named("VpcEndpoint", "shop-vpce-s3")
    own = region.planned["DeleteVpcEndpoints"][-1]

    def answer(said: dict[str, Any]) -> Any:
        shown = [{"VpcEndpoints": [{**endpoint, "State": state}]} for state in states]
        region.first("DescribeVpcEndpoints", *shown)
        return own(said)

    region.answers("DeleteVpcEndpoints", answer)


@pytest.mark.parametrize(
    "states", [["deleting"] * 3, ["Deleting"] * 3, ["Deleting", "Deleted"], ["deleted"]], ids=str
)
def test_an_endpoint_is_waited_for(region: FakeEc2, states: list[str]) -> None:
    slowly(region, *states)
    assert kept(region) == {}
    deleting = [state for state in states if state.lower() == "deleting"]
    assert len(region.clock.pauses) == len(deleting)


def test_an_endpoint_that_never_goes_is_told_after_five_minutes(region: FakeEc2) -> None:
    endpoint = region.named("VpcEndpoint", "shop-vpce-s3")["VpcEndpointId"]
    slowly(region, *["deleting"] * 999)
    before = region.clock.now
    assert endpoint in kept(region)["shop-vpce-s3"]
    assert region.clock.now - before == pytest.approx(300.0)
    assert "DeleteSubnet" in region.writes


def test_only_an_endpoint_of_ours_that_is_still_going_is_waited_for(region: FakeEc2) -> None:
    region.add("VpcEndpoint", State="Deleting")
    old = {"VpcEndpointId": "vpce-0", "State": "Deleting", "Tags": [TAG]}
    shown = [old, *region.held["VpcEndpoint"]]
    region.first("DescribeVpcEndpoints", *[{"VpcEndpoints": shown}] * 3)
    removals = delete(region)
    assert (removals[0].resource.id, {it.reason for it in removals}) == ("vpce-0", {""})
    assert len(region.clock.pauses) == 2
    assert (delete(region), len(region.clock.pauses)) == ([], 2)  # the stranger's alone is going


REFUSED = "OperationNotPermitted"


@pytest.mark.parametrize(
    ("error", "words"),
    [({"Code": REFUSED, "Message": "said AWS"}, "said"), ({"Code": REFUSED}, REFUSED), ({}, "")],
)
def test_a_failure_in_a_successful_reply_is_told(
    region: FakeEc2, error: dict[str, str], words: str
) -> None:
    region.answers("DeleteVpcEndpoints", unsuccessful(**error))
    reason = kept(region)["shop-vpce-s3"]
    assert [each for each in (words, "ec2:DeleteVpcEndpoints") if each not in reason] == []


def test_a_dependency_in_a_successful_reply_keeps_the_endpoint(region: FakeEc2) -> None:
    busy = unsuccessful(Code="DependencyViolation", Message="said AWS")
    region.answers("DeleteVpcEndpoints", busy)
    assert "said AWS" in kept(region)["shop-vpce-s3"]


GONE = "InvalidVpcEndpointId.NotFound"


@pytest.mark.parametrize("answer", [unsuccessful(Code=GONE), Refusal(GONE)], ids=str)
def test_an_endpoint_that_is_gone_already_is_content(region: FakeEc2, answer: Any) -> None:
    own = region.planned["DeleteVpcEndpoints"][-1]
    region.answers("DeleteVpcEndpoints", lambda said: (own(said), answer)[1])
    assert kept(region) == {}
