"""Packs and pushes an image on machines where no container engine answers.

The `COPY`s and settings of a Dockerfile become an OCI image: enough to learn what a registry
holds.  The base image and every `RUN` are left out, and the image's label and card say so.
"""

from __future__ import annotations

import errno
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from handson.core import messages
from handson.core.errors import EngineError, InvalidInput, NotReady
from handson.core.progress import Say
from handson.course.checks.image import BUILTIN
from handson.course.exercise import PLATFORM
from handson.engine import model, oci, registry_client
from handson.engine.dockerfile import load_dockerfile
from handson.engine.packing import ContextPacker
from handson.engine.recipe import Recipe, read_recipe

# A fixed time, so that the same files give the same digest (reproducible-builds.org).
_CREATED = "1970-01-01T00:00:00Z"
_FULL = {errno.ENOSPC, errno.EDQUOT}


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
