"""Where an engine may listen, which one is taken, and what it says about itself."""

from __future__ import annotations

import json
import platform
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from handson import engine
from handson.core.errors import NotReady
from handson.engine import docker_client
from handson.engine.model import EngineInfo

DOCKER = {
    "version": {"ApiVersion": "1.41", "Version": "20.10", "Os": "linux", "Arch": "amd64"},
    "info": {"KernelVersion": "another", "DockerRootDir": "/var/lib/docker", "Name": "vm"},
}
PODMAN = {
    "version": {**DOCKER["version"], "Components": [{"Name": "Podman Engine"}]},
    "info": DOCKER["info"],
    "libpod/info": {"store": {"graphRootAllocated": 1000, "graphRootUsed": 400}},
}

Answers = dict[str, dict[str, Any]]


class Daemon(BaseHTTPRequestHandler):
    """Just enough of the Docker API to be recognised."""

    answers: Answers

    def log_message(self, *_arguments: Any) -> None: ...

    def do_GET(self) -> None:
        names = sorted(self.answers, key=len, reverse=True)
        asked = next((name for name in names if self.path.endswith(f"/{name}")), "")
        body = json.dumps(self.answers.get(asked, {})).encode()
        self.send_response(200 if asked else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def answering(answers: Answers) -> Iterator[str]:
    handler = type("Bound", (Daemon,), {"answers": answers})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def daemon() -> Iterator[str]:
    with answering(DOCKER) as address:
        yield address


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def nowhere(tmp_path: Path) -> str:
    return f"unix://{tmp_path / 'docker.sock'}"


def described(answers: Answers) -> EngineInfo:
    with answering(answers) as address:
        return engine.choose_engine("docker", docker_host=address).describe()


# choose_engine


def test_docker_that_was_asked_for_and_does_not_answer_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=r"docker\.sock"):
        engine.choose_engine("docker", docker_host=nowhere(tmp_path))


def test_auto_takes_builtin_where_docker_does_not_answer_but_not_on_real_aws(
    tmp_path: Path,
) -> None:
    assert engine.choose_engine("auto", docker_host=nowhere(tmp_path)).name == "builtin"
    assert engine.choose_engine("builtin", real_aws=True).name == "builtin"
    with pytest.raises(NotReady, match="builtin"):
        engine.choose_engine("auto", real_aws=True, docker_host=nowhere(tmp_path))


def test_auto_takes_docker_where_it_answers(daemon: str) -> None:
    found = engine.choose_engine("auto", docker_host=daemon).describe()
    assert (found.name, found.product, found.version) == ("docker", "Docker Engine", "20.10")
    assert found.platform == "linux/amd64"


# find_docker, list_candidates


def test_the_current_docker_context_is_asked(daemon: str, home: Path) -> None:
    use_context(home, "desktop-linux", daemon)
    client, where = docker_client.find_docker()
    client.close()
    assert where == daemon


def use_context(home: Path, name: str, host: str) -> None:
    """Do what `docker context create NAME` and `docker context use NAME` leave behind."""
    from hashlib import sha256

    meta = home / ".docker" / "contexts" / "meta" / sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
    described = {"Name": name, "Metadata": {}, "Endpoints": endpoints}
    (meta / "meta.json").write_text(json.dumps(described))
    (home / ".docker" / "config.json").write_text(json.dumps({"currentContext": name}))


def test_docker_host_is_asked_alone(home: Path) -> None:
    use_context(home, "colima", "unix:///colima.sock")
    assert list(docker_client.list_candidates("tcp://127.0.0.1:1")) == [
        {"base_url": "tcp://127.0.0.1:1"}
    ]


def test_the_socket_of_an_engine_without_a_context_is_found(home: Path) -> None:
    sockets = [
        home / ".docker/run/docker.sock",
        home / ".docker/desktop/docker.sock",
        home / ".colima/default/docker.sock",
        home / ".config/colima/default/docker.sock",
    ]
    for socket in sockets:
        socket.parent.mkdir(parents=True)
        socket.touch()
    asked = [candidate["base_url"] for candidate in docker_client.list_candidates()]
    assert [it for it in sockets if f"unix://{it}" not in asked] == []


def test_a_context_that_cannot_be_read_leaves_the_sockets(home: Path) -> None:
    use_context(home, "broken", "unix:///nowhere.sock")
    for meta in home.rglob("meta.json"):
        meta.write_text("{")
    (home / ".docker" / "run").mkdir()
    (home / ".docker" / "run" / "docker.sock").touch()
    expected = {"base_url": f"unix://{home / '.docker/run/docker.sock'}"}
    assert expected in list(docker_client.list_candidates())


# Engine.describe, name_product


@pytest.mark.parametrize(
    ("version", "info", "product"),
    [
        ({}, {}, "Docker Engine"),
        ({"Platform": {"Name": "Docker Desktop 4.43.1 (198352)"}}, {}, "Docker Desktop"),
        ({}, {"OperatingSystem": "Docker Desktop"}, "Docker Desktop"),
        ({}, {"OperatingSystem": "OrbStack"}, "OrbStack"),
        ({}, {"Name": "colima"}, "Colima"),
        ({"Components": [{"Name": "Podman Engine"}]}, {}, "Podman"),
    ],
)
def test_an_engine_is_called_by_its_products_name(
    version: dict[str, Any], info: dict[str, Any], product: str
) -> None:
    assert docker_client.name_product(version, info, where="unix:///docker.sock") == product


def test_colima_is_also_known_by_its_socket() -> None:
    where = "unix:///somewhere/.colima/default/docker.sock"
    assert docker_client.name_product({}, {}, where=where) == "Colima"


def test_free_disk_is_that_of_the_folder_where_images_are_kept(tmp_path: Path) -> None:
    info = {"KernelVersion": platform.release(), "DockerRootDir": str(tmp_path)}
    found = described({**DOCKER, "info": DOCKER["info"] | info}).free_bytes
    assert found is not None
    assert found == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)


@pytest.mark.parametrize(("answers", "free"), [(DOCKER, None), (PODMAN, 600)])
def test_of_a_disk_in_a_virtual_machine_only_podman_tells(answers: Answers, free: int) -> None:
    assert described(answers).free_bytes == free


def test_a_folder_that_is_not_of_this_machine_is_not_looked_at(tmp_path: Path) -> None:
    info = {"KernelVersion": platform.release(), "DockerRootDir": str(tmp_path / "missing")}
    assert described({**DOCKER, "info": DOCKER["info"] | info}).free_bytes is None
