"""The console's push commands, as they are printed, pasted into bash: real aws, real docker."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from handson.aws import emulator, settings
from handson.core.progress import TerminalProgress
from handson.notebook.workshop import Workshop
from tests.shell import paste, require_shell

pytestmark = pytest.mark.engine

NAME = "handson-test-pasted"
TINY = "handson-test-tiny"
DOCKERFILE = "ARG BASE_IMAGE=ruby:3.4-slim\nFROM ${BASE_IMAGE}\nCOPY shop.rb /srv/\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "my shop"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "shop.rb").write_text("puts 1\n")
    return folder


@pytest.fixture
def tiny(client: docker.APIClient) -> Iterator[str]:
    """A base image that costs no time to push."""
    empty = io.BytesIO()
    with tarfile.open(fileobj=empty, mode="w"):
        pass
    client.import_image_from_data(empty.getvalue(), repository=TINY, tag="latest")
    yield f"{TINY}:latest"
    client.remove_image(f"{TINY}:latest", force=True)


@pytest.fixture
def held(tiny: str, tmp_path: Path) -> Iterator[Workshop]:
    given = {"HANDSON_HOME": str(tmp_path / "home"), "HANDSON_BASE_IMAGE": tiny, **os.environ}
    chosen = settings.read_settings(given, cwd=tmp_path)
    yield Workshop(chosen, progress=TerminalProgress(), show=print)
    emulator.stop_emulator(chosen.home)


def test_the_bash_commands_as_printed_push_an_image(
    held: Workshop, client: docker.APIClient, shop: Path, tmp_path: Path
) -> None:
    require_shell(docker=True)
    held.ensure_repository(NAME)
    commands = held.push_commands(NAME, context=shop.name).bash
    engine: dict[str, Any] = {"DOCKER_HOST": os.environ.get("DOCKER_HOST", "")}
    try:
        said = paste(commands, tmp_path, **{name: it for name, it in engine.items() if it})
    finally:
        for image in client.images():
            for tag in image["RepoTags"] or ():
                if f"{NAME}:" in tag:
                    client.remove_image(tag, noprune=True)
    (image,) = held.images(NAME).images
    assert image.tags == ("latest",)
    assert "Login Succeeded" in said
    assert [f"{it.os}/{it.architecture}" for it in image.platforms] == ["linux/amd64"]
