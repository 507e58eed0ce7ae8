"""How a VPC is read: which subnets are public, where they lead, and what the console names them.

A subnet is public when its route table leads to an internet gateway (Amazon VPC User Guide).  Taken
alone this would turn a forgotten route into "two private subnets too many"; so a subnet that leads
nowhere counts as *meant to be* public when its name says public, or when it bears no such word and
has one of the blocks that the console gives to public subnets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network

from handson.course import rules
from handson.course.exercise import Exercise, NetworkForm
from handson.course.state import Route, RouteTable, Subnet, Vpc

ANYWHERE = "0.0.0.0/0"
TO_GATEWAY = f"{ANYWHERE} → internet gateway"
NOWHERE = f"{ANYWHERE} → none"
BLACKHOLE = f"{ANYWHERE} → blackhole"

ATTACHED = ("available", "attached")
"""AWS's API answers "available"; other implementations of it answer "attached"."""


@dataclass(frozen=True)
class Named:
    """A resource that the console names: its id, its Name tag, and the name it should have."""

    id: str
    name: str
    wanted: str


@lru_cache
def goal_blocks(goal: NetworkForm) -> tuple[str, ...]:
    """Return the CIDR blocks that "VPC and more" gives to the exercise's public subnets."""
    plan = rules.subnet_cidrs(
        rules.vpc_cidr(goal.cidr), public=goal.public_subnets, private=goal.private_subnets
    )
    return tuple(str(block) for block in plan.public)


def public_subnets(vpc: Vpc, exercise: Exercise = Exercise()) -> list[Subnet]:
    """Return the subnets that are public, or meant to be, by address."""
    return sorted((s for s in vpc.subnets if _is_public(vpc, s, exercise)), key=_address)


def private_subnets(vpc: Vpc, exercise: Exercise = Exercise()) -> list[Subnet]:
    """Return the other subnets, by address."""
    return sorted((s for s in vpc.subnets if not _is_public(vpc, s, exercise)), key=_address)


def attached_gateways(vpc: Vpc) -> set[str]:
    """Return the ids of the internet gateways that are attached to the VPC."""
    return {gateway.id for gateway in vpc.internet_gateways if gateway.attachment in ATTACHED}


def default_route(vpc: Vpc, subnet: Subnet) -> Route | None:
    """Return the route for everything that is not local, as it holds for a subnet."""
    table = vpc.route_table_of(subnet.id)
    routes = table.routes if table else ()
    return next((route for route in routes if route.destination == ANYWHERE), None)


def way_out(vpc: Vpc, subnet: Subnet) -> str:
    """Say where a subnet's default route leads: `TO_GATEWAY` when it is as it should be.

    A gateway counts only while it is attached to this VPC: a route to a detached one leads nowhere,
    whether AWS marks it as a blackhole or an emulator still calls it active.
    """
    route = default_route(vpc, subnet)
    if route is None:
        return NOWHERE
    if route.state != "active":
        return BLACKHOLE
    if route.target in attached_gateways(vpc):
        return TO_GATEWAY
    return f"{ANYWHERE} → {route.target}"


def named_resources(vpc: Vpc, exercise: Exercise) -> list[Named]:
    """Return what the console would have named, each beside the name it should have.

    Judged are the VPC, its public subnets (each name ends in the subnet's own zone; the numbers may
    stand in any order), the route tables that serve them and the attached gateway.  What the
    console leaves unnamed, what is missing, private subnets and endpoints are not.
    """
    goal = exercise.network
    tables = [
        Named(t.id, t.name, goal.name_of("public-table")) for t in _public_tables(vpc, exercise)
    ]
    attached = attached_gateways(vpc)
    gateways = [
        Named(gateway.id, gateway.name, goal.name_of("gateway"))
        for gateway in vpc.internet_gateways
        if gateway.id in attached
    ]
    return [
        Named(vpc.id, vpc.name, goal.vpc_name),
        *_named_subnets(vpc, exercise),
        *tables,
        *gateways,
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
    return "private" not in name and subnet.cidr in goal_blocks(exercise.network)


def _named_subnets(vpc: Vpc, exercise: Exercise) -> list[Named]:
    subnets = public_subnets(vpc, exercise)
    numbers = [_number(subnet, exercise) for subnet in subnets]
    free = (n for n in range(1, len(subnets) + 1) if n not in numbers)
    named, goal = [], exercise.network
    for index, subnet in enumerate(subnets):
        number = numbers[index]
        if number is None or number in numbers[:index]:
            number = next(free, index + 1)
        named.append(
            Named(
                subnet.id,
                subnet.name,
                goal.name_of("public-subnet", number=number, zone=subnet.zone),
            )
        )
    return named


def _number(subnet: Subnet, exercise: Exercise) -> int | None:
    found = re.fullmatch(r"(.*)-subnet-public([1-9])-(.*)", subnet.name, re.DOTALL)
    if found and (found[1], found[3]) == (exercise.network.name, subnet.zone):
        return int(found[2])
    return None


def _public_tables(vpc: Vpc, exercise: Exercise) -> list[RouteTable]:
    """Return the tables that serve the public subnets, or were made to.

    The main table is unnamed in the console's VPC: it counts only when someone has put the way out
    into it and there is no other table.
    """
    public = {subnet.id for subnet in public_subnets(vpc, exercise)}
    made = [t for t in vpc.route_tables if not t.main and (leads_out(t) or public & {*t.subnets})]
    return made or [t for t in vpc.route_tables if leads_out(t)]


def _address(subnet: Subnet) -> tuple[int, str]:
    return _first_address(subnet.cidr), subnet.id


@lru_cache(maxsize=256)
def _first_address(cidr: str) -> int:
    try:
        return int(ip_network(cidr, strict=False).network_address)
    except ValueError:
        return -1
