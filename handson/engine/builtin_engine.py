"""Packs and pushes an image on machines where no container engine answers.

The `COPY`s and settings of a Dockerfile become an OCI image: enough to learn what a registry
holds.  The base image and every `RUN` are left out, and the image's label and card say so.

`.dockerignore` is read with docker's own library, so that both engines see the same files.
"""

from __future__ import annotations

import errno
import os
import platform
import posixpath
import re
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from handson.core import messages
from handson.core.errors import EngineError, InvalidInput, NotReady
from handson.core.progress import Say
from handson.course.checks.image import BUILTIN
from handson.course.exercise import PLATFORM
from handson.engine import model, oci, registry_client
from handson.engine.dockerfile import DOCKERFILE, Instruction, load_dockerfile, read_utf8
from handson.engine.oci import LayerEntry, digest_layer
from handson.engine.recipe import Copy, Recipe, read_recipe, refuse_step

# A fixed time, so that the same files give the same digest (reproducible-builds.org).
_CREATED = "1970-01-01T00:00:00Z"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_IGNORE_FILE = ".dockerignore"
_MOST_LINKS = 40  # on one path, as Linux has it

# What Python's and Go's patterns have in common: no escapes, no nested brackets, no `!`.
_PATTERN = re.compile(r"(?:[^][\\]|\[\^?[^][\\!^]+\])+")


class BuiltinEngine:
    """Packs a Dockerfile's files and settings into an OCI layout and pushes it."""

    name = BUILTIN
    containers = None

    def describe(self) -> model.EngineInfo:
        """Return the engine's description of itself."""
        machine = f"{platform.system().lower()}/{platform.machine().lower()}"
        return model.EngineInfo(BUILTIN, "1", machine)

    def build(self, request: model.BuildRequest, *, say: Say) -> model.LocalImage:
        """Pack the image of a Dockerfile into a layout in the request's folder.

        Raises:
            InvalidInput: The Dockerfile has a step outside the subset, or names missing files.
            NotReady: The disk is full; nothing is left behind.
            EngineError: A file cannot be read or written.
        """
        instructions = load_dockerfile(request.context)
        recipe = read_recipe(instructions, build_args=request.build_args)
        recipe.config.setdefault("Labels", {})[model.ENGINE_LABEL] = BUILTIN
        for step in recipe.skipped:
            say(messages.text("engine.skipping", step=step))
        with _translate_disk_errors(request.folder), oci.open_draft(request.folder) as layout:
            packer, layers = ContextPacker(request.context), []
            for copy in recipe.copies:
                say(messages.text("engine.packing", step=copy.step.source))
                layers.append(layout.add_layer(packer.pack(copy)))
            described = oci.to_json_bytes(_describe_image(recipe, layers))
            config = layout.add_image(described, layers, request.tags, base=recipe.base)
            name = f"{request.name.replace('/', '_')}-{layout.manifest().digest[7:19]}"
            oci.keep_layout(layout.folder, request.folder / name)
        return model.LocalImage(
            engine=BUILTIN,
            name=request.name,
            id=config.digest,
            tags=request.tags,
            size_bytes=sum(layer.size for layer in layers),
            steps=tuple(step.source for step in instructions),
            layout=request.folder / name,
            skipped_steps=tuple(recipe.skipped),
        )

    def push(
        self, image: model.LocalImage, destination: model.Destination, *, say: Say
    ) -> model.PushedImage:
        """Push the image's layout over the registry protocol.

        Raises:
            InvalidInput: The image was built by another engine, or its layout is gone.
            EngineError: The registry refused, or broke off.
        """
        if image.layout is None or not (image.layout / "index.json").is_file():
            raise InvalidInput.from_key("engine.no-layout", name=image.name)
        destination = replace(destination, tags=destination.tags or image.tags)
        return registry_client.push_layout(oci.ImageLayout(image.layout), destination, say=say)


def _describe_image(recipe: Recipe, layers: list[oci.Blob]) -> dict[str, Any]:
    system, architecture = PLATFORM
    return {
        "created": _CREATED,
        "os": system,
        "architecture": architecture,
        "config": recipe.config,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created": _CREATED, **line} for line in recipe.history],
    }


@contextmanager
def _translate_disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NotReady.from_key("engine.disk-full", folder=folder) from error
        reason = error.strerror or str(error)
        path = error.filename or folder
        raise EngineError.from_key("engine.pack-failed", path=path, reason=reason) from error


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
