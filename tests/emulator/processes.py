"""Embedded AWS processes that end as a power cut would end them."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from handson.aws.emulator import Running
from handson.core.waiting import wait_until


@contextmanager
def killing_at_the_end() -> Iterator[list[subprocess.Popen[str]]]:
    """Give a list for processes that a test starts, and kill those in it at the end."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        with process:  # closes its streams and waits for it
            pass


def kill(running: Running | None) -> None:
    """Kill the process of an embedded AWS, which has to be running."""
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    wait_gone(running.pid)


def wait_gone(pid: int) -> None:
    """Wait until a process is gone, or is a zombie that nobody has waited for."""

    def alive() -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    wait_until(alive, done=lambda seen: not seen, what="end", timeout=10, interval=0.01)
