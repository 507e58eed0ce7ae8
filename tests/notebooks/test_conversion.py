"""The committed notebooks as web pages: nbconvert shows what JupyterLab shows, without a kernel."""

from __future__ import annotations

import copy
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag

from handson.drawing.svg_document import EMBEDDED, find_svg
from handson.notebook import VIEW
from tests.notebooks.book import NOTEBOOKS

BOOKS = [
    (edition, path.stem)
    for edition in ("ja", "en")
    for path in sorted((NOTEBOOKS / edition).glob("*.ipynb"))
]
HTML = "text/html"
DRAWINGS = {"01-network": 1, "02-cluster": 1, "03-image": 1, "05-architecture": 4}
FAILED = '[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type*=error]'

pytestmark = pytest.mark.notebooks

every_book = pytest.mark.parametrize(("edition", "name"), BOOKS, ids=map("-".join, BOOKS))


def read(edition: str, name: str) -> Any:
    text = (NOTEBOOKS / edition / f"{name}.ipynb").read_text(encoding="utf-8")
    return nbformat.reads(text, as_version=4)


def convert(notebook: Any) -> BeautifulSoup:
    """Return the page, as `jupyter nbconvert --to html` writes it."""
    from nbconvert import HTMLExporter

    text, _ = HTMLExporter().from_notebook_node(notebook)
    return BeautifulSoup(text, "html.parser")


@cache
def page_of(edition: str, name: str) -> BeautifulSoup:
    return convert(read(edition, name))


def shown(notebook: Any, kind: str) -> list[str]:
    """Return what the outputs hold of a kind of data."""
    outputs = (o for cell in notebook.cells for o in cell.get("outputs", ()))
    return [output.data[kind] for output in outputs if kind in output.get("data", {})]


def words(page: Tag) -> str:
    return " ".join(page.get_text(" ").split())


def missing_cards(notebook: Any, page: BeautifulSoup) -> list[str]:
    """Return the cards of a notebook whose words a page does not have."""
    cards = [words(BeautifulSoup(html, "html.parser")) for html in shown(notebook, HTML)]
    said = words(page)
    return [card for card in cards if card not in said]


def pictures(page: BeautifulSoup) -> list[Tag]:
    """Return the drawings that stand in a page's outputs, as images."""
    images = page.select(".jp-OutputArea-output.jp-RenderedHTML img")
    return [image for image in images if str(image["src"]).startswith(EMBEDDED)]


def document(image: Tag) -> str:
    return unquote(str(image["src"]).removeprefix(EMBEDDED))


def lost_images(page: BeautifulSoup, folder: Path) -> list[str]:
    """Return the images that are neither in a page nor where it looks for them, in a folder."""
    sources = [str(image["src"]) for image in page.select("img")]
    outside = [source for source in sources if not source.startswith("data:image/")]
    return [source for source in outside if not (folder / source).is_file()]


def placeholders(page: BeautifulSoup) -> list[Tag]:
    """Return what stands in a page for widgets that only a kernel could show."""
    return page.select(".jupyter-widgets")


@every_book
def test_every_card_is_in_the_page(edition: str, name: str) -> None:
    notebook = read(edition, name)
    assert shown(notebook, HTML) != []
    assert missing_cards(notebook, page_of(edition, name)) == []


@every_book
def test_every_drawing_is_in_the_page(edition: str, name: str) -> None:
    expected = [svg for html in shown(read(edition, name), HTML) if (svg := find_svg(html))]
    assert len(expected) == DRAWINGS.get(name, 0)
    assert [document(image) for image in pictures(page_of(edition, name))] == expected


@every_book
def test_every_drawing_has_alternative_text(edition: str, name: str) -> None:
    for image in pictures(page_of(edition, name)):
        described = BeautifulSoup(document(image), "html.parser").desc
        assert described is not None
        assert words(described) in " ".join(str(image["alt"]).split())


@every_book
def test_every_image_is_in_the_page_or_where_the_page_looks_for_it(edition: str, name: str) -> None:
    page = page_of(edition, name)
    assert lost_images(page, NOTEBOOKS / edition) == []
    assert (page.select("img") != []) == (name in {"00-prepare", *DRAWINGS})


@pytest.mark.parametrize(
    ("name", "count"),
    [("01-network", 1), ("02-cluster", 1), ("03-image", 3), ("05-architecture", 1)],
)
@pytest.mark.parametrize("edition", ["ja", "en"])
def test_every_record_of_evidence_is_told_in_a_table(edition: str, name: str, count: int) -> None:
    sealed = [cell for cell in read(edition, name).cells if "workshop.evidence(" in cell.source]
    said = [output.data.get("text/plain", "") for cell in sealed for output in cell.outputs]
    digests = re.findall("sha256:[0-9a-f]{64}", " ".join(said))
    tables = " ".join(map(words, page_of(edition, name).select(".jp-RenderedHTML table")))
    assert len(digests) == count
    assert [digest for digest in digests if digest not in tables] == []


@every_book
def test_no_widget_is_left_to_be_loaded(edition: str, name: str) -> None:
    assert placeholders(page_of(edition, name)) == []


@every_book
def test_no_error_is_shown(edition: str, name: str) -> None:
    assert page_of(edition, name).select(FAILED) == []


# That what is wrong would be seen.


@pytest.fixture
def notebook() -> Any:
    return copy.deepcopy(read("ja", "01-network"))


def code_cell(notebook: Any) -> Any:
    return next(cell for cell in notebook.cells if cell.get("outputs"))


def test_a_card_that_is_not_shown_would_be_missed(notebook: Any) -> None:
    spoilt = copy.deepcopy(notebook)
    removed = len(code_cell(spoilt).outputs)
    code_cell(spoilt).outputs = []
    missing = missing_cards(notebook, convert(spoilt))
    assert 0 < len(missing) <= removed


def test_a_widget_that_was_saved_would_be_seen(notebook: Any) -> None:
    view = {VIEW: {"model_id": "1", "version_major": 2, "version_minor": 0}}
    state = {"state": {"1": {}}, "version_major": 2, "version_minor": 0}
    notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": state}
    code_cell(notebook).outputs.append(nbformat.v4.new_output("display_data", data=view))
    assert len(placeholders(convert(notebook))) == 1


def test_a_picture_that_lies_elsewhere_would_be_missed(notebook: Any) -> None:
    notebook.cells[0].source += "\n\n![a picture](nowhere.svg)"
    assert lost_images(convert(notebook), NOTEBOOKS / "ja") == ["nowhere.svg"]


def test_an_error_would_be_seen(notebook: Any) -> None:
    error = nbformat.v4.new_output("error", ename="E", evalue="e", traceback=["✗ e"])
    code_cell(notebook).outputs.append(error)
    assert len(convert(notebook).select(FAILED)) == 1
