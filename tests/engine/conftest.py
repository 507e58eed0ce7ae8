"""Real engines, a Ruby base made of Debian's packages, and a registry to push to."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import docker
import pytest
from filelock import FileLock

from handson.core.errors import NotReady
from handson.engine import Engine, choose_engine
from handson.engine.model import Destination
from tests.engine.base import NAME as BASE
from tests.engine.base import begin_base
from tests.fake_registry import Shelf, serving

SHELL = "handson-test-shell"

Require = Callable[[str, bool, str], None]


@pytest.fixture(scope="session")
def engine(require: Require) -> Engine:
    try:
        return choose_engine("docker", docker_host=os.environ.get("DOCKER_HOST", ""))
    except NotReady as stopped:
        require("engine", False, stopped.problem)
        raise


@contextmanager
def connected(address: str) -> Iterator[docker.APIClient]:
    client = docker.APIClient(base_url=address or None, version="auto", timeout=120)
    yield client
    client.close()


@pytest.fixture(scope="session")
def client(engine: Engine) -> Iterator[docker.APIClient]:
    with connected(os.environ.get("DOCKER_HOST", "")) as found:
        yield found


@pytest.fixture(scope="session")
def podman(require: Require) -> Iterator[str]:
    """Give the address of a Podman service of our own: empty, and with no trace outside."""
    can = bool(shutil.which("podman")) and os.geteuid() == 0
    require("podman", can, "Podman is not installed, or its service cannot be started")
    # Not pytest's folder: Podman takes no `--runroot` of more than 50 characters.
    with tempfile.TemporaryDirectory(prefix="podman-") as name:
        folder = Path(name)
        address = f"unix://{folder / 'podman.sock'}"
        places = [f"--root={folder / 'images'}", f"--runroot={folder / 'run'}"]
        # No mount is left behind with this driver; no systemd is needed with these two managers.
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
                answers = until_it_answers(address, service)
                require("podman", answers, (folder / "log").read_text("utf-8"))
                yield address
            finally:
                service.terminate()


def until_it_answers(address: str, service: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 30
    while service.poll() is None and time.monotonic() < deadline:
        with suppress(NotReady):
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
def raw(address: str) -> Iterator[docker.APIClient]:
    with connected(address) as found:
        yield found


@pytest.fixture(scope="session")
def shell(raw: docker.APIClient) -> Iterator[str]:
    """Return an image of a shell and its libraries, taken from this machine."""
    said = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=True).stdout
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(Path("/bin/sh").resolve(), "bin/sh")
        for library in re.findall(r"/\S+", said):
            tar.add(Path(library).resolve(), library.lstrip("/"))
    raw.import_image_from_data(packed.getvalue(), repository=SHELL, tag="latest")
    yield f"{SHELL}:latest"
    raw.remove_image(f"{SHELL}:latest", force=True)


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
            with begin_base(subprocess.PIPE) as making:
                name, _, tag = BASE.partition(":")
                client.import_image_from_stream(making.stdout, repository=name, tag=tag)
            assert making.returncode == 0, "mmdebstrap could not make the base image"
    return BASE


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(password="secret")


@pytest.fixture
def there(shelf: Shelf) -> Iterator[Destination]:
    with serving(shelf) as registry:
        yield Destination(registry, "http", "shop", "AWS", "secret", "latest")
