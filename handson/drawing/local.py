"""Step 1: everything on one computer, from the source of the shop to the browser."""

from __future__ import annotations

from handson import syllabus
from handson.drawing.aws import THEME
from handson.drawing.scene import INK, PAPER, QUIET, Arrow, Box, Icon, Label, Scene
from handson.drawing.words import Words
from handson.state import Snapshot

_ROW = 190.0
_DOCKER = "#1D63ED"
_COLUMNS = {"source": 100.0, "image": 346.0, "container": 566.0, "browser": 836.0}


def paint(snapshot: Snapshot, words: Words) -> Scene:
    """Return the scene of step 1; it does not depend on what is there on AWS."""
    scene = Scene(944, 372, words("local-title"), words("local-description"), words.language)
    scene.say(Label(16, 30, scene.title, size=19, bold=True))
    stroke, fill = THEME.computer
    scene.boxes.append(Box(16, 46, 912, 276).styled(stroke, fill))
    scene.say(Label(30, 70, words("computer"), size=14, bold=True))
    scene.boxes.append(Box(240, 92, 440, 210).styled(_DOCKER, PAPER))
    scene.icons.append(Icon("docker", "onprem.container.Docker", 266, 114, 32))
    scene.say(Label(290, 119, words("docker"), size=14, bold=True, colour=_DOCKER))
    _things(scene, words)
    _ways(scene, words)
    scene.say(Label(16, 350, words("local-legend"), size=12, colour=QUIET), room=912)
    return scene


def _things(scene: Scene, words: Words) -> None:
    image = f"{syllabus.REPOSITORY.name}:{syllabus.PUSH_TAG}"
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
        x = _COLUMNS[name]
        scene.icons.append(Icon(name, icon, x, _ROW, 64))
        scene.say(Label(x, _ROW + 54, head, bold=True, anchor="middle"), room=170)
        scene.say(Label(x, _ROW + 72, detail, size=12, anchor="middle", colour=QUIET), room=170)


def _ways(scene: Scene, words: Words) -> None:
    for tail, head, command, meaning in (
        ("source", "image", "docker build", words("local-build")),
        ("image", "container", "docker run", words("local-run")),
        ("browser", "container", "HTTP", words("local-visit")),
    ):
        start, end = _COLUMNS[tail], _COLUMNS[head]
        step = 42 if end > start else -42
        scene.arrows.append(Arrow(tail, head, ((start + step, _ROW), (end - step, _ROW)), INK))
        middle = {"source": 191, "image": (start + end) / 2, "browser": 737}[tail]
        scene.say(Label(middle, _ROW - 24, meaning, size=12, anchor="middle"))
        scene.say(Label(middle, _ROW - 8, command, size=12, anchor="middle", bold=True))
