"""Reading Dockerfiles."""

from __future__ import annotations

import pytest

from handson.engine import dockerfile
from handson.engine.dockerfile import (
    Instruction,
    pairs,
    parse_dockerfile,
    parse_exec_form,
    split_flags,
    words,
)


def keywords(text: str) -> list[tuple[str, str, int]]:
    return [(it.keyword, it.value, it.line) for it in parse_dockerfile(text).instructions]


def test_an_instruction_knows_the_line_it_starts_on() -> None:
    found = keywords("# a comment\n\nFROM ruby\nrun true\n")
    assert found == [("FROM", "ruby", 3), ("RUN", "true", 4)]


def test_continued_lines_are_joined_and_comments_between_them_fall_out() -> None:
    found = keywords("RUN one \\\n  # why\n\n  && two\nUSER 1\n")
    assert found == [("RUN", "one   && two", 1), ("USER", "1", 5)]


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    assert keywords("\ufeffFROM ruby\r\nUSER 1\r\n") == [("FROM", "ruby", 1), ("USER", "1", 2)]


def test_the_escape_directive_changes_the_continuation() -> None:
    found = parse_dockerfile("# escape=`\nFROM ruby\nCOPY a `\n  c:\\\nUSER 1\n")
    assert [it.value for it in found.instructions] == ["ruby", "a   c:\\", "1"]


def test_a_here_document_belongs_to_its_instruction() -> None:
    found = parse_dockerfile("RUN <<EOF\nFROM nothing\nEOF\nUSER 1\n").instructions
    assert [(it.keyword, it.heredoc, it.line) for it in found] == [
        ("RUN", True, 1),
        ("USER", False, 4),
    ]


def test_the_source_is_one_line_of_at_most_a_hundred_characters() -> None:
    source = Instruction("RUN", "x " * 100, 1).source
    assert (len(source), source[-1]) == (100, "…")


def test_flags_stand_before_the_words() -> None:
    assert split_flags("--chown=1:2 --link a b") == ({"chown": "1:2", "link": ""}, "a b")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('["a", "b c"]', ["a", "b c"]),
        ("a b", None),
        ('["a", 1]', None),
        ("[not json", None),
    ],
)
def test_the_json_form_is_a_list_of_strings(value: str, expected: list[str] | None) -> None:
    assert parse_exec_form(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("one  two", ["one", "two"]),
        ('"one two" three', ["one two", "three"]),
        (r"one\ two", ["one two"]),
        ("$A-${A}", ["x-x"]),
        ("${A:+set}${B:-unset}", ["setunset"]),
        ("'$A' \\$A", ["$A", "$A"]),
        ("$NONE-", ["-"]),
        ("a$", ["a$"]),
        (r'"a\"b $A"', ['a"b x']),
    ],
)
def test_words_are_split_unquoted_and_replaced(value: str, expected: list[str]) -> None:
    assert words(value, {"A": "x"}) == expected


@pytest.mark.parametrize("value", ['"open', "'open", "${A", "${A:?gone}", "${}"])
def test_words_that_cannot_be_read_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        words(value, {})


def test_pairs_take_both_forms() -> None:
    assert pairs('A=1 B="two words"', {}) == {"A": "1", "B": "two words"}
    assert pairs("A two words", {}) == {"A": "two words"}


def test_a_word_that_is_no_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="lonely"):
        pairs("A=1 lonely", {})


def test_load_replaces_what_is_no_utf8(tmp_path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_bytes(b"FROM ruby # \xff\n")
    assert dockerfile.load_dockerfile(file).instructions[0].keyword == "FROM"
