"""The catalogues of sentences: both languages, equal placeholders, every key there and in use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from handson.core import messages

SPOKEN = {"text": ["sentence"], "advice": ["problem", "remedy"]}


@dataclass(frozen=True)
class Call:
    """A call such as ``messages.advice("image.no-context", path=…)``, by its literal key."""

    place: str
    kind: str
    key: str
    values: frozenset[str] | None


@pytest.fixture(scope="module")
def sources(root: Path) -> dict[str, ast.Module]:
    """The library and the set-up, parsed."""
    files = [path for folder in ("handson", "tools") for path in (root / folder).rglob("*.py")]
    return {
        path.relative_to(root).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(files)
    }


@pytest.fixture(scope="module")
def sentences() -> dict[str, dict[str, dict[str, str]]]:
    """Every entry by key: its parts ("sentence", or "problem" and "remedy") by language."""
    entries: dict[str, dict[str, dict[str, str]]] = {}
    for wing in messages.wings():
        for name, spoken in messages.catalogue(wing).items():
            key, _, part = f"{wing}.{name}".rpartition(".")
            if part in SPOKEN["advice"]:
                entries.setdefault(key, {})[part] = spoken
            else:
                entries[f"{key}.{part}"] = {"sentence": spoken}
    return entries


def placeholders(sentence: str) -> set[str]:
    """Return the names that a sentence is filled in with."""
    names = (name for _, name, _, _ in Formatter().parse(sentence) if name is not None)
    return {re.split(r"[.\[]", name)[0] for name in names}


def calls(sources: dict[str, ast.Module]) -> Iterator[Call]:
    """Find the calls of `messages.text` and `messages.advice` with a literal key."""
    for name, tree in sources.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if not isinstance(node.func.value, ast.Name) or node.func.value.id != "messages":
                continue
            if node.func.attr in SPOKEN and node.args and isinstance(node.args[0], ast.Constant):
                named = [keyword.arg for keyword in node.keywords]
                values = None if None in named else frozenset(filter(None, named))
                key = str(node.args[0].value)
                yield Call(f"{name}:{node.lineno}", node.func.attr, key, values)


def patterns(tree: ast.AST) -> Iterator[str]:
    """Return each string of a module as a pattern; what an f-string fills in may be anything.

    A string that ends with a dot, such as "report.page.", names a group of sentences.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_group = re.fullmatch(r"[a-z.-]+\.", node.value)
            yield re.escape(node.value) + (".+" if is_group else "")
        elif isinstance(node, ast.JoinedStr):
            given = [
                piece.value if isinstance(piece, ast.Constant) else "" for piece in node.values
            ]
            if re.search("[a-z]", "".join(map(str, given))):
                yield "".join(re.escape(str(words)) if words else ".+" for words in given)


def unused(keys: Iterable[str], sources: dict[str, ast.Module]) -> list[str]:
    """Return the keys that no string leads to.

    A key may stand whole, or without its wing and topic where a helper adds them; an f-string
    that gives no more than these, or nothing at all, leads to no key.
    """
    prefixes = {key.rsplit(".", times)[0] for key in keys for times in (1, 2)}
    empty = {re.escape(f"{prefix}.") + ".+" for prefix in prefixes}
    found = {pattern for tree in sources.values() for pattern in patterns(tree)} - empty
    used = re.compile("|".join(f"(?:{pattern})" for pattern in sorted(found)))
    return [
        key
        for key in keys
        if not any(used.fullmatch(rest) for rest in (key, *_without_prefixes(key)))
    ]


def _without_prefixes(key: str) -> list[str]:
    parts = key.split(".")
    return [".".join(parts[count:]) for count in range(1, len(parts))]


def test_each_part_is_there_in_every_language(sentences: dict[str, Any]) -> None:
    lacking = [
        f"{key} {part}"
        for key, entry in sentences.items()
        for part, spoken in entry.items()
        if sorted(spoken) != sorted(messages.LANGUAGES)
        or not all(isinstance(sentence, str) and sentence.strip() for sentence in spoken.values())
    ]
    assert lacking == []


def test_each_entry_is_a_sentence_or_a_problem_with_its_remedy(sentences: dict[str, Any]) -> None:
    odd = [key for key, entry in sentences.items() if list(entry) not in SPOKEN.values()]
    assert odd == []


def test_both_languages_are_filled_in_with_the_same_values(sentences: dict[str, Any]) -> None:
    different = [
        f"{key} {part}"
        for key, entry in sentences.items()
        for part, spoken in entry.items()
        if placeholders(spoken["ja"]) != placeholders(spoken["en"])
    ]
    assert different == []


def test_every_key_that_is_spoken_exists(
    sources: dict[str, ast.Module], sentences: dict[str, Any]
) -> None:
    missing = [
        f"{call.place} {call.key}"
        for call in calls(sources)
        if list(sentences.get(call.key, {})) != SPOKEN[call.kind]
    ]
    assert missing == []


def test_every_value_that_a_sentence_needs_is_given(
    sources: dict[str, ast.Module], sentences: dict[str, Any]
) -> None:
    ungiven = [
        f"{call.place} {call.key}: {sorted(needed - call.values)}"
        for call in calls(sources)
        if call.values is not None and call.key in sentences
        for needed in [
            {name for spoken in sentences[call.key].values() for name in placeholders(spoken["en"])}
        ]
        if not needed <= call.values
    ]
    assert ungiven == []


def test_every_sentence_is_spoken_somewhere(
    sources: dict[str, ast.Module], sentences: dict[str, Any]
) -> None:
    assert unused(sentences, sources) == []


def test_a_sentence_that_nobody_speaks_is_seen() -> None:
    spoken = 'text("a.whole"); say("bare"); text(f"a.kind-{kind}")'
    source = ast.parse(spoken + '; text(f"a.{name}"); f"{x}.{y}"')
    keys = ["a.whole", "a.bare", "a.kind-x", "a.unused"]
    assert unused(keys, {"a.py": source}) == ["a.unused"]


def test_unequal_placeholders_are_seen() -> None:
    assert placeholders("{path} は {reason:>3} です") != placeholders("{path} is gone")
