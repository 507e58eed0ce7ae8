"""A learner's own diagram: a subclass of `diagrams.Diagram` that draws in this process."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, ClassVar

import diagrams

from handson.core.errors import InvalidInput
from handson.core.progress import is_notebook, show_card
from handson.core.text import check_choice
from handson.course.state import Drawing, DrawnArrow, DrawnBox, DrawnIcon
from handson.drawing.graphviz import DotGraph, Part, draw_graph
from handson.drawing.svg_document import Picture, clean

FORMATS = ("svg", "png")
_SIGNATURE = inspect.signature(diagrams.Diagram)
_GRAPH = {"pad": "0.25", "nodesep": "0.5", "ranksep": "0.9", "labelloc": "t", "labeljust": "l"}
"""Attributes of a graph; its title stands where that of the other pictures does."""


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

    latest: ClassVar[Diagram | None] = None
    """The diagram that this process drew last, if its block came to its end."""

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
            check_choice("drawing.format", form, FORMATS)
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
        Diagram.latest = None
        if raised[0] is None:
            self.render()
            Diagram.latest = self

    def render(self) -> None:
        """Draw: sets `picture`, saves it where `filename` says, and shows it."""
        title = clean(self.name)
        description = _say_in_words(title, self.describe())
        words = {"title": title, "description": description, "language": self._language}
        self.picture = Picture(draw_graph(str(self.dot.source), **words), title, description)
        for path in self._files:
            self.picture.save(path)
        if self.show and is_notebook():
            show_card(self.picture)

    def describe(self) -> Drawing:
        """Return the boxes, icons and arrows, without colours and places."""
        return describe_graph(str(self.dot.source))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.picture._repr_mimebundle_() if self.picture else {"text/plain": self.name}

    def _repr_png_(self) -> None:
        """Answer nothing: the inherited method would call the program."""


class CellDiagram(Diagram):
    """What `diagrams.Diagram` is in the workshop's notebooks: takes the same, and always shows it.

    Examples are written for scripts, where `show` opens a window.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        given = {"outformat": "png", **_SIGNATURE.bind(*arguments, **keywords).arguments}
        if not given.get("filename"):
            given["outformat"] = "svg"  # nothing is written, so any format will do
        super().__init__(**{**given, "show": True})


def replace_original() -> None:
    """Let `from diagrams import Diagram` import `CellDiagram` in this process from now on."""
    diagrams.Diagram = CellDiagram


_LONGEST = 200
_RESOURCES = "resources/"
_WAYS = {"forward": "{0} → {1}", "back": "{1} → {0}", "both": "{0} ↔ {1}"}
"""How an arrow from its tail (0) to its head (1) reads."""


def describe_graph(source: str) -> Drawing:
    """Return what a graph in the DOT language shows; the paths of its icons are left out."""
    graph = DotGraph(source)
    boxes = {n: it for n, it in enumerate(graph.boxes) if it.raw["name"].startswith("cluster")}
    # Graphviz lists an icon in every box around it, and outer boxes first: the last is innermost.
    inside = {
        inner: f"b{number}"
        for number, box in boxes.items()
        for inner in (*box.raw.get("nodes", []), *box.raw.get("subgraphs", []))
    }
    return Drawing(
        boxes=tuple(
            DrawnBox(id=f"b{number}", label=_read_label(box), inside=inside.get(number, ""))
            for number, box in boxes.items()
        ),
        icons=tuple(
            DrawnIcon(
                id=f"i{number}",
                label=_read_label(icon),
                kind=_name_icon(icon.attr["image"]),
                inside=inside.get(number, ""),
            )
            for number, icon in enumerate(graph.nodes, start=len(graph.boxes))
        ),
        arrows=tuple(
            DrawnArrow(
                tail=f"i{edge.raw['tail']}",
                head=f"i{edge.raw['head']}",
                label=_read_label(edge),
                direction=edge.attr["dir"] or "forward",
            )
            for edge in graph.edges
        ),
    )


def _name_icon(image: str) -> str:
    """Return an icon's name (``aws/compute/fargate``); "custom" for a learner's own picture."""
    path = image.replace("\\", "/").rpartition(_RESOURCES)[2].rpartition(".")[0]
    return path if path.count("/") == 2 and _RESOURCES in image else "custom" if image else ""


def _read_label(part: Part) -> str:
    words = part.attr["label"] or part.attr["xlabel"]
    return words.replace("\\n", " ").replace("\\N", "")[:_LONGEST]


def _say_in_words(title: str, drawing: Drawing) -> str:
    """Return the title, what leads where, and the icons without arrows.

    `a << b` keeps `a` as its tail, and points backwards.
    """
    names = {icon.id: clean(icon.label) or "?" for icon in drawing.icons}
    ends = {end for arrow in drawing.arrows for end in (arrow.tail, arrow.head)}
    arrows = [
        _WAYS.get(each.direction, "{0} — {1}").format(names[each.tail], names[each.head])
        for each in drawing.arrows
    ]
    alone = [name for icon, name in names.items() if icon not in ends]
    return " / ".join(filter(None, [title, *arrows, *alone]))


def _refuse_arrow(frame: Any, name: str, value: Any) -> None:
    """Set an attribute of a frame (Cluster), unless `diagrams` takes the frame for an arrow's end.

    `diagrams` would drop the arrow without a word.
    """
    if name in ("forward", "reverse", "node"):
        raise InvalidInput.from_key("notebook.mistakes.arrow")
    object.__setattr__(frame, name, value)


diagrams.Cluster.__setattr__ = _refuse_arrow
