"""The registry's blobs as files: layers and configurations of images, and what is on its way.

    blobs/HEX       a whole blob, under the SHA-256 of what it holds
    uploads/ID      a blob that is still arriving; of no use to the next process

Part of the embedded AWS's own process, like `server`: nothing of `handson` is loaded here.  A blob
gets its name when all of it has been written, so a kill leaves it whole or not there.  A power cut
may shorten it, which its size tells; no push waits for the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Collection, Generator
from pathlib import Path


class Upload:
    """A blob on its way: a file that grows, and the digest of what has arrived."""

    def __init__(self, folder: Path) -> None:
        self.id = str(uuid.uuid4())
        self.path = folder / self.id
        self.size = 0
        self.busy = asyncio.Lock()
        self._hash = hashlib.sha256()
        self.path.touch(mode=0o600, exist_ok=False)

    @property
    def digest(self) -> str:
        """The digest of what has arrived so far."""
        return f"sha256:{self._hash.hexdigest()}"

    def append(self, block: bytes) -> None:
        """Add what has arrived.

        Raises:
            OSError: The disk is full, or the file is gone: this upload is of no use any more.
        """
        with self.path.open("r+b") as file:
            file.seek(self.size)
            file.write(block)
        self._hash.update(block)
        self.size += len(block)

    def drop(self) -> None:
        """Leave nothing of it on disk."""
        _remove(self.path)


class Store:
    """All blobs of one embedded AWS, in one folder.

    Raises (all methods that write):
        OSError: The folder cannot be written, or the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self._blobs = folder / "blobs"
        self._uploads = folder / "uploads"
        self._blobs.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(self._uploads, ignore_errors=True)
        self._uploads.mkdir(mode=0o700, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Return where the blob of a digest is, or would be."""
        return self._blobs / digest.removeprefix("sha256:")

    def size(self, digest: str) -> int | None:
        """Return a blob's size in bytes, or None where it is not there."""
        try:
            return self.path(digest).stat().st_size
        except OSError:
            return None

    def blocks(self, digest: str, part: range, *, size: int) -> Generator[bytes, None, None]:
        """Give the bytes `part` of a blob, `size` at a time."""
        with self.path(digest).open("rb") as file:
            file.seek(part.start)
            for place in part[::size]:
                yield file.read(min(size, part.stop - place))

    def upload(self) -> Upload:
        """Return a new, empty upload."""
        return Upload(self._uploads)

    def keep(self, upload: Upload) -> None:
        """Give an upload that is complete its name as a blob."""
        try:
            os.replace(upload.path, self.path(upload.digest))
        except PermissionError:
            # Windows replaces no file that is being read; but then the same blob is there.
            if self.size(upload.digest) != upload.size:
                raise
            upload.drop()

    def add(self, content: bytes) -> None:
        """Keep `content` as a blob."""
        upload = self.upload()
        upload.append(content)
        self.keep(upload)

    def keep_only(self, digests: Collection[str]) -> None:
        """Remove every blob whose digest is not among `digests`."""
        wanted = {self.path(digest) for digest in digests}
        for path in set(self._blobs.iterdir()) - wanted:
            _remove(path)


def _remove(path: Path) -> None:
    # Windows removes no file that is being read: it goes the next time.
    with contextlib.suppress(FileNotFoundError, PermissionError):
        path.unlink()
