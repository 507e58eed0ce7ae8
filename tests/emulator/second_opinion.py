"""A second opinion: the tests of modules marked `second_opinion` run on moto's server, too.

moto is stricter than the embedded AWS in places, and lacks others.  What it cannot do stands here
with the reason; such a test is expected to fail on moto, so that a line which no longer holds is
found.  Where a test goes through every call of a plan, moto is asked about some of them.

moto is asked by `make test-full` alone; by `make test`, about the wrong states into which MiniStack
cannot be brought (`judging.each`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.emulator.hooks import Moto

EMULATORS = ("ministack", "moto")
CANNOT: dict[str, str] = {
    "test_more_private_subnets_are_added_as_if_made_at_once": (
        "it makes no route in a route table that is added to an endpoint later"
    ),
}
"""By the test's name: what moto lacks."""

SOME_CALLS = (1, 5, 11)
"""The calls, by number, at which moto is stopped or loses its reply."""


def choose_calls(emulator: Any, count: int) -> Sequence[int]:
    """Return the calls of a plan, by number, that a test goes through on this emulator."""
    return SOME_CALLS if isinstance(emulator, Moto) else range(1, count + 1)


def ask_both(metafunc: pytest.Metafunc) -> None:
    """Run a test on the embedded AWS and on moto, as far as moto can do what it needs."""
    metafunc.parametrize("emulator", [_param(metafunc, name) for name in EMULATORS], indirect=True)


def _param(metafunc: pytest.Metafunc, name: str) -> Any:
    if name != "moto":
        return pytest.param(name, id=name)
    reason = CANNOT.get(metafunc.function.__name__)
    marks = [pytest.mark.xfail(reason=f"moto: {reason}", strict=True)] if reason else []
    return pytest.param(name, marks=[pytest.mark.full, *marks], id=name)
