"""Lists a build context as Docker sees it: without what `.dockerignore` leaves out.

Patterns are matched as BuildKit matches them (moby/patternmatcher), and a pattern that no test of
Go's `filepath.Match` would pass is refused.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.files import read_utf8
from handson.engine.dockerfile import DOCKERFILE

IGNORE_FILE = ".dockerignore"
_SET = r"[^][\\^&|~-]"
_PIECE = re.compile(
    rf"(?P<end>\*\*$)|(?P<deep>\*\*/)|(?P<many>\*(?!\*))|(?P<one>\?)"
    rf"|(?P<set>\[\^?(?:{_SET}(?:-{_SET})?)+\])|\\(?P<escaped>\W)|(?P<plain>[^][*?\\^])"
)
_MEANINGS = {"end": ".*", "deep": "(?:.*/)?", "many": "[^/]*", "one": "[^/]"}


def list_context(context: Path) -> tuple[str, ...]:
    """Return the paths in `context` that `.dockerignore` leaves, with ``/`` between names.

    They are in the order of a walk: a folder comes before its contents.  Sockets are left out.

    Raises:
        InvalidInput: `.dockerignore` is not UTF-8, or has a pattern that cannot be read.
        OSError: The context or its `.dockerignore` cannot be read.
    """
    patterns = list(_read_patterns(*read_ignore_file(context)))
    return tuple(_walk(context, "", patterns, [False] * len(patterns)))


def read_ignore_file(context: Path) -> tuple[str, str]:
    """Return the name and the text of what leaves out files of a context; empty without one.

    Raises:
        InvalidInput: It is not UTF-8.
        OSError: It cannot be read.
    """
    own = context / f"{DOCKERFILE}{IGNORE_FILE}"  # BuildKit prefers this one
    file = own if own.is_file() else context / IGNORE_FILE
    return file.name, read_utf8(file) if file.is_file() else ""


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern of paths.

    Raises:
        ValueError: Go reads it otherwise, or not at all.
    """
    if _PIECE.sub("", pattern):
        raise ValueError(pattern)

    def translate(piece: re.Match[str]) -> str:
        kind = piece.lastgroup or ""
        return _MEANINGS.get(kind) or (piece[0] if kind == "set" else re.escape(piece[kind]))

    try:
        return re.compile(_PIECE.sub(translate, pattern))
    except re.error as error:
        raise ValueError(pattern) from error


def _read_patterns(name: str, content: str) -> Iterator[tuple[re.Pattern[str], bool]]:
    """Give each pattern of a file's content, and whether it is an exception."""
    for number, line in enumerate(content.split("\n"), start=1):
        text = line.strip()
        if not text or line.startswith("#"):
            continue
        is_exception = text.startswith("!")
        path = os.path.normpath(text.removeprefix("!").strip() or "[").replace(os.sep, "/")
        try:
            yield compile_pattern(path.lstrip("/") or "/"), is_exception
        except ValueError as error:
            reason = messages.text("engine.unread.malformed", part=text)
            values = {"where": f"{name}:{number}", "step": text, "reason": reason}
            raise InvalidInput.from_key("engine.unread", **values) from error


def _walk(
    context: Path, folder: str, patterns: list[tuple[re.Pattern[str], bool]], above: list[bool]
) -> Iterator[str]:
    """Give the paths below a folder; `above` tells which patterns match it."""
    for entry in sorted(os.scandir(context / folder), key=lambda it: it.name):
        path, is_ignored, matches = f"{folder}{entry.name}", False, list[bool]()
        for (pattern, is_exception), is_below in zip(patterns, above, strict=True):
            is_match = is_exception == is_ignored and bool(pattern.fullmatch(path))
            matches.append(is_below or is_match)
            if matches[-1]:
                is_ignored = not is_exception
        if not is_ignored and not stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode):
            yield path
        is_open = not is_ignored or any(is_exception for _, is_exception in patterns)
        if is_open and entry.is_dir(follow_symlinks=False):
            yield from _walk(context, f"{path}/", patterns, matches)
