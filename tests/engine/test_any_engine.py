"""What Docker's engine and Podman's have in common: builds, pushes, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from handson.core.errors import EngineError, HandsonError, NotAllowed, NotReady
from handson.core.progress import ignore_progress
from handson.engine import Engine, choose_engine, registry_client
from handson.engine.docker_engine import DockerEngine
from handson.engine.model import BuildRequest, Destination, LocalImage
from tests.fake_registry import Shelf, serving

pytestmark = pytest.mark.engine

NAME = "handson-test-any"
SHOP = """\
ARG BASE
FROM $BASE AS gems
RUN echo gems > /gems
FROM $BASE
COPY --from=gems /gems /gems
COPY . /shop
RUN [ -e /shop/page ] && [ ! -e /shop/secret ] && echo the shop is in order
"""


@pytest.fixture(scope="module")
def each(address: str) -> Engine:
    return choose_engine("docker", docker_host=address)


@pytest.fixture(scope="module")
def raw(address: str) -> Iterator[docker.APIClient]:
    found = docker.APIClient(base_url=address or None, version="auto", timeout=120)
    yield found
    found.close()


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("any") / "shop"
    folder.mkdir()
    (folder / "page").write_text("goods")
    (folder / "secret").write_text("hush")
    (folder / ".dockerignore").write_text("secret\n")
    (folder / "Dockerfile").write_text(SHOP)
    return folder


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(password="secret")


@pytest.fixture
def there(shelf: Shelf) -> Iterator[Destination]:
    with serving(shelf) as registry:
        yield Destination(registry, "http", "shop", "AWS", "secret", ("latest", "v1"))


def build(
    each: Engine, context: Path, shell: str, say: Any = ignore_progress, name: str = NAME
) -> LocalImage:
    return each.build(
        BuildRequest(
            context,
            context.parent / "images",
            name=name,
            build_args={"BASE": shell},
        ),
        say=say,
    )


@pytest.fixture(scope="module")
def told() -> list[str]:
    """Return what the build of the image says."""
    return []


@pytest.fixture(scope="module")
def image(
    each: Engine, raw: docker.APIClient, context: Path, shell: str, told: list[str]
) -> Iterator[LocalImage]:
    told.clear()
    built = build(each, context, shell, told.append)
    yield built
    raw.remove_image(built.id, force=True)


# Build


def test_an_engine_says_what_it_is(each: Engine, address: str) -> None:
    found = each.describe()
    wanted = "Podman" if "podman" in address else "Docker Engine"
    assert (found.product, found.platform.partition("/")[0]) == (wanted, "linux")
    assert found.free_bytes


def test_a_build_tells_its_steps_and_leaves_out_what_dockerignore_names(
    image: LocalImage, told: list[str]
) -> None:
    assert (image.platform, image.engine) == ("linux/amd64", "docker")
    assert "the shop is in order" in told
    assert [line for line in told if "COPY . /shop" in line and line.startswith("手順")]
    assert image.log is not None
    assert "the shop is in order" in image.log.read_text()


def test_a_failing_step_is_shown_with_its_line_and_its_last_lines(
    each: Engine, tmp_path: Path, shell: str
) -> None:
    steps = "ARG BASE\nFROM $BASE\n# nearly\nRUN echo almost there \\\n  && exit 7\nCMD go\n"
    (tmp_path / "Dockerfile").write_text(steps)
    with pytest.raises(EngineError) as failed:
        build(each, tmp_path, shell)
    assert "Dockerfile:4 の手順 `RUN echo almost there && exit 7`" in failed.value.problem
    assert "│ almost there" in failed.value.problem


def test_a_broken_credential_store_of_the_users_does_not_matter(
    address: str, shell: str, there: Destination, raw: docker.APIClient,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    user = tmp_path / "user"
    (user / ".docker").mkdir(parents=True)
    settings = {"credsStore": "handson-missing", "credHelpers": {"x.example": "handson-missing"}}
    (user / ".docker" / "config.json").write_text(json.dumps(settings))
    monkeypatch.setenv("HOME", str(user))
    each = choose_engine("docker", docker_host=address)
    said: list[str] = []
    (tmp_path / "Dockerfile").write_text("ARG BASE\nFROM $BASE\n")
    image = build(each, tmp_path, shell, said.append, name="handson-test-logins")
    assert "ログイン情報なしでビルドします" in said[0]
    assert each.push(image, there, say=ignore_progress).tags == ("latest", "v1")
    raw.remove_image(image.id, force=True)
    assert (user / ".docker" / "config.json").read_text() == json.dumps(settings)


# Push


def test_a_push_leads_both_tags_to_the_digest_that_is_told(
    each: Engine, image: LocalImage, there: Destination, shelf: Shelf
) -> None:
    pushed = each.push(image, there, say=ignore_progress)
    assert shelf.manifests["latest"] == shelf.manifests["v1"] == shelf.manifests[pushed.digest]
    layers = json.loads(shelf.manifests["latest"])["layers"]
    assert pushed.size_bytes == sum(len(shelf.blobs[layer["digest"]]) for layer in layers)


def test_a_second_push_sends_no_layer(
    each: Engine, image: LocalImage, there: Destination, shelf: Shelf
) -> None:
    first = each.push(image, there, say=ignore_progress)
    before = shelf.sent()
    assert each.push(image, there, say=ignore_progress).digest == first.digest
    assert shelf.sent() == before


@pytest.mark.parametrize(
    ("request_", "answer", "kind", "said"),
    [
        (
            "PUT manifests",
            (400, "TAG_INVALID", "The image tag 'latest' already exists in the 'shop' repository "
             "and cannot be overwritten because the tag is immutable."),
            EngineError,
            "IMMUTABLE",
        ),
        (
            "POST",
            (403, "DENIED", "Your authorization token has expired. Reauthenticate and try again."),
            NotAllowed,
            "期限が切れています",
        ),
        ("POST", (400, "", ""), NotAllowed, "HANDSON_REGION"),
        (
            "POST",
            (404, "NAME_UNKNOWN", "The repository with name 'shop' does not exist in the registry"),
            NotReady,
            "ensure_repository",
        ),
        ("POST", (403, "DENIED", "not authorized to perform ecr:…"), NotAllowed, "権限"),
    ],
    ids=["immutable-tag", "expired-token", "another-regions-token", "no-repository", "denied"],
)  # fmt: skip
def test_each_refusal_is_recognised(
    each: Engine, image: LocalImage, there: Destination, shelf: Shelf,
    request_: str, answer: tuple[int, str, str], kind: type[HandsonError], said: str,
) -> None:  # fmt: skip
    shelf.refuse[request_] = answer
    with pytest.raises(kind, match=said):
        each.push(image, there, say=ignore_progress)


def test_a_wrong_token_is_recognised(each: Engine, image: LocalImage, there: Destination) -> None:
    with pytest.raises(NotAllowed, match="許可しません"):
        each.push(image, replace(there, password="wrong"), say=ignore_progress)


def test_an_image_is_sent_for_an_engine_in_a_virtual_machine(
    address: str, image: LocalImage, there: Destination, raw: docker.APIClient
) -> None:
    class Apart(docker.APIClient):
        """An engine whose 127.0.0.1 is another than ours."""

        def push(self, *_arguments: Any, **_options: Any) -> Any:
            return [{"error": "dial tcp 127.0.0.1:5000: connect: connection refused"}]

    apart = Apart(base_url=address or None, version="auto", timeout=120)
    pushed = DockerEngine(apart).push(image, there, say=ignore_progress)
    apart.close()
    [manifest] = registry_client.RegistryClient(there).fetch_images("v1").values()
    assert pushed.relayed is True
    assert manifest["config"]["digest"] == image.id
    assert pushed.layers_pushed == len(manifest["layers"])
    again = raw.inspect_image(image.id)
    assert len(manifest["layers"]) == len(again["RootFS"]["Layers"])
