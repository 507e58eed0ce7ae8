"""Folders and zips as one kind of thing: a tree that is listed and read, never unpacked.

Whatever is in a tree was packed by a stranger.  Symbolic links are not followed and devices not
opened; sizes are asked for before reading and kept to while reading, whatever a zip says of itself;
members whose names lead outside, need a password or use a rare compression are refused.  A refusal
is a `Refused` with the code of a finding, and concerns the one file.
"""

from __future__ import annotations

import os
import stat
import struct
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO, Protocol

from handson.grading.names import readable

MOST_BYTES = 8_000_000
"""Of one notebook; with all outputs and the pictures of this workshop it has 200,000."""
MOST_ZIPPED = 64_000_000
"""Of a zip within a zip, which is copied to disk to be read."""
MOST_TIMES = 200
"""How many times larger than its zipped form a file may be; notebooks reach 10."""
MOST_DIRECTORY = 16_000_000
"""Bytes of a zip's table of contents: 100,000 files and more."""
SMALL = 1_000_000

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


class Refused(Exception):
    """A file is not read; `code` is that of the finding, `values` fill in its sentences."""

    def __init__(self, code: str, **values: str) -> None:
        super().__init__(code, values)
        self.code = code
        self.values = values


@dataclass(frozen=True)
class Entry:
    """A file or folder of a tree; `refusal` is why it is not looked at, if it is not."""

    name: str
    path: str
    is_folder: bool = False
    modified: str = ""
    refusal: Refused | None = None


class Tree(Protocol):
    """A folder or a zip. Paths are relative, parted by "/", and "" is the tree itself."""

    def children(self, at: str) -> Iterator[Entry]:
        """Yield what stands in a folder of the tree, sorted by name."""
        ...

    def read(self, path: str, *, limit: int) -> bytes:
        """Return the bytes of a file.

        Raises:
            Refused: It is larger than `limit`, or cannot be read.
        """
        ...

    def zipped(self, path: str) -> Tree:
        """Return the tree of a zip that stands in this one.

        Raises:
            Refused: It is no zip, or too large a one.
        """
        ...


@dataclass(frozen=True)
class Folder:
    """A folder of this machine."""

    root: str

    def children(self, at: str) -> Iterator[Entry]:
        try:
            with os.scandir(self._whole(at)) as found:
                listed = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            raise _unreadable(error) from error
        for entry in listed:
            path = f"{at}/{entry.name}" if at else entry.name
            if entry.is_symlink():
                yield Entry(entry.name, path, refusal=Refused("file-link"))
            elif entry.is_dir(follow_symlinks=False):
                yield Entry(entry.name, path, is_folder=True)
            else:
                yield Entry(entry.name, path, modified=_modified(entry))

    def read(self, path: str, *, limit: int) -> bytes:
        try:
            with self.open(path) as file:
                # The size first: nothing of a file that is too large is read.
                size = os.fstat(file.fileno()).st_size
                data = file.read(limit + 1) if size <= limit else None
        except OSError as error:
            raise _unreadable(error) from error
        if data is None or len(data) > limit:
            raise _too_large(limit)
        return data

    def zipped(self, path: str) -> Tree:
        return archive(self._whole(path))

    def open(self, path: str) -> IO[bytes]:
        """Open a file, and nothing else that a name may stand for.

        Raises:
            Refused: It is a link, a device or cannot be opened.
        """
        # A pipe would wait for its writer, a link lead elsewhere.
        careful = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | careful
        try:
            file = os.fdopen(os.open(self._whole(path), flags), "rb", buffering=0)
        except OSError as error:
            raise _unreadable(error) from error
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise Refused("file-device")
        return file

    def _whole(self, path: str) -> str:
        return os.path.join(self.root, *path.split("/")) if path else self.root


class Archive:
    """A zip, whose members keep the names that they were packed under."""

    def __init__(self, file: IO[bytes]) -> None:
        weakref.finalize(self, file.close)
        try:
            if _directory_size(file) > MOST_DIRECTORY:
                raise Refused("file-crowded")
            self._zip = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise Refused("file-not-a-zip", reason=_said(error)) from error
        self._folders: dict[str, dict[str, Entry]] = {"": {}}
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            self._add(member)

    def children(self, at: str) -> Iterator[Entry]:
        found = self._folders.get(at, {})
        return (found[name] for name in sorted(found))

    def read(self, path: str, *, limit: int) -> bytes:
        member = self._member(path, limit=limit)
        try:
            with self._zip.open(member) as file:
                data = file.read(limit + 1)
        except _BROKEN as error:
            raise Refused("file-broken-member", reason=_said(error)) from error
        if len(data) > limit:
            raise _too_large(limit)
        return data

    def zipped(self, path: str) -> Tree:
        data = self.read(path, limit=MOST_ZIPPED)
        file = tempfile.SpooledTemporaryFile(max_size=SMALL)  # noqa: SIM115 (the archive closes it)
        file.write(data)
        return Archive(file)

    def _member(self, path: str, *, limit: int) -> zipfile.ZipInfo:
        member = self._members[path]
        if member.file_size > limit:
            raise _too_large(limit)
        if member.file_size > SMALL and member.file_size > MOST_TIMES * member.compress_size:
            raise Refused("file-bomb")
        if member.flag_bits & 0x1:
            raise Refused("file-locked")
        if member.compress_type not in _METHODS:
            raise Refused("file-compression")
        return member

    def _add(self, member: zipfile.ZipInfo) -> None:
        path = _member_name(member)
        pieces = path.replace("\\", "/").split("/")
        if member.is_dir():
            pieces = pieces[:-1]
        refusal = None
        if ".." in pieces or pieces[0] == "" or ":" in pieces[0] or "\0" in path:
            pieces = [piece for piece in pieces if piece not in ("", ".", "..")] or ["?"]
            refusal = Refused("file-outside")
        elif stat.S_ISLNK(member.external_attr >> 16):
            refusal = Refused("file-link")
        pieces = [piece for piece in pieces if piece not in ("", ".")]
        if pieces:
            self._place(pieces, member, refusal)

    def _place(self, pieces: list[str], member: zipfile.ZipInfo, refusal: Refused | None) -> None:
        at = ""
        for name in pieces[:-1]:
            path = f"{at}/{name}" if at else name
            self._folders[at].setdefault(name, Entry(name, path, is_folder=True))
            self._folders.setdefault(path, {})
            at = path
        name = pieces[-1]
        path = f"{at}/{name}" if at else name
        is_folder = member.is_dir() and refusal is None
        modified = datetime(*_date(member)).astimezone(UTC).isoformat(timespec="seconds")
        self._folders[at][name] = Entry(name, path, is_folder, modified, refusal)
        if is_folder:
            self._folders.setdefault(path, {})
        else:
            self._members[path] = member


def archive(path: str) -> Archive:
    """Return the tree of a zip of this machine; it stays open for those who ask next.

    Raises:
        Refused: It is no zip that can be read.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise _unreadable(error) from error
    # Never one that was opened before a fork: both processes would move the same place in the file.
    return _archive(path, status.st_mtime_ns, status.st_size, os.getpid())


@lru_cache(maxsize=2)
def _archive(path: str, _modified: int, _size: int, _process: int) -> Archive:
    parent, name = os.path.split(path)
    return Archive(Folder(parent or ".").open(name))


def _member_name(member: zipfile.ZipInfo) -> str:
    """Return a member's name; one without the sign for UTF-8 is read as macOS or Windows wrote it.

    Zips made by Windows hold Japanese names in Shift_JIS, those made by macOS in UTF-8; neither
    says so, and `zipfile` takes both for the code page of the IBM PC.
    """
    if member.flag_bits & 0x800:
        return readable(member.filename)
    raw = member.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "cp932"):
        try:
            return readable(raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return readable(member.filename)


def _date(member: zipfile.ZipInfo) -> tuple[int, int, int, int, int, int]:
    year, month, day, hour, minute, second = member.date_time
    try:
        datetime(year, month, day, hour, minute, second)
    except ValueError:
        return (1980, 1, 1, 0, 0, 0)
    return member.date_time


def _directory_size(file: IO[bytes]) -> int:
    """Return the size of a zip's table of contents as `zipfile` will read it, 0 where none is."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - 65_557 - 20)
    file.seek(start)
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        return 0
    if end >= 20 and tail[end - 20 : end - 16] == b"PK\x06\x07":
        file.seek(int.from_bytes(tail[end - 12 : end - 4], "little"))
        record = file.read(56)
        return int.from_bytes(record[40:48], "little") if record[:4] == b"PK\x06\x06" else 0
    return int.from_bytes(tail[end + 12 : end + 16], "little")


def _modified(entry: os.DirEntry[str]) -> str:
    try:
        seconds = entry.stat(follow_symlinks=False).st_mtime
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (OSError, OverflowError, ValueError):
        return ""


def _too_large(limit: int) -> Refused:
    return Refused("file-too-large", limit=f"{limit // 1_000_000} MB")


def _unreadable(error: OSError) -> Refused:
    return Refused("file-unreadable", reason=error.strerror or type(error).__name__)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:120]
