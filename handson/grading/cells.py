"""The cells of what was handed in, beside those that were handed out: by id, without running any.

Missing, repeated and moved cells are told; they are grave only where a cell seals evidence or holds
an answer.  Cells of the learner's own are welcome, and an optional notebook may look as it likes.
An editor that gives cells new ids leaves nothing to compare, which is told too.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

from handson.core.text import list_briefly
from handson.course import syllabus
from handson.grading import handout
from handson.grading.model import NOTE, WARNING, Finding
from handson.grading.reading import Notebook

_SCORED = frozenset(
    [check.notebook for check in syllabus.CHECKS]
    + [answer.notebook for answer in (*syllabus.QUESTIONS, syllabus.DIAGRAM)]
)


def look(notebooks: Sequence[Notebook]) -> Iterator[Finding]:
    """Yield what differs from the notebooks that were handed out."""
    yield from _missing_notebooks(notebooks)
    for notebook in notebooks:
        if notebook.name not in syllabus.OPTIONAL_NOTEBOOKS:
            yield from _look(notebook)


def _missing_notebooks(notebooks: Sequence[Notebook]) -> Iterator[Finding]:
    there = {notebook.name for notebook in notebooks}
    missing = [name for name in syllabus.NOTEBOOKS if name not in there]
    for severity, names in (
        (WARNING, [name for name in missing if name in _SCORED]),
        (NOTE, [name for name in missing if name not in _SCORED]),
    ):
        if names:
            values = {"notebooks": ", ".join(names)}
            yield Finding(code="notebook-missing", severity=severity, values=values)


def _look(notebook: Notebook) -> Iterator[Finding]:
    given = handout.cells().notebooks[notebook.name]
    known = set(given)
    own = [cell.name for cell in notebook.cells if cell.name in known]
    if not own:
        yield Finding(code="cells-unknown", severity=NOTE, where=notebook.where)
        return
    counted = Counter(own)
    missing = [name for name in given if name not in counted]
    twice = [name for name, count in counted.items() if count > 1]
    for code, names in (
        ("cells-missing", missing),
        ("cells-twice", twice),
        ("cells-moved", moved(list(counted), given)),
    ):
        if names:
            yield _finding(code, names, notebook)
    if notebook.lost:
        values = {"count": str(notebook.lost)}
        yield Finding(code="cells-broken", severity=WARNING, where=notebook.where, values=values)


def moved(own: Sequence[str], given: Sequence[str]) -> list[str]:
    """Return the cells that have to be put elsewhere to be in the given order, the fewest."""
    place = {name: number for number, name in enumerate(given)}
    places = [place[name] for name in own]
    if places == sorted(places):
        return []
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, wanted in enumerate(places):
        length = bisect_left(ends, wanted)
        ends[length : length + 1] = [wanted]
        last[length : length + 1] = [index]
        before.append(last[length - 1] if length else -1)
    kept: set[int] = set()
    index = last[-1] if last else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return [name for number, name in enumerate(own) if number not in kept]


def _finding(code: str, names: Sequence[str], notebook: Notebook) -> Finding:
    given = handout.cells()
    grave = {*handout.editions()[0].answers, *given.evidence}
    if code == "cells-moved":
        grave.update(given.code)
    return Finding(
        code=code,
        severity=WARNING if grave.intersection(names) else NOTE,
        where=notebook.where,
        values={"cells": list_briefly(names), "count": str(len(names))},
    )
