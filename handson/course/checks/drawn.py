"""How a learner's diagram is read: what each box and icon stands for, and where the arrows lead.

There are many good drawings of one thing.  So a part is known by its icon or by the words on it, in
Japanese or English; a border may be a box of its own or bear the service's icon inside; a zone may
be a box around a subnet or a word on it; a way may be one arrow or several.  What is outside of the
box of AWS stands on the learner's side.

Everything here may have been written by a stranger: boxes that stand inside each other and arrows
to nowhere do no harm.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cached_property

from handson.course.checks import signs
from handson.course.checks.signs import CLOUD, CLUSTER, OTHER, REGISTRY, SUBNET, VPC, ZONE, Part
from handson.course.state import Drawing, DrawnArrow, DrawnBox, DrawnIcon


class Drawn:
    """A diagram and what it says."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self._boxes = {box.id: box for box in drawing.boxes}
        self._icons = {icon.id: icon for icon in drawing.icons}
        self._roles: dict[str, str] = {}

    # What stands for what

    def role(self, part: Part) -> str:
        """Return what a box or an icon stands for."""
        if part.id not in self._roles:
            self._roles[part.id] = (
                self._role_of_box(part) if isinstance(part, DrawnBox) else signs.role_of_icon(part)
            )
        return self._roles[part.id]

    def _role_of_box(self, box: DrawnBox) -> str:
        said = next((role for role, pattern in signs.BOX_ROLES if signs.says(box, pattern)), OTHER)
        # The network's border may bear the service's icon in the place of its name.
        titled = said in (OTHER, CLUSTER) and any(
            icon.inside == box.id and icon.kind == "aws/network/vpc" for icon in self.drawing.icons
        )
        return VPC if titled else said

    def boxes(self, role: str) -> list[DrawnBox]:
        """Return the boxes that stand for something."""
        return [box for box in self.drawing.boxes if self.role(box) == role]

    def all(self, role: str) -> list[Part]:
        """Return the boxes and icons that stand for something."""
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
        """Tell whether a part stands in a box of a role."""
        return any(self.role(box) == role for box in self.around(part))

    def holds(self, box: DrawnBox, role: str) -> bool:
        """Tell whether a box, or one in it, holds something of a role."""
        return any(box in self.around(part) for part in self.all(role))

    @cached_property
    def has_cloud(self) -> bool:
        """There is a box for AWS."""
        return bool(self.boxes(CLOUD))

    def on_aws(self, part: Part) -> bool:
        """Tell whether a part stands on AWS; where AWS has no box, by what it is."""
        if self.has_cloud:
            return self.within(part, CLOUD)
        own = self.role(part) in (VPC, ZONE, SUBNET, REGISTRY, CLUSTER) and not isinstance(
            part, DrawnBox
        )
        inside = any(self.within(part, role) for role in (VPC, ZONE, SUBNET, REGISTRY, CLUSTER))
        return own or inside or (isinstance(part, DrawnIcon) and signs.starts(part, signs.IAM))

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
        """Return the zone that a subnet stands in, by its box or the words on it; "" for none."""
        for box in self.around(subnet):
            if self.role(box) == ZONE:
                return box.id
        found = signs.LETTER.search(signs.read(subnet))
        return "".join(filter(None, found.groups()))[-1] if found else ""

    @cached_property
    def zones(self) -> set[str]:
        """The zones there are: boxes that hold no other zone, and what subnets say."""
        boxes = {box.id for box in self.boxes(ZONE) if not self.holds(box, ZONE)}
        return boxes | {zone for subnet in self.subnets if (zone := self.zone(subnet))}

    def is_private(self, subnet: Part) -> bool:
        """Tell whether a subnet says that it is private."""
        return any(signs.is_private(part) for part in self._parts(subnet))

    def is_public(self, subnet: Part) -> bool:
        """Tell whether a subnet says that it is public, or the internet gateway leads to it."""
        parts = [*self._parts(subnet), *self.around(subnet)]
        said = any(signs.is_public(part) for part in parts if self.role(part) == SUBNET)
        return not self.is_private(subnet) and (said or self._is_reached(subnet))

    def _in(self, part: Part) -> Iterator[DrawnIcon]:
        for icon in self.drawing.icons:
            if part in self.around(icon):
                yield icon

    def _parts(self, part: Part) -> list[Part]:
        """Return a part and the icons in it."""
        return [part, *self._in(part)]

    def _is_reached(self, subnet: Part) -> bool:
        own = {part.id for part in self._parts(subnet)}
        gates = {icon.id for icon in self.drawing.icons if signs.starts(icon, signs.GATEWAY)}
        return any(
            {arrow.tail, arrow.head} & own and {arrow.tail, arrow.head} & gates
            for arrow in self.drawing.arrows
        )

    # Cluster and registry

    @cached_property
    def clusters(self) -> list[Part]:
        """What stands for the cluster, on AWS."""
        return [part for part in self.all(CLUSTER) if self.on_aws(part) or self._is_box(part)]

    def _is_box(self, part: Part) -> bool:
        return isinstance(part, DrawnBox) and not self.has_cloud

    @property
    def says_fargate(self) -> bool:
        """The cluster, or something in it, says Fargate."""
        parts: list[Part] = [
            *self.clusters,
            *(each for part in self.clusters for each in self._in(part)),
        ]
        around = [box for part in self.clusters for box in self.around(part)]
        return any(signs.is_fargate(part) for part in (*parts, *around))

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
        return [icon for icon in self.drawing.icons if self.on_aws(icon) and signs.is_server(icon)]

    @cached_property
    def registries(self) -> list[Part]:
        """What stands for the registry."""
        return self.all(REGISTRY)

    # Ways

    @cached_property
    def local(self) -> list[DrawnIcon]:
        """The icons on the learner's side."""
        return [icon for icon in self.drawing.icons if not self.on_aws(icon)]

    def is_signed_in(self) -> bool:
        """Tell whether a way from the learner's side into AWS says that it is let in."""
        own = {icon.id for icon in self.local}
        gates = {
            icon.id
            for icon in self.drawing.icons
            if signs.starts(icon, signs.IAM) or signs.says(icon, signs.SIGN_IN)
        }
        linked: set[str] = set()
        for arrow in self._arrows():
            ends = {arrow.tail, arrow.head}
            crosses = len(ends & own) == 1
            if crosses and (signs.says(arrow, signs.SIGN_IN) or ends & gates):
                return True
            linked |= ends & gates if ends & own else set()
        # A gate that stands between both sides: from the computer to it, and from it into AWS.
        return any(
            {arrow.tail, arrow.head} & linked and not {arrow.tail, arrow.head} <= own
            for arrow in self._arrows()
        )

    def is_pushed(self, *, by_containers: bool = False, backwards: bool = False) -> bool:
        """Tell whether the image leads from the learner's side to the registry.

        Args:
            by_containers: A container in the place of an image will do.
            backwards: The arrows are read from head to tail.
        """
        starts = {
            icon.id for icon in self.local if signs.is_image(icon) or not signs.is_passer(icon)
        }
        if by_containers:
            starts |= {icon.id for icon in self.local if signs.says(icon, signs.CONTAINER)}
        blocked = {icon.id for icon in self.local} - starts
        blocked |= {icon.id for icon in self._running()}
        return self._leads(starts, self._shelves(), signs.PUSH, blocked, backwards=backwards)

    def is_pulled(self, *, backwards: bool = False) -> bool:
        """Tell whether the image leads from the registry to the cluster."""
        blocked = {icon.id for icon in self.local}
        runs = {icon.id for icon in self._running()}
        return self._leads(self._shelves(), runs, signs.PULL, blocked, backwards=backwards)

    def _shelves(self) -> set[str]:
        """Return the icons of the registry, and of what lies in its box."""
        own = {part.id for part in self.registries}
        held = {icon.id for part in self.registries for icon in self._in(part)}
        return (own | held) & set(self._icons)

    def _running(self) -> list[DrawnIcon]:
        """Return the icons of the cluster, of what is in its box, and of what runs on it."""
        own = [part for part in self.clusters if isinstance(part, DrawnIcon)]
        held = [icon for part in self.clusters for icon in self._in(part)]
        runs = [
            icon
            for icon in self.drawing.icons
            if self.clusters
            and self.on_aws(icon)
            and signs.says(icon, signs.TASK)
            and not signs.is_image(icon)
        ]
        shelves = self._shelves()
        return [icon for icon in (*own, *held, *runs) if icon.id not in shelves]

    def _arrows(self) -> list[DrawnArrow]:
        """Return the arrows between icons that are there."""
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

        An arrow that says what travels leads both ways: whoever pulls may be drawn as reaching out.
        """
        nexts: dict[str, set[str]] = {}
        for arrow in self._arrows():
            for tail, head in _ways(arrow, said=signs.says(arrow, pattern)):
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


def _ways(arrow: DrawnArrow, *, said: bool) -> Iterator[tuple[str, str]]:
    """Yield the directions that an arrow leads in."""
    if said or arrow.direction in ("forward", "both"):
        yield arrow.tail, arrow.head
    if said or arrow.direction in ("back", "both"):
        yield arrow.head, arrow.tail
