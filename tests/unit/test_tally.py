"""What a run of the tests counts, and says at its end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.tally import Tallies

WRONG, SURVIVED = "wrong states caught", "faults survived"


def entry(name: str = "test_a_wrong_state", case: str = "moto-a route missing") -> Any:
    return SimpleNamespace(originalname=name, callspec=SimpleNamespace(id=case))


def call(error: BaseException | None = None, *, when: str = "call") -> Any:
    return SimpleNamespace(when=when, excinfo=raised(error) if error else None)


def raised(error: BaseException) -> pytest.ExceptionInfo[BaseException]:
    with pytest.raises(type(error)) as seen:
        raise error
    return seen


def test_nothing_is_said_of_what_was_not_tried() -> None:
    assert Tallies().lines() == []


def test_what_was_tried_is_said_by_emulator() -> None:
    tallies = Tallies()
    for passed in (True, True, False):
        tallies.of(SURVIVED, "MiniStack").count(passed)
    tallies.of(WRONG, "MiniStack").count(True)
    tallies.of(SURVIVED, "moto").count(True)
    assert tallies.lines() == [
        "wrong states caught 1 of 1, faults survived 2 of 3, on MiniStack",
        "faults survived 1 of 1, on moto",
    ]


def test_the_counts_of_several_processes_add_up() -> None:
    first, second, all_of_them = Tallies(), Tallies(), Tallies()
    first.of(WRONG, "moto").count(True)
    second.of(WRONG, "moto").count(False)
    for one in (first, second):
        all_of_them.add(one.carried())
    assert all_of_them.lines() == ["wrong states caught 1 of 2, on moto"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (None, ["wrong states caught 1 of 1, on moto"]),
        (AssertionError("not caught"), ["wrong states caught 0 of 1, on moto"]),
        (pytest.skip.Exception("not here"), []),
    ],
)
def test_an_entry_is_counted_by_its_outcome(error: BaseException | None, said: list[str]) -> None:
    tallies = Tallies()
    tallies.count_entry(entry(), call(error))
    assert tallies.lines() == said


@pytest.mark.parametrize("when", ["setup", "teardown"])
def test_an_entry_is_counted_once(when: str) -> None:
    tallies = Tallies()
    tallies.count_entry(entry(), call(when=when))
    assert tallies.lines() == []


def test_other_tests_are_not_counted() -> None:
    tallies = Tallies()
    tallies.count_entry(entry("test_something_else"), call())
    assert tallies.lines() == []
