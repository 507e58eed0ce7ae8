"""Self-check questions beside the four free answers, about the learner's own AWS.

They are voluntary: no answer is recorded or graded.  The questions name the learner's own resources
and, where one is missing, those that the workshop makes.  Where one is wrong, the right answer or
its reason is another: with both subnets in one zone, neither survives.  The misconceptions behind
the wrong choices are those behind the wrong states that the checks find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from ipaddress import ip_network
from types import MappingProxyType

from handson.core import messages
from handson.core.cards import MARKS, Card, CardPart, Displayable, Note
from handson.core.errors import InvalidInput
from handson.core.text import find_nearest, one_line, quote
from handson.course.checks import cluster, network, vpcs
from handson.course.checks.repository import (
    build_repository_uri,
    find_goal_images,
    find_tagged_image,
)
from handson.course.exercise import LIKELY_REGIONS, Exercise
from handson.course.goal import describe_goal_network
from handson.course.network_form import KEPT_ADDRESSES
from handson.course.state import Snapshot, Subnet

LETTERS = "abcd"

_AS_USUAL: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class AnswerChoice:
    """One of the answers to choose from; `why` explains what is right or wrong with it."""

    letter: str
    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A question with one right choice."""

    id: str
    prompt: str
    choices: tuple[AnswerChoice, ...]


@dataclass(frozen=True, repr=False)
class Feedback(Displayable):
    """Whether a choice is right, and why."""

    question: Question
    choice: AnswerChoice

    @property
    def state(self) -> str:
        """The mark of the choice: "ok" or "bad"."""
        return "ok" if self.choice.right else "bad"

    @property
    def verdict(self) -> str:
        """The sentence that says whether the choice is right."""
        right = self.choice.right
        return messages.text("practice.questions.right" if right else "practice.questions.wrong")

    def card(self) -> Card:
        """Return the card: the question, the choice, whether it is right, and why."""
        chosen = f"{self.choice.letter}. {self.choice.text}"
        parts = (Note(self.question.prompt), Note(chosen), Note(self.choice.why))
        return Card(self.verdict, parts, state=self.state)


@dataclass(frozen=True, repr=False)
class Quiz(Displayable):
    """The questions of a topic; `planned` when they name resources that do not exist yet."""

    topic: str
    questions: tuple[Question, ...]
    planned: bool = False

    @property
    def title(self) -> str:
        """The title, in the current language."""
        topic = messages.label("practice.questions.topic", self.topic)
        return messages.text("practice.questions.title", topic=topic)

    @property
    def introduction(self) -> list[str]:
        """The sentences above the first question."""
        plan = [messages.text("practice.questions.about-plan")] if self.planned else []
        return [messages.text("practice.questions.about"), *plan]

    def answer(self, number: int, choice: str) -> Feedback:
        """Answer a question, and return whether the choice is right.

        Args:
            number: The question's number, from 1.
            choice: The choice's letter, from "a".

        Raises:
            InvalidInput: The number or the letter does not exist.
        """
        count = len(self.questions)
        if type(number) is not int or not 1 <= number <= count:
            raise InvalidInput(
                *messages.advice(
                    "practice.questions.no-question", number=quote(number), count=count
                )
            )
        question = self.questions[number - 1]
        wanted = str(choice).strip().lower()
        for candidate in question.choices:
            if candidate.letter == wanted:
                return Feedback(question, candidate)
        letters = ", ".join(f'"{candidate.letter}"' for candidate in question.choices)
        values = {"number": number, "choice": quote(choice), "choices": letters}
        raise InvalidInput(*messages.advice("practice.questions.no-choice", **values))

    def card(self) -> Card:
        """Return the card: the questions, each with its answer folded away."""
        how = messages.text("practice.questions.how", topic=self.topic)
        asked = [_QuestionPart(*item) for item in enumerate(self.questions, start=1)]
        parts = (*map(Note, self.introduction), *asked, Note(how))
        return Card(self.title, parts, state="info")


@dataclass(frozen=True)
class _QuestionPart(CardPart):
    """A question with its choices; HTML folds the answer away, plain text leaves it out."""

    number: int
    question: Question

    def text(self) -> list[str]:
        choices = [f"    {choice.letter}. {choice.text}" for choice in self.question.choices]
        return [f"  {self._heading}", *choices]

    def html(self) -> str:
        choices = _block([f"{choice.letter}. {choice.text}" for choice in self.question.choices])
        reasons = _block([_reason(choice) for choice in self.question.choices])
        return (
            f'<div style="margin:12px 0 4px 0;font-weight:600">{escape(self._heading)}</div>'
            f'{choices}<details style="margin:6px 0;text-align:left">'
            f'<summary style="cursor:pointer">{escape(messages.text("practice.questions.answer"))}'
            f"</summary>{reasons}</details>"
        )

    @property
    def _heading(self) -> str:
        number = messages.text("practice.questions.number", number=self.number)
        return f"{number}: {self.question.prompt}"


def _reason(choice: AnswerChoice) -> str:
    """Return whether a choice is right, as a mark and in words, and why."""
    mark = MARKS["ok" if choice.right else "bad"]
    verdict = messages.text(
        "practice.questions.is-right" if choice.right else "practice.questions.is-wrong"
    )
    return f"{mark} {choice.letter} ({verdict}): {choice.why}"


def _block(lines: Sequence[str]) -> str:
    items = "".join(f"<div>{escape(line)}</div>" for line in lines)
    return f'<div style="margin:4px 0 4px 1em;line-height:1.7">{items}</div>'


class Subject:
    """The resources that the questions name: the learner's own, or those that the workshop makes.

    `planned` is true while some of them do not exist yet.
    """

    def __init__(self, snapshot: Snapshot, exercise: Exercise) -> None:
        self.region = snapshot.target.region
        own = network.choose_vpc(snapshot.vpcs, exercise).vpc
        whole = own is not None and len(vpcs.find_public_subnets(own, exercise)) > 1
        self.vpc = own if own and whole else describe_goal_network(exercise, self.region)
        self.subnets = vpcs.find_public_subnets(self.vpc, exercise)[:2]
        self.cluster = cluster.find_goal_cluster(snapshot, exercise)
        name = exercise.repository
        self.repository = next((r for r in snapshot.repositories if r.name == name), None)
        self.image = find_tagged_image(find_goal_images(snapshot, exercise), exercise.tag)
        self.planned = not (whole and self.cluster and self.repository and self.image)
        known = self.repository.uri if self.repository else ""
        self.names = {
            "region": self.region,
            "vpc": self.vpc.name or self.vpc.id,
            "subnet": _name(self.subnets[0]),
            "cluster": exercise.cluster,
            "repository": name,
            "tag": exercise.tag,
            "uri": f"{known or build_repository_uri(snapshot.target, name)}:{exercise.tag}",
        }

    def ask(
        self,
        id: str,
        choices: Sequence[str],
        *,
        right: str,
        variants: Mapping[str, str] = _AS_USUAL,
        **values: object,
    ) -> Question:
        """Return a question with its sentences, which name these resources.

        Args:
            id: The question's id.
            choices: The ids of its choices, in the order in which they are shown.
            right: The id of the right one.
            variants: The ids of other sentences, by the id of the question whose prompt, or of the
                choice whose reason, does not fit here.
            values: What the sentences name besides these resources.
        """
        shown = {
            name: one_line(value) if isinstance(value, str) else value
            for name, value in {**self.names, **values}.items()
        }
        say = partial(messages.label, **shown)
        return Question(
            id,
            say("practice.questions.prompt", variants.get(id, id)),
            tuple(
                AnswerChoice(
                    letter,
                    say("practice.questions.choice", choice),
                    choice == right,
                    say("practice.questions.reason", variants.get(choice, choice)),
                )
                for letter, choice in zip(LETTERS, choices, strict=False)
            ),
        )


def ask_public(subject: Subject) -> Question:
    """Ask what makes a subnet public; about one that is not, where there is one."""
    vpc = subject.vpc
    shut = [s for s in subject.subnets if vpcs.describe_way_out(vpc, s) != vpcs.TO_GATEWAY]
    subnet = next(iter(shut), subject.subnets[0])
    table = vpc.route_table_of(subnet.id)
    not_yet = {"public": "public-not-yet", "public.by-route": "public.by-route-not-yet"}
    return subject.ask(
        "public",
        ("public.by-name", "public.by-gateway", "public.by-route", "public.by-address"),
        right="public.by-route",
        variants=not_yet if shut else _AS_USUAL,
        subnet=_name(subnet),
        table=(table.name or table.id) if table else "-",
    )


def ask_reach(subject: Subject) -> Question:
    """Ask what a task needs to be reached from the internet."""
    mapped = subject.subnets[0].map_public_ip
    return subject.ask(
        "reach",
        ("reach.yes", "reach.needs", "reach.never"),
        right="reach.needs",
        variants={"reach.needs": "reach.needs-mapped"} if mapped else _AS_USUAL,
    )


def ask_addresses(subject: Subject) -> Question:
    """Ask how many addresses of a subnet can be used."""
    cidr, vpc_cidr = subject.subnets[0].cidr, subject.vpc.cidr
    whole = ip_network(cidr).num_addresses
    return subject.ask(
        "addresses",
        ("addresses.vpc", "addresses.whole", "addresses.less-two", "addresses.less-five"),
        right="addresses.less-five",
        cidr=cidr,
        prefix=cidr.rpartition("/")[2],
        whole=f"{whole:,}",
        less_two=f"{whole - 2:,}",
        less_five=f"{whole - KEPT_ADDRESSES:,}",
        vpc=f"{ip_network(vpc_cidr).num_addresses:,}",
        vpc_cidr=vpc_cidr,
    )


def ask_zone_failure(subject: Subject) -> Question:
    """Ask which subnet survives when the zone of the first one fails."""
    first, second = subject.subnets
    same = first.zone == second.zone
    others = {
        "zone-fails.second": "zone-fails.second-same",
        "zone-fails.neither": "zone-fails.neither-same",
    }
    return subject.ask(
        "zone-fails",
        ("zone-fails.both", "zone-fails.first", "zone-fails.second", "zone-fails.neither"),
        right="zone-fails.neither" if same else "zone-fails.second",
        variants=others if same else _AS_USUAL,
        zone=first.zone,
        first=_name(first),
        second=_name(second),
        second_zone=second.zone,
    )


def ask_region_failure(subject: Subject) -> Question:
    """Ask which failure several zones do not help against."""
    return subject.ask(
        "region-fails",
        ("region-fails.zones", "region-fails.moves", "region-fails.stops"),
        right="region-fails.stops",
    )


def ask_servers(subject: Subject) -> Question:
    """Ask how many servers a cluster on Fargate needs."""
    count = subject.cluster.container_instances if subject.cluster else 0
    return subject.ask(
        "servers",
        ("servers.one-a-zone", "servers.none", "servers.one"),
        right="servers.none",
        variants={"servers.none": "servers.none-some"} if count else _AS_USUAL,
        count=count,
    )


def ask_cluster_network(subject: Subject) -> Question:
    """Ask in which network a cluster is."""
    return subject.ask("where", ("where.own", "where.default", "where.none"), right="where.none")


def ask_cost(subject: Subject) -> Question:
    """Ask what a cluster costs while nothing runs in it."""
    return subject.ask(
        "cost",
        ("cost.hourly", "cost.nothing", "cost.zones"),
        right="cost.nothing",
        count=subject.cluster.running_tasks if subject.cluster else 0,
    )


def ask_other_region(subject: Subject) -> Question:
    """Ask what happens to an image that was pushed to another region."""
    return subject.ask(
        "other-region",
        ("other-region.shared", "other-region.fetched", "other-region.fails"),
        right="other-region.fails",
        other=next(region for region in LIKELY_REGIONS if region != subject.region),
    )


def ask_moved_tag(subject: Subject) -> Question:
    """Ask which image a tag leads to after the next push."""
    tag, repository = subject.names["tag"], subject.repository
    fixed = repository is not None and repository.tag_mutability == "IMMUTABLE"
    others = [name for name in subject.image.tags if name != tag] if subject.image else []
    variants = {} if others else {"latest.tomorrow": "latest.tomorrow-alone"}
    if fixed:
        variants = {
            "latest.tomorrow": "latest.tomorrow-immutable",
            "latest.refused": "latest.refused-immutable",
        }
    return subject.ask(
        "latest",
        ("latest.tomorrow", "latest.today", "latest.refused"),
        right="latest.refused" if fixed else "latest.tomorrow",
        variants=variants,
        unique=f"{subject.names['repository']}:{others[0]}" if others else "",
    )


def ask_platform(subject: Subject) -> Question:
    """Ask what happens to an image for another processor."""
    found = subject.image.platforms if subject.image else ()
    names = ", ".join(f"{each.os}/{each.architecture}" for each in found)
    return subject.ask(
        "platform",
        ("platform.starts", "platform.fails", "platform.refused"),
        right="platform.fails",
        variants=_AS_USUAL if names else {"platform.fails": "platform.fails-none"},
        platform=names,
    )


TOPICS = MappingProxyType(
    {
        "why-network": (ask_public, ask_reach, ask_addresses),
        "why-zones": (ask_zone_failure, ask_region_failure),
        "why-cluster": (ask_servers, ask_cluster_network, ask_cost),
        "why-registry": (ask_other_region, ask_moved_tag, ask_platform),
    }
)
"""The questions of each topic; a topic is the `grade_id` of the free answer beside it."""


def build_quiz(topic: str, snapshot: Snapshot, exercise: Exercise) -> Quiz:
    """Return the questions of a topic, about the resources of a snapshot.

    Args:
        topic: A key of `TOPICS`.
        snapshot: The learner's resources.
        exercise: What the learner is asked to build.

    Raises:
        InvalidInput: The topic is unknown.
    """
    if topic not in TOPICS:
        near = find_nearest(str(topic), TOPICS) or next(iter(TOPICS))
        values = {"topic": quote(topic), "choices": ", ".join(TOPICS), "near": near}
        raise InvalidInput(*messages.advice("practice.questions.no-topic", **values))
    subject = Subject(snapshot, exercise)
    questions = tuple(ask(subject) for ask in TOPICS[topic])
    return Quiz(topic, questions, planned=subject.planned)


def _name(subnet: Subnet) -> str:
    return subnet.name or subnet.id
