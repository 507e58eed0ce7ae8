"""Progress of a push, folded into one line."""

from __future__ import annotations

from handson.engine.model import format_size
from handson.engine.push_progress import PushProgress, draw_bar


class Ticks:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_speaks_at_most_once_an_interval() -> None:
    said: list[str] = []
    ticks = Ticks()
    progress = PushProgress(said.append, interval=1, clock=ticks)
    progress.advance("one", sent=0, size=2_000_000)
    ticks.now = 0.9
    progress.advance("one", sent=500_000, size=2_000_000)
    assert len(said) == 1


def test_the_first_line_adds_all_layers_up_and_each_has_a_line_of_its_own() -> None:
    said: list[str] = []
    ticks = Ticks()
    progress = PushProgress(said.append, interval=1, clock=ticks)
    progress.advance(f"sha256:{'a' * 64}", sent=1, size=2_000_000)
    progress.advance("two", sent=0, size=0)
    progress.skip("three")
    progress.advance("four", sent=3, size=1_000_000)
    progress.finish("four")
    ticks.now = 2.0
    progress.advance(f"sha256:{'a' * 64}", sent=1_000_000, size=2_000_000)
    assert said[-1].splitlines() == [
        "████████░░░░ 2.0 MB / 3.0 MB · 1.0 MB/秒 · レイヤー 2/4",
        "aaaaaaaaaaaa ██████░░░░░░ 1.0 MB / 2.0 MB · 500.0 kB/秒",
        "two 待っています",
        "three レジストリにもうあります",
        "four ████████████ 1.0 MB 送りました",
    ]


def test_a_layers_rate_counts_from_its_own_first_byte() -> None:
    said: list[str] = []
    ticks = Ticks()
    progress = PushProgress(said.append, interval=0, clock=ticks)
    progress.advance("one", sent=0, size=4_000_000)
    ticks.now = 10.0
    progress.advance("one", sent=1, size=4_000_000)
    ticks.now = 12.0
    progress.advance("one", sent=4_000_000, size=4_000_000)
    assert "2.0 MB/秒" in said[-1].splitlines()[1]


def test_where_layers_are_many_those_that_are_done_make_room() -> None:
    said: list[str] = []
    progress = PushProgress(said.append, interval=0)
    for number in range(30):
        progress.skip(f"old{number}")
    progress.advance("new", sent=1, size=2)
    assert [row.split()[0] for row in said[-1].splitlines()[1:]] == ["new"]


def test_a_layer_that_was_just_sent_is_not_counted_as_there_before() -> None:
    progress = PushProgress(lambda _line: None)
    progress.finish("one")
    progress.skip("one")
    progress.skip("two")
    assert (progress.pushed, progress.present) == (1, 1)


def test_the_bar_has_twelve_signs() -> None:
    full = {0: 0, 50: 6, 100: 12, 150: 12}
    bars = {done: draw_bar(done, 100) for done in full}
    assert bars == {done: "█" * it + "░" * (12 - it) for done, it in full.items()}


def test_sizes_are_shown_as_docker_shows_them() -> None:
    shown = {0: "0 B", 999: "999 B", 1000: "1.0 kB", 96_700_000: "96.7 MB", 2 * 10**9: "2.0 GB"}
    assert {size: format_size(size) for size in shown} == shown
