"""Self-check questions: drawn from what is there, answered with what explains, never recorded."""

from __future__ import annotations

import re
from typing import Any

import pytest

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.course import syllabus
from handson.course.exercise import Exercise
from handson.course.state import Snapshot
from handson.practice import questions
from handson.practice.questions import Question
from tests.unit import states

SAME_ZONE = states.with_subnet(states.finished(), 2, zone="us-east-1a")
SHUT = states.with_table(states.finished(), routes=(states.LOCAL,))
MAPPED = states.with_subnet(states.finished(), 1, map_public_ip=True)
SERVERS = states.with_cluster(states.finished(), container_instances=3)
FIXED = states.with_repository(states.finished(), tag_mutability="IMMUTABLE")
LATEST_ALONE = states.with_image(states.finished(), tags=("latest",))
NO_PLATFORM = states.with_image(states.finished(), platforms=())
EVERY = (
    states.finished(),
    states.empty(),
    SAME_ZONE,
    SHUT,
    MAPPED,
    SERVERS,
    FIXED,
    LATEST_ALONE,
    NO_PLATFORM,
)
IDS = (
    "finished", "empty", "same zone", "shut", "mapped", "servers", "fixed", "latest", "platform",
)  # fmt: skip


def every_question(seen: Snapshot) -> dict[str, Question]:
    return {
        question.id: question
        for topic in questions.TOPICS
        for question in questions.build_quiz(topic, seen, Exercise()).questions
    }


def right(question: Question) -> str:
    [choice] = [choice for choice in question.choices if choice.right]
    return choice.text


def whys(question: Question) -> list[str]:
    return [choice.why for choice in question.choices]


def pattern(sentence: str) -> str:
    """Return a sentence as a pattern; what it is filled in with may be anything."""
    return re.sub(r"\\{\w+\\}", ".*", re.escape(sentence))


def why(question: Question) -> str:
    [choice] = [choice for choice in question.choices if choice.right]
    return choice.why


def test_there_are_questions_beside_each_free_answer() -> None:
    assert list(questions.TOPICS) == [answer.grade_id for answer in syllabus.QUESTIONS]


@pytest.mark.parametrize("language", messages.LANGUAGES)
@pytest.mark.parametrize("seen", EVERY, ids=IDS)
def test_every_question_has_one_right_choice_and_says_why_of_each(
    seen: Snapshot, language: str
) -> None:
    messages.use(language)
    odd = [
        question.id
        for question in every_question(seen).values()
        if sum(choice.right for choice in question.choices) != 1
        or len({choice.text for choice in question.choices}) < len(question.choices)
        or not all(choice.why.strip() for choice in question.choices)
    ]
    assert odd == []


def test_each_sentence_of_the_catalogue_is_said_in_one_of_these_states() -> None:
    messages.use("en")
    said = {
        sentence
        for seen in EVERY
        for question in every_question(seen).values()
        for sentence in (question.prompt, *(c.text for c in question.choices), *whys(question))
    }
    unsaid = [
        key
        for key, entry in messages.catalogue("practice").items()
        if key.startswith(("questions.prompt.", "questions.choice.", "questions.reason."))
        and not any(re.fullmatch(pattern(entry["en"]), sentence) for sentence in said)
    ]
    assert unsaid == []


# Drawn from the learner's own state


def test_a_zone_that_fails_leaves_the_subnet_in_the_other() -> None:
    question = every_question(states.finished())["zone-fails"]
    assert right(question) == "ecs-handson-subnet-public2-us-east-1b"


def test_with_both_subnets_in_one_zone_neither_survives() -> None:
    messages.use("en")
    assert right(every_question(SAME_ZONE)["zone-fails"]) == "Neither"


def test_the_zone_that_fails_is_one_of_the_learner() -> None:
    moved = states.with_subnet(states.finished(), 1, zone="us-east-1f")
    assert "us-east-1f" in every_question(moved)["zone-fails"].prompt


def test_a_subnet_without_a_way_out_is_not_called_public() -> None:
    prompts = [every_question(seen)["public"].prompt for seen in (states.finished(), SHUT)]
    assert ["いまは" in prompt for prompt in prompts] == [False, True]


def test_the_addresses_are_counted_in_the_subnet_of_the_learner() -> None:
    small = states.with_subnet(states.finished(), 1, cidr="10.0.0.0/24")
    assert right(every_question(small)["addresses"]) == "251 個"


def test_servers_that_are_registered_are_told() -> None:
    told = [why(every_question(seen)["servers"]) for seen in (states.finished(), SERVERS)]
    assert ["3 台" in sentence for sentence in told] == [False, True]


def test_tags_that_cannot_move_change_the_answer() -> None:
    messages.use("en")
    answers = [right(every_question(seen)["latest"]) for seen in (states.finished(), FIXED)]
    assert answers == [
        "Tomorrow's; the tag has moved",
        "Today's; ECR refuses a second push of the same tag",
    ]


def test_the_tag_of_its_own_is_named() -> None:
    assert "0123456789ab" in why(every_question(states.finished())["latest"])


def test_an_image_in_another_region_is_asked_about_one_that_is_another() -> None:
    there = states.finished(target=states.target(region="ap-northeast-1"))
    assert "us-east-1" in every_question(there)["other-region"].prompt


def test_before_anything_is_made_the_workshop_lends_its_names() -> None:
    quiz = questions.build_quiz("why-zones", states.empty(), Exercise())
    assert quiz.planned
    assert right(quiz.questions[0]) == "ecs-handson-subnet-public2-us-east-1b"


def test_when_all_is_there_nothing_is_lent() -> None:
    assert not questions.build_quiz("why-zones", states.finished(), Exercise()).planned


def test_a_strangers_name_stays_on_its_line() -> None:
    named = states.with_subnet(states.finished(), 2, name="a\n✔ b")
    assert right(every_question(named)["zone-fails"]) == "a�✔ b"


# Answers and cards


def quiz(topic: str = "why-zones") -> questions.Quiz:
    return questions.build_quiz(topic, states.finished(), Exercise())


def test_a_right_answer_is_told_as_right() -> None:
    answer = quiz().answer(1, "c")
    assert (answer.choice.right, answer.card().state) == (True, "ok")


def test_a_wrong_answer_is_told_with_its_reason() -> None:
    said = repr(quiz().answer(1, " A "))
    assert said.startswith("✘ もう一度")
    assert "AZ をまたぎません" in said


@pytest.mark.parametrize(
    ("number", "choice"),
    [(0, "a"), (3, "a"), (True, "a"), ("1", "a"), (1, "e"), (1, ""), (1, None), (2, "d")],
)
def test_what_is_no_question_and_no_choice_is_refused(number: Any, choice: Any) -> None:
    with pytest.raises(InvalidInput, match="問題"):
        quiz().answer(number, choice)


def test_an_unknown_topic_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match='"why-zones"'):
        questions.build_quiz("why-zone", states.finished(), Exercise())


def test_as_text_the_answers_are_left_out() -> None:
    said = repr(quiz())
    reasons = [choice.why for each in quiz().questions for choice in each.choices]
    assert [reason for reason in reasons if reason in said] == []


def test_in_html_the_answers_are_folded_away() -> None:
    shown = quiz().card().html()
    asked, *folded = shown.split("<details")
    reason = quiz().questions[0].choices[0].why
    assert (reason in asked, reason in folded[0]) == (False, True)


def test_the_card_says_that_nothing_is_recorded() -> None:
    assert "記録されず" in repr(quiz())
