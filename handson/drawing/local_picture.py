"""The scene of step 1: everything on one computer, from the shop's source to the browser.

The image has the name that it has in ECR, where one was pushed; nothing else depends on AWS.
"""

from __future__ import annotations

from handson.core.messages import text
from handson.drawing.frame import COMPUTER, DOCKER
from handson.drawing.plan import IMAGE_ICON
from handson.drawing.scene import INK, PAPER, QUIET, Arrow, Box, Icon, Label, Point, Scene
from handson.drawing.svg_document import fill_lines

_SOURCE, _IMAGE, _CONTAINER, _BROWSER = range(4)


# Where the computer, Docker and the four icons stand, and the words of build, run and visit: above
# a level arrow, left of an upright one.
_COMPUTER = Box(4, 36, 466, 460)
_DOCKER_ENGINE = Box(236, 72, 220, 408)
_ICONS: tuple[Point, ...] = ((84, 180), (350, 180), (350, 376), (84, 376))
_BUILD, _RUN, _VISIT = (182, 172), (340, 302), (182, 368)


def paint_local(image: str) -> Scene:
    """Return the scene of step 1 with the name of the image."""
    own, docker, title = _COMPUTER, _DOCKER_ENGINE, text("drawing.local-title")
    scene = Scene(own.right + own.x, 0, title, text("drawing.local-description"))
    scene.add_lines(Label(own.x, 28, 18, bold=True, room=own.width), title)
    scene.boxes.append(own.styled(INK, COMPUTER))
    scene.add_lines(Label(own.x + 14, own.y + 24, 14, bold=True), text("drawing.computer"))
    scene.boxes.append(docker.styled(DOCKER, PAPER))
    scene.icons.append(Icon("onprem/container/docker", docker.x + 26, docker.y + 22, 32))
    name = Label(docker.x + 50, docker.y + 27, 14, colour=DOCKER, bold=True)
    scene.add_lines(name, text("drawing.docker"))
    _paint_icons(scene, image)
    _paint_arrows(scene)
    legend = fill_lines(text("drawing.local-legend"), own.width, size=12)
    scene.add_lines(Label(own.x, own.bottom + 24, 12, colour=QUIET), *legend)
    scene.height = own.bottom + 20 + 16 * len(legend)
    return scene


def _paint_icons(scene: Scene, image: str) -> None:
    container = "aws/compute/elastic-container-service-container"
    for number, icon, head, detail in (
        (_SOURCE, "programming/framework/rails", text("drawing.source"), "Dockerfile"),
        (_IMAGE, IMAGE_ICON, text("drawing.part.image"), image),
        (_CONTAINER, container, text("drawing.container"), "Rails :3000"),
        (_BROWSER, "onprem/client/client", text("drawing.browser"), "http://localhost:3000"),
    ):
        x, y = _ICONS[number]
        scene.icons.append(Icon(icon, x, y, 60))
        scene.add_lines(Label(x, y + 52, anchor="middle", bold=True, room=170), head)
        scene.add_lines(Label(x, y + 70, 12, "middle", QUIET, room=170), detail)


def _paint_arrows(scene: Scene) -> None:
    for tail, head, place, command, meaning in (
        (_SOURCE, _IMAGE, _BUILD, "docker build", text("drawing.local-build")),
        (_IMAGE, _CONTAINER, _RUN, "docker run", text("drawing.local-run")),
        (_BROWSER, _CONTAINER, _VISIT, "HTTP", text("drawing.local-visit")),
    ):
        (fromx, fromy), (tox, toy) = _ICONS[tail], _ICONS[head]
        # Arrows start beside an icon, or below the words under it.
        step = 40 if tox > fromx else -40
        across = ((fromx + step, fromy), (tox - step, toy))
        down = ((fromx, fromy + 80), (tox, toy - 36))
        level, (x, y) = fromy == toy, place
        scene.arrows.append(Arrow(across if level else down))
        anchor = "middle" if level else "end"
        scene.add_lines(Label(x, y - 16, 12.5, anchor), meaning)
        scene.add_lines(Label(x, y, 12.5, anchor, bold=True), command)
