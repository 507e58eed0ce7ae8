"""Files of the home folder: written whole or not at all, and how their paths are shown."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import msgspec

from handson.core import messages
from handson.core.errors import NotReady


class Described(Protocol):
    """A described state, as JSON data and back."""

    def to_json(self) -> dict[str, Any]: ...

    @classmethod
    def from_json(cls, data: Any) -> Self: ...


S = TypeVar("S", bound=Described)


def write(path: Path, state: Described) -> None:
    """Make `path` hold the state, whole or not at all.

    Raises:
        NotReady: The folder is not writable.
    """
    write_whole(path, json.dumps(state.to_json(), indent=2) + "\n")


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
        raise unwritable(path, error) from error


def nearby(path: Path) -> str:
    """Return a path as short as it can be said from here, without the folders above the user's."""
    here = Path.cwd()
    if path.is_relative_to(here):
        return str(path.relative_to(here))
    if path.parent == here.parent:
        return f"../{path.name}"
    if path.is_relative_to(Path.home()):
        return f"~/{path.relative_to(Path.home())}"
    return str(path)


def write_whole(path: Path, text: str) -> None:
    """Make a file of the home folder hold `text`, whole or not at all.

    Raises:
        NotReady: Its folder cannot be written; the file is as it was before.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")  # two kernels may write at once
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> NotReady:
    """Return what to say when a file of the home folder cannot be made, changed or deleted."""
    if path.is_dir():
        return NotReady(*messages.advice("aws.settings.in-the-way", path=path))
    return not_writable(path.parent, error)


def not_writable(folder: Path, error: Exception) -> NotReady:
    """Return the error for a folder in which nothing can be kept."""
    reason = getattr(error, "strerror", None) or error
    return NotReady(*messages.advice("aws.settings.home", folder=folder, reason=reason))
