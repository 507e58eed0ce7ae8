"""The network on real emulators: made as the console makes it, once, whatever happens.

What `ensure_network` decides is tried in tests/unit/test_network_ensure.py, on a region that a
fake plays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handson.aws import connection, settings
from handson.aws import emulator as room
from handson.core.errors import HandsonError, NotReady
from handson.course.exercise import NetworkForm
from handson.resources.network import ensure_network, plan_network
from handson.resources.network_deletion import delete_network
from handson.resources.vpc_listing import list_network
from tests.emulator.hooks import (
    LoseReply,
    Meeting,
    StopAt,
    Stopped,
    connect,
    reset,
    shape,
    writes,
)
from tests.emulator.second_opinion import choose_calls

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]

ZONES = ["us-east-1a", "us-east-1b"]
FORM = NetworkForm()
LARGE = NetworkForm(private_subnets=2)
Client = Callable[[str], Any]


def make_at_once(emulator: room.Running, form: NetworkForm) -> dict[str, Any]:
    """Return the shape of a network that was made without a disturbance; the region is empty."""
    aws = connect(emulator)
    ensure_network(aws, form)
    made = shape(aws)
    reset(emulator)
    return made


# ensure_network: what it makes


def test_the_network_is_the_consoles(emulator: room.Running) -> None:
    made = ensure_network(connect(emulator), FORM)
    vpc = made.vpc
    [gateway] = vpc.internet_gateways
    names = {subnet.id: subnet.name for subnet in vpc.subnets}
    assert (vpc.name, vpc.cidrs, vpc.ipv6_cidrs, vpc.tenancy) == (
        "ecs-handson-vpc",
        ("10.0.0.0/16",),
        (),
        "default",
    )
    assert {"support": vpc.dns_support, "hostnames": vpc.dns_hostnames, "tagged": vpc.tagged} == {
        "support": True,
        "hostnames": True,
        "tagged": True,
    }
    assert [(it.name, it.cidr, it.zone, it.map_public_ip, it.tagged) for it in vpc.subnets] == [
        ("ecs-handson-subnet-public1-us-east-1a", "10.0.0.0/20", "us-east-1a", False, True),
        ("ecs-handson-subnet-public2-us-east-1b", "10.0.16.0/20", "us-east-1b", False, True),
    ]
    assert [(it.name, it.attachment, it.tagged) for it in vpc.internet_gateways] == [
        ("ecs-handson-igw", "available", True)
    ]
    assert [(it.name, it.service, it.type, it.tagged) for it in vpc.endpoints] == [
        ("ecs-handson-vpce-s3", "com.amazonaws.us-east-1.s3", "Gateway", True)
    ]
    tables = [
        (
            table.name,
            table.main,
            table.tagged,
            sorted(names[id] for id in table.subnets),
            [(route.destination, route.target, route.state) for route in table.routes],
        )
        for table in vpc.route_tables
    ]
    assert tables == [
        ("", True, False, [], [("10.0.0.0/16", "local", "active")]),
        (
            "ecs-handson-rtb-public",
            False,
            True,
            sorted(names.values()),
            [("0.0.0.0/0", gateway.id, "active"), ("10.0.0.0/16", "local", "active")],
        ),
    ]
    assert [vpc.is_public(subnet) for subnet in vpc.subnets] == [True, True]
    assert made.card().state == "ok"


def test_each_private_subnet_has_a_route_table_with_the_way_to_s3_alone(
    emulator: room.Running,
) -> None:
    aws = connect(emulator)
    vpc = ensure_network(aws, NetworkForm(private_subnets=4)).vpc
    private = [(it.name, vpc.is_public(it)) for it in vpc.subnets if "private" in it.name]
    endings = [f"private{n}-{zone}" for n, zone in enumerate(ZONES * 2, start=1)]
    assert private == [(f"ecs-handson-subnet-{ending}", False) for ending in endings]
    names = {subnet.id: subnet.name for subnet in vpc.subnets}
    joined = {table.name: [names[id] for id in table.subnets] for table in vpc.route_tables}
    assert {name: subnets for name, subnets in joined.items() if "private" in name} == {
        f"ecs-handson-rtb-{ending}": [f"ecs-handson-subnet-{ending}"] for ending in endings
    }
    [(_, served)] = shape(aws)["endpoint tables"]
    assert served == [f"<ecs-handson-vpc/ecs-handson-rtb-{ending}>" for ending in endings]


def test_more_private_subnets_are_added_as_if_made_at_once(emulator: room.Running) -> None:
    expected = make_at_once(emulator, LARGE)
    aws = connect(emulator)
    ensure_network(aws, FORM)
    ensure_network(aws, LARGE)
    assert shape(aws) == expected


@pytest.mark.parametrize(
    "form", [FORM, LARGE, NetworkForm(public_subnets=0, private_subnets=2)], ids=str
)
def test_a_second_run_makes_no_mutating_call_and_returns_the_same(
    emulator: room.Running, form: NetworkForm
) -> None:
    first = ensure_network(connect(emulator), form)
    again = connect(emulator)
    assert ensure_network(again, form) == first
    assert writes(again) == []


# ensure_network: interrupted, and completed


def test_a_network_stopped_at_any_call_is_completed_and_not_doubled(emulator: room.Running) -> None:
    expected = make_at_once(emulator, LARGE)
    steps = plan_network(LARGE, zones=ZONES, region="us-east-1")
    different = {}
    for k in choose_calls(emulator, len(steps)):
        with pytest.raises(Stopped):
            ensure_network(connect(emulator, StopAt(k)), LARGE)
        aws = connect(emulator)
        ensure_network(aws, LARGE)
        if (seen := shape(aws)) != expected:
            different[steps[k - 1].name] = seen
        reset(emulator)
    assert different == {}


def test_a_lost_reply_is_healed_within_the_same_run(emulator: room.Running) -> None:
    expected = make_at_once(emulator, LARGE)
    steps = plan_network(LARGE, zones=ZONES, region="us-east-1")
    different: dict[str, Any] = {}
    for k in choose_calls(emulator, len(steps)):
        lost = LoseReply(k)
        aws = connect(emulator, lost)
        ensure_network(aws, LARGE)
        seen = (shape(aws), len(lost.seen))
        if seen != (expected, len(steps)):
            different[steps[k - 1].name] = seen
        reset(emulator)
    assert different == {}


def test_a_network_of_which_every_part_was_taken_away_in_turn_is_completed(
    emulator: room.Running, client: Client
) -> None:
    expected = make_at_once(emulator, FORM)
    aws = connect(emulator)
    ec2 = client("ec2")
    for take_away in TAKEN_AWAY:
        take_away(ec2, ensure_network(aws, FORM).vpc)
    ensure_network(aws, FORM)
    assert shape(aws) == expected


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


# ensure_network: the way out of too many subnets


def test_one_subnet_beyond_those_asked_for_is_deleted_by_the_call_that_the_card_says(
    emulator: room.Running,
) -> None:
    ensure_network(connect(emulator), NetworkForm(availability_zones=3, public_subnets=3))
    said = repr(ensure_network(connect(emulator), FORM))
    [call] = re.findall(r"workshop\.aws\.call\([^)]*\)", said)
    exec(call, {"workshop": SimpleNamespace(aws=connect(emulator))})
    assert ensure_network(connect(emulator), FORM).card().state == "ok"


def test_several_subnets_beyond_those_asked_for_are_gone_after_clean_up(
    emulator: room.Running,
) -> None:
    ensure_network(connect(emulator), LARGE)
    assert ensure_network(connect(emulator), FORM).card().state == "warn"
    delete_network(connect(emulator))
    assert ensure_network(connect(emulator), FORM).card().state == "ok"


# At once


def test_independent_calls_are_under_way_at_once(emulator: room.Running) -> None:
    meetings = [
        Meeting({"CreateVpc", "CreateInternetGateway"}, parties=2),
        Meeting({"CreateSubnet", "CreateRouteTable"}, parties=3),
        Meeting({"AssociateRouteTable"}, parties=2),
    ]
    assert len(ensure_network(connect(emulator, *meetings), FORM).vpc.subnets) == 2


def test_the_first_look_is_six_calls_at_once(emulator: room.Running) -> None:
    nouns = "Vpcs Subnets RouteTables InternetGateways VpcEndpoints AvailabilityZones"
    meeting = Meeting({f"Describe{noun}" for noun in nouns.split()}, parties=6)
    assert list_network(connect(emulator, meeting)).vpcs[0].is_default


def test_two_kernels_at_once_make_one_network(emulator: room.Running, tmp_path: Path) -> None:
    expected = make_at_once(emulator, FORM)
    both = settings.read_settings({}, cwd=tmp_path, home=str(tmp_path / "home"))

    def run(_: int) -> None:
        aws = connect(emulator)
        with connection.lock_home(both):
            ensure_network(aws, FORM)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, range(3)))
    assert shape(connect(emulator)) == expected


def test_a_kernel_that_waits_too_long_for_another_is_told(tmp_path: Path) -> None:
    both = settings.read_settings({}, cwd=tmp_path, home=str(tmp_path / "home"))

    def wait() -> HandsonError:
        with pytest.raises(NotReady) as busy, connection.lock_home(both, timeout=0.1):
            pass
        return busy.value

    with connection.lock_home(both), ThreadPoolExecutor(1) as pool:
        busy = pool.submit(wait).result()
    assert len(str(busy).splitlines()) == 2
