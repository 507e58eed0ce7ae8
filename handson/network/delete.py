"""Delete the network, in the order AWS asks for, and nothing without the workshop's tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handson import messages, syllabus
from handson.aws import Aws
from handson.errors import AWSError
from handson.network.look import name_of
from handson.progress import Say, silent
from handson.state import Removal, Resource
from handson.waiting import wait_until

_TAGGED = [{"Name": f"tag:{syllabus.TAG_KEY}", "Values": [syllabus.TAG_VALUE]}]
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


def find_tagged(aws: Aws) -> list[Resource]:
    """Return what of the network carries the workshop's tag, in the order of deletion."""
    return [
        Resource(type=kind, id=raw[key], name=name_of(raw))
        for kind, operation, listing, key in _KINDS
        for raw in sorted(
            _tagged(aws, operation, listing), key=lambda raw: (name_of(raw), raw[key])
        )
    ]


def delete_network(aws: Aws, *, say: Say = silent) -> list[Removal]:
    """Delete what of the network carries the workshop's tag; content when it is gone already.

    Returns:
        One removal for each resource, with the reason where AWS kept it (something that the
        learner made by hand stands in it).

    Raises:
        HandsonError: A call was not allowed or did not answer; run again to go on.
    """
    _disassociate(aws)
    removals: list[Removal] = []
    for resource in find_tagged(aws):
        say(f"{resource.type} {resource.name or resource.id}")
        removals.append(_removed(aws, resource))
    return removals


def _removed(aws: Aws, resource: Resource) -> Removal:
    try:
        _DELETE[resource.type](aws, resource.id)
    except AWSError as error:
        if error.code not in _BUSY:
            raise
        reason = messages.text("network.still-in-use")
        return Removal(resource=resource, reason=reason)
    return Removal(resource=resource)


def _tagged(aws: Aws, operation: str, listing: str) -> list[dict[str, Any]]:
    found = aws.pages("ec2", operation, listing, Filters=_TAGGED)
    return [
        raw for raw in found if str(raw.get("State", "")).lower() not in ("deleted", "deleting")
    ]


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
        if not str(error.get("Code", "")).endswith("NotFound"):
            sentences = messages.advice(
                "aws.refused", call="ec2:DeleteVpcEndpoints", reason=error.get("Message", "")
            )
            raise AWSError(*sentences, code=error.get("Code"))
    wait_until(
        lambda: _endpoint_state(aws, endpoint_id),
        done=lambda state: state in ("", "deleted"),
        what=messages.text("network.endpoint-gone", id=endpoint_id),
        timeout=_ENDPOINT_SECONDS,
        interval=0.5,
        factor=1.5,
        clock=aws.patience.clock,
        sleep=aws.patience.sleep,
    )


def _endpoint_state(aws: Aws, endpoint_id: str) -> str:
    """Return the state in lower case: AWS writes both "deleted" and "Deleted"."""
    found = aws.pages(
        "ec2",
        "DescribeVpcEndpoints",
        "VpcEndpoints",
        Filters=[{"Name": "vpc-endpoint-id", "Values": [endpoint_id]}],
    )
    return str(found[0].get("State", "")).lower() if found else ""


def _delete_gateway(aws: Aws, gateway_id: str) -> None:
    for gateway in aws.pages(
        "ec2",
        "DescribeInternetGateways",
        "InternetGateways",
        Filters=[{"Name": "internet-gateway-id", "Values": [gateway_id]}],
    ):
        for attachment in gateway.get("Attachments", ()):
            _content(
                aws,
                "DetachInternetGateway",
                InternetGatewayId=gateway_id,
                VpcId=attachment["VpcId"],
            )
    _content(aws, "DeleteInternetGateway", InternetGatewayId=gateway_id)


def _delete_vpc(aws: Aws, vpc_id: str) -> None:
    _content(aws, "DeleteVpc", VpcId=vpc_id)


_DELETE = {
    ENDPOINT: _delete_endpoint,
    SUBNET: lambda aws, subnet_id: _content(aws, "DeleteSubnet", SubnetId=subnet_id),
    TABLE: lambda aws, table_id: _content(aws, "DeleteRouteTable", RouteTableId=table_id),
    GATEWAY: _delete_gateway,
    VPC: _delete_vpc,
}
