"""Folders and zips as trees of one kind, listed and read and never unpacked to disk.

A stranger packed them.  Symbolic links are not followed and devices not opened; sizes are limited
before reading and while reading, whatever a zip claims; members whose names lead outside, that need
a password or use a rare compression are refused.  A `Refused` has the code of a finding and
concerns one file.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import weakref
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, reduce
from time import mktime
from typing import IO

from handson.core.host import IN_TAB
from handson.grading.export_names import normalize_name

MOST_BYTES = 8_000_000
"""The largest file that is read, in bytes; the workshop's own notebooks have about 200,000."""
MOST_PICTURED = 40_000_000
"""The largest notebook with the pictures that were pasted into it, in bytes."""
MOST_ZIPPED = 64_000_000
"""The largest zip within a zip, in bytes, because it is held in memory."""
MOST_TIMES = 200
"""How many times larger than its zipped form a file may be; notebooks reach 10."""
MOST_DIRECTORY = 8_000_000
"""The largest table of contents of a zip, in bytes."""
MOST_NAMES = 50_000
"""Files of a zip, and its folders: each takes about 1,000 bytes of memory."""
MOST_PARTS = 24
"""The longest path in a zip, in folders; `sources.DEEPEST` stops long before."""
SMALL = 1_000_000
"""Files up to this size, in bytes, are exempt from the limit `MOST_TIMES`."""

_BROKEN = (zipfile.error, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)


class Refused(Exception):
    """A file is not read; `code` is that of the finding, `values` fill in its sentences."""

    def __init__(self, code: str, **values: str) -> None:
        super().__init__(code, values)
        self.code = code
        self.values = values


@dataclass(frozen=True)
class Entry:
    """A file or folder of a tree; `refusal` says why it is not read, if it is not.

    `path` is relative to the tree, its parts joined by "/".
    """

    name: str
    path: str
    is_folder: bool = False
    modified: str = ""
    refusal: Refused | None = None


@dataclass(frozen=True)
class Folder:
    """A folder of this machine."""

    root: str

    def list_entries(self, at: str, names: Collection[str] = ()) -> Iterator[Entry]:
        """Yield the entries of a folder of the tree, sorted by name; "" is the tree itself.

        Without `names` all are listed.

        Raises:
            Refused: The folder cannot be read.
        """
        folder = os.path.join(self.root, at)
        try:
            listed = sorted(names or os.listdir(folder))
        except OSError as error:
            raise _explain_unreadable(error) from error
        for name in listed:
            path = f"{at}/{name}" if at else name
            try:
                status = os.lstat(os.path.join(folder, name))
            except OSError as error:
                yield Entry(name, path, refusal=_explain_unreadable(error))
                continue
            if stat.S_ISLNK(status.st_mode):
                yield Entry(name, path, refusal=Refused("file-link"))
            elif stat.S_ISDIR(status.st_mode):
                yield Entry(name, path, is_folder=True)
            else:
                yield Entry(name, path, modified=_format_time(status.st_mtime))

    def open(self, path: str, *, limit: int) -> IO[bytes]:
        """Open a file of the tree; `read_entry` keeps to the limit.

        Raises:
            Refused: It is a device or cannot be opened.
        """
        return open_regular(os.path.join(self.root, path))

    def open_zip(self, path: str) -> Archive:
        """Return the tree of a zip in this one.

        Raises:
            Refused: It is not a zip that can be read.
        """
        return open_archive(os.path.join(self.root, path))


class _Guarded(io.BufferedReader):
    """A zip whose table of contents is not read where it would take too much memory."""

    names = 0
    """How many names the table has at most."""
    is_open = False
    """`zipfile` has read the table, at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return bytes of the file.

        Raises:
            Refused: They are a table of contents that is too large, or that has too many names.
        """
        if self.is_open:
            return super().read(size)
        data = super().read(min(-1 if size is None else size, MOST_DIRECTORY + 1))
        self.names = max(self.names, data.count(b"PK\x01\x02"))  # PKWARE's APPNOTE, 4.3.12
        if len(data) > MOST_DIRECTORY or self.names > MOST_NAMES:
            raise Refused("file-crowded")
        return data


class Archive:
    """A zip, whose members keep the names that they were packed under.

    Raises:
        Refused: The file is not a zip that can be read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        weakref.finalize(self, file.close)
        try:
            guarded = _Guarded(file)  # type: ignore[arg-type]  # any file that can be read
            self._zip = _open_zip_file(guarded)
            guarded.is_open = True
        except _BROKEN as error:
            raise Refused("file-not-a-zip", reason=_describe(error)) from error
        self._folders: dict[str, dict[str, Entry]] = {"": {}}
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            self._add(member)
        self.names = guarded.names + len(self._folders)

    def list_entries(self, at: str, names: Collection[str] = ()) -> Iterator[Entry]:
        """Yield the entries of a folder of the tree, sorted by name; "" is the tree itself."""
        found = self._folders.get(at, {})
        return (found[name] for name in sorted(names or found))

    def open(self, path: str, *, limit: int) -> IO[bytes]:
        """Open a file of the tree.

        Raises:
            Refused: By what the zip says of it, it is larger than `limit`, a bomb or locked.
        """
        member = self._members[path]
        if member.file_size > limit:
            raise refuse_too_large(limit)
        if member.file_size > SMALL and member.file_size > MOST_TIMES * member.compress_size:
            raise Refused("file-bomb")
        if member.flag_bits & 0x1:
            raise Refused("file-locked")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused("file-compression")
        return self._zip.open(member)

    def open_zip(self, path: str) -> Archive:
        """Return the tree of a zip in this one.

        Raises:
            Refused: It is too large, or not a zip that can be read.
        """
        return Archive(io.BytesIO(read_entry(self, Entry("", path), limit=MOST_ZIPPED)))

    def _add(self, member: zipfile.ZipInfo) -> None:
        """Enter a member, and the folders above it, into the tree."""
        name = normalize_name(member.filename).replace("\\", "/")
        parts = name.removesuffix("/").split("/")
        refusal = None
        if ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in name:
            refusal = Refused("file-outside")
        elif stat.S_ISLNK(member.external_attr >> 16):
            refusal = Refused("file-link")
        # A refused name of dots alone is shown as "?".
        names = [part for part in parts if part not in ("", ".", "..")][:MOST_PARTS]
        if not (names or refusal):
            return
        *folders, own = names or ["?"]
        at = reduce(self._add_folder, folders, "")
        if member.is_dir() and refusal is None:
            self._add_folder(at, own)
        else:
            path = f"{at}/{own}" if at else own
            # The 31st of February, which a zip may hold, is the 3rd of March here.
            modified = _format_time(mktime((*member.date_time, 0, 0, -1)))
            self._folders[at][own] = Entry(own, path, modified=modified, refusal=refusal)
            self._members[path] = member

    def _add_folder(self, at: str, name: str) -> str:
        """Enter a folder into the folder `at`, unless it is there; return its path."""
        path = f"{at}/{name}" if at else name
        if len(self._folders) > MOST_NAMES:
            raise Refused("file-crowded")
        self._folders[at].setdefault(name, Entry(name, path, is_folder=True))
        self._folders.setdefault(path, {})
        return path


Tree = Folder | Archive


def open_tree(root: str) -> Tree:
    """Return the tree of a folder or zip of this machine.

    Raises:
        Refused: It is not a zip that can be read.
    """
    return Folder(root) if os.path.isdir(root) else open_archive(root)


def read_entry(tree: Tree, entry: Entry, *, limit: int) -> bytes:
    """Return the bytes of a file of a tree.

    Raises:
        Refused: It is larger than `limit`, whatever a zip says of it, or cannot be read.
    """
    if entry.refusal is not None:
        raise entry.refusal
    try:
        with tree.open(entry.path, limit=limit) as file:
            data = file.read(limit + 1)
    except _BROKEN as error:
        code = "file-broken-member" if isinstance(tree, Archive) else "file-unreadable"
        raise Refused(code, reason=_describe(error)) from error
    if len(data) > limit:
        raise refuse_too_large(limit)
    return data


def refuse_too_large(limit: int) -> Refused:
    """Return the refusal of a file that is larger than a number of bytes."""
    return Refused("file-too-large", limit=f"{limit // 1_000_000} MB")


def open_archive(path: str) -> Archive:
    """Return the tree of a zip of this machine; the last ones stay open for the next caller.

    Raises:
        Refused: It is not a zip that can be read.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise _explain_unreadable(error) from error
    return _open_archive(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=2)
def _open_archive(path: str, _modified: int, _size: int) -> Archive:
    return Archive(open_regular(path))


def open_regular(path: str) -> IO[bytes]:
    """Open a file of this machine.

    Raises:
        Refused: It is a link, a device or cannot be opened.
    """
    # Without these a pipe would wait for its writer, and a link lead elsewhere.  The drive of a tab
    # writes back what was opened with a flag that it does not know.
    careful = 0 if IN_TAB else getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | careful), "rb")
    except OSError as error:
        raise _explain_unreadable(error) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Refused("file-device")
    return file


def _open_zip_file(file: IO[bytes]) -> zipfile.ZipFile:
    """Open a zip whose names are UTF-8, as macOS writes them, or Shift_JIS, as Windows does.

    Neither marks its names, and `zipfile` would take both for the code page of the IBM PC.
    """
    for encoding in ("utf-8", "cp932"):
        try:
            return zipfile.ZipFile(file, metadata_encoding=encoding)
        except UnicodeDecodeError:
            continue
    return zipfile.ZipFile(file)


def _format_time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (OSError, OverflowError, ValueError):
        return ""


def _explain_unreadable(error: OSError) -> Refused:
    return Refused("file-unreadable", reason=error.strerror or type(error).__name__)


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:120]
