"""The registry's blobs (layers and configurations of images): as files, and by repository.

Two folders hold the files:

    blobs/HEX       a complete blob, named after the SHA-256 of its content
    uploads/ID      a blob that is still arriving; the next process deletes it

A blob gets its name after its last byte, so a kill leaves it complete or leaves none.  A power cut
may shorten it, which shows in its size; no push waits for a layer to be on the disk.

Which repository has which blob is kept in MiniStack's own four mappings, which its module `ecr`
scopes by account and region:

    _repositories     name → repository
    _images           name → what ECR lists, with the text of each manifest
    _manifest_blobs   name → digest → manifest
    _layer_blobs      name → digest → content; here its size, since the content is in a file

So MiniStack loads, resets and saves them as usual, but they are small.  They are saved at each
change: images outlive a kill.  Blobs are deleted with their repository, and at a graceful stop if
no manifest refers to them.

This module runs in the embedded AWS's own process, like `server`, and imports nothing of `handson`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

Key = tuple[str, str, str]
"""Account, region and name of a repository."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SERVICE = "ecr"


class Upload:
    """A blob that is arriving: a file that grows, and the digest of its content so far."""

    def __init__(self, folder: Path, key: Key) -> None:
        self.id = str(uuid.uuid4())
        self.key = key
        self.path = folder / self.id
        self.size = 0
        self._hash = hashlib.sha256()
        self.path.touch(mode=0o600, exist_ok=False)

    @property
    def digest(self) -> str:
        """The digest of the content so far."""
        return f"sha256:{self._hash.hexdigest()}"

    def append(self, block: bytes) -> None:
        """Append a block.

        Raises:
            OSError: The disk is full, or the file was deleted: this upload cannot go on.
        """
        with self.path.open("r+b") as file:
            file.seek(self.size)
            file.write(block)
        self._hash.update(block)
        self.size += len(block)


class Blobs:
    """All blobs of one embedded AWS, and the uploads that are arriving.

    Raises (all methods that write):
        OSError: The folder is not writable, or the disk is full.
    """

    def __init__(self, folder: Path, ecr: Any, persistence: Any) -> None:
        """Open the blobs.

        Args:
            folder: Where their files are.
            ecr: MiniStack's module of that name.
            persistence: MiniStack's module that saves and loads state.
        """
        self.uploads: dict[str, Upload] = {}
        self._blobs, self._arriving = folder / "blobs", folder / "uploads"
        self._ecr = ecr
        self._persistence = persistence
        self._known: dict[Key, Any] = {}
        self._blobs.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(self._arriving, ignore_errors=True)
        self._arriving.mkdir(mode=0o700, exist_ok=True)

    def find_repository(self, name: str, headers: Mapping[str, str]) -> Key | None:
        """Return the key of the repository that a request to the registry means, if it exists."""
        self._ecr._select_registry_request_scope(name, headers, {})
        key = self._ecr.get_account_id(), self._ecr.get_region(), name
        return key if self._ecr._repositories.contains_scoped(*key) else None

    def find_size(self, key: Key, digest: str) -> int | None:
        """Return the size of a repository's blob, or None if it is missing or incomplete."""
        noted = self._ecr._layer_blobs.get_scoped(*key, {}).get(digest)
        path = self._locate(digest)
        if noted and path.exists() and noted == _note(path.stat().st_size):
            return int(noted)
        return None

    def read_blocks(self, digest: str, *, size: int) -> Generator[bytes, None, None]:
        """Yield the bytes of a blob, `size` at a time."""
        with self._locate(digest).open("rb") as file:
            while block := file.read(size):
                yield block

    def open_upload(self, key: Key) -> Upload:
        """Return a new, empty upload to a repository."""
        upload = Upload(self._arriving, key)
        self.uploads[upload.id] = upload
        return upload

    def finish_upload(self, upload: Upload) -> None:
        """Make a complete upload a blob of its repository."""
        try:
            os.replace(upload.path, self._locate(upload.digest))
        except PermissionError:
            # Windows does not replace a file that is being read; then the same blob exists already.
            if self._locate(upload.digest).stat().st_size != upload.size:
                raise
        self.drop_upload(upload)
        owned = self._ecr._layer_blobs.get_scoped(*upload.key, {})
        noted = owned | {upload.digest: _note(upload.size)}
        self._ecr._layer_blobs.set_scoped(*upload.key, noted)
        self.save()

    def drop_upload(self, upload: Upload) -> None:
        """Forget an upload, and delete its file."""
        self.uploads.pop(upload.id, None)
        _delete(upload.path)

    def forget_deleted(self) -> None:
        """Delete the blobs and uploads of repositories that were deleted since the last call."""
        now = dict(self._ecr._repositories.all_items())
        # A repository that was deleted and made again under its name is another object.
        deleted = [key for key, known in self._known.items() if now.get(key) is not known]
        self._known = now
        for upload in [each for each in self.uploads.values() if each.key in deleted]:
            self.drop_upload(upload)
        for key in deleted:
            self._ecr._layer_blobs.pop_scoped(*key, None)
            self._ecr._manifest_blobs.pop_scoped(*key, None)
        if deleted:
            self.save()

    def align_manifests(self) -> None:
        """Keep exactly the manifests that ECR lists.

        MiniStack does so when a manifest is pushed, but not for PutImage and BatchDeleteImage.
        """
        for key, images in self._ecr._images.all_items():
            listed = {image["imageDigest"]: image["imageManifest"].encode() for image in images}
            known = self._ecr._manifest_blobs.get_scoped(*key, {})
            kept = {digest: known[digest] for digest in listed.keys() & known.keys()}
            self._ecr._manifest_blobs.set_scoped(*key, listed | kept)

    def delete_unreferenced(self) -> None:
        """Delete the blobs that no manifest refers to."""
        for key, owned in self._ecr._layer_blobs.all_items():
            manifests = [each["imageManifest"] for each in self._ecr._images.get_scoped(*key, [])]
            for digest in owned.keys() - {*_DIGEST.findall(" ".join(manifests))}:
                del owned[digest]
        self.save()

    def save(self) -> None:
        """Save the mappings, and delete the files of blobs that no repository has.

        MiniStack's log reports a failure to save.
        """
        self._persistence.save_state(_SERVICE, self._ecr.get_state())
        owned = self._ecr._layer_blobs.all_values()
        wanted = {self._locate(digest) for digests in owned for digest in digests}
        for path in {*self._blobs.iterdir()} - wanted:
            _delete(path)

    def copy_files(self) -> dict[str, bytes]:
        """Return the content of all complete blobs, by digest."""
        return {f"sha256:{path.name}": path.read_bytes() for path in self._blobs.iterdir()}

    def restore_files(self, files: dict[str, bytes]) -> None:
        """Have these blobs and no upload, after MiniStack's mappings were restored."""
        for upload in [*self.uploads.values()]:
            self.drop_upload(upload)
        for digest, content in files.items():
            if not self._locate(digest).exists():
                self._locate(digest).write_bytes(content)
        self._known = dict(self._ecr._repositories.all_items())

    def _locate(self, digest: str) -> Path:
        return self._blobs / digest.removeprefix("sha256:")


def _note(size: int) -> bytes:
    return str(size).encode()


def _delete(path: Path) -> None:
    # Windows does not delete a file that is being read; a later sweep does.
    with contextlib.suppress(FileNotFoundError, PermissionError):
        path.unlink()
