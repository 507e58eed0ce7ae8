"""Counts that a test run prints at its end: how many of how many, and on what.

    tally("faults survived", "MiniStack").count(passed)     one more was tried

An entry of a catalogue is a test of its own and is counted by its outcome (`count_entry`).  A count
holds only what was tried in this run: nothing is counted that was not done.  In a parallel run each
process counts for itself, and the one that started them adds up and prints (`tests/conftest.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

KINDS = ("wrong states caught", "harmless variants passed", "faults survived")
"""What is counted, in the order in which it is printed."""

ENTRIES = {"test_a_wrong_state": KINDS[0], "test_a_harmless_variant": KINDS[1]}
"""The tests that try one entry of a catalogue each; their ids begin with the emulator's."""

EMULATORS = {"ministack": "MiniStack", "moto": "moto"}

Counts = list[tuple[str, str, int, int]]


@dataclass
class Tally:
    passed: int = 0
    total: int = 0

    def count(self, passed: bool) -> bool:
        """Count one more, and return whether it passed."""
        self.total += 1
        self.passed += passed
        return passed


class Tallies:
    """All counts of one process."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], Tally] = {}

    def of(self, what: str, where: str) -> Tally:
        """Return the one count of this kind on this emulator."""
        assert what in KINDS
        return self._of.setdefault((what, where), Tally())

    def carried(self) -> Counts:
        """Return all counts as plain data, for the process that prints them."""
        return [(*key, tally.passed, tally.total) for key, tally in self._of.items()]

    def add(self, counts: Iterable[tuple[str, str, int, int]]) -> None:
        """Add what another process has counted."""
        for what, where, passed, total in counts:
            tally = self.of(what, where)
            tally.passed += passed
            tally.total += total

    def count_entry(self, item: Any, call: Any) -> None:
        """Count a test that has run, where it tries an entry of a catalogue."""
        what = ENTRIES.get(getattr(item, "originalname", ""))
        skipped = call.excinfo and call.excinfo.errisinstance(pytest.skip.Exception)
        if what and call.when == "call" and not skipped:
            where = EMULATORS[item.callspec.id.partition("-")[0]]
            self.of(what, where).count(call.excinfo is None)

    def lines(self) -> list[str]:
        """Return a line for each emulator on which anything was tried."""
        return [f"{said}, on {where}" for where in EMULATORS.values() if (said := self._on(where))]

    def _on(self, where: str) -> str:
        tried = [(what, tally) for what in KINDS if (tally := self._of.get((what, where)))]
        return ", ".join(f"{what} {tally.passed} of {tally.total}" for what, tally in tried)


TALLIES = Tallies()
tally = TALLIES.of
