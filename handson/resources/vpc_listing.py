"""Find VPCs and their contents in EC2, as `state.Vpc`, and show one as the console does.

EC2 derives the names in its API from the name of a resource: DescribeSubnets lists Subnets with a
SubnetId each.  `list_ec2_resources` takes that name: "Subnet".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from handson.aws import Aws
from handson.core import messages
from handson.core.cards import MapNode, ResourceMap, Rows, list_fields
from handson.core.host import Workers
from handson.course import rules, state
from handson.course.exercise import Exercise, NetworkForm
from handson.course.state import InternetGateway, RouteTable, Subnet, Vpc
from handson.resources.answers import Raw, read_answer, read_name, read_owner

_CONTENTS: Mapping[str, tuple[str, type[state.Named]]] = {
    "Subnet": ("subnets", Subnet),
    "RouteTable": ("route_tables", RouteTable),
    "InternetGateway": ("internet_gateways", InternetGateway),
    "VpcEndpoint": ("endpoints", state.VpcEndpoint),
}
"""EC2's names of what a VPC may contain, and the fields of its state with them."""
_ZONE = "AvailabilityZone"
_SWITCHES = {"dns_support": "DnsSupport", "dns_hostnames": "DnsHostnames"}


class NetworkListing(Struct, frozen=True):
    """The network resources of one region.

    Attributes:
        vpcs: The VPCs that were asked for, with their contents; none of another learner.
        vpc_count: The number of all VPCs in the region.
        loose_gateways: Internet gateways that are attached to no VPC; none of another learner.
        zones: The Availability Zones in use that run Fargate, sorted.
        endpoint_tables: The route tables of each VPC endpoint, by its id.
    """

    vpcs: tuple[Vpc, ...]
    vpc_count: int
    loose_gateways: tuple[InternetGateway, ...]
    zones: tuple[str, ...]
    endpoint_tables: Mapping[str, frozenset[str]]


def find_vpcs(
    aws: Aws, exercise: Exercise = Exercise(), checks: Collection[str] | None = None
) -> tuple[Vpc, ...]:
    """Return the VPCs of the region with their contents, sorted by name and id.

    Other learners' VPCs are among them, without their contents.

    Args:
        aws: The connection.
        exercise: What is to be built.
        checks: Describe only the VPCs that these checks read, those that the exercise's form may
            have made; None describes all.  Each VPC takes two requests.

    Raises:
        HandsonError: AWS refused a call or did not answer.
    """
    found = list_ec2_resources(aws, "Vpc")
    vpcs = [raw for raw in found if not is_foreign(aws, raw)]
    empty: Any = (dict.fromkeys(_CONTENTS, ()), defaultdict(bool))
    bare = [_vpc(raw, *empty) for raw in found if raw not in vpcs]
    if checks is not None:
        vpcs = _select_candidates(vpcs, exercise.network)
    if not vpcs:
        return _sort(bare)
    with Workers(12) as pool:
        switches = _submit_switches(aws, [raw["VpcId"] for raw in vpcs], pool)
        described = _describe_vpcs(vpcs, _submit_listings(aws, _CONTENTS, pool), switches)
    return _sort((*described, *bare))


def find_vpc_ids(aws: Aws, exercise: Exercise) -> list[str]:
    """Return the ids of the VPCs with the exercise's name, in one call.

    Raises:
        HandsonError: AWS refused the call or did not answer.
    """
    name = exercise.network.vpc_name
    found = list_ec2_resources(aws, "Vpc", Filters=[{"Name": "tag:Name", "Values": [name]}])
    # An emulator may ignore the filter.
    own = (raw for raw in found if read_name(raw) == name and not is_foreign(aws, raw))
    return sorted(raw["VpcId"] for raw in own)


def find_zones(aws: Aws) -> tuple[str, ...]:
    """Return the Availability Zones of the region that are in use and run Fargate, sorted.

    Raises:
        HandsonError: AWS refused the call or did not answer.
    """
    return _name_zones(list_ec2_resources(aws, _ZONE), aws.region)


def list_network(aws: Aws, *, name: str | None = None, vpc_id: str = "") -> NetworkListing:
    """Return the VPCs, zones and loose gateways of the region; independent calls run in parallel.

    Args:
        aws: The connection.
        name: Describe only the VPCs with this name; saves one round trip where there is none.
        vpc_id: A VPC that the caller knows; saves one round trip if it is the only one described.
    """
    with Workers(12) as pool:
        switches = _submit_switches(aws, [vpc_id] if vpc_id else [], pool)
        listings = _submit_listings(aws, ("Vpc", *_CONTENTS, _ZONE), pool)
        all_vpcs, gateways, endpoints, zones = (
            listings[noun].result() for noun in ("Vpc", "InternetGateway", "VpcEndpoint", _ZONE)
        )
        named = [raw for raw in all_vpcs if name in (None, read_name(raw))]
        named = [raw for raw in named if not is_foreign(aws, raw)]
        later = [raw["VpcId"] for raw in named if raw["VpcId"] != vpc_id]
        switches |= _submit_switches(aws, later, pool)
        vpcs = _describe_vpcs(named, listings, switches)
        gateways = [raw for raw in gateways if not is_foreign(aws, raw)]
    loose = (read_answer(InternetGateway, it) for it in gateways if not it.get("Attachments"))
    tables = {raw["VpcEndpointId"]: frozenset(raw.get("RouteTableIds", ())) for raw in endpoints}
    return NetworkListing(vpcs, len(all_vpcs), _sort(loose), _name_zones(zones, aws.region), tables)


def describe_vpc(vpc: Vpc) -> tuple[Rows, ResourceMap]:
    """Return the settings and the resource map of a VPC, as parts of a card."""
    ipv6 = vpc.ipv6_cidrs or messages.text("resources.network.no-ipv6")
    rows = list_fields("resources.network.row", {**asdict(vpc), "ipv6_cidrs": ipv6})
    return rows, draw_resource_map(vpc)


def draw_resource_map(vpc: Vpc) -> ResourceMap:
    """Return the console's resource map of a VPC."""
    zones = []
    for zone in sorted({subnet.zone for subnet in vpc.subnets}):
        subnets = [_map_subnet(vpc, subnet) for subnet in vpc.subnets if subnet.zone == zone]
        zones.append(MapNode(zone, "", subnets))
    tables = [_map_table(vpc, table) for table in vpc.route_tables]
    joined = [_map_gateway(vpc, gateway) for gateway in vpc.internet_gateways]
    joined += [MapNode(endpoint.title, endpoint.service) for endpoint in vpc.endpoints]
    return ResourceMap(
        [
            (messages.text("resources.network.map-vpc"), [MapNode(vpc.title, vpc.cidr)]),
            (messages.text("resources.network.map-subnets", count=len(vpc.subnets)), zones),
            (messages.text("resources.network.map-tables", count=len(tables)), tables),
            (messages.text("resources.network.map-connections", count=len(joined)), joined),
        ]
    )


def list_ec2_resources(
    aws: Aws, noun: str, *, hidden: Collection[str] = ("deleted", "deleting"), **filters: Any
) -> list[dict[str, Any]]:
    """Return EC2's resources of a kind, without deleted ones, which EC2 lists for a while longer.

    Args:
        aws: The connection.
        noun: EC2's name of the kind, such as "Subnet".
        hidden: The states of those that are left out.
        filters: Further parameters of the call.
    """
    found = aws.list_items("ec2", f"Describe{noun}s", f"{noun}s", **filters)
    # AWS writes the state both as "deleted" and as "Deleted".
    return [raw for raw in found if raw.get("State", "").lower() not in hidden]


def is_foreign(aws: Aws, raw: Raw) -> bool:
    """Tell whether a resource is another learner's."""
    return aws.owners.is_foreign(state.Owned(**read_owner(raw)))


def is_in_vpc(raw: Raw, vpc_id: str) -> bool:
    """Tell whether a resource is part of a VPC, or attached to it as gateways are."""
    attached = (item.get("VpcId") for item in raw.get("Attachments", ()))
    return vpc_id == raw.get("VpcId") or vpc_id in attached


def _submit_listings(
    aws: Aws, nouns: Iterable[str], pool: Executor
) -> dict[str, Future[list[dict[str, Any]]]]:
    return {noun: pool.submit(list_ec2_resources, aws, noun) for noun in nouns}


def _select_candidates(vpcs: Sequence[Any], form: NetworkForm) -> list[Any]:
    """Return the VPCs that a form may have made, in the order in which the check chooses.

    Those of its name; else those with the workshop's tag; else those with its CIDR block.  The
    default VPC counts only where it has the form's name and there is no other.
    """
    own = [raw for raw in vpcs if not raw.get("IsDefault")]
    return (
        [raw for raw in own if read_name(raw) == form.vpc_name]
        or [raw for raw in own if read_owner(raw)["tagged"]]
        or [raw for raw in own if raw["CidrBlock"] == form.cidr]
        or [raw for raw in vpcs if read_name(raw) == form.vpc_name]
    )


def _submit_switches(
    aws: Aws, vpc_ids: Iterable[str], pool: Executor
) -> dict[tuple[str, str], Future[bool]]:
    return {
        (vpc_id, field): pool.submit(_read_switch, aws, vpc_id, name)
        for vpc_id in vpc_ids
        for field, name in _SWITCHES.items()
    }


def _describe_vpcs(
    vpcs: Sequence[Raw],
    listings: Mapping[str, Future[list[dict[str, Any]]]],
    switches: Mapping[tuple[str, str], Future[bool]],
) -> tuple[Vpc, ...]:
    contents = {noun: listings[noun].result() for noun in _CONTENTS}
    is_on = {pair: switch.result() for pair, switch in switches.items()}
    return _sort(_vpc(raw, contents, is_on) for raw in vpcs)


def _read_switch(aws: Aws, vpc_id: str, name: str) -> bool:
    parameters = {"VpcId": vpc_id, "Attribute": f"enable{name}"}
    new = ("InvalidVpcID.NotFound",)
    reply = aws.call_until_known("ec2", "DescribeVpcAttribute", parameters, unknown=new)
    return bool(reply[f"Enable{name}"]["Value"])


def _name_zones(zones: Iterable[Raw], region: str) -> tuple[str, ...]:
    fargate = rules.FARGATE_ZONES.get(region)
    names = (
        zone["ZoneName"]
        for zone in zones
        if zone.get("State", "available") == "available"
        and zone.get("ZoneType", "availability-zone") == "availability-zone"
        and (fargate is None or zone.get("ZoneId") in fargate)
    )
    return tuple(sorted(names))


def _vpc(
    raw: Raw, contents: Mapping[str, Sequence[Raw]], is_on: Mapping[tuple[str, str], bool]
) -> Vpc:
    parts = {
        field: _sort(
            read_answer(kind, item) for item in contents[noun] if is_in_vpc(item, raw["VpcId"])
        )
        for noun, (field, kind) in _CONTENTS.items()
    }
    switches = {field: is_on[raw["VpcId"], field] for field in _SWITCHES}
    return read_answer(Vpc, raw, **switches, **parts)


def _sort(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(items, key=lambda item: (item.name, item.id)))


def _map_subnet(vpc: Vpc, subnet: Subnet) -> MapNode:
    kind = "resources.network.public" if vpc.is_public(subnet) else "resources.network.private"
    table = vpc.route_table_of(subnet.id)
    links = [f"→ {_show_table_name(table)}"] if table else []
    return MapNode(subnet.title, f"{subnet.cidr} {messages.text(kind)}", links=links)


def _map_table(vpc: Vpc, table: RouteTable) -> MapNode:
    """Return a route table with its routes, linked to the subnets that it serves."""
    names = {gateway.id: gateway.name for gateway in vpc.internet_gateways}
    names |= {endpoint.id: endpoint.name for endpoint in vpc.endpoints}
    routes = [
        MapNode(route.destination, f"→ {names.get(route.target) or route.target}")
        for route in table.routes
    ]
    key = "resources.network.associated" if table.subnets else "resources.network.followed"
    served = [subnet for subnet in vpc.subnets if vpc.route_table_of(subnet.id) == table]
    links = [messages.text(key, name=subnet.title) for subnet in served]
    return MapNode(_show_table_name(table), table.id, routes, links=links)


def _map_gateway(vpc: Vpc, gateway: InternetGateway) -> MapNode:
    key = "resources.network.attached" if gateway.is_attached else "resources.network.not-attached"
    link = messages.text(key, name=vpc.title)
    return MapNode(gateway.title, gateway.id, links=[link])


def _show_table_name(table: RouteTable) -> str:
    key = "resources.network.main-table" if table.main else "resources.network.no-name"
    return table.name or messages.text(key)
