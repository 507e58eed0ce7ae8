"""Delete the network, in the order AWS asks for, and nothing without the workshop's tag.

The tag is looked for here, too, and not only by the filter of a listing call: an endpoint in AWS's
place may not know the filter, and would hand over what others have made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from handson.aws import Aws
from handson.core import messages
from handson.core.errors import AWSError
from handson.core.progress import Say, silent
from handson.core.waiting import wait_until
from handson.course.exercise import TAG_KEY, TAG_VALUE, Exercise
from handson.course.state import Removal, Resource
from handson.resources.network.look import is_tagged, name_of

_TAGGED = [{"Name": f"tag:{TAG_KEY}", "Values": [TAG_VALUE]}]
_BUSY = {"DependencyViolation"}
_ENDPOINT_SECONDS = 300.0

ENDPOINT, SUBNET, TABLE = "AWS::EC2::VPCEndpoint", "AWS::EC2::Subnet", "AWS::EC2::RouteTable"
GATEWAY, VPC = "AWS::EC2::InternetGateway", "AWS::EC2::VPC"

_KINDS = (
    (ENDPOINT, "DescribeVpcEndpoints", "VpcEndpoints", "VpcEndpointId"),
    (SUBNET, "DescribeSubnets", "Subnets", "SubnetId"),
    (TABLE, "DescribeRouteTables", "RouteTables", "RouteTableId"),
    (GATEWAY, "DescribeInternetGateways", "InternetGateways", "InternetGatewayId"),
    (VPC, "DescribeVpcs", "Vpcs", "VpcId"),
)
"""In the order of deletion (Amazon VPC User Guide, "Delete your VPC")."""

_INTERFACES = (
    "AWS::EC2::NetworkInterface",
    "DescribeNetworkInterfaces",
    "NetworkInterfaces",
    "NetworkInterfaceId",
)
_GUESTS = (
    _INTERFACES,
    ("AWS::EC2::NatGateway", "DescribeNatGateways", "NatGateways", "NatGatewayId"),
    ("AWS::EC2::SecurityGroup", "DescribeSecurityGroups", "SecurityGroups", "GroupId"),
)
"""What others put into a VPC, beside the kinds above."""


def find_tagged(aws: Aws) -> list[Resource]:
    """Return what of the network carries the workshop's tag, in the order of deletion."""
    return [
        Resource(type=kind, id=raw[key], name=name_of(raw), region=aws.region)
        for kind, operation, listing, key in _KINDS
        for raw in sorted(
            _tagged(aws, operation, listing), key=lambda raw: (name_of(raw), raw[key])
        )
    ]


def find_beside(aws: Aws, exercise: Exercise) -> list[Resource]:
    """Return the VPCs of the exercise's name that do not carry the tag: made by hand."""
    kind, operation, listing, key = _KINDS[-1]
    return [
        Resource(type=kind, id=raw[key], name=name_of(raw), region=aws.region)
        for raw in aws.pages("ec2", operation, listing)
        if name_of(raw) == exercise.network.vpc_name and not is_tagged(raw)
    ]


def delete_network(aws: Aws, *, say: Say = silent) -> list[Removal]:
    """Delete what of the network carries the workshop's tag; content when it is gone already.

    Returns:
        One removal for each resource, with the reason where it was kept: something that the
        learner made by hand stands in it.

    Raises:
        HandsonError: A call was not allowed or did not answer; run again to go on.
    """
    _disassociate(aws)
    _wait_for_endpoints(aws)
    removals: list[Removal] = []
    for resource in find_tagged(aws):
        say(f"{resource.type} {resource.name or resource.id}")
        removals.append(_removed(aws, resource))
    return removals


def _removed(aws: Aws, resource: Resource) -> Removal:
    strangers = _strangers(aws, resource)
    if strangers:
        reason = messages.text("resources.network.still-in-use", what=", ".join(strangers))
        return Removal(resource=resource, reason=reason)
    try:
        _DELETE[resource.type](aws, resource.id)
    except AWSError as error:
        if error.code not in _BUSY:
            raise
        reason = messages.text("resources.network.refused-to-delete", reason=error.reason)
        return Removal(resource=resource, reason=reason)
    return Removal(resource=resource)


def _strangers(aws: Aws, resource: Resource) -> list[str]:
    """Return the names of what stands in a subnet or VPC without the workshop's tag."""
    if resource.type == SUBNET:
        kind, operation, listing, key = _INTERFACES
        interfaces = aws.pages("ec2", operation, listing)
        return [_named(raw, kind, key) for raw in interfaces if raw.get("SubnetId") == resource.id]
    if resource.type != VPC:
        return []
    return [
        _named(raw, kind, key)
        for kind, operation, listing, key in (*_KINDS[:-1], *_GUESTS)
        for raw in _not_deleted(aws.pages("ec2", operation, listing))
        if _stands_in(raw, resource.id) and not is_tagged(raw) and not _comes_with_vpc(raw)
    ]


def _named(raw: Mapping[str, Any], kind: str, key: str) -> str:
    """Return a stranger for people; of a network interface, what it belongs to as well."""
    name = name_of(raw) or str(raw.get("GroupName", ""))
    stranger = str(Resource(type=kind, id=raw[key], name=name))
    owner = raw.get("Attachment", {}).get("InstanceId") or raw.get("Description")
    return f"{stranger} ← {owner}" if kind == _INTERFACES[0] and owner else stranger


def _stands_in(raw: Mapping[str, Any], vpc_id: str) -> bool:
    attached = (item.get("VpcId") for item in raw.get("Attachments", ()))
    return vpc_id == raw.get("VpcId") or vpc_id in attached


def _comes_with_vpc(raw: Mapping[str, Any]) -> bool:
    """Tell what AWS makes with a VPC and deletes with it: main route table, default group."""
    main = any(item.get("Main") for item in raw.get("Associations", ()))
    return main or raw.get("GroupName") == "default"


def _tagged(aws: Aws, operation: str, listing: str) -> list[dict[str, Any]]:
    found = aws.pages("ec2", operation, listing, Filters=_TAGGED)
    return [raw for raw in _not_deleted(found) if is_tagged(raw)]


def _not_deleted(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (raw for raw in found if _state(raw) not in ("deleted", "deleting"))


def _state(raw: Mapping[str, Any]) -> str:
    """Return the state in lower case: AWS writes both "deleted" and "Deleted"."""
    return str(raw.get("State", "")).lower()


def _disassociate(aws: Aws) -> None:
    for table in _tagged(aws, "DescribeRouteTables", "RouteTables"):
        for association in table.get("Associations", ()):
            if association.get("SubnetId"):
                _content(
                    aws,
                    "DisassociateRouteTable",
                    AssociationId=association["RouteTableAssociationId"],
                )


def _content(aws: Aws, operation: str, **parameters: Any) -> Mapping[str, Any]:
    """Make a deleting call; a resource that is gone already is what was wanted."""
    try:
        return aws.call_until_known("ec2", operation, parameters, unknown=_BUSY)
    except AWSError as error:
        if error.code and error.code.endswith((".NotFound", "NotAttached")):
            return {}
        raise


def _delete_endpoint(aws: Aws, endpoint_id: str) -> None:
    reply = _content(aws, "DeleteVpcEndpoints", VpcEndpointIds=[endpoint_id])
    for failure in reply.get("Unsuccessful", ()):
        error = failure.get("Error", {})
        code, reason = str(error.get("Code", "")), str(error.get("Message", ""))
        if not code.endswith("NotFound"):
            sentences = messages.advice(
                "aws.refused", call="ec2:DeleteVpcEndpoints", reason=reason or code
            )
            raise AWSError(*sentences, code=code or None, reason=reason)
    _wait_gone(aws, endpoint_id)


def _wait_for_endpoints(aws: Aws) -> None:
    """Wait for endpoints whose deletion was begun, and not seen to its end, an earlier time."""
    for raw in aws.pages("ec2", "DescribeVpcEndpoints", "VpcEndpoints"):
        if is_tagged(raw) and _state(raw) == "deleting":
            _wait_gone(aws, raw["VpcEndpointId"])


def _wait_gone(aws: Aws, endpoint_id: str) -> None:
    def state() -> str:
        found = aws.pages("ec2", "DescribeVpcEndpoints", "VpcEndpoints")
        return next((_state(raw) for raw in found if raw["VpcEndpointId"] == endpoint_id), "")

    wait_until(
        state,
        done=lambda state: state in ("", "deleted"),
        what=messages.text("resources.network.endpoint-gone", id=endpoint_id),
        timeout=_ENDPOINT_SECONDS,
        interval=0.5,
        factor=1.5,
        clock=aws.patience.clock,
        sleep=aws.patience.sleep,
    )


def _delete_gateway(aws: Aws, gateway_id: str) -> None:
    for gateway in _tagged(aws, "DescribeInternetGateways", "InternetGateways"):
        for attachment in gateway.get("Attachments", ()):
            if gateway["InternetGatewayId"] == gateway_id:
                _content(
                    aws,
                    "DetachInternetGateway",
                    InternetGatewayId=gateway_id,
                    VpcId=attachment["VpcId"],
                )
    _content(aws, "DeleteInternetGateway", InternetGatewayId=gateway_id)


_DELETE: Mapping[str, Callable[[Aws, str], object]] = {
    ENDPOINT: _delete_endpoint,
    SUBNET: lambda aws, subnet_id: _content(aws, "DeleteSubnet", SubnetId=subnet_id),
    TABLE: lambda aws, table_id: _content(aws, "DeleteRouteTable", RouteTableId=table_id),
    GATEWAY: _delete_gateway,
    VPC: lambda aws, vpc_id: _content(aws, "DeleteVpc", VpcId=vpc_id),
}
