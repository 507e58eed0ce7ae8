"""Counts that a test run prints at its end: how many of how many, and on what.

An entry of a catalogue is a test of its own, counted by its outcome (`tests/conftest.py`).  Each
process of a parallel run counts for itself; the one that started them adds up and prints.
"""

from __future__ import annotations

from collections import Counter

ALIKE = "build contexts accepted and built alike"
KINDS = ("wrong states caught", "harmless variants passed", "faults survived", ALIKE)
ENTRIES = {"test_a_wrong_state": KINDS[0], "test_a_harmless_variant": KINDS[1]}
"""The tests that try one entry of a catalogue each; their ids begin with the emulator's."""
EMULATORS = {"ministack": "MiniStack", "moto": "moto", "docker": "Docker"}
COUNTS: Counter[tuple[str, str, bool]] = Counter()


def count(what: str, passed: bool, *, where: str = "MiniStack") -> bool:
    """Count one more, and return whether it passed."""
    COUNTS[what, where, passed] += 1
    return passed


def describe_counts() -> list[str]:
    """Return a line for each emulator on which anything was tried."""
    told = {where: [_describe(what, where) for what in KINDS] for where in EMULATORS.values()}
    return [
        f"{', '.join(filter(None, said))}, on {where}" for where, said in told.items() if any(said)
    ]


def _describe(what: str, where: str) -> str:
    passed, failed = COUNTS[what, where, True], COUNTS[what, where, False]
    return f"{what} {passed} of {passed + failed}" if passed + failed else ""
