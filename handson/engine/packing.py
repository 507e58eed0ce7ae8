"""From a `COPY` to the entries of its layer: which files of the context go where in the image."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.engine.oci import LayerEntry
from handson.engine.recipe import Copy, refusal

_WILDCARDS = re.compile(r"[*?\[]")


def entries(copy: Copy, context: Path, *, listed: Sequence[str], file: str) -> list[LayerEntry]:
    """Return what a `COPY` or `ADD` puts into its layer, the folders above it first.

    Args:
        copy: The instruction, read.
        context: The build context.
        listed: What of the context may be copied (`context.listing`).
        file: The Dockerfile's name, for the sentences that point at a line.

    Raises:
        InvalidInput: A source is missing, lies outside the context, is an archive that `ADD` would
            unpack, or several sources have a file as their destination.
    """
    sources = [path for given in copy.sources for path in _matches(given, copy, listed, file)]
    several = len(sources) > 1
    if several and not copy.destination.endswith("/"):
        raise refusal(file, copy.instruction, "reason-several")
    into_folder = copy.destination.endswith("/") or any((context / it).is_dir() for it in sources)
    found = _folders(copy, into_folder=into_folder)
    for source in sources:
        if copy.instruction.keyword == "ADD" and _is_archive(context / source):
            raise refusal(file, copy.instruction, "reason-archive")
        found.extend(_placed(source, copy, context, listed))
    return found


def _matches(given: str, copy: Copy, listed: Sequence[str], file: str) -> list[str]:
    pattern = _inside(given, copy, file)
    if pattern == "":
        return [""]
    if _WILDCARDS.search(pattern):
        matching = re.compile(_expression(pattern))
        found = [path for path in listed if matching.fullmatch(path)]
    else:
        found = [pattern] if _is_listed(pattern, listed) else []
    if not found:
        where = f"{file}:{copy.instruction.line}"
        raise InvalidInput(*messages.advice("engine.no-source", where=where, source=given))
    return found


def _inside(given: str, copy: Copy, file: str) -> str:
    parts: list[str] = []
    for part in PurePosixPath(given.lstrip("/")).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            raise refusal(file, copy.instruction, "reason-outside")
    return "/".join(parts)


def _is_listed(path: str, listed: Sequence[str]) -> bool:
    # A folder that .dockerignore names may still hold files that an exception lets through.
    return any(name == path or name.startswith(f"{path}/") for name in listed)


def _expression(pattern: str) -> str:
    """Translate a pattern of Go's filepath.Match: no wildcard goes past a slash."""
    parts = re.split(r"(\*|\?|\[[^\]]*\])", pattern)
    signs = {"*": "[^/]*", "?": "[^/]"}
    return "".join(
        signs.get(part) or (part if part.startswith("[") else re.escape(part)) for part in parts
    )


def _placed(source: str, copy: Copy, context: Path, listed: Sequence[str]) -> list[LayerEntry]:
    origin = context / source
    if not origin.is_dir():
        name = copy.destination
        name = f"{name}{PurePosixPath(source).name}" if name.endswith("/") else name
        return [_entry(name, origin.resolve(), copy)]
    prefix = f"{source}/" if source else ""
    return [
        _entry(f"{copy.destination.rstrip('/')}/{path.removeprefix(prefix)}", context / path, copy)
        for path in listed
        if path.startswith(prefix)
    ]


def _entry(path: str, source: Path, copy: Copy) -> LayerEntry:
    return LayerEntry(path.lstrip("/"), source, copy.uid, copy.gid, copy.mode)


def _folders(copy: Copy, *, into_folder: bool) -> list[LayerEntry]:
    destination = PurePosixPath(copy.destination)
    folder = destination if into_folder else destination.parent
    names = [str(path).lstrip("/") for path in reversed([folder, *folder.parents])]
    return [LayerEntry(name, None, copy.uid, copy.gid) for name in names if name]


def _is_archive(path: Path) -> bool:
    return path.is_file() and tarfile.is_tarfile(path)


_IGNORE_FILE = ".dockerignore"
_CHUNK = 1 << 20


def list_context(context: Path) -> tuple[str, ...]:
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


def digest_context(context: Path, *, extra: tuple[Path, ...] = ()) -> str:
    """Return the SHA-256 (hex) of everything a build of `context` depends on.

    Paths, contents, the executable bit and link targets count; owners and times do not.  `extra`
    are files that count though `.dockerignore` names them, as the Dockerfile does.

    Raises:
        OSError: A file cannot be read.
    """
    total = hashlib.sha256()
    for path in (*list_context(context), *(os.path.relpath(file, context) for file in extra)):
        total.update(path.encode("utf-8", "surrogateescape") + b"\0")
        total.update(_fingerprint(context / path) + b"\0")
    return total.hexdigest()


def _patterns(context: Path) -> list[str]:
    ignore = context / _IGNORE_FILE
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
