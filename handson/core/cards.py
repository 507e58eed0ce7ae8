"""Results as cards: one description, shown as text in a terminal and as HTML in a notebook.

A result class inherits from `Displayable` and implements `card()`.  A card consists of rows,
tables, resource maps, commands and notes.  Only this module escapes what a card shows.  Styles are
inline because JupyterLab removes style sheets from a notebook that is not trusted; they use the
colours of JupyterLab, which fit the light and the dark theme.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Protocol

from msgspec import Struct

from handson.core import messages

MARKS = {"ok": "✔", "bad": "✘", "advice": "ⓘ", "info": "◆", "warn": "⚠"}
"""Characters in every text font; a plain Linux has no font for emoji."""
COLOURS = {
    "ok": "#2f8a36",
    "bad": "#db3d3d",
    "advice": "#927600",
    "info": "#2a78d0",
    "warn": "#b86800",
}
"""Each has the same contrast to JupyterLab's light and dark background."""

# In a notebook that is not trusted, JupyterLab drops CSS variables and `overflow-wrap: anywhere`.
# Hence a fixed colour for borders, and line breaks by <wbr>.
_BORDER = "#80808066"
_LONG = "[!-,.-~]{25,}"
"""A digest or an image URI, which may be broken anywhere."""
_JOINED = "([!-~]{10,})"
_JOINT = (
    '(?<=[^:/0-9]/|::|.[=_@])(?=[0-9A-Za-z])|(?<=[0-9]/|.[.(])(?=[A-Za-z"])|(?<=[a-z])(?=[A-Z])'
    "|(?<=[0-9]T)(?=[0-9])|(?<=sha256:)"
)
"""Where a line may end within a word such as AWS::EC2::Subnet, enableDnsSupport, a time or a
digest, but not within 10.0.0.0/16."""
_PHRASE = (
    "(?<=[ぁ-ん])(?=[ァ-ヶ])|(?<=[はがのをにへとでもた])(?=[一-龠])|(?<=[ァ-ヶー])(?=サブネット"
    "|フォーム|ゲートウェイ|ゾーン|プロバイダー|テーブル|インスタンス|リポジトリ|ルート|エンドポイント)"
)
"""Where a line may end in a table's Japanese: after a particle, and before a noun of AWS."""
_QUIET = "var(--jp-ui-font-color2, #666)"
_LINK = "var(--jp-content-link-color, #1565c0)"
_VALUE = (
    "padding:4px 4px;text-align:left;vertical-align:baseline;overflow-wrap:break-word;"
    f"border-bottom:1px solid {_BORDER}"
)
_CELL = f"{_VALUE};word-break:keep-all"
_HEADER = f"{_CELL};font-weight:600"
_LEAST = ";min-width:8em"
"""Keeps a column of long words that may be broken anywhere from getting too narrow."""
_MARKS_WIDTH = ";width:1px"
"""Makes the column of marks as wide as a mark."""
_SUBJECT = ";width:34%"
"""Has the column after that of the marks, which names the subject of its row."""
_TABLE = "border-collapse:collapse;margin:4px 0"
_NOT_YET = "○"
_CODE = (
    "margin:4px 0;padding:8px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12px;"
    "background:var(--jp-layout-color2, #f4f4f4);text-align:left"
)


class CardPart(Protocol):
    """A piece of a card, as lines of text and as HTML."""

    def text(self) -> list[str]: ...

    def html(self) -> str: ...


class Rows(Struct, frozen=True):
    """Pairs of label and value, one a line."""

    rows: Sequence[tuple[str, str]]

    def text(self) -> list[str]:
        return [f"  {label}: {value}" for label, value in self.rows]

    def html(self) -> str:
        cells = "".join(
            f'<tr><th style="{_HEADER}">{_phrases(label)}</th>'
            f'<td style="{_VALUE}">{_words(value)}</td></tr>'
            for label, value in self.rows
        )
        return f'<table style="{_TABLE}">{cells}</table>'


def list_fields(group: str, values: Mapping[str, Any]) -> Rows:
    """Return a row for each value whose name has a label, in the order of the labels.

    Args:
        group: The key of the labels.
        values: What is described, by name; the labels may use them as well.
    """
    names = [name for name in messages.group(group) if name in values]
    return Rows(
        [(messages.label(group, name, **values), _describe(values[name])) for name in names]
    )


def _describe(value: Any) -> str:
    if isinstance(value, bool):
        return messages.text("core.cards.on" if value else "core.cards.off")
    return ", ".join(map(str, value)) or "-" if isinstance(value, list | tuple) else str(value)


class Table(Struct, frozen=True):
    """A table; a cell that is a key of `MARKS` shows that mark."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    @classmethod
    def labelled(cls, group: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
        """Return a table whose headers are labels of a group; "" is a column without one."""
        return cls([name and messages.label(group, name) for name in columns], rows)

    def text(self) -> list[str]:
        rows = (self.headers, *([MARKS.get(cell, cell) for cell in row] for row in self.rows))
        return [f"  {' | '.join(row)}" for row in rows]

    def html(self) -> str:
        head = _row("th", _HEADER, self.headers)
        body = "".join(_row("td", _CELL, row) for row in self.rows)
        return f'<table style="{_TABLE}"><thead>{head}</thead><tbody>{body}</tbody></table>'


class Tile(Struct, frozen=True):
    """A heading with a mark, lines under it, and the address that it leads to, if any.

    `state` is the key of the mark, or empty for what is not begun.
    """

    state: str
    heading: str
    lines: Sequence[str]
    link: str = ""


class Tiles(Struct, frozen=True):
    """Tiles side by side, as many a line as fit; `width` is the least of each, in pixels."""

    tiles: Sequence[Tile]
    width: int = 120

    def text(self) -> list[str]:
        words = ((MARKS.get(it.state, _NOT_YET), it.heading, it.lines) for it in self.tiles)
        return [f"  {mark} {' · '.join((heading, *lines))}" for mark, heading, lines in words]

    def html(self) -> str:
        tiles = "".join(map(self._tile, self.tiles))
        style = "display:flex;flex-wrap:wrap;gap:6px;margin:6px 0;text-align:left"
        style += ";word-break:auto-phrase"
        return f'<div style="{style}">{tiles}</div>'

    def _tile(self, tile: Tile) -> str:
        colour = COLOURS.get(tile.state, _BORDER)
        tag, to = ("a", f'href="{escape(tile.link)}" ') if tile.link else ("div", "")
        mark = _mark_html(tile.state) if tile.state else _NOT_YET
        first, *others = map(_words, tile.lines)
        lines = "".join(f"<div>{line}</div>" for line in (f"{mark} {first}", *others))
        return (
            f'<{tag} {to}style="flex:1 1 {self.width}px;max-width:{self.width * 3 // 2}px;'
            f"overflow-wrap:anywhere;color:inherit;"
            f"text-decoration:none;font-size:12px;border:1px solid {colour};padding:3px 5px;"
            f'border-top:5px solid {colour};border-radius:4px"><div style="font-weight:600">'
            f"{escape(tile.heading)}</div>{lines}</{tag}>"
        )


class MapNode(Struct, frozen=True):
    """A box of a resource map.

    Attributes:
        label: The name of the resource.
        detail: Smaller text after it.
        children: Boxes within this one.
        links: A word or two on each box of another column that this one is connected to.
    """

    label: str
    detail: str = ""
    children: Sequence[MapNode] = ()
    links: Sequence[str] = ()


class ResourceMap(Struct, frozen=True):
    """Columns of boxes under headings, like the resource map of the VPC console."""

    columns: Sequence[tuple[str, Sequence[MapNode]]]

    def text(self) -> list[str]:
        columns = ((f"  {heading}", *_list_lines(nodes, "    ")) for heading, nodes in self.columns)
        return [line for lines in columns for line in lines]

    def html(self) -> str:
        # Columns wrap in a narrow window.
        columns = "".join(
            '<div style="flex:1 1 150px;min-width:0;text-align:left;overflow-wrap:anywhere">'
            f'<div style="font-weight:600;margin-bottom:4px">{escape(heading)}</div>'
            + "".join(_node_html(node) for node in nodes)
            + "</div>"
            for heading, nodes in self.columns
        )
        return f'<div style="display:flex;flex-wrap:wrap;gap:6px 10px;margin:6px 0">{columns}</div>'


class CommandBlock(Struct, frozen=True):
    """Commands to paste; in HTML a summary hides them unless they are `unfolded`."""

    summary: str
    lines: Sequence[str]
    unfolded: bool = False

    def text(self) -> list[str]:
        return [f"  {self.summary}", *(f"    {line}" for line in "\n".join(self.lines).split("\n"))]

    def html(self) -> str:
        code = escape("\n".join(self.lines))
        return fold(self.summary, f'<pre style="{_CODE}">{code}</pre>', unfolded=self.unfolded)


def fold(summary: str, content: str, *, unfolded: bool = False) -> str:
    """Return HTML with its content hidden below a summary, unless it is `unfolded`."""
    return (
        f'<details{" open" if unfolded else ""} style="margin:6px 0;text-align:left">'
        f'<summary style="cursor:pointer">{escape(summary)}</summary>{content}</details>'
    )


class Note(Struct, frozen=True):
    """A sentence or two, with the key of the mark before it and an address, or without."""

    sentence: str
    state: str = ""
    link: str = ""

    @property
    def _mark(self) -> str:
        return f"{MARKS[self.state]} " if self.state else ""

    def text(self) -> list[str]:
        return [f"  {self._mark}{self.sentence}"]

    def html(self) -> str:
        words = _words(self.sentence)
        if self.link:
            words = f'<a href="{escape(self.link)}">{words}</a>'
        return f'<div style="margin:4px 0">{escape(self._mark)}{words}</div>'


def warning_notes(problem: str, remedy: str) -> tuple[Note, Note]:
    """Return a warning as two notes: the problem and the remedy."""
    return Note(problem, state="warn"), Note(f"→ {remedy}")


class Card(Struct, frozen=True):
    """A box with a title; `state` is a key of `MARKS`."""

    title: str
    parts: Sequence[CardPart] = ()
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


class Displayable:
    """The base of results that show themselves as a card in a notebook and in a terminal."""

    def card(self) -> Card:
        """Return the card of this result in the current language."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.card().text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return bundle_cards(self.card())


def bundle_cards(*cards: Card) -> dict[str, str]:
    """Return cards as the data of one notebook output: text and HTML."""
    html = "".join(card.html() for card in cards)
    return {"text/plain": "\n".join(card.text() for card in cards), "text/html": html}


def _row(tag: str, style: str, cells: Sequence[str]) -> str:
    """Return a row of a table, in which lines end between words."""
    row = ""
    for at, cell in enumerate(cells):
        html = _mark_html(cell)
        width = _LEAST if "break-all" in html else ""
        if tag == "th" and not cells[0]:
            width = (_MARKS_WIDTH, _SUBJECT, width)[min(at, 2)]
        row += f'<{tag} style="{style}{width}">{html}</{tag}>'
    return f"<tr>{row}</tr>"


def _phrases(text: str) -> str:
    """Return words as HTML whose lines end between Japanese phrases, too."""
    return "<wbr>".join(map(_words, re.split(_PHRASE, text)))


def _words(text: str) -> str:
    """Return words as HTML in which long words may be broken at the end of a line."""
    others_and_words = enumerate(re.split(_JOINED, text))
    return "".join(_breakable(piece) if at % 2 else escape(piece) for at, piece in others_and_words)


def _breakable(word: str) -> str:
    return "<wbr>".join(
        f'<span style="word-break:break-all">{escape(piece)}</span>'
        if re.search(_LONG, piece)
        else escape(piece)
        for piece in re.split(_JOINT, word)
    )


def _mark_html(cell: str) -> str:
    if cell not in MARKS:
        return _phrases(cell)
    return f'<span style="color:{COLOURS[cell]};font-weight:700">{MARKS[cell]}</span>'


def _list_lines(nodes: Sequence[MapNode], indent: str) -> Iterator[str]:
    for node in nodes:
        yield f"{indent}- {node.label}{f'  {node.detail}' if node.detail else ''}"
        yield from (f"{indent}  {link}" for link in node.links)
        yield from _list_lines(node.children, f"{indent}  ")


def _node_html(node: MapNode) -> str:
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
