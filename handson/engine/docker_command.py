"""Builds with BuildKit through Docker's own command, as `docker build` does since Engine 23.

Docker's library for Python asks for the classic builder, which does not know the Dockerfile's newer
options (docker/docker-py#2230).
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from handson.course.exercise import IMAGE_PLATFORM
from handson.engine.dockerfile import DOCKERFILE
from handson.engine.model import ENGINE_LABEL, BuildRequest

_PATIENCE = 15.0  # seconds for the plugin to tell its version

# "#5 [gems 2/3] RUN …" begins a step, " > [gems 2/3] RUN …:" the output of one that failed.
_STEP = re.compile(r"(?:#\d+| >) \[(?:[^]]* )?(\d+/\d+)\] (.*?):?")
_PLACE = re.compile(rf"{DOCKERFILE}:\d+")
_STATUS = re.compile(r"#\d+ (sha256:|extracting|exporting|resolve)")
_WRAPPING = re.compile(r"^ERROR: |failed to (build|solve|create LLB)[^:]*: |rpc error.* desc = ")
_OUTPUT = re.compile(r"(?:#\d+ )?\d+\.\d+ (.*)")


def has_buildx(environ: Mapping[str, str]) -> bool:
    """Tell whether Docker's command is there with its plugin for BuildKit, and is to use it."""
    command, env = ["docker", "buildx", "version"], {**os.environ, **environ}
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(command, env=env, capture_output=True, timeout=_PATIENCE, check=False)
        # Podman's command of this name has another plugin.
        return b"docker/buildx" in said.stdout and os.environ.get("DOCKER_BUILDKIT") != "0"
    return False


def run_build(request: BuildRequest, environ: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Build and tag an image; give what BuildKit prints as the events of the classic builder.

    Args:
        request: What to build.
        environ: How the docker command finds the engine and the user's settings.
    """
    context = request.context.absolute()
    name = f"{request.name}:{request.tag}"
    command = ["docker", "build", "--progress=plain", f"--platform={IMAGE_PLATFORM}"]
    command += [f"--file={context / DOCKERFILE}", f"--tag={name}", f"--label={ENGINE_LABEL}=docker"]
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
