"""The notebooks of the English edition in a real JupyterLab, with its interface in English.

One is always visited; the others, with the steps of the Japanese edition, in `make test-full`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import looking
from tests.browser.lab import Lab, Opened
from tests.browser.looking import Camera, Log, Requests
from tests.browser.visiting import EVIDENCE, expected, visit

EDITION = "en"
NOTEBOOKS = [
    name if name == "01-network" else pytest.param(name, marks=pytest.mark.full)
    for name in EVIDENCE
]
WRONGDOINGS = {
    "console.error('it went wrong')": "console",
    "setTimeout(() => { throw new Error('it went wrong') })": "pageerror",
    "fetch('/api/it-went-wrong')": "console",
}
"""What goes wrong in a page, and what the browser calls the event that tells of it."""

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_worked_through(
    lab: Lab, page: Any, log: Log, requests: Requests, camera: Camera, name: str
) -> None:
    seen = visit(lab, page, name, log=log, requests=requests, camera=camera)
    assert seen == expected(EDITION, name)


# That what is wrong would be seen.


@pytest.fixture(scope="module")
def wrong(lab: Lab, page: Any, log: Log) -> Any:
    """A notebook that is open, with a text and a field of our own in its first output."""
    opened = Opened(lab, page, "01-network")
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


def test_an_error_of_the_browser_would_be_seen(wrong: Any, log: Log) -> None:
    unseen = []
    for wrongdoing, event in WRONGDOINGS.items():
        with wrong.expect_event(event):
            wrong.evaluate(f"() => {{ {wrongdoing} }}")
        if not any("went" in said for said in log.take()):
            unseen.append(wrongdoing)
    assert unseen == []


def test_a_letter_that_no_font_has_would_be_seen(wrong: Any) -> None:
    assert looking.letters_without_font(wrong, "図\u0378") == "\u0378"
