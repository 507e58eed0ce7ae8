"""Tells Graphviz about a scene, in the vocabulary of the `diagrams` package.

Loaded when the first picture is drawn, because it imports `diagrams`.  Everything has its place
already, so Graphviz only has to draw (its layout "nop2").  Where words are left out, it never loads
a font: the result does not depend on this machine's fonts and comes ten times sooner.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any

import diagrams
from graphviz import escape

from handson.drawing.scene import PAPER, Arrow, Box, Icon, Label, Scene

FONTS = (
    "Helvetica Neue,Arial,Hiragino Sans,Noto Sans CJK JP,Noto Sans JP,IPAexGothic,Yu Gothic,"
    "Meiryo,sans-serif"
)


class Canvas(diagrams.Diagram):  # type: ignore[misc]
    """A diagram that writes no file: whoever made it renders its source."""

    def __enter__(self) -> Canvas:
        self._around = diagrams.getdiagram(), diagrams.getcluster()
        diagrams.setcluster(None)
        super().__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        diagrams.setdiagram(self._around[0])
        diagrams.setcluster(self._around[1])


class _Area(diagrams.Cluster):  # type: ignore[misc]
    """A cluster whose name in the graph does not depend on its label."""

    def __init__(self, name: str, **attributes: str) -> None:
        super().__init__("", graph_attr={"label": "", "bgcolor": "none", **attributes})
        self.dot.name = f"cluster_{name}"


def source(scene: Scene, *, words: bool) -> str:
    """Return the scene as a graph with places; without `words` it is geometry, without paper."""
    paper = PAPER if words else "transparent"
    with Canvas("scene", show=False, graph_attr=_page(scene, paper)) as canvas:
        page = Box(0, 0, scene.width, scene.height, stroke=paper, fill=paper)
        for number, box in enumerate([page, *scene.boxes]):
            with _Area(f"box{number}", **_box(scene, box)):
                pass
        nodes = {icon.id: _icon(scene, icon) for icon in scene.icons}
        for spot in scene.spots:
            nodes[spot.id] = diagrams.Node(
                nodeid=spot.id,
                shape="none",
                width="0",
                height="0",
                pos=_point(scene, spot.x, spot.y),
            )
        for arrow in scene.arrows:
            nodes[arrow.tail] >> diagrams.Edge(**_arrow(scene, arrow)) >> nodes[arrow.head]
        for number, box in enumerate(scene.badges):
            _badge(scene, box, nodeid=f"badge{number}")
        if words:
            for number, label in enumerate(scene.labels):
                _words(scene, label, nodeid=f"words{number}")
    return str(canvas.dot.source)


@cache
def icon_class(path: str) -> Any:
    """Return the class of the `diagrams` package that `path` (``aws.network.VPC``) names."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(f"diagrams.{module}"), name)


def _page(scene: Scene, paper: str) -> dict[str, str]:
    return {
        "label": "",
        "pad": "0",
        "margin": "0",
        "bgcolor": paper,
        "splines": "line",
        "bb": f"0,0,{scene.width:g},{scene.height:g}",
    }


def _box(scene: Scene, box: Box) -> dict[str, str]:
    filled = ["filled"] if box.fill != "none" else []
    return {
        "bb": f"{box.x:g},{scene.height - box.bottom:g},{box.right:g},{scene.height - box.y:g}",
        "pencolor": box.stroke,
        "fillcolor": box.fill,
        "penwidth": f"{box.thickness:g}",
        "style": ",".join(filled + (["dashed"] if box.dashed else [])) or "solid",
    }


def _icon(scene: Scene, icon: Icon) -> Any:
    side = f"{icon.size / 72:.5f}"
    return icon_class(icon.icon)(
        nodeid=icon.id, width=side, height=side, pos=_point(scene, icon.x, icon.y)
    )


def _badge(scene: Scene, box: Box, *, nodeid: str) -> None:
    """Add a small box as a node, because Graphviz draws clusters below everything else."""
    diagrams.Node(
        nodeid=nodeid,
        shape="box",
        style="filled",
        color=box.stroke,
        fillcolor=box.fill,
        width=f"{box.width / 72:.4f}",
        height=f"{box.height / 72:.4f}",
        pos=_point(scene, *box.middle),
    )


def _arrow(scene: Scene, arrow: Arrow) -> dict[str, str]:
    points = [_point(scene, x, y) for x, y in _short_of_head(arrow)]
    line = [points[0]]
    for before, after in pairwise(points):
        line += [before, after, after]
    tip = _point(scene, *arrow.points[-1])
    return {
        "pos": f"e,{tip} {' '.join(line)}",
        "color": arrow.colour,
        "style": "dashed" if arrow.dashed else "solid",
        "penwidth": "1.4",
        "arrowsize": "0.8",
    }


def _short_of_head(arrow: Arrow) -> list[tuple[float, float]]:
    """Return the points with the last one moved back by the length of an arrow head."""
    (fromx, fromy), (tox, toy) = arrow.points[-2:]
    length = abs(tox - fromx) + abs(toy - fromy)
    back = 8 / length if length > 8 else 0
    end = (tox - (tox - fromx) * back, toy - (toy - fromy) * back)
    return [*arrow.points[:-1], end]


_ENDINGS = {"start": "\\l", "middle": "\\n", "end": "\\r"}


def _words(scene: Scene, label: Label, *, nodeid: str) -> None:
    """Add a line as a node of its own, which reaches to the edge of the page and not beyond."""
    middle, width = _extent(scene, label)
    diagrams.Node(
        str(escape(label.words.replace("&", "&amp;"))) + _ENDINGS[label.anchor],
        nodeid=nodeid,
        shape="none",
        margin="0",
        width=f"{width / 72:.4f}",
        height=f"{label.size / 72:.4f}",
        labelloc="c",
        pos=_point(scene, middle, label.y - label.size * 0.3),
        fontname=FONTS + (" Bold" if label.bold else ""),
        fontsize=f"{label.size:g}",
        fontcolor=label.colour,
    )


def _extent(scene: Scene, label: Label) -> tuple[float, float]:
    """Return the middle and the width of the room that a line has on its page."""
    if label.anchor == "start":
        return (label.x + scene.width) / 2, scene.width - label.x
    if label.anchor == "end":
        return label.x / 2, label.x
    return label.x, 2 * min(label.x, scene.width - label.x)


def _point(scene: Scene, x: float, y: float) -> str:
    return f"{x:g},{scene.height - y:g}"
