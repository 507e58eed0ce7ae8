"""All sentences that a learner reads, in Japanese and English, by key.

A key is ``wing.topic.name``: ``resources.network.title`` is the line ``network.title`` of
``resources.toml`` beside this file, both languages side by side.  Values are filled in with
:meth:`str.format`; ``{count:record|records}`` is the first of the words for 1, else the second.  An
error takes a pair of sentences, ``….problem`` and ``….remedy``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

LANGUAGES = ("ja", "en")

_current = {"language": "ja"}


class _Counting(Formatter):
    """Fills sentences in that choose a word by a number."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        one, several, many = format_spec.partition("|")
        if several:
            return one if str(value) == "1" else many
        return super().format_field(value, format_spec)


_counting = _Counting()


def use(language: str) -> None:
    """Make `language` ("ja" or "en") the language of all later sentences in this process.

    Raises:
        ValueError: The language is neither of them.
    """
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is not one of {', '.join(LANGUAGES)}")
    _current["language"] = language


def language() -> str:
    """Return the current language."""
    return _current["language"]


def text(key: str, /, **values: object) -> str:
    """Return the sentence of `key` in the current language, its placeholders filled in.

    Raises:
        KeyError: There is no such sentence.
    """
    wing, _, name = key.partition(".")
    sentence: str = _parse(_read_entries(wing)[name])[language()]
    return _counting.format(sentence, **values) if "|" in sentence else sentence.format(**values)


def label(group: str, name: str, /, **values: object) -> str:
    """Return one sentence of a group whose names are data, such as the ids of facts.

    Raises:
        KeyError: There is no such sentence.
    """
    return text(f"{group}.{name}", **values)


def advice(key: str, /, **values: object) -> tuple[str, str]:
    """Return the problem and the remedy of `key`, ready for an error or a diagnosis.

    Raises:
        KeyError: There is no such pair.
    """
    return text(f"{key}.problem", **values), text(f"{key}.remedy", **values)


def advice_of(group: str, name: str, /, **values: object) -> tuple[str, str]:
    """Return the problem and the remedy of a group whose names are data, such as error codes.

    Raises:
        KeyError: There is no such pair.
    """
    return advice(f"{group}.{name}", **values)


def catalogue(wing: str) -> dict[str, dict[str, str]]:
    """Return the sentences of a wing by the rest of their keys, each by language."""
    return {name: _parse(entry) for name, entry in _read_entries(wing).items()}


def group(key: str) -> dict[str, dict[str, str]]:
    """Return the sentences of a group by name, in the order of the file, each by language."""
    wing, _, topic = f"{key}.".partition(".")
    entries = _read_entries(wing).items()
    return {name.removeprefix(topic): _parse(it) for name, it in entries if name.startswith(topic)}


@cache
def _read_entries(wing: str) -> dict[str, str]:
    """Return the lines of a file by key, not parsed yet: a notebook needs few of them."""
    lines = Path(__file__).with_name(f"{wing}.toml").read_text(encoding="utf-8").split("\n")
    return dict(line.split(" = ", 1) for line in lines if line and line[0] != "#")


@cache
def _parse(entry: str) -> Any:
    import tomllib  # compiles its patterns: a kernel that shows nothing of ours need not wait

    return tomllib.loads(f"entry = {entry}")["entry"]
