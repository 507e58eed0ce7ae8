"""The composition of a picture that stands beside another: half as wide as a notebook.

From top to bottom: the learner's computer, the services (sign-in and registry), the network.  Each
thing stands below what it is reached from; the way of the image runs down the right side, so that
no arrow crosses another.
"""

from __future__ import annotations

from handson.drawing import geometry
from handson.drawing.geometry import BAND, BAND_OVER, TIER_HEAD, ZONE_HEAD, Geometry, Spoken, Way
from handson.drawing.plan import Plan
from handson.drawing.scene import Box

MARGIN, INSET = 4.0, 10.0
TOP = 36.0
ZONE, GUTTER, SIDE, PULL_WAY = 166.0, 28.0, 18.0, 30.0
DOCKER = 150.0

ICONS_ROW = TOP + 74
COMPUTER_END = TOP + 164
OUTER_TOP = COMPUTER_END + 50
SERVICES_ROW = OUTER_TOP + 118
REGISTRY_TOP = OUTER_TOP + 62
NETWORK_TOP = REGISTRY_TOP + 262
ZONES_TOP = NETWORK_TOP + 90
BAND_TOP = ZONES_TOP + ZONE_HEAD + TIER_HEAD


def place(plan: Plan) -> Geometry:
    """Return where everything in `plan` stands."""
    left = MARGIN + 2 * INSET
    placed = geometry.zones(plan, (left + SIDE, ZONES_TOP), width=ZONE, gutter=GUTTER)
    right = max([left + SIDE + 2 * ZONE + GUTTER, *(zone.right for zone, _ in placed)])
    low = max((zone.bottom for zone, _ in placed), default=BAND_TOP + BAND)
    network = Box(left, NETWORK_TOP, right + PULL_WAY + SIDE - left, low + 16 - NETWORK_TOP)
    band = Box(left + SIDE - BAND_OVER, BAND_TOP, right - left - SIDE + 2 * BAND_OVER, BAND)
    registry = Box(network.right - 158, REGISTRY_TOP, 158, 214)
    end = network.bottom + (26 if plan.others else 0) + INSET
    region = Box(MARGIN + INSET, OUTER_TOP + 34, network.width + 2 * INSET, end - OUTER_TOP - 34)
    outer = Box(MARGIN, OUTER_TOP, region.width + 2 * INSET, end + INSET - OUTER_TOP)
    computer = Box(MARGIN, TOP, outer.width, COMPUTER_END - TOP)
    middle = registry.middle[0]
    docker = Box(middle - DOCKER / 2, TOP + 10, DOCKER, computer.height - 20)
    gate, login = left + 34, left + 156
    ways = geometry.gutters(placed, gutter=GUTTER)
    shelf, image_end = (middle, REGISTRY_TOP + 106), docker.bottom
    down, bus = network.right - PULL_WAY / 2, ZONES_TOP - 16
    return Geometry(
        width=outer.right + MARGIN,
        computer=computer,
        docker=docker,
        outer=outer,
        region=region,
        registry=registry,
        network=network,
        band=band,
        zones=placed,
        slots=geometry.slots(band, placed),
        browser=(gate, ICONS_ROW),
        client=(login, ICONS_ROW),
        image=(middle, ICONS_ROW + 8),
        login=(login, SERVICES_ROW),
        shelf=shelf,
        gateway=(gate, NETWORK_TOP),
        gateway_words=Spoken(gate + 28, NETWORK_TOP - 22, "start", middle - gate - 30),
        heading=login + 10,
        network_head=gate + 28,
        internet=Way(
            ((gate, ICONS_ROW + 46), (gate, NETWORK_TOP - 26)),
            Spoken(gate + 10, NETWORK_TOP - 80, "start", registry.x - gate - 20),
        ),
        sign_in=Way(
            ((login, ICONS_ROW + 66), (login, SERVICES_ROW - 28)),
            Spoken(login + 10, COMPUTER_END + 36, "start"),
        ),
        token=Way(
            ((login + 30, SERVICES_ROW), (registry.x - 3, SERVICES_ROW)),
            Spoken((login + 30 + registry.x) / 2, SERVICES_ROW - 8),
        ),
        push=Way(
            ((middle, image_end + 2), (middle, registry.y - 3)),
            Spoken(middle + 10, COMPUTER_END + 36, "start"),
        ),
        pull=Way(
            ((down, registry.bottom + 3), (down, BAND_TOP + 40), (band.right + 3, BAND_TOP + 40)),
            Spoken(down - 8, registry.bottom + 34, "end"),
        ),
        route=Way(
            ((gate, NETWORK_TOP + 24), (gate, bus)),
            Spoken(gate + 12, bus - 8, "start", network.right - gate - 60),
        ),
        gutters=ways,
    )
