"""A graph in the DOT language whose attributes can be read, changed and arranged by Graphviz."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any, Protocol

_STRUCTURE = {"name", "objects", "nodes", "edges", "subgraphs", "tail", "head"}


class Render(Protocol):
    """Graphviz: arranges a source in the DOT language, and returns it in one of its formats."""

    def __call__(self, source: str, form: str, images: Collection[str] = ()) -> bytes: ...


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

    def __init__(self, source: str, render: Render) -> None:
        """Read a source in the DOT language."""
        super().__init__(json.loads(render(source, "dot_json")))
        self._render, self._source = render, source
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
        return self._render(self._source, form, images)

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
