"""`make hub` on a docker command that takes notes: what it asks of it, says and removes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

DOCKER = """#!/bin/sh
echo "$*" >>"$FAKE/calls"
case "$1 $2" in
--version*) echo "Docker version 20.10.24" ;;
"buildx version" | pull*) exit 1 ;;
"version --format") [ ! -e "$FAKE/down" ] || { echo; echo "no daemon" >&2; exit 1; } ;;
"compose version" | "image inspect") [ -e "$FAKE/$1" ] ;;
"run --detach") echo "$*" | sed 's/.* --name=\\([^ ]*\\) .*/\\1/' >>"$FAKE/containers" ;;
"rm --force") rm "$FAKE/containers" ;;
"ps --all") case "$*" in *compose*) cat "$FAKE/containers" 2>/dev/null ;; esac ;;
"inspect --format") case "$*" in *-learner-1) echo exited 0 0 ;; *) cat "$FAKE/hub" ;; esac ;;
wait*) exec sleep 60 ;;
"logs --tail=30") echo "the class list cannot be read" ;;
esac
"""

BOARD = {
    "--read-only=true",
    "--cap-drop=ALL",
    "--memory=512m",
    "--volume=mine_board:/run/board:ro",
    "--volume=/srv/handson/homes:/srv/homes:ro",
    "--network=mine_class",
    "--log-opt=max-size=10m",
    "--no-healthcheck=true",
}
"""Some of what compose.yaml says of the board, as options of `docker run`."""


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    command = tmp_path / "docker"
    command.write_text(DOCKER, encoding="utf-8")
    command.chmod(0o755)
    (tmp_path / "image").touch()  # the base image is there
    (tmp_path / "hub").write_text("running 0 0 healthy\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def begin(fake: Path, root: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **environ: Any) -> subprocess.Popen[str]:
        plain = {"PATH": f"{fake}:/usr/bin:/bin", "FAKE": str(fake), "HANDSON_LANG": "en"}
        plain["PYTHONPATH"] = str(root)  # the installed package may be another checkout's
        pipe = subprocess.PIPE
        begun.append(
            subprocess.Popen(
                [sys.executable, root / "tools" / "hub.py", "--port", str(free_port()), *arguments],
                env=plain | environ,
                stdout=pipe,
                stderr=pipe,
                text=True,
            )
        )
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def refusal(process: subprocess.Popen[str]) -> list[str]:
    """Return the last two lines of a hub that could not run."""
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 2, errors
    return errors.splitlines()[-2:]


def calls(fake: Path, *first: str) -> list[str]:
    lines = (fake / "calls").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.split()[0] in first]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_hub_is_built_started_and_removed(
    begin: Callable[..., subprocess.Popen[str]], fake: Path, end: signal.Signals
) -> None:
    process = begin("--project", "mine", CLASS_LANG="en")
    assert process.stdout
    address = process.stdout.readline()
    assert address == f"http://127.0.0.1:{process.args[3]}/\n"  # type: ignore[index, call-overload]
    process.send_signal(end)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, ""), errors
    built = [line.split()[2] for line in calls(fake, "build")]
    assert built == ["handson:0.1.0", "handson-hub:0.1.0"]
    learner, hub, board = calls(fake, "run")
    assert "--network=none" in learner
    assert {"--name=mine-hub-1", "--env=CLASS_LANG=en"} <= {*hub.split()}
    assert BOARD - {*board.split()} == set()
    assert calls(fake, "rm") == ["rm --force mine-learner-1 mine-hub-1 mine-board-1"]


def test_a_hub_that_refuses_to_start_shows_why_and_is_removed(
    begin: Callable[..., subprocess.Popen[str]], fake: Path
) -> None:
    (fake / "hub").write_text("running 1 1 starting\n", encoding="utf-8")
    process = begin()
    assert refusal(process) == [
        "✗ handson-hub-1 failed.",
        "→ The reason is in the last lines above.",
    ]
    assert calls(fake, "logs") == ["logs --tail=30 handson-hub-1"]
    assert not (fake / "containers").exists()


def test_a_hub_that_is_there_is_left_alone(
    begin: Callable[..., subprocess.Popen[str]], fake: Path
) -> None:
    (fake / "containers").write_text("handson-hub-1\n", encoding="utf-8")
    assert refusal(begin())[0] == "✗ The hub handson is there already."
    assert calls(fake, "build", "run", "stop", "rm") == []


def test_a_missing_base_image_is_told_with_the_command_that_makes_one(
    begin: Callable[..., subprocess.Popen[str]], fake: Path
) -> None:
    (fake / "image").unlink()
    problem, remedy = refusal(begin(BASE="base:bookworm"))
    assert problem == "✗ There is no base image base:bookworm, and it cannot be fetched."
    assert "mmdebstrap --variant=minbase bookworm - | docker import - base:bookworm" in remedy


def test_a_taken_port_is_told_before_anything_is_asked(
    begin: Callable[..., subprocess.Popen[str]], fake: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        problem, remedy = refusal(begin("--port", str(port)))
    assert problem == f"✗ Port {port} of 127.0.0.1 is taken."
    assert remedy.startswith("→ Take another")
    assert calls(fake, "build", "run") == []


def test_no_engine_is_told_in_two_lines(
    begin: Callable[..., subprocess.Popen[str]], fake: Path
) -> None:
    (fake / "down").touch()
    assert refusal(begin())[0] == "✗ No container engine answers: no daemon"
    problem, remedy = refusal(begin(PATH="/nowhere", HANDSON_LANG="ja"))
    assert problem.startswith("✗ コンテナエンジンが応答しません: ")
    assert remedy == "→ Docker を起動するか、DOCKER_HOST を設定してください。"


def test_compose_is_used_where_docker_has_it(
    begin: Callable[..., subprocess.Popen[str]], fake: Path, root: Path
) -> None:
    (fake / "compose").touch()
    process = begin()
    assert process.stdout
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    file = root / "deploy" / "compose.yaml"
    assert f"compose -f {file} up --build --detach" in calls(fake, "compose")
    assert calls(fake, "build", "run") == []
