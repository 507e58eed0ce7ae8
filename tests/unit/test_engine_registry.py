"""Pushing over the registry protocol, against a small registry on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handson.core.errors import EngineError, HandsonError, InvalidInput, NotAllowed, NotReady
from handson.core.progress import ignore_progress
from handson.engine import oci
from handson.engine.builtin_engine import BuiltinEngine
from handson.engine.model import BuildRequest, Destination, LocalImage
from handson.engine.registry_client import RegistryClient
from tests.fake_registry import Shelf, serving


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
    request = BuildRequest(file.parent, tmp_path / "images", tags=("latest", "v1"))
    return BuiltinEngine().build(request, say=ignore_progress)


def push(image: LocalImage, destination: Destination) -> Any:
    return BuiltinEngine().push(image, destination, say=ignore_progress)


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
    assert {authorization for _, _, authorization in shelf.seen} == {"Basic QVdTOnNlY3JldA=="}
    assert "secret" not in repr(destination)


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


def test_a_connection_that_is_cut_is_tried_again_and_given_up_with_a_remedy(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    shelf.cut = 100
    with pytest.raises(EngineError, match="途中で切れました"):
        push(image, destination)
    assert shelf.manifests == {}
    shelf.cut = 2
    assert push(image, destination).layers_pushed == 2


REFUSALS: list[tuple[str, tuple[int, str, str], type[HandsonError], str]] = [
    ("POST", (404, "NAME_UNKNOWN", "The repository with …"), NotReady, "リポジトリ shop"),
    ("HEAD", (401, "UNAUTHORIZED", "no basic auth credentials"), NotAllowed, "許可しません"),
    ("POST", (403, "DENIED", "Your authorization token has expired."), NotAllowed, "期限"),
    ("HEAD", (400, "", ""), NotAllowed, "HANDSON_REGION"),
    ("POST", (500, "UNKNOWN", "disk on fire"), EngineError, "disk on fire"),
    ("PUT manifests", (400, "TAG_INVALID", "tag is immutable"), EngineError, "IMMUTABLE"),
]


def test_each_refusal_is_recognised(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    for request, answer, kind, said in REFUSALS:
        shelf.refuse = {request: answer}
        with pytest.raises(kind, match=said):
            push(image, destination)


def test_a_registry_that_names_another_digest_is_not_believed(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    shelf.wrong_digest = "sha256:" + "0" * 64
    with pytest.raises(EngineError, match="ダイジェストが違います"):
        push(image, destination)


def test_a_registry_that_names_no_digest_is_asked_for_what_it_keeps(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    def spoil(body: bytes) -> bytes:
        return body + b" "

    shelf.keeps = bytes
    pushed = push(image, destination)
    assert set(shelf.manifests) == {*pushed.tags, pushed.digest}
    for keeps in (spoil, lambda _: b"{}"):
        shelf.keeps = keeps
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
    shelf.types["index"] = oci.INDEX
    registry = RegistryClient(destination)
    assert registry.measure_layers("index") == pushed.size_bytes
