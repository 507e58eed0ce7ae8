"""Pushing over the registry protocol, against a small registry on this machine."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from handson.engine import BuildRequest, BuiltinEngine, Destination, LocalImage
from handson.engine.registry_client import layers_size
from handson.errors import EngineError, HandsonError, InvalidInput, NotAllowed, NotReady
from handson.progress import silent


@dataclass
class Shelf:
    """What the registry has, and how it should misbehave."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    refuse: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    cut: int = 0
    wrong_digest: str = ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    shelf: Shelf

    def log_message(self, *_arguments: Any) -> None: ...

    def handle_any(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.shelf.seen.append((self.command, self.path, self.headers.get("Authorization", "")))
        if self.command in self.shelf.refuse:
            status, code, message = self.shelf.refuse[self.command]
            error = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
            return self.answer(status, error)
        if self.command == "PATCH" and self.shelf.cut > 0:
            self.shelf.cut -= 1
            self.close_connection = True
            return self.connection.close()
        kind = re.match(r"/v2/shop/(blobs/uploads|blobs|manifests)/([^?]*)", self.path)
        assert kind is not None
        getattr(self, f"on_{kind[1].replace('/', '_')}")(kind[2])
        return None

    do_HEAD = do_GET = do_POST = do_PATCH = do_PUT = handle_any

    def on_blobs(self, digest: str) -> None:
        self.answer(200 if digest in self.shelf.blobs else 404)

    def on_blobs_uploads(self, name: str) -> None:
        # Layers are sent at once: each upload has a number of its own.
        name = name or str(next(self.shelf.numbers))
        place = {"Location": f"/v2/shop/blobs/uploads/{name}"}
        if self.command == "POST":
            return self.answer(202, headers=place)
        if self.command == "PATCH":
            self.shelf.uploads[name] = self.body
            return self.answer(202, headers=place)
        digest = self.path.partition("digest=")[2]
        content = self.shelf.uploads.pop(name, b"") + self.body
        assert digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.shelf.blobs[digest] = content
        return self.answer(201)

    def on_manifests(self, reference: str) -> None:
        if self.command == "GET":
            return self.answer(200, self.shelf.manifests[reference])
        digest = f"sha256:{hashlib.sha256(self.body).hexdigest()}"
        self.shelf.manifests[reference] = self.shelf.manifests[digest] = self.body
        named = self.shelf.wrong_digest or digest
        return self.answer(201, headers={"Docker-Content-Digest": named})

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serving(shelf: Shelf) -> Iterator[str]:
    handler = type("Bound", (Handler,), {"shelf": shelf})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def destination(shelf: Shelf) -> Iterator[Destination]:
    with serving(shelf) as registry:
        yield Destination(registry, "http", "shop", "AWS", "secret")


@pytest.fixture
def image(tmp_path: Path) -> LocalImage:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a").write_bytes(b"a" * 5000)
    (tmp_path / "shop" / "b").write_bytes(b"b" * 5000)
    file = tmp_path / "shop" / "Dockerfile"
    file.write_text("FROM scratch\nCOPY a /\nCOPY b /\n")
    request = BuildRequest(file.parent, file, tmp_path / "images", tags=("latest", "v1"))
    return BuiltinEngine().build(request, say=silent)


def push(image: LocalImage, destination: Destination) -> Any:
    return BuiltinEngine().push(image, destination, say=silent)


def test_a_push_brings_layers_configuration_and_a_manifest_for_each_tag(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    pushed = push(image, destination)
    manifest = shelf.manifests["latest"]
    assert pushed.digest == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    assert shelf.manifests["v1"] == manifest
    described = json.loads(manifest)
    wanted = {described["config"]["digest"], *(it["digest"] for it in described["layers"])}
    assert set(shelf.blobs) == wanted
    assert (pushed.layers_pushed, pushed.layers_present) == (2, 0)


def test_a_second_push_sends_no_blob_again(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    first = push(image, destination)
    shelf.seen.clear()
    again = push(image, destination)
    assert again.digest == first.digest
    assert (again.layers_pushed, again.layers_present) == (0, 2)
    assert {method for method, _, _ in shelf.seen} == {"HEAD", "PUT"}


def test_only_the_tags_that_were_named_are_pushed(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    named = Destination(destination.registry, "http", "shop", "AWS", "secret", ("v1",))
    assert push(image, named).tags == ("v1",)
    assert "latest" not in shelf.manifests


def test_every_request_carries_the_token(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    push(image, destination)
    assert {authorization for _, _, authorization in shelf.seen} == {"Basic QVdTOnNlY3JldA=="}


def test_a_connection_that_is_cut_is_tried_again(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    shelf.cut = 2
    assert push(image, destination).layers_pushed == 2


def test_a_connection_that_is_cut_again_and_again_gives_up_with_a_remedy(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    shelf.cut = 100
    with pytest.raises(EngineError, match="途中で切れました"):
        push(image, destination)
    assert shelf.manifests == {}


@pytest.mark.parametrize(
    ("method", "answer", "kind", "said"),
    [
        ("POST", (404, "NAME_UNKNOWN", "The repository with name …"), NotReady, "リポジトリ shop"),
        ("HEAD", (401, "UNAUTHORIZED", "no basic auth credentials"), NotAllowed, "許可しません"),
        ("POST", (403, "DENIED", "Your authorization token has expired."), NotAllowed, "期限"),
        ("PUT", (400, "TAG_INVALID", "the repository is immutable"), EngineError, "IMMUTABLE"),
        ("POST", (500, "UNKNOWN", "disk on fire"), EngineError, "disk on fire"),
    ],
)
def test_each_refusal_is_recognised(
    image: LocalImage, destination: Destination, shelf: Shelf,
    method: str, answer: tuple[int, str, str], kind: type[HandsonError], said: str,
) -> None:  # fmt: skip
    if method == "PUT":
        push(image, destination)
    shelf.refuse[method] = answer
    with pytest.raises(kind, match=said):
        push(image, destination)


def test_a_registry_that_names_another_digest_is_not_believed(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    shelf.wrong_digest = "sha256:" + "0" * 64
    with pytest.raises(EngineError, match="ダイジェストが違います"):
        push(image, destination)


def test_a_registry_that_is_not_there_says_what_to_check(image: LocalImage) -> None:
    # Port 9 (discard) has no listener on a machine of today.
    gone = Destination("127.0.0.1:9", "http", "shop", "AWS", "secret")
    with pytest.raises(NotReady, match="接続できません"):
        push(image, gone)


def test_an_image_whose_layout_is_gone_is_refused(
    image: LocalImage, destination: Destination
) -> None:
    assert image.layout is not None
    (image.layout / "index.json").unlink()
    with pytest.raises(InvalidInput, match="build_image"):
        push(image, destination)


def test_the_size_is_that_of_the_layers_also_behind_an_index(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    pushed = push(image, destination)
    children = [
        {"digest": "sha256:none", "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": pushed.digest, "platform": {"os": "linux", "architecture": "amd64"}},
    ]
    shelf.manifests["index"] = json.dumps({"manifests": children}).encode()
    assert layers_size(destination, "index") == pushed.size_bytes


def test_a_destination_never_shows_its_password(destination: Destination) -> None:
    assert "secret" not in repr(destination)
