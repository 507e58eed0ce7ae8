"""What Docker's engine and Podman's have in common: builds, pushes, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest
from msgspec.structs import replace

from handson.core.errors import EngineError, HandsonError, NotAllowed, NotReady
from handson.core.progress import Say, ignore_progress
from handson.engine import Engine, choose_engine
from handson.engine.docker_engine import DockerEngine
from handson.engine.model import BuildRequest, Destination, LocalImage
from tests.fake_registry import Shelf

pytestmark = pytest.mark.engine

SHOP = """\
ARG BASE
FROM $BASE AS gems
RUN echo gems > /gems
FROM $BASE
COPY --from=gems /gems /gems
COPY . /shop
RUN [ -e /shop/page ] && [ ! -e /shop/secret ] && echo the shop is in order
"""
FAILING = "ARG BASE\nFROM $BASE\n# nearly\nRUN echo almost there \\\n  && exit 7\nCMD go\n"
BROKEN = {"credsStore": "handson-missing", "credHelpers": {"x.example": "handson-missing"}}


@pytest.fixture(scope="module")
def each(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give the engine of a user whose credential stores are broken, which does not matter."""
    user = tmp_path_factory.mktemp("user")
    (user / ".docker").mkdir()
    (user / ".docker" / "config.json").write_text(json.dumps(BROKEN))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(user))
        yield choose_engine("docker", docker_host=address)
    assert json.loads((user / ".docker" / "config.json").read_text()) == BROKEN


def build(each: Engine, context: Path, shell: str, say: Say = ignore_progress) -> LocalImage:
    folder, given = context.parent / "images", {"BASE": shell}
    request = BuildRequest(context, folder, name="handson-test-any", build_args=given)
    return each.build(request, say=say)


@pytest.fixture(scope="module")
def told() -> list[str]:
    """Return what the build of the image says."""
    return []


@pytest.fixture(scope="module")
def image(
    each: Engine, raw: docker.APIClient, shell: str, told: list[str], tmp_path_factory: Any
) -> Iterator[LocalImage]:
    told.clear()
    context = tmp_path_factory.mktemp("any") / "shop"
    context.mkdir()
    files = {
        "page": "goods",
        "secret": "hush",
        ".dockerignore": "\ufeffsecret\r\n",
        "Dockerfile": SHOP,
    }
    for name, text in files.items():
        (context / name).write_text(text, encoding="utf-8", newline="")
    built = build(each, context, shell, told.append)
    yield built
    raw.remove_image(built.id, force=True)


def test_an_engine_says_what_it_is(each: Engine, address: str) -> None:
    found = each.describe()
    wanted = "Podman" if "podman" in address else "Docker Engine"
    assert (found.product, found.platform.partition("/")[0]) == (wanted, "linux")
    assert found.free_bytes


def test_a_build_tells_its_steps_and_leaves_out_what_dockerignore_names(
    image: LocalImage, told: list[str]
) -> None:
    assert (image.platform, image.engine) == ("linux/amd64", "docker")
    assert "ログイン情報なしでビルドします" in told[0]
    assert "the shop is in order" in told
    assert [line for line in told if "COPY . /shop" in line and line.startswith("手順")]
    assert image.log is not None
    assert "the shop is in order" in image.log.read_text()


def test_a_failing_step_is_shown_with_its_line_and_its_last_lines(
    each: Engine, tmp_path: Path, shell: str
) -> None:
    (tmp_path / "Dockerfile").write_text(FAILING)
    with pytest.raises(EngineError) as failed:
        build(each, tmp_path, shell)
    assert "Dockerfile:4 の手順 `RUN echo almost there && exit 7`" in failed.value.problem
    assert "│ almost there" in failed.value.problem


def test_the_tag_leads_to_the_digest_that_is_told_and_a_second_push_sends_no_layer(
    each: Engine, image: LocalImage, there: Destination, shelf: Shelf
) -> None:
    pushed = each.push(image, there, say=ignore_progress)
    assert shelf.manifests["latest"] == shelf.manifests[pushed.digest]
    layers = json.loads(shelf.manifests["latest"])["layers"]
    assert pushed.size_bytes == sum(len(shelf.blobs[layer["digest"]]) for layer in layers)
    before = shelf.sent()
    assert each.push(image, there, say=ignore_progress).digest == pushed.digest
    assert shelf.sent() == before


REFUSALS: list[tuple[str, tuple[int, str, str], type[HandsonError], str]] = [
    ("POST", (403, "DENIED", "Your authorization token has expired."), NotAllowed, "期限が切れて"),
    ("POST", (400, "", ""), NotAllowed, "HANDSON_REGION"),
    ("POST", (404, "NAME_UNKNOWN", "The repository with …"), NotReady, "ensure_repository"),
    ("POST", (403, "DENIED", "not authorized to perform ecr:…"), NotAllowed, "権限"),
    # The last one, because it comes when all layers are there.
    (
        "PUT manifests",
        (400, "TAG_INVALID", "The image tag is immutable."),
        EngineError,
        "IMMUTABLE",
    ),
]


def test_each_refusal_is_recognised_a_wrong_token_and_a_registry_that_stopped(
    each: Engine, image: LocalImage, there: Destination, shelf: Shelf
) -> None:
    for request, answer, kind, said in REFUSALS:
        shelf.refuse = {request: answer}
        with pytest.raises(kind, match=said):
            each.push(image, there, say=ignore_progress)
    with pytest.raises(NotAllowed, match="許可しません"):
        each.push(image, replace(there, password="wrong"), say=ignore_progress)
    with pytest.raises(NotReady, match="接続できません"):
        each.push(image, replace(there, registry="127.0.0.1:9"), say=ignore_progress)


def test_an_image_is_sent_for_an_engine_in_a_virtual_machine(
    address: str, image: LocalImage, there: Destination, raw: docker.APIClient, shelf: Shelf
) -> None:
    class Apart(docker.APIClient):
        """An engine whose 127.0.0.1 is another than ours."""

        def push(self, *_arguments: Any, **_options: Any) -> Any:
            return [{"error": "dial tcp 127.0.0.1:5000: connect: connection refused"}]

    with closing(Apart(base_url=address or None, version="auto", timeout=120)) as apart:
        pushed = DockerEngine(apart).push(image, there, say=ignore_progress)
    manifest = json.loads(shelf.manifests["latest"])
    assert (pushed.relayed, manifest["config"]["digest"]) == (True, image.id)
    layers = len(raw.inspect_image(image.id)["RootFS"]["Layers"])
    assert pushed.layers_pushed == len(manifest["layers"]) == layers
