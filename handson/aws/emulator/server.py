"""The embedded AWS's own process: MiniStack on a loopback port, until it is asked to stop.

Started by path as ``python -P server.py TOKEN FOLDER REGION PORT``: nothing of `handson` but the
files beside this one, and nothing of the notebook folder or of the learner's environment, is
loaded into it.  It writes the record
(`process.json`) itself, because it alone knows which port it got and whether its state was saved:

    running     written as soon as the port is ours; still there with the process gone = killed
    stopped     all state is on disk
    unsaved     it stopped as asked, but a service's state could not be written
"""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import json
import logging
import os
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

HOST = "127.0.0.1"
SCHEMA = "handson.emulator-process/1"
RECORD = "process.json"
STOP = "stop"
BLOBS = "registry"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
EXIT_FAILED, EXIT_DISK_FULL = 70, 71
GRACE = 2.0
_SAVED = "Persistence: saved"
_NOT_SAVED = ("Persistence: failed to save", "Persistence: error getting state")


class Unsaved(logging.Handler):
    """Notices of which services MiniStack last failed to save the state: it only logs that."""

    def __init__(self) -> None:
        super().__init__()
        self.services: set[object] = set()

    def emit(self, record: logging.LogRecord) -> None:
        service = record.args[0] if isinstance(record.args, tuple) and record.args else None
        if str(record.msg).startswith(_NOT_SAVED):
            self.services.add(service)
        elif str(record.msg).startswith(_SAVED):
            self.services.discard(service)


def listen(preferred: int) -> socket.socket:
    """Return a socket listening on loopback: on port `preferred` if it is free, else on any.

    It listens before MiniStack is loaded, so whoever connects early is answered when it is ready
    instead of being refused.

    Raises:
        OSError: No port is to be had.
    """
    for port in (preferred, 0) if preferred else (0,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if os.name == "posix":  # elsewhere the option would let two servers share a port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, port))
            listener.listen(128)
        except OSError:
            listener.close()
            if port == 0:
                raise
            continue
        return listener
    raise AssertionError("port 0 either listens or raises")


def write(path: Path, content: dict[str, Any]) -> None:
    """Make `path` hold `content` as JSON, whole or not at all, readable by its owner only.

    Raises:
        OSError: The folder cannot be written, or the disk is full.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


async def until_exists(path: Path, *, interval: float = 0.2) -> None:
    """Return when there is a file at `path`: a request to stop where signals only kill."""
    while not path.exists():
        await asyncio.sleep(interval)


def main(token: str, folder: str, region: str, port: str) -> int:
    """Serve until asked to stop; return the process's exit code."""
    try:
        _serve(Path(folder), token=token, region=region, preferred=int(port))
    except OSError as error:
        traceback.print_exc()
        return EXIT_DISK_FULL if error.errno in DISK_FULL else EXIT_FAILED
    return 0


def _serve(folder: Path, *, token: str, region: str, preferred: int) -> None:
    listener = listen(preferred)
    port = listener.getsockname()[1]
    record = {
        "schema": SCHEMA,
        "state": "running",
        "pid": os.getpid(),
        "port": port,
        "token": token,
        "region": region,
    }
    (folder / STOP).unlink(missing_ok=True)
    write(folder / RECORD, record)
    os.environ["GATEWAY_PORT"] = str(port)  # read by MiniStack when it is imported
    unsaved = Unsaved()
    logging.getLogger("persistence").addHandler(unsaved)
    app, ledger = _ministack(folder / BLOBS)
    asyncio.run(_answer(app, listener, stop=folder / STOP))
    if not unsaved.services:
        ledger.tidy()
    write(folder / RECORD, record | {"state": "unsaved" if unsaved.services else "stopped"})


def _ministack(folder: Path) -> tuple[Any, Any]:
    """Return MiniStack with the blobs of its registry in `folder`, and the ledger of these."""
    from ministack.app import app  # type: ignore[import-untyped]
    from ministack.core import persistence  # type: ignore[import-untyped]
    from ministack.services import ecr  # type: ignore[import-untyped]

    store = _beside("blobs").Store(folder)
    books = _beside("ledger")
    books.move_to_disk(persistence, store)
    ledger = books.Ledger(ecr, persistence, store)
    return _beside("registry").Registry(app, ledger, store), ledger


def _beside(name: str) -> ModuleType:
    """Load a file beside this one by its path: `handson` itself is not to be had here."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their own module up
    spec.loader.exec_module(module)
    return module


async def _answer(app: Any, listener: socket.socket, *, stop: Path) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = GRACE
    await serve(app, config, shutdown_trigger=_stop_request(stop))


def _stop_request(stop: Path) -> Callable[..., Awaitable[None]] | None:
    """Windows has no SIGTERM that can be answered; elsewhere the server waits for one itself."""
    return partial(until_exists, stop) if sys.platform == "win32" else None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
