"""Where a composition puts the boxes, icons, ways and words of a plan: what the frame paints by.

There are two compositions, in rooms of their own: `wide` for a picture alone, `tall` for pictures
side by side.  Both place the same parts, so that nothing is drawn in one and left out in the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handson.drawing.plan import Plan
from handson.drawing.scene import Box, Point

Placed = tuple[Box, tuple[Box, ...]]
"""A zone's box and those of its tiers."""


@dataclass(frozen=True)
class Spoken:
    """Where the words beside an arrow stand: the baseline of the last line, and its anchor."""

    x: float
    y: float
    anchor: str = "middle"
    room: float = 0


@dataclass(frozen=True)
class Way:
    """The bends of an arrow and the place of its words."""

    points: tuple[Point, ...]
    words: Spoken


@dataclass(frozen=True)
class Geometry:
    """The places of a plan's parts; `shelf` is where the registry's icon stands."""

    width: float
    computer: Box
    docker: Box
    outer: Box
    region: Box
    registry: Box
    network: Box
    band: Box
    zones: tuple[Placed, ...]
    slots: tuple[Box, ...]
    browser: Point
    client: Point
    image: Point
    login: Point
    shelf: Point
    gateway: Point
    gateway_words: Spoken
    heading: float
    """The x at which the names of the outer borders begin."""
    network_head: float
    """The x at which what is said of the network begins."""
    internet: Way
    sign_in: Way
    token: Way
    push: Way
    pull: Way
    route: Way
    """From the gateway to the height from which each subnet is reached."""
    gutters: tuple[float, ...]
    """For each zone the x of the way down beside it."""


Placing = Callable[[Plan], Geometry]

ZONE_HEAD = 50.0
TIER_HEAD = 96.0
LOW_TIER = 96.0
BAND = 150.0
BAND_OVER = 14.0


def zones(plan: Plan, corner: Point, *, width: float, gutter: float) -> tuple[Placed, ...]:
    """Place zones side by side from a corner on, all as high as the one with the most tiers."""
    left, top = corner
    most = max((len(zone.tiers) for zone in plan.network.zones), default=0)
    low = max(most - 1, 0) * (LOW_TIER + 10)
    height = ZONE_HEAD + TIER_HEAD + BAND + 14 + low + 12
    placed = []
    for number, zone in enumerate(plan.network.zones):
        box = Box(left + number * (width + gutter), top, width, height)
        tiers = tuple(_tier(box, row) for row in range(len(zone.tiers)))
        placed.append((box, tiers))
    return tuple(placed)


def _tier(zone: Box, row: int) -> Box:
    first, top = TIER_HEAD + BAND + 14, zone.y + ZONE_HEAD
    if row == 0:
        return Box(zone.x + 10, top, zone.width - 20, first)
    return Box(
        zone.x + 10, top + first + 10 + (row - 1) * (LOW_TIER + 10), zone.width - 20, LOW_TIER
    )


def slots(band: Box, placed: tuple[Placed, ...]) -> tuple[Box, ...]:
    """Return where tasks will run: one place for each zone, inside the cluster's band."""
    top, height = band.y + 62, band.height - 76
    if not placed:
        return (Box(band.x + 24, top, band.width - 48, height),)
    return tuple(Box(zone.x + 20, top, zone.width - 40, height) for zone, _ in placed)


def gutters(placed: tuple[Placed, ...], *, gutter: float) -> tuple[float, ...]:
    """Return the way down beside each zone; neighbours share the one between them."""
    return tuple(
        box.x - gutter / 2 if column % 2 else box.right + gutter / 2
        for column, (box, _) in enumerate(placed)
    )
