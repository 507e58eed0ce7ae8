"""What a target looks like when step 2 is done, made from the syllabus: no AWS is asked."""

from __future__ import annotations

from ipaddress import ip_network

from handson.course import rules, syllabus
from handson.course.state import (
    Cluster,
    Image,
    InternetGateway,
    Platform,
    Repository,
    Route,
    RouteTable,
    Snapshot,
    Subnet,
    Target,
    Vpc,
)

_ACCOUNT = "123456789012"


def goal() -> Snapshot:
    """Return the snapshot of a finished step 2, with every name as the console would give it."""
    return Snapshot(
        target=Target(kind="aws", account=_ACCOUNT, region=syllabus.REGION),
        vpcs=(_vpc(),),
        clusters=(_cluster(),),
        repositories=(_repository(),),
        images=(_image(),),
    )


def _vpc() -> Vpc:
    network = syllabus.NETWORK
    subnets = tuple(_subnet(number) for number in range(network.public_subnets))
    return Vpc(
        id="vpc-0",
        name=network.vpc_name,
        cidr=network.cidr,
        cidrs=(network.cidr,),
        ipv6_cidrs=(),
        tenancy=network.tenancy,
        is_default=False,
        state="available",
        dns_support=True,
        dns_hostnames=True,
        subnets=subnets,
        route_tables=(_route_table(subnets),),
        internet_gateways=(
            InternetGateway(
                id="igw-0", name=f"{network.name}-igw", attachment="available", tagged=True
            ),
        ),
        tagged=True,
    )


def _subnet(number: int) -> Subnet:
    network = syllabus.NETWORK
    block = ip_network(network.cidr)
    zone = syllabus.REGION + "abcdef"[number % network.availability_zones]
    return Subnet(
        id=f"subnet-{number}",
        name=f"{network.name}-subnet-public{number + 1}-{zone}",
        cidr=str(list(block.subnets(prefixlen_diff=4))[number]),
        zone=zone,
        map_public_ip=False,
        tagged=True,
    )


def _route_table(subnets: tuple[Subnet, ...]) -> RouteTable:
    return RouteTable(
        id="rtb-0",
        name=f"{syllabus.NETWORK.name}-rtb-public",
        main=False,
        subnets=tuple(subnet.id for subnet in subnets),
        routes=(
            Route(destination=syllabus.NETWORK.cidr, target="local", state="active"),
            Route(destination="0.0.0.0/0", target="igw-0", state="active"),
        ),
        tagged=True,
    )


def _cluster() -> Cluster:
    name = syllabus.CLUSTER.name
    return Cluster(
        name=name,
        arn=f"arn:aws:ecs:{syllabus.REGION}:{_ACCOUNT}:cluster/{name}",
        status="ACTIVE",
        capacity_providers=rules.CAPACITY_PROVIDERS,
        container_instances=syllabus.CLUSTER.container_instances,
        tagged=True,
    )


def _repository() -> Repository:
    name = syllabus.REPOSITORY.name
    return Repository(
        name=name,
        arn=f"arn:aws:ecr:{syllabus.REGION}:{_ACCOUNT}:repository/{name}",
        uri=f"{_ACCOUNT}.dkr.ecr.{syllabus.REGION}.amazonaws.com/{name}",
        registry_id=_ACCOUNT,
        tag_mutability="MUTABLE",
        tagged=True,
    )


def _image() -> Image:
    system, architecture = syllabus.PLATFORM
    return Image(
        repository=syllabus.REPOSITORY.name,
        digest="sha256:" + "0" * 64,
        tags=(syllabus.REPOSITORY.tag,),
        media_type="application/vnd.oci.image.manifest.v1+json",
        platforms=(Platform(os=system, architecture=architecture),),
        size_bytes=0,
        pushed_at="",
    )
