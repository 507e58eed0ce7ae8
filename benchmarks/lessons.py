"""How much a notebook gives to read and to do, before issue 16 and now, and how long that takes.

Characters are those of the Japanese prose that a learner sees, without spaces, Markdown's marks,
links' addresses and pictures.  A fold is what <details> holds; before, there was none.

The minutes are an estimate for a newcomer: reading at 500 characters a minute, without and with the
folds, and for each thing to do the seconds of `SECONDS`.  Nobody has been timed: they are what
we expect of somebody who does it for the first time, the same in all notebooks.

Usage: python -m benchmarks.lessons
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat

from handson.course import syllabus
from handson.course.learner_notebook import list_blanks
from handson.practice import questions

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks" / "ja"
BEFORE = {
    "00-prepare": (6_886, 2),
    "01-network": (6_126, 5),
    "02-cluster": (3_609, 5),
    "03-image": (6_240, 14),
    "04-evidence": (1_813, 4),
    "05-architecture": (5_751, 11),
    "06-troubleshooting": (2_344, 10),
    "99-cleanup": (2_164, 2),
}
"""Characters and code cells of commit 8bcf424, counted in the same way."""
FOLD = re.compile(r"<details>.*?</details>", re.DOTALL)
UNSEEN = re.compile(r"```.*?```|<!--.*?-->|<[^>]+>|!\[[^\]]*\]\([^)]*\)|\]\([^)]*\)", re.DOTALL)
MARKS = re.compile(r"[\s|*#`>\[-]")
TOLD = re.compile(r"(\d\d-[a-z]+)\S*.*\|[^|]*?(\d+) 分 *\|")
PACE = 500
SECONDS = {
    "cell": 20,  # with a look at the result
    "blank": 15,
    "prediction": 20,
    "task": 180,
    "question": 20,
    "answer": 150,  # two to five sentences
    "diagram": 600,
}
"""By kind how long a thing to do takes, beside reading about it."""


def count_characters(prose: str) -> int:
    return len(MARKS.sub("", UNSEEN.sub("", prose)))


def count_work(cells: list[Any]) -> Counter[str]:
    """Return how often each kind of `SECONDS` is in a notebook."""
    work: Counter[str] = Counter()
    for cell in cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if cell.cell_type == "markdown":
            work["answer"] += grade_id in {it.grade_id for it in syllabus.QUESTIONS}
            continue
        work["cell"] += 1
        work["blank"] += len(list_blanks(cell))
        work["prediction"] += ".predict(" in cell.source
        work["task"] += ".check_task(" in cell.source
        work["diagram"] += grade_id == syllabus.DIAGRAM.grade_id
        if asked := re.search(r"widgets\.questions\(workshop, (.*)\)", cell.source):
            names = re.findall(r'"([^"]+)"', asked[1])
            work["question"] += sum(len(questions.TOPICS.get(name, [name])) for name in names)
    return work


def main() -> None:
    """Print a row for each notebook, and the sum of 00 to 05."""
    books = {it: nbformat.read(NOTEBOOKS / f"{it}.ipynb", 4).cells for it in syllabus.ALL_NOTEBOOKS}
    told = dict(TOLD.findall("\n".join(cell.source for cell in books["00-prepare"])))
    total: Counter[str] = Counter()
    print("| notebook | prose before | now | in folds | cells before | now | blanks | predictions"
          " | tasks | questions | minutes, with folds | told in 00 |")  # fmt: skip
    print("|---|" + "---:|" * 11)
    for name, cells in books.items():
        prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        work, whole = count_work(cells), count_characters(prose)
        seen = count_characters(FOLD.sub("", prose))
        doing = sum(SECONDS[kind] * number for kind, number in work.items()) / 60
        row = {"before": BEFORE[name][0], "seen": seen, "folds": whole - seen}
        row |= {"cells": BEFORE[name][1], **work, "minutes": doing + seen / PACE}
        row |= {"whole": doing + whole / PACE, "told": int(told.get(name, 0))}
        _print_row(name, row)
        if name <= "05-architecture":
            total.update(row)
    _print_row("00 to 05", total)


def _print_row(name: str, row: Any) -> None:
    kinds = ("before", "seen", "folds", "cells", "cell", "blank", "prediction", "task", "question")
    columns = [f"{row.get(kind, 0):,}" for kind in kinds]
    columns[-1] += f" + {row['answer']} in words" if row.get("answer") else ""
    columns += [f"{row['minutes']:.0f}, {row['whole']:.0f}", f"{row['told']}"]
    print(f"| {name} | {' | '.join(columns)} |")


if __name__ == "__main__":
    main()
