"""The one door to Graphviz: the libraries in pygraphviz's wheel, else the `dot` program.

Only learners' diagrams and the scripts in ``diagrams/`` come here.  Graphviz arranges and draws
them; their words are measured and written by us, so that the same code looks the same on every
machine.

Graphviz complains on file descriptor 2, past `sys.stderr`, about things a learner cannot change
(fonts, label sizes); Jupyter shows that as an error below the cell.  Its complaints are therefore
held back while it works and reported only when it fails.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any, Protocol
from zlib import crc32

from msgspec import Struct

from handson.core import errors, messages
from handson.drawing.lettering import clean, measure, wrap
from handson.drawing.scene import INK, Label
from handson.drawing.svg import FOLDER, PIXELS, Symbol, define_symbol, load_symbol, write_document

_one_at_a_time = threading.Lock()

_NODE = 124.0
"""How wide a line below an icon may be: the icon and half the space beside it."""
_SMALLER = 2.0
"""How much smaller words below an icon may be, where that keeps them on one line."""


class Renderer(Protocol):
    """Arranges a graph in the DOT language and returns it in a format of Graphviz."""

    def __call__(self, source: str, *, form: str) -> bytes: ...


@cache
def find_renderer() -> Renderer:
    """Return the renderer of this machine.

    Raises:
        NotReady: Neither pygraphviz nor the `dot` program works on this machine.
    """
    return choose_renderer(load=load_pygraphviz, which=shutil.which)


def choose_renderer(*, load: Callable[[], Any], which: Callable[[str], str | None]) -> Renderer:
    """Return the libraries that `load` gives, else the program that `which` finds.

    Raises:
        NotReady: Neither exists.
    """
    try:
        return Libraries(load())
    except ImportError as reason:
        program = which("dot")
        if program:
            return Program(program)
        advice = messages.advice("drawing.no-graphviz", reason=str(reason))
        raise errors.NotReady(*advice) from reason


def load_pygraphviz() -> Any:
    """Return the module `pygraphviz`.

    Raises:
        ImportError: It, or a shared library that it needs, is missing.
    """
    import pygraphviz

    return pygraphviz


class Libraries:
    """Graphviz in this process."""

    def __init__(self, pygraphviz: Any) -> None:
        self.pygraphviz = pygraphviz

    def __call__(self, source: str, *, form: str) -> bytes:
        with self.open_graph(source) as graph:
            picture: bytes = graph.draw(format=form, prog="dot")
        return picture

    @contextmanager
    def open_graph(self, source: str) -> Iterator[Any]:
        """Yield the graph of `source` for reading, arranging and drawing.

        Raises:
            InvalidInput: Graphviz cannot draw it.
        """
        with _one_at_a_time, _capture_complaints() as complaints:
            try:
                with closing(self.pygraphviz.AGraph(string=source)) as graph:
                    yield graph
            except (ValueError, OSError) as reason:
                raise _refuse(complaints(), reason) from reason


class Program:
    """Graphviz as the program `dot`, for machines where its libraries cannot be loaded."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __call__(self, source: str, *, form: str) -> bytes:
        command = [self.path, f"-T{form}"]
        done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
        if done.returncode:
            raise _refuse(done.stderr.decode(errors="replace"), f"exit {done.returncode}")
        return done.stdout


def _refuse(complaints: str, reason: object) -> errors.InvalidInput:
    said = " ".join(complaints.split()) or str(reason)
    return errors.InvalidInput(*messages.advice("drawing.refused", reason=said))


@contextmanager
def _capture_complaints() -> Iterator[Callable[[], str]]:
    """Divert file descriptor 2 into a file; the yielded function returns its beginning."""
    with tempfile.TemporaryFile() as file:

        def read() -> str:
            file.seek(0)
            return file.read(2000).decode(errors="replace")

        visible = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield read
        finally:
            os.dup2(visible, 2)
            os.close(visible)


class Drawn(Struct, frozen=True):
    """Graphviz's drawing as an SVG document of ours, and what it shows in words."""

    svg: str
    description: str


def draw_graph(source: str, *, title: str, language: str = "") -> Drawn:
    """Draw a graph in the DOT language; `language` is that of its words.

    Raises:
        InvalidInput: Graphviz cannot draw it.
        NotReady: Neither pygraphviz nor the `dot` program works on this machine.
    """
    render = find_renderer()
    if isinstance(render, Libraries):
        return _draw_with_own_words(render, source, title, language)
    # The program alone cannot tell where words belong: it writes them itself.
    drawing = render(source, form="svg")
    size = _SIZE.search(drawing.decode())
    width, height = (float(number) for number in size.groups()) if size else (800.0, 600.0)
    page = {"width": width, "height": height, "title": title, "description": title}
    return Drawn(_finish(drawing, [], language=language, **page), title)


def _draw_with_own_words(libraries: Libraries, source: str, title: str, language: str) -> Drawn:
    with libraries.open_graph(source) as graph:
        texts = list(_list_texts(graph))
        description = _describe(graph, title)
        for each in texts:
            each.make_room()
        graph.layout(prog="dot")
        bounds = graph.graph_attr["bb"]
        left, bottom, right, top = map(float, bounds.split(","))
        labels = [label for each in texts for label in each.labels(left=left, top=top)]
        graph.graph_attr["pad"] = "0"
        if not graph.graph_attr.get("bgcolor"):
            graph.graph_attr["bgcolor"] = "transparent"
        # Without something as large as the page, Graphviz would cut the page to what it can see.
        graph.add_subgraph([], name="cluster_page", bb=bounds, style="invis", label="")
        drawing = graph.draw(format="svg", prog="nop2")
    svg = _finish(
        drawing,
        labels,
        width=right - left,
        height=top - bottom,
        title=title,
        description=description,
        language=language,
    )
    return Drawn(svg, description)


_SIZE = re.compile(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"')
_BODY = re.compile(
    r'<g id="graph0"[^>]*?transform="[^"]*?translate\(([^)]*)\)">(.*)</g>\s*</svg>', re.S
)
_NOISE = re.compile(r'<!--.*?-->|<title>.*?</title>| (?:id|class)="[^"]*"|\n', re.S)
_IMAGE = re.compile(
    r'<image xlink:href="([^"]*)" width="([\d.]+)px" height="([\d.]+)px" '
    r'preserveAspectRatio="[^"]*" x="([-\d.]+)" y="([-\d.]+)"/>'
)


def _finish(drawing: bytes, labels: list[Label], **page: Any) -> str:
    """Return a document with Graphviz's drawing, its icons inside, and our words."""
    found = _BODY.search(drawing.decode())
    if found is None:
        raise ValueError("Graphviz's answer is not an SVG drawing")
    symbols: dict[str, Symbol] = {}

    def use_symbol(image: re.Match[str]) -> str:
        path, width, height, x, y = image.groups()
        symbol = _load_icon(unescape(path))
        symbols[symbol.id] = symbol
        return f'<use xlink:href="#{symbol.id}" x="{x}" y="{y}" width="{width}" height="{height}"/>'

    body = _IMAGE.sub(use_symbol, _NOISE.sub("", found[2]))
    words = "".join(label.write() for label in labels)
    content = f'<g transform="translate({found[1]})">{body}</g>{words}'
    return write_document(content, list(symbols.values()), margin=16, **page)


@cache
def _load_icon(path: str) -> Symbol:
    """Return the icon in a PNG file: the shipped one, or the file's own, shrunk by Graphviz."""
    _, folder, file = path.replace("\\", "/").rpartition("resources/")
    if folder and (FOLDER / file).is_file():
        return load_symbol(file.removesuffix(".png"))
    name = re.sub(r"[^a-z0-9]+", "-", Path(path).stem.lower())
    # The checksum is that of the file: shrunk pixels may differ between kinds of processors.
    return define_symbol(f"icon-{name}-{crc32(Path(path).read_bytes()):08x}", shrink(path))


def shrink(path: str) -> bytes:
    """Return the PNG at `path` as a square of `PIXELS`, its transparency kept."""
    side = PIXELS / 72
    quoted = path.replace("\\", "\\\\").replace('"', '\\"')
    return find_renderer()(
        "digraph{graph[pad=0 margin=0 dpi=72 bgcolor=transparent]"
        f'node[shape=none margin=0 label="" fixedsize=true width={side:.6f} height={side:.6f} '
        f'imagescale=true image="{quoted}"] icon}}',
        form="png",
    )


@dataclass
class _Text:
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
        wide = max(measure(line, size=self.size) for line in self.words) + 8
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
                size,
                "middle",
                self.colour,
                bold=self.kind == "graph",
                words=clean(line),
            )

    def _below_icon(self) -> tuple[list[str], float]:
        """Return the lines below an icon and their size."""

        def wrapped(size: float) -> list[str]:
            return [part for line in self.words for part in wrap(line, _NODE, size=size)]

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


def _list_texts(graph: Any) -> Iterator[_Text]:
    yield from _read_text(graph.graph_attr, "graph")
    yield from _list_cluster_texts(graph)
    for node in graph.nodes():
        yield from _read_text(node.attr, "node")
    for edge in graph.edges():
        yield from _read_text(edge.attr, "edge")


def _list_cluster_texts(graph: Any) -> Iterator[_Text]:
    for cluster in graph.subgraphs():
        yield from _read_text(cluster.graph_attr, "cluster")
        yield from _list_cluster_texts(cluster)


def _read_text(attributes: Any, kind: str) -> Iterator[_Text]:
    words = (attributes["label"] or "").replace("\\l", "\\n").replace("\\r", "\\n")
    lines = [line.replace("\\\\", "\\") for line in words.replace("\n", "\\n").split("\\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    if lines:
        size = float(attributes["fontsize"] or 13)
        colour = attributes["fontcolor"] or INK
        yield _Text(attributes, kind, lines, size, escape(colour))


def _describe(graph: Any, name: str) -> str:
    """Say in words which nodes are connected."""

    def name_node(node: Any) -> str:
        return clean((node.attr["label"] or "").replace("\\n", " ")) or "?"

    edges = [
        _name_arrow(name_node(graph.get_node(edge[0])), edge, name_node(graph.get_node(edge[1])))
        for edge in graph.edges()
    ]
    alone = [name_node(node) for node in graph.nodes() if not graph.degree(node)]
    return " / ".join([part for part in [name, *edges, *alone] if part])


_WAYS = {"forward": "{tail} → {head}", "back": "{head} → {tail}", "both": "{tail} ↔ {head}"}


def _name_arrow(tail: str, edge: Any, head: str) -> str:
    """Name an arrow by its ends: `a << b` keeps `a` as its tail, and points backwards."""
    way = edge.attr["dir"] or "forward"
    return _WAYS.get(way, "{tail} — {head}").format(tail=tail, head=head)
