"""The build context: which of its files an engine gets to see, and a digest of them.

`.dockerignore` is read as docker's own library reads it, so that both engines see the same files.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

IGNORE_FILE = ".dockerignore"
_CHUNK = 1 << 20


def listing(context: Path) -> tuple[str, ...]:
    """Return the paths in `context` that `.dockerignore` leaves, sorted, with ``/`` between names.

    Folders stand in the list before what is in them; sockets and devices are left out.

    Raises:
        OSError: The context or its `.dockerignore` cannot be read.
    """
    from docker.utils.build import PatternMatcher

    matcher = PatternMatcher(_patterns(context))
    # The library always lets `.dockerignore` through, because its daemon needs it; we do not.
    matcher.patterns.pop()
    found = (path.replace(os.sep, "/") for path in matcher.walk(str(context)))
    return tuple(sorted(path for path in found if _is_packed(context / path)))


def digest(context: Path, *, extra: tuple[Path, ...] = ()) -> str:
    """Return the SHA-256 (hex) of everything a build of `context` depends on.

    Paths, contents, the executable bit and link targets count; owners and times do not.  `extra`
    are files that count though `.dockerignore` names them, as the Dockerfile does.

    Raises:
        OSError: A file cannot be read.
    """
    total = hashlib.sha256()
    for path in (*listing(context), *(os.path.relpath(file, context) for file in extra)):
        total.update(path.encode("utf-8", "surrogateescape") + b"\0")
        total.update(_fingerprint(context / path) + b"\0")
    return total.hexdigest()


def _patterns(context: Path) -> list[str]:
    ignore = context / IGNORE_FILE
    if not ignore.is_file():
        return []
    lines = (line.strip() for line in ignore.read_text(encoding="utf-8-sig").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _is_packed(path: Path) -> bool:
    mode = path.lstat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def _fingerprint(path: Path) -> bytes:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return b"link " + os.fsencode(path.readlink())
    if stat.S_ISDIR(mode):
        return b"folder"
    executable = b"program " if mode & stat.S_IXUSR else b"file "
    content = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            content.update(chunk)
    return executable + content.digest()
