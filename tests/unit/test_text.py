"""Text from outside: what nobody sees in it, and what a terminal may get of it."""

from __future__ import annotations

import pytest

from handson.core.text import find_invisible, one_line, replace_controls, show_invisible

FLAG = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    ("text", "shown"),
    {
        "a\U000e0041\U000e0042b": "a[U+E0041 U+E0042]b",
        "負荷\u200bを\u200d\xad": "負荷[U+200B]を[U+200D U+00AD]",
        "\u3164\uffa0a\ufe0f": "[U+3164 U+FFA0]a[U+FE0F]",
        "x\x1b]0;\x9b\u202eb": "x[U+001B]]0;[U+009B U+202E]b",
        "⚠\ufe0f\ufe01": "⚠[U+FE0F U+FE01]",
    }.items(),
)
def test_letters_that_nobody_sees_are_shown_by_their_numbers(text: str, shown: str) -> None:
    assert show_invisible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("👩\u200d💻 ⚠\ufe0f 1\ufe0f\u20e3 ❤\ufe0f\u200d🔥", FLAG, "葛\U000e0100城"),
        *("می\u200cخواهم", "क्\u200dष", "一　行\n\ttab\r\n"),
    ],
)
def test_what_an_emoji_a_script_or_a_name_needs_stays(text: str) -> None:
    assert (find_invisible(text), show_invisible(text)) == ("", text)


def test_a_terminal_gets_no_control_and_no_direction_but_its_spaces() -> None:
    assert replace_controls("a\x1b\x9b\u202e\u061c\u2028\n", keep="\n") == "a�����\n"
    assert one_line("山田　花\xa0子\n") == "山田　花\xa0子�"
    assert find_invisible("a\u200bb\u2066c\u200b") == "\u200b\u2066\u200b"
