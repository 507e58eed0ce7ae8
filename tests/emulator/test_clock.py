"""A computer's clock that is set back: nothing that was proved is lost, and nothing made twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handson import grading
from handson.aws.emulator import Running
from handson.course import syllabus
from handson.course.evidence import Journal, is_intact
from handson.notebook.workshop import Workshop
from handson.resources import cleanup
from tests.emulator.workshops import open_workshop

pytestmark = pytest.mark.emulator

BACK = timedelta(days=400)


class SetBack:
    """A clock that goes a second on at each look, until it is set back."""

    def __init__(self) -> None:
        self.time = datetime(2026, 5, 11, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def clock() -> SetBack:
    return SetBack()


@pytest.fixture
def held(emulator: Running, tmp_path: Path, clock: SetBack) -> Workshop:
    (tmp_path / "Hanako").mkdir()
    handed_in = {"HANDSON_HAND_IN": str(tmp_path / "Hanako")}
    home = tmp_path / "home"
    return open_workshop(home, endpoint=emulator.endpoint, environ=handed_in, clock=clock)


def make(held: Workshop, shop: Path) -> None:
    held.ensure_network()
    held.ensure_cluster()
    held.ensure_repository()
    held.push_image(held.build_image(shop))
    held.record_image_uri()


def prove(held: Workshop) -> None:
    for check in syllabus.CHECK_IDS:
        held.evidence(check)


def test_what_is_proved_after_the_clock_was_set_back_counts_and_nothing_proved_before_is_lost(
    held: Workshop, shop: Path, clock: SetBack, tmp_path: Path
) -> None:
    prove(held)
    before = Journal(held.settings.home).records()
    clock.time -= BACK
    make(held, shop)
    prove(held)
    held.hand_in()
    records = Journal(held.settings.home).records()
    digests = [record["digest"] for record in records]
    assert records[: len(before)] == before
    assert [record.get("previous") for record in records] == [None, *digests[:-1]]
    assert [record for record in records if not is_intact(record)] == []
    [graded] = grading.grade_class([tmp_path / "Hanako"]).results
    assert graded.points == 80


def test_a_clean_up_after_the_clock_was_set_back_costs_nothing_less_than_nothing(
    held: Workshop, shop: Path, clock: SetBack
) -> None:
    make(held, shop)
    first = held.cleanup(confirm="delete").saved
    make(held, shop)
    clock.time -= BACK
    second = held.cleanup(confirm="delete").saved
    assert first is not None
    assert second is not None
    assert second.path != first.path
    assert (second.receipt.nothing_left, second.receipt.cost.usd) == (True, 0.0)
    assert cleanup.find_tagged(held.aws) == ()
