"""States to judge: a finished workshop, and helpers that change one thing in it.

    states.finished()                                       everything as the notebooks leave it
    states.with_vpc(snapshot, cidr="10.1.0.0/16")            the workshop's VPC, changed
    states.with_subnet(snapshot, 2, zone="us-east-1a")       its second subnet, changed
    states.with_table(snapshot, routes=(states.LOCAL,))      its public route table, changed
    states.with_cluster / with_repository / with_image / with_uri / with_run
    states.seen_in("cluster")                               seen in another region

Every helper returns a new snapshot.  The builders (`vpc`, `cluster`, …) take the same changes.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from handson.course import state as models
from handson.course.state import Foreign, Platform, Route, Sighting, Snapshot, Subnet, Vpc

T = TypeVar("T")

ACCOUNT = "112233445566"
REGION = "us-east-1"
ELSEWHERE = "ap-northeast-1"
GATEWAY = "igw-0a1b2c3d4e5f60001"
DIGEST = "sha256:" + "ab" * 32
OTHER_DIGEST = "sha256:" + "cd" * 32
REPOSITORY_URI = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/rails-app"
AMD64 = Platform(os="linux", architecture="amd64")
ARM64 = Platform(os="linux", architecture="arm64")
LOCAL = Route(destination="10.0.0.0/16", target="local", state="active")
TO_GATEWAY = Route(destination="0.0.0.0/0", target=GATEWAY, state="active")


def subnet(number: int, *, kind: str = "public", **changes: Any) -> Subnet:
    """Build the subnet of that number, from 1, as the console makes it."""
    zone = f"{REGION}{'abcdef'[number - 1]}"
    place = number - 1 if kind == "public" else number + 7
    right = Subnet(
        id=f"subnet-0a1b2c3d4e5f6{0 if kind == 'public' else 1}00{number}",
        name=f"ecs-handson-subnet-{kind}{number}-{zone}", cidr=f"10.0.{16 * place}.0/20", zone=zone,
        map_public_ip=False, available_addresses=4091, tagged=True,
    )  # fmt: skip
    return replace(right, **changes)


private_subnet = partial(subnet, kind="private")

target = partial(
    models.Target, kind="emulator", account=ACCOUNT, region=REGION, endpoint="http://127.0.0.1:4566"
)
main_table = partial(
    models.RouteTable, id="rtb-0a1b2c3d4e5f60000", name="", main=True, subnets=(), routes=(LOCAL,)
)
public_table = partial(
    models.RouteTable, id="rtb-0a1b2c3d4e5f60001", name="ecs-handson-rtb-public", main=False,
    subnets=(subnet(1).id, subnet(2).id), routes=(LOCAL, TO_GATEWAY), tagged=True,
)  # fmt: skip
gateway = partial(
    models.InternetGateway, id=GATEWAY, name="ecs-handson-igw", attachment="available", tagged=True
)
endpoint = partial(
    models.VpcEndpoint, id="vpce-0a1b2c3d4e5f60001", name="ecs-handson-vpce-s3",
    service=f"com.amazonaws.{REGION}.s3", type="Gateway", state="available", tagged=True,
)  # fmt: skip
vpc = partial(
    Vpc, id="vpc-0a1b2c3d4e5f60001", name="ecs-handson-vpc", cidr="10.0.0.0/16",
    cidrs=("10.0.0.0/16",), ipv6_cidrs=(), tenancy="default", is_default=False, state="available",
    dns_support=True, dns_hostnames=True, subnets=(subnet(1), subnet(2)),
    route_tables=(main_table(), public_table()), internet_gateways=(gateway(),),
    endpoints=(endpoint(),), tagged=True,
)  # fmt: skip
_DEFAULT_ROUTES = (
    Route(destination="172.31.0.0/16", target="local", state="active"),
    Route(destination="0.0.0.0/0", target="igw-0defa017", state="active"),
)
default_vpc = partial(
    vpc, id="vpc-0defa017", name="", cidr="172.31.0.0/16", cidrs=("172.31.0.0/16",),
    is_default=True, subnets=(subnet(1, id="subnet-0defa017", name="", cidr="172.31.0.0/20"),),
    route_tables=(main_table(id="rtb-0defa017", routes=_DEFAULT_ROUTES),),
    internet_gateways=(gateway(id="igw-0defa017", name=""),), endpoints=(), tagged=False,
)  # fmt: skip
cluster = partial(
    models.Cluster, name="ecs-handson-cluster",
    arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/ecs-handson-cluster", status="ACTIVE",
    capacity_providers=("FARGATE", "FARGATE_SPOT"), container_instances=0, tagged=True,
)  # fmt: skip
repository = partial(
    models.Repository, name="rails-app", arn=f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/rails-app",
    uri=REPOSITORY_URI, registry_id=ACCOUNT, tag_mutability="MUTABLE", tagged=True,
)  # fmt: skip
image = partial(
    models.Image, repository="rails-app", digest=DIGEST, tags=("0123456789ab", "latest"),
    media_type="application/vnd.oci.image.manifest.v1+json", platforms=(AMD64,),
    size_bytes=180_000_000, pushed_at="2026-01-15T09:30:00+00:00", built_by="docker",
)  # fmt: skip
recorded = partial(
    models.RecordedUri, uri=f"{REPOSITORY_URI}:latest", digest=DIGEST,
    recorded_at="2026-01-15T09:31:00+00:00",
)  # fmt: skip
ran = partial(
    models.RecordedRun, repository="rails-app", digest=DIGEST, ran_at="2026-01-15T09:30:30+00:00",
    engine="docker", status=200,
)  # fmt: skip
finished = partial(
    Snapshot, target=target(), vpcs=(default_vpc(), vpc()), clusters=(cluster(),),
    repositories=(repository(),), images=(image(),), recorded_uri=recorded(), recorded_run=ran(),
)  # fmt: skip
empty = partial(Snapshot, target=target(), vpcs=(default_vpc(),))
"""Before the first notebook there is only the Region's default VPC."""


def seen_in(*checks: str, region: str = ELSEWHERE) -> tuple[Sighting, ...]:
    """Build what was seen in another region of what these checks miss."""
    return tuple(Sighting(check=check, region=region, id=f"the {check}'s") for check in checks)


def made_by(check: str, *owners: str) -> tuple[Foreign, ...]:
    """Build what other learners have of what a check looks for."""
    return tuple(Foreign(check=check, name=f"the {check}'s", owner=owner) for owner in owners)


def with_vpc(snapshot: Snapshot, **changes: Any) -> Snapshot:
    vpcs = tuple(v if v.is_default else replace(v, **changes) for v in snapshot.vpcs)
    return replace(snapshot, vpcs=vpcs)


def with_subnet(snapshot: Snapshot, number: int, **changes: Any) -> Snapshot:
    subnets = _changed(own_vpc(snapshot).subnets, number - 1, **changes)
    return with_vpc(snapshot, subnets=subnets)


def with_table(snapshot: Snapshot, **changes: Any) -> Snapshot:
    tables = _changed(own_vpc(snapshot).route_tables, -1, **changes)
    return with_vpc(snapshot, route_tables=tables)


def with_gateway(snapshot: Snapshot, **changes: Any) -> Snapshot:
    gateways = _changed(own_vpc(snapshot).internet_gateways, 0, **changes)
    return with_vpc(snapshot, internet_gateways=gateways)


def with_cluster(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return replace(snapshot, clusters=_changed(snapshot.clusters, 0, **changes))


def with_repository(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return replace(snapshot, repositories=_changed(snapshot.repositories, 0, **changes))


def with_image(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return replace(snapshot, images=_changed(snapshot.images, 0, **changes))


def with_uri(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return replace(snapshot, recorded_uri=recorded(**changes))


def with_run(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return replace(snapshot, recorded_run=ran(**changes))


def pattern(sentence: str) -> re.Pattern[str]:
    """Return a message as a pattern; what it is filled in with may be anything."""
    return re.compile(re.sub(r"\\{\w+(:.*?)?\\}", "(?s:.*)", re.escape(sentence)))


def own_vpc(snapshot: Snapshot) -> Vpc:
    """Return the first VPC that is not the default one."""
    return next(vpc for vpc in snapshot.vpcs if not vpc.is_default)


def _changed(items: tuple[T, ...], index: int, **changes: Any) -> tuple[T, ...]:
    changed = list(items)
    changed[index] = replace(items[index], **changes)  # type: ignore[type-var]
    return tuple(changed)
