"""The one door to Graphviz, which comes with the wheel of pygraphviz, or compiled for browsers.

Only learners' diagrams and the scripts in ``diagrams/`` come here.  Graphviz arranges and draws
them; their words are measured and written by us, so that the same code looks the same on every
machine.

Graphviz complains on file descriptor 2, past `sys.stderr`, about things a learner cannot change
(fonts, label sizes); Jupyter shows that as an error below the cell.  Its complaints are therefore
held back while it works and reported only when it fails.
"""

from __future__ import annotations

import json
import os
import re
import struct
import tempfile
import threading
from collections.abc import Collection, Iterator
from contextlib import closing
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any
from zlib import crc32

from msgspec.structs import replace

from handson.core import errors
from handson.core.folders import locate
from handson.core.host import IN_TAB
from handson.drawing import svg_document
from handson.drawing.scene import INK, Label
from handson.drawing.svg_document import clean, measure, wrap

# Graphviz's libraries keep global state, and file descriptor 2 belongs to the whole process.
_one_at_a_time = threading.Lock()

_NODE = 124.0
"""How wide a line below an icon may be: the icon and half the space beside it."""
_SMALLER = 2.0
"""How much smaller words below an icon may be, where that keeps them on one line."""
_STRUCTURE = {"name", "objects", "nodes", "edges", "subgraphs", "tail", "head"}


def arrange_graph(source: str, form: str, images: Collection[str] = ()) -> bytes:
    """Return a graph in the DOT language, arranged, in a format of Graphviz.

    Args:
        source: The graph.
        form: The format, such as "svg", "json0", or "dot_json" for the graph as it is.
        images: The paths of the images in it, which must be PNG files in a browser's tab.

    Raises:
        InvalidInput: Graphviz cannot draw it.
        NotReady: pygraphviz cannot be loaded on this machine.
    """
    if IN_TAB:
        return _arrange_in_tab(source, form, images)
    try:
        import pygraphviz
    except ImportError as reason:  # also raised where shared libraries of its wheel are missing
        raise errors.NotReady.from_key("drawing.no-graphviz", reason=str(reason)) from reason
    with _one_at_a_time, tempfile.TemporaryFile() as complaints:
        visible = os.dup(2)
        os.dup2(complaints.fileno(), 2)
        try:
            with closing(pygraphviz.AGraph(string=source)) as graph:
                drawing: bytes = graph.draw(format=form, prog="dot")
                return drawing
        except (ValueError, OSError) as reason:
            complaints.seek(0)
            said = " ".join(complaints.read(2000).decode(errors="replace").split()) or str(reason)
            raise errors.InvalidInput.from_key("drawing.refused", reason=said) from reason
        finally:
            os.dup2(visible, 2)
            os.close(visible)


def _arrange_in_tab(source: str, form: str, images: Collection[str]) -> bytes:
    """Arrange a graph with Graphviz in JavaScript."""
    import js  # type: ignore[import-not-found]  # Pyodide's view of JavaScript
    from pyodide.ffi import to_js  # type: ignore[import-not-found]

    sizes = [_measure_png(path) for path in images]
    options = {"format": form, "engine": "dot", "images": sizes}
    answer = _load_viz().render(source, to_js(options, dict_converter=js.Object.fromEntries))
    if answer.status != "success":
        reason = " ".join(str(error.message) for error in answer.errors)
        raise errors.InvalidInput.from_key("drawing.refused", reason=reason)
    return str(answer.output).encode()


@cache
def _load_viz() -> Any:
    """Return the object of `@viz-js/viz`, which `make site` puts beside this module."""
    import js
    from pyodide.code import run_js  # type: ignore[import-not-found]
    from pyodide.ffi import run_sync

    run_js(Path(__file__).with_name("viz-global.js").read_text(encoding="utf-8"))
    return run_sync(js.Viz.instance())


def _measure_png(path: str) -> dict[str, str]:
    """Return the size of a PNG file, which its header has, in points."""
    width, height = struct.unpack(">II", Path(path).read_bytes()[16:24])
    return {"name": path, "width": f"{width}pt", "height": f"{height}pt"}


class Attributes(dict[str, str]):
    """The attributes of a part by name; one that is not set reads as ""."""

    def __missing__(self, name: str) -> str:
        return ""


class Part:
    """A node, an edge, a box or the graph."""

    def __init__(self, raw: dict[str, Any]) -> None:
        """Take the attributes from Graphviz's JSON."""
        self.raw = raw
        self.attr = Attributes()
        self.add_attributes(raw)

    def add_attributes(self, raw: dict[str, Any]) -> None:
        """Take more attributes, such as the places that Graphviz has found."""
        for name, value in raw.items():
            if isinstance(value, str) and name not in _STRUCTURE:
                self.attr[name] = value

    def write(self) -> str:
        """Return the attributes in the DOT language."""
        return "; ".join(f"{name}={_quote(value)}" for name, value in self.attr.items())


class DotGraph(Part):
    """A graph with its `boxes`, outer ones before inner ones, its `nodes` and its `edges`."""

    def __init__(self, source: str) -> None:
        """Read a source in the DOT language."""
        super().__init__(json.loads(arrange_graph(source, "dot_json")))
        self._source = source
        self._objects = [Part(raw) for raw in self.raw.get("objects", [])]
        count = self.raw.get("_subgraph_cnt", 0)  # they are the first objects
        self.boxes, self.nodes = self._objects[:count], self._objects[count:]
        self.edges = [Part(raw) for raw in self.raw.get("edges", [])]

    def layout(self) -> None:
        """Add the places that Graphviz finds to the attributes."""
        self._source = "\n".join(self._write_lines())
        placed = json.loads(self.draw("json0"))
        found = [placed, *placed.get("objects", []), *placed.get("edges", [])]
        for part, raw in zip([self, *self._objects, *self.edges], found, strict=True):
            part.add_attributes(raw)

    def draw(self, form: str) -> bytes:
        """Return the graph in a format of Graphviz, with the attributes as `layout` found them."""
        images = {node.attr["image"] for node in self.nodes} - {""}
        return arrange_graph(self._source, form, images)

    def _write_lines(self) -> Iterator[str]:
        names = [_quote(part.raw["name"]) for part in self._objects]
        inner = {number for box in self.boxes for number in box.raw.get("subgraphs", ())}
        yield f"digraph {_quote(self.raw['name'])} {{"
        for node, name in zip(self.nodes, names[len(self.boxes) :], strict=True):
            yield f"{name} [{node.write()}]"
        for number in range(len(self.boxes)):
            if number not in inner:
                yield from self._write_box(number, names)
        for edge in self.edges:
            yield f"{names[edge.raw['tail']]} -> {names[edge.raw['head']]} [{edge.write()}]"
        yield f"{self.write()} }}"  # last, because boxes inherit what stands before them

    def _write_box(self, number: int, names: list[str]) -> Iterator[str]:
        box = self.boxes[number]
        yield f"subgraph {names[number]} {{ {box.write()}"
        for inner in box.raw.get("subgraphs", ()):
            yield from self._write_box(inner, names)
        yield f"{' '.join(names[node] for node in box.raw.get('nodes', ()))} }}"


def _quote(value: str) -> str:
    """Return a value in the DOT language; one in angle brackets is HTML."""
    if value.startswith("<") and value.endswith(">"):
        return value
    return '"{}"'.format(value.replace('"', '\\"'))


def draw_graph(source: str, *, title: str, description: str, language: str = "") -> str:
    """Draw a graph in the DOT language as an SVG document of ours.

    Args:
        source: The graph.
        title: The picture's name, for people and screen readers.
        description: What can be seen on it.
        language: The language of its words, by default that of this process.

    Raises:
        InvalidInput: Graphviz cannot draw it.
        NotReady: pygraphviz cannot be loaded on this machine.
    """
    try:
        drawing, words = _draw_with_own_words(DotGraph(source))
    except ValueError as reason:  # such as a size that is no number
        raise errors.InvalidInput.from_key("drawing.refused", reason=str(reason)) from reason
    found = _PAGE.search(drawing)
    if found is None:
        raise ValueError("Graphviz's answer is not an SVG drawing")
    symbols: dict[str, svg_document.Symbol] = {}

    def use_symbol(image: re.Match[str]) -> str:
        path, width, height, x, y = image.groups()
        symbol = _load_icon(unescape(path))
        symbols[symbol.id] = symbol
        return f'<use xlink:href="#{symbol.id}" x="{x}" y="{y}" width="{width}" height="{height}"/>'

    width, height, corner, body = found.groups()
    body = _IMAGE.sub(use_symbol, _NOISE.sub("", body))
    return svg_document.write_document(
        f'<g transform="translate({corner})">{body}</g>{words}',
        symbols.values(),
        width=float(width),
        height=float(height),
        title=title,
        description=description,
        language=language,
        margin=16,
    )


_PAGE = re.compile(
    r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)".*?'
    r'<g id="graph0"[^>]*?transform="[^"]*?translate\(([^)]*)\)">(.*)</g>\s*</svg>',
    re.S,
)
_NOISE = re.compile(r'<!--.*?-->|<title>.*?</title>| (?:id|class)="[^"]*"|\n', re.S)
_IMAGE = re.compile(
    r'<image xlink:href="([^"]*)" width="([\d.]+)px" height="([\d.]+)px" '
    r'preserveAspectRatio="[^"]*" x="([-\d.]+)" y="([-\d.]+)"/>'
)


@cache
def _load_icon(path: str) -> svg_document.Symbol:
    """Return the icon in a PNG file: the shipped one, or the file's own, shrunk by Graphviz."""
    _, folder, file = path.replace("\\", "/").rpartition("resources/")
    if folder and (svg_document.FOLDER / file).is_file():
        return svg_document.load_symbol(file.removesuffix(".png"))
    name = re.sub(r"[^a-z0-9]+", "-", Path(path).stem.lower())
    png = Path(path).read_bytes() if IN_TAB else _shrink_icon(path)
    # The checksum is that of the file: shrunk pixels may differ between kinds of processors.
    return svg_document.define_symbol(f"icon-{name}-{crc32(Path(path).read_bytes()):08x}", png)


def _shrink_icon(path: str) -> bytes:
    side = svg_document.PIXELS / 72
    quoted = path.replace("\\", "\\\\").replace('"', '\\"')
    return arrange_graph(
        "digraph{graph[pad=0 margin=0 dpi=72 bgcolor=transparent]"
        f'node[shape=none margin=0 label="" fixedsize=true width={side:.6f} height={side:.6f} '
        f'imagescale=true image="{quoted}"] icon}}',
        form="png",
    )


def _draw_with_own_words(graph: DotGraph) -> tuple[str, str]:
    """Return the graph as SVG without its words, and the words as elements for its page."""
    for node in graph.nodes:
        if node.attr["image"]:
            node.attr["image"] = str(locate(node.attr["image"]))
    texts = [_Text(graph.attr, "graph"), *(_Text(box.attr, "cluster") for box in graph.boxes)]
    texts += [_Text(node.attr, "node") for node in graph.nodes]
    texts += [_Text(edge.attr, "edge") for edge in graph.edges]
    graph.attr["pad"] = "0"  # the card has a margin
    graph.attr["bgcolor"] = graph.attr["bgcolor"] or "transparent"  # else white paper on the card
    graph.layout()
    left, _, _, top = map(float, graph.attr["bb"].split(","))
    words = "".join(text.write(left=left, top=top) for text in texts)
    return graph.draw("svg").decode(), words


class _Text:
    """The words of a part; Graphviz arranges an empty box in their place."""

    def __init__(self, attributes: Attributes, kind: str) -> None:
        self.attributes = attributes
        self.kind = kind
        words = re.sub(r"\\[lr]|\n", r"\\n", attributes["label"]).rstrip()
        lines = [line.replace("\\\\", "\\") for line in words.split("\\n")]
        while lines and not lines[-1].strip():
            lines.pop()
        self.lines = lines
        self.size = float(attributes["fontsize"] or 13)
        self.leading = self.size + 3
        self.colour = escape(attributes["fontcolor"] or INK)
        self.is_below_icon = kind == "node" and attributes["image"]
        if self.is_below_icon:
            self._break_lines()
        if kind == "node":
            attributes["label"] = ""
        elif lines:
            # Graphviz would measure words by this machine's fonts, and arrange them differently.
            wide = max(measure(line, size=self.size) for line in lines) + 8
            attributes["label"] = (
                f'<<TABLE BORDER="0" FIXEDSIZE="TRUE" WIDTH="{wide:.0f}" '
                f'HEIGHT="{len(lines) * self.leading + 4:.0f}"><TR><TD></TD></TR></TABLE>>'
            )

    def _break_lines(self) -> None:
        """Break lines that are wider than an icon's node, unless smaller words keep them whole.

        The node becomes higher; those of `diagrams` have room for their own lines only.
        """
        own = self.lines
        for size in (self.size, self.size - _SMALLER, self.size):
            self.lines = [part for line in own for part in wrap(line, _NODE, size=size)]
            if len(self.lines) == len(own):
                break
        self.size = size
        # The icon stays in the middle, so what is added below it is added above it as well.
        more = 2 * (len(self.lines) - len(own)) * self.leading / 72
        self.attributes["height"] = f"{float(self.attributes['height']) + more:.4f}"

    def write(self, *, left: float, top: float) -> str:
        """Return the words as elements at the place that Graphviz has found for them."""
        place = self.lines and self.attributes["pos" if self.kind == "node" else "lp"]
        if not place:
            return ""
        x, y = (float(number) for number in place.rstrip("!").split(",")[:2])
        if self.is_below_icon:
            # Graphviz has drawn the icon in the middle, as wide as the node.
            first = float(self.attributes["width"]) * 36 + self.leading - 2
        else:
            first = self.size * 0.35 - (len(self.lines) - 1) * self.leading / 2
        label = Label(x - left, 0, self.size, "middle", self.colour, bold=self.kind == "graph")
        return "".join(
            replace(label, y=top - y + first + number * self.leading, words=clean(line)).write()
            for number, line in enumerate(self.lines)
        )
