"""Writes OCI images to disk: reproducible layers, and the layout that holds them.

Follows the OCI image specification 1.1 (layer, config, manifest, index, image layout).  A layer's
bytes depend on paths, contents, modes and owners alone: entries are sorted and times are zero.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from handson.core import messages
from handson.core.errors import EngineError
from handson.core.progress import Say
from handson.engine.model import format_size

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ZSTD_LAYER = "application/vnd.oci.image.layer.v1.tar+zstd"
REFERENCE = "org.opencontainers.image.ref.name"

_SAVED_MANIFEST = "manifest.json"
_CHUNK = 1 << 20
_NONE: Mapping[str, str] = MappingProxyType({})
_SMALLEST, _QUICKEST = 9, 1  # gzip's levels
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"  # how such a file begins (RFC 1952, RFC 8878)


@dataclass(frozen=True)
class LayerEntry:
    """A file, folder or link of a layer.

    `source` is None for a folder that is not copied.  `mode` replaces the file's own bits.
    """

    path: str
    source: Path | None = None
    uid: int = 0
    gid: int = 0
    mode: int | None = None


@dataclass(frozen=True)
class Blob:
    """A blob in a layout; `diff_id` is the digest of a layer before compression."""

    media_type: str
    digest: str
    size: int
    diff_id: str = ""

    def descriptor(self) -> dict[str, Any]:
        """Return the blob as an OCI descriptor."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


class ImageLayout:
    """An OCI image layout: a folder of blobs with an index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def blob_path(self, digest: str) -> Path:
        """Return the path of the blob with `digest`."""
        return self.folder / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def read(self, digest: str) -> bytes:
        """Return a blob's bytes; for manifests and configurations, not for layers."""
        return self.blob_path(digest).read_bytes()

    def manifest(self) -> Blob:
        """Return the image's manifest as the index names it."""
        index = json.loads((self.folder / "index.json").read_bytes())
        found = index["manifests"][0]
        return Blob(found["mediaType"], found["digest"], found["size"])

    def config_digest(self) -> str:
        """Return the digest of the image's configuration, which docker calls the image's id."""
        manifest = json.loads(self.read(self.manifest().digest))
        return str(manifest["config"]["digest"])

    def add(self, content: bytes, media_type: str) -> Blob:
        """Write a blob of `content`."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.blob_path(digest).write_bytes(content)
        return Blob(media_type, digest, len(content))

    def add_layer(self, entries: Iterable[LayerEntry]) -> Blob:
        """Pack `entries` as a gzipped tar layer, streamed; the later of two at one path wins."""
        unique = {entry.path: entry for entry in entries}
        members = [unique[path] for path in sorted(unique)]
        return self._add_layer(lambda stream: _write_tar(stream, members), level=_SMALLEST)

    def add_tar(self, tar: IO[bytes]) -> Blob:
        """Add a layer from a tar, streamed; a compressed tar stays as it is."""
        start = tar.read(len(_ZSTD))
        compressed = LAYER if start[:2] == _GZIP else ZSTD_LAYER if start == _ZSTD else ""

        def copy(stream: _Hashed) -> None:
            stream.write(start)
            shutil.copyfileobj(tar, stream, _CHUNK)

        return self._add_layer(copy, level=_QUICKEST, compressed=compressed)

    def _add_layer(
        self, write: Callable[[_Hashed], None], *, level: int, compressed: str = ""
    ) -> Blob:
        draft = self.folder / "layer.draft"
        with draft.open("wb") as file:
            packed = plain = _Hashed(file)
            if compressed:
                write(packed)
            else:
                with gzip.GzipFile("", "wb", level, fileobj=packed, mtime=0) as zipped:
                    plain = _Hashed(zipped)
                    write(plain)
        blob = Blob(compressed or LAYER, packed.digest, packed.size, plain.digest)
        draft.replace(self.blob_path(blob.digest))
        return blob

    def add_image(
        self, config: bytes, layers: list[Blob], *, annotations: Mapping[str, str] = _NONE
    ) -> Blob:
        """Write configuration and manifest of an image of `layers`; return the manifest."""
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.add(config, CONFIG).descriptor(),
            "layers": [layer.descriptor() for layer in layers],
            "annotations": dict(annotations),
        }
        return self.add(to_json_bytes(manifest), MANIFEST)

    def finish(self, manifest: Blob, tags: Iterable[str]) -> None:
        """Write the index that leads each tag to the manifest; it completes the image."""
        named = [
            {**manifest.descriptor(), "annotations": {REFERENCE: tag}}
            for tag in dict.fromkeys(tags)
        ]
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": named}
        (self.folder / "oci-layout").write_bytes(to_json_bytes({"imageLayoutVersion": "1.0.0"}))
        (self.folder / "index.json").write_bytes(to_json_bytes(index))


def is_image_manifest(child: Mapping[str, Any]) -> bool:
    """Tell whether an entry of an index is an image, and not an attestation.

    Docker gives an attestation the platform unknown/unknown (BuildKit, attestation storage).
    """
    return bool((child.get("platform") or {}).get("os") != "unknown")


@contextmanager
def open_draft(folder: Path) -> Iterator[ImageLayout]:
    """Give an empty layout inside `folder`; the block's end removes it unless it was moved."""
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder))
    try:
        (place / "blobs" / "sha256").mkdir(parents=True)
        yield ImageLayout(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def keep_layout(layout: ImageLayout, name: str) -> ImageLayout:
    """Move a finished draft to `name` beside it, file by file where that layout exists.

    The name contains the image's digest, so the blobs are the same; they stay, because another
    kernel may be pushing them.  The index may name other tags and is replaced.
    """
    final = layout.folder.parent / name
    try:
        layout.folder.replace(final)
    except OSError:  # it exists, or the folder cannot be written: then the next line fails, too
        _merge(layout.folder, final)
    return ImageLayout(final)


def _merge(draft: Path, final: Path) -> None:
    files = [path for path in draft.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == "index.json"):
        place = final / path.relative_to(draft)
        if path.parent == draft or not _same_size(path, place):
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)


def _same_size(path: Path, other: Path) -> bool:
    return other.is_file() and other.stat().st_size == path.stat().st_size


@contextmanager
def unpack_saved_image(chunks: Iterable[bytes], folder: Path, *, say: Say) -> Iterator[ImageLayout]:
    """Give the layout of an image that an engine saves (`docker save`); the block's end removes it.

    The archive is streamed to disk and read from there, so memory stays flat.

    Args:
        chunks: The archive as the engine sends it.
        folder: The folder for archive and layout; it needs the image's size twice.
        say: Takes lines of progress.

    Raises:
        EngineError: The archive is malformed.
        OSError: The disk is full.
    """
    with open_draft(folder) as layout:
        archive = layout.folder / "archive.tar"
        _write_archive(chunks, archive, say)
        try:
            with tarfile.open(archive) as tar:
                layout.finish(_add_saved_image(tar, layout, say), ["exported"])
        except (tarfile.TarError, KeyError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise EngineError(*messages.advice("engine.engine-broke-off", reason=reason)) from error
        archive.unlink()
        yield layout


def _write_archive(chunks: Iterable[bytes], archive: Path, say: Say) -> None:
    received = 0
    with archive.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            received += len(chunk)
            say(messages.text("engine.exporting", size=format_size(received)))


def _add_saved_image(tar: tarfile.TarFile, layout: ImageLayout, say: Say) -> Blob:
    described = json.load(_open_member(tar, _SAVED_MANIFEST))[0]
    names = described["Layers"]
    layers = []
    for number, name in enumerate(names, start=1):
        say(messages.text("engine.packing-layer", number=number, layers=len(names)))
        layers.append(layout.add_tar(_open_member(tar, name)))
    return layout.add_image(_open_member(tar, described["Config"]).read(), layers)


def _open_member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    found = tar.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found


class _Hashed:
    """A stream that hashes and counts what is written through it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        self._file.write(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def _write_tar(stream: Any, entries: list[LayerEntry]) -> None:
    with tarfile.open(mode="w|", fileobj=stream, format=tarfile.PAX_FORMAT, bufsize=_CHUNK) as tar:
        for entry in entries:
            info = _tar_info(entry)
            if info.isreg() and entry.source is not None:
                with entry.source.open("rb") as file:
                    tar.addfile(info, file)
            else:
                tar.addfile(info)


def _tar_info(entry: LayerEntry) -> tarfile.TarInfo:
    info = tarfile.TarInfo(entry.path)
    info.uid, info.gid, info.mode = entry.uid, entry.gid, 0o755
    if entry.source is None:
        info.type = tarfile.DIRTYPE
        return info
    status = entry.source.lstat()
    info.mode = entry.mode if entry.mode is not None else _mode(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        info.type, info.linkname = tarfile.SYMTYPE, os.fspath(entry.source.readlink())
    elif stat.S_ISDIR(status.st_mode):
        info.type = tarfile.DIRTYPE
    else:
        info.size = status.st_size
    return info


def _mode(mode: int) -> int:
    # Windows has no executable bit: docker's library sets it on every file, and so does this.
    return (mode & 0o755) | 0o111 if os.name == "nt" else stat.S_IMODE(mode)


def to_json_bytes(value: Mapping[str, Any]) -> bytes:
    """Return JSON with sorted keys and no spaces, the same bytes for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
