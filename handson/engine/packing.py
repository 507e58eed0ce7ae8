"""Chooses the files of a build context that an image gets, and their places in it.

`.dockerignore` is read with docker's own library, so that both engines see the same files.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.engine.dockerfile import Instruction, read_utf8
from handson.engine.instructions import Copy, refuse_step, reject_step
from handson.engine.oci import LayerEntry

_IGNORE_FILE = ".dockerignore"
_CHUNK = 1 << 20
_MOST_LINKS = 40  # on one path, as Linux has it
_WILDCARDS = {"*": "[^/]*", "?": "[^/]"}

# What Python's and Go's patterns have in common: no escapes, no nested brackets, no `!`.
_PATTERN = re.compile(r"(?:[^][\\]|\[\^?[^][\\!^]+\])+")


class ContextPacker:
    """Turns the copies of one image, in order, into the entries of their layers."""

    def __init__(self, context: Path) -> None:
        self._context = context
        self._listed = dict.fromkeys(list_context(context))
        self._kinds = {"/": stat.S_IFDIR}  # what the copies so far have put at each path

    def pack(self, copy: Copy) -> list[LayerEntry]:
        """Return the entries of a copy's layer, folders before their files.

        Raises:
            InvalidInput: A source is missing, lies outside the context, or is an archive that
                `ADD` would unpack; or the destination cannot hold the sources.
        """
        sources = {name: self._resolve(name, copy.instruction) for name in self._match_all(copy)}
        if len(sources) > 1 and not copy.destination.endswith("/"):
            raise reject_step(copy.instruction, "engine.reason-several")
        found: list[LayerEntry] = []
        for folder in copy.work_folders:
            found += self._make_folders(folder, copy, owner=(0, 0))
        for name, source in sources.items():
            found += self._place(name, source, copy)
        return found

    def _match_all(self, copy: Copy) -> list[str]:
        """Return the paths that the sources name; a pattern may match none beside another one."""
        found: list[str] = []
        for given in copy.sources:
            found += self._match(given, copy.instruction)
        if not found:
            raise _missing(copy.instruction, copy.sources[0])
        return found

    def _match(self, given: str, step: Instruction) -> list[str]:
        pattern = posixpath.normpath(given.lstrip("/") or ".")
        if pattern.split("/")[0] == "..":
            raise reject_step(step, "engine.reason-outside")
        if not re.search(r"[*?[]", pattern):
            return ["" if pattern == "." else pattern]
        try:
            expression = re.compile(re.sub(r"\[.*?\]|.", _translate, pattern))
        except re.error:  # a range such as [z-a]
            expression = None
        if expression is None or not _PATTERN.fullmatch(pattern):
            raise reject_step(step, "engine.reason-malformed", part=given)
        return [path for path in self._listed if expression.fullmatch(path)]

    def _resolve(self, name: str, step: Instruction) -> str:
        """Return a path without its links; every one of them has to stay inside the context.

        A build must not pack other files of this computer: the image is pushed.
        """
        rest, done, links = name.split("/")[::-1], list[str](), 0
        while rest:
            part = rest.pop()
            if part != "..":
                done.append(part)
            elif done:
                done.pop()
            else:
                raise reject_step(step, "engine.reason-outside")
            here = "/".join(done)
            if here in self._listed and (self._context / here).is_symlink():
                links += 1
                target = (self._context / here).readlink()
                if target.is_absolute() or links > _MOST_LINKS:
                    raise reject_step(step, "engine.reason-outside")
                done.pop()
                rest += target.parts[::-1]
        found = "/".join(done)
        # A folder that .dockerignore names may still hold files that an exception lets through.
        if (
            not found
            or found in self._listed
            or any(it.startswith(f"{found}/") for it in self._listed)
        ):
            return found
        raise _missing(step, name)

    def _place(self, name: str, source: str, copy: Copy) -> Iterator[LayerEntry]:
        origin, destination = self._context / source, copy.destination
        if copy.instruction.keyword == "ADD" and origin.is_file() and tarfile.is_tarfile(origin):
            raise refuse_step(copy.instruction, "engine.reason-archive")
        if origin.is_dir():
            folder, prefix = destination.rstrip("/"), f"{source}/" if source else ""
            yield from self._make_folders(folder, copy, owner=(copy.uid, copy.gid))
            for path in self._listed:
                if path.startswith(prefix):
                    yield self._put(f"{folder}/{path.removeprefix(prefix)}", path, copy)
            return
        if destination.endswith("/") or self._kinds.get(destination) == stat.S_IFDIR:
            destination = posixpath.join(destination, posixpath.basename(name))
        parent = posixpath.dirname(destination)
        yield from self._make_folders(parent, copy, owner=(copy.uid, copy.gid))
        yield self._put(destination, source, copy)

    def _put(self, path: str, source: str, copy: Copy) -> LayerEntry:
        origin = self._context / source
        for folder in _list_folders(posixpath.dirname(path)):
            self._claim(folder, stat.S_IFDIR, copy)
        self._claim(path, stat.S_IFMT(origin.lstat().st_mode), copy)
        return LayerEntry(path.lstrip("/"), origin, copy.uid, copy.gid, copy.mode)

    def _make_folders(
        self, path: str, copy: Copy, *, owner: tuple[int, int]
    ) -> Iterator[LayerEntry]:
        for folder in _list_folders(path):
            is_new = folder not in self._kinds
            self._claim(folder, stat.S_IFDIR, copy)
            if is_new:
                yield LayerEntry(folder.lstrip("/"), None, *owner)

    def _claim(self, path: str, kind: int, copy: Copy) -> None:
        """Note what stands at a path of the image; a file, a folder and a link exclude another."""
        if self._kinds.setdefault(path, kind) != kind:
            raise reject_step(copy.instruction, "engine.reason-in-the-way", path=path)


def _list_folders(path: str) -> list[str]:
    """Return a folder of the image and those above it, without the root, the outermost first."""
    parts = path.strip("/").split("/") if path.strip("/") else []
    return ["/" + "/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def _translate(piece: re.Match[str]) -> str:
    sign = piece[0]
    return _WILDCARDS.get(sign) or (sign if len(sign) > 1 else re.escape(sign))


def _missing(step: Instruction, source: str) -> InvalidInput:
    return InvalidInput(*messages.advice("engine.no-source", where=step.place, source=source))


def list_context(context: Path) -> tuple[str, ...]:
    """Return the paths in `context` that `.dockerignore` leaves, sorted, with ``/`` between names.

    A folder comes before its contents; sockets and devices are left out.

    Raises:
        InvalidInput: `.dockerignore` is not UTF-8.
        OSError: The context or its `.dockerignore` cannot be read.
    """
    from docker.utils.build import PatternMatcher

    matcher = PatternMatcher(_read_patterns(context))
    # The library always lets `.dockerignore` through, because its daemon needs it; we do not.
    matcher.patterns.pop()
    found = (path.replace(os.sep, "/") for path in matcher.walk(str(context)))
    return tuple(sorted(path for path in found if _is_packed(context / path)))


def digest_context(context: Path, *, extra: tuple[Path, ...] = ()) -> str:
    """Return the SHA-256 (hex) of everything a build of `context` depends on.

    Paths, contents, the executable bit and link targets count; owners and times do not.  `extra`
    are files that count though `.dockerignore` names them, as the Dockerfile does.

    Raises:
        InvalidInput: `.dockerignore` is not UTF-8.
        OSError: A file cannot be read.
    """
    total = hashlib.sha256()
    for path in (*list_context(context), *(os.path.relpath(file, context) for file in extra)):
        total.update(path.encode("utf-8", "surrogateescape") + b"\0")
        total.update(_fingerprint(context / path) + b"\0")
    return total.hexdigest()


def _read_patterns(context: Path) -> list[str]:
    file = context / _IGNORE_FILE
    lines = read_utf8(file).splitlines() if file.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


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
