"""The catalogues of sentences: both languages, equal placeholders, every key there and in use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

import pytest

from handson.core import messages

ERRORS = ("from_key", "replace_os_errors")
SPOKEN = {"text": ["sentence"], "advice": ["problem", "remedy"]}


class Call(NamedTuple):
    place: str
    kind: str
    key: str
    values: frozenset[str] | None


@pytest.fixture(scope="module")
def sources(root: Path) -> dict[str, ast.Module]:
    """The library and the set-up, parsed."""
    files = [path for folder in ("handson", "tools") for path in (root / folder).rglob("*.py")]
    return {str(path.relative_to(root)): ast.parse(path.read_text("utf-8")) for path in files}


@pytest.fixture(scope="module")
def sentences() -> dict[str, dict[str, dict[str, str]]]:
    """Every entry by key: its parts ("sentence", or "problem" and "remedy") by language."""
    entries: dict[str, dict[str, dict[str, str]]] = {}
    for file in Path(messages.__file__).parent.glob("*.toml"):
        for name, spoken in messages.catalogue(file.stem).items():
            key, _, part = f"{file.stem}.{name}".rpartition(".")
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
    """Find the calls of `messages` and those that make an error: place, method and call."""
    for name, tree in sources.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                method = node.func.attr
                if method in ERRORS or ast.unparse(node.func.value) == "messages":
                    yield f"{name}:{node.lineno}", method, node


def calls(sources: dict[str, ast.Module]) -> Iterator[Call]:
    """Find the calls of `messages.text`, `messages.advice` and `from_key` with a literal key."""
    for place, method, node in spoken(sources):
        kind = "advice" if method in ERRORS else method
        if kind in SPOKEN and node.args and isinstance(node.args[0], ast.Constant):
            named = [keyword.arg for keyword in node.keywords]
            values = None if None in named else frozenset(filter(None, named))
            if method in ERRORS and values is not None:
                values -= {"aws_code"}  # it is the error's code, and fills nothing in
                values |= {"reason"} if method == "replace_os_errors" else set()
            yield Call(place, kind, str(node.args[0].value), values)


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


def test_every_key_that_is_spoken_exists_gets_its_values_and_is_not_computed(
    sources: dict[str, ast.Module], sentences: dict[str, Any]
) -> None:
    missing, ungiven = [], []
    for call in calls(sources):
        entry = sentences.get(call.key, {})
        needed = {name for said in entry.values() for name in placeholders(said["en"])}
        if list(entry) != SPOKEN[call.kind]:
            missing.append(call)
        if call.values is not None and needed - call.values:
            ungiven.append(call)
    computed = [
        place
        for place, method, node in spoken(sources)
        if method in ("text", "advice", "label", "template", *ERRORS)
        and isinstance(node.args[0], (ast.JoinedStr, ast.BinOp))
    ]
    assert (missing, ungiven, computed) == ([], [], [])


def test_every_sentence_is_spoken_somewhere(
    sources: dict[str, ast.Module], sentences: dict[str, Any]
) -> None:
    strings = {
        node.value
        for tree in sources.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    # A key stands there, or a group of it; the wing alone is not a group.
    groups = {key: list(accumulate(key.split("."), "{}.{}".format))[1:] for key in sentences}
    assert [key for key, names in groups.items() if strings.isdisjoint(names)] == []


def test_a_word_is_chosen_by_its_number(sentences: dict[str, Any]) -> None:
    messages.use("en")
    said = [messages.text("aws.clock.minutes", count=count) for count in (0, 1, "1", 2)]
    assert said == ["0 minutes", "1 minute", "1 minute", "2 minutes"]
    either = {
        f"{key} {name}"
        for key, entry in sentences.items()
        for by_language in entry.values()
        for _, name, spec, _ in Formatter().parse(by_language["en"])
        if spec and (spec.count("|") != 1 or name not in placeholders(by_language["ja"]))
    }
    assert either == set()
