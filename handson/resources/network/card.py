"""The card of a network: its settings, the console's resource map, and the commands."""

from __future__ import annotations

from dataclasses import dataclass

from handson.core import messages
from handson.core.cards import (
    Card,
    CommandBlock,
    Displayable,
    MapNode,
    Note,
    ResourceMap,
    Rows,
    warning_notes,
)
from handson.course.state import InternetGateway, RouteTable, Subnet, Vpc


@dataclass(frozen=True, repr=False)
class Network(Displayable):
    """A VPC, with the aws CLI commands that create one like it.

    Attributes:
        vpc: The VPC.
        commands: The commands.
        extra_subnets: The subnets of the VPC that the form does not ask for.
        notes: Warnings about the form's settings.
    """

    vpc: Vpc
    commands: tuple[str, ...]
    extra_subnets: tuple[Subnet, ...] = ()
    notes: tuple[Note, ...] = ()

    def card(self) -> Card:
        """Return the card: the VPC's settings, the console's resource map, the commands."""
        return Card(
            messages.text("resources.network.title", name=self.vpc.name),
            (
                *self.notes,
                *_warn_of_subnets(self.extra_subnets),
                *describe_vpc(self.vpc),
                CommandBlock(messages.text("resources.network.commands"), self.commands),
            ),
            state="warn" if self.extra_subnets or self.notes else "ok",
        )


def draw_resource_map(vpc: Vpc) -> ResourceMap:
    """Return the console's resource map of a VPC."""
    return ResourceMap(_columns(vpc))


def describe_vpc(vpc: Vpc) -> tuple[Rows, ResourceMap]:
    """Return the settings and the resource map of a VPC, as parts of a card."""
    return Rows(_settings(vpc)), draw_resource_map(vpc)


def _warn_of_subnets(extra: tuple[Subnet, ...]) -> tuple[Note, ...]:
    """Return which subnets are extra, and how to delete them; nothing where there are none."""
    if not extra:
        return ()
    names = ", ".join(subnet.name or subnet.id for subnet in extra)
    if len(extra) == 1:
        advice = messages.advice("resources.network.extra-one", what=names, id=extra[0].id)
    elif all(subnet.tagged for subnet in extra):
        advice = messages.advice("resources.network.extra", what=names)
    else:
        advice = messages.advice("resources.network.extra-by-hand", what=names)
    return warning_notes(*advice)


def _settings(vpc: Vpc) -> list[tuple[str, str]]:
    def switch(on: bool) -> str:
        return messages.text("resources.network.on" if on else "resources.network.off")

    return [
        (messages.text("resources.network.row-id"), vpc.id),
        (messages.text("resources.network.row-cidr"), ", ".join(vpc.cidrs)),
        (
            messages.text("resources.network.row-ipv6"),
            ", ".join(vpc.ipv6_cidrs) or messages.text("resources.network.no-ipv6"),
        ),
        (messages.text("resources.network.row-tenancy"), vpc.tenancy),
        (messages.text("resources.network.row-dns-support"), switch(vpc.dns_support)),
        (messages.text("resources.network.row-dns-hostnames"), switch(vpc.dns_hostnames)),
    ]


def _columns(vpc: Vpc) -> list[tuple[str, list[MapNode]]]:
    zones = sorted({subnet.zone for subnet in vpc.subnets})
    gateways = [
        MapNode(item.name or item.id, item.id, links=_attachment(vpc, item))
        for item in vpc.internet_gateways
    ]
    endpoints = [MapNode(item.name or item.id, item.service) for item in vpc.endpoints]
    connections = [*gateways, *endpoints]
    tables = [
        MapNode(_table_name(table), table.id, _routes(vpc, table), links=_list_subnets(vpc, table))
        for table in vpc.route_tables
    ]
    return [
        (messages.text("resources.network.map-vpc"), [MapNode(vpc.name or vpc.id, vpc.cidr)]),
        (
            messages.text("resources.network.map-subnets", count=len(vpc.subnets)),
            [MapNode(zone, "", _subnets(vpc, zone)) for zone in zones],
        ),
        (messages.text("resources.network.map-tables", count=len(tables)), tables),
        (
            messages.text("resources.network.map-connections", count=len(connections)),
            connections,
        ),
    ]


def _subnets(vpc: Vpc, zone: str) -> list[MapNode]:
    return [_subnet_node(vpc, subnet) for subnet in vpc.subnets if subnet.zone == zone]


def _subnet_node(vpc: Vpc, subnet: Subnet) -> MapNode:
    kind = "resources.network.public" if vpc.is_public(subnet) else "resources.network.private"
    table = vpc.route_table_of(subnet.id)
    links = [f"→ {_table_name(table)}"] if table else []
    return MapNode(subnet.name or subnet.id, f"{subnet.cidr} {messages.text(kind)}", links=links)


def _table_name(table: RouteTable) -> str:
    return table.name or messages.text(
        "resources.network.main-table" if table.main else "resources.network.no-name"
    )


def _list_subnets(vpc: Vpc, table: RouteTable) -> list[str]:
    """Return the subnets that a route table serves, one a line."""
    key = "resources.network.associated" if table.subnets else "resources.network.followed"
    return [
        messages.text(key, name=subnet.name or subnet.id)
        for subnet in vpc.subnets
        if vpc.route_table_of(subnet.id) == table
    ]


def _attachment(vpc: Vpc, gateway: InternetGateway) -> list[str]:
    attached = gateway.attachment == "available"
    key = "resources.network.attached" if attached else "resources.network.not-attached"
    return [messages.text(key, name=vpc.name or vpc.id)]


def _routes(vpc: Vpc, table: RouteTable) -> list[MapNode]:
    names = {gateway.id: gateway.name for gateway in vpc.internet_gateways}
    names |= {endpoint.id: endpoint.name for endpoint in vpc.endpoints}
    return [
        MapNode(route.destination, f"→ {names.get(route.target) or route.target}")
        for route in table.routes
    ]
