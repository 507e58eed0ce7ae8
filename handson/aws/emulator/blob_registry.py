"""The embedded AWS's registry with its blobs on disk: a layer in front of MiniStack.

MiniStack answers requests for repositories, manifests and tags, but reads every layer into memory
and keeps it there.  This layer answers the requests for blobs itself (``/v2/NAME/blobs/...`` of the
OCI distribution protocol 1.1) and streams them to and from files.  It passes all others on, and
updates the mappings of `Blobs` after them.

This module runs in the embedded AWS's own process, like `server`, and imports nothing of `handson`.
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
    from handson.aws.emulator.blobs import Blobs, Key, Upload

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

BLOCK = 1 << 20
_BLOBS = re.compile(
    r"/v2/(?P<name>.+?)/blobs/(?:uploads(?:/(?P<upload>[^/]*))?|(?P<digest>[^/]+))/?"
)
_MANIFEST = re.compile(r"/v2/.+?/manifests/[^/]+/?")
_API = "AmazonEC2ContainerRegistry_"
_READS = ("Describe", "Get", "List", "BatchGet", "BatchCheck")


@dataclass(frozen=True)
class Response:
    """A response; its content is `body`, or the blob `digest` of `size` bytes."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    digest: str = ""
    size: int = 0


class RegistryError(Exception):
    """A request that fails, with its response."""

    def __init__(self, status: int, code: str, message: str, **detail: str) -> None:
        super().__init__(message)
        error = {"code": code, "message": message, "detail": detail}
        headers = {"Content-Type": "application/json"}
        self.response = Response(status, headers, json.dumps({"errors": [error]}).encode())


class BlobRequest:
    """A request for a blob, whose body is read block by block.

    `cut` tells that the client closed the connection before the end of the body.
    """

    def __init__(self, scope: Message, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.headers = _decode_headers(scope)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        self.query = {name: values[0] for name, values in query.items()}
        self.cut = False
        self._receive = receive
        self._more = True

    async def read_block(self) -> bytes:
        """Return the next megabyte of the body, or the rest of it; nothing at its end."""
        block = bytearray()
        while self._more and len(block) < BLOCK:
            message = await self._receive()
            self.cut = message["type"] == "http.disconnect"
            self._more = bool(message.get("more_body"))
            block += message.get("body", b"")
        return bytes(block)


class BlobRegistry:
    """The ASGI application that answers requests for blobs; MiniStack answers all others."""

    def __init__(self, app: App, blobs: Blobs, *, run_blocking: Any = asyncio.to_thread) -> None:
        """Serve an application's blobs; `run_blocking` awaits a function that reads or writes."""
        self._app = app
        self._blobs = blobs
        self._run_blocking = run_blocking

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif found := _BLOBS.fullmatch(scope["path"]):
            await self._serve(found, BlobRequest(scope, receive), send)
        else:

            async def update_and_send(message: Message) -> None:
                # All is saved before the client learns of it, so a kill afterwards loses nothing.
                if message["type"] == "http.response.start":
                    self._update(scope)
                await send(message)

            # Before the request, too: the repository that it deletes has to be known by then.
            self._blobs.forget_deleted()
            await self._app(scope, receive, update_and_send)

    def _update(self, scope: Message) -> None:
        """Save the change that a request made to MiniStack's registry, if it made one."""
        service, _, operation = _decode_headers(scope).get("x-amz-target", "").partition(".")
        changed = service.startswith(_API) and not operation.startswith(_READS)
        if changed:
            self._blobs.align_manifests()
        if changed or (_MANIFEST.fullmatch(scope["path"]) and scope["method"] in ("PUT", "DELETE")):
            self._blobs.save()
        self._blobs.forget_deleted()

    async def _serve(self, found: re.Match[str], request: BlobRequest, send: Send) -> None:
        try:
            key = self._blobs.find_repository(found["name"], request.headers)
            if key is None:
                reason = f"repository name not known to registry: {found['name']}"
                raise RegistryError(404, "NAME_UNKNOWN", reason)
            response = await self._respond(key, found, request)
        except RegistryError as failed:
            response = failed.response
        except OSError as error:
            reason = f"cannot keep the blob: {error.strerror}"
            response = RegistryError(507, "UNKNOWN", reason).response
        while await request.read_block():
            pass  # a client reads no response while it still sends
        if not request.cut:
            await self._send(response, send, headers_only=request.method == "HEAD")

    async def _respond(self, key: Key, found: re.Match[str], request: BlobRequest) -> Response:
        method = request.method
        if found["digest"]:
            if method in ("HEAD", "GET"):
                return self._respond_with_blob(key, found["digest"])
        elif not found["upload"]:
            if method == "POST":  # of a mount, or with the blob, too: the client goes on with a PUT
                return _report_upload(self._blobs.open_upload(key))
        else:
            upload = self._blobs.uploads.get(found["upload"])
            if upload is None or upload.key != key:
                raise _unknown_upload()
            if method == "DELETE":
                self._blobs.drop_upload(upload)
                return Response(204)
            if method in ("PATCH", "PUT"):
                return await self._continue_upload(upload, request)
        raise RegistryError(405, "UNSUPPORTED", "method not allowed")

    def _respond_with_blob(self, key: Key, digest: str) -> Response:
        size = self._blobs.find_size(key, digest)
        if size is None:
            raise RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry", digest=digest)
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
        return Response(200, headers, digest=digest, size=size)

    async def _continue_upload(self, upload: Upload, request: BlobRequest) -> Response:
        """Append the request's body to the upload; clients begin one anew that was cut."""
        try:
            while block := await request.read_block():
                await self._run_blocking(upload.append, block)
        except OSError:
            self._require_open(upload)
            self._blobs.drop_upload(upload)
            raise
        self._require_open(upload)
        if request.cut:
            self._blobs.drop_upload(upload)
        elif request.method == "PUT":
            return self._finish_upload(upload, request)
        return _report_upload(upload)

    def _finish_upload(self, upload: Upload, request: BlobRequest) -> Response:
        wanted = request.query.get("digest", "")
        if upload.digest != wanted:
            self._blobs.drop_upload(upload)
            reason = "uploaded blob digest did not match provided digest"
            digests = {"expected": wanted, "actual": upload.digest}
            raise RegistryError(400, "DIGEST_INVALID", reason, **digests)
        self._blobs.finish_upload(upload)
        location = f"/v2/{upload.key[-1]}/blobs/{wanted}"
        return Response(201, {"Location": location, "Docker-Content-Digest": wanted})

    def _require_open(self, upload: Upload) -> None:
        """Refuse an upload that has ended in the meantime, alone or with its repository."""
        if upload.id not in self._blobs.uploads:
            raise _unknown_upload()

    async def _send(self, response: Response, send: Send, *, headers_only: bool) -> None:
        headers = {"Docker-Distribution-API-Version": "registry/2.0"} | response.headers
        if response.status != 204:
            headers["Content-Length"] = str(response.size or len(response.body))
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": encoded})
        if response.digest and not headers_only:
            blocks = self._blobs.read_blocks(response.digest, size=BLOCK)
            with closing(blocks):
                while block := await self._run_blocking(next, blocks, b""):
                    await send({"type": "http.response.body", "body": block, "more_body": True})
        await send({"type": "http.response.body", "body": response.body, "more_body": False})


def _report_upload(upload: Upload) -> Response:
    headers = {
        "Location": f"/v2/{upload.key[-1]}/blobs/uploads/{upload.id}",
        "Range": f"0-{max(0, upload.size - 1)}",
        "Docker-Upload-UUID": upload.id,
    }
    return Response(202, headers)


def _unknown_upload() -> RegistryError:
    return RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")


def _decode_headers(scope: Message) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
