"""What network there is, read from EC2 and described."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from handson.aws import Aws
from handson.course.exercise import TAG_KEY, TAG_VALUE
from handson.course.state import InternetGateway, Route, RouteTable, Subnet, Vpc, VpcEndpoint

_ATTRIBUTES = {"enableDnsSupport": "EnableDnsSupport", "enableDnsHostnames": "EnableDnsHostnames"}
_GONE = {"deleted", "deleting"}


@dataclass(frozen=True)
class Look:
    """What one look at EC2 saw.

    Attributes:
        vpcs: The VPCs that were asked for, with what stands in them.
        vpc_count: How many VPCs the region holds, the others included.
        loose_gateways: Internet gateways that are attached to no VPC.
        zones: The Availability Zones that can be used, sorted.
        endpoint_tables: The route tables that lead to each VPC endpoint, by its id.
    """

    vpcs: tuple[Vpc, ...]
    vpc_count: int
    loose_gateways: tuple[InternetGateway, ...]
    zones: tuple[str, ...]
    endpoint_tables: Mapping[str, frozenset[str]]


def find_vpcs(aws: Aws) -> tuple[Vpc, ...]:
    """Return all VPCs of the region with what stands in them, sorted by name and id.

    Raises:
        HandsonError: AWS refused a call or did not answer.
    """
    return look(aws).vpcs


def find_vpc_ids(aws: Aws, name: str) -> list[str]:
    """Return the ids of the VPCs of that name, in one call.

    Raises:
        HandsonError: AWS refused the call or did not answer.
    """
    named = [{"Name": "tag:Name", "Values": [name]}]
    found = aws.pages("ec2", "DescribeVpcs", "Vpcs", Filters=named)
    # An endpoint in AWS's place may not know the filter.
    return sorted(raw["VpcId"] for raw in found if name_of(raw) == name)


def find_zones(aws: Aws) -> tuple[str, ...]:
    """Return the Availability Zones of the region that can be used, sorted.

    Raises:
        HandsonError: AWS refused the call or did not answer.
    """
    return _usable(aws.pages("ec2", *_LISTINGS["zones"]))


def look(aws: Aws, *, vpc_id: str | None = None, name: str | None = None) -> Look:
    """Look at the VPCs and zones of the region, with independent calls at once.

    Args:
        aws: The connection.
        vpc_id: The only VPC to describe, when it is known already; saves one round trip.
        name: Describe only VPCs of this name; where there is none, it saves one round trip.
    """
    aws.client("ec2")
    with ThreadPoolExecutor(12) as pool:
        early = _attributes_later(aws, [vpc_id], pool.submit) if vpc_id else {}
        raw = {
            kind: pool.submit(aws.pages, "ec2", operation, key)
            for kind, (operation, key) in _LISTINGS.items()
        }
        found = {kind: future.result() for kind, future in raw.items()}
        ids = [
            vpc["VpcId"]
            for vpc in found["vpcs"]
            if vpc_id in (None, vpc["VpcId"]) and name in (None, name_of(vpc))
        ]
        later = early or _attributes_later(aws, ids, pool.submit)
        attributes = {key: future.result() for key, future in later.items()}
    return _described(found, ids=ids, attributes=attributes)


_LISTINGS = {
    "vpcs": ("DescribeVpcs", "Vpcs"),
    "subnets": ("DescribeSubnets", "Subnets"),
    "tables": ("DescribeRouteTables", "RouteTables"),
    "gateways": ("DescribeInternetGateways", "InternetGateways"),
    "endpoints": ("DescribeVpcEndpoints", "VpcEndpoints"),
    "zones": ("DescribeAvailabilityZones", "AvailabilityZones"),
}


def _usable(zones: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    names = (
        zone["ZoneName"]
        for zone in zones
        if zone.get("State", "available") == "available"
        and zone.get("ZoneType", "availability-zone") == "availability-zone"
    )
    return tuple(sorted(names))


def _attributes_later(
    aws: Aws, vpc_ids: Iterable[str], submit: Callable[..., Any]
) -> dict[tuple[str, str], Any]:
    return {
        (vpc_id, attribute): submit(_attribute, aws, vpc_id, attribute)
        for vpc_id in vpc_ids
        for attribute in _ATTRIBUTES
    }


def _attribute(aws: Aws, vpc_id: str, attribute: str) -> bool:
    parameters = {"VpcId": vpc_id, "Attribute": attribute}
    new = ("InvalidVpcID.NotFound",)
    reply = aws.call_until_known("ec2", "DescribeVpcAttribute", parameters, unknown=new)
    return bool(reply[_ATTRIBUTES[attribute]]["Value"])


def _described(
    found: Mapping[str, list[dict[str, Any]]],
    *,
    ids: list[str],
    attributes: Mapping[tuple[str, str], bool],
) -> Look:
    vpcs = [_vpc(raw, found, attributes=attributes) for raw in found["vpcs"] if raw["VpcId"] in ids]
    loose = [_gateway(raw, vpc_id="") for raw in found["gateways"] if not raw.get("Attachments")]
    tables = {
        raw["VpcEndpointId"]: frozenset(raw.get("RouteTableIds", ()))
        for raw in found["endpoints"]
        if _is_there(raw)
    }
    return Look(
        vpcs=_sorted(vpcs),
        vpc_count=len(found["vpcs"]),
        loose_gateways=_sorted(loose),
        zones=_usable(found["zones"]),
        endpoint_tables=tables,
    )


def _vpc(
    raw: Mapping[str, Any],
    found: Mapping[str, list[dict[str, Any]]],
    *,
    attributes: Mapping[tuple[str, str], bool],
) -> Vpc:
    vpc_id = raw["VpcId"]

    def inside(kind: str) -> list[dict[str, Any]]:
        return [item for item in found[kind] if item.get("VpcId") == vpc_id]

    gateways = [
        _gateway(item, vpc_id=vpc_id)
        for item in found["gateways"]
        if any(attachment.get("VpcId") == vpc_id for attachment in item.get("Attachments", ()))
    ]
    return Vpc(
        id=vpc_id,
        name=name_of(raw),
        cidr=raw["CidrBlock"],
        cidrs=_blocks(raw, "CidrBlockAssociationSet", "CidrBlock") or (raw["CidrBlock"],),
        ipv6_cidrs=_blocks(raw, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock"),
        tenancy=raw.get("InstanceTenancy", "default"),
        is_default=bool(raw.get("IsDefault", False)),
        state=raw.get("State", "available"),
        dns_support=attributes[vpc_id, "enableDnsSupport"],
        dns_hostnames=attributes[vpc_id, "enableDnsHostnames"],
        subnets=_sorted(map(_subnet, inside("subnets"))),
        route_tables=_sorted(map(_table, inside("tables"))),
        internet_gateways=_sorted(gateways),
        endpoints=_sorted(_endpoint(item) for item in inside("endpoints") if _is_there(item)),
        tagged=is_tagged(raw),
    )


def _subnet(raw: Mapping[str, Any]) -> Subnet:
    return Subnet(
        id=raw["SubnetId"],
        name=name_of(raw),
        cidr=raw["CidrBlock"],
        zone=raw["AvailabilityZone"],
        map_public_ip=bool(raw.get("MapPublicIpOnLaunch", False)),
        ipv6_cidrs=_blocks(raw, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock"),
        available_addresses=int(raw.get("AvailableIpAddressCount", 0)),
        tagged=is_tagged(raw),
    )


def _table(raw: Mapping[str, Any]) -> RouteTable:
    associations = raw.get("Associations", ())
    return RouteTable(
        id=raw["RouteTableId"],
        name=name_of(raw),
        main=any(association.get("Main") for association in associations),
        subnets=tuple(sorted(item["SubnetId"] for item in associations if item.get("SubnetId"))),
        routes=tuple(
            sorted(map(_route, raw.get("Routes", ())), key=lambda route: route.destination)
        ),
        tagged=is_tagged(raw),
    )


def _route(raw: Mapping[str, Any]) -> Route:
    destinations = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    targets = (
        "GatewayId",
        "NatGatewayId",
        "TransitGatewayId",
        "VpcPeeringConnectionId",
        "EgressOnlyInternetGatewayId",
        "InstanceId",
        "NetworkInterfaceId",
    )
    return Route(
        destination=next((raw[key] for key in destinations if raw.get(key)), ""),
        target=next((raw[key] for key in targets if raw.get(key)), ""),
        state=raw.get("State", "active"),
    )


def _gateway(raw: Mapping[str, Any], *, vpc_id: str) -> InternetGateway:
    states = [
        attachment.get("State", "")
        for attachment in raw.get("Attachments", ())
        if attachment.get("VpcId") == vpc_id
    ]
    return InternetGateway(
        id=raw["InternetGatewayId"],
        name=name_of(raw),
        # EC2's reference says "available"; an emulator may say "attached" (aws: describe reply).
        attachment="available" if "attached" in states else "".join(states[:1]),
        tagged=is_tagged(raw),
    )


def _is_there(raw: Mapping[str, Any]) -> bool:
    """Tell whether an endpoint is there; a deleted one goes on being listed for a while."""
    return str(raw.get("State", "")).lower() not in _GONE


def _endpoint(raw: Mapping[str, Any]) -> VpcEndpoint:
    return VpcEndpoint(
        id=raw["VpcEndpointId"],
        name=name_of(raw),
        service=raw.get("ServiceName", ""),
        type=raw.get("VpcEndpointType", ""),
        state=raw.get("State", "").lower(),
        tagged=is_tagged(raw),
    )


def tags_of(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of an EC2 reply as a dict."""
    return {tag["Key"]: tag["Value"] for tag in raw.get("Tags", ())}


def name_of(raw: Mapping[str, Any]) -> str:
    """Return the Name tag of an EC2 reply, or an empty string."""
    return tags_of(raw).get("Name", "")


def is_tagged(raw: Mapping[str, Any]) -> bool:
    """Tell whether an EC2 reply carries the workshop's tag."""
    return tags_of(raw).get(TAG_KEY) == TAG_VALUE


def _blocks(raw: Mapping[str, Any], associations: str, block: str) -> tuple[str, ...]:
    states = {"CidrBlock": "CidrBlockState", "Ipv6CidrBlock": "Ipv6CidrBlockState"}
    return tuple(
        item[block]
        for item in raw.get(associations, ())
        if item.get(states[block], {}).get("State", "associated") == "associated"
    )


def _sorted(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(items, key=lambda item: (item.name, item.id)))
