"""What engines take and give back: requests and results, and the one Protocol they share.

`LocalImage` and `Pushed` are results that a learner sees, so they show themselves as cards.  Both
engines fill the same rows, so that a notebook looks alike with either; what only one of them can
say stands in a row or a note of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from handson.core import cards, messages
from handson.core.progress import Say
from handson.course.exercise import PLATFORM

IMAGE_PLATFORM = "/".join(PLATFORM)
"""What Fargate runs unless a task definition says otherwise (ECS developer guide)."""

_LOOPBACK = ("127.", "localhost", "[::1]")

ENGINE_LABEL = "io.handson.engine"
"""The image label that names the engine which made an image, readable in a registry later."""


@dataclass(frozen=True)
class EngineInfo:
    """What an engine says about itself.

    Attributes:
        name: "docker" or "builtin".
        version: Its version.
        platform: What it runs on, `linux/arm64`.
        detail: Where it answers, or what it can do.
        product: What people call it: Docker Desktop, Docker Engine, Podman, Colima.
        free_bytes: What is free on the disk that keeps its images; None where it cannot be told.
    """

    name: str
    version: str
    platform: str
    detail: str
    product: str = ""
    free_bytes: int | None = None


@dataclass(frozen=True)
class BuildRequest:
    """An image to build.

    Attributes:
        context: The build context, a folder.
        dockerfile: The Dockerfile, inside the context.
        folder: Where an engine may keep what it makes (layouts, logs); created when needed.
        name: The image's local name.
        tags: The tags the image gets, the asked-for one first.
        build_args: Values for the Dockerfile's `ARG`s.
        platform: The operating system and architecture the image is for.
    """

    context: Path
    dockerfile: Path
    folder: Path
    name: str = "rails-app"
    tags: tuple[str, ...] = ("latest",)
    build_args: Mapping[str, str] = field(default_factory=dict)
    platform: str = IMAGE_PLATFORM


@dataclass(frozen=True)
class Destination:
    """A repository to push to, and who pushes.

    Attributes:
        registry: Host and port: `127.0.0.1:4990`, `123456789012.dkr.ecr.us-east-1.amazonaws.com`.
        scheme: "http" (a registry on this machine) or "https".
        repository: The repository's name in the registry.
        username: `AWS` for ECR.
        password: The registry's token; never shown and never written to a file.
        tags: The tags to push; all of the image's when empty.
    """

    registry: str
    scheme: str
    repository: str
    username: str
    password: str = field(repr=False)
    tags: tuple[str, ...] = ()

    @property
    def here(self) -> bool:
        """Tell whether the registry is on this computer."""
        return self.registry.startswith(_LOOPBACK)


@dataclass(frozen=True, repr=False)
class LocalImage(cards.Shown):
    """An image on this computer.

    Attributes:
        engine: The engine that built it, "docker" or "builtin".
        name: Its local name, without a tag.
        id: Digest of the image's configuration, `sha256:…`.
        tags: Its tags, the asked-for one first.
        size_bytes: Its size here: unpacked for docker, packed for builtin.
        platform: What it is built for.
        steps: The Dockerfile's instructions in order.
        layout: The OCI layout folder (builtin only).
        skipped_steps: The steps that were not carried out (builtin only).
        log: The file with everything the build said, where there is one.
    """

    engine: str
    name: str
    id: str
    tags: tuple[str, ...]
    size_bytes: int
    platform: str = IMAGE_PLATFORM
    steps: tuple[str, ...] = ()
    layout: Path | None = None
    skipped_steps: tuple[str, ...] = ()
    log: Path | None = None

    def card(self) -> cards.Card:
        """Return the card: name, tags, id, size, engine, steps, and what was skipped."""
        say = messages.text
        rows = [
            (say("engine.row-tags"), ", ".join(f"{self.name}:{tag}" for tag in self.tags)),
            (say("engine.row-platform"), self.platform),
            (say("engine.row-id"), self.id),
            (say("engine.row-size"), format_size(self.size_bytes)),
            (say("engine.row-engine"), self.engine),
        ]
        headers = (say("engine.step-number"), say("engine.step-instruction"))
        steps = [(str(number), step) for number, step in enumerate(self.steps, start=1)]
        parts = (cards.Rows(rows), cards.Table(headers, steps), self._note())
        return cards.Card(say("engine.built", name=self.name), parts, state="ok")

    def _note(self) -> cards.Note:
        if not self.skipped_steps:
            return cards.Note(messages.text("engine.all-steps-run"), "info")
        note = messages.text("engine.steps-skipped", count=len(self.skipped_steps))
        return cards.Note(note, "warn")


@dataclass(frozen=True, repr=False)
class PushedImage(cards.Shown):
    """An image that a registry has now.

    Attributes:
        engine: The engine that pushed it.
        repository: The repository's name.
        digest: The manifest's digest as the registry confirmed it, `sha256:…`.
        tags: The tags that lead to it.
        layers_pushed: How many layers were sent.
        layers_present: How many the registry had already.
        size_bytes: The layers as the registry keeps them, added up.
        relayed: The engine could not reach the registry, so this program sent the image for it.
    """

    engine: str
    repository: str
    digest: str
    tags: tuple[str, ...]
    layers_pushed: int
    layers_present: int
    size_bytes: int
    relayed: bool = False

    def card(self) -> cards.Card:
        """Return the card: repository, tags, digest, layers, size and engine."""
        say = messages.text
        rows = [
            (say("engine.row-tags"), ", ".join(f"{self.repository}:{tag}" for tag in self.tags)),
            (say("engine.row-digest"), self.digest),
            (say("engine.row-layers"), self._layers()),
            (say("engine.row-size"), format_size(self.size_bytes)),
            (say("engine.row-engine"), self.engine),
        ]
        title = say("engine.pushed", repository=self.repository)
        return cards.Card(title, (cards.Rows(rows),), state="ok")

    def _layers(self) -> str:
        if not self.layers_pushed + self.layers_present:
            return messages.text("engine.layers-untold")
        told = messages.text(
            "engine.layers", pushed=self.layers_pushed, present=self.layers_present
        )
        return f"{told} · {messages.text('engine.relayed')}" if self.relayed else told


@dataclass(frozen=True)
class RunRequest:
    """A container to start.

    Attributes:
        source: The repository that holds the image, and who pulls.
        digest: The image's digest there.
        name: The image's name for people.
        owner: For whom it runs: whatever else runs for the same owner is a leftover.
        environment: What the container is told; never shown and never kept.
        timeout: Seconds it may take until it answers.
    """

    source: Destination
    digest: str
    name: str
    owner: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 90.0

    @property
    def reference(self) -> str:
        """The image by its digest, as an engine pulls it."""
        return f"{self.source.registry}/{self.source.repository}@{self.digest}"


@dataclass(frozen=True)
class HttpAnswer:
    """What came back over HTTP."""

    status: int
    media_type: str
    body: bytes


FetchPath = Callable[[str], HttpAnswer | None]
"""Gets a path; None when nothing answers."""


@dataclass(frozen=True)
class RunningContainer:
    """A container that answers.

    Attributes:
        ask: Gets a path from it.
        seconds: How long it took from the start to the first answer.
        from_here: The engine could not pull, and the same image that is here was run instead.
    """

    ask: FetchPath
    seconds: float
    from_here: bool = False


class Containers(Protocol):
    """Containers of an engine that run for a moment."""

    def run(self, request: RunRequest, *, say: Say) -> AbstractContextManager[RunningContainer]:
        """Give a container that answers; it is gone after the block."""

    def sweep(self, owner: str) -> int:
        """Remove the containers that were left running for `owner`; return how many there were."""

    def lend(self, request: RunRequest, name: str, *, say: Say) -> AbstractContextManager[str]:
        """Give the engine's socket, with an image under `name`, for another program to use."""

    def reach(
        self, labels: Sequence[str], address: str, *, what: str, timeout: float
    ) -> RunningContainer:
        """Return the site of a container that another program started, once it answers."""

    def remove(self, labels: Sequence[str]) -> int:
        """Remove every container that has all the labels; return how many there were."""


class Engine(Protocol):
    """Something that builds images, pushes them, and perhaps runs them."""

    @property
    def name(self) -> str:
        """The engine's name, "docker" or "builtin"."""

    @property
    def containers(self) -> Containers | None:
        """Its containers, or None where the engine runs nothing."""

    def describe(self) -> EngineInfo:
        """Return what the engine says about itself."""

    def build(self, request: BuildRequest, *, say: Say) -> LocalImage:
        """Build an image; `say` gets a short line for each step."""

    def push(self, image: LocalImage, destination: Destination, *, say: Say) -> PushedImage:
        """Push an image under the destination's tags; `say` gets short lines of progress."""


def format_size(size: int) -> str:
    """Return a size in bytes as docker shows it: decimal units, one digit after the point."""
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
