"""Reading Dockerfiles as Docker's reference describes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from handson.core.errors import InvalidInput
from handson.engine.dockerfile import (
    Instruction,
    expand,
    load_dockerfile,
    parse_dockerfile,
    parse_exec_form,
    split,
    split_flags,
    split_words,
)

INSTRUCTIONS = {
    "": [],
    "# a comment\n\nFROM ruby\n  run true\n": [(3, "FROM", "ruby"), (4, "RUN", "true")],
    "RUN  echo # no comment  \nCMD": [(1, "RUN", "echo # no comment"), (2, "CMD", "")],
    "RUN one \\\n  # why\n\n \t\n  && two\nUSER 1": [(1, "RUN", "one   && two"), (6, "USER", "1")],
    "RUN one\\ \t\ntwo\n": [(1, "RUN", "onetwo")],
    "RUN one \\": [(1, "RUN", "one")],
    "RUN one \\\n# the end": [(1, "RUN", "one")],
    "RUN c:\\ \\\n two\\\\ \nUSER 1": [(1, "RUN", "c:\\  two\\\\"), (3, "USER", "1")],
    "\\\n": [(1, "", "")],
    "FROM ruby\r\nRUN a \\\r\n b\r\n": [(1, "FROM", "ruby"), (2, "RUN", "a  b")],
    "# escape=`\nCOPY a `\n  c:\\\nUSER 1": [(2, "COPY", "a   c:\\"), (4, "USER", "1")],
}


def test_instructions_have_their_line_their_keyword_and_the_rest() -> None:
    found = {
        text: [(it.line, it.keyword, it.value) for it in parse_dockerfile(text)]
        for text in INSTRUCTIONS
    }
    assert found == INSTRUCTIONS
    assert parse_dockerfile("\n\nUSER 1") == (Instruction("USER", "1", 3),)


ESCAPES = {
    "# escape=`\nFROM a": "`",
    "#  ESCAPE = ` \nFROM a": "`",
    "# syntax=docker/dockerfile:1\n# escape=`\nFROM a": "`",
    "# shop=1\n# escape=`\nFROM a": "\\",
    # Docker refuses the second one, and BuildKit loads another front end for the third.
    "# escape=`\n# escape=\\\nFROM a": "`\\",
    "# escape=` x\nFROM a": "` x",
    "# syntax=shop/front\nFROM a": "# syntax=shop/front",
    "# syntax=docker.io/docker/dockerfile\n# check=skip=all\nFROM a": "\\",
    "FROM a": "\\",
    "FROM a\n# escape=`\nFROM b": "\\",
    "# shop\n# escape=`\nFROM a": "\\",
    "\n# escape=`\nFROM a": "\\",
}


def test_a_directive_at_the_top_alone_names_the_escape_character() -> None:
    assert {text: parse_dockerfile(text)[0].escape for text in ESCAPES} == ESCAPES


HEREDOCS = {
    "RUN <<EOF\nFROM nothing\nEOF\nUSER 1": [("RUN", True, True), ("USER", False, True)],
    "COPY <<A <<B /x\nB\nA\nA\nB\nUSER 1": [("COPY", True, True), ("USER", False, True)],
    "ADD <<EOF /x\nEOF\nUSER 1": [("ADD", True, True), ("USER", False, True)],
    "RUN cat <<-'E O' 3<<B\n\t\tE O\nx\nB\nUSER 1": [("RUN", True, True), ("USER", False, True)],
    "RUN <<-EOF\n\tEOF\nUSER 1": [("RUN", True, True), ("USER", False, True)],
    "RUN <<-EOF\n EOF\nUSER 1": [("RUN", True, False)],
    "RUN <<EOF\n\tEOF\nUSER 1": [("RUN", True, False)],
    "RUN <<END-OF-FILE\nEND\nEND-OF-FILE\nUSER 1": [("RUN", True, True), ("USER", False, True)],
    "RUN <<A <<B\nA\nUSER 1": [("RUN", True, False)],
    'RUN echo "see <<EOF"\nUSER 1': [("RUN", False, True), ("USER", False, True)],
    'RUN <<EOF echo "\nUSER 1': [("RUN", False, True), ("USER", False, True)],
    "RUN cat << EOF\nUSER 1": [("RUN", False, True), ("USER", False, True)],
    "RUN cat <<<EOF\nUSER 1": [("RUN", False, True), ("USER", False, True)],
    "RUN cat<<EOF\nUSER 1": [("RUN", False, True), ("USER", False, True)],
    "CMD cat <<EOF\nUSER 1": [("CMD", False, True), ("USER", False, True)],
}


def test_a_here_document_belongs_to_its_instruction_and_may_lack_its_end() -> None:
    found = {
        text: [(it.keyword, it.heredoc, it.complete) for it in parse_dockerfile(text)]
        for text in HEREDOCS
    }
    assert found == HEREDOCS


def test_an_instruction_tells_its_place_its_words_its_options_and_its_source_on_one_line() -> None:
    it = Instruction("COPY", "--chown=1:2 --link a\t b", 7)
    assert (it.place, it.words) == ("Dockerfile:7", "COPY --chown=1:2 --link a b")
    assert (it.flags, it.arguments) == ({"chown": "1:2", "link": ""}, "a\t b")
    assert Instruction("RUN", "x" * 95, 1).source == f"RUN {'x' * 95}"
    assert Instruction("RUN", "x" * 97, 1).source == f"RUN {'x' * 95}…"


FLAGS = {
    "a --link": ({}, "a --link"),
    "--mount=type=bind,a=b  run": ({"mount": "type=bind,a=b"}, "run"),
    "--keep-git-dir --from=": ({"keep-git-dir": "", "from": ""}, ""),
    "-x a": ({}, "-x a"),
}


def test_flags_stand_before_the_words() -> None:
    assert {value: split_flags(value) for value in FLAGS} == FLAGS


EXEC_FORMS = {'["a", "b c"]': ["a", "b c"], "[]": [], "a b": None, '"a"': None, "": None}


def test_the_exec_form_is_a_list_of_strings_and_the_rest_the_shell_form() -> None:
    assert {value: parse_exec_form(value) for value in EXEC_FORMS} == EXEC_FORMS


def test_words_are_split_at_unquoted_spaces() -> None:
    words = split_words('a  \'b c\' d"e \\" f"g \t h\\ i')
    assert words == ["a", "'b c'", 'd"e \\" f"g', "h\\ i"]
    assert split_words("a` b c:\\ d", escape="`") == ["a` b", "c:\\", "d"]


VALUES = {"A": "x", "A_1": "y", "E": ""}
EXPANDED = {
    "": "",
    '"one two"': "one two",
    r"one\ two": "one two",
    "$A-${A}b": "x-xb",
    "$A_1$A.": "yx.",
    "$E-$NONE-": "--",
    "${A:-other}${A:+other}": "xother",
    "${E:-other}${E:+other}": "other",
    "${NONE:-other}${NONE:+other}": "other",
    "${A:-}${A:+}": "x",
    "a$": "a$",
    "$/$.": "$/$.",
    "'$A'": "$A",
    "\\$A": "$A",
    '"$A"': "x",
    '"\\$A"': "$A",
    r'"a\"b $A"': 'a"b x',
    r'"a\\b"': r"a\b",
    r'''"a\b it's"''': r"a\b it's",
    '"${E:-two words}"': "two words",
    "'a'\"b\"c": "abc",
}


def test_quotes_are_removed_and_variables_replaced() -> None:
    assert {text: expand(text, lambda name: VALUES.get(name, "")) for text in EXPANDED} == EXPANDED


def test_another_escape_character_is_removed_in_the_place_of_the_backslash() -> None:
    assert expand("c:\\`$A", lambda _: "x", escape="`") == "c:\\$A"
    assert expand('"c:\\`$A$A"', lambda _: "x", escape="`") == "c:\\$Ax"


UNREADABLE: dict[Callable[[str], object], tuple[str, ...]] = {
    split_flags: ("--from=a --from=b c d", "--link --link a b", "--Chown=1 a b", "-- a b",
        "--=1 a", "---x a"),
    parse_exec_form: ('["a", 1]', '["a", ["b"]]', "[not json", '["\\ud800"]', '["\\u0000"]',
        '["a"] # note', "[ -f a ] && b"),
    split_words: ('a "open', "a 'open", "a\\"),
    partial(expand, find_value=str): ('"open', "'open", "a\\", r"'a\b'", "${A", "${}", "$1", "$@",
        "$$", "${A:?gone}", "${A-b}", "${A:-$B}", "${A:-'b'}", "${A#x}", '"${A"', "$A\u5186",
        "$A\u2460", "$\u5186", "${A\u5186}"),
}  # fmt: skip


def test_what_docker_would_read_otherwise_or_not_at_all_is_refused() -> None:
    for read, values in UNREADABLE.items():
        for value in values:
            with pytest.raises(ValueError, match=r".*"):
                read(value)


def test_a_dockerfile_is_utf8_with_or_without_a_mark(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"\xef\xbb\xbfFROM ruby\r\n")
    [found] = load_dockerfile(tmp_path)
    assert (found.keyword, found.value) == ("FROM", "ruby")
    (tmp_path / "Dockerfile").write_text("FROM ruby\n", encoding="utf-16")
    with pytest.raises(InvalidInput, match=r"Dockerfile .*UTF-8.*UTF-16"):
        load_dockerfile(tmp_path)


def test_a_control_character_makes_an_instruction_incomplete() -> None:
    for line in ("ENV A=1\x1cB=2", "COPY a\rb /c", "USER a\0"):
        assert [it.complete for it in parse_dockerfile(f"{line}\nUSER\t1")] == [False, True]


def test_words_are_parted_at_spaces_and_tabs_alone() -> None:
    assert split("a\t b c\u3000d\xa0e") == ["a", "b", "c\u3000d\xa0e"]
    [found] = parse_dockerfile("COPY\u3000a b\u3000")
    assert (found.keyword, found.value) == ("COPY\u3000A", "b")
