from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from handson.core import messages
from handson.core.errors import WaitTimeout
from handson.core.waiting import wait_until
from tests.unit.fake_aws import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def answering(*answers: str) -> Callable[[], str]:
    """Return a probe that gives these answers, the last one for ever."""

    def each() -> Iterator[str]:
        yield from answers
        while True:
            yield answers[-1]

    given = each()
    return lambda: next(given)


def wait(probe: Callable[[], str], clock: Clock, *, timeout: float = 1.0, factor: float = 1) -> str:
    return wait_until(
        probe,
        done=lambda seen: seen == "ACTIVE",
        what="cluster c ACTIVE",
        timeout=timeout,
        interval=0.4,
        factor=factor,
        clock=clock,
        sleep=clock.sleep,
    )


def test_the_wanted_answer_is_returned_and_one_that_is_there_is_not_waited_for(
    clock: Clock,
) -> None:
    assert wait(answering("ACTIVE"), clock) == "ACTIVE"
    assert wait(answering("ACTIVE"), clock, timeout=0) == "ACTIVE"
    assert clock.pauses == []
    assert wait(answering("PROVISIONING", "ACTIVE"), clock) == "ACTIVE"
    assert clock.pauses == pytest.approx([0.4])


def test_the_last_look_is_taken_when_time_is_up(clock: Clock) -> None:
    assert wait(answering("a", "b", "c", "ACTIVE"), clock) == "ACTIVE"
    assert clock.pauses == pytest.approx([0.4, 0.4, 0.2])


def test_the_interval_grows_by_the_factor_up_to_five_seconds(clock: Clock) -> None:
    with pytest.raises(WaitTimeout):
        wait(answering("PROVISIONING"), clock, timeout=20, factor=4)
    assert clock.pauses == pytest.approx([0.4, 1.6, 5.0, 5.0, 5.0, 3.0])


def test_giving_up_names_what_was_waited_for_how_long_and_what_was_seen(clock: Clock) -> None:
    with pytest.raises(WaitTimeout) as gave_up:
        wait(answering("PROVISIONING"), clock)
    for part in ("cluster c ACTIVE", "1 秒", "PROVISIONING"):
        assert part in gave_up.value.problem


def test_what_is_waited_for_reads_as_one_sentence_in_japanese() -> None:
    waits = [name for name in messages.catalogue("resources") if ".wait-" in name]
    assert {name.partition(".")[0] for name in waits} >= {"cluster", "network"}
    for name in waits:
        what = messages.text(f"resources.{name}", name="x")
        problem, _ = messages.advice("core.waiting.timeout", what=what, seen="-", seconds=1)
        assert re.search(r"(の|削除)を 1 秒待ちましたが", problem)


def test_what_the_probe_raises_passes_through(clock: Clock) -> None:
    def broken() -> str:
        raise LookupError("gone")

    with pytest.raises(LookupError):
        wait(broken, clock)
