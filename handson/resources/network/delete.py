"""Delete the network in AWS's order, and nothing without the workshop's tag.

The code checks the tag itself and does not rely on a filter, because an emulator may ignore the
filter and list other people's resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from handson.aws import Aws
from handson.core import messages
from handson.core.errors import AWSError
from handson.core.progress import Say, ignore_progress
from handson.core.waiting import wait_until
from handson.course import kinds
from handson.course.exercise import TAG_KEY, TAG_VALUE, Exercise
from handson.course.state import Removal, Resource
from handson.resources.network.find import Raw, is_deleted, is_tagged, read_name

_BUSY = {"DependencyViolation"}
_ENDPOINT_SECONDS = 300.0


class _Type(NamedTuple):
    """How EC2 lists and deletes one type of resource; without `delete`, only others create it."""

    name: str
    list: str
    key: str
    id: str
    delete: str = ""


_ENDPOINT = _Type(
    kinds.ENDPOINT.type,
    "DescribeVpcEndpoints",
    "VpcEndpoints",
    "VpcEndpointId",
    "DeleteVpcEndpoints",
)
_SUBNET = _Type(kinds.SUBNET.type, "DescribeSubnets", "Subnets", "SubnetId", "DeleteSubnet")
_TABLE = _Type(
    kinds.ROUTE_TABLE.type, "DescribeRouteTables", "RouteTables", "RouteTableId", "DeleteRouteTable"
)
_GATEWAY = _Type(
    kinds.GATEWAY.type,
    "DescribeInternetGateways",
    "InternetGateways",
    "InternetGatewayId",
    "DeleteInternetGateway",
)
_VPC = _Type(kinds.VPC.type, "DescribeVpcs", "Vpcs", "VpcId", "DeleteVpc")
_TYPES = (_ENDPOINT, _SUBNET, _TABLE, _GATEWAY, _VPC)
"""In the order of deletion (Amazon VPC User Guide, "Delete your VPC")."""

_INTERFACE = _Type(
    "AWS::EC2::NetworkInterface",
    "DescribeNetworkInterfaces",
    "NetworkInterfaces",
    "NetworkInterfaceId",
)
_OTHER_CONTENTS = (
    _INTERFACE,
    _Type("AWS::EC2::NatGateway", "DescribeNatGateways", "NatGateways", "NatGatewayId"),
    _Type("AWS::EC2::SecurityGroup", "DescribeSecurityGroups", "SecurityGroups", "GroupId"),
)
"""What others may create in a VPC, besides the types above."""


def find_tagged_network(aws: Aws) -> list[Resource]:
    """Return the network resources with the workshop's tag, in the order of deletion."""
    return [_resource(aws, kind, raw) for kind in _TYPES for raw in _list_tagged(aws, kind)]


def find_untagged_vpcs(aws: Aws, exercise: Exercise) -> list[Resource]:
    """Return the VPCs with the exercise's name but without the tag: made by hand."""
    return [
        _resource(aws, _VPC, raw)
        for raw in _list(aws, _VPC)
        if read_name(raw) == exercise.network.vpc_name and not is_tagged(raw)
    ]


def delete_network(aws: Aws, *, say: Say = ignore_progress) -> list[Removal]:
    """Delete the network resources with the workshop's tag; accept that some are already gone.

    Returns:
        One removal a resource; with the reason where it was kept, because it contains something
        that the learner made by hand.

    Raises:
        HandsonError: A call was not allowed or did not answer; run again to go on.
    """
    _disassociate_tables(aws)
    _wait_for_endpoints(aws)
    removals = []
    for kind in _TYPES:
        for raw in _list_tagged(aws, kind):
            resource = _resource(aws, kind, raw)
            say(f"{resource.type} {resource.name or resource.id}")
            removals.append(Removal(resource=resource, reason=_delete(aws, kind, raw)))
    return removals


def _delete(aws: Aws, kind: _Type, raw: Raw) -> str:
    """Delete one resource; return the reason where it was kept, or an empty string."""
    strangers = _find_strangers(aws, kind, raw[kind.id])
    if strangers:
        return messages.text("resources.network.still-in-use", what=", ".join(strangers))
    try:
        if kind is _GATEWAY:
            _detach_gateway(aws, raw)
        if kind is _ENDPOINT:
            _delete_endpoint(aws, raw[kind.id])
        else:
            _call(aws, kind.delete, **{kind.id: raw[kind.id]})
    except AWSError as error:
        if error.code not in _BUSY:
            raise
        return messages.text("resources.network.refused-to-delete", reason=error.reason)
    return ""


def _find_strangers(aws: Aws, kind: _Type, id: str) -> list[str]:
    """Return the names of the resources without the tag that a subnet or VPC contains."""
    if kind is _SUBNET:
        found = aws.list_items("ec2", _INTERFACE.list, _INTERFACE.key)
        return [_describe(_INTERFACE, raw) for raw in found if raw.get("SubnetId") == id]
    if kind is not _VPC:
        return []
    return [
        _describe(other, raw)
        for other in (*_TYPES[:-1], *_OTHER_CONTENTS)
        for raw in _list(aws, other)
        if _is_in_vpc(raw, id) and not is_tagged(raw) and not _comes_with_vpc(raw)
    ]


def _describe(kind: _Type, raw: Raw) -> str:
    """Return a resource for people; a network interface with the owner that uses it."""
    name = read_name(raw) or str(raw.get("GroupName", ""))
    described = str(Resource(type=kind.name, id=raw[kind.id], name=name))
    owner = raw.get("Attachment", {}).get("InstanceId") or raw.get("Description")
    return f"{described} ← {owner}" if kind is _INTERFACE and owner else described


def _is_in_vpc(raw: Raw, vpc_id: str) -> bool:
    attached = (item.get("VpcId") for item in raw.get("Attachments", ()))
    return vpc_id == raw.get("VpcId") or vpc_id in attached


def _comes_with_vpc(raw: Raw) -> bool:
    """Tell whether AWS deletes a resource with its VPC: the main route table, default group."""
    main = any(item.get("Main") for item in raw.get("Associations", ()))
    return main or raw.get("GroupName") == "default"


def _list(aws: Aws, kind: _Type, **filters: Any) -> list[dict[str, Any]]:
    found = aws.list_items("ec2", kind.list, kind.key, **filters)
    return [raw for raw in found if not is_deleted(raw)]


def _list_tagged(aws: Aws, kind: _Type) -> list[dict[str, Any]]:
    found = _list(aws, kind, Filters=[{"Name": f"tag:{TAG_KEY}", "Values": [TAG_VALUE]}])
    return sorted(filter(is_tagged, found), key=lambda raw: (read_name(raw), raw[kind.id]))


def _resource(aws: Aws, kind: _Type, raw: Raw) -> Resource:
    return Resource(type=kind.name, id=raw[kind.id], name=read_name(raw), region=aws.region)


def _call(aws: Aws, operation: str, **parameters: Any) -> Mapping[str, Any]:
    """Make a deleting call; accept that the resource is already gone."""
    try:
        return aws.call_until_known("ec2", operation, parameters, unknown=_BUSY)
    except AWSError as error:
        if error.code and error.code.endswith((".NotFound", "NotAttached")):
            return {}
        raise


def _disassociate_tables(aws: Aws) -> None:
    for table in _list_tagged(aws, _TABLE):
        for association in table.get("Associations", ()):
            if association.get("SubnetId"):
                id = association["RouteTableAssociationId"]
                _call(aws, "DisassociateRouteTable", AssociationId=id)


def _detach_gateway(aws: Aws, gateway: Raw) -> None:
    for attachment in gateway.get("Attachments", ()):
        ids = {"InternetGatewayId": gateway["InternetGatewayId"], "VpcId": attachment["VpcId"]}
        _call(aws, "DetachInternetGateway", **ids)


def _delete_endpoint(aws: Aws, endpoint_id: str) -> None:
    reply = _call(aws, _ENDPOINT.delete, VpcEndpointIds=[endpoint_id])
    # EC2 reports the failure of a single endpoint in a successful reply.
    for failure in reply.get("Unsuccessful", ()):
        error = failure.get("Error", {})
        code, reason = str(error.get("Code", "")), str(error.get("Message", ""))
        if not code.endswith("NotFound"):
            call = f"ec2:{_ENDPOINT.delete}"
            sentences = messages.advice("aws.refused", call=call, reason=reason or code)
            raise AWSError(*sentences, code=code or None, reason=reason)
    _wait_until_deleted(aws, endpoint_id)


def _wait_for_endpoints(aws: Aws) -> None:
    """Wait for endpoints whose deletion an earlier run began."""
    for raw in aws.list_items("ec2", _ENDPOINT.list, _ENDPOINT.key):
        if is_tagged(raw) and str(raw.get("State", "")).lower() == "deleting":
            _wait_until_deleted(aws, raw[_ENDPOINT.id])


def _wait_until_deleted(aws: Aws, endpoint_id: str) -> None:
    def read_state() -> str:
        found = aws.list_items("ec2", _ENDPOINT.list, _ENDPOINT.key)
        states = (raw.get("State", "") for raw in found if raw[_ENDPOINT.id] == endpoint_id)
        return str(next(states, "")).lower()

    wait_until(
        read_state,
        done=lambda state: state in ("", "deleted"),
        what=messages.text("resources.network.endpoint-gone", id=endpoint_id),
        timeout=_ENDPOINT_SECONDS,
        interval=0.5,
        factor=1.5,
        clock=aws.patience.clock,
        sleep=aws.patience.sleep,
    )
