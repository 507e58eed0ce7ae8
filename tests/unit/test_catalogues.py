"""The catalogues of sentences: both languages, equal placeholders, every key there and in use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

import pytest

from handson.core import messages

SPOKEN = {"text": ["sentence"], "advice": ["problem", "remedy"]}


class Call(NamedTuple):
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
    for file in Path(messages.__file__).parent.glob("*.toml"):
        wing = file.stem
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


def spoken(sources: dict[str, ast.Module]) -> Iterator[tuple[str, str, ast.Call]]:
    """Find the calls of `messages` and of an error's `from_key`: place, method and call."""
    for name, tree in sources.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                method = node.func.attr
                if method == "from_key" or ast.unparse(node.func.value) == "messages":
                    yield f"{name}:{node.lineno}", method, node


def calls(sources: dict[str, ast.Module]) -> Iterator[Call]:
    """Find the calls of `messages.text`, `messages.advice` and `from_key` with a literal key."""
    for place, method, node in spoken(sources):
        kind = "advice" if method == "from_key" else method
        if kind in SPOKEN and node.args and isinstance(node.args[0], ast.Constant):
            named = [keyword.arg for keyword in node.keywords]
            values = None if None in named else frozenset(filter(None, named))
            if method == "from_key" and values is not None:
                values -= {"aws_code"}  # it is the error's code, and fills nothing in
            yield Call(place, kind, str(node.args[0].value), values)


def unused(keys: Iterable[str], sources: dict[str, ast.Module]) -> list[str]:
    """Return the keys that stand nowhere as a whole, nor in a group that stands somewhere."""
    strings = {
        node.value
        for tree in sources.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return [key for key in keys if strings.isdisjoint(_key_and_groups(key))]


def _key_and_groups(key: str) -> Iterator[str]:
    """Give a key and the groups around it; the wing alone is not a group."""
    while "." in key:
        yield key
        key = key.rpartition(".")[0]


def test_each_entry_is_a_sentence_or_problem_and_remedy_alike_in_every_language(
    sentences: dict[str, Any],
) -> None:
    assert [key for key, entry in sentences.items() if list(entry) not in SPOKEN.values()] == []
    odd = [
        f"{key} {part}"
        for key, entry in sentences.items()
        for part, by_language in entry.items()
        if sorted(by_language) != sorted(messages.LANGUAGES)
        or not all(isinstance(said, str) and said.strip() for said in by_language.values())
        or placeholders(by_language["ja"]) != placeholders(by_language["en"])
    ]
    assert odd == []
    assert placeholders("{path} は {reason:>3} です") != placeholders("{path} is gone")


def test_every_key_that_is_spoken_exists_and_is_not_computed(
    sources: dict[str, ast.Module], sentences: dict[str, Any]
) -> None:
    missing = [
        f"{call.place} {call.key}"
        for call in calls(sources)
        if list(sentences.get(call.key, {})) != SPOKEN[call.kind]
    ]
    computed = [
        place
        for place, method, node in spoken(sources)
        if method in ("text", "advice", "label", "template", "from_key")
        and isinstance(node.args[0], (ast.JoinedStr, ast.BinOp))
    ]
    assert (missing, computed) == ([], [])


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
    source = ast.parse('text("a.whole"); text(f"a.{name}"); messages.label("a.group", name)')
    keys = ["a.whole", "a.group.x", "a.unused"]
    assert unused(keys, {"a.py": source}) == ["a.unused"]
