"""The Rails shop, built, pushed, pulled back and seen running by a real engine."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest

from handson.aws import emulator
from handson.core.progress import ignore_progress
from handson.engine import Engine
from handson.engine.model import Destination, LocalImage
from handson.resources import push

pytestmark = pytest.mark.engine

NAME = "handson-test-shop"
SECRET = "0" * 128


@pytest.fixture(scope="module")
def shop(
    engine: Engine, client: docker.APIClient, base: str, root: Path, tmp_path_factory: Any
) -> Iterator[LocalImage]:
    request = push.prepare_build(
        root / "notebooks" / "docker-rails-workshop",
        folder=tmp_path_factory.mktemp("images"),
        name=NAME,
        build_args={"BASE_IMAGE": base},
    )
    found = engine.build(request, say=ignore_progress)
    yield found
    client.remove_image(found.id, force=True)


@pytest.fixture(scope="module")
def details(shop: LocalImage, client: docker.APIClient) -> dict[str, Any]:
    found: dict[str, Any] = client.inspect_image(shop.id)
    return found


def free_port() -> int:
    with socket.socket() as end:
        end.bind(("127.0.0.1", 0))
        return int(end.getsockname()[1])


def get(url: str, *, within: float = 30.0) -> str:
    deadline = time.monotonic() + within
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def run(client: docker.APIClient, container: str, command: list[str], **environment: str) -> int:
    """Return the exit code of a command in a container."""
    there = client.exec_create(container, command, environment=environment)["Id"]
    client.exec_start(there)
    return int(client.exec_inspect(there)["ExitCode"])


@contextmanager
def started(client: docker.APIClient, name: str, **environment: str) -> Iterator[tuple[str, str]]:
    """Give a container and its address."""
    port = free_port()
    container = client.create_container(
        name,
        environment={"PORT": str(port), **environment},
        host_config=client.create_host_config(network_mode="host"),
    )["Id"]
    try:
        client.start(container)
        yield container, f"http://127.0.0.1:{port}"
    finally:
        client.remove_container(container, force=True)


def test_the_image_carries_no_secret_and_no_root(details: dict[str, Any]) -> None:
    assert details["Config"]["User"] == "1000:1000"
    assert "SECRET" not in json.dumps(details["Config"])
    assert details["Config"]["Healthcheck"]["Test"][0] == "CMD"


def test_the_image_says_which_engine_made_it(details: dict[str, Any]) -> None:
    assert details["Config"]["Labels"]["io.handson.engine"] == "docker"


def test_the_image_has_both_tags_and_the_right_platform(
    shop: LocalImage, details: dict[str, Any]
) -> None:
    assert {f"{NAME}:{tag}" for tag in shop.tags} <= set(details["RepoTags"])
    assert (len(shop.tags), shop.platform) == (2, "linux/amd64")


def test_what_was_pushed_is_pulled_back_and_sells_its_goods(
    engine: Engine, client: docker.APIClient, shop: LocalImage, destination: Destination
) -> None:
    pushed = push.push_image(engine, shop, destination=destination, say=ignore_progress)
    name = f"{destination.registry}/{destination.repository}@{pushed.digest}"
    client.pull(name, auth_config={"username": "AWS", "password": "token"})
    try:
        told = {"SHOP_IMAGE": "rails-app:v1", "SHOP_IMAGE_DIGEST": pushed.digest}
        with started(client, name, SECRET_KEY_BASE=SECRET, **told) as (_, shop_url):
            assert get(f"{shop_url}/up") == "OK"
            page = get(shop_url)
    finally:
        client.remove_image(name, noprune=True)
    assert '<html lang="ja">' in page
    assert "カートに入れる" in page
    assert [f"<code>{it}</code>" in page for it in told.values()] == [True, True]


def test_the_healthcheck_is_content_with_a_shop_and_not_with_its_absence(
    client: docker.APIClient, shop: LocalImage, details: dict[str, Any]
) -> None:
    probe = details["Config"]["Healthcheck"]["Test"][1:]
    with started(client, shop.id, SECRET_KEY_BASE=SECRET) as (container, url):
        get(f"{url}/up")
        ports = [url.rsplit(":", 1)[1], str(free_port())]
        assert [run(client, container, probe, PORT=port) for port in ports] == [0, 1]


def test_the_shop_writes_to_its_log_and_tmp_only(
    client: docker.APIClient, shop: LocalImage
) -> None:
    with started(client, shop.id, SECRET_KEY_BASE=SECRET) as (container, _):
        folders = ["/rails/log", "/rails/tmp", "/rails", "/rails/app", "/gems"]
        writable = [run(client, container, ["test", "-w", folder]) == 0 for folder in folders]
    assert dict(zip(folders, writable, strict=True)) == {
        folder: folder in {"/rails/log", "/rails/tmp"} for folder in folders
    }


def test_a_shop_without_a_secret_does_not_start(client: docker.APIClient, shop: LocalImage) -> None:
    alone = client.create_host_config(network_mode="none")
    container = client.create_container(shop.id, host_config=alone)["Id"]
    try:
        client.start(container)
        assert client.wait(container, timeout=60)["StatusCode"] != 0
        assert b"secret_key_base" in client.logs(container)
    finally:
        client.remove_container(container, force=True)


def test_ecr_lists_the_pushed_image_under_both_tags(
    engine: Engine, shop: LocalImage, destination: Destination, ecr: Any
) -> None:
    pushed = push.push_image(engine, shop, destination=destination, say=ignore_progress)
    listed = ecr.describe_images(repositoryName=destination.repository)["imageDetails"]
    found = {tag: it["imageDigest"] for it in listed for tag in it.get("imageTags", [])}
    assert found == dict.fromkeys(shop.tags, pushed.digest)
    assert pushed.size_bytes > 10_000_000


def test_a_second_push_sends_nothing(
    engine: Engine, shop: LocalImage, destination: Destination
) -> None:
    first = push.push_image(engine, shop, destination=destination, say=ignore_progress)
    again = push.push_image(engine, shop, destination=destination, say=ignore_progress)
    assert (again.digest, again.layers_pushed) == (first.digest, 0)
    assert again.layers_present == first.layers_pushed + first.layers_present


def test_a_push_leaves_no_tag_and_no_credentials_behind(
    engine: Engine, client: docker.APIClient, shop: LocalImage, destination: Destination
) -> None:
    push.push_image(engine, shop, destination=destination, say=ignore_progress)
    tags = client.inspect_image(shop.id)["RepoTags"]
    assert [tag for tag in tags if tag.startswith(destination.registry)] == []
    assert not (Path.home() / ".docker").exists()


def test_the_registry_that_stopped_is_named(
    engine: Engine, shop: LocalImage, aws: emulator.Running
) -> None:
    gone = Destination(f"127.0.0.1:{free_port()}", "http", "rails-app", "AWS", "token")
    with pytest.raises(push.NotReady, match="接続できません"):
        push.push_image(engine, shop, destination=gone, say=ignore_progress)
