"""Every notebook of both editions in a real JupyterLab, in a real browser.

An edition is worked through as a learner does it, in one home folder and with JupyterLab's
interface in the edition's language: open, run all, save, leave, come back, save again.  Each
notebook is visited once; the tests ask what was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest

from handson.course.evidence import METADATA_KEY
from handson.notebook import VIEW
from tests.browser import looking
from tests.browser.lab import Lab, Opened
from tests.browser.looking import Camera, Image, Log, Requests

EVIDENCE = {
    "00-prepare": [],
    "01-network": ["network"],
    "02-cluster": ["cluster"],
    "03-image": ["repository", "image", "image-uri"],
    "04-evidence": [],
    "05-architecture": ["architecture"],
    "06-troubleshooting": [],
    "99-cleanup": [],
}
"""The notebooks, and the evidence that each records."""

BROKEN = "zz-broken"
"""A notebook of our own, which comes last: what goes wrong, and what cleaning up shows."""

CELLS = (
    "import handson\nfrom handson import widgets\nworkshop = handson.start()",
    'workshop.ensure_network(name="ecs-handson", cidr="10.0.0.0/8")',
    "workshop.break_it(seed=1)",
    "workshop.verify()",
    "widgets.board(workshop)",
    "workshop.hint(3)",
    'workshop.evidence("network")',
    'workshop.cleanup(confirm="delete")',
    "workshop.verify()",
    'workshop.evidence("image")',
    "workshop.resources()",
)
VISITS = [(edition, name) for edition in ("ja", "en") for name in (*EVIDENCE, BROKEN)]
IMAGES = {"00-prepare": 1, "01-network": 1, "02-cluster": 1, "03-image": 1, "05-architecture": 4}
LIVE = dict(zip(("ja", "en"), looking.LOOKS, strict=True))
"""How axe looks at an edition's notebooks; where pictures are taken, it looks in both ways."""
AGAIN = dict(zip(("en", "ja"), looking.LOOKS, strict=True))
"""How it looks at them as their files are: in the other way."""
RUN_ALL = {"ja": "すべてのセルを実行", "en": "Run All Cells"}

pytestmark = pytest.mark.browser


@dataclass
class Visit:
    """What was seen of a notebook: saved after its run, and again after it was opened anew."""

    edition: str
    name: str
    saved: dict[str, Any] = field(default_factory=dict)
    again: dict[str, Any] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    without_font: str = ""
    run_all: str = ""
    has_controls: bool = False


class Labs:
    """One JupyterLab at a time: the one of an edition is stopped when the other's is asked for."""

    def __init__(self, folder: Callable[[str], Path]) -> None:
        self._folder = folder
        self._lab: Lab | None = None

    def of(self, edition: str, page: Any) -> Lab:
        """Return the edition's JupyterLab; the page leaves the other one before that stops."""
        if self._lab is None or self._lab.edition != edition:
            page.goto("about:blank")
            self.stop()
            self._lab = Lab(self._folder(edition), edition=edition)
        return self._lab

    def stop(self) -> None:
        """Stop the one that runs."""
        if self._lab is not None:
            self._lab.stop()
            self._lab = None


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    opened = Labs(tmp_path_factory.mktemp)
    yield opened
    opened.stop()


@pytest.fixture(scope="module")
def page(browser: Any) -> Any:
    return browser.new_page()


@pytest.fixture(scope="module")
def log(page: Any) -> Log:
    return Log(page)


@pytest.fixture(scope="module")
def requests(page: Any) -> Requests:
    return Requests(page)


@pytest.fixture(scope="module", params=VISITS, ids="-".join)
def visit(
    request: pytest.FixtureRequest,
    labs: Labs,
    page: Any,
    log: Log,
    requests: Requests,
    camera: Camera,
) -> Visit:
    edition, name = request.param
    lab = labs.of(edition, page)
    seen = Visit(edition, name)
    if name == BROKEN:
        lab.write(name, notebook_of(CELLS))
    lab.clear(name)
    log.take()
    opened = Opened(lab, page, name, anew=False)
    opened.run_all()
    seen.saved = opened.save()
    seen.run_all = opened.words("runmenu:run-all")
    look(opened, seen, camera)
    opened.close()
    opened.open(anew=False)
    seen.again = opened.save()
    if seen.has_controls:
        look_again(opened, seen)
    opened.close()
    lab.end_kernels(page)
    seen.log, seen.outside = log.take(), requests.take()
    return seen


def notebook_of(sources: tuple[str, ...]) -> dict[str, Any]:
    """Return a notebook whose cells may fail."""
    cells = [
        nbformat.v4.new_code_cell(
            source, id=f"broken-{number}", metadata={"tags": ["raises-exception"]}
        )
        for number, source in enumerate(sources, start=1)
    ]
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook: dict[str, Any] = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": kernel}
    )
    return notebook


def look(opened: Opened, seen: Visit, camera: Camera) -> None:
    """Look at the whole notebook with its controls alive."""
    opened.unfold()
    seen.has_controls = opened.page.locator(".handson-live").count() > 0
    seen.images = looking.images(opened.page)
    seen.without_font = looking.letters_without_font(opened.page)
    for theme, width in looking.LOOKS if camera.is_there else (LIVE[seen.edition],):
        opened.unfold(width)
        opened.dress(theme)
        seen.faults += looking.faults(opened.page)
    for theme, width in looking.ALL_LOOKS if camera.is_there else ():
        opened.unfold(width)
        opened.dress(theme)
        camera.take_notebook(opened, theme=theme, width=width)


def look_again(opened: Opened, seen: Visit) -> None:
    """Look at the notebook as its file is, where cards stand in the place of controls."""
    theme, width = AGAIN[seen.edition]
    opened.unfold(width)
    opened.dress(theme)
    seen.faults += looking.faults(opened.page)


def outputs(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [output for cell in notebook["cells"] for output in cell.get("outputs", ())]


def records(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    kept = (output.get("metadata", {}).get(METADATA_KEY) for output in outputs(notebook))
    return [record for record in kept if record]


def test_it_runs_to_its_end(visit: Visit) -> None:
    cells = [cell for cell in visit.saved["cells"] if cell["cell_type"] == "code"]
    ran = [cell["id"] for cell in cells if cell["execution_count"]]
    assert ran == [cell["id"] for cell in cells]
    assert ran != []


def test_only_what_has_to_fail_shows_an_error(visit: Visit) -> None:
    failed = [
        cell["id"]
        for cell in visit.saved["cells"]
        if any(output["output_type"] == "error" for output in cell.get("outputs", ()))
    ]
    assert failed == (["broken-2"] if visit.name == BROKEN else [])


def test_its_evidence_is_in_the_saved_file(visit: Visit) -> None:
    expected = EVIDENCE.get(visit.name, ["network", "image"])
    assert [record["check"] for record in records(visit.saved)] == expected


def test_its_outputs_stay_when_it_is_opened_and_saved_again(visit: Visit) -> None:
    assert visit.again["cells"] == visit.saved["cells"]


def test_no_view_of_a_widget_is_in_the_saved_file(visit: Visit) -> None:
    assert [output for output in outputs(visit.saved) if VIEW in output.get("data", {})] == []


def test_the_browser_tells_no_error(visit: Visit) -> None:
    assert visit.log == []


def test_nothing_is_fetched_from_elsewhere(visit: Visit) -> None:
    assert visit.outside == []


def test_axe_finds_no_serious_fault(visit: Visit) -> None:
    assert visit.faults == []


def test_its_images_are_there_and_fit(visit: Visit) -> None:
    shown = [image for image in visit.images if image.natural > 0 and image.width <= image.room]
    assert shown == visit.images
    assert len(shown) == IMAGES.get(visit.name, 0)


def test_a_font_has_every_letter(visit: Visit) -> None:
    assert visit.without_font == ""


def test_the_interface_speaks_the_language_of_the_edition(visit: Visit) -> None:
    assert visit.run_all == RUN_ALL[visit.edition]


# That what is wrong would be seen: in the notebook that is open last.


@pytest.fixture(scope="module")
def wrong(labs: Labs, page: Any, log: Log) -> Any:
    """A notebook that is open, with a text and a field of our own in its first output."""
    opened = Opened(labs.of("en", page), page, "01-network")
    opened.unfold()
    log.take()
    page.evaluate(
        "() => { document.querySelector('.jp-OutputArea-output').innerHTML = "
        "'<p style=\"color:#bbb;background:#fff\">pale</p><input>' }"
    )
    return page


def test_axe_would_see_what_is_too_pale_and_what_has_no_label(wrong: Any) -> None:
    kinds = {fault.partition(":")[0] for fault in looking.faults(wrong)}
    assert kinds == {"color-contrast", "label"}


@pytest.mark.parametrize(
    "wrongdoing",
    [
        "console.error('it went wrong')",
        "setTimeout(() => { throw new Error('it went wrong') })",
        "fetch('/api/it-went-wrong')",
    ],
    ids=["told", "thrown", "not found"],
)
def test_an_error_of_the_browser_would_be_seen(wrong: Any, log: Log, wrongdoing: str) -> None:
    with wrong.expect_event("console" if "throw" not in wrongdoing else "pageerror"):
        wrong.evaluate(f"() => {{ {wrongdoing} }}")
    assert [said for said in log.take() if "went" in said] != []


def test_a_letter_that_no_font_has_would_be_seen(wrong: Any) -> None:
    assert looking.letters_without_font(wrong, "図\u0378") == "\u0378"
