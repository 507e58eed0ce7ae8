"""Every sentence a learner reads, in Japanese and English, by key.

A key is ``room.name``; the sentences of a room stand in ``<room>.toml`` beside this file, both
languages side by side, and are read when the room first speaks.  Values are filled in with
:meth:`str.format`.  An entry that explains an error has a ``problem`` and a ``remedy``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("ja", "en")

_current = {"language": "ja"}


def use(language: str) -> None:
    """Make `language` ("ja" or "en") the one in which this process speaks from now on.

    Raises:
        ValueError: The language is neither.
    """
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is not one of {', '.join(LANGUAGES)}")
    _current["language"] = language


def language() -> str:
    """Return the language in which this process speaks."""
    return _current["language"]


def text(key: str, /, **values: object) -> str:
    """Return the sentence of `key` in the current language, its placeholders filled in.

    Raises:
        KeyError: There is no such sentence.
    """
    return template(key).format(**values)


def template(key: str, /) -> str:
    """Return the sentence of `key` in the current language, its placeholders as they stand.

    Raises:
        KeyError: There is no such sentence.
    """
    return str(_entry(key)[language()])


def advice(key: str, /, **values: object) -> tuple[str, str]:
    """Return the problem and the remedy of `key`, ready for an error or a diagnosis.

    Raises:
        KeyError: There is no such pair.
    """
    entry = _entry(key)
    spoken = language()
    return (
        str(entry["problem"][spoken]).format(**values),
        str(entry["remedy"][spoken]).format(**values),
    )


@cache
def catalogue(room: str) -> dict[str, Any]:
    """Return all sentences of a room as its TOML file holds them.

    Raises:
        KeyError: The room has no file.
    """
    file = files(__name__).joinpath(f"{room}.toml")
    if not file.is_file():
        raise KeyError(room)
    return tomllib.loads(file.read_text(encoding="utf-8"))


def rooms() -> list[str]:
    """Return the names of all rooms that have sentences, sorted."""
    return sorted(
        file.name.removesuffix(".toml")
        for file in files(__name__).iterdir()
        if file.name.endswith(".toml")
    )


def _entry(key: str) -> Any:
    room, _, name = key.partition(".")
    return catalogue(room)[name]
