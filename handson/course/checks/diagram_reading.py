"""The reading of a learner's diagram: the role of each box and icon, and where the arrows lead.

The same architecture has many good drawings.  So a part is recognised by its icon or by its words,
in Japanese or English; a border may be a box or hold the service's icon; a zone may be a box around
a subnet or a word on it; a route may be one arrow or several.  Parts outside the box of AWS are on
the learner's side.

A record's drawing may be forged: boxes inside each other and arrows to nowhere do no harm.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import TypeVar

from msgspec.structs import replace

from handson.course.checks import diagram_words as words
from handson.course.checks.diagram_words import (
    CLOUD,
    CLUSTER,
    OTHER,
    REGISTRY,
    SUBNET,
    VPC,
    ZONE,
    Part,
)
from handson.course.exercise import Exercise
from handson.course.state import Drawing, DrawnArrow, DrawnBox, DrawnIcon

P = TypeVar("P", DrawnBox, DrawnIcon, DrawnArrow)


class DiagramReading:
    """A diagram, read with the names of an exercise."""

    def __init__(self, drawing: Drawing, exercise: Exercise) -> None:
        def simplify(part: P) -> P:
            return replace(part, label=words.simplify_label(part.label, exercise))

        self.drawing = Drawing(
            boxes=tuple(map(simplify, drawing.boxes)),
            icons=tuple(map(simplify, drawing.icons)),
            arrows=tuple(map(simplify, drawing.arrows)),
        )
        self._boxes = {box.id: box for box in self.drawing.boxes}
        self._icons = {icon.id: icon for icon in self.drawing.icons}
        self._roles: dict[str, str] = {}

    # Roles

    def role(self, part: Part) -> str:
        """Return the role of a box or an icon."""
        if part.id not in self._roles:
            self._roles[part.id] = (
                self._role_of_box(part) if isinstance(part, DrawnBox) else words.role_of_icon(part)
            )
        return self._roles[part.id]

    def _role_of_box(self, box: DrawnBox) -> str:
        said = next((role for role, pattern in words.BOX_ROLES if words.says(box, pattern)), OTHER)
        # The network's border may hold the service's icon in place of its name.
        titled = said in (OTHER, CLUSTER) and any(
            icon.inside == box.id and icon.kind == "aws/network/vpc" for icon in self.drawing.icons
        )
        return VPC if titled else said

    def boxes(self, role: str) -> list[DrawnBox]:
        """Return the boxes with a role."""
        return [box for box in self.drawing.boxes if self.role(box) == role]

    def all(self, role: str) -> list[Part]:
        """Return the boxes and icons with a role."""
        everything: list[Part] = [*self.drawing.boxes, *self.drawing.icons]
        return [part for part in everything if self.role(part) == role]

    def around(self, part: Part) -> list[DrawnBox]:
        """Return the boxes around a part, the innermost first."""
        found: list[DrawnBox] = []
        box = self._boxes.get(part.inside)
        while box is not None and box not in found:
            found.append(box)
            box = self._boxes.get(box.inside)
        return found

    def within(self, part: Part, role: str) -> bool:
        """Tell whether a part is in a box with a role."""
        return any(self.role(box) == role for box in self.around(part))

    def holds(self, box: DrawnBox, role: str) -> bool:
        """Tell whether a box holds a part with a role, at any depth."""
        return any(box in self.around(part) for part in self.all(role))

    @cached_property
    def has_cloud(self) -> bool:
        """There is a box for AWS."""
        return bool(self.boxes(CLOUD))

    def on_aws(self, part: Part) -> bool:
        """Tell whether a part is on AWS; where AWS has no box, by the part's role."""
        if self.has_cloud:
            return self.within(part, CLOUD)
        roles = (VPC, ZONE, SUBNET, REGISTRY, CLUSTER)
        is_icon = isinstance(part, DrawnIcon)
        own = is_icon and (self.role(part) in roles or words.starts(part, words.IAM))
        return own or any(self.within(part, role) for role in roles)

    # Network

    @cached_property
    def subnets(self) -> list[Part]:
        """The subnets, each once: a box around one subnet icon is that subnet."""
        parts = self.all(SUBNET)
        inner = {part.id: [each for each in parts if part in self.around(each)] for part in parts}
        several = {part.id for part in parts if len(inner[part.id]) > 1}
        nested = {each.id for part in parts if part.id not in several for each in inner[part.id]}
        return [part for part in parts if part.id not in several and part.id not in nested]

    def zone(self, subnet: Part) -> str:
        """Return the zone of a subnet, by its box or its words; "" for none."""
        for box in self.around(subnet):
            if self.role(box) == ZONE:
                return box.id
        found = words.LETTER.search(subnet.label)
        return "".join(filter(None, found.groups()))[-1] if found else ""

    @cached_property
    def zones(self) -> set[str]:
        """The zones: boxes that hold no other zone, and the zones that subnets name."""
        boxes = {box.id for box in self.boxes(ZONE) if not self.holds(box, ZONE)}
        return boxes | {zone for subnet in self.subnets if (zone := self.zone(subnet))}

    def is_private(self, subnet: Part) -> bool:
        """Tell whether a subnet says that it is private."""
        return any(words.is_private(part) for part in self._parts(subnet))

    def is_public(self, subnet: Part) -> bool:
        """Tell whether a subnet says that it is public, or an arrow joins it to the gateway."""
        parts = [*self._parts(subnet), *self.around(subnet)]
        said = any(words.is_public(part) for part in parts if self.role(part) == SUBNET)
        return not self.is_private(subnet) and (said or self._is_reached(subnet))

    def _icons_in(self, part: Part) -> list[DrawnIcon]:
        return [icon for icon in self.drawing.icons if part in self.around(icon)]

    def _parts(self, part: Part) -> list[Part]:
        """Return a part and the icons in it."""
        return [part, *self._icons_in(part)]

    def _is_reached(self, subnet: Part) -> bool:
        own = {part.id for part in self._parts(subnet)}
        gates = {icon.id for icon in self.drawing.icons if words.starts(icon, words.GATEWAY)}
        return any(
            {arrow.tail, arrow.head} & own and {arrow.tail, arrow.head} & gates
            for arrow in self.drawing.arrows
        )

    # Cluster and registry

    @cached_property
    def clusters(self) -> list[Part]:
        """The parts on AWS that stand for the cluster."""
        return [
            part
            for part in self.all(CLUSTER)
            if self.on_aws(part) or (isinstance(part, DrawnBox) and not self.has_cloud)
        ]

    @property
    def says_fargate(self) -> bool:
        """The cluster, or something in it, says Fargate."""
        return any(
            words.is_fargate(each)
            for part in self.clusters
            for each in (*self._parts(part), *self.around(part))
        )

    @property
    def is_spread(self) -> bool:
        """The cluster is not confined to one zone."""
        places = [
            next((box.id for box in self.around(part) if self.role(box) == ZONE), "")
            for part in self.clusters
        ]
        return "" in places or len(set(places)) > 1

    @cached_property
    def servers(self) -> list[DrawnIcon]:
        """The icons of servers on AWS."""
        return [icon for icon in self.drawing.icons if self.on_aws(icon) and words.is_server(icon)]

    @cached_property
    def registries(self) -> list[Part]:
        """The parts that stand for the registry."""
        return self.all(REGISTRY)

    # Routes

    @cached_property
    def local(self) -> list[DrawnIcon]:
        """The icons on the learner's side."""
        return [icon for icon in self.drawing.icons if not self.on_aws(icon)]

    def is_signed_in(self) -> bool:
        """Tell whether a route from the learner's side into AWS shows authentication."""
        own = {icon.id for icon in self.local}
        gates = {
            icon.id
            for icon in self.drawing.icons
            if words.starts(icon, words.IAM) or words.says(icon, words.SIGN_IN)
        }
        linked: set[str] = set()
        for arrow in self._arrows():
            ends = {arrow.tail, arrow.head}
            crosses = len(ends & own) == 1
            if crosses and (words.says(arrow, words.SIGN_IN) or ends & gates):
                return True
            linked |= ends & gates if ends & own else set()
        # A gate between both sides: one arrow from the computer to it, another from it into AWS.
        return any(
            {arrow.tail, arrow.head} & linked and not {arrow.tail, arrow.head} <= own
            for arrow in self._arrows()
        )

    def is_pushed(self, *, by_containers: bool = False, backwards: bool = False) -> bool:
        """Tell whether the image leads from the learner's side to the registry.

        Args:
            by_containers: A container counts as an image.
            backwards: The arrows are read from head to tail.
        """
        starts = {
            icon.id for icon in self.local if words.is_image(icon) or not words.cannot_push(icon)
        }
        if by_containers:
            starts |= {icon.id for icon in self.local if words.says(icon, words.CONTAINER)}
        blocked = {icon.id for icon in self.local} - starts
        blocked |= {icon.id for icon in self._running()}
        return self._leads(starts, self._shelves(), words.PUSH, blocked, backwards=backwards)

    def is_pulled(self, *, backwards: bool = False) -> bool:
        """Tell whether the image leads from the registry to the cluster."""
        blocked = {icon.id for icon in self.local}
        runs = {icon.id for icon in self._running()}
        return self._leads(self._shelves(), runs, words.PULL, blocked, backwards=backwards)

    def _shelves(self) -> set[str]:
        """Return the ids of the registry's icons and of those in its box."""
        return {each.id for part in self.registries for each in self._parts(part)} & {*self._icons}

    def _running(self) -> list[DrawnIcon]:
        """Return the icons of the cluster, those in its box, and those that run on it."""
        own = [each for part in self.clusters for each in self._parts(part)]
        runs = [
            icon
            for icon in self.drawing.icons
            if self.clusters
            and self.on_aws(icon)
            and words.says(icon, words.TASK)
            and not words.is_image(icon)
        ]
        shelves = self._shelves()
        parts = (part for part in (*own, *runs) if part.id not in shelves)
        return [part for part in parts if isinstance(part, DrawnIcon)]

    def _arrows(self) -> list[DrawnArrow]:
        """Return the arrows whose two icons exist."""
        known = self._icons
        return [each for each in self.drawing.arrows if each.tail in known and each.head in known]

    def _leads(
        self,
        starts: Collection[str],
        ends: Collection[str],
        pattern: re.Pattern[str],
        blocked: Collection[str],
        *,
        backwards: bool,
    ) -> bool:
        """Tell whether arrows lead from one of `starts` to one of `ends`.

        An arrow that names what travels leads both ways: a pull may be drawn from either end.
        """
        nexts: dict[str, set[str]] = {}
        for arrow in self._arrows():
            for tail, head in _directions(arrow, said=words.says(arrow, pattern)):
                start, end = (head, tail) if backwards else (tail, head)
                nexts.setdefault(start, set()).add(end)
        seen, waiting = set(starts), list(starts)
        while waiting:
            for found in nexts.get(waiting.pop(), set()) - seen:
                if found in ends:
                    return True
                seen.add(found)
                if found not in blocked:
                    waiting.append(found)
        return bool(seen & set(ends))


def _directions(arrow: DrawnArrow, *, said: bool) -> Iterator[tuple[str, str]]:
    """Yield the directions that an arrow leads in."""
    if said or arrow.direction in ("forward", "both"):
        yield arrow.tail, arrow.head
    if said or arrow.direction in ("back", "both"):
        yield arrow.head, arrow.tail
