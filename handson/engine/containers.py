"""The containers of an engine that answers the Docker API, as the other rooms use them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handson.core import messages
from handson.core.errors import EngineError, NotReady
from handson.core.progress import Say
from handson.engine import running
from handson.engine.model import HttpAnswer, RunningContainer, RunRequest
from handson.engine.refusals import engine_errors

if TYPE_CHECKING:
    from docker import APIClient

_SOCKET = "/var/run/docker.sock"
_BRIEF = 1.0  # seconds; a container on this machine's own bridge is as near as this machine


class Containers:
    """Runs containers for a moment, and finds those that another program started.

    Args:
        client: The engine.
        where: Its address, or empty for docker's own default.
    """

    def __init__(self, client: APIClient, *, where: str) -> None:
        self._client = client
        self._where = where

    @contextmanager
    def run(self, request: RunRequest, *, say: Say) -> Iterator[RunningContainer]:
        """Give a container of an image in a registry that answers; it is gone after the block.

        Raises:
            EngineError: It cannot be pulled or started, ended, or does not answer; says why.
        """
        remote = is_remote(self._where)
        with (
            engine_errors(),
            running.started(self._client, request, remote=remote, say=say) as site,
        ):
            yield site

    def sweep(self, owner: str) -> int:
        """Remove the containers that were left running for `owner`; return how many there were."""
        return self.remove([f"{running.LABEL}={owner}"])

    @contextmanager
    def lend(self, request: RunRequest, name: str, *, say: Say) -> Iterator[str]:
        """Give the engine's socket, with a request's image under `name` as well, for the block.

        Raises:
            NotReady: The engine has no socket on this computer, or no bridge network.
            EngineError: The image cannot be pulled.
        """
        path = socket_path(self._where)
        if not path:
            raise NotReady(*messages.advice("engine.no-socket", where=self._where))
        with engine_errors():
            if not running.has_bridge(self._client):
                raise NotReady(*messages.advice("engine.no-bridge"))
            with running.tagged(self._client, request, name, say=say):
                yield path

    def reach(
        self, labels: Sequence[str], address: str, *, what: str, timeout: float
    ) -> RunningContainer:
        """Return the site of the container with the labels, once it answers.

        It is asked at its own address where this machine can reach that, as on Linux, and from
        inside itself where the engine lives in a virtual machine, as with Docker Desktop.

        Raises:
            EngineError: There is none, or it ended, or does not answer; says why.
        """
        began = time.monotonic()
        with engine_errors():
            found = running.labelled(self._client, labels)
            if not found:
                raise EngineError(*messages.advice("engine.no-container", name=what))
            container = found[0]
            port = running.port_of(self._client, container_image(self._client, container))

            def ask(path: str) -> HttpAnswer | None:
                outside = running.ask_over_http(address, port, path, patience=_BRIEF)
                return outside or running.ask_inside(self._client, container, port, path)

            running.wait_for_answer(self._client, container, ask, what=what, timeout=timeout)
        return RunningContainer(ask, time.monotonic() - began)

    def remove(self, labels: Sequence[str]) -> int:
        """Remove every container that has all the labels; return how many there were."""
        with engine_errors():
            return running.remove_labelled(self._client, labels)


def container_image(client: APIClient, container: str) -> str:
    """Return the id of the image that a container was made of."""
    return str(client.inspect_container(container)["Image"])


def socket_path(where: str) -> str:
    """Return the path of an engine's Unix socket, or nothing when it is reached another way."""
    if os.name == "nt":
        return ""
    if not where:
        return _SOCKET
    path = re.sub(r"^(http\+)?unix:/*", "/", where)
    return path if path != where else ""


def is_remote(where: str) -> bool:
    """Tell whether an engine's address is another computer's."""
    parts = urlsplit(where)
    near = parts.hostname in (None, "localhost", "::1") or str(parts.hostname).startswith("127.")
    return parts.scheme == "ssh" or (parts.scheme in ("tcp", "http", "https") and not near)
