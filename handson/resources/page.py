"""A web page as a notebook can keep it: as lines of text, and as a picture that needs nothing else.

The picture is an SVG document with the page's own HTML and style inside, shown as an image: an
image runs no script, fetches nothing and cannot reach the notebook around it.  (JupyterLab removes
frames from a notebook that is not trusted yet, and lets images stand.)
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

WIDTH, HEIGHT = 960, 1040
MOST_BYTES = 120_000
"""What style and pictures may weigh together, so that a notebook stays small."""

Load = Callable[[str], tuple[str, bytes] | None]
"""Gets a path of the page's own site: its media type and content, or None."""

_SIGN = "│ "
_LONGEST, _MOST = 120, 60
_PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
_LEFT_OUT = {
    "script", "noscript", "template", "iframe", "object", "embed", "svg", "math",
    "audio", "video", "canvas",
}  # fmt: skip
_VOID = {
    "area",
    "base",
    "br",
    "col",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}
_SHOWN_VOID = {"br", "col", "hr", "img", "input", "wbr"}
_OUTER = {"html", "head", "body"}
_INLINE = {
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "img",
    "input", "kbd", "label", "mark", "q", "s", "samp", "select", "small", "span", "strong", "sub",
    "sup", "time", "tt", "u", "var", "wbr",
}  # fmt: skip
_ALIKE = {"li", "p", "dt", "dd", "tr", "td", "th", "option"}
_ATTRIBUTES = {
    "alt", "class", "colspan", "dir", "height", "id", "lang", "placeholder", "rowspan", "style",
    "type", "value", "width",
}  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9]*")
_FETCHES = re.compile(r"url\((?!\s*[\"']?data:)[^)]*\)|image-set\([^)]*\)", re.IGNORECASE)
_IMPORTS = re.compile(r"@import[^;]*;?", re.IGNORECASE)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Page:
    """A web page, as part of a card."""

    title: str
    lines: tuple[str, ...]
    svg: str

    def text(self) -> list[str]:
        return [f"  {_SIGN}{line}" for line in self.lines]

    def html(self) -> str:
        alt = escape(" ".join((self.title, *self.lines))[:600])
        source = b64encode(self.svg.encode()).decode()
        style = "display:block;width:100%;height:auto;margin:8px 0 0 0;border-radius:4px"
        return f'<img alt="{alt}" src="data:image/svg+xml;base64,{source}" style="{style}">'


def read(html: str, *, load: Load) -> Page:
    """Return the page that `html` describes, with what it needs of its own site inside."""
    reader = _Reader(load)
    reader.feed(_UNPRINTABLE.sub("", html))
    reader.close()
    return Page(reader.title, tuple(reader.lines()), reader.svg())


class _Reader(HTMLParser):
    """Reads HTML once, writing well-formed XHTML and lines of text."""

    def __init__(self, load: Load) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self._load = load
        self._left = MOST_BYTES
        self._open: list[str] = []
        self._markup: list[str] = []
        self._styles: list[str] = []
        self._text: list[str] = []
        self._skipping: list[str] = []
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._skipping or tag in _LEFT_OUT:
            if tag not in _VOID:
                self._skipping.append(tag)
        elif tag in ("title", "style"):
            self._within = tag
        elif tag == "link" and "stylesheet" in given.get("rel", "").lower().split():
            self._style_sheet(given.get("href", ""))
        elif tag in _OUTER or tag in _VOID - _SHOWN_VOID or not _NAME.fullmatch(tag):
            return
        elif not (tag == "input" and given.get("type", "").lower() == "hidden"):
            self._element(tag, given)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            if tag in self._skipping:
                while self._skipping.pop() != tag:
                    pass
        elif tag == self._within:
            self._within = ""
        elif tag in self._open:
            while self._close() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._skipping:
            return
        if self._within == "style":
            self._styles.append(data)
        elif self._within == "title":
            self.title += data.strip()
        else:
            self._markup.append(escape(data, quote=False))
            self._text.append(re.sub(r"\s+", " ", data))

    def lines(self) -> list[str]:
        """Return what a person reads, a block a line."""
        said = (" ".join(line.split()) for line in "".join(self._text).split("\n"))
        lines = [line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…" for line in said if line]
        return lines if len(lines) <= _MOST else [*lines[:_MOST], "…"]

    def svg(self) -> str:
        """Return the page as a picture; what is longer than the picture is cut off."""
        while self._open:
            self._close()
        style = _IMPORTS.sub("", _FETCHES.sub("none", "\n".join(self._styles)))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}"><rect width="100%" height="100%" fill="#fff"/>'
            '<foreignObject width="100%" height="100%">'
            '<html xmlns="http://www.w3.org/1999/xhtml" style="height:100%">'
            f"<head><style>{escape(style, quote=False)}</style></head>"
            f"<body>{''.join(self._markup)}</body></html></foreignObject></svg>"
        )

    def _element(self, tag: str, given: dict[str, str]) -> None:
        if tag in _ALIKE and self._open and self._open[-1] == tag:
            self._close()
        if tag not in _INLINE:
            self._text.append("\n")
        kept = {name: value for name, value in given.items() if name in _ATTRIBUTES}
        if "style" in kept:
            kept["style"] = _FETCHES.sub("none", kept["style"])
        if tag == "img":
            kept["src"] = self._picture(given.get("src", ""))
        written = "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
        self._markup.append(f"<{tag}{written}{'/' if tag in _VOID else ''}>")
        if tag not in _VOID:
            self._open.append(tag)

    def _close(self) -> str:
        tag = self._open.pop()
        self._markup.append(f"</{tag}>")
        if tag not in _INLINE:
            self._text.append("\n")
        return tag

    def _style_sheet(self, place: str) -> None:
        found = self._own(place)
        if found and found[0] == "text/css":
            self._styles.append(_UNPRINTABLE.sub("", found[1].decode("utf-8", "replace")))

    def _picture(self, place: str) -> str:
        found = self._own(place)
        if found is None or found[0] not in _PICTURES:
            return "data:,"
        return f"data:{found[0]};base64,{b64encode(found[1]).decode()}"

    def _own(self, place: str) -> tuple[str, bytes] | None:
        """Return a file of the page's own site, while there is room for it."""
        path = urljoin("/", place)
        if not place or urlsplit(path).netloc or not path.startswith("/"):
            return None
        found = self._load(path)
        if found is None or len(found[1]) > self._left:
            return None
        self._left -= len(found[1])
        return found
