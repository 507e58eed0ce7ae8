"""A class's homes as the learners' kernels leave them: journals, logs, saved answers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from handson.course import activity, syllabus
from handson.course.activity import Activity
from handson.course.evidence import HAND_IN
from tests.grading import making

NOW = datetime(2026, 5, 11, 12, 0, tzinfo=UTC)
BLANK = "notebook.mistakes.blank-argument"
ERRORS = (BLANK, "NameError", "InvalidVpc.Range")
Line = tuple[float, str, str]


@cache
def records(number: int) -> list[dict[str, Any]]:
    """Return the evidence that a learner seals, each check's first before NOW."""
    started = NOW - timedelta(hours=14)
    return making.hand_in(f"u{number:02}", seed=number, started=started).records


def seal(home: Path, sealed: Sequence[dict[str, Any]], *, at: datetime = NOW) -> None:
    """Write a journal."""
    home.mkdir(parents=True, exist_ok=True)
    (home / HAND_IN).write_bytes(b"".join(msgspec.json.encode(it) + b"\n" for it in sealed))
    os.utime(home / HAND_IN, (at.timestamp(), at.timestamp()))


def log(home: Path, *lines: Line, now: datetime = NOW, ahead: float = 0) -> None:
    """Add lines to a log: minutes ago, notebook, error; the learner's clock is minutes ahead."""
    home.mkdir(parents=True, exist_ok=True)
    for minutes, notebook, error in lines:
        at = now - timedelta(minutes=minutes)
        line = Activity(at + timedelta(minutes=ahead), notebook, error)
        activity.add_activity(home, line)
        os.utime(home / activity.LOG, (at.timestamp(), at.timestamp()))


def make_class(folder: Path, count: int, *, now: datetime = NOW) -> None:
    """Make homes: learner n has n % 6 of the checks, and each fifth has been at an error for n min.

    The others started a notebook an hour ago.
    """
    for number in range(1, count + 1):
        home, done = folder / f"u{number:02}" / ".handson", number % 6
        seal(home, records(number)[:done], at=now - timedelta(hours=2))
        notebook = syllabus.NOTEBOOKS[min(done + 1, 5)]
        log(home, (60, notebook, ""), now=now)
        if number % 5 == 0:
            error = ERRORS[number // 5 % 3]
            log(home, (number, notebook, error), (number / 9, notebook, error), now=now)
