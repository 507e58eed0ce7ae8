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
NOWHERE = Destination("127.0.0.1:1", "http", "rails-app", "AWS", "secret")
REQUEST = RunRequest(
    NOWHERE, DIGEST, "rails-app:latest", "me", {"SECRET_KEY_BASE": "s3cret"}, timeout=0.0
)


class Client:
    """Answers as docker's library does; `spoil` names what fails and how."""

    def __init__(self, *, bridge: bool = True, log: str = "", **spoil: Any) -> None:
        self.bridge, self.log, self.spoil = bridge, log, spoil
        self.images = dict(spoil.pop("images", {}))
        self.made: dict[str, Any] = {}
        self.there: list[str] = ["left"]
        self.calls: list[str] = []

    def containers(self, **_options: Any) -> list[dict[str, Any]]:
        return [{"Id": name} for name in self.there]

    def networks(self) -> list[dict[str, str]]:
        return [{"Driver": "bridge" if self.bridge else "host"}]

    def pull(self, name: str, **_options: Any) -> list[dict[str, Any]]:
        self._fail("pull")
        self.images[name] = "sha256:pulled"
        return self.spoil.get("events") or []

    def inspect_image(self, name: str) -> dict[str, Any]:
        if name not in self.images and name not in self.images.values():
            raise errors.ImageNotFound(name)
        return {"Id": self.images.get(name, name), "Config": {"ExposedPorts": {"8080/tcp": {}}}}

    def remove_image(self, name: str, *, noprune: bool) -> None:
        if name not in self.images:
            raise errors.ImageNotFound(name)
        del self.images[name]

    def create_host_config(self, **options: Any) -> dict[str, Any]:
        return options

    def create_container(self, image: str, **options: Any) -> None:
        self.made = {"image": image, **options}
        self.there.append(options["name"])

    def start(self, _name: str) -> None:
        self._fail("start")

    def inspect_container(self, _name: str) -> dict[str, Any]:
        ports = {"8080/tcp": [{"HostPort": "1"}]}
        state = {"Running": self.spoil.get("runs", True), "ExitCode": 7}
        return {"State": state, "NetworkSettings": {"Ports": ports}, "Image": "sha256:pulled"}

    def logs(self, _name: str, *, tail: int) -> bytes:
        return self.log.encode()

    def remove_container(self, name: str, **_options: Any) -> None:
        self.there.remove(name)

    def _fail(self, what: str) -> None:
        if what in self.spoil:
            raise self.spoil[what]


def attempt(client: Any) -> None:
    with DockerContainers(client, where="").run(REQUEST, say=ignore_progress):
        pass


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


def test_each_failure_is_recognised_and_leaves_nothing() -> None:
    for spoil, said in FAILURES:
        client = Client(**spoil)
        with pytest.raises(EngineError, match=said) as failed:
            attempt(client)
        assert client.there == [], spoil
        assert "s3cret" not in f"{failed.value}{REQUEST}"


@pytest.mark.parametrize("step", ["pull", "start"])
def test_an_interrupt_at_any_step_leaves_nothing(step: str) -> None:
    client = Client(**{step: KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        attempt(client)
    assert (client.there, client.images) == ([], {})


def test_a_port_is_published_on_loopback_alone() -> None:
    client = Client(runs=False)
    with pytest.raises(EngineError):
        attempt(client)
    made = client.made["host_config"]
    assert made["port_bindings"] == {8080: ("127.0.0.1",)}
    assert made.get("network_mode") is None


def test_without_a_bridge_the_container_takes_a_free_port_of_the_machine() -> None:
    client = Client(bridge=False, runs=False)
    with pytest.raises(EngineError):
        attempt(client)
    assert client.made["host_config"]["network_mode"] == "host"
    assert client.made["environment"]["PORT"] not in ("0", "3000", "8080")


def test_where_the_registry_is_out_of_reach_the_same_image_here_is_run() -> None:
    client = Client(pull=refused("connection refused"), images={"x": DIGEST}, runs=False)
    with pytest.raises(EngineError, match="終わりました"):
        attempt(client)
    assert (client.made["image"], client.images) == (DIGEST, {"x": DIGEST})


def test_an_engine_on_another_computer_is_known_by_its_address() -> None:
    remote = {
        "": False,
        "unix:///var/run/docker.sock": False,
        "npipe:////./pipe/docker_engine": False,
        "tcp://127.0.0.1:2375": False,
        "tcp://LOCALHOST:2375": False,
        "tcp://10.0.0.1:2375": True,
        "tcp://localhost.example.org:2375": True,
        "ssh://me@build": True,
        "ssh://localhost": True,
    }
    assert {where: is_remote(where) for where in remote} == remote
