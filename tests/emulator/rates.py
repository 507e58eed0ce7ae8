"""What a run of the tests says at its end: how many wrong states were caught, and the like.

Counted are the tests that ran, by their outcome, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

NAMES = {
    "test_a_wrong_state": "wrong states caught",
    "test_a_harmless_variant": "harmless variants passed",
}
EMULATORS = {"ministack": "MiniStack", "moto": "moto"}


def lines(reports: Iterable[Any]) -> list[str]:
    """Return a line for each emulator whose catalogues ran.

    Args:
        reports: pytest's reports of the calls; a test's id begins with its emulator's name.
    """
    ran: Counter[tuple[str, str]] = Counter()
    passed: Counter[tuple[str, str]] = Counter()
    for report in reports:
        test, _, case = report.nodeid.rpartition("::")[2].partition("[")
        key = (case.partition("-")[0], test)
        ran[key] += 1
        passed[key] += report.outcome == "passed"
    said = {
        emulator: [
            f"{words} {passed[emulator, test]} of {ran[emulator, test]}"
            for test, words in NAMES.items()
            if ran[emulator, test]
        ]
        for emulator in EMULATORS
    }
    return [f"{EMULATORS[name]}: {', '.join(words)}" for name, words in said.items() if words]
