from __future__ import annotations

import io
from typing import Any

import pytest

from handson.core import progress
from handson.core.progress import TerminalProgress, ThrottledLine, show_work


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Ticks:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def notebook_line(ticks: Ticks) -> tuple[ThrottledLine, list[str]]:
    shown: list[str] = []
    return ThrottledLine(shown.append, interval=0.1, clock=ticks), shown


def seen(stream: Terminal) -> str:
    """Return what a terminal was sent, without the switch that keeps lines from wrapping."""
    return stream.getvalue().replace("\x1b[?7l", "").replace("\x1b[?7h", "")


def told(line: Any, *sentences: str) -> None:
    for sentence in sentences:
        line(sentence)


def fail(terminal: TerminalProgress, reason: type[BaseException]) -> None:
    with show_work(terminal, "Build") as line:
        line("step 1")
        raise reason


# A terminal, and what is none


def test_a_file_gets_the_last_sentence_only() -> None:
    stream = io.StringIO()
    line = TerminalProgress(stream).line("Build")
    told(line, "step 1", "step 2")
    line.done("Done.")
    assert stream.getvalue() == "▸ Build: Done.\n"


def test_a_terminal_gets_one_line_that_is_replaced() -> None:
    stream = Terminal()
    line = TerminalProgress(stream).line("Build")
    line("step 1")
    line.done("Done.")
    assert seen(stream) == "\r\x1b[J▸ Build: step 1\r\x1b[J▸ Build: Done.\n"


def test_lines_below_are_replaced_with_the_first() -> None:
    stream = Terminal()
    line = TerminalProgress(stream).line("Push")
    line("2 layers\none\ntwo")
    line.done("Done.")
    assert seen(stream) == "\r\x1b[J▸ Push: 2 layers\n▸ one\n▸ two\r\x1b[2A\x1b[J▸ Push: Done.\n"


def test_a_sentence_too_long_for_the_terminal_is_cut() -> None:
    stream = Terminal()
    TerminalProgress(stream, columns=40).line("Build")("x" * 100)
    assert len(seen(stream).removeprefix("\r\x1b[J")) < 40


def test_japanese_letters_are_reckoned_twice_as_wide() -> None:
    stream = Terminal()
    TerminalProgress(stream, columns=40).line("Build")("層" * 100)
    assert 10 < stream.getvalue().count("層") < 20


def test_a_bar_of_a_layer_fits_a_terminal_of_eighty_columns() -> None:
    stream = Terminal()
    row = "abcdef012345 ████████████ 500.0 MB / 999.9 MB · 100.0 MB/秒"
    TerminalProgress(stream, columns=80).line("プッシュ")(f"0/4\n{row}")
    assert row in stream.getvalue()


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    TerminalProgress().line("Build").done("Done.")
    assert capsys.readouterr() == ("", "▸ Build: Done.\n")


# A notebook


def test_a_notebook_line_is_updated_at_most_once_an_interval() -> None:
    ticks = Ticks()
    line, shown = notebook_line(ticks)
    told(line, "first", "too soon")
    ticks.now = 0.2
    line("later")
    assert shown == ["first", "later"]


def test_the_last_sentence_is_shown_however_soon_it_comes() -> None:
    line, shown = notebook_line(Ticks())
    line("first")
    line.done("Done.")
    assert shown[-1] == "Done."


def test_a_line_of_progress_is_escaped_in_html() -> None:
    assert "<script>" not in progress._bundle("Push", "<script>")["text/html"]


def test_every_line_of_progress_has_the_sign_that_a_replay_knows_it_by() -> None:
    bundle = progress._bundle("Push", "2 layers\none\ntwo")
    assert bundle["text/plain"].splitlines() == ["▸ Push: 2 layers", "▸ one", "▸ two"]
    assert ">▸ Push: 2 layers<br>▸ one<br>▸ two<" in bundle["text/html"]


def test_this_process_is_no_notebook() -> None:
    assert progress.is_notebook() is False


def test_a_process_without_a_notebook_shows_progress_as_a_terminal_does() -> None:
    assert isinstance(progress.choose_progress(), TerminalProgress)


def test_a_card_beside_a_result_goes_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress.show_card("news")
    assert capsys.readouterr() == ("", "news\n")


# The line of a verb


def test_a_verb_that_ends_leaves_its_sentence() -> None:
    stream = io.StringIO()
    with show_work(TerminalProgress(stream), "Build"):
        pass
    assert stream.getvalue() == "▸ Build: 終わりました。\n"


@pytest.mark.parametrize("reason", [ValueError, KeyboardInterrupt])
def test_a_verb_that_fails_leaves_a_sentence_and_a_whole_line(
    reason: type[BaseException],
) -> None:
    stream = Terminal()
    with pytest.raises(reason):
        fail(TerminalProgress(stream), reason)
    assert stream.getvalue().endswith("▸ Build: 途中で止まりました。\n")
