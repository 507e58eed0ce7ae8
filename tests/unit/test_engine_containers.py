"""Containers that run for a moment, with a client that answers from a script."""

from __future__ import annotations

from typing import Any

import pytest
from docker import errors

from handson.core.errors import EngineError
from handson.core.progress import ignore_progress
from handson.engine.containers import DockerContainers, is_remote
from handson.engine.model import Destination, RunRequest

DIGEST = f"sha256:{'a' * 64}"
NOWHERE = Destination("127.0.0.1:1", "http", "rails-app", "AWS", "secret", "latest")
REQUEST = RunRequest(
    NOWHERE, DIGEST, "rails-app:latest", "me", {"SECRET_KEY_BASE": "s3cret"}, timeout=0.0
)


class Client:
    """Answers as docker's library does; `spoil` names what fails and how."""

    def __init__(self, *, images: dict[str, str] | None = None, **spoil: Any) -> None:
        self.images, self.spoil = images or {}, spoil
        self.made: dict[str, Any] = {}
        self.there: list[str] = ["left"]

    def containers(self, **_options: Any) -> list[dict[str, Any]]:
        return [{"Id": name} for name in self.there]

    def networks(self) -> list[dict[str, str]]:
        return [{"Driver": self.spoil.get("network", "bridge")}]

    def pull(self, name: str, **_options: Any) -> list[dict[str, Any]]:
        self._fail("pull")
        self.images[name] = "sha256:pulled"
        return self.spoil.get("events") or []

    def inspect_image(self, name: str) -> dict[str, Any]:
        if name not in {*self.images, *self.images.values()}:
            raise errors.ImageNotFound(name)
        return {"Id": self.images.get(name, name), "Config": {"ExposedPorts": {"8080/tcp": {}}}}

    def remove_image(self, name: str, *, noprune: bool) -> None:
        if not self.images.pop(name, None):
            raise errors.ImageNotFound(name)

    def create_host_config(self, **options: Any) -> dict[str, Any]:
        return options

    def create_container(self, image: str, **options: Any) -> None:
        self.made = {"image": image, **options}
        self.there.append(options["name"])

    def start(self, _name: str) -> None:
        self._fail("start")

    def inspect_container(self, _name: str) -> dict[str, Any]:
        self._fail("wait")
        ports = {"8080/tcp": [{"HostPort": "1"}]}
        state = {"Running": self.spoil.get("runs", True), "ExitCode": 7}
        return {"State": state, "NetworkSettings": {"Ports": ports}, "Image": "sha256:pulled"}

    def logs(self, _name: str, *, tail: int) -> bytes:
        return str(self.spoil.get("log", "")).encode()

    def remove_container(self, name: str, **_options: Any) -> None:
        self.there.remove(name)

    def _fail(self, what: str) -> None:
        if what in self.spoil:
            raise self.spoil[what]


def refused(text: str) -> errors.APIError:
    return errors.APIError("no", explanation=text)


FAILURES: list[tuple[dict[str, Any], str]] = [
    ({"runs": False}, "終了コード 7"),
    ({"runs": False, "log": "first\n\x1b[31mlast\x1b[0m"}, "│ last"),
    ({}, "応答がありません"),
    ({"log": "Listening on http://127.0.0.1:3000"}, "コンテナの中からの接続だけ"),
    ({"log": "Listening on http://0.0.0.0:3000"}, "応答がありません"),
    ({"runs": False, "log": "exec /bin/x: exec format error"}, "違うプラットフォーム"),
    ({"start": refused("exec user process caused: exec format error")}, "違うプラットフォーム"),
    ({"start": refused("no such file: bundle")}, "│ no such file: bundle"),
    ({"runs": False, "log": "Missing `secret_key_base`"}, "秘密の値"),
    ({"runs": False, "log": "Errno::EADDRINUSE"}, "すでに使われています"),
    ({"pull": refused("toomanyrequests")}, "取り出せません: toomanyrequests"),
    ({"events": [{"error": "unexpected EOF"}]}, "取り出せません: unexpected EOF"),
]


def failed(said: str | None, kind: type[BaseException] = EngineError, **spoil: Any) -> Client:
    """Return the client of an attempt that fails like this."""
    client = Client(**spoil)
    running = DockerContainers(client, where="").run(REQUEST, say=ignore_progress)
    with pytest.raises(kind, match=said) as error, running:
        pass
    assert "s3cret" not in f"{error.value}{REQUEST}"
    return client


def test_each_failure_is_recognised_and_leaves_nothing() -> None:
    assert [spoil for spoil, said in FAILURES if failed(said, **spoil).there] == []


@pytest.mark.parametrize("step", ["pull", "start", "wait"])
def test_an_interrupt_at_any_step_leaves_nothing(step: str) -> None:
    client = failed(None, KeyboardInterrupt, **{step: KeyboardInterrupt()})
    assert (client.there, client.images) == ([], {})


def test_a_port_is_published_on_loopback_alone_or_is_a_free_one_without_a_bridge() -> None:
    made = failed("終わりました", runs=False).made["host_config"]
    assert made["port_bindings"] == {8080: ("127.0.0.1",)}
    assert made.get("network_mode") is None
    made = failed("終わりました", runs=False, network="host").made
    assert made["host_config"]["network_mode"] == "host"
    assert made["environment"]["PORT"] not in ("0", "3000", "8080")


def test_where_the_registry_is_out_of_reach_the_same_image_here_is_run() -> None:
    unreached = refused("connection refused")
    client = failed("終わりました", pull=unreached, images={"x": DIGEST}, runs=False)
    assert (client.made["image"], client.images) == (DIGEST, {"x": DIGEST})


def test_an_engine_on_another_computer_is_known_by_its_address() -> None:
    pipe, socket = "npipe:////./pipe/docker_engine", "unix:///var/run/docker.sock"
    here = ["", socket, pipe, "tcp://127.0.0.1:2375", "tcp://LOCALHOST:2375"]
    remote = ["tcp://10.0.0.1:2375", "tcp://localhost.example.org:2375", "ssh://me@build"]
    assert [where for where in here if is_remote(where)] == []
    assert [where for where in [*remote, "ssh://localhost"] if not is_remote(where)] == []
