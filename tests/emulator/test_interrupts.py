"""The stop button: a verb is interrupted at any of its calls, and run again in the same kernel.

The interrupt is the one that Jupyter sends, so it comes to the main thread while a call may be
under way in another; the connection, the locks and the journal are those of before.
"""

from __future__ import annotations

import _thread
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handson.aws import emulator as room
from handson.course import syllabus
from tests.conftest import FULL
from tests.emulator import judging
from tests.emulator.hooks import reset, shape
from tests.emulator.learner import Learner
from tests.emulator.workshops import broken_chain

pytestmark = [pytest.mark.emulator, pytest.mark.process]

LONGEST = 2.0
"""Seconds in which an interrupt reaches the main thread."""


@pytest.fixture(scope="module")
def learner(running: room.Running, tmp_path_factory: pytest.TempPathFactory) -> Learner:
    return Learner(running, tmp_path_factory.mktemp("interrupted") / "home")


def make(learner: Learner) -> object:
    workshop = learner.workshop
    workshop.ensure_network()
    workshop.ensure_cluster()
    workshop.ensure_repository()
    return shape(learner.aws), judging.resources(learner.look())


def prove(learner: Learner) -> object:
    for check in syllabus.CHECK_IDS:
        learner.workshop.evidence(check)
    return judging.false_facts(learner.verify())


def clean(learner: Learner) -> object:
    learner.workshop.cleanup(confirm="delete")
    return learner.workshop.cleanup().found


VERBS: dict[str, tuple[Callable[[Learner], object], Callable[[Learner], object]]] = {
    "make": (lambda learner: reset(learner.running), make),
    "prove": (Learner.finish, prove),
    "clean": (Learner.finish, clean),
}


@contextlib.contextmanager
def interrupted(learner: Learner, *, at: int) -> Iterator[list[str]]:
    """Interrupt the main thread at a call, the first being 1; give the calls that are made."""
    calls: list[str] = []

    def count(model: Any, **_: Any) -> None:
        calls.append(model.name)
        if len(calls) == at:
            _thread.interrupt_main()

    services = [learner.aws.client(name) for name in ("ec2", "ecs", "ecr", "sts")]
    for client in services:
        client.meta.events.register("before-call", count)
    try:
        yield calls
    finally:
        for client in services:
            client.meta.events.unregister("before-call", count)


@pytest.mark.parametrize("name", VERBS)
def test_what_was_interrupted_at_any_call_is_done_by_running_it_again(
    learner: Learner, name: str
) -> None:
    prepare, verb = VERBS[name]
    prepare(learner)
    with interrupted(learner, at=0) as calls:
        expected = verb(learner)
    for at in range(1, len(calls) + 1, 1 if FULL else 11):
        prepare(learner)
        with interrupted(learner, at=at), pytest.raises(KeyboardInterrupt):  # noqa: PT012
            verb(learner)
            time.sleep(LONGEST)
        assert (at, verb(learner)) == (at, expected)
    assert broken_chain(learner.home) == []
