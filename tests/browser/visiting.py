"""A visit to a notebook in JupyterLab: open, run all, save, leave, come back, save again.

`EXPECTED` and `expected` say what has to be seen of it; `visit` says what was seen.
"""

from __future__ import annotations

from typing import Any

import nbformat

from handson.course.evidence import METADATA_KEY
from handson.notebook import VIEW
from tests.browser import looking
from tests.browser.lab import Lab, Opened
from tests.browser.looking import Camera, Log, Requests

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
IMAGES = {"00-prepare": 1, "01-network": 1, "02-cluster": 1, "03-image": 1, "05-architecture": 4}
LIVE = dict(zip(("ja", "en"), looking.LOOKS, strict=True))
"""How axe looks at an edition's notebooks; where pictures are taken, it looks in both ways."""
AGAIN = dict(zip(("en", "ja"), looking.LOOKS, strict=True))
"""How it looks at them as their files are, with cards in the place of controls: the other way."""
RUN_ALL = {"ja": "すべてのセルを実行", "en": "Run All Cells"}


def expected(edition: str, name: str) -> dict[str, Any]:
    """Return what a visit has to see."""
    return {
        "cells that did not run": [],
        "cells with an error": ["broken-2"] if name == BROKEN else [],
        "evidence in the saved file": EVIDENCE[name],
        "cells that changed when opened and saved again": [],
        "cells with a widget's view in the saved file": [],
        "images": IMAGES.get(name, 0),
        "images that are not there or do not fit": [],
        "letters without a font": "",
        "faults that axe finds": [],
        "the menu's words": RUN_ALL[edition],
        "what the console says": [],
        "what was fetched from elsewhere": [],
    }


def visit(
    lab: Lab, page: Any, name: str, *, log: Log, requests: Requests, camera: Camera
) -> dict[str, Any]:
    """Visit a notebook, and return what was seen, as `expected` returns it."""
    if name == BROKEN:
        lab.write(name, broken_notebook())
    lab.clear(name)
    log.take()
    opened = Opened(lab, page, name, anew=False)
    opened.run_all()
    saved = opened.save()
    words = opened.words("runmenu:run-all")
    show(opened, *LIVE[lab.edition])
    has_controls = page.locator(".handson-live").count() > 0
    images = looking.images(page)
    letters = looking.letters_without_font(page)
    faults = looking.faults(page)
    if camera.is_there:
        faults += look_in_all_ways(opened, camera)
    opened.close()
    opened.open(anew=False)
    again = opened.save()
    if has_controls:
        show(opened, *AGAIN[lab.edition])
        faults += looking.faults(page)
    opened.close()
    lab.end_kernels(page)
    codes = [cell for cell in saved["cells"] if cell["cell_type"] == "code"]
    outputs = [(cell["id"], output) for cell in codes for output in cell["outputs"]]
    kept = [output.get("metadata", {}).get(METADATA_KEY) for _, output in outputs]
    pairs = zip(saved["cells"], again["cells"], strict=True)
    return {
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
        "images that are not there or do not fit": [
            image for image in images if image.natural == 0 or image.width > image.room
        ],
        "letters without a font": letters,
        "faults that axe finds": faults,
        "the menu's words": words,
        "what the console says": log.take(),
        "what was fetched from elsewhere": requests.take(),
    }


def look_in_all_ways(opened: Opened, camera: Camera) -> list[str]:
    """Take pictures in both themes at both widths, and return what axe finds meanwhile."""
    faults = []
    for theme, width in looking.ALL_LOOKS:
        show(opened, theme, width)
        camera.take_notebook(opened, theme=theme, width=width)
        if (theme, width) in looking.LOOKS:
            faults += looking.faults(opened.page)
    return faults


def show(opened: Opened, theme: str, width: int) -> None:
    """Show the whole notebook in a theme, at a width."""
    opened.dress(theme)
    opened.unfold(width)


def broken_notebook() -> dict[str, Any]:
    """Return a notebook whose cells may fail."""
    cells = [
        nbformat.v4.new_code_cell(
            source, id=f"broken-{number}", metadata={"tags": ["raises-exception"]}
        )
        for number, source in enumerate(CELLS, start=1)
    ]
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook: dict[str, Any] = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": kernel}
    )
    return notebook
