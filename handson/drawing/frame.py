"""Paints a plan: the one composition in which AWS and the machine room are both drawn."""

from __future__ import annotations

from handson.drawing import text, ways
from handson.drawing.geometry import (
    IMAGE_ROW,
    INTERNET_ROW,
    LOGIN_ROW,
    MARGIN,
    Geometry,
    place,
)
from handson.drawing.plan import Part, Plan, Tier, Zone
from handson.drawing.scene import (
    GHOST,
    PAPER,
    QUIET,
    Box,
    Icon,
    Label,
    Scene,
    Spot,
)

_SMALL = 12.0
_LABEL = 11.5


def paint(plan: Plan) -> Scene:
    """Return the scene of a plan."""
    where = place(plan)
    width, height = where.size
    scene = Scene(width, height, plan.title, plan.description, plan.language)
    scene.say(Label(MARGIN, 30, plan.title, size=19, bold=True), room=width - 2 * MARGIN)
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
    own, docker = where.computer, where.docker
    middle = own.middle[0]
    scene.boxes.append(own.styled(stroke, fill))
    scene.say(
        Label(own.x + 12, own.y + 22, plan.computer.name, bold=True, colour=stroke),
        room=own.width - 24,
    )
    _part(
        scene,
        Icon("browser", plan.computer.browser.icon, middle, INTERNET_ROW, 44),
        plan.computer.browser,
    )
    _part(scene, Icon("cli", plan.computer.login.icon, middle, LOGIN_ROW, 44), plan.computer.login)
    scene.boxes.append(docker.styled("#1D63ED", PAPER))
    scene.icons.append(Icon("docker", "onprem.container.Docker", docker.x + 22, docker.y + 18, 26))
    scene.say(
        Label(docker.x + 42, docker.y + 23, plan.computer.docker, bold=True, colour="#1D63ED"),
        room=docker.width - 48,
    )
    _part(
        scene, Icon("image", plan.computer.image.icon, middle, IMAGE_ROW, 52), plan.computer.image
    )


def _outer(scene: Scene, plan: Plan, where: Geometry) -> None:
    outer, region = where.outer, where.region
    scene.boxes.append(outer.styled(plan.theme.outer, PAPER))
    scene.boxes.append(region.styled(plan.theme.region, dashed=True))
    beside = outer.x + 12
    if plan.outer.icon:
        scene.icons.append(Icon("outer", plan.outer.icon, outer.x + 24, outer.y + 19, 26))
        beside = outer.x + 44
    scene.say(Label(beside, outer.y + 24, plan.outer.lines[0], size=14, bold=True))
    scene.say(
        Label(region.x + 12, region.y + 21, plan.region, bold=True, colour=plan.theme.region),
        room=region.width / 2,
    )


def _services(scene: Scene, plan: Plan, where: Geometry) -> None:
    stroke, fill = plan.theme.registry
    box, middle = where.registry, where.services
    _part(scene, Icon("login", plan.login.icon, middle, LOGIN_ROW, 48), plan.login)
    if not plan.registry.made:
        _ghost(scene, box, plan.registry.lines)
        scene.spots.append(Spot("registry", box.x, IMAGE_ROW))
        return
    scene.boxes.append(box.styled(stroke, fill))
    head, *rest = plan.registry.lines
    scene.say(
        Label(middle, box.y + 22, head, bold=True, colour=stroke, anchor="middle"),
        room=box.width - 16,
    )
    scene.say_lines(
        Label(middle, box.y + 39, "", size=_SMALL, anchor="middle"), rest, room=box.width - 16
    )
    scene.icons.append(Icon("registry", plan.registry.icon, middle, IMAGE_ROW + 2, 52))
    _image(scene, plan, Box(box.x + 10, IMAGE_ROW + 40, box.width - 20, 74))


def _image(scene: Scene, plan: Plan, box: Box) -> None:
    if not plan.image.made:
        _ghost(scene, box, plan.image.lines)
        return
    scene.boxes.append(box.styled(plan.theme.image, PAPER))
    scene.icons.append(Icon("stored", plan.image.icon, box.x + 24, box.middle[1], 30))
    head, *rest = plan.image.lines
    left, room = box.x + 46, box.width - 52
    lines = text.wrap(head, room, size=_SMALL)
    top = box.middle[1] + 4 - (len(lines) + len(rest) - 1) * 8
    scene.say_lines(Label(left, top, "", size=_SMALL, bold=True), lines, room=room)
    scene.say_lines(
        Label(left, top + 16 * len(lines), "", size=_LABEL, colour=QUIET), rest, room=room
    )


def _network(scene: Scene, plan: Plan, where: Geometry) -> None:
    box, part = where.network, plan.network.part
    if not part.made:
        _ghost(scene, box, part.lines, top=box.y + 30)
        return
    scene.boxes.append(box.styled(plan.theme.network, PAPER))
    scene.icons.append(Icon("network", part.icon, box.x + 24, box.y + 24, 30))
    head, *rest = part.lines
    left, room = box.x + 46, where.gutter(0) - box.x - 56
    scene.say(
        Label(left, box.y + 21, head, size=14, bold=True, colour=plan.theme.network), room=room
    )
    scene.say_lines(Label(left, box.y + 38, ""), rest, room=room)
    for (zone_box, tiers), zone in zip(where.zones, plan.network.zones, strict=True):
        _zone(scene, plan, zone_box, zone)
        for tier_box, tier in zip(tiers, zone.tiers, strict=True):
            _tier(scene, plan, tier_box, tier)


def _zone(scene: Scene, plan: Plan, box: Box, zone: Zone) -> None:
    colour = plan.theme.zone
    scene.boxes.append(box.styled(colour, dashed=True))
    scene.say(
        Label(box.middle[0], box.y + 21, zone.name, _SMALL, "middle", colour, bold=True),
        room=box.width - 12,
    )


def _tier(scene: Scene, plan: Plan, box: Box, tier: Tier) -> None:
    stroke, fill = plan.theme.public if tier.reached else plan.theme.private
    scene.boxes.append(box.styled(stroke, fill))
    left, room = box.x + 12, box.width - 20
    scene.say(Label(left, box.y + 20, tier.kind, bold=True, colour=stroke, size=_SMALL), room=room)
    names = text.wrap(tier.name, room, size=_LABEL)
    scene.say_lines(Label(left, box.y + 37, "", size=_LABEL), names, room=room)
    scene.say(
        Label(left, box.y + 38 + 15 * len(names), tier.cidr, size=_SMALL, bold=True), room=room
    )


def _group(scene: Scene, plan: Plan, where: Geometry) -> None:
    stroke, fill = plan.theme.group
    band, group = where.band, plan.group
    scene.spots.append(Spot("group", band.x, IMAGE_ROW))
    if not group.part.made:
        _ghost(scene, band, group.part.lines, fill=PAPER)
        return
    scene.boxes.append(band.styled(stroke, fill))
    scene.icons.append(Icon("cluster", group.part.icon, band.x + 28, band.y + 29, 38))
    head, *rest = group.part.lines
    room = band.width - 72
    scene.say(Label(band.x + 56, band.y + 25, head, bold=True, colour=stroke), room=room)
    scene.say_lines(Label(band.x + 56, band.y + 43, "", size=_SMALL), rest, room=room)
    for number, box in enumerate(where.slots):
        _slot(scene, plan, box, number)


def _slot(scene: Scene, plan: Plan, box: Box, number: int) -> None:
    """Draw the place where a zone's tasks, or its worker nodes, stand."""
    group = plan.group
    scene.boxes.append(box.styled(plan.theme.group[0], PAPER, dashed=True))
    x, y = box.middle
    room = box.width - 12
    if group.slot_icon:
        scene.icons.append(Icon(f"slot{number}", group.slot_icon, box.x + 30, y, 34))
        x, room = x + 22, room - 48
    scene.say_lines(
        Label(x, y + 4 - (len(group.slot) - 1) * 8, "", _LABEL, "middle", QUIET),
        group.slot,
        room=room,
    )


def _below(scene: Scene, plan: Plan, where: Geometry) -> None:
    outer, region = where.outer, where.region
    if plan.others:
        scene.say(
            Label(region.x + 12, region.bottom - 11, plan.others, _LABEL, colour=QUIET),
            room=region.width - 24,
        )
    scene.say(
        Label(MARGIN, outer.bottom + 24, plan.legend, _LABEL, colour=QUIET),
        room=scene.width - 2 * MARGIN,
    )


def _part(scene: Scene, icon: Icon, part: Part) -> None:
    """Put a part's icon at its place and its lines, centred, below it."""
    scene.icons.append(icon)
    head, *rest = part.lines
    y = icon.y + icon.size / 2 + 16
    for number, line in enumerate(text.wrap(head, 142, size=_SMALL) + rest):
        scene.say(
            Label(icon.x, y + number * 15.5, line, _SMALL if number == 0 else _LABEL, "middle"),
            room=150,
        )


def _ghost(
    scene: Scene, box: Box, lines: tuple[str, ...], *, top: float = 0, fill: str = "none"
) -> None:
    """Draw a dashed outline that says what is not there yet."""
    scene.boxes.append(box.styled(GHOST, fill, dashed=True))
    x, y = box.middle
    first = top or y + 4 - (len(lines) - 1) * 8
    scene.say_lines(
        Label(x, first, "", size=_SMALL, anchor="middle", colour=GHOST), lines, room=box.width - 12
    )
