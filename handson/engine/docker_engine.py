"""Builds and pushes with an engine that answers the Docker API: Docker, Colima or Podman.

Credentials for a push travel with its request alone: they are never written to the user's docker
configuration, nor read from it.

Where Docker's own command is there, it builds with BuildKit, as `docker build` does since Engine
23.  Docker's library for Python asks for the classic builder, which does not know the Dockerfile's
newer options (docker/docker-py#2230).
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from handson.core import https, messages
from handson.core.errors import HandsonError
from handson.core.progress import Say
from handson.course.exercise import IMAGE_PLATFORM
from handson.engine import docker_client, model, registry_client
from handson.engine.build_context import IGNORE_FILE, list_context, read_ignore_file
from handson.engine.containers import DockerContainers
from handson.engine.docker_events import BuildLog, note_push_event
from handson.engine.dockerfile import DOCKERFILE, load_dockerfile
from handson.engine.oci import unpack_saved_image
from handson.engine.push_progress import PushProgress

if TYPE_CHECKING:
    from docker import APIClient

NAME = "docker"

_PATIENCE = 15.0  # seconds for the plugin to tell its version

# "#5 [gems 2/3] RUN …" begins a step, " > [gems 2/3] RUN …:" the output of one that failed.
_STEP = re.compile(r"(?:#\d+| >) \[(?:[^]]* )?(\d+/\d+)\] (.*?):?")
_PLACE = re.compile(rf"{DOCKERFILE}:\d+")
_STATUS = re.compile(r"#\d+ (sha256:|extracting|exporting|resolve)")
_WRAPPING = re.compile(r"^ERROR: |failed to (build|solve|create LLB)[^:]*: |rpc error.* desc = ")
_OUTPUT = re.compile(r"(?:#\d+ )?\d+\.\d+ (.*)")


class DockerEngine:
    """Builds, pushes and runs through an engine that answers the Docker API."""

    name = NAME

    def __init__(self, client: APIClient, where: str = "", **environ: str) -> None:
        """Keep the client, the engine's address, and how the docker command finds the engine."""
        self._client = client
        self._where = where
        self._environ = environ
        self.setback: HandsonError | None = docker_client.explain_config()
        self.containers = DockerContainers(client, where=where)

    def describe(self) -> model.EngineInfo:
        """Return the engine's description of itself."""
        with docker_client.translate_docker_errors():
            found, details = self._client.version(), self._client.info()
        product = docker_client.name_product(found, details, where=self._where)
        free = docker_client.measure_free_disk(self._client, details, podman=product == "Podman")
        machine = f"{found['Os']}/{found['Arch']}"
        return model.EngineInfo(NAME, found["Version"], machine, product, free)

    def build(self, request: model.BuildRequest, *, say: Say) -> model.LocalImage:
        """Build and tag an image; a log file keeps the build's whole output.

        Raises:
            InvalidInput: The Dockerfile or `.dockerignore` is not UTF-8, or a line needs BuildKit.
            EngineError: A step failed (it is named with its line), or the engine broke off.
        """
        instructions = load_dockerfile(request.context)
        read_ignore_file(request.context)  # BuildKit would pass over one in UTF-16
        request.folder.mkdir(parents=True, exist_ok=True)
        path = request.folder / f"{request.name.replace('/', '_')}-build.log"
        with self._closing_connection(), path.open("w", encoding="utf-8") as file:
            log = BuildLog(instructions, file=file, say=say)
            with closing(self._start_build(request, say)) as events:
                for event in events:
                    log.take(event)
            details = self._client.inspect_image(f"{request.name}:{request.tag}")
        return model.LocalImage(
            engine=NAME,
            name=request.name,
            id=details["Id"],
            tag=request.tag,
            size_bytes=details["Size"],
            platform=f"{details['Os']}/{details['Architecture']}",
            steps=tuple(step.source for step in instructions),
            log=path,
        )

    def push(
        self, image: model.LocalImage, destination: model.Destination, *, say: Say
    ) -> model.PushedImage:
        """Push an image, and remove the tag that the engine needed for it.

        An engine in a virtual machine does not reach a registry on this computer: then this
        process sends the image.

        Raises:
            HandsonError: The registry refused, is not reachable, or broke off.
        """
        registry, progress = registry_client.RegistryClient(destination), PushProgress(say)
        try:
            digest = self._push_tag(image, destination, progress)
        except registry_client.Unreachable:
            if not (https.is_on_loopback(destination.registry) and registry.find_status()):
                raise
            return self._send_for_engine(image, destination, say)
        described, *_ = registry.fetch_images(digest).values()
        return registry_client.describe_push(NAME, destination, digest, described, progress)

    def _start_build(self, request: model.BuildRequest, say: Say) -> Generator[dict[str, Any]]:
        product = docker_client.name_product(self._client.version(), {}, where=self._where)
        with tempfile.TemporaryDirectory() as folder:
            environ = self._environ
            # Only base images of private registries need the logins.
            if trouble := docker_client.explain_config(with_stores=True):
                say(messages.text("engine.without-logins", problem=trouble.problem))
                config = docker_client.write_config_without_logins(folder)
                environ = {**environ, "DOCKER_CONFIG": config}
            else:
                self._client.reload_config()
            if product != "Podman" and _has_buildx(environ):
                yield from _run_build(request, environ)
            else:
                yield from self._run_classic_build(request)

    def _run_classic_build(self, request: model.BuildRequest) -> Iterator[dict[str, Any]]:
        from docker.utils.build import create_archive

        context = request.context
        always = {name for name in (DOCKERFILE, IGNORE_FILE) if (context / name).is_file()}
        # The library's own list misreads a `.dockerignore` with a byte order mark.
        with create_archive(str(context), sorted(always | {*list_context(context)})) as archive:
            try:
                yield from self._client.build(
                    fileobj=archive,
                    custom_context=True,
                    dockerfile=DOCKERFILE,
                    tag=f"{request.name}:{request.tag}",
                    buildargs=dict(request.build_args),
                    platform=IMAGE_PLATFORM,
                    labels={model.ENGINE_LABEL: NAME},
                    rm=True,
                    forcerm=True,
                    decode=True,
                )
            except docker_client.api_error() as error:
                if "dockerfile parse error" not in str(error).lower():
                    raise
                yield {"error": docker_client.reason_of(error)}

    def _push_tag(
        self, image: model.LocalImage, destination: model.Destination, progress: PushProgress
    ) -> str:
        target, tag = f"{destination.registry}/{destination.repository}", destination.tag
        # Docker uses HTTP with a registry on 127.0.0.1 by itself; Podman needs the parameter.
        plain = {"tlsVerify": "false"} if destination.scheme == "http" else {}
        name, digest = f"{target}:{tag}", ""
        with docker_client.translate_docker_errors(), ExitStack() as cleanup:
            if not docker_client.has_image(self._client, name):
                cleanup.callback(docker_client.remove_tag, self._client, name)
            self._client.tag(image.id, target, tag)
            with self._closing_connection(**plain):
                login = destination.login
                events = self._client.push(target, tag, auth_config=login, stream=True, decode=True)
                for event in events:
                    digest = note_push_event(event, destination, progress) or digest
        if not digest:
            raise registry_client.explain_refusal(messages.text("engine.no-digest"), destination)
        return digest

    def _send_for_engine(
        self, image: model.LocalImage, destination: model.Destination, say: Say
    ) -> model.PushedImage:
        say(messages.text("engine.relaying"))
        folder = image.log.parent if image.log else Path(tempfile.gettempdir())
        with self._closing_connection():
            saved = self._client.get_image(image.id)
            with unpack_saved_image(saved, folder, say=say) as layout:
                sent = registry_client.push_layout(layout, destination, say=say)
        return replace(sent, engine=NAME, relayed=True)

    @contextmanager
    def _closing_connection(self, **parameters: str) -> Iterator[None]:
        """Close the connection when the block ends, or the engine would build or push on.

        `parameters` are added to every request of the block.
        """
        listeners = self._client.hooks["response"]
        with ExitStack() as cleanup, docker_client.translate_docker_errors():

            def note(answer: Any, **_options: Any) -> None:
                cleanup.callback(answer.close)

            listeners.append(note)
            cleanup.callback(listeners.remove, note)
            self._client.params = parameters
            cleanup.callback(setattr, self._client, "params", {})
            yield


def _has_buildx(environ: Mapping[str, str]) -> bool:
    """Tell whether Docker's command is there with its plugin for BuildKit, and is to use it."""
    command, env = ["docker", "buildx", "version"], {**os.environ, **environ}
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(command, env=env, capture_output=True, timeout=_PATIENCE, check=False)
        # Podman's command of this name has another plugin.
        return b"docker/buildx" in said.stdout and os.environ.get("DOCKER_BUILDKIT") != "0"
    return False


def _run_build(request: model.BuildRequest, environ: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Build and tag an image; give what BuildKit prints as the events of the classic builder.

    Args:
        request: What to build.
        environ: How the docker command finds the engine and the user's settings.
    """
    context = request.context.absolute()
    command = ["docker", "build", "--progress=plain", f"--platform={IMAGE_PLATFORM}"]
    command += [f"--file={context / DOCKERFILE}", f"--tag={request.name}:{request.tag}"]
    command += [f"--label={model.ENGINE_LABEL}={NAME}"]
    command += [f"--build-arg={name}={value}" for name, value in request.build_args.items()]
    # Attestations would make an index of the image; a builder that is named may keep it to itself.
    env = {**os.environ, **environ, "DOCKER_BUILDKIT": "1", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    env.pop("BUILDX_BUILDER", None)
    pipe, same, reason, place = subprocess.PIPE, subprocess.STDOUT, "", ""
    with subprocess.Popen([*command, str(context)], stdout=pipe, stderr=same, env=env) as process:
        try:
            for raw in process.stdout or ():
                line = raw.decode(errors="replace").rstrip()
                if line.startswith("ERROR: ") or not reason.startswith("ERROR: "):
                    reason = line or reason
                place = line if _PLACE.fullmatch(line) else place
                yield _read_line(line)
            process.wait()
        except BaseException:
            _end(process)
            raise
    if process.returncode:
        yield {"error": _WRAPPING.sub("", reason), "line": place.rpartition(":")[2]}


def _read_line(line: str) -> dict[str, str]:
    if step := _STEP.fullmatch(line):
        return {"stream": f"Step {step[1]} : {step[2]}\n"}
    if output := _OUTPUT.fullmatch(line):
        return {"stream": f"{output[1]}\n"}
    if _STATUS.match(line):
        return {"status": line.partition(" ")[2]}
    return {"log": f"{line}\n"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and its plugin, which lets BuildKit end the build's steps."""
    import psutil

    with suppress(psutil.Error):
        for plugin in psutil.Process(process.pid).children(recursive=True):
            plugin.terminate()
    process.terminate()
