"""Which repository has which blob: MiniStack's own books, kept without the blobs' content.

MiniStack keeps its registry in four mappings of its module `ecr`, scoped by account and region:

    _repositories     name → repository
    _images           name → what ECR lists, with the text of each manifest
    _manifest_blobs   name → digest → manifest
    _layer_blobs      name → digest → content; here its size, for the content is in `blobs.Store`

So they are loaded, reset and saved as ever, but small.  They are saved at each change: images
outlive a kill.  Blobs leave the disk when their repository goes, and at a graceful stop when no
manifest refers to them any more; a repository in the middle of a push keeps its own.

Part of the embedded AWS's own process, like `server`: nothing of `handson` is loaded here.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handson.aws.emulator.blobs import Store

Key = tuple[str, str, str]
"""Account, region and name of a repository."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SERVICE = "ecr"


class Ledger:
    """The books of one embedded AWS."""

    def __init__(self, ecr: Any, persistence: Any, store: Store) -> None:
        """Open the books.

        Args:
            ecr: MiniStack's module of that name.
            persistence: Its module that writes state to disk and reads it.
            store: Where the blobs are.
        """
        self._ecr = ecr
        self._persistence = persistence
        self._store = store
        self._pushing: set[Key] = set()
        self._seen: dict[Key, Any] = {}

    def key(self, name: str) -> Key:
        """Return which repository `name` is in the account and region of this request."""
        return self._ecr.get_account_id(), self._ecr.get_region(), name

    def size(self, key: Key, digest: str) -> int | None:
        """Return the bytes of a blob, or None where the repository does not have it whole."""
        noted = self._ecr._layer_blobs.get_scoped(*key, {}).get(digest)
        size = self._store.size(digest) if noted else None
        return size if size is not None and noted == _note(size) else None

    def add(self, key: Key, digest: str) -> None:
        """Note that a repository has a blob."""
        owned = self._ecr._layer_blobs.get_scoped(*key, {})
        size = self._store.size(digest) or 0
        self._ecr._layer_blobs.set_scoped(*key, owned | {digest: _note(size)})
        self._pushing.add(key)
        self.save()

    def remove(self, key: Key, digest: str) -> None:
        """Take a blob from a repository that has it."""
        del self._ecr._layer_blobs.get_scoped(*key)[digest]
        self.save()
        self._sweep()

    def pushed(self, key: Key) -> None:
        """Note that a push to a repository has come to its manifest."""
        self._pushing.discard(key)

    def look(self) -> list[Key]:
        """Return the repositories that are gone since the last look; nothing of them is left."""
        now = dict(self._ecr._repositories.all_items())
        gone = [key for key, repository in self._seen.items() if now.get(key) is not repository]
        self._seen = now
        for key in gone:
            self._ecr._layer_blobs.pop_scoped(*key, None)
            self._ecr._manifest_blobs.pop_scoped(*key, None)
            self._pushing.discard(key)
        if gone:
            self.save()
            self._sweep()
        return gone

    def align(self) -> None:
        """Let a manifest be had by its digest exactly when ECR lists it.

        MiniStack sees to that when a manifest is pushed, but not for PutImage and BatchDeleteImage.
        """
        for key, images in self._ecr._images.all_items():
            had = self._ecr._manifest_blobs.get_scoped(*key, {})
            manifests = {
                image["imageDigest"]: had.get(image["imageDigest"], image["imageManifest"].encode())
                for image in images
            }
            self._ecr._manifest_blobs.set_scoped(*key, manifests)

    def tidy(self) -> None:
        """Remove the blobs that no manifest refers to, but where a push is not finished."""
        for key, owned in self._ecr._layer_blobs.all_items():
            if key not in self._pushing:
                for digest in owned.keys() - self._needed(key):
                    del owned[digest]
        self.save()
        self._sweep()

    def save(self) -> None:
        """Write the books to disk; MiniStack's log says when it cannot."""
        self._persistence.save_state(_SERVICE, self._ecr.get_state())

    def _needed(self, key: Key) -> set[str]:
        images = self._ecr._images.get_scoped(*key, [])
        return {digest for image in images for digest in _DIGEST.findall(image["imageManifest"])}

    def _sweep(self) -> None:
        every = self._ecr._layer_blobs.all_values()
        self._store.keep_only({digest for owned in every for digest in owned})


def move_to_disk(persistence: Any, store: Store) -> None:
    """Take the content of blobs out of a saved state, where an earlier version left it.

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
