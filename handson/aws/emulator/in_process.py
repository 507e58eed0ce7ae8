"""The embedded AWS inside this Python: no second process, no port, no thread.

`open_in_process` loads MiniStack here.  Its endpoint is only a name, at which nothing listens; the
two clients of this library find the application behind it:

    botocore    `attach_session`, an answer to its event ``before-send``
    requests    `find_adapter`, an adapter to mount

It is for a Python that cannot start a process (a browser), and for tests, which copy and restore
its state.  Elsewhere the process of `emulator.ensure_running` is used, which outlives its kernel.
"""

from __future__ import annotations

import io
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from handson.aws.emulator import process, server

if TYPE_CHECKING:
    import requests
    import urllib3

PORT = 1  # where no server listens, so that a client without the door is refused at once
ENDPOINT = f"http://{server.HOST}:{PORT}"
_STEPS = 10_000  # a request that waits this often waits for something that never comes
_NONE: Mapping[str, Any] = MappingProxyType({})
_opened: list[InProcess] = []


class InProcess:
    """MiniStack in this Python; one for the whole process, since its state is in its modules."""

    endpoint = ENDPOINT

    def __init__(self, folder: Path, *, region: str) -> None:
        """Load MiniStack and the state that is saved in the folder."""
        from handson.aws.emulator.blob_registry import BlobRegistry
        from handson.aws.emulator.blobs import Blobs
        from handson.aws.emulator.state_saver import StateSaver

        self.folder = folder
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
        self._ministack, self._read_state = app, persistence.load_state
        self._saver = StateSaver(persistence, app._build_persistence_save_dict)
        self._saver.attach(app)
        self._blobs = Blobs(folder / server.BLOBS, ecr, persistence)
        self._stores = dict(_find_stores(cloudtrail, ec2, ecr, ecs, sts))
        self._empty = self._dump_stores()
        self._load_saved()
        self._app = BlobRegistry(app.app, self._blobs, run_blocking=_run_here)
        self._turn = threading.Lock()

    def answer(
        self, method: str, url: str, headers: Mapping[str, Any] = _NONE, body: Any = b""
    ) -> urllib3.HTTPResponse:
        """Answer one request; the body is bytes, text or a file.

        The application is driven by hand, since a notebook's kernel has an event loop already.
        """
        import urllib3

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

    def save_state(self) -> Exception | None:
        """Save the states of the services that have changed; return what prevented it, if any."""
        with self._turn:
            self._saver.save_all(self._ministack._build_persistence_save_dict())
        return self._saver.failure

    def load_state(self) -> None:
        """Have exactly what is saved in the folder."""
        with self._turn:
            self._fill_stores(self._empty)
            self._load_saved()

    def copy_state(self) -> Any:
        """Return a copy of everything that it has, for `restore_state`."""
        with self._turn:
            return self._dump_stores(), self._blobs.copy_files()

    def restore_state(self, state: Any) -> None:
        """Have exactly what a copy has."""
        stores, files = state
        with self._turn:
            self._fill_stores(stores)
            self._blobs.restore_files(files)

    def _load_saved(self) -> None:
        """Load the states that are saved; no other is looked for, which takes a tab 20 ms each."""
        saved = {path.stem for path in self.folder.glob("state/*.json")}
        self._ministack.load_state = lambda name: self._read_state(name) if name in saved else None
        self._ministack._load_persisted_state()
        self._saver.take_as_saved()  # else one that only looks would undo what another has saved

    def _dump_stores(self) -> bytes:
        import pickle  # each start imports this module

        return pickle.dumps(self._stores)

    def _fill_stores(self, pickled: bytes) -> None:
        import pickle

        stores = pickle.loads(pickled)
        for name, store in self._stores.items():
            store.clear()
            store.update(stores[name])


def open_in_process(folder: Path, *, region: str) -> InProcess:
    """Return the embedded AWS of this Python, loaded at the first call for this folder and region.

    Args:
        folder: Where its state and its images' layers are kept; made if missing.
        region: The region that clients will name.

    Raises:
        OSError: The folder is not writable, or the disk is full.
    """
    if not _opened:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _opened.append(InProcess(folder, region=region))
    return _opened[0]


def find_in_process(url: str) -> InProcess | None:
    """Return the embedded AWS that a URL leads to if it is in this Python, else None."""
    return _opened[0] if _opened and f"{url}/".startswith(f"{ENDPOINT}/") else None


def attach_session(session: Any) -> None:
    """Let the embedded AWS of this Python answer what a botocore session sends to it."""

    def answer(request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        found = find_in_process(request.url)
        if found is None:
            return None
        said = found.answer(request.method, request.url, request.headers, request.body)
        return AWSResponse(request.url, said.status, said.headers, said)

    # The last to be asked: what else listens may lead a request here, or elsewhere.
    session.get_component("event_emitter").register_last("before-send", answer)


def find_adapter(url: str) -> Any:
    """Return an adapter of requests to the embedded AWS of this Python, if the URL leads there."""
    found = find_in_process(url)
    if found is None:
        return None
    from requests.adapters import HTTPAdapter

    answer_request = found.answer

    class InProcessAdapter(HTTPAdapter):
        def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
            said = answer_request(request.method, request.url, request.headers, request.body)
            return self.build_response(request, said)

    return InProcessAdapter()


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
            is_state = name.islower() and name.startswith("_") and name[1] != "_"
            if is_state and isinstance(store, dict | set):
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
