"""The embedded AWS: one MiniStack process for each home folder, shared by all its kernels.

Everything that depends on MiniStack is in this package.

    lifecycle        start, find, stop and wipe the process of a home folder
    process          the process itself: spawn it, signal it, read its record
    server           the program that the process runs
    blob_registry    its registry, with the blobs on disk
    blobs            the files of the blobs, and which repository has which blob
"""

from handson.aws.emulator.lifecycle import (
    SECRET,
    Running,
    ensure_running,
    find_running,
    reset_emulator,
    stop_emulator,
)
from handson.aws.emulator.process import ACCOUNT

__all__ = [
    "ACCOUNT",
    "SECRET",
    "Running",
    "ensure_running",
    "find_running",
    "reset_emulator",
    "stop_emulator",
]
