"""What a run of the tests counts, and says at its end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.tally import Tallies

WRONG, SURVIVED = "wrong states caught", "faults survived"


def call(error: BaseException | None = None, *, when: str = "call") -> Any:
    return SimpleNamespace(when=when, excinfo=raised(error) if error else None)


def raised(error: BaseException) -> pytest.ExceptionInfo[BaseException]:
    with pytest.raises(type(error)) as seen:
        raise error
    return seen


def test_the_counts_of_several_processes_add_up_by_emulator() -> None:
    first, second, all_of_them = Tallies(), Tallies(), Tallies()
    for passed in (True, True, False):
        first.of(SURVIVED, "MiniStack").count(passed)
    first.of(WRONG, "MiniStack").count(True)
    second.of(WRONG, "MiniStack").count(False)
    second.of(SURVIVED, "moto").count(True)
    assert all_of_them.lines() == []
    for one in (first, second):
        all_of_them.add(one.carried())
    assert all_of_them.lines() == [
        "wrong states caught 1 of 2, faults survived 2 of 3, on MiniStack",
        "faults survived 1 of 1, on moto",
    ]


@pytest.mark.parametrize(
    ("name", "outcome", "said"),
    [
        ("test_a_wrong_state", call(), ["wrong states caught 1 of 1, on moto"]),
        ("test_a_wrong_state", call(AssertionError()), ["wrong states caught 0 of 1, on moto"]),
        ("test_a_wrong_state", call(pytest.skip.Exception("not here")), []),
        ("test_a_wrong_state", call(when="setup"), []),
        ("test_something_else", call(), []),
    ],
    ids=["passed", "failed", "skipped", "only set up", "no entry"],
)
def test_an_entry_is_counted_once_by_its_outcome(name: str, outcome: Any, said: list[str]) -> None:
    tallies = Tallies()
    case = SimpleNamespace(id="moto-a route missing")
    tallies.count_entry(SimpleNamespace(originalname=name, callspec=case), outcome)
    assert tallies.lines() == said
