"""Makes Graphviz's SVG stand alone: icons inside, words that any browser sets, a title for all.

What comes in holds geometry and paths of icon files, no words: those are added here, escaped, so
that no name in AWS can end up as markup.

A picture lies on a light card of its own.  JupyterLab, nbconvert and GitHub show it as an image,
which knows neither JupyterLab's theme nor the colour behind it, and many icons are black.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from html import escape, unescape

from handson.core import messages
from handson.drawing.icons import Symbol, symbol
from handson.drawing.scene import Label

FAMILY = (
    "'Helvetica Neue',Arial,'Hiragino Sans','Hiragino Kaku Gothic ProN','Noto Sans CJK JP',"
    "'Noto Sans JP','Yu Gothic',Meiryo,IPAexGothic,sans-serif"
)

_NOTEBOOK = 760.0
"""Points; what a notebook beside its file browser has room for on a laptop."""

_CARD, _EDGE, _ROUND = "#FBFCFD", "#D5DBE1", 10
_MARGIN = 12.0
_SIZE = re.compile(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"')
_BODY = re.compile(
    r'<g id="graph0"[^>]*?transform="[^"]*?translate\(([^)]*)\)">(.*)</g>\s*</svg>', re.S
)
_NOISE = re.compile(r'<!--.*?-->|<title>.*?</title>| (?:id|class)="[^"]*"|\n', re.S)
_IMAGE = re.compile(
    r'<image xlink:href="([^"]*)" width="([\d.]+)px" height="([\d.]+)px" '
    r'preserveAspectRatio="[^"]*" x="([-\d.]+)" y="([-\d.]+)"/>'
)


@dataclass(frozen=True)
class Page:
    """What is said about a picture as a whole, and the words on it."""

    width: float
    height: float
    title: str
    description: str
    language: str
    labels: Sequence[Label] = ()


def finish(drawn: bytes, page: Page, *, margin: float = _MARGIN) -> str:
    """Return a complete SVG document: Graphviz's drawing and the page's words, on a card.

    Args:
        drawn: Graphviz's SVG, without a background; its upper left corner is the page's.
        page: What is said about the picture, and on it.
        margin: How far the card reaches beyond the page on all four sides, in points.
    """
    place, body, symbols = _taken_apart(drawn)
    words = "".join(map(_label, page.labels))
    content = (
        f'<g transform="translate({place})">{body}</g>\n<g font-family="{FAMILY}">{words}\n</g>'
    )
    return _on_a_card(page, symbols, content, margin=margin)


def adopt(drawn: bytes, *, title: str) -> str:
    """Return Graphviz's own SVG, words and all, with the icons inside and a title."""
    size = _SIZE.search(drawn.decode())
    place, body, symbols = _taken_apart(drawn)
    width, height = (float(number) for number in size.groups()) if size else (800.0, 600.0)
    page = Page(width, height, title, title, messages.language())
    content = f'<g transform="translate({place})">{body}</g>'
    return _on_a_card(page, symbols, content, margin=_MARGIN)


def _on_a_card(page: Page, symbols: list[Symbol], content: str, *, margin: float) -> str:
    page = replace(page, width=page.width + 2 * margin, height=page.height + 2 * margin)
    card = (
        f'<rect x="0.5" y="0.5" width="{page.width - 1:g}" height="{page.height - 1:g}" '
        f'rx="{_ROUND}" fill="{_CARD}" stroke="{_EDGE}"/>'
    )
    moved = f'<g transform="translate({margin:g} {margin:g})">{content}</g>'
    return _document(page, f"{_definitions(symbols)}\n{card}\n{moved}")


def _taken_apart(drawn: bytes) -> tuple[str, str, list[Symbol]]:
    """Return where Graphviz moved its drawing to, the drawing, and the icons it uses."""
    found = _BODY.search(drawn.decode())
    if found is None:
        raise ValueError("Graphviz answered with something that is no drawing")
    body, symbols = _icons_inside(_NOISE.sub("", found[2]))
    return found[1], body, symbols


def _definitions(symbols: list[Symbol]) -> str:
    return f"<defs>{''.join(each.define() for each in symbols)}</defs>"


def _document(page: Page, content: str) -> str:
    title, description = escape(page.title), escape(page.description)
    mark = sha256(f"{page.title}\0{page.description}".encode()).hexdigest()[:8]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{_size(page)}xml:lang="{page.language}" '
        f'lang="{page.language}" role="img" aria-labelledby="title-{mark} desc-{mark}">\n'
        f'<title id="title-{mark}">{title}</title>\n<desc id="desc-{mark}">{description}</desc>\n'
        f"{content}\n</svg>\n"
    )


def _size(page: Page) -> str:
    """Return how much of the page is seen, and no size: a picture fits wherever it is shown.

    JupyterLab shows SVG as an image as wide as it asks for, and cuts what does not fit.  So that a
    small picture is not blown up, what is seen is as wide as a notebook, and empty beside it.
    """
    return f'viewBox="0 0 {max(page.width, _NOTEBOOK):g} {page.height:g}" '


def _icons_inside(body: str) -> tuple[str, list[Symbol]]:
    """Replace references to icon files by uses of symbols; return each symbol once."""
    used: dict[str, Symbol] = {}

    def use(found: re.Match[str]) -> str:
        icon = symbol(unescape(found[1]))
        used[icon.id] = icon
        _, width, height, x, y = found.groups()
        return f'<use xlink:href="#{icon.id}" x="{x}" y="{y}" width="{width}" height="{height}"/>'

    return _IMAGE.sub(use, body), list(used.values())


def _label(label: Label) -> str:
    anchor = "" if label.anchor == "start" else f' text-anchor="{label.anchor}"'
    weight = ' font-weight="700"' if label.bold else ""
    whole = f"<title>{escape(label.whole)}</title>" if label.whole else ""
    return (
        f'\n<text x="{label.x:g}" y="{label.y:g}" font-size="{label.size:g}" fill="{label.colour}"'
        f"{anchor}{weight}>{whole}{escape(label.words)}</text>"
    )
