"""A computer's clock that is set back: nothing that was proved is lost, and nothing made twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handson import grading
from handson.aws.emulator import Running
from handson.course import syllabus
from handson.course.evidence import Journal
from tests.emulator.workshops import broken_chain, finish, open_workshop

pytestmark = pytest.mark.emulator


def test_what_is_proved_after_the_clock_was_set_back_counts_and_nothing_proved_before_is_lost(
    emulator: Running, tmp_path: Path, shop: Path
) -> None:
    time, handed_in = [datetime(2026, 5, 11, 9, 0, tzinfo=UTC)], tmp_path / "Hanako"
    handed_in.mkdir()

    def clock() -> datetime:
        time[0] += timedelta(seconds=1)
        return time[0]

    held = open_workshop(
        tmp_path / "home",
        endpoint_url=emulator.endpoint,
        environ={"HANDSON_HAND_IN": str(handed_in)},
        ways={"clock": clock},
    )
    before = [held.evidence(check).record for check in syllabus.CHECK_IDS]
    time[0] -= timedelta(days=400)
    finish(held, shop)
    after = [held.evidence(check).record for check in syllabus.CHECK_IDS]
    handed = held.hand_in()
    assert Journal(held.settings.home).records() == [*before, *after]
    assert broken_chain(held.settings.home) == []
    [graded] = grading.grade_class([handed.path]).results
    assert graded.points == 80
