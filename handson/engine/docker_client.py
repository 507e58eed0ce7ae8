"""Finds an engine that answers the Docker API, and turns its library's errors into ours.

Candidates in turn: `DOCKER_HOST` alone where it is set; else the current docker context (which
Docker Desktop and Colima set), then the sockets of the engines that a context does not know.
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handson.core.errors import EngineError, InvalidInput, NotReady

if TYPE_CHECKING:
    from docker import APIClient

_FIRST_ANSWER = 5.0  # seconds; milliseconds mostly, but a busy machine or SSH takes its time
_WORKING = 600.0  # seconds of silence while an engine works
_PODMAN_ON_WINDOWS = "npipe:////./pipe/podman-machine-default"

# The words by which an engine is known; the first that fit are the answer.
_PRODUCTS = {
    "Podman Engine": "Podman",
    "Docker Desktop": "Docker Desktop",
    "OrbStack": "OrbStack",
    "colima": "Colima",
}


def find_docker(docker_host: str = "") -> tuple[APIClient, str]:
    """Return a client of the first engine that answers, and its address.

    Raises:
        NotReady: Nothing answers the Docker API within a few seconds.
    """
    tried = []
    for options in list_candidates(docker_host):
        where = str(options.get("base_url", ""))
        if client := _connect(options):
            return client, _hide_password(where)
        tried.append(where)
    where = docker_host or next((place for place in tried if place), "docker")
    raise NotReady.from_key("engine.docker-stopped", where=_hide_password(where))


def list_candidates(docker_host: str = "") -> Iterator[dict[str, Any]]:
    """Give the options of docker's client for each address where an engine may listen."""
    if docker_host:
        yield {"base_url": docker_host}
        return
    yield _read_context()
    if os.name == "nt":
        yield {"base_url": _PODMAN_ON_WINDOWS}
        return
    home, runtime = Path.home(), Path(f"/run/user/{os.getuid()}")
    sockets = [
        home / ".docker/run/docker.sock",  # Docker Desktop on macOS
        home / ".docker/desktop/docker.sock",  # Docker Desktop on Linux
        home / ".colima/default/docker.sock",
        home / ".config/colima/default/docker.sock",
        runtime / "docker.sock",  # Docker without root
        runtime / "podman/podman.sock",
        Path("/run/podman/podman.sock"),
        Path(tempfile.gettempdir()) / "podman/podman-machine-default-api.sock",  # on macOS
    ]
    yield from ({"base_url": f"unix://{path}"} for path in sockets if path.exists())


def name_product(version: Mapping[str, Any], details: Mapping[str, Any], *, where: str) -> str:
    """Return the product's name from the version and details that an engine reports."""
    components, system = version.get("Components"), details.get("OperatingSystem")
    text = f"{components} {version.get('Platform')} {system} {details.get('Name')} {where}"
    return next((name for sign, name in _PRODUCTS.items() if sign in text), "Docker Engine")


def measure_free_disk(client: APIClient, details: Mapping[str, Any], *, podman: bool) -> int | None:
    """Return the free bytes of the disk where an engine keeps its images, or None.

    Docker reports only the folder, which exists here where the engine shares this machine's
    kernel, not in a virtual machine (Docker Desktop, Colima).  Podman reports the size as well.
    """
    with suppress(OSError, ValueError, KeyError):
        if details["KernelVersion"] == platform.release():
            return shutil.disk_usage(details["DockerRootDir"]).free
        if podman:
            store = client.get(f"{client.base_url}/v4.0.0/libpod/info").json()["store"]
            return int(store["graphRootAllocated"]) - int(store["graphRootUsed"])
    return None


def _hide_password(place: str) -> str:
    """Return an engine's address without the password in it."""
    return re.sub(r"^([\w+]+://)?[^/@]*:(?!//).*@", r"\1…@", place)


def _read_context() -> dict[str, Any]:
    """Return the current context's options; empty, for the system's socket, without a context."""
    from docker.context import ContextAPI

    # An unreadable context file makes docker's library raise a bare Exception.
    with suppress(Exception):
        found: dict[str, Any] = ContextAPI.kwargs_from_context()
        return found
    return {}


def _connect(options: dict[str, Any]) -> APIClient | None:
    from docker import APIClient, errors

    place = str(options.get("base_url") or "")
    path = re.sub(r"^(http\+)?unix:/*", "/", place)
    if path != place and not Path(path).exists():  # docker's library would leak a socket
        return None
    options = {**options, "use_ssh_client": place.startswith("ssh://")}
    with suppress(errors.DockerException, OSError, ValueError):
        client = APIClient(version="auto", timeout=_FIRST_ANSWER, **options)
        client.timeout = _WORKING
        return client
    return None


@contextmanager
def translate_docker_errors() -> Iterator[None]:
    """Turn the exceptions of docker's library into ours, each with its remedy."""
    from docker import errors

    try:
        yield
    except errors.DockerException as error:
        reason = reason_of(error)
        full = "no space left" in reason
        key = "engine.engine-full" if full else "engine.engine-refused"
        kind = InvalidInput if "dockerfile parse error" in reason.lower() else EngineError
        raise kind.from_key(key, reason=reason) from error
    # Errors of requests are OSErrors; an answer read in parts breaks off with an HTTPException.
    except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            # The library gathers the build context in a temporary file on this side.
            folder = error.filename or tempfile.gettempdir()
            raise NotReady.from_key("engine.disk-full", folder=folder) from error
        raise EngineError.from_key("engine.engine-broke-off", reason=reason_of(error)) from error


def has_image(client: APIClient, name: str) -> bool:
    """Tell whether an engine has an image under a name or an id."""
    with suppress(api_error()):
        return bool(client.inspect_image(name))
    return False


def remove_tag(client: APIClient, name: str) -> None:
    """Remove a tag from an image, and the image if it has no other; keep the layers below it."""
    with suppress(api_error()):
        client.remove_image(name, noprune=True)


def reason_of(error: Exception) -> str:
    """Return an exception's reason on one line, in the engine's words where it gave some."""
    return " ".join(str(getattr(error, "explanation", None) or error).split())


def api_error() -> type[Exception]:
    """Return the class of docker's errors; the library is loaded when it is first needed."""
    from docker import errors

    kind: type[Exception] = errors.APIError
    return kind
