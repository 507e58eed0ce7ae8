"""Defines the requests that engines take, and the results they return.

`LocalImage` and `PushedImage` show themselves as cards with the same rows for both engines, so
that a notebook looks alike with either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from handson.core import cards, https, messages
from handson.core.text import pick_fields
from handson.course.exercise import IMAGE_PLATFORM

ENGINE_LABEL = "io.handson.engine"
"""The image label that names the engine which made an image, readable in a registry later."""


class EngineInfo(Struct, frozen=True):
    """An engine's description of itself.

    Attributes:
        name: "docker" or "builtin".
        version: Its version.
        platform: The platform it runs on, `linux/arm64`.
        product: Docker Desktop, Docker Engine, Podman or Colima.
        free_bytes: The free space on the disk that keeps its images; None where it is unknown.
    """

    name: str
    version: str
    platform: str
    product: str = ""
    free_bytes: int | None = None


class BuildRequest(Struct, frozen=True):
    """An image to build.

    Attributes:
        context: The build context, a folder with a Dockerfile.
        folder: The folder for an engine's layouts and logs; created when needed.
        name: The image's local name.
        tag: Its tag.
        build_args: Values for the Dockerfile's `ARG`s.
    """

    context: Path
    folder: Path
    name: str = "rails-app"
    tag: str = "latest"
    build_args: Mapping[str, str] = {}


class Destination(Struct, frozen=True):
    """A repository to push to, with the credentials.

    Attributes:
        registry: Host and port: `127.0.0.1:4990`, `123456789012.dkr.ecr.us-east-1.amazonaws.com`.
        scheme: "http" (a registry on this machine) or "https".
        repository: The repository's name in the registry.
        username: `AWS` for ECR.
        password: The registry's token; never shown and never written to a file.
        tag: The tag to push.
        open_session: Opens a session to the registry; see `https.open_session`.
    """

    registry: str
    scheme: str
    repository: str
    username: str
    password: str
    tag: str = ""
    open_session: Callable[[], Any] = https.open_session

    def __repr__(self) -> str:
        return f"Destination({self.registry!r}, {self.repository!r})"  # without the password

    @property
    def login(self) -> dict[str, str]:
        """The credentials, as the Docker API takes them."""
        return {"username": self.username, "password": self.password}


class LocalImage(cards.Displayable, Struct, frozen=True):
    """An image on this computer.

    Attributes:
        engine: The engine that built it, "docker" or "builtin".
        name: Its local name, without a tag.
        id: Digest of the image's configuration, `sha256:…`.
        tag: Its tag.
        size_bytes: Its size here: unpacked for docker, packed for builtin.
        platform: The platform it is built for.
        steps: The Dockerfile's instructions in order.
        layout: The OCI layout folder (builtin only).
        skipped_steps: The steps that were left out (builtin only).
        log: The file with the build's whole output, where there is one.
    """

    engine: str
    name: str
    id: str
    tag: str
    size_bytes: int
    platform: str = IMAGE_PLATFORM
    steps: tuple[str, ...] = ()
    layout: Path | None = None
    skipped_steps: tuple[str, ...] = ()
    log: Path | None = None

    def card(self) -> cards.Card:
        """Return the card: name, tag, id, size, engine, steps, and what was skipped."""
        say = messages.text
        fields = pick_fields(self, "platform id engine") | _list_shared(self.name, self)
        headers = (say("engine.step-number"), say("engine.step-instruction"))
        steps = [(str(number), step) for number, step in enumerate(self.steps, start=1)]
        skipped = len(self.skipped_steps)
        note = cards.Note(say("engine.all-steps-run"), "info")
        if skipped:
            note = cards.Note(say("engine.steps-skipped", count=skipped), "warn")
        rows = cards.list_fields("engine.row", fields)
        parts = (rows, cards.Table(headers, steps), note)
        return cards.Card(say("engine.built", name=self.name), parts, state="ok")


class PushedImage(cards.Displayable, Struct, frozen=True):
    """An image that was pushed to a registry.

    Attributes:
        engine: The engine that pushed it.
        repository: The repository's name.
        digest: The manifest's digest as the registry confirmed it, `sha256:…`.
        tag: The tag that leads to it.
        layers_pushed: The number of layers that were sent.
        layers_present: The number of layers that the registry had already.
        size_bytes: The sum of the layers as the registry keeps them.
        relayed: The engine could not reach the registry, so this program sent the image for it.
    """

    engine: str
    repository: str
    digest: str
    tag: str
    layers_pushed: int
    layers_present: int
    size_bytes: int
    relayed: bool = False

    def card(self) -> cards.Card:
        """Return the card: repository, tag, digest, layers, size and engine."""
        title = messages.text("engine.pushed", repository=self.repository)
        fields = pick_fields(self, "digest engine") | _list_shared(self.repository, self)
        rows = cards.list_fields("engine.row", {**fields, "layers": self._layers()})
        return cards.Card(title, (rows,), state="ok")

    def _layers(self) -> str:
        if not self.layers_pushed + self.layers_present:
            return messages.text("engine.layers-untold")
        counts = {"pushed": self.layers_pushed, "present": self.layers_present}
        text = messages.text("engine.layers", **counts)
        return f"{text} · {messages.text('engine.relayed')}" if self.relayed else text


class RunRequest(Struct, frozen=True):
    """A container to start.

    Attributes:
        source: The repository that holds the image, with the credentials.
        digest: The image's digest there.
        name: The image's name for people.
        owner: The home folder it runs for; other containers of this owner are leftovers.
        environment: The container's environment; never shown and never kept.
        timeout: The seconds it may take until it answers.
    """

    source: Destination
    digest: str
    name: str
    owner: str
    environment: Mapping[str, str] = {}
    timeout: float = 90.0

    def __repr__(self) -> str:
        return f"RunRequest({self.name!r})"  # without the environment

    @property
    def reference(self) -> str:
        """The image by its digest, as an engine pulls it."""
        return f"{self.source.registry}/{self.source.repository}@{self.digest}"


class HttpAnswer(Struct, frozen=True):
    """The answer of a web server."""

    status: int
    media_type: str
    body: bytes


FetchPath = Callable[[str], HttpAnswer | None]
"""Fetches a path from a container; None when nothing answers."""


class RunningContainer(Struct, frozen=True):
    """A container that answers.

    Attributes:
        fetch: Fetches a path from it.
        seconds: The time from the start to the first answer.
        is_local: The engine could not pull, so its local copy of the image runs.
    """

    fetch: FetchPath
    seconds: float
    is_local: bool = False


def _list_shared(name: str, image: LocalImage | PushedImage) -> dict[str, Any]:
    """Return what cards of both say of an image's tag and size."""
    return {"tags": f"{name}:{image.tag}", "size": format_size(image.size_bytes)}


def format_size(size: int) -> str:
    """Return a size in bytes as people read it: decimal units, one digit after the point."""
    from rich.filesize import decimal  # a start need not load it

    return decimal(size)
