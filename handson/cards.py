"""How results look in a notebook: one description, shown as text and as HTML.

A result class mixes in `Shown` and answers `card()`; the card is made of rows, tables, trees,
commands and notes.  Everything is escaped here and nowhere else.  Styles are inline, because
JupyterLab removes style sheets from a notebook that is not trusted yet, and take JupyterLab's own
colours so that they fit the light and the dark theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Protocol

MARKS = {"ok": "✔", "bad": "✘", "advice": "ⓘ", "info": "◆", "warn": "⚠"}
"""Signs that every text font has; colour pictographs are missing from a plain Linux."""
COLOURS = {
    "ok": "#2e7d32",
    "bad": "#c62828",
    "advice": "#8a6d00",
    "info": "#1565c0",
    "warn": "#b25f00",
}

_BORDER = "var(--jp-border-color2, #d0d0d0)"
_QUIET = "var(--jp-ui-font-color2, #666)"
_CELL = f"padding:4px 10px;text-align:left;vertical-align:top;border-bottom:1px solid {_BORDER}"
_CODE = (
    "margin:4px 0;padding:8px;overflow-x:auto;white-space:pre;font-size:12px;"
    "background:var(--jp-layout-color2, #f4f4f4);text-align:left"
)


class Part(Protocol):
    """A piece of a card: it can say itself as lines of text and as HTML."""

    def text(self) -> list[str]: ...

    def html(self) -> str: ...


@dataclass(frozen=True)
class Rows:
    """Labels with values, one a line."""

    rows: Sequence[tuple[str, str]]

    def text(self) -> list[str]:
        return [f"  {label}: {value}" for label, value in self.rows]

    def html(self) -> str:
        cells = "".join(
            f'<tr><th style="{_CELL};font-weight:600;white-space:nowrap">{escape(label)}</th>'
            f'<td style="{_CELL}">{escape(value)}</td></tr>'
            for label, value in self.rows
        )
        return f'<table style="border-collapse:collapse;margin:4px 0">{cells}</table>'


@dataclass(frozen=True)
class Table:
    """A table. A cell that is a key of `MARKS` is shown as that mark."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> list[str]:
        lines = [" | ".join(self.headers), *(" | ".join(map(_mark, row)) for row in self.rows)]
        return [f"  {line}" for line in lines]

    def html(self) -> str:
        head = "".join(
            f'<th style="{_CELL};font-weight:600">{escape(header)}</th>' for header in self.headers
        )
        body = "".join(
            "<tr>"
            + "".join(f'<td style="{_CELL}">{_mark_html(cell)}</td>' for cell in row)
            + "</tr>"
            for row in self.rows
        )
        return (
            '<table style="border-collapse:collapse;margin:4px 0">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


@dataclass(frozen=True)
class Node:
    """A node of a resource map: a name, something quieter behind it, and what hangs below."""

    label: str
    detail: str = ""
    children: Sequence[Node] = ()


@dataclass(frozen=True)
class ResourceMap:
    """Columns of boxes as the VPC console's resource map has them, each with a heading."""

    columns: Sequence[tuple[str, Sequence[Node]]]

    def text(self) -> list[str]:
        lines: list[str] = []
        for heading, nodes in self.columns:
            lines.append(f"  {heading}")
            for node in nodes:
                lines.extend(_node_text(node, depth=2))
        return lines

    def html(self) -> str:
        columns = "".join(
            f'<td style="vertical-align:top;padding:0 10px 6px 0;text-align:left">'
            f'<div style="font-weight:600;margin-bottom:4px">{escape(heading)}</div>'
            + "".join(_node_html(node) for node in nodes)
            + "</td>"
            for heading, nodes in self.columns
        )
        return f'<table style="border-collapse:collapse;margin:6px 0"><tr>{columns}</tr></table>'


@dataclass(frozen=True)
class Commands:
    """Commands to paste, folded away under a summary in HTML."""

    summary: str
    lines: Sequence[str]

    def text(self) -> list[str]:
        return [f"  {self.summary}", *(f"    {line}" for line in "\n".join(self.lines).split("\n"))]

    def html(self) -> str:
        code = escape("\n".join(self.lines))
        return (
            f'<details style="margin:6px 0;text-align:left"><summary style="cursor:pointer">'
            f'{escape(self.summary)}</summary><pre style="{_CODE}">{code}</pre></details>'
        )


@dataclass(frozen=True)
class Note:
    """A sentence or two under the rest, with a mark of its own when `state` names one."""

    sentence: str
    state: str = ""

    def text(self) -> list[str]:
        mark = f"{MARKS[self.state]} " if self.state else ""
        return [f"  {mark}{self.sentence}"]

    def html(self) -> str:
        mark = f"{MARKS[self.state]} " if self.state else ""
        return f'<div style="margin:4px 0">{escape(mark + self.sentence)}</div>'


@dataclass(frozen=True)
class Card:
    """A titled box; `state` is a key of `MARKS`."""

    title: str
    parts: Sequence[Part] = field(default_factory=tuple)
    state: str = "info"

    def text(self) -> str:
        lines = [f"{MARKS[self.state]} {self.title}"]
        for part in self.parts:
            lines.extend(part.text())
        return "\n".join(lines)

    def html(self) -> str:
        body = "".join(part.html() for part in self.parts)
        return (
            f'<div style="border:1px solid {_BORDER};border-left:4px solid {COLOURS[self.state]};'
            'border-radius:4px;padding:8px 12px;margin:4px 0;max-width:960px">'
            f'<div style="font-weight:600;font-size:15px;margin-bottom:4px">'
            f"{_mark_html(self.state)} {escape(self.title)}</div>{body}</div>"
        )


class Shown:
    """Mix-in: whatever can answer `card()` shows itself in a notebook and in a terminal."""

    def card(self) -> Card:
        """Return the card that shows this result in the current language."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.card().text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        card = self.card()
        return {"text/plain": card.text(), "text/html": card.html()}


def _mark(cell: str) -> str:
    return MARKS.get(cell, cell)


def _mark_html(cell: str) -> str:
    if cell not in MARKS:
        return escape(cell)
    return f'<span style="color:{COLOURS[cell]};font-weight:700">{MARKS[cell]}</span>'


def _node_text(node: Node, *, depth: int) -> list[str]:
    detail = f"  {node.detail}" if node.detail else ""
    lines = [f"{'  ' * depth}- {node.label}{detail}"]
    for child in node.children:
        lines.extend(_node_text(child, depth=depth + 1))
    return lines


def _node_html(node: Node) -> str:
    children = "".join(_node_html(child) for child in node.children)
    return (
        f'<div style="border:1px solid {_BORDER};border-radius:4px;padding:4px 8px;'
        'margin:0 0 4px 0">'
        f'<div>{escape(node.label)}</div><div style="color:{_QUIET};font-size:12px">'
        f"{escape(node.detail)}</div>{children}</div>"
    )
