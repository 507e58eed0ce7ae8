"""Reading a Dockerfile: its instructions with their line numbers, and the words in them.

Follows the Dockerfile reference (parser directives, comments, continuations, here-documents, JSON
and shell forms, variable replacement).  Reading judges nothing: an instruction that nobody can
carry out is still an instruction on a line.  PyPI's `dockerfile-parse` knows neither
here-documents nor the escape directive, which have to be refused by line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_DIRECTIVE = re.compile(r"#\s*(\w+)\s*=\s*(\S+)\s*$")
_HEREDOC = re.compile(r"(?:^|\s)\d*<<-?\s*([\"']?)([A-Za-z_][\w.]*)\1")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)")
_NAME = re.compile(r"[A-Za-z_]\w*|\d+")
_LONGEST_SHOWN = 100

# Instructions whose text may name a here-document (Dockerfile reference, "Here-Documents").
_TAKES_HEREDOC = {"RUN", "COPY", "ADD"}


@dataclass(frozen=True)
class Instruction:
    """One instruction: `keyword` in capitals, `value` with its continuation lines joined.

    `line` is where it starts, counted from 1; `heredoc` tells that a here-document hangs on it.
    """

    keyword: str
    value: str
    line: int
    heredoc: bool = False

    @property
    def words(self) -> str:
        """The instruction on one line."""
        return " ".join(f"{self.keyword} {self.value}".split())

    @property
    def source(self) -> str:
        """The instruction on one line, cut after 100 characters."""
        text = self.words
        return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


@dataclass(frozen=True)
class Dockerfile:
    """The instructions of a Dockerfile and its escape character."""

    instructions: tuple[Instruction, ...]
    escape: str = "\\"


def parse_dockerfile(text: str) -> Dockerfile:
    """Return the instructions of a Dockerfile's `text`, whatever they are, in order."""
    lines = text.removeprefix("\ufeff").splitlines()
    escape = _directives(lines).get("escape", "\\")
    return Dockerfile(tuple(_instructions(lines, escape=escape)), escape)


def load_dockerfile(file: Path) -> Dockerfile:
    """Return the instructions of a Dockerfile on disk; what is no UTF-8 in it is replaced.

    Raises:
        OSError: The file cannot be read.
    """
    return parse_dockerfile(file.read_text(encoding="utf-8", errors="replace"))


def split_flags(value: str) -> tuple[dict[str, str], str]:
    """Return the leading ``--name=value`` flags of an instruction, and what stands behind them."""
    found: dict[str, str] = {}
    while match := _FLAG.match(value):
        found[match.group(1)] = match.group(2) or ""
        value = value[match.end() :]
    return found, value


def parse_exec_form(value: str) -> list[str] | None:
    """Return the strings of the JSON ("exec") form, or None when `value` is the shell form."""
    if not value.lstrip().startswith("["):
        return None
    try:
        parts = json.loads(value)
    except ValueError:
        return None
    return parts if all(isinstance(part, str) for part in parts) else None


def words(value: str, variables: Mapping[str, str], *, escape: str = "\\") -> list[str]:
    """Return the words of `value`: split at spaces, quotes removed, variables replaced.

    Raises:
        ValueError: A quote or a brace is left open, or a replacement is of an unknown kind.
    """
    return _Lexer(value, variables, escape).words()


def pairs(value: str, variables: Mapping[str, str], *, escape: str = "\\") -> dict[str, str]:
    """Return the ``name=value`` pairs of `ENV` and `LABEL`; the old form ``name value`` too.

    Raises:
        ValueError: A word is no pair, or the words cannot be read.
    """
    name, _, rest = value.strip().partition(" ")
    if rest and "=" not in name:
        return {name: " ".join(words(rest, variables, escape=escape))}
    found = {}
    for word in words(value, variables, escape=escape):
        name, equals, content = word.partition("=")
        if not name or not equals:
            raise ValueError(word)
        found[name] = content
    return found


def _directives(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        match = _DIRECTIVE.match(line.strip())
        if not match:
            break
        found[match.group(1).lower()] = match.group(2)
    return found


def _instructions(lines: list[str], *, escape: str) -> Iterator[Instruction]:
    rest = iter(enumerate(lines, start=1))
    for number, line in rest:
        if _is_nothing(line):
            continue
        text = _joined(line, rest, escape=escape)
        keyword, _, value = text.strip().replace("\t", " ", 1).partition(" ")
        keyword = keyword.upper()
        delimiters = [name for _, name in _HEREDOC.findall(value)]
        delimiters = delimiters if keyword in _TAKES_HEREDOC else []
        for delimiter in delimiters:
            _skip_heredoc(rest, delimiter)
        yield Instruction(keyword, value.strip(), number, heredoc=bool(delimiters))


def _joined(line: str, rest: Iterator[tuple[int, str]], *, escape: str) -> str:
    parts = []
    while line.rstrip().endswith(escape):
        parts.append(line.rstrip()[: -len(escape)])
        line = next((text for _, text in rest if not _is_nothing(text)), "")
    return "".join([*parts, line])


def _skip_heredoc(rest: Iterator[tuple[int, str]], delimiter: str) -> None:
    for _, text in rest:
        if text.lstrip("\t") == delimiter:
            return


def _is_nothing(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


class _Lexer:
    """Docker's shell lexer: one pass over the characters."""

    def __init__(self, text: str, variables: Mapping[str, str], escape: str) -> None:
        self._text = text
        self._at = 0
        self._variables = variables
        self._escape = escape

    def words(self) -> list[str]:
        found: list[str] = []
        while self._at < len(self._text):
            if self._text[self._at].isspace():
                self._at += 1
            else:
                found.append(self._word())
        return found

    def _word(self) -> str:
        parts = []
        while self._at < len(self._text) and not self._text[self._at].isspace():
            parts.append(self._piece())
        return "".join(parts)

    def _piece(self) -> str:
        sign = self._take()
        if sign == "'":
            return self._until("'")
        if sign == '"':
            return self._double_quoted()
        if sign == self._escape:
            return self._take() if self._at < len(self._text) else sign
        return self._variable() if sign == "$" else sign

    def _double_quoted(self) -> str:
        parts = []
        while (sign := self._take()) != '"':
            if sign == self._escape and self._text[self._at : self._at + 1] in {'"', "$", sign}:
                parts.append(self._take())
            else:
                parts.append(self._variable() if sign == "$" else sign)
        return "".join(parts)

    def _variable(self) -> str:
        if self._text[self._at : self._at + 1] == "{":
            self._at += 1
            return self._replaced(self._until("}"))
        match = _NAME.match(self._text, self._at)
        if not match:
            return "$"
        self._at = match.end()
        return self._variables.get(match.group(), "")

    def _replaced(self, inside: str) -> str:
        match = _NAME.match(inside)
        if not match:
            raise ValueError(f"${{{inside}}}")
        value, rest = self._variables.get(match.group(), ""), inside[match.end() :]
        if not rest:
            return value
        kind, alternative = rest[:2], rest[2:]
        if kind not in {":-", ":+"}:
            raise ValueError(f"${{{inside}}}")
        alternative = " ".join(words(alternative, self._variables, escape=self._escape))
        return (value or alternative) if kind == ":-" else (alternative if value else "")

    def _until(self, end: str) -> str:
        start = self._at
        self._at = self._text.find(end, start) + 1
        if not self._at:
            raise ValueError(self._text[start - 1 :])
        return self._text[start : self._at - 1]

    def _take(self) -> str:
        if self._at >= len(self._text):
            raise ValueError(self._text)
        self._at += 1
        return self._text[self._at - 1]
