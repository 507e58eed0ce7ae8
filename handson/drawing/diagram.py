"""A learner's own diagram: the one of the `diagrams` package, drawn in this process."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import diagrams

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.course.state import Drawing, DrawnArrow, DrawnBox, DrawnIcon
from handson.drawing.graphviz import draw_graph, find_renderer
from handson.drawing.lettering import clean
from handson.drawing.picture import Picture

FORMATS = ("svg", "png")
_GRAPH = {"pad": "0.25", "nodesep": "0.5", "ranksep": "0.9"}


class Diagram(diagrams.Diagram):  # type: ignore[misc]
    """`diagrams.Diagram` without the `dot` program: draws here and shows itself below the cell.

    Takes what `diagrams.Diagram` takes.  Nothing is drawn when the block raises, and a file is
    written only when `filename` names one.  Afterwards `picture` holds the `Picture`::

        from diagrams import Cluster, Edge
        from diagrams.aws.network import VPC
        from diagrams.onprem.container import Docker
        from handson.drawing import Diagram

        with Diagram("My network") as diagram:
            with Cluster("AWS"):
                vpc = VPC("ecs-handson-vpc")
            Docker("rails-app") >> Edge(label="push") >> vpc

    Args:
        name: The title.
        filename: Where to save it as well, without suffix.
        outformat: "svg" or "png", or a list of both: what `filename` is saved as.
        show: Show it below the cell.
        language: The language of its words, for screen readers; by default that of this process.
        arguments: The rest of `diagrams.Diagram`'s: direction, curvestyle, graph_attr, …

    Raises:
        InvalidInput: `outformat` is neither, or Graphviz refuses an attribute.
        NotReady: Nothing on this machine can draw.
    """

    def __init__(
        self,
        name: str = "",
        filename: str = "",
        *,
        outformat: str | list[str] = "svg",
        show: bool = True,
        language: str = "",
        **arguments: Any,
    ) -> None:
        formats = [outformat] if isinstance(outformat, str) else list(outformat)
        for form in formats:
            if form not in FORMATS:
                raise InvalidInput(*messages.advice("drawing.format", form=form))
        attributes = {**_GRAPH, **(arguments.pop("graph_attr", None) or {})}
        if "curvestyle" not in arguments:
            # Right angles, the default of `diagrams`, leave Graphviz no place for edges' labels.
            attributes.setdefault("splines", "spline")
        super().__init__(name, show=show, graph_attr=attributes, **arguments)
        self.dot.name = "diagram"  # not `name`: Graphviz reads some names as markup
        self._language = language
        self._files = [Path(f"{filename}.{form}") for form in formats] if filename else []
        self.picture: Picture | None = None

    def __exit__(self, *raised: object) -> None:
        # In place of the inherited method, which draws even when the block raised, and then
        # removes a file that was never written.
        diagrams.setdiagram(None)
        diagrams.setcluster(None)
        _finished.clear()
        if raised[0] is None:
            self.render()
            _finished.append(self)

    def render(self) -> None:
        """Draw: sets `picture`, saves it where `filename` says, and shows it."""
        title = clean(self.name)
        drawn = draw_graph(str(self.dot.source), title=title, language=self._language)
        self.picture = Picture(drawn.svg, title, drawn.description)
        for path in self._files:
            self.picture.save(path)
        if self.show:
            _show(self.picture)

    def describe(self) -> Drawing:
        """Return the boxes, icons and arrows, without colours and places."""
        return describe_graph(str(self.dot.source))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.picture._repr_mimebundle_() if self.picture else {"text/plain": self.name}

    def _repr_png_(self) -> None:
        """Answer nothing: the inherited method would call the program."""


def last_diagram() -> Diagram | None:
    """Return the diagram that this process drew last, if its block came to its end."""
    return _finished[-1] if _finished else None


_finished: list[Diagram] = []


def _show(picture: Picture) -> None:
    """Show the picture where a notebook is listening; elsewhere do nothing."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(picture)


_LONGEST = 200
_RESOURCES = "resources/"
_DIRECTIONS = ("forward", "back", "both", "none")


def describe_graph(source: str) -> Drawing:
    """Return what a graph in the DOT language shows; the paths of its icons are left out."""
    graph = json.loads(find_renderer()(source, form="json0"))
    objects = graph.get("objects", [])
    boxes = {each["_gvid"]: each for each in objects if "nodes" in each or _is_empty_box(each)}
    outer = {child: number for number, box in boxes.items() for child in box.get("subgraphs", [])}
    icons = [each for each in objects if each["_gvid"] not in boxes]
    return Drawing(
        boxes=tuple(
            DrawnBox(id=f"b{number}", label=_read_label(box), inside=_name_box(outer.get(number)))
            for number, box in boxes.items()
        ),
        icons=tuple(_describe_icon(icon, boxes, outer) for icon in icons),
        arrows=tuple(map(_describe_arrow, graph.get("edges", []))),
    )


def _is_empty_box(each: dict[str, Any]) -> bool:
    """Tell whether an object without nodes is a box: clusters have names that say so."""
    return str(each.get("name", "")).startswith("cluster_")


def _describe_icon(icon: dict[str, Any], boxes: dict[int, Any], outer: dict[int, int]) -> DrawnIcon:
    """Describe an icon; of the boxes around it, the innermost has no other of them inside."""
    around = [number for number, box in boxes.items() if icon["_gvid"] in box.get("nodes", [])]
    others = {outer.get(number) for number in around}
    innermost = next((number for number in around if number not in others), None)
    return DrawnIcon(
        id=f"i{icon['_gvid']}",
        label=_read_label(icon),
        kind=_name_icon(str(icon.get("image", ""))),
        inside=_name_box(innermost),
    )


def _name_icon(image: str) -> str:
    """Return an icon's name (``aws/compute/fargate``); "custom" for a learner's own picture."""
    path = image.replace("\\", "/").rpartition(_RESOURCES)[2].rpartition(".")[0]
    return path if path.count("/") == 2 and _RESOURCES in image else "custom" if image else ""


def _describe_arrow(edge: dict[str, Any]) -> DrawnArrow:
    way = edge.get("dir", "forward")
    return DrawnArrow(
        tail=f"i{edge['tail']}",
        head=f"i{edge['head']}",
        label=_read_label(edge),
        direction=way if way in _DIRECTIONS else "forward",
    )


def _read_label(each: dict[str, Any]) -> str:
    words = str(each.get("label") or each.get("xlabel") or "")
    return words.replace("\\n", " ").replace("\\N", "")[:_LONGEST]


def _name_box(number: int | None) -> str:
    return "" if number is None else f"b{number}"


class _NoEnd:
    """An attribute that `diagrams` sets on an arrow's ends; a frame (Cluster) refuses it.

    A frame would accept it, and `diagrams` would drop the arrow without a word.
    """

    def __init__(self, held: Any = None) -> None:
        self._held = held

    def __get__(self, frame: Any, owner: Any = None) -> Any:
        if self._held is None:
            raise AttributeError
        return self._held.__get__(frame, owner)

    def __set__(self, frame: Any, value: Any) -> None:
        raise InvalidInput(*messages.advice("notebook.mistakes.arrow"))


def _refuse_arrows_to_frames() -> None:
    for name in ("forward", "reverse", "node"):
        held = vars(diagrams.Cluster).get(name)
        if type(held).__name__ != _NoEnd.__name__:  # this module may be loaded again
            setattr(diagrams.Cluster, name, _NoEnd(held))


_refuse_arrows_to_frames()
