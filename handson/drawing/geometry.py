"""Where the frame puts its boxes: sizes follow from the number of zones, subnets and lines.

Three columns: the learner's computer, the services that are reached over the network (sign-in and
registry), the network itself.  Three rows: requests from the internet at the top, signing in, and
the way of the image in a straight line at the height of the cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

from handson.drawing.plan import Plan
from handson.drawing.scene import Box, Point

MARGIN = 16.0
TITLE = 46.0
COMPUTER = 172.0
SERVICES = 172.0
WAY = 104.0
PULL_WAY = 88.0
INSET = 14.0
ZONE = 222.0
GUTTER = 60.0
SIDE = 40.0
BAND_OVER = 22.0
BAND = 152.0
TIER_HEAD = 92.0
LOW_TIER = 88.0

INTERNET_ROW = TITLE + 92
NETWORK_TOP = INTERNET_ROW + 16
LOGIN_ROW = TITLE + 168
ZONES_TOP = NETWORK_TOP + 64
TIERS_TOP = ZONES_TOP + 32
BAND_TOP = TIERS_TOP + TIER_HEAD
IMAGE_ROW = BAND_TOP + BAND / 2


@dataclass(frozen=True)
class Geometry:
    """The places of a plan's boxes; `zones` pairs each zone's box with those of its tiers."""

    computer: Box
    docker: Box
    outer: Box
    region: Box
    registry: Box
    network: Box
    band: Box
    zones: tuple[tuple[Box, tuple[Box, ...]], ...]
    slots: tuple[Box, ...]

    @property
    def size(self) -> Point:
        """The width and height of the whole picture, a line for the legend included."""
        return self.outer.right + MARGIN, self.outer.bottom + 38

    @property
    def services(self) -> float:
        """The x of the middle of the column of services."""
        return self.registry.middle[0]

    def gutter(self, column: int) -> float:
        """Return the x of the way down beside a zone; neighbours share the one between them."""
        if not self.zones:
            return self.network.middle[0]
        box = self.zones[column][0]
        return box.x - GUTTER / 2 if column % 2 else box.right + GUTTER / 2


def place(plan: Plan) -> Geometry:
    """Return where everything in `plan` stands."""
    left = MARGIN + COMPUTER + WAY + 2 * INSET + SERVICES + PULL_WAY
    zones = _zones(plan, left=left + SIDE)
    right = max([left + SIDE + 2 * ZONE, *(zone.right for zone, _ in zones)])
    low = max((zone.bottom for zone, _ in zones), default=BAND_TOP + BAND)
    network = Box(left, NETWORK_TOP, right + SIDE - left, low + 18 - NETWORK_TOP)
    band = Box(left + SIDE - BAND_OVER, BAND_TOP, right - left - SIDE + 2 * BAND_OVER, BAND)
    registry = Box(MARGIN + COMPUTER + WAY + 2 * INSET, IMAGE_ROW - 84, SERVICES, 208)
    others = 26 if plan.others else 0
    end = max(network.bottom, registry.bottom) + others + INSET
    region = Box(registry.x - INSET, TITLE + 38, network.right + 2 * INSET - registry.x, 0)
    region = Box(region.x, region.y, region.width, end - region.y)
    outer = Box(region.x - INSET, TITLE, region.width + 2 * INSET, end + INSET - TITLE)
    return Geometry(
        computer=Box(MARGIN, TITLE, COMPUTER, outer.height),
        docker=Box(MARGIN + 12, registry.y, COMPUTER - 24, registry.height),
        outer=outer,
        region=region,
        registry=registry,
        network=network,
        band=band,
        zones=zones,
        slots=_slots(band, zones),
    )


def _zones(plan: Plan, *, left: float) -> tuple[tuple[Box, tuple[Box, ...]], ...]:
    """Place zones side by side, all as high as the one with the most tiers."""
    most = max((len(zone.tiers) for zone in plan.network.zones), default=0)
    height = TIERS_TOP - ZONES_TOP + TIER_HEAD + BAND + 16 + max(most - 1, 0) * (LOW_TIER + 10) + 12
    placed = []
    for number, zone in enumerate(plan.network.zones):
        box = Box(left + number * (ZONE + GUTTER), ZONES_TOP, ZONE, height)
        tiers = tuple(_tier(box, row) for row in range(len(zone.tiers)))
        placed.append((box, tiers))
    return tuple(placed)


def _tier(zone: Box, row: int) -> Box:
    first = TIER_HEAD + BAND + 16
    if row == 0:
        return Box(zone.x + 12, TIERS_TOP, zone.width - 24, first)
    top = TIERS_TOP + first + 10 + (row - 1) * (LOW_TIER + 10)
    return Box(zone.x + 12, top, zone.width - 24, LOW_TIER)


def _slots(band: Box, zones: tuple[tuple[Box, tuple[Box, ...]], ...]) -> tuple[Box, ...]:
    """Return where tasks will run: one place for each zone, inside the cluster's band."""
    top, height = band.y + 58, band.height - 72
    if not zones:
        return (Box(band.x + 24, top, band.width - 48, height),)
    return tuple(Box(zone.x + 24, top, zone.width - 48, height) for zone, _ in zones)
