"""Run a pushed image for a moment: pull it from ECR, start it, and keep its first page.

The page is kept as lines of text and as a picture.  The picture is an SVG document that contains
the page's HTML and style, shown as an image: an image runs no script, loads nothing and cannot
reach the notebook around it.  (JupyterLab removes frames from a notebook that is not trusted, and
keeps images.)
"""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from handson.aws import Aws
from handson.core import files, messages
from handson.core.cards import Card, CardPart, Displayable, Note, Rows
from handson.core.errors import EngineError
from handson.core.progress import Say
from handson.course.checks.image import BUILTIN
from handson.course.exercise import Exercise
from handson.course.state import Image, RecordedRun, Repository
from handson.engine.model import Engine, FetchPath, RunRequest
from handson.resources.images import require_image
from handson.resources.repository import make_destination

_FILE = "image-run.json"

Clock = Callable[[], datetime]

WIDTH, HEIGHT = 960, 1040
MOST_BYTES = 120_000
"""The limit for style sheets and pictures together, so that a notebook stays small."""

Load = Callable[[str], tuple[str, bytes] | None]
"""Loads a path of the page's own site: its media type and content, or None."""

_MARGIN = "│ "
_LINE_LENGTH, _LINES = 120, 60
_PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
_DROPPED = {
    "script", "noscript", "template", "iframe", "object", "embed", "svg", "math",
    "audio", "video", "canvas",
}  # fmt: skip
_VOID = {
    "area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
}  # fmt: skip
_VISIBLE_VOID = {"br", "col", "hr", "img", "input", "wbr"}
_OUTER = {"html", "head", "body"}
_INLINE = {
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "img",
    "input", "kbd", "label", "mark", "q", "s", "samp", "select", "small", "span", "strong", "sub",
    "sup", "time", "tt", "u", "var", "wbr",
}  # fmt: skip
_SELF_CLOSING = {"li", "p", "dt", "dd", "tr", "td", "th", "option"}
_ATTRIBUTES = {
    "alt", "class", "colspan", "dir", "height", "id", "lang", "placeholder", "rowspan", "style",
    "type", "value", "width",
}  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9]*")
_REMOTE = re.compile(r"url\((?!\s*[\"']?data:)[^)]*\)|image-set\([^)]*\)", re.IGNORECASE)
_IMPORTS = re.compile(r"@import[^;]*;?", re.IGNORECASE)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Page:
    """A web page as part of a card: lines of text, and a picture that needs no other file."""

    title: str
    lines: tuple[str, ...]
    svg: str

    def text(self) -> list[str]:
        return [f"  {_MARGIN}{line}" for line in self.lines]

    def html(self) -> str:
        alt = escape(" ".join((self.title, *self.lines))[:600])
        source = b64encode(self.svg.encode()).decode()
        style = "display:block;width:100%;height:auto;margin:8px 0 0 0;border-radius:4px"
        return f'<img alt="{alt}" src="data:image/svg+xml;base64,{source}" style="{style}">'


@dataclass(frozen=True, repr=False)
class ImageRun(Displayable):
    """The result of running an image.

    Attributes:
        name: The image with its tag, for people.
        uri: The image by its digest.
        engine: The engine in use.
        outcome: The result as a sentence.
        recorded: The record of the run, or None where nothing ran.
        page: The first page, or None where nothing ran.
    """

    name: str
    uri: str
    engine: str
    outcome: str
    recorded: RecordedRun | None = None
    page: Page | None = None

    def card(self) -> Card:
        """Return the card: the image, the outcome, and the page.

        The rows are the same whether something ran or not.  The outcome is a line of advice with
        the page after it, so that a comparison of two runs (nbval) can leave both out.
        """
        rows = [
            (messages.text("resources.image_run.row-image"), self.uri),
            (messages.text("engine.row-engine"), self.engine),
        ]
        parts: list[CardPart] = [Rows(rows), Note(self.outcome, "advice")]
        if self.page:
            parts.append(self.page)
        return Card(messages.text("resources.image_run.title", name=self.name), parts)


@dataclass(frozen=True)
class Order:
    """Which image to run, for which home folder, in which exercise."""

    repository: str
    tag: str
    home: Path
    exercise: Exercise = Exercise()

    @property
    def name(self) -> str:
        """The image with its tag, for people."""
        return f"{self.repository}:{self.tag}"


def run_image(
    aws: Aws, engine: Engine, order: Order, *, say: Say, clock: Clock = lambda: datetime.now(UTC)
) -> ImageRun:
    """Pull an image from ECR by its digest, start it, return its first page, and remove it.

    The home folder keeps a record of the run, also of a failed one.

    Raises:
        InvalidInput: The repository's name or the tag is invalid.
        NotReady: ECR has no such repository or tag, or the home folder is not writable.
        EngineError: The image cannot be pulled, does not start, or does not answer; says why.
    """
    repository, image = require_image(aws, order.repository, order.tag, exercise=order.exercise)
    uri = f"{repository.uri}@{image.digest}"
    if image.built_by == BUILTIN:
        outcome = messages.text("resources.image_run.packed")
        return ImageRun(order.name, uri, engine.name, outcome)
    if engine.containers is None:
        outcome = messages.text("resources.image_run.no-engine")
        return ImageRun(order.name, uri, engine.name, outcome)
    request = make_run_request(aws, repository, image, order)

    def record(status: int) -> RecordedRun:
        run = RecordedRun(
            repository=order.repository,
            digest=image.digest,
            ran_at=clock().isoformat(timespec="seconds"),
            engine=engine.name,
            status=status,
        )
        files.write_state(order.home / _FILE, run)
        return run

    try:
        with engine.containers.run(request, say=say) as site:
            status, page = _load_first_page(site.fetch, order.name)
    except EngineError:
        record(0)
        raise
    seconds = f"{site.seconds:.1f}"
    outcome = messages.text("resources.image_run.ran", seconds=seconds, status=status)
    if site.is_local:
        outcome = f"{outcome} {messages.text('resources.image_run.from-here')}"
    return ImageRun(order.name, uri, engine.name, outcome, record(status), page)


def make_run_request(aws: Aws, repository: Repository, image: Image, order: Order) -> RunRequest:
    """Return the request to run an image as a container, with a new secret for this run alone."""
    return RunRequest(
        source=make_destination(aws, repository, tags=()),
        digest=image.digest,
        name=order.name,
        owner=str(order.home),
        environment={
            "SECRET_KEY_BASE": secrets.token_hex(64),
            "SHOP_IMAGE": order.name,
            "SHOP_IMAGE_DIGEST": image.digest,
        },
    )


def read_image_run(home: Path) -> RecordedRun | None:
    """Return the record of the last run, or None where there is none or it is unreadable."""
    return files.read_state(home / _FILE, RecordedRun)


def forget_image_run(home: Path) -> None:
    """Delete the record of the last run, because its image is gone."""
    files.delete_file(home / _FILE)


def read_page(html: str, *, load: Load) -> Page:
    """Return the page that `html` describes, with the files of its own site inside."""
    reader = _PageReader(load)
    reader.feed(_UNPRINTABLE.sub("", html))
    reader.close()
    return Page(reader.title, tuple(reader.lines()), reader.svg())


def _load_first_page(ask: FetchPath, name: str) -> tuple[int, Page]:
    """Return the status and the content of a site's first page.

    Raises:
        EngineError: The site answered a moment ago and no longer does.
    """
    answer = ask("/")
    if answer is None:
        raise EngineError(*messages.advice("resources.image_run.fell-silent", name=name))

    def load(path: str) -> tuple[str, bytes] | None:
        found = ask(path)
        return (found.media_type, found.body) if found and found.status == 200 else None

    return answer.status, read_page(answer.body.decode("utf-8", "replace"), load=load)


class _PageReader(HTMLParser):
    """Turns HTML into well-formed XHTML and lines of text, in one pass."""

    def __init__(self, load: Load) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self._load = load
        self._room = MOST_BYTES
        self._open: list[str] = []
        self._markup: list[str] = []
        self._styles: list[str] = []
        self._text: list[str] = []
        self._skipping: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._skipping or tag in _DROPPED:
            if tag not in _VOID:
                self._skipping.append(tag)
        elif tag in ("title", "style"):
            self._inside = tag
        elif tag == "link" and "stylesheet" in given.get("rel", "").lower().split():
            self._add_style_sheet(given.get("href", ""))
        elif tag in _OUTER or tag in _VOID - _VISIBLE_VOID or not _NAME.fullmatch(tag):
            return
        elif not (tag == "input" and given.get("type", "").lower() == "hidden"):
            self._open_element(tag, given)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            if tag in self._skipping:
                while self._skipping.pop() != tag:
                    pass
        elif tag == self._inside:
            self._inside = ""
        elif tag in self._open:
            while self._close_element() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._skipping:
            return
        if self._inside == "style":
            self._styles.append(data)
        elif self._inside == "title":
            self.title += data.strip()
        else:
            self._markup.append(escape(data, quote=False))
            self._text.append(re.sub(r"\s+", " ", data))

    def lines(self) -> list[str]:
        """Return the visible text, a block a line."""
        text = (" ".join(line.split()) for line in "".join(self._text).split("\n"))
        lines = [
            line if len(line) <= _LINE_LENGTH else f"{line[:_LINE_LENGTH]}…"
            for line in text
            if line
        ]
        return lines if len(lines) <= _LINES else [*lines[:_LINES], "…"]

    def svg(self) -> str:
        """Return the page as a picture; the picture cuts off what does not fit."""
        while self._open:
            self._close_element()
        style = _IMPORTS.sub("", _REMOTE.sub("none", "\n".join(self._styles)))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}"><rect width="100%" height="100%" fill="#fff"/>'
            '<foreignObject width="100%" height="100%">'
            '<html xmlns="http://www.w3.org/1999/xhtml" style="height:100%">'
            f"<head><style>{escape(style, quote=False)}</style></head>"
            f"<body>{''.join(self._markup)}</body></html></foreignObject></svg>"
        )

    def _open_element(self, tag: str, given: dict[str, str]) -> None:
        if tag in _SELF_CLOSING and self._open and self._open[-1] == tag:
            self._close_element()
        if tag not in _INLINE:
            self._text.append("\n")
        kept = {name: value for name, value in given.items() if name in _ATTRIBUTES}
        if "style" in kept:
            kept["style"] = _REMOTE.sub("none", kept["style"])
        if tag == "img":
            kept["src"] = self._embed_picture(given.get("src", ""))
        written = "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
        self._markup.append(f"<{tag}{written}{'/' if tag in _VOID else ''}>")
        if tag not in _VOID:
            self._open.append(tag)

    def _close_element(self) -> str:
        tag = self._open.pop()
        self._markup.append(f"</{tag}>")
        if tag not in _INLINE:
            self._text.append("\n")
        return tag

    def _add_style_sheet(self, path: str) -> None:
        found = self._load_own(path)
        if found and found[0] == "text/css":
            self._styles.append(_UNPRINTABLE.sub("", found[1].decode("utf-8", "replace")))

    def _embed_picture(self, path: str) -> str:
        found = self._load_own(path)
        if found is None or found[0] not in _PICTURES:
            return "data:,"
        return f"data:{found[0]};base64,{b64encode(found[1]).decode()}"

    def _load_own(self, address: str) -> tuple[str, bytes] | None:
        """Return a file of the page's own site, while it fits into the limit."""
        path = urljoin("/", address)
        if not address or urlsplit(path).netloc or not path.startswith("/"):
            return None
        found = self._load(path)
        if found is None or len(found[1]) > self._room:
            return None
        self._room -= len(found[1])
        return found
