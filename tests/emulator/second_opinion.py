"""A second opinion: the tests of modules marked `second_opinion` run on moto's server, too.

moto is stricter than the embedded AWS in places, and lacks others.  Where a test goes through every
call of a plan, moto is asked about some of them.

moto is asked by `make test-full` alone; by `make test`, about the wrong states into which MiniStack
cannot be brought (`test_wrong_states.each`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.emulator.hooks import Moto

EMULATORS = ("ministack", "moto")

SOME_CALLS = (1, 5, 11)
"""The calls, by number, at which moto is stopped or loses its reply."""


def choose_calls(emulator: Any, count: int) -> Sequence[int]:
    """Return the calls of a plan, by number, that a test goes through on this emulator."""
    return SOME_CALLS if isinstance(emulator, Moto) else range(1, count + 1)


def ask_both(metafunc: pytest.Metafunc) -> None:
    """Run a test on the embedded AWS and, in full, on moto."""
    both = [pytest.param("ministack"), pytest.param("moto", marks=pytest.mark.full)]
    metafunc.parametrize("emulator", both, indirect=True)
