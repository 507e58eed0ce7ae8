"""Write what grading knows of the notebooks: `handson/grading/course/<lang>.json`.

    python tools/course.py

`make refresh` does it too.  The files hold cell ids, the cells that learners write into, the prose,
and the digests and ids of the evidence in the notebooks, of former notebooks too: whoever hands it
in, or seals it anew, has proved nothing.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from handson.grading import crossing

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "handson" / "grading" / "course"
EVIDENCE = re.compile(r"""workshop\.evidence\(["']([\w-]+)["']\)""")


def main() -> int:
    """Write every edition that has notebooks."""
    for edition in sorted(path.parent for path in (ROOT / "notebooks").glob("*/00-prepare.ipynb")):
        path = FOLDER / f"{edition.name}.json"
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(described(edition, known=known), encoding="utf-8")
    return 0


def described(edition: Path, *, known: dict[str, Any]) -> str:
    """Return the file's text for the notebooks of a folder.

    Args:
        edition: The folder.
        known: What was written before, with the evidence that earlier notebooks had.
    """
    books = {path.stem: _cells(path) for path in sorted(edition.glob("*.ipynb"))}
    cells = [cell for book in books.values() for cell in book]
    records = list(_records(cells))
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
        "records": _together(known, "records", [record["digest"] for record in records]),
        "ids": _together(known, "ids", [name for record in records for name in ids(record)]),
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _cells(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


def ids(record: dict[str, Any]) -> list[str]:
    """Return the ids that AWS gave in a record, each once."""
    requests = [request["request_id"] for request in record["requests"]]
    return list(dict.fromkeys(name for _, name in crossing.seen(requests, record["observed"])))


def _together(known: dict[str, Any], name: str, new: list[str]) -> list[str]:
    return list(dict.fromkeys([*known.get(name, []), *new]))


def _records(cells: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        record = output.get("metadata", {}).get("handson")
        if record:
            yield record


def _is_marked_by_hand(graded: dict[str, Any]) -> bool:
    return bool(graded.get("grade") and graded.get("solution"))


def _code(cell: dict[str, Any]) -> str:
    return _source(cell) if cell["cell_type"] == "code" else ""


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


if __name__ == "__main__":
    sys.exit(main())
