"""Packs and pushes an image on machines where no container engine answers.

The `COPY`s and settings of a Dockerfile become an OCI image: enough to learn what a registry
holds.  The base image and every `RUN` are left out, and the image's label and card say so.
"""

from __future__ import annotations

import errno
import platform
import posixpath
import re
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from handson.core import messages
from handson.core.errors import EngineError, HandsonError, InvalidInput, NotReady
from handson.core.progress import Say
from handson.course.checks.image import BUILTIN
from handson.course.exercise import PLATFORM
from handson.engine import model, oci, registry_client
from handson.engine.build_context import compile_pattern, list_context
from handson.engine.dockerfile import load_dockerfile
from handson.engine.recipe import Copy, read_recipe, refuse_step

# A fixed time, so that the same files give the same digest (reproducible-builds.org).
_CREATED = "1970-01-01T00:00:00Z"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_KINDS = {stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK}
_SET_ID = stat.S_ISUID | stat.S_ISGID  # Docker's builders differ on whether a copy keeps them
_MOST_LINKS = 40  # on one path, as Linux has it

# How the archives begin that `ADD` unpacks: gzip, bzip2, xz, zstd.
_ARCHIVES = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")


class BuiltinEngine:
    """Packs a Dockerfile's files and settings into an OCI layout and pushes it."""

    name = BUILTIN
    containers = None
    setback: HandsonError | None = None

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
            packer, layers, folders = ContextPacker(request.context), [], list[oci.LayerEntry]()
            for copy in recipe.copies:
                entries = [*folders, *packer.pack(copy)]
                folders = [] if copy.sources else entries  # they go into the next layer
                if copy.sources:
                    say(messages.text("engine.packing", step=copy.step.source))
                    layers.append(layout.add_layer(entries))
            described = {
                "created": _CREATED,
                "os": PLATFORM[0],
                "architecture": PLATFORM[1],
                "config": recipe.config,
                "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
                "history": [{"created": _CREATED, **line} for line in recipe.history],
            }
            content = oci.to_json_bytes(described)
            config = layout.add_image(content, layers, request.tag, base=recipe.base)
            name = f"{request.name.replace('/', '_')}-{layout.manifest().digest[7:19]}"
            oci.keep_layout(layout.folder, request.folder / name)
        return model.LocalImage(
            engine=BUILTIN,
            name=request.name,
            id=config.digest,
            tag=request.tag,
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
        return registry_client.push_layout(oci.ImageLayout(image.layout), destination, say=say)


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

    def pack(self, copy: Copy) -> list[oci.LayerEntry]:
        """Return the entries of a copy's layer, folders before their files.

        Raises:
            InvalidInput: A source is missing, lies outside the context, or is an archive that
                `ADD` would unpack; or the destination cannot hold the sources.
        """
        self._step, self._owner = copy.step, copy.owner
        if not copy.sources:
            return self._make_folders(copy.destination)
        names = [name for given in copy.sources for name in self._match(given)]
        if not names:  # a pattern may match nothing beside another one
            raise self._miss(copy.sources[0])
        sources = [(name, self._resolve(name)) for name in names]
        if max(len(names), len(copy.sources)) > 1 and not copy.destination.endswith("/"):
            raise self._refuse("engine.wrong-step", "several")
        return [it for name, source in sources for it in self._place(name, source, copy)]

    def _match(self, given: str) -> list[str]:
        path = posixpath.normpath(given.lstrip("/") or ".")
        if path.split("/")[0] == "..":
            raise self._refuse("engine.wrong-step", "outside")
        plain, *patterns = re.split(r"[*?[\\]", path)
        if not patterns:
            return [path]
        # Docker's builders differ on a pattern with `..` or below a link; `**` is a `*` here.
        above = [self._context / it for it in PurePosixPath(f"{plain}_").parents]
        try:
            if any(it.is_symlink() for it in above) or re.search(r"\\|\.\.", given):
                raise ValueError(path)
            pattern = compile_pattern(re.sub(r"\*+", "*", path))
        except ValueError as error:
            raise self._refuse("engine.unread", "malformed", part=given) from error
        return [path for path in self._listed if pattern.fullmatch(path)]

    def _resolve(self, name: str) -> str:
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
                raise self._refuse("engine.wrong-step", "outside")
            here = "/".join(done)
            if here in self._sources and (self._context / here).is_symlink():
                links += 1
                target = (self._context / here).readlink()
                if target.is_absolute() or links > _MOST_LINKS:
                    raise self._refuse("engine.wrong-step", "outside")
                done.pop()
                rest += target.parts[::-1]
        found = "/".join(done) or "."
        if found not in self._sources:
            raise self._miss(name)
        return found

    def _place(self, name: str, source: str, copy: Copy) -> Iterator[oci.LayerEntry]:
        origin, destination = self._context / source, copy.destination
        if origin.is_dir():
            folder, prefix = posixpath.join(destination, ""), "" if source == "." else f"{source}/"
            within = [path for path in self._listed if path.startswith(prefix)]
            paths = {f"{folder}{path.removeprefix(prefix)}": path for path in within}
        else:
            if copy.step.keyword == "ADD" and origin.is_file() and _is_archive(origin):
                raise self._refuse("engine.cannot-do", "archive")
            if destination.endswith("/") or self._kinds.get(destination) == stat.S_IFDIR:
                destination = posixpath.join(destination, posixpath.basename(name))
            folder, paths = posixpath.dirname(destination), {destination: source}
        yield from self._make_folders(folder)
        for path, source in paths.items():
            # Docker's context, too, has no entry for a folder that only .dockerignore's
            # exceptions lead into.
            self._make_folders(posixpath.dirname(path))
            origin = self._context / source
            status = origin.lstat().st_mode
            if stat.S_IFMT(status) not in _KINDS or (status & _SET_ID and copy.mode is None):
                raise self._refuse("engine.cannot-do", "special", path=source)
            self._claim(path, stat.S_IFMT(status))
            yield oci.LayerEntry(path.lstrip("/"), origin, owner=copy.owner, mode=copy.mode)

    def _make_folders(self, path: str) -> list[oci.LayerEntry]:
        """Return the entries of a folder and those above it, as far as they are new."""
        folders = [str(it) for it in (PurePosixPath(path), *PurePosixPath(path).parents)][::-1]
        new = [folder for folder in folders if self._claim(folder, stat.S_IFDIR)]
        return [oci.LayerEntry(folder.lstrip("/"), owner=self._owner) for folder in new]

    def _claim(self, path: str, kind: int) -> bool:
        """Note what is at a path of the image, and return whether it is new there.

        A file, a folder and a link exclude each other; and a layer's entry whose name begins with
        ``.wh.`` removes a file (OCI image layers, "Whiteouts").
        """
        is_new = path not in self._kinds
        kinds = {kind, self._kinds.setdefault(path, kind)}
        meets_link = len(kinds) > 1 and stat.S_IFLNK in kinds
        if meets_link or posixpath.basename(path).startswith(".wh."):
            raise self._refuse("engine.cannot-do", "special", path=path)
        if len(kinds) > 1:
            raise self._refuse("engine.wrong-step", "in-the-way", path=path)
        return is_new

    def _refuse(self, kind: str, reason: str, /, **values: object) -> InvalidInput:
        return refuse_step(self._step, kind, reason, **values)

    def _miss(self, source: str) -> InvalidInput:
        return InvalidInput.from_key("engine.no-source", where=self._step.place, source=source)


def _is_archive(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(6).startswith(_ARCHIVES) or tarfile.is_tarfile(file)
