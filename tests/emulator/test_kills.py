"""SIGKILL: of a kernel after any call, in the middle of a push; of the embedded AWS in any verb."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handson.aws import emulator as embedded
from handson.aws.emulator import Running
from handson.core.errors import HandsonError
from handson.core.waiting import wait_until
from handson.notebook.workshop import Workshop
from tests.conftest import FULL
from tests.emulator import hooks
from tests.emulator.faults import Call
from tests.emulator.processes import kill
from tests.emulator.proxy import proxy_to
from tests.emulator.surviving import everything, running_at
from tests.emulator.victim import clean, ended, make, push, start, workshop
from tests.emulator.workshops import broken_chain, make_shop, open_workshop

pytestmark = [
    pytest.mark.process,
    pytest.mark.emulator,
    pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGKILL"),
]

KILLED = -9
EVERY = 1 if FULL else 5
"""A kernel is killed after every so manyth call."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return next_to_a_shop(tmp_path)


def next_to_a_shop(folder: Path) -> Path:
    """Return a home folder beside which there is a shop."""
    shop = make_shop(folder)
    (shop / "config.ru").write_text("run {}\n" * 9000)
    (shop / "Dockerfile").write_text("FROM scratch\nCOPY app.rb /srv/\nCOPY config.ru /srv/\n")
    return folder / "home"


def test_a_kernel_killed_after_any_call_is_completed_by_the_next(
    emulator: Running, folder: Path
) -> None:
    held = workshop(emulator, folder)
    make(held)
    calls, expected = len(hooks.writes(held.aws)), everything(held.aws)
    for k in range(0, calls, EVERY):
        hooks.reset(emulator)
        code = ended(start("make", emulator, folder, kill_after=k))
        assert everything(held.aws) != expected  # it was killed where something was missing
        make(held)
        assert (k, code, broken_chain(folder)) == (k, KILLED, [])
        assert everything(held.aws) == expected
    assert calls > 10


def test_a_clean_up_killed_after_any_call_is_completed_by_the_next(
    emulator: Running, folder: Path
) -> None:
    held = workshop(emulator, folder)
    held.aws.call("ecs", "CreateCluster", clusterName="somebody-elses")
    held.aws.call("ecr", "CreateRepository", repositoryName="somebody-elses")
    expected = everything(held.aws)
    make(held)
    held.aws.requests.clear()
    clean(held)
    calls = len(hooks.writes(held.aws))
    for k in range(0, calls, EVERY):
        make(held)
        code = ended(start("clean", emulator, folder, kill_after=k))
        clean(held)
        assert (k, code) == (k, KILLED)
        assert everything(held.aws) == expected
    assert calls > 8


def test_a_push_killed_in_the_middle_of_a_layer_goes_on_where_it_was(
    emulator: Running, folder: Path
) -> None:
    held = workshop(emulator, folder)
    held.ensure_repository()
    local = held.build_image(folder.parent / "shop")
    with proxy_to(emulator.port) as proxy:
        proxy.breaks(Call("registry", "PATCH blobs/uploads", 2), "stall")
        kernel = start("push", running_at(f"http://{proxy.address}"), folder)
        try:
            assert proxy.stalled.wait(30)
            wait_until(
                lambda: proxy.answered["PUT blobs/uploads"], done=bool, what="layer", timeout=30
            )
        finally:
            kernel.kill()
        assert ended(kernel) == KILLED
    pushed = held.push_image(local)
    [image] = held.images().images
    assert (pushed.layers_present, pushed.layers_pushed, image.digest) == (1, 1, pushed.digest)


def test_two_kernels_that_run_the_same_notebooks_at_once_make_one_of_each(
    emulator: Running, folder: Path
) -> None:
    held = workshop(emulator, folder)
    make(held)
    expected = everything(held.aws)
    hooks.reset(emulator)
    both = [start("make", emulator, folder) for _ in range(2)]
    assert [ended(kernel) for kernel in both] == [0, 0]
    lines = (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert (len(lines), broken_chain(folder)) == (6, [])
    assert everything(held.aws) == expected


# The embedded AWS

VERBS: dict[str, Callable[[Workshop], object]] = {
    "network": lambda held: held.ensure_network(),
    "cluster": lambda held: held.ensure_cluster(),
    "repository": lambda held: held.ensure_repository(),
    "push": push,
    "images": lambda held: held.images(),
    "record": lambda held: held.record_image_uri(),
    "evidence": lambda held: held.evidence("network"),
    "verify": lambda held: held.verify(),
    "draw": lambda held: held.draw(),
    "list": lambda held: held.cleanup(),
    "clean-up": clean,
}
OFTEN = ("clean-up",)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workshop, list[str]]]:
    """Return a workshop on an embedded AWS that may be killed, and what it shows."""
    home = next_to_a_shop(tmp_path_factory.mktemp("own"))
    shown: list[str] = []
    yield open_workshop(home, show=lambda card: shown.append(repr(card))), shown
    embedded.stop_emulator(home)


@pytest.mark.parametrize(
    "verb", [pytest.param(name, marks=[] if name in OFTEN else pytest.mark.full) for name in VERBS]
)
def test_an_embedded_aws_killed_in_a_verb_is_told_in_one_sentence_and_the_workshop_completes(
    own: tuple[Workshop, list[str]], verb: str
) -> None:
    held, shown = own
    make(held)
    shown.clear()
    before = held.journal().records
    held.aws._clients.clear()  # a client keeps the hooks it was made with
    lock = threading.Lock()

    def kill_server(**_: Any) -> None:
        with lock:
            running = embedded.find_running(held.settings.home)
            if running is not None:
                kill(running)

    held.aws.session.register("before-call", kill_server)
    told = []
    try:
        VERBS[verb](held)
    except HandsonError as error:
        told = str(error).splitlines()
    assert len(told) in (0, 2)
    make(held)
    assert [len(card.splitlines()) for card in shown] == [2]
    assert held.journal().records[: len(before)] == before
    assert broken_chain(held.settings.home) == []
    assert held.verify().passed
