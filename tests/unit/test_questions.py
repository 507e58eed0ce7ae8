"""Self-check questions: drawn from what is there, answered with what explains, never recorded."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.course import syllabus
from handson.course.exercise import Exercise
from handson.course.state import Snapshot
from handson.practice import questions
from handson.practice.questions import Question
from tests.unit import states

DONE = states.finished()
EVERY = {
    "finished": DONE,
    "empty": states.empty(),
    "same zone": states.with_subnet(DONE, 2, zone="us-east-1a"),
    "shut": states.with_table(DONE, routes=(states.LOCAL,)),
    "mapped": states.with_subnet(DONE, 1, map_public_ip=True),
    "servers": states.with_cluster(DONE, container_instances=3),
    "fixed": states.with_repository(DONE, tag_mutability="IMMUTABLE_WITH_EXCLUSION"),
    "latest": states.with_image(DONE, tags=("latest",)),
    "platform": states.with_image(DONE, platforms=()),
}


def every_question(seen: Snapshot) -> dict[str, Question]:
    return {
        question.id: question
        for topic in questions.TOPICS
        for question in questions.build_quiz((topic,), seen, Exercise()).questions
    }


def right(question: Question) -> questions.AnswerChoice:
    [choice] = [choice for choice in question.choices if choice.right]
    return choice


def quiz(seen: Snapshot = DONE) -> questions.Quiz:
    return questions.build_quiz(("why-zones",), seen, Exercise())


def pattern(sentence: str) -> str:
    """Return a sentence as a pattern; what it is filled in with may be anything."""
    return re.sub(r"\\{\w+\\}", ".*", re.escape(sentence))


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_question_has_one_right_choice_and_says_why_of_each(language: str) -> None:
    messages.use(language)
    odd = [
        (name, question.id)
        for name, seen in EVERY.items()
        for question in every_question(seen).values()
        if sum(choice.right for choice in question.choices) != 1
        or len({choice.text for choice in question.choices}) < len(question.choices)
        or not all(choice.why.strip() for choice in question.choices)
    ]
    assert odd == []
    topics = [*(answer.grade_id for answer in syllabus.QUESTIONS), "compare"]
    assert list(questions.TOPICS) == topics


def test_each_sentence_of_the_catalogue_is_said_in_one_of_these_states() -> None:
    messages.use("en")
    said = {
        sentence
        for seen in EVERY.values()
        for question in every_question(seen).values()
        for choice in question.choices
        for sentence in (question.prompt, question.hint, choice.text, choice.why)
    }
    unsaid = [
        key
        for key, entry in messages.catalogue("practice").items()
        if key.startswith(
            tuple(f"questions.{it}." for it in ("prompt", "hint", "choice", "reason"))
        )
        and not any(re.fullmatch(pattern(entry["en"]), sentence) for sentence in said)
    ]
    assert unsaid == []


# Drawn from the learner's own state


RIGHT = {
    "public": "A route to an internet gateway in its route table",
    "reach": "No, it also needs a public IP address and a security group that allows it",
    "addresses": "4,091",
    "zone-fails": "ecs-handson-subnet-public2-us-east-1b",
    "region-fails": "It is unavailable, too; a precaution is to build in another Region as well",
    "servers": "None",
    "where": "In none; subnets are named when a task starts",
    "cost": "Nothing; tasks are charged for their CPU and memory while they run",
    "other-region": "It cannot start, for there is no image at that URI",
    "latest": "Tomorrow's; the tag has moved",
    "platform": "The push works, but it fails to start on Fargate's default platform",
    "infrastructure": "Managed services",
    "scaling": "Demand",
    "security": "IAM",
    "availability": "Availability Zones",
}


def test_the_right_choices_of_a_finished_workshop_are_these() -> None:
    messages.use("en")
    assert {id: right(question).text for id, question in every_question(DONE).items()} == RIGHT


def test_a_zone_that_fails_takes_the_subnets_in_it() -> None:
    messages.use("en")
    assert right(every_question(EVERY["same zone"])["zone-fails"]).text == "Neither"
    moved = states.with_subnet(DONE, 1, zone="us-east-1f")
    assert "us-east-1f" in every_question(moved)["zone-fails"].prompt


def test_a_subnet_without_a_way_out_is_the_one_that_is_asked_about() -> None:
    messages.use("en")
    one = states.with_table(DONE, subnets=(states.subnet(1).id,))
    first, second = (every_question(seen)["public"].prompt for seen in (DONE, one))
    name = "ecs-handson-subnet-public"
    assert first == f"What makes {name}1-us-east-1a a public subnet?"
    assert second.startswith(f"{name}2-us-east-1b does not work as a public subnet")
    small = states.with_subnet(DONE, 1, cidr="10.0.0.0/24")
    choices = every_question(small)["addresses"].choices
    assert [choice.text for choice in choices] == ["65,536", "256", "254", "251"]


def test_what_is_unusual_changes_the_answer_or_its_reason() -> None:
    told = [right(every_question(EVERY[name])["servers"]).why for name in ("finished", "servers")]
    assert ["3 台" in sentence for sentence in told] == [False, True]
    assert "rails-app:0123456789ab" in right(every_question(DONE)["latest"]).why
    messages.use("en")
    fixed = right(every_question(EVERY["fixed"])["latest"]).text
    assert fixed == "Today's; ECR refuses a second push of the same tag"


def test_an_image_in_another_region_is_asked_about_one_that_is_another() -> None:
    there = states.finished(target=states.target(region="ap-northeast-1"))
    prompts = [every_question(seen)["other-region"].prompt for seen in (DONE, there)]
    first = [re.findall(r"[a-z]+-[a-z]+-\d", prompt)[0] for prompt in prompts]
    assert first == ["ap-northeast-1", "us-east-1"]


def test_before_anything_is_made_the_workshop_lends_its_names() -> None:
    lent = quiz(states.empty())
    assert right(lent.questions[0]).text == "ecs-handson-subnet-public2-us-east-1b"
    kinds = ("vpcs", "clusters", "repositories", "images")
    planned = [quiz(replace(DONE, **{kind: ()})).planned for kind in kinds]
    assert [lent.planned, *planned, quiz().planned] == [True] * 5 + [False]
    named = states.with_subnet(DONE, 2, name="a\n✔ b")
    assert right(quiz(named).questions[0]).text == "a�✔ b"  # a stranger's, on its line


# Answers and cards


def test_an_answer_is_told_as_right_or_wrong_with_its_reason() -> None:
    assert repr(quiz().answer(1, "c")).startswith("✔ 正解です。")
    hinted, explained = (repr(quiz().answer(1, " A ", explain=it)) for it in (False, True))
    assert (hinted[:7], explained[:7]) == ("✘ もう一度考", "✘ もう一度考")
    assert ["AZ をまたぎません" in said for said in (hinted, explained)] == [False, True]
    assert ["リソースマップで" in said for said in (hinted, explained)] == [True, False]


def test_what_is_no_question_and_no_choice_is_refused() -> None:
    messages.use("en")
    odd: list[tuple[Any, Any]] = [(0, "a"), (3, "a"), (True, "a"), ("1", "a")]
    odd += [(1, "e"), (1, ""), (1, None), (2, "d")]
    for place, (number, choice) in enumerate(odd):
        with pytest.raises(InvalidInput) as refused:
            quiz().answer(number, choice)
        assert repr(number if place < 4 else str(choice).lower()) in refused.value.problem


def test_an_unknown_topic_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match='"why-zones"'):
        questions.build_quiz(("why-zone",), DONE, Exercise())


def test_single_questions_are_asked_by_id_once_each_and_beside_topics() -> None:
    asked = questions.build_quiz(("public", "servers", "public"), DONE, Exercise())
    assert [each.id for each in asked.questions] == ["public", "servers"]
    assert 'workshop.questions("public", "servers"' in repr(asked)
    assert "ネットワークの隔離" in asked.card().title
    both = questions.build_quiz(("why-zones", "zone-fails", "latest"), DONE, Exercise())
    assert [each.id for each in both.questions] == ["zone-fails", "region-fails", "latest"]
    for names in ((), ("publics",), ([],)):
        with pytest.raises(InvalidInput):
            questions.build_quiz(names, DONE, Exercise())  # type: ignore[arg-type]


def test_the_card_folds_the_answers_away_and_leaves_them_out_as_text() -> None:
    said, (asked, *folded) = repr(quiz()), quiz().card().html().split("<details")
    reasons = [choice.why for each in quiz().questions for choice in each.choices]
    assert [reason for reason in reasons if reason in said or reason in asked] == []
    assert (quiz().questions[0].hint in folded[0], reasons[0] in folded[1]) == (True, True)
    assert "記録されず" in said
