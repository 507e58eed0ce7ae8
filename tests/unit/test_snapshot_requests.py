"""What a snapshot asks of AWS: the services that the checks read, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from handson.core.errors import HandsonError, NotAllowed
from handson.course.exercise import LIKELY_REGIONS, Exercise
from handson.course.state import Snapshot
from handson.resources.snapshot import take_snapshot
from tests.unit.fake_aws import ACCOUNT, FakeAws, Refusal

ECR = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository"
ECS = f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster"
NAMES = {"Tags": [{"Key": "Name", "Value": Exercise().network.vpc_name}]}
TAGGED = {"tags": [{"Key": "handson", "Value": "ecs-handson"}]}
VPCS = [
    {"VpcId": "vpc-default", "CidrBlock": "172.31.0.0/16", "IsDefault": True},
    {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", **NAMES},
    {"VpcId": "vpc-2", "CidrBlock": "10.1.0.0/16"},
]
PROD = [f"prod/app-{number}" for number in range(25)]  # other people's
NO_REPOSITORY = Refusal("RepositoryNotFoundException")
DENIED = Refusal("AccessDeniedException", "not authorized", 403)


def repository(name: str) -> dict[str, Any]:
    return {
        "repositoryName": name,
        "repositoryArn": f"{ECR}/{name}",
        "repositoryUri": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{name}",
        "registryId": ACCOUNT,
    }


def by_name(*names: str) -> Any:
    """Answer DescribeRepositories for these repositories: one by name, or the list."""

    def answer(asked: dict[str, Any]) -> Any:
        wanted = asked.get("repositoryNames", names)
        found = [repository(name) for name in wanted if name in names]
        return {"repositories": found} if found or "repositoryNames" not in asked else NO_REPOSITORY

    return answer


def clusters(*names: str) -> Any:
    """Answer DescribeClusters for these clusters, asked for by name."""

    def answer(asked: dict[str, Any]) -> Any:
        found = [name for name in asked["clusters"] if name in names]
        described = [
            {"clusterName": n, "clusterArn": f"{ECS}/{n}", "status": "ACTIVE"} for n in found
        ]
        return {"clusters": described}

    return answer


@pytest.fixture
def fake() -> FakeAws:
    """An account in which the workshop is finished, with some other resources."""
    fake = FakeAws()
    fake.answers("DescribeVpcs", {"Vpcs": VPCS})
    for kind in ("Subnets", "RouteTables", "InternetGateways", "VpcEndpoints"):
        fake.answers(f"Describe{kind}", {kind: []})
    attributes = ("EnableDnsSupport", "EnableDnsHostnames")
    fake.answers("DescribeVpcAttribute", {name: {"Value": True} for name in attributes})
    fake.answers("ListClusters", {"clusterArns": [f"{ECS}/ecs-handson-cluster"]})
    fake.answers("DescribeClusters", clusters("ecs-handson-cluster"))
    fake.answers("DescribeRepositories", by_name("rails-app", "zoo", *PROD))
    fake.answers("ListTagsForResource", TAGGED)
    fake.answers("DescribeImages", {"imageDetails": [{"imageDigest": "sha256:1"}]})
    fake.answers("BatchGetImage", {"images": []})
    return fake


def look(fake: FakeAws, *checks: str, home: Path, **options: Any) -> Snapshot:
    wanted: Collection[str] | None = checks or None
    aws = fake.connect(kind="emulator")
    return take_snapshot(aws, home=home, exercise=Exercise(), checks=wanted, **options)


def test_a_network_takes_seven_requests_and_a_missing_one_takes_one_in_each_region(
    fake: FakeAws, tmp_path: Path
) -> None:
    seen = look(fake, "network", home=tmp_path, missing=("network",))
    assert [vpc.id for vpc in seen.vpcs] == ["vpc-1"]
    parts = ("InternetGateways", "RouteTables", "Subnets", "VpcAttribute", "VpcAttribute")
    asked = [f"Describe{part}" for part in (*parts, "VpcEndpoints", "Vpcs")]
    assert sorted(fake.operations) == asked
    fake.calls.clear()
    fake.answers("DescribeVpcs", {"Vpcs": VPCS[:1]})
    assert look(fake, "network", home=tmp_path, missing=("network",)).vpcs == ()
    assert fake.operations == ["DescribeVpcs"] * 5


def test_the_cluster_takes_one_request_or_a_search_for_a_near_name(
    fake: FakeAws, tmp_path: Path
) -> None:
    assert look(fake, "cluster", home=tmp_path).clusters[0].name == "ecs-handson-cluster"
    assert fake.operations == ["DescribeClusters"]
    fake.answers("ListClusters", {"clusterArns": [f"{ECS}/ecs-handson-clusters", f"{ECS}/zoo"]})
    fake.answers("DescribeClusters", clusters("ecs-handson-clusters", "zoo"))
    seen = look(fake, "cluster", home=tmp_path)
    assert [cluster.name for cluster in seen.clusters] == ["ecs-handson-clusters"]


def test_the_repository_is_found_by_its_name_or_a_near_one(fake: FakeAws, tmp_path: Path) -> None:
    assert [it.name for it in look(fake, "repository", home=tmp_path).repositories] == ["rails-app"]
    assert fake.operations == ["DescribeRepositories", "ListTagsForResource"]
    fake.answers("DescribeRepositories", by_name("rails-apps", "zoo"))
    seen = look(fake, "repository", home=tmp_path)
    assert [it.name for it in seen.repositories] == ["rails-apps"]
    assert fake.operations.count("ListTagsForResource") == 2


def test_the_image_is_looked_for_in_its_repository_alone(fake: FakeAws, tmp_path: Path) -> None:
    fake.answers("DescribeClusters", DENIED)
    seen = look(fake, "image", home=tmp_path)
    assert [image.repository for image in seen.images] == ["rails-app"]
    assert "DescribeRepositories" not in fake.operations
    fake.answers("DescribeImages", {"imageDetails": []})
    fake.answers("DescribeRepositories", by_name("rails-app", "rails-apps", "zoo"))
    seen = look(fake, "image", home=tmp_path, missing=("image",))
    assert (seen.images, [it.name for it in seen.repositories]) == ((), ["rails-apps"])
    fake.answers("DescribeRepositories", DENIED)
    assert look(fake, "image", home=tmp_path, missing=("image",)).repositories == ()
    assert {said["repositoryName"] for said in fake.said("DescribeImages")} == {"rails-app"}


def test_a_connection_that_was_denied_a_look_elsewhere_makes_no_other(
    fake: FakeAws, tmp_path: Path
) -> None:
    elsewhere = FakeAws()
    fake.elsewhere = dict.fromkeys({*LIKELY_REGIONS} - {"us-east-1"}, elsewhere)
    for operation in ("DescribeVpcs", "DescribeClusters"):
        elsewhere.answers(operation, DENIED)
    fake.answers("DescribeVpcs", {"Vpcs": []})
    fake.answers("DescribeClusters", clusters())
    aws = fake.connect(kind="emulator")
    for checks in (("network",), ("cluster", "network")):
        take_snapshot(aws, home=tmp_path, checks=checks, missing=checks)
    assert elsewhere.operations == ["DescribeVpcs"]


FAILURES = {"ec2": "DescribeSubnets", "ecs": "DescribeClusters", "ecr": "DescribeRepositories"}
CHECKS = {"ec2": "network", "ecs": "cluster", "ecr": "repository"}


@pytest.mark.parametrize("service", FAILURES)
def test_a_service_that_refuses_is_noted_or_is_an_error(
    fake: FakeAws, tmp_path: Path, service: str
) -> None:
    fake.answers(FAILURES[service], DENIED)
    seen = look(fake, *CHECKS.values(), home=tmp_path, partial=True)
    found = [(unseen.service, FAILURES[service] in unseen.problem) for unseen in seen.unseen]
    assert found == [(service, True)]
    fields = {"ec2": seen.vpcs, "ecs": seen.clusters, "ecr": seen.repositories}
    assert [name for name, found in fields.items() if not found] == [service]
    with pytest.raises(NotAllowed):
        look(fake, *CHECKS.values(), home=tmp_path)


def test_where_every_service_refuses_nothing_is_known(fake: FakeAws, tmp_path: Path) -> None:
    for operation in FAILURES.values():
        fake.answers(operation, DENIED)
    with pytest.raises(HandsonError):
        look(fake, *CHECKS.values(), home=tmp_path, partial=True)
