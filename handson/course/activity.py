"""The activity log: when a learner started a notebook or met an error, for a class board.

It is off unless `HANDSON_ACTIVITY_LOG` is on.  A line of `activity.jsonl` in the home folder is one
JSON object with a time, the name of a notebook of the course, and the name of an error: the key of
our sentences, AWS's code, or Python's class.  It holds no code, no value and no message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from handson.core import errors
from handson.core.files import open_private

LOG = "activity.jsonl"
"""The log's name in the home folder."""


class Activity(msgspec.Struct, frozen=True):
    """A line of the log; `error` is "" for a start, and once the cell of an error has run."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    notebook: Annotated[str, msgspec.Meta(max_length=40)] = ""
    error: Annotated[str, msgspec.Meta(max_length=120)] = ""


def add_activity(home: Path, activity: Activity) -> None:
    """Add a line to the log of a home folder; where that fails, nothing happens."""
    with suppress(OSError), open_private(home / LOG) as file:
        file.write(msgspec.json.encode(activity) + b"\n")


def read_activities(lines: Iterable[bytes]) -> Iterator[Activity]:
    """Yield the activities on lines; a line that a kill cut, or that holds something else, none."""
    for line in lines:
        with suppress(ValueError, RecursionError):
            yield msgspec.json.decode(line, type=Activity)


def name_error(error: BaseException) -> str:
    """Return the name of an error, which tells nothing of what the learner wrote."""
    if isinstance(error, errors.HandsonError) and (error.key or error.code):
        return error.key or error.code or ""
    # The name of a learner's own class is the learner's code.
    known = ("builtins", errors.__name__)
    return next(each.__name__ for each in type(error).__mro__ if each.__module__ in known)
