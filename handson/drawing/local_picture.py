"""The scene of step 1: everything on one computer, from the shop's source to the browser.

The image has the name that it has in ECR, where one was pushed; nothing else depends on AWS.
"""

from __future__ import annotations

from handson.core.files import read_data
from handson.core.messages import label, text
from handson.drawing.frame import COMPUTER, DOCKER
from handson.drawing.scene import INK, PAPER, QUIET, Arrow, Box, Icon, Label, Scene
from handson.drawing.svg_document import fill_lines

_DATA = read_data("handson.drawing", "local.toml")


def paint_local(image: str) -> Scene:
    """Return the scene of step 1 with the name of the image."""
    own, docker, title = Box(*_DATA["computer"]), Box(*_DATA["docker"]), text("drawing.local-title")
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
    for name, part in _DATA["icons"].items():
        (x, y), detail = part["at"], part["detail"].format(image=image)
        head = label("drawing.local-icon", name)
        scene.icons.append(Icon(part["icon"], x, y, 60))
        scene.add_lines(Label(x, y + 52, anchor="middle", bold=True, room=170), head)
        scene.add_lines(Label(x, y + 70, 12, "middle", QUIET, room=170), detail)


def _paint_arrows(scene: Scene) -> None:
    icons = _DATA["icons"]
    for name, step in _DATA["arrows"].items():
        (fromx, fromy), (tox, toy) = icons[step["from"]]["at"], icons[step["to"]]["at"]
        # Arrows start beside an icon, or below the words under it.
        away = 40 if tox > fromx else -40
        across = ((fromx + away, fromy), (tox - away, toy))
        down = ((fromx, fromy + 80), (tox, toy - 36))
        level, (x, y) = fromy == toy, step["at"]
        scene.arrows.append(Arrow(across if level else down))
        anchor = "middle" if level else "end"
        meaning = label("drawing.local-arrow", name)
        scene.add_lines(Label(x, y - 16, 12.5, anchor), meaning)
        scene.add_lines(Label(x, y, 12.5, anchor, bold=True), step["command"])
