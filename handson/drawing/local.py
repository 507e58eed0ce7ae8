"""The scene of step 1: everything on one computer, from the shop's source to the browser.

The image has the name that it has in ECR, where one was pushed; nothing else depends on AWS.
"""

from __future__ import annotations

from msgspec import Struct

from handson.core.messages import text
from handson.drawing.aws import IMAGE_ICON
from handson.drawing.parts import COMPUTER, DOCKER
from handson.drawing.scene import (
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
)

SOURCE, IMAGE, CONTAINER, BROWSER = "source", "image", "container", "browser"


class Layout(Struct, frozen=True):
    """Where the four icons stand, and where the words beside their arrows end."""

    width: float
    computer: Box
    docker: Box
    icons: dict[str, Point]
    words: dict[str, tuple[float, float, str]]


WIDE = Layout(
    width=944,
    computer=Box(16, 46, 912, 262),
    docker=Box(240, 84, 440, 206),
    icons={SOURCE: (100, 182), IMAGE: (346, 182), CONTAINER: (566, 182), BROWSER: (836, 182)},
    words={
        SOURCE: (184, 174, "middle"),
        IMAGE: (456, 174, "middle"),
        BROWSER: (738, 174, "middle"),
    },
)
TALL = Layout(
    width=474,
    computer=Box(4, 36, 466, 460),
    docker=Box(244, 72, 212, 408),
    icons={SOURCE: (84, 180), IMAGE: (350, 180), CONTAINER: (350, 376), BROWSER: (84, 376)},
    words={
        SOURCE: (182, 172, "middle"),
        IMAGE: (340, 302, "end"),
        BROWSER: (182, 368, "middle"),
    },
)


def paint_local(image: str, layout: Layout) -> Scene:
    """Return the scene of step 1 with the name of the image."""
    scene = Scene(layout.width, 0, text("drawing.local-title"), text("drawing.local-description"))
    stroke, fill = COMPUTER
    own, docker = layout.computer, layout.docker
    room = layout.width - 2 * own.x
    scene.add_label(Label(own.x, 28, scene.title, 18, bold=True), room=room)
    scene.boxes.append(own.styled(stroke, fill))
    scene.add_label(Label(own.x + 14, own.y + 24, text("drawing.computer"), 14, bold=True))
    scene.boxes.append(docker.styled(DOCKER, PAPER))
    scene.icons.append(Icon("onprem.container.Docker", docker.x + 26, docker.y + 22, 32))
    name = text("drawing.docker")
    scene.add_label(Label(docker.x + 50, docker.y + 27, name, 14, colour=DOCKER, bold=True))
    _paint_icons(scene, layout, image)
    _paint_arrows(scene, layout)
    legend = fill_lines(text("drawing.local-legend"), room, size=12)
    scene.add_lines(Label(own.x, own.bottom + 24, size=12, colour=QUIET), legend, room=room)
    scene.height = own.bottom + 20 + 16 * len(legend)
    return scene


def _paint_icons(scene: Scene, layout: Layout, image: str) -> None:
    container = "aws.compute.ElasticContainerServiceContainer"
    for place, icon, head, detail in (
        (SOURCE, "programming.framework.Rails", text("drawing.source"), "Dockerfile"),
        (IMAGE, IMAGE_ICON, text("drawing.image"), image),
        (CONTAINER, container, text("drawing.container"), "Rails :3000"),
        (BROWSER, "onprem.client.Client", text("drawing.browser"), "http://localhost:3000"),
    ):
        x, y = layout.icons[place]
        scene.icons.append(Icon(icon, x, y, 60))
        scene.add_label(Label(x, y + 52, head, anchor="middle", bold=True), room=170)
        scene.add_label(Label(x, y + 70, detail, 12, "middle", QUIET), room=170)


def _paint_arrows(scene: Scene, layout: Layout) -> None:
    for tail, head, command, meaning in (
        (SOURCE, IMAGE, "docker build", text("drawing.local-build")),
        (IMAGE, CONTAINER, "docker run", text("drawing.local-run")),
        (BROWSER, CONTAINER, "HTTP", text("drawing.local-visit")),
    ):
        (fromx, fromy), (tox, toy) = layout.icons[tail], layout.icons[head]
        # Arrows start beside an icon, or below the words under it.
        step = 40 if tox > fromx else -40
        across = ((fromx + step, fromy), (tox - step, toy))
        down = ((fromx, fromy + 80), (tox, toy - 36))
        scene.arrows.append(Arrow(across if fromy == toy else down, INK))
        x, y, anchor = layout.words[tail]
        scene.add_label(Label(x, y - 16, meaning, 12.5, anchor))
        scene.add_label(Label(x, y, command, 12.5, anchor, bold=True))
