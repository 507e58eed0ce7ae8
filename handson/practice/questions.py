"""Self-check questions beside the four free answers, about the learner's own AWS.

They are voluntary: no answer is recorded or graded.  A wrong choice gets a hint, and why it is
wrong when that is asked for.  The questions name the learner's own resources
and, where one is missing, those that the workshop makes.  Where a resource is wrong, the right
answer, or the reason for it, differs: with both subnets in one zone, neither survives.  The
misconceptions behind the wrong choices are those behind the wrong states that the checks find.

The catalogue of messages lists the choices of each question, and a second version of a sentence for
each state that changes it (`reach.needs-mapped`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from ipaddress import ip_network
from string import ascii_lowercase

from msgspec import Struct

from handson.core import messages
from handson.core.cards import MARKS, Card, CardPart, Displayable, Note, fold
from handson.core.errors import InvalidInput
from handson.core.files import read_data
from handson.core.text import check_choice, one_line, quote
from handson.course.checks import cluster, network_facts
from handson.course.checks import repository as ecr
from handson.course.exercise import LIKELY_REGIONS, Exercise
from handson.course.goal import KEPT_ADDRESSES, describe_goal_network
from handson.course.state import Snapshot, Subnet

_DATA = read_data("handson.practice", "questions.toml")
TOPICS: Mapping[str, Mapping[str, str]] = _DATA["topics"]
"""The questions of each topic and their right choices.

A topic is the `grade_id` of the free answer that it prepares, or "compare": the gaps in the table
of AWS and on premises.
"""

_RIGHT = {id: right for topic in TOPICS.values() for id, right in topic.items()}


class AnswerChoice(Struct, frozen=True):
    """One of the answers to choose from; `why` explains what is right or wrong with it."""

    letter: str
    text: str
    right: bool
    why: str


class Question(Struct, frozen=True):
    """A question with one right choice; `hint` is for who has chosen another one."""

    id: str
    prompt: str
    hint: str
    choices: tuple[AnswerChoice, ...]


class Feedback(Displayable, Struct, frozen=True):
    """Whether a choice is right, and why; a wrong one has the hint, unless it is explained."""

    question: Question
    choice: AnswerChoice
    explained: bool

    @property
    def state(self) -> str:
        """The mark of the choice: "ok" or "bad"."""
        return "ok" if self.choice.right else "bad"

    @property
    def verdict(self) -> str:
        """The sentence that says whether the choice is right."""
        right = self.choice.right
        return messages.text("practice.questions.right" if right else "practice.questions.wrong")

    @property
    def reason(self) -> str:
        """Why the choice is right or wrong, or the hint."""
        return self.choice.why if self.choice.right or self.explained else self.question.hint

    def card(self) -> Card:
        """Return the card: the question, the choice, whether it is right, and the reason."""
        chosen = f"{self.choice.letter}. {self.choice.text}"
        parts = (Note(self.question.prompt), Note(chosen), Note(self.reason))
        return Card(self.verdict, parts, state=self.state)


class Quiz(Displayable, Struct, frozen=True):
    """Questions, by topic or by id; `planned` when they name resources that do not exist yet."""

    names: tuple[str, ...]
    questions: tuple[Question, ...]
    planned: bool = False

    @property
    def introduction(self) -> list[str]:
        """The sentences above the first question."""
        plan = [messages.text("practice.questions.about-plan")] if self.planned else []
        return [messages.text("practice.questions.about"), *plan]

    def answer(self, number: int, choice: str, *, explain: bool = False) -> Feedback:
        """Answer a question, and return whether the choice is right.

        Args:
            number: The question's number, from 1.
            choice: The choice's letter, from "a".
            explain: Say why a wrong choice is wrong, instead of a hint.

        Raises:
            InvalidInput: The number or the letter does not exist.
        """
        count = len(self.questions)
        if type(number) is not int or not 1 <= number <= count:
            seen = quote(number)
            raise InvalidInput.from_key("practice.questions.no-question", number=seen, count=count)
        question = self.questions[number - 1]
        choices = {candidate.letter: candidate for candidate in question.choices}
        wanted = str(choice).strip().lower()
        letter = check_choice("practice.questions.no-choice", wanted, choices, number=number)
        return Feedback(question, choices[letter], explain)

    def card(self) -> Card:
        """Return the card: the questions, each with its hint and its answer folded away."""
        first = self.names[0]
        group = next(topic for topic, ids in TOPICS.items() if first in (topic, *ids))
        topic = messages.label("practice.questions.topic", group)
        how = messages.text("practice.questions.how", topic='", "'.join(self.names))
        asked = [_QuestionPart(*item) for item in enumerate(self.questions, start=1)]
        parts: list[CardPart] = [*map(Note, self.introduction), *asked, Note(how)]
        return Card(messages.text("practice.questions.title", topic=topic), parts, state="info")


class _QuestionPart(Struct, frozen=True):
    """A question with its choices; HTML folds hint and answer away, plain text leaves them out."""

    number: int
    question: Question

    def text(self) -> list[str]:
        choices = [f"    {choice.letter}. {choice.text}" for choice in self.question.choices]
        return [f"  {self._heading}", *choices]

    def html(self) -> str:
        choices = _block([f"{choice.letter}. {choice.text}" for choice in self.question.choices])
        hint, reasons = _block([self.question.hint]), _block(map(_reason, self.question.choices))
        return (
            f'<div style="margin:12px 0 4px 0;font-weight:600">{escape(self._heading)}</div>'
            f"{choices}{fold(messages.text('practice.questions.hint-fold'), hint)}"
            f"{fold(messages.text('practice.questions.answer'), reasons)}"
        )

    @property
    def _heading(self) -> str:
        number = messages.text("practice.questions.number", number=self.number)
        return f"{number}: {self.question.prompt}"


class Subject:
    """The resources that the questions name: the learner's own, or those that the workshop makes.

    Attributes:
        planned: Some of them do not exist yet.
        states: What is unusual about them, as the keys of messages name it.
        values: What the sentences are filled in with.
    """

    def __init__(self, snapshot: Snapshot, exercise: Exercise) -> None:
        self.exercise = exercise
        self.target = snapshot.target
        own = network_facts.find_goal_vpc(snapshot, exercise)
        whole = own is not None and len(network_facts.find_public_subnets(own, exercise)) > 1
        self.vpc = own if own and whole else describe_goal_network(exercise, self.target.region)
        self.subnets = network_facts.find_public_subnets(self.vpc, exercise)[:2]
        # Where a subnet has lost its way out, the question on public subnets is about that one.
        shut = [each for each in self.subnets if self._is_shut(each)]
        self.asked = (shut or self.subnets)[0]
        self.cluster = cluster.find_goal_cluster(snapshot, exercise)
        self.repository = ecr.find_goal_repository(snapshot, exercise)
        self.image = ecr.find_tagged_image(ecr.find_goal_images(snapshot, exercise), exercise.tag)
        tags = self.image.tags if self.image else ()
        self.other_tags = [tag for tag in tags if tag != exercise.tag]
        self.planned = not (whole and self.cluster and self.repository and self.image)
        self.states = [state for state, present in self._list_states() if present]
        self.values = {name: one_line(value) for name, value in self._list_values()}

    def _is_shut(self, subnet: Subnet) -> bool:
        return network_facts.describe_way_out(self.vpc, subnet) != network_facts.TO_GATEWAY

    def _list_states(self) -> Iterator[tuple[str, bool]]:
        first, second = self.subnets
        repository = self.repository
        yield "shut", self._is_shut(self.asked)
        yield "mapped", first.map_public_ip
        yield "one-zone", first.zone == second.zone
        yield "servers", self.cluster is not None and self.cluster.container_instances > 0
        yield "immutable", repository is not None and repository.keeps_tags
        yield "alone", not self.other_tags
        yield "no-platform", not (self.image and self.image.platforms)

    def _list_values(self) -> Iterator[tuple[str, str]]:
        first, second = self.subnets
        table = self.vpc.route_table_of(self.asked.id)
        size = ip_network(first.cidr).num_addresses
        region, repository = self.target.region, self.exercise.repository
        planned_uri = ecr.build_repository_uri(self.target, repository)
        uri = self.repository.uri if self.repository else planned_uri
        platforms = self.image.platforms if self.image else ()
        yield "region", region
        yield "other", next(each for each in LIKELY_REGIONS if each != region)
        yield "vpc", self.vpc.title
        yield "vpc_cidr", self.vpc.cidr
        yield "vpc_addresses", f"{ip_network(self.vpc.cidr).num_addresses:,}"
        yield "asked", self.asked.title
        yield "table", table.title if table else "-"
        yield "first", first.title
        yield "second", second.title
        yield "zone", first.zone
        yield "second_zone", second.zone
        yield "cidr", first.cidr
        yield "prefix", first.cidr.rpartition("/")[2]
        yield "whole", f"{size:,}"
        yield "less_two", f"{size - 2:,}"
        yield "less_five", f"{size - KEPT_ADDRESSES:,}"
        yield "cluster", self.exercise.cluster
        yield "servers", str(self.cluster.container_instances if self.cluster else 0)
        yield "tasks", str(self.cluster.running_tasks if self.cluster else 0)
        yield "repository", repository
        yield "tag", self.exercise.tag
        yield "uri", f"{uri}:{self.exercise.tag}"
        yield "unique", f"{repository}:{self.other_tags[0]}" if self.other_tags else ""
        yield "platform", ", ".join(map(str, platforms))

    def ask(self, id: str, right: str) -> Question:
        """Return a question about these resources.

        Args:
            id: The question's id.
            right: The id of its right choice in a finished workshop.
        """
        names = messages.group(f"practice.questions.choice.{id}")
        for state in self.states:
            right = _DATA["in-state"].get(id, {}).get(state, right)
        choices = tuple(
            AnswerChoice(
                letter,
                self._say("practice.questions.choice", f"{id}.{choice}"),
                choice == right,
                self._say("practice.questions.reason", f"{id}.{choice}"),
            )
            for letter, choice in zip(ascii_lowercase, names, strict=False)
        )
        hint = self._say("practice.questions.hint", id)
        return Question(id, self._say("practice.questions.prompt", id), hint, choices)

    def _say(self, group: str, id: str) -> str:
        """Return a sentence in the version for the first of these states that has one."""
        known, variants = messages.group(group), (f"{id}-{state}" for state in self.states)
        fitting = (variant for variant in variants if variant in known)
        return messages.label(group, next(fitting, id), **self.values)


def build_quiz(names: Sequence[str], snapshot: Snapshot, exercise: Exercise) -> Quiz:
    """Return the questions of topics, or single ones, about the resources of a snapshot.

    Args:
        names: Keys of `TOPICS`, or ids of questions.
        snapshot: The learner's resources.
        exercise: What the learner is asked to build.

    Raises:
        InvalidInput: A name is unknown, or there is none.
    """
    choices = [*TOPICS, *_RIGHT]
    for name in names or [""]:
        check_choice("practice.questions.no-topic", name, choices)
    subject = Subject(snapshot, exercise)
    ids = dict.fromkeys(id for name in names for id in TOPICS.get(name, [name]))
    questions = tuple(subject.ask(id, _RIGHT[id]) for id in ids)
    return Quiz(tuple(names), questions, planned=subject.planned)


def _reason(choice: AnswerChoice) -> str:
    """Return whether a choice is right, as a mark and in words, and why."""
    key = "practice.questions.is-right" if choice.right else "practice.questions.is-wrong"
    mark = MARKS["ok" if choice.right else "bad"]
    return f"{mark} {choice.letter} ({messages.text(key)}): {choice.why}"


def _block(lines: Iterable[str]) -> str:
    items = "".join(f"<div>{escape(line)}</div>" for line in lines)
    return f'<div style="margin:4px 0 4px 1em;line-height:1.7">{items}</div>'
