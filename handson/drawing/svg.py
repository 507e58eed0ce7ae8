"""The SVG document of a picture: it stands alone, with its icons inside.

A picture lies on a light card of its own: notebooks, web pages and GitHub show it as an image,
which knows neither JupyterLab's theme nor the colour behind it, and many icons are black.

The icons are those of the `diagrams` package, by their file there.  ``tools/icons.py`` has shrunk
the ones of our own pictures, so that drawing these loads neither `diagrams` nor Graphviz.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path

from msgspec import Struct

from handson.core import messages

FAMILY = (
    "'Helvetica Neue',Arial,'Hiragino Sans','Hiragino Kaku Gothic ProN','Noto Sans CJK JP',"
    "'Noto Sans JP','Yu Gothic',Meiryo,IPAexGothic,sans-serif"
)
FOLDER = Path(__file__).with_name("icon_files")
PIXELS = 96
_CARD, _EDGE, _ROUND = "#FBFCFD", "#D5DBE1", 10


class Symbol(Struct, frozen=True):
    """An icon inside an SVG document: its id, and the definition that ``<use>`` refers to."""

    id: str
    definition: str


@cache
def load_symbol(name: str) -> Symbol:
    """Return a shipped icon by its file without suffix, such as ``aws/network/vpc``."""
    png = (FOLDER / f"{name}.png").read_bytes()
    return define_symbol(f"icon-{name.replace('/', '-')}", png)


def define_symbol(id: str, png: bytes) -> Symbol:
    """Return the icon in a PNG of `PIXELS` by `PIXELS`."""
    uri = f"data:image/png;base64,{b64encode(png).decode()}"
    return Symbol(
        id,
        f'<symbol id="{id}" viewBox="0 0 {PIXELS} {PIXELS}">'
        f'<image width="{PIXELS}" height="{PIXELS}" xlink:href="{uri}"/></symbol>',
    )


def write_document(
    content: str,
    symbols: Iterable[Symbol],
    *,
    width: float,
    height: float,
    title: str,
    description: str,
    language: str = "",
    margin: float = 12.0,
) -> str:
    """Return a document with `content` on a card.

    Args:
        content: Elements in a page of `width` and `height` points.
        symbols: The icons that they use.
        width: The width of the page.
        height: The height of the page.
        title: The picture's name, for people and screen readers.
        description: What can be seen on it, in sentences.
        language: The language of its words, by default that of this process.
        margin: How far the card reaches beyond the page on all four sides.
    """
    width, height = width + 2 * margin, height + 2 * margin
    language = language or messages.language()
    # Two pictures on one page must not share the ids that name them.
    mark = sha256(f"{title}\0{description}".encode()).hexdigest()[:8]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width:g}" viewBox="0 0 {width:g} {height:g}" xml:lang="{language}" '
        f'lang="{language}" role="img" aria-labelledby="title-{mark} desc-{mark}">\n'
        f'<title id="title-{mark}">{escape(title)}</title>\n'
        f'<desc id="desc-{mark}">{escape(description)}</desc>\n'
        f"<defs>{''.join(symbol.definition for symbol in symbols)}</defs>\n"
        f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="{_ROUND}" '
        f'fill="{_CARD}" stroke="{_EDGE}"/>\n'
        f'<g transform="translate({margin:g} {margin:g})" font-family="{FAMILY}">{content}</g>\n'
        "</svg>\n"
    )
