"""The English notebooks beside the Japanese ones: the same workshop, and no stale translation."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from handson.aws import settings
from handson.core import messages
from handson.course import syllabus

from . import form
from .book import LINK, NOTEBOOKS, Book, broken_rules, read_book
from .prose import JAPANESE

_spec = importlib.util.spec_from_file_location(
    "editions", NOTEBOOKS.parent / "tools" / "editions.py"
)
assert _spec is not None
assert _spec.loader is not None
editions = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(editions)

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


RULES = (
    form.invalid_format,
    form.unstable_ids,
    form.other_beginning,
    form.missing_title,
    form.unintroduced_code,
    form.wrong_grading,
    form.broken_links,
    form.dead_end,
    form.compared_change,
    form.deleting_code,
    form.secrets,
    form.marks_in_prose,
    form.machine_paths,
    form.heavy_file,
    form.unlike_the_syllabus,
    japanese_prose,
    pictures_without_english,
)


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


def test_both_editions_have_the_same_notebooks() -> None:
    first, second = (
        sorted(path.name for path in (NOTEBOOKS / edition).glob("*.ipynb"))
        for edition in messages.LANGUAGES
    )
    assert first == second


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


def brought(first: Cells, second: Cells, *translated: str) -> Cells:
    found: Cells = editions.copy_cells(
        copy.deepcopy(first), copy.deepcopy(second), translated=set(translated)
    )
    return found


def test_a_new_cell_comes_over_and_is_to_be_translated() -> None:
    found = brought([PROSE, CODE], [])
    assert (found, editions.stale_cells([PROSE, CODE], found)) == ([PROSE, CODE], ["a-title"])


@pytest.mark.parametrize("said", ["a-title", "all"])
def test_a_translated_cell_keeps_its_words_until_the_japanese_changes(said: str) -> None:
    translated = brought([PROSE], [PROSE | {"source": ["# Title\n"]}], said)
    assert translated[0]["source"] == ["# Title\n"]
    assert editions.stale_cells([PROSE], translated) == []
    changed = PROSE | {"source": ["# 別の表題\n"]}
    found = brought([changed], translated)
    assert found[0]["source"] == ["# Title\n"]
    assert editions.stale_cells([changed], found) == ["a-title"]


def test_code_comes_over_and_outputs_stay() -> None:
    there = CODE | {"source": ["old"], "outputs": [{"text": "kept"}], "execution_count": 3}
    assert brought([CODE], [there]) == [there | {"source": ["workshop"]}]


def test_the_order_is_that_of_the_first_edition_and_what_it_lacks_goes() -> None:
    found = brought([CODE, PROSE], [PROSE, PROSE | {"id": "gone"}, CODE])
    assert [cell["id"] for cell in found] == ["a-code", "a-title"]


@pytest.mark.parametrize(
    ("place", "environ", "lang"),
    [
        ("notebooks/en", {}, "en"),
        ("notebooks/ja", {}, "ja"),
        ("notebooks", {}, "ja"),
        ("notebooks/en", {"HANDSON_LANG": "ja"}, "ja"),
        ("notebooks/ja", {"HANDSON_LANG": "en"}, "en"),
    ],
)
def test_a_notebook_speaks_the_language_of_its_edition_unless_one_is_asked_for(
    tmp_path: Path, place: str, environ: dict[str, str], lang: str
) -> None:
    for edition in messages.LANGUAGES:
        (tmp_path / "notebooks" / edition).mkdir(parents=True)
    assert settings.read_settings(environ, cwd=tmp_path / place).lang == lang
