"""The embedded AWS's registry with its blobs on disk: a layer in front of MiniStack.

MiniStack answers for repositories, manifests and tags, but would read every layer into memory and
keep it there.  This layer takes the requests for blobs (``/v2/NAME/blobs/...`` of the OCI
distribution protocol 1.1) off it and streams them to and from `blobs.Store`; all others it hands
on, and follows in the `ledger` what they did.

Part of the embedded AWS's own process, like `server`: nothing of `handson` is loaded here.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from handson.aws.emulator.blobs import Store, Upload
    from handson.aws.emulator.ledger import Key, Ledger

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

BLOCK = 1 << 20
_BLOBS = re.compile(
    r"/v2/(?P<name>.+?)/blobs/(?:uploads(?:/(?P<upload>[^/]*))?|(?P<digest>[^/]+))/?"
)
_MANIFEST = re.compile(r"/v2/(?P<name>.+?)/manifests/[^/]+/?")
_OFFSET = re.compile(r"(?:bytes[ =])?(\d+)-")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_TARGET = "AmazonEC2ContainerRegistry_"
_WHO = (b"host", b"authorization")
_READS = ("Describe", "Get", "List", "BatchGet", "BatchCheck")


@dataclass(frozen=True)
class Answer:
    """What a request is answered with: `body`, or the bytes `part` of the blob `digest`."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    digest: str = ""
    part: range = range(0)

    @property
    def size(self) -> int:
        """The bytes it carries."""
        return len(self.part) if self.digest else len(self.body)


class Refused(Exception):
    """A request that the registry does not fulfil; carries what it is answered with."""

    def __init__(self, status: int, code: str, message: str, **detail: str) -> None:
        super().__init__(message)
        error = {"code": code, "message": message, "detail": detail}
        headers = {"Content-Type": "application/json"}
        self.answer = Answer(status, headers, json.dumps({"errors": [error]}).encode())


class Request:
    """A request for a blob, as far as it has been read."""

    def __init__(self, scope: Message, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.headers = _headers(scope)
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        self.query = {name: values[0] for name, values in asked.items()}
        self.cut = False
        self._receive = receive
        self._more = True

    async def block(self) -> bytes:
        """Return the next megabyte of the body, or what is left; nothing at its end."""
        block = bytearray()
        while self._more and len(block) < BLOCK:
            message = await self._receive()
            self.cut = message["type"] == "http.disconnect"
            self._more = bool(message.get("more_body"))
            block += message.get("body", b"")
        return bytes(block)

    async def skip(self) -> None:
        """Read what is left of the body: whoever is still sending it hears no answer."""
        while await self.block():
            pass


class Registry:
    """The ASGI application: requests for blobs answered here, all others by MiniStack."""

    def __init__(self, app: App, ledger: Ledger, store: Store) -> None:
        self._app = app
        self._ledger = ledger
        self._store = store
        self._uploads: dict[str, tuple[Key, Upload]] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif found := _BLOBS.fullmatch(scope["path"]):
            await self._serve(found, scope, receive, send)
        else:
            self._follow()
            await self._app(scope, receive, self._noting(scope, send))

    def _noting(self, scope: Message, send: Send) -> Send:
        """Return `send`, but before the answer begins what the request did is followed."""

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope)
                self._follow()
            await send(message)

        return noting

    def _note(self, scope: Message) -> None:
        """Keep on disk what MiniStack has changed in its registry by answering a request."""
        service, _, call = _headers(scope).get("x-amz-target", "").partition(".")
        changed = service.startswith(_TARGET) and not call.startswith(_READS)
        if changed:
            self._ledger.align()
        manifest = _MANIFEST.fullmatch(scope["path"])
        if manifest and scope["method"] == "PUT":
            self._ledger.pushed(self._ledger.key(manifest["name"]))
        if changed or (manifest and scope["method"] in ("PUT", "DELETE")):
            self._ledger.save()

    def _follow(self) -> None:
        """End the uploads to repositories that are gone."""
        gone = self._ledger.look()
        for key, upload in list(self._uploads.values()):
            if key in gone:
                self._drop(upload)

    async def _serve(
        self, found: re.Match[str], scope: Message, receive: Receive, send: Send
    ) -> None:
        request = Request(scope, receive)
        try:
            key = await self._repository(found["name"], scope)
            answer = await self._answer(key, found, request)
        except Refused as refused:
            answer = refused.answer
        except OSError as error:
            answer = Refused(507, "UNKNOWN", f"cannot keep the blob: {error.strerror}").answer
        await request.skip()
        if not request.cut:
            await self._send(answer, send, bodiless=request.method == "HEAD")

    async def _repository(self, name: str, scope: Message) -> Key:
        """Return which repository is meant: MiniStack is asked for its tags, and refuses or not.

        Whatever it answers, it leaves the account and region it did so for in the task's context.
        """
        said: list[Message] = []
        question = scope | {
            "method": "GET",
            "path": f"/v2/{name}/tags/list",
            "raw_path": None,
            "headers": [
                each for each in scope["headers"] if each[0] in (b"host", b"authorization")
            ],
        }
        await self._app(question, _no_body, _collect(said))
        if said[0]["status"] != 200:
            raise Refused(404, "NAME_UNKNOWN", f"repository name not known to registry: {name}")
        return self._ledger.key(name)

    async def _answer(self, key: Key, found: re.Match[str], request: Request) -> Answer:
        if found["digest"]:
            return self._blob(key, found["digest"], request)
        if not found["upload"]:
            return await self._open(key, request)
        owner, upload = self._uploads.get(found["upload"], (None, None))
        if upload is None or owner != key:
            raise _unknown_upload()
        async with upload.busy:
            self._check(upload)
            return await self._continue(key, upload, request)

    def _blob(self, key: Key, digest: str, request: Request) -> Answer:
        """Give or delete a blob that the repository has."""
        if request.method not in ("HEAD", "GET", "DELETE"):
            raise _not_allowed()
        size = self._ledger.size(key, digest)
        if size is None:
            raise Refused(404, "BLOB_UNKNOWN", "blob unknown to registry", digest=digest)
        if request.method == "DELETE":
            self._ledger.remove(key, digest)
            return Answer(202)
        headers = {
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
            "Docker-Content-Digest": digest,
        }
        part = _part(request.headers.get("range", ""), size)
        if part is None:
            return Answer(200, headers, digest=digest, part=range(size))
        if not part:
            return Answer(416, {"Content-Range": f"bytes */{size}"})
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
        return Answer(206, headers, digest=digest, part=part)

    async def _open(self, key: Key, request: Request) -> Answer:
        """Share another repository's blob, take a blob sent whole, or open an upload."""
        if request.method != "POST":
            raise _not_allowed()
        mounted = request.query.get("mount", "")
        source = (*key[:2], request.query.get("from", ""))
        if self._ledger.size(source, mounted) is not None:
            return self._confirm(key, mounted)
        upload = self._store.upload()
        self._uploads[upload.id] = key, upload
        if "digest" in request.query:
            await self._take(upload, request)
            if upload.size or upload.digest == request.query["digest"]:
                return self._finish(key, upload, request)
        return _progress(202, key, upload)

    async def _continue(self, key: Key, upload: Upload, request: Request) -> Answer:
        if request.method == "GET":
            return _progress(204, key, upload)
        if request.method == "DELETE":
            self._drop(upload)
            return Answer(204)
        if request.method not in ("PATCH", "PUT"):
            raise _not_allowed()
        offset = _OFFSET.match(request.headers.get("content-range", ""))
        if offset and int(offset[1]) != upload.size:
            return _progress(416, key, upload)
        await self._take(upload, request)
        if request.method == "PUT" and not request.cut:
            return self._finish(key, upload, request)
        return _progress(202, key, upload)

    async def _take(self, upload: Upload, request: Request) -> None:
        """Append the request's body: what arrived of it, when it was cut."""
        try:
            while block := await request.block():
                await asyncio.to_thread(upload.append, block)
        except OSError:
            self._check(upload)
            self._drop(upload)
            raise
        self._check(upload)

    def _finish(self, key: Key, upload: Upload, request: Request) -> Answer:
        wanted = request.query.get("digest", "")
        if upload.digest != wanted:
            self._drop(upload)
            raise Refused(
                400,
                "DIGEST_INVALID",
                "uploaded blob digest did not match provided digest",
                expected=wanted,
                actual=upload.digest,
            )
        del self._uploads[upload.id]
        self._store.keep(upload)
        return self._confirm(key, wanted)

    def _confirm(self, key: Key, digest: str) -> Answer:
        self._ledger.add(key, digest)
        place = f"/v2/{key[-1]}/blobs/{digest}"
        return Answer(201, {"Location": place, "Docker-Content-Digest": digest})

    def _check(self, upload: Upload) -> None:
        """Refuse to go on with an upload that ended meanwhile, by itself or with its repository."""
        if upload.id not in self._uploads:
            raise _unknown_upload()

    def _drop(self, upload: Upload) -> None:
        self._uploads.pop(upload.id, None)
        upload.drop()

    async def _send(self, answer: Answer, send: Send, *, bodiless: bool) -> None:
        headers = {"Docker-Distribution-API-Version": "registry/2.0"} | answer.headers
        if answer.status != 204:
            headers["Content-Length"] = str(answer.size)
        listed = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": listed})
        if answer.digest and not bodiless:
            with closing(self._store.blocks(answer.digest, answer.part, size=BLOCK)) as blocks:
                while block := await asyncio.to_thread(next, blocks, b""):
                    await send({"type": "http.response.body", "body": block, "more_body": True})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def _progress(status: int, key: Key, upload: Upload) -> Answer:
    headers = {
        "Location": f"/v2/{key[-1]}/blobs/uploads/{upload.id}",
        "Range": f"0-{max(0, upload.size - 1)}",
        "Docker-Upload-UUID": upload.id,
    }
    return Answer(status, headers)


def _part(asked: str, size: int) -> range | None:
    """Return the bytes that a Range header asks for; None: all of them (RFC 9110, 14.2)."""
    found = _RANGE.fullmatch(asked)
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    return range(int(first), min(size, int(last) + 1) if last else size)


def _unknown_upload() -> Refused:
    return Refused(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")


def _not_allowed() -> Refused:
    return Refused(405, "UNSUPPORTED", "method not allowed")


def _headers(scope: Message) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


def _collect(said: list[Message]) -> Send:
    async def send(message: Message) -> None:
        said.append(message)

    return send


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
