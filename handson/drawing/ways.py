"""The arrows of the frame, and the words beside them: what travels, from where, in which order."""

from __future__ import annotations

from collections.abc import Iterator

from handson.drawing.geometry import (
    IMAGE_ROW,
    INTERNET_ROW,
    LOGIN_ROW,
    NETWORK_TOP,
    Geometry,
)
from handson.drawing.plan import Plan
from handson.drawing.scene import INK, QUIET, Arrow, Icon, Label, Scene, Spot

_SIZE = 11.5
_SIGN_IN = "#C7131F"


def draw(scene: Scene, plan: Plan, where: Geometry) -> None:
    """Draw the arrows: signing in, the way of the image, and the way in from the internet."""
    _sign_in(scene, plan, where)
    _image(scene, plan, where)
    if plan.network.part.made and plan.network.gateway.made:
        _gateway(scene, plan, where)


def _sign_in(scene: Scene, plan: Plan, where: Geometry) -> None:
    """Lead from the computer to the sign-in, and from there down to the registry."""
    own, middle = where.computer.middle[0], where.services
    across = ((own + 30, LOGIN_ROW), (middle - 30, LOGIN_ROW))
    scene.arrows.append(Arrow("cli", "login", across, _SIGN_IN))
    _beside(scene, _between(where), LOGIN_ROW, plan.steps.login, _SIGN_IN)
    top, end = LOGIN_ROW + 66, where.registry.y - 3
    scene.arrows.append(Arrow("login", "registry", ((middle, top), (middle, end)), _SIGN_IN))
    lines = plan.steps.token
    first = (top + end) / 2 - (len(lines) - 1) * 8 + 5
    scene.say_lines(
        Label(middle + 10, first, "", size=_SIZE, colour=_SIGN_IN),
        lines,
        room=where.registry.right - middle + 10,
    )


def _image(scene: Scene, plan: Plan, where: Geometry) -> None:
    """Lead from the computer to the registry and on to the cluster, in one straight line."""
    own, middle, box = where.computer.middle[0], where.services, where.registry
    end, start = (middle - 32, middle + 32) if plan.registry.made else (box.x - 3, box.right + 3)
    pushed = plan.registry.made and plan.image.made
    push = ((own + 34, IMAGE_ROW), (end, IMAGE_ROW))
    pull = ((start, IMAGE_ROW), (where.band.x - 3, IMAGE_ROW))
    scene.arrows.append(Arrow("image", "registry", push, INK, dashed=not pushed))
    scene.arrows.append(Arrow("registry", "group", pull, INK, dashed=True))
    _beside(scene, _between(where), IMAGE_ROW, plan.steps.push, INK)
    _beside(scene, (box.right + where.network.x) / 2, IMAGE_ROW, plan.steps.pull, INK)


def _between(where: Geometry) -> float:
    """Return the x half-way between the computer and what it reaches."""
    return (where.computer.right + where.outer.x) / 2


def _beside(scene: Scene, x: float, y: float, lines: tuple[str, ...], colour: str) -> None:
    """Put lines above a horizontal arrow: the last one ends just over it."""
    top = y - 8 - (len(lines) - 1) * 15.5
    scene.say_lines(Label(x, top, "", size=_SIZE, anchor="middle", colour=colour), lines)


def _gateway(scene: Scene, plan: Plan, where: Geometry) -> None:
    """Draw the internet gateway on the border, the way to it and the routes behind it."""
    x, gateway = where.gutter(0), plan.network.gateway
    scene.icons.append(Icon("gateway", gateway.icon, x, INTERNET_ROW, 44))
    scene.say_lines(
        Label(x + 30, INTERNET_ROW - 18, "", size=_SIZE),
        gateway.lines,
        room=where.network.right - x - 30,
    )
    start = where.computer.middle[0] + 30
    way = ((start, INTERNET_ROW), (x - 26, INTERNET_ROW))
    scene.arrows.append(Arrow("browser", "gateway", way, QUIET, dashed=True))
    left = where.registry.x
    scene.say(
        Label((left + x - 26) / 2, INTERNET_ROW - 8, plan.steps.internet, _SIZE, "middle", QUIET),
        room=x - 40 - left,
    )
    _routes(scene, plan, where)


def _routes(scene: Scene, plan: Plan, where: Geometry) -> None:
    """Lead from the gateway down beside the zones and into each subnet that is reached."""
    colour, start, bus = plan.theme.network, where.gutter(0), NETWORK_TOP + 50
    reached = list(_reached(plan, where))
    for spot, gutter in reached:
        scene.spots.append(spot)
        down = ((start, INTERNET_ROW + 24), (start, bus), (gutter, bus), (gutter, spot.y))
        scene.arrows.append(Arrow("gateway", spot.id, (*down, (spot.x, spot.y)), colour))
    if reached:
        scene.say(
            Label(start + 10, NETWORK_TOP + 34, plan.network.route, _SIZE, colour=colour),
            room=where.network.right - start - 20,
        )


def _reached(plan: Plan, where: Geometry) -> Iterator[tuple[Spot, float]]:
    """Give where the route enters each reached subnet, and the x of the way down to it."""
    for column, ((_, boxes), zone) in enumerate(zip(where.zones, plan.network.zones, strict=True)):
        gutter = where.gutter(column)
        for row, (box, tier) in enumerate(zip(boxes, zone.tiers, strict=True)):
            if tier.reached:
                side = box.right + 3 if gutter > box.x else box.x - 3
                yield Spot(f"subnet{column}-{row}", side, box.y + 18), gutter
