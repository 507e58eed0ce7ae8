"""The architecture as a learner's evidence shows it: boxes within boxes, each beside the goal.

The evidence of the checks is laid together into one snapshot, and `drawing.compare` says what in
it is missing or wrong, as it does for a picture.  A box is the goal's where only the goal has it;
where there is no evidence, nobody can say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from handson.core.text import one_line
from handson.course.checks import vpcs
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.course.state import Snapshot, Subnet, Target, Vpc
from handson.drawing import compare
from handson.drawing.plan import MISSING
from handson.drawing.seen import Seen
from handson.grading.model import Result, Struct

SAME, DIFFERS, ABSENT, EXTRA, UNSEEN = "same", "differs", "absent", "extra", "unseen"
"""As the goal has it · not so · only in the goal · not in the goal · no evidence."""

MOST = 24
"""Boxes of one kind that are drawn; the exercise has two subnets."""


class Box(Struct, frozen=True, kw_only=True):
    """Something that is drawn: what it is, what it is called, and what differs from the goal."""

    kind: str
    state: str
    name: str = ""
    detail: str = ""
    why: tuple[str, ...] = ()
    inside: tuple[Box, ...] = ()


def draw(result: Result) -> Box:
    """Return AWS as the evidence of a learner shows it."""
    found = {
        mark.id: Snapshot.from_json(mark.proof.observed)
        for mark in result.checks
        if mark.proof is not None and mark.proof.observed is not None
    }
    targets = [snapshot.target for snapshot in found.values()]
    places = sorted({f"{one_line(each.account)} · {one_line(each.region)}" for each in targets})
    inside = _Drawing(found).boxes()
    state = SAME if found else UNSEEN
    return Box(kind="aws", state=state, name=", ".join(places), inside=tuple(inside))


def _together(found: dict[str, Snapshot]) -> Snapshot:
    """Return one snapshot of what each check's evidence tells of its own subject."""
    nothing = Snapshot(target=next((s.target for s in found.values()), _NOWHERE))
    image = found.get("image", nothing)
    return Snapshot(
        target=nothing.target,
        vpcs=found.get("network", nothing).vpcs,
        clusters=found.get("cluster", nothing).clusters,
        repositories=found.get("repository", nothing).repositories,
        images=image.images,
        recorded_uri=found.get("image-uri", nothing).recorded_uri,
        recorded_run=image.recorded_run,
        elsewhere=tuple(each for snapshot in found.values() for each in snapshot.elsewhere),
    )


_NOWHERE = Target(kind="", account="", region="")


@dataclass(frozen=True)
class _Part:
    """What is there of a part, or None, and what the goal has there: each a name and a detail."""

    check: str
    here: tuple[str, str] | None
    wanted: tuple[str, str]


class _Drawing:
    """The boxes of one state, beside those of the goal."""

    def __init__(self, found: dict[str, Snapshot]) -> None:
        snapshot = _together(found)
        self._evidence = found
        self._remarks = compare.against_goal(snapshot, only=tuple(found))
        self._seen, self._goal = Seen(snapshot), Seen(describe_goal(Exercise()))
        self._uri = snapshot.recorded_uri.uri if snapshot.recorded_uri else ""

    def boxes(self) -> Iterator[Box]:
        """Yield VPCs, the cluster and the repository with its image."""
        yield from self._networks()
        yield self._box("cluster", compare.CLUSTER, self._cluster())
        image = self._box("image", compare.IMAGE, self._image())
        yield self._box("repository", compare.REPOSITORY, self._repository(), inside=(image,))

    def _box(self, kind: str, part: str, told: _Part, *, inside: Sequence[Box] = ()) -> Box:
        state, why = self._state(part, told)
        name, detail = told.here if told.here and state not in (ABSENT, UNSEEN) else told.wanted
        shown = {"name": one_line(name), "detail": one_line(detail)}
        return Box(kind=kind, state=state, why=why, inside=tuple(inside), **shown)

    def _state(self, part: str, told: _Part) -> tuple[str, tuple[str, ...]]:
        if told.check not in self._evidence:
            return UNSEEN, ()
        mark = self._remarks.mark(part)
        if mark is None:
            return (SAME, ()) if told.here else (ABSENT, ())
        why = tuple(self._remarks.reasons[number - 1] for number in mark.reasons)
        return ABSENT if mark.kind == MISSING or not told.here else DIFFERS, why

    def _networks(self) -> Iterator[Box]:
        vpc, wanted = self._seen.vpc, self._goal.vpc
        told = _Part("network", _network(vpc), _network(wanted) or ("", ""))
        inside = (self._box("gateway", compare.GATEWAY, self._gateway()), *self._zones())
        yield self._box("vpc", compare.NETWORK, told, inside=inside)
        for other in self._seen.rest[0][:MOST]:
            name, detail = _network(other) or ("", "")
            yield Box(kind="vpc", state=EXTRA, name=one_line(name), detail=one_line(detail))

    def _zones(self) -> Iterator[Box]:
        """Yield a box a zone with its subnets, those among them that only the goal has."""
        lacking = self._remarks.subnets if self._seen.vpc else self._goal.subnets
        zones: dict[str, list[Box]] = {}
        for subnet in (*self._seen.subnets[:MOST], *lacking):
            here = None if subnet in lacking else _subnet(subnet)
            told = _Part("network", here, ("", subnet.cidr))
            box = self._box("subnet", subnet.id, told)
            zones.setdefault(subnet.zone, []).append(self._with_way_out(box, subnet))
        for zone, inside in sorted(zones.items()):
            state = SAME if "network" in self._evidence else UNSEEN
            yield Box(kind="zone", state=state, name=one_line(zone), inside=tuple(inside))

    def _with_way_out(self, box: Box, subnet: Subnet) -> Box:
        """Return a subnet that leads nowhere as one that differs: a cause names but the first."""
        way = vpcs.way_out(self._seen.vpc, subnet) if self._seen.vpc else vpcs.TO_GATEWAY
        if box.state != SAME or way == vpcs.TO_GATEWAY:
            return box
        return replace(box, state=DIFFERS, why=(one_line(way),))

    def _gateway(self) -> _Part:
        gateway = self._seen.gateway
        here = (gateway.name or gateway.id, "") if gateway else None
        return _Part("network", here, ("", ""))

    def _cluster(self) -> _Part:
        told = [
            (each.name, ", ".join((each.status, *each.capacity_providers[:4]))) if each else None
            for each in (self._seen.cluster, self._goal.cluster)
        ]
        return _Part("cluster", told[0], told[1] or ("", ""))

    def _repository(self) -> _Part:
        here = self._seen.repository
        told = (here.name, here.uri) if here else None
        return _Part("repository", told, (self._goal.repository_name, ""))

    def _image(self) -> _Part:
        image = self._seen.image
        detail = self._uri or (image.digest[:19] if image else "")
        here = (", ".join(image.tags[:4]), detail) if image else None
        return _Part("image", here, (self._goal.tag, ""))


def _network(vpc: Vpc | None) -> tuple[str, str] | None:
    return (vpc.name or vpc.id, ", ".join(vpc.cidrs[:4])) if vpc else None


def _subnet(subnet: Subnet) -> tuple[str, str]:
    return subnet.name or subnet.id, subnet.cidr
