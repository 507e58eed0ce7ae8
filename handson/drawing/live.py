"""A learner's own diagram: the one of the `diagrams` package, drawn in this process.

Graphviz only arranges and draws it; the words are measured by `text` and put in afterwards, as in
our own pictures, so that the same code looks the same on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import diagrams

from handson.core import errors, messages
from handson.core.errors import InvalidInput
from handson.course.state import Drawing
from handson.drawing import dotgraph, reading, svg, text
from handson.drawing.picture import Picture
from handson.drawing.renderer import Libraries, renderer
from handson.drawing.scene import INK, Label

FORMATS = ("svg", "png")
_NODE = 124.0
"""How wide a line below an icon may be: the icon and half the space beside it."""
_SMALLER = 2.0
"""How much smaller words below an icon may be, where that keeps them on one line."""
_GRAPH = {"pad": "0.25", "nodesep": "0.5", "ranksep": "0.9"}


class Diagram(dotgraph.Canvas):
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
        **arguments: Any,
    ) -> None:
        formats = [outformat] if isinstance(outformat, str) else list(outformat)
        for form in formats:
            if form not in FORMATS:
                raise errors.InvalidInput(*messages.advice("drawing.format", form=form))
        attributes = {**_GRAPH, **(arguments.pop("graph_attr", None) or {})}
        if "curvestyle" not in arguments:
            # Right angles, the default of `diagrams`, leave Graphviz no place for edges' labels.
            attributes.setdefault("splines", "spline")
        super().__init__(name, show=show, graph_attr=attributes, **arguments)
        self.dot.name = "diagram"  # not `name`: Graphviz reads some names as markup
        self._files = [Path(f"{filename}.{form}") for form in formats] if filename else []
        self.picture: Picture | None = None

    def __exit__(self, *raised: object) -> None:
        super().__exit__(*raised)
        _finished.clear()
        if raised[0] is None:
            self.render()
            _finished.append(self)

    def render(self) -> None:
        """Draw; afterwards `picture` is there, saved where it was asked for, and shown."""
        self.picture = _picture(self.name, str(self.dot.source))
        for path in self._files:
            self.picture.save(path)
        if self.show:
            _show(self.picture)

    def describe(self) -> Drawing:
        """Return what it shows: boxes, icons and arrows, without colours and places."""
        return reading.describe(str(self.dot.source))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.picture._repr_mimebundle_() if self.picture else {"text/plain": self.name}

    def _repr_png_(self) -> None:
        """Answer nothing: the inherited method would call the program."""


def finished() -> Diagram | None:
    """Return the diagram that this process drew last, if its block came to its end."""
    return _finished[-1] if _finished else None


_finished: list[Diagram] = []


def _show(picture: Picture) -> None:
    """Show the picture where a notebook is listening; elsewhere do nothing."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(picture)


def _picture(name: str, source: str) -> Picture:
    draw, name = renderer(), text.clean(name)
    if isinstance(draw, Libraries):
        document, said = _arranged(draw, name, source)
    else:
        # The program alone cannot tell where words belong: it writes them itself.
        document, said = svg.adopt(draw(source, layout="dot", form="svg"), title=name), name
    return Picture(document, name, said, rasterize=lambda: draw(source, layout="dot", form="png"))


def _arranged(draw: Libraries, name: str, source: str) -> tuple[str, str]:
    """Return the document and its description, words measured and set by us."""
    with draw.graph(source) as graph:
        things = list(_things(graph))
        description = _description(graph, name)
        for thing in things:
            thing.make_room()
        graph.layout(prog="dot")
        bounds = graph.graph_attr["bb"]
        left, bottom, right, top = map(float, bounds.split(","))
        labels = [label for thing in things for label in thing.labels(left=left, top=top)]
        graph.graph_attr["pad"] = "0"
        if not graph.graph_attr.get("bgcolor"):
            graph.graph_attr["bgcolor"] = "transparent"
        # Without something as large as the page, Graphviz would cut the page to what it can see.
        graph.add_subgraph([], name="cluster_page", bb=bounds, style="invis", label="")
        drawn = graph.draw(format="svg", prog="nop2")
    page = svg.Page(
        right - left, top - bottom, name, description, messages.language(), tuple(labels)
    )
    return svg.finish(drawn, page, margin=16), description


@dataclass
class _Thing:
    """Something in the graph that carries words: the graph itself, a cluster, a node, an edge."""

    attributes: Any
    kind: str
    words: list[str]
    size: float
    colour: str

    def make_room(self) -> None:
        """Replace the words by an empty box of their size, for Graphviz to arrange."""
        if self.kind == "node":
            self.attributes["label"] = ""
            self._make_higher()
            return
        wide = max(text.width(line, size=self.size) for line in self.words) + 8
        high = len(self.words) * (self.size + 3) + 4
        self.attributes["label"] = (
            f'<<TABLE BORDER="0" FIXEDSIZE="TRUE" WIDTH="{wide:.0f}" HEIGHT="{high:.0f}">'
            "<TR><TD></TD></TR></TABLE>>"
        )

    def labels(self, *, left: float, top: float) -> Iterator[Label]:
        """Give the words with the places that Graphviz has found for them."""
        place = self.attributes["pos" if self.kind == "node" else "lp"]
        if not place:
            return
        x, y = (float(number) for number in place.rstrip("!").split(",")[:2])
        leading = self.size + 3
        first = top - y - (len(self.words) - 1) * leading / 2 + self.size * 0.35
        lines, size = self.words, self.size
        if self.kind == "node" and self.attributes["image"]:
            # Graphviz has drawn the icon in the middle, as wide as the node.
            first = top - y + float(self.attributes["width"]) * 36 + self.size + 1
            lines, size = self._below_icon()
        for number, line in enumerate(lines):
            yield Label(
                x - left,
                first + number * leading,
                text.clean(line),
                size=size,
                anchor="middle",
                colour=self.colour,
                bold=self.kind == "graph",
            )

    def _below_icon(self) -> tuple[list[str], float]:
        """Return the lines below an icon and their size."""

        def wrapped(size: float) -> list[str]:
            return [part for line in self.words for part in text.wrap(line, _NODE, size=size)]

        smaller = self.size - _SMALLER
        fits = len(wrapped(smaller)) == len(self.words)
        size = smaller if fits and len(wrapped(self.size)) > len(self.words) else self.size
        return wrapped(size), size

    def _make_higher(self) -> None:
        """Make room for lines that were broken; a node of `diagrams` has room for its own only."""
        if not self.attributes["image"]:
            return
        more = len(self._below_icon()[0]) - len(self.words)
        # The icon stays in the middle, so what is added below it is added above it as well.
        higher = float(self.attributes["height"]) + 2 * more * (self.size + 3) / 72
        self.attributes["height"] = f"{higher:.4f}"


def _things(graph: Any) -> Iterator[_Thing]:
    yield from _thing(graph.graph_attr, "graph")
    yield from _clusters(graph)
    for node in graph.nodes():
        yield from _thing(node.attr, "node")
    for edge in graph.edges():
        yield from _thing(edge.attr, "edge")


def _clusters(graph: Any) -> Iterator[_Thing]:
    for cluster in graph.subgraphs():
        yield from _thing(cluster.graph_attr, "cluster")
        yield from _clusters(cluster)


def _thing(attributes: Any, kind: str) -> Iterator[_Thing]:
    words = (attributes["label"] or "").replace("\\l", "\\n").replace("\\r", "\\n")
    lines = [line.replace("\\\\", "\\") for line in words.replace("\n", "\\n").split("\\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    if lines:
        size = float(attributes["fontsize"] or 13)
        colour = attributes["fontcolor"] or INK
        yield _Thing(attributes, kind, lines, size, escape(colour))


def _description(graph: Any, name: str) -> str:
    """Say in words what is connected with what."""

    def said(node: Any) -> str:
        return text.clean((node.attr["label"] or "").replace("\\n", " ")) or "?"

    edges = [
        _led(said(graph.get_node(edge[0])), edge, said(graph.get_node(edge[1])))
        for edge in graph.edges()
    ]
    alone = [said(node) for node in graph.nodes() if not graph.degree(node)]
    return " / ".join([part for part in [name, *edges, *alone] if part])


_WAYS = {"forward": "{tail} → {head}", "back": "{head} → {tail}", "both": "{tail} ↔ {head}"}


def _led(tail: str, edge: Any, head: str) -> str:
    """Say which way an arrow leads: `a << b` keeps `a` as its tail, and points backwards."""
    way = edge.attr["dir"] or "forward"
    return _WAYS.get(way, "{tail} — {head}").format(tail=tail, head=head)


class _NoEnd:
    """An attribute that `diagrams` sets on what an arrow leads to; a frame refuses it.

    A frame (Cluster) would take it, and the arrow would be dropped without a word.
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
