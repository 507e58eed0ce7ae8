"""The form "VPC and more", filled in and checked, and the plan of calls behind its button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.course import rules, syllabus
from handson.resources.plan import Ref, Step, tag_specification

ANYWHERE = "0.0.0.0/0"

_NEW_VPC = ("InvalidVpcID.NotFound",)
_NEW_GATEWAY = ("InvalidInternetGatewayID.NotFound", *_NEW_VPC)
_NEW_TABLE = ("InvalidRouteTableID.NotFound",)
_NEW_ROUTE = ("InvalidGatewayID.NotFound", "InvalidInternetGatewayID.NotFound", *_NEW_TABLE)
_NEW_SUBNET = ("InvalidSubnetID.NotFound", *_NEW_TABLE)


@dataclass(frozen=True)
class Form:
    """The settings of "VPC and more" that the workshop knows; the others stay at their default."""

    name: str = syllabus.NETWORK.name
    cidr: str = syllabus.NETWORK.cidr
    availability_zones: int = syllabus.NETWORK.availability_zones
    public_subnets: int = syllabus.NETWORK.public_subnets
    private_subnets: int = syllabus.NETWORK.private_subnets
    tenancy: str = syllabus.NETWORK.tenancy
    s3_endpoint: bool = True

    def check(self) -> None:
        """Refuse what AWS or its console would refuse, before any call.

        Raises:
            InvalidInput: With AWS's error code, why, and a remedy.
        """
        rules.name_tag(self.name)
        # The number of zones alone; which ones the region has is seen later.
        rules.zones(self.availability_zones, list("abc"[: rules.MOST_ZONES]), region="")
        rules.subnet_counts(self.availability_zones, self.public_subnets, self.private_subnets)
        self.blocks()
        rules.switch(self.s3_endpoint, parameter="s3_endpoint")
        if self.tenancy != syllabus.NETWORK.tenancy:
            raise InvalidInput(
                *messages.advice("resources.network.tenancy", value=self.tenancy),
                code="InvalidParameterValue",
            )

    def blocks(self) -> rules.SubnetPlan:
        """Return the CIDR blocks of the subnets."""
        return rules.subnet_cidrs(
            rules.vpc_cidr(self.cidr), public=self.public_subnets, private=self.private_subnets
        )

    def cidrs(self) -> set[str]:
        """Return the CIDR blocks of the subnets as AWS writes them."""
        blocks = self.blocks()
        return {str(block) for block in (*blocks.public, *blocks.private)}

    def subnets(self, zones: Sequence[str]) -> list[PlannedSubnet]:
        """Return the subnets, public ones first, spread over the zones in turn."""
        blocks = self.blocks()
        kinds = (("public", blocks.public), ("private", blocks.private))
        return [
            PlannedSubnet(kind, number, str(block), zones[(number - 1) % len(zones)])
            for kind, cidrs in kinds
            for number, block in enumerate(cidrs, start=1)
        ]

    def tags(self, suffix: str) -> dict[str, str]:
        """Return the tags of the resource whose name ends in `suffix`."""
        return {
            "Name": f"{self.name}-{suffix}",
            syllabus.TAG_KEY: syllabus.TAG_VALUE,
        }


@dataclass(frozen=True)
class PlannedSubnet:
    """A subnet to be; `number` counts from 1 within its kind ("public" or "private")."""

    kind: str
    number: int
    cidr: str
    zone: str

    @property
    def step(self) -> str:
        """The name of the step that makes it."""
        return f"{self.kind}-subnet-{self.number}"

    @property
    def suffix(self) -> str:
        """The end of the console's name for it."""
        return f"subnet-{self.kind}{self.number}-{self.zone}"

    @property
    def table(self) -> str:
        """The step of its route table: one for all public subnets, one for each private one."""
        return "public-table" if self.kind == "public" else f"private-table-{self.number}"

    @property
    def table_suffix(self) -> str:
        """The end of the console's name for its route table."""
        return "rtb-public" if self.kind == "public" else f"rtb-private{self.number}-{self.zone}"

    @property
    def association(self) -> str:
        """The name of the step that associates it with its route table."""
        return f"{self.step}-association"


def make_plan(form: Form, *, zones: Sequence[str], region: str) -> list[Step]:
    """Return the calls that make the network, in the console's order."""
    subnets = form.subnets(zones)
    endpoint = [_endpoint(form, subnets, region=region)] if form.s3_endpoint else []
    tables = {subnet.table: subnet.table_suffix for subnet in subnets}
    return [
        *_vpc(form),
        *(_subnet(form, subnet) for subnet in subnets),
        *(_gateway(form) if form.public_subnets else ()),
        *(_table(form, name, suffix) for name, suffix in tables.items()),
        *(_default_route() if form.public_subnets else ()),
        *(_association(subnet) for subnet in subnets),
        *endpoint,
    ]


def _vpc(form: Form) -> list[Step]:
    create = {
        "CidrBlock": form.cidr,
        "InstanceTenancy": form.tenancy,
        "TagSpecifications": tag_specification("vpc", form.tags("vpc")),
    }
    hostnames = {"VpcId": Ref("vpc"), "EnableDnsHostnames": {"Value": True}}
    return [
        Step("vpc", "ec2", "CreateVpc", create, "Vpc.VpcId"),
        Step("dns-hostnames", "ec2", "ModifyVpcAttribute", hostnames, unknown=_NEW_VPC),
    ]


def dns_support() -> Step:
    """Return the step that turns DNS resolution back on; a new VPC has it on."""
    support = {"VpcId": Ref("vpc"), "EnableDnsSupport": {"Value": True}}
    return Step("dns-support", "ec2", "ModifyVpcAttribute", support, unknown=_NEW_VPC)


def replace_route() -> Step:
    """Return the step that leads an existing default route to the internet gateway again."""
    return Step("default-route", "ec2", "ReplaceRoute", _route(), after=("attachment",))


def add_endpoint_tables(tables: Sequence[str]) -> Step:
    """Return the step that leads the route tables of these steps to the S3 endpoint, too."""
    parameters = {
        "VpcEndpointId": Ref("s3-endpoint"),
        "AddRouteTableIds": [Ref(table) for table in tables],
    }
    return Step("s3-endpoint-tables", "ec2", "ModifyVpcEndpoint", parameters, unknown=_NEW_TABLE)


def _subnet(form: Form, subnet: PlannedSubnet) -> Step:
    parameters = {
        "VpcId": Ref("vpc"),
        "CidrBlock": subnet.cidr,
        "AvailabilityZone": subnet.zone,
        "TagSpecifications": tag_specification("subnet", form.tags(subnet.suffix)),
    }
    return Step(subnet.step, "ec2", "CreateSubnet", parameters, "Subnet.SubnetId", unknown=_NEW_VPC)


def _gateway(form: Form) -> list[Step]:
    create = {"TagSpecifications": tag_specification("internet-gateway", form.tags("igw"))}
    attach = {"InternetGatewayId": Ref("gateway"), "VpcId": Ref("vpc")}
    made = "InternetGateway.InternetGatewayId"
    return [
        Step("gateway", "ec2", "CreateInternetGateway", create, made),
        Step("attachment", "ec2", "AttachInternetGateway", attach, unknown=_NEW_GATEWAY),
    ]


def _table(form: Form, name: str, suffix: str) -> Step:
    parameters = {
        "VpcId": Ref("vpc"),
        "TagSpecifications": tag_specification("route-table", form.tags(suffix)),
    }
    made = "RouteTable.RouteTableId"
    return Step(name, "ec2", "CreateRouteTable", parameters, made, unknown=_NEW_VPC)


def _route() -> dict[str, object]:
    return {
        "RouteTableId": Ref("public-table"),
        "DestinationCidrBlock": ANYWHERE,
        "GatewayId": Ref("gateway"),
    }


def _default_route() -> list[Step]:
    # A route to a gateway that is not attached yet is refused, hence `after`.
    return [
        Step(
            "default-route",
            "ec2",
            "CreateRoute",
            _route(),
            after=("attachment",),
            unknown=_NEW_ROUTE,
        )
    ]


def _association(subnet: PlannedSubnet) -> Step:
    parameters = {"RouteTableId": Ref(subnet.table), "SubnetId": Ref(subnet.step)}
    return Step(subnet.association, "ec2", "AssociateRouteTable", parameters, unknown=_NEW_SUBNET)


def _endpoint(form: Form, subnets: Sequence[PlannedSubnet], *, region: str) -> Step:
    tables = [Ref(subnet.table) for subnet in subnets if subnet.kind == "private"]
    parameters: dict[str, object] = {
        "VpcId": Ref("vpc"),
        "ServiceName": f"com.amazonaws.{region}.s3",
        "VpcEndpointType": "Gateway",
        "TagSpecifications": tag_specification("vpc-endpoint", form.tags("vpce-s3")),
    }
    if tables:
        parameters["RouteTableIds"] = tables
    made = "VpcEndpoint.VpcEndpointId"
    new = (*_NEW_VPC, *_NEW_TABLE)
    return Step("s3-endpoint", "ec2", "CreateVpcEndpoint", parameters, made, unknown=new)
