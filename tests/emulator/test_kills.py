"""SIGKILL: of a kernel after any call, in the middle of a push; of the embedded AWS in any verb."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from handson.aws import emulator as embedded
from handson.aws.emulator import Running
from handson.core.errors import HandsonError
from handson.core.progress import TerminalProgress
from handson.core.waiting import wait_until
from handson.course.evidence import Journal, is_intact
from handson.notebook.workshop import Workshop
from tests.emulator import hooks
from tests.emulator.faults import Call
from tests.emulator.proxy import proxy_to
from tests.emulator.surviving import everything, running_at
from tests.emulator.test_workshop import kill
from tests.emulator.victim import Kernels, clean, ended, make, push, settings_of, workshop

pytestmark = [
    pytest.mark.process,
    pytest.mark.emulator,
    pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGKILL"),
]

KILLED = -9
Own = tuple[Workshop, list[str]]


@pytest.fixture(scope="module")
def kernels() -> Kernels:
    return Kernels()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a home folder beside which there is a shop."""
    fill_shop(tmp_path)
    return tmp_path / "home"


def fill_shop(folder: Path) -> None:
    (folder / "shop").mkdir()
    (folder / "shop" / "app.rb").write_text("puts 1\n")
    (folder / "shop" / "config.ru").write_text("run {}\n" * 9000)
    text = "FROM scratch\nCOPY app.rb /srv/\nCOPY config.ru /srv/\n"
    (folder / "shop" / "Dockerfile").write_text(text)


def chained(home: Path) -> bool:
    records = Journal(home).records()
    digests = [record["digest"] for record in records]
    previous = [record.get("previous") for record in records]
    return previous == [None, *digests][: len(records)] and all(map(is_intact, records))


def made(held: Workshop) -> tuple[object, int]:
    """Make everything undisturbed; return what stands, and how many calls have made it."""
    held.aws.requests.clear()
    make(held)
    calls = len(hooks.writes(held.aws))
    return everything(held.aws), calls


def test_a_kernel_killed_after_any_call_is_completed_by_the_next(
    emulator: Running, folder: Path, kernels: Kernels
) -> None:
    held = workshop(emulator, folder)
    expected, calls = made(held)
    wrong = []
    for k in range(calls):
        hooks.reset(emulator)
        code = kernels.run("make", emulator, folder, kill_after=k)
        make(held)
        seen = (code, everything(held.aws) == expected, chained(folder))
        wrong += [] if seen == (KILLED, True, True) else [(k, seen)]
    assert (calls > 10, wrong) == (True, [])


def test_a_clean_up_killed_after_any_call_is_completed_by_the_next(
    emulator: Running, folder: Path, kernels: Kernels
) -> None:
    held = workshop(emulator, folder)
    held.aws.call("ecs", "CreateCluster", clusterName="somebody-elses")
    held.aws.call("ecr", "CreateRepository", repositoryName="somebody-elses")
    expected = everything(held.aws)
    make(held)
    held.aws.requests.clear()
    clean(held)
    calls = len(hooks.writes(held.aws))
    wrong = []
    for k in range(calls):
        make(held)
        code = kernels.run("clean", emulator, folder, kill_after=k)
        clean(held)
        seen = (code, everything(held.aws) == expected)
        wrong += [] if seen == (KILLED, True) else [(k, seen)]
    assert (calls > 8, wrong) == (True, [])


# A push, in the middle of an upload


def test_a_push_killed_in_the_middle_of_a_layer_goes_on_where_it_was(
    emulator: Running, folder: Path, kernels: Kernels
) -> None:
    held = workshop(emulator, folder)
    held.ensure_repository()
    local = held.build_image(folder.parent / "shop")
    with proxy_to(emulator.port) as proxy:
        proxy.breaks(Call("registry", "PATCH blobs/uploads", 2), "stall")
        kernel = kernels.start("push", running_at(f"http://127.0.0.1:{proxy.port}"), folder)
        assert proxy.stalled.wait(30)
        wait_until(lambda: proxy.answered["PUT blobs/uploads"], done=bool, what="layer", timeout=30)
        kernel.kill()
        assert ended(kernel) == KILLED
    pushed = held.push_image(local)
    [image] = held.images().images
    assert (pushed.layers_present, pushed.layers_pushed, image.digest) == (1, 1, pushed.digest)


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


class KillServer:
    """Kills the embedded AWS on the way of the next call to it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()

    def attach(self, session: Any) -> None:
        session.register("before-call", self._before)

    def _before(self, **_: Any) -> None:
        with self._lock:
            running = embedded.find_running(self._home)
            if running is not None:
                kill(running.pid)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    """Return a workshop on an embedded AWS that may be killed, and what it shows."""
    folder = tmp_path_factory.mktemp("own")
    fill_shop(folder)
    shown: list[str] = []
    chosen = settings_of(folder / "home", None)
    held = Workshop(
        chosen, progress=TerminalProgress(StringIO()), show=lambda card: shown.append(repr(card))
    )
    make(held)
    yield held, shown
    embedded.stop_emulator(folder / "home")


@pytest.mark.parametrize("verb", VERBS)
def test_an_embedded_aws_killed_in_a_verb_is_told_in_one_sentence_and_the_workshop_completes(
    own: Own, verb: str
) -> None:
    held, shown = own
    make(held)
    shown.clear()
    before = held.journal().records
    with_killer(held, KillServer(held.settings.home))
    told = lines_of(lambda: VERBS[verb](held))
    make(held)
    seen = [len(card.splitlines()) for card in shown]
    kept = held.journal().records[: len(before)] == before and chained(held.settings.home)
    assert (told in (0, 2), seen, kept, held.verify().passed) == (True, [2], True, True)


def with_killer(held: Workshop, hook: hooks.Hook) -> None:
    held.aws._clients.clear()  # a client keeps the hooks it was made with
    hook.attach(held.aws.session)


def lines_of(action: Callable[[], object]) -> int:
    """Return how many lines the learner is told where it fails; 0 where it does not."""
    try:
        action()
    except HandsonError as error:
        return len(str(error).splitlines())
    return 0


# Two kernels at once


def test_two_kernels_that_run_the_same_notebooks_at_once_make_one_of_each(
    emulator: Running, folder: Path, kernels: Kernels
) -> None:
    held = workshop(emulator, folder)
    expected, _ = made(held)
    hooks.reset(emulator)
    both = [kernels.start("make", emulator, folder) for _ in range(2)]
    assert [ended(kernel) for kernel in both] == [0, 0]
    lines = (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    records = Journal(folder).records()
    assert (everything(held.aws) == expected, held.verify().passed) == (True, True)
    assert (len(lines), len(records), chained(folder)) == (6, 6, True)


# What would not survive is found


def test_a_kernel_that_is_not_killed_ends_as_any(
    emulator: Running, folder: Path, kernels: Kernels
) -> None:
    assert kernels.run("make", emulator, folder) == 0


def test_a_kernel_is_killed_when_the_call_has_taken_effect(
    emulator: Running, folder: Path, kernels: Kernels
) -> None:
    codes = [kernels.run("make", emulator, folder, kill_after=k) for k in (0, 1)]
    held = workshop(emulator, folder)
    assert (codes, everything(held.aws) == made(held)[0]) == ([KILLED, KILLED], False)
