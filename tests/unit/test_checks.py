"""The checks: right states pass, and one wrong thing turns exactly its facts false."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from handson.core import messages
from handson.course import checks, syllabus
from handson.course.checks import CheckResult, Verification
from handson.course.state import Route, Snapshot
from tests.unit import drawn_by_learners, states
from tests.unit.states import finished, with_image, with_subnet, with_table, with_uri, with_vpc

ALL = {
    result.id: {fact.id for fact in result.facts} for result in checks.run_checks(finished()).checks
}
ADVICE = set(syllabus.ADVICE)


@dataclass(frozen=True)
class Wrong:
    """A state with one thing wrong, the facts that it breaks, and the cause that is told."""

    name: str
    state: Snapshot
    facts: set[str]
    causes: tuple[str, ...]


def route(target: str, *, state: str = "active") -> tuple[Route, ...]:
    return states.LOCAL, Route(destination="0.0.0.0/0", target=target, state=state)


def with_more_subnets(*subnets: Any, associated: bool = False) -> Snapshot:
    own = states.vpc()
    snapshot = with_vpc(finished(), subnets=(*own.subnets, *subnets))
    table = states.public_table()
    more = tuple(subnet.id for subnet in subnets) if associated else ()
    return with_table(snapshot, subnets=(*table.subnets, *more))


def named(prefix: str) -> Snapshot:
    """Everything as if the form's name had been typed wrongly."""
    snapshot = with_vpc(finished(), name=f"{prefix}-vpc")
    snapshot = with_table(snapshot, name=f"{prefix}-rtb-public")
    snapshot = states.with_gateway(snapshot, name=f"{prefix}-igw")
    for number in (1, 2):
        name = states.subnet(number).name.replace("ecs-handson", prefix)
        snapshot = with_subnet(snapshot, number, name=name)
    return snapshot


def in_another_cidr() -> Snapshot:
    snapshot = with_vpc(finished(), cidr="10.1.0.0/16", cidrs=("10.1.0.0/16",))
    snapshot = with_subnet(snapshot, 1, cidr="10.1.0.0/20")
    return with_subnet(snapshot, 2, cidr="10.1.16.0/20")


def without_gateway() -> Snapshot:
    """As AWS shows it after the gateway was detached: the route to it is a blackhole."""
    dead = with_table(finished(), routes=route(states.GATEWAY, state="blackhole"))
    return with_vpc(dead, internet_gateways=())


TWIN = states.vpc(
    id="vpc-0ffffffffffffffff", subnets=(), route_tables=(), internet_gateways=(), endpoints=()
)
BARE = replace(TWIN, tagged=False)
NETWORK, CLUSTER, REPOSITORY = ALL["network"], ALL["cluster"], ALL["repository"]
IMAGE, URI = ALL["image"], ALL["image-uri"]
ROUTES = {"routes.default"}
PROVIDERS = ("FARGATE", "FARGATE_SPOT", "my-asg-provider")
TYPO = states.cluster(name="ecs-handson-clustr")
PUBLIC = {
    "arn": f"arn:aws:ecr-public::{states.ACCOUNT}:repository/rails-app",
    "uri": "public.ecr.aws/a1b2c3d4/rails-app",
}


def uri(**parts: str) -> str:
    values = {"account": states.ACCOUNT, "region": states.REGION, "name": "rails-app", **parts}
    return "{account}.dkr.ecr.{region}.amazonaws.com/{name}:latest".format(**values)


WRONG = [
    # the VPC
    Wrong("nothing made yet", states.empty(), NETWORK | CLUSTER | REPOSITORY | IMAGE | URI,
          ("vpc-absent", "cluster-absent", "repository-absent", "image-absent", "uri-absent")),
    Wrong("the VPC deleted", replace(finished(), vpcs=(states.default_vpc(),)), NETWORK,
          ("vpc-absent",)),
    Wrong("the VPC in another region",
          replace(finished(), vpcs=(states.default_vpc(),), elsewhere=states.seen_in("network")),
          NETWORK, ("vpc-region",)),
    Wrong("the default VPC used",
          replace(finished(), vpcs=(states.default_vpc(name="ecs-handson-vpc"),)), NETWORK,
          ("vpc-default",)),
    Wrong("another CIDR block", in_another_cidr(), {"vpc.cidr", "subnets.cidr"}, ("vpc-cidr",)),
    Wrong("a second CIDR block", with_vpc(finished(), cidrs=("10.0.0.0/16", "10.1.0.0/16")),
          {"vpc.cidr"}, ("vpc-cidr-more",)),
    Wrong("an IPv6 block", with_vpc(finished(), ipv6_cidrs=("2600:1f18::/56",)), {"vpc.ipv6"},
          ("vpc-ipv6",)),
    Wrong("dedicated tenancy", with_vpc(finished(), tenancy="dedicated"), {"vpc.tenancy"},
          ("vpc-tenancy",)),
    Wrong("DNS resolution off", with_vpc(finished(), dns_support=False), {"vpc.dns"},
          ("dns-support-off",)),
    Wrong("DNS hostnames off", with_vpc(finished(), dns_hostnames=False), {"vpc.dns"},
          ("dns-hostnames-off",)),
    # its subnets
    Wrong("one subnet", with_vpc(finished(), subnets=(states.subnet(2),)),
          {"subnets.public", "subnets.zones", "subnets.cidr"}, ("subnets-few",)),
    Wrong("no subnets", with_vpc(finished(), subnets=()),
          {"subnets.public", "subnets.zones", "subnets.cidr", "routes.default"},
          ("subnets-few",)),
    Wrong("three subnets", with_more_subnets(states.subnet(3), associated=True),
          {"subnets.public", "subnets.zones", "subnets.cidr"}, ("subnet-more",)),
    Wrong("three subnets in two zones",
          with_more_subnets(
              states.subnet(3, zone="us-east-1a", name="ecs-handson-subnet-public3-us-east-1a"),
              associated=True),
          {"subnets.public", "subnets.cidr"}, ("subnet-more",)),
    Wrong("private subnets", with_more_subnets(states.private_subnet(1), states.private_subnet(2)),
          {"subnets.private"}, ("subnets-more",)),
    Wrong("private subnets by hand",
          with_more_subnets(*(states.private_subnet(n, tagged=False) for n in (1, 2))),
          {"subnets.private"}, ("subnet-private", "subnet-private")),
    Wrong("a private subnet without a word in its name",
          with_more_subnets(states.private_subnet(1, name="database")), {"subnets.private"},
          ("subnet-private",)),
    Wrong("one zone twice",
          with_subnet(finished(), 2, zone="us-east-1a",
                      name="ecs-handson-subnet-public2-us-east-1a"),
          {"subnets.zones"}, ("subnet-zone",)),
    Wrong("two subnets with blocks of one's own",
          with_subnet(with_subnet(finished(), 1, cidr="10.0.1.0/24"), 2, cidr="10.0.2.0/24"),
          {"subnets.cidr"}, ("subnet-cidr", "subnet-cidr")),
    Wrong("one subnet with a block of its own",
          with_vpc(finished(), subnets=(states.subnet(1, cidr="10.0.1.0/24"),)),
          {"subnets.public", "subnets.zones", "subnets.cidr"}, ("subnet-cidr", "subnets-few")),
    Wrong("a subnet of another size", with_subnet(finished(), 2, cidr="10.0.16.0/24"),
          {"subnets.cidr"}, ("subnet-cidr",)),
    # its ways out
    Wrong("the gateway detached", without_gateway(), {"gateway.attached", "routes.default"},
          ("gateway-absent",)),
    Wrong("the gateway detached, the route still active",
          with_vpc(finished(), internet_gateways=()), {"gateway.attached", "routes.default"},
          ("gateway-absent",)),
    Wrong("the gateway on its way off",
          states.with_gateway(finished(), attachment="detaching"),
          {"gateway.attached", "routes.default"}, ("gateway-absent",)),
    Wrong("no gateway and no route",
          with_table(with_vpc(finished(), internet_gateways=()), routes=(states.LOCAL,)),
          {"gateway.attached", "routes.default"}, ("gateway-absent", "route-missing")),
    Wrong("the route missing", with_table(finished(), routes=(states.LOCAL,)), ROUTES,
          ("route-missing",)),
    Wrong("the route a blackhole",
          with_table(finished(), routes=route("igw-0gone", state="blackhole")), ROUTES,
          ("route-blackhole",)),
    Wrong("the route to another VPC's gateway", with_table(finished(), routes=route("igw-0other")),
          ROUTES, ("route-elsewhere",)),
    Wrong("the route to a NAT gateway", with_table(finished(), routes=route("nat-0a1b")), ROUTES,
          ("route-elsewhere",)),
    Wrong("the route for some addresses only",
          with_table(finished(), routes=(states.LOCAL, Route(
              destination="8.8.8.0/24", target=states.GATEWAY, state="active"))),
          ROUTES, ("route-missing",)),
    Wrong("the table not associated", with_table(finished(), subnets=()), ROUTES,
          ("table-not-associated", "table-not-associated")),
    Wrong("one of two subnets associated", with_table(finished(), subnets=(states.subnet(1).id,)),
          ROUTES, ("table-not-associated",)),
    Wrong("the table not associated, and unnamed", with_table(finished(), subnets=(), name=""),
          ROUTES | {"names"}, ("name-missing", *("table-not-associated",) * 2)),
    Wrong("no table at all", with_vpc(finished(), route_tables=()), ROUTES,
          ("table-not-associated", "table-not-associated")),
    Wrong("the route missing, the subnets unnamed",
          with_subnet(with_subnet(with_table(finished(), routes=(states.LOCAL,)), 1, name=""),
                      2, name="b"),
          {"routes.default", "names"}, ("name-missing", "name-differs", "route-missing")),
    Wrong("the route missing, its table named otherwise",
          with_table(finished(), routes=(states.LOCAL,), name="my-table"),
          {"routes.default", "names"}, ("name-differs", "route-missing")),
    Wrong("a subnet called private in a public block, not associated",
          with_subnet(with_table(finished(), subnets=(states.subnet(1).id,)), 2,
                      name="ecs-handson-subnet-private1-us-east-1b"),
          {"subnets.public", "subnets.private", "subnets.zones", "subnets.cidr"},
          ("subnet-private", "subnets-few")),
    # its names
    Wrong("the VPC's name typed wrongly", with_vpc(finished(), name="ecs-handsom-vpc"), {"names"},
          ("name-differs",)),
    Wrong("the VPC unnamed", with_vpc(finished(), name=""), {"names"}, ("name-missing",)),
    Wrong("a VPC by hand, named otherwise",
          with_vpc(finished(), name="my-vpc-01", tagged=False), {"names"}, ("vpc-unnamed",)),
    Wrong("two VPCs of the block, both named otherwise",
          replace(finished(), vpcs=tuple(
              states.vpc(id=f"vpc-{n}", name=f"vpc {n}", tagged=False) for n in (1, 2))),
          {"names"}, ("vpc-unnamed",)),
    Wrong("the form's name typed wrongly", named("ecs-hands-on"), {"names"}, ("name-differs",) * 5),
    Wrong("a subnet's name with another zone",
          with_subnet(finished(), 2, name="ecs-handson-subnet-public2-us-east-1c"), {"names"},
          ("name-differs",)),
    Wrong("a subnet called private that is public",
          with_subnet(finished(), 2, name="ecs-handson-subnet-private1-us-east-1b"), {"names"},
          ("name-differs",)),
    Wrong("two subnets of one number",
          with_subnet(finished(), 2, name="ecs-handson-subnet-public1-us-east-1b"), {"names"},
          ("name-differs",)),
    Wrong("the route table unnamed", with_table(finished(), name=""), {"names"},
          ("name-missing",)),
    Wrong("the gateway unnamed", states.with_gateway(finished(), name=""), {"names"},
          ("name-missing",)),
    Wrong("a VPC by hand, unnamed", with_vpc(finished(), name="", tagged=False), {"names"},
          ("vpc-nameless",)),
    Wrong("the VPC's name with another dash", with_vpc(finished(), name="ecs－handsonーvpc"),
          {"names"}, ("name-lookalike",)),
    Wrong("the VPC's name in capitals", with_vpc(finished(), name="ECS-handson-vpc"), {"names"},
          ("name-differs",)),
    Wrong("two VPCs of the same name", replace(finished(), vpcs=(*finished().vpcs, BARE)),
          {"names"}, ("vpc-namesake",)),
    Wrong("two tagged VPCs of the same name, the bare one first",
          replace(finished(), vpcs=(TWIN, *finished().vpcs)), {"names"}, ("vpc-namesake",)),
    # the cluster
    Wrong("the cluster deleted", states.with_cluster(finished(), status="INACTIVE"), CLUSTER,
          ("cluster-deleted",)),
    Wrong("no cluster", replace(finished(), clusters=()), CLUSTER, ("cluster-absent",)),
    Wrong("the cluster in another region, and a deleted one here",
          replace(states.with_cluster(finished(), status="INACTIVE"),
                  elsewhere=states.seen_in("cluster")),
          CLUSTER, ("cluster-region",)),
    Wrong("the cluster misspelt", replace(finished(), clusters=(TYPO,)), CLUSTER,
          ("cluster-misspelt",)),
    Wrong("the cluster on its way", states.with_cluster(finished(), status="PROVISIONING"),
          {"cluster.active"}, ("cluster-not-active",)),
    Wrong("the cluster failed", states.with_cluster(finished(), status="FAILED"),
          {"cluster.active"}, ("cluster-not-active",)),
    Wrong("without Fargate", states.with_cluster(finished(), capacity_providers=()),
          {"cluster.fargate"}, ("cluster-no-fargate",)),
    Wrong("with Fargate Spot alone",
          states.with_cluster(finished(), capacity_providers=("FARGATE_SPOT",)),
          {"cluster.fargate"}, ("cluster-no-fargate",)),
    Wrong("with an EC2 capacity provider",
          states.with_cluster(finished(), capacity_providers=PROVIDERS), {"cluster.instances"},
          ("cluster-ec2-provider",)),
    Wrong("with EC2 instances", states.with_cluster(finished(), container_instances=2),
          {"cluster.instances"}, ("cluster-instances",)),
    Wrong("with EC2 alone",
          states.with_cluster(finished(), capacity_providers=("my-asg",), container_instances=1),
          {"cluster.fargate", "cluster.instances"},
          ("cluster-no-fargate", "cluster-ec2-provider", "cluster-instances")),
    # the repository
    Wrong("no repository", replace(finished(), repositories=()), REPOSITORY,
          ("repository-absent",)),
    Wrong("the repository seen in another region",
          replace(finished(), repositories=(), elsewhere=states.seen_in("repository")),
          REPOSITORY, ("repository-region",)),
    Wrong("the repository misspelt", states.with_repository(finished(), name="rails_app"),
          REPOSITORY, ("repository-misspelt",)),
    Wrong("the repository public", states.with_repository(finished(), **PUBLIC),
          {"repository.private", "repository.uri"}, ("repository-public",)),
    Wrong("the repository public, by its URI alone",
          states.with_repository(finished(), uri=PUBLIC["uri"]),
          {"repository.private", "repository.uri"}, ("repository-public",)),
    Wrong("the repository in another region",
          states.with_repository(finished(), uri=uri(region=states.ELSEWHERE)[:-7]),
          {"repository.uri"}, ("repository-region",)),
    Wrong("the repository of another account",
          states.with_repository(finished(), uri=uri(account="998877665544")[:-7]),
          {"repository.uri"}, ("repository-account",)),
    Wrong("a URI that is not ECR's",
          states.with_repository(finished(), uri="localhost:5000/rails-app"), {"repository.uri"},
          ("repository-uri",)),
    # the image
    Wrong("the image deleted", replace(finished(), images=()), IMAGE | {"uri.resolves"},
          ("image-absent", "uri-gone")),
    Wrong("the image in another repository", with_image(finished(), repository="rails"),
          IMAGE | {"uri.resolves"}, ("image-elsewhere", "uri-gone")),
    Wrong("the image seen in another region",
          replace(finished(), images=(), elsewhere=states.seen_in("image")),
          IMAGE | {"uri.resolves"}, ("image-region", "uri-gone")),
    Wrong("image and cluster in another region",
          replace(finished(), images=(), clusters=(), elsewhere=states.seen_in("image", "cluster")),
          IMAGE | CLUSTER | {"uri.resolves"}, ("cluster-region", "image-other-region", "uri-gone")),
    Wrong("only the image in another region",
          with_uri(replace(finished(), images=()), uri=uri(region=states.ELSEWHERE)),
          IMAGE | {"uri.region", "uri.resolves"}, ("image-region", "uri-region", "uri-gone")),
    Wrong("the image untagged", with_image(finished(), tags=()),
          {"image.tag", "image.unique-tag", "uri.resolves"},
          ("image-untagged", "image-only-latest", "uri-gone")),
    Wrong("the image under another tag",
          with_uri(with_image(finished(), tags=("v1",)), uri=f"{states.REPOSITORY_URI}:v1"),
          {"image.tag"}, ("image-tag",)),
    Wrong("the image for arm64", with_image(finished(), platforms=(states.ARM64,)),
          {"image.platform"}, ("image-platform",)),
    Wrong("the image without a platform", with_image(finished(), platforms=()),
          {"image.platform"}, ("image-platform-unknown",)),
    Wrong("only latest", with_image(finished(), tags=("latest",)), {"image.unique-tag"},
          ("image-only-latest",)),
    Wrong("packed by the builtin engine", with_image(finished(), built_by="builtin"),
          {"image.runnable"}, ("image-builtin",)),
    Wrong("never seen running", replace(finished(), recorded_run=None),
          {"image.runnable"}, ("image-unseen",)),
    Wrong("another image seen running", states.with_run(finished(), digest=states.OTHER_DIGEST),
          {"image.runnable"}, ("image-unseen",)),
    Wrong("an image of another repository seen running",
          states.with_run(finished(), repository="nginx"),
          {"image.runnable"}, ("image-unseen",)),
    Wrong("it did not start or did not answer", states.with_run(finished(), status=0),
          {"image.runnable"}, ("image-silent",)),
    Wrong("its first page was an error", states.with_run(finished(), status=500),
          {"image.runnable"}, ("image-status",)),
    Wrong("packed by the builtin engine, whatever was recorded",
          states.with_run(with_image(finished(), built_by="builtin"), engine="builtin"),
          {"image.runnable"}, ("image-builtin",)),
    # the URI
    Wrong("no URI recorded", replace(finished(), recorded_uri=None), URI, ("uri-absent",)),
    Wrong("something else recorded", with_uri(finished(), uri="rails-app:latest"), URI,
          ("uri-malformed",)),
    Wrong("another region in the URI", with_uri(finished(), uri=uri(region=states.ELSEWHERE)),
          {"uri.region"}, ("uri-region",)),
    Wrong("a cluster of another region than the URI",
          states.with_cluster(finished(), arn=states.cluster().arn.replace(
              states.REGION, states.ELSEWHERE)),
          {"uri.region"}, ("uri-region",)),
    Wrong("another account in the URI", with_uri(finished(), uri=uri(account="998877665544")),
          {"uri.resolves"}, ("uri-account",)),
    Wrong("another repository in the URI", with_uri(finished(), uri=uri(name="nginx")),
          {"uri.resolves"}, ("uri-repository",)),
    Wrong("re-tagged after the URI was recorded",
          with_image(finished(), digest=states.OTHER_DIGEST),
          {"image.runnable", "uri.resolves"}, ("image-unseen", "uri-moved")),
    Wrong("a digest in the URI that the tag does not lead to",
          with_uri(finished(), uri=f"{states.REPOSITORY_URI}:latest@{states.OTHER_DIGEST}"),
          {"uri.resolves"}, ("uri-moved",)),
]  # fmt: skip


ATTESTED = (
    states.image(media_type="application/vnd.oci.image.index.v1+json"),
    states.image(digest="sha256:" + "1" * 64, tags=(), platforms=(states.AMD64,)),
    states.image(digest="sha256:" + "2" * 64, tags=(), platforms=()),
)
OTHER_ZONES = with_subnet(
    with_subnet(finished(), 1, zone="us-east-1d", name="ecs-handson-subnet-public1-us-east-1d"),
    2, zone="us-east-1f", name="ecs-handson-subnet-public2-us-east-1f",
)  # fmt: skip
BY_TAG = "@" + states.DIGEST
RIGHT = {
    "as the notebooks leave it": finished(),
    "without the S3 endpoint": with_vpc(finished(), endpoints=()),
    "in other zones": OTHER_ZONES,
    "subnets numbered the other way round": with_subnet(
        with_subnet(finished(), 1, name="ecs-handson-subnet-public2-us-east-1a"),
        2, name="ecs-handson-subnet-public1-us-east-1b"),
    "public addresses given automatically": with_subnet(finished(), 1, map_public_ip=True),
    "made by hand, without the tag": with_vpc(finished(), tagged=False),
    "an attachment that reads attached": states.with_gateway(finished(), attachment="attached"),
    "more VPCs": replace(finished(), vpcs=(*finished().vpcs, replace(BARE, name="other"))),
    "no default VPC": replace(finished(), vpcs=(states.vpc(),)),
    "the route in the main table": with_vpc(finished(), route_tables=(
        states.main_table(routes=(states.LOCAL, states.TO_GATEWAY),
                          name="ecs-handson-rtb-public"),)),
    "a further private route table": with_vpc(finished(), route_tables=(
        states.public_table(id="rtb-0private", name="ecs-handson-rtb-private1", subnets=(),
                            routes=(states.LOCAL,)),
        *states.vpc().route_tables)),
    "a private route table that leads to a NAT gateway": with_vpc(finished(), route_tables=(
        states.public_table(id="rtb-0private", name="ecs-handson-rtb-private1", subnets=(),
                            routes=route("nat-0a1b")),
        *states.vpc().route_tables)),
    "Fargate without Spot": states.with_cluster(finished(), capacity_providers=("FARGATE",)),
    "tasks and services running": states.with_cluster(
        finished(), running_tasks=2, active_services=1),
    "more clusters": replace(finished(), clusters=(states.cluster(name="default"),
                                                   states.cluster())),
    "two clusters of one name, one not ready": replace(finished(), clusters=(
        states.cluster(arn="arn:a", status="PROVISIONING"), states.cluster())),
    "deleted and made again": replace(finished(), clusters=(states.cluster(status="INACTIVE"),
                                                            states.cluster())),
    "immutable tags": states.with_repository(finished(), tag_mutability="IMMUTABLE"),
    "more repositories": replace(finished(), repositories=(
        states.repository(), states.repository(name="nginx", uri="x"))),
    "a namesake with another URI": replace(finished(), repositories=(
        states.repository(uri=uri(region=states.ELSEWHERE)[:-7]), states.repository())),
    "a public namesake": replace(finished(), repositories=(
        states.repository(**PUBLIC), states.repository())),
    "an index with attestations": replace(finished(), images=ATTESTED),
    "an index of two platforms": with_image(
        finished(), platforms=(states.AMD64, states.ARM64)),
    "more images": replace(finished(), images=(states.image(), states.image(
        digest=states.OTHER_DIGEST, tags=("old",), pushed_at="2027-01-01"))),
    "images in other repositories": replace(finished(), images=(
        states.image(repository="nginx", digest=states.OTHER_DIGEST), states.image())),
    "a first page that leads on": states.with_run(finished(), status=302),
    "built by something that does not say so": with_image(finished(), built_by=None),
    "a unique tag recorded": with_uri(finished(), uri=f"{states.REPOSITORY_URI}:0123456789ab"),
    "a digest recorded": with_uri(finished(), uri=states.REPOSITORY_URI + BY_TAG),
    "tag and digest recorded": with_uri(
        finished(), uri=f"{states.REPOSITORY_URI}:latest{BY_TAG}"),
    "a URI without a tag, which means latest": with_uri(finished(), uri=states.REPOSITORY_URI),
    "more of it in another region": replace(
        finished(), elsewhere=states.seen_in(*syllabus.CHECK_IDS)),
    "on real AWS": replace(finished(), target=states.target(kind="aws", endpoint=None)),
}  # fmt: skip

every_wrong_state = pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
every_check = pytest.mark.parametrize("check_id", syllabus.CHECK_IDS)


def false_facts(verification: Verification) -> set[str]:
    return {fact.id for check in verification.checks for fact in check.facts if not fact.passed}


@every_wrong_state
def test_a_wrong_state_turns_exactly_its_facts_false(wrong: Wrong) -> None:
    assert false_facts(checks.run_checks(wrong.state)) == wrong.facts


@every_wrong_state
def test_a_wrong_state_is_told_by_its_cause(wrong: Wrong) -> None:
    found = [d.code for check in checks.run_checks(wrong.state).checks for d in check.diagnoses]
    assert tuple(found) == wrong.causes


@every_wrong_state
def test_each_false_fact_is_explained_and_no_other(wrong: Wrong) -> None:
    result = checks.run_checks(wrong.state)
    assert {id for c in result.checks for d in c.diagnoses for id in d.facts} == wrong.facts


@every_wrong_state
def test_a_check_fails_by_its_facts_and_not_by_advice(wrong: Wrong) -> None:
    failed = {check.id for check in checks.run_checks(wrong.state).checks if not check.passed}
    assert failed == {id for id, facts in ALL.items() if facts & (wrong.facts - ADVICE)}


@pytest.mark.parametrize("state", RIGHT.values(), ids=RIGHT)
def test_a_harmless_difference_passes(state: Snapshot) -> None:
    assert false_facts(checks.run_checks(state)) == set()


@pytest.mark.parametrize("state", RIGHT.values(), ids=RIGHT)
def test_nothing_is_diagnosed_where_nothing_is_wrong(state: Snapshot) -> None:
    assert [c.diagnoses for c in checks.run_checks(state).checks] == [()] * len(syllabus.CHECKS)


def test_every_fact_is_turned_false_by_some_wrong_state_of_its_own() -> None:
    alone = {fact for wrong in WRONG for fact in wrong.facts if len(wrong.facts) <= 2}
    whole = {"vpc.exists", "cluster.exists", "repository.exists", "image.pushed", "uri.recorded"}
    in_threes = {"subnets.public"}
    assert alone | whole | in_threes == set().union(*ALL.values())


def test_every_cause_in_the_catalogue_has_a_wrong_state_or_a_wrong_drawing() -> None:
    written = {key for key in messages.catalogue("course") if key.startswith("checks.cause.")}
    seen = {code for wrong in WRONG for code in wrong.causes} | causes_of_wrong_drawings()
    assert {f"checks.cause.{code}" for code in seen} == written


def causes_of_wrong_drawings() -> set[str]:
    """Return what the check of the diagram says of the drawings that learners get wrong."""
    results = [
        checks.run_check("architecture", Snapshot(target=states.target(), drawing=drawing))
        for drawing in (
            None,
            *(drawn_by_learners.draw(body) for body, _ in drawn_by_learners.WRONG.values()),
        )
    ]
    return {cause.code for result in results for cause in result.diagnoses}


@every_check
def test_a_check_gives_all_its_facts_in_order_even_when_nothing_is_there(check_id: str) -> None:
    nothing = Snapshot(target=states.target())
    found = [(fact.id, fact.advice) for fact in checks.run_check(check_id, nothing).facts]
    there = checks.run_check(check_id, finished()).facts
    assert found == [(fact.id, fact.advice) for fact in there]


@every_check
def test_what_is_expected_does_not_depend_on_what_is_there(check_id: str) -> None:
    def expected(snapshot: Snapshot) -> dict[str, Any]:
        facts = checks.run_check(check_id, snapshot).facts
        return {fact.id: fact.expected for fact in facts if fact.id != "names"}

    assert expected(Snapshot(target=states.target())) == expected(finished())


def test_the_best_of_two_namesakes_is_judged() -> None:
    spoilt = states.vpc(id="vpc-0aaa", dns_support=False)
    result = checks.run_check("network", replace(finished(), vpcs=(spoilt, states.vpc())))
    assert [fact.id for fact in result.facts if not fact.passed] == ["names"]


def test_a_tagged_vpc_is_judged_before_one_by_hand() -> None:
    by_hand = states.vpc(id="vpc-0aaa", tagged=False)
    spoilt = states.vpc(dns_support=False)
    result = checks.run_check("network", replace(finished(), vpcs=(by_hand, spoilt)))
    assert {fact.id for fact in result.facts if not fact.passed} == {"vpc.dns", "names"}


def test_a_namesake_is_told_by_both_ids() -> None:
    state = replace(finished(), vpcs=(*finished().vpcs, BARE))
    (diagnosis,) = checks.run_check("network", state).diagnoses
    assert (states.vpc().id in diagnosis.message, BARE.id in diagnosis.message) == (True, True)


def test_a_namesake_with_something_in_it_is_not_deleted_by_a_bare_call() -> None:
    full = states.vpc(id="vpc-0fff", tagged=False, internet_gateways=(), endpoints=())
    (diagnosis,) = checks.run_check(
        "network", replace(finished(), vpcs=(states.vpc(), full))
    ).diagnoses
    assert "workshop.aws.call" not in diagnosis.remedy


def test_a_wrong_name_is_told_with_the_name_that_was_wanted() -> None:
    result = checks.run_check("network", with_vpc(finished(), name="ecs-handsom-vpc"))
    assert [
        "ecs-handsom-vpc" in d.message and "ecs-handson-vpc" in d.message for d in result.diagnoses
    ] == [True]


def test_a_wrong_region_is_told_by_both_regions() -> None:
    messages.use("en")
    state = with_uri(replace(finished(), images=()), uri=uri(region=states.ELSEWHERE))
    (diagnosis,) = checks.run_check("image", state).diagnoses
    assert diagnosis.message == "The image is in ap-northeast-1; the cluster is in us-east-1."


def test_several_regions_are_all_named() -> None:
    seen = (*states.seen_in("cluster"), *states.seen_in("cluster", region="us-west-2"))
    state = replace(finished(), clusters=(), elsewhere=seen)
    (diagnosis,) = checks.run_check("cluster", state).diagnoses
    assert "ap-northeast-1, us-west-2" in diagnosis.message


def test_what_was_seen_here_is_not_elsewhere() -> None:
    seen = states.seen_in("cluster", region=states.REGION)
    (diagnosis,) = checks.run_check(
        "cluster", replace(finished(), clusters=(), elsewhere=seen)
    ).diagnoses
    assert diagnosis.code == "cluster-absent"


def test_other_vpcs_of_the_same_block_are_no_namesakes() -> None:
    one, other = (states.vpc(id=f"vpc-{n}", name=f"vpc {n}", tagged=False) for n in (1, 2))
    result = checks.run_check("network", replace(finished(), vpcs=(one, other)))
    assert [d.code for d in result.diagnoses] == ["vpc-unnamed"]


def test_the_newest_image_is_judged_where_none_has_the_tag() -> None:
    old = states.image(tags=("v1",), pushed_at="2025-01-01", platforms=(states.ARM64,))
    new = states.image(tags=("v2",), digest=states.OTHER_DIGEST)
    result = checks.run_check("image", replace(finished(), images=(new, old)))
    assert "image.platform" in [fact.id for fact in result.facts if fact.passed]


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("PROVISIONING", "待って"),
        ("DEPROVISIONING", "待って"),
        ("FAILED", 'workshop.aws.call("ecs", "DeleteCluster", cluster="ecs-handson-cluster")'),
    ],
)
def test_a_cluster_on_its_way_is_waited_for_and_a_failed_one_made_anew(
    status: str, remedy: str
) -> None:
    (diagnosis,) = checks.run_check(
        "cluster", states.with_cluster(finished(), status=status)
    ).diagnoses
    assert remedy in diagnosis.remedy


def test_a_cluster_found_in_another_region_than_the_target_fails_the_region() -> None:
    arn = states.cluster().arn.replace(states.REGION, states.ELSEWHERE)
    result = checks.run_check("image-uri", states.with_cluster(finished(), arn=arn))
    observed = {fact.id: fact.observed for fact in result.facts}
    assert observed["uri.region"] == [states.REGION, states.ELSEWHERE]


REMEDIES: dict[str, tuple[Callable[[], Snapshot], str]] = {
    "a missing route is mended by the notebook": (
        lambda: with_table(finished(), routes=(states.LOCAL,)),
        "01-network",
    ),
    "a wrong route is mended by the notebook": (
        lambda: with_table(finished(), routes=route("igw-0other")),
        "01-network",
    ),
    "a VPC by hand is completed by the notebook, which finds it by name": (
        lambda: with_vpc(with_table(finished(), subnets=()), tagged=False),
        "01-network",
    ),
    "DNS of a VPC by another name is mended by a call": (
        lambda: with_vpc(finished(), name="x", dns_hostnames=False),
        'workshop.aws.call("ec2", "ModifyVpcAttribute", VpcId="vpc-0a1b2c3d4e5f60001", '
        'EnableDnsHostnames={"Value": True})',
    ),
    "what cannot be changed is made anew": (
        in_another_cidr,
        'workshop.cleanup(confirm="delete")',
    ),
    "a subnet in the way of the other is deleted before any is made": (
        lambda: with_subnet(with_subnet(finished(), 1, cidr="10.0.1.0/24"), 2, cidr="10.0.2.0/24"),
        f'次を実行してください: workshop.aws.call("ec2", "DeleteSubnet", '
        f'SubnetId="{states.subnet(1).id}")',
    ),
    "a block that was added is taken away in the console": (
        lambda: with_vpc(finished(), cidrs=("10.0.0.0/16", "10.1.0.0/16")),
        "「CIDR の編集」で 10.1.0.0/16 を削除",
    ),
    "a VPC by hand is deleted by hand": (
        lambda: with_vpc(in_another_cidr(), tagged=False),
        "VPC コンソール",
    ),
    "a surplus subnet is deleted by its id": (
        lambda: with_more_subnets(states.subnet(3), associated=True),
        f'workshop.aws.call("ec2", "DeleteSubnet", SubnetId="{states.subnet(3).id}")',
    ),
    "a name is put right by its tag": (
        lambda: with_table(finished(), name="x"),
        'Tags=[{"Key": "Name", "Value": "ecs-handson-rtb-public"}])',
    ),
}


@pytest.mark.parametrize(("state", "remedy"), REMEDIES.values(), ids=REMEDIES)
def test_a_remedy_says_what_to_do(state: Callable[[], Snapshot], remedy: str) -> None:
    first, *_ = checks.run_check("network", state()).diagnoses
    assert remedy in first.remedy


IN_A_TABLE_BY_ANOTHER_NAME = {
    "missing": ((states.LOCAL,), "CreateRoute"),
    "elsewhere": (route("igw-0other"), "ReplaceRoute"),
    "dead": (route("igw-0gone", state="blackhole"), "ReplaceRoute"),
}


@pytest.mark.parametrize(
    ("routes", "call"),
    IN_A_TABLE_BY_ANOTHER_NAME.values(),
    ids=IN_A_TABLE_BY_ANOTHER_NAME,
)
def test_a_route_in_a_table_by_another_name_is_mended_by_a_call(
    routes: tuple[Route, ...], call: str
) -> None:
    state = with_table(finished(), routes=routes, name="my-table")
    *_, last = checks.run_check("network", state).diagnoses
    assert (
        f'workshop.aws.call("ec2", "{call}", RouteTableId="rtb-0a1b2c3d4e5f60001", '
        'DestinationCidrBlock="0.0.0.0/0", GatewayId="igw-0a1b2c3d4e5f60001")' in last.remedy
    )


def test_a_subnet_without_its_table_in_a_vpc_by_another_name_is_associated_by_a_call() -> None:
    private = states.public_table(id="rtb-0aaa", name="private", subnets=(), routes=())
    tables = (states.main_table(), private, states.public_table(subnets=()))
    state = with_vpc(finished(), route_tables=tables, name="x")
    *_, last = checks.run_check("network", state).diagnoses
    assert (
        f'workshop.aws.call("ec2", "AssociateRouteTable", '
        f'RouteTableId="{states.public_table().id}", SubnetId="{states.subnet(2).id}")'
        in last.remedy
    )


def test_a_wrong_name_is_told_before_what_hangs_on_it() -> None:
    state = with_vpc(with_table(finished(), routes=(states.LOCAL,)), name="x")
    told = [diagnosis.code for diagnosis in checks.run_check("network", state).diagnoses]
    assert told == ["name-differs", "route-missing"]


def test_a_namesake_is_deleted_in_the_console_on_real_aws_and_by_clean_up_elsewhere() -> None:
    twin = states.vpc(id="vpc-0fff")
    remedies = []
    for target in (states.target(kind="aws", endpoint=None), states.target()):
        state = replace(finished(target=target), vpcs=(states.vpc(), twin))
        (diagnosis,) = checks.run_check("network", state).diagnoses
        remedies.append(diagnosis.remedy)
    assert ("VPC コンソール" in remedies[0], "workshop.cleanup(" in remedies[1]) == (True, True)


def test_a_call_in_a_remedy_is_one_line_of_python_whatever_a_stranger_has_written() -> None:
    state = with_table(finished(), id='rtb-"\n!rm', name="x")
    (diagnosis,) = checks.run_check("network", state).diagnoses
    call = diagnosis.remedy[diagnosis.remedy.index("workshop.") :]
    (statement,) = ast.parse(call).body
    assert (isinstance(statement, ast.Expr), len(call.splitlines())) == (True, 1)


def test_the_verification_is_the_contract() -> None:
    found = checks.run_checks(with_vpc(finished(), tenancy="dedicated")).to_json()
    network = found["checks"][0]
    tenancy = {"id": "vpc.tenancy", "expected": "default", "observed": "dedicated", "passed": False}
    assert (
        {key: found[key] for key in ("schema", "target", "passed")},
        [check["id"] for check in found["checks"]],
        tenancy in network["facts"],
        [sorted(diagnosis) for diagnosis in network["diagnoses"]],
    ) == (
        {
            "schema": "handson.verification/1",
            "target": {
                "kind": "emulator",
                "account": states.ACCOUNT,
                "region": states.REGION,
                "endpoint": "http://127.0.0.1:4566",
            },
            "passed": False,
        },
        list(syllabus.CHECK_IDS),
        True,
        [["code", "message", "remedy"]],
    )


@every_wrong_state
def test_a_verification_goes_through_json_unchanged(wrong: Wrong) -> None:
    found = checks.run_checks(wrong.state).to_json()
    assert json.loads(json.dumps(found)) == found


@every_check
def test_a_card_shows_expected_beside_observed_for_each_fact(check_id: str) -> None:
    result = checks.run_check(check_id, finished())
    text = repr(result)
    assert [fact.label for fact in result.facts if f"  ✔ | {fact.label} | " not in text] == [
        fact.label for fact in result.facts if fact.advice
    ]


def test_a_card_shows_the_cause_and_the_remedy() -> None:
    result = checks.run_check("network", with_vpc(finished(), tenancy="dedicated"))
    (diagnosis,) = result.diagnoses
    lines = repr(result).splitlines()
    assert lines[-2:] == [f"  ⚠ {diagnosis.message}", f"  → {diagnosis.remedy}"]


@pytest.mark.parametrize("engine", ["docker", "builtin"])
def test_advice_stands_on_lines_of_its_own_whatever_it_says(engine: str) -> None:
    text = repr(checks.run_check("image", with_image(finished(), built_by=engine)))
    kept = [line for line in text.splitlines() if "ⓘ" not in line]
    assert len(text.splitlines()) - len(kept) == 2


def test_cards_differ_between_engines_in_lines_of_advice_alone() -> None:
    def kept(engine: str) -> list[str]:
        text = repr(checks.run_check("image", with_image(finished(), built_by=engine)))
        return [line for line in text.splitlines() if "ⓘ" not in line]

    assert kept("docker") == kept("builtin")


def test_each_line_of_advice_gives_its_own_reason() -> None:
    image = with_image(finished(), tags=("latest",), built_by="builtin")
    advice = [line for line in repr(checks.run_check("image", image)).splitlines() if "ⓘ" in line]
    assert ["builtin エンジン" in line for line in advice] == [False, True]


@pytest.mark.parametrize(
    ("state", "first"),
    [(finished(), "✔✔"), (states.with_cluster(finished(), status="FAILED"), "✘✘")],
    ids=["done", "not done"],
)
def test_a_card_begins_with_the_verdict(state: Snapshot, first: str) -> None:
    verification = checks.run_checks(state)
    assert repr(verification)[0] + repr(verification.checks[1])[0] == first


def test_a_card_says_yes_and_no_in_words() -> None:
    shown = repr(checks.run_check("network", with_vpc(finished(), internet_gateways=())))
    assert "  ✘ | インターネットゲートウェイがアタッチされている | はい | いいえ" in shown


def test_the_verification_is_a_table_of_the_checks() -> None:
    lines = repr(checks.run_checks(states.with_cluster(finished(), status="FAILED"))).splitlines()
    assert lines[2:7] == [
        "  ✔ | VPC とパブリックサブネット | 12/12 | 01-network",
        "  ✘ | Fargate の ECS クラスター | 3/4 | 02-cluster",
        "  ✔ | ECR のプライベートリポジトリ | 3/3 | 03-image",
        "  ✔ | ECR にプッシュしたイメージ | 3/3 | 03-image",
        "  ✔ | ECR のイメージ URI | 3/3 | 03-image",
    ]


def test_the_verification_shows_the_facts_that_are_false_and_no_others() -> None:
    lines = repr(checks.run_checks(states.with_cluster(finished(), status="FAILED"))).splitlines()
    assert lines[7:10] == [
        "  Fargate の ECS クラスター:",
        "   | 確認すること | 期待する値 | 実際の値",
        "  ✘ | クラスターのステータス | ACTIVE | FAILED",
    ]


@pytest.mark.parametrize("language", messages.LANGUAGES)
@every_wrong_state
def test_every_result_can_be_shown(wrong: Wrong, language: str) -> None:
    messages.use(language)
    verification = checks.run_checks(wrong.state)
    shown: list[CheckResult | Verification] = [verification, *verification.checks]
    assert all({"text/plain", "text/html"} == set(r._repr_mimebundle_()) for r in shown)


def test_a_strangers_text_cannot_write_lines_of_its_own() -> None:
    state = with_vpc(finished(), tenancy="x\n✔ everything passed\u202e")
    lines = repr(checks.run_check("network", state)).splitlines()
    assert [line for line in lines if line.startswith("✔")] == []


def test_a_strangers_text_cannot_pass_for_a_mark() -> None:
    text = repr(checks.run_check("network", with_vpc(finished(), tenancy="ok")))
    assert "✘ | テナンシー | default | “ok”" in text
