"""What a run says at its end: counted from the tests that ran, and from nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.emulator import rates


def report(case: str, *, outcome: str = "passed", test: str = "test_a_wrong_state") -> Any:
    return SimpleNamespace(nodeid=f"tests/emulator/test_x.py::{test}[{case}]", outcome=outcome)


def test_caught_are_those_that_passed_of_those_that_ran() -> None:
    ran = [report("moto-one"), report("moto-a-b", outcome="failed"), report("ministack-one")]
    assert rates.lines(ran) == [
        "MiniStack: wrong states caught 1 of 1",
        "moto: wrong states caught 1 of 2",
    ]


def test_both_catalogues_stand_on_one_line() -> None:
    ran = [report("moto-one"), report("moto-two", test="test_a_harmless_variant")]
    assert rates.lines(ran) == ["moto: wrong states caught 1 of 1, harmless variants passed 1 of 1"]


def test_nothing_is_said_where_no_catalogue_ran() -> None:
    assert rates.lines([report("moto-one", test="test_another")]) == []
