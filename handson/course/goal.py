"""The network that the form "VPC and more" makes, and the state of a finished exercise.

Both are derived without any call.  Names and CIDR blocks come from `exercise`, and the rest of the
finished exercise from goal.toml.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import asdict, replace

from handson.core.files import read_data
from handson.core.text import map_texts
from handson.course import state
from handson.course.exercise import Exercise, NetworkForm

KEPT_ADDRESSES = 5
"""Addresses that AWS keeps of each subnet (Amazon VPC User Guide, "Subnet sizing")."""

_GATEWAY = "igw-…"
"""A placeholder: AWS assigns ids at creation.  Planned subnets use their names as ids."""


class PlannedSubnet(Struct, frozen=True):
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


def plan_subnets(form: NetworkForm, zones: Sequence[str]) -> list[PlannedSubnet]:
    """Return the subnets, public ones first, each kind spread over the zones in turn."""
    return [
        PlannedSubnet(form, kind, number, str(block), zones[(number - 1) % len(zones)])
        for kind, blocks in form.plan_blocks()._asdict().items()
        for number, block in enumerate(blocks, start=1)
    ]


def describe_network(form: NetworkForm, *, zones: Sequence[str], region: str) -> state.Vpc:
    """Return the VPC that the console makes from the form, as `find_vpcs` later describes it.

    Args:
        form: The form, already checked.
        zones: The Availability Zones for the subnets, as many as the form asks for.
        region: The region of the VPC.
    """
    subnets = plan_subnets(form, zones)
    gateway = state.InternetGateway(
        id=_GATEWAY, name=form.name_of("gateway"), attachment="available", tagged=True
    )
    endpoint = state.VpcEndpoint(
        id="vpce-…",
        name=form.name_of("endpoint"),
        service=f"com.amazonaws.{region}.s3",
        type="Gateway",
        state="available",
        tagged=True,
    )
    return state.Vpc(
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
        subnets=tuple(_describe_subnet(subnet) for subnet in subnets),
        route_tables=_describe_tables(form, subnets),
        internet_gateways=(gateway,) if form.public_subnets else (),
        endpoints=(endpoint,) if form.s3_endpoint else (),
        tagged=True,
    )


def _describe_subnet(subnet: PlannedSubnet) -> state.Subnet:
    size = 2 ** (32 - int(subnet.cidr.rpartition("/")[2]))
    return state.Subnet(
        id=subnet.name,
        name=subnet.name,
        cidr=subnet.cidr,
        zone=subnet.zone,
        map_public_ip=False,
        available_addresses=size - KEPT_ADDRESSES,
        tagged=True,
    )


def _describe_tables(
    form: NetworkForm, subnets: Sequence[PlannedSubnet]
) -> tuple[state.RouteTable, ...]:
    """Return the main route table, which AWS adds, and those of the subnets."""
    local = state.Route(destination=form.cidr, target="local", state="active")
    out = state.Route(destination=state.ANYWHERE, target=_GATEWAY, state="active")
    tables = {"": state.RouteTable(id="rtb-…", name="", main=True, subnets=(), routes=(local,))}
    for subnet in subnets:
        name = subnet.table_name
        before = tables[name].subnets if name in tables else ()
        tables[name] = state.RouteTable(
            id="rtb-…",
            name=name,
            main=False,
            subnets=(*before, subnet.name),
            routes=(out, local) if subnet.kind == "public" else (local,),
            tagged=True,
        )
    return tuple(tables.values())


def describe_goal_network(exercise: Exercise, region: str = "") -> state.Vpc:
    """Return the exercise's network in its region or another, in the first zones by name."""
    region, form = region or exercise.region, replace(exercise.network, s3_endpoint=False)
    zones = [f"{region}{letter}" for letter in "abc"[: form.availability_zones]]
    return describe_network(form, zones=zones, region=region)


def describe_goal(exercise: Exercise) -> state.Snapshot:
    """Return the snapshot of the finished exercise, with the names that the console gives."""
    values = asdict(exercise)
    named = map_texts(read_data("handson.course", "goal.toml"), lambda text: text.format(**values))
    return replace(state.Snapshot.from_json(named), vpcs=(describe_goal_network(exercise),))
