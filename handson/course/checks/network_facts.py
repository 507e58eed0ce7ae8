"""The facts of the check `network`: the VPC that it judges, and what each fact is read from.

The check judges the VPC whose Name tag is the exercise's; else one with the workshop's tag; else
one with the exercise's CIDR block.  Among several it prefers a tagged one, then the one with most
facts true.  It never judges the default VPC.

A subnet is public when its route table leads to an internet gateway (Amazon VPC User Guide).  By
this rule alone, a forgotten route would mean "two private subnets too many".  So a subnet without
such a route also counts as public when its name says public, or when its name does not say private
and its block is one that the console gives to public subnets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from handson.course.checks.results import Facts
from handson.course.exercise import Exercise, NetworkForm
from handson.course.goal import describe_goal_network
from handson.course.state import ANYWHERE, RouteTable, Snapshot, Subnet, Vpc

TO_GATEWAY = f"{ANYWHERE} → internet gateway"
NOWHERE = f"{ANYWHERE} → none"
BLACKHOLE = f"{ANYWHERE} → blackhole"

_EMPTY: dict[str, Any] = {"subnets": (), "route_tables": (), "internet_gateways": ()}
DNS = ("enableDnsSupport", "enableDnsHostnames")


class NamedResource(Struct, frozen=True):
    """A resource that the console names: its id, its Name tag, and the name it should have."""

    id: str
    name: str
    wanted: str


def find_goal_vpcs(snapshot: Snapshot, exercise: Exercise) -> list[Vpc]:
    """Return the VPC that the check judges, then its namesakes; nothing if there is none."""
    goal = exercise.network
    own = [vpc for vpc in snapshot.vpcs if not vpc.is_default]
    named = [vpc for vpc in own if vpc.name == goal.vpc_name]
    tagged = [vpc for vpc in own if vpc.tagged]
    like = named or tagged or [vpc for vpc in own if vpc.cidr == goal.cidr]
    like.sort(key=lambda vpc: (not vpc.tagged, -_count_true_facts(vpc, exercise), vpc.id))
    return like if named else like[:1]


def find_goal_vpc(snapshot: Snapshot, exercise: Exercise = Exercise()) -> Vpc | None:
    """Return the VPC that the check judges."""
    return next(iter(find_goal_vpcs(snapshot, exercise)), None)


def find_named_default(snapshot: Snapshot, exercise: Exercise) -> list[Vpc]:
    """Return the default VPC if it has the exercise's name."""
    name = exercise.network.vpc_name
    return [vpc for vpc in snapshot.vpcs if vpc.is_default and vpc.name == name][:1]


def _count_true_facts(vpc: Vpc, exercise: Exercise) -> int:
    return sum(wanted == seen for wanted, seen in compare_facts([vpc], exercise).values())


def compare_facts(found: Sequence[Vpc], exercise: Exercise) -> Facts:
    """Return the expected and the observed value of each fact of a VPC and its namesakes.

    The expected names are those for the parts that the VPC has.
    """
    goal = exercise.network
    # Without a VPC only the expected values count.
    vpc, *twins = found or [replace(describe_goal_network(exercise), **_EMPTY)]
    public, named = find_public_subnets(vpc, exercise), list_named_resources(vpc, exercise)
    names = [resource.name for resource in named] + [twin.name for twin in twins]
    switches = zip(DNS, (vpc.dns_support, vpc.dns_hostnames), strict=True)
    ways_out = sorted({describe_way_out(vpc, subnet) for subnet in public})
    return {
        "vpc.exists": (True, bool(found)),
        "vpc.cidr": (goal.cidr, vpc.cidr if set(vpc.cidrs) <= {vpc.cidr} else list(vpc.cidrs)),
        "vpc.ipv6": ([], list(vpc.ipv6_cidrs)),
        "vpc.tenancy": (goal.tenancy, vpc.tenancy),
        "vpc.dns": (list(DNS), [name for name, on in switches if on]),
        "subnets.public": (goal.public_subnets, len(public)),
        "subnets.private": (goal.private_subnets, len(find_private_subnets(vpc, exercise))),
        "subnets.zones": (goal.availability_zones, len({subnet.zone for subnet in public})),
        "subnets.cidr": (list(plan_public_blocks(goal)), [subnet.cidr for subnet in public]),
        "gateway.attached": (True, bool(find_attached_gateways(vpc))),
        "routes.default": ([TO_GATEWAY], ways_out),
        "names": ([resource.wanted for resource in named], names),
    }


@lru_cache
def plan_public_blocks(form: NetworkForm) -> tuple[str, ...]:
    """Return the CIDR blocks that "VPC and more" gives to the form's public subnets."""
    return tuple(str(block) for block in form.plan_blocks().public)


def find_public_subnets(vpc: Vpc, exercise: Exercise = Exercise()) -> list[Subnet]:
    """Return the subnets that are public, or meant to be, by address."""
    return sorted((s for s in vpc.subnets if _is_public(vpc, s, exercise)), key=_address)


def find_private_subnets(vpc: Vpc, exercise: Exercise = Exercise()) -> list[Subnet]:
    """Return the other subnets, by address."""
    return sorted((s for s in vpc.subnets if not _is_public(vpc, s, exercise)), key=_address)


def find_attached_gateways(vpc: Vpc) -> set[str]:
    """Return the ids of the internet gateways that are attached to the VPC."""
    return {gateway.id for gateway in vpc.internet_gateways if gateway.is_attached}


def describe_way_out(vpc: Vpc, subnet: Subnet) -> str:
    """Return where a subnet's default route leads: `TO_GATEWAY` when it is right.

    A gateway counts only while it is attached to this VPC: a route to a detached one leads nowhere,
    whether AWS marks it as a blackhole or an emulator still calls it active.
    """
    table = vpc.route_table_of(subnet.id)
    routes = table.routes if table else ()
    route = next((route for route in routes if route.destination == ANYWHERE), None)
    if route is None:
        return NOWHERE
    if route.state != "active":
        return BLACKHOLE
    if route.target in find_attached_gateways(vpc):
        return TO_GATEWAY
    return f"{ANYWHERE} → {route.target}"


def list_named_resources(vpc: Vpc, exercise: Exercise) -> list[NamedResource]:
    """Return the resources that the console names, each with the name it should have.

    These are the VPC, its public subnets (each name ends in the subnet's zone; the numbers may
    come in any order), the route tables that serve them and the attached gateway.  Resources that
    the console leaves unnamed, missing ones, private subnets and endpoints are left out.
    """
    form, tables = exercise.network, _find_public_tables(vpc, exercise)
    gateways = [gateway for gateway in vpc.internet_gateways if gateway.is_attached]
    return [
        NamedResource(vpc.id, vpc.name, form.vpc_name),
        *_name_subnets(vpc, exercise),
        *(NamedResource(each.id, each.name, form.name_of("public-table")) for each in tables),
        *(NamedResource(each.id, each.name, form.name_of("gateway")) for each in gateways),
    ]


def leads_out(table: RouteTable) -> bool:
    """Tell whether a route table sends everything that is not local to an internet gateway."""
    return any(
        route.destination == ANYWHERE and route.target.startswith("igw-") for route in table.routes
    )


def _is_public(vpc: Vpc, subnet: Subnet, exercise: Exercise) -> bool:
    name = subnet.name.lower()
    if vpc.is_public(subnet) or "public" in name:
        return True
    return "private" not in name and subnet.cidr in plan_public_blocks(exercise.network)


def _name_subnets(vpc: Vpc, exercise: Exercise) -> list[NamedResource]:
    """Return the public subnets with their names; a right number that is unique stays as it is."""
    form, subnets = exercise.network, find_public_subnets(vpc, exercise)
    numbers = [_read_number(subnet, form) for subnet in subnets]
    free = (n for n in range(1, len(subnets) + 1) if n not in numbers)
    named = []
    for index, subnet in enumerate(subnets):
        number = numbers[index]
        if number is None or number in numbers[:index]:
            number = next(free)
        wanted = form.name_of("public-subnet", number=number, zone=subnet.zone)
        named.append(NamedResource(subnet.id, subnet.name, wanted))
    return named


def _read_number(subnet: Subnet, form: NetworkForm) -> int | None:
    found = re.fullmatch(r"(.*)-subnet-public([1-9])-(.*)", subnet.name, re.DOTALL)
    return int(found[2]) if found and (found[1], found[3]) == (form.name, subnet.zone) else None


def _find_public_tables(vpc: Vpc, exercise: Exercise) -> list[RouteTable]:
    """Return the route tables that serve the public subnets, or were meant to.

    The console leaves the main table unnamed: it counts only when it has the default route and no
    other table does.
    """
    public = {subnet.id for subnet in find_public_subnets(vpc, exercise)}
    made = [t for t in vpc.route_tables if not t.main and (leads_out(t) or public & {*t.subnets})]
    return made or [t for t in vpc.route_tables if leads_out(t)]


def _address(subnet: Subnet) -> tuple[int, str]:
    return _first_address(subnet.cidr), subnet.id


@lru_cache(maxsize=256)
def _first_address(cidr: str) -> int:
    try:
        return int(ip_network(cidr).network_address)
    except ValueError:
        return -1
