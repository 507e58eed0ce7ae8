"""Paints a plan: the one composition in which AWS and the company's data center are both drawn.

A comparison shows as a border in the colour of its mark and a badge.  Colour never stands alone:
each badge has a word or the numbers of its reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handson.core.messages import label, text
from handson.drawing.geometry import Geometry, Placing, Way
from handson.drawing.parts import (
    CHANGED,
    COMPUTER,
    DOCKER,
    GONE,
    MISSING,
    NEW,
    WRONG,
    Mark,
    Part,
    Plan,
    Tier,
    Zone,
)
from handson.drawing.scene import (
    GHOST,
    INK,
    PAPER,
    QUIET,
    Arrow,
    Box,
    Icon,
    Label,
    Point,
    Scene,
    fill_lines,
    measure,
    wrap,
)

COLOURS = {NEW: "#2e7d32", CHANGED: "#1565c0", GONE: GHOST, MISSING: GHOST, WRONG: "#c62828"}
_SIGN_IN = "#C7131F"
_TITLE, _HEAD, _TEXT, _SMALL, _BADGE = 18.0, 14.0, 12.5, 12.0, 11.0
_EDGE = 12.0


def paint_plan(plan: Plan, place: Placing) -> Scene:
    """Return the scene of a plan in a composition."""
    where = place(plan)
    scene = Scene(where.width, 0, plan.title, plan.description)
    left = where.computer.x
    scene.add_label(Label(left, 28, plan.title, _TITLE, bold=True), room=where.width - 2 * left)
    _paint_computer(scene, plan, where)
    _paint_outer(scene, plan, where)
    _paint_services(scene, plan, where)
    _paint_network(scene, plan, where)
    _paint_group(scene, plan, where)
    _paint_arrows(scene, plan, where)
    _paint_gateway(scene, plan, where)
    _paint_notes(scene, plan, where)
    return scene


def _paint_computer(scene: Scene, plan: Plan, where: Geometry) -> None:
    stroke, fill = COMPUTER
    own, docker, parts = where.computer, where.docker, plan.computer
    scene.boxes.append(own.styled(stroke, fill))
    # Docker's box stands beside the name, or below it.
    room = (docker.x if docker.x > own.middle[0] else own.right) - own.x - 20
    name = Label(own.x + 12, own.y + 22, text("drawing.computer"), bold=True, colour=stroke)
    scene.add_label(name, room=room)
    _paint_part(scene, parts.browser, where.browser, 44)
    _paint_part(scene, parts.login, where.client, 44)
    scene.boxes.append(docker.styled(DOCKER, PAPER))
    scene.icons.append(Icon("onprem.container.Docker", docker.x + 22, docker.y + 18, 26))
    scene.add_label(
        Label(docker.x + 42, docker.y + 23, text("drawing.docker"), bold=True, colour=DOCKER),
        room=docker.width - 46,
    )
    _paint_part(scene, parts.image, where.image, 48)


def _paint_outer(scene: Scene, plan: Plan, where: Geometry) -> None:
    outer, region = where.outer, where.region
    scene.boxes.append(outer.styled(plan.theme.outer, PAPER))
    scene.boxes.append(region.styled(plan.theme.region, dashed=True))
    left = where.heading
    if plan.outer.icon:
        scene.icons.append(Icon(plan.outer.icon, left + 12, outer.y + 18, 26))
        left += 32
    scene.add_label(Label(left, outer.y + 24, plan.outer.lines[0], _HEAD, bold=True))
    scene.add_label(
        Label(where.heading, region.y + 20, plan.region, bold=True, colour=plan.theme.region),
        room=region.width / 2,
    )


def _paint_services(scene: Scene, plan: Plan, where: Geometry) -> None:
    stroke, fill = plan.theme.registry
    box, (middle, row), part = where.registry, where.shelf, plan.registry
    _paint_part(scene, plan.login, where.login, 48)
    if not part.made:
        _paint_outline(scene, box, part)
        return
    scene.boxes.append(_mark_border(box.styled(stroke, fill), part.mark))
    head, *rest = part.lines
    room = box.width - 12
    scene.add_label(
        Label(middle, box.y + 22, head, bold=True, colour=stroke, anchor="middle"), room=room
    )
    scene.add_lines(Label(middle, box.y + 40, size=_SMALL, anchor="middle"), rest, room=room)
    scene.icons.append(Icon(part.icon, middle, row, 52))
    _paint_image(scene, plan, Box(box.x + 8, row + 36, box.width - 16, 64))
    _add_badge(scene, (box.right - 6, box.y), part.mark)


def _paint_image(scene: Scene, plan: Plan, box: Box) -> None:
    part = plan.image
    if not part.made:
        _paint_outline(scene, box, part)
        return
    scene.boxes.append(_mark_border(box.styled(plan.theme.image, PAPER), part.mark))
    scene.icons.append(Icon(part.icon, box.x + 20, box.middle[1], 28))
    head, *rest = part.lines
    left, room = box.x + 38, box.width - 42
    lines = wrap(head, room, size=_SMALL)
    top = box.middle[1] + 4 - (len(lines) + len(rest) - 1) * 8
    scene.add_lines(Label(left, top, size=_SMALL, bold=True), lines, room=room)
    below = Label(left, top + 16 * len(lines), size=_SMALL, colour=QUIET)
    scene.add_lines(below, rest, room=room)
    _add_badge(scene, (box.right - 4, box.bottom), part.mark)


def _paint_network(scene: Scene, plan: Plan, where: Geometry) -> None:
    box, part = where.network, plan.network.part
    if not part.made:
        _paint_outline(scene, box, part, top=box.y + 56)
        return
    scene.boxes.append(_mark_border(box.styled(plan.theme.network, PAPER), part.mark))
    left = where.network_head
    end = where.gateway[0] - 26 if left < where.gateway[0] else box.right
    scene.icons.append(Icon(part.icon, left + 16, box.y + 24, 30))
    head, *rest = part.lines
    room = end - left - 42
    name = Label(left + 38, box.y + 21, head, _HEAD, bold=True, colour=plan.theme.network)
    scene.add_label(name, room=room)
    scene.add_lines(Label(left + 38, box.y + 39, size=_TEXT), rest, room=room)
    for (zone_box, tiers), zone in zip(where.zones, plan.network.zones, strict=True):
        _paint_zone(scene, plan, zone_box, zone)
        for tier_box, tier in zip(tiers, zone.tiers, strict=True):
            _paint_tier(scene, plan, tier_box, tier)
    _add_badge(scene, (box.right - 12, box.y), part.mark)


def _paint_zone(scene: Scene, plan: Plan, box: Box, zone: Zone) -> None:
    colour = plan.theme.zone
    scene.boxes.append(box.styled(colour, dashed=True))
    name = Label(box.middle[0], box.y + 22, "", _SMALL, "middle", colour, bold=True)
    scene.add_lines(name, zone.lines, room=box.width - 8)


def _paint_tier(scene: Scene, plan: Plan, box: Box, tier: Tier) -> None:
    stroke, fill = plan.theme.public if tier.public else plan.theme.private
    ink = INK
    if tier.made:
        scene.boxes.append(_mark_border(box.styled(stroke, fill), tier.mark))
    else:
        scene.boxes.append(box.styled(GHOST, PAPER, dashed=True))
        stroke = ink = GHOST
    left, room = box.x + 9, box.width - 14
    scene.add_label(Label(left, box.y + 19, tier.kind, _TEXT, colour=stroke, bold=True), room=room)
    names = wrap(tier.name, room, size=_SMALL)
    scene.add_lines(Label(left, box.y + 36, size=_SMALL, colour=ink), names, room=room)
    block = Label(left, box.y + 37 + 16 * len(names), tier.cidr, _TEXT, colour=ink, bold=True)
    scene.add_label(block, room=room)
    _add_badge(scene, (box.right - 4, box.y), tier.mark)


def _paint_group(scene: Scene, plan: Plan, where: Geometry) -> None:
    stroke, fill = plan.theme.group
    band, part = where.band, plan.group.part
    if not part.made:
        _paint_outline(scene, band, part, fill=PAPER)
        return
    scene.boxes.append(_mark_border(band.styled(stroke, fill), part.mark))
    scene.icons.append(Icon(part.icon, band.x + 28, band.y + 30, 36))
    head, *rest = part.lines
    left, room = band.x + 54, band.width - 60
    scene.add_label(Label(left, band.y + 26, head, bold=True, colour=stroke), room=room)
    scene.add_lines(Label(left, band.y + 44, size=_SMALL), rest, room=room)
    for box in where.slots:
        _paint_slot(scene, plan, box)
    _add_badge(scene, (band.right - 6, band.y), part.mark)


def _paint_slot(scene: Scene, plan: Plan, box: Box) -> None:
    """Draw the place of a zone's tasks, or its worker node."""
    group = plan.group
    scene.boxes.append(box.styled(plan.theme.group[0], PAPER, dashed=not group.slot_icon))
    x, y = box.middle
    room = box.width - 8
    if group.slot_icon:
        scene.icons.append(Icon(group.slot_icon, box.x + 20, y, 28))
        x, room = x + 18, room - 32
    first = y + 4 - (len(group.slot) - 1) * 8
    scene.add_lines(Label(x, first, "", _SMALL, "middle", QUIET), group.slot, room=room)


def _paint_arrows(scene: Scene, plan: Plan, where: Geometry) -> None:
    """Draw the arrows of signing in and of the image; dashed ones do not work yet."""
    steps, registry = plan.steps, plan.registry
    for way, lines, colour, works in (
        (where.sign_in, steps.login, _SIGN_IN, True),
        (where.token, steps.token, _SIGN_IN, registry.made),
        (where.push, steps.push, INK, registry.made and plan.image.made),
        (where.pull, steps.pull, INK, False),
    ):
        scene.arrows.append(Arrow(way.points, colour, dashed=not works))
        _add_words(scene, way, lines, colour)


def _add_words(scene: Scene, way: Way, lines: Sequence[str], colour: str) -> None:
    """Put lines beside an arrow: the last one ends where the geometry says."""
    words = way.words
    top = words.y - (len(lines) - 1) * (_SMALL + 4)
    scene.add_lines(Label(words.x, top, "", _SMALL, words.anchor, colour), lines, room=words.room)


def _paint_gateway(scene: Scene, plan: Plan, where: Geometry) -> None:
    """Draw the internet gateway on the border, the way to it and the routes behind it."""
    gateway, words, centre = plan.network.gateway, where.gateway_words, where.gateway
    if not (plan.network.part.made and gateway.lines):
        return
    colour = INK if gateway.made else GHOST
    lines = gateway.lines if gateway.made else (gateway.lines[0], gateway.lines[-1])
    left = words.x + (8 if gateway.mark else 0)
    scene.add_lines(Label(left, words.y, size=_SMALL, colour=colour), lines, room=words.room)
    _mark_icon(scene, gateway, centre, 44)
    if not gateway.made:
        return
    scene.icons.append(Icon(gateway.icon, *centre, 44))
    scene.arrows.append(Arrow(where.internet.points, QUIET, dashed=True))
    access = wrap(plan.steps.internet, where.internet.words.room, size=_SMALL)
    _add_words(scene, where.internet, access, QUIET)
    colour, start = plan.theme.network, where.route.points
    bus = start[-1][1]
    entries = list(_find_entries(plan, where))
    for gutter, (x, y) in entries:
        scene.arrows.append(Arrow((*start, (gutter, bus), (gutter, y), (x, y)), colour))
    if entries:
        _add_words(scene, where.route, (plan.network.route,), colour)


def _find_entries(plan: Plan, where: Geometry) -> Iterator[tuple[float, Point]]:
    """Yield for each reached subnet the x of the way down, and where the route enters it."""
    columns = zip(where.zones, plan.network.zones, where.gutters, strict=True)
    for (_, boxes), zone, gutter in columns:
        for box, tier in zip(boxes, zone.tiers, strict=True):
            if tier.reached:
                yield gutter, (box.right + 3 if gutter > box.x else box.x - 3, box.y + 18)


def _paint_notes(scene: Scene, plan: Plan, where: Geometry) -> None:
    """Say below the picture what else exists, what the lines mean, and what marks mean."""
    region = where.region
    if plan.others:
        others = Label(region.x + _EDGE, region.bottom - 11, plan.others, _SMALL, colour=QUIET)
        scene.add_label(others, room=region.width - 2 * _EDGE)
    left, y = where.computer.x, where.outer.bottom + 24
    room = scene.width - 2 * left
    legend = fill_lines(plan.legend, room, size=_SMALL)
    scene.add_lines(Label(left, y, size=_SMALL, colour=QUIET), legend, room=room)
    y += (len(legend) - 1) * 16 + 26
    if plan.kinds:
        _explain_marks(scene, plan, (left, y), room=room)
        y += 26
    # Where nothing is marked, the one sentence says so, and no number leads to it.
    indent = 28 if plan.kinds else 0
    for number, reason in enumerate(plan.reasons, start=1):
        if plan.kinds:
            scene.add_label(Label(left + 20, y, str(number), 12, "end", INK, bold=True))
        lines = fill_lines(reason, room - indent, size=12)
        scene.add_lines(Label(left + indent, y, size=12), lines, room=room - indent)
        y += len(lines) * 16 + 4
    scene.height = y - 10


def _explain_marks(scene: Scene, plan: Plan, corner: Point, *, room: float) -> None:
    """Put each kind of mark on the picture on one line, with its meaning beside it."""
    x, y = corner
    for kind in plan.kinds:
        wide = measure(_words_of(Mark(kind)), size=_BADGE)
        _add_badge(scene, (x + wide + 12, y - 4), Mark(kind))
        meaning, left = label("drawing.meaning", kind), x + wide + 20
        scene.add_label(Label(left, y, meaning, size=12), room=room - left)
        x = left + measure(meaning, size=12) + 26


def _paint_part(scene: Scene, part: Part, centre: Point, size: float) -> None:
    """Put a part's icon at its place and its lines, centred, below it."""
    x, y = centre
    scene.icons.append(Icon(part.icon, x, y, size))
    head, *rest = part.lines
    first = y + size / 2 + 15
    for number, line in enumerate((*wrap(head, 136, size=_TEXT), *rest)):
        below = Label(x, first + number * 15.5, line, _SMALL if number else _TEXT, "middle")
        scene.add_label(below, room=146)


def _paint_outline(
    scene: Scene, box: Box, part: Part, *, top: float = 0, fill: str = "none"
) -> None:
    """Draw a dashed outline that names what is missing."""
    scene.boxes.append(box.styled(GHOST, fill, dashed=True))
    x, y = box.middle
    room = box.width - 12
    lines = [line for each in part.lines for line in wrap(each, room, size=_TEXT)]
    first = top or y + 4 - (len(lines) - 1) * 8
    gone = part.mark is not None and part.mark.kind == GONE
    scene.add_lines(Label(x, first, "", _TEXT, "middle", GHOST, bold=gone), lines, room=room)
    _add_badge(scene, (box.right - 6, box.y), part.mark)


def _mark_border(box: Box, mark: Mark | None) -> Box:
    """Return the box with the border of its mark."""
    if mark is None or mark.is_outline:
        return box
    return box.styled(COLOURS[mark.kind], box.fill, thickness=3.0)


def _mark_icon(scene: Scene, part: Part, centre: Point, size: float) -> None:
    """Mark an icon that stands without a box around it."""
    if part.mark is None:
        return
    (x, y), half = centre, size / 2 + 5
    box = Box(x - half, y - half, 2 * half, 2 * half, GHOST, PAPER, part.mark.is_outline)
    scene.boxes.append(_mark_border(box, part.mark))
    _add_badge(scene, (x - half + 10, y - half), part.mark)


def _add_badge(scene: Scene, corner: Point, mark: Mark | None) -> None:
    """Put a badge so that it ends at a corner, and sits astride the border there."""
    if mark is None:
        return
    words, high = _words_of(mark), 17.0
    wide = measure(words, size=_BADGE) + 12
    x, y = corner[0] - wide, corner[1] - high / 2
    scene.badges.append(Box(x, y, wide, high, COLOURS[mark.kind], COLOURS[mark.kind]))
    scene.add_label(Label(x + wide / 2, y + 12.5, words, _BADGE, "middle", PAPER, bold=True))


def _words_of(mark: Mark) -> str:
    numbers = " ".join(map(str, mark.reasons))
    return f"{label('drawing.badge', mark.kind)} {numbers}".rstrip()
