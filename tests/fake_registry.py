"""A small registry on this machine, which keeps what it is sent and misbehaves when told to.

It speaks enough of the distribution protocol for docker, Podman and our own client to push to it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from handson.engine import oci

_PATH = re.compile(r"/v2/([\w-]+)/(blobs/uploads|blobs|manifests)/([^?]*)")


@dataclass
class Shelf:
    """What the registry has, and how it should misbehave.

    Attributes:
        seen: Method, path and Authorization header of each request.
        refuse: Status, code and message to answer a method with; ("PUT manifests" is the one that
            names an image). Without a code the body is empty.
        cuts: So many requests are cut off when they come to more than `cut_from` bytes.
        wrong_digest: What to call every manifest.
        keeps: What is kept in place of a manifest, whose digest no answer names then.
        password: The one to ask for; none is asked for when it is empty.
        root: The status of any other path, /v2/ for one.
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    refuse: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    cuts: int = 0
    cut_from: int = 0
    wrong_digest: str = ""
    keeps: Callable[[bytes], bytes] | None = None
    password: str = ""
    root: int = 200

    def sent(self) -> int:
        """How many uploads came through, configurations among them."""
        return sum(method == "PUT" and "?" in path for method, path, _ in self.seen)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    shelf: Shelf

    def log_message(self, *_arguments: Any) -> None: ...

    def handle_any(self) -> None:
        kind = _PATH.match(self.path)
        body = self.read_body()
        if body is None:
            self.shelf.cuts -= 1
            self.close_connection = True
            return self.connection.close()
        self.body = body
        said = self.headers.get("Authorization", "")
        self.shelf.seen.append((self.command, self.path, said))
        wanted = base64.b64encode(f"AWS:{self.shelf.password}".encode()).decode()
        if self.shelf.password and said != f"Basic {wanted}":
            challenge = {"WWW-Authenticate": 'Basic realm="here"'}
            return self.answer(401, self.error("UNAUTHORIZED", "no basic auth"), challenge)
        if kind is None:
            return self.answer(self.shelf.root)
        refuse = self.shelf.refuse
        refused = refuse.get(f"{self.command} {kind[2]}") or refuse.get(self.command)
        if refused:
            status, code, message = refused
            # Who is asked to come again at once does not sleep.
            again = {"Retry-After": "0"}
            return self.answer(status, self.error(code, message) if code else b"", again)
        self.repository = kind[1]
        getattr(self, f"on_{kind[2].replace('/', '_')}")(kind[3])
        return None

    do_HEAD = do_GET = do_POST = do_PATCH = do_PUT = handle_any

    def error(self, code: str, message: str) -> bytes:
        return json.dumps({"errors": [{"code": code, "message": message}]}).encode()

    def read_body(self) -> bytes | None:
        """Return what is sent, or None where it is to be cut off."""
        most = self.shelf.cut_from if self.shelf.cuts else float("inf")
        if self.headers.get("Transfer-Encoding") != "chunked":
            length = int(self.headers.get("Content-Length", 0))
            return None if length > most else self.rfile.read(length)
        received = bytearray()
        while size := int(self.rfile.readline(), 16):
            received += self.rfile.read(size)
            self.rfile.readline()
            if len(received) > most:
                return None
        self.rfile.readline()
        return bytes(received)

    def on_blobs(self, digest: str) -> None:
        found = self.shelf.blobs.get(digest)
        if found is None:
            return self.answer(404)
        # Of a HEAD's answer clients read the size.
        return self.answer(200, found, {"Docker-Content-Digest": digest})

    def on_blobs_uploads(self, name: str) -> None:
        name = name or secrets.token_hex(8)
        if self.command == "PUT":
            digest = self.path.partition("digest=")[2].replace("%3A", ":")
            content = self.shelf.uploads.pop(name, b"") + self.body
            assert digest == _digest(content)
            self.shelf.blobs[digest] = content
            return self.answer(201, headers={"Docker-Content-Digest": digest})
        if self.command == "PATCH":
            self.shelf.uploads[name] = self.body
        place = f"/v2/{self.repository}/blobs/uploads/{name}"
        sent = f"0-{max(0, len(self.body) - 1)}"
        return self.answer(202, headers={"Location": place, "Range": sent})

    def on_manifests(self, reference: str) -> None:
        if self.command in {"GET", "HEAD"}:
            found = self.shelf.manifests.get(reference)
            if found is None:
                return self.answer(404, self.error("MANIFEST_UNKNOWN", reference))
            kind = self.shelf.types.get(reference, oci.MANIFEST)
            return self.answer(200, found, {"Content-Type": kind})
        digest, keeps = _digest(self.body), self.shelf.keeps
        for name in (reference, digest):
            self.shelf.manifests[name] = keeps(self.body) if keeps else self.body
            self.shelf.types[name] = self.headers.get("Content-Type", "")
        named = {"Docker-Content-Digest": self.shelf.wrong_digest or digest}
        return self.answer(201, headers={} if keeps else named)

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def serving(shelf: Shelf) -> AbstractContextManager[str]:
    """Give the address of a registry with that shelf."""
    return listening(type("Bound", (Handler,), {"shelf": shelf}))


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Give the address of a server with that handler."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True  # whoever keeps a connection open does not keep the test
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
