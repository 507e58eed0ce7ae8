"""Progress of a push, folded into one line."""

from __future__ import annotations

import pytest

from handson.engine import human_size
from handson.engine.tally import Tally, bar


def test_it_speaks_at_most_once_an_interval() -> None:
    said: list[str] = []
    times = iter([0.0, 0.0, 0.1, 2.0])
    tally = Tally(said.append, interval=1, clock=lambda: next(times))
    tally.at("one", sent=0, size=2_000_000)
    tally.at("one", sent=500_000, size=2_000_000)
    tally.at("one", sent=1_000_000, size=2_000_000)
    assert said[1:] == ["██████░░░░░░ 1.0 MB / 2.0 MB · 500.0 kB/秒 · レイヤー 0/1"]


def test_a_layer_that_was_just_sent_is_not_counted_as_there_before() -> None:
    tally = Tally(lambda _line: None)
    tally.sent("one")
    tally.had("one")
    tally.had("two")
    assert (tally.pushed, tally.present) == (1, 1)


@pytest.mark.parametrize(("done", "full"), [(0, 0), (50, 6), (100, 12), (150, 12)])
def test_the_bar_has_twelve_signs(done: int, full: int) -> None:
    assert bar(done, 100) == "█" * full + "░" * (12 - full)


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (96_700_000, "96.7 MB"), (2 * 10**9, "2.0 GB")],
)
def test_sizes_are_shown_as_docker_shows_them(size: int, shown: str) -> None:
    assert human_size(size) == shown
