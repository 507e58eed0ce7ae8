"""A graph as pygraphviz offers it, arranged and drawn by Graphviz compiled for browsers."""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

Render = Callable[[str, str, list[dict[str, Any]]], str]
"""Takes a source in the DOT language, a format of Graphviz, and the sizes of images, in points.

It raises ValueError where Graphviz cannot draw the source.
"""

_STRUCTURE = {"name", "objects", "nodes", "edges", "subgraphs", "tail", "head"}


@cache
def _load_viz() -> Any:
    """Return the object of `@viz-js/viz`, which `make site` puts beside this module."""
    import js  # type: ignore[import-not-found]  # Pyodide's view of JavaScript
    from pyodide.code import run_js  # type: ignore[import-not-found]
    from pyodide.ffi import run_sync  # type: ignore[import-not-found]

    run_js(Path(__file__).with_name("viz-global.js").read_text(encoding="utf-8"))
    return run_sync(js.Viz.instance())


def render_in_tab(source: str, form: str, images: list[dict[str, Any]]) -> str:
    """Draw with Graphviz in JavaScript; a `Render`."""
    import js
    from pyodide.ffi import to_js

    options = {"format": form, "engine": "dot", "images": images}
    answer = _load_viz().render(source, to_js(options, dict_converter=js.Object.fromEntries))
    if answer.status != "success":
        raise ValueError(" ".join(str(error.message) for error in answer.errors))
    return str(answer.output)


class Part:
    """A node, an edge, a box or the graph; an attribute that is not set reads as ""."""

    def __init__(self, raw: dict[str, Any]) -> None:
        """Take the attributes from Graphviz's JSON."""
        self.raw = raw
        self.attr: defaultdict[str, str] = defaultdict(str)
        self.graph_attr = self.attr
        self.add_attributes(raw)

    def add_attributes(self, raw: dict[str, Any]) -> None:
        """Take more attributes, such as the places that Graphviz has found."""
        for name, value in raw.items():
            if isinstance(value, str) and name not in _STRUCTURE:
                self.attr[name] = value

    def subgraphs(self) -> list[Part]:
        """Return none: `TabGraph.subgraphs` returns all boxes."""
        return []

    def write(self) -> str:
        """Return the attributes in the DOT language."""
        return "; ".join(f"{name}={_quote(value)}" for name, value in self.attr.items() if value)


class TabGraph(Part):
    """A graph, as far as `graphviz` uses it."""

    def __init__(self, source: str, render: Render) -> None:
        """Read a source in the DOT language.

        Raises:
            ValueError: Graphviz cannot read it.
        """
        super().__init__(json.loads(render(source, "dot_json", [])))
        self._render, self._source = render, source
        self._objects = [Part(raw) for raw in self.raw.get("objects", [])]
        self._edges = [Part(raw) for raw in self.raw.get("edges", [])]
        self._boxes = self.raw.get("_subgraph_cnt", 0)  # they are the first objects

    def nodes(self) -> list[Part]:
        """Return the nodes."""
        return self._objects[self._boxes :]

    def edges(self) -> list[Part]:
        """Return the edges."""
        return self._edges

    def subgraphs(self) -> list[Part]:
        """Return all boxes, inner ones as well."""
        return self._objects[: self._boxes]

    def layout(self, prog: str) -> None:
        """Add the places that Graphviz finds to the attributes."""
        self._source = "\n".join(self._write_lines())
        placed = json.loads(self.draw("json0", prog))
        self.add_attributes(placed)
        for part, raw in zip(self._objects, placed.get("objects", []), strict=True):
            part.add_attributes(raw)
        for part, raw in zip(self._edges, placed.get("edges", []), strict=True):
            part.add_attributes(raw)

    def draw(self, format: str, prog: str) -> bytes:
        """Return the graph in a format of Graphviz, with the attributes as `layout` found them."""
        images = {node.attr["image"] for node in self.nodes()} - {""}
        return self._render(self._source, format, [_measure(path) for path in images]).encode()

    def _write_lines(self) -> Iterator[str]:
        names = [_quote(part.raw["name"]) for part in self._objects]
        inner = {number for box in self.subgraphs() for number in box.raw.get("subgraphs", ())}
        yield f"digraph {_quote(self.raw['name'])} {{"
        for node, name in zip(self.nodes(), names[self._boxes :], strict=True):
            yield f"{name} [{node.write()}]"
        for number in range(self._boxes):
            if number not in inner:
                yield from self._write_box(number, names)
        for edge in self._edges:
            yield f"{names[edge.raw['tail']]} -> {names[edge.raw['head']]} [{edge.write()}]"
        yield f"{self.write()} }}"  # last, because boxes inherit what stands before them

    def _write_box(self, number: int, names: list[str]) -> Iterator[str]:
        box = self._objects[number]
        yield f"subgraph {names[number]} {{ {box.write()}"
        for inner in box.raw.get("subgraphs", ()):
            yield from self._write_box(inner, names)
        yield f"{' '.join(names[node] for node in box.raw.get('nodes', ()))} }}"


def _quote(value: str) -> str:
    """Return a value in the DOT language; one in angle brackets is HTML."""
    if value.startswith("<") and value.endswith(">"):
        return value
    return '"{}"'.format(value.replace('"', '\\"'))


def _measure(path: str) -> dict[str, Any]:
    """Return the size of a PNG file, which its header has."""
    width, height = struct.unpack(">II", Path(path).read_bytes()[16:24])
    return {"name": path, "width": f"{width}pt", "height": f"{height}pt"}
