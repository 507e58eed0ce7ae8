"""What this Python runs on: a computer, or a tab of a browser (Pyodide).

A tab has no threads, processes, sockets or locks of files, and nobody else uses its files.  Where
that matters stands one door, with an implementation for each:

    Workers                        threads          the caller
    core.files.hold_lock           a lock file      nothing
    aws.emulator                   a process        this Python
    drawing.graphviz               pygraphviz       Graphviz, compiled for browsers
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

IN_TAB = sys.platform == "emscripten"


class CallingWorkers(Executor):
    """Workers whose work is done at once, by the caller."""

    def __init__(self, max_workers: int = 1) -> None:
        """Take as many workers as other ones do; it makes no difference."""

    def submit(self, work: Callable[..., T], /, *given: Any, **named: Any) -> Future[T]:
        """Do the work, and return its finished result."""
        future: Future[T] = Future()
        try:
            future.set_result(work(*given, **named))
        except BaseException as error:
            future.set_exception(error)
        return future


Workers = CallingWorkers if IN_TAB else ThreadPoolExecutor
"""Works on several things at once, as `ThreadPoolExecutor` does."""
