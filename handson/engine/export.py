"""An image taken out of an engine: its `docker save` archive, laid out for the registry protocol.

Needed where an engine in a virtual machine cannot reach a registry on this computer's 127.0.0.1.
The archive is streamed to disk and read from there, so memory stays flat whatever its size.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from handson.core import messages
from handson.core.errors import EngineError
from handson.core.progress import Say
from handson.engine import oci
from handson.engine.model import format_size

_MANIFEST = "manifest.json"


@contextmanager
def exported(chunks: Iterable[bytes], folder: Path, *, say: Say) -> Iterator[oci.ImageLayout]:
    """Give the layout of an image that an engine saves; it is removed again with the block.

    Args:
        chunks: The archive as the engine gives it (`docker save`; every engine writes it alike).
        folder: Where archive and layout lie meanwhile; it needs the image's size twice.
        say: Told how much has come.

    Raises:
        EngineError: The archive is not one.
        OSError: The disk is full.
    """
    with oci.draft(folder) as layout:
        archive = layout.folder / "archive.tar"
        _keep(chunks, archive, say)
        try:
            with tarfile.open(archive) as tar:
                layout.finish(_image(tar, layout, say), ["exported"])
        except (tarfile.TarError, KeyError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise EngineError(*messages.advice("engine.engine-broke-off", reason=reason)) from error
        archive.unlink()
        yield layout


def _keep(chunks: Iterable[bytes], archive: Path, say: Say) -> None:
    received = 0
    with archive.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            received += len(chunk)
            say(messages.text("engine.exporting", size=format_size(received)))


def _image(tar: tarfile.TarFile, layout: oci.ImageLayout, say: Say) -> oci.Blob:
    described = json.load(_member(tar, _MANIFEST))[0]
    names = described["Layers"]
    layers = []
    for number, name in enumerate(names, start=1):
        say(messages.text("engine.packing-layer", number=number, layers=len(names)))
        layers.append(layout.add_tar(_member(tar, name)))
    config = layout.add(_member(tar, described["Config"]).read(), oci.CONFIG)
    return layout.add_manifest(config, layers)


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    found = tar.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found
