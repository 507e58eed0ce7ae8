"""Checks by another exercise than the seed's; services that could not be looked at; image URIs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from handson.core import messages
from handson.course import checks, syllabus
from handson.course.checks.repository import EcrUri, parse_image_uri
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
DIGEST = "sha256:" + "0f" * 32


def finished(exercise: Exercise) -> Snapshot:
    """Describe the goal of an exercise, with the image's URI recorded."""
    goal = describe_goal(exercise)
    uri = f"{goal.repositories[0].uri}:{exercise.tag}"
    recorded = RecordedUri(uri=uri, digest=goal.images[0].digest, recorded_at="2026-01-15")
    return replace(goal, recorded_uri=recorded)


def test_the_goal_of_another_exercise_passes_all_checks_by_that_exercise() -> None:
    assert checks.run_checks(finished(OTHER), OTHER).passed


@pytest.mark.parametrize("check", ["network", "cluster", "repository", "image", "image-uri"])
def test_the_goal_of_another_exercise_fails_by_the_seeds(check: str) -> None:
    assert not checks.run_check(check, finished(OTHER), Exercise()).passed


@pytest.mark.parametrize("check", syllabus.CHECK_IDS)
def test_evidence_of_another_exercise_is_judged_by_the_exercise_that_is_passed(check: str) -> None:
    observed = checks.trim(check, finished(OTHER), OTHER).to_json()
    assert checks.derive(check, observed, OTHER).passed


def test_causes_and_remedies_name_what_the_exercise_asks_for() -> None:
    nothing = Snapshot(target=states.target())
    causes = [d for c in checks.run_checks(nothing, OTHER).checks for d in c.diagnoses]
    told = " ".join(f"{cause.message} {cause.remedy}" for cause in causes)
    assert [name for name in ("blue-vpc", "blue-cluster", "blue-shop") if name not in told] == []
    assert "rails-app" not in told


# Could not look

REFUSED = {
    service: Unseen(service=service, problem=f"No {service}.", remedy=f"Allow {service}.")
    for service in ("ec2", "ecs", "ecr")
}
CHECKS_OF = {
    "ec2": {"network"},
    "ecs": {"cluster"},
    "ecr": {"repository", "image", "image-uri"},
}


def blind(service: str) -> Snapshot:
    """Build a snapshot in which a service refused and everything else is finished."""
    lists: dict[str, Any] = {
        "ec2": {"vpcs": ()},
        "ecs": {"clusters": ()},
        "ecr": {"repositories": (), "images": ()},
    }[service]
    return states.finished(unseen=(REFUSED[service],), **lists)


@pytest.mark.parametrize("service", CHECKS_OF)
def test_a_service_that_refuses_leaves_only_its_own_checks_open(service: str) -> None:
    results = checks.run_checks(blind(service)).checks
    assert {result.id for result in results if not result.passed} == CHECKS_OF[service]


@pytest.mark.parametrize("service", CHECKS_OF)
def test_a_check_that_could_not_look_gives_the_services_reason_and_nothing_else(
    service: str,
) -> None:
    for check in CHECKS_OF[service]:
        result = checks.run_check(check, blind(service))
        (diagnosis,) = result.diagnoses
        assert (diagnosis.code, diagnosis.remedy) == ("could-not-look", f"Allow {service}.")
        assert f"No {service}." in diagnosis.message
        assert {fact.observed for fact in result.facts} == {None}


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_a_card_does_not_say_that_something_is_missing_where_nobody_could_look(
    language: str,
) -> None:
    messages.use(language)
    for text in (
        repr(checks.run_check("cluster", blind("ecs"))),
        repr(checks.run_checks(blind("ecs"))),
    ):
        assert ("⚠" in text, "No ecs." in text, "Allow ecs." in text) == (True, True, True)
        assert messages.text("course.checks.unseen") not in text


@pytest.mark.parametrize("check", syllabus.CHECK_IDS)
@pytest.mark.parametrize("service", CHECKS_OF)
def test_evidence_keeps_that_a_check_could_not_look(check: str, service: str) -> None:
    trimmed = checks.trim(check, blind(service))
    carried = json.loads(json.dumps(trimmed.to_json()))
    assert checks.derive(check, carried) == checks.run_check(check, blind(service))
    assert bool(trimmed.unseen) == (check in CHECKS_OF[service])


# Image URIs

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("uri", "region", "tag", "digest"),
    [
        (f"{HOST}/rails-app:v1", "us-east-1", "v1", None),
        (f"{HOST}/rails-app", "us-east-1", "latest", None),
        (f"{HOST}/rails-app@{DIGEST}", "us-east-1", None, DIGEST),
        (f"{HOST}/rails-app:v1@{DIGEST}", "us-east-1", "v1", DIGEST),
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/rails-app:v1",
            "cn-north-1",
            "v1",
            None,
        ),
        (
            "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/rails-app:v1",
            "us-east-1",
            "v1",
            None,
        ),
        ("123456789012.dkr-ecr.us-east-1.on.aws/rails-app:v1", "us-east-1", "v1", None),
    ],
)
def test_an_image_uri_of_ecr_is_taken_apart(
    uri: str, region: str, tag: str | None, digest: str | None
) -> None:
    expected = EcrUri("123456789012", region, "rails-app", tag, digest)
    assert parse_image_uri(uri) == expected


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "rails-app:latest",
        "public.ecr.aws/abc/rails-app:latest",
        "docker.io/library/ruby:3.4",
        f"{HOST}/Rails-App:v1",
        f"{HOST}/rails-app:",
        f"{HOST}.example.com/rails-app:v1",
    ],
)
def test_another_registrys_uri_is_none_of_ecr(uri: str) -> None:
    assert parse_image_uri(uri) is None
