"""The one polling loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from handson.core import messages
from handson.core.errors import WaitTimeout

T = TypeVar("T")


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
        probe: Looks once. What it raises passes through.
        done: Tells whether the answer is the wanted one.
        what: The resource and the wanted state, for the learner.
        timeout: Seconds after which to give up; the last look is taken at or after it.
        interval: Seconds between the first two looks.
        factor: By what the interval grows from look to look (at most to five seconds).
        clock: Seconds that only ever grow.
        sleep: Waits for so many seconds.

    Raises:
        WaitTimeout: The answer was not the wanted one in time; names the last one seen.
    """
    deadline = clock() + timeout
    while True:
        late = clock() >= deadline
        answer = probe()
        if done(answer):
            return answer
        if late:
            raise WaitTimeout(
                *messages.advice(
                    "core.waiting.timeout", what=what, seen=answer, seconds=f"{timeout:g}"
                )
            )
        sleep(max(0.0, min(interval, deadline - clock())))
        interval = min(interval * factor, 5.0)
