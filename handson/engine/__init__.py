"""The engine wing: builds images, pushes them, and runs them for a moment.

Two engines have the same methods.  `docker` uses an engine that answers the Docker API (Docker
Engine and Desktop, Colima, Podman).  `builtin` packs a Dockerfile's files and settings into an OCI
image and runs nothing, for machines where no engine answers.

    model            the requests that engines take, and their results
    docker_engine    the engine that answers the Docker API
    docker_client    find it, and turn its library's errors into ours
    docker_events    read what it reports while it works
    containers       run a container for a moment
    builtin_engine   the engine that packs the files of the build context
    build_context    list the files that .dockerignore leaves
    dockerfile       read a Dockerfile's instructions
    recipe           decide what image they describe
    oci              write layers and images to disk
    registry_client  push over the registry protocol, and explain refusals
    push_progress    a line for a push, and a bar for each layer
"""

from __future__ import annotations

from handson.core.errors import NotReady
from handson.engine.builtin_engine import BuiltinEngine
from handson.engine.docker_client import NothingThere, find_docker
from handson.engine.docker_engine import DockerEngine

Engine = DockerEngine | BuiltinEngine
"""Builds images, pushes them, and may run them; `containers` is None for one that runs nothing.

`setback` tells what stood in the way of a better choice, or is None: why a Docker that was named
or is there cannot be used, or why the user's docker configuration cannot be read.
"""


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
        client, where, environ = find_docker(docker_host)
    except NotReady as failed:
        if preference == "docker":
            raise
        if real_aws:
            why, cure = failed.problem, failed.remedy
            raise NotReady.from_key("engine.builtin-on-aws", why=why, cure=cure) from failed
        builtin = BuiltinEngine()
        builtin.setback = None if isinstance(failed, NothingThere) else failed
        return builtin
    return DockerEngine(client, where, **environ)
