"""What tests on the embedded AWS share.

    emulator   the embedded AWS in this process, emptied for this test; marked `process`, the one
               that runs in a process of its own for the session, for tests that need its port
    home       a HANDSON_HOME of the test's own; whatever runs in it is ended afterwards
    shop       a folder with a Dockerfile that any engine can build
    client     client("ec2") is a boto3 client of `emulator`

Emptying `emulator` takes 1 ms, 5 ms as a process, a start of one's own in `home` 0.3 s.  A module
that is marked `second_opinion` gets `emulator` twice: as the embedded AWS, and as moto's server.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from handson.aws import emulator as room
from handson.aws.emulator import server
from handson.aws.emulator.in_process import attach_session
from handson.core.errors import HandsonError
from tests.emulator import second_opinion
from tests.emulator.hooks import Moto, reset
from tests.emulator.workshops import make_shop
from tests.unit.fake_aws import MODELS


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    _end(folder)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop(tmp_path)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[room.Running]:
    folder = tmp_path_factory.mktemp("emulator") / "home"
    # Tests reach it by its endpoint alone, too, for which there is only this secret.
    (folder / "emulator").mkdir(parents=True)
    (folder / "emulator" / server.SECRET).write_text(room.SECRET)
    yield room.ensure_running(folder, region="us-east-1")
    _end(folder)


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    """Start moto's server; it ends with its standard input."""
    command = [sys.executable, "-P", str(Path(__file__).with_name("moto_server.py"))]
    # A reset would load hundreds of machine images for each region anew.
    environ = {**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
    with subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        yield Moto(pid=process.pid, port=port, region="us-east-1", state="running")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "emulator" in metafunc.fixturenames and metafunc.definition.get_closest_marker(
        "second_opinion"
    ):
        second_opinion.ask_both(metafunc)


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> room.Running:
    """Return the embedded AWS, emptied; or moto's server, for those that ask for both."""
    name = "running" if request.node.get_closest_marker("process") else "inside"
    if getattr(request, "param", "") == "moto":
        name = "moto"
    chosen: room.Running = request.getfixturevalue(name)
    reset(chosen)
    return chosen


@pytest.fixture
def client(emulator: room.Running) -> Iterator[Callable[[str], Any]]:
    with contextlib.ExitStack() as opened:
        yield lambda service: opened.enter_context(contextlib.closing(client_of(emulator, service)))


@pytest.fixture
def connect() -> Iterator[Callable[[room.Running], Any]]:
    """Answer ``connect(running)`` with an EC2 client whose connection stays open for the test."""
    with contextlib.ExitStack() as opened:
        yield lambda running: opened.enter_context(contextlib.closing(client_of(running, "ec2")))


def client_of(running: room.Running, service: str) -> Any:
    """Return a client that shares botocore's descriptions of the services with all others."""
    session = botocore.session.Session()
    session.register_component("data_loader", MODELS)
    attach_session(session)
    session.set_credentials(running.access_key_id, running.secret_access_key)
    return session.create_client(service, region_name=running.region, endpoint_url=running.endpoint)


def _end(folder: Path) -> None:
    with contextlib.suppress(HandsonError):
        room.stop_emulator(folder, timeout=10)
