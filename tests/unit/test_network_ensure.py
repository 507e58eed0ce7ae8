"""What `ensure_network` finds, and which calls it makes: on a region that a fake plays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

import pytest

from handson.core.cards import Note
from handson.core.errors import AWSError, InvalidInput, NotAllowed, WaitTimeout
from handson.core.waiting import wait_until
from handson.course.exercise import Exercise, NetworkForm
from handson.resources.network import Network, ensure_network, plan_work
from tests.unit.fake_aws import Refusal, unauthorized
from tests.unit.fake_ec2 import ZONES, FakeEc2

FORM = NetworkForm()
LARGE = NetworkForm(private_subnets=2)
HIDDEN = NetworkForm(public_subnets=0, private_subnets=2)
BARE = NetworkForm(s3_endpoint=False)
PUBLIC = "ecs-handson-rtb-public"
Spoil = Callable[[FakeEc2], object]


@pytest.fixture
def region() -> FakeEc2:
    return FakeEc2()


def ensured(region: FakeEc2, form: NetworkForm = FORM, *, kind: str = "emulator") -> Network:
    """Ensure the network; afterwards only its own calls are among those of the region."""
    region.calls.clear()
    return ensure_network(region.connect(kind=kind), form)


def refused(region: FakeEc2, form: NetworkForm = FORM, *, kind: str = "emulator") -> InvalidInput:
    """Return the refusal, before which nothing was changed."""
    with pytest.raises(InvalidInput) as error:
        ensured(region, form, kind=kind)
    assert region.writes == []
    return error.value


def a_vpc(region: FakeEc2, *, tagged: bool = False, **fields: Any) -> str:
    given = {"CidrBlock": "10.0.0.0/16", **fields}
    return region.add("Vpc", name="ecs-handson-vpc", tagged=tagged, **given)


def a_subnet(region: FakeEc2, vpc: str, cidr: str, zone: str = "us-east-1a", **named: Any) -> str:
    return region.add("Subnet", VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone, **named)


def warnings(made: Network) -> list[str]:
    return ["\n".join(part.text()) for part in made.card().parts if isinstance(part, Note)]


def test_a_new_network_is_joined_as_the_consoles(region: FakeEc2) -> None:
    ensured(region, NetworkForm(name="shop", private_subnets=2))

    def id_of(noun: str, name: str) -> Any:
        return region.named(noun, f"shop-{name}")[f"{noun}Id"]

    gateway, table = id_of("InternetGateway", "igw"), id_of("RouteTable", "rtb-public")
    way = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
    assert region.said("CreateRoute") == [{"RouteTableId": table, **way}]
    private = [id_of("RouteTable", f"rtb-private{n}-{ZONES[n - 1]}") for n in (1, 2)]
    assert region.named("VpcEndpoint", "shop-vpce-s3")["RouteTableIds"] == private


@pytest.mark.parametrize("form", [FORM, LARGE, HIDDEN, BARE], ids=str)
def test_a_second_run_changes_nothing_and_returns_the_same(
    region: FakeEc2, form: NetworkForm
) -> None:
    first = ensured(region, form)
    assert ensured(region, form) == first
    assert region.writes == []


def test_each_call_is_reported_as_it_is_made(region: FakeEc2) -> None:
    said: list[str] = []
    ensured(region)
    region.get("RouteTable", region.named("RouteTable", PUBLIC)["RouteTableId"])["Routes"].pop()
    aws = region.connect(kind="emulator").report_to(lambda sentence: said.append(str(sentence)))
    ensure_network(aws, FORM)
    assert [words for words in said if "CreateRoute" not in words] == []
    assert len(said) == 1


def test_of_the_vpcs_of_the_name_the_tagged_one_is_completed_but_never_the_default(
    region: FakeEc2,
) -> None:
    a_vpc(region, tagged=True, IsDefault=True)
    a_vpc(region)
    tagged = a_vpc(region, tagged=True)
    a_vpc(region, tagged=True, VpcId="vpc-z")
    assert ensured(region).vpc.id == tagged


def test_a_vpc_of_the_name_made_by_hand_is_completed_even_in_a_full_region(
    region: FakeEc2,
) -> None:
    region.add("Vpc", name="other", tagged=True, CidrBlock="10.0.0.0/16")
    fill(region, 4)
    by_hand = a_vpc(region)
    assert (ensured(region).vpc.id, "CreateVpc" in region.writes) == (by_hand, False)


@pytest.mark.parametrize("name", ["ecs-handson-igw", "igw"])
@pytest.mark.parametrize("tagged", [True, False])
def test_a_loose_gateway_is_attached_if_it_is_ours(
    region: FakeEc2, name: str, tagged: bool
) -> None:
    loose = region.add("InternetGateway", name=name, tagged=tagged)
    [attached] = ensured(region).vpc.internet_gateways
    assert (attached.id == loose) is (tagged and name == "ecs-handson-igw")


def test_the_gateway_of_the_vpc_comes_before_a_loose_one(region: FakeEc2) -> None:
    region.add("InternetGateway", name="ecs-handson-igw", tagged=True)
    joined = [{"VpcId": a_vpc(region), "State": "available"}]
    own = region.add("InternetGateway", Attachments=joined)
    ensured(region)
    assert region.said("CreateRoute")[0]["GatewayId"] == own
    assert [name for name in region.writes if "InternetGateway" in name] == []


def change_route(change: dict[str, str]) -> Spoil:
    return lambda region: region.named("RouteTable", PUBLIC)["Routes"][-1].update(change)


def lose_route(region: FakeEc2) -> None:
    """Leave the way out to another table: one there does not count."""
    out = region.named("RouteTable", PUBLIC)["Routes"].pop()
    vpc = region.named("Vpc", "ecs-handson-vpc")["VpcId"]
    region.add("RouteTable", VpcId=vpc, Routes=[out])


def switch_off(*names: str) -> Spoil:
    def spoil(region: FakeEc2) -> None:
        vpc = region.named("Vpc", "ecs-handson-vpc")["VpcId"]
        region.switches |= {(vpc, f"EnableDns{name}"): False for name in names}

    return spoil


REPAIRED: dict[str, tuple[Spoil, list[str]]] = {
    "a blackhole": (change_route({"State": "blackhole"}), ["ReplaceRoute"]),
    "a route elsewhere": (change_route({"GatewayId": "igw-other"}), ["ReplaceRoute"]),
    "no route": (lose_route, ["CreateRoute"]),
    "detached": (
        lambda it: it.named("InternetGateway", "ecs-handson-igw").update(Attachments=[]),
        ["AttachInternetGateway"],
    ),
    "no hostnames": (switch_off("Hostnames"), ["EnableDnsHostnames"]),
    "no DNS": (switch_off("Hostnames", "Support"), ["EnableDnsSupport", "EnableDnsHostnames"]),
    "no resolution": (switch_off("Support"), ["EnableDnsSupport"]),
}


@pytest.mark.parametrize("name", REPAIRED)
def test_what_is_not_right_is_repaired_and_nothing_else(region: FakeEc2, name: str) -> None:
    spoil, expected = REPAIRED[name]
    whole = ensured(region).vpc
    spoil(region)
    made = ensured(region).vpc
    assert (made.subnets, made.internet_gateways) == (whole.subnets, whole.internet_gateways)
    assert [it for it in whole.route_tables if it not in made.route_tables] == []
    switched = [next(iter(said.keys() - {"VpcId"})) for said in region.said("ModifyVpcAttribute")]
    assert [*(it for it in region.writes if it != "ModifyVpcAttribute"), *switched] == expected
    assert (made.dns_support, made.dns_hostnames) == (True, True)


def test_hostnames_wait_for_resolution(region: FakeEc2) -> None:
    vpc = ensured(region).vpc.id
    switch_off("Support", "Hostnames")(region)
    region.answers("ModifyVpcAttribute", Refusal("UnauthorizedOperation", status=403))
    with pytest.raises(NotAllowed):
        ensured(region)
    said = {"VpcId": vpc, "EnableDnsSupport": {"Value": True}}
    assert region.said("ModifyVpcAttribute") == [said]


@pytest.mark.parametrize(
    ("service", "kind", "made"),
    [("s3", "Gateway", False), ("s3", "Interface", True), ("dynamodb", "Gateway", True)],
)
def test_a_gateway_endpoint_of_s3_is_enough_whoever_made_it(
    region: FakeEc2, service: str, kind: str, made: bool
) -> None:
    vpc = ensured(region, BARE).vpc.id
    of = {"ServiceName": f"com.amazonaws.us-east-1.{service}", "VpcEndpointType": kind}
    region.add("VpcEndpoint", VpcId=vpc, **of)
    ensured(region)
    assert ("CreateVpcEndpoint" in region.writes) is made


def test_private_tables_are_added_to_an_endpoint_unless_the_form_leaves_it_out(
    region: FakeEc2,
) -> None:
    ensured(region, NetworkForm(availability_zones=1, public_subnets=1, private_subnets=1))
    ensured(region, NetworkForm(private_subnets=2, s3_endpoint=False))
    assert [name for name in region.writes if "Endpoint" in name] == []
    ensured(region, LARGE)
    table = region.named("RouteTable", "ecs-handson-rtb-private2-us-east-1b")["RouteTableId"]
    endpoint = region.named("VpcEndpoint", "ecs-handson-vpce-s3")["VpcEndpointId"]
    said = {"VpcEndpointId": endpoint, "AddRouteTableIds": [table]}
    assert region.said("ModifyVpcEndpoint") == [said]


def a_table(region: FakeEc2, vpc: str, *subnets: str, routes: int = 0) -> str:
    joined = [{"SubnetId": id, "RouteTableAssociationId": f"by-hand-{id}"} for id in subnets]
    blocks = [{"DestinationCidrBlock": f"10.{n}.0.0/16"} for n in range(1, routes + 1)]
    return region.add("RouteTable", name=PUBLIC, VpcId=vpc, Associations=joined, Routes=blocks)


@pytest.mark.parametrize("serving", [False, True])
def test_of_several_tables_of_the_name_one_with_a_subnet_or_else_most_routes_is_used(
    region: FakeEc2, serving: bool
) -> None:
    vpc = a_vpc(region)
    tables = [a_table(region, vpc, routes=routes) for routes in (1, 2, 1)]
    if serving:
        tables[1] = a_table(region, vpc, a_subnet(region, vpc, "10.0.0.0/20"))
    ensured(region)
    assert [said["RouteTableId"] for said in region.said("CreateRoute")] == tables[1:2]


def test_a_subnet_in_another_table_of_the_name_stays_there(region: FakeEc2) -> None:
    vpc = ensured(region).vpc
    joined = region.named("RouteTable", PUBLIC)["Associations"].pop()
    a_table(region, vpc.id, joined["SubnetId"])
    ensured(region)
    assert region.writes == []


THREE = NetworkForm(availability_zones=3, public_subnets=3)
FIRST, SECOND, PRIVATE = "10.0.0.0/20", "10.0.16.0/20", "10.0.144.0/20"
IN_ZONES: dict[str, tuple[NetworkForm, dict[str, str], str]] = {
    "another zone": (LARGE, {FIRST: "c"}, "ca"),
    "the other way round": (LARGE, {SECOND: "a"}, "ba"),
    "a private one": (LARGE, {PRIVATE: "c"}, "ac"),
    "two zones": (LARGE, {FIRST: "b", "10.0.128.0/20": "c"}, "ba"),
    "another block": (LARGE, {"10.0.64.0/20": "c"}, "ab"),
    "three": (THREE, {FIRST: "c"}, "cab"),
}


@pytest.mark.parametrize("name", IN_ZONES)
def test_new_subnets_stand_in_the_zones_beside_those_that_are_there(
    region: FakeEc2, name: str
) -> None:
    form, there, zones = IN_ZONES[name]
    vpc = a_vpc(region)
    for cidr, zone in there.items():
        a_subnet(region, vpc, cidr, f"us-east-1{zone}")
    seen = {subnet.cidr: subnet.zone[-1] for subnet in ensured(region, form).vpc.subnets}
    assert [seen[f"10.0.{16 * n}.0/20"] for n in range(len(zones))] == [*zones]


FULL = (
    "Value ({0}) for parameter availabilityZone is invalid. Subnets can currently only be created"
)
NAMES = f"{FULL} in the following availability zones: us-east-1b, us-east-1c, us-east-1f."
NO_ROOM = Refusal("Unsupported", "We currently do not have sufficient capacity there.")


def refuse_zones(region: FakeEc2, *full: str, answer: Refusal | None = None) -> None:
    own = region.planned["CreateSubnet"][-1]

    def create(said: dict[str, Any]) -> Any:
        zone = said["AvailabilityZone"]
        named = Refusal("InvalidParameterValue", NAMES.format(zone))
        return (answer or named) if zone in full else own(said)

    region.answers("CreateSubnet", create)


@pytest.mark.parametrize("answer", [None, NO_ROOM], ids=["named", "no room"])
@pytest.mark.parametrize("full", ["us-east-1a", "us-east-1b"])
def test_another_zone_takes_the_place_of_a_full_one_and_nothing_is_made_twice(
    region: FakeEc2, full: str, answer: Refusal | None
) -> None:
    refuse_zones(region, full, answer=answer)
    region.first("DescribeSubnets", *[{"Subnets": []}] * 2)  # AWS does not show them yet
    made = ensured(region, LARGE, kind="aws")
    zones = {"us-east-1a": "cb", "us-east-1b": "ac"}[full]
    found = {subnet.name: subnet.zone for subnet in made.vpc.subnets}
    kinds = ("public1", "public2", "private1", "private2")
    named = zip(kinds, [f"us-east-1{zone}" for zone in zones * 2], strict=True)
    assert found == {f"ecs-handson-subnet-{kind}-{zone}": zone for kind, zone in named}
    counts = [len(region.held[noun]) for noun in ("Vpc", "InternetGateway", "RouteTable")]
    assert counts == [1, 1, 4]  # the VPC's own table, one for public subnets, two for private ones
    assert ensured(region, LARGE) == made
    assert region.writes == []


def test_a_zone_whose_call_a_refusal_has_ended_is_not_taken_for_full(region: FakeEc2) -> None:
    refuse_zones(region, "us-east-1a")
    answer, is_refused, is_known = region.planned["CreateSubnet"][-1], Event(), Event()

    def create(said: dict[str, Any]) -> Any:
        if said["AvailabilityZone"] == "us-east-1b" and not is_known.is_set():
            return Refusal("InvalidVpcID.NotFound")
        if said["AvailabilityZone"] == "us-east-1a":
            is_refused.set()
        else:
            is_known.set()
        return answer(said)

    def sleep(_: float) -> None:  # until the other thread's refusal ends the pause
        is_refused.wait()
        is_known.wait(0.05)

    region.answers("CreateSubnet", create)
    made = ensure_network(region.connect(sleep=sleep), FORM)
    assert [subnet.zone[-1] for subnet in made.vpc.subnets] == ["c", "b"]


def test_full_zones_are_replaced_until_none_is_left_and_named_ones_never(region: FakeEc2) -> None:
    refuse_zones(region, "us-east-1a", "us-east-1c")
    for zones in ((), ("us-east-1a", "us-east-1b")):
        with pytest.raises(AWSError) as full:
            ensure_network(region.connect(), FORM, zones=zones)
        last = "us-east-1a" if zones else "us-east-1c"
        told = (last in full.value.problem, "zones=(" in full.value.remedy)
        assert (full.value.code, told) == ("InvalidParameterValue", (True, True))
    assert ensured(region, NetworkForm(availability_zones=1, public_subnets=1)).vpc.subnets
    assert (len(region.held["Vpc"]), len(region.said("CreateVpc"))) == (1, 0)


def test_only_a_zone_that_aws_names_takes_the_place_of_a_full_one(region: FakeEc2) -> None:
    zones = [{"ZoneName": f"us-east-1{letter}", "ZoneId": letter} for letter in "abdf"]
    region.answers("DescribeAvailabilityZones", {"AvailabilityZones": zones})
    refuse_zones(region, "us-east-1a")  # AWS names b, c and f
    assert [it.zone[-1] for it in ensured(region, FORM, kind="aws").vpc.subnets] == ["f", "b"]


def test_a_refusal_of_another_call_is_not_taken_for_a_full_zone(region: FakeEc2) -> None:
    def refuse_after_the_subnets(_said: Any) -> Refusal:
        made = partial(region.said, "CreateSubnet")
        wait_until(made, done=lambda it: len(it) == 2, what="two subnets", timeout=30)
        return Refusal("Unsupported", "no gateways today")

    region.answers("CreateInternetGateway", refuse_after_the_subnets)
    with pytest.raises(AWSError, match="no gateways today"):
        ensured(region)
    assert len(region.said("CreateSubnet")) == 2


def test_named_zones_are_taken_and_unknown_ones_refused_with_the_choices(region: FakeEc2) -> None:
    zones = ("us-east-1c", "us-east-1b")
    with pytest.raises(InvalidInput, match="us-east-1a, us-east-1b, us-east-1c"):
        ensure_network(region.connect(), FORM, zones=("us-east-1a", "us-east-1z"))
    assert region.writes == []
    made = ensure_network(region.connect(), FORM, zones=zones)
    assert [subnet.zone for subnet in made.vpc.subnets] == list(zones)
    assert warnings(made) == []
    [told, _] = warnings(ensure_network(region.connect(), FORM, zones=zones[::-1]))
    assert "us-east-1b, us-east-1c" in told


@pytest.mark.parametrize(
    ("name", "ids", "zones"),
    [
        ("ap-northeast-1", ["apne1-az4", "apne1-az3", "apne1-az1"], "ac"),
        ("us-west-1", ["usw1-az2", "usw1-az1", "usw1-az3"], "bc"),
        ("ca-central-1", ["cac1-az1", "cac1-az4", "cac1-az2"], "ac"),
        ("us-east-1", ["use1-az3", "use1-az1", "use1-az2"], "ab"),
    ],
)
def test_zones_without_fargate_are_left_out_by_their_id(
    region: FakeEc2, name: str, ids: list[str], zones: str
) -> None:
    rows = [
        {"ZoneName": f"{name}{letter}", "ZoneId": id} for letter, id in zip("abc", ids, strict=True)
    ]
    region.answers("DescribeAvailabilityZones", {"AvailabilityZones": rows})
    made = ensure_network(region.connect().in_region(name), FORM)
    assert "".join(subnet.zone[-1] for subnet in made.vpc.subnets) == zones


def test_another_block_under_the_same_name_is_refused_and_a_wrong_form_without_a_call(
    region: FakeEc2,
) -> None:
    vpc = a_vpc(region, CidrBlock="10.1.0.0/16")
    refused(region, NetworkForm(availability_zones=4, public_subnets=4))
    assert region.calls == []
    said = str(refused(region))
    assert [word for word in (vpc, "10.1.0.0/16", "10.0.0.0/16") if word not in said] == []
    assert ("作ったときと同じ方法" in said, "RFC 1918" in said) == (True, False)


def test_the_way_to_the_right_block_costs_no_more_than_it_has_to(region: FakeEc2) -> None:
    public = NetworkForm(cidr="8.8.0.0/16")
    assert "RFC 1918" in " ".join(warnings(ensured(region, public)))
    anew = refused(region)
    assert "RFC 1918" in anew.problem
    assert all(it in anew.remedy for it in ('cleanup("network", confirm=', 'cidr="10.0.0.0/16"'))
    other = FakeEc2()
    ensured(other)
    back = refused(other, public)
    assert ("RFC 1918" in back.problem, "cleanup" in back.remedy) == (True, False)
    assert 'cidr="10.0.0.0/16"' in back.remedy


def test_a_subnet_in_the_way_is_refused_but_not_one_in_a_block_added_later(
    region: FakeEc2,
) -> None:
    a_subnet(region, ensured(region).vpc.id, "10.7.0.0/24")
    a_subnet(region, ensured(region).vpc.id, "10.0.128.0/24")
    assert refused(region, LARGE).code == "InvalidSubnet.Conflict"


def fill(region: FakeEc2, count: int) -> None:
    for number in range(1, count + 1):
        region.add("Vpc", CidrBlock=f"10.{number}.0.0/16")


QUOTAS = [(4, "emulator", False), (4, "aws", False), (5, "emulator", False), (6, "aws", True)]


@pytest.mark.parametrize(("count", "kind", "asked"), [*QUOTAS, (7, "aws", True)])
def test_a_region_has_room_below_its_quota_or_five_vpcs(
    region: FakeEc2, count: int, kind: str, asked: bool
) -> None:
    fill(region, count)
    region.answers("GetServiceQuota", {"Quota": {"Value": 7.0}})
    if count in (4, 6):
        assert ensured(region, kind=kind).vpc.name == "ecs-handson-vpc"
    else:
        assert refused(region, kind=kind).code == "VpcLimitExceeded"
    question = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
    assert region.said("GetServiceQuota") == [question] * asked


@pytest.mark.parametrize("code", ["AccessDeniedException", "NoSuchResourceException"])
def test_a_quota_that_is_not_told_leaves_it_to_aws(region: FakeEc2, code: str) -> None:
    fill(region, 5)
    region.answers("GetServiceQuota", Refusal(code, status=403))
    assert ensured(region, kind="aws").vpc.name == "ecs-handson-vpc"


@pytest.mark.parametrize("ask", [plan_work, ensure_network])
def test_a_missing_permission_is_told_before_anything_is_created(region: FakeEc2, ask: Any) -> None:
    region.first("CreateVpc", unauthorized("ec2:CreateVpc"))
    with pytest.raises(NotAllowed) as denied:
        ask(region.connect(), FORM)
    plan_work(region.connect(), FORM)  # now it is allowed, which creates nothing
    assert (denied.value.actions, region.writes) == (("ec2:CreateVpc",), [])


UNKNOWN_YET = {
    "AttachInternetGateway InvalidInternetGatewayID.NotFound",
    "CreateSubnet InvalidVpcID.NotFound",
    "CreateRoute InvalidRouteTableID.NotFound",
    "CreateRoute InvalidGatewayID.NotFound",
    "AssociateRouteTable InvalidSubnetID.NotFound",
    "CreateVpcEndpoint InvalidRouteTableId.NotFound",
    "DescribeVpcAttribute InvalidVpcID.NotFound",
}


@pytest.mark.parametrize("case", sorted(UNKNOWN_YET))
def test_what_aws_does_not_know_yet_is_asked_for_again(region: FakeEc2, case: str) -> None:
    operation, code = case.split()
    region.first(operation, *[Refusal(code)] * 3)
    assert len(ensured(region).vpc.subnets) == 2
    assert len(region.said(operation)) > 3


def test_what_aws_does_not_show_yet_is_looked_at_again(region: FakeEc2) -> None:
    region.first("DescribeSubnets", *[{"Subnets": []}] * 4)
    assert len(ensured(region, kind="aws").vpc.subnets) == 2
    assert len(region.clock.pauses) == 3


@pytest.mark.parametrize("seconds", [120.0, 1.0])
def test_what_aws_never_shows_is_named_after_a_while(region: FakeEc2, seconds: float) -> None:
    region.answers("DescribeInternetGateways", {"InternetGateways": []})
    before = region.clock.now
    with pytest.raises(WaitTimeout) as late:
        ensure_network(region.connect(consistency=seconds), FORM)
    assert region.clock.now - before == pytest.approx(seconds)
    told = ("ecs-handson-vpc", "gateway, attachment, default-route")
    assert [words for words in told if words not in late.value.problem] == []


def test_the_card_shows_the_commands_of_all_steps_and_a_map(region: FakeEc2) -> None:
    made = ensured(region)
    assert len([line for line in made.commands if " ec2 " in line]) == 11
    assert [line for line in made.commands if line not in repr(made)] == []
    assert (made.card().title, made.card().state) == ("VPC ecs-handson-vpc", "ok")
    a_subnet(region, made.vpc.id, "10.0.200.0/24", name="mine")
    lines = [line.strip() for line in repr(ensured(region)).splitlines()]
    expected = [
        "→ ecs-handson-rtb-public",
        "← 関連付け: ecs-handson-subnet-public1-us-east-1a",
        "← 関連付け: ecs-handson-subnet-public2-us-east-1b",
        "← 関連付けのないサブネット: mine",
        "アタッチ済み: ecs-handson-vpc",
        "- 0.0.0.0/0  → ecs-handson-igw",
    ]
    assert [line for line in expected if line not in lines] == []


OTHERS = {
    NetworkForm(name="shop"): "shop-vpc",
    THREE: "availability_zones=3, public_subnets=3",
    BARE: "",
}


@pytest.mark.parametrize(("form", "named"), OTHERS.items(), ids=str)
def test_settings_other_than_the_exercises_are_warned_of(
    region: FakeEc2, form: NetworkForm, named: str
) -> None:
    made = ensured(region, form)
    told = [named in words for words in warnings(made)][:1]
    assert (made.card().state, told) == (("warn", [True]) if named else ("ok", []))
    own = Exercise(network=form)
    usual = ensure_network(region.connect(kind="emulator"), form, exercise=own)
    assert warnings(usual) == []


@pytest.mark.parametrize(
    ("subnets", "remedy"),
    [
        ([("mine", True)], 'workshop.aws.call("ec2", "DeleteSubnet", SubnetId="subnet-mine")'),
        ([("", False)], 'workshop.aws.call("ec2", "DeleteSubnet", SubnetId="subnet-")'),
        ([("one", True), ("two", True)], 'workshop.cleanup("network", confirm="delete")'),
        ([("one", True), ("two", False)], "片付けでも消えません"),
    ],
)
def test_subnets_beyond_those_asked_for_are_named_with_a_way_out(
    region: FakeEc2, subnets: list[tuple[str, bool]], remedy: str
) -> None:
    vpc = ensured(region).vpc.id
    for number, (name, tagged) in enumerate(subnets):
        named = {"name": name, "tagged": tagged, "SubnetId": f"subnet-{name}"}
        a_subnet(region, vpc, f"10.0.{200 + number}.0/24", **named)
    said = " ".join(warnings(ensured(region)))
    names = ", ".join(name or "subnet-" for name, _ in subnets)
    assert [words for words in (f"({names})", remedy) if words not in said] == []
