"""The plan of the architecture on AWS, from one look at the target and a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from handson.core.messages import label, text
from handson.course.checks import network_facts
from handson.course.exercise import FARGATE, Exercise
from handson.course.state import Snapshot, Subnet, Vpc
from handson.drawing import compare
from handson.drawing.compare import SERVICES, Comparison, Selection
from handson.drawing.plan import GONE, NO_GATEWAY, THEMES, Part, Plan, Tier, Zone
from handson.drawing.svg_document import clean

_MOST_OTHERS = 3


def plan_aws(snapshot: Snapshot, exercise: Exercise, comparison: Comparison) -> Plan:
    """Return what to paint for a snapshot; a missing part becomes a dashed outline."""
    planner = _Planner(Selection(snapshot, exercise), exercise, comparison)
    selection = planner.selection
    zones = tuple(planner.plan_zones())
    parts = {name: planner.plan_part(name) for name in SERVICES}
    gateway = parts[compare.GATEWAY]
    if selection.vpc is None or not (gateway.made or gateway.mark):
        parts[compare.GATEWAY] = NO_GATEWAY
    return Plan(
        view="aws",
        title=label("drawing.aws-title", comparison.kind or "now"),
        description=clean(" ".join(planner.describe(zones))),
        region=text("drawing.region", region=selection.region),
        own_image=selection.short_name,
        parts=parts,
        zones=zones,
        others=_list_others(selection),
        reasons=planner.list_reasons(),
        kinds=comparison.kinds,
    )


class _Planner:
    """Plans the parts of a selection, marked by a comparison."""

    def __init__(self, selection: Selection, exercise: Exercise, comparison: Comparison) -> None:
        self.selection = selection
        self.exercise = exercise
        self.comparison = comparison
        self.names = {part: label("drawing.part", part) for part in SERVICES}
        self.lines = _write_lines(selection)
        self.ghosts = _write_lines(comparison.other) if comparison.other else {}

    def plan_part(self, name: str) -> Part:
        """Return a part as it is, or the outline of what it was or ought to be."""
        mark = self.comparison.marks.get(name)
        if name in self.lines:
            return Part(self._find_icon(name), self.lines[name], mark=mark)
        if SERVICES[name] in self.selection.unseen:
            # Nothing is known about it: neither that it exists nor that it is missing.
            return Part("", (self.names[name], text("drawing.unseen")), made=False)
        gone = mark is not None and mark.kind == GONE
        state = text("drawing.gone") if gone else text("drawing.missing")
        lines = (mark and self.ghosts.get(name)) or (self.names[name],)
        return Part("", (*lines, state), made=False, mark=mark)

    def _find_icon(self, name: str) -> str:
        cluster = self.selection.cluster if name == compare.CLUSTER else None
        providers = cluster.capacity_providers if cluster else (FARGATE,)
        on_fargate = any(each.startswith(FARGATE) for each in providers)
        return THEMES["aws"].icons[name if on_fargate else "servers"]

    def plan_zones(self) -> Iterator[Zone]:
        """Yield the zones by name, in each its public subnets first."""
        vpc = self.selection.vpc
        if vpc is None:
            return
        public = self._find_public(vpc)
        subnets = [*vpc.subnets, *self.comparison.lost_subnets]
        subnets.sort(key=lambda each: (each.zone, each.id not in public, each.name, each.id))
        for zone, group in groupby(subnets, key=lambda each: each.zone):
            tiers = [self._plan_tier(vpc, each, public=each.id in public) for each in group]
            yield Zone(text("drawing.zone", zone=zone).split("\n"), tuple(tiers))

    def _plan_tier(self, vpc: Vpc, subnet: Subnet, *, public: bool) -> Tier:
        kind = text("drawing.public-subnet") if public else text("drawing.private-subnet")
        mark = self.comparison.marks.get(subnet.id)
        made = subnet not in self.comparison.lost_subnets
        reached = made and network_facts.describe_way_out(vpc, subnet) == network_facts.TO_GATEWAY
        return Tier(kind, subnet.title, subnet.cidr, public, reached, made, mark)

    def _find_public(self, vpc: Vpc) -> set[str]:
        """Return the public subnets; beside the goal, those that are meant to be public."""
        lost, other = self.comparison.lost_subnets, self.comparison.other
        if self.comparison.kind == "goal":
            return {
                subnet.id
                for subnet in (*network_facts.find_public_subnets(vpc, self.exercise), *lost)
            }
        earlier = other.vpc if other and other.vpc else vpc
        public = {subnet.id for subnet in lost if earlier.is_public(subnet)}
        return public | {subnet.id for subnet in vpc.subnets if vpc.is_public(subnet)}

    def list_reasons(self) -> tuple[str, ...]:
        """Return why parts are marked; where nothing is, one sentence that says so."""
        comparison = self.comparison
        if comparison.marks or not comparison.kind or self.selection.unseen:
            return comparison.reasons
        return (label("drawing.nothing", comparison.kind),)

    def describe(self, zones: Sequence[Zone]) -> Iterator[str]:
        """Yield the picture in sentences, then what is marked on it."""
        selection, comma, unseen = self.selection, text("drawing.comma"), self.selection.unseen
        vpc, cluster, repository = selection.vpc, selection.cluster, selection.repository
        yield text("drawing.said-region", region=selection.region)
        hidden = [name for part, name in self.names.items() if SERVICES[part] in unseen]
        if hidden:
            yield text("drawing.said-unseen", names=comma.join(hidden))
        if vpc is not None:
            yield text("drawing.said-vpc", name=vpc.title, cidr=_list_cidrs(vpc))
        elif "ec2" not in unseen:
            yield text("drawing.said-no-vpc")
        for zone in zones:
            for tier in zone.tiers:
                if tier.made:
                    subnet = {"kind": tier.kind, "name": tier.name, "cidr": tier.cidr}
                    yield text("drawing.said-subnet", zone=zone.lines[-1], **subnet)
        if cluster is not None:
            yield text("drawing.said-cluster", name=cluster.name, status=cluster.status)
        elif "ecs" not in unseen:
            yield text("drawing.said-no-cluster")
        if repository is not None and selection.image is not None:
            yield text("drawing.said-image", image=f"{repository.name}:{selection.tag}")
        elif repository is not None:
            yield text("drawing.said-no-image", repository=repository.name)
        elif "ecr" not in unseen:
            yield text("drawing.said-no-repository")
        earlier = self.comparison.other.subnets if self.comparison.other else ()
        names = {each.id: each.name for each in (*earlier, *selection.subnets)} | self.names
        for kind in self.comparison.kinds:
            marked = [part for part, mark in self.comparison.marks.items() if mark.kind == kind]
            found = [names.get(part) or text("drawing.public-subnet") for part in marked]
            yield label("drawing.said-marked", kind, names=comma.join(dict.fromkeys(found)))
        yield from self.list_reasons()


def _write_lines(selection: Selection) -> dict[str, tuple[str, ...]]:
    """Return the words at each part that exists."""
    lines: dict[str, tuple[str, ...]] = {}
    if vpc := selection.vpc:
        lines[compare.NETWORK] = (text("drawing.vpc", name=vpc.title), _list_cidrs(vpc))
    if gateway := selection.gateway:
        lines[compare.GATEWAY] = (text("drawing.part.gateway"), gateway.title)
    if cluster := selection.cluster:
        detail = [cluster.status, *cluster.capacity_providers]
        if cluster.container_instances:
            detail.append(text("drawing.instances", count=cluster.container_instances))
        if cluster.running_tasks:
            detail.append(text("drawing.tasks", count=cluster.running_tasks))
        lines[compare.CLUSTER] = (text("drawing.cluster", name=cluster.name), " · ".join(detail))
    if repository := selection.repository:
        lines[compare.REPOSITORY] = (
            text("drawing.part.repository"),
            text("drawing.private"),
            repository.name,
        )
    if image := selection.image:
        platforms = sorted({*map(str, image.platforms)})
        lines[compare.IMAGE] = (selection.short_name, *platforms[:2])
    return lines


def _list_cidrs(vpc: Vpc) -> str:
    return "  ".join(vpc.cidrs or (vpc.cidr,))


def _list_others(selection: Selection) -> str:
    """Name what else exists on the target, a few of each kind."""
    networks, clusters, repositories = selection.rest
    most = _MOST_OTHERS
    named = [
        *(text("drawing.other-vpc", name=e.title, cidr=e.cidr) for e in networks[:most]),
        *(text("drawing.other-cluster", name=each.name) for each in clusters[:most]),
        *(text("drawing.other-repository", name=each.name) for each in repositories[:most]),
    ]
    return text("drawing.others", names=text("drawing.comma").join(named)) if named else ""
