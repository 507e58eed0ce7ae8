"""The plan of the same system on premises: what AWS takes over, bought and run by oneself.

It has the parts of the AWS picture, from the same state: each thing stands in the place of its
counterpart, one server room for each zone, and what AWS lacks is an outline here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handson.core.messages import text
from handson.course.exercise import Exercise
from handson.course.state import Snapshot
from handson.drawing import compare
from handson.drawing.compare import Selection
from handson.drawing.plan import NO_GATEWAY, THEMES, Part, Plan, Tier, Zone

_NAMED = (compare.NETWORK, compare.CLUSTER, compare.REPOSITORY)
"""The parts that the description calls missing; an image and a gateway stand within others."""


def plan_onprem(snapshot: Snapshot, exercise: Exercise) -> Plan:
    """Return what to paint: the counterpart of each resource in the snapshot."""
    selection = Selection(snapshot, exercise)
    cidr = selection.vpc.cidr if selection.vpc else ""
    registry = text("drawing.onprem-registry", repository=selection.repository_name)
    resources = {
        compare.NETWORK: (selection.vpc, [text("drawing.onprem-network"), cidr]),
        compare.CLUSTER: (selection.cluster, text("drawing.onprem-cluster").split("\n")),
        compare.REPOSITORY: (selection.repository, registry.split("\n")),
        compare.IMAGE: (selection.image, [selection.short_name, text("drawing.onprem-backup")]),
        compare.GATEWAY: (selection.gateway, text("drawing.onprem-gateway").split("\n")),
    }
    parts = {name: _plan_counterpart(name, *resource) for name, resource in resources.items()}
    outlines = [parts[name].lines[0] for name in _NAMED if not parts[name].made]
    return Plan(
        view="onprem",
        title=text("drawing.onprem-title"),
        description=" ".join(_describe(selection, outlines)),
        region=text("drawing.onprem-room"),
        own_image=selection.short_name,
        parts=parts if selection.gateway else {**parts, compare.GATEWAY: NO_GATEWAY},
        zones=tuple(_plan_rooms(selection)),
    )


def _plan_counterpart(name: str, resource: object, lines: Sequence[str]) -> Part:
    """Return a part, or an outline where AWS lacks the resource."""
    if resource is None:
        return Part("", (lines[0], text("drawing.onprem-missing")), made=False)
    return Part(THEMES["onprem"].icons[name], lines)


def _plan_rooms(selection: Selection) -> Iterator[Zone]:
    """Yield a server room for each zone, with a segment of the network for each subnet."""
    zones = sorted({subnet.zone for subnet in selection.subnets})
    for number, zone in enumerate(zones):
        tiers = [
            Tier(
                text("drawing.onprem-rack"),
                text("drawing.onprem-servers"),
                text("drawing.onprem-segment", cidr=cidr),
                public=True,
                reached=selection.gateway is not None,
            )
            for cidr in sorted(each.cidr for each in selection.subnets if each.zone == zone)
        ]
        name = text("drawing.onprem-zone", letter=chr(ord("A") + number), zone=zone)
        yield Zone(name.split("\n"), tuple(tiers))


def _describe(selection: Selection, outlines: Sequence[str]) -> Iterator[str]:
    yield text("drawing.onprem-description")
    rooms = len({subnet.zone for subnet in selection.subnets})
    if rooms:
        yield text("drawing.said-rooms", rooms=rooms)
    if outlines:
        yield text("drawing.said-outlines", names=text("drawing.comma").join(outlines))
