"""Runs a container for a moment: pulled by digest, started, asked over HTTP, removed again.

A container's port is published on 127.0.0.1 alone.  An engine without a bridge network publishes
nothing: there the container shares the machine's own network, on a free port.
"""

from __future__ import annotations

import http.client
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING

from handson.core import messages
from handson.core.errors import EngineError, HandsonError, WaitTimeout
from handson.core.progress import Say
from handson.core.waiting import wait_until
from handson.engine import docker_client
from handson.engine.docker_events import describe_event, indent_output, strip_colours
from handson.engine.model import FetchPath, HttpAnswer, RunningContainer, RunRequest
from handson.engine.registry_client import RegistryClient, name_cause

if TYPE_CHECKING:
    from docker import APIClient

RUN_LABEL = "io.handson.run"
"""The label of a container that runs for a moment; its value names the owner."""

_RAILS_PORT = 3000  # for an image that exposes none
_LOOPBACK = "127.0.0.1"
_LARGEST_ANSWER = 2_000_000  # bytes
_PATIENCE = 5.0  # seconds for one answer
_LAST_LINES = 6

# An address on another computer; a virtual machine's engine has a socket on this one.
_REMOTE = re.compile(
    r"ssh://|(tcp|https?)://(?!([^@/]*@)?(localhost|127(\.\d+){3}|\[::1\])(:|/|$))", re.IGNORECASE
)

# Asked inside the container, where its port cannot be reached from here.
_RUBY = (
    "r = Net::HTTP.get_response(URI(ARGV[0])); $stdout.binmode; "
    'print r.code, "\\n", r["content-type"].to_s, "\\n"; print r.body'
)


class DockerContainers:
    """Runs containers for a moment on an engine that answers the Docker API.

    Args:
        client: The engine.
        where: Its address, or empty for docker's own default.
    """

    def __init__(self, client: APIClient, *, where: str) -> None:
        self._client = client
        self._is_remote = is_remote(where)

    @contextmanager
    def run(self, request: RunRequest, *, say: Say) -> Iterator[RunningContainer]:
        """Give a container of an image in a registry that answers; the block's end removes it.

        Raises:
            EngineError: It cannot be pulled or started, ended by itself, or does not answer; with
                the last lines of its log and what to do.
        """
        name = f"handson-run-{secrets.token_hex(6)}"
        with docker_client.translate_docker_errors(), ExitStack() as cleanup:
            self.sweep(request.owner)
            image = self._pull(request, cleanup, say=say)
            cleanup.callback(self._remove, name)
            say(messages.text("engine.starting", name=request.name))
            port = self._create(image, name, request)
            began = time.monotonic()
            try:
                self._client.start(name)
            except docker_client.api_error() as error:
                raise self._explain(name, request, reason=docker_client.reason_of(error)) from error
            fetch = self._choose_fetch(name, port)
            self._wait_for_answer(name, fetch, request)
            is_local = image != request.reference
            yield RunningContainer(fetch, time.monotonic() - began, is_local)

    def sweep(self, owner: str) -> None:
        """Remove the containers that were left running for `owner`."""
        with docker_client.translate_docker_errors():
            label = {"label": [f"{RUN_LABEL}={owner}"]}
            for container in self._client.containers(all=True, filters=label):
                self._remove(container["Id"])

    def _pull(self, request: RunRequest, cleanup: ExitStack, *, say: Say) -> str:
        """Return the image's name in the engine; `cleanup` takes away what the pull adds.

        An engine that cannot pull may hold the same image under its id.
        """
        if not docker_client.has_image(self._client, request.reference):
            cleanup.callback(docker_client.remove_tag, self._client, request.reference)
        source, reason = request.source, ""
        try:
            events = self._client.pull(
                request.reference, auth_config=source.login, stream=True, decode=True
            )
            for event in events:
                reason = str(event.get("error", "")) or reason
                say(describe_event(event))
        except docker_client.api_error() as error:
            reason = docker_client.reason_of(error)
        if not reason:
            return request.reference
        for image in _list_ids(request):
            if docker_client.has_image(self._client, image):
                say(messages.text("engine.from-here", name=request.name))
                return image
        values = {"name": request.name, "registry": source.registry, "reason": reason}
        raise EngineError.from_key("engine.pull-failed", **values)

    def _create(self, image: str, name: str, request: RunRequest) -> int:
        """Create the container; return its port, or the machine's where there is no bridge."""
        has_bridge = any(it.get("Driver") == "bridge" for it in self._client.networks())
        port = self._find_port(image) if has_bridge else _find_free_port()
        ports = {port: (_LOOPBACK,)}
        options = {"port_bindings": ports} if has_bridge else {"network_mode": "host"}
        host = self._client.create_host_config(security_opt=["no-new-privileges"], **options)
        self._client.create_container(
            image,
            name=name,
            ports=list(ports) if has_bridge else [],
            environment={**request.environment, "PORT": str(port)},
            labels={RUN_LABEL: request.owner},
            host_config=host,
        )
        return port

    def _find_port(self, image: str) -> int:
        exposed = (self._client.inspect_image(image).get("Config") or {}).get("ExposedPorts") or {}
        ports = [int(it.partition("/")[0]) for it in exposed if not it.endswith("/udp")]
        return min(ports, default=_RAILS_PORT)

    def _choose_fetch(self, name: str, port: int) -> FetchPath:
        if self._is_remote:
            return lambda path: self._fetch_inside(name, port, path)
        ports = self._client.inspect_container(name)["NetworkSettings"].get("Ports") or {}
        published = ports.get(f"{port}/tcp")
        outside = int(published[0]["HostPort"]) if published else port
        return lambda path: _fetch_over_http(outside, path)

    def _wait_for_answer(self, name: str, fetch: FetchPath, request: RunRequest) -> None:
        """Return when a container answers at `/up`, or anywhere where it has no such page."""

        def is_answering() -> bool:
            if not self._client.inspect_container(name)["State"]["Running"]:
                raise self._explain(name, request)
            answer = fetch("/up")
            return answer is not None and answer.status < 500

        try:
            wait_until(
                is_answering, done=bool, what=request.name, timeout=request.timeout, factor=1.2
            )
        except WaitTimeout as error:
            raise self._explain(name, request, ended=False) from error

    def _explain(
        self, name: str, request: RunRequest, *, reason: str = "", ended: bool = True
    ) -> EngineError:
        """Return why a container does not serve, by its log or by the engine's `reason`."""
        text = "\n".join([reason, *self._read_log(name)])
        how = messages.text("engine.not-answering", seconds=f"{request.timeout:g}")
        if ended:
            code = self._client.inspect_container(name)["State"].get("ExitCode", 0)
            how = messages.text("engine.ended", code=code)
        cause = name_cause("run", text) or ("exited" if ended else "silent")
        output = indent_output(filter(None, text.splitlines()))
        values = {"name": request.name, "how": how, "output": output}
        return EngineError(*messages.advice_of("engine.run", cause, **values))

    def _read_log(self, name: str) -> list[str]:
        with suppress(docker_client.api_error()):
            text = bytes(self._client.logs(name, tail=40)).decode("utf-8", "replace")
            lines = [line.rstrip()[:160] for line in strip_colours(text).splitlines()]
            return [line for line in lines if line][-_LAST_LINES:]
        return []

    def _fetch_inside(self, name: str, port: int, path: str) -> HttpAnswer | None:
        """Return the answer to one GET made inside the container by its own Ruby, if any."""
        command = ["ruby", "-rnet/http", "-e", _RUBY, f"http://{_LOOPBACK}:{port}{path}"]
        with suppress(docker_client.api_error()):
            made = self._client.exec_create(name, command, stderr=False)
            output = self._client.exec_start(made["Id"])
            if self._client.exec_inspect(made["Id"])["ExitCode"] == 0:
                status, media_type, body = bytes(output).split(b"\n", 2)
                kind = media_type.decode("latin-1").partition(";")[0].strip()
                return HttpAnswer(int(status), kind, body[:_LARGEST_ANSWER])
        return None

    def _remove(self, container: str) -> None:
        with suppress(docker_client.api_error()):
            self._client.remove_container(container, force=True, v=True)


def is_remote(where: str) -> bool:
    """Tell whether an engine's address is another computer's."""
    return bool(_REMOTE.match(where))


def _list_ids(request: RunRequest) -> list[str]:
    """Return the ids under which an engine may hold the image's content already."""
    found = [request.digest]
    with suppress(HandsonError):
        images = RegistryClient(request.source).fetch_images(request.digest)
        found += [*images, *(image["config"]["digest"] for image in images.values())]
    return found


def _fetch_over_http(port: int, path: str) -> HttpAnswer | None:
    """Return the answer to one GET, redirects not followed; None without one."""
    connection = http.client.HTTPConnection(_LOOPBACK, port, timeout=_PATIENCE)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", path)
        answer = connection.getresponse()
        content = answer.read(_LARGEST_ANSWER)
        return HttpAnswer(answer.status, answer.headers.get_content_type(), content)
    return None


def _find_free_port() -> int:
    with socket.create_server((_LOOPBACK, 0)) as end:
        return int(end.getsockname()[1])
