"""The activity log: when a learner started a notebook or met an error, for a class board.

It is off unless `HANDSON_ACTIVITY_LOG` is on.  A line of `activity.jsonl` in the home folder is one
JSON object with a time, the name of a notebook of the course, and the name of an error: the key of
our sentences, AWS's code, or Python's class.  It holds no code, no value and no message.

In a kernel, errors of cells pass through one event of IPython, those of forms through `FormCard`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from handson.core import errors
from handson.core.files import open_private
from handson.core.folders import find_notebook
from handson.course import evidence, syllabus

LOG = "activity.jsonl"
"""The log's name in the home folder."""

_homes: list[Path] = []
"""The home folder of the last `start`; none while nothing is logged."""
_failed: set[object] = set()
"""The cells and forms that failed since something worked again."""


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


def begin_log(shell: Any, home: Path | None) -> None:
    """Log a start, and from now on errors; without a home folder, nothing.

    Args:
        shell: The result of `IPython.get_ipython`; None outside IPython.
        home: The home folder.
    """
    _homes[:] = [home] if home else []
    _log(None)
    if shell is not None and home:
        shell.events.register("post_run_cell", _log_cell)  # again is the same as once


def log_outcome(place: object, error: BaseException | None) -> None:
    """Log the error of a cell or form, or that it works now after an error."""
    if isinstance(error, Exception):  # an interrupt is none
        _failed.add(place)
        _log(error)
    elif error is None and place in _failed:
        _failed.clear()
        _log(None)


def _log_cell(result: Any) -> None:
    log_outcome(result.info.cell_id, result.error_before_exec or result.error_in_exec)


def _log(error: Exception | None) -> None:
    for home in _homes:
        notebook, name = find_notebook(), name_error(error) if error else ""
        # Another file's name may be the learner's words.
        known = next((each for each in syllabus.ALL_NOTEBOOKS if notebook.startswith(each)), "")
        add_activity(home, Activity(evidence.now(), known, name))
