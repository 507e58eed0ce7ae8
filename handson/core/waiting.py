"""Wait until a resource reaches a state, the only polling loop; and pauses that can be ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from handson.core.errors import WaitTimeout

T = TypeVar("T")

_TICK = 0.25


def make_pause(sleep: Callable[[float], None], stop: threading.Event) -> Callable[[float], None]:
    """Return a function that sleeps as `sleep` does, until `stop` is set.

    A thread cannot be interrupted by itself, so it sleeps in small parts.  The function raises
    InterruptedError where `stop` is set.
    """

    def pause(seconds: float) -> None:
        while seconds > 0 and not stop.is_set():
            sleep(min(seconds, _TICK))
            seconds -= _TICK
        if stop.is_set():
            raise InterruptedError

    return pause


def wait_until(
    probe: Callable[[], T],
    *,
    done: Callable[[T], bool],
    what: str,
    timeout: float,
    interval: float = 0.01,
    factor: float = 1.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call `probe` until `done` accepts its answer, and return that answer.

    Args:
        probe: Returns the current state; its errors pass through.
        done: Tells whether this is the wanted state.
        what: The resource and the wanted state, for the learner.
        timeout: Seconds after which to give up; the last call is at or after this time.
        interval: Seconds between the first two calls.
        factor: How much the interval grows from call to call (at most to five seconds).
        clock: Returns seconds that never decrease.
        sleep: Pauses for a number of seconds.

    Raises:
        WaitTimeout: The state was not the wanted one in time; the error names the last state.
    """
    deadline = clock() + timeout
    while True:
        late = clock() >= deadline
        answer = probe()
        if done(answer):
            return answer
        if late:
            seen, seconds = "-" if answer is None else answer, f"{timeout:g}"
            raise WaitTimeout.from_key(
                "core.waiting.timeout", what=what, seen=seen, seconds=seconds
            )
        sleep(max(0.0, min(interval, deadline - clock())))
        interval = min(interval * factor, 5.0)
