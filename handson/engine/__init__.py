"""The engine wing: builds images, pushes them, and runs them for a moment.

Two engines share one Protocol.  `docker` uses an engine that answers the Docker API (Docker Engine
and Desktop, Colima, Podman).  `builtin` packs a Dockerfile's files and settings into an OCI image
and runs nothing, for machines where no engine answers.
"""

from __future__ import annotations

from handson.core import messages
from handson.core.errors import NotReady
from handson.engine.builtin_engine import NAME as BUILTIN
from handson.engine.builtin_engine import BuiltinEngine
from handson.engine.docker_client import find_docker
from handson.engine.docker_engine import DockerEngine
from handson.engine.model import (
    ENGINE_LABEL,
    IMAGE_PLATFORM,
    BuildRequest,
    ContainerRunner,
    Destination,
    Engine,
    EngineInfo,
    FetchPath,
    HttpAnswer,
    LocalImage,
    PushedImage,
    RunningContainer,
    RunRequest,
    format_size,
)
from handson.engine.oci import is_image_manifest

__all__ = [
    "BUILTIN",
    "ENGINE_LABEL",
    "IMAGE_PLATFORM",
    "BuildRequest",
    "BuiltinEngine",
    "ContainerRunner",
    "Destination",
    "DockerEngine",
    "Engine",
    "EngineInfo",
    "FetchPath",
    "HttpAnswer",
    "LocalImage",
    "PushedImage",
    "RunRequest",
    "RunningContainer",
    "choose_engine",
    "format_size",
    "is_image_manifest",
]


def choose_engine(
    preference: str = "auto", *, real_aws: bool = False, docker_host: str = ""
) -> Engine:
    """Return the engine to use; a docker engine has a few seconds to answer.

    Args:
        preference: "docker", "builtin", or "auto": docker where it answers, else builtin.
        real_aws: True when the image goes to real AWS, where builtin must be asked for by name.
        docker_host: `DOCKER_HOST`, or empty for the current docker context.

    Raises:
        NotReady: Docker was asked for, or is needed for real AWS, and does not answer.
    """
    if preference == "builtin":
        return BuiltinEngine()
    try:
        client, where = find_docker(docker_host)
    except NotReady as stopped:
        if preference == "docker":
            raise
        if real_aws:
            raise NotReady(*messages.advice("engine.builtin-on-aws")) from stopped
        return BuiltinEngine()
    return DockerEngine(client, where=where)
