"""The exercise as data: what the documents promise, word for word."""

from __future__ import annotations

import pytest

from handson.course import exercise, syllabus
from handson.course.exercise import Exercise, NetworkForm
from handson.course.syllabus import Answer, Check, Form


def test_the_syllabus_has_these_checks_and_answers_that_make_a_hundred_points() -> None:
    assert (
        Check("network", "01-network", 30, ("ec2",)),
        Check("cluster", "02-cluster", 15, ("ecs",)),
        Check("repository", "03-image", 10, ("ecr",)),
        Check("image", "03-image", 15, ("ecr",)),
        Check("image-uri", "03-image", 10, ("ecr",)),
    ) == syllabus.CHECKS
    answers = (*syllabus.QUESTIONS, syllabus.DIAGRAM)
    grade_ids = ("why-network", "why-zones", "why-cluster", "why-registry", "architecture")
    assert answers == tuple(Answer(id, "05-architecture", 4) for id in grade_ids)
    assert Check("architecture", "05-architecture", 4) == syllabus.DRAWING
    assert sum(item.points for item in (*syllabus.CHECKS, *answers)) == 100
    assert syllabus.ADVICE == ("image.runnable",)


def test_the_notebooks_are_these() -> None:
    assert " ".join(syllabus.NOTEBOOKS) == (
        "00-prepare 01-network 02-cluster 03-image 04-evidence 05-architecture 99-cleanup"
    )
    assert " ".join(syllabus.OPTIONAL_NOTEBOOKS) == "06-troubleshooting"
    every = (*syllabus.NOTEBOOKS, *syllabus.OPTIONAL_NOTEBOOKS)
    assert list(syllabus.ALL_NOTEBOOKS) == sorted(every)


def test_the_forms_are_these() -> None:
    names = ("name", "cidr", "availability_zones", "public_subnets", "private_subnets")
    assert (
        Form("network", "01-network", "ensure_network", names),
        Form("cluster", "02-cluster", "ensure_cluster", ("name", "fargate", "ec2_instances")),
        Form("repository", "03-image", "ensure_repository", ("name",)),
    ) == syllabus.FORMS


def test_find_check_finds_the_checks_and_the_diagrams() -> None:
    found = [syllabus.find_check(id) for id in syllabus.EVIDENCE_IDS]
    assert found == [*syllabus.CHECKS, syllabus.DRAWING]
    assert found[4].grade_id == "evidence-image-uri"
    with pytest.raises(KeyError, match="netwrk"):
        syllabus.find_check("netwrk")


def test_the_exercise_is_the_one_of_the_form() -> None:
    assert Exercise().to_json() == {
        "region": "us-east-1", "cluster": "ecs-handson-cluster", "repository": "rails-app",
        "tag": "latest",
        "network": {
            "name": "ecs-handson", "cidr": "10.0.0.0/16", "availability_zones": 2,
            "public_subnets": 2, "private_subnets": 0, "tenancy": "default", "s3_endpoint": True},
    }  # fmt: skip
    assert (exercise.TAG_KEY, exercise.TAG_VALUE) == ("handson", "ecs-handson")
    assert (exercise.PLATFORM, exercise.FARGATE) == (("linux", "amd64"), "FARGATE")
    likely = ("us-east-1", "ap-northeast-1", "us-east-2", "us-west-2", "ap-northeast-3")
    assert likely == exercise.LIKELY_REGIONS
    with pytest.raises(AttributeError):
        Exercise().network.cidr = "10.1.0.0/16"  # type: ignore[misc]


def test_name_of_gives_the_names_of_the_console() -> None:
    form = NetworkForm(name="shop")
    kinds = ("vpc", "gateway", "endpoint", "public-table")
    assert [form.vpc_name, *(form.name_of(kind) for kind in kinds)] == [
        "shop-vpc", "shop-vpc", "shop-igw", "shop-vpce-s3", "shop-rtb-public",
    ]  # fmt: skip
    numbered = ("private-table", "public-subnet", "private-subnet")
    ends = ("rtb-private2", "subnet-public2", "subnet-private2")
    found = [form.name_of(kind, number=2, zone="us-east-1b") for kind in numbered]
    assert found == [f"shop-{end}-us-east-1b" for end in ends]
