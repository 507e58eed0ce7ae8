"""What a picture marks: the changes since an earlier look, or what is missing and wrong.

Nothing is judged here.  A change is a difference between two snapshots; what is missing or wrong,
and why, is what the checks say of the snapshot that is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from handson.core.messages import text
from handson.course import checks, syllabus
from handson.course.checks import CheckResult, Diagnosis, vpcs
from handson.course.checks import cluster as cluster_check
from handson.course.checks.repository import find_newest_image, find_tagged_image
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.course.state import Cluster, Image, InternetGateway, Repository, Snapshot, Subnet, Vpc
from handson.drawing.parts import CHANGED, GONE, MISSING, NEW, WRONG, Mark

NETWORK, GATEWAY, CLUSTER, REPOSITORY, IMAGE = (
    "network",
    "gateway",
    "cluster",
    "repository",
    "image",
)
_PART_OF_CHECK = {
    "network": NETWORK,
    "cluster": CLUSTER,
    "repository": REPOSITORY,
    "image": IMAGE,
    "image-uri": IMAGE,
}
SERVICES = {NETWORK: "ec2", GATEWAY: "ec2", CLUSTER: "ecs", REPOSITORY: "ecr", IMAGE: "ecr"}
"""Part → the service that knows about it."""

_SUBNET_FACTS = frozenset(("subnets.public", "subnets.zones"))
_GATEWAY_FACT = "gateway.attached"
_LONGEST = 30

T = TypeVar("T", Vpc, Cluster, Repository)


class Subject:
    """The VPC, cluster, repository and image of a snapshot to draw; None where it has none.

    They are those that the checks judge.  Where a check finds none, one that carries the workshop's
    tag, or else any other, is shown in its place.  `rest` holds the others of each kind.
    """

    def __init__(self, snapshot: Snapshot, exercise: Exercise) -> None:
        own = [vpc for vpc in snapshot.vpcs if not vpc.is_default or vpc.tagged]
        living = [each for each in snapshot.clusters if each.status != "INACTIVE"]
        named = [each for each in snapshot.repositories if each.name == exercise.repository]
        self.vpc, other_vpcs = _choose(own, vpcs.find_goal_vpc(snapshot, exercise))
        self.cluster, other_clusters = _choose(
            living, cluster_check.find_goal_cluster(snapshot, exercise)
        )
        self.repository, others = _choose(snapshot.repositories, next(iter(named), None))
        self.rest = other_vpcs, other_clusters, others
        self.unseen = {each.service for each in snapshot.unseen}
        self.region = snapshot.target.region
        self.repository_name = self.repository.name if self.repository else exercise.repository
        held = [i for i in snapshot.images if i.repository == self.repository_name and i.tags]
        self.image = find_tagged_image(held, exercise.tag) or find_newest_image(held)
        # One tag, and the exercise's before unique ones: those change with every build, and with
        # them the picture in a notebook would.
        tags = self.image.tags if self.image else (exercise.tag,)
        self.tag = exercise.tag if exercise.tag in tags else min(tags)

    @property
    def short_name(self) -> str:
        """The image's name and tag, or the tag alone where a long name would hide it."""
        name = f"{self.repository_name}:{self.tag}"
        return name if len(name) <= _LONGEST else f":{self.tag}"

    @property
    def subnets(self) -> tuple[Subnet, ...]:
        """The subnets of the VPC."""
        return self.vpc.subnets if self.vpc else ()

    @property
    def gateway(self) -> InternetGateway | None:
        """The internet gateway that is attached to the VPC."""
        gateways = self.vpc.internet_gateways if self.vpc else ()
        attached = (each for each in gateways if each.attachment in vpcs.ATTACHED)
        return next(attached, None)


def _choose(found: Sequence[T], judged: T | None) -> tuple[T | None, list[T]]:
    """Return the resource of a kind to show, and the others, tagged ones first."""
    rest = sorted(found, key=lambda each: not each.tagged)
    shown = judged if judged is not None else next(iter(rest), None)
    return shown, [each for each in rest if each is not shown]


class Comparison(Struct, frozen=True):
    """What a picture marks, by part: a name above, or the id of a subnet.

    Attributes:
        kind: "since", "goal", or "" for a picture that marks nothing.
        marks: The mark of each part.
        reasons: The numbered sentences, from 1.
        other: The earlier look or the goal: what missing parts look like.
        lost_subnets: The subnets to draw as outlines.
    """

    kind: str = ""
    marks: Mapping[str, Mark] = {}
    reasons: tuple[str, ...] = ()
    other: Subject | None = None
    lost_subnets: tuple[Subnet, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of marks that occur, each once."""
        found = {mark.kind for mark in self.marks.values()}
        return tuple(kind for kind in (NEW, CHANGED, GONE, WRONG, MISSING) if kind in found)


def compare_snapshots(before: Snapshot, after: Snapshot, exercise: Exercise) -> Comparison:
    """Return the differences between two looks at one target."""
    old, new = Subject(before, exercise), Subject(after, exercise)
    marks: dict[str, Mark] = {}
    reasons: list[str] = []
    for part, was, now in _describe_pairs(old, new):
        if was == now:
            continue
        kind = GONE if not now else NEW if not was or was[0] != now[0] else CHANGED
        differing = [
            text("drawing.changed-from", name=now[1], before=value, after=changed)
            for value, changed in zip(was[1:], now[1:], strict=False)
            if kind == CHANGED and value != changed
        ]
        marks[part] = Mark(kind, _number(reasons, differing))
    same = old.vpc is not None and new.vpc is not None and old.vpc.id == new.vpc.id
    left = {subnet.id for subnet in new.subnets}
    lost = tuple(subnet for subnet in old.subnets if same and subnet.id not in left)
    return Comparison("since", marks, tuple(reasons), old, lost)


def _number(reasons: list[str], more: list[str]) -> tuple[int, ...]:
    """Add sentences to `reasons` and return their numbers."""
    reasons += more
    return tuple(range(len(reasons) - len(more) + 1, len(reasons) + 1))


Description = tuple[str, ...]
"""An id, then what may change, as a picture shows it; empty where there is nothing."""


def _describe_pairs(old: Subject, new: Subject) -> Iterator[tuple[str, Description, Description]]:
    """Yield each part with its description then and now."""
    for part, describe in _DESCRIPTIONS.items():
        yield part, describe(old), describe(new)
    olds = {subnet.id: _describe_subnet(old.vpc, subnet) for subnet in old.subnets if old.vpc}
    news = {subnet.id: _describe_subnet(new.vpc, subnet) for subnet in new.subnets if new.vpc}
    for subnet in {**olds, **news}:
        yield subnet, olds.get(subnet, ()), news.get(subnet, ())


def _describe_subnet(vpc: Vpc, subnet: Subnet) -> Description:
    return subnet.id, subnet.name or subnet.id, subnet.cidr, vpcs.describe_way_out(vpc, subnet)


def _describe_network(subject: Subject) -> Description:
    vpc = subject.vpc
    if vpc is None:
        return ()
    switches = f"DNS {vpc.dns_support}/{vpc.dns_hostnames}"
    return vpc.id, vpc.name or vpc.id, ", ".join((*vpc.cidrs, *vpc.ipv6_cidrs)), switches


def _describe_gateway(subject: Subject) -> Description:
    gateway = subject.gateway
    return (gateway.id, gateway.name or gateway.id) if gateway else ()


def _describe_cluster(subject: Subject) -> Description:
    cluster = subject.cluster
    if cluster is None:
        return ()
    providers = ", ".join(cluster.capacity_providers) or "-"
    counts = f"EC2 {cluster.container_instances}"
    return cluster.arn, cluster.name, cluster.status, providers, counts


def _describe_repository(subject: Subject) -> Description:
    repository = subject.repository
    return (repository.arn, repository.name) if repository else ()


def _describe_image(subject: Subject) -> Description:
    image: Image | None = subject.image
    # The name is what stays when another image is pushed under the same tag.
    return (subject.short_name, subject.short_name, image.digest[:19]) if image else ()


_DESCRIPTIONS: dict[str, Callable[[Subject], Description]] = {
    NETWORK: _describe_network,
    GATEWAY: _describe_gateway,
    CLUSTER: _describe_cluster,
    REPOSITORY: _describe_repository,
    IMAGE: _describe_image,
}


def compare_with_goal(snapshot: Snapshot, exercise: Exercise) -> Comparison:
    """Return what the checks call missing or wrong, on the parts that it is about."""
    subject, goal = Subject(snapshot, exercise), _find_goal(exercise)
    lacking = _list_lacking_subnets(subject, goal, exercise)
    present = {
        NETWORK: subject.vpc,
        GATEWAY: subject.gateway,
        CLUSTER: subject.cluster,
        REPOSITORY: subject.repository,
        IMAGE: subject.image,
        **{subnet.id: subnet for subnet in subject.subnets},
    }
    numbers: dict[str, list[int]] = {}
    reasons: list[str] = []
    for result in (checks.run_check(name, snapshot, exercise) for name in syllabus.CHECK_IDS):
        if SERVICES[_PART_OF_CHECK[result.id]] in subject.unseen:
            continue  # nothing is known about it
        for cause in _list_causes(result):
            reasons.append(cause.message)
            for part in _find_parts(result.id, cause, subject, lacking):
                numbers.setdefault(part, []).append(len(reasons))
    marks = {
        part: Mark(WRONG if present.get(part) else MISSING, tuple(found))
        for part, found in numbers.items()
    }
    return Comparison("goal", marks, tuple(reasons), goal, lacking)


@lru_cache(maxsize=8)
def _find_goal(exercise: Exercise) -> Subject:
    return Subject(describe_goal(exercise), exercise)


def _list_causes(result: CheckResult) -> list[Diagnosis]:
    """Return why a check fails; advice does not fail it."""
    failing = {fact.id for fact in result.facts if not fact.passed and not fact.advice}
    return [cause for cause in result.diagnoses if failing.intersection(cause.facts)]


def _find_parts(
    check: str, cause: Diagnosis, subject: Subject, lacking: tuple[Subnet, ...]
) -> Iterator[str]:
    """Yield the parts of the picture that a cause is about."""
    gateway = subject.gateway.id if subject.gateway else ""
    if cause.resource in {subnet.id for subnet in subject.subnets}:
        yield cause.resource
    elif subject.vpc and (_GATEWAY_FACT in cause.facts or cause.resource == gateway != ""):
        yield GATEWAY
    elif lacking and _SUBNET_FACTS.intersection(cause.facts):
        yield from (subnet.id for subnet in lacking)
    else:
        yield _PART_OF_CHECK[check]


def _list_lacking_subnets(
    subject: Subject, goal: Subject, exercise: Exercise
) -> tuple[Subnet, ...]:
    """Return the goal's subnets that the VPC lacks, in zones and with blocks that are free."""
    if subject.vpc is None:
        return ()
    public = vpcs.find_public_subnets(subject.vpc, exercise)
    zones, blocks = {each.zone for each in public}, {each.cidr for each in subject.subnets}
    count = len(goal.subnets) - len(public)
    by_block = sorted(goal.subnets, key=lambda each: each.cidr in blocks)
    free = iter([each.zone for each in goal.subnets if each.zone not in zones])
    # AWS never gives an id with a space.
    return tuple(
        replace(each, id=f"lacking {number}", zone=next(free, each.zone), name="")
        for number, each in enumerate(by_block[: max(count, 0)])
    )
