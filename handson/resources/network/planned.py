"""What the form "VPC and more" would make, described before anything is made."""

from __future__ import annotations

from collections.abc import Sequence

from handson.course import syllabus
from handson.course.state import InternetGateway, Route, RouteTable, Subnet, Vpc, VpcEndpoint
from handson.resources.network.form import ANYWHERE, Form, PlannedSubnet

_GATEWAY, _ENDPOINT = "igw-…", "vpce-…"
"""AWS makes the ids up when the time has come; subnets stand under their names until then."""
KEPT_ADDRESSES = 5
"""Addresses that AWS keeps of each subnet (Amazon VPC User Guide, "Subnet sizing")."""


def planned(form: Form, *, zones: Sequence[str], region: str) -> Vpc:
    """Return the VPC that `form` makes in these zones, as `find_vpcs` would describe it.

    Args:
        form: The form; it has been checked.
        zones: The Availability Zones for the subnets, as many as the form asks for.
        region: Where.
    """
    subnets = form.subnets(zones)
    public = bool(form.public_subnets)
    return Vpc(
        id="vpc-…",
        name=_name(form, "vpc"),
        cidr=form.cidr,
        cidrs=(form.cidr,),
        ipv6_cidrs=(),
        tenancy=form.tenancy,
        is_default=False,
        state="available",
        dns_support=True,
        dns_hostnames=True,
        subnets=tuple(_subnet(form, subnet) for subnet in subnets),
        route_tables=_tables(form, subnets),
        internet_gateways=(_gateway(form),) if public else (),
        endpoints=(_endpoint(form, region),) if form.s3_endpoint else (),
        tagged=True,
    )


def _name(form: Form, suffix: str) -> str:
    return form.tags(suffix)["Name"]


def _subnet(form: Form, subnet: PlannedSubnet) -> Subnet:
    name = _name(form, subnet.suffix)
    size = 2 ** (32 - int(subnet.cidr.rpartition("/")[2]))
    return Subnet(
        id=name,
        name=name,
        cidr=subnet.cidr,
        zone=subnet.zone,
        map_public_ip=False,
        available_addresses=size - KEPT_ADDRESSES,
        tagged=True,
    )


def _tables(form: Form, subnets: Sequence[PlannedSubnet]) -> tuple[RouteTable, ...]:
    """Return the main route table, which AWS adds, and those of the subnets."""
    local = Route(destination=form.cidr, target="local", state="active")
    main = RouteTable(id="rtb-…", name="", main=True, subnets=(), routes=(local,))
    members: dict[str, list[PlannedSubnet]] = {}
    for subnet in subnets:
        members.setdefault(subnet.table, []).append(subnet)
    return (main, *(_table(form, group, local) for group in members.values()))


def _table(form: Form, group: Sequence[PlannedSubnet], local: Route) -> RouteTable:
    out = Route(destination=ANYWHERE, target=_GATEWAY, state="active")
    return RouteTable(
        id="rtb-…",
        name=_name(form, group[0].table_suffix),
        main=False,
        subnets=tuple(_name(form, subnet.suffix) for subnet in group),
        routes=(out, local) if group[0].kind == "public" else (local,),
        tagged=True,
    )


def _gateway(form: Form) -> InternetGateway:
    return InternetGateway(
        id=_GATEWAY, name=_name(form, "igw"), attachment="available", tagged=True
    )


def _endpoint(form: Form, region: str) -> VpcEndpoint:
    return VpcEndpoint(
        id=_ENDPOINT,
        name=_name(form, "vpce-s3"),
        service=f"com.amazonaws.{region}.s3",
        type="Gateway",
        state="available",
        tagged=True,
    )


def workshop_network(region: str) -> Vpc:
    """Return the network that the workshop makes in a region, in its first zones by name."""
    form = Form()
    zones = [f"{region}{letter}" for letter in "abc"[: syllabus.NETWORK.availability_zones]]
    return planned(form, zones=zones, region=region)
