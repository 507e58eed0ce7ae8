"""Keep the English notebooks in step with the Japanese ones: `make editions`.

    python tools/editions.py                        bring cells over, say what has to be translated
    python tools/editions.py --translated ID ...    say that these cells are translated now ("all")

Cell ids, kinds, order, code and grading are those of the Japanese edition.  A cell of prose keeps
in its metadata the digest of the Japanese it translates, so that a change there shows as a stale
translation.  A cell that is new comes over in Japanese, to be written in English.
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
    """Bring the second edition in step; return 1 while translations are stale, and name them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--translated", nargs="+", default=[], metavar="ID")
    translated = set(parser.parse_args(arguments).translated)
    stale = []
    for path in sorted(FIRST.glob("*.ipynb")):
        other = SECOND / path.name
        first, second = read(path), read(other) if other.exists() else {"cells": []}
        cells = in_step(first["cells"], second["cells"], translated=translated)
        other.parent.mkdir(exist_ok=True)
        write(other, {**first, "cells": cells})
        stale += [f"{path.stem}: {name}" for name in stale_cells(first["cells"], cells)]
    for name in stale:
        print(f"to be translated: {name}", file=sys.stderr)
    return 1 if stale else 0


def in_step(first: list[Cell], second: list[Cell], *, translated: set[str]) -> list[Cell]:
    """Return the second edition's cells, as the first has them, in its own words."""
    there = {cell["id"]: cell for cell in second}
    return [_beside(cell, there.get(cell["id"]), translated=translated) for cell in first]


def stale_cells(first: list[Cell], second: list[Cell]) -> list[str]:
    """Return the ids of prose in the second edition that does not translate what the first says."""
    return [
        one["id"]
        for one, other in zip(first, second, strict=True)
        if one["cell_type"] == "markdown"
        and other["metadata"].get(OURS, {}).get(DIGEST) != digest(one)
    ]


def digest(cell: Cell) -> str:
    """Return the digest of what a cell says."""
    return hashlib.sha256("".join(cell["source"]).encode()).hexdigest()[:16]


def read(path: Path) -> Any:
    """Return a notebook as plain data."""
    return json.loads(path.read_text(encoding="utf-8"))


def write(path: Path, notebook: Any) -> None:
    """Make a file hold a notebook, as Jupyter writes it."""
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _beside(cell: Cell, there: Cell | None, *, translated: set[str]) -> Cell:
    if cell["cell_type"] == "code":
        kept = ("execution_count", "outputs")
        return cell | {name: there[name] for name in kept if there}
    mark = there["metadata"].get(OURS, {}) if there else {}
    if translated & {cell["id"], "all"}:
        mark = {DIGEST: digest(cell)}
    metadata = {**cell["metadata"], **({OURS: mark} if mark else {})}
    return cell | {"metadata": metadata, "source": there["source"] if there else cell["source"]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
