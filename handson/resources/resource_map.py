"""A VPC as the console shows it: its settings and its resource map."""

from __future__ import annotations

from typing import Any

from handson.core import messages
from handson.core.cards import MapNode, ResourceMap, Rows
from handson.course.state import InternetGateway, RouteTable, Subnet, Vpc


def describe_vpc(vpc: Vpc) -> tuple[Rows, ResourceMap]:
    """Return the settings and the resource map of a VPC, as parts of a card."""
    ipv6 = ", ".join(vpc.ipv6_cidrs) or messages.text("resources.network.no-ipv6")
    rows = [
        (messages.text("resources.network.row-id"), vpc.id),
        (messages.text("resources.network.row-cidr"), ", ".join(vpc.cidrs)),
        (messages.text("resources.network.row-ipv6"), ipv6),
        (messages.text("resources.network.row-tenancy"), vpc.tenancy),
        (messages.text("resources.network.row-dns-support"), _describe_switch(vpc.dns_support)),
        (messages.text("resources.network.row-dns-hostnames"), _describe_switch(vpc.dns_hostnames)),
    ]
    return Rows(rows), draw_resource_map(vpc)


def draw_resource_map(vpc: Vpc) -> ResourceMap:
    """Return the console's resource map of a VPC."""
    zones = [
        MapNode(zone, "", [_subnet(vpc, subnet) for subnet in vpc.subnets if subnet.zone == zone])
        for zone in sorted({subnet.zone for subnet in vpc.subnets})
    ]
    tables = [_table(vpc, table) for table in vpc.route_tables]
    connections = [
        *(_gateway(vpc, gateway) for gateway in vpc.internet_gateways),
        *(MapNode(_name(endpoint), endpoint.service) for endpoint in vpc.endpoints),
    ]
    subnet_count, connection_count = len(vpc.subnets), len(connections)
    return ResourceMap(
        [
            (messages.text("resources.network.map-vpc"), [MapNode(_name(vpc), vpc.cidr)]),
            (messages.text("resources.network.map-subnets", count=subnet_count), zones),
            (messages.text("resources.network.map-tables", count=len(tables)), tables),
            (
                messages.text("resources.network.map-connections", count=connection_count),
                connections,
            ),
        ]
    )


def _describe_switch(on: bool) -> str:
    return messages.text("resources.network.on" if on else "resources.network.off")


def _subnet(vpc: Vpc, subnet: Subnet) -> MapNode:
    kind = "resources.network.public" if vpc.is_public(subnet) else "resources.network.private"
    table = vpc.route_table_of(subnet.id)
    links = [f"→ {_name_table(table)}"] if table else []
    return MapNode(_name(subnet), f"{subnet.cidr} {messages.text(kind)}", links=links)


def _table(vpc: Vpc, table: RouteTable) -> MapNode:
    """Return a route table with its routes, linked to the subnets that it serves."""
    names = {gateway.id: gateway.name for gateway in vpc.internet_gateways}
    names |= {endpoint.id: endpoint.name for endpoint in vpc.endpoints}
    routes = [
        MapNode(route.destination, f"→ {names.get(route.target) or route.target}")
        for route in table.routes
    ]
    key = "resources.network.associated" if table.subnets else "resources.network.followed"
    served = [subnet for subnet in vpc.subnets if vpc.route_table_of(subnet.id) == table]
    links = [messages.text(key, name=_name(subnet)) for subnet in served]
    return MapNode(_name_table(table), table.id, routes, links=links)


def _gateway(vpc: Vpc, gateway: InternetGateway) -> MapNode:
    attached = gateway.attachment == "available"
    key = "resources.network.attached" if attached else "resources.network.not-attached"
    return MapNode(_name(gateway), gateway.id, links=[messages.text(key, name=_name(vpc))])


def _name(resource: Any) -> str:
    return str(resource.name or resource.id)


def _name_table(table: RouteTable) -> str:
    key = "resources.network.main-table" if table.main else "resources.network.no-name"
    return table.name or messages.text(key)
