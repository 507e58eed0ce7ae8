"""Lays a plan out: gives each part its place."""

from __future__ import annotations

from handson.drawing.frame import Column, Frame
from handson.drawing.plan import Plan
from handson.drawing.scene import Box, Point, Scene

_ZONE_HEAD, _TIER_HEAD = 50.0, 96.0
_BAND, _BAND_OVER = 150.0, 14.0
_FIRST_TIER, _LOW_TIER = _TIER_HEAD + _BAND + 14, 96.0


def compose(plan: Plan) -> Scene:
    """Return the scene of a picture that is read in a narrow window, or beside another.

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
    columns, band = _place_columns(plan, (left + side, zones_top), width=166, gutter=28)
    network = _surround(columns, band, (left, network_top), right=lane + side)
    registry = Box(network.right - 158, registry_top, 158, 214)
    end = network.bottom + (26 if plan.others else 0) + inset
    region = Box(margin + inset, outer_top + 34, network.width + 2 * inset, end - outer_top - 34)
    outer = Box(margin, outer_top, region.width + 2 * inset, end + inset - outer_top)
    computer = Box(margin, top, outer.width, 164)
    middle, gate, login = registry.middle[0], left + 34, left + 156
    docker = Box(middle - 75, top + 10, 150, computer.height - 20)
    down, bus, beside = network.right - lane / 2, zones_top - 16, computer.bottom + 36

    frame = Frame(plan, width=outer.right + margin, left=margin)
    row = {"browser": (gate, icons_row), "client": (login, icons_row)}
    frame.paint_computer(computer, docker, **row, image=(middle, icons_row + 8))
    frame.paint_borders(outer, region, heading=login + 10)
    frame.paint_services((login, services_row), registry, shelf=registry_top + 106)
    frame.paint_network(network, columns, left=gate + 28, right=network.right)
    frame.paint_cluster(band, columns)
    frame.paint_step("login", beside, (login, icons_row + 66), (login, services_row - 28))
    points = ((login + 30, services_row), (registry.x - 3, services_row))
    frame.paint_step("token", (login + 30 + registry.x) / 2, *points)
    frame.paint_step("push", beside, (middle, docker.bottom + 2), (middle, registry.y - 3))
    turn, tip = (down, band.y + 40), (band.right + 3, band.y + 40)
    frame.paint_step("pull", registry.bottom + 34, (down, registry.bottom + 3), turn, tip)
    words = (gate + 28, network_top - 22)
    frame.paint_gateway((gate, network_top), words, room=middle - gate - 30)
    points, room = ((gate, icons_row + 46), (gate, network_top - 26)), registry.x - gate - 20
    frame.paint_step("internet", network_top - 80, *points, room=room)
    frame.paint_routes(columns, (gate + 12, bus - 8), (gate, network_top + 24), (gate, bus))
    frame.paint_notes(outer, region)
    return frame


def _place_columns(
    plan: Plan, corner: Point, *, width: float, gutter: float
) -> tuple[tuple[Column, ...], Box]:
    """Place zones side by side from a corner on, and the cluster's band over all of them.

    All zones are as high as the one with the most tiers.  The band runs behind the first tier of
    each zone and is at least as wide as two zones.
    """
    left, top = corner
    band_top = top + _ZONE_HEAD + _TIER_HEAD
    most = max((len(zone.tiers) for zone in plan.zones), default=1)
    height = _ZONE_HEAD + _FIRST_TIER + (most - 1) * (_LOW_TIER + 10) + 12
    columns = []
    for number, zone in enumerate(plan.zones):
        x = left + number * (width + gutter)
        tiers = [Box(x + 10, top + _ZONE_HEAD, width - 20, _FIRST_TIER)]
        for _ in zone.tiers[1:]:
            tiers.append(Box(x + 10, tiers[-1].bottom + 10, width - 20, _LOW_TIER))
        # Neighbours share the gutter between them.
        beside = x - gutter / 2 if number % 2 else x + width + gutter / 2
        columns.append(Column(Box(x, top, width, height), tuple(tiers), beside))
    wide = max(2, len(columns)) * (width + gutter) - gutter
    return tuple(columns), Box(left - _BAND_OVER, band_top, wide + 2 * _BAND_OVER, _BAND)


def _surround(columns: tuple[Column, ...], band: Box, corner: Point, *, right: float) -> Box:
    """Return the network's box around the zones, or around the band where there are none."""
    (left, top), bottom = corner, columns[0].zone.bottom if columns else band.bottom
    return Box(left, top, band.right - _BAND_OVER + right - left, bottom + 16 - top)
