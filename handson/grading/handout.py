"""The notebooks as they were handed out: their cells, and their words.

`tools/course.py` writes `handout/*.json` from the committed notebooks, and a test compares the two,
so that a class can be graded without the notebooks.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

from handson.core import messages

STUBS = "YOUR ANSWER HERE\n# YOUR CODE HERE\nraise NotImplementedError()\n"
"""The lines that nbgrader puts in place of a solution."""


class Cells(msgspec.Struct, frozen=True, kw_only=True):
    """The cells of the notebooks, the same in every language.

    Attributes:
        notebooks: By notebook, the ids of its cells in order.
        code: The ids of the code cells.
        evidence: By cell id, the check whose evidence the cell seals.
    """

    notebooks: dict[str, tuple[str, ...]]
    code: tuple[str, ...]
    evidence: dict[str, str]


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of the notebooks in one language.

    Attributes:
        answers: By `grade_id`, the source that the learner starts from.
        prose: The source of every Markdown cell.
    """

    answers: dict[str, str]
    prose: tuple[str, ...]


@cache
def cells() -> Cells:
    """Return the cells of the notebooks."""
    return msgspec.json.decode(_read("cells"), type=Cells)


@cache
def editions() -> tuple[Words, ...]:
    """Return the texts of the notebooks in each language."""
    return tuple(msgspec.json.decode(_read(lang), type=Words) for lang in messages.LANGUAGES)


@cache
def notebook_of_cell() -> dict[str, str]:
    """Return the notebook of each cell id."""
    return {cell: name for name, ids in cells().notebooks.items() for cell in ids}


@cache
def given_lines() -> frozenset[str]:
    """Return every line that learners find in the cells they write into, in every language."""
    sources = (source for words in editions() for source in words.answers.values())
    return frozenset(line.strip() for source in (*sources, STUBS) for line in source.splitlines())


@cache
def headings() -> dict[str, str]:
    """Return the `grade_id` of each question by its first line, in every language."""
    return {
        source.splitlines()[0].strip(): grade_id
        for words in editions()
        for grade_id, source in words.answers.items()
        if source.startswith("#")
    }


def _read(name: str) -> bytes:
    return files("handson.grading").joinpath("handout", f"{name}.json").read_bytes()
