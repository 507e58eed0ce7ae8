"""The network on real emulators: made as the console makes it, once, whatever happens.

What `ensure_network` decides is tried in tests/unit/test_network_ensure.py, on a region that a
fake plays.
"""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from handson.aws import emulator as room
from handson.course.exercise import NetworkForm
from handson.resources.network import ensure_network, plan_network
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
FORM = NetworkForm(private_subnets=2)


def test_the_network_is_the_consoles_and_a_second_run_changes_nothing(
    emulator: room.Running,
) -> None:
    made = ensure_network(connect(emulator), FORM)
    vpc = made.vpc
    assert (vpc.name, vpc.cidrs, vpc.ipv6_cidrs) == ("ecs-handson-vpc", ("10.0.0.0/16",), ())
    assert vpc.tenancy == "default"
    assert (vpc.dns_support, vpc.dns_hostnames, vpc.tagged) == (True, True, True)
    subnets = [
        (it.name.removeprefix("ecs-handson-subnet-"), it.cidr, it.map_public_ip, vpc.is_public(it))
        for it in vpc.subnets
    ]
    assert subnets == [
        ("private1-us-east-1a", "10.0.128.0/20", False, False),
        ("private2-us-east-1b", "10.0.144.0/20", False, False),
        ("public1-us-east-1a", "10.0.0.0/20", False, True),
        ("public2-us-east-1b", "10.0.16.0/20", False, True),
    ]
    assert [(it.zone, it.tagged) for it in vpc.subnets] == [(zone, True) for zone in ZONES * 2]
    [gateway], [endpoint] = vpc.internet_gateways, vpc.endpoints
    made_by_form = [(it.name, it.tagged) for it in (gateway, endpoint)]
    assert made_by_form == [("ecs-handson-igw", True), ("ecs-handson-vpce-s3", True)]
    assert (gateway.attachment, endpoint.type) == ("available", "Gateway")
    assert endpoint.service == "com.amazonaws.us-east-1.s3"
    names = {it.id: it.name.removeprefix("ecs-handson-") for it in (*vpc.subnets, gateway)}
    names |= {"local": "local"}
    tables = {
        it.name.removeprefix("ecs-handson-"): (
            it.main,
            sorted(names[id] for id in it.subnets),
            [names[way.target] for way in it.routes if way.target in names],
        )
        for it in vpc.route_tables
    }
    private = [f"private{n}-{zone}" for n, zone in enumerate(ZONES, start=1)]
    public = [f"subnet-public{n}-{zone}" for n, zone in enumerate(ZONES, start=1)]
    assert tables == {
        "": (True, [], ["local"]),
        "rtb-public": (False, public, ["igw", "local"]),
        **{f"rtb-{name}": (False, [f"subnet-{name}"], ["local"]) for name in private},
    }
    again = connect(emulator)
    [(_, served)] = shape(again)["endpoint tables"]
    assert served == [f"<ecs-handson-vpc/ecs-handson-rtb-{name}>" for name in private]
    assert (ensure_network(again, FORM), writes(again)) == (made, [])


@pytest.mark.parametrize("disturb", [StopAt, LoseReply])
@pytest.mark.full
def test_a_network_disturbed_at_any_call_is_completed_and_not_doubled(
    emulator: room.Running, disturb: type[StopAt] | type[LoseReply]
) -> None:
    """Stopped, it is completed by the next run; a lost reply is healed within the same one."""
    aws = connect(emulator)
    ensure_network(aws, FORM)
    expected = shape(aws)
    steps = plan_network(FORM, zones=ZONES, region="us-east-1")
    different: dict[str, Any] = {}
    for k in choose_calls(emulator, len(steps)):
        reset(emulator)
        disturbed = disturb(k)
        with pytest.raises(Stopped) if disturb is StopAt else contextlib.nullcontext():
            ensure_network(connect(emulator, disturbed), FORM)
        if disturb is StopAt:
            ensure_network(aws, FORM)
        doubled = disturb is LoseReply and len(disturbed.seen) != len(steps)
        if doubled or shape(aws) != expected:
            different[steps[k - 1].name] = shape(aws)
    assert different == {}


def test_independent_calls_are_under_way_at_once(emulator: room.Running) -> None:
    meetings = [
        Meeting({"CreateVpc", "CreateInternetGateway"}, parties=2),
        Meeting({"CreateSubnet", "CreateRouteTable"}, parties=3),
        Meeting({"AssociateRouteTable"}, parties=2),
    ]
    assert len(ensure_network(connect(emulator, *meetings), NetworkForm()).vpc.subnets) == 2


def test_the_first_look_is_six_calls_at_once(emulator: room.Running) -> None:
    nouns = "Vpcs Subnets RouteTables InternetGateways VpcEndpoints AvailabilityZones"
    meeting = Meeting({f"Describe{noun}" for noun in nouns.split()}, parties=6)
    assert list_network(connect(emulator, meeting)).vpcs[0].is_default
