"""Breakages of the VPC, its subnets and its way out."""

from __future__ import annotations

from handson.course.checks import vpcs
from handson.practice.troubleshooting.ours import Change, Ours
from handson.resources import plan
from handson.resources.plan import Ref, Step


def route_missing(ours: Ours) -> Change:
    """Take the default route out of the public route table."""
    parameters = {"RouteTableId": ours.table.id, "DestinationCidrBlock": vpcs.ANYWHERE}
    return Change([Step("route", "ec2", "DeleteRoute", parameters)])


def gateway_detached(ours: Ours) -> Change:
    """Detach the internet gateway; the route to it stays."""
    return Change([_detach(ours)])


def gateway_exchanged(ours: Ours) -> Change:
    """Put another internet gateway in the place of the one that the route leads to."""
    gateway = ours.gateway
    create = {"TagSpecifications": plan.tag_specification("internet-gateway", gateway.name)}
    made = "InternetGateway.InternetGatewayId"
    attach = {"InternetGatewayId": Ref("new"), "VpcId": ours.vpc.id}
    delete = {"InternetGatewayId": gateway.id}
    return Change(
        [
            _detach(ours),
            Step("old", "ec2", "DeleteInternetGateway", delete, after=("detached",)),
            Step("new", "ec2", "CreateInternetGateway", create, made),
            Step("attached", "ec2", "AttachInternetGateway", attach, after=("old",)),
        ]
    )


def table_left(ours: Ours) -> Change:
    """Take one of the subnets away from the public route table."""
    return Change([_leave(ours)])


def dns_off(ours: Ours) -> Change:
    """Turn DNS resolution off in the VPC."""
    parameters = {"VpcId": ours.vpc.id, "EnableDnsSupport": {"Value": False}}
    return Change([Step("dns", "ec2", "ModifyVpcAttribute", parameters)])


def vpc_renamed(ours: Ours) -> Change:
    """Give the VPC another name."""
    tag = {"Key": "Name", "Value": f"{ours.vpc.name}-old"}
    parameters = {"Resources": [ours.vpc.id], "Tags": [tag]}
    return Change([Step("name", "ec2", "CreateTags", parameters)])


def subnet_deleted(ours: Ours) -> Change:
    """Delete the subnet of the second zone."""
    return Change([_leave(ours), _delete_subnet(ours)])


def one_zone(ours: Ours) -> Change:
    """Make the second subnet again, in the zone of the first."""
    first, *_, second = ours.subnets
    create = {
        "VpcId": ours.vpc.id,
        "CidrBlock": second.cidr,
        "AvailabilityZone": first.zone,
        "TagSpecifications": plan.tag_specification(
            "subnet", second.name.replace(second.zone, first.zone)
        ),
    }
    associate = {"RouteTableId": ours.table.id, "SubnetId": Ref("new")}
    return Change(
        [
            _leave(ours),
            _delete_subnet(ours),
            Step("new", "ec2", "CreateSubnet", create, "Subnet.SubnetId", after=("gone",)),
            Step("joined", "ec2", "AssociateRouteTable", associate),
        ]
    )


def _detach(ours: Ours) -> Step:
    parameters = {"InternetGatewayId": ours.gateway.id, "VpcId": ours.vpc.id}
    return Step("detached", "ec2", "DetachInternetGateway", parameters)


def _leave(ours: Ours) -> Step:
    parameters = {"AssociationId": ours.association(ours.subnets[-1])}
    return Step("left", "ec2", "DisassociateRouteTable", parameters)


def _delete_subnet(ours: Ours) -> Step:
    parameters = {"SubnetId": ours.subnets[-1].id}
    return Step("gone", "ec2", "DeleteSubnet", parameters, after=("left",))
