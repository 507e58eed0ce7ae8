"""Notebooks as the structure tests read them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
FOLDER = NOTEBOOKS / "ja"
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Book:
    """A notebook with its name (``01-network``)."""

    name: str
    node: Any

    def cells(self, kind: str) -> list[Any]:
        """Return the cells of a kind ("code", "markdown")."""
        return [cell for cell in self.node.cells if cell.cell_type == kind]

    def prose(self) -> Iterator[tuple[str, str]]:
        """Yield cell id and Markdown without its fenced code."""
        for cell in self.cells("markdown"):
            yield cell.id, FENCE.sub("", cell.source)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield cell id and each line of prose."""
        for cell_id, source in self.prose():
            for line in source.splitlines():
                yield cell_id, line.rstrip()


def read_book(name: str, *, edition: str = "ja") -> Book:
    """Return a committed notebook."""
    path = NOTEBOOKS / edition / f"{name}.ipynb"
    return Book(name, nbformat.reads(path.read_text(encoding="utf-8"), as_version=4))


Rule = Callable[[Book], list[str]]
"""Answers what is wrong with a notebook."""


def broken_rules(rules: Iterable[Rule], book: Book) -> dict[str, list[str]]:
    """Return by rule what is wrong with a notebook."""
    return {rule.__name__: wrong for rule in rules if (wrong := rule(book))}


def strings(value: Any) -> Iterator[str]:
    """Yield every string within plain JSON data, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
