"""The form "VPC and more": checks of its values, and the network that the console makes from it.

Only this module and `exercise` derive names, CIDR blocks and their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.course import rules
from handson.course.exercise import NetworkForm
from handson.course.state import InternetGateway, Route, RouteTable, Subnet, Vpc, VpcEndpoint

ANYWHERE = "0.0.0.0/0"
KEPT_ADDRESSES = 5
"""Addresses that AWS keeps of each subnet (Amazon VPC User Guide, "Subnet sizing")."""

_GATEWAY, _ENDPOINT = "igw-…", "vpce-…"
"""Placeholders for ids, which AWS assigns at creation; planned subnets use their names as ids."""


@dataclass(frozen=True)
class PlannedSubnet:
    """A planned subnet; `number` counts from 1 within its `kind`, "public" or "private"."""

    form: NetworkForm
    kind: str
    number: int
    cidr: str
    zone: str

    @property
    def step(self) -> str:
        """The name of the step that creates it."""
        return f"{self.kind}-subnet-{self.number}"

    @property
    def name(self) -> str:
        """Its Name tag."""
        return self.form.name_of(f"{self.kind}-subnet", number=self.number, zone=self.zone)

    @property
    def table(self) -> str:
        """The step of its route table: public subnets share one, private ones have one each."""
        return "public-table" if self.kind == "public" else f"private-table-{self.number}"

    @property
    def table_name(self) -> str:
        """The Name tag of its route table."""
        return self.form.name_of(f"{self.kind}-table", number=self.number, zone=self.zone)

    @property
    def association(self) -> str:
        """The name of the step that associates it with its route table."""
        return f"{self.step}-association"


def check_network_form(form: NetworkForm, *, usual: NetworkForm = NetworkForm()) -> None:
    """Refuse values that AWS or its console refuses, before any call.

    Args:
        form: The learner's form.
        usual: The exercise's form, whose values the remedies suggest.

    Raises:
        InvalidInput: A value is refused; the error has AWS's code, the reason and a remedy.
    """
    rules.check_name_tag(form.name)
    # This checks the number of zones only; the region's own zones are looked up later.
    rules.choose_zones(form.availability_zones, list("abc"[: rules.MOST_ZONES]), region="")
    counts = (form.availability_zones, form.public_subnets, form.private_subnets)
    rules.check_subnet_counts(*counts, usual=usual)
    plan_blocks(form)
    rules.check_switch(form.s3_endpoint, parameter="s3_endpoint")
    if form.tenancy != usual.tenancy:
        raise InvalidInput(
            *messages.advice("resources.network.tenancy", value=form.tenancy),
            code="InvalidParameterValue",
        )


def plan_blocks(form: NetworkForm) -> rules.SubnetPlan:
    """Return the CIDR blocks of the subnets.

    Raises:
        InvalidInput: The VPC's block is invalid, or has no room for the subnets.
    """
    return rules.plan_subnet_cidrs(
        rules.check_vpc_cidr(form.cidr), public=form.public_subnets, private=form.private_subnets
    )


def subnet_blocks(form: NetworkForm) -> set[str]:
    """Return the CIDR blocks of the subnets as text."""
    blocks = plan_blocks(form)
    return {str(block) for block in (*blocks.public, *blocks.private)}


def plan_subnets(form: NetworkForm, zones: Sequence[str]) -> list[PlannedSubnet]:
    """Return the subnets, public ones first, each kind spread over the zones in turn."""
    blocks = plan_blocks(form)
    kinds = (("public", blocks.public), ("private", blocks.private))
    return [
        PlannedSubnet(form, kind, number, str(block), zones[(number - 1) % len(zones)])
        for kind, cidrs in kinds
        for number, block in enumerate(cidrs, start=1)
    ]


def describe_network(form: NetworkForm, *, zones: Sequence[str], region: str) -> Vpc:
    """Return the VPC that the console makes from the form, as `find_vpcs` later describes it.

    Args:
        form: The form, already checked.
        zones: The Availability Zones for the subnets, as many as the form asks for.
        region: The region of the VPC.
    """
    subnets = plan_subnets(form, zones)
    public = bool(form.public_subnets)
    return Vpc(
        id="vpc-…",
        name=form.vpc_name,
        cidr=form.cidr,
        cidrs=(form.cidr,),
        ipv6_cidrs=(),
        tenancy=form.tenancy,
        is_default=False,
        state="available",
        dns_support=True,
        dns_hostnames=True,
        subnets=tuple(_subnet(subnet) for subnet in subnets),
        route_tables=_tables(form, subnets),
        internet_gateways=(_gateway(form),) if public else (),
        endpoints=(_endpoint(form, region),) if form.s3_endpoint else (),
        tagged=True,
    )


def _subnet(subnet: PlannedSubnet) -> Subnet:
    size = 2 ** (32 - int(subnet.cidr.rpartition("/")[2]))
    return Subnet(
        id=subnet.name,
        name=subnet.name,
        cidr=subnet.cidr,
        zone=subnet.zone,
        map_public_ip=False,
        available_addresses=size - KEPT_ADDRESSES,
        tagged=True,
    )


def _tables(form: NetworkForm, subnets: Sequence[PlannedSubnet]) -> tuple[RouteTable, ...]:
    """Return the main route table, which AWS adds, and those of the subnets."""
    local = Route(destination=form.cidr, target="local", state="active")
    main = RouteTable(id="rtb-…", name="", main=True, subnets=(), routes=(local,))
    members: dict[str, list[PlannedSubnet]] = {}
    for subnet in subnets:
        members.setdefault(subnet.table, []).append(subnet)
    return (main, *(_table(group, local) for group in members.values()))


def _table(group: Sequence[PlannedSubnet], local: Route) -> RouteTable:
    out = Route(destination=ANYWHERE, target=_GATEWAY, state="active")
    return RouteTable(
        id="rtb-…",
        name=group[0].table_name,
        main=False,
        subnets=tuple(subnet.name for subnet in group),
        routes=(out, local) if group[0].kind == "public" else (local,),
        tagged=True,
    )


def _gateway(form: NetworkForm) -> InternetGateway:
    return InternetGateway(
        id=_GATEWAY, name=form.name_of("gateway"), attachment="available", tagged=True
    )


def _endpoint(form: NetworkForm, region: str) -> VpcEndpoint:
    return VpcEndpoint(
        id=_ENDPOINT,
        name=form.name_of("endpoint"),
        service=f"com.amazonaws.{region}.s3",
        type="Gateway",
        state="available",
        tagged=True,
    )
