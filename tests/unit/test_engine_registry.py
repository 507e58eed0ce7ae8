"""Pushing over the registry protocol, against a small registry here, and how far it has come."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from handson.core.errors import EngineError, HandsonError, InvalidInput, NotAllowed, NotReady
from handson.core.progress import ignore_progress
from handson.engine import oci
from handson.engine.builtin_engine import BuiltinEngine
from handson.engine.model import BuildRequest, Destination, LocalImage, format_size
from handson.engine.push_progress import PushProgress
from handson.engine.registry_client import RegistryClient
from tests.fake_registry import Shelf, serving


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def destination(shelf: Shelf) -> Iterator[Destination]:
    with serving(shelf) as registry:
        yield Destination(registry, "http", "shop", "AWS", "secret", "latest")


@pytest.fixture
def image(tmp_path: Path) -> LocalImage:
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode() * 5000)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY a /\nCOPY b /\n")
    request = BuildRequest(tmp_path, tmp_path / "images")
    return BuiltinEngine().build(request, say=ignore_progress)


def push(image: LocalImage, destination: Destination) -> Any:
    return BuiltinEngine().push(image, destination, say=ignore_progress)


def test_a_push_brings_layers_configuration_and_the_manifest_under_its_tag(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    pushed = push(image, destination)
    manifest = shelf.manifests["latest"]
    assert pushed.digest == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    described = json.loads(manifest)
    wanted = {described["config"]["digest"], *(it["digest"] for it in described["layers"])}
    assert set(shelf.blobs) == wanted
    assert (pushed.layers_pushed, pushed.layers_present) == (2, 0)
    assert {authorization for _, _, authorization in shelf.seen} == {"Basic QVdTOnNlY3JldA=="}
    assert "secret" not in repr(destination)


def test_a_second_push_sends_no_blob_again_and_only_the_tag_that_was_named(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    first = push(image, destination)
    shelf.seen.clear()
    shelf.manifests.clear()
    again = push(image, replace(destination, tag="v1"))
    assert (again.digest, again.tag) == (first.digest, "v1")
    assert (again.layers_pushed, again.layers_present) == (0, 2)
    assert {method for method, _, _ in shelf.seen} == {"HEAD", "PUT"}
    assert set(shelf.manifests) == {"v1", first.digest}


def test_a_connection_that_is_cut_is_tried_again_and_given_up_with_a_remedy(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    shelf.cuts = 100
    with pytest.raises(EngineError, match="途中で切れました"):
        push(image, destination)
    assert shelf.manifests == {}
    shelf.cuts = 2
    assert push(image, destination).layers_pushed == 2


REFUSALS: list[tuple[str, tuple[int, str, str], type[HandsonError], str]] = [
    ("POST", (404, "NAME_UNKNOWN", "The repository with …"), NotReady, "リポジトリ shop"),
    ("HEAD", (401, "UNAUTHORIZED", "no basic auth credentials"), NotAllowed, "許可しません"),
    ("POST", (403, "DENIED", "Your authorization token has expired."), NotAllowed, "期限"),
    ("HEAD", (400, "", ""), NotAllowed, "HANDSON_REGION"),
    ("POST", (500, "UNKNOWN", "disk on fire"), EngineError, "disk on fire"),
    ("PATCH", (429, "TOOMANYREQUESTS", "Rate exceeded"), EngineError, "混み合っている"),
    ("PUT manifests", (400, "X", "x509: certificate signed by …"), EngineError, "証明書"),
    ("PUT manifests", (400, "TAG_INVALID", "tag is immutable"), EngineError, "IMMUTABLE"),
]


def test_each_refusal_is_recognised_and_so_is_a_registry_that_is_not_there(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    for request, answer, kind, said in REFUSALS:
        shelf.refuse = {request: answer}
        with pytest.raises(kind, match=said):
            push(image, destination)
    # Port 9 (discard) has no listener on a machine of today.
    with pytest.raises(NotReady, match="接続できません"):
        push(image, replace(destination, registry="127.0.0.1:9"))


def test_a_registry_has_to_keep_what_was_pushed_whether_it_names_a_digest_or_not(
    image: LocalImage, destination: Destination, shelf: Shelf
) -> None:
    shelf.keeps = bytes
    pushed = push(image, destination)
    assert set(shelf.manifests) == {pushed.tag, pushed.digest}
    wrong = "sha256:" + "0" * 64
    for keeps, named in ((lambda body: body + b" ", ""), (lambda _: b"{}", ""), (None, wrong)):
        shelf.keeps, shelf.wrong_digest = keeps, named
        with pytest.raises(EngineError, match="ダイジェストが違います"):
            push(image, destination)


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
    [image] = registry.fetch_images("index").values()
    assert sum(layer["size"] for layer in image["layers"]) == pushed.size_bytes


def test_it_speaks_at_most_once_an_interval() -> None:
    said: list[str] = []
    progress = PushProgress(said.append, interval=1, clock=iter([0, 0, 0.9]).__next__)
    progress.advance("one", sent=0, size=2_000_000)
    progress.advance("one", sent=0, size=2_000_000)
    assert len(said) == 1


def test_the_first_line_adds_all_layers_up_and_each_has_a_line_with_a_rate_of_its_own() -> None:
    said: list[str] = []
    now = 0.0
    progress = PushProgress(said.append, interval=0, clock=lambda: now)
    progress.advance(f"sha256:{'a' * 64}", sent=1, size=2_000_000)
    progress.advance("two", sent=0, size=0)
    progress.skip("three")
    progress.advance("four", sent=3, size=1_000_000)
    progress.finish("four")
    now = 2.0
    progress.advance("five", sent=1, size=4_000_000)
    now = 4.0
    progress.advance("five", sent=2_000_000, size=4_000_000)
    progress.advance(f"sha256:{'a' * 64}", sent=1_000_000, size=2_000_000)
    assert said[-1].splitlines() == [
        "██████░░░░░░ 4.0 MB / 7.0 MB · 1.0 MB/秒 · レイヤー 2/5",
        "aaaaaaaaaaaa ██████░░░░░░ 1.0 MB / 2.0 MB · 250.0 kB/秒",
        "two 待っています",
        "three レジストリにもうあります",
        "four ████████████ 1.0 MB 送りました",
        "five ██████░░░░░░ 2.0 MB / 4.0 MB · 1.0 MB/秒",
    ]


def test_where_layers_are_many_those_that_are_done_make_room_and_count_once() -> None:
    said: list[str] = []
    progress = PushProgress(said.append, interval=0)
    progress.finish("old0")
    for number in range(30):
        progress.skip(f"old{number}")
    progress.advance("new", sent=1, size=2)
    assert [row.split()[0] for row in said[-1].splitlines()[1:]] == ["new"]
    assert progress.count_layers() == (1, 29)


def test_sizes_are_shown_as_docker_shows_them() -> None:
    shown = {
        1: "1 byte",
        999: "999 bytes",
        1000: "1.0 kB",
        96_700_000: "96.7 MB",
        2 * 10**9: "2.0 GB",
    }
    assert {size: format_size(size) for size in shown} == shown
