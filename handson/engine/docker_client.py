"""Finds an engine that answers the Docker API, and turns its library's errors into ours.

Candidates in turn: `DOCKER_HOST` alone where it is set; else the docker context (which Docker
Desktop and Colima set), then the sockets that are there.
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import platform
import re
import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handson.core import messages
from handson.core.errors import EngineError, NotReady
from handson.core.files import read_data

if TYPE_CHECKING:
    from docker import APIClient

_FIRST_ANSWER = 5.0  # seconds; milliseconds mostly, but a busy machine or SSH takes its time
_WORKING = 600.0  # seconds of silence while an engine works
_DOCKER = "unix:///var/run/docker.sock"

# Docker's library looks for the user's own logins when it has none.
_NO_LOGINS: dict[str, Any] = {"auths": {"https://index.docker.io/v1/": {}}}

_KNOWN = read_data("handson.engine", "places.toml")


class NothingThere(NotReady):
    """No engine was named, and there is no address at which one could listen."""


def find_docker(docker_host: str = "") -> tuple[APIClient, str, dict[str, str]]:
    """Return a client of the first engine that answers, its address, and how `docker` finds it.

    The last is a part of the docker command's environment.

    Raises:
        NothingThere: Nothing is there at all.
        NotReady: No engine can be used; it tells of the first that was tried, and why.
    """
    failures = []
    for name, place in list_candidates(docker_host):
        try:
            client, where = _connect(name, place)
        # The library raises bare exceptions for contexts, and of any kind for odd settings.
        except Exception as error:
            failures.append(_explain_failure(name, place, error))
        else:
            variable = "DOCKER_CONTEXT" if "context" in name.lower() else "DOCKER_HOST"
            return client, where, {variable: place}
    if failure := next(filter(None, (*failures, explain_config())), None):
        raise failure
    values = {"where": _DOCKER, "reason": os.strerror(errno.ENOENT)}
    raise NothingThere.from_key("engine.docker-stopped", **values)


def list_candidates(docker_host: str = "") -> Iterator[tuple[str, str]]:
    """Give the setting that names an engine and the address or context that it names, in turn.

    The setting is empty for the sockets that are there without being named.
    """
    from docker.context.config import get_current_context_name

    if docker_host:
        yield "DOCKER_HOST", docker_host
        return
    named = os.environ.get("DOCKER_CONTEXT")
    context = str(named or get_current_context_name() or "default")
    if context != "default":
        yield "DOCKER_CONTEXT" if named else "currentContext", context
    user, temporary = getattr(os, "getuid", str)(), tempfile.gettempdir()
    here = {"home": Path.home(), "user": user, "temporary": temporary}
    places = [f"unix://{path.format(**here)}" for path in _KNOWN["sockets"]]
    places += [f"npipe:////./pipe/{name}" for name in _KNOWN["pipes"]]
    # Not Path.exists, which raises where a folder of root's (Podman's) may not be looked into.
    yield from (("", place) for place in places if os.path.exists(_find_path(place)))


def name_product(version: Mapping[str, Any], details: Mapping[str, Any], *, where: str) -> str:
    """Return the product's name from the version and details that an engine reports."""
    components, system = version.get("Components"), details.get("OperatingSystem")
    text = f"{components} {version.get('Platform')} {system} {details.get('Name')} {where}"
    return next(
        (name for sign, name in _KNOWN["products"].items() if sign in text), "Docker Engine"
    )


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


def _find_path(place: str) -> str:
    """Return the path of a socket or a pipe, or an empty string for another address."""
    path = re.sub(r"^(npipe://(?=//)|(http\+)?unix:/*(?=/)|(http\+)?unix:)", "", place)
    return path if path != place else ""


def _connect(name: str, place: str) -> tuple[APIClient, str]:
    from docker import APIClient, utils
    from docker.context import ContextAPI

    options: dict[str, Any] = {"base_url": place}
    if "context" in name.lower():
        options = ContextAPI.kwargs_from_context(place)
    elif name and os.environ.get("DOCKER_TLS_VERIFY") and not _find_path(place):
        options = utils.kwargs_from_env({**os.environ, name: place})
    if not options:
        raise LookupError(messages.text("engine.no-context"))
    where: str = options["base_url"]
    if where.startswith(("unix:", "http+unix:")):
        with socket.socket(socket.AF_UNIX) as probe:  # docker's library would leak one that fails
            probe.connect(_find_path(where))
    # The library would read the user's configuration, and break off where that is malformed.
    proxies = _read_config_without_logins().get("proxies")
    is_malformed = not isinstance(proxies, dict) or {*map(type, proxies.values())} - {dict}
    config = {**_NO_LOGINS, "proxies": {} if is_malformed else proxies}
    unread = property(lambda _: config, lambda *_: None)
    kind: Any = type("Unconfigured", (APIClient,), {"_general_configs": unread})
    ssh = where.startswith("ssh://")
    client = kind(version="auto", timeout=_FIRST_ANSWER, use_ssh_client=ssh, **options)
    client.timeout = _WORKING
    return client, where


def _explain_failure(name: str, place: str, error: Exception) -> NotReady:
    from docker import errors

    hidden = _hide_password(place)
    shown = f"{name} ({hidden})" if name else hidden
    if isinstance(error, errors.TLSParameterError):
        folder = os.environ.get("DOCKER_CERT_PATH") or "~/.docker"
        return NotReady.from_key("engine.docker-certificates", where=shown, folder=folder)
    chain: list[Any] = [error]
    while chain[-1].__context__:
        chain.append(chain[-1].__context__)
    causes: list[Any] = [it for it in chain if isinstance(it, OSError)] or [error]
    cause = next((it for it in causes if hasattr(it, "explanation")), causes[-1])
    if isinstance(cause, PermissionError) and "tcp:" not in place:  # there it is a certificate's
        return NotReady.from_key("engine.docker-forbidden", where=shown)
    reason = (getattr(cause, "strerror", None) or reason_of(cause)).replace(place, hidden)
    reason = re.sub(r"//.*@", "//…@", reason)  # the address of a context
    key = "engine.docker-named" if name else "engine.docker-stopped"
    how = "docker context use default" if name == "currentContext" else f"unset {name}"
    return NotReady.from_key(key, where=shown, reason=reason, how=how)


def explain_config(*, with_stores: bool = False) -> NotReady | None:
    """Return why the logins of the user's docker configuration cannot be read, or None.

    Args:
        with_stores: Ask the credential stores too, which are programs and take their time.
    """
    from docker import auth
    from docker.utils.config import find_config_file

    path = find_config_file()
    try:
        found = json.loads(Path(path).read_text("utf-8")) if path else {}
        logins = auth.AuthConfig.load_config(path, found)
        with warnings.catch_warnings():  # of a missing store, which the error tells as well
            warnings.simplefilter("ignore", UserWarning)
            logins.get_all_credentials() if with_stores else None
    except Exception as error:
        malformed = type(error) in {ValueError, TypeError, AttributeError, KeyError}
        reason = messages.text("engine.config-malformed") if malformed else reason_of(error)
        return NotReady.from_key("engine.docker-config", path=path, reason=reason)
    return None


def _read_config_without_logins() -> dict[str, Any]:
    """Return the user's docker configuration, with a login that has neither name nor password."""
    from docker.utils.config import load_general_config

    found = load_general_config()
    kept = found.items() if isinstance(found, dict) else ()
    logins = {"auths", "credsStore", "credHelpers"}
    return {**{name: value for name, value in kept if name not in logins}, **_NO_LOGINS}


def write_config_without_logins(folder: str) -> str:
    """Write the user's docker configuration into a folder, without its logins."""
    from docker.utils.config import find_config_file

    (Path(folder) / "config.json").write_text(json.dumps(_read_config_without_logins()))
    for name in ("cli-plugins", "contexts"):
        with suppress(OSError):  # Windows lets not everyone make links
            (Path(folder) / name).symlink_to(Path(find_config_file() or "").parent / name)
    return folder


@contextmanager
def translate_docker_errors() -> Iterator[None]:
    """Turn the exceptions of docker's library into ours, each with its remedy."""
    from docker import errors

    try:
        yield
    except errors.DockerException as error:
        reason = reason_of(error)
        key = "engine.refused.engine-full" if "no space left" in reason else "engine.engine-refused"
        raise EngineError.from_key(key, reason=reason) from error
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


def reason_of(error: BaseException) -> str:
    """Return an exception's reason on one line, in the engine's words where it gave some."""
    return " ".join(str(getattr(error, "explanation", None) or error).split())


def api_error() -> type[Exception]:
    """Return the class of docker's errors; the library is loaded when it is first needed."""
    from docker import errors

    kind: type[Exception] = errors.APIError
    return kind
