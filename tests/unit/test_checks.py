"""The checks: right states pass, and one wrong thing turns exactly its facts false."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from handson.core import messages
from handson.course import checks, syllabus
from handson.course.checks import CheckResult, FactResult, network_facts
from handson.course.checks.results import describe_value, write_aws_call
from handson.course.state import Route, Snapshot
from tests.unit import drawn_by_learners, states
from tests.unit.states import with_image, with_subnet, with_table, with_uri, with_vpc

done = states.finished
DONE = done()
in_vpc, in_table = partial(with_vpc, DONE), partial(with_table, DONE)
in_subnet, in_gateway = partial(with_subnet, DONE), partial(states.with_gateway, DONE)
in_cluster, in_repository = (
    partial(change, DONE) for change in (states.with_cluster, states.with_repository)
)
in_image, in_uri, in_run = (
    partial(change, DONE) for change in (with_image, with_uri, states.with_run)
)
VPC, TABLE = states.vpc(), states.public_table()
REMEDIES = {
    name.removeprefix("checks.remedy."): states.pattern(spoken["ja"])
    for name, spoken in messages.catalogue("course").items()
    if name.startswith("checks.remedy.")
} | {"elsewhere": states.pattern(messages.catalogue("course")["owners.foreign.remedy"]["ja"])}


def explain(results: Iterable[CheckResult]) -> str:
    """Return each cause with the name of its remedy, as in "route-missing/run"."""
    causes = [diagnosis for result in results for diagnosis in result.diagnoses]
    kinds = {
        cause.remedy: "|".join(n for n, kind in REMEDIES.items() if kind.fullmatch(cause.remedy))
        for cause in causes
    }
    return " ".join(f"{cause.code}/{kinds[cause.remedy]}" for cause in causes)


def false_facts(results: Iterable[CheckResult]) -> dict[str, Any]:
    """Return what is observed of each false fact."""
    return {f.id: f.observed for result in results for f in result.facts if not f.passed}


def carried(state: Snapshot) -> tuple[CheckResult, ...]:
    """Return the results of all checks, judged again from their evidence."""
    parts = {check: checks.trim(check, state).to_json() for check in syllabus.CHECK_IDS}
    return tuple(checks.derive(check, observed) for check, observed in parts.items())


def route(target: str, *, state: str = "active") -> tuple[Route, ...]:
    return states.LOCAL, Route(destination="0.0.0.0/0", target=target, state=state)


def with_more_subnets(*subnets: Any, associated: bool = False) -> Snapshot:
    snapshot = in_vpc(subnets=(*VPC.subnets, *subnets))
    more = tuple(subnet.id for subnet in subnets) if associated else ()
    return with_table(snapshot, subnets=(*TABLE.subnets, *more))


def in_another_cidr() -> Snapshot:
    snapshot = in_vpc(cidr="10.1.0.0/16", cidrs=("10.1.0.0/16",))
    snapshot = with_subnet(snapshot, 1, cidr="10.1.0.0/20")
    return with_subnet(snapshot, 2, cidr="10.1.16.0/20")


def names(**changes: str) -> dict[str, Any]:
    """Return the fact `names` as it is observed with some names changed."""
    right = {
        "vpc": "ecs-handson-vpc",
        "subnet1": "ecs-handson-subnet-public1-us-east-1a",
        "subnet2": "ecs-handson-subnet-public2-us-east-1b",
        "table": "ecs-handson-rtb-public",
        "gateway": "ecs-handson-igw",
    }
    return {"names": [*(right | changes).values()]}


def absent(first: str, *others: str) -> dict[str, Any]:
    return {first: False, **dict.fromkeys(others)}


def way(end: str) -> dict[str, Any]:
    return {"routes.default": [f"0.0.0.0/0 → {end}"]}


def uri(*, account: str = states.ACCOUNT, region: str = states.REGION, end: str = "") -> str:
    return f"{account}.dkr.ecr.{region}.amazonaws.com/rails-app{end}"


NO_VPC = absent(
    "vpc.exists", "vpc.cidr", "vpc.ipv6", "vpc.tenancy", "vpc.dns", "subnets.public",
    "subnets.private", "subnets.zones", "subnets.cidr", "gateway.attached", "routes.default",
    "names",
)  # fmt: skip
NO_CLUSTER = absent("cluster.exists", "cluster.active", "cluster.fargate", "cluster.instances")
NO_REPOSITORY = absent("repository.exists", "repository.private", "repository.uri")
NO_IMAGE = absent(
    "image.pushed", "image.tag", "image.platform", "image.unique-tag", "image.runnable"
)
NO_URI = absent("uri.recorded", "uri.region", "uri.resolves")
GONE, NOT_RUN = {"uri.resolves": False}, {"image.runnable": False}
DETACHED = {"gateway.attached": False}
BLOCKS = ["10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"]
PUBLIC_URI = "public.ecr.aws/a1b2c3d4/rails-app"
PUBLIC_ARN = f"arn:aws:ecr-public::{states.ACCOUNT}:repository/rails-app"
PUBLIC = {"repository.private": False, "repository.uri": PUBLIC_URI}
BARE = states.vpc(
    id="vpc-0fff", subnets=(), route_tables=(), internet_gateways=(), endpoints=(), tagged=False
)
NEW_VPC = "type-then-run"
THERE = states.ELSEWHERE

# A state, what is observed of its false facts, and the causes with their remedies.
WRONG: dict[str, tuple[Snapshot, dict[str, Any], str]] = {
    "nothing made yet": (
        states.empty(), NO_VPC | NO_CLUSTER | NO_REPOSITORY | NO_IMAGE | NO_URI,
        "vpc-absent/run cluster-absent/run repository-absent/run image-absent/run "
        "uri-absent/call-or-run"),
    # the VPC
    "the VPC in another region": (
        done(vpcs=(states.default_vpc(),), elsewhere=states.seen_in("network")), NO_VPC,
        "vpc-region/run-here"),
    "the VPC another learner's": (
        done(vpcs=(), foreign=states.made_by("network", "Aiko", "home-0123")), NO_VPC,
        "foreign/beside"),
    "the default VPC used": (done(vpcs=(states.default_vpc(name="ecs-handson-vpc"),)), NO_VPC,
        "vpc-default/run"),
    "another CIDR block": (in_another_cidr(),
        {"vpc.cidr": "10.1.0.0/16", "subnets.cidr": ["10.1.0.0/20", "10.1.16.0/20"]},
        f"vpc-cidr/{NEW_VPC}"),
    "another CIDR block, by hand, and no route": (
        with_table(with_vpc(in_another_cidr(), tagged=False), routes=(states.LOCAL,)),
        {"vpc.cidr": "10.1.0.0/16", "subnets.cidr": ["10.1.0.0/20", "10.1.16.0/20"]} | way("none"),
        "vpc-cidr/delete-then-run route-missing/type"),
    "a second CIDR block": (in_vpc(cidrs=("10.0.0.0/16", "10.1.0.0/16")),
        {"vpc.cidr": ["10.0.0.0/16", "10.1.0.0/16"]}, "vpc-cidr-more/edit-cidrs"),
    "an IPv6 block": (in_vpc(ipv6_cidrs=("2600:1f18::/56",)), {"vpc.ipv6": ["2600:1f18::/56"]},
        "vpc-ipv6/edit-cidrs"),
    "dedicated tenancy": (in_vpc(tenancy="dedicated"), {"vpc.tenancy": "dedicated"},
        f"vpc-tenancy/{NEW_VPC}"),
    "DNS resolution off": (in_vpc(dns_support=False), {"vpc.dns": ["enableDnsHostnames"]},
        "dns-support-off/run"),
    "DNS hostnames off": (in_vpc(dns_hostnames=False), {"vpc.dns": ["enableDnsSupport"]},
        "dns-hostnames-off/run"),
    # its subnets
    "one subnet": (in_vpc(subnets=(states.subnet(2),)),
        {"subnets.public": 1, "subnets.zones": 1, "subnets.cidr": ["10.0.16.0/20"]},
        "subnets-few/run"),
    "no subnets": (in_vpc(subnets=()),
        {"subnets.public": 0, "subnets.zones": 0, "subnets.cidr": [], "routes.default": []},
        "subnets-few/run"),
    "three subnets": (with_more_subnets(states.subnet(3), associated=True),
        {"subnets.public": 3, "subnets.zones": 3, "subnets.cidr": BLOCKS}, "subnet-more/type"),
    "a public and a private subnet too many": (
        with_more_subnets(states.subnet(3), states.private_subnet(1)),
        {"subnets.public": 3, "subnets.private": 1, "subnets.zones": 3, "subnets.cidr": BLOCKS,
         "routes.default": ["0.0.0.0/0 → internet gateway", "0.0.0.0/0 → none"]},
        f"subnets-more/{NEW_VPC} table-not-associated/run"),
    "private subnets, one of them by hand": (
        with_more_subnets(states.private_subnet(1), states.private_subnet(2, tagged=False)),
        {"subnets.private": 2}, "subnet-private/type subnet-private/type"),
    "private subnets in a VPC by hand": (
        with_vpc(with_more_subnets(states.private_subnet(1), states.private_subnet(2)),
                 tagged=False),
        {"subnets.private": 2}, "subnet-private/type subnet-private/type"),
    "a private subnet without a word in its name": (
        with_more_subnets(states.private_subnet(1, name="database")), {"subnets.private": 1},
        "subnet-private/type"),
    "one zone twice": (
        in_subnet(2, zone="us-east-1a", name="ecs-handson-subnet-public2-us-east-1a"),
        {"subnets.zones": 1}, "subnet-zone/type-then-run"),
    "two subnets with blocks of one's own, one of them public by its route alone": (
        with_subnet(in_subnet(1, cidr="10.0.1.0/24"), 2, cidr="10.0.2.0/24", name="database"),
        {"subnets.cidr": ["10.0.1.0/24", "10.0.2.0/24"], **names(subnet2="database")},
        "name-differs/type subnet-cidr/type subnet-cidr/type-then-run"),
    "two subnets of one block": (in_subnet(2, cidr="10.0.0.0/20"),
        {"subnets.cidr": ["10.0.0.0/20", "10.0.0.0/20"]}, "subnet-cidr/type-then-run"),
    # its ways out
    "the gateway detached": (
        with_vpc(in_table(routes=route(states.GATEWAY, state="blackhole")), internet_gateways=()),
        DETACHED | way("blackhole"), "gateway-absent/run"),
    "the gateway on its way off, the route still active": (in_gateway(attachment="detaching"),
        DETACHED | way(states.GATEWAY), "gateway-absent/run"),
    "no gateway and no route": (with_table(in_vpc(internet_gateways=()), routes=(states.LOCAL,)),
        DETACHED | way("none"), "gateway-absent/run route-missing/run"),
    "the route missing": (in_table(routes=(states.LOCAL,)), way("none"), "route-missing/run"),
    "the route a blackhole": (in_table(routes=route("igw-0gone", state="blackhole")),
        way("blackhole"), "route-blackhole/run"),
    "the route dead though its gateway is attached": (
        in_table(routes=route(states.GATEWAY, state="blackhole")), way("blackhole"),
        "route-blackhole/run"),
    "the route to another VPC's gateway": (in_table(routes=route("igw-0other")), way("igw-0other"),
        "route-elsewhere/run"),
    "one of two subnets associated": (in_table(subnets=(states.subnet(1).id,)),
        {"routes.default": ["0.0.0.0/0 → internet gateway", "0.0.0.0/0 → none"]},
        "table-not-associated/run"),
    "the table not associated, and unnamed": (in_table(subnets=(), name=""),
        way("none") | names(table=""),
        "name-missing/type table-not-associated/type table-not-associated/type"),
    "the subnets in a private table, the public one unnamed": (
        in_vpc(route_tables=(
            states.public_table(id="rtb-0b", name="private", routes=(states.LOCAL,)),
            states.public_table(subnets=(), name=""))),
        way("none") | names(table="private", gateway="", last="ecs-handson-igw"),
        "name-differs/type name-missing/type route-missing/type"),
    "no table at all": (in_vpc(route_tables=()), way("none"),
        "table-not-associated/run table-not-associated/run"),
    "the main table with a dead route": (
        in_vpc(route_tables=(states.main_table(routes=route("igw-0gone", state="blackhole")),)),
        way("blackhole") | names(table=""),
        "name-missing/type route-blackhole/type route-blackhole/type"),
    "a subnet with a block of its own that is public by its name alone": (
        with_subnet(in_table(subnets=(states.subnet(1).id,)), 2, name="Public",
                    cidr="10.0.99.0/24"),
        {"subnets.cidr": ["10.0.0.0/20", "10.0.99.0/24"], **names(subnet2="Public"),
         "routes.default": ["0.0.0.0/0 → internet gateway", "0.0.0.0/0 → none"]},
        "name-differs/type subnet-cidr/type-then-run table-not-associated/run"),
    "the route missing, the subnets unnamed": (
        with_subnet(with_subnet(in_table(routes=(states.LOCAL,)), 1, name=""), 2, name="b"),
        way("none") | names(subnet1="", subnet2="b"),
        "name-missing/type name-differs/type route-missing/run"),
    "the route missing, the VPC named otherwise": (
        with_vpc(in_table(routes=(states.LOCAL,)), name="x"), way("none") | names(vpc="x"),
        "name-differs/type route-missing/type"),
    "the route missing, two tables of one name": (
        with_vpc(in_table(routes=(states.LOCAL,)), route_tables=(
            states.public_table(id="rtb-0twin", subnets=()),
            states.public_table(routes=(states.LOCAL,)))),
        way("none"), "route-missing/type"),
    "a subnet called private in a public block, not associated": (
        with_subnet(in_table(subnets=(states.subnet(1).id,)), 2,
                    name="ecs-handson-subnet-private1-us-east-1b"),
        {"subnets.public": 1, "subnets.private": 1, "subnets.zones": 1,
         "subnets.cidr": ["10.0.0.0/20"]},
        "subnet-private/type subnets-few/run"),
    # its names
    "two VPCs of the block, both named otherwise": (
        done(vpcs=tuple(states.vpc(id=f"vpc-{n}", name=f"vpc {n}", tagged=False) for n in (2, 1))),
        names(vpc="vpc 1"), "vpc-unnamed/rename-or-run"),
    "a subnet's name with another zone": (
        in_subnet(2, name="ecs-handson-subnet-public2-us-east-1c"),
        names(subnet2="ecs-handson-subnet-public2-us-east-1c"), "name-differs/type"),
    "two subnets of one number": (in_subnet(2, name="ecs-handson-subnet-public1-us-east-1b"),
        names(subnet2="ecs-handson-subnet-public1-us-east-1b"), "name-differs/type"),
    "the gateway unnamed": (in_gateway(name=""), names(gateway=""), "name-missing/type"),
    "a VPC by hand, unnamed": (in_vpc(name="", tagged=False), names(vpc=""),
        "vpc-nameless/rename-or-run"),
    "the VPC's name with another dash": (in_vpc(name="ecs－handsonーvpc "),
        names(vpc="ecs－handsonーvpc "), "name-lookalike/type"),
    "two VPCs of the same name": (done(vpcs=(BARE, *DONE.vpcs)), names(twin="ecs-handson-vpc"),
        "vpc-namesake/type"),
    "two tagged VPCs of the same name, both full": (done(vpcs=(VPC, states.vpc(id="vpc-0fff"))),
        names(twin="ecs-handson-vpc"), f"vpc-namesake/{NEW_VPC}"),
    "two tagged VPCs of the same name on real AWS": (
        done(target=states.target(kind="aws", endpoint=None),
                vpcs=(VPC, states.vpc(id="vpc-0fff"))),
        names(twin="ecs-handson-vpc"), "vpc-namesake/delete"),
    "a namesake by hand with something in it": (
        done(vpcs=(VPC, replace(BARE, endpoints=(states.endpoint(),)))),
        names(twin="ecs-handson-vpc"), "vpc-namesake/delete"),
    # the cluster
    "the cluster deleted": (in_cluster(status="INACTIVE"), NO_CLUSTER, "cluster-deleted/run"),
    "no cluster": (
        done(clusters=(), elsewhere=(
            *states.seen_in("image"), *states.seen_in("cluster", region=states.REGION))),
        NO_CLUSTER, "cluster-absent/run"),
    "the cluster in another region, and a deleted one here": (
        replace(in_cluster(status="INACTIVE"), elsewhere=states.seen_in("cluster")),
        NO_CLUSTER | {"uri.region": [states.REGION, THERE]},
        "cluster-region/run-here uri-region/run-here"),
    "the cluster another learner's": (
        done(clusters=(), foreign=states.made_by("cluster", "xn--l8jeg")), NO_CLUSTER,
        "foreign/elsewhere"),
    "the cluster misspelt": (done(clusters=(states.cluster(name="ECS-handson-cluster"),)),
        NO_CLUSTER, "cluster-misspelt/run"),
    "the misspelt cluster deleted": (
        done(clusters=(states.cluster(name="ecs-handson-clustr", status="INACTIVE"),)), NO_CLUSTER,
        "cluster-absent/run"),
    "the cluster on its way": (in_cluster(status="PROVISIONING"),
        {"cluster.active": "PROVISIONING"}, "cluster-not-active/wait"),
    "the cluster on its way off": (in_cluster(status="DEPROVISIONING"),
        {"cluster.active": "DEPROVISIONING"}, "cluster-not-active/wait"),
    "the cluster failed": (in_cluster(status="FAILED"), {"cluster.active": "FAILED"},
        "cluster-not-active/type-then-run"),
    "with Fargate Spot alone": (in_cluster(capacity_providers=("FARGATE_SPOT",)),
        {"cluster.fargate": ["FARGATE_SPOT"]}, "cluster-no-fargate/run"),
    "with an EC2 capacity provider": (in_cluster(capacity_providers=("FARGATE", "my-asg")),
        {"cluster.instances": [0, "my-asg"]}, "cluster-ec2-provider/type"),
    "with EC2 instances": (in_cluster(container_instances=2), {"cluster.instances": 2},
        "cluster-instances/deregister"),
    "with EC2 alone": (in_cluster(capacity_providers=("my-asg",), container_instances=1),
        {"cluster.fargate": ["my-asg"], "cluster.instances": [1, "my-asg"]},
        "cluster-no-fargate/run cluster-ec2-provider/type cluster-instances/deregister"),
    # the repository
    "the repository seen in another region": (
        done(repositories=(), elsewhere=states.seen_in("repository")), NO_REPOSITORY,
        "repository-region/run-here"),
    "the repository misspelt": (in_repository(name="rails_app"), NO_REPOSITORY,
        "repository-misspelt/run"),
    "the repository public, by its ARN alone": (
        in_repository(arn=PUBLIC_ARN), {"repository.private": False}, "repository-public/run"),
    "the repository public, by its URI alone": (in_repository(uri=PUBLIC_URI), PUBLIC,
        "repository-public/run"),
    "the repository in another region": (in_repository(uri=uri(region=THERE)),
        {"repository.uri": uri(region=THERE)}, "repository-region/run"),
    "the repository of another account": (in_repository(uri=uri(account="998877665544")),
        {"repository.uri": uri(account="998877665544")}, "repository-account/run"),
    "the URI of another repository": (
        in_repository(uri=uri(end="s")), {"repository.uri": uri(end="s")}, "repository-uri/run"),
    "a URI that is not ECR's": (in_repository(uri="localhost:5000/rails-app"),
        {"repository.uri": "localhost:5000/rails-app"}, "repository-uri/run"),
    # the image
    "the repository and its image another learner's": (
        done(repositories=(), images=(), recorded_uri=None,
            foreign=states.made_by("repository", "home-0123") + states.made_by("image", "Aiko")),
        NO_REPOSITORY | NO_IMAGE | NO_URI,
        "foreign/elsewhere foreign/elsewhere uri-absent/call-or-run"),
    "the image deleted": (done(images=()), NO_IMAGE | GONE, "image-absent/run uri-gone/run"),
    "the image in another repository": (in_image(repository="goods"), NO_IMAGE | GONE,
        "image-absent/run uri-gone/run"),
    "no image, and a repository of a similar name": (
        done(images=(), repositories=(*DONE.repositories, states.repository(name="rails"))),
        NO_IMAGE | GONE, "image-elsewhere/run uri-gone/run"),
    "the image seen in another region": (done(images=(), elsewhere=states.seen_in("image")),
        NO_IMAGE | GONE, "image-region/run-here uri-gone/run"),
    "image and cluster in another region": (
        done(images=(), clusters=(), elsewhere=states.seen_in("image", "cluster")),
        NO_IMAGE | NO_CLUSTER | GONE | {"uri.region": [states.REGION, THERE]},
        "cluster-region/run-here image-other-region/run-here uri-region/run-here uri-gone/run"),
    "only the image in another region": (with_uri(done(images=()), uri=uri(region=THERE)),
        NO_IMAGE | GONE | {"uri.region": THERE},
        "image-region/run-here uri-region/run uri-gone/run"),
    "the image untagged": (in_image(tags=()), GONE | {"image.tag": [], "image.unique-tag": False},
        "image-untagged/run uri-gone/run"),
    "the image under a tag of one's own alone": (
        with_uri(in_image(tags=("v1",)), uri=uri(end=":v1")),
        {"image.unique-tag": False}, "image-no-latest/type"),
    "only tags of one's own, and latest recorded": (
        in_image(tags=("v1",)), GONE | {"image.tag": ["v1"], "image.unique-tag": False},
        "image-tag/type uri-gone/run"),
    "two tags of one's own": (with_uri(in_image(tags=("v1", "v2")), uri=uri(end=":v1")),
        {"image.unique-tag": False}, "image-no-latest/type"),
    "the recorded tag on no image": (
        with_uri(done(images=(
            states.image(tags=("v2",)),
            states.image(tags=("v1",), digest=states.OTHER_DIGEST, pushed_at="2025"))),
            uri=uri(end=":v3")),
        GONE | {"image.tag": ["v1", "v2"], "image.unique-tag": False},
        "image-tag/run image-no-latest/type uri-gone/run"),
    "latest on another image than the recorded tag": (
        with_uri(done(images=(
            states.image(tags=("v1",)),
            states.image(tags=("latest", "v2"), digest=states.OTHER_DIGEST))), uri=uri(end=":v1")),
        {"image.unique-tag": False}, "image-no-latest/type"),
    "two images under other tags": (
        with_uri(done(images=(
            states.image(tags=("v2",)),
            states.image(tags=("v1",), digest=states.OTHER_DIGEST, pushed_at="2025",
                         platforms=(states.ARM64,)))), uri=uri(end=":v2")),
        {"image.unique-tag": False}, "image-no-latest/type"),
    "the image for arm64": (in_image(platforms=(states.ARM64,)),
        {"image.platform": ["linux/arm64"]}, "image-platform/rebuild"),
    "the image without a platform": (in_image(platforms=()), {"image.platform": []},
        "image-platform-unknown/rebuild"),
    "only latest": (in_image(tags=("latest",)), {"image.unique-tag": False},
        "image-only-latest/own-tag"),
    "packed by the builtin engine, whatever was recorded": (in_image(built_by="builtin"), NOT_RUN,
        "image-builtin/install"),
    "never seen running": (done(recorded_run=None), NOT_RUN, "image-unseen/call-or-run"),
    "an image of another repository seen running": (in_run(repository="nginx"), NOT_RUN,
        "image-unseen/call-or-run"),
    "it did not start or did not answer": (in_run(status=0), NOT_RUN, "image-silent/call-or-mend"),
    "its first page was an error": (in_run(status=400), NOT_RUN, "image-status/call-or-mend"),
    "its first page was no page": (in_run(status=199), NOT_RUN, "image-status/call-or-mend"),
    # the URI
    "something else recorded": (in_uri(uri="rails-app:latest"), NO_URI,
        "uri-malformed/call-or-run"),
    "a URI of the region of this workshop, and the cluster seen elsewhere": (
        done(clusters=(), elsewhere=states.seen_in("cluster")),
        NO_CLUSTER | {"uri.region": [states.REGION, THERE]},
        "cluster-region/run-here uri-region/run-here"),
    "this workshop and its image in another region than the cluster": (
        replace(
            with_uri(done(), uri=uri(region=THERE, end=":latest")),
            target=states.target(region=THERE),
            clusters=(),
            repositories=(states.repository(uri=uri(region=THERE)),),
            elsewhere=states.seen_in("cluster", region=states.REGION)),
        NO_CLUSTER | {"uri.region": [THERE, states.REGION]},
        "cluster-region/run-here uri-region/region"),
    "another region in the URI": (in_uri(uri=uri(region=THERE)), {"uri.region": THERE},
        "uri-region/run"),
    "a cluster of another region than the URI": (in_cluster(arn=f"arn:aws:ecs:{THERE}:1:cluster/x"),
        {"uri.region": [states.REGION, THERE]}, "uri-region/run-here"),
    "another account in the URI": (in_uri(uri=uri(account="998877665544")), GONE,
        "uri-account/call-or-run"),
    "another repository in the URI": (in_uri(uri=uri(end="s:v9")), GONE,
        "uri-repository/call-or-run"),
    "re-tagged after the URI was recorded": (in_image(digest=states.OTHER_DIGEST), NOT_RUN | GONE,
        "image-unseen/call-or-run uri-moved/call-or-run"),
    "a digest in the URI that the tag does not lead to": (
        in_uri(uri=uri(end=f":latest@{states.OTHER_DIGEST}")), GONE, "uri-moved/call-or-run"),
    "a digest in the URI that is gone": (in_uri(uri=uri(end=f"@{states.OTHER_DIGEST}")), GONE,
        "uri-gone/run"),
}  # fmt: skip

ATTESTED = (
    states.image(media_type="application/vnd.oci.image.index.v1+json"),
    states.image(digest="sha256:" + "1" * 64, tags=(), platforms=(states.AMD64,)),
    states.image(digest="sha256:" + "2" * 64, tags=(), platforms=()),
)
PRIVATE = states.public_table(id="rtb-0private", name="ecs-handson-rtb-private1", subnets=())
RIGHT = {
    "as the notebooks leave it": DONE,
    "what does not matter": with_image(
        states.with_repository(
            with_subnet(in_vpc(endpoints=()), 1, map_public_ip=True), tag_mutability="IMMUTABLE"),
        built_by=None),
    "in other zones": with_subnet(
        in_subnet(1, zone="us-east-1d", name="ecs-handson-subnet-public1-us-east-1d"),
        2, zone="us-east-1f", name="ecs-handson-subnet-public2-us-east-1f"),
    "subnets numbered the other way round": with_subnet(
        in_subnet(1, name="ecs-handson-subnet-public2-us-east-1a"),
        2, name="ecs-handson-subnet-public1-us-east-1b"),
    "made by hand, without the tag": in_vpc(tagged=False),
    "an attachment that reads attached": in_gateway(attachment="attached"),
    "more of everything": done(
        vpcs=(*DONE.vpcs, replace(BARE, name="other")),
        clusters=(states.cluster(name="default"), *DONE.clusters),
        repositories=(states.repository(name="nginx", uri="x"), *DONE.repositories),
        images=(states.image(repository="nginx", digest=states.OTHER_DIGEST), states.image(
            digest=states.OTHER_DIGEST, tags=("old",), pushed_at="2027-01-01"), *DONE.images)),
    "the route in the main table": in_vpc(route_tables=(states.main_table(
        routes=(states.LOCAL, states.TO_GATEWAY), name="ecs-handson-rtb-public"),)),
    "the main table with the route, too": in_vpc(route_tables=(
        states.main_table(routes=(states.LOCAL, states.TO_GATEWAY)), TABLE)),
    "private route tables": in_vpc(route_tables=(
        replace(PRIVATE, routes=(states.LOCAL,)),
        replace(PRIVATE, id="rtb-0nat", routes=route("nat-0a1b")), *VPC.route_tables)),
    "a second gateway that is not attached": in_vpc(internet_gateways=(
        *VPC.internet_gateways, states.gateway(id="igw-0b", name="x", attachment="detached"))),
    "tasks and services on Fargate without Spot": in_cluster(
        running_tasks=2, active_services=1, capacity_providers=("FARGATE",)),
    "two clusters of one name, one not ready": done(clusters=(
        states.cluster(arn="arn:a", status="PROVISIONING"), states.cluster())),
    "deleted and made again": done(clusters=(
        states.cluster(status="INACTIVE"), states.cluster())),
    "a cluster whose ARN names no region": in_cluster(arn="arn:aws:ecs:mars:x"),
    "a namesake with another URI": done(repositories=(
        states.repository(uri=uri(region=THERE)), states.repository())),
    "a public namesake": done(repositories=(
        states.repository(arn=PUBLIC_ARN), states.repository(arn="arn:aws:ecr:z"))),
    "an index with attestations": done(images=ATTESTED),
    "an index of two platforms": in_image(platforms=(states.ARM64, states.AMD64)),
    "a first page that leads on": in_run(status=399),
    "a digest recorded": in_uri(uri=uri(end=f"@{states.DIGEST}")),
    "tag and digest recorded": in_uri(uri=uri(end=f":latest@{states.DIGEST}")),
    "a URI without a tag, which means latest": in_uri(uri=uri()),
    "of other learners, too": done(foreign=states.made_by("network", "Aiko")),
    "more of it in another region": done(elsewhere=states.seen_in(*syllabus.CHECK_IDS)),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_state_fails_its_facts_and_no_other_with_their_causes(name: str) -> None:
    state, observed, causes = WRONG[name]
    results = checks.run_checks(state).checks
    explained = {id for result in results for cause in result.diagnoses for id in cause.facts}
    assert (false_facts(results), explain(results)) == (observed, causes)
    assert explained == observed.keys()
    assert carried(state) == results


COMMANDS = {
    "a private subnet without a word in its name": "DeleteSubnet",
    "one zone twice": "",  # more is to be done than that
    "another region in the URI": "record_image_uri",
    "a cluster of another region than the URI": "",
    "re-tagged after the URI was recorded": "tag_image",
}


def test_a_command_is_shown_with_the_causes_that_it_mends_alone() -> None:
    asked = {name: (WRONG[name][0], command) for name, command in COMMANDS.items()}
    moved = in_uri(uri=uri(end=f"@{states.DIGEST}"), digest=states.OTHER_DIGEST)
    asked["moved, and without a tag"] = moved, ""
    for name, (state, command) in asked.items():
        causes = [cause for result in checks.run_checks(state).checks for cause in result.diagnoses]
        [call] = {it.call for it in causes if it.code.startswith(("subnet-", "uri-"))}
        assert (name, command in call, not call) == (name, True, not command)


@pytest.mark.parametrize("name", RIGHT)
def test_a_harmless_difference_passes_without_any_cause(name: str) -> None:
    results = checks.run_checks(RIGHT[name]).checks
    assert (false_facts(results), explain(results)) == ({}, "")
    assert carried(RIGHT[name]) == results


def test_evidence_names_other_learners_only_where_they_are_in_the_way() -> None:
    vpc, cluster = states.made_by("network", "Aiko"), states.made_by("cluster", "Aiko")
    state = done(vpcs=(), foreign=vpc + cluster)
    named = [checks.trim(check, state).foreign for check in ("network", "cluster", "image")]
    assert named == [vpc, (), ()]


def test_every_cause_in_the_catalogue_has_a_wrong_state_or_a_wrong_drawing() -> None:
    written = {key for key in messages.catalogue("course") if key.startswith("checks.cause.")}
    told = {code.partition("/")[0] for _, _, causes in WRONG.values() for code in causes.split()}
    for _, _, causes in drawn_by_learners.WRONG.values():
        told |= {f"drawing-{code}" for code in causes.split()}
    assert {f"checks.cause.{code}" for code in told | {"drawing-nothing"}} == written


# Facts

EXPECTED: dict[str, dict[str, Any]] = {
    "network": {
        "vpc.exists": True, "vpc.cidr": "10.0.0.0/16", "vpc.ipv6": [], "vpc.tenancy": "default",
        "vpc.dns": ["enableDnsSupport", "enableDnsHostnames"], "subnets.public": 2,
        "subnets.private": 0, "subnets.zones": 2, "subnets.cidr": BLOCKS[:2],
        "gateway.attached": True, **way("internet gateway"), **names()},
    "cluster": {
        "cluster.exists": True, "cluster.active": "ACTIVE", "cluster.fargate": "FARGATE",
        "cluster.instances": 0},
    "repository": {
        "repository.exists": True, "repository.private": True, "repository.uri": uri()},
    "image": {
        "image.pushed": True, "image.tag": "latest", "image.platform": "linux/amd64",
        "image.unique-tag": True, "image.runnable": True},
    "image-uri": {"uri.recorded": True, "uri.region": "us-east-1", "uri.resolves": True},
}  # fmt: skip


def test_the_facts_and_what_they_expect_do_not_depend_on_the_state() -> None:
    """But for the names, which are those of the parts that a VPC has."""
    nothing = Snapshot(target=states.target())
    for state, known in ((DONE, names()), (nothing, {"names": ["ecs-handson-vpc"]})):
        results = checks.run_checks(state).checks
        found = [(r.id, [(fact.id, fact.expected) for fact in r.facts]) for r in results]
        expected = {**EXPECTED, "network": {**EXPECTED["network"], **known}}
        assert found == [(id, [*facts.items()]) for id, facts in expected.items()]


def test_advice_fails_no_check() -> None:
    result = checks.run_check("image", replace(DONE, recorded_run=None))
    assert [fact.id for fact in result.facts if fact.advice] == [*NOT_RUN]
    assert (result.passed, result.state, result.counted) == (True, "ok", "4/4")


def test_a_fact_passes_when_the_observed_value_is_the_expected_one_of_its_type() -> None:
    pairs = [(True, True), (0, 0), ([], []), (["a"], ["a"]), ("a", "a")]
    others = [(True, 1), (0, False), (1, True), ([], None), (["a"], ["b"]), (2, "2"), (True, None)]
    passed = [FactResult("x", *pair, advice=False).passed for pair in (*pairs, *others)]
    assert passed == [True] * 5 + [False] * 7


def wanted_names(*subnets: Any) -> list[str]:
    """Return the names that the check expects for a VPC with these subnets alone."""
    facts = checks.run_check("network", in_vpc(subnets=subnets)).facts
    [expected] = [fact.expected for fact in facts if fact.id == "names"]
    return [name.removeprefix("ecs-handson-") for name in expected if "subnet" in name]


def test_a_public_subnet_keeps_its_number_where_it_is_right_and_unique() -> None:
    third = states.subnet(3)
    second, first = states.subnet(2, name="x"), states.subnet(1, name=third.name)
    twice = states.subnet(2, name="ecs-handson-subnet-public1-us-east-1b")
    high = states.subnet(1, name="ecs-handson-subnet-public9-us-east-1a")
    assert [
        wanted_names(first, second, third),
        wanted_names(states.subnet(1), twice, third),
        wanted_names(high, second),
        wanted_names(third, twice),
        wanted_names(states.subnet(1, name="x-subnet-public2-us-east-1a")),
    ] == [
        ["subnet-public1-us-east-1a", "subnet-public2-us-east-1b", "subnet-public3-us-east-1c"],
        ["subnet-public1-us-east-1a", "subnet-public2-us-east-1b", "subnet-public3-us-east-1c"],
        ["subnet-public9-us-east-1a", "subnet-public1-us-east-1b"],
        ["subnet-public1-us-east-1b", "subnet-public3-us-east-1c"],
        ["subnet-public1-us-east-1a"],
    ]


def test_subnets_are_listed_by_address_and_odd_addresses_come_first() -> None:
    odd, high = states.subnet(1, cidr="?", id="x"), states.subnet(2, cidr="10.0.112.0/20")
    state = in_vpc(subnets=(high, states.subnet(3), odd))
    listed = false_facts(checks.run_checks(state).checks)["subnets.cidr"]
    assert listed == ["?", "10.0.32.0/20", "10.0.112.0/20"]


@pytest.mark.parametrize("other", ["vpc-00", "vpc-0zzz"])
def test_the_tagged_then_the_best_of_two_namesakes_is_judged_whatever_its_id(other: str) -> None:
    worse, by_hand = states.vpc(id=other, dns_support=False), states.vpc(id=other, tagged=False)
    best = checks.run_check("network", done(vpcs=(worse, VPC)))
    assert false_facts([best]) == names(twin="ecs-handson-vpc")
    tagged = checks.run_check("network", done(vpcs=(by_hand, states.vpc(dns_support=False))))
    assert false_facts([tagged]).keys() == {"vpc.dns", "names"}


def test_a_vpc_is_judged_by_its_name_then_its_tag_then_its_block() -> None:
    tagged = states.vpc(id="vpc-1", name="t", cidr="10.9.0.0/16")
    like = states.vpc(id="vpc-2", name="c", tagged=False)
    named_ = states.vpc(id="vpc-3", cidr="10.8.0.0/16", tagged=False)
    other = states.vpc(id="vpc-4", name="o", cidr="10.7.0.0/16", tagged=False)
    steps = ((other, like, tagged, named_), (other, like, tagged), (other, like), (other,))
    judged = [checks.trim("network", done(vpcs=vpcs)).vpcs for vpcs in steps]
    assert judged == [(named_,), (tagged,), (like,), ()]


# Causes and remedies


OTHER_NAME = in_vpc(name="x")
ROUTE = f'RouteTableId="{TABLE.id}", DestinationCidrBlock="0.0.0.0/0", GatewayId="igw-0a1b2c'
TWO_CLUSTERS = (states.cluster(name="ecs-handson"), states.cluster(name="ecs-handson-clustr"))
SEEN = (
    *states.seen_in("cluster", "image"), *states.seen_in("cluster"),
    *states.seen_in("cluster", region="us-west-2"),
)  # fmt: skip

# A state, and part of a cause or a remedy.
TOLD: list[tuple[Snapshot, str]] = [
    (with_vpc(OTHER_NAME, dns_support=False),
     f'"ModifyVpcAttribute", VpcId="{VPC.id}", EnableDnsSupport={{"Value": True}})'),
    (with_vpc(OTHER_NAME, dns_hostnames=False),
     f'("ec2", "ModifyVpcAttribute", VpcId="{VPC.id}", EnableDnsHostnames={{"Value": True}})'),
    (in_table(routes=(states.LOCAL,), name="x"), f'call("ec2", "CreateRoute", {ROUTE}'),
    (in_table(routes=route("igw-0other"), name="x"), f'"ReplaceRoute", {ROUTE}'),
    (in_table(routes=route("igw-0", state="blackhole"), name="x"),
     f'"ReplaceRoute", {ROUTE}'),
    (with_vpc(OTHER_NAME, route_tables=(
        states.main_table(), replace(PRIVATE, id="rtb-0a", routes=()),
        states.public_table(subnets=(states.subnet(1).id,)), PRIVATE)),
     f'"AssociateRouteTable", RouteTableId="{TABLE.id}", SubnetId="{states.subnet(2).id}")'),
    (in_table(name="x"),
     f'("ec2", "CreateTags", Resources=["{TABLE.id}"], '
     'Tags=[{"Key": "Name", "Value": "ecs-handson-rtb-public"}])'),
    (with_subnet(with_more_subnets(states.subnet(3, cidr=BLOCKS[0]), associated=True), 1,
                 cidr="10.0.0.0/24"),
     f'("ec2", "DeleteSubnet", SubnetId="{states.subnet(1).id}")'),
    (done(vpcs=(VPC, BARE)), '("ec2", "DeleteVpc", VpcId="vpc-0fff")'),
    (in_another_cidr(), 'Run workshop.cleanup("network", confirm="delete") in a new cell'),
    (in_vpc(cidr="8.8.0.0/16"), "8.8.0.0/16 belongs to others on the internet"),
    (in_cluster(status="FAILED"),
     'workshop.aws.call("ecs", "DeleteCluster", cluster="ecs-handson-cluster")'),
    (in_cluster(capacity_providers=("FARGATE", "my-asg")),
     '("ecs", "PutClusterCapacityProviders", cluster="ecs-handson-cluster", '
     'capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=[])'),
    (done(recorded_run=None),
     'workshop.run_image("rails-app", tag="latest") (a cell of 03-image does)'),
    (done(recorded_uri=None), 'workshop.record_image_uri("rails-app", tag="latest")'),
    (done(clusters=(), elsewhere=states.seen_in("cluster")),
     "Run 02-cluster from the top to have it in us-east-1. 99-cleanup deletes what you made"),
    (done(clusters=(), elsewhere=SEEN), "is in ap-northeast-1, us-west-2; this"),
    (with_uri(done(images=(), elsewhere=states.seen_in("image", region="us-west-2")),
              uri=uri(region=THERE)), "The image is in us-west-2; the cluster is in us-east-1."),
    (done(clusters=TWO_CLUSTERS), 'is named "ecs-handson-clustr" and not ecs-'),
    (done(vpcs=(BARE, VPC)),
     f"{VPC.id} and vpc-0fff. The one that was checked is {VPC.id}."),
    (OTHER_NAME, f'{VPC.id} is named "x"; the console names it ecs-handson-vpc.'),
    (with_more_subnets(states.private_subnet(1), states.private_subnet(2, name="")),
     f"The VPC {VPC.id} has 2 subnets too many (ecs-handson-subnet-private1-us-east-1a, "
     "subnet-0a1b2c3d4e5f61002); it needs 2 public and 0 private ones."),
    (in_subnet(2, cidr="10.0.2.0/24"),
     "(ecs-handson-subnet-public2-us-east-1b) has the CIDR block 10.0.2.0/24; the console gives "
     "10.0.0.0/20 / 10.0.16.0/20."),
    (in_image(digest=states.OTHER_DIGEST),
     "The tag latest moved to another image after the URI was recorded "
     "(from sha256:abababababab… to sha256:cdcdcdcdcdcd…)."),
    (in_uri(uri=uri(end=f"@{states.OTHER_DIGEST}")), f"URI's tag {states.OTHER_DIGEST}."),
    (in_run(status=500),
     "was run (2026-01-15T09:30:30+00:00) its first page came with HTTP 500."),
]  # fmt: skip


def test_causes_and_remedies_name_what_they_are_about() -> None:
    messages.use("en")
    unsaid = []
    for state, wanted in TOLD:
        causes = [cause for check in checks.run_checks(state).checks for cause in check.diagnoses]
        said = [sentence for cause in causes for sentence in (cause.message, cause.remedy)]
        unsaid += [] if any(wanted in sentence for sentence in said) else [(wanted, said)]
    assert unsaid == []


def test_a_diagnosis_explains_its_own_facts() -> None:
    state = with_table(in_vpc(subnets=(states.subnet(2),)), routes=(states.LOCAL,))
    explained = [cause.facts for cause in checks.run_check("network", state).diagnoses]
    assert explained == [("subnets.public", "subnets.zones", "subnets.cidr"), ("routes.default",)]


def test_write_aws_call_writes_one_line_of_python_whatever_a_stranger_has_written() -> None:
    call = write_aws_call("ec2", "X", Id='rtb-"\n!rm', Flags=[True, None], Tags={"あ": ("b", 1)})
    assert call == (
        'workshop.aws.call("ec2", "X", Id="rtb-\\"�!rm", Flags=[True, None], Tags={"あ": ["b", 1]})'
    )
    assert isinstance(ast.parse(call).body[0], ast.Expr)


# Cards


def test_the_verification_is_the_contract() -> None:
    verification = checks.run_checks(in_vpc(tenancy="dedicated"))
    found = verification.to_json()
    [cause] = verification.checks[0].diagnoses
    assert (cause.code, cause.resource) == ("vpc-tenancy", VPC.id)
    network = found["checks"][0]
    told = {"code": "vpc-tenancy", "message": cause.message, "remedy": cause.remedy}
    assert network.pop("diagnoses") == [told]
    assert [fact for fact in network.pop("facts") if not fact["passed"]] == [
        {"id": "vpc.tenancy", "expected": "default", "observed": "dedicated", "passed": False}
    ]
    assert network == {"id": "network", "passed": False}
    assert [(check["id"], check["passed"]) for check in found.pop("checks")[1:]] == [
        *(("cluster", True), ("repository", True), ("image", True), ("image-uri", True)),
    ]
    target = {"kind": "emulator", "account": "112233445566", "region": "us-east-1"}
    assert found == {
        "schema": "handson.verification/1",
        "target": {**target, "endpoint": "http://127.0.0.1:4566"},
        "passed": False,
    }
    assert checks.run_checks(DONE).to_json()["passed"] is True


def test_advice_stands_on_lines_that_hold_nothing_else() -> None:
    messages.use("en")
    both = (DONE, in_image(built_by="builtin"))
    cards = [repr(checks.run_check("image", state)).splitlines() for state in both]
    advice = [[line for line in card if "ⓘ" in line] for card in cards]
    rest = [[line for line in card if "ⓘ" not in line] for card in cards]
    assert advice[0] == ["  ⓘ Seen running as a container: yes"]
    assert [it.partition(" · ")[0] for it in advice[1]] == ["  ⓘ Seen running as a container: no"]
    assert "builtin engine" in advice[1][0]
    assert rest[0] == rest[1]


def test_the_card_of_a_verification_shows_the_checks_then_the_false_facts_and_what_to_do() -> None:
    messages.use("en")
    state = in_cluster(status="FAILED", capacity_providers=("a", "b"))
    state = with_image(state, platforms=())
    lines = repr(checks.run_checks(state)).splitlines()
    one = repr(checks.run_check("cluster", state)).splitlines()
    assert lines[:12] == [
        "✘ 3 of 5 items done (account 112233445566, Region us-east-1)",
        "   | Item | Facts | Notebook",
        "  ✘ | ECS cluster on Fargate | 1/4 | 02-cluster",
        "  ✘ | Image pushed to ECR | 3/4 | 03-image",
        "  ✔ | VPC and public subnets | 12/12 | 01-network",
        "  ✔ | Private repository in ECR | 3/3 | 03-image",
        "  ✔ | Image URI in ECR | 3/3 | 03-image",
        "  ECS cluster on Fargate:",
        "   | What is checked | Expected | Observed",
        "  ✘ | Status of the cluster | ACTIVE | FAILED",
        "  ✘ | Capacity provider | FARGATE | a, b",
        "  ✘ | Amazon EC2 container instances | 0 | 0, a, b",
    ]
    told = "  ⚠ The cluster ecs-handson-cluster has the status FAILED and not ACTIVE."
    assert told in lines[12:]
    assert one[:2] == ["✘ ECS cluster on Fargate: not yet done", lines[8]]
    assert one[2:7] == [*lines[9:12], "  ✔ | The cluster exists | yes | yes", told]
    assert one[7].startswith("  → Run workshop.aws.call(")
    assert "  ✘ | Platform of the image | linux/amd64 | none" in lines
    assert repr(checks.run_checks(DONE)).startswith("✔ 5 of 5 items done")
    assert " | 10.0.0.0/20, 10.0.16.0/20 | as expected" in repr(checks.run_check("network", DONE))
    other = repr(checks.run_check("network", in_another_cidr()))
    assert " | 10.0.0.0/20, 10.0.16.0/20 | 10.1.0.0/20, 10.1.16.0/20" in other


def test_describe_value_says_a_value_in_words() -> None:
    values: list[Any] = [True, False, None, [], 0, "ok", "a\nb", [1, "x"], *way("none").values()]
    messages.use("en")
    assert [describe_value(value) for value in values] == [
        *("yes", "no", "not there", "none", "0", "“ok”", "a�b", "1, x", "0.0.0.0/0 → none"),
    ]
    ends = {
        "internet gateway": "インターネットゲートウェイ", "blackhole": "ブラックホール",
        "none": "なし", "igw-1": "igw-1",
    }  # fmt: skip
    messages.use("ja")
    assert {end: describe_value(f"0.0.0.0/0 → {end}")[12:] for end in ends} == ends


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_result_shows_its_causes_as_text_and_as_html(language: str) -> None:
    messages.use(language)
    for state, _, _ in WRONG.values():
        verification = checks.run_checks(state)
        shown = verification._repr_mimebundle_()
        assert [*shown] == ["text/plain", "text/html"]
        told = [cause.message for check in verification.failing for cause in check.diagnoses]
        assert [message for message in told if message not in shown["text/plain"]] == []


def test_a_strangers_text_cannot_write_lines_of_its_own() -> None:
    state = in_vpc(tenancy="x\n✔ everything passed\u202e")
    lines = repr(checks.run_check("network", state)).splitlines()
    assert [line for line in lines if line.startswith("✔")] == []


def test_only_a_default_route_to_an_internet_gateway_leads_out() -> None:
    ways = [("0.0.0.0/0", "igw-1"), ("10.9.0.0/16", "igw-1"), ("0.0.0.0/0", "nat-1")]
    routes = [Route(destination=to, target=target, state="active") for to, target in ways]
    tables = [states.public_table(routes=(states.LOCAL, each)) for each in routes]
    assert [network_facts.leads_out(table) for table in tables] == [True, False, False]
