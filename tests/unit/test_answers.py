"""What AWS leaves out of its descriptions reads as what it stands for."""

from __future__ import annotations

from handson.course.state import Cluster, InternetGateway, Repository, RouteTable, Subnet, Vpc
from handson.resources.answers import read_answer


def test_what_a_description_leaves_out_reads_as_nothing_of_it() -> None:
    table = read_answer(RouteTable, {"RouteTableId": "rtb-1"})
    assert (table.main, table.subnets, table.routes, table.name) == (False, (), (), "")
    gateway = read_answer(InternetGateway, {"InternetGatewayId": "igw-1"})
    assert (gateway.attachment, gateway.tagged) == ("", False)
    vpc = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}
    more = {"dns_support": True, "dns_hostnames": False, "subnets": (), "route_tables": ()}
    read = read_answer(Vpc, vpc, **more, internet_gateways=())
    assert (read.cidrs, read.ipv6_cidrs, read.tenancy) == (("10.0.0.0/16",), (), "default")
    subnet = {"SubnetId": "subnet-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a"}
    assert read_answer(Subnet, subnet).map_public_ip is False
    cluster = {"clusterName": "c", "clusterArn": "arn:c", "status": "ACTIVE"}
    assert read_answer(Cluster, cluster).capacity_providers == ()
    repository = {
        "repositoryName": "r", "repositoryArn": "arn:r", "repositoryUri": "u", "registryId": "1",
    }  # fmt: skip
    assert read_answer(Repository, repository).tag_mutability == "MUTABLE"
