"""The course as it was handed out: the notebooks' cells, and their words.

`tools/course.py` writes `course/<lang>.json` from the notebooks, and a test compares the two, so
that a class can be graded where the notebooks are not.  Both languages have the same cells.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

STUBS = "YOUR ANSWER HERE\n# YOUR CODE HERE\nraise NotImplementedError()\n"
"""What nbgrader puts in the place of what a learner is to write."""


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """The notebooks in one language.

    Attributes:
        cells: By notebook, the ids of its cells in order.
        code: The ids of the code cells.
        evidence: By cell id, the check whose evidence the cell seals.
        answers: By `grade_id`, the source that the learner starts from.
        prose: Every text of the notebooks.
        records: The digests of the evidence that the notebooks were ever handed out with.
        ids: The ids that AWS gave in that evidence: of requests, and of EC2's resources.
    """

    cells: dict[str, tuple[str, ...]]
    code: tuple[str, ...]
    evidence: dict[str, str]
    answers: dict[str, str]
    prose: tuple[str, ...]
    records: tuple[str, ...]
    ids: tuple[str, ...]


@cache
def editions() -> tuple[Edition, ...]:
    """Return the course in each of its languages, Japanese first."""
    found = sorted(
        (file for file in files(__name__.rpartition(".")[0]).joinpath("course").iterdir()),
        key=lambda file: file.name,
        reverse=True,
    )
    return tuple(
        msgspec.json.decode(file.read_bytes(), type=Edition)
        for file in found
        if file.name.endswith(".json")
    )


def course() -> Edition:
    """Return the course in the language it was written in, for what all languages share."""
    return editions()[0]


@cache
def notebook_of_cell() -> dict[str, str]:
    """Return the notebook of each cell id."""
    return {cell: name for name, cells in course().cells.items() for cell in cells}


@cache
def given_lines() -> frozenset[str]:
    """Return every line of the cells that learners write into, as they were handed out."""
    sources = (source for edition in editions() for source in edition.answers.values())
    return frozenset(line.strip() for source in (*sources, STUBS) for line in source.splitlines())


@cache
def headings() -> dict[str, str]:
    """Return the `grade_id` of each question's first line, in every language."""
    return {
        source.splitlines()[0].strip(): grade_id
        for edition in editions()
        for grade_id, source in edition.answers.items()
        if source.startswith("#")
    }


@cache
def own_records() -> frozenset[str]:
    """Return the digests of the course's own evidence, which is nobody's proof."""
    return frozenset(digest for edition in editions() for digest in edition.records)


@cache
def own_ids() -> frozenset[str]:
    """Return the ids in the course's own evidence, which AWS gave once and to nobody else."""
    return frozenset(name for edition in editions() for name in edition.ids)
