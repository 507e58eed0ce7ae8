"""Run a pushed image for a moment: pull it from ECR, start it, and keep its first page.

The page is kept as lines of text and as a picture.  The picture is an SVG document that contains
the page's HTML and style, shown as an image: an image runs no script, loads nothing and cannot
reach the notebook around it.  (JupyterLab removes frames from a notebook that is not trusted, and
keeps images.)
"""

from __future__ import annotations

import re
import secrets
import warnings
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from handson.aws import Aws
from handson.core import files, messages
from handson.core.cards import Card, CardPart, Displayable, Note, Rows
from handson.core.errors import EngineError
from handson.core.progress import Say
from handson.core.text import one_line
from handson.course import evidence
from handson.course.checks.image import BUILTIN
from handson.course.exercise import Exercise
from handson.course.state import Image, RecordedRun, Repository
from handson.engine import Engine
from handson.engine.model import FetchPath, HttpAnswer, RunRequest
from handson.resources.images import require_image
from handson.resources.repository import make_destination

IMAGE_RUN = files.KeptState("image-run.json", RecordedRun)
"""The record of the last run."""

Clock = Callable[[], datetime]

WIDTH, HEIGHT = 960, 1040
MOST_BYTES = 120_000
"""The limit for style sheets and pictures together, so that a notebook stays small."""

_MARGIN = "│ "
_LINE_LENGTH, _LINES = 120, 60
_PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
_TAGS = files.read_data("handson.resources", "page_tags.toml")
_NAME = re.compile(r"[a-z][a-z0-9]*")
_REMOTE = re.compile(r"url\((?!\s*[\"']?data:)[^)]*\)|image-set\([^)]*\)", re.IGNORECASE)
_IMPORTS = re.compile(r"@import[^;]*;?", re.IGNORECASE)
_UNPRINTABLE = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


class Page(Struct, frozen=True):
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


class ImageRun(Displayable, Struct, frozen=True):
    """The result of running an image.

    Attributes:
        name: The image with its tag, for people.
        uri: The image by its digest.
        engine: The engine in use.
        outcome: The result as a sentence.
        page: The first page, or None where nothing ran.
    """

    name: str
    uri: str
    engine: str
    outcome: str
    page: Page | None = None

    def card(self) -> Card:
        """Return the card: the image, the outcome, and the page.

        The rows are the same whether something ran or not.  The outcome is a line of advice with
        the page after it, so that a comparison of two runs (nbval) can leave both out.
        """
        rows = [
            (messages.text("resources.image_run.row-image"), self.uri),
            (messages.text("engine.row.engine"), self.engine),
        ]
        parts: list[CardPart] = [Rows(rows), Note(self.outcome, "advice")]
        if self.page:
            parts.append(self.page)
        return Card(messages.text("resources.image_run.title", name=self.name), parts)


class Order(Struct, frozen=True):
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
    aws: Aws, engine: Engine, order: Order, *, say: Say, clock: Clock = evidence.now
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
    if image.built_by == BUILTIN or engine.containers is None:
        packed = image.built_by == BUILTIN
        key = "resources.image_run.packed" if packed else "resources.image_run.no-engine"
        return ImageRun(order.name, uri, engine.name, messages.text(key))
    request = make_run_request(aws, repository, image, order)

    def record(status: int) -> None:
        run = RecordedRun(
            repository=order.repository,
            digest=image.digest,
            ran_at=clock().isoformat(timespec="seconds"),
            engine=engine.name,
            status=status,
        )
        IMAGE_RUN.write(order.home, run)

    try:
        with engine.containers.run(request, say=say) as site:
            answer = site.fetch("/")
            if answer is None:  # it answered a moment ago, when it started
                raise EngineError.from_key("resources.image_run.fell-silent", name=order.name)
            page = read_page(answer.body.decode("utf-8", "replace"), fetch=site.fetch)
    except EngineError:
        record(0)
        raise
    seconds, status = f"{site.seconds:.1f}", answer.status
    outcome = messages.text("resources.image_run.ran", seconds=seconds, status=status)
    if site.is_local:
        outcome = f"{outcome} {messages.text('resources.image_run.from-here')}"
    record(status)
    return ImageRun(order.name, uri, engine.name, outcome, page)


def make_run_request(aws: Aws, repository: Repository, image: Image, order: Order) -> RunRequest:
    """Return the request to run an image as a container, with a new secret for this run alone."""
    environment = {"SHOP_IMAGE": order.name, "SHOP_IMAGE_DIGEST": image.digest}
    environment["SECRET_KEY_BASE"] = secrets.token_hex(64)
    source = make_destination(aws, repository)
    return RunRequest(source, image.digest, order.name, str(order.home), environment)


def read_page(html: str, *, fetch: FetchPath) -> Page:
    """Return the page that `html` describes, with the files inside that `fetch` has of its site."""
    from bs4 import BeautifulSoup
    from bs4.element import PreformattedString

    html = re.sub(_UNPRINTABLE, "", html)
    with warnings.catch_warnings(action="ignore"):  # of pages that look like XML or like a path
        soup: Any = BeautifulSoup(html, "html.parser", multi_valued_attributes=None)
    site = _Site(fetch)
    comments = soup(string=lambda it: isinstance(it, PreformattedString))
    for unwanted in (*soup(_TAGS["foreign"]), *comments):
        unwanted.extract()
    title = soup.title.get_text().strip() if soup.title else ""
    style = "\n".join(site.read_style(tag) for tag in soup(["link", "style"]))
    for tag in soup(_TAGS["invisible"]):
        tag.decompose()
    for tag in soup(True):
        _clean_tag(tag, site)
    svg = _draw_page(style, soup.decode(formatter="minimal"))
    return Page(title, _read_lines(soup), svg)


class _Site(Struct):
    """The files of the page's own site, while they fit into `room` (bytes)."""

    fetch: FetchPath
    room: int = MOST_BYTES

    def read_style(self, tag: Any) -> str:
        """Return the style sheet that a tag contains or links to."""
        if tag.name == "style":
            return str(tag.get_text())
        is_style = "stylesheet" in tag.get("rel", "").lower().split()
        found = self._read(tag.get("href", ""), ("text/css",)) if is_style else None
        return re.sub(_UNPRINTABLE, "", found.body.decode("utf-8", "replace")) if found else ""

    def embed_picture(self, address: str) -> str:
        """Return a picture as an address that needs no other file."""
        found = self._read(address, _PICTURES)
        if found is None:
            return "data:,"
        return f"data:{found.media_type};base64,{b64encode(found.body).decode()}"

    def _read(self, address: str, media_types: Sequence[str]) -> HttpAnswer | None:
        path = urljoin("/", address)
        if not address or urlsplit(path).netloc or not path.startswith("/"):
            return None
        found = self.fetch(path)
        if found is None or found.status != 200 or len(found.body) > self.room:
            return None
        self.room -= len(found.body)
        return found if found.media_type in media_types else None


def _clean_tag(tag: Any, site: _Site) -> None:
    """Leave of a tag what a picture needs: no address, no handler, no hidden value."""
    if tag.name in _TAGS["outer"] or not _NAME.fullmatch(tag.name):
        tag.unwrap()
    elif tag.name == "input" and tag.get("type", "").lower() == "hidden":
        tag.decompose()
    else:
        source, kept = tag.get("src", ""), _TAGS["attributes"]
        tag.attrs = {name: value for name, value in tag.attrs.items() if name in kept}
        if "style" in tag.attrs:
            tag["style"] = _REMOTE.sub("none", tag["style"])
        if tag.name == "img":
            tag["src"] = site.embed_picture(source)


def _read_lines(soup: Any) -> tuple[str, ...]:
    """Return the visible text, a block a line; changes the page."""
    for tag in soup(_TAGS["inline"]):
        tag.unwrap()
    soup.smooth()  # joins the texts that stand beside each other now
    text = (" ".join(block.split()) for block in soup.stripped_strings)
    lines = [one_line(block, longest=_LINE_LENGTH) for block in text]
    return tuple(lines if len(lines) <= _LINES else [*lines[:_LINES], "…"])


def _draw_page(style: str, body: str) -> str:
    """Return the page as a picture; the picture cuts off what does not fit."""
    style = escape(_IMPORTS.sub("", _REMOTE.sub("none", style)), quote=False)
    return str(_TAGS["picture"]).format(width=WIDTH, height=HEIGHT, style=style, body=body)
