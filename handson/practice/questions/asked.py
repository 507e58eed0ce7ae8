"""The questions, made from what is there.

Where something is missing, what the workshop makes stands in its place; where something is wrong,
the answer or its reason changes with it: with both subnets in one zone, neither survives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from types import MappingProxyType

from handson.core import messages
from handson.core.text import one_line
from handson.course import syllabus
from handson.course.checks import registries, vpcs
from handson.course.checks.network import choose
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal_network
from handson.course.network_form import KEPT_ADDRESSES
from handson.course.state import Snapshot, Subnet, Vpc

LETTERS = "abcd"

_OTHERS = ("ap-northeast-1", syllabus.REGION)
"""Where an image ends up by mistake: push commands of another region, pasted."""

_PLAIN: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Choice:
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
    choices: tuple[Choice, ...]


class Subject:
    """What the questions speak of: the learner's own, or what the workshop makes.

    `planned` tells that something of it is not there yet.
    """

    def __init__(self, seen: Snapshot) -> None:
        goal = syllabus.REPOSITORY
        own = choose(seen.vpcs).vpc
        whole = own is not None and len(vpcs.public_subnets(own)) > 1
        self.target = seen.target
        wanted = describe_goal_network(Exercise(), seen.target.region)
        self.vpc: Vpc = own if own and whole else wanted
        self.subnets = vpcs.public_subnets(self.vpc)[:2]
        self.cluster = next((c for c in seen.clusters if c.name == syllabus.CLUSTER.name), None)
        self.repository = next((r for r in seen.repositories if r.name == goal.name), None)
        images = (image for image in seen.images if image.repository == goal.name)
        self.image = next((image for image in images if goal.tag in image.tags), None)
        self.planned = not (whole and self.cluster and self.repository and self.image)

    @property
    def uri(self) -> str:
        """The URI of the image with the workshop's tag."""
        name = syllabus.REPOSITORY.name
        known = self.repository.uri if self.repository else ""
        place = known or registries.repository_uri(self.target, name)
        return f"{place}:{syllabus.REPOSITORY.tag}"


def public(subject: Subject) -> Question:
    """What makes a subnet public; asked of the first that is not, where there is one."""
    vpc = subject.vpc
    shut = [s for s in subject.subnets if vpcs.way_out(vpc, s) != vpcs.TO_GATEWAY]
    subnet = next(iter(shut), subject.subnets[0])
    table = vpc.route_table_of(subnet.id)
    return _ask(
        "public",
        ("by-name", "by-gateway", "by-route", "by-address"),
        right="by-route",
        variants={"prompt": "not-yet", "by-route-why": "not-yet"} if shut else _PLAIN,
        subnet=_name(subnet),
        table=(table.name or table.id) if table else "-",
    )


def reach(subject: Subject) -> Question:
    """What it takes to be reached from the internet."""
    subnet = subject.subnets[0]
    return _ask(
        "reach",
        ("yes", "needs", "never"),
        right="needs",
        variants={"needs-why": "mapped"} if subnet.map_public_ip else _PLAIN,
        subnet=_name(subnet),
    )


def addresses(subject: Subject) -> Question:
    """How many addresses of a subnet can be used."""
    subnet, vpc = subject.subnets[0], subject.vpc
    whole = ip_network(subnet.cidr).num_addresses
    return _ask(
        "addresses",
        ("vpc", "whole", "less-two", "less-five"),
        right="less-five",
        subnet=_name(subnet),
        cidr=subnet.cidr,
        prefix=subnet.cidr.rpartition("/")[2],
        whole=f"{whole:,}",
        less_two=f"{whole - 2:,}",
        less_five=f"{whole - KEPT_ADDRESSES:,}",
        vpc=f"{ip_network(vpc.cidr).num_addresses:,}",
        vpc_cidr=vpc.cidr,
    )


def zone_fails(subject: Subject) -> Question:
    """Which subnet survives when the zone of the first one fails."""
    first, second = subject.subnets
    same = first.zone == second.zone
    return _ask(
        "zone-fails",
        ("both", "first", "second", "neither"),
        right="neither" if same else "second",
        variants={"second-why": "same", "neither-why": "same"} if same else _PLAIN,
        zone=first.zone,
        first=_name(first),
        second=_name(second),
        second_zone=second.zone,
    )


def region_fails(subject: Subject) -> Question:
    """What zones are no precaution against."""
    vpc = subject.vpc
    return _ask(
        "region-fails",
        ("zones", "moves", "stops"),
        right="stops",
        region=subject.target.region,
        vpc=vpc.name or vpc.id,
    )


def servers(subject: Subject) -> Question:
    """How many servers a cluster on Fargate takes."""
    count = subject.cluster.container_instances if subject.cluster else 0
    return _ask(
        "servers",
        ("one-a-zone", "none", "one"),
        right="none",
        variants={"none-why": "some"} if count else _PLAIN,
        cluster=syllabus.CLUSTER.name,
        count=count,
    )


def where(subject: Subject) -> Question:
    """In which network a cluster is."""
    vpc = subject.vpc
    return _ask(
        "where",
        ("own", "default", "none"),
        right="none",
        cluster=syllabus.CLUSTER.name,
        vpc=vpc.name or vpc.id,
    )


def cost(subject: Subject) -> Question:
    """What a cluster costs in which nothing runs."""
    count = subject.cluster.running_tasks if subject.cluster else 0
    return _ask(
        "cost",
        ("hourly", "nothing", "zones"),
        right="nothing",
        cluster=syllabus.CLUSTER.name,
        count=count,
    )


def other_region(subject: Subject) -> Question:
    """What becomes of an image that was pushed to another region."""
    return _ask(
        "other-region",
        ("shared", "fetched", "fails"),
        right="fails",
        region=subject.target.region,
        other=next(r for r in _OTHERS if r != subject.target.region),
        cluster=syllabus.CLUSTER.name,
        uri=subject.uri,
    )


def latest(subject: Subject) -> Question:
    """Where a tag leads after the next push."""
    tag = syllabus.REPOSITORY.tag
    fixed = subject.repository is not None and subject.repository.tag_mutability == "IMMUTABLE"
    others = [name for name in subject.image.tags if name != tag] if subject.image else []
    variants = {} if others else {"tomorrow-why": "alone"}
    if fixed:
        variants = {"tomorrow-why": "immutable", "refused-why": "immutable"}
    return _ask(
        "latest",
        ("tomorrow", "today", "refused"),
        right="refused" if fixed else "tomorrow",
        variants=variants,
        uri=subject.uri,
        tag=tag,
        unique=f"{syllabus.REPOSITORY.name}:{others[0]}" if others else "",
    )


def platform(subject: Subject) -> Question:
    """What becomes of an image for another processor."""
    found = subject.image.platforms if subject.image else ()
    names = ", ".join(f"{each.os}/{each.architecture}" for each in found)
    return _ask(
        "platform",
        ("starts", "fails", "refused"),
        right="fails",
        variants=_PLAIN if names else {"fails-why": "none"},
        repository=syllabus.REPOSITORY.name,
        platform=names,
    )


TOPICS = MappingProxyType(
    {
        "why-network": (public, reach, addresses),
        "why-zones": (zone_fails, region_fails),
        "why-cluster": (servers, where, cost),
        "why-registry": (other_region, latest, platform),
    }
)
"""By the free answer that they stand beside."""


def _ask(
    id: str,
    choices: tuple[str, ...],
    *,
    right: str,
    variants: Mapping[str, str] = _PLAIN,
    **values: object,
) -> Question:
    """Return a question of the catalogue.

    Args:
        id: The question.
        choices: Its choices' keys, in the order in which they are shown.
        right: The one that is right.
        variants: Which sentences have another form here, and which.
        values: What its sentences are filled in with.
    """
    safe = {name: one_line(v) if isinstance(v, str) else v for name, v in values.items()}

    def say(part: str) -> str:
        form = f"-{variants[part]}" if part in variants else ""
        return messages.text(f"practice.questions.{id}.{part}{form}", **safe)

    return Question(
        id,
        say("prompt"),
        tuple(
            Choice(letter, say(key), key == right, say(f"{key}-why"))
            for letter, key in zip(LETTERS, choices, strict=False)
        ),
    )


def _name(subnet: Subnet) -> str:
    return subnet.name or subnet.id
