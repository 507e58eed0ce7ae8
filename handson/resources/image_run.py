"""The image, run for a moment: pulled back from ECR and asked for its first page."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from handson.aws import Aws
from handson.core import files, messages
from handson.core.cards import Card, Note, Part, Rows, Shown
from handson.core.errors import EngineError
from handson.core.progress import Say
from handson.course import rules
from handson.course.exercise import Exercise
from handson.course.state import Image, RecordedRun, Repository
from handson.engine import BUILTIN, Engine, FetchPath, RunRequest
from handson.resources import page, registry
from handson.resources.page import Page

_FILE = "image-run.json"
Clock = Callable[[], datetime]


@dataclass(frozen=True, repr=False)
class ImageRun(Shown):
    """What came of running an image.

    Attributes:
        name: The image with its tag, for people.
        uri: The image by its digest.
        engine: The engine that ran it, or could not.
        outcome: What came of it, in a sentence.
        recorded: What was seen, or None where nothing ran.
        page: The first page, or None where nothing ran.
    """

    name: str
    uri: str
    engine: str
    outcome: str
    recorded: RecordedRun | None = None
    page: Page | None = None

    def card(self) -> Card:
        """Return the card: which image, what came of it, and the page.

        Its rows are the same whether something ran or not; the outcome stands on a line of advice,
        and the page behind it, so that whoever compares two runs can leave both out.
        """
        rows = [
            (messages.text("resources.image_run.row-image"), self.uri),
            (messages.text("engine.row-engine"), self.engine),
        ]
        parts: list[Part] = [Rows(rows), Note(self.outcome, "advice")]
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
    """Pull an image back from ECR by digest, start it, and return its first page; it is gone then.

    What was seen is kept in the home folder, also when it was nothing good.

    Raises:
        InvalidInput: The repository's name or the tag cannot be one.
        NotReady: There is no such repository or tag in ECR, or the home folder is not writable.
        EngineError: The image cannot be pulled, does not start, or does not answer; says why.
    """
    there, image = find(aws, order)
    uri = f"{there.uri}@{image.digest}"
    containers = engine.containers
    if image.built_by == BUILTIN or containers is None:
        return ImageRun(order.name, uri, engine.name, why_not(image))
    request = request_for(aws, there, image, order)

    def seen(status: int) -> RecordedRun:
        run = RecordedRun(
            repository=order.repository,
            digest=image.digest,
            ran_at=clock().isoformat(timespec="seconds"),
            engine=engine.name,
            status=status,
        )
        files.write(order.home / _FILE, run)
        return run

    try:
        with containers.run(request, say=say) as site:
            status, first = read_page(site.fetch, order.name)
            seconds, from_here = site.seconds, site.is_local
    except EngineError:
        seen(0)
        raise
    sentences = [messages.text("resources.image_run.ran", seconds=f"{seconds:.1f}", status=status)]
    if from_here:
        sentences.append(messages.text("resources.image_run.from-here"))
    return ImageRun(order.name, uri, engine.name, " ".join(sentences), seen(status), first)


def find(aws: Aws, order: Order) -> tuple[Repository, Image]:
    """Return the repository and the image that an order names.

    Raises:
        InvalidInput: The repository's name or the tag cannot be one.
        NotReady: There is no such repository or tag in ECR.
    """
    rules.repository_name(order.repository)
    rules.image_tag(order.tag)
    there = registry.require_repository(aws, order.repository, exercise=order.exercise)
    return there, registry.require_image(aws, order.repository, order.tag)


def why_not(image: Image) -> str:
    """Return why an image is not run, in a sentence: for what it is, or for want of an engine."""
    key = "packed" if image.built_by == BUILTIN else "no-engine"
    return messages.text(f"resources.image_run.{key}")


def request_for(aws: Aws, there: Repository, image: Image, order: Order) -> RunRequest:
    """Return the request to run an image as this workshop does, with a secret of its own."""
    return RunRequest(
        source=registry.destination(aws, there, tags=()),
        digest=image.digest,
        name=order.name,
        owner=str(order.home),
        environment=environment(image, order),
    )


def environment(image: Image, order: Order) -> dict[str, str]:
    """Return what the shop is told: a secret made for this run alone, and which image it is."""
    return {
        "SECRET_KEY_BASE": secrets.token_hex(64),
        "SHOP_IMAGE": order.name,
        "SHOP_IMAGE_DIGEST": image.digest,
    }


def read_page(ask: FetchPath, name: str) -> tuple[int, Page]:
    """Return the status and the content of a site's first page.

    Raises:
        EngineError: It answered a moment ago and does not any more.
    """
    answer = ask("/")
    if answer is None:
        raise EngineError(*messages.advice("resources.image_run.fell-silent", name=name))

    def load(path: str) -> tuple[str, bytes] | None:
        found = ask(path)
        return (found.media_type, found.body) if found and found.status == 200 else None

    return answer.status, page.read(answer.body.decode("utf-8", "replace"), load=load)


def read_image_run(home: Path) -> RecordedRun | None:
    """Return what was seen last, or None when nothing was, or the file is not readable."""
    return files.read(home / _FILE, RecordedRun)


def forget_image_run(home: Path) -> None:
    """Forget what was seen: the image is gone."""
    files.forget(home / _FILE)
