"""The plan of calls behind the form "VPC and more"."""

from __future__ import annotations

from collections.abc import Sequence

from handson.course.exercise import NetworkForm
from handson.course.network_form import ANYWHERE, PlannedSubnet, plan_subnets
from handson.resources.plan import Ref, Step, tag_specification

_NEW_VPC = ("InvalidVpcID.NotFound",)
_NEW_GATEWAY = ("InvalidInternetGatewayID.NotFound", *_NEW_VPC)
_NEW_TABLE = ("InvalidRouteTableID.NotFound",)
_NEW_ROUTE = ("InvalidGatewayID.NotFound", "InvalidInternetGatewayID.NotFound", *_NEW_TABLE)
_NEW_SUBNET = ("InvalidSubnetID.NotFound", *_NEW_TABLE)


def plan_network(form: NetworkForm, *, zones: Sequence[str], region: str) -> list[Step]:
    """Return the calls that create the network of a form, in the console's order."""
    subnets = plan_subnets(form, zones)
    endpoint = [_endpoint(form, subnets, region=region)] if form.s3_endpoint else []
    tables = {subnet.table: subnet.table_name for subnet in subnets}
    return [
        *_vpc(form),
        *(_subnet(subnet) for subnet in subnets),
        *(_gateway(form) if form.public_subnets else ()),
        *(_table(step, name) for step, name in tables.items()),
        *([_default_route()] if form.public_subnets else ()),
        *(_association(subnet) for subnet in subnets),
        *endpoint,
    ]


def _vpc(form: NetworkForm) -> list[Step]:
    create = {
        "CidrBlock": form.cidr,
        "InstanceTenancy": form.tenancy,
        "TagSpecifications": tag_specification("vpc", form.vpc_name),
    }
    hostnames = {"VpcId": Ref("vpc"), "EnableDnsHostnames": {"Value": True}}
    return [
        Step("vpc", "ec2", "CreateVpc", create, "Vpc.VpcId"),
        Step("dns-hostnames", "ec2", "ModifyVpcAttribute", hostnames, unknown=_NEW_VPC),
    ]


def enable_dns_support() -> Step:
    """Return the step that turns DNS resolution on again; a new VPC has it on."""
    support = {"VpcId": Ref("vpc"), "EnableDnsSupport": {"Value": True}}
    return Step("dns-support", "ec2", "ModifyVpcAttribute", support, unknown=_NEW_VPC)


def replace_route() -> Step:
    """Return the step that points an existing default route at the internet gateway."""
    return Step("default-route", "ec2", "ReplaceRoute", _route(), after=("attachment",))


def add_endpoint_tables(tables: Sequence[str]) -> Step:
    """Return the step that adds the route tables of these steps to the S3 endpoint."""
    parameters = {
        "VpcEndpointId": Ref("s3-endpoint"),
        "AddRouteTableIds": [Ref(table) for table in tables],
    }
    return Step("s3-endpoint-tables", "ec2", "ModifyVpcEndpoint", parameters, unknown=_NEW_TABLE)


def _subnet(subnet: PlannedSubnet) -> Step:
    parameters = {
        "VpcId": Ref("vpc"),
        "CidrBlock": subnet.cidr,
        "AvailabilityZone": subnet.zone,
        "TagSpecifications": tag_specification("subnet", subnet.name),
    }
    return Step(subnet.step, "ec2", "CreateSubnet", parameters, "Subnet.SubnetId", unknown=_NEW_VPC)


def _gateway(form: NetworkForm) -> list[Step]:
    create = {"TagSpecifications": tag_specification("internet-gateway", form.name_of("gateway"))}
    attach = {"InternetGatewayId": Ref("gateway"), "VpcId": Ref("vpc")}
    made = "InternetGateway.InternetGatewayId"
    return [
        Step("gateway", "ec2", "CreateInternetGateway", create, made),
        Step("attachment", "ec2", "AttachInternetGateway", attach, unknown=_NEW_GATEWAY),
    ]


def _table(step: str, name: str) -> Step:
    parameters = {"VpcId": Ref("vpc"), "TagSpecifications": tag_specification("route-table", name)}
    made = "RouteTable.RouteTableId"
    return Step(step, "ec2", "CreateRouteTable", parameters, made, unknown=_NEW_VPC)


def _route() -> dict[str, object]:
    return {
        "RouteTableId": Ref("public-table"),
        "DestinationCidrBlock": ANYWHERE,
        "GatewayId": Ref("gateway"),
    }


def _default_route() -> Step:
    # EC2 refuses a route to a gateway that is not attached yet, hence `after`.
    after = ("attachment",)
    return Step("default-route", "ec2", "CreateRoute", _route(), after=after, unknown=_NEW_ROUTE)


def _association(subnet: PlannedSubnet) -> Step:
    parameters = {"RouteTableId": Ref(subnet.table), "SubnetId": Ref(subnet.step)}
    return Step(subnet.association, "ec2", "AssociateRouteTable", parameters, unknown=_NEW_SUBNET)


def _endpoint(form: NetworkForm, subnets: Sequence[PlannedSubnet], *, region: str) -> Step:
    tables = [Ref(subnet.table) for subnet in subnets if subnet.kind == "private"]
    parameters: dict[str, object] = {
        "VpcId": Ref("vpc"),
        "ServiceName": f"com.amazonaws.{region}.s3",
        "VpcEndpointType": "Gateway",
        "TagSpecifications": tag_specification("vpc-endpoint", form.name_of("endpoint")),
    }
    if tables:
        parameters["RouteTableIds"] = tables
    made = "VpcEndpoint.VpcEndpointId"
    new = (*_NEW_VPC, *_NEW_TABLE)
    return Step("s3-endpoint", "ec2", "CreateVpcEndpoint", parameters, made, unknown=new)
