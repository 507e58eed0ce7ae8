"""Delete the learner's network in AWS's order, and nothing without the workshop's tag.

The code checks the tag itself and does not rely on a filter, because an emulator may ignore the
filter and list other people's resources.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from handson.aws import Aws
from handson.core import messages
from handson.core.errors import AWSError
from handson.core.progress import Say, ignore_progress
from handson.course.state import Removal, Resource
from handson.resources import plan
from handson.resources.vpc_listing import Raw, is_in_vpc, list_ec2_resources, read_name, read_owner

_NOUNS = ("VpcEndpoint", "Subnet", "RouteTable", "InternetGateway", "Vpc")
"""EC2's names of what the workshop creates, in the order of deletion (Amazon VPC User Guide,
"Delete your VPC")."""

_OTHERS = ("NetworkInterface", "NatGateway", "SecurityGroup")
"""Other types of resources that may be in a VPC; the workshop creates none of them."""

_BUSY = {"DependencyViolation"}
_ENDPOINT_SECONDS = 300.0


def list_network_resources(aws: Aws) -> list[tuple[Resource, bool]]:
    """Return the network resources, each with whether it carries the workshop's tag."""
    found = (_resource(aws, noun, raw) for noun in _NOUNS for raw in _list(aws, noun))
    return [(resource, resource.tagged) for resource in found]


def delete_network(aws: Aws, say: Say = ignore_progress) -> list[Removal]:
    """Delete the network resources with the workshop's tag; accept that some are already gone.

    Returns:
        One removal a resource; with the reason where it was kept: AWS refused, or it contains
        something that the learner made by hand.

    Raises:
        HandsonError: The resources could not be listed; run again to go on.
    """
    blocked = _disassociate_tables(aws)
    _wait_for_endpoints(aws)
    removals: list[Removal] = []
    for noun in _NOUNS:
        for raw in _list_own(aws, noun):
            resource = _resource(aws, noun, raw)
            say(f"{resource.type} {resource.name or resource.id}")
            # What was kept is in the way of the rest: waiting would be in vain.
            kept = any(blocked.values()) or any(removal.reason for removal in removals)
            delete = partial(_delete, aws, noun, raw, busy=() if kept else _BUSY)
            reason = blocked.get(resource.id) or plan.try_to_delete(aws, delete)
            removals.append(Removal(resource=resource, reason=reason))
    return removals


def _delete(aws: Aws, noun: str, raw: Raw, *, busy: Collection[str]) -> str:
    """Delete one resource; return the reason where it was kept, or an empty string."""
    strangers = _find_strangers(aws, noun, _read_id(noun, raw))
    if strangers:
        return messages.text("resources.network.still-in-use", what=", ".join(strangers))
    try:
        for attachment in raw.get("Attachments", ()):  # only gateways have some
            ids = {"InternetGatewayId": raw["InternetGatewayId"], "VpcId": attachment["VpcId"]}
            _call(aws, "DetachInternetGateway", busy=busy, **ids)
        if noun == "VpcEndpoint":
            _delete_endpoint(aws, raw["VpcEndpointId"])
        else:
            _call(aws, f"Delete{noun}", busy=busy, **{f"{noun}Id": raw[f"{noun}Id"]})
    except AWSError as error:
        if error.code not in _BUSY:
            raise
        return messages.text("resources.network.refused-to-delete", reason=error.reason)
    return ""


def _find_strangers(aws: Aws, noun: str, id: str) -> list[str]:
    """Return the names of the resources without the tag that a subnet or VPC contains."""
    if noun == "Subnet":
        # A network interface belongs to a service or instance and keeps its subnet in use.
        found = list_ec2_resources(aws, "NetworkInterface")
        inside = [raw for raw in found if raw.get("SubnetId") == id]
        return [_describe(aws, "NetworkInterface", raw) for raw in inside]
    if noun != "Vpc":
        return []
    return [
        _describe(aws, other, raw)
        for other in (*_NOUNS[:-1], *_OTHERS)
        for raw in list_ec2_resources(aws, other)
        if is_in_vpc(raw, id) and not _may_delete(aws, other, raw) and not _comes_with_vpc(raw)
    ]


def _describe(aws: Aws, noun: str, raw: Raw) -> str:
    """Return a resource for people; a network interface with the owner that uses it."""
    described = str(_resource(aws, noun, raw))
    owner = raw.get("Attachment", {}).get("InstanceId") or raw.get("Description")
    return f"{described} ← {owner}" if noun == "NetworkInterface" and owner else described


def _comes_with_vpc(raw: Raw) -> bool:
    """Tell whether AWS deletes a resource with its VPC: the main route table, default group."""
    main = any(item.get("Main") for item in raw.get("Associations", ()))
    return main or raw.get("GroupName") == "default"


def _list(aws: Aws, noun: str) -> list[dict[str, Any]]:
    found = list_ec2_resources(aws, noun)
    return sorted(found, key=lambda raw: (read_name(raw), _read_id(noun, raw)))


def _list_own(aws: Aws, noun: str) -> list[dict[str, Any]]:
    return [raw for raw in _list(aws, noun) if _may_delete(aws, noun, raw)]


def _may_delete(aws: Aws, noun: str, raw: Raw) -> bool:
    item = _resource(aws, noun, raw)
    return aws.owners.may_delete(item, item.id)


def _resource(aws: Aws, noun: str, raw: Raw) -> Resource:
    return Resource(
        type=f"AWS::EC2::{noun.replace('Vpc', 'VPC')}",
        id=_read_id(noun, raw),
        name=read_name(raw) or str(raw.get("GroupName", "")),
        region=aws.region,
        **read_owner(raw),
    )


def _read_id(noun: str, raw: Raw) -> str:
    return str(raw["GroupId" if noun == "SecurityGroup" else f"{noun}Id"])


def _call(
    aws: Aws, operation: str, *, busy: Collection[str] = (), **parameters: Any
) -> Mapping[str, Any]:
    """Make a deleting call; accept that the resource is already gone."""
    try:
        return aws.call_until_known("ec2", operation, parameters, unknown=(), busy=busy)
    except AWSError as error:
        if error.code and error.code.endswith((".NotFound", "NotAttached")):
            return {}
        raise


def _disassociate_tables(aws: Aws) -> dict[str, str]:
    """Empty the route tables; return the reasons why tables cannot be deleted, by their ids."""

    # EC2 deletes no route table with associations, also of a subnet that is kept.
    def empty(table: Raw) -> str:
        for association in table.get("Associations", ()):
            if association.get("SubnetId"):
                id = association["RouteTableAssociationId"]
                _call(aws, "DisassociateRouteTable", AssociationId=id)
        return ""

    tables = _list_own(aws, "RouteTable")
    return {it["RouteTableId"]: plan.try_to_delete(aws, partial(empty, it)) for it in tables}


def _delete_endpoint(aws: Aws, endpoint_id: str) -> None:
    reply = _call(aws, "DeleteVpcEndpoints", VpcEndpointIds=[endpoint_id])
    # EC2 reports the failure of a single endpoint in a successful reply.
    for failure in reply.get("Unsuccessful", ()):
        error = failure.get("Error", {})
        code, reason = str(error.get("Code", "")), str(error.get("Message", ""))
        if not code.endswith("NotFound"):
            values = {"call": "ec2:DeleteVpcEndpoints", "reason": reason or code}
            sentences = messages.advice("aws.refused", **values)
            raise AWSError(*sentences, code=code or None, reason=reason)
    _wait_until_deleted(aws, endpoint_id)


def _wait_for_endpoints(aws: Aws) -> None:
    """Wait for endpoints whose deletion an earlier run began."""
    for raw in aws.list_items("ec2", "DescribeVpcEndpoints", "VpcEndpoints"):
        if _may_delete(aws, "VpcEndpoint", raw) and str(raw.get("State", "")).lower() == "deleting":
            _wait_until_deleted(aws, raw["VpcEndpointId"])


def _wait_until_deleted(aws: Aws, endpoint_id: str) -> None:
    def read_state() -> str:
        found = aws.list_items("ec2", "DescribeVpcEndpoints", "VpcEndpoints")
        states = (raw.get("State", "") for raw in found if raw["VpcEndpointId"] == endpoint_id)
        return str(next(states, "")).lower()

    plan.wait_for(
        aws,
        read_state,
        done=lambda state: state in ("", "deleted"),
        what=messages.text("resources.network.endpoint-gone", id=endpoint_id),
        timeout=_ENDPOINT_SECONDS,
    )
