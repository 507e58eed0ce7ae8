"""Docker's engine: a push or a build that breaks off, and an image that builtin has pushed."""

from __future__ import annotations

import io
import json
import os
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from handson.core.progress import ignore_progress
from handson.engine import Engine
from handson.engine.builtin_engine import BuiltinEngine
from handson.engine.model import BuildRequest, Destination, LocalImage
from tests.fake_registry import Shelf

pytestmark = pytest.mark.engine

NAME = "handson-test-docker"
# Docker sends layers at once; sizes this different are done one after the other.
SIZES = (1_000, 2_000, 20_000_000)
DOCKERFILE = """\
# escape=\\
ARG WHERE=/srv
FROM scratch
ARG WHERE=/srv/shop
LABEL title="a shop"
ENV ONE=1 \\
    TWO="${ONE} and 2"
WORKDIR ${WHERE}
COPY . .
COPY goods/*.svg goods/te?.txt ./public/
COPY --chown=1000:1001 start /usr/bin/go
COPY goods /goods
ADD start /added/
EXPOSE 3000
VOLUME ["/data"]
HEALTHCHECK --interval=10s --retries=2 CMD ["/usr/bin/go", "probe"]
STOPSIGNAL SIGINT
USER 1000:1001
ENTRYPOINT ["/usr/bin/go"]
CMD ["serve"]
"""


@pytest.fixture
def image(engine: Engine, client: docker.APIClient, tmp_path: Path) -> Iterator[LocalImage]:
    steps = ["FROM scratch"]
    for number, size in enumerate(SIZES):
        (tmp_path / f"layer{number}").write_bytes(os.urandom(size))
        steps.append(f"COPY layer{number} /layer{number}")
    (tmp_path / "Dockerfile").write_text("\n".join(steps))
    built = engine.build(BuildRequest(tmp_path, tmp_path, name=NAME), say=ignore_progress)
    yield built
    client.remove_image(built.id, force=True)


def test_a_push_cut_in_the_middle_of_a_layer_goes_on_with_what_is_missing(
    engine: Engine, image: LocalImage, there: Destination, shelf: Shelf
) -> None:
    def interrupt(_line: str) -> None:
        # What is said next is said while the layer is sent again.
        if shelf.cuts < 99:
            raise KeyboardInterrupt

    shelf.cuts, shelf.cut_from = 99, 1_000_000
    with pytest.raises(KeyboardInterrupt):
        engine.push(image, there, say=interrupt)
    arrived = dict(shelf.blobs)
    assert len(arrived) == len(SIZES) - 1
    shelf.cuts, shelf.seen = 0, []
    again = engine.push(image, there, say=ignore_progress)
    assert (again.layers_pushed, again.layers_present) == (1, len(SIZES) - 1)
    # The one layer and the image's configuration; nothing of what had arrived.
    assert shelf.sent() == 2
    assert arrived.items() <= shelf.blobs.items()


def test_a_build_that_is_interrupted_leaves_nothing_running(
    engine: Engine, base: str, tmp_path: Path
) -> None:
    mark = f"handson-{os.getpid()}"
    (tmp_path / "Dockerfile").write_text(f"FROM {base}\nRUN echo begun; sleep 60; : {mark}\n")
    request = BuildRequest(tmp_path, tmp_path / "images", name=NAME)

    def interrupt(line: str) -> None:
        if "begun" in line:
            raise KeyboardInterrupt

    def running() -> list[psutil.Process]:
        found = psutil.process_iter(["cmdline"])
        return [it for it in found if mark in " ".join(it.info["cmdline"] or ())]

    with pytest.raises(KeyboardInterrupt):
        engine.build(request, say=interrupt)
    deadline = time.monotonic() + 15
    while running() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert running() == []


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    (folder / "goods" / "old").mkdir(parents=True)
    (folder / "log").mkdir()
    goods = ("tea.svg", "cup.svg", "tea.txt", "old/cup.txt")
    for name in (*(f"goods/{it}" for it in goods), "log/production.log", "log/keep", "start"):
        (folder / name).write_text(name)
    (folder / "start").chmod(0o750)
    (folder / "link").symlink_to("goods/tea.svg")
    (folder / ".dockerignore").write_text("log/*\n!log/keep\n**/old\nDockerfile\n.dockerignore\n")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    return folder


def content(client: docker.APIClient, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an image's configuration, and its files with their kind, owner, mode and content."""
    found: dict[str, Any] = {}
    with tarfile.open(fileobj=io.BytesIO(b"".join(client.get_image(name)))) as saved:
        manifest = json.load(saved.extractfile("manifest.json"))[0]  # type: ignore[arg-type]
        config = json.load(saved.extractfile(manifest["Config"]))["config"]  # type: ignore[arg-type]
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=saved.extractfile(layer)) as tar:
                for it in tar:
                    inside = tar.extractfile(it).read() if it.isreg() else it.linkname  # type: ignore[union-attr]
                    own = () if it.isdir() else (it.mode & 0o7777, inside)
                    found[it.name.strip("/")] = (it.type, it.uid, it.gid, *own)
    return config, found


def test_what_builtin_pushes_docker_pulls_like_what_it_builds_itself(
    engine: Engine, client: docker.APIClient, context: Path, there: Destination
) -> None:
    request = BuildRequest(context, context.parent / "images", name=NAME)
    builtin = BuiltinEngine()
    packed = builtin.build(request, say=ignore_progress)
    pushed = builtin.push(packed, there, say=ignore_progress)
    name = f"{there.registry}/{there.repository}"
    own = engine.build(request, say=ignore_progress).id
    try:
        client.pull(name, tag="latest", auth_config=there.login)
        assert f"{name}@{pushed.digest}" in client.inspect_image(f"{name}:latest")["RepoDigests"]
        of_engine, files_of_engine = content(client, own)
        of_builtin, files_of_builtin = content(client, f"{name}:latest")
    finally:
        for image in (own, f"{name}:latest"):
            client.remove_image(image, force=True)
    assert files_of_builtin == files_of_engine
    assert of_builtin.pop("Labels") == of_engine["Labels"] | {"io.handson.engine": "builtin"}
    assert of_builtin == {name: of_engine[name] for name in of_builtin}
