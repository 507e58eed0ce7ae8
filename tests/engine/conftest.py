"""A real engine, a Ruby base made of Debian's packages, and an embedded AWS to push to."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import docker
import pytest
from filelock import FileLock

from handson.aws import emulator
from handson.core.errors import NotReady
from handson.engine import Engine, choose_engine
from handson.engine.docker_engine import DockerEngine
from handson.engine.model import Destination

BASE = "handson-ruby-base:test"
SHELL = "handson-test-shell"
PACKAGES = "ruby-rails,puma"
SOURCES = ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")

Require = Callable[[str, bool, str], None]


@pytest.fixture(scope="session")
def engine(require: Require) -> Engine:
    try:
        return choose_engine("docker", docker_host=os.environ.get("DOCKER_HOST", ""))
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
def podman(require: Require) -> Iterator[str]:
    """Give the address of a Podman service of our own: empty, and with no trace outside."""
    can = bool(shutil.which("podman")) and os.geteuid() == 0
    require("podman", can, "Podman is not installed, or its service cannot be started")
    # Not pytest's folder: Podman takes no `--runroot` of more than 50 characters.
    with tempfile.TemporaryDirectory(prefix="podman-") as folder, podman_in(Path(folder)) as found:
        require("podman", bool(found), (Path(folder) / "log").read_text("utf-8"))
        yield found


@contextlib.contextmanager
def podman_in(folder: Path) -> Iterator[str]:
    """Give the address of a Podman service that keeps everything in a folder, or nothing."""
    address = f"unix://{folder / 'podman.sock'}"
    places = [f"--root={folder / 'images'}", f"--runroot={folder / 'run'}"]
    # No mount is left behind with this driver, and no systemd is needed with these two managers.
    options = ["--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--events-backend=file"]
    command = ["podman", *places, f"--tmpdir={folder / 'tmp'}", *options, "system", "service"]
    # Its locks, too, lie in a file, not in /dev/shm, where another Podman's may be.
    (folder / "containers.conf").write_text('[engine]\nlock_type = "file"\n', "utf-8")
    own = {**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([*command, "--time=0", address], stderr=log, env=own) as service,
    ):
        try:
            yield address if until_it_answers(address, service) else ""
        finally:
            service.terminate()


def until_it_answers(address: str, service: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 30
    while service.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(NotReady):
            choose_engine("docker", docker_host=address)
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="session", params=["docker", "podman"])
def address(request: pytest.FixtureRequest) -> str:
    """Return where an engine answers: Docker's, then Podman's."""
    if request.param == "podman":
        return str(request.getfixturevalue("podman"))
    request.getfixturevalue("engine")
    return os.environ.get("DOCKER_HOST", "")


@pytest.fixture(scope="session")
def shell(address: str) -> Iterator[str]:
    """Return an image of a shell and its libraries, taken from this machine."""
    client = docker.APIClient(base_url=address or None, version="auto", timeout=120)
    client.import_image_from_data(shell_and_libraries(), repository=SHELL, tag="latest")
    yield f"{SHELL}:latest"
    client.remove_image(f"{SHELL}:latest", force=True)
    client.close()


def shell_and_libraries() -> bytes:
    said = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=True).stdout
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(Path("/bin/sh").resolve(), "bin/sh")
        for library in re.findall(r"/\S+", said):
            tar.add(Path(library).resolve(), library.lstrip("/"))
    return packed.getvalue()


@pytest.fixture(scope="session")
def base(
    client: docker.APIClient, require: Require, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Return a Ruby image with Rails and puma, made from Debian's packages where it is missing.

    The processes of a parallel run, whose folders lie in one, wait for the one that makes it.
    """
    with FileLock(tmp_path_factory.getbasetemp().parent / "base.lock"):
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
    emulator.stop_emulator(home)


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
