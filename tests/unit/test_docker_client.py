"""Where an engine may listen, which one is taken, and what it says about itself."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import socket
import tempfile
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from handson import engine
from handson.core.errors import NotReady
from handson.engine import docker_client
from tests.servers import Answering, listening

VERSION = {"ApiVersion": "1.41", "Version": "20.10", "Os": "linux", "Arch": "amd64"}
INFO = {"KernelVersion": "another", "DockerRootDir": "/var/lib/docker", "Name": "vm"}
DOCKER = {"version": VERSION, "info": INFO}
PODMAN = {
    "version": {**VERSION, "Components": [{"Name": "Podman Engine"}]},
    "info": INFO,
    "libpod/info": {"store": {"graphRootAllocated": 1000, "graphRootUsed": 400}},
}

Answers = dict[str, dict[str, Any]]


class Daemon(Answering):
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
    chosen = engine.choose_engine("builtin", real_aws=True)
    assert (chosen.name, chosen.setback) == ("builtin", None)
    with pytest.raises(NotReady, match=r"docker\.sock"):
        engine.choose_engine("docker", docker_host=nowhere)
    with pytest.raises(NotReady, match="builtin"):
        engine.choose_engine("auto", real_aws=True, docker_host=nowhere)


def test_auto_takes_docker_where_it_answers_in_the_current_context_too(home: Path) -> None:
    with listening(Daemon) as address:
        found = engine.choose_engine("auto", docker_host=f"tcp://{address}").describe()
        use_context(home, "desktop-linux", f"tcp://{address}")
        client, where, environ = docker_client.find_docker()
        client.close()
    assert environ == {"DOCKER_CONTEXT": "desktop-linux"}
    assert (found.name, found.product, found.version) == ("docker", "Docker Engine", "20.10")
    assert (found.platform, where) == ("linux/amd64", f"tcp://{address}")


def test_without_a_context_sockets_are_looked_for_and_docker_host_is_asked_alone(
    home: Path,
) -> None:
    use_context(home, "broken", "unix:///nowhere.sock").write_text("{")
    folders = [".docker/run", ".docker/desktop", ".colima/default", ".config/colima/default"]
    sockets = [home / folder / "docker.sock" for folder in folders]
    for place in sockets:
        place.parent.mkdir(parents=True)
        place.touch()
    named, *asked = docker_client.list_candidates()
    assert named == ("currentContext", "broken")
    assert [it for it in sockets if ("", f"unix://{it}") not in asked] == []
    alone = [("DOCKER_HOST", "tcp://127.0.0.1:1")]
    assert list(docker_client.list_candidates("tcp://127.0.0.1:1")) == alone


# What names an engine, and what has to be said of it: the place, the reason and the remedy.
NAMED: list[tuple[dict[str, str], list[str]]] = [
    ({"DOCKER_HOST": "tcp://127.0.0.1:1"}, ["(tcp://127.0.0.1:1)", "refused", "unset DOCKER_HOST"]),
    ({"DOCKER_HOST": "tcp://me:secret@127.0.0.1:1"}, ["(tcp://…@127.0.0.1:1)", "address format"]),
    ({"DOCKER_HOST": "ssh://nobody@x/y"}, ["DOCKER_HOST (ssh://nobody@x/y)", "no path allowed"]),
    ({"DOCKER_HOST": "foo://bar"}, ["DOCKER_HOST (foo://bar)", "protocol"]),
    ({"DOCKER_HOST": "unix:///nope/docker.sock"}, ["(unix:///nope/docker.sock)", "such file"]),
    ({"DOCKER_CONTEXT": "gone"}, ["DOCKER_CONTEXT (gone)", "コンテキスト", "unset DOCKER_CONTEXT"]),
    ({"current": "there"}, ["currentContext (there)", "refused", "docker context use default"]),
    (
        {
            "DOCKER_HOST": "tcp://127.0.0.1:1",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": "/nope",
        },
        ["DOCKER_HOST (tcp://127.0.0.1:1)", "/nope", "ca.pem", "DOCKER_CERT_PATH"],
    ),
]


@pytest.mark.parametrize(("settings", "says"), NAMED)
def test_why_an_engine_that_was_named_is_not_used_is_kept_and_raised_where_docker_is_asked_for(
    settings: dict[str, str], says: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = settings.get("DOCKER_HOST", "")
    if "current" in settings:
        use_context(home, settings["current"], "tcp://127.0.0.1:1")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    kept = engine.choose_engine("auto", docker_host=host).setback
    assert [it for it in says if it not in str(kept)] == []
    with pytest.raises(NotReady) as raised:
        engine.choose_engine("docker", docker_host=host)
    assert str(raised.value) == str(kept)
    with pytest.raises(NotReady) as raised:
        engine.choose_engine("auto", real_aws=True, docker_host=host)
    assert [it for it in says if it not in str(raised.value)] == []


class Portal(Answering):
    """Answers every request with a page, as a proxy or a captive portal does."""

    def do_GET(self) -> None:
        self.answer(200, b"<html>")


class Gate(Answering):
    """Refuses every request, as an engine with an authorisation plugin does."""

    def do_GET(self) -> None:
        self.answer(403, b'{"message": "not by policy"}')


@pytest.mark.parametrize(("answers", "reason"), [(Portal, "Expecting value"), (Gate, "by policy")])
def test_an_address_at_which_something_else_answers_is_told_with_what_it_says(
    answers: type[Answering], reason: str
) -> None:
    with listening(answers) as address:
        setback = engine.choose_engine("auto", docker_host=f"tcp://{address}").setback
    assert setback
    assert reason in setback.problem


def test_a_socket_that_may_not_be_used_is_told_with_the_group_to_join() -> None:
    as_others = os.seteuid if os.geteuid() == 0 else id  # root may use any socket
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        Path(folder).chmod(0o755)
        place = f"{folder}/docker.sock"
        listener.bind(place)
        listener.listen()
        Path(place).chmod(0)
        engine.choose_engine("auto", docker_host="tcp://127.0.0.1:1")  # loads docker's library
        as_others(65534)
        try:
            setback = engine.choose_engine("auto", docker_host=f"unix://{place}").setback
        finally:
            as_others(0)
    assert setback
    assert place in setback.problem
    assert "sudo usermod -aG docker $USER" in setback.remedy


CONFIGURATIONS = {
    '{"auths": ': "Expecting value",
    "[]": "auths",
    '{"auths": {"shop.example": "text"}}': "shop.example",
    '{"auths": {"shop.example": {"auth": "!!!"}}}': "auths",
    '{"auths": {"shop.example": {"auth": 1}}}': "auths",
    '{"credHelpers": ["x"], "HttpHeaders": [1], "proxies": [1]}': "",
}


@pytest.mark.parametrize(("text", "reason"), CONFIGURATIONS.items())
def test_an_odd_docker_configuration_keeps_no_engine_from_being_used_and_is_told(
    text: str, reason: str, home: Path
) -> None:
    path = home / ".docker" / "config.json"
    path.parent.mkdir()
    path.write_text(text)
    with listening(Daemon) as address:
        chosen = engine.choose_engine("auto", docker_host=f"tcp://{address}")
    assert chosen.name == "docker"
    told = str(chosen.setback or "")
    assert bool(told) is bool(reason)
    assert [it for it in (str(path), reason, "docker login") if reason and it not in told] == []


def test_the_proxies_of_a_docker_configuration_are_kept_and_a_contexts_password_is_not_told(
    home: Path,
) -> None:
    path = use_context(home, "far", "tcp://me:s3cret@127.0.0.1:1").parents[3] / "config.json"
    with pytest.raises(NotReady, match=r"far.*//…@") as told:
        docker_client.find_docker()
    assert "s3cret" not in str(told.value)
    path.write_text(json.dumps({"proxies": {"default": {"httpProxy": "http://proxy:1"}}}))
    with listening(Daemon) as address, closing(docker_client.find_docker(address)[0]) as client:
        assert client._proxy_configs.get_environment()["http_proxy"] == "http://proxy:1"


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
