"""What a picture marks: the change since an earlier look, or what is left to do.

Nothing is judged here.  A change is what differs between two snapshots; what is missing or wrong,
and why, is what the checks say of the one that is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from handson.course import checks, syllabus
from handson.course.checks import CheckResult, Diagnosis, vpcs
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.course.state import Image, Snapshot, Subnet, Vpc
from handson.drawing.plan import CHANGED, GONE, MISSING, NEW, WRONG, Mark
from handson.drawing.seen import Seen
from handson.drawing.words import Words

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
_SUBNETS = frozenset(("subnets.public", "subnets.zones"))
_GATEWAY = "gateway.attached"


@dataclass(frozen=True)
class Remarks:
    """What there is to mark on a picture, by part: a name above, or the id of a subnet.

    Attributes:
        kind: The title and the legend: "" for a picture that marks nothing, "since" or "goal".
        marks: What is said of each part.
        reasons: The numbered sentences, from 1.
        ghosts: What stands where something is missing.
        subnets: The subnets that are drawn though they are not there.
    """

    kind: str = ""
    marks: Mapping[str, Mark] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    ghosts: Seen | None = None
    subnets: tuple[Subnet, ...] = ()

    def mark(self, part: str) -> Mark | None:
        """Return what is said of a part."""
        return self.marks.get(part)

    def kinds(self) -> list[str]:
        """Return the kinds of marks there are, each once."""
        found = {mark.kind for mark in self.marks.values()}
        return [kind for kind in (NEW, CHANGED, GONE, WRONG, MISSING) if kind in found]


def since(before: Snapshot, after: Snapshot, words: Words) -> Remarks:
    """Return what differs between two looks at one target."""
    old, new = Seen(before), Seen(after)
    marks: dict[str, Mark] = {}
    reasons: list[str] = []
    for part, was, now, told in _pairs(old, new):
        if was == now:
            continue
        kind = GONE if not now else NEW if not was or was[0] != now[0] else CHANGED
        differing = [
            words("changed-from", name=told, before=before, after=after)
            for before, after in zip(was[1:], now[1:], strict=False)
            if kind == CHANGED and before != after
        ]
        numbers = tuple(range(len(reasons) + 1, len(reasons) + len(differing) + 1))
        reasons += differing
        marks[part] = Mark(kind, numbers)
    same = old.vpc is not None and new.vpc is not None and old.vpc.id == new.vpc.id
    gone = {subnet.id for subnet in old.subnets} - {subnet.id for subnet in new.subnets}
    ghosts = tuple(subnet for subnet in old.subnets if same and subnet.id in gone)
    return Remarks("since", marks, tuple(reasons), old, ghosts)


Described = tuple[str, ...]
"""An id, then what may change about it, as a picture shows it; empty where there is nothing."""


def _pairs(old: Seen, new: Seen) -> Iterator[tuple[str, Described, Described, str]]:
    """Yield each part with what it was, what it is, and its name for people."""
    for part, describe in _DESCRIBED.items():
        was, now = describe(old), describe(new)
        yield part, was, now, (now or was or ("", ""))[1]
    olds = {subnet.id: _subnet(old.vpc, subnet) for subnet in old.subnets if old.vpc}
    news = {subnet.id: _subnet(new.vpc, subnet) for subnet in new.subnets if new.vpc}
    for subnet in {**olds, **news}:
        was, now = olds.get(subnet, ()), news.get(subnet, ())
        yield subnet, was, now, (now or was)[1]


def _subnet(vpc: Vpc, subnet: Subnet) -> Described:
    return subnet.id, subnet.name or subnet.id, subnet.cidr, vpcs.way_out(vpc, subnet)


def _network(seen: Seen) -> Described:
    vpc = seen.vpc
    if vpc is None:
        return ()
    switches = f"DNS {vpc.dns_support}/{vpc.dns_hostnames}"
    return vpc.id, vpc.name or vpc.id, ", ".join((*vpc.cidrs, *vpc.ipv6_cidrs)), switches


def _gateway(seen: Seen) -> Described:
    gateway = seen.gateway
    return (gateway.id, gateway.name or gateway.id) if gateway else ()


def _cluster(seen: Seen) -> Described:
    cluster = seen.cluster
    if cluster is None:
        return ()
    providers = ", ".join(cluster.capacity_providers) or "-"
    counts = f"EC2 {cluster.container_instances}"
    return cluster.arn, cluster.name, cluster.status, providers, counts


def _repository(seen: Seen) -> Described:
    return (seen.repository.arn, seen.repository.name) if seen.repository else ()


def _image(seen: Seen) -> Described:
    image: Image | None = seen.image
    # The name is what stays when another image is pushed under the same tag.
    return (seen.short_name, seen.short_name, image.digest[:19]) if image else ()


_DESCRIBED: dict[str, Callable[[Seen], Described]] = {
    NETWORK: _network,
    GATEWAY: _gateway,
    CLUSTER: _cluster,
    REPOSITORY: _repository,
    IMAGE: _image,
}


def against_goal(snapshot: Snapshot, *, only: Collection[str] = syllabus.CHECK_IDS) -> Remarks:
    """Return what the checks say is missing or wrong, on the parts that it is about.

    Args:
        snapshot: What was seen.
        only: The checks to ask, where the snapshot tells nothing of the others.
    """
    seen, ghosts = Seen(snapshot), Seen(describe_goal(Exercise()))
    lacking = _lacking_subnets(seen, ghosts)
    there = {
        NETWORK: seen.vpc,
        GATEWAY: seen.gateway,
        CLUSTER: seen.cluster,
        REPOSITORY: seen.repository,
        IMAGE: seen.image,
        **{subnet.id: subnet for subnet in seen.subnets},
    }
    numbers: dict[str, list[int]] = {}
    reasons: list[str] = []
    for result in (checks.check(name, snapshot) for name in syllabus.CHECK_IDS if name in only):
        for cause in _causes(result):
            reasons.append(cause.message)
            for part in _parts(result.id, cause, seen, lacking):
                numbers.setdefault(part, []).append(len(reasons))
    marks = {
        part: Mark(WRONG if there.get(part) else MISSING, tuple(found))
        for part, found in numbers.items()
    }
    return Remarks("goal", marks, tuple(reasons), ghosts, lacking)


def _causes(result: CheckResult) -> list[Diagnosis]:
    """Return why a check fails; advice does not fail it."""
    failing = {fact.id for fact in result.facts if not fact.passed and not fact.advice}
    return [cause for cause in result.diagnoses if failing.intersection(cause.facts)]


def _parts(check: str, cause: Diagnosis, seen: Seen, lacking: tuple[Subnet, ...]) -> Iterator[str]:
    """Yield the parts of the picture that a cause is about."""
    gateway = seen.gateway.id if seen.gateway else ""
    if cause.resource in {subnet.id for subnet in seen.subnets}:
        yield cause.resource
    elif seen.vpc and (_GATEWAY in cause.facts or cause.resource == gateway != ""):
        yield GATEWAY
    elif lacking and _SUBNETS.intersection(cause.facts):
        yield from (subnet.id for subnet in lacking)
    else:
        yield _PART_OF_CHECK[check]


def _lacking_subnets(seen: Seen, wanted: Seen) -> tuple[Subnet, ...]:
    """Return the goal's subnets that the VPC lacks, in zones and with blocks that are free."""
    if seen.vpc is None:
        return ()
    public = vpcs.public_subnets(seen.vpc)
    zones, blocks = {each.zone for each in public}, {each.cidr for each in seen.subnets}
    count = len(wanted.subnets) - len(public)
    by_block = sorted(wanted.subnets, key=lambda each: each.cidr in blocks)
    free = iter([each.zone for each in wanted.subnets if each.zone not in zones])
    # An id that no subnet of AWS's can have.
    return tuple(
        replace(each, id=f"lacking {number}", zone=next(free, each.zone), name="")
        for number, each in enumerate(by_block[: max(count, 0)])
    )
