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
from pathlib import Path
from typing import IO, Any

from msgspec import Struct

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
BASE = "org.opencontainers.image.base.name"

INDEX_TYPES = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFEST_TYPES = (*INDEX_TYPES, MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
"""The media types of an index and of a manifest, in OCI's words and in Docker's."""

_CHUNK = 1 << 20
_SMALLEST, _QUICKEST = 9, 1  # gzip's levels
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"  # how such a file begins (RFC 1952, RFC 8878)


class LayerEntry(tarfile.TarInfo):
    """A file, folder or link of a layer, described as a tar has it.

    Args:
        path: Its path in the image, without a slash at the beginning.
        source: The file to pack; None for a folder that is not copied.
        owner: The numbers of the owner and the group.
        mode: The permission bits in place of the file's own.
    """

    def __init__(
        self,
        path: str,
        source: Path | None = None,
        *,
        owner: tuple[int, int] = (0, 0),
        mode: int | None = None,
    ) -> None:
        super().__init__(path)
        self.source = source
        self.uid, self.gid = owner
        self.type, self.mode = tarfile.DIRTYPE, 0o755
        if source is None:
            return
        status = source.lstat()
        # Windows has no executable bit: docker's library sets it on every file, and so does this.
        own = (status.st_mode & 0o755) | 0o111 if os.name == "nt" else stat.S_IMODE(status.st_mode)
        self.mode = own if mode is None or stat.S_ISLNK(status.st_mode) else mode
        if stat.S_ISLNK(status.st_mode):
            self.type, self.linkname = tarfile.SYMTYPE, os.fspath(source.readlink())
        elif stat.S_ISREG(status.st_mode):
            self.type, self.size = tarfile.REGTYPE, status.st_size


class Blob(Struct, frozen=True):
    """A blob in a layout; `diff_id` is the digest of a layer before compression."""

    media_type: str
    digest: str
    size: int
    diff_id: str = ""

    def descriptor(self) -> dict[str, Any]:
        """Return the blob as an OCI descriptor."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


class ImageLayout(Struct, frozen=True):
    """An OCI image layout: a folder of blobs with an index."""

    folder: Path

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

    def add(self, content: bytes, media_type: str) -> Blob:
        """Write a blob of `content`."""
        blob = Blob(media_type, digest_of(content), len(content))
        self.blob_path(blob.digest).write_bytes(content)
        return blob

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

    def add_image(self, config: bytes, layers: list[Blob], tag: str, *, base: str = "") -> Blob:
        """Complete the image: write its configuration, its manifest, and an index with its tag.

        Returns:
            The configuration; docker calls its digest the image's id.
        """
        blob = self.add(config, CONFIG)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": blob.descriptor(),
            "layers": [layer.descriptor() for layer in layers],
            "annotations": {BASE: base} if base else {},
        }
        found = self.add(to_json_bytes(manifest), MANIFEST).descriptor()
        named = {**found, "annotations": {REFERENCE: tag}}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [named]}
        (self.folder / "oci-layout").write_bytes(to_json_bytes({"imageLayoutVersion": "1.0.0"}))
        (self.folder / "index.json").write_bytes(to_json_bytes(index))
        return blob


def digest_of(content: bytes) -> str:
    """Return the digest of a blob's bytes, `sha256:…`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def is_image_manifest(child: Mapping[str, Any]) -> bool:
    """Tell whether an entry of an index is an image, and not an attestation.

    Docker gives an attestation the platform unknown/unknown (BuildKit, attestation storage).
    """
    return bool((child.get("platform") or {}).get("os") != "unknown")


@contextmanager
def open_draft(folder: Path) -> Iterator[ImageLayout]:
    """Give an empty layout inside `folder`; the block's end removes what is left of it."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = tempfile.TemporaryDirectory(prefix=".draft-", dir=folder, ignore_cleanup_errors=True)
    with draft as it:
        (Path(it) / "blobs" / "sha256").mkdir(parents=True)
        yield ImageLayout(Path(it))


def keep_layout(draft: Path, final: Path) -> None:
    """Move the files of a finished draft to a layout that may exist, the index at the end.

    The layout's name contains the image's digest, so the blobs are the same; complete ones stay,
    because another kernel may be pushing them.  The index may name another tag and is replaced.
    """
    files = [path for path in draft.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == "index.json"):
        place = final / path.relative_to(draft)
        is_blob = path.parent != draft
        if not (is_blob and place.is_file() and place.stat().st_size == path.stat().st_size):
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)


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
        with archive.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
                say(messages.text("engine.exporting", size=format_size(file.tell())))
        try:
            with tarfile.open(archive) as tar:
                described = json.load(_open_member(tar, "manifest.json"))[0]
                names, layers = described["Layers"], []
                for number, name in enumerate(names, start=1):
                    say(messages.text("engine.packing-layer", number=number, layers=len(names)))
                    layers.append(layout.add_tar(_open_member(tar, name)))
                config = _open_member(tar, described["Config"]).read()
                layout.add_image(config, layers, "exported")
        except (tarfile.TarError, KeyError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise EngineError.from_key("engine.engine-broke-off", reason=reason) from error
        archive.unlink()
        yield layout


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


def _write_tar(stream: Any, entries: Iterable[LayerEntry]) -> None:
    with tarfile.open(mode="w|", fileobj=stream, format=tarfile.PAX_FORMAT, bufsize=_CHUNK) as tar:
        for entry in entries:
            if entry.isreg() and entry.source:
                with entry.source.open("rb") as file:
                    tar.addfile(entry, file)
            else:
                tar.addfile(entry)


def to_json_bytes(value: Mapping[str, Any]) -> bytes:
    """Return JSON with sorted keys and no spaces, the same bytes for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
