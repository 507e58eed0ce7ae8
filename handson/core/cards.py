"""How results look in a notebook: one description, shown as text and as HTML.

A result class mixes in `Shown` and answers `card()`; the card is made of rows, tables, trees,
commands and notes.  Everything is escaped here and nowhere else.  Styles are inline, because
JupyterLab removes style sheets from a notebook that is not trusted yet, and take JupyterLab's own
colours so that they fit the light and the dark theme.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import zip_longest
from typing import Any, Protocol
from unicodedata import east_asian_width

MARKS = {"ok": "✔", "bad": "✘", "advice": "ⓘ", "info": "◆", "warn": "⚠"}
"""Signs that every text font has; colour pictographs are missing from a plain Linux."""
COLOURS = {
    "ok": "#2f8a36",
    "bad": "#db3d3d",
    "advice": "#927600",
    "info": "#2a78d0",
    "warn": "#b86800",
}
"""As easy to tell from JupyterLab's dark paper as from its light one."""

# JupyterLab drops, from a notebook that was not run yet, variables and most ways to break lines.
_BORDER = "#80808066"
_LONG = re.compile("[!-,.-~]{25,}")
"""A digest or an image URI, which is broken wherever a line ends."""
_JOINED = re.compile("[!-~]{10,}")
_JOINT = re.compile("(?<=[^:/]/|::|.[=_@])(?=[0-9A-Za-z])|(?<=[a-z])(?=[A-Z])")
"""Where a word such as AWS::EC2::Subnet or enableDnsSupport may go on in the next line."""
_QUIET = "var(--jp-ui-font-color2, #666)"
_LINK = "var(--jp-content-link-color, #1565c0)"
_CELL = (
    "padding:4px 8px;text-align:left;vertical-align:baseline;overflow-wrap:anywhere;"
    f"border-bottom:1px solid {_BORDER}"
)
_HEADER = "overflow-wrap:break-word;font-weight:600"
"""A column is at least as wide as the longest word of its header."""
_TABLE = "border-collapse:collapse;margin:4px 0"
_LABEL_EMS = 12
_COLUMN_EMS = 5
"""How narrow a column may become in a narrow window, in widths of a Japanese letter."""
_FIRST_EMS = 8
"""The same of the column beside a column of marks, which says what its row is about."""
_CODE = (
    "margin:4px 0;padding:8px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12px;"
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
        labels = _column([label for label, _ in self.rows], most=_LABEL_EMS)
        values = _column([value for _, value in self.rows], most=_COLUMN_EMS)
        cells = "".join(
            f'<tr><th style="{labels};font-weight:600">{escape(label)}</th>'
            f'<td style="{values}">{_words(value)}</td></tr>'
            for label, value in self.rows
        )
        return f'<table style="{_TABLE}">{cells}</table>'


@dataclass(frozen=True)
class Table:
    """A table. A cell that is a key of `MARKS` is shown as that mark."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> list[str]:
        lines = [" | ".join(self.headers), *(" | ".join(map(_mark, row)) for row in self.rows)]
        return [f"  {line}" for line in lines]

    def html(self) -> str:
        columns = zip_longest(self.headers, *self.rows, fillvalue="")
        styles = [
            _column(column, most=_FIRST_EMS if place == 1 and before == "" else _COLUMN_EMS)
            for place, (before, column) in enumerate(
                zip(("-", *self.headers), columns, strict=False)
            )
        ]
        head = "".join(
            f'<th style="{style};{_HEADER}">{escape(header)}</th>'
            for style, header in zip(styles, self.headers, strict=False)
        )
        body = "".join(
            "<tr>"
            + "".join(
                f'<td style="{style}">{_mark_html(cell)}</td>'
                for style, cell in zip(styles, row, strict=False)
            )
            + "</tr>"
            for row in self.rows
        )
        return (
            f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        )


@dataclass(frozen=True)
class Node:
    """A node of a resource map: a name, something quieter behind it, and what hangs below.

    `links` are sentences of a word or two on what the node is joined to in another column.
    """

    label: str
    detail: str = ""
    children: Sequence[Node] = ()
    links: Sequence[str] = ()


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
        # Side by side where there is room, below each other where there is none.
        columns = "".join(
            '<div style="flex:1 1 150px;min-width:0;text-align:left;overflow-wrap:anywhere">'
            f'<div style="font-weight:600;margin-bottom:4px">{escape(heading)}</div>'
            + "".join(_node_html(node) for node in nodes)
            + "</div>"
            for heading, nodes in self.columns
        )
        return f'<div style="display:flex;flex-wrap:wrap;gap:6px 10px;margin:6px 0">{columns}</div>'


@dataclass(frozen=True)
class Commands:
    """Commands to paste, folded away under a summary in HTML unless they are `unfolded`."""

    summary: str
    lines: Sequence[str]
    unfolded: bool = False

    def text(self) -> list[str]:
        return [f"  {self.summary}", *(f"    {line}" for line in "\n".join(self.lines).split("\n"))]

    def html(self) -> str:
        code = escape("\n".join(self.lines))
        return (
            f"<details{' open' if self.unfolded else ''}"
            ' style="margin:6px 0;text-align:left"><summary style="cursor:pointer">'
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
        return f'<div style="margin:4px 0">{escape(mark)}{_words(self.sentence)}</div>'


def warning(problem: str, remedy: str) -> tuple[Note, Note]:
    """Return what is wrong and what to do about it, a line each."""
    return Note(problem, state="warn"), Note(f"→ {remedy}")


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
            f"{_mark_html(self.state)} {_words(self.title)}</div>{body}</div>"
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


def _column(cells: Sequence[str], *, most: int) -> str:
    """Return the style of a column's cells: never broken into single letters, nor too wide."""
    ems = min(most, max(map(_ems, cells), default=0))
    return f"{_CELL};min-width:{ems:.4g}em"


def _words(text: str) -> str:
    """Return words as HTML that fit into a narrow place."""
    pieces, end = [], 0
    for word in _JOINED.finditer(text):
        pieces += [escape(text[end : word.start()]), _breakable(word[0])]
        end = word.end()
    return "".join([*pieces, escape(text[end:])])


def _breakable(word: str) -> str:
    return "<wbr>".join(map(_piece, _JOINT.split(word)))


def _piece(piece: str) -> str:
    if not _LONG.search(piece):
        return escape(piece)
    return f'<span style="word-break:break-all">{escape(piece)}</span>'


def _ems(words: str) -> float:
    """Return how wide words may be in bold; a mark is one letter, whatever it is called."""
    return sum(map(_em, _mark(words)))


def _em(letter: str) -> float:
    if east_asian_width(letter) in "WF":
        return 1
    return 0.8 if letter.isupper() else 0.7


def _mark(cell: str) -> str:
    return MARKS.get(cell, cell)


def _mark_html(cell: str) -> str:
    if cell not in MARKS:
        return _words(cell)
    return f'<span style="color:{COLOURS[cell]};font-weight:700">{MARKS[cell]}</span>'


def _node_text(node: Node, *, depth: int) -> list[str]:
    detail = f"  {node.detail}" if node.detail else ""
    lines = [f"{'  ' * depth}- {node.label}{detail}"]
    lines.extend(f"{'  ' * depth}  {link}" for link in node.links)
    for child in node.children:
        lines.extend(_node_text(child, depth=depth + 1))
    return lines


def _node_html(node: Node) -> str:
    children = "".join(_node_html(child) for child in node.children)
    links = "".join(
        f'<div style="color:{_LINK};font-size:12px">{escape(link)}</div>' for link in node.links
    )
    return (
        f'<div style="border:1px solid {_BORDER};border-radius:4px;padding:4px 8px;'
        'margin:0 0 4px 0">'
        f'<div>{escape(node.label)}</div><div style="color:{_QUIET};font-size:12px">'
        f"{escape(node.detail)}</div>{links}{children}</div>"
    )
