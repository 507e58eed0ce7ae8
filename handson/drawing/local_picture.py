"""The scene of step 1: everything on one computer, from the shop's source to the browser.

The image has the name that it has in ECR, where one was pushed; nothing else depends on AWS.
"""

from __future__ import annotations

from msgspec import Struct

from handson.core.messages import text
from handson.drawing.frame import COMPUTER, DOCKER
from handson.drawing.plan import IMAGE_ICON
from handson.drawing.scene import INK, PAPER, QUIET, Arrow, Box, Icon, Label, Point, Scene
from handson.drawing.svg_document import fill_lines

_SOURCE, _IMAGE, _CONTAINER, _BROWSER = range(4)


class Layout(Struct, frozen=True):
    """Where the four icons stand, and the words beside the arrows of build, run and visit.

    Words are centred above a level arrow, and end at an upright one.
    """

    computer: Box
    docker: Box
    icons: tuple[Point, Point, Point, Point]
    words: tuple[Point, Point, Point]


WIDE = Layout(
    computer=Box(16, 46, 912, 262),
    docker=Box(240, 84, 440, 206),
    icons=((100, 182), (346, 182), (566, 182), (836, 182)),
    words=((184, 174), (456, 174), (738, 174)),
)
TALL = Layout(
    computer=Box(4, 36, 466, 460),
    docker=Box(236, 72, 220, 408),
    icons=((84, 180), (350, 180), (350, 376), (84, 376)),
    words=((182, 172), (340, 302), (182, 368)),
)


def paint_local(image: str, layout: Layout) -> Scene:
    """Return the scene of step 1 with the name of the image."""
    own, docker, title = layout.computer, layout.docker, text("drawing.local-title")
    scene = Scene(own.right + own.x, 0, title, text("drawing.local-description"))
    scene.add_lines(Label(own.x, 28, 18, bold=True, room=own.width), title)
    scene.boxes.append(own.styled(INK, COMPUTER))
    scene.add_lines(Label(own.x + 14, own.y + 24, 14, bold=True), text("drawing.computer"))
    scene.boxes.append(docker.styled(DOCKER, PAPER))
    scene.icons.append(Icon("onprem/container/docker", docker.x + 26, docker.y + 22, 32))
    name = Label(docker.x + 50, docker.y + 27, 14, colour=DOCKER, bold=True)
    scene.add_lines(name, text("drawing.docker"))
    _paint_icons(scene, layout, image)
    _paint_arrows(scene, layout)
    legend = fill_lines(text("drawing.local-legend"), own.width, size=12)
    scene.add_lines(Label(own.x, own.bottom + 24, 12, colour=QUIET), *legend)
    scene.height = own.bottom + 20 + 16 * len(legend)
    return scene


def _paint_icons(scene: Scene, layout: Layout, image: str) -> None:
    container = "aws/compute/elastic-container-service-container"
    for number, icon, head, detail in (
        (_SOURCE, "programming/framework/rails", text("drawing.source"), "Dockerfile"),
        (_IMAGE, IMAGE_ICON, text("drawing.part.image"), image),
        (_CONTAINER, container, text("drawing.container"), "Rails :3000"),
        (_BROWSER, "onprem/client/client", text("drawing.browser"), "http://localhost:3000"),
    ):
        x, y = layout.icons[number]
        scene.icons.append(Icon(icon, x, y, 60))
        scene.add_lines(Label(x, y + 52, anchor="middle", bold=True, room=170), head)
        scene.add_lines(Label(x, y + 70, 12, "middle", QUIET, room=170), detail)


def _paint_arrows(scene: Scene, layout: Layout) -> None:
    build, run, visit = layout.words
    for tail, head, place, command, meaning in (
        (_SOURCE, _IMAGE, build, "docker build", text("drawing.local-build")),
        (_IMAGE, _CONTAINER, run, "docker run", text("drawing.local-run")),
        (_BROWSER, _CONTAINER, visit, "HTTP", text("drawing.local-visit")),
    ):
        (fromx, fromy), (tox, toy) = layout.icons[tail], layout.icons[head]
        # Arrows start beside an icon, or below the words under it.
        step = 40 if tox > fromx else -40
        across = ((fromx + step, fromy), (tox - step, toy))
        down = ((fromx, fromy + 80), (tox, toy - 36))
        level, (x, y) = fromy == toy, place
        scene.arrows.append(Arrow(across if level else down))
        anchor = "middle" if level else "end"
        scene.add_lines(Label(x, y - 16, 12.5, anchor), meaning)
        scene.add_lines(Label(x, y, 12.5, anchor, bold=True), command)
