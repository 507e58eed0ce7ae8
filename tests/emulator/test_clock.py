"""A computer's clock that is set back: nothing that was proved is lost, and nothing made twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handson import grading
from handson.aws.emulator import Running
from handson.course import syllabus
from handson.course.evidence import Journal
from handson.notebook.workshop import Workshop
from tests.emulator.workshops import broken_chain, finish, open_workshop

pytestmark = pytest.mark.emulator


class SetBack:
    """A clock that goes a second on at each look, until it is set back."""

    def __init__(self) -> None:
        self.time = datetime(2026, 5, 11, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


def test_what_is_proved_after_the_clock_was_set_back_counts_and_nothing_proved_before_is_lost(
    emulator: Running, tmp_path: Path, shop: Path
) -> None:
    clock, handed_in = SetBack(), tmp_path / "Hanako"
    handed_in.mkdir()
    held = open_workshop(
        tmp_path / "home",
        endpoint_url=emulator.endpoint,
        environ={"HANDSON_HAND_IN": str(handed_in)},
        ways={"clock": clock},
    )
    prove(held)
    before = Journal(held.settings.home).records()
    clock.time -= timedelta(days=400)
    finish(held, shop)
    prove(held)
    held.hand_in()
    records = Journal(held.settings.home).records()
    assert records[: len(before)] == before
    assert broken_chain(held.settings.home) == []
    [graded] = grading.grade_class([handed_in]).results
    assert graded.points == 80


def prove(held: Workshop) -> None:
    for check in syllabus.CHECK_IDS:
        held.evidence(check)
