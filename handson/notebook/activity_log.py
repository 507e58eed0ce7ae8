"""Writes the activity log of a kernel: each `start`, each error, and the end of an error.

Errors of cells pass through one event of IPython, those of forms through `FormCard`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from handson.core.folders import find_notebook
from handson.course import evidence, syllabus
from handson.course.activity import Activity, add_activity, name_error

_homes: list[Path] = []
"""The home folder of the last `start`; none while nothing is logged."""
_failed: set[object] = set()
"""The cells and forms that failed since something worked again."""


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
