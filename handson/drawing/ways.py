"""The arrows of the frame, and the words beside them: what travels, from where, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handson.drawing import marks, text
from handson.drawing.geometry import Geometry, Way
from handson.drawing.plan import Plan
from handson.drawing.scene import GHOST, INK, QUIET, Arrow, Icon, Label, Scene, Spot

_SIZE = 12.0
_SIGN_IN = "#C7131F"


def draw(scene: Scene, plan: Plan, where: Geometry) -> None:
    """Draw the arrows: signing in, the way of the image, and the way in from the internet."""
    pushed = plan.registry.made and plan.image.made
    steps = plan.steps
    scene.arrows.append(Arrow("cli", "login", where.sign_in.points, _SIGN_IN))
    _words(scene, where.sign_in, steps.login, _SIGN_IN)
    given = plan.registry.made
    scene.arrows.append(Arrow("login", "registry", where.token.points, _SIGN_IN, dashed=not given))
    _words(scene, where.token, steps.token, _SIGN_IN)
    scene.arrows.append(Arrow("image", "registry", where.push.points, INK, dashed=not pushed))
    _words(scene, where.push, steps.push, INK)
    scene.arrows.append(Arrow("registry", "group", where.pull.points, INK, dashed=True))
    _words(scene, where.pull, steps.pull, INK)
    if plan.network.part.made and plan.network.gateway.lines:
        _gateway(scene, plan, where)


def _words(scene: Scene, way: Way, lines: Sequence[str], colour: str) -> None:
    """Put lines beside an arrow: the last one ends where the geometry says."""
    spoken = way.words
    top = spoken.y - (len(lines) - 1) * (_SIZE + 4)
    label = Label(spoken.x, top, "", size=_SIZE, anchor=spoken.anchor, colour=colour)
    scene.say_lines(label, lines, room=spoken.room)


def _gateway(scene: Scene, plan: Plan, where: Geometry) -> None:
    """Draw the internet gateway on the border, the way to it and the routes behind it."""
    gateway, words, (x, y) = plan.network.gateway, where.gateway_words, where.gateway
    colour = INK if gateway.made else GHOST
    label = Label(words.x + (8 if gateway.mark else 0), words.y, "", size=_SIZE, colour=colour)
    lines = gateway.lines if gateway.made else (gateway.lines[0], gateway.lines[-1])
    scene.say_lines(label, lines, room=words.room)
    marks.around_icon(scene, gateway, (x, y), 44)
    if not gateway.made:
        scene.spots.append(Spot("gateway", x, y))
        return
    scene.icons.append(Icon("gateway", gateway.icon, x, y, 44))
    scene.arrows.append(Arrow("browser", "gateway", where.internet.points, QUIET, dashed=True))
    room = where.internet.words.room
    _words(scene, where.internet, text.wrap(plan.steps.internet, room, size=_SIZE), QUIET)
    _routes(scene, plan, where)


def _routes(scene: Scene, plan: Plan, where: Geometry) -> None:
    """Lead from the gateway down beside the zones and into each subnet that is reached."""
    start, colour = where.route.points, plan.theme.network
    bus = start[-1][1]
    reached = list(_reached(plan, where))
    for spot, gutter in reached:
        scene.spots.append(spot)
        bends = (*start, (gutter, bus), (gutter, spot.y), (spot.x, spot.y))
        scene.arrows.append(Arrow("gateway", spot.id, bends, colour))
    if reached:
        _words(scene, where.route, (plan.network.route,), colour)


def _reached(plan: Plan, where: Geometry) -> Iterator[tuple[Spot, float]]:
    """Give where the route enters each reached subnet, and the x of the way down to it."""
    for column, ((_, boxes), zone) in enumerate(zip(where.zones, plan.network.zones, strict=True)):
        gutter = where.gutters[column]
        for row, (box, tier) in enumerate(zip(boxes, zone.tiers, strict=True)):
            if tier.reached:
                side = box.right + 3 if gutter > box.x else box.x - 3
                yield Spot(f"subnet{column}-{row}", side, box.y + 18), gutter
