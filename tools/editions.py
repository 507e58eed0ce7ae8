"""Keep the English notebooks in step with the Japanese ones: `make editions`.

    python tools/editions.py                        copy cells, list what has to be translated
    python tools/editions.py --translated ID ...    mark these cells as translated ("all": all)

Cell ids, kinds, order, code and grading come from the Japanese edition.  The metadata of a cell of
prose holds the digest of the Japanese that it translates, so that a later change there makes the
translation stale.  A new cell is copied in Japanese, to be written in English.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FIRST, SECOND = (ROOT / "notebooks" / lang for lang in ("ja", "en"))
OURS, DIGEST = "handson", "translates"

Cell = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Update the English edition; return 1 while translations are stale, and print their cells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--translated", nargs="+", default=[], metavar="ID")
    translated = set(parser.parse_args(arguments).translated)
    stale = []
    for path in sorted(FIRST.glob("*.ipynb")):
        other = SECOND / path.name
        first, second = (
            read_notebook(path),
            read_notebook(other) if other.exists() else {"cells": []},
        )
        cells = copy_cells(first["cells"], second["cells"], translated=translated)
        other.parent.mkdir(exist_ok=True)
        write_notebook(other, {**first, "cells": cells})
        stale += [f"{path.stem}: {name}" for name in stale_cells(first["cells"], cells)]
    for name in stale:
        print(f"to be translated: {name}", file=sys.stderr)
    return 1 if stale else 0


def copy_cells(first: list[Cell], second: list[Cell], *, translated: set[str]) -> list[Cell]:
    """Return the first edition's cells with the prose and outputs of the second."""
    present = {cell["id"]: cell for cell in second}
    return [_copy_cell(cell, present.get(cell["id"]), translated=translated) for cell in first]


def stale_cells(first: list[Cell], second: list[Cell]) -> list[str]:
    """Return the ids of prose in the second edition that does not translate the first's."""
    return [
        one["id"]
        for one, other in zip(first, second, strict=True)
        if one["cell_type"] == "markdown"
        and other["metadata"].get(OURS, {}).get(DIGEST) != digest(one)
    ]


def digest(cell: Cell) -> str:
    """Return the digest of a cell's source."""
    return hashlib.sha256("".join(cell["source"]).encode()).hexdigest()[:16]


def read_notebook(path: Path) -> Any:
    """Return a notebook as plain data."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_notebook(path: Path, notebook: Any) -> None:
    """Write a notebook as Jupyter writes it."""
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _copy_cell(cell: Cell, present: Cell | None, *, translated: set[str]) -> Cell:
    if cell["cell_type"] == "code":
        kept = ("execution_count", "outputs")
        return cell | {name: present[name] for name in kept if present}
    mark = present["metadata"].get(OURS, {}) if present else {}
    if translated & {cell["id"], "all"}:
        mark = {DIGEST: digest(cell)}
    metadata = {**cell["metadata"], **({OURS: mark} if mark else {})}
    return cell | {"metadata": metadata, "source": present["source"] if present else cell["source"]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
