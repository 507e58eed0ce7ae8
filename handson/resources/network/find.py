"""Find VPCs and their contents in EC2."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from handson.aws import Aws
from handson.course.exercise import TAG_KEY, TAG_VALUE, Exercise, NetworkForm
from handson.course.state import InternetGateway, Route, RouteTable, Subnet, Vpc, VpcEndpoint

Raw = Mapping[str, Any]
"""A resource as EC2's API describes it."""

_LISTINGS = {
    "vpcs": ("DescribeVpcs", "Vpcs"),
    "subnets": ("DescribeSubnets", "Subnets"),
    "tables": ("DescribeRouteTables", "RouteTables"),
    "gateways": ("DescribeInternetGateways", "InternetGateways"),
    "endpoints": ("DescribeVpcEndpoints", "VpcEndpoints"),
    "zones": ("DescribeAvailabilityZones", "AvailabilityZones"),
}
_CONTENTS = ("subnets", "tables", "gateways", "endpoints")
_ATTRIBUTES = {"enableDnsSupport": "EnableDnsSupport", "enableDnsHostnames": "EnableDnsHostnames"}
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "EgressOnlyInternetGatewayId",
    "InstanceId",
    "NetworkInterfaceId",
)


@dataclass(frozen=True)
class NetworkListing:
    """The network resources of one region.

    Attributes:
        vpcs: The VPCs that were asked for, with their contents.
        vpc_count: The number of all VPCs in the region.
        loose_gateways: Internet gateways that are attached to no VPC.
        zones: The Availability Zones in use, sorted.
        endpoint_tables: The route tables of each VPC endpoint, by its id.
    """

    vpcs: tuple[Vpc, ...]
    vpc_count: int
    loose_gateways: tuple[InternetGateway, ...]
    zones: tuple[str, ...]
    endpoint_tables: Mapping[str, frozenset[str]]


def find_vpcs(aws: Aws, *, form: NetworkForm | None = None) -> tuple[Vpc, ...]:
    """Return the VPCs of the region with their contents, sorted by name and id.

    Args:
        aws: The connection.
        form: Describe only the VPCs that this form may have made.  Each VPC takes two requests.

    Raises:
        HandsonError: AWS refused a call or did not answer.
    """
    vpcs = _list(aws, "vpcs")
    if form is not None:
        vpcs = _select_candidates(vpcs, form)
    if not vpcs:
        return ()
    with ThreadPoolExecutor(12) as pool:
        attributes = _submit_attributes(aws, [raw["VpcId"] for raw in vpcs], pool)
        contents = {kind: pool.submit(_list, aws, kind) for kind in _CONTENTS}
        return _describe_vpcs(vpcs, _results(contents), _results(attributes))


def observe_vpcs(
    aws: Aws, exercise: Exercise, checks: Collection[str] | None
) -> dict[str, tuple[Any, ...]]:
    """Return the VPCs that the checks read, as a field of a snapshot; without checks, all."""
    return {"vpcs": find_vpcs(aws, form=None if checks is None else exercise.network)}


def find_vpc_ids(aws: Aws, name: str) -> list[str]:
    """Return the ids of the VPCs with that name, in one call.

    Raises:
        HandsonError: AWS refused the call or did not answer.
    """
    named = [{"Name": "tag:Name", "Values": [name]}]
    found = aws.list_items("ec2", "DescribeVpcs", "Vpcs", Filters=named)
    # An emulator may ignore the filter.
    return sorted(raw["VpcId"] for raw in found if read_name(raw) == name)


def find_zones(aws: Aws) -> tuple[str, ...]:
    """Return the Availability Zones of the region that are in use, sorted.

    Raises:
        HandsonError: AWS refused the call or did not answer.
    """
    return _zone_names(_list(aws, "zones"))


def list_network(aws: Aws, *, vpc_id: str | None = None, name: str | None = None) -> NetworkListing:
    """Return the VPCs, zones and loose gateways of the region; independent calls run in parallel.

    Args:
        aws: The connection.
        vpc_id: Describe only this VPC; saves one round trip.
        name: Describe only the VPCs with this name; saves one round trip where there is none.
    """
    aws.client("ec2")
    with ThreadPoolExecutor(12) as pool:
        attributes = _submit_attributes(aws, [vpc_id] if vpc_id else [], pool)
        found = _results({kind: pool.submit(_list, aws, kind) for kind in _LISTINGS})
        vpcs = [
            raw
            for raw in found["vpcs"]
            if vpc_id in (None, raw["VpcId"]) and name in (None, read_name(raw))
        ]
        attributes = attributes or _submit_attributes(aws, [raw["VpcId"] for raw in vpcs], pool)
        described = _describe_vpcs(vpcs, found, _results(attributes))
    loose = [_gateway(raw, vpc_id="") for raw in found["gateways"] if not raw.get("Attachments")]
    tables = {
        raw["VpcEndpointId"]: frozenset(raw.get("RouteTableIds", ()))
        for raw in found["endpoints"]
        if not is_deleted(raw)
    }
    return NetworkListing(
        described, len(found["vpcs"]), _sort(loose), _zone_names(found["zones"]), tables
    )


def read_name(raw: Raw) -> str:
    """Return the Name tag of a resource, or an empty string."""
    return _read_tags(raw).get("Name", "")


def is_tagged(raw: Raw) -> bool:
    """Tell whether a resource carries the workshop's tag."""
    return _read_tags(raw).get(TAG_KEY) == TAG_VALUE


def is_deleted(raw: Raw) -> bool:
    """Tell whether a resource is deleted or being deleted; EC2 lists it for a while longer.

    AWS writes the state both as "deleted" and as "Deleted".
    """
    return str(raw.get("State", "")).lower() in ("deleted", "deleting")


def _list(aws: Aws, kind: str) -> list[dict[str, Any]]:
    return aws.list_items("ec2", *_LISTINGS[kind])


def _results(futures: Mapping[Any, Future[Any]]) -> dict[Any, Any]:
    return {key: future.result() for key, future in futures.items()}


def _select_candidates(vpcs: Sequence[Any], form: NetworkForm) -> list[Any]:
    """Return the VPCs that a form may have made, in the order in which the check chooses.

    Those of its name; else those with the workshop's tag; else those with its CIDR block.  The
    default VPC counts only where it has the form's name and there is no other.
    """
    own = [raw for raw in vpcs if not raw.get("IsDefault")]
    return (
        [raw for raw in own if read_name(raw) == form.vpc_name]
        or [raw for raw in own if is_tagged(raw)]
        or [raw for raw in own if raw["CidrBlock"] == form.cidr]
        or [raw for raw in vpcs if read_name(raw) == form.vpc_name]
    )


def _submit_attributes(
    aws: Aws, vpc_ids: Sequence[str], pool: ThreadPoolExecutor
) -> dict[tuple[str, str], Future[bool]]:
    return {
        (vpc_id, attribute): pool.submit(_read_attribute, aws, vpc_id, attribute)
        for vpc_id in vpc_ids
        for attribute in _ATTRIBUTES
    }


def _read_attribute(aws: Aws, vpc_id: str, attribute: str) -> bool:
    parameters = {"VpcId": vpc_id, "Attribute": attribute}
    new = ("InvalidVpcID.NotFound",)
    reply = aws.call_until_known("ec2", "DescribeVpcAttribute", parameters, unknown=new)
    return bool(reply[_ATTRIBUTES[attribute]]["Value"])


def _zone_names(zones: Iterable[Raw]) -> tuple[str, ...]:
    names = (
        zone["ZoneName"]
        for zone in zones
        if zone.get("State", "available") == "available"
        and zone.get("ZoneType", "availability-zone") == "availability-zone"
    )
    return tuple(sorted(names))


def _describe_vpcs(
    vpcs: Iterable[Raw],
    contents: Mapping[str, Sequence[Raw]],
    attributes: Mapping[tuple[str, str], bool],
) -> tuple[Vpc, ...]:
    return _sort(_vpc(raw, contents, attributes) for raw in vpcs)


def _vpc(
    raw: Raw, contents: Mapping[str, Sequence[Raw]], attributes: Mapping[tuple[str, str], bool]
) -> Vpc:
    vpc_id = raw["VpcId"]

    def inside(kind: str) -> list[Raw]:
        return [item for item in contents[kind] if item.get("VpcId") == vpc_id]

    gateways = [
        _gateway(item, vpc_id=vpc_id)
        for item in contents["gateways"]
        if any(attachment.get("VpcId") == vpc_id for attachment in item.get("Attachments", ()))
    ]
    return Vpc(
        id=vpc_id,
        name=read_name(raw),
        cidr=raw["CidrBlock"],
        cidrs=_blocks(raw, "CidrBlock") or (raw["CidrBlock"],),
        ipv6_cidrs=_blocks(raw, "Ipv6CidrBlock"),
        tenancy=raw.get("InstanceTenancy", "default"),
        is_default=bool(raw.get("IsDefault", False)),
        state=raw.get("State", "available"),
        dns_support=attributes[vpc_id, "enableDnsSupport"],
        dns_hostnames=attributes[vpc_id, "enableDnsHostnames"],
        subnets=_sort(map(_subnet, inside("subnets"))),
        route_tables=_sort(map(_table, inside("tables"))),
        internet_gateways=_sort(gateways),
        endpoints=_sort(_endpoint(item) for item in inside("endpoints") if not is_deleted(item)),
        tagged=is_tagged(raw),
    )


def _subnet(raw: Raw) -> Subnet:
    return Subnet(
        id=raw["SubnetId"],
        name=read_name(raw),
        cidr=raw["CidrBlock"],
        zone=raw["AvailabilityZone"],
        map_public_ip=bool(raw.get("MapPublicIpOnLaunch", False)),
        ipv6_cidrs=_blocks(raw, "Ipv6CidrBlock"),
        available_addresses=int(raw.get("AvailableIpAddressCount", 0)),
        tagged=is_tagged(raw),
    )


def _table(raw: Raw) -> RouteTable:
    associations = raw.get("Associations", ())
    routes = map(_route, raw.get("Routes", ()))
    return RouteTable(
        id=raw["RouteTableId"],
        name=read_name(raw),
        main=any(association.get("Main") for association in associations),
        subnets=tuple(sorted(item["SubnetId"] for item in associations if item.get("SubnetId"))),
        routes=tuple(sorted(routes, key=lambda route: route.destination)),
        tagged=is_tagged(raw),
    )


def _route(raw: Raw) -> Route:
    return Route(
        destination=next((raw[key] for key in _DESTINATIONS if raw.get(key)), ""),
        target=next((raw[key] for key in _TARGETS if raw.get(key)), ""),
        state=raw.get("State", "active"),
    )


def _gateway(raw: Raw, *, vpc_id: str) -> InternetGateway:
    states = [
        attachment.get("State", "")
        for attachment in raw.get("Attachments", ())
        if attachment.get("VpcId") == vpc_id
    ]
    return InternetGateway(
        id=raw["InternetGatewayId"],
        name=read_name(raw),
        # EC2's reference says "available"; an emulator may say "attached".
        attachment="available" if "attached" in states else "".join(states[:1]),
        tagged=is_tagged(raw),
    )


def _endpoint(raw: Raw) -> VpcEndpoint:
    return VpcEndpoint(
        id=raw["VpcEndpointId"],
        name=read_name(raw),
        service=raw.get("ServiceName", ""),
        type=raw.get("VpcEndpointType", ""),
        state=raw.get("State", "").lower(),
        tagged=is_tagged(raw),
    )


def _read_tags(raw: Raw) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in raw.get("Tags", ())}


def _blocks(raw: Raw, kind: str) -> tuple[str, ...]:
    """Return the associated blocks of a VPC or subnet; `kind` is CidrBlock or Ipv6CidrBlock."""
    return tuple(
        item[kind]
        for item in raw.get(f"{kind}AssociationSet", ())
        if item.get(f"{kind}State", {}).get("State", "associated") == "associated"
    )


def _sort(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(items, key=lambda item: (item.name, item.id)))
