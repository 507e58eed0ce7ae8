"""Counts that a test run prints at its end: how many of how many, and on what.

    tally("faults survived", "MiniStack").count(passed)

A count holds only what was tried in this run: nothing is counted that was not done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass
class Tally:
    what: str
    where: str
    passed: int = 0
    total: int = 0

    def count(self, passed: bool) -> bool:
        """Count one more, and return whether it passed."""
        self.total += 1
        self.passed += passed
        return passed

    def __str__(self) -> str:
        return f"{self.what} {self.passed} of {self.total}, on {self.where}"


_tallies: dict[tuple[str, str], Tally] = {}


def tally(what: str, where: str) -> Tally:
    """Return the one count of that name in this test run."""
    return _tallies.setdefault((what, where), Tally(what, where))


def carried() -> list[tuple[str, str, int, int]]:
    """Return all counts as plain data, for the process that prints them."""
    return [(kept.what, kept.where, kept.passed, kept.total) for kept in _tallies.values()]


def add(counts: Iterable[tuple[str, str, int, int]]) -> None:
    """Add what another process has counted."""
    for what, where, passed, total in counts:
        kept = tally(what, where)
        kept.passed += passed
        kept.total += total


def lines() -> list[str]:
    """Return a line for each count in which anything was tried."""
    return sorted(str(kept) for kept in _tallies.values() if kept.total)
