"""Paints a plan: the one composition in which AWS and the machine room are both drawn."""

from __future__ import annotations

from handson.drawing import marks, text, ways
from handson.drawing.geometry import Geometry, Placing
from handson.drawing.plan import GONE, Part, Plan, Tier, Zone
from handson.drawing.scene import GHOST, INK, PAPER, QUIET, Box, Icon, Label, Point, Scene, Spot

_TITLE, _HEAD, _TEXT, _SMALL = 18.0, 14.0, 12.5, 12.0
_EDGE = 12.0


def paint(plan: Plan, place: Placing) -> Scene:
    """Return the scene of a plan in a composition."""
    where = place(plan)
    scene = Scene(where.width, 0, plan.title, plan.description, plan.language)
    left = where.computer.x
    scene.say(Label(left, 28, plan.title, size=_TITLE, bold=True), room=where.width - 2 * left)
    _computer(scene, plan, where)
    _outer(scene, plan, where)
    _services(scene, plan, where)
    _network(scene, plan, where)
    _group(scene, plan, where)
    ways.draw(scene, plan, where)
    _below(scene, plan, where)
    return scene


def _computer(scene: Scene, plan: Plan, where: Geometry) -> None:
    stroke, fill = plan.theme.computer
    own, docker, parts = where.computer, where.docker, plan.computer
    scene.boxes.append(own.styled(stroke, fill))
    room = (docker.x if docker.x > own.middle[0] else own.right) - own.x - 20
    scene.say(Label(own.x + 12, own.y + 22, parts.name, bold=True, colour=stroke), room=room)
    _part(scene, _icon("browser", parts.browser, where.browser, 44), parts.browser)
    _part(scene, _icon("cli", parts.login, where.client, 44), parts.login)
    scene.boxes.append(docker.styled("#1D63ED", PAPER))
    scene.icons.append(Icon("docker", "onprem.container.Docker", docker.x + 22, docker.y + 18, 26))
    scene.say(
        Label(docker.x + 42, docker.y + 23, parts.docker, bold=True, colour="#1D63ED"),
        room=docker.width - 46,
    )
    _part(scene, _icon("image", parts.image, where.image, 48), parts.image)


def _icon(name: str, part: Part, centre: Point, size: float) -> Icon:
    return Icon(name, part.icon, *centre, size)


def _outer(scene: Scene, plan: Plan, where: Geometry) -> None:
    outer, region = where.outer, where.region
    scene.boxes.append(outer.styled(plan.theme.outer, PAPER))
    scene.boxes.append(region.styled(plan.theme.region, dashed=True))
    beside = where.heading
    if plan.outer.icon:
        scene.icons.append(Icon("outer", plan.outer.icon, beside + 12, outer.y + 18, 26))
        beside += 32
    scene.say(Label(beside, outer.y + 24, plan.outer.lines[0], size=_HEAD, bold=True))
    scene.say(
        Label(where.heading, region.y + 20, plan.region, bold=True, colour=plan.theme.region),
        room=region.width / 2,
    )


def _services(scene: Scene, plan: Plan, where: Geometry) -> None:
    stroke, fill = plan.theme.registry
    box, (middle, row), part = where.registry, where.shelf, plan.registry
    _part(scene, _icon("login", plan.login, where.login, 48), plan.login)
    if not part.made:
        _ghost(scene, box, part)
        scene.spots.append(Spot("registry", *box.middle))
        return
    scene.boxes.append(marks.framed(box.styled(stroke, fill), part.mark))
    head, *rest = part.lines
    scene.say(
        Label(middle, box.y + 22, head, bold=True, colour=stroke, anchor="middle"),
        room=box.width - 12,
    )
    scene.say_lines(
        Label(middle, box.y + 40, "", size=_SMALL, anchor="middle"), rest, room=box.width - 12
    )
    scene.icons.append(Icon("registry", part.icon, middle, row, 52))
    _image(scene, plan, Box(box.x + 8, row + 36, box.width - 16, 64))
    marks.badge(scene, (box.right - 6, box.y), part.mark)


def _image(scene: Scene, plan: Plan, box: Box) -> None:
    part = plan.image
    if not part.made:
        _ghost(scene, box, part)
        return
    scene.boxes.append(marks.framed(box.styled(plan.theme.image, PAPER), part.mark))
    scene.icons.append(Icon("stored", part.icon, box.x + 20, box.middle[1], 28))
    head, *rest = part.lines
    left, room = box.x + 38, box.width - 42
    lines = text.wrap(head, room, size=_SMALL)
    top = box.middle[1] + 4 - (len(lines) + len(rest) - 1) * 8
    scene.say_lines(Label(left, top, "", size=_SMALL, bold=True), lines, room=room)
    scene.say_lines(
        Label(left, top + 16 * len(lines), "", size=_SMALL, colour=QUIET), rest, room=room
    )
    marks.badge(scene, (box.right - 4, box.bottom), part.mark)


def _network(scene: Scene, plan: Plan, where: Geometry) -> None:
    box, part = where.network, plan.network.part
    if not part.made:
        _ghost(scene, box, part, top=box.y + 56)
        return
    scene.boxes.append(marks.framed(box.styled(plan.theme.network, PAPER), part.mark))
    left = where.network_head
    end = where.gateway[0] - 26 if left < where.gateway[0] else box.right
    scene.icons.append(Icon("network", part.icon, left + 16, box.y + 24, 30))
    head, *rest = part.lines
    room = end - left - 42
    scene.say(
        Label(left + 38, box.y + 21, head, size=_HEAD, bold=True, colour=plan.theme.network),
        room=room,
    )
    scene.say_lines(Label(left + 38, box.y + 39, "", size=_TEXT), rest, room=room)
    for (zone_box, tiers), zone in zip(where.zones, plan.network.zones, strict=True):
        _zone(scene, plan, zone_box, zone)
        for tier_box, tier in zip(tiers, zone.tiers, strict=True):
            _tier(scene, plan, tier_box, tier)
    marks.badge(scene, (box.right - 12, box.y), part.mark)


def _zone(scene: Scene, plan: Plan, box: Box, zone: Zone) -> None:
    colour = plan.theme.zone
    scene.boxes.append(box.styled(colour, dashed=True))
    scene.say_lines(
        Label(box.middle[0], box.y + 22, "", _SMALL, "middle", colour, bold=True),
        zone.lines,
        room=box.width - 8,
    )


def _tier(scene: Scene, plan: Plan, box: Box, tier: Tier) -> None:
    stroke, fill = plan.theme.public if tier.public else plan.theme.private
    if tier.made:
        scene.boxes.append(marks.framed(box.styled(stroke, fill), tier.mark))
    else:
        scene.boxes.append(box.styled(GHOST, PAPER, dashed=True))
        stroke = GHOST
    left, room = box.x + 9, box.width - 14
    ink = INK if tier.made else GHOST
    scene.say(Label(left, box.y + 19, tier.kind, _TEXT, colour=stroke, bold=True), room=room)
    names = text.wrap(tier.name, room, size=_SMALL)
    scene.say_lines(Label(left, box.y + 36, "", size=_SMALL, colour=ink), names, room=room)
    scene.say(
        Label(left, box.y + 37 + 16 * len(names), tier.cidr, size=_TEXT, colour=ink, bold=True),
        room=room,
    )
    marks.badge(scene, (box.right - 4, box.y), tier.mark)


def _group(scene: Scene, plan: Plan, where: Geometry) -> None:
    stroke, fill = plan.theme.group
    band, group = where.band, plan.group
    scene.spots.append(Spot("group", *where.pull.points[-1]))
    if not group.part.made:
        _ghost(scene, band, group.part, fill=PAPER)
        return
    scene.boxes.append(marks.framed(band.styled(stroke, fill), group.part.mark))
    scene.icons.append(Icon("cluster", group.part.icon, band.x + 28, band.y + 30, 36))
    head, *rest = group.part.lines
    room = band.width - 60
    scene.say(Label(band.x + 54, band.y + 26, head, bold=True, colour=stroke), room=room)
    scene.say_lines(Label(band.x + 54, band.y + 44, "", size=_SMALL), rest, room=room)
    for number, box in enumerate(where.slots):
        _slot(scene, plan, box, number)
    marks.badge(scene, (band.right - 6, band.y), group.part.mark)


def _slot(scene: Scene, plan: Plan, box: Box, number: int) -> None:
    """Draw the place where a zone's tasks, or its worker nodes, stand."""
    group = plan.group
    scene.boxes.append(box.styled(plan.theme.group[0], PAPER, dashed=not group.slot_icon))
    x, y = box.middle
    room = box.width - 8
    if group.slot_icon:
        scene.icons.append(Icon(f"slot{number}", group.slot_icon, box.x + 20, y, 28))
        x, room = x + 18, room - 32
    scene.say_lines(
        Label(x, y + 4 - (len(group.slot) - 1) * 8, "", _SMALL, "middle", QUIET),
        group.slot,
        room=room,
    )


def _below(scene: Scene, plan: Plan, where: Geometry) -> None:
    """Say what else there is, what the lines mean, and what a comparison found."""
    outer, region = where.outer, where.region
    if plan.others:
        scene.say(
            Label(region.x + _EDGE, region.bottom - 11, plan.others, _SMALL, colour=QUIET),
            room=region.width - 2 * _EDGE,
        )
    left, y = where.computer.x, outer.bottom + 24
    room = scene.width - 2 * left
    legend = text.fill(plan.legend, room, size=_SMALL)
    scene.say_lines(Label(left, y, "", _SMALL, colour=QUIET), legend, room=room)
    y += (len(legend) - 1) * 16 + 26
    scene.height = marks.explain(scene, plan, (left, y), room=room) - 10


def _part(scene: Scene, icon: Icon, part: Part) -> None:
    """Put a part's icon at its place and its lines, centred, below it."""
    scene.icons.append(icon)
    head, *rest = part.lines
    y = icon.y + icon.size / 2 + 15
    for number, line in enumerate(text.wrap(head, 136, size=_TEXT) + rest):
        size = _TEXT if number == 0 else _SMALL
        scene.say(Label(icon.x, y + number * 15.5, line, size, "middle"), room=146)


def _ghost(scene: Scene, box: Box, part: Part, *, top: float = 0, fill: str = "none") -> None:
    """Draw a dashed outline that says what is not there."""
    scene.boxes.append(box.styled(GHOST, fill, dashed=True))
    x, y = box.middle
    lines = [line for each in part.lines for line in text.wrap(each, box.width - 12, size=_TEXT)]
    first = top or y + 4 - (len(lines) - 1) * 8
    gone = part.mark is not None and part.mark.kind == GONE
    scene.say_lines(
        Label(x, first, "", size=_TEXT, anchor="middle", colour=GHOST, bold=gone),
        lines,
        room=box.width - 12,
    )
    marks.badge(scene, (box.right - 6, box.y), part.mark)
