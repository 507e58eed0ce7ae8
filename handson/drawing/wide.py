"""The composition of a picture that stands alone, as wide as a notebook.

Three columns: the learner's computer, the services that are reached over the network (sign-in and
registry), the network itself.  Three rows: requests from the internet at the top, signing in, and
the way of the image in a straight line at the height of the cluster.
"""

from __future__ import annotations

from handson.drawing import geometry
from handson.drawing.geometry import BAND, BAND_OVER, TIER_HEAD, ZONE_HEAD, Geometry, Spoken, Way
from handson.drawing.plan import Plan
from handson.drawing.scene import Box

MARGIN = 12.0
TOP = 44.0
COMPUTER, SERVICES, ZONE = 160.0, 160.0, 204.0
WAY, PULL_WAY, GUTTER, SIDE = 84.0, 82.0, 44.0, 26.0
INSET = 12.0

INTERNET_ROW = TOP + 82
NETWORK_TOP = INTERNET_ROW + 14
LOGIN_ROW = TOP + 154
BAND_TOP = NETWORK_TOP + 62 + ZONE_HEAD + TIER_HEAD
IMAGE_ROW = BAND_TOP + BAND / 2


def place(plan: Plan) -> Geometry:
    """Return where everything in `plan` stands."""
    services = MARGIN + COMPUTER + WAY + 2 * INSET
    left = services + SERVICES + PULL_WAY
    placed = geometry.zones(plan, (left + SIDE, NETWORK_TOP + 62), width=ZONE, gutter=GUTTER)
    right = max([left + SIDE + 2 * ZONE + GUTTER, *(zone.right for zone, _ in placed)])
    low = max((zone.bottom for zone, _ in placed), default=BAND_TOP + BAND)
    network = Box(left, NETWORK_TOP, right + SIDE - left, low + 16 - NETWORK_TOP)
    band = Box(left + SIDE - BAND_OVER, BAND_TOP, right - left - SIDE + 2 * BAND_OVER, BAND)
    registry = Box(services, IMAGE_ROW - 108, SERVICES, 230)
    end = max(network.bottom, registry.bottom) + (26 if plan.others else 0) + INSET
    region = Box(services - INSET, TOP + 36, network.right + 2 * INSET - services, end - TOP - 36)
    outer = Box(region.x - INSET, TOP, region.width + 2 * INSET, end + INSET - TOP)
    computer = Box(MARGIN, TOP, COMPUTER, outer.height)
    docker = Box(MARGIN + 10, registry.y, COMPUTER - 20, registry.height)
    own, middle = computer.middle[0], registry.middle[0]
    ways = geometry.gutters(placed, gutter=GUTTER)
    gate = ways[0] if ways else network.middle[0]
    between, before = (computer.right + outer.x) / 2, (registry.right + network.x) / 2
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
        browser=(own, INTERNET_ROW),
        client=(own, LOGIN_ROW),
        image=(own, IMAGE_ROW),
        login=(middle, LOGIN_ROW),
        shelf=(middle, IMAGE_ROW),
        gateway=(gate, INTERNET_ROW),
        gateway_words=Spoken(gate + 28, INTERNET_ROW - 16, "start", network.right - gate - 26),
        heading=region.x + 10,
        network_head=left + 8,
        internet=Way(
            ((own + 30, INTERNET_ROW), (gate - 26, INTERNET_ROW)),
            Spoken((services + gate - 26) / 2, INTERNET_ROW - 8, room=gate - 40 - services),
        ),
        sign_in=Way(
            ((own + 30, LOGIN_ROW), (middle - 30, LOGIN_ROW)), Spoken(between, LOGIN_ROW - 8)
        ),
        token=Way(
            ((middle, LOGIN_ROW + 66), (middle, registry.y - 3)),
            Spoken(middle + 10, registry.y - 20, "start", registry.right - middle - 4),
        ),
        push=Way(
            ((own + 34, IMAGE_ROW), (services - 3, IMAGE_ROW)), Spoken(between, IMAGE_ROW - 8)
        ),
        pull=Way(
            ((registry.right + 3, IMAGE_ROW), (band.x - 3, IMAGE_ROW)),
            Spoken(before, IMAGE_ROW - 8),
        ),
        route=Way(
            ((gate, INTERNET_ROW + 24), (gate, NETWORK_TOP + 50)),
            Spoken(gate + 10, NETWORK_TOP + 36, "start", network.right - gate - 20),
        ),
        gutters=ways,
    )
