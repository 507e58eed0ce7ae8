from __future__ import annotations

import io

import pytest

from handson.core import progress
from handson.core.progress import TerminalProgress, ThrottledLine, show_work


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def seen(stream: Terminal) -> str:
    """Return what a terminal was sent, without the switch that keeps lines from wrapping."""
    return stream.getvalue().replace("\x1b[?7l", "").replace("\x1b[?7h", "")


def test_a_file_gets_the_last_sentence_only_which_is_the_verbs() -> None:
    stream = io.StringIO()
    with show_work(TerminalProgress(stream), "Build") as line:
        line("step 1")
    assert stream.getvalue() == "▸ Build: 終わりました。\n"


def test_a_terminal_gets_one_line_that_is_replaced_with_the_lines_below_it() -> None:
    for sentence, shown in (
        ("step 1", "\r\x1b[J▸ Push: step 1\r\x1b[J▸ Push: Done.\n"),
        ("2\none\ntwo", "\r\x1b[J▸ Push: 2\n▸ one\n▸ two\r\x1b[2A\x1b[J▸ Push: Done.\n"),
    ):
        stream = Terminal()
        line = TerminalProgress(stream).line("Push")
        line(sentence)
        line.done("Done.")
        assert seen(stream) == shown


def test_a_sentence_too_long_for_the_terminal_is_cut_by_its_width() -> None:
    def shown(columns: int, sentence: str) -> str:
        stream = Terminal()
        TerminalProgress(stream, columns=columns).line("Build")(sentence)
        return seen(stream).removeprefix("\r\x1b[J")

    assert len(shown(40, "x" * 100)) < 40
    assert 10 < shown(40, "層" * 100).count("層") < 20
    row = "abcdef012345 ████████████ 500.0 MB / 999.9 MB · 100.0 MB/秒"
    assert row in shown(80, f"0/4\n{row}")


def test_a_notebook_line_is_updated_at_most_once_an_interval_and_at_the_end() -> None:
    now, shown = [0.0], []
    line = ThrottledLine(shown.append, interval=0.1, clock=lambda: now[0])
    for now[0], sentence in ((0.0, "first"), (0.05, "too soon"), (0.2, "later")):
        line(sentence)
    line.done("Done.")
    assert shown == ["first", "later", "Done."]


def test_in_a_notebook_nothing_is_left_of_a_line_whose_result_says_the_end() -> None:
    assert progress._bundle("Push", "") == {"text/plain": "", "text/html": ""}


def test_every_line_of_progress_is_escaped_and_has_the_sign_that_a_replay_knows_it_by() -> None:
    bundle = progress._bundle("Push", "2 layers\n<script>\ntwo")
    assert bundle["text/plain"].splitlines() == ["▸ Push: 2 layers", "▸ <script>", "▸ two"]
    assert ">▸ Push: 2 layers<br>▸ &lt;script&gt;<br>▸ two<" in bundle["text/html"]


def test_outside_a_notebook_progress_and_cards_go_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert progress.is_notebook() is False
    assert isinstance(progress.choose_progress(), TerminalProgress)
    TerminalProgress().line("Build").done("Done.")
    progress.show_card("news")
    assert capsys.readouterr() == ("", "▸ Build: Done.\nnews\n")


@pytest.mark.parametrize("reason", [ValueError, KeyboardInterrupt])
def test_a_verb_that_fails_leaves_a_sentence_and_a_whole_line(reason: type[Exception]) -> None:
    def fail() -> None:
        with show_work(TerminalProgress(stream), "Build"):
            raise reason

    stream = Terminal()
    with pytest.raises(reason):
        fail()
    assert stream.getvalue().endswith("▸ Build: 途中で止まりました。\n")
