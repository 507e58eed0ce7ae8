"""Visits to the notebooks in JupyterLab: open, run all, save, leave, come back, save again.

One is always visited.  All of them are in `make test-full`, one after another in one home folder.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import nbformat
import pytest

from handson.aws.emulator import find_running
from handson.course.evidence import METADATA_KEY
from handson.notebook import VIEW
from handson.notebook.evidence_cards import JournalEntries
from handson.notebook.overview import Overview
from tests.browser import looking
from tests.browser.lab import Lab, Opened
from tests.browser.looking import Log

EVIDENCE = {
    "00-prepare": [],
    "01-network": ["network"],
    "02-cluster": ["cluster"],
    "03-image": ["repository", "image", "image-uri"],
    "04-evidence": [],
    "05-architecture": ["architecture"],
    "06-troubleshooting": [],
    "99-cleanup": [],
    "zz-broken": ["network", "image"],
}
"""The notebooks, and the evidence that each records."""

BROKEN = "zz-broken"
"""A notebook of our own, which comes last: what goes wrong, and what cleaning up shows."""

CELLS = (
    "import handson\nfrom handson import widgets\nworkshop = handson.start()\n"
    "workshop.cleanup('network', confirm='delete')\n"  # 06 leaves it broken
    "workshop.ensure_network(); workshop.ensure_cluster(); workshop.ensure_repository()\n"
    "workshop.push_image(workshop.build_image('../docker-rails-workshop', tag='1.0.0'))\n"
    "workshop.tag_image(tag='latest', image='1.0.0')\n"
    "workshop.record_image_uri();",
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
ALWAYS = {("en", "01-network")}
IMAGES = {"00-prepare": 1, "01-network": 1, "02-cluster": 1, "03-image": 1, "05-architecture": 5}
LIVE = dict(zip(("ja", "en"), looking.LOOKS, strict=True))
"""How axe looks at an edition's notebooks; where pictures are taken, it looks in both ways."""
AGAIN = dict(zip(("en", "ja"), looking.LOOKS, strict=True))
"""How it looks at them as their files are, with cards in the place of controls: the other way."""
RUN_ALL = {"ja": "すべてのセルを実行", "en": "Run All Cells"}


pytestmark = pytest.mark.browser


def expected(edition: str, name: str) -> dict[str, Any]:
    """Return what a visit has to see."""
    return {
        "changed before a key is pressed": False,
        "cells that did not run": [],
        "cells with an error": ["broken-2"] if name == BROKEN else [],
        "evidence in the saved file": EVIDENCE[name],
        "cells that changed when opened and saved again": [],
        "cells with a widget's view in the saved file": [],
        "images": IMAGES.get(name, 0),
        "trusted when it comes from elsewhere": False,
        "images without trust": IMAGES.get(name, 0),
        "images that are not there or do not fit": [],
        "drawings that a click does not enlarge without trust": [],
        "letters without a font": "",
        "faults that axe finds": [],
        "the menu's words": RUN_ALL[edition],
        "what the page says and fetches from elsewhere": [],
    }


def visit(lab: Lab, page: Any, log: Log, edition: str, name: str) -> dict[str, Any]:
    """Visit a notebook, and return what was seen, as `expected` returns it."""
    anew = lab.speak(edition)
    if name == BROKEN:
        lab.write(name, {f"broken-{number}": code for number, code in enumerate(CELLS, start=1)})
    lab.clear(name)
    log.take()
    opened = Opened(lab, page, name, anew=anew)
    is_changed = opened.is_changed()
    opened.run_all()
    saved = opened.save()
    words = opened.words("runmenu:run-all")
    faults = looking.look(opened, LIVE[edition])
    has_controls = page.locator(".handson-live").count() > 0
    images = looking.images(page)
    letters = looking.letters_without_font(page)
    opened.close()
    lab.distrust(name)
    opened.open()
    again = opened.save()
    if has_controls or images:
        opened.show(*AGAIN[edition])
    if has_controls:
        faults += looking.faults(page)
    trusted = looking.is_trusted(page)
    distrusted = looking.images(page)
    fixed = looking.find_fixed_drawings(page)
    opened.close()
    lab.end_kernels(page)
    codes = [cell for cell in saved["cells"] if cell["cell_type"] == "code"]
    outputs = [(cell["id"], output) for cell in codes for output in cell["outputs"]]
    kept = [output.get("metadata", {}).get(METADATA_KEY) for _, output in outputs]
    pairs = zip(saved["cells"], again["cells"], strict=True)
    return {
        "changed before a key is pressed": is_changed,
        "cells that did not run": [cell["id"] for cell in codes if not cell["execution_count"]],
        "cells with an error": [key for key, each in outputs if each["output_type"] == "error"],
        "evidence in the saved file": [record["check"] for record in kept if record],
        "cells that changed when opened and saved again": [
            before["id"] for before, after in pairs if before != after
        ],
        "cells with a widget's view in the saved file": [
            key for key, each in outputs if VIEW in each.get("data", {})
        ],
        "images": len(images),
        "trusted when it comes from elsewhere": trusted,
        "images without trust": len(distrusted),
        "images that are not there or do not fit": [
            image
            for image in (*images, *distrusted)
            if image.natural == 0 or image.width > image.room
        ],
        "drawings that a click does not enlarge without trust": fixed,
        "letters without a font": letters,
        "faults that axe finds": faults,
        "the menu's words": words,
        "what the page says and fetches from elsewhere": log.take(),
    }


@pytest.mark.parametrize(
    ("edition", "name"),
    [
        pytest.param(*each, marks=() if each in ALWAYS else pytest.mark.full)
        for each in product(LIVE, EVIDENCE)
    ],
)
def test_a_notebook_is_worked_through(
    lab: Lab, page: Any, log: Log, edition: str, name: str
) -> None:
    assert visit(lab, page, log, edition, name) == expected(edition, name)


def test_the_overview_leads_to_the_next_notebook_though_its_own_is_not_trusted(
    lab: Lab, page: Any
) -> None:
    anew = lab.speak("ja")
    card = Overview(JournalEntries(()))._repr_mimebundle_()
    shown = nbformat.v4.new_output("display_data", card)
    lab.write("zz-overview", {"overview": "handson.start()"}, outputs=[shown])
    Opened(lab, page, "zz-overview", anew=anew)
    page.locator(".jp-OutputArea a").last.click()
    page.wait_for_function(_SHOWN, arg="notebooks/ja/01-network.ipynb")
    page.evaluate("() => { jupyterapp.shell.closeAll() }")
    lab.end_kernels(page)


_SHOWN = "path => jupyterapp.shell.currentWidget?.context?.path === path"


_IN_TERMINAL = """async ([token, line]) => {
  const headers = { Authorization: `token ${token}` };
  const made = await fetch("/api/terminals", { method: "POST", headers });
  const { name } = await made.json();
  const socket = new WebSocket(`/terminals/websocket/${name}?token=${token}`);
  return new Promise(resolve => {
    let said = "";
    socket.onopen = () => socket.send(JSON.stringify(["stdin", line + "\\r"]));
    socket.onmessage = ({ data }) => {
      const [kind, text] = JSON.parse(data);
      said += kind === "stdout" ? text : "";
      if (said.includes("<END>")) resolve(said);
    };
  });
}"""


def test_a_terminal_of_jupyterlab_has_our_commands_and_is_pointed_at_the_embedded_aws(
    lab: Lab, browser: Any
) -> None:
    # What is typed is echoed: so the shell puts the last word together.
    asked = ("handson emulator status", 'echo "<$AWS_ENDPOINT_URL>"', "basename $PWD")
    line = " && ".join([*asked, "printf '<E%s>' ND"])
    page = browser.new_page()
    page.goto(f"{lab.base}/login")
    said = page.evaluate(_IN_TERMINAL, [lab.token, line])
    page.close()
    running = find_running(lab.folder / "home")
    assert running is not None
    assert f"<{running.endpoint}>\r\nja\r\n" in said
