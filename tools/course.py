"""Write what grading knows of the notebooks: `handson/grading/course/<lang>.json`.

    python tools/course.py

`make refresh` does it too.  The files hold cell ids, the cells that learners write into, the prose,
and the digests of the evidence in the notebooks, of former notebooks too: whoever hands it in has
proved nothing.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "handson" / "grading" / "course"
EVIDENCE = re.compile(r"""workshop\.evidence\(["']([\w-]+)["']\)""")


def main() -> int:
    """Write every edition that has notebooks."""
    for edition in sorted(path.parent for path in (ROOT / "notebooks").glob("*/00-prepare.ipynb")):
        path = FOLDER / f"{edition.name}.json"
        known = json.loads(path.read_text(encoding="utf-8"))["records"] if path.exists() else []
        path.write_text(described(edition, known=known), encoding="utf-8")
    return 0


def described(edition: Path, *, known: list[str]) -> str:
    """Return the file's text for the notebooks of a folder.

    Args:
        edition: The folder.
        known: The digests of evidence that earlier notebooks were handed out with.
    """
    books = {path.stem: _cells(path) for path in sorted(edition.glob("*.ipynb"))}
    cells = [cell for book in books.values() for cell in book]
    data = {
        "cells": {name: [cell["id"] for cell in book] for name, book in books.items()},
        "code": [cell["id"] for cell in cells if cell["cell_type"] == "code"],
        "evidence": {
            cell["id"]: check for cell in cells for check in EVIDENCE.findall(_code(cell))
        },
        "answers": {
            cell["metadata"]["nbgrader"]["grade_id"]: _source(cell)
            for cell in cells
            if _is_marked_by_hand(cell["metadata"].get("nbgrader", {}))
        },
        "prose": [_source(cell) for cell in cells if cell["cell_type"] == "markdown"],
        "records": list(dict.fromkeys([*known, *_digests(cells)])),
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _cells(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


def _digests(cells: list[dict[str, Any]]) -> list[str]:
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    records = [output.get("metadata", {}).get("handson") for output in outputs]
    return [record["digest"] for record in records if record]


def _is_marked_by_hand(graded: dict[str, Any]) -> bool:
    return bool(graded.get("grade") and graded.get("solution"))


def _code(cell: dict[str, Any]) -> str:
    return _source(cell) if cell["cell_type"] == "code" else ""


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


if __name__ == "__main__":
    sys.exit(main())
