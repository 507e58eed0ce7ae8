"""MiniStack in this Python: what answers behind the door of `handson.aws.emulator.in_process`."""

from __future__ import annotations

import io
import logging
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3

from handson.aws.emulator import process, server
from handson.aws.emulator.blob_registry import BlobRegistry
from handson.aws.emulator.blobs import Blobs
from handson.aws.emulator.in_process import doors, find_door

PORT = 1  # where no server listens, so that a client without the door is refused at once
ENDPOINT = f"http://{server.HOST}:{PORT}"
_STEPS = 10_000  # a request that waits this often waits for something that never comes
_NONE: Mapping[str, Any] = MappingProxyType({})


class InProcess:
    """MiniStack in this Python; one for the whole process, since its state is in its modules."""

    endpoint = ENDPOINT

    def __init__(self, folder: Path, *, region: str) -> None:
        """Load MiniStack and the state that is saved in the folder."""
        with _environment(process.build_environment(folder, region=region, passed_on={})):
            from ministack.core import concurrency, persistence  # type: ignore[import-untyped]

            # Before the services are loaded, because they import these functions by name.
            concurrency.run_reentrant = concurrency.run_offloop = _run_here
            from ministack import app  # type: ignore[import-untyped]
            from ministack.services import (  # type: ignore[import-untyped]
                cloudtrail,
                ec2,
                ecr,
                ecs,
                sts,
            )
        ec2._get_docker = ecs._get_docker = lambda: None
        self._folder = folder / server.BLOBS
        self._open_blobs = partial(Blobs, self._folder, ecr, persistence)
        self._ministack = app.app
        self._app = self._serve_blobs()
        app._load_persisted_state()
        self._stores = dict(_find_stores(cloudtrail, ec2, ecr, ecs, sts))
        self._turn = threading.Lock()

    def answer(
        self, method: str, url: str, headers: Mapping[str, Any] = _NONE, body: Any = b""
    ) -> urllib3.HTTPResponse:
        """Answer one request; the body is bytes, text or a file.

        The application is driven by hand, since a notebook's kernel has an event loop already.
        """
        content = body.read() if hasattr(body, "read") else body or b""
        content = content.encode() if isinstance(content, str) else bytes(content)
        sent = {"host": urlsplit(url).netloc}
        sent |= {name.lower(): value for name, value in headers.items()}
        sent["content-length"] = str(len(content))
        said: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        request = self._app(_build_scope(method, url, sent), receive, send)
        with self._turn:
            copy_context().run(_drive, request)
        start, *rest = said
        kept = [] if method == "HEAD" else [part.get("body", b"") for part in rest]
        return urllib3.HTTPResponse(
            io.BytesIO(b"".join(kept)),
            headers={name.decode(): value.decode("latin-1") for name, value in start["headers"]},
            status=start["status"],
            request_method=method,
            preload_content=False,
        )

    def copy_state(self) -> Any:
        """Return a copy of everything that it has, for `restore_state`."""
        with self._turn:
            files = {path.name: path.read_bytes() for path in self._folder.glob("blobs/*")}
            return pickle.dumps(self._stores), files

    def restore_state(self, state: Any) -> None:
        """Have exactly what a copy has."""
        stores, files = pickle.loads(state[0]), state[1]
        with self._turn:
            for name, store in self._stores.items():
                store.clear()
                store.update(stores[name])
            for path in (self._folder / "blobs" / name for name in files):
                if not path.exists():
                    path.write_bytes(files[path.name])
            self._app = self._serve_blobs()

    def _serve_blobs(self) -> BlobRegistry:
        """Return the registry with no upload, and none of the repositories that it had."""
        return BlobRegistry(self._ministack, self._open_blobs(), run_blocking=_run_here)


def open_in_process(folder: Path, *, region: str) -> Any:
    """Return the embedded AWS of this Python, loaded at the first call for this folder and region.

    Args:
        folder: Where its state and its images' layers are kept; made if missing.
        region: The region that clients will name.

    Raises:
        OSError: The folder is not writable, or the disk is full.
    """
    if not find_door(ENDPOINT):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        doors.append(InProcess(folder, region=region))
    return find_door(ENDPOINT)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Give MiniStack its variables and no handler of the log while it is imported."""
    before, silent = dict(os.environ), logging.NullHandler()
    logging.root.addHandler(silent)
    os.environ.update(variables, GATEWAY_PORT=str(PORT))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        logging.root.removeHandler(silent)


def _find_stores(*services: Any) -> Iterator[tuple[str, Any]]:
    """Yield the mappings and sets in which MiniStack's services keep what they have."""
    for service in services:
        for name, value in vars(service).items():
            store = getattr(value, "_data", value)
            if name.startswith("_") and name.islower() and isinstance(store, dict | set):
                yield f"{service.__name__}.{name}", store


def _build_scope(method: str, url: str, headers: Mapping[str, Any]) -> dict[str, Any]:
    way = urlsplit(url)
    return {
        "type": "http",
        "method": method,
        "scheme": way.scheme,
        "path": unquote(way.path) or "/",
        "raw_path": (way.path or "/").encode(),
        "query_string": way.query.encode(),
        "headers": [(name.encode(), _encode(value)) for name, value in headers.items()],
        "client": (server.HOST, 1),
    }


def _encode(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("latin-1")


def _drive(request: Any) -> None:
    try:
        for _ in range(_STEPS):
            request.send(None)
    except StopIteration:
        return
    raise RuntimeError("the embedded AWS waits for something outside this process")


async def _run_here(work: Callable[..., Any], /, *given: Any, **named: Any) -> Any:
    """Do in this thread what MiniStack would do in another one."""
    named.pop("thread_name", None)
    return work(*given, **named)
