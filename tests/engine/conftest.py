"""A real engine, a Ruby base made of Debian's packages, and an embedded AWS to push to."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import docker
import pytest

from handson import emulator
from handson.engine import Destination, DockerEngine, Engine, choose
from handson.errors import NotReady

BASE = "handson-ruby-base:test"
PACKAGES = "ruby-rails,puma"
SOURCES = ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")

Require = Callable[[str, bool, str], None]


@pytest.fixture(scope="session")
def engine(require: Require) -> Engine:
    try:
        return choose("docker", docker_host=os.environ.get("DOCKER_HOST", ""))
    except NotReady as stopped:
        require("engine", False, stopped.problem)
        raise


@pytest.fixture(scope="session")
def client(engine: Engine) -> Iterator[docker.APIClient]:
    assert isinstance(engine, DockerEngine)
    found = docker.APIClient(base_url=os.environ.get("DOCKER_HOST"), version="auto", timeout=120)
    yield found
    found.close()


@pytest.fixture(scope="session")
def base(client: docker.APIClient, require: Require) -> str:
    """Return a Ruby image with Rails and puma, made from Debian's packages where it is missing."""
    if not client.images(name=BASE):
        can = bool(shutil.which("mmdebstrap")) and os.geteuid() == 0
        reason = f"the image {BASE} is missing, and making it takes mmdebstrap and root"
        require("engine", can, reason)
        make_base(client)
    return BASE


def make_base(client: docker.APIClient) -> None:
    system = dict(
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    suite = system["VERSION_CODENAME"].strip('"')
    source = next(path for path in SOURCES if Path(path).is_file())
    command = ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", suite, "-", source]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as making:
        assert making.stdout is not None
        client.import_image_from_stream(making.stdout, repository=BASE.split(":")[0], tag="test")
    assert making.returncode == 0, "mmdebstrap could not make the base image"


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[emulator.Running]:
    home = tmp_path_factory.mktemp("home")
    yield emulator.ensure_running(home, region="us-east-1")
    emulator.stop(home)


@pytest.fixture(scope="session")
def ecr(aws: emulator.Running) -> Any:
    return boto3.client(
        "ecr",
        endpoint_url=aws.endpoint,
        region_name=aws.region,
        aws_access_key_id=aws.access_key_id,
        aws_secret_access_key=aws.secret_access_key,
    )


@pytest.fixture
def repository(ecr: Any) -> Iterator[str]:
    ecr.create_repository(repositoryName="rails-app")
    yield "rails-app"
    ecr.delete_repository(repositoryName="rails-app", force=True)


@pytest.fixture
def destination(aws: emulator.Running, repository: str) -> Destination:
    return Destination(f"127.0.0.1:{aws.port}", "http", repository, "AWS", "token")
