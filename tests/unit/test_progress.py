from __future__ import annotations

import io
from typing import Any

import pytest

from handson import progress
from handson.progress import NotebookLine, TerminalProgress, working


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Handle:
    """A display handle that keeps what it was updated with."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def update(self, bundle: dict[str, str], *, raw: bool) -> None:
        self.shown.append(bundle["text/plain"])


class Ticks:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def notebook_line(ticks: Ticks) -> tuple[NotebookLine, Handle]:
    handle = Handle()
    return NotebookLine("Build", handle=handle, interval=0.1, clock=ticks), handle


def told(line: Any, *sentences: str) -> None:
    for sentence in sentences:
        line(sentence)


def fail(terminal: TerminalProgress, reason: type[BaseException]) -> None:
    with working(terminal, "Build", done="Done.", broken_off="Broken off.") as line:
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
    assert stream.getvalue() == "\r\x1b[2K▸ Build: step 1\r\x1b[2K▸ Build: Done.\n"


def test_a_sentence_too_long_for_the_terminal_is_cut() -> None:
    stream = Terminal()
    TerminalProgress(stream, columns=40).line("Build")("x" * 100)
    assert len(stream.getvalue().removeprefix("\r\x1b[2K")) < 40


def test_japanese_letters_are_reckoned_twice_as_wide() -> None:
    stream = Terminal()
    TerminalProgress(stream, columns=40).line("Build")("層" * 100)
    assert stream.getvalue().count("層") < 20


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    TerminalProgress().line("Build").done("Done.")
    assert capsys.readouterr() == ("", "▸ Build: Done.\n")


# A notebook


def test_a_notebook_line_is_updated_at_most_once_an_interval() -> None:
    ticks = Ticks()
    line, handle = notebook_line(ticks)
    told(line, "first", "too soon")
    ticks.now = 0.2
    line("later")
    assert handle.shown == ["▸ Build: first", "▸ Build: later"]


def test_the_last_sentence_is_shown_however_soon_it_comes() -> None:
    line, handle = notebook_line(Ticks())
    line("first")
    line.done("Done.")
    assert handle.shown[-1] == "▸ Build: Done."


def test_a_line_of_progress_is_escaped_in_html() -> None:
    assert "<script>" not in progress._bundle("<script>")["text/html"]


def test_this_process_is_no_notebook() -> None:
    assert progress.in_notebook() is False


def test_a_process_without_a_notebook_shows_progress_as_a_terminal_does() -> None:
    assert isinstance(progress.choose(), TerminalProgress)


def test_a_card_beside_a_result_goes_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress.show("news")
    assert capsys.readouterr() == ("", "news\n")


# The line of a verb


def test_a_verb_that_ends_leaves_its_sentence() -> None:
    stream = io.StringIO()
    with working(TerminalProgress(stream), "Build", done="Done.", broken_off="Broken off."):
        pass
    assert stream.getvalue() == "▸ Build: Done.\n"


@pytest.mark.parametrize("reason", [ValueError, KeyboardInterrupt])
def test_a_verb_that_fails_leaves_a_sentence_and_a_whole_line(
    reason: type[BaseException],
) -> None:
    stream = Terminal()
    with pytest.raises(reason):
        fail(TerminalProgress(stream), reason)
    assert stream.getvalue().endswith("▸ Build: Broken off.\n")
