"""The shop and other images, pushed and run for a moment with a real engine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest
from msgspec.structs import replace

from handson.aws import emulator, settings
from handson.core.progress import TerminalProgress
from handson.course.state import Image
from handson.engine.containers import RUN_LABEL
from handson.engine.model import LocalImage
from handson.notebook.workshop import Workshop
from handson.resources import push
from tests.shell import paste, paste_in_shell, require_shell

pytestmark = pytest.mark.engine

NAME = "handson-test-run"


@pytest.fixture(scope="module")
def workshop(
    client: docker.APIClient, base: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workshop]:
    """One workshop for all: the base's layers are pushed once."""
    home = tmp_path_factory.mktemp("running") / "home"
    own = {"HANDSON_HOME": str(home), "HANDSON_ENGINE": "docker", "HANDSON_BASE_IMAGE": base}
    chosen = settings.read_settings({**own, **os.environ}, cwd=home.parent)
    yield Workshop(chosen, progress=TerminalProgress(), show=print)
    remove_tags(client, f"{NAME}:")
    emulator.stop_emulator(home)


@pytest.fixture
def held(workshop: Workshop, client: docker.APIClient) -> Iterator[Workshop]:
    """A workshop with a repository; afterwards the engine holds what it held before, no more."""
    workshop.ensure_repository("rails-app")
    yield workshop
    owner = {"label": f"{RUN_LABEL}={workshop.settings.home}"}
    assert client.containers(all=True, filters=owner) == []
    assert tags_with(client, "/rails-app:") == []
    assert not (Path.home() / ".docker").exists()


def tags_with(client: docker.APIClient, part: str) -> list[str]:
    tags = [tag for image in client.images() for tag in image["RepoTags"] or ()]
    return [tag for tag in tags if part in tag]


def remove_tags(client: docker.APIClient, part: str) -> None:
    for tag in tags_with(client, part):
        client.remove_image(tag, noprune=True)


def runnable(held: Workshop) -> tuple[bool, list[str]]:
    result = next(check for check in held.verify().checks if check.id == "image")
    codes = [it.code for it in result.diagnoses if "image.runnable" in it.facts]
    passed = [fact.id for fact in result.facts if fact.passed]
    return "image.runnable" in passed, codes


@pytest.fixture(scope="module")
def shop(workshop: Workshop, root: Path) -> LocalImage:
    return workshop.build_image(root / "notebooks" / "docker-rails-workshop", name=NAME)


def test_the_shop_is_pushed_pulled_back_seen_and_removed(held: Workshop, shop: LocalImage) -> None:
    pushed = held.push_image(shop, repository="rails-app")
    [listed] = held.images("rails-app").images
    assert (listed.digest, listed.tags) == (pushed.digest, (shop.tag,))
    assert pushed.size_bytes > 10_000_000
    assert runnable(held) == (False, ["image-unseen"])
    shown = held.run_image("rails-app")
    html = shown._repr_mimebundle_()["text/html"]
    assert "│ まちかど商店" in repr(shown)
    assert "rails-app:latest" in repr(shown)
    assert 'src="data:image/svg+xml;base64,' in html
    assert "<script" not in html
    recorded = held.snapshot().recorded_run
    assert recorded is not None
    assert (recorded.status, recorded.digest) == (200, pushed.digest)
    assert runnable(held) == (True, [])


@contextmanager
def started(client: docker.APIClient, image: str, **environment: str) -> Iterator[str]:
    host = client.create_host_config(network_mode="host")
    container = client.create_container(image, environment=environment, host_config=host)["Id"]
    try:
        client.start(container)
        yield str(container)
    finally:
        client.remove_container(container, force=True)


def run(client: docker.APIClient, container: str, command: list[str], **environment: str) -> int:
    """Return the exit code of a command in a container."""
    there = client.exec_create(container, command, environment=environment)["Id"]
    client.exec_start(there)
    return int(client.exec_inspect(there)["ExitCode"])


def test_the_shop_becomes_healthy_and_writes_to_its_log_and_tmp_only(
    client: docker.APIClient, shop: LocalImage
) -> None:
    probe = client.inspect_image(shop.id)["Config"]["Healthcheck"]["Test"][1:]
    writable = {"/rails/log": 0, "/rails/tmp": 0, "/rails": 1, "/rails/app": 1, "/gems": 1}
    port, deadline = "43117", time.monotonic() + 30
    with started(client, shop.id, PORT=port, SECRET_KEY_BASE="0" * 128) as container:
        while run(client, container, probe, PORT=port) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert [run(client, container, probe, PORT=it) for it in (port, "9")] == [0, 1]
        found = {folder: run(client, container, ["test", "-w", folder]) for folder in writable}
    assert found == writable


def test_the_shop_does_not_start_without_a_secret(
    client: docker.APIClient, shop: LocalImage
) -> None:
    with started(client, shop.id) as container:
        assert client.wait(container, timeout=60)["StatusCode"] != 0
        assert b"secret_key_base" in client.logs(container)


def test_the_image_packed_by_builtin_is_not_run(held: Workshop, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    chosen = replace(held.settings, engine="builtin")
    packing = Workshop(chosen, progress=TerminalProgress(), show=print)
    packing.push_image(packing.build_image(tmp_path), repository="rails-app")
    shown = held.run_image("rails-app")
    assert "土台になる Ruby が入っていない" in repr(shown)
    assert runnable(held) == (False, ["image-builtin"])


@pytest.mark.parametrize("program", [push.AWS_CLI, "handson"])
def test_the_push_commands_and_the_cells_work_one_after_another_and_their_images_count(
    held: Workshop, client: docker.APIClient, tmp_path: Path, program: str
) -> None:
    require_shell(docker=True)
    shop, tag = tmp_path / "my shop", f"1.0-{program}"
    shop.mkdir()
    (shop / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nUSER 1\n")
    shown = replace(held.push_commands("rails-app", context=shop, tag=tag), program=program)
    own = {name: os.environ[name] for name in ("DOCKER_HOST",) if name in os.environ}
    own |= {"HANDSON_HOME": str(held.settings.home), "HANDSON_LANG": "ja"}
    try:
        if program == push.AWS_CLI:
            said = paste(shown.bash, tmp_path, **own)
        else:  # in a terminal of `handson lab`, which is set up
            said = paste_in_shell(shown.bash[len(shown.setup) :], tmp_path, **own)
        assert said.splitlines()[0] == held.aws.account
        assert "Login Succeeded" in said
        by_hand = look_at(held, tag)
        assert ([*map(str, by_hand.platforms)], by_hand.built_by) == (["linux/amd64"], None)
        held.tag_image(tag="latest", image=tag)
        assert passed(held, "image")
        local = held.build_image(shop, name=NAME, tag=tag)
        pushed = held.push_image(local, repository="rails-app")
        assert (look_at(held, tag).digest, pushed.layers_present > 0) == (pushed.digest, True)
        held.tag_image(tag="latest", image=tag)
        assert passed(held, "image")
    finally:
        remove_tags(client, "rails-app:")


def look_at(held: Workshop, tag: str) -> Image:
    [image] = [it for it in held.images("rails-app").images if tag in it.tags]
    return image


def passed(held: Workshop, check: str) -> bool:
    return next(it.passed for it in held.verify().checks if it.id == check)
