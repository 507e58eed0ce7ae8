"""Small files: replaced as a whole, saved by people, or data of a package; paths to read."""

from __future__ import annotations

import codecs
import errno
import os
import secrets
import stat
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

import msgspec

from handson.core import messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.folders import find_current_folder
from handson.core.host import IN_TAB

T = TypeVar("T")

_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
"""What a network file system answers that has no locks (flock(2), "NFS details")."""
_own_locks: defaultdict[Path, Lock] = defaultdict(Lock)

SHARED, PRIVATE = 0o644, 0o600
"""Permissions: readable by everybody, or by the owner alone."""


@cache
def read_data(package: str, name: str) -> dict[str, Any]:
    """Return a TOML file that belongs to a package."""
    import tomllib  # compiles its patterns

    path = Path(__file__).parents[2].joinpath(*package.split("."), name)
    return tomllib.loads(path.read_text(encoding="utf-8"))


def read_utf8(file: Path) -> str:
    """Return the text of a file that a person saved, without its byte order mark.

    Raises:
        InvalidInput: It is saved in another encoding than UTF-8, which the error names.
        OSError: It cannot be read.
    """
    text, encoding = decode_text(file.read_bytes())
    if encoding != "UTF-8":
        raise InvalidInput.from_key(
            "core.files.not-utf-8", file=file.name, encoding=encoding or "?"
        )
    return text


def decode_text(data: bytes) -> tuple[str, str]:
    """Return the text of a file that a person saved, without its mark, and its encoding's name.

    Windows PowerShell's ``>`` writes UTF-16, and spreadsheets in Japanese write Shift_JIS; the
    name is empty where it is neither of them nor UTF-8, and so is the text.
    """
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    codecs_by_name = {"UTF-8": "utf-8-sig", "Shift_JIS": "cp932"}
    if is_wide or b"\0" in data:
        codecs_by_name = {"UTF-16": "utf-16" if is_wide else "utf-16-le"}
    for name, codec in codecs_by_name.items():
        with suppress(UnicodeDecodeError):
            return data.decode(codec), name
    return "", ""


def replace_file(path: Path, chunks: Iterable[bytes], *, mode: int = SHARED) -> None:
    """Replace a file as a whole; when this fails, the file is as it was before.

    Args:
        path: The file; its folder exists.
        chunks: The content, in order.
        mode: Its permissions, less the user's umask.

    Raises:
        OSError: The folder is not writable, or the disk is full.
    """
    # Two kernels may write the same file at once, so each writes a draft with a random name.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.writelines(chunks)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def open_private(path: Path) -> FileIO:
    """Open a file to read it and append to it, without a buffer; a new one is its owner's alone.

    Raises:
        OSError: It cannot be read and written.
    """
    return open(path, "a+b", buffering=0, opener=lambda name, flags: os.open(name, flags, PRIVATE))


def make_private(folder: Path) -> None:
    """Take a folder, through which alone one reaches what is in it, from all but its owner."""
    with suppress(OSError):  # a file system without permissions, or another user's folder
        mode = stat.S_IMODE(folder.stat().st_mode)
        if os.name != "nt" and mode & 0o077:
            folder.chmod(mode & ~0o077)


def write_whole(path: Path, content: str | bytes, *, mode: int = PRIVATE) -> None:
    """Replace a file of the home folder as a whole.

    Raises:
        NotReady: Its folder is not writable; the file is as it was before.
    """
    with explain_unwritable(path):
        data = content.encode() if isinstance(content, str) else content
        replace_file(path, [data], mode=mode)


def write_state(path: Path, state: object) -> None:
    """Replace a file of the home folder by a state as JSON.

    Raises:
        NotReady: Its folder is not writable; the file is as it was before.
    """
    write_whole(path, msgspec.json.format(msgspec.json.encode(state)).decode() + "\n")


def read_state(path: Path, kind: type[T]) -> T | None:
    """Return the state in a file, or None if there is no file or it holds something else."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return None


class KeptState(msgspec.Struct, Generic[T], frozen=True):
    """A state that the home folder keeps as JSON, in a file with this name."""

    name: str
    kind: type[T]

    def read(self, home: Path) -> T | None:
        """Return the state, or None if there is none or the file holds something else."""
        return read_state(home / self.name, self.kind)

    def write(self, home: Path, state: T) -> None:
        """Keep a state in place of the one before.

        Raises:
            NotReady: The home folder is not writable.
        """
        write_state(home / self.name, state)

    def forget(self, home: Path) -> None:
        """Delete the state.

        Raises:
            NotReady: The home folder is not writable, or a folder is in the file's place.
        """
        path = home / self.name
        with explain_unwritable(path):
            path.unlink(missing_ok=True)


@contextmanager
def hold_lock(path: Path, *, timeout: float, busy: str) -> Iterator[None]:
    """Hold the lock of a file in the home folder, so that no other process enters the block.

    Where the file system has no locks, only this process is kept out, and a warning says so.

    Args:
        path: The file; its folder exists.
        timeout: Seconds to wait for the process that holds the lock.
        busy: The key of the error, of `path` and `seconds`, if it still holds the lock then.

    Raises:
        NotReady: Another process holds the lock, or the folder is not writable.
    """
    if IN_TAB:  # nobody else uses its drive, which has no locks
        yield
        return
    from filelock import FileLock, Timeout

    lock: Any = FileLock(
        path, timeout=timeout, poll_interval=0.02, mode=PRIVATE, fallback_to_soft=False
    )
    taken = True
    try:
        lock.acquire()
    except Timeout:
        taken = False
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            with explain_unwritable(path):
                raise
        lock = _replace_lock(path)
        taken = lock.acquire(timeout=timeout)
    if not taken:
        raise NotReady.from_key(busy, path=path, seconds=f"{timeout:g}")
    try:
        yield
    finally:
        lock.release()


def _replace_lock(path: Path) -> Lock:
    """Return a lock for this process alone, and warn at the first of them.

    A form works while cells run, so that one kernel needs a lock, too.
    """
    if not _own_locks:
        problem, remedy = messages.advice("core.files.no-locks", folder=path.parent)
        print(f"⚠ {problem}\n→ {remedy}", file=sys.stderr)
    return _own_locks[path]


def explain_unwritable(
    path: Path, key: str = "core.files.not-writable"
) -> AbstractContextManager[None]:
    """Return a context in which errors of using a file of the home folder are NotReady.

    Args:
        path: The file.
        key: The key of the error, of `path`, `folder` and `reason`.
    """
    key = "core.files.in-the-way" if os.path.isdir(path) else key
    return NotReady.replace_os_errors(key, path=path, folder=path.parent)


def shorten_path(path: Path) -> str:
    """Return a path relative to the current folder or, with `~`, to the user's home folder."""
    here = find_current_folder()
    if path.is_relative_to(here):
        return str(path.relative_to(here))
    if path.parent == here.parent:
        return f"../{path.name}"
    if path.is_relative_to(Path.home()):
        return f"~/{path.relative_to(Path.home())}"
    return str(path)
