"""The English notebooks beside the Japanese ones: the same workshop, and no stale translation."""

from __future__ import annotations

import copy
import inspect
import json
import re
from typing import Any

import pytest

from handson.course import syllabus
from tools import editions

from . import form
from .book import LINK, NOTEBOOKS, Book, broken_rules, read_book
from .prose import JAPANESE

Cells = list[dict[str, Any]]
QUOTED = re.compile(r"`[^`\n]+`")
NAME = re.compile(r"learner=\"[^\"]+\"")


def japanese_prose(book: Book) -> list[str]:
    """English prose has no Japanese."""
    return [line for _, line in book.lines() if re.search(JAPANESE, line)]


def pictures_without_english(book: Book) -> list[str]:
    """English pictures have English words, beside them and in them."""
    links = (link for _, text in book.prose() for link in LINK.finditer(text))
    return [
        link["target"]
        for link in links
        if link["image"] and (".ja." in link["target"] or not re.search("[a-z]", link["text"]))
    ]


FORM = [
    rule
    for name, rule in inspect.getmembers(form, inspect.isfunction)
    if rule.__module__ == form.__name__ and not name.startswith("_")
]
RULES = (*FORM, japanese_prose, pictures_without_english)


def cells(name: str, *, edition: str) -> Cells:
    text = (NOTEBOOKS / edition / f"{name}.ipynb").read_text(encoding="utf-8")
    found: Cells = json.loads(text)["cells"]
    return found


def common(cell: dict[str, Any]) -> dict[str, Any]:
    """Return what both editions of a cell have in common; names of people are one."""
    kept = {key: value for key, value in cell["metadata"].items() if key != editions.OURS}
    source = "".join(cell["source"])
    is_code = cell["cell_type"] == "code"
    code = source if is_code else {NAME.sub("learner", code) for code in QUOTED.findall(source)}
    return {"id": cell["id"], "kind": cell["cell_type"], "code": code, "metadata": kept}


@pytest.mark.parametrize("name", syllabus.ALL_NOTEBOOKS)
def test_both_editions_have_the_same_cells_in_the_same_order_and_none_is_stale(name: str) -> None:
    first, second = (cells(name, edition=edition) for edition in ("ja", "en"))
    assert [common(cell) for cell in second] == [common(cell) for cell in first]
    assert editions.stale_cells(first, second) == []


@pytest.mark.parametrize("name", syllabus.ALL_NOTEBOOKS)
def test_an_english_notebook_keeps_the_rules(name: str) -> None:
    assert broken_rules(RULES, read_book(name, edition="en")) == {}


# The tool that keeps them in step

PROSE = {"id": "a-title", "cell_type": "markdown", "metadata": {}, "source": ["# 表題\n"]}
CODE = {
    "id": "a-code",
    "cell_type": "code",
    "metadata": {"tags": ["x"]},
    "source": ["workshop"],
    "outputs": [],
    "execution_count": None,
}


def brought(first: Cells, second: Cells, *translated: str) -> tuple[Cells, list[str]]:
    """Return the cells that the tool makes of both editions, and which of them are stale."""
    second = copy.deepcopy(second)
    found: Cells = editions.copy_cells(copy.deepcopy(first), second, translated=set(translated))
    return found, editions.stale_cells(first, found)


def test_new_cells_come_over_in_order_and_prose_is_to_be_translated() -> None:
    assert brought([PROSE, CODE], []) == ([PROSE, CODE], ["a-title"])
    found, _ = brought([CODE, PROSE], [PROSE, PROSE | {"id": "gone"}, CODE])
    assert [cell["id"] for cell in found] == ["a-code", "a-title"]


@pytest.mark.parametrize("said", ["a-title", "all"])
def test_a_translated_cell_keeps_its_words_until_the_japanese_changes(said: str) -> None:
    translated, stale = brought([PROSE], [PROSE | {"source": ["# Title\n"]}], said)
    assert (translated[0]["source"], stale) == (["# Title\n"], [])
    found, stale = brought([PROSE | {"source": ["# 別の表題\n"]}], translated)
    assert (found[0]["source"], stale) == (["# Title\n"], ["a-title"])


def test_code_comes_over_and_outputs_stay() -> None:
    there = CODE | {"source": ["old"], "outputs": [{"text": "kept"}], "execution_count": 3}
    assert brought([CODE], [there]) == ([there | {"source": ["workshop"]}], [])
