"""Write what grading knows of the notebooks: `handson/grading/handout.json`.

    python tools/course.py

It holds the cell ids and, of each edition, the cells that learners write into and the prose.
`make refresh` writes it too.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "handson" / "grading" / "handout.json"
EVIDENCE = re.compile(r"""workshop\.evidence\(["']([\w-]+)["']\)""")

Notebooks = dict[str, list[dict[str, Any]]]
"""By notebook its cells."""


def main() -> int:
    """Write the file."""
    FILE.write_text(describe(ROOT / "notebooks"), encoding="utf-8")
    return 0


def describe(folder: Path) -> str:
    """Return the text of the file, for the editions in a folder."""
    editions = [*map(read_notebooks, (folder / lang for lang in ("ja", "en")))]
    cells, *others = map(describe_cells, editions)
    if any(other != cells for other in others):
        raise ValueError("the editions have different cells")
    data = {**cells, "editions": [*map(describe_words, editions)]}
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def read_notebooks(edition: Path) -> Notebooks:
    """Return the notebooks of an edition."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))["cells"]
        for path in sorted(edition.glob("*.ipynb"))
    }


def describe_cells(notebooks: Notebooks) -> dict[str, Any]:
    """Return what the editions have in common."""
    code = [cell for book in notebooks.values() for cell in book if cell["cell_type"] == "code"]
    return {
        "notebooks": {name: [cell["id"] for cell in book] for name, book in notebooks.items()},
        "code": [cell["id"] for cell in code],
        "evidence": {
            cell["id"]: check for cell in code for check in EVIDENCE.findall(source(cell))
        },
    }


def describe_words(notebooks: Notebooks) -> dict[str, Any]:
    """Return the texts of one edition."""
    cells = [cell for book in notebooks.values() for cell in book]
    return {
        "answers": {
            cell["metadata"]["nbgrader"]["grade_id"]: source(cell)
            for cell in cells
            if is_marked_by_hand(cell["metadata"].get("nbgrader", {}))
        },
        "prose": [source(cell) for cell in cells if cell["cell_type"] == "markdown"],
    }


def is_marked_by_hand(graded: dict[str, Any]) -> bool:
    """Tell whether nbgrader's metadata says that a person marks the cell."""
    return bool(graded.get("grade") and graded.get("solution"))


def source(cell: dict[str, Any]) -> str:
    """Return a cell's source as one text."""
    lines = cell["source"]
    return lines if isinstance(lines, str) else "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
