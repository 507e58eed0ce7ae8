"""SIGKILL: of a kernel after any call, in the middle of a push; of the embedded AWS in any verb."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handson.emulator import Running
from handson.evidence import Journal, is_intact
from handson.workshop import Workshop
from tests.emulator import hooks
from tests.emulator.surviving import everything
from tests.emulator.victim import clean, kernels, make, workshop

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGKILL"),
]

KILLED = -9
Kernel = Callable[..., int]


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with kernels() as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a home folder beside which there is a shop."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "app.rb").write_text("puts 1\n")
    (tmp_path / "shop" / "Dockerfile").write_text("FROM scratch\nCOPY app.rb /srv/\n")
    return tmp_path / "home"


def chained(home: Path) -> bool:
    records = Journal(home).records()
    digests = [record["digest"] for record in records]
    previous = [record["previous"] for record in records]
    return previous == [None, *digests][: len(records)] and all(map(is_intact, records))


def made(held: Workshop) -> tuple[object, int]:
    """Make everything undisturbed; return what stands, and how many calls have made it."""
    held.aws.requests.clear()
    make(held)
    calls = len(hooks.writes(held.aws))
    return everything(held.aws), calls


def test_a_kernel_killed_after_any_call_is_completed_by_the_next(
    emulator: Running, folder: Path, kernel: Kernel
) -> None:
    held = workshop(emulator, folder)
    expected, calls = made(held)
    wrong = []
    for k in range(calls):
        hooks.reset(emulator)
        code = kernel("make", emulator, folder, kill_after=k)
        make(held)
        seen = (code, everything(held.aws) == expected, chained(folder))
        wrong += [] if seen == (KILLED, True, True) else [(k, seen)]
    assert (calls > 10, wrong) == (True, [])


def test_a_clean_up_killed_after_any_call_is_completed_by_the_next(
    emulator: Running, folder: Path, kernel: Kernel
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
        code = kernel("clean", emulator, folder, kill_after=k)
        clean(held)
        seen = (code, everything(held.aws) == expected)
        wrong += [] if seen == (KILLED, True) else [(k, seen)]
    assert (calls > 8, wrong) == (True, [])


# What would not survive is found


def test_a_kernel_that_is_not_killed_ends_as_any(
    emulator: Running, folder: Path, kernel: Kernel
) -> None:
    assert kernel("make", emulator, folder) == 0


def test_a_kernel_is_killed_when_the_call_has_taken_effect(
    emulator: Running, folder: Path, kernel: Kernel
) -> None:
    codes = [kernel("make", emulator, folder, kill_after=k) for k in (0, 1)]
    held = workshop(emulator, folder)
    assert (codes, everything(held.aws) == made(held)[0]) == ([KILLED, KILLED], False)
