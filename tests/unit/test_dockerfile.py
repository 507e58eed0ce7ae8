"""Reading Dockerfiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from handson.core.errors import InvalidInput
from handson.engine.dockerfile import (
    Instruction,
    expand,
    load_dockerfile,
    parse_dockerfile,
    parse_exec_form,
    split_flags,
    split_words,
)


def keywords(text: str) -> list[tuple[str, str, int]]:
    return [(it.keyword, it.value, it.line) for it in parse_dockerfile(text)]


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
    assert [it.value for it in found] == ["ruby", "a   c:\\", "1"]


def test_a_here_document_belongs_to_its_instruction() -> None:
    found = parse_dockerfile("RUN <<EOF\nFROM nothing\nEOF\nUSER 1\n")
    assert [(it.keyword, it.heredoc, it.line) for it in found] == [
        ("RUN", True, 1),
        ("USER", False, 4),
    ]


@pytest.mark.parametrize(
    "step", ["RUN cat <<-'E O' <<B\n\tE O\nx\nB", "RUN <<END-OF-FILE\nCOPY\nEND-OF-FILE"]
)
def test_a_here_document_ends_at_its_own_word(step: str) -> None:
    found = parse_dockerfile(f"{step}\nUSER 1\n")
    assert [(it.keyword, it.complete) for it in found] == [("RUN", True), ("USER", True)]


@pytest.mark.parametrize("step", ['RUN echo "see <<EOF"', "RUN cat << EOF", "CMD cat <<EOF"])
def test_these_open_no_here_document(step: str) -> None:
    found = parse_dockerfile(f"{step}\nUSER 1\n")
    assert [(it.keyword, it.heredoc) for it in found][1] == ("USER", False)


def test_a_here_document_without_an_end_is_noticed() -> None:
    [found] = parse_dockerfile("RUN <<EOF\nUSER 1\n")
    assert not found.complete


def test_the_source_is_one_line_of_at_most_a_hundred_characters() -> None:
    source = Instruction("RUN", "x " * 100, 1).source
    assert (len(source), source[-1]) == (100, "…")


def test_flags_stand_before_the_words() -> None:
    found = Instruction("COPY", "--chown=1:2 --link a b", 1)
    assert (found.flags, found.arguments) == ({"chown": "1:2", "link": ""}, "a b")


@pytest.mark.parametrize("value", ["--from=a --from=b c d", "--Chown=1 a b", "-- a b", "--=1 a"])
def test_flags_that_docker_would_read_otherwise_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="--"):
        split_flags(value)


@pytest.mark.parametrize(
    ("value", "expected"), [('["a", "b c"]', ["a", "b c"]), ("[]", []), ("a b", None)]
)
def test_the_json_form_is_a_list_of_strings(value: str, expected: list[str] | None) -> None:
    assert parse_exec_form(value) == expected


@pytest.mark.parametrize("value", ['["a", 1]', "[not json", '["a"] # note', "[ -f a ] && b"])
def test_a_bracket_that_opens_no_list_of_strings_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_exec_form(value)


def test_words_are_split_at_unquoted_spaces() -> None:
    assert split_words("a  'b c' d\"e f\"g h\\ i") == ["a", "'b c'", 'd"e f"g', "h\\ i"]


VALUES = {"A": "x"}


def value_of(name: str) -> str:
    return VALUES.get(name, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"one two"', "one two"),
        (r"one\ two", "one two"),
        ("$A-${A}", "x-x"),
        ("${A:+set}${B:-unset}", "setunset"),
        ("${A:-unset}${B:+set}", "x"),
        ("'$A'\\$A", "$A$A"),
        ("$NONE-", "-"),
        ("a$", "a$"),
        (r'"a\"b $A"', 'a"b x'),
        ('"a\\b it\'s"', "a\\b it's"),
        ('"${B:-two words}"', "two words"),
    ],
)
def test_quotes_are_removed_and_variables_replaced(text: str, expected: str) -> None:
    assert expand(text, value_of) == expected


def test_the_escape_directive_changes_what_is_escaped() -> None:
    assert expand("c:\\`$A", value_of, escape="`") == "c:\\$A"


@pytest.mark.parametrize(
    "text",
    ['"open', "'open", "${A", "${A:?gone}", "${}", "${A-b}", "${A:-$B}", "${A#x}", "$@", "a\\"],
)
def test_words_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        expand(text, value_of)


@pytest.mark.parametrize("value", ['"open', "'open", "a\\"])
def test_a_quote_that_is_left_open_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        split_words(value)


def test_load_replaces_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"FROM ruby # \xff\n")
    assert load_dockerfile(tmp_path)[0].keyword == "FROM"


def test_utf16_is_named_with_how_to_save_it(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM ruby\n", encoding="utf-16")
    with pytest.raises(InvalidInput, match=r"(?s)Dockerfile.*UTF-8.*UTF-16"):
        load_dockerfile(tmp_path)
