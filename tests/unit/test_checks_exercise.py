"""Checks by another exercise than the seed's; services that could not be looked at; image URIs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from handson.core import messages
from handson.course import checks
from handson.course.checks import results
from handson.course.checks.repository import EcrUri, build_repository_uri, parse_image_uri
from handson.course.exercise import Exercise, NetworkForm
from handson.course.goal import describe_goal
from handson.course.state import RecordedUri, Snapshot, Unseen
from tests.unit import states

OTHER = Exercise(
    region="ap-northeast-1",
    network=NetworkForm(
        name="blue", cidr="10.20.0.0/16", availability_zones=3, public_subnets=3, private_subnets=0
    ),
    cluster="blue-cluster",
    repository="blue-shop",
    tag="v1",
)
GOAL = replace(
    describe_goal(OTHER),
    recorded_uri=RecordedUri(
        uri="123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/blue-shop:v1",
        digest="sha256:" + "0" * 64,
        recorded_at="2026-01-15",
    ),
)


def test_the_goal_of_another_exercise_passes_by_that_exercise_and_fails_by_the_seeds() -> None:
    verification = checks.run_checks(GOAL, OTHER)
    assert verification.failing == []
    for result in verification.checks:
        observed = checks.trim(result.id, GOAL, OTHER).to_json()
        assert checks.derive(result.id, observed, OTHER) == result
    failing = [check.id for check in checks.run_checks(GOAL).failing]
    assert failing == ["network", "cluster", "repository", "image", "image-uri"]


def test_causes_and_remedies_name_what_the_exercise_asks_for() -> None:
    nothing = Snapshot(target=states.target())
    causes = [d for c in checks.run_checks(nothing, OTHER).checks for d in c.diagnoses]
    told = " ".join(f"{cause.message} {cause.remedy}" for cause in causes)
    assert [name for name in ("blue-vpc", "blue-cluster", "blue-shop") if name not in told] == []
    assert "rails-app" not in told


def test_two_subnets_of_one_zone_are_right_where_the_exercise_asks_for_one_zone() -> None:
    one_zone = Exercise(network=NetworkForm(availability_zones=1))
    zone = {"zone": "us-east-1a", "name": "ecs-handson-subnet-public2-us-east-1a"}
    moved = states.with_subnet(states.finished(), 2, **zone)
    state = states.with_subnet(moved, 1, cidr="10.0.1.0/24")
    [cause] = checks.run_check("network", state, one_zone).diagnoses
    assert (cause.code, "01-network" in cause.remedy) == ("subnet-cidr", True)


# Could not look

CHECKS_OF = {"ec2": ["network"], "ecs": ["cluster"], "ecr": ["repository", "image", "image-uri"]}


def blind(service: str) -> Snapshot:
    """Build a snapshot in which a service refused and everything else is finished."""
    refused = Unseen(service=service, problem=f"No {service}.", remedy=f"Allow {service}.")
    kinds = {"ec2": ["vpcs"], "ecs": ["clusters"], "ecr": ["repositories", "images"]}[service]
    lists: dict[str, Any] = dict.fromkeys(kinds, ())
    return states.finished(unseen=(refused,), **lists)


@pytest.mark.parametrize("service", CHECKS_OF)
def test_a_service_that_refuses_leaves_its_own_checks_open_with_its_reason(service: str) -> None:
    messages.use("en")
    verification = checks.run_checks(blind(service))
    assert [result.id for result in verification.failing] == CHECKS_OF[service]
    for result in verification.checks:
        trimmed = checks.trim(result.id, blind(service))
        assert checks.derive(result.id, json.loads(json.dumps(trimmed.to_json()))) == result
        assert bool(trimmed.unseen) is (result.id in CHECKS_OF[service])
    for result in verification.failing:
        facts = tuple(fact.id for fact in result.facts)
        problem = f"No {service}. So this item could not be checked."
        told = results.Diagnosis("could-not-look", problem, f"Allow {service}.", facts=facts)
        assert result.diagnoses == (told,)
        assert (result.looked, result.state, result.counted) == (False, "warn", "–")
        assert {fact.observed for fact in result.facts} == {None}


def test_an_image_whose_configuration_was_not_read_leaves_its_check_open() -> None:
    messages.use("en")
    unread = Unseen(service="ecr", problem="Not read from S3 (HTTP 403).", remedy="Ask.")
    snapshot = states.with_image(states.finished(), platforms=(), unread=unread)
    [result] = checks.run_checks(snapshot).failing
    told = (result.id, result.looked, result.diagnoses[0].remedy)
    assert told == ("image", False, "Ask.")
    assert "Not read from S3" in str(result)
    assert "build" not in str(result)
    trimmed = checks.trim("image", snapshot).to_json()
    assert checks.derive("image", json.loads(json.dumps(trimmed))) == result
    # An index states the platform itself: only the labels of the image are unknown.
    assert checks.run_checks(states.with_image(states.finished(), unread=unread)).passed


def test_a_card_does_not_say_that_something_is_missing_where_nobody_could_look() -> None:
    messages.use("en")
    verification = checks.run_checks(blind("ecs"))
    [cluster] = verification.failing
    lines = ["  ⚠ No ecs. So this item could not be checked.", "  → Allow ecs."]
    verdict = messages.text("course.checks.not-looked")
    assert repr(cluster).splitlines() == [f"⚠ {cluster.label}: {verdict}", *lines]
    assert repr(verification).splitlines()[7:] == [f"  {cluster.label}:", *lines]
    assert repr(verification).splitlines()[2] == f"  ⚠ | {cluster.label} | – | 02-cluster"


# Image URIs

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
DIGEST = "sha256:" + "0f" * 32
URIS: dict[str, tuple[str, str, str | None, str | None] | None] = {
    f"{HOST}/rails-app:v1": ("us-east-1", "rails-app", "v1", None),
    f"{HOST}/rails-app": ("us-east-1", "rails-app", "latest", None),
    f"{HOST}/shop/a_b:_1.x-y": ("us-east-1", "shop/a_b", "_1.x-y", None),
    f"{HOST}/rails-app@{DIGEST}": ("us-east-1", "rails-app", None, DIGEST),
    f"{HOST}/rails-app:v1@{DIGEST}": ("us-east-1", "rails-app", "v1", DIGEST),
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/ab": ("cn-north-1", "ab", "latest", None),
    "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/ab:1": ("us-east-1", "ab", "1", None),
    "123456789012.dkr-ecr.us-east-1.on.aws/ab:1": ("us-east-1", "ab", "1", None),
    "": None,
    "rails-app:latest": None,
    "public.ecr.aws/abc/rails-app:latest": None,
    "docker.io/library/ruby:3.4": None,
    f"{HOST}/Rails-App:v1": None,
    f"{HOST}/rails-app:": None,
    f"{HOST}/r:v1": None,
    f"{HOST}/{'r' * 256}:v1": ("us-east-1", "r" * 256, "v1", None),
    f"{HOST}/{'r' * 257}:v1": None,
    f"{HOST}.example.com/rails-app:v1": None,
    f"x{HOST}/rails-app:v1": None,
}


def test_parse_image_uri_takes_the_uris_of_ecr_apart() -> None:
    assert {uri: parse_image_uri(uri) for uri in URIS} == {
        uri: parts and EcrUri("123456789012", *parts) for uri, parts in URIS.items()
    }


def test_build_repository_uri_ends_in_the_partition_of_the_region() -> None:
    uris = [build_repository_uri(states.target(region=r), "a") for r in ("cn-north-1", "eu-west-1")]
    assert uris == [
        "112233445566.dkr.ecr.cn-north-1.amazonaws.com.cn/a",
        "112233445566.dkr.ecr.eu-west-1.amazonaws.com/a",
    ]
