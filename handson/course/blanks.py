"""Blanks: arguments of a cell whose values a learner decides, and finds as `...`."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import accumulate
from typing import Any


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
