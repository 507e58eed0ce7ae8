"""The registry's blobs (layers and configurations of images): as files, and by repository.

`BlobStore` keeps them as files in one folder:

    blobs/HEX       a complete blob, named after the SHA-256 of its content
    uploads/ID      a blob that is still arriving; the next process deletes it

A blob gets its name after its last byte, so a kill leaves it complete or leaves none.  A power cut
may shorten it, which shows in its size; no push waits for the disk.

`Ledger` keeps which repository has which blob in MiniStack's own four mappings, which its module
`ecr` scopes by account and region:

    _repositories     name → repository
    _images           name → what ECR lists, with the text of each manifest
    _manifest_blobs   name → digest → manifest
    _layer_blobs      name → digest → content; here its size, since the content is in the store

So MiniStack loads, resets and saves them as usual, but they are small.  They are saved at each
change: images outlive a kill.  Blobs are deleted with their repository, and at a graceful stop if
no manifest refers to them; a repository in the middle of a push keeps its own.

This module runs in the embedded AWS's own process, like `server`, and imports nothing of `handson`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Collection, Generator
from pathlib import Path
from typing import Any

Key = tuple[str, str, str]
"""Account, region and name of a repository."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SERVICE = "ecr"


class Upload:
    """A blob that is arriving: a file that grows, and the digest of its content so far."""

    def __init__(self, folder: Path) -> None:
        self.id = str(uuid.uuid4())
        self.path = folder / self.id
        self.size = 0
        self.lock = asyncio.Lock()
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

    def delete(self) -> None:
        """Delete the file."""
        _delete(self.path)


class BlobStore:
    """All blobs of one embedded AWS, in one folder.

    Raises (all methods that write):
        OSError: The folder is not writable, or the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self._blobs = folder / "blobs"
        self._uploads = folder / "uploads"
        self._blobs.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(self._uploads, ignore_errors=True)
        self._uploads.mkdir(mode=0o700, exist_ok=True)

    def path_of(self, digest: str) -> Path:
        """Return the path of the blob of a digest, whether it exists or not."""
        return self._blobs / digest.removeprefix("sha256:")

    def size_of(self, digest: str) -> int | None:
        """Return the size of a blob in bytes, or None if it does not exist."""
        try:
            return self.path_of(digest).stat().st_size
        except OSError:
            return None

    def read_blocks(self, digest: str, part: range, *, size: int) -> Generator[bytes, None, None]:
        """Yield the bytes `part` of a blob, `size` at a time."""
        with self.path_of(digest).open("rb") as file:
            file.seek(part.start)
            for place in part[::size]:
                yield file.read(min(size, part.stop - place))

    def open_upload(self) -> Upload:
        """Return a new, empty upload."""
        return Upload(self._uploads)

    def finish_upload(self, upload: Upload) -> None:
        """Make a complete upload a blob."""
        try:
            os.replace(upload.path, self.path_of(upload.digest))
        except PermissionError:
            # Windows does not replace a file that is being read; then the same blob exists already.
            if self.size_of(upload.digest) != upload.size:
                raise
            upload.delete()

    def add(self, content: bytes) -> None:
        """Store a blob."""
        upload = self.open_upload()
        upload.append(content)
        self.finish_upload(upload)

    def keep_only(self, digests: Collection[str]) -> None:
        """Delete every blob whose digest is not among `digests`."""
        wanted = {self.path_of(digest) for digest in digests}
        for path in set(self._blobs.iterdir()) - wanted:
            _delete(path)


class Ledger:
    """Which repository has which blob, for one embedded AWS."""

    def __init__(self, ecr: Any, persistence: Any, store: BlobStore) -> None:
        """Open the ledger.

        Args:
            ecr: MiniStack's module of that name.
            persistence: MiniStack's module that saves and loads state.
            store: The blobs' files.
        """
        self._ecr = ecr
        self._persistence = persistence
        self._store = store
        self._pushing: set[Key] = set()
        self._known: dict[Key, Any] = {}

    def key_of(self, name: str) -> Key:
        """Return the key of a repository in the account and region of the current request."""
        return self._ecr.get_account_id(), self._ecr.get_region(), name

    def size_of(self, key: Key, digest: str) -> int | None:
        """Return the size of a repository's blob, or None if it is missing or incomplete."""
        noted = self._ecr._layer_blobs.get_scoped(*key, {}).get(digest)
        size = self._store.size_of(digest) if noted else None
        return size if size is not None and noted == _note(size) else None

    def add(self, key: Key, digest: str) -> None:
        """Note that a repository has a blob."""
        owned = self._ecr._layer_blobs.get_scoped(*key, {})
        size = self._store.size_of(digest) or 0
        self._ecr._layer_blobs.set_scoped(*key, owned | {digest: _note(size)})
        self._pushing.add(key)
        self.save()

    def remove(self, key: Key, digest: str) -> None:
        """Remove a blob from a repository that has it."""
        del self._ecr._layer_blobs.get_scoped(*key)[digest]
        self.save()
        self._delete_unowned()

    def end_push(self, key: Key) -> None:
        """Note that a push to a repository has sent its manifest."""
        self._pushing.discard(key)

    def forget_deleted(self) -> list[Key]:
        """Forget the repositories deleted since the last call, and return them."""
        now = dict(self._ecr._repositories.all_items())
        # A repository that was deleted and made again under its name is another object.
        deleted = [key for key, known in self._known.items() if now.get(key) is not known]
        self._known = now
        for key in deleted:
            self._ecr._layer_blobs.pop_scoped(*key, None)
            self._ecr._manifest_blobs.pop_scoped(*key, None)
            self._pushing.discard(key)
        if deleted:
            self.save()
            self._delete_unowned()
        return deleted

    def align_manifests(self) -> None:
        """Keep exactly the manifests that ECR lists.

        MiniStack does so when a manifest is pushed, but not for PutImage and BatchDeleteImage.
        """
        for key, images in self._ecr._images.all_items():
            known = self._ecr._manifest_blobs.get_scoped(*key, {})
            manifests = {
                image["imageDigest"]: known.get(
                    image["imageDigest"], image["imageManifest"].encode()
                )
                for image in images
            }
            self._ecr._manifest_blobs.set_scoped(*key, manifests)

    def delete_unreferenced(self) -> None:
        """Delete the blobs that no manifest refers to, except in unfinished pushes."""
        for key, owned in self._ecr._layer_blobs.all_items():
            if key not in self._pushing:
                for digest in owned.keys() - self._referenced(key):
                    del owned[digest]
        self.save()
        self._delete_unowned()

    def save(self) -> None:
        """Save the ledger; MiniStack's log reports a failure."""
        self._persistence.save_state(_SERVICE, self._ecr.get_state())

    def _referenced(self, key: Key) -> set[str]:
        images = self._ecr._images.get_scoped(*key, [])
        return {digest for image in images for digest in _DIGEST.findall(image["imageManifest"])}

    def _delete_unowned(self) -> None:
        every = self._ecr._layer_blobs.all_values()
        self._store.keep_only({digest for owned in every for digest in owned})


def move_to_disk(persistence: Any, store: BlobStore) -> None:
    """Move the content of blobs from a state that an earlier version saved into the store.

    Raises:
        OSError: The disk is full; the saved state is as it was.
    """
    state = persistence.load_state(_SERVICE) or {}
    every: list[dict[str, bytes]] = getattr(state.get("layer_blobs"), "all_values", list)()
    found = [(owned, digest) for owned in every for digest in owned if _is_content(owned, digest)]
    for owned, digest in found:
        store.add(owned[digest])
        owned[digest] = _note(len(owned[digest]))
    if found:
        persistence.save_state(_SERVICE, state)


def _is_content(owned: dict[str, bytes], digest: str) -> bool:
    return f"sha256:{hashlib.sha256(owned[digest]).hexdigest()}" == digest


def _note(size: int) -> bytes:
    return str(size).encode()


def _delete(path: Path) -> None:
    # Windows does not delete a file that is being read; a later sweep does.
    with contextlib.suppress(FileNotFoundError, PermissionError):
        path.unlink()
