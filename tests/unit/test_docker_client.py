"""Where an engine may listen, which one is taken, and what it says about itself."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from handson import engine
from handson.core.errors import NotReady
from handson.engine import docker_client
from tests.fake_registry import Handler, listening

VERSION = {"ApiVersion": "1.41", "Version": "20.10", "Os": "linux", "Arch": "amd64"}
INFO = {"KernelVersion": "another", "DockerRootDir": "/var/lib/docker", "Name": "vm"}
DOCKER = {"version": VERSION, "info": INFO}
PODMAN = {
    "version": {**VERSION, "Components": [{"Name": "Podman Engine"}]},
    "info": INFO,
    "libpod/info": {"store": {"graphRootAllocated": 1000, "graphRootUsed": 400}},
}

Answers = dict[str, dict[str, Any]]


class Daemon(Handler):
    """Just enough of the Docker API to be recognised."""

    protocol_version = "HTTP/1.0"
    answers: Answers = DOCKER

    def do_GET(self) -> None:
        found = self.answers.get(re.sub(r"^/(v[\d.]+/)?", "", self.path))
        self.answer(200 if found else 404, json.dumps(found).encode())


def answering(answers: Answers) -> AbstractContextManager[str]:
    """Give the DOCKER_HOST of a daemon that gives these answers."""
    return listening(type("Bound", (Daemon,), {"answers": answers}))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def use_context(home: Path, name: str, host: str) -> Path:
    """Do what `docker context create NAME` and `docker context use NAME` leave behind."""
    meta = home / ".docker" / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
    described = {"Name": name, "Metadata": {}, "Endpoints": endpoints}
    (meta / "meta.json").write_text(json.dumps(described))
    (home / ".docker" / "config.json").write_text(json.dumps({"currentContext": name}))
    return meta / "meta.json"


def test_without_docker_builtin_is_taken_but_not_where_docker_was_asked_for_or_is_needed(
    tmp_path: Path,
) -> None:
    nowhere = f"unix://{tmp_path / 'docker.sock'}"
    assert engine.choose_engine("auto", docker_host=nowhere).name == "builtin"
    assert engine.choose_engine("builtin", real_aws=True).name == "builtin"
    with pytest.raises(NotReady, match=r"docker\.sock"):
        engine.choose_engine("docker", docker_host=nowhere)
    with pytest.raises(NotReady, match="builtin"):
        engine.choose_engine("auto", real_aws=True, docker_host=nowhere)


def test_auto_takes_docker_where_it_answers_in_the_current_context_too(home: Path) -> None:
    with listening(Daemon) as address:
        found = engine.choose_engine("auto", docker_host=f"tcp://{address}").describe()
        use_context(home, "desktop-linux", f"tcp://{address}")
        client, where = docker_client.find_docker()
        client.close()
    assert (found.name, found.product, found.version) == ("docker", "Docker Engine", "20.10")
    assert (found.platform, where) == ("linux/amd64", f"tcp://{address}")


def test_without_a_context_sockets_are_looked_for_and_docker_host_is_asked_alone(
    home: Path,
) -> None:
    use_context(home, "broken", "unix:///nowhere.sock").write_text("{")
    folders = [".docker/run", ".docker/desktop", ".colima/default", ".config/colima/default"]
    sockets = [home / folder / "docker.sock" for folder in folders]
    for socket in sockets:
        socket.parent.mkdir(parents=True)
        socket.touch()
    asked = [candidate.get("base_url") for candidate in docker_client.list_candidates()]
    assert [it for it in sockets if f"unix://{it}" not in asked] == []
    alone = [{"base_url": "tcp://127.0.0.1:1"}]
    assert list(docker_client.list_candidates("tcp://127.0.0.1:1")) == alone


PRODUCTS: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({}, {}, "Docker Engine"),
    ({"Platform": {"Name": "Docker Desktop 4.43.1 (198352)"}}, {}, "Docker Desktop"),
    ({}, {"OperatingSystem": "Docker Desktop"}, "Docker Desktop"),
    ({}, {"OperatingSystem": "OrbStack"}, "OrbStack"),
    ({}, {"Name": "colima"}, "Colima"),
    ({"Components": [{"Name": "Podman Engine"}]}, {}, "Podman"),
]


def test_an_engine_is_called_by_its_products_name_and_colima_by_its_socket_too() -> None:
    name = docker_client.name_product
    assert [name(*told, where="unix:///docker.sock") for *told, _ in PRODUCTS] == [
        product for *_, product in PRODUCTS
    ]
    assert name({}, {}, where="unix:///somewhere/.colima/default/docker.sock") == "Colima"


def free_bytes(answers: Answers, **info: str) -> int | None:
    told = {**answers, "info": INFO | info}
    with answering(told) as address:
        return engine.choose_engine("docker", docker_host=f"tcp://{address}").describe().free_bytes


def test_free_disk_is_that_of_the_folder_of_images_and_in_a_virtual_machine_only_podman_tells(
    tmp_path: Path,
) -> None:
    kernel = platform.release()
    found = free_bytes(DOCKER, KernelVersion=kernel, DockerRootDir=str(tmp_path))
    assert found == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)
    missing = free_bytes(DOCKER, KernelVersion=kernel, DockerRootDir=str(tmp_path / "missing"))
    assert (missing, free_bytes(DOCKER), free_bytes(PODMAN)) == (None, None, 600)
