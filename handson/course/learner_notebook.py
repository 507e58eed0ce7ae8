"""The learner's edition of a notebook, made from the worked one: plain data, nothing is read."""

from __future__ import annotations

import re
from typing import Any

from handson.course.blanks import leave_blank, list_blanks

PICTURES = "images"
"""The folder beside the learner's notebooks that holds the pictures of their prose."""

_OUTSIDE = re.compile(r"(?<=\]\()\.\./\.\./(?:[^()\s]+/)?([^()\s/]+)(?=\))")
"""The target of a link in Markdown that leads out of the folder of the worked editions."""


def make_learner_notebook(worked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the notebook as a learner begins it, and the pictures that its prose shows.

    It has neither outputs nor execution counts, and thus no evidence records.  The arguments that a
    cell's metadata names are blank (`handson.course.blanks`), and nbgrader, whose student version
    is made from this one, does not empty that cell.  The worked notebook is left as it is.

    Args:
        worked: A notebook in format 4.

    Returns:
        The notebook, and for each picture in the folder `PICTURES` beside it the link that led to
        it from the worked notebook.
    """
    pictures: dict[str, str] = {}

    def bring_near(link: re.Match[str]) -> str:
        pictures[link[1]] = link[0]
        return f"{PICTURES}/{link[1]}"

    def empty(cell: dict[str, Any]) -> dict[str, Any]:
        if cell["cell_type"] == "code":
            cell = cell | {"outputs": [], "execution_count": None}
            if blanks := list_blanks(cell):
                source = leave_blank("".join(cell["source"]), blanks)
                metadata = {name: it for name, it in cell["metadata"].items() if name != "nbgrader"}
                cell |= {"source": source.splitlines(keepends=True), "metadata": metadata}
            return cell
        text = _OUTSIDE.sub(bring_near, "".join(cell["source"]))
        return cell | {"source": text.splitlines(keepends=True)}

    return worked | {"cells": [empty(cell) for cell in worked["cells"]]}, pictures
