"""A small registry on this machine, which keeps what it is sent and misbehaves when told to.

It speaks enough of the distribution protocol for docker, Podman and our own client to push to it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from handson.engine import oci
from tests.servers import Answering, listening

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


class Handler(Answering):
    shelf: Shelf

    def handle_any(self) -> None:
        kind = _PATH.match(self.path)
        most = self.shelf.cut_from if self.shelf.cuts else sys.maxsize
        try:
            self.body = self.read_body(most)
        except ConnectionAbortedError:
            self.shelf.cuts -= 1
            self.close_connection = True
            return self.connection.close()
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


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def serving(shelf: Shelf) -> AbstractContextManager[str]:
    """Give the address of a registry with that shelf."""
    return listening(type("Bound", (Handler,), {"shelf": shelf}))
