"""Step 1: everything on one computer, from the source of the shop to the browser.

The image has the name that it has in ECR, where one was pushed; nothing else depends on AWS.
"""

from __future__ import annotations

from dataclasses import dataclass

from handson.course.state import Snapshot
from handson.drawing import text
from handson.drawing.aws import THEME
from handson.drawing.scene import INK, PAPER, QUIET, Arrow, Box, Icon, Label, Point, Scene
from handson.drawing.seen import Seen
from handson.drawing.words import Words

_DOCKER = "#1D63ED"
_SIZE = 60.0


@dataclass(frozen=True)
class Layout:
    """Where the four things stand, and where the words beside their arrows end."""

    width: float
    computer: Box
    docker: Box
    places: dict[str, Point]
    words: dict[str, tuple[float, float, str]]


WIDE = Layout(
    width=944,
    computer=Box(16, 46, 912, 262),
    docker=Box(240, 84, 440, 206),
    places={
        "source": (100, 182),
        "image": (346, 182),
        "container": (566, 182),
        "browser": (836, 182),
    },
    words={
        "source": (184, 174, "middle"),
        "image": (456, 174, "middle"),
        "browser": (738, 174, "middle"),
    },
)
TALL = Layout(
    width=474,
    computer=Box(4, 36, 466, 460),
    docker=Box(244, 72, 212, 408),
    places={
        "source": (84, 180),
        "image": (350, 180),
        "container": (350, 376),
        "browser": (84, 376),
    },
    words={
        "source": (182, 172, "middle"),
        "image": (340, 302, "end"),
        "browser": (182, 368, "middle"),
    },
)


def paint(snapshot: Snapshot, words: Words, layout: Layout = WIDE) -> Scene:
    """Return the scene of step 1."""
    scene = Scene(layout.width, 0, words("local-title"), words("local-description"), words.language)
    stroke, fill = THEME.computer
    own, docker = layout.computer, layout.docker
    room = layout.width - 2 * own.x
    scene.say(Label(own.x, 28, scene.title, size=18, bold=True), room=room)
    scene.boxes.append(own.styled(stroke, fill))
    scene.say(Label(own.x + 14, own.y + 24, words("computer"), size=14, bold=True))
    scene.boxes.append(docker.styled(_DOCKER, PAPER))
    scene.icons.append(Icon("docker", "onprem.container.Docker", docker.x + 26, docker.y + 22, 32))
    scene.say(
        Label(docker.x + 50, docker.y + 27, words("docker"), size=14, bold=True, colour=_DOCKER)
    )
    _things(scene, words, layout, image=Seen(snapshot).short_name)
    _ways(scene, words, layout)
    legend = text.fill(words("local-legend"), room, size=12)
    scene.say_lines(Label(own.x, own.bottom + 24, "", size=12, colour=QUIET), legend, room=room)
    scene.height = own.bottom + 20 + 16 * len(legend)
    return scene


def _things(scene: Scene, words: Words, layout: Layout, *, image: str) -> None:
    things = {
        "source": ("programming.framework.Rails", words("source"), "Dockerfile"),
        "image": ("aws.compute.EC2ContainerRegistryImage", words("image"), image),
        "container": (
            "aws.compute.ElasticContainerServiceContainer",
            words("container"),
            "Rails :3000",
        ),
        "browser": ("onprem.client.Client", words("browser"), "http://localhost:3000"),
    }
    for name, (icon, head, detail) in things.items():
        x, y = layout.places[name]
        scene.icons.append(Icon(name, icon, x, y, _SIZE))
        scene.say(Label(x, y + 52, head, bold=True, anchor="middle"), room=170)
        scene.say(Label(x, y + 70, detail, size=12, anchor="middle", colour=QUIET), room=170)


def _ways(scene: Scene, words: Words, layout: Layout) -> None:
    for tail, head, command, meaning in (
        ("source", "image", "docker build", words("local-build")),
        ("image", "container", "docker run", words("local-run")),
        ("browser", "container", "HTTP", words("local-visit")),
    ):
        (fromx, fromy), (tox, toy) = layout.places[tail], layout.places[head]
        # Arrows start beside an icon, or below what is written under it.
        step = 40 if tox > fromx else -40
        across = ((fromx + step, fromy), (tox - step, toy))
        down = ((fromx, fromy + 80), (tox, toy - 36))
        scene.arrows.append(Arrow(tail, head, across if fromy == toy else down, INK))
        x, y, anchor = layout.words[tail]
        scene.say(Label(x, y - 16, meaning, size=12.5, anchor=anchor))
        scene.say(Label(x, y, command, size=12.5, anchor=anchor, bold=True))
