"""Five learners of a hub, who have worked through 01, and its teacher.

With `pytest -s` the memory of a server and the time until its first cell are printed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException

from tests.browser.conftest import browser  # noqa: F401  (a fixture)
from tests.engine.base import NAME as BASE
from tests.hub.seats import Hub, Seat, work_through

NAMES = ("hanako", "taro.yamada@example.ac.jp", "鈴木一郎", "s1001", "o'brien")
TEACHER = "sensei"


@pytest.fixture(scope="module")
def hub(
    require: Callable[[str, bool, str], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hub]:
    require("hub", os.geteuid() == 0, "the learners' folders are read by root")
    require("hub", _has_base(), f"no engine answers that has the image {BASE}")
    opened = Hub(tmp_path_factory.mktemp("class"), learners=NAMES, teacher=TEACHER)
    opened.wait()
    yield opened
    opened.stop()


@pytest.fixture(scope="module")
def seats(hub: Hub, browser: Any) -> list[Seat]:  # noqa: F811
    """Return the learners' seats, after all have signed in and worked through 01 at once."""
    seats = [Seat(hub, browser, name) for name in NAMES]
    for seat in seats:
        seat.expose_lab()
    began = time.monotonic()
    for seat in seats:
        seat.sign_in()
    for seat in seats:
        seat.wait_for_lab()
    report("five servers at once, from sign-in to JupyterLab", time.monotonic() - began, "s")
    report("memory idle", [seat.measure_memory() for seat in seats], "MiB")
    work_through(seats, "01-network")
    report("five servers at once, to the end of 01", time.monotonic() - began, "s")
    report("memory at work", [seat.measure_memory() for seat in seats], "MiB")
    return seats


@pytest.fixture(scope="module")
def teacher(hub: Hub, browser: Any) -> Seat:  # noqa: F811
    """Return the teacher's seat, signed in with the password that the hub has made."""
    name, password = (hub.folder / "hub" / "teachers").read_text(encoding="utf-8").split()
    seat = Seat(hub, browser, name, password)
    seat.expose_lab()
    seat.sign_in()
    seat.wait_for_lab()
    return seat


def report(what: str, value: Any, unit: str) -> None:
    print(f"{what}: {value:.1f} {unit}" if isinstance(value, float) else f"{what}: {value} {unit}")


def _has_base() -> bool:
    try:
        engine = docker.from_env()
        return bool(engine.images.list(BASE)) and Path("/proc").is_dir()
    except DockerException:
        return False
