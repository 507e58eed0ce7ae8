"""Reads a Dockerfile: its instructions with their line numbers, and the words in them.

Reading accepts any text, because both engines name a step by its line; `recipe` decides what the
builtin engine carries out.  PyPI's `dockerfile-parse` takes the lines of a here-document for
instructions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from msgspec import Struct

from handson.core.files import read_utf8
from handson.core.text import one_line

DOCKERFILE = "Dockerfile"

_DIRECTIVE = re.compile(r"#\s*(syntax|escape|check)\s*=\s*(.+?)\s*$", re.IGNORECASE)
_SYNTAX = re.compile(r"(docker\.io/)?docker/dockerfile(:|$)")  # others read other languages
_SPACES = re.compile(r"[ \t]+")  # Docker parts words at these, not at a full-width space
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f]")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=([^ \t]*))?(?:[ \t]+|$)")
_HEREDOC = re.compile(r"[0-9]*<<(-?)([^<]+)$")
_LONGEST_SHOWN = 99  # and the mark of an omission

_TAKES_HEREDOC = {"RUN", "COPY", "ADD"}  # no other one (Dockerfile reference, "Here-Documents")

# Regular expressions in which ~ stands for the Dockerfile's escape character.
_WORD = r"""(?:'[^']*'|"(?:~.|[^"~])*"|~.|[^\s'"~])+"""
_VARIABLE = (
    r"""\$(?:(?P<bare>[A-Za-z_][A-Za-z0-9_]*)(?!\w)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<rule>:[-+])?"""
    r"""(?P<other>(?(rule)[^'"$~{}]*))\})|(?P<dollar>\$(?![\w{@*#?$!-]))"""
)
_UNQUOTED = rf"""'(?P<literal>[^'~]*)'|"(?P<quoted>(?:~.|[^"~])*)"|~(?P<escaped>.)|{_VARIABLE}|(?P<plain>[^'"$~]+)"""  # noqa: E501
_QUOTED = rf"""~(?P<escaped>["$~])|{_VARIABLE}|(?P<plain>~|[^$~]+)"""


class Instruction(Struct, frozen=True):
    """One instruction of a Dockerfile."""

    keyword: str  # in capitals
    value: str  # the rest, its continuation lines joined
    line: int  # where it starts, counted from 1
    escape: str = "\\"  # the Dockerfile's escape character
    heredoc: bool = False  # here-documents follow it
    complete: bool = True  # each of them has its end, and no control character is in the line

    @property
    def place(self) -> str:
        """The place for a sentence: `Dockerfile:3`."""
        return f"{DOCKERFILE}:{self.line}"

    @property
    def flags(self) -> dict[str, str]:
        """The options before the arguments, as in ``--chown=1000``."""
        return split_flags(self.value)[0]

    @property
    def arguments(self) -> str:
        """The text behind the options."""
        return split_flags(self.value)[1]

    @property
    def words(self) -> str:
        """The instruction on one line."""
        return " ".join(f"{self.keyword} {self.value}".split())

    @property
    def source(self) -> str:
        """The instruction on one line of at most a hundred characters."""
        return one_line(self.words, longest=_LONGEST_SHOWN)


def parse_dockerfile(text: str) -> tuple[Instruction, ...]:
    """Return the instructions of a Dockerfile's `text` in order, known or not."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return tuple(_read_instructions(lines, _read_escape(lines)))


def load_dockerfile(context: Path) -> tuple[Instruction, ...]:
    """Return the instructions of a build context's Dockerfile.

    Raises:
        InvalidInput: The file is not UTF-8.
        OSError: The file cannot be read.
    """
    return parse_dockerfile(read_utf8(context / DOCKERFILE))


def split_flags(value: str) -> tuple[dict[str, str], str]:
    """Return the leading ``--name=value`` flags of an instruction, and the text behind them.

    Raises:
        ValueError: A flag is malformed or stands there twice.
    """
    found: dict[str, str] = {}
    while match := _FLAG.match(value):
        name, content = match.group(1), match.group(2) or ""
        if name in found:
            raise ValueError(f"--{name}")
        found[name] = content
        value = value[match.end() :]
    if value.startswith("--"):
        raise ValueError(value)
    return found, value


def parse_exec_form(value: str) -> list[str] | None:
    """Return the strings of the JSON ("exec") form, or None for the shell form.

    Raises:
        ValueError: The text opens a bracket and is not a list of strings.  Docker takes some of
            these for the shell form.
    """
    if not value.startswith("["):
        return None
    with suppress(ValueError, TypeError, RecursionError):
        parts = json.loads(value)
        if b"\0" not in "".join(parts).encode():  # nor half a surrogate pair
            return list(parts)
    raise ValueError(value)


def split(value: str) -> list[str]:
    """Return the parts of `value` between spaces and tabs, quoted or not."""
    return [word for word in _SPACES.split(value) if word]


def split_words(value: str, *, escape: str = "\\") -> list[str]:
    """Return the words of `value`, split at unquoted spaces; quotes and variables stay in them.

    Raises:
        ValueError: A quote is left open.
    """
    pattern = _compile(_WORD, escape)
    if pattern.sub("", value).strip():
        raise ValueError(value)
    return pattern.findall(value)


def expand(
    text: str, find_value: Callable[[str], str], *, escape: str = "\\", pattern: str = _UNQUOTED
) -> str:
    """Return `text` without its quotes and escapes, and with its variables replaced.

    Args:
        text: One word of an instruction.
        find_value: Returns the value of a variable, empty when it has none.
        escape: The Dockerfile's escape character.
        pattern: The pieces of the text; others stand inside double quotes.

    Raises:
        ValueError: A quote or brace is left open, or a substitution is none of `$x`, `${x}`,
            `${x:-word}` and `${x:+word}`.
    """

    def replace(piece: re.Match[str]) -> str:
        kind = piece.lastgroup or ""
        if kind == "quoted":
            return expand(piece["quoted"], find_value, escape=escape, pattern=_QUOTED)
        if kind not in {"bare", "other"}:
            return piece[kind]
        value, other = find_value(piece["bare"] or piece["name"]), piece["other"] or ""
        if piece["rule"] == ":+":
            return other if value else ""
        return value or other

    pieces = _compile(pattern, escape)
    if pieces.sub("", text):
        raise ValueError(text)
    return pieces.sub(replace, text)


@cache
def _compile(pattern: str, escape: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("~", re.escape(escape)), re.DOTALL)


def _read_escape(lines: list[str]) -> str:
    """Return the escape character that the directives at the top name, by default a backslash.

    Where Docker refuses the directives, or reads another language, it is no single character.
    """
    found = ""
    for line in lines:
        directive = _DIRECTIVE.match(line.strip())
        if not directive:
            break
        if directive[1].lower() == "escape":
            found += directive[2]
        elif directive[1].lower() == "syntax" and not _SYNTAX.match(directive[2]):
            found += directive[0]
    return found or "\\"


def _read_instructions(lines: list[str], escape: str) -> Iterator[Instruction]:
    rest = iter(enumerate(lines, start=1))
    for number, line in rest:
        if _is_ignored(line):
            continue
        joined = _join(line, rest, escape).strip()
        keyword, *values = _SPACES.split(joined, maxsplit=1)
        keyword, value = keyword.upper(), "".join(values)
        heredocs = _find_heredocs(value) if keyword in _TAKES_HEREDOC else []
        complete = all(_skip_heredoc(rest, *it) for it in heredocs) and not _CONTROL.search(joined)
        yield Instruction(keyword, value, number, escape, bool(heredocs), complete)


def _join(line: str, rest: Iterator[tuple[int, str]], escape: str) -> str:
    parts = []
    # An escape character after another one continues nothing (BuildKit's parser.go).
    while (text := line.rstrip(" \t")).endswith(escape) and not text.endswith(escape * 2):
        parts.append(text[: -len(escape)])
        line = next((text for _, text in rest if not _is_ignored(text)), "")
    return "".join([*parts, line])


def _is_ignored(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _find_heredocs(value: str) -> list[tuple[str, bool]]:
    """Return each here-document's delimiter, and whether tabs may stand before its end.

    BuildKit looks for a word that starts with ``<<``, always with the backslash as the escape; a
    quote that is left open means no here-document.
    """
    try:
        found = [_HEREDOC.match(word) for word in split_words(value)]
        return [(expand(it[2], str), it[1] == "-") for it in found if it]
    except ValueError:
        return []


def _skip_heredoc(rest: Iterator[tuple[int, str]], delimiter: str, tabs: bool) -> bool:
    return any((line.lstrip("\t") if tabs else line) == delimiter for _, line in rest)
