"""Kernels that are killed: processes forked from one that has everything loaded.

    kernel = start("make", running, home, kill_after=3)
    ended(kernel)                        its exit code: -9 where it was killed

`make` runs the workshop up to the evidence, `clean` the clean-up, `push` a push.  `kill_after` is
the number of mutating calls that take effect before the process kills itself; what other calls are
under way at that moment is anybody's guess, as with a real kill.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handson.aws.connection import Connection
from handson.aws.emulator import Running
from handson.aws.refusals import READS
from handson.notebook.workshop import Workshop
from tests.emulator import hooks, workshops
from tests.emulator.workshops import open_workshop


class KillAfter:
    """Kills its own process once the k-th mutating call has been answered."""

    def __init__(self, k: int) -> None:
        self._left = k
        self._lock = threading.Lock()

    def attach(self, session: Any) -> None:
        session.register("before-call", self._before)
        session.register("after-call", self._after)

    def _before(self, model: Any, **_: Any) -> None:
        if self._left == 0 and not model.name.startswith(READS):
            os.kill(os.getpid(), signal.SIGKILL)

    def _after(self, model: Any, **_: Any) -> None:
        if model.name.startswith(READS):
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def workshop(running: Running, home: Path, *on_the_way: hooks.Hook) -> Workshop:
    ways = {"connect": lambda _settings: Connection(hooks.connect(running, *on_the_way))}
    return open_workshop(home, endpoint_url=running.endpoint, ways=ways)


def make(held: Workshop) -> None:
    held.ensure_network()
    held.evidence("network")
    held.ensure_cluster()
    push(held)
    held.record_image_uri()
    held.evidence("image-uri")


def push(held: Workshop) -> None:
    workshops.push(held, held.settings.home.parent / "shop")


def clean(held: Workshop) -> None:
    held.cleanup(confirm="delete")


VERBS: dict[str, Callable[[Workshop], None]] = {"make": make, "push": push, "clean": clean}


def _live(verb: str, running: Running, home: Path, kill_after: int) -> None:
    VERBS[verb](workshop(running, home, KillAfter(kill_after)))


def start(verb: str, running: Running, home: Path, *, kill_after: int = -1) -> Any:
    """Start a kernel, a process of its own that runs a verb, and return its process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.emulator.warm"])
    process = context.Process(target=_live, args=(verb, running, home, kill_after))
    process.start()
    return process


def ended(process: Any) -> int:
    """Wait for a kernel to end, and return its exit code."""
    process.join(60)
    code = process.exitcode
    process.close()
    return int(code)
