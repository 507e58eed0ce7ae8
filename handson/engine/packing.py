"""Chooses the files of a build context that an image gets, and their places in it.

`.dockerignore` is read with docker's own library, so that both engines see the same files.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from handson.core.errors import InvalidInput
from handson.engine.dockerfile import DOCKERFILE, Instruction, read_utf8
from handson.engine.oci import LayerEntry, digest_layer
from handson.engine.recipe import Copy, refuse_step

_IGNORE_FILE = ".dockerignore"
_MOST_LINKS = 40  # on one path, as Linux has it

# What Python's and Go's patterns have in common: no escapes, no nested brackets, no `!`.
_PATTERN = re.compile(r"(?:[^][\\]|\[\^?[^][\\!^]+\])+")


class ContextPacker:
    """Turns the copies of one image, in order, into the entries of their layers."""

    def __init__(self, context: Path) -> None:
        self._context = context
        self._listed = list_context(context)
        # A folder that .dockerignore names may still hold files that an exception lets through.
        folders = {str(it) for path in self._listed for it in PurePosixPath(path).parents}
        self._sources = {".", *self._listed, *folders}
        self._kinds = {"/": stat.S_IFDIR}  # what the copies so far have put at each path

    def pack(self, copy: Copy) -> list[LayerEntry]:
        """Return the entries of a copy's layer, folders before their files.

        Raises:
            InvalidInput: A source is missing, lies outside the context, or is an archive that
                `ADD` would unpack; or the destination cannot hold the sources.
        """
        names = [name for given in copy.sources for name in self._match(given, copy.step)]
        if not names:  # a pattern may match nothing beside another one
            raise _missing(copy.step, copy.sources[0])
        sources = {name: self._resolve(name, copy.step) for name in names}
        if len(sources) > 1 and not copy.destination.endswith("/"):
            raise refuse_step(copy.step, "engine.reason-several")
        found: list[LayerEntry] = []
        for folder in copy.work_folders:
            found += self._make_folders(folder, copy.step, owner=(0, 0))
        for name, source in sources.items():
            found += self._place(name, source, copy)
        return found

    def _match(self, given: str, step: Instruction) -> list[str]:
        pattern = posixpath.normpath(given.lstrip("/") or ".")
        if pattern.split("/")[0] == "..":
            raise refuse_step(step, "engine.reason-outside")
        if not re.search(r"[*?[]", pattern):
            return [pattern]
        if not _PATTERN.fullmatch(pattern):
            raise refuse_step(step, "engine.reason-malformed", part=given)
        absolute = f"/{pattern.replace('[^', '[!')}"  # else Python compares the ends of paths alone
        return [path for path in self._listed if PurePosixPath("/", path).match(absolute)]

    def _resolve(self, name: str, step: Instruction) -> str:
        """Return a path without its links; every one of them has to stay inside the context.

        A build must not pack other files of this computer: the image is pushed.
        """
        rest, done, links = [*PurePosixPath(name).parts][::-1], list[str](), 0
        while rest:
            part = rest.pop()
            if part != "..":
                done.append(part)
            elif done:
                done.pop()
            else:
                raise refuse_step(step, "engine.reason-outside")
            here = "/".join(done)
            if here in self._sources and (self._context / here).is_symlink():
                links += 1
                target = (self._context / here).readlink()
                if target.is_absolute() or links > _MOST_LINKS:
                    raise refuse_step(step, "engine.reason-outside")
                done.pop()
                rest += target.parts[::-1]
        found = "/".join(done) or "."
        if found not in self._sources:
            raise _missing(step, name)
        return found

    def _place(self, name: str, source: str, copy: Copy) -> Iterator[LayerEntry]:
        origin, destination = self._context / source, copy.destination
        if copy.step.keyword == "ADD" and origin.is_file() and tarfile.is_tarfile(origin):
            raise refuse_step(copy.step, "engine.reason-archive")
        if origin.is_dir():
            folder = posixpath.join(destination, "")
            prefix = "" if source == "." else f"{source}/"
            paths = {
                f"{folder}{path.removeprefix(prefix)}": path
                for path in self._listed
                if path.startswith(prefix)
            }
        else:
            if destination.endswith("/") or self._kinds.get(destination) == stat.S_IFDIR:
                destination = posixpath.join(destination, posixpath.basename(name))
            folder, paths = posixpath.dirname(destination), {destination: source}
        yield from self._make_folders(folder, copy.step, owner=copy.owner)
        for path, source in paths.items():
            # Docker's context, too, has no entry for a folder that only .dockerignore's
            # exceptions lead into.
            self._make_folders(posixpath.dirname(path), copy.step, owner=copy.owner)
            origin = self._context / source
            self._claim(path, stat.S_IFMT(origin.lstat().st_mode), copy.step)
            yield LayerEntry(path.lstrip("/"), origin, owner=copy.owner, mode=copy.mode)

    def _make_folders(
        self, path: str, step: Instruction, *, owner: tuple[int, int]
    ) -> list[LayerEntry]:
        """Return the entries of a folder and those above it, as far as they are new."""
        folders = [str(it) for it in (PurePosixPath(path), *PurePosixPath(path).parents)]
        return [
            LayerEntry(folder.lstrip("/"), owner=owner)
            for folder in folders[::-1]
            if self._claim(folder, stat.S_IFDIR, step)
        ]

    def _claim(self, path: str, kind: int, step: Instruction) -> bool:
        """Note what is at a path of the image, and return whether it is new there.

        A file, a folder and a link exclude each other.
        """
        is_new = path not in self._kinds
        if self._kinds.setdefault(path, kind) != kind:
            raise refuse_step(step, "engine.reason-in-the-way", path=path)
        return is_new


def _missing(step: Instruction, source: str) -> InvalidInput:
    return InvalidInput.from_key("engine.no-source", where=step.place, source=source)


def list_context(context: Path) -> tuple[str, ...]:
    """Return the paths in `context` that `.dockerignore` leaves, sorted, with ``/`` between names.

    A folder comes before its contents; sockets and devices are left out.

    Raises:
        InvalidInput: `.dockerignore` is not UTF-8.
        OSError: The context or its `.dockerignore` cannot be read.
    """
    from docker.utils.build import PatternMatcher

    file = context / _IGNORE_FILE
    lines = read_utf8(file).splitlines() if file.is_file() else []
    matcher = PatternMatcher(
        [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    )
    # The library always lets `.dockerignore` through, because its daemon needs it; we do not.
    matcher.patterns.pop()
    found = (path.replace(os.sep, "/") for path in matcher.walk(str(context)))
    return tuple(sorted(path for path in found if _is_packed(context / path)))


def digest_context(context: Path) -> str:
    """Return the SHA-256 (hex) of everything a build of `context` depends on.

    Paths, contents, permissions and link targets count; owners and times do not.  The Dockerfile
    counts even where `.dockerignore` names it.

    Raises:
        InvalidInput: `.dockerignore` is not UTF-8.
        OSError: A file cannot be read.
    """
    paths = set(list_context(context))
    if (context / DOCKERFILE).is_file():
        paths.add(DOCKERFILE)
    digest = digest_layer([LayerEntry(path, context / path) for path in sorted(paths)])
    return digest.removeprefix("sha256:")


def _is_packed(path: Path) -> bool:
    return stat.S_IFMT(path.lstat().st_mode) in {stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK}
