"""The program of the embedded AWS's process: MiniStack on a loopback port, until asked to stop.

It is started by path, as ``python server.py TOKEN FOLDER REGION PORT``, so that Python finds the
modules of this folder.  It loads nothing else of `handson`, of the notebooks' folder or of the
learner's environment.
It writes the record (`process.json`) itself, because it alone knows its port and whether its state
was saved.  The states of the record are:

    running     written as soon as the port is open; without a process it means: killed
    stopped     all state is on disk
    unsaved     it stopped as asked, but the state of a service could not be saved

The home's secret is in a file, which is read here: a command line shows to all users of a host.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
SCHEMA = "handson.emulator-process/1"
RECORD = "process.json"
STOP = "stop"
BLOBS = "registry"
GRACE = 2.0
SECRET = "secret-access-key"
LONGEST_DISUSE = 6 * 60 * 60.0
"""Seconds without a request after which the process ends by itself."""


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
    """Replace the record as a whole.

    Raises:
        OSError: The folder is not writable, or the disk is full.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(json.dumps(record, indent=2), encoding="utf-8")
    draft.replace(path)


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
    secret = (folder / SECRET).read_text(encoding="ascii").strip()
    gate, saver, blobs = _guard_ministack(folder / BLOBS, secret)
    asyncio.run(_run(gate, listener, stop=folder / STOP))
    if not saver.failure:
        blobs.delete_unreferenced()
    save_record(folder / RECORD, record | {"state": "unsaved" if saver.failure else "stopped"})


def _guard_ministack(folder: Path, secret: str) -> tuple[Any, Any, Any]:
    """Return MiniStack behind its gate, what saves its state, and the blobs in the folder."""
    from ministack import app  # type: ignore[import-untyped]
    from ministack.core import persistence  # type: ignore[import-untyped]
    from ministack.services import ecr  # type: ignore[import-untyped]

    saver = import_module("state_saver").StateSaver(persistence, app._build_persistence_save_dict)
    saver.attach(app)
    blobs = import_module("blobs").Blobs(folder, ecr, persistence)
    gate = import_module("gate").Gate(
        import_module("blob_registry").BlobRegistry(app.app, blobs),
        account=os.environ["MINISTACK_ACCOUNT_ID"],
        secret=secret,
        note_change=saver.note_change,
        find_failure=lambda: getattr(saver.failure, "errno", None) or 0,
    )
    gate.attach(ecr)
    return gate, saver, blobs


async def wait_for_disuse(gate: Any, *, sleep: Any = None) -> None:
    """Return when no request was let in for long; a laptop's sleep does not count."""
    import asyncio

    while (left := LONGEST_DISUSE - gate.find_disuse()) > 0:
        await (sleep or asyncio.sleep)(left)


async def _run(gate: Any, listener: socket.socket, *, stop: Path) -> None:
    import asyncio

    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    async def end_after(wait: Any) -> None:
        await wait
        signal.raise_signal(signal.SIGTERM)  # for which the server itself waits

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = GRACE
    waits = [wait_for_disuse(gate), *([wait_for_file(stop)] if sys.platform == "win32" else [])]
    ending = asyncio.gather(*map(end_after, waits))
    await serve(gate, config)
    ending.cancel()


if __name__ == "__main__":
    os.umask(0o077)  # all that is kept is for its owner alone
    _token, _folder, _region, _port = sys.argv[1:]
    run_server(Path(_folder), token=_token, region=_region, preferred=int(_port))
