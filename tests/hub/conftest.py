"""Five learners of a hub, who have worked through 01, and its teacher.

With `pytest -s` the memory of a server and the time until its first cell are printed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import chromium, open_browser  # noqa: F401  (a fixture)
from tests.conftest import REQUIRED
from tests.engine.base import NAME as BASE
from tests.hub.seats import Hub, Seat, work_through

NAMES = ("hanako", "taro.yamada@example.ac.jp", "鈴木一郎", "s1001", "o'brien")
TEACHER = "sensei"


@pytest.fixture(scope="module")
def hub(
    require: Callable[[str, bool, str], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hub]:
    require("hub", "hub" in REQUIRED, "HANDSON_REQUIRE does not name it; it takes six minutes")
    require("hub", os.geteuid() == 0, "the learners' folders are read by root")
    require("hub", _has_base(), f"no engine answers that has the image {BASE}")
    opened = Hub(tmp_path_factory.mktemp("class"), learners=NAMES, teacher=TEACHER)
    opened.wait()
    yield opened
    opened.stop()


@pytest.fixture(scope="module")
def browser(hub: Hub, chromium: str) -> Iterator[Any]:  # noqa: F811
    """Give a Chromium in the network of the class, as on a computer of its own.

    In the host's, it would break off what it asks whenever a learner's network comes or goes
    (ERR_NETWORK_CHANGED), and JupyterLab would then say that its server is not running.
    """
    program = hub.folder / "chromium"
    program.write_text(
        f'#!/bin/sh\nexec nsenter --target={hub.find_board()} --net {chromium} "$@"\n'
    )
    program.chmod(0o755)
    with open_browser(str(program)) as opened:
        yield opened


@pytest.fixture(scope="module")
def seats(hub: Hub, browser: Any) -> list[Seat]:
    """Return the learners' seats, after all have signed in and worked through 01 at once."""
    seats = [Seat(hub, browser, name) for name in NAMES]
    for seat in seats:
        seat.expose_lab()
    began = time.monotonic()
    for seat in seats:
        seat.sign_in()
    for seat in seats:
        seat.wait_for_lab()
    report("five servers at once, from sign-in to ready kernels", time.monotonic() - began, "s")
    report("memory idle", measure_memory(seats), "MiB")
    work_through(seats, "01-network")
    report("five servers at once, to the end of 01", time.monotonic() - began, "s")
    report("memory at work", measure_memory(seats), "MiB")
    return seats


@pytest.fixture(scope="module")
def teacher(hub: Hub, browser: Any) -> Seat:
    """Return the teacher's seat, signed in with the password that the hub has made.

    Its server starts alone.
    """
    name, password = (hub.folder / "hub" / "teachers").read_text(encoding="utf-8").split()
    seat = Seat(hub, browser, name, password)
    seat.expose_lab()
    began = time.monotonic()
    seat.sign_in()
    seat.wait_for_lab()
    report("one server, from sign-in to a ready kernel", time.monotonic() - began, "s")
    return seat


def measure_memory(seats: list[Seat]) -> list[float]:
    return [seat.measure_memory() for seat in seats]


def report(what: str, value: Any, unit: str) -> None:
    print(f"{what}: {value:.1f} {unit}" if isinstance(value, float) else f"{what}: {value} {unit}")


def _has_base() -> bool:
    command = shutil.which("docker")
    if not command:
        return False
    asked = subprocess.run([command, "image", "inspect", BASE], capture_output=True, check=False)
    return asked.returncode == 0 and Path("/proc").is_dir()
