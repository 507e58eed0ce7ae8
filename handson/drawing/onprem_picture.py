"""The plan of the same system on premises: what AWS takes over, bought and run by oneself.

It has the parts of the AWS picture, from the same state: each thing stands in the place of its
counterpart, one server room for each zone, and what AWS lacks is an outline here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handson.core.messages import text
from handson.course.exercise import Exercise
from handson.course.state import Snapshot
from handson.drawing.compare import Selection
from handson.drawing.plan import IMAGE_ICON, NO_GATEWAY, Part, Plan, Tier, Zone


def plan_onprem(snapshot: Snapshot, exercise: Exercise) -> Plan:
    """Return what to paint: the counterpart of each resource in the snapshot."""
    selection = Selection(snapshot, exercise)
    vpc, image, name = selection.vpc, selection.short_name, selection.repository_name
    network = _plan_counterpart(
        vpc, "generic/network/switch", text("drawing.onprem-network"), vpc.cidr if vpc else ""
    )
    cluster = _plan_counterpart(
        selection.cluster, "k8s/infra/master", *text("drawing.onprem-cluster").split("\n")
    )
    registry = _plan_counterpart(
        selection.repository,
        "onprem/registry/harbor",
        *text("drawing.onprem-registry", repository=name).split("\n"),
    )
    gateway = Part("generic/network/firewall", text("drawing.onprem-gateway").split("\n"))
    outlines = [part.lines[0] for part in (network, cluster, registry) if not part.made]
    return Plan(
        view="onprem",
        title=text("drawing.onprem-title"),
        description=" ".join(_describe(selection, outlines)),
        region=text("drawing.onprem-room"),
        own_image=image,
        registry=registry,
        image=_plan_counterpart(selection.image, IMAGE_ICON, image, text("drawing.onprem-backup")),
        network=network,
        gateway=gateway if selection.gateway else NO_GATEWAY,
        zones=tuple(_plan_rooms(selection)),
        cluster=cluster,
    )


def _plan_counterpart(resource: object, icon: str, *lines: str) -> Part:
    """Return a part, or an outline where AWS lacks the resource."""
    if resource is None:
        return Part("", (lines[0], text("drawing.onprem-missing")), made=False)
    return Part(icon, lines)


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
