"""The network as the console shows it: its settings, the resource map, the commands."""

from __future__ import annotations

from dataclasses import dataclass

from handson import messages
from handson.cards import Card, Commands, Node, ResourceMap, Rows, Shown
from handson.state import RouteTable, Subnet, Vpc


@dataclass(frozen=True, repr=False)
class Network(Shown):
    """The network as it is: the VPC, and the aws CLI commands that make one like it."""

    vpc: Vpc
    commands: tuple[str, ...]

    def card(self) -> Card:
        """Return the card: the VPC's settings, the console's resource map, the commands."""
        return Card(
            messages.text("network.title", name=self.vpc.name),
            (
                Rows(_settings(self.vpc)),
                ResourceMap(_columns(self.vpc)),
                Commands(messages.text("network.commands"), self.commands),
            ),
            state="ok",
        )


def _settings(vpc: Vpc) -> list[tuple[str, str]]:
    def switch(on: bool) -> str:
        return messages.text("network.on" if on else "network.off")

    return [
        (messages.text("network.row-id"), vpc.id),
        (messages.text("network.row-cidr"), ", ".join(vpc.cidrs)),
        (messages.text("network.row-ipv6"), ", ".join(vpc.ipv6_cidrs) or "-"),
        (messages.text("network.row-tenancy"), vpc.tenancy),
        (messages.text("network.row-dns-support"), switch(vpc.dns_support)),
        (messages.text("network.row-dns-hostnames"), switch(vpc.dns_hostnames)),
    ]


def _columns(vpc: Vpc) -> list[tuple[str, list[Node]]]:
    zones = sorted({subnet.zone for subnet in vpc.subnets})
    gateways = [Node(item.name or item.id, item.id) for item in vpc.internet_gateways]
    endpoints = [Node(item.name or item.id, item.service) for item in vpc.endpoints]
    tables = [
        Node(table.name or messages.text("network.main-table"), table.id, _routes(table))
        for table in vpc.route_tables
    ]
    count = messages.text
    return [
        (messages.text("network.map-vpc"), [Node(vpc.name or vpc.id, vpc.cidr)]),
        (
            count("network.map-subnets", count=len(vpc.subnets)),
            [Node(zone, "", _subnets(vpc, zone)) for zone in zones],
        ),
        (count("network.map-tables", count=len(tables)), tables),
        (
            count("network.map-connections", count=len(gateways) + len(endpoints)),
            [*gateways, *endpoints],
        ),
    ]


def _subnets(vpc: Vpc, zone: str) -> list[Node]:
    return [_subnet_node(vpc, subnet) for subnet in vpc.subnets if subnet.zone == zone]


def _subnet_node(vpc: Vpc, subnet: Subnet) -> Node:
    kind = "network.public" if vpc.is_public(subnet) else "network.private"
    return Node(subnet.name or subnet.id, f"{subnet.cidr} {messages.text(kind)}")


def _routes(table: RouteTable) -> list[Node]:
    return [Node(route.destination, f"→ {route.target}") for route in table.routes]
