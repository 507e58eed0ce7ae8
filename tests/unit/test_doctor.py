"""Is this machine ready: each finding, and what turns it."""

from __future__ import annotations

import contextlib
import errno
import json
import platform
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from handson.aws import Aws, settings
from handson.core.errors import AWSError
from handson.notebook import doctor
from handson.notebook.doctor import MachineFinding, MachineReport
from tests.unit.test_docker_client import DOCKER, PODMAN, answering

Examine = Callable[..., dict[str, MachineFinding]]


def reached() -> Aws:
    where = {"region": "us-east-1", "endpoint": "http://127.0.0.1:4566"}
    return Aws(**where, kind="emulator", session=None, account="123456789012")


def unreachable() -> Aws:
    raise AWSError("The endpoint does not answer.", "Start it.")


@pytest.fixture
def examine(tmp_path: Path) -> Examine:
    """Answer ``examine(engine="…")`` with the findings by id."""

    def examiner(connect: Callable[[], Aws] = reached, **given: Any) -> dict[str, MachineFinding]:
        environ = {"HANDSON_HOME": str(tmp_path / "home"), **given.pop("environ", {})}
        chosen = settings.read_settings(environ, cwd=tmp_path, **({"engine": "builtin"} | given))
        found = doctor.examine_machine(chosen, connect=connect)
        return {finding.id: finding for finding in found.findings}

    return examiner


def test_everything_that_a_workshop_needs_is_looked_at_and_nothing_created(
    examine: Examine, tmp_path: Path
) -> None:
    found = examine()
    assert list(found) == ["python", "target", "engine", "drawing", "ports", "disk"]
    assert (found["python"].state, found["engine"].state) == ("ok", "advice")
    assert found["ports"].state in ("ok", "advice")
    assert (found["disk"].seen[-1], "RUN" in found["engine"].remedy) == ("B", True)
    assert list((tmp_path / "home").iterdir()) == []


def test_a_target_is_told_with_its_region_or_with_what_it_lacks(examine: Examine) -> None:
    seen = "http://127.0.0.1:4566 (123456789012) · us-east-1"
    assert examine()["target"] == MachineFinding("target", "ok", seen)
    silent = MachineFinding("target", "bad", "The endpoint does not answer.", "Start it.")
    assert examine(unreachable)["target"] == silent


def test_an_engine_asked_for_by_name_has_to_answer_and_is_told_with_version_and_platform(
    examine: Examine, tmp_path: Path
) -> None:
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path / 'docker.sock'}"}
    assert examine(engine="docker", environ=nowhere)["engine"].state == "bad"
    instead = examine(engine="auto", environ={"DOCKER_HOST": "tcp://127.0.0.1:1"})["engine"]
    assert (instead.state, instead.seen.partition(" ")[0]) == ("advice", "builtin")
    told = ("DOCKER_HOST (tcp://127.0.0.1:1)", "refused", "unset DOCKER_HOST", "RUN")
    assert [it for it in told if it not in instead.remedy] == []
    with answering(DOCKER | {"info": {"OperatingSystem": "Docker Desktop"}}) as address:
        engine = examine(engine="docker", environ={"DOCKER_HOST": f"tcp://{address}"})["engine"]
    assert (engine.state, engine.seen) == ("ok", "Docker Desktop 20.10 · linux/amd64")


def test_an_engine_short_of_disk_is_advised_to_remove_images(
    examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {"KernelVersion": platform.release(), "DockerRootDir": str(tmp_path)}
    for free, state, seen in ((5, "ok", "空き 5.0 GB"), (1, "advice", "空き 1.0 GB")):
        room = SimpleNamespace(free=free * 10**9)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, room=room: room)
        with answering(PODMAN | {"info": here}) as address:
            engine = examine(engine="docker", environ={"DOCKER_HOST": f"tcp://{address}"})["engine"]
        assert (engine.state, engine.seen) == (state, f"Podman 20.10 · linux/amd64 · {seen}")
        assert ("docker image prune" in engine.remedy) is (state == "advice")


def test_a_machine_on_which_nothing_can_listen_is_not_ready(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> socket.socket:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    ports = examine()["ports"]
    assert (ports.state, ports.seen) == ("bad", "127.0.0.1: Permission denied")


def test_jupyterlabs_port_may_be_taken_by_others_and_by_jupyterlab_itself(
    examine: Examine,
) -> None:
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # somebody else listens there
            stack.enter_context(socket.create_server(("127.0.0.1", doctor.LAB_PORT)))
        ports = examine()["ports"]
        inside = examine(environ={"JPY_SESSION_NAME": "notebooks/ja/00-prepare.ipynb"})["ports"]
    assert (ports.state, inside.state) == ("advice", "ok")
    assert str(doctor.LAB_PORT) in ports.seen


def test_a_machine_is_ready_when_nothing_is_bad() -> None:
    ready = {"ok": True, "advice": True, "bad": False}
    finding = MachineFinding("disk", "ok", "1 GB")
    reports = {state: MachineReport((finding, replace(finding, state=state))) for state in ready}
    assert {state: report.ready for state, report in reports.items()} == ready


def test_a_report_is_json_of_its_schema_and_a_card_with_the_remedies() -> None:
    found = MachineReport((MachineFinding("disk", "bad", "1 GB", "Delete something."),))
    assert json.loads(json.dumps(found.to_json())) == {
        "schema": "handson.doctor/1",
        "ready": False,
        "findings": [{"id": "disk", "state": "bad", "seen": "1 GB", "remedy": "Delete something."}],
    }
    assert repr(found).splitlines()[2:] == [
        "  ✘ | 空きディスク容量 | 1 GB",
        "  ✘ 空きディスク容量: Delete something.",
    ]
