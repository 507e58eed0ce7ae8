"""The committed notebooks as web pages: nbconvert shows what JupyterLab shows, without a kernel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag

from handson.drawing.svg_document import EMBEDDED, find_svg
from handson.notebook import VIEW
from tests.notebooks.book import NOTEBOOKS, read_book

BOOKS = [
    (edition, path.stem)
    for edition in ("ja", "en")
    for path in sorted((NOTEBOOKS / edition).glob("*.ipynb"))
]
HTML = "text/html"
DRAWINGS = {"01-network": 1, "02-cluster": 1, "03-image": 1, "05-architecture": 4}
EVIDENCE = {"01-network": 1, "02-cluster": 1, "03-image": 3, "05-architecture": 1}
FAILED = '[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type*=error]'

pytestmark = pytest.mark.notebooks


def convert(notebook: Any) -> BeautifulSoup:
    """Return the page, as `jupyter nbconvert --to html` writes it."""
    from nbconvert import HTMLExporter

    text, _ = HTMLExporter().from_notebook_node(notebook)
    return BeautifulSoup(text, "html.parser")


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


def silent_drawings(page: BeautifulSoup) -> list[str]:
    """Return the descriptions of drawings that are not their images' alternative text."""
    silent = []
    for image in pictures(page):
        described = BeautifulSoup(document(image), "html.parser").desc
        text = words(described) if described else "no description"
        if text not in " ".join(str(image["alt"]).split()):
            silent.append(text)
    return silent


def digests_of(notebook: Any) -> list[str]:
    """Return the digests that cells with evidence show as text."""
    codes = (cell for cell in notebook.cells if cell.cell_type == "code")
    sealed = [cell for cell in codes if "workshop.evidence(" in cell.source]
    said = [output.data.get("text/plain", "") for cell in sealed for output in cell.outputs]
    return re.findall("sha256:[0-9a-f]{64}", " ".join(said))


@pytest.mark.parametrize(("edition", "name"), BOOKS, ids=map("-".join, BOOKS))
def test_a_page_holds_what_the_notebook_shows(edition: str, name: str) -> None:
    notebook = read_book(name, edition=edition).node
    page = convert(notebook)
    drawings = [svg for html in shown(notebook, HTML) if (svg := find_svg(html))]
    digests = digests_of(notebook)
    tables = " ".join(map(words, page.select(".jp-RenderedHTML table")))
    assert shown(notebook, HTML) != []
    assert missing_cards(notebook, page) == []
    assert len(drawings) == DRAWINGS.get(name, 0)
    assert [document(image) for image in pictures(page)] == drawings
    assert silent_drawings(page) == []
    assert lost_images(page, NOTEBOOKS / edition) == []
    assert (page.select("img") != []) == (name in {"00-prepare", *DRAWINGS})
    assert len(digests) == EVIDENCE.get(name, 0)
    assert [digest for digest in digests if digest not in tables] == []
    assert placeholders(page) == [], "a widget is left to be loaded"
    assert page.select(FAILED) == [], "an error is shown"


# That what is wrong would be seen.


@pytest.fixture
def notebook() -> Any:
    return read_book("01-network").node


def code_cell(notebook: Any) -> Any:
    return next(cell for cell in notebook.cells if cell.get("outputs"))


def test_a_card_that_is_not_shown_would_be_missed(notebook: Any) -> None:
    removed = BeautifulSoup(shown(notebook, HTML)[0], "html.parser")
    page = convert(notebook)
    page.select_one(".jp-RenderedHTML").decompose()
    assert missing_cards(notebook, page)[:1] == [words(removed)]


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
