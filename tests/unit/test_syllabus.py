"""The exercise as data: what design.md and curriculum.md promise, word for word."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from handson.course import checks, syllabus
from handson.course.exercise import TAG_KEY, Exercise
from tests.unit import states

FACTS = {
    "network": (
        "vpc.exists vpc.cidr vpc.ipv6 vpc.tenancy vpc.dns subnets.public subnets.private "
        "subnets.zones subnets.cidr gateway.attached routes.default names"
    ),
    "cluster": "cluster.exists cluster.active cluster.fargate cluster.instances",
    "repository": "repository.exists repository.private repository.uri",
    "image": "image.pushed image.tag image.platform image.unique-tag image.runnable",
    "image-uri": "uri.recorded uri.region uri.resolves",
}


@pytest.mark.parametrize(("check", "facts"), FACTS.items())
def test_a_check_has_the_facts_that_others_rely_on(check: str, facts: str) -> None:
    found = checks.run_check(check, states.empty()).facts
    assert [fact.id for fact in found] == facts.split()


def test_the_checks_stand_in_the_order_of_the_lessons() -> None:
    assert list(syllabus.CHECK_IDS) == list(FACTS)


def test_only_two_facts_are_advice() -> None:
    results = checks.run_checks(states.empty()).checks
    advice = [fact.id for result in results for fact in result.facts if fact.advice]
    assert advice == ["image.unique-tag", "image.runnable"]


def test_no_fact_stands_in_two_checks() -> None:
    results = checks.run_checks(states.empty()).checks
    counted = Counter(fact.id for result in results for fact in result.facts)
    assert [name for name, count in counted.items() if count > 1] == []


def test_every_check_is_made_by_a_notebook_of_the_workshop() -> None:
    assert {check.notebook for check in syllabus.CHECKS} <= set(syllabus.NOTEBOOKS)


def test_the_points_make_a_hundred() -> None:
    answers = (*syllabus.QUESTIONS, syllabus.DIAGRAM)
    assert sum(item.points for item in (*syllabus.CHECKS, *answers)) == 100


def test_the_four_questions_have_their_grade_ids() -> None:
    assert [question.grade_id for question in syllabus.QUESTIONS] == [
        "why-network",
        "why-zones",
        "why-cluster",
        "why-registry",
    ]


def test_notebooks_sort_in_the_order_in_which_they_are_done() -> None:
    assert sorted(syllabus.NOTEBOOKS) == list(syllabus.NOTEBOOKS)


def test_the_network_is_the_one_of_the_form() -> None:
    goal = Exercise().network
    seen = (goal.cidr, goal.availability_zones, goal.public_subnets, goal.private_subnets)
    assert seen == ("10.0.0.0/16", 2, 2, 0)


def test_the_vpc_has_the_name_that_the_console_gives_it() -> None:
    assert Exercise().network.vpc_name == "ecs-handson-vpc"


def test_everything_is_in_one_region() -> None:
    assert Exercise().region == "us-east-1"


def test_what_is_created_is_tagged_as_the_tags_of_aws_may_be() -> None:
    assert re.fullmatch(r"[\w.:/=+@-]{1,128}", TAG_KEY)


def test_the_exercise_cannot_be_changed_by_mistake() -> None:
    with pytest.raises(AttributeError):
        Exercise().network.cidr = "10.1.0.0/16"  # type: ignore[misc]


def test_a_check_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError, match="netwrk"):
        syllabus.find_check("netwrk")


def test_every_check_is_judged() -> None:
    assert [checks.run_check(name, states.empty()).id for name in FACTS] == list(FACTS)
