"""What Docker's engine leaves when a build or a push breaks off, and how a rerun goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import psutil
import pytest

from handson.core.errors import EngineError
from handson.core.progress import ignore_progress
from handson.engine import Engine
from handson.engine.model import BuildRequest, Destination, LocalImage
from tests.fake_registry import Shelf, serving

pytestmark = pytest.mark.engine

NAME = "handson-test-interrupted"
LAYERS = 3
# Docker sends layers at once; sizes this different are done one after the other.
SIZES = (1_000, 2_000, 20_000_000)


@pytest.fixture(scope="module")
def image(
    engine: Engine, client: docker.APIClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalImage]:
    folder = tmp_path_factory.mktemp("layers")
    steps = ["FROM scratch"]
    for number, size in enumerate(SIZES):
        (folder / f"layer{number}").write_bytes(os.urandom(size))
        steps.append(f"COPY layer{number} /layer{number}")
    (folder / "Dockerfile").write_text("\n".join(steps))
    request = BuildRequest(folder, folder.parent / "images", name=NAME)
    built = engine.build(request, say=ignore_progress)
    yield built
    client.remove_image(built.id, force=True)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def there(shelf: Shelf) -> Iterator[Destination]:
    with serving(shelf) as registry:
        yield Destination(registry, "http", "shop", "AWS", "secret")


def interrupt_when(happened: Callable[[str], bool]) -> Callable[[str], None]:
    def say(line: str) -> None:
        if happened(line):
            raise KeyboardInterrupt

    return say


def test_a_push_cut_in_the_middle_of_a_layer_goes_on_with_what_is_missing(
    engine: Engine, image: LocalImage, there: Destination, shelf: Shelf
) -> None:
    shelf.cut_from = 1_000_000
    with pytest.raises(KeyboardInterrupt):
        # What is said next is said while the layer is sent again.
        engine.push(image, there, say=interrupt_when(lambda _: shelf.broken > 0))
    arrived = dict(shelf.blobs)
    assert len(arrived) == LAYERS - 1
    shelf.cut_from, shelf.seen = 0, []
    again = engine.push(image, there, say=ignore_progress)
    assert (again.layers_pushed, again.layers_present) == (1, LAYERS - 1)
    # The one layer and the image's configuration; nothing of what had arrived.
    assert shelf.sent() == 2
    assert arrived.items() <= shelf.blobs.items()


def test_a_push_cut_before_its_manifest_is_told_and_sends_no_layer_again(
    engine: Engine, image: LocalImage, there: Destination, shelf: Shelf
) -> None:
    shelf.hang_up = "PUT manifests"
    with pytest.raises(EngineError, match="途中で切れました"):
        engine.push(image, there, say=ignore_progress)
    shelf.hang_up, shelf.seen = "", []
    again = engine.push(image, there, say=ignore_progress)
    assert (again.layers_pushed, again.layers_present, shelf.sent()) == (0, LAYERS, 0)


def test_a_build_that_is_interrupted_leaves_nothing_running(
    engine: Engine, base: str, tmp_path: Path
) -> None:
    mark = f"handson-{os.getpid()}"
    (tmp_path / "Dockerfile").write_text(f"FROM {base}\nRUN echo begun; sleep 60; : {mark}\n")
    request = BuildRequest(tmp_path, tmp_path / "images", name=NAME)
    with pytest.raises(KeyboardInterrupt):
        engine.build(request, say=interrupt_when(lambda line: "begun" in line))
    deadline = time.monotonic() + 15
    while running(mark) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert running(mark) == []


def running(mark: str) -> list[int]:
    """Return the processes whose command line carries a mark."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(mark in part for part in process.info["cmdline"] or ())
    ]
