"""What tests on the embedded AWS share.

    home       a HANDSON_HOME of the test's own; whatever runs in it is ended afterwards
    running    one embedded AWS for the whole session, as an `emulator.Running` (in <tmp>/home)
    emulator   the same one, emptied for this test: use this one
    client     client("ec2") is a boto3 client of `emulator`

`emulator` costs about 5 ms a test, a start of one's own in `home` about 0.3 s.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import pytest

from handson import emulator as room
from handson import messages
from handson.errors import HandsonError


@pytest.fixture(autouse=True)
def japanese() -> None:
    messages.use("ja")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    _end(folder)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[room.Running]:
    folder = tmp_path_factory.mktemp("emulator") / "home"
    yield room.ensure_running(folder, region="us-east-1")
    _end(folder)


@pytest.fixture
def emulator(running: room.Running) -> room.Running:
    connection = HTTPConnection("127.0.0.1", running.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("POST", "/_ministack/reset")
        assert connection.getresponse().status == 200
    return running


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
    session = boto3.Session(
        aws_access_key_id=running.access_key_id,
        aws_secret_access_key=running.secret_access_key,
        region_name=running.region,
    )
    return session.client(service, endpoint_url=running.endpoint)


def _end(folder: Path) -> None:
    with contextlib.suppress(HandsonError):
        room.stop(folder, timeout=10)
