"""The committed notebooks as web pages: nbconvert shows what JupyterLab shows, without a kernel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

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
OFTEN = [("ja", "01-network"), ("ja", "05-architecture")]
HTML = "text/html"
DRAWINGS = {"01-network": 1, "02-cluster": 1, "03-image": 1, "05-architecture": 4}
EVIDENCE = {"01-network": 1, "02-cluster": 1, "03-image": 3, "05-architecture": 1}
WIDGET = ".jupyter-widgets"
FAILED = '[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type*=error]'

pytestmark = pytest.mark.notebooks


def convert(notebook: Any) -> BeautifulSoup:
    """Return the page, as `jupyter nbconvert --to html` writes it."""
    from nbconvert import HTMLExporter

    text, _ = HTMLExporter().from_notebook_node(notebook)
    return BeautifulSoup(text, "html.parser")


def shown(notebook: Any) -> list[str]:
    """Return the HTML of the outputs."""
    outputs = (o for cell in notebook.cells for o in cell.get("outputs", ()))
    return [output.data[HTML] for output in outputs if HTML in output.get("data", {})]


def words(page: Tag) -> str:
    return " ".join(page.get_text(" ").split())


def missing_cards(notebook: Any, page: BeautifulSoup) -> list[str]:
    """Return the cards of a notebook whose words a page does not have."""
    cards = [words(BeautifulSoup(html, "html.parser")) for html in shown(notebook)]
    said = words(page)
    return [card for card in cards if card not in said]


def pictures(page: BeautifulSoup, within: str = "") -> dict[str, str]:
    """Return by their documents the alternative texts of the drawings in a page."""
    images = page.select(f'{within}img[src^="{EMBEDDED}"]')
    drawn = [find_svg(f'src="{image["src"]}"') for image in images]  # str() escapes what is in it
    return dict(zip(drawn, (" ".join(str(image["alt"]).split()) for image in images), strict=True))


def lost_images(page: BeautifulSoup, folder: Path) -> list[str]:
    """Return the images that are neither in a page nor where it looks for them, in a folder."""
    sources = [str(image["src"]) for image in page.select('img:not([src^="data:image/"])')]
    return [source for source in sources if not (folder / source).is_file()]


def description(svg: str) -> str:
    found = BeautifulSoup(svg, "html.parser").desc
    return words(found) if found else "no description"


def digests_of(notebook: Any) -> list[str]:
    """Return the digests that cells with evidence show as text."""
    sealed = [cell for cell in notebook.cells if "workshop.evidence(" in cell.source]
    outputs = (output for cell in sealed for output in cell.get("outputs", ()))
    said = [output.data.get("text/plain", "") for output in outputs]
    return re.findall("sha256:[0-9a-f]{64}", " ".join(said))


@pytest.mark.parametrize(
    ("edition", "name"),
    [  # test_editions.py compares both
        pytest.param(*book, id="-".join(book), marks=[] if book in OFTEN else pytest.mark.full)
        for book in BOOKS
    ],
)
def test_a_page_holds_what_the_notebook_shows(edition: str, name: str) -> None:
    notebook = read_book(name, edition=edition).node
    page = convert(notebook)
    drawings = [html for html in shown(notebook) if find_svg(html)]
    images = [svg for html in drawings for svg in pictures(BeautifulSoup(html, "html.parser"))]
    digests = digests_of(notebook)
    tables = " ".join(each.get_text() for each in page.select(".jp-RenderedHTML table"))
    assert shown(notebook) != []
    assert missing_cards(notebook, page) == []
    assert len(drawings) == DRAWINGS.get(name, 0)
    assert list(pictures(page, ".jp-OutputArea-output.jp-RenderedHTML ")) == images
    silent = [svg for svg, alt in pictures(page).items() if description(svg) not in alt]
    assert silent == []
    assert lost_images(page, NOTEBOOKS / edition) == []
    assert (page.select("img") != []) == (name in {"00-prepare", *DRAWINGS})
    assert len(digests) == EVIDENCE.get(name, 0)
    assert [digest for digest in digests if digest not in tables] == []
    assert page.select('img[alt^="No description"]') == []
    assert page.select(f"{WIDGET}, {FAILED}") == [], "a widget is left to be loaded, or an error"


def test_a_script_of_a_notebook_is_a_python_file() -> None:
    from nbconvert import ScriptExporter

    books = [read_book(name, edition=edition).node for edition, name in BOOKS]
    made = [ScriptExporter().from_notebook_node(book)[1]["output_extension"] for book in books]
    assert set(made) == {".py"}


def test_what_is_wrong_would_be_seen() -> None:
    notebook = read_book("01-network").node
    view = {VIEW: {"model_id": "1", "version_major": 2, "version_minor": 0}}
    state = {"state": {"1": {}}, "version_major": 2, "version_minor": 0}
    error = nbformat.v4.new_output("error", ename="E", evalue="e", traceback=["✗ e"])
    notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": state}
    last = notebook.cells[-1]
    last.source += "\n\n![a picture](nowhere.svg)"
    first = next(cell for cell in notebook.cells if cell.get("outputs"))
    first.outputs += [nbformat.v4.new_output("display_data", data=view), error]
    page = convert(notebook)
    removed = page.select_one(".jp-RenderedHTML").extract()
    assert missing_cards(notebook, page)[0] in words(removed)
    assert lost_images(page, NOTEBOOKS / "ja") == ["nowhere.svg"]
    assert [len(page.select(kind)) for kind in (WIDGET, FAILED)] == [1, 1]
