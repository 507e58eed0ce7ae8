"""Run the hub of deploy/compose.yaml while you watch: `make hub`, until Ctrl-C.

    a port is free? an engine answers? a base image?  ──no──▶ two lines
      │
    docker has compose? ──yes──▶ docker compose up, and down at the end
      │ no
    the same by `docker build`, `docker network create` and `docker run`

The class's folder stays, and so do the images and the volume of the board's secret.  Settings come
from the environment and deploy/.env, as compose reads them; deploy/env.example lists them.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from handson.core import messages
from handson.core.errors import NotReady
from handson.core.text import map_texts

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
FILE = DEPLOY / "compose.yaml"
# The keys of a service that are options of `docker run`, under these names or their own.
OPTIONS = "cap_add cap_drop environment mem_limit network_mode pids_limit ports read_only restart"
OPTIONS += " security_opt tmpfs"
NAMES = {"environment": "env", "mem_limit": "memory", "network_mode": "network", "ports": "publish"}
PROJECT = "com.docker.compose.project"  # the label by which compose, too, knows its own
CLASS = "handson.class"  # the label that the hub gives to learners' containers and networks
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
STATE = "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} "
STATE += "{{with .State.Health}}{{.Status}}{{end}}"
WAIT = 180.0  # seconds for a service to become ready


def read_settings(file: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of an env file, less its comments; the environment has precedence."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs} | dict(environ)


def read_compose(settings: Mapping[str, str]) -> dict[str, Any]:
    """Return what compose.yaml says, with the settings filled in."""

    def fill(text: str) -> str:
        return VARIABLE.sub(lambda found: settings.get(found[1]) or found[2], text)

    return dict(map_texts(yaml.safe_load(FILE.read_text(encoding="utf-8")), fill))


class Docker:
    """The docker command that can build, and the settings that it runs with."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.settings = dict(settings) | {"DOCKER_BUILDKIT": "1"}
        self.command = "docker"
        folders = os.get_exec_path(self.settings)
        found = [path for folder in folders if (path := shutil.which("docker", path=folder))]
        # BuildKit is in the command up to version 20.10, and in its plugin buildx since version 23.
        self.command = next(filter(self.can_build, found), self.command)

    def can_build(self, command: str) -> bool:
        """Tell whether a docker command has BuildKit."""
        major = re.search(r"version (\d+)", self.call("--version", command=command)[1])
        has_plugin = self.call("buildx", "version", command=command)[0] == 0
        return has_plugin or bool(major and int(major[1]) < 23)

    def call(self, *words: str | Path, shown: bool = False, command: str = "") -> tuple[int, str]:
        """Run a command; return its exit code, and what it printed unless that was shown."""
        stream = None if shown else subprocess.PIPE
        line = [command or self.command, *map(str, words)]
        try:
            done = subprocess.run(line, env=self.settings, stdout=stream, stderr=stream, text=True)
        except OSError as error:
            return 127, str(error)
        said = (stream.strip() for stream in (done.stdout, done.stderr) if stream)
        return done.returncode, next(filter(None, said), "")

    def find(self, label: str, *kind: str) -> list[str]:
        """Return the ids of the containers or networks with a label."""
        return self.call(*kind, "--quiet", f"--filter=label={label}")[1].split()


def check(docker: Docker, project: str, settings: Mapping[str, str]) -> None:
    """Find what would stop the hub before anything is built.

    Raises:
        NotReady: The port is taken, no engine answers, there is no base image, or the hub exists.
    """
    port = int(settings["CLASS_PORT"])
    with NotReady.replace_os_errors("core.hub.port", port=port):
        socket.create_server(("127.0.0.1", port)).close()
    code, reason = docker.call("version", "--format", "{{.Server.Version}}")
    if code:
        raise NotReady.from_key("core.hub.engine", reason=reason.rpartition("\n")[2])
    if docker.find(f"{PROJECT}={project}", "ps", "--all"):
        raise NotReady.from_key("core.hub.exists", project=project)
    base = settings.get("BASE") or "debian:bookworm-slim"
    if docker.call("image", "inspect", base)[0] and docker.call("pull", base)[0]:
        raise NotReady.from_key("core.hub.no-base", base=base)


def build(docker: Docker, compose: Mapping[str, Any], image: str, how: Mapping[str, Any]) -> None:
    """Build the image of a service.

    Raises:
        NotReady: It failed; its output has been shown.
    """
    words = ["build", "--tag", image, "--network", how["network"]]
    words += ["--file", str(DEPLOY.parent / how["dockerfile"])]
    words += [f"--build-arg={name}={value}" for name, value in how["args"].items()]
    words += [f"--secret=id={it},src={compose['secrets'][it]['file']}" for it in how["secrets"]]
    if docker.call(*words, DEPLOY / how["context"], shown=True)[0]:
        raise NotReady.from_key("core.hub.failed", what=f"docker build: {image}")


def write_options(project: str, service: Mapping[str, Any]) -> Iterator[str]:
    """Yield the options of `docker run` for the keys of a service."""
    logging, volumes = service["logging"], service.get("volumes", [])
    options = [key for key in OPTIONS.split() if key in service]
    asked = {NAMES.get(key, key).replace("_", "-"): service[key] for key in options} | {
        "log-driver": logging["driver"],
        "log-opt": logging["options"],
        "volume": [it if it.startswith("/") else f"{project}_{it}" for it in volumes],
        "no-healthcheck": service.get("healthcheck", {}).get("disable", False),
    }
    for network in service.get("networks", []):
        asked["network"] = f"{project}_{network}"
    for option, value in asked.items():
        if isinstance(value, dict):
            value = [f"{name}={each}" for name, each in value.items()]
        for each in value if isinstance(value, list) else [value]:
            yield f"--{option}={str(each).lower() if isinstance(each, bool) else each}"


def start(docker: Docker, project: str, compose: Mapping[str, Any], name: str) -> None:
    """Start a service, once those that it depends on are ready.

    Raises:
        NotReady: One of them, or the service itself, did not start.
    """
    service, label = compose["services"][name], f"--label={PROJECT}={project}"
    for other, how in service.get("depends_on", {}).items():
        wait_for(docker, project, other, how["condition"])
    words = ["run", "--detach", f"--name={project}-{name}-1", label]
    words += [f"--network-alias={name}"] if "networks" in service else []
    words += [*write_options(project, service), service["image"], *service.get("command", [])]
    code, reason = docker.call(*words)
    if code:
        print(reason, file=sys.stderr)
        raise NotReady.from_key("core.hub.failed", what=f"docker run: {name}")


def wait_for(docker: Docker, project: str, name: str, condition: str) -> None:
    """Wait until a service has ended without an error, or is healthy.

    Raises:
        NotReady: It failed, or was not ready in time; the end of its log has been shown.
    """
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        state = docker.call("inspect", "--format", STATE, f"{project}-{name}-1")[1].split()
        healthy, ended = state[3:] == ["healthy"], state[:2] == ["exited", "0"]
        if healthy if condition == "service_healthy" else ended:
            return
        if state[0] not in ("created", "running") or state[2] != "0":
            break
        time.sleep(0.5)
    docker.call("logs", "--tail=30", f"{project}-{name}-1", shown=True)
    raise NotReady.from_key("core.hub.failed", what=f"{project}-{name}-1")


def start_all(docker: Docker, project: str, settings: Mapping[str, str]) -> None:
    """Build the images and start the services, through compose where docker has it.

    Raises:
        NotReady: An image was not built, or a service did not start.
    """
    if docker.call("compose", "version")[0] == 0:
        if docker.call("compose", "-f", FILE, "up", "--build", "--detach", shown=True)[0]:
            docker.call("compose", "-f", FILE, "logs", "--tail=30", "hub", shown=True)
            raise NotReady.from_key("core.hub.failed", what="docker compose up")
        return
    compose = read_compose(settings)
    for service in compose["services"].values():
        if "build" in service:
            build(docker, compose, service["image"], service["build"])
    for name in compose["networks"]:
        label = f"--label={PROJECT}={project}"
        docker.call("network", "create", label, f"{project}_{name}")
    for name in compose["services"]:
        start(docker, project, compose, name)


def remove_all(docker: Docker, project: str) -> None:
    """Stop and remove the containers and networks of the hub and of its learners."""
    labels = (f"{PROJECT}={project}", f"{CLASS}={project}")  # the hub first: it starts learners
    for label in labels:
        if containers := docker.find(label, "ps", "--all"):
            docker.call("stop", *containers)
            docker.call("rm", "--force", *containers)
    for label in labels:
        for network in docker.find(label, "network", "ls"):
            docker.call("network", "rm", network)


def main() -> int:
    """Run the hub until Ctrl-C or SIGTERM; return 0, or 2 when it could not run."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--project", default="", help="begins all names [default: handson]")
    asked.add_argument("--port", default="", help="on 127.0.0.1 [default: CLASS_PORT, 8000]")
    given = asked.parse_args()
    messages.use("en" if os.environ.get("HANDSON_LANG") == "en" else "ja")
    settings = read_settings(DEPLOY / ".env", os.environ)
    project = given.project or settings.get("COMPOSE_PROJECT_NAME") or "handson"
    port = given.port or settings.get("CLASS_PORT") or "8000"
    settings |= {"COMPOSE_PROJECT_NAME": project, "CLASS_PORT": port}
    docker, begun = Docker(settings), False
    for name in (signal.SIGINT, signal.SIGTERM):  # a shell ignores the first for what it puts aside
        signal.signal(name, signal.default_int_handler)
    try:
        check(docker, project, settings)
        begun = True
        start_all(docker, project, settings)
        hub = f"{project}-hub-1"
        wait_for(docker, project, "hub", "service_healthy")
        folder = settings.get("CLASS_FOLDER") or "/srv/handson"
        said = messages.text("core.hub.ready", log=f"docker logs {hub}", folder=folder)
        print(f"▸ {said}", file=sys.stderr)
        print(f"http://127.0.0.1:{port}/", flush=True)
        docker.call("wait", hub)
        raise NotReady.from_key("core.hub.failed", what=hub)
    except KeyboardInterrupt:
        return 0
    except NotReady as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):  # a second one would leave containers behind
            signal.signal(name, signal.SIG_IGN)
        if begun:
            remove_all(docker, project)


if __name__ == "__main__":
    sys.exit(main())
