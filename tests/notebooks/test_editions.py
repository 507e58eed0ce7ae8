"""The English notebooks beside the Japanese ones: the same workshop, and no stale translation."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from handson.core import messages
from handson.aws import settings
from handson.course import syllabus

from . import form
from .book import LINK, NOTEBOOKS, read_book
from .prose import JAPANESE

_spec = importlib.util.spec_from_file_location(
    "editions", NOTEBOOKS.parent / "tools" / "editions.py"
)
assert _spec and _spec.loader
editions = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(editions)

Cells = list[dict[str, Any]]
OF_FORM = (
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
)
QUOTED = re.compile(r"`[^`\n]+`")
NAME = re.compile(r"learner=\"[^\"]+\"")


def cells(name: str, *, edition: str) -> Cells:
    found: Cells = json.loads(
        (NOTEBOOKS / edition / f"{name}.ipynb").read_text(encoding="utf-8")
    )["cells"]
    return found


def same(cell: dict[str, Any]) -> dict[str, Any]:
    """Return what both editions have in common."""
    kept = {key: value for key, value in cell["metadata"].items() if key != editions.OURS}
    code = "".join(cell["source"]) if cell["cell_type"] == "code" else ""
    return {"id": cell["id"], "kind": cell["cell_type"], "code": code, "metadata": kept}


@pytest.mark.parametrize("name", syllabus.ALL_NOTEBOOKS)
def test_both_editions_have_the_same_cells_in_the_same_order(name: str) -> None:
    first, second = (cells(name, edition=edition) for edition in ("ja", "en"))
    assert [same(cell) for cell in first] == [same(cell) for cell in second]


def test_both_editions_have_the_same_notebooks() -> None:
    assert len({tuple(sorted(p.name for p in NOTEBOOKS.glob(f"{e}/*.ipynb"))) for e in messages.LANGUAGES}) == 1


@pytest.mark.parametrize("name", syllabus.ALL_NOTEBOOKS)
def test_no_translation_is_stale(name: str) -> None:
    first, second = (cells(name, edition=edition) for edition in ("ja", "en"))
    assert editions.stale_cells(first, second) == []


@pytest.mark.parametrize("name", syllabus.ALL_NOTEBOOKS)
def test_english_prose_has_no_japanese(name: str) -> None:
    book = read_book(name, edition="en")
    assert [line for _, line in book.lines() if re.search(JAPANESE, line)] == []


@pytest.mark.parametrize("name", syllabus.ALL_NOTEBOOKS)
def test_english_pictures_have_english_words(name: str) -> None:
    book = read_book(name, edition="en")
    pictures = [link for _, text in book.prose() for link in LINK.finditer(text) if link["image"]]
    assert [link["target"] for link in pictures if not re.search("[a-z]", link["text"])] == []
    assert [link["target"] for link in pictures if ".ja." in link["target"]] == []


@pytest.mark.parametrize("name", syllabus.ALL_NOTEBOOKS)
@pytest.mark.parametrize("rule", OF_FORM, ids=lambda rule: rule.__name__)
def test_an_english_notebook_keeps_the_rules_of_form(name: str, rule: Any) -> None:
    assert rule(read_book(name, edition="en")) == []


def quoted(name: str, *, edition: str) -> dict[str, set[str]]:
    """Return what stands as code in each cell's text, by the cell's id; names of people are one."""
    prose = (cell for cell in cells(name, edition=edition) if cell["cell_type"] == "markdown")
    texts = ((cell["id"], "".join(cell["source"])) for cell in prose)
    return {key: {NAME.sub("learner", code) for code in QUOTED.findall(text)} for key, text in texts}


@pytest.mark.parametrize("name", syllabus.ALL_NOTEBOOKS)
def test_what_stands_as_code_in_a_text_is_the_same_in_both_editions(name: str) -> None:
    assert quoted(name, edition="ja") == quoted(name, edition="en")


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
    found: Cells = editions.copy_cells(copy.deepcopy(first), copy.deepcopy(second), translated=set(translated))
    return found


def test_a_new_cell_comes_over_and_is_to_be_translated() -> None:
    found = brought([PROSE, CODE], [])
    assert (found, editions.stale_cells([PROSE, CODE], found)) == ([PROSE, CODE], ["a-title"])


@pytest.mark.parametrize("said", ["a-title", "all"])
def test_a_translated_cell_keeps_its_words_and_is_not_stale(said: str) -> None:
    english = PROSE | {"source": ["# Title\n"]}
    found = brought([PROSE], [english], said)
    assert found[0]["source"] == ["# Title\n"]
    assert editions.stale_cells([PROSE], found) == []


def test_a_change_of_the_japanese_makes_its_translation_stale() -> None:
    translated = brought([PROSE], [PROSE | {"source": ["# Title\n"]}], "all")
    changed = PROSE | {"source": ["# 別の表題\n"]}
    found = brought([changed], translated)
    assert (found[0]["source"], editions.stale_cells([changed], found)) == (["# Title\n"], ["a-title"])


def test_code_comes_over_and_outputs_stay() -> None:
    there = CODE | {"source": ["old"], "outputs": [{"text": "kept"}], "execution_count": 3}
    [found] = brought([CODE], [there])
    assert (found["source"], found["outputs"], found["execution_count"]) == (
        ["workshop"],
        [{"text": "kept"}],
        3,
    )


def test_the_order_is_that_of_the_first_edition_and_what_it_lacks_goes() -> None:
    gone = PROSE | {"id": "gone"}
    assert [cell["id"] for cell in brought([CODE, PROSE], [PROSE, gone, CODE])] == ["a-code", "a-title"]


# A notebook speaks the language of its edition


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
def test_the_language_is_the_editions_unless_one_is_asked_for(
    tmp_path: Any, place: str, environ: dict[str, str], lang: str
) -> None:
    for edition in messages.LANGUAGES:
        (tmp_path / "notebooks" / edition).mkdir(parents=True)
    before: Callable[[], str] = messages.language
    spoken = before()
    try:
        assert settings.read_settings(environ, cwd=tmp_path / place).lang == lang
    finally:
        messages.use(spoken)
