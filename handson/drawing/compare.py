"""What a picture marks: the changes since an earlier look, or what is missing and wrong.

Nothing is judged here.  A change is a difference between two snapshots; what is missing or wrong,
and why, is what the checks say about the snapshot that is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from handson.core.messages import text
from handson.course import checks, syllabus
from handson.course.checks import Diagnosis, network_facts
from handson.course.checks import repository as ecr
from handson.course.checks.cluster import find_goal_cluster
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.course.state import Cluster, Repository, Snapshot, Subnet, Vpc
from handson.drawing.plan import CHANGED, GONE, KINDS, MISSING, NEW, WRONG, Mark

NETWORK, GATEWAY, CLUSTER = "network", "gateway", "cluster"
REPOSITORY, IMAGE = "repository", "image"
SERVICES = {NETWORK: "ec2", GATEWAY: "ec2", CLUSTER: "ecs", REPOSITORY: "ecr", IMAGE: "ecr"}
"""Part → the service that knows about it."""
_LONGEST = 30

T = TypeVar("T", Vpc, Cluster, Repository)


class Selection:
    """The VPC, cluster, repository and image of a snapshot to draw; None where it has none.

    They are those that the checks judge.  Where a check finds none, one that carries the workshop's
    tag, or else any other, is shown in its place.  `rest` holds the others of each kind.
    """

    def __init__(self, snapshot: Snapshot, exercise: Exercise) -> None:
        own = [vpc for vpc in snapshot.vpcs if not vpc.is_default or vpc.tagged]
        living = [each for each in snapshot.clusters if not each.is_deleted]
        self.vpc, vpc_rest = _choose(own, network_facts.find_goal_vpc(snapshot, exercise))
        self.cluster, cluster_rest = _choose(living, find_goal_cluster(snapshot, exercise))
        wanted = ecr.find_goal_repository(snapshot, exercise)
        self.repository, rest = _choose(snapshot.repositories, wanted)
        self.rest = vpc_rest, cluster_rest, rest
        self.unseen = {each.service for each in snapshot.unseen}
        self.region = snapshot.target.region
        self.repository_name = self.repository.name if self.repository else exercise.repository
        held = [i for i in snapshot.images if i.repository == self.repository_name and i.tags]
        self.image = ecr.find_tagged_image(held, exercise.tag) or ecr.find_newest_image(held)
        # One tag, and the exercise's before unique ones: those change with every build, and with
        # them the picture in a notebook would.
        tags = self.image.tags if self.image else (exercise.tag,)
        self.tag = exercise.tag if exercise.tag in tags else min(tags)
        self.subnets = self.vpc.subnets if self.vpc else ()
        gateways = self.vpc.internet_gateways if self.vpc else ()
        self.gateway = next((each for each in gateways if each.is_attached), None)

    @property
    def short_name(self) -> str:
        """The image's name and tag, or the tag alone where a long name would hide it."""
        name = f"{self.repository_name}:{self.tag}"
        return name if len(name) <= _LONGEST else f":{self.tag}"

    def describe(self) -> dict[str, tuple[str, ...]]:
        """Return the id, the name and the settings of each part that exists.

        A part is a name above, or the id of a subnet.
        """
        found: dict[str, tuple[str, ...]] = {}
        if vpc := self.vpc:
            cidrs = ", ".join((*vpc.cidrs, *vpc.ipv6_cidrs))
            switches = f"DNS {vpc.dns_support}/{vpc.dns_hostnames}"
            found[NETWORK] = (vpc.id, vpc.title, cidrs, switches)
            for each in vpc.subnets:
                way_out = network_facts.describe_way_out(vpc, each)
                found[each.id] = (each.id, each.title, each.cidr, way_out)
        if gateway := self.gateway:
            found[GATEWAY] = (gateway.id, gateway.title)
        if cluster := self.cluster:
            providers = ", ".join(cluster.capacity_providers) or "-"
            count = f"EC2 {cluster.container_instances}"
            found[CLUSTER] = (cluster.arn, cluster.name, cluster.status, providers, count)
        if repository := self.repository:
            found[REPOSITORY] = (repository.arn, repository.name)
        if image := self.image:
            # The name is what stays when another image is pushed under the same tag.
            found[IMAGE] = (self.short_name, self.short_name, image.digest[:19])
        return found


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
    other: Selection | None = None
    lost_subnets: tuple[Subnet, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of marks that occur, each once."""
        found = {mark.kind for mark in self.marks.values()}
        return tuple(kind for kind in KINDS if kind in found)


def compare_snapshots(before: Snapshot, after: Snapshot, exercise: Exercise) -> Comparison:
    """Return the differences between two looks at one target."""
    old, new = Selection(before, exercise), Selection(after, exercise)
    olds, news = old.describe(), new.describe()
    marks: dict[str, Mark] = {}
    reasons: list[str] = []
    for part in dict.fromkeys((*SERVICES, *olds, *news)):
        was, now = olds.get(part), news.get(part)
        if was == now:
            continue
        first = len(reasons) + 1
        if not now:
            kind = GONE
        elif not was or was[0] != now[0]:
            kind = NEW
        else:
            kind = CHANGED
            reasons += [
                text("drawing.changed-from", name=now[1], before=value, after=changed)
                for value, changed in zip(was[1:], now[1:], strict=True)
                if value != changed
            ]
        marks[part] = Mark(kind, tuple(range(first, len(reasons) + 1)))
    same = old.vpc is not None and new.vpc is not None and old.vpc.id == new.vpc.id
    lost = tuple(subnet for subnet in old.subnets if same and subnet.id not in news)
    return Comparison("since", marks, tuple(reasons), old, lost)


def compare_with_goal(snapshot: Snapshot, exercise: Exercise) -> Comparison:
    """Return what the checks call missing or wrong, on the parts that it is about."""
    selection, goal = Selection(snapshot, exercise), _find_goal(exercise, snapshot.target.region)
    lacking = _list_lacking_subnets(selection, goal, exercise)
    numbers: dict[str, list[int]] = {}
    reasons: list[str] = []
    for check in syllabus.CHECK_IDS:
        about = IMAGE if check == "image-uri" else check
        if SERVICES[about] in selection.unseen:
            continue  # nothing is known about it
        result = checks.run_check(check, snapshot, exercise)
        failing = {fact.id for fact in result.facts if not fact.passed and not fact.advice}
        for cause in result.diagnoses:
            if failing.isdisjoint(cause.facts):
                continue  # advice does not fail a check
            reasons.append(cause.message)
            for part in _find_parts(about, cause, selection, lacking):
                numbers.setdefault(part, []).append(len(reasons))
    present = selection.describe()
    marks = {
        part: Mark(WRONG if part in present else MISSING, tuple(found))
        for part, found in numbers.items()
    }
    return Comparison("goal", marks, tuple(reasons), goal, lacking)


@lru_cache(maxsize=8)
def _find_goal(exercise: Exercise, region: str) -> Selection:
    return Selection(describe_goal(replace(exercise, region=region)), exercise)


def _find_parts(
    part: str, cause: Diagnosis, selection: Selection, lacking: Sequence[Subnet]
) -> Iterator[str]:
    """Yield what a cause is about: subnets, the gateway, or the part that its check judges."""
    gateway = selection.gateway.id if selection.gateway else ""
    if cause.resource in {subnet.id for subnet in selection.subnets}:
        yield cause.resource
    elif selection.vpc and ("gateway.attached" in cause.facts or cause.resource == gateway != ""):
        yield GATEWAY
    elif lacking and {"subnets.public", "subnets.zones"}.intersection(cause.facts):
        yield from (subnet.id for subnet in lacking)
    else:
        yield part


def _list_lacking_subnets(
    selection: Selection, goal: Selection, exercise: Exercise
) -> tuple[Subnet, ...]:
    """Return the goal's subnets that the VPC lacks, in zones and with blocks that are free."""
    if selection.vpc is None:
        return ()
    public = network_facts.find_public_subnets(selection.vpc, exercise)
    zones, blocks = {each.zone for each in public}, {each.cidr for each in selection.subnets}
    count = len(goal.subnets) - len(public)
    by_block = sorted(goal.subnets, key=lambda each: each.cidr in blocks)
    free = iter([each.zone for each in goal.subnets if each.zone not in zones])
    missing = text("drawing.missing")
    # AWS never gives an id with a space.
    return tuple(
        replace(each, id=f"lacking {number}", zone=next(free, each.zone), name=missing)
        for number, each in enumerate(by_block[: max(count, 0)])
    )
