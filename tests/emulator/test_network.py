"""The network on the embedded AWS: made as the console makes it, once, whatever happens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handson.aws import connection, settings
from handson.aws import emulator as room
from handson.core.errors import (
    AWSError,
    AWSUnclear,
    HandsonError,
    InvalidInput,
    NotAllowed,
    NotReady,
)
from handson.course.exercise import NetworkForm
from handson.resources import network
from handson.resources.network import plan_network
from handson.resources.network_deletion import delete_network
from handson.resources.plan import Step
from handson.resources.vpc_listing import list_network
from tests.emulator.hooks import (
    Answer,
    Change,
    LoseReply,
    Meeting,
    StopAt,
    Stopped,
    connect,
    reset,
    shape,
    writes,
)
from tests.unit.fake_aws import Clock, Refusal

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]

ZONES = ["us-east-1a", "us-east-1b"]
LARGE = NetworkForm(private_subnets=2)
Client = Callable[[str], Any]


def calls(form: NetworkForm) -> list[Step]:
    return plan_network(form, zones=ZONES, region="us-east-1")


def each_call(form: NetworkForm) -> Iterator[Any]:
    for number, step in enumerate(calls(form), start=1):
        yield pytest.param(form, number, id=f"{number}-of-{len(calls(form))}-{step.name}")


EVERY_CALL = [*each_call(NetworkForm()), *each_call(LARGE)]


_WHOLE: dict[str, dict[NetworkForm, dict[str, Any]]] = {}


@pytest.fixture
def whole(emulator: room.Running) -> dict[NetworkForm, dict[str, Any]]:
    """Return the shapes of networks that were made at once, by form; made once an emulator."""
    if emulator.endpoint not in _WHOLE:
        shapes = {}
        for form in (NetworkForm(), LARGE):
            reset(emulator)
            aws = connect(emulator)
            network.ensure_network(aws, form)
            shapes[form] = shape(aws)
        reset(emulator)
        _WHOLE[emulator.endpoint] = shapes
    return _WHOLE[emulator.endpoint]


@pytest.fixture
def made(emulator: room.Running) -> network.Network:
    return network.ensure_network(connect(emulator), NetworkForm())


def test_the_vpc_is_the_consoles(made: network.Network) -> None:
    vpc = made.vpc
    assert (vpc.name, vpc.cidr, vpc.tenancy, vpc.ipv6_cidrs, vpc.tagged) == (
        "ecs-handson-vpc",
        "10.0.0.0/16",
        "default",
        (),
        True,
    )


def test_dns_resolution_and_hostnames_are_on(made: network.Network) -> None:
    assert (made.vpc.dns_support, made.vpc.dns_hostnames) == (True, True)


def test_the_subnets_are_the_consoles(made: network.Network) -> None:
    seen = [(s.name, s.cidr, s.zone, s.map_public_ip, s.tagged) for s in made.vpc.subnets]
    assert seen == [
        ("ecs-handson-subnet-public1-us-east-1a", "10.0.0.0/20", "us-east-1a", False, True),
        ("ecs-handson-subnet-public2-us-east-1b", "10.0.16.0/20", "us-east-1b", False, True),
    ]


def test_the_main_route_table_stays_unnamed_beside_the_public_one(made: network.Network) -> None:
    seen = [(table.name, table.main, table.tagged) for table in made.vpc.route_tables]
    assert seen == [("", True, False), ("ecs-handson-rtb-public", False, True)]


def test_the_public_route_table_leads_to_the_gateway(made: network.Network) -> None:
    [gateway] = made.vpc.internet_gateways
    routes = [
        (route.destination, route.target, route.state) for route in made.vpc.route_tables[1].routes
    ]
    assert routes == [
        ("0.0.0.0/0", gateway.id, "active"),
        ("10.0.0.0/16", "local", "active"),
    ]


def test_both_subnets_are_public(made: network.Network) -> None:
    assert [made.vpc.is_public(subnet) for subnet in made.vpc.subnets] == [True, True]


def test_the_gateway_is_the_consoles(made: network.Network) -> None:
    seen = [(gw.name, gw.attachment, gw.tagged) for gw in made.vpc.internet_gateways]
    assert seen == [("ecs-handson-igw", "available", True)]


def test_the_s3_endpoint_is_the_consoles(made: network.Network) -> None:
    seen = [(end.name, end.service, end.type, end.tagged) for end in made.vpc.endpoints]
    assert seen == [("ecs-handson-vpce-s3", "com.amazonaws.us-east-1.s3", "Gateway", True)]


def test_the_map_shows_what_is_joined_to_what(made: network.Network) -> None:
    subnets = [f"ecs-handson-subnet-public{n}-{zone}" for n, zone in enumerate(ZONES, start=1)]
    lines = {line.strip() for line in repr(made).splitlines()}
    assert lines >= {
        "→ ecs-handson-rtb-public",
        *(f"← 関連付け: {name}" for name in subnets),
        "アタッチ済み: ecs-handson-vpc",
        "- 0.0.0.0/0  → ecs-handson-igw",
    }


def test_a_subnet_without_an_association_is_shown_below_the_main_table(
    made: network.Network, emulator: room.Running, client: Client
) -> None:
    client("ec2").create_subnet(VpcId=made.vpc.id, CidrBlock="10.0.128.0/20")
    again = network.ensure_network(connect(emulator), NetworkForm())
    assert "← 関連付けのないサブネット: subnet-" in repr(again)


def test_a_network_as_it_was_asked_for_carries_no_warning(made: network.Network) -> None:
    assert made.card().state == "ok"


def test_subnets_beyond_those_asked_for_are_warned_of_with_a_way_out(
    emulator: room.Running,
) -> None:
    network.ensure_network(connect(emulator), LARGE)
    again = network.ensure_network(connect(emulator), NetworkForm())
    beyond = [subnet.name for subnet in again.vpc.subnets[:]]
    named = [name for name in beyond if name in repr(again.card().parts[0].text())]
    assert (again.card().state, len(named)) == ("warn", len(beyond) - 2)
    assert 'workshop.cleanup(confirm="delete")' in repr(again)


def test_one_subnet_beyond_those_asked_for_is_deleted_by_the_call_that_the_card_says(
    emulator: room.Running,
) -> None:
    three = NetworkForm(availability_zones=3, public_subnets=3)
    network.ensure_network(connect(emulator), three)
    said = repr(network.ensure_network(connect(emulator), NetworkForm()))
    [call] = re.findall(r"workshop\.aws\.call\([^)]*\)", said)
    exec(call, {"workshop": SimpleNamespace(aws=connect(emulator))})
    assert network.ensure_network(connect(emulator), NetworkForm()).card().state == "ok"


def test_the_way_out_of_too_many_subnets_leads_out(emulator: room.Running) -> None:
    network.ensure_network(connect(emulator), LARGE)
    delete_network(connect(emulator))
    assert network.ensure_network(connect(emulator), NetworkForm()).card().state == "ok"


def test_a_subnet_made_by_hand_is_warned_of_without_promising_its_deletion(
    made: network.Network, emulator: room.Running, client: Client
) -> None:
    client("ec2").create_subnet(VpcId=made.vpc.id, CidrBlock="10.0.128.0/20")
    again = network.ensure_network(connect(emulator), NetworkForm())
    assert (again.card().state, "cleanup(" in repr(again)) == ("warn", False)


@pytest.mark.parametrize("private", [2, 4])
def test_private_subnets_get_route_tables_of_their_own(
    emulator: room.Running, private: int
) -> None:
    vpc = network.ensure_network(connect(emulator), NetworkForm(private_subnets=private)).vpc
    subnets = {subnet.id: subnet.name for subnet in vpc.subnets}
    pairs = [
        (table.name, [subnets[subnet] for subnet in table.subnets])
        for table in vpc.route_tables
        if "private" in table.name
    ]
    expected = [
        (f"ecs-handson-rtb-private{n}-{zone}", [f"ecs-handson-subnet-private{n}-{zone}"])
        for n, zone in enumerate((ZONES * 2)[:private], start=1)
    ]
    assert pairs == expected


def test_private_subnets_are_not_public(emulator: room.Running) -> None:
    vpc = network.ensure_network(connect(emulator), LARGE).vpc
    private = [subnet for subnet in vpc.subnets if "private" in subnet.name]
    assert [vpc.is_public(subnet) for subnet in private] == [False, False]


def test_private_route_tables_lead_to_the_s3_endpoint(emulator: room.Running) -> None:
    aws = connect(emulator)
    network.ensure_network(aws, LARGE)
    [(_, tables)] = shape(aws)["endpoint tables"]
    assert ["private" in name for name in tables] == [True, True]


def test_the_network_of_another_name_has_its_own_names(emulator: room.Running) -> None:
    vpc = network.ensure_network(connect(emulator), NetworkForm(name="shop")).vpc
    assert (vpc.name, vpc.subnets[0].name) == ("shop-vpc", "shop-subnet-public1-us-east-1a")


@pytest.mark.parametrize("form", [NetworkForm(name="shop"), NetworkForm(cidr="10.1.0.0/16"), LARGE])
def test_a_network_with_other_settings_is_made_and_warned_of(
    emulator: room.Running, form: NetworkForm
) -> None:
    made = network.ensure_network(connect(emulator), form)
    assert (made.card().state, "ワークショップの設定とは違います" in repr(made)) == ("warn", True)


@pytest.mark.parametrize(
    "form", [NetworkForm(), LARGE, NetworkForm(public_subnets=0, private_subnets=2)]
)
def test_a_second_run_makes_no_mutating_call(emulator: room.Running, form: NetworkForm) -> None:
    network.ensure_network(connect(emulator), form)
    again = connect(emulator)
    network.ensure_network(again, form)
    assert writes(again) == []


def test_a_second_run_returns_the_same(emulator: room.Running) -> None:
    first = network.ensure_network(connect(emulator), NetworkForm())
    assert network.ensure_network(connect(emulator), NetworkForm()).vpc == first.vpc


def test_a_second_run_shows_the_same_commands(emulator: room.Running) -> None:
    first = network.ensure_network(connect(emulator), NetworkForm())
    assert network.ensure_network(connect(emulator), NetworkForm()).commands == first.commands


@pytest.mark.parametrize(("form", "k"), EVERY_CALL)
def test_a_network_stopped_at_any_call_is_completed_and_not_doubled(
    emulator: room.Running, whole: dict[NetworkForm, Any], form: NetworkForm, k: int
) -> None:
    with pytest.raises(Stopped):
        network.ensure_network(connect(emulator, StopAt(k)), form)
    aws = connect(emulator)
    network.ensure_network(aws, form)
    assert shape(aws) == whole[form]


@pytest.mark.parametrize(("form", "k"), EVERY_CALL)
def test_a_lost_reply_is_healed_within_the_same_run(
    emulator: room.Running, whole: dict[NetworkForm, Any], form: NetworkForm, k: int
) -> None:
    lost = LoseReply(k)
    aws = connect(emulator, lost)
    network.ensure_network(aws, form)
    assert (shape(aws), len(lost.seen)) == (whole[form], len(calls(form)))


def test_a_network_of_which_every_part_was_taken_away_in_turn_is_completed(
    emulator: room.Running, whole: dict[NetworkForm, Any], client: Client
) -> None:
    aws = connect(emulator)
    ec2 = client("ec2")
    for take_away in TAKEN_AWAY:
        take_away(ec2, network.ensure_network(aws, NetworkForm()).vpc)
    network.ensure_network(aws, NetworkForm())
    assert shape(aws) == whole[NetworkForm()]


def _no_route(ec2: Any, vpc: Any) -> None:
    table = vpc.route_tables[1].id
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")


def _no_gateway(ec2: Any, vpc: Any) -> None:
    ids = {"InternetGatewayId": vpc.internet_gateways[0].id}
    ec2.detach_internet_gateway(**ids, VpcId=vpc.id)
    ec2.delete_internet_gateway(**ids)


def _no_dns(ec2: Any, vpc: Any) -> None:
    ec2.modify_vpc_attribute(VpcId=vpc.id, EnableDnsHostnames={"Value": False})
    ec2.modify_vpc_attribute(VpcId=vpc.id, EnableDnsSupport={"Value": False})


def _no_endpoint(ec2: Any, vpc: Any) -> None:
    ec2.delete_vpc_endpoints(VpcEndpointIds=[vpc.endpoints[0].id])


def _no_table(ec2: Any, vpc: Any) -> None:
    table = vpc.route_tables[1].id
    [found] = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    for association in found["Associations"]:
        ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    ec2.delete_route_table(RouteTableId=table)


TAKEN_AWAY = [_no_route, _no_gateway, _no_dns, _no_endpoint, _no_table]


class RefuseResolution:
    """Refuses to switch DNS resolution on, and keeps what was to be switched."""

    def __init__(self) -> None:
        self.switched: list[str] = []

    def attach(self, session: Any) -> None:
        session.register("provide-client-params.ec2.ModifyVpcAttribute", self._before)

    def _before(self, params: dict[str, Any], **_: Any) -> None:
        self.switched += [name for name in params if name != "VpcId"]
        if "EnableDnsSupport" in params:
            raise Stopped


def test_hostnames_wait_for_resolution(emulator: room.Running, client: Client) -> None:
    _no_dns(client("ec2"), network.ensure_network(connect(emulator), NetworkForm()).vpc)
    refusing = RefuseResolution()
    with pytest.raises(Stopped):
        network.ensure_network(connect(emulator, refusing), NetworkForm())
    assert refusing.switched == ["EnableDnsSupport"]


def blackhole(parsed: dict[str, Any]) -> None:
    for table in parsed["RouteTables"]:
        for route in table["Routes"]:
            if route.get("DestinationCidrBlock") == "0.0.0.0/0" and "igw" in route["GatewayId"]:
                route["GatewayId"] = "igw-gone"
                route["State"] = "blackhole"


class OnceBlackhole(Change):
    """Shows the default route as a black hole until it is replaced."""

    def __init__(self) -> None:
        super().__init__("DescribeRouteTables", blackhole)

    def _after(self, model: Any, parsed: dict[str, Any], **others: Any) -> None:
        if model.name == "ReplaceRoute":
            self._operation = ""
        super()._after(model, parsed, **others)


def test_a_default_route_into_a_black_hole_is_replaced(
    emulator: room.Running, whole: dict[NetworkForm, Any]
) -> None:
    network.ensure_network(connect(emulator), NetworkForm())
    aws = connect(emulator, OnceBlackhole())
    network.ensure_network(aws, NetworkForm())
    assert (writes(aws), shape(aws)) == (["ReplaceRoute"], whole[NetworkForm()])


def test_more_private_subnets_are_added_as_if_made_at_once(
    emulator: room.Running, whole: dict[NetworkForm, Any]
) -> None:
    aws = connect(emulator)
    network.ensure_network(aws, NetworkForm())
    network.ensure_network(aws, LARGE)
    assert shape(aws) == whole[LARGE]


def test_of_several_route_tables_of_one_name_the_one_that_serves_the_subnets_is_kept(
    emulator: room.Running, made: network.Network, client: Client
) -> None:
    ec2 = client("ec2")
    tags = [{"Key": "Name", "Value": "ecs-handson-rtb-public"}]
    named = [{"ResourceType": "route-table", "Tags": tags}]
    for _ in range(7):
        ec2.create_route_table(VpcId=made.vpc.id, TagSpecifications=named)
    aws = connect(emulator)
    network.ensure_network(aws, NetworkForm())
    assert writes(aws) == []


def test_a_subnet_that_has_a_table_of_its_own_by_that_name_keeps_it(
    emulator: room.Running, made: network.Network, client: Client
) -> None:
    """EC2 would refuse to associate it with the other one; MiniStack and moto would not."""
    ec2, vpc = client("ec2"), made.vpc
    tags = [{"Key": "Name", "Value": "ecs-handson-rtb-public"}]
    own = ec2.create_route_table(
        VpcId=vpc.id, TagSpecifications=[{"ResourceType": "route-table", "Tags": tags}]
    )["RouteTable"]["RouteTableId"]
    [table] = [table.id for table in vpc.route_tables if table.name]
    second = vpc.subnets[1].id
    [joined] = [
        association["RouteTableAssociationId"]
        for association in ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0][
            "Associations"
        ]
        if association.get("SubnetId") == second
    ]
    ec2.disassociate_route_table(AssociationId=joined)
    ec2.associate_route_table(RouteTableId=own, SubnetId=second)
    aws = connect(emulator)
    network.ensure_network(aws, NetworkForm())
    assert writes(aws) == []


def test_a_subnet_that_stands_in_another_zone_keeps_it(
    emulator: room.Running, client: Client
) -> None:
    ec2 = client("ec2")
    with pytest.raises(Stopped):
        network.ensure_network(connect(emulator, StopAt(2)), NetworkForm())
    [vpc] = [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.0.0.0/20", AvailabilityZone="us-east-1c")
    made = network.ensure_network(connect(emulator), NetworkForm()).vpc
    assert sorted(subnet.zone for subnet in made.subnets) == ["us-east-1a", "us-east-1c"]


def test_a_vpc_of_that_name_made_by_hand_is_completed(
    emulator: room.Running, client: Client
) -> None:
    ec2 = client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "Name", "Value": "ecs-handson-vpc"}])
    assert network.ensure_network(connect(emulator), NetworkForm()).vpc.id == vpc_id


def test_another_block_under_the_same_name_is_refused(emulator: room.Running) -> None:
    network.ensure_network(connect(emulator), NetworkForm(cidr="10.1.0.0/16"))
    aws = connect(emulator)
    with pytest.raises(InvalidInput) as refused:
        network.ensure_network(aws, NetworkForm())
    assert ("10.1.0.0/16" in str(refused.value), writes(aws)) == (True, [])


def test_a_subnet_in_the_way_is_refused(emulator: room.Running, client: Client) -> None:
    vpc = network.ensure_network(connect(emulator), NetworkForm()).vpc
    client("ec2").create_subnet(VpcId=vpc.id, CidrBlock="10.0.128.0/24")
    aws = connect(emulator)
    with pytest.raises(InvalidInput) as refused:
        network.ensure_network(aws, LARGE)
    assert (refused.value.code, writes(aws)) == ("InvalidSubnet.Conflict", [])


def test_a_subnet_in_a_block_added_later_is_not_in_the_way(
    emulator: room.Running, client: Client
) -> None:
    vpc = network.ensure_network(connect(emulator), NetworkForm()).vpc
    client("ec2").create_subnet(VpcId=vpc.id, CidrBlock="10.7.0.0/24")
    assert len(network.ensure_network(connect(emulator), NetworkForm()).vpc.subnets) == 3


def full(client: Client) -> None:
    ec2 = client("ec2")
    for number in range(1, 5):
        ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")


def test_a_full_region_is_refused_before_anything_is_created(
    emulator: room.Running, client: Client
) -> None:
    full(client)
    aws = connect(emulator)
    with pytest.raises(InvalidInput) as refused:
        network.ensure_network(aws, NetworkForm())
    assert (refused.value.code, writes(aws)) == ("VpcLimitExceeded", [])


def test_a_full_region_does_not_keep_from_completing(
    emulator: room.Running, client: Client
) -> None:
    with pytest.raises(Stopped):
        network.ensure_network(connect(emulator, StopAt(4)), NetworkForm())
    ec2 = client("ec2")
    for number in range(1, 4):
        ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
    assert network.ensure_network(connect(emulator), NetworkForm()).vpc.name == "ecs-handson-vpc"


def test_on_real_aws_the_accounts_own_quota_counts(emulator: room.Running, client: Client) -> None:
    full(client)
    quota = Answer("GetServiceQuota", {"Quota": {"Value": 20.0}})
    aws = connect(emulator, quota, kind="aws")
    assert network.ensure_network(aws, NetworkForm()).vpc.name == "ecs-handson-vpc"


def test_on_real_aws_a_quota_that_is_reached_is_refused(
    emulator: room.Running, client: Client
) -> None:
    full(client)
    quota = Answer("GetServiceQuota", {"Quota": {"Value": 5.0}})
    aws = connect(emulator, quota, kind="aws")
    with pytest.raises(InvalidInput) as refused:
        network.ensure_network(aws, NetworkForm())
    assert (refused.value.code, writes(aws)) == ("VpcLimitExceeded", [])


def test_on_real_aws_who_may_not_ask_for_the_quota_leaves_it_to_aws(
    emulator: room.Running, client: Client
) -> None:
    full(client)
    denied = Answer("GetServiceQuota", Refusal("AccessDeniedException"))
    limit = Answer("CreateVpc", Refusal("VpcLimitExceeded"))
    with pytest.raises(AWSError) as refused:
        network.ensure_network(connect(emulator, denied, limit, kind="aws"), NetworkForm())
    assert (refused.value.code, limit.asked) == ("VpcLimitExceeded", 1)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("AttachInternetGateway", "InvalidInternetGatewayID.NotFound"),
        ("ModifyVpcAttribute", "InvalidVpcID.NotFound"),
        ("CreateSubnet", "InvalidVpcID.NotFound"),
        ("CreateRouteTable", "InvalidVpcID.NotFound"),
        ("CreateRoute", "InvalidRouteTableID.NotFound"),
        ("CreateRoute", "InvalidGatewayID.NotFound"),
        ("AssociateRouteTable", "InvalidSubnetID.NotFound"),
        ("CreateVpcEndpoint", "InvalidVpcID.NotFound"),
        ("CreateVpcEndpoint", "InvalidRouteTableId.NotFound"),
        ("DescribeVpcAttribute", "InvalidVpcID.NotFound"),
    ],
)
def test_what_aws_does_not_know_yet_is_asked_for_again(
    emulator: room.Running, whole: dict[NetworkForm, Any], operation: str, code: str
) -> None:
    late = Answer(operation, *[Refusal(code)] * 3)
    aws = connect(emulator, late, kind="aws")
    network.ensure_network(aws, NetworkForm())
    assert (late.asked > 3, shape(aws)) == (True, whole[NetworkForm()])


def test_what_aws_does_not_show_yet_is_looked_at_again(
    emulator: room.Running, whole: dict[NetworkForm, Any]
) -> None:
    clock = Clock()
    hidden = Answer("DescribeSubnets", *[{"Subnets": []}] * 4)
    aws = connect(emulator, hidden, kind="aws", clock=clock)
    network.ensure_network(aws, NetworkForm())
    assert (len(clock.pauses), shape(aws)) == (3, whole[NetworkForm()])


def test_what_aws_never_shows_is_named(emulator: room.Running) -> None:
    def hide(parsed: dict[str, Any]) -> None:
        parsed["InternetGateways"] = []

    with pytest.raises(HandsonError) as late:
        network.ensure_network(
            connect(emulator, Change("DescribeInternetGateways", hide)), NetworkForm()
        )
    told = str(late.value)
    assert ("attachment" in told, "Vpc(" in told, len(told.splitlines())) == (True, False, 2)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Refusal("UnauthorizedOperation", status=403), NotAllowed),
        (Refusal("ExpiredToken", status=400), NotAllowed),
        (Refusal("RouteTableLimitExceeded"), AWSError),
        (Refusal("InternalError", status=500), AWSUnclear),
    ],
    ids=lambda answer: getattr(answer, "code", ""),
)
def test_a_network_that_failed_half_way_is_completed_by_the_next_run(
    emulator: room.Running, whole: dict[NetworkForm, Any], answer: Refusal, kind: type[HandsonError]
) -> None:
    with pytest.raises(HandsonError) as refused:
        network.ensure_network(
            connect(emulator, Answer("CreateRouteTable", *[answer] * 9)), NetworkForm()
        )
    aws = connect(emulator)
    network.ensure_network(aws, NetworkForm())
    assert (type(refused.value), shape(aws)) == (kind, whole[NetworkForm()])


@pytest.mark.parametrize(
    ("operations", "parties"),
    [
        ({"CreateVpc", "CreateInternetGateway"}, 2),
        ({"CreateSubnet", "CreateRouteTable"}, 3),
        ({"AssociateRouteTable"}, 2),
    ],
    ids=["vpc and gateway", "subnets and table", "associations"],
)
def test_independent_calls_are_under_way_at_once(
    emulator: room.Running, operations: set[str], parties: int
) -> None:
    aws = connect(emulator, Meeting(operations, parties=parties))
    assert len(network.ensure_network(aws, NetworkForm()).vpc.subnets) == 2


def test_the_first_look_is_six_calls_at_once(emulator: room.Running) -> None:
    listings = {
        "DescribeVpcs",
        "DescribeSubnets",
        "DescribeRouteTables",
        "DescribeInternetGateways",
        "DescribeVpcEndpoints",
        "DescribeAvailabilityZones",
    }
    aws = connect(emulator, Meeting(listings, parties=6))
    assert list_network(aws).vpcs[0].is_default


def test_two_kernels_at_once_make_one_network(
    emulator: room.Running, whole: dict[NetworkForm, Any], tmp_path: Path
) -> None:
    both = settings.read_settings({}, cwd=tmp_path, home=str(tmp_path / "home"))

    def run(_: int) -> None:
        aws = connect(emulator)
        with connection.lock_home(both):
            network.ensure_network(aws, NetworkForm())

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, range(3)))
    assert shape(connect(emulator)) == whole[NetworkForm()]


def test_a_kernel_that_waits_too_long_for_another_is_told(tmp_path: Path) -> None:
    both = settings.read_settings({}, cwd=tmp_path, home=str(tmp_path / "home"))

    def wait() -> HandsonError:
        with pytest.raises(NotReady) as busy, connection.lock_home(both, timeout=0.1):
            pass
        return busy.value

    with connection.lock_home(both), ThreadPoolExecutor(1) as pool:
        busy = pool.submit(wait).result()
    assert len(str(busy).splitlines()) == 2


def test_a_refused_form_makes_no_call(emulator: room.Running) -> None:
    aws = connect(emulator)
    with pytest.raises(InvalidInput):
        network.ensure_network(aws, NetworkForm(availability_zones=4, public_subnets=4))
    assert aws.requests == []


def test_the_card_is_the_resource_map_and_the_commands(made: network.Network) -> None:
    shown = str(made)
    parts = ("ecs-handson-rtb-public", "ecs-handson-igw", "10.0.16.0/20", "aws ec2 create-vpc")
    assert [part for part in parts if part not in shown] == []
