"""The engine that answers the Docker API: Docker Engine and Desktop, Colima, Podman's socket.

Everything goes through docker's own library.  Credentials for a push travel with the request that
needs them: they are never written to the user's docker configuration, nor read from it.
"""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handson import messages
from handson.engine import dockerfile
from handson.engine.buildlog import BuildLog
from handson.engine.model import (
    ENGINE_LABEL,
    BuildRequest,
    Destination,
    EngineInfo,
    LocalImage,
    Pushed,
)
from handson.engine.refusals import refusal
from handson.engine.registry_client import layers_size
from handson.engine.tally import Tally
from handson.errors import EngineError, HandsonError, InvalidInput, NotReady
from handson.progress import Say

if TYPE_CHECKING:
    from docker import APIClient

NAME = "docker"

_SIGN_OF_LIFE = 1.0  # seconds; an engine on this machine answers in a few milliseconds
_OVER_SSH = 5.0  # seconds
_WORKING = 600.0  # seconds of silence while an engine works


def connect(docker_host: str = "") -> DockerEngine:
    """Return the engine at `docker_host`, or of the current docker context, if it answers.

    Raises:
        NotReady: Nothing answers the Docker API there within about a second.
    """
    tried = []
    for options in _places(docker_host):
        client = _answering(options)
        if client is not None:
            return DockerEngine(client, where=str(options.get("base_url", "")))
        tried.append(str(options.get("base_url", "")))
    where = docker_host or next((place for place in tried if place), "docker")
    raise NotReady(*messages.advice("engine.docker-stopped", where=where))


class DockerEngine:
    """Builds and pushes through an engine that answers the Docker API."""

    name = NAME

    def __init__(self, client: APIClient, *, where: str = "") -> None:
        self._client = client
        self._where = where

    def describe(self) -> EngineInfo:
        """Return what the engine says about itself."""
        with _engine_errors():
            found = self._client.version()
        product = found.get("Platform", {}).get("Name") or "Docker API"
        where = f"{product} · {self._where}" if self._where else product
        return EngineInfo(NAME, found["Version"], f"{found['Os']}/{found['Arch']}", where)

    def build(self, request: BuildRequest, *, say: Say) -> LocalImage:
        """Build and tag an image; everything the build says is kept in a log file.

        Raises:
            EngineError: A step failed (it is named with its line), or the engine broke off.
        """
        source = dockerfile.load(request.dockerfile)
        request.folder.mkdir(parents=True, exist_ok=True)
        path = request.folder / f"{request.name.replace('/', '_')}-build.log"
        with path.open("w", encoding="utf-8") as file, _engine_errors():
            log = BuildLog(source, request.dockerfile.name, file=file, say=say)
            for event in self._building(request):
                log.take(event)
            for tag in request.tags:
                self._client.tag(log.image_id, request.name, tag)
            details = self._client.inspect_image(log.image_id)
        return LocalImage(
            engine=NAME,
            name=request.name,
            id=details["Id"],
            tags=request.tags,
            size_bytes=details["Size"],
            platform=f"{details['Os']}/{details['Architecture']}",
            steps=tuple(instruction.source for instruction in source.instructions),
            log=path,
        )

    def push(self, image: LocalImage, destination: Destination, *, say: Say) -> Pushed:
        """Push an image; the tags it needs for that are taken away from the engine again.

        Raises:
            HandsonError: The registry refused, is not reachable, or broke off.
        """
        tags = destination.tags or image.tags
        tally = Tally(say)
        digests = {tag: self._push_tag(image, destination, tag, tally) for tag in tags}
        digest = digests[tags[0]]
        for tag, seen in digests.items():
            if seen != digest:
                found = messages.advice("engine.wrong-digest", seen=f"{tag} {seen}", wanted=digest)
                raise EngineError(*found)
        return Pushed(
            engine=NAME,
            repository=destination.repository,
            digest=digest,
            tags=tuple(tags),
            layers_pushed=tally.pushed,
            layers_present=tally.present,
            size_bytes=layers_size(destination, digest),
        )

    def _building(self, request: BuildRequest) -> Iterator[dict[str, Any]]:
        events: Iterator[dict[str, Any]] = self._client.build(
            path=str(request.context),
            dockerfile=os.path.relpath(request.dockerfile, request.context),
            tag=f"{request.name}:{request.tags[0]}",
            buildargs=dict(request.build_args),
            platform=request.platform,
            labels={ENGINE_LABEL: NAME},
            rm=True,
            forcerm=True,
            decode=True,
        )
        return events

    def _push_tag(self, image: LocalImage, destination: Destination, tag: str, tally: Tally) -> str:
        target = f"{destination.registry}/{destination.repository}"
        with _engine_errors(), self._tagged(image, target, tag):
            events = self._client.push(
                target,
                tag=tag,
                stream=True,
                decode=True,
                auth_config={"username": destination.username, "password": destination.password},
            )
            digest = ""
            for event in events:
                digest = _take(event, destination, tally) or digest
        if not digest:
            raise refusal(messages.text("engine.no-digest"), destination)
        return digest

    @contextmanager
    def _tagged(self, image: LocalImage, target: str, tag: str) -> Iterator[None]:
        had = self._has(f"{target}:{tag}")
        self._client.tag(image.id, target, tag)
        try:
            yield
        finally:
            if not had:
                self._untag(f"{target}:{tag}")

    def _has(self, name: str) -> bool:
        from docker import errors

        with suppress(errors.NotFound):
            self._client.inspect_image(name)
            return True
        return False

    def _untag(self, name: str) -> None:
        from docker import errors

        with suppress(errors.APIError):
            self._client.remove_image(name, noprune=True)


def _take(event: dict[str, Any], destination: Destination, tally: Tally) -> str:
    """Note one event of a push; return the digest when the event brings it."""
    if "error" in event:
        raise refusal(str(event["error"]), destination)
    layer, status = str(event.get("id", "")), str(event.get("status", ""))
    detail = event.get("progressDetail") or {}
    if status == "Pushing" and "current" in detail:
        tally.at(layer, sent=int(detail["current"]), size=int(detail.get("total", 0)))
    elif status == "Pushed":
        tally.sent(layer)
    elif status.startswith(("Layer already exists", "Mounted from")):
        tally.had(layer)
    return str((event.get("aux") or {}).get("Digest", ""))


def _places(docker_host: str) -> Iterator[dict[str, Any]]:
    if docker_host:
        yield {"base_url": docker_host}
        return
    from docker import errors
    from docker.context import ContextAPI

    with suppress(errors.DockerException, OSError, ValueError):
        yield ContextAPI.kwargs_from_context()
    for path in _podman_sockets():
        if path.exists():
            yield {"base_url": f"unix://{path}"}


def _podman_sockets() -> list[Path]:
    if os.name == "nt":
        return []
    return [
        Path(f"/run/user/{os.getuid()}/podman/podman.sock"),
        Path("/run/podman/podman.sock"),
    ]


def _answering(options: dict[str, Any]) -> APIClient | None:
    import requests
    from docker import APIClient, errors

    place = str(options.get("base_url") or "")
    if not _listens(place):
        return None
    over_ssh = place.startswith("ssh://")
    options = {**options, "use_ssh_client": over_ssh}
    patience = _OVER_SSH if over_ssh else _SIGN_OF_LIFE
    silent = (errors.DockerException, requests.exceptions.RequestException, OSError, ValueError)
    with suppress(*silent):
        first = APIClient(version="auto", timeout=patience, **options)
        first.close()
        return APIClient(version=first.api_version, timeout=_WORKING, **options)
    return None


def _listens(place: str) -> bool:
    """Return False where nothing listens on a socket file (docker's library would leak its end)."""
    path = re.sub(r"^(http\+)?unix:/*", "/", place)
    if path == place or os.name == "nt":
        return True
    with socket.socket(socket.AF_UNIX) as end, suppress(OSError):
        end.settimeout(_SIGN_OF_LIFE)
        end.connect(path)
        return True
    return False


@contextmanager
def _engine_errors() -> Iterator[None]:
    """Turn what docker's library raises into ours."""
    import requests
    from docker import errors
    from docker.credentials.errors import StoreError

    try:
        yield
    except HandsonError:
        raise
    except StoreError as error:
        raise _failed("engine.credential-store", error) from error
    except errors.APIError as error:
        raise _failed("engine.engine-refused", error) from error
    except errors.DockerException as error:
        key = "credential-store" if "redentials store" in str(error) else "engine-refused"
        raise _failed(f"engine.{key}", error) from error
    except (requests.exceptions.RequestException, json.JSONDecodeError) as error:
        raise _failed("engine.engine-broke-off", error) from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            # The library gathers the build context in a temporary file on this side.
            folder = error.filename or tempfile.gettempdir()
            raise NotReady(*messages.advice("engine.disk-full", folder=folder)) from error
        raise _failed("engine.engine-broke-off", error) from error


def _failed(key: str, error: Exception) -> HandsonError:
    reason = " ".join(str(getattr(error, "explanation", None) or error).split())
    if key == "engine.engine-refused" and "no space left" in reason:
        key = "engine.engine-full"
    kind = InvalidInput if "dockerfile parse error" in reason.lower() else EngineError
    return kind(*messages.advice(key, reason=reason))
