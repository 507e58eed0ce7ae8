"""The network as the console shows it: its settings, the resource map, the commands."""

from __future__ import annotations

from dataclasses import dataclass

from handson.core import messages
from handson.core.cards import Card, Commands, Node, Note, ResourceMap, Rows, Shown, warning
from handson.course.state import InternetGateway, RouteTable, Subnet, Vpc


@dataclass(frozen=True, repr=False)
class Network(Shown):
    """The network as it is: the VPC, and the aws CLI commands that make one like it."""

    vpc: Vpc
    commands: tuple[str, ...]
    beyond: tuple[Subnet, ...] = ()
    """The subnets that stand in the VPC though nobody asked for them this time."""
    notes: tuple[Note, ...] = ()
    """What is to be said of the settings that were asked for."""

    def card(self) -> Card:
        """Return the card: the VPC's settings, the console's resource map, the commands."""
        return Card(
            messages.text("resources.network.title", name=self.vpc.name),
            (
                *self.notes,
                *_warning(self.beyond),
                *described(self.vpc),
                Commands(messages.text("resources.network.commands"), self.commands),
            ),
            state="warn" if self.beyond or self.notes else "ok",
        )


def resource_map(vpc: Vpc) -> ResourceMap:
    """Return the VPC as the console's resource map shows it."""
    return ResourceMap(_columns(vpc))


def described(vpc: Vpc) -> tuple[Rows, ResourceMap]:
    """Return a VPC's settings and its resource map."""
    return Rows(_settings(vpc)), resource_map(vpc)


def _warning(beyond: tuple[Subnet, ...]) -> tuple[Note, ...]:
    """Say which subnets are too many, and how to be rid of them; nothing when none is."""
    if not beyond:
        return ()
    names = ", ".join(subnet.name or subnet.id for subnet in beyond)
    if len(beyond) == 1:
        return warning(
            *messages.advice("resources.network.beyond-one", what=names, id=beyond[0].id)
        )
    ours = all(subnet.tagged for subnet in beyond)
    key = "resources.network.beyond" if ours else "resources.network.beyond-by-hand"
    return warning(*messages.advice(key, what=names))


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


def _columns(vpc: Vpc) -> list[tuple[str, list[Node]]]:
    zones = sorted({subnet.zone for subnet in vpc.subnets})
    gateways = [
        Node(item.name or item.id, item.id, links=_attached(vpc, item))
        for item in vpc.internet_gateways
    ]
    endpoints = [Node(item.name or item.id, item.service) for item in vpc.endpoints]
    tables = [
        Node(_name(table), table.id, _routes(vpc, table), links=_governed(vpc, table))
        for table in vpc.route_tables
    ]
    count = messages.text
    return [
        (messages.text("resources.network.map-vpc"), [Node(vpc.name or vpc.id, vpc.cidr)]),
        (
            count("resources.network.map-subnets", count=len(vpc.subnets)),
            [Node(zone, "", _subnets(vpc, zone)) for zone in zones],
        ),
        (count("resources.network.map-tables", count=len(tables)), tables),
        (
            count("resources.network.map-connections", count=len(gateways) + len(endpoints)),
            [*gateways, *endpoints],
        ),
    ]


def _subnets(vpc: Vpc, zone: str) -> list[Node]:
    return [_subnet_node(vpc, subnet) for subnet in vpc.subnets if subnet.zone == zone]


def _subnet_node(vpc: Vpc, subnet: Subnet) -> Node:
    kind = "resources.network.public" if vpc.is_public(subnet) else "resources.network.private"
    table = vpc.route_table_of(subnet.id)
    links = [f"→ {_name(table)}"] if table else []
    return Node(subnet.name or subnet.id, f"{subnet.cidr} {messages.text(kind)}", links=links)


def _name(table: RouteTable) -> str:
    return table.name or messages.text(
        "resources.network.main-table" if table.main else "resources.network.no-name"
    )


def _governed(vpc: Vpc, table: RouteTable) -> list[str]:
    """Say which subnets are associated with a route table, and which follow the main one."""
    said = "resources.network.associated" if table.subnets else "resources.network.followed"
    return [
        messages.text(said, name=subnet.name or subnet.id)
        for subnet in vpc.subnets
        if vpc.route_table_of(subnet.id) == table
    ]


def _attached(vpc: Vpc, gateway: InternetGateway) -> list[str]:
    attached = gateway.attachment == "available"
    said = "resources.network.attached" if attached else "resources.network.not-attached"
    return [messages.text(said, name=vpc.name or vpc.id)]


def _routes(vpc: Vpc, table: RouteTable) -> list[Node]:
    names = {gateway.id: gateway.name for gateway in vpc.internet_gateways}
    names |= {endpoint.id: endpoint.name for endpoint in vpc.endpoints}
    return [
        Node(route.destination, f"→ {names.get(route.target) or route.target}")
        for route in table.routes
    ]
