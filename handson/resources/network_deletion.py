"""Delete the learner's network in AWS's order, and nothing without the workshop's tag.

The code checks the tag itself and does not rely on a filter, because an emulator may ignore the
filter and list other people's resources.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from handson.aws import Aws
from handson.core import messages
from handson.core.errors import AWSError
from handson.core.host import Workers
from handson.course.state import Resource
from handson.resources import plan
from handson.resources.answers import Raw, read_name, read_owner
from handson.resources.vpc_listing import is_in_vpc, list_ec2_resources

_NOUNS = ("VpcEndpoint", "RouteTable", "Subnet", "InternetGateway", "Vpc")
"""EC2's names of what the workshop creates, in the order of deletion (Amazon VPC User Guide,
"Delete your VPC")."""

_CONTENTS = (*_NOUNS[:-1], "NetworkInterface", "NatGateway", "SecurityGroup")
"""What may be in a VPC; the workshop creates none of the last three."""

_BUSY = {"DependencyViolation"}
_ENDPOINT_SECONDS = 300.0


def list_network_resources(aws: Aws, _ids: Collection[str] | None = None) -> list[plan.Listed]:
    """Return the network resources of the region.

    Deleting one keeps it where AWS refuses, or where it contains something that the learner made by
    hand, and names that; it accepts that the resource is already gone.
    """
    kept: set[str] = set()
    # An earlier run may have begun to delete some.
    found = _list_all(aws, _NOUNS, hidden=("deleted",))
    return [plan.Listed(it, partial(_delete, aws, noun, raw, kept)) for it, noun, raw in found]


def _delete(aws: Aws, noun: str, raw: Raw, kept: set[str]) -> str:
    """Delete one resource; return the reason where it was kept, or an empty string."""
    id = _read_id(noun, raw)
    # What was kept is in the way of the rest: waiting would be in vain.
    busy = () if kept else _BUSY
    kept.add(id)
    strangers = _find_strangers(aws, noun, id)
    if strangers:
        return messages.text("resources.network.still-in-use", what=", ".join(strangers))
    try:
        # EC2 deletes no route table with associations, also of a subnet that is kept.
        for association in raw.get("Associations", ()):
            if association.get("SubnetId"):
                joined = association["RouteTableAssociationId"]
                _call(aws, "DisassociateRouteTable", AssociationId=joined)
        for attachment in raw.get("Attachments", ()):  # only gateways have some
            ids = {"InternetGatewayId": id, "VpcId": attachment["VpcId"]}
            _call(aws, "DetachInternetGateway", busy=busy, **ids)
        if noun == "VpcEndpoint":
            _delete_endpoint(aws, raw)
        else:
            _call(aws, f"Delete{noun}", busy=busy, **{f"{noun}Id": id})
    except AWSError as error:
        if error.code not in _BUSY:
            raise
        return messages.text("resources.network.refused-to-delete", reason=error.reason)
    kept.remove(id)
    return ""


def _find_strangers(aws: Aws, noun: str, id: str) -> list[str]:
    """Return the names of the resources without the tag that a subnet or VPC contains."""
    if noun == "Subnet":
        # A network interface belongs to a service or instance and keeps its subnet in use.
        found = _list_all(aws, ["NetworkInterface"])
        return [_describe(item, raw) for item, _, raw in found if raw.get("SubnetId") == id]
    return [
        _describe(item, raw)
        for item, _, raw in (_list_all(aws, _CONTENTS) if noun == "Vpc" else ())
        if is_in_vpc(raw, id)
        and not aws.owners.may_delete(item, item.id)
        and not _comes_with_vpc(raw)
    ]


def _describe(item: Resource, raw: Raw) -> str:
    """Return a resource for people; a network interface with the owner that uses it."""
    owner = raw.get("Attachment", {}).get("InstanceId") or raw.get("Description")
    return f"{item} ← {owner}" if "NetworkInterfaceId" in raw and owner else str(item)


def _comes_with_vpc(raw: Raw) -> bool:
    """Tell whether AWS deletes a resource with its VPC: the main route table, default group."""
    main = any(item.get("Main") for item in raw.get("Associations", ()))
    return main or raw.get("GroupName") == "default"


def _list_all(
    aws: Aws, nouns: Sequence[str], **hidden: Collection[str]
) -> list[tuple[Resource, str, Raw]]:
    """Return the resources of these kinds, each with its kind and as EC2 describes it."""
    with Workers(len(nouns)) as pool:
        found = list(pool.map(lambda noun: list_ec2_resources(aws, noun, **hidden), nouns))
    listed = [
        (_resource(aws, noun, raw), noun, raw)
        for noun, items in zip(nouns, found, strict=True)
        for raw in items
    ]
    return sorted(listed, key=lambda it: (nouns.index(it[1]), read_name(it[2]), it[0].id))


def _resource(aws: Aws, noun: str, raw: Raw) -> Resource:
    id, name = _read_id(noun, raw), read_name(raw) or str(raw.get("GroupName", ""))
    type = f"AWS::EC2::{noun.replace('Vpc', 'VPC')}"
    return Resource(type=type, id=id, name=name, region=aws.region, **read_owner(raw))


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


def _delete_endpoint(aws: Aws, raw: Raw) -> None:
    """Delete an endpoint, unless an earlier run began to, and wait until it is gone."""
    endpoint_id, reply = raw["VpcEndpointId"], dict[str, Any]()
    if str(raw.get("State", "")).lower() != "deleting":
        reply |= _call(aws, "DeleteVpcEndpoints", VpcEndpointIds=[endpoint_id])
    # EC2 reports the failure of a single endpoint in a successful reply.
    for failure in reply.get("Unsuccessful", ()):
        error = failure.get("Error", {})
        code, reason = str(error.get("Code", "")), str(error.get("Message", ""))
        if not code.endswith("NotFound"):
            values = {"call": "ec2:DeleteVpcEndpoints", "reason": reason or code}
            raise AWSError(*messages.advice("aws.refused", **values), reason=reason)

    def read_state() -> str:
        found = list_ec2_resources(aws, "VpcEndpoint", hidden=("deleted",))
        return "".join(it.get("State", "?") for it in found if it["VpcEndpointId"] == endpoint_id)

    what = messages.text("resources.network.endpoint-gone", id=endpoint_id)
    plan.wait_for(aws, read_state, done=operator.not_, what=what, timeout=_ENDPOINT_SECONDS)
