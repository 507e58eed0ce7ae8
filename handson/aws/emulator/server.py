"""The program of the embedded AWS's process: MiniStack on a loopback port, until asked to stop.

It is started by path, as ``python -P server.py TOKEN FOLDER REGION PORT``.  It loads two modules of
this folder and nothing else of `handson`, of the notebooks' folder or of the learner's environment.
It writes the record (`process.json`) itself, because it alone knows its port and whether its state
was saved.  The states of the record are:

    running     written as soon as the port is open; without a process it means: killed
    stopped     all state is on disk
    unsaved     it stopped as asked, but the state of a service could not be saved
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import socket
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

HOST = "127.0.0.1"
SCHEMA = "handson.emulator-process/1"
RECORD = "process.json"
STOP = "stop"
BLOBS = "registry"
GRACE = 2.0
_SAVED = "Persistence: saved"
_NOT_SAVED = ("Persistence: failed to save", "Persistence: error getting state")


class SaveFailures(logging.Handler):
    """The services whose state MiniStack last failed to save, which it only logs."""

    def __init__(self) -> None:
        super().__init__()
        self.services: set[object] = set()

    def emit(self, record: logging.LogRecord) -> None:
        service = record.args[0] if isinstance(record.args, tuple) and record.args else None
        if str(record.msg).startswith(_NOT_SAVED):
            self.services.add(service)
        elif str(record.msg).startswith(_SAVED):
            self.services.discard(service)


def open_listener(preferred: int) -> socket.socket:
    """Return a socket that listens on loopback, on port `preferred` if it is free, else on any.

    It listens before MiniStack is loaded, so that an early client waits instead of being refused.

    Raises:
        OSError: No port is free.
    """
    with contextlib.suppress(OSError):
        return socket.create_server((HOST, preferred), backlog=128)
    return socket.create_server((HOST, 0), backlog=128)


def save_record(path: Path, record: dict[str, Any]) -> None:
    """Replace the record as a whole, readable by its owner alone.

    `core.files` does the same, but this program cannot import it.

    Raises:
        OSError: The folder is not writable, or the disk is full.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(record, indent=2), encoding="utf-8")
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


async def wait_for_file(path: Path, *, interval: float = 0.2) -> None:
    """Return when the file exists: a request to stop on Windows, where signals only kill."""
    import asyncio  # those who start this program read its constants alone

    while not path.exists():
        await asyncio.sleep(interval)


def run_server(folder: Path, *, token: str, region: str, preferred: int) -> None:
    """Serve until asked to stop.

    Raises:
        OSError: No port is free, the folder is not writable, or the disk is full.
    """
    import asyncio

    listener = open_listener(preferred)
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
    save_record(folder / RECORD, record)
    os.environ["GATEWAY_PORT"] = str(port)  # MiniStack reads it when it is imported
    unsaved = SaveFailures()
    logging.getLogger("persistence").addHandler(unsaved)
    app, blobs = _ministack(folder / BLOBS)
    asyncio.run(_run(app, listener, stop=folder / STOP))
    if not unsaved.services:
        blobs.delete_unreferenced()
    save_record(folder / RECORD, record | {"state": "unsaved" if unsaved.services else "stopped"})


def _ministack(folder: Path) -> tuple[Any, Any]:
    """Return MiniStack as an application, and the blobs of its registry, whose folder is given."""
    from ministack.app import app  # type: ignore[import-untyped]
    from ministack.core import persistence  # type: ignore[import-untyped]
    from ministack.services import ecr  # type: ignore[import-untyped]

    blobs = _load_sibling("blobs").Blobs(folder, ecr, persistence)
    return _load_sibling("blob_registry").BlobRegistry(app, blobs), blobs


def _load_sibling(name: str) -> ModuleType:
    """Load a module of this folder by its path, since `handson` cannot be imported here."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look up their own module there
    spec.loader.exec_module(module)
    return module


async def _run(app: Any, listener: socket.socket, *, stop: Path) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = GRACE
    # Elsewhere than on Windows, the server itself waits for SIGTERM.
    trigger = partial(wait_for_file, stop) if sys.platform == "win32" else None
    await serve(app, config, shutdown_trigger=trigger)


if __name__ == "__main__":
    _token, _folder, _region, _port = sys.argv[1:]
    run_server(Path(_folder), token=_token, region=_region, preferred=int(_port))
