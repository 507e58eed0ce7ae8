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


def test_the_image_has_its_tags_its_maker_its_platform_and_neither_root_nor_a_secret(
    shop: LocalImage, details: dict[str, Any]
) -> None:
    config = details["Config"]
    assert (config["User"], config["Healthcheck"]["Test"][0]) == ("1000:1000", "CMD")
    assert config["Labels"]["io.handson.engine"] == "docker"
    assert "SECRET" not in json.dumps(config)
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
    assert [it for it in told.values() if f"<code>{it}</code>" not in page] == []


def test_a_shop_that_runs_is_healthy_and_writes_to_its_log_and_tmp_only(
    client: docker.APIClient, shop: LocalImage, details: dict[str, Any]
) -> None:
    probe = details["Config"]["Healthcheck"]["Test"][1:]
    writable = {"/rails/log": 0, "/rails/tmp": 0, "/rails": 1, "/rails/app": 1, "/gems": 1}
    with started(client, shop.id, SECRET_KEY_BASE=SECRET) as (container, url):
        get(f"{url}/up")
        ports = [url.rsplit(":", 1)[1], str(free_port())]
        assert [run(client, container, probe, PORT=port) for port in ports] == [0, 1]
        found = {folder: run(client, container, ["test", "-w", folder]) for folder in writable}
    assert found == writable


def test_a_shop_without_a_secret_does_not_start(client: docker.APIClient, shop: LocalImage) -> None:
    alone = client.create_host_config(network_mode="none")
    container = client.create_container(shop.id, host_config=alone)["Id"]
    try:
        client.start(container)
        assert client.wait(container, timeout=60)["StatusCode"] != 0
        assert b"secret_key_base" in client.logs(container)
    finally:
        client.remove_container(container, force=True)


def test_ecr_lists_the_pushed_image_under_both_tags_and_nothing_is_left_behind(
    engine: Engine, client: docker.APIClient, shop: LocalImage, destination: Destination, ecr: Any
) -> None:
    pushed = push.push_image(engine, shop, destination=destination, say=ignore_progress)
    listed = ecr.describe_images(repositoryName=destination.repository)["imageDetails"]
    found = {tag: it["imageDigest"] for it in listed for tag in it.get("imageTags", [])}
    assert found == dict.fromkeys(shop.tags, pushed.digest)
    assert pushed.size_bytes > 10_000_000
    tags = client.inspect_image(shop.id)["RepoTags"]
    assert [tag for tag in tags if tag.startswith(destination.registry)] == []
    assert not (Path.home() / ".docker").exists()


def test_the_registry_that_stopped_is_named(
    engine: Engine, shop: LocalImage, aws: emulator.Running
) -> None:
    gone = Destination(f"127.0.0.1:{free_port()}", "http", "rails-app", "AWS", "token")
    with pytest.raises(push.NotReady, match="接続できません"):
        push.push_image(engine, shop, destination=gone, say=ignore_progress)
