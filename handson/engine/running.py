"""Containers that run for a moment: pulled by digest, started, asked over HTTP, and gone again.

    started      a container of an image in a registry, while a block lasts
    tagged       the same image under another name, while a block lasts

A container's port is published on 127.0.0.1 alone.  An engine without a bridge network can publish
nothing: there the container shares the machine's own network, on a free port.
"""

from __future__ import annotations

import http.client
import re
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from handson.core import messages
from handson.core.errors import EngineError, HandsonError, WaitTimeout
from handson.core.progress import Say
from handson.core.waiting import wait_until
from handson.engine.model import FetchPath, HttpAnswer, RunningContainer, RunRequest
from handson.engine.registry_client import list_content_digests

if TYPE_CHECKING:
    from docker import APIClient

LABEL = "io.handson.run"
"""The label of a container that runs for a moment; its value says for whom."""

UP = "/up"
PORT = 3000
"""Where Rails listens when an image does not say."""

_LOOPBACK = "127.0.0.1"
_LARGEST = 2_000_000  # bytes of one answer
_GONE = -1
_LAST_LINES = 6
_PATIENCE = 5.0  # seconds for one answer

# Asked inside the container, where its port cannot be reached from here.
_RUBY = (
    "r = Net::HTTP.get_response(URI(ARGV[0])); $stdout.binmode; "
    'print r.code, "\\n", r["content-type"].to_s, "\\n"; print r.body'
)
_KNOWN_TROUBLE = (
    (
        "run-platform",
        r"exec format error|no matching manifest|does not match the (?:specified|det)",
    ),
    ("run-secret", r"secret_key_base|RAILS_MASTER_KEY|MissingKeyError"),
    ("run-port", r"address already in use|EADDRINUSE"),
    ("run-loopback", r"listening on \S*(?:127\.0\.0\.1|localhost|\[::1\]):"),
)


@contextmanager
def started(
    client: APIClient, request: RunRequest, *, remote: bool, say: Say
) -> Iterator[RunningContainer]:
    """Give a container that answers; it is removed when the block ends, however it ends.

    Args:
        client: The engine.
        request: Which image, told what.
        remote: The engine is another computer: its loopback port cannot be reached from here.
        say: Told what is going on.

    Raises:
        EngineError: It cannot be pulled or started, ended by itself, or does not answer; with the
            last lines of its log and what to do.
    """
    remove_labelled(client, [f"{LABEL}={request.owner}"])
    name = f"handson-run-{secrets.token_hex(6)}"
    with pulled(client, request, say=say) as (image, from_here), _removed(client, name):
        say(messages.text("engine.starting", name=request.name))
        port = _create(client, image, name, request)
        began = time.monotonic()
        try:
            client.start(name)
        except _api_error() as error:
            raise trouble(client, name, request.name, said=_reason(error)) from error
        ask = _asking(client, name, port, remote=remote)
        wait_for_answer(client, name, ask, what=request.name, timeout=request.timeout)
        yield RunningContainer(ask, time.monotonic() - began, from_here)


@contextmanager
def pulled(client: APIClient, request: RunRequest, *, say: Say) -> Iterator[tuple[str, bool]]:
    """Give the image's name in the engine, and whether it was here already for want of a pull.

    What the pull added is taken away when the block ends.

    Raises:
        EngineError: It cannot be pulled, and no image with the same content is here.
    """
    reference = request.reference
    had = _image_id(client, reference)
    try:
        _pull(client, request, say=say)
    except EngineError:
        local = next(filter(None, (_image_id(client, it) for it in _contents(request))), "")
        if not local:
            raise
        say(messages.text("engine.from-here", name=request.name))
        yield local, True
        return
    try:
        yield reference, False
    finally:
        if not had:
            untag(client, reference)


@contextmanager
def tagged(client: APIClient, request: RunRequest, name: str, *, say: Say) -> Iterator[None]:
    """Have the image of a request under `name` (with its tag) as well, while the block lasts."""
    repository, _, tag = name.rpartition(":")
    before = _image_id(client, name)
    with pulled(client, request, say=say) as (image, _):
        client.tag(image, repository, tag, force=True)
        try:
            yield
        finally:
            untag(client, name)
            if before:
                client.tag(before, repository, tag, force=True)


def remove_labelled(client: APIClient, labels: Sequence[str]) -> int:
    """Remove every container that has all the labels, and return how many there were."""
    found = labelled(client, labels)
    for container in found:
        _remove(client, container)
    return len(found)


def labelled(client: APIClient, labels: Sequence[str]) -> list[str]:
    """Return the ids of the containers that have all the labels, running or not."""
    found = client.containers(all=True, filters={"label": list(labels)})
    return [str(container["Id"]) for container in found]


def wait_for_answer(
    client: APIClient, container: str, ask: FetchPath, *, what: str, timeout: float
) -> None:
    """Return when a container answers at `/up` (or anywhere, where it has no such page).

    Raises:
        EngineError: It ended, or did not answer in time.
    """

    def look() -> int:
        if not client.inspect_container(container)["State"]["Running"]:
            return _GONE
        answer = ask(UP)
        return answer.status if answer else 0

    try:
        seen = wait_until(
            look,
            done=lambda status: status == _GONE or 0 < status < 500,
            what=what,
            timeout=timeout,
            interval=0.1,
            factor=1.2,
        )
    except WaitTimeout as error:
        raise trouble(client, container, what, timeout=timeout) from error
    if seen == _GONE:
        raise trouble(client, container, what)


def trouble(
    client: APIClient, container: str, name: str, *, said: str = "", timeout: float | None = None
) -> EngineError:
    """Return why a container does not serve: what its log or the engine says, recognised.

    Args:
        client: The engine.
        container: Its id or name.
        name: The image's name for people.
        said: What the engine said when it refused to start it.
        timeout: The seconds it did not answer in; None when it ended.
    """
    lines = _log(client, container)
    text = "\n".join([said, *lines])
    if timeout is None:
        general = "run-exited"
        how = messages.text("engine.ended", code=_exit_code(client, container))
    else:
        general = "run-silent"
        how = messages.text("engine.not-answering", seconds=f"{timeout:g}")
    key = next((key for key, sign in _KNOWN_TROUBLE if re.search(sign, text, re.I)), general)
    output = "".join(f"\n    │ {line}" for line in text.splitlines() if line)
    values = {"name": name, "how": how, "output": output}
    return EngineError(*messages.advice(f"engine.{key}", **values))


def ask_over_http(
    host: str, port: int, path: str, *, patience: float = _PATIENCE
) -> HttpAnswer | None:
    """Return the answer of a server to one GET, redirects not followed; None without one."""
    connection = http.client.HTTPConnection(host, port, timeout=patience)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return HttpAnswer(answer.status, answer.headers.get_content_type(), answer.read(_LARGEST))
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def ask_inside(client: APIClient, container: str, port: int, path: str) -> HttpAnswer | None:
    """Return the answer to one GET made inside the container, by its own Ruby; None without one."""
    command = ["ruby", "-rnet/http", "-e", _RUBY, f"http://{_LOOPBACK}:{port}{path}"]
    with suppress(_api_error()):
        made = client.exec_create(container, command, stderr=False)
        output = client.exec_start(made["Id"])
        if client.exec_inspect(made["Id"])["ExitCode"] == 0:
            status, media_type, body = bytes(output).split(b"\n", 2)
            kind = media_type.decode("latin-1").partition(";")[0].strip()
            return HttpAnswer(int(status), kind, body[:_LARGEST])
    return None


def port_of(client: APIClient, image: str) -> int:
    """Return the first TCP port that an image exposes, or the one that Rails takes."""
    exposed = (client.inspect_image(image).get("Config") or {}).get("ExposedPorts") or {}
    ports = sorted(int(it.partition("/")[0]) for it in exposed if not it.endswith("/udp"))
    return ports[0] if ports else PORT


def has_bridge(client: APIClient) -> bool:
    """Tell whether the engine has a network of its own to publish ports from."""
    return any(network.get("Driver") == "bridge" for network in client.networks())


def untag(client: APIClient, name: str) -> None:
    """Take a name away from an image; content when it is gone."""
    with suppress(_api_error()):
        client.remove_image(name, noprune=True)


def _create(client: APIClient, image: str, name: str, request: RunRequest) -> int:
    """Create the container; return its port: its own, or the machine's where nothing bridges."""
    bridged = has_bridge(client)
    port = port_of(client, image) if bridged else _free_port()
    if bridged:
        options: dict[str, Any] = {"port_bindings": {port: (_LOOPBACK,)}}
    else:
        options = {"network_mode": "host"}
    client.create_container(
        image,
        name=name,
        ports=[port] if bridged else None,
        environment={**request.environment, "PORT": str(port)},
        labels={LABEL: request.owner},
        host_config=client.create_host_config(security_opt=["no-new-privileges"], **options),
    )
    return port


def _asking(client: APIClient, name: str, port: int, *, remote: bool) -> FetchPath:
    if remote:
        return lambda path: ask_inside(client, name, port, path)
    found = (client.inspect_container(name)["NetworkSettings"].get("Ports") or {}).get(
        f"{port}/tcp"
    )
    published = int(found[0]["HostPort"]) if found else port
    return lambda path: ask_over_http(_LOOPBACK, published, path)


def _pull(client: APIClient, request: RunRequest, *, say: Say) -> None:
    source = request.source
    said = ""
    try:
        events = client.pull(
            request.reference,
            auth_config={"username": source.username, "password": source.password},
            stream=True,
            decode=True,
        )
        for event in events:
            said = str(event.get("error", "")) or said
            say(" ".join(str(event[it]) for it in ("id", "status", "progress") if event.get(it)))
    except _api_error() as error:
        said = _reason(error)
    if said:
        values = {"name": request.name, "registry": source.registry, "reason": said}
        raise EngineError(*messages.advice("engine.pull-failed", **values))


def _contents(request: RunRequest) -> list[str]:
    """Return the ids under which an engine may have the image's content already."""
    with suppress(HandsonError):
        return [request.digest, *list_content_digests(request.source, request.digest)]
    return [request.digest]


def _image_id(client: APIClient, name: str) -> str:
    with suppress(_api_error()):
        return str(client.inspect_image(name)["Id"])
    return ""


@contextmanager
def _removed(client: APIClient, name: str) -> Iterator[None]:
    try:
        yield
    finally:
        _remove(client, name)


def _remove(client: APIClient, container: str) -> None:
    with suppress(_api_error()):
        client.remove_container(container, force=True, v=True)


def _log(client: APIClient, container: str) -> list[str]:
    with suppress(_api_error()):
        text = bytes(client.logs(container, tail=40)).decode("utf-8", "replace")
        lines = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()]
        return [line[:160] for line in lines if line.strip()][-_LAST_LINES:]
    return []


def _exit_code(client: APIClient, container: str) -> int:
    with suppress(_api_error(), KeyError):
        return int(client.inspect_container(container)["State"]["ExitCode"])
    return 0


def _free_port() -> int:
    with socket.socket() as end:
        end.bind((_LOOPBACK, 0))
        return int(end.getsockname()[1])


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "explanation", None) or error).split())


def _api_error() -> type[Exception]:
    from docker import errors

    kind: type[Exception] = errors.APIError
    return kind
