"""A finished picture: an SVG document that stands alone, and saves itself as SVG or PNG; its words.

A picture lies on a light card of its own: notebooks, web pages and GitHub show it as an image,
which knows neither JupyterLab's theme nor the colour behind it, and many icons are black.

The icons are those of the `diagrams` package, by their file there.  ``tools/icons.py`` has shrunk
the ones of our own pictures, so that drawing these loads neither `diagrams` nor Graphviz.

The widths of words are estimated, because a picture must be the same on every machine: a full-width
character is one em, Latin ones have the proportions of a common sans-serif.  Nothing needs to be
exact; labels have room to spare and are anchored where they must not move.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from msgspec import Struct

from handson.core import errors, messages
from handson.core.files import replace_file
from handson.core.folders import locate

SUFFIXES = (".svg", ".png")
EMBEDDED = "data:image/svg+xml,"
"""The beginning of a data URI that contains an SVG document."""

_SWAPPED = str.maketrans("\"'", "'\"")
_ENCODED = str.maketrans({sign: quote(sign) for sign in "%#&\n"} | {'"': "'", "'": quote('"')})
"""What an address in an attribute cannot hold.  The rest stays readable, and a third smaller than
base64; a replay of the notebooks compares it as text.  Quotation marks change places, because the
document has a thousand of one kind and a dozen of the other."""

_SCROLLED = "overflow-x:auto"
_FITTED = "display:inline-block;vertical-align:top"
_ENLARGED = 1.5
"""How many pixels a point is wide in a picture that was opened by a click."""

FAMILY = (
    "'Helvetica Neue',Arial,'Hiragino Sans','Hiragino Kaku Gothic ProN','Noto Sans CJK JP',"
    "'Noto Sans JP','Yu Gothic',Meiryo,IPAexGothic,sans-serif"
)
FOLDER = Path(__file__).with_name("icon_files")
PIXELS = 96
_CARD, _EDGE, _ROUND = "#FBFCFD", "#D5DBE1", 10

_BREAKS = frozenset("-_/. :")
# Line-start prohibition, as in "Requirements for Japanese Text Layout" (W3C JLREQ), 3.1.7.
_NEVER_FIRST = frozenset("、。，．・:;!?)]}」』)ーァィゥェォッャュョ…")

_remember = lru_cache(maxsize=4096)
"""Pictures of one target write the same words again and again; measuring them takes longest."""


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


@dataclass(frozen=True, repr=False)
class Picture:
    """A picture as an SVG document that stands alone.

    Args:
        svg: The whole document, icons inside.
        title: Its name, for people and screen readers.
        description: What can be seen on it, in sentences: the picture's alternative text.
        write_in_english: Returns the same document in English, for a Japanese picture.
        parts: The pictures that this one joins; a page shows them side by side where it has room.
    """

    svg: str
    title: str
    description: str
    write_in_english: Callable[[], str] | None = field(default=None, compare=False)
    parts: tuple[Picture, ...] = ()

    def png(self) -> bytes:
        """Return the picture as PNG, at two pixels a point.

        PNG needs this machine's fonts.  Without one for Japanese, the picture is drawn in English
        instead and says so at its lower edge; the SVG is Japanese everywhere.
        """
        if self.write_in_english is None or has_japanese_font():
            return _rasterize(self.svg)
        return _rasterize(self.write_in_english())

    def html(self) -> str:
        """Return the picture as an image with alternative text, for any page; a click enlarges it.

        JupyterLab removes inline SVG, scripts and style sheets from a notebook that is not trusted,
        and makes an image without alternative text of an SVG output; an image with a data URI
        passes everywhere.  The image is the summary of a `<details>` as wide as what it holds: the
        image shrinks with the page, until a click opens the details, which hold a wide empty line.
        """
        images = (each._write_image() for each in self.parts or (self,))
        return f'<div style="{_SCROLLED}">{"".join(images)}</div>'

    def _write_image(self) -> str:
        said = escape(f"{self.title}: {self.description}")
        data = self.svg.translate(_ENCODED)
        width = re.search(r'<svg [^>]*?width="([\d.]+)"', self.svg)
        enlarged = _ENLARGED * float(width[1] if width else 0)
        return (
            f'<details style="{_FITTED}"><summary style="display:block;cursor:pointer">'
            f'<img alt="{said}" title="{escape(messages.text("drawing.enlarge"))}" '
            f'src="{EMBEDDED}{data}" style="width:100%"></summary>'
            f'<div style="width:{enlarged:g}px"></div></details>'
        )

    def save(self, path: str | Path) -> Path:
        """Write the picture, as SVG or PNG by the suffix of `path`, whole or not at all.

        Raises:
            InvalidInput: The suffix is neither, or the file cannot be written.
        """
        path = locate(path)
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise errors.InvalidInput.from_key("drawing.suffix", path=path)
        data = self.svg.encode() if suffix == ".svg" else self.png()
        with errors.InvalidInput.replace_os_errors("drawing.not-written", path=path):
            replace_file(path, [data])
        return path

    def __repr__(self) -> str:
        return f"{self.title}\n{self.description}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": repr(self)}


def find_svg(html: str) -> str:
    """Return the first SVG document that an image in a page holds, or "" where none does."""
    found = re.search(rf'src="{re.escape(EMBEDDED)}([^"]*)"', html)
    svg = unquote(found[1]) if found else ""
    # Pages of earlier versions keep quotation marks as they are.
    return svg.translate(_SWAPPED) if svg.startswith("<svg xmlns='") else svg


@cache
def has_japanese_font() -> bool:
    """Tell whether a PNG that is drawn on this machine can hold Japanese."""

    def write(letter: str) -> bytes:
        return _rasterize(
            '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">'
            f'<text x="4" y="32" font-size="32" font-family="{FAMILY}">{letter}</text></svg>'
        )

    # No font has the character U+0378, which Unicode has not assigned: it shows what is drawn in
    # the place of a missing letter.
    missing = write("\u0378")
    return all(write(letter) != missing for letter in "漢あ")


def _rasterize(svg: str) -> bytes:
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=2))


# Words


@_remember
def clean(words: str) -> str:
    """Return one line without control, format, private and unassigned characters."""
    if not words.isprintable():
        words = "".join(" " if unicodedata.category(c).startswith("C") else c for c in words)
    return " ".join(words.split())


def measure(words: str, *, size: float) -> float:
    """Return about how wide `words` are at a font size, in the unit of `size`."""
    return size * sum(map(_measure_letter, words))


@_remember
def shorten(words: str, room: float, *, size: float) -> str:
    """Return `words`, or as much of their beginning as fits into `room` with an ellipsis."""
    if measure(words, size=size) <= room:
        return words
    end = _count_fitting(words, room - measure("…", size=size), size=size)
    return words[:end].rstrip() + "…"


@_remember
def wrap(words: str, room: float, *, size: float, most: int = 2) -> tuple[str, ...]:
    """Return a name in at most two or three lines that fit into `room`, broken at a sign or space.

    Of the breaks that let two lines fit, it takes the one that makes them most alike.
    """
    words = clean(words)
    wide = measure(words, size=size)
    if wide <= room:
        return (words,)
    end = max(_count_fitting(words, room, size=size), 1)
    breaks = {
        place: measure(words[:place], size=size)
        for place in range(1, end + 1)
        if words[place - 1] in _BREAKS or words[place : place + 1] == "("
    }
    fitting = [place for place, before in breaks.items() if wide - before <= room]
    if most > 2 and breaks and not fitting:
        cut = max(breaks)
        return words[:cut].rstrip(), *wrap(words[cut:].lstrip(), room, size=size)
    cut = min(
        fitting, key=lambda place: abs(wide / 2 - breaks[place]), default=max(breaks, default=end)
    )
    return words[:cut].rstrip(), shorten(words[cut:].lstrip(), room, size=size)


@_remember
def fill_lines(words: str, room: float, *, size: float) -> tuple[str, ...]:
    """Return a sentence in as many lines as it needs, the last of at most three shortened."""
    rest = clean(words)
    lines: list[str] = []
    while rest and len(lines) < 2 and measure(rest, size=size) > room:
        fitting = max(_count_fitting(rest, room, size=size), 1)
        places = range(fitting, fitting // 2, -1)
        end = next((place for place in places if _may_break(rest, place)), fitting)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return (*lines, shorten(rest, room, size=size)) if rest else tuple(lines)


def _count_fitting(words: str, room: float, *, size: float) -> int:
    """Return how many letters of `words` fit into a line."""
    wide = 0.0
    for number, letter in enumerate(words):
        wide += size * _measure_letter(letter)
        if wide > room:
            return number
    return len(words)


def _may_break(words: str, place: int) -> bool:
    """Tell whether a line may end before a place: at a space, or between full-width letters."""
    before, after = words[place - 1 : place], words[place : place + 1]
    if after in _NEVER_FIRST:
        return False
    return " " in before + after or all(_measure_letter(each) == 1.0 for each in before + after)


@cache
def _measure_letter(letter: str) -> float:
    """Return the width of a letter in ems; an "ambiguous" one (UAX #11) counts as full-width."""
    if unicodedata.east_asian_width(letter) in "WFA":
        return 1.0
    if letter in "iljtfrI.,:;'|!()[]{}/-\\ ":
        return 0.33
    if letter in "mwMW@%":
        return 0.86
    return 0.68 if letter.isupper() else 0.56
