"""The reading of a learner's diagram: the role of each box and icon, and where the arrows lead.

The same architecture has many good drawings.  So a part is recognised by its icon or by its words,
in Japanese or English; a border may be a box or hold the service's icon; a zone may be a box around
a subnet or a word on it; a route may be one arrow or several.  Parts outside the box of AWS are on
the learner's side.  `diagram_words.json` holds the words (as patterns) and the paths of icons.

A record's drawing may be forged: boxes inside each other and arrows to nowhere do no harm.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from handson.course.exercise import Exercise
from handson.course.state import Drawing, DrawnArrow, DrawnBox, DrawnIcon

Part = DrawnBox | DrawnIcon
P = TypeVar("P", DrawnBox, DrawnIcon, DrawnArrow)

CLOUD, LOCAL, VPC, ZONE, SUBNET = "cloud", "local", "vpc", "zone", "subnet"
REGISTRY, CLUSTER, OTHER = "registry", "cluster", ""

_BOX_ROLES = {word: word for word in (SUBNET, VPC, REGISTRY, LOCAL, CLUSTER, ZONE, CLOUD)} | {
    "own": LOCAL
}
"""The role of a box by its words; the first that fits, because it says most."""

_DATA = json.loads(Path(__file__).with_name("diagram_words.json").read_text(encoding="utf-8"))
_ZONE_LETTER = (
    r"(?a)\b[1-9]([a-f])\b|(?:\baz\b|\bzone\b|ゾーン)[ :-]*([a-f1-6])\b|(?<![a-z])az([a-f1-6])\b"
)


def _says(part: Part | DrawnArrow, *words: str) -> bool:
    """Tell whether a part's simplified label has one of these words."""
    # With ASCII, a Latin word ends where Japanese begins: no space stands between them.
    return any(re.search(_DATA["words"][word], part.label, re.ASCII) for word in words)


def _shows(part: Part, icon: str) -> bool:
    """Tell whether a part is an icon of this sort."""
    return isinstance(part, DrawnIcon) and part.kind.startswith(tuple(_DATA["icons"][icon]))


def _is_server(icon: DrawnIcon) -> bool:
    return _shows(icon, "server") and not _shows(icon, "no-server")


def _is_image(icon: DrawnIcon) -> bool:
    """Tell whether an icon is an image, or a source of one."""
    return _says(icon, "image") or _shows(icon, "image")


def _find_icon_role(icon: DrawnIcon) -> str:
    roles = (
        (SUBNET, icon.kind.endswith("-subnet") or _says(icon, "subnet")),
        (VPC, icon.kind == "aws/network/vpc" or _says(icon, "vpc")),
        (REGISTRY, _shows(icon, "registry") and not _shows(icon, "image")),
        (CLUSTER, _shows(icon, "cluster")),
        (OTHER, _shows(icon, "sign-in") or _is_server(icon) or _shows(icon, "gateway")),
        (REGISTRY, _says(icon, "registry")),
        (CLUSTER, _says(icon, "cluster")),
    )
    return next((role for role, fits in roles if fits), OTHER)


def _simplify_label(label: str, exercise: Exercise) -> str:
    """Return the words of a label in one width and case, with the exercise's names translated.

    The prefix of all names, and the name of a command, appear in labels but do not identify a part.
    """
    words = " ".join(unicodedata.normalize("NFKC", label[:200]).casefold().split())
    network = exercise.network
    words = words.replace(exercise.cluster.casefold(), "cluster").replace(network.cidr, " vpc ")
    words = re.sub("aws[ -]?cli", " ", words.replace(network.name.casefold(), " "))
    return words.replace("_", " ")


class DiagramReading:
    """A diagram, read with the names of an exercise."""

    def __init__(self, drawing: Drawing, exercise: Exercise) -> None:
        def simplify(part: P) -> P:
            return replace(part, label=_simplify_label(part.label, exercise))

        self._icons = [simplify(icon) for icon in drawing.icons]
        self._boxes = [simplify(box) for box in drawing.boxes]
        self._parts: list[Part] = [*self._boxes, *self._icons]
        known = {icon.id for icon in self._icons}
        arrows = [simplify(arrow) for arrow in drawing.arrows]
        self._arrows = [each for each in arrows if {each.tail, each.head} <= known]
        self._box_of = {box.id: box for box in self._boxes}
        self._roles = {icon.id: _find_icon_role(icon) for icon in self._icons}
        self._roles |= {box.id: self._find_box_role(box) for box in self._boxes}

    # Roles

    def _find_box_role(self, box: DrawnBox) -> str:
        role = next((role for word, role in _BOX_ROLES.items() if _says(box, word)), OTHER)
        # The network's border may hold the service's icon in place of its name.
        titled = role in (OTHER, CLUSTER) and any(
            icon.inside == box.id and icon.kind == "aws/network/vpc" for icon in self._icons
        )
        return VPC if titled else role

    def role(self, part: Part) -> str:
        """Return the role of a box or an icon."""
        return self._roles[part.id]

    def boxes(self, role: str) -> list[DrawnBox]:
        """Return the boxes with a role."""
        return [box for box in self._boxes if self.role(box) == role]

    def all(self, role: str) -> list[Part]:
        """Return the boxes and icons with a role."""
        return [part for part in self._parts if self.role(part) == role]

    def around(self, part: Part) -> list[DrawnBox]:
        """Return the boxes around a part, the innermost first."""
        found: list[DrawnBox] = []
        box = self._box_of.get(part.inside)
        while box is not None and box not in found:
            found.append(box)
            box = self._box_of.get(box.inside)
        return found

    def within(self, part: Part, role: str) -> bool:
        """Tell whether a part is in a box with a role."""
        return any(self.role(box) == role for box in self.around(part))

    def _with_icons(self, part: Part) -> list[Part]:
        """Return a part and the icons in it."""
        return [part, *(icon for icon in self._icons if part in self.around(icon))]

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
        by_itself = is_icon and (self.role(part) in roles or _shows(part, "sign-in"))
        return by_itself or any(self.within(part, role) for role in roles)

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
        found = re.search(_ZONE_LETTER, subnet.label)
        return found[found.lastindex or 0] if found else ""

    @cached_property
    def zones(self) -> set[str]:
        """The zones: boxes that hold no other zone, and the zones that subnets name."""
        around = [box for part in self.all(ZONE) for box in self.around(part)]
        boxes = {box.id for box in self.boxes(ZONE) if box not in around}
        return boxes | {zone for subnet in self.subnets if (zone := self.zone(subnet))}

    def is_private(self, subnet: Part) -> bool:
        """Tell whether a subnet says that it is private."""
        return any(
            _shows(part, "private") or (_says(part, "private") and _says(part, "subnet"))
            for part in self._with_icons(subnet)
        )

    def is_public(self, subnet: Part) -> bool:
        """Tell whether a subnet says that it is public, or an arrow joins it to the gateway."""
        own = self._with_icons(subnet)
        stated = any(
            _shows(part, "public") or _says(part, "public")
            for part in (*own, *self.around(subnet))
            if self.role(part) == SUBNET
        )
        ids = {part.id for part in own}
        gates = {icon.id for icon in self._icons if _shows(icon, "gateway")}
        ends = [{arrow.tail, arrow.head} for arrow in self._arrows]
        joined = any(pair & ids and pair & gates for pair in ends)
        return not self.is_private(subnet) and (stated or joined)

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
            _shows(each, "fargate") or _says(each, "fargate")
            for part in self.clusters
            for each in (*self._with_icons(part), *self.around(part))
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
        return [icon for icon in self._icons if self.on_aws(icon) and _is_server(icon)]

    # Routes

    @cached_property
    def local(self) -> list[DrawnIcon]:
        """The icons on the learner's side."""
        return [icon for icon in self._icons if not self.on_aws(icon)]

    def is_signed_in(self) -> bool:
        """Tell whether a route from the learner's side into AWS shows authentication."""
        own = {icon.id for icon in self.local}
        gates = {i.id for i in self._icons if _shows(i, "sign-in") or _says(i, "sign-in")}
        return any(
            len({arrow.tail, arrow.head} & own) == 1
            and (_says(arrow, "sign-in") or {arrow.tail, arrow.head} & gates)
            for arrow in self._arrows
        )

    def is_pushed(self, *, by_containers: bool = False, backwards: bool = False) -> bool:
        """Tell whether the image leads from the learner's side to the registry.

        Args:
            by_containers: A container counts as an image.
            backwards: The arrows are read from head to tail.
        """
        starts = {
            icon.id
            for icon in self.local
            if _is_image(icon)
            or not _says(icon, "visitor", "container")
            or (by_containers and _says(icon, "container"))
        }
        blocked = {icon.id for icon in self.local} - starts | self._running
        return self._leads("push", starts, self._stored, blocked, backwards=backwards)

    def is_pulled(self, *, backwards: bool = False) -> bool:
        """Tell whether the image leads from the registry to the cluster."""
        blocked = {icon.id for icon in self.local}
        return self._leads("pull", self._stored, self._running, blocked, backwards=backwards)

    @cached_property
    def _stored(self) -> set[str]:
        """The ids of the registry's icons and of those in its box."""
        return {i.id for i in self._icons if self.role(i) == REGISTRY or self.within(i, REGISTRY)}

    @cached_property
    def _running(self) -> set[str]:
        """The ids of the cluster's icons, of those in its box, and of those that run on it."""
        clusters = self.clusters
        return {
            icon.id
            for icon in self._icons
            if any(part in clusters for part in (icon, *self.around(icon)))
            or (clusters and self.on_aws(icon) and _says(icon, "task") and not _is_image(icon))
        } - self._stored

    def _leads(
        self,
        word: str,
        starts: set[str],
        ends: set[str],
        blocked: Collection[str],
        *,
        backwards: bool,
    ) -> bool:
        """Tell whether arrows lead from one of `starts` to one of `ends`, past nothing blocked."""
        if backwards:
            starts, ends = ends, starts
        steps = list(self._list_steps(word))
        reached, latest = set(starts), set(starts)
        while latest:
            latest = {head for tail, head in steps if tail in latest} - reached
            reached |= latest
            latest = latest.difference(blocked)
        return not ends.isdisjoint(reached)

    def _list_steps(self, word: str) -> Iterator[tuple[str, str]]:
        """Yield where the arrows lead from and to.

        An arrow that names what travels leads both ways: a pull may be drawn from either end.
        """
        for arrow in self._arrows:
            named = _says(arrow, word)
            if named or arrow.direction in ("forward", "both"):
                yield arrow.tail, arrow.head
            if named or arrow.direction in ("back", "both"):
                yield arrow.head, arrow.tail
