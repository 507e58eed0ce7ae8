"""The learner's edition of a notebook, made from the worked one: plain data, nothing is read.

It has blanks: arguments of a cell whose values a learner decides, and finds as `...`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

PICTURES = "images"
"""The folder beside the learner's notebooks that holds the pictures of their prose."""

_OUTSIDE = r"(?<=\]\()\.\./\.\./(?:[^()\s]+/)?([^()\s/]+)(?=\))"
"""The target of a link in Markdown that leads out of the folder of the worked editions."""


def make_learner_notebook(worked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the notebook as a learner begins it, and the pictures that its prose shows.

    It has neither outputs nor execution counts, and thus no evidence records.  The arguments that a
    cell's metadata names are blank, and nbgrader, whose student version
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
        text = re.sub(_OUTSIDE, bring_near, "".join(cell["source"]))
        return cell | {"source": text.splitlines(keepends=True)}

    return worked | {"cells": [empty(cell) for cell in worked["cells"]]}, pictures


def list_blanks(cell: dict[str, Any]) -> Sequence[str | int]:
    """Return the blanks that a cell's metadata names, `{"handson": {"blanks": ["cidr", 0]}}`.

    A name is a keyword argument, a number a positional one, from 0.
    """
    blanks: Sequence[str | int] = cell.get("metadata", {}).get("handson", {}).get("blanks", ())
    return blanks


def leave_blank(source: str, blanks: Sequence[str | int]) -> str:
    """Return a cell's code with `...` for these arguments of its calls; the rest stays."""
    code = source.encode()
    starts = [*accumulate(map(len, code.splitlines(keepends=True)), initial=0)]
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    values = [each.value for call in calls for each in call.keywords if each.arg in blanks]
    values += [value for call in calls for at, value in enumerate(call.args) if at in blanks]
    for value in sorted(values, key=lambda value: (value.lineno, value.col_offset), reverse=True):
        begin = starts[value.lineno - 1] + value.col_offset
        end = starts[(value.end_lineno or 0) - 1] + (value.end_col_offset or 0)
        code = b"...".join([code[:begin], code[end:]])
    return code.decode()
