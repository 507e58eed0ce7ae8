"""Where a composition puts the boxes, icons, arrows and words of a plan.

There are two compositions: `place_wide` for a picture alone, as wide as a notebook, and
`place_tall` for pictures side by side, half as wide.  Both place the same parts, so that nothing is
drawn in one and left out in the other.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from handson.drawing.parts import Plan
from handson.drawing.scene import Box, Point

ZoneBoxes = tuple[Box, tuple[Box, ...]]
"""A zone's box and those of its tiers."""


class Words(Struct, frozen=True):
    """Where words beside an arrow stand: the baseline of the last line, and its anchor."""

    x: float
    y: float
    anchor: str = "middle"
    room: float = 0


class Way(Struct, frozen=True):
    """The bends of an arrow and the place of its words."""

    points: tuple[Point, ...]
    words: Words


class Geometry(Struct, frozen=True, kw_only=True):
    """The places of a plan's parts.

    Attributes:
        shelf: Where the registry's icon stands.
        heading: The x at which the names of the outer borders begin.
        network_head: The x at which the words about the network begin.
        route: From the gateway to the height from which each subnet is reached.
        gutters: For each zone the x of the way down beside it.
    """

    width: float
    computer: Box
    docker: Box
    outer: Box
    region: Box
    registry: Box
    network: Box
    band: Box
    zones: tuple[ZoneBoxes, ...]
    slots: tuple[Box, ...]
    browser: Point
    client: Point
    image: Point
    login: Point
    shelf: Point
    gateway: Point
    gateway_words: Words
    heading: float
    network_head: float
    internet: Way
    sign_in: Way
    token: Way
    push: Way
    pull: Way
    route: Way
    gutters: tuple[float, ...]


Placing = Callable[[Plan], Geometry]

ZONE_HEAD = 50.0
TIER_HEAD = 96.0
LOW_TIER = 96.0
BAND = 150.0
BAND_OVER = 14.0


def place_wide(plan: Plan) -> Geometry:
    """Return the places of a picture that stands alone.

    Three columns: the learner's computer, the services that are reached over the network (sign-in
    and registry), the network itself.  Three rows: requests from the internet at the top, signing
    in, and the way of the image in a straight line at the height of the cluster.
    """
    margin, top, inset, side = 12.0, 44.0, 12.0, 26.0
    internet_row, login_row = top + 82, top + 154
    network_top = internet_row + 14
    zones_top = network_top + 62
    services = margin + 160 + 84 + 2 * inset
    left = services + 160 + 82
    zones = _place_zones(plan, (left + side, zones_top), width=204, gutter=44)
    right = max([left + side + 2 * 204 + 44, *(zone.right for zone, _ in zones)])
    band = _place_band(left + side, right, zones_top)
    image_row = band.middle[1]
    network = Box(left, network_top, right + side - left, _find_end(zones, band) + 16 - network_top)
    registry = Box(services, image_row - 108, 160, 230)
    end = max(network.bottom, registry.bottom) + (26 if plan.others else 0) + inset
    region = Box(services - inset, top + 36, network.right + 2 * inset - services, end - top - 36)
    outer = Box(region.x - inset, top, region.width + 2 * inset, end + inset - top)
    computer = Box(margin, top, 160, outer.height)
    own, middle = computer.middle[0], registry.middle[0]
    gutters = _place_gutters(zones, gutter=44)
    gate = gutters[0] if gutters else network.middle[0]
    between, before = (computer.right + outer.x) / 2, (registry.right + network.x) / 2
    return Geometry(
        width=outer.right + margin,
        computer=computer,
        docker=Box(margin + 10, registry.y, 140, registry.height),
        outer=outer,
        region=region,
        registry=registry,
        network=network,
        band=band,
        zones=zones,
        slots=_place_slots(band, zones),
        browser=(own, internet_row),
        client=(own, login_row),
        image=(own, image_row),
        login=(middle, login_row),
        shelf=(middle, image_row),
        gateway=(gate, internet_row),
        gateway_words=Words(gate + 28, internet_row - 16, "start", network.right - gate - 26),
        heading=region.x + 10,
        network_head=left + 8,
        internet=Way(
            ((own + 30, internet_row), (gate - 26, internet_row)),
            Words((services + gate - 26) / 2, internet_row - 8, room=gate - 40 - services),
        ),
        sign_in=Way(
            ((own + 30, login_row), (middle - 30, login_row)), Words(between, login_row - 8)
        ),
        token=Way(
            ((middle, login_row + 66), (middle, registry.y - 3)),
            Words(middle + 10, registry.y - 20, "start", registry.right - middle - 4),
        ),
        push=Way(((own + 34, image_row), (services - 3, image_row)), Words(between, image_row - 8)),
        pull=Way(
            ((registry.right + 3, image_row), (band.x - 3, image_row)),
            Words(before, image_row - 8),
        ),
        route=Way(
            ((gate, internet_row + 24), (gate, network_top + 50)),
            Words(gate + 10, network_top + 36, "start", network.right - gate - 20),
        ),
        gutters=gutters,
    )


def place_tall(plan: Plan) -> Geometry:
    """Return the places of a picture that stands beside another.

    From top to bottom: the learner's computer, the services, the network.  Each thing stands below
    what it is reached from; the way of the image runs down the right side, so that no arrow crosses
    another.
    """
    margin, top, inset, side, lane = 4.0, 36.0, 10.0, 18.0, 30.0
    icons_row, outer_top = top + 74, top + 214
    services_row, registry_top = outer_top + 118, outer_top + 62
    network_top = registry_top + 262
    zones_top = network_top + 90
    left = margin + 2 * inset
    zones = _place_zones(plan, (left + side, zones_top), width=166, gutter=28)
    right = max([left + side + 2 * 166 + 28, *(zone.right for zone, _ in zones)])
    band = _place_band(left + side, right, zones_top)
    high = _find_end(zones, band) + 16 - network_top
    network = Box(left, network_top, right + lane + side - left, high)
    registry = Box(network.right - 158, registry_top, 158, 214)
    end = network.bottom + (26 if plan.others else 0) + inset
    region = Box(margin + inset, outer_top + 34, network.width + 2 * inset, end - outer_top - 34)
    outer = Box(margin, outer_top, region.width + 2 * inset, end + inset - outer_top)
    computer = Box(margin, top, outer.width, 164)
    middle, gate, login = registry.middle[0], left + 34, left + 156
    docker = Box(middle - 75, top + 10, 150, computer.height - 20)
    down, bus, beside = network.right - lane / 2, zones_top - 16, computer.bottom + 36
    return Geometry(
        width=outer.right + margin,
        computer=computer,
        docker=docker,
        outer=outer,
        region=region,
        registry=registry,
        network=network,
        band=band,
        zones=zones,
        slots=_place_slots(band, zones),
        browser=(gate, icons_row),
        client=(login, icons_row),
        image=(middle, icons_row + 8),
        login=(login, services_row),
        shelf=(middle, registry_top + 106),
        gateway=(gate, network_top),
        gateway_words=Words(gate + 28, network_top - 22, "start", middle - gate - 30),
        heading=login + 10,
        network_head=gate + 28,
        internet=Way(
            ((gate, icons_row + 46), (gate, network_top - 26)),
            Words(gate + 10, network_top - 80, "start", registry.x - gate - 20),
        ),
        sign_in=Way(
            ((login, icons_row + 66), (login, services_row - 28)),
            Words(login + 10, beside, "start"),
        ),
        token=Way(
            ((login + 30, services_row), (registry.x - 3, services_row)),
            Words((login + 30 + registry.x) / 2, services_row - 8),
        ),
        push=Way(
            ((middle, docker.bottom + 2), (middle, registry.y - 3)),
            Words(middle + 10, beside, "start"),
        ),
        pull=Way(
            ((down, registry.bottom + 3), (down, band.y + 40), (band.right + 3, band.y + 40)),
            Words(down - 8, registry.bottom + 34, "end"),
        ),
        route=Way(
            ((gate, network_top + 24), (gate, bus)),
            Words(gate + 12, bus - 8, "start", network.right - gate - 60),
        ),
        gutters=_place_gutters(zones, gutter=28),
    )


def _place_zones(
    plan: Plan, corner: Point, *, width: float, gutter: float
) -> tuple[ZoneBoxes, ...]:
    """Place zones side by side from a corner on, all as high as the one with the most tiers."""
    left, top = corner
    most = max((len(zone.tiers) for zone in plan.network.zones), default=0)
    low = max(most - 1, 0) * (LOW_TIER + 10)
    height = ZONE_HEAD + TIER_HEAD + BAND + 14 + low + 12
    placed = []
    for number, zone in enumerate(plan.network.zones):
        box = Box(left + number * (width + gutter), top, width, height)
        placed.append((box, tuple(_place_tier(box, row) for row in range(len(zone.tiers)))))
    return tuple(placed)


def _place_tier(zone: Box, row: int) -> Box:
    """Return the box of a tier; behind the first one of each zone runs the cluster's band."""
    first, left, top = TIER_HEAD + BAND + 14, zone.x + 10, zone.y + ZONE_HEAD
    if row == 0:
        return Box(left, top, zone.width - 20, first)
    low = top + first + 10 + (row - 1) * (LOW_TIER + 10)
    return Box(left, low, zone.width - 20, LOW_TIER)


def _place_band(left: float, right: float, zones_top: float) -> Box:
    """Return the box of the cluster, which reaches over all zones from `left` to `right`."""
    top = zones_top + ZONE_HEAD + TIER_HEAD
    return Box(left - BAND_OVER, top, right - left + 2 * BAND_OVER, BAND)


def _find_end(zones: tuple[ZoneBoxes, ...], band: Box) -> float:
    """Return the lowest y of the zones, or of the band where there are none."""
    return max((zone.bottom for zone, _ in zones), default=band.bottom)


def _place_slots(band: Box, zones: tuple[ZoneBoxes, ...]) -> tuple[Box, ...]:
    """Return where tasks will run: one place for each zone, inside the cluster's band."""
    top, height = band.y + 62, band.height - 76
    if not zones:
        return (Box(band.x + 24, top, band.width - 48, height),)
    return tuple(Box(zone.x + 20, top, zone.width - 40, height) for zone, _ in zones)


def _place_gutters(zones: tuple[ZoneBoxes, ...], *, gutter: float) -> tuple[float, ...]:
    """Return the way down beside each zone; neighbours share the one between them."""
    return tuple(
        box.x - gutter / 2 if column % 2 else box.right + gutter / 2
        for column, (box, _) in enumerate(zones)
    )
