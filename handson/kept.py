"""Small things kept in the home folder, each a described state in a JSON file of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

import msgspec

from handson import settings
from handson.state import State

S = TypeVar("S", bound=State)


def write(path: Path, state: State) -> None:
    """Make `path` hold the state, whole or not at all.

    Raises:
        NotReady: The folder is not writable.
    """
    settings.write_whole(path, json.dumps(state.to_json(), indent=2) + "\n")


def read(path: Path, kind: type[S]) -> S | None:
    """Return what `path` holds, or None when there is nothing, or nothing of that kind."""
    try:
        return kind.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError, msgspec.ValidationError):
        return None


def forget(path: Path) -> None:
    """Make sure that there is nothing at `path`.

    Raises:
        NotReady: The folder is not writable, or a folder stands there.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise settings.unwritable(path, error) from error
