"""The syllabus: notebooks, checks, forms, questions and points, as syllabus.toml has them.

What a learner builds is in `exercise`; the facts of a check are in its module among `checks`.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from handson.core.files import read_data

_DATA = read_data("handson.course", "syllabus.toml")


class Check(Struct, frozen=True):
    """A check: an item that a learner builds and collects evidence for.

    Attributes:
        id: The name, as in `workshop.evidence("network")`.
        notebook: The notebook in which the learner builds the item.
        points: The points for it.
        services: The AWS services without which the check cannot be judged.
    """

    id: str
    notebook: str
    points: int | float
    services: tuple[str, ...] = ()

    @property
    def grade_id(self) -> str:
        """The nbgrader id of the cell that collects its evidence."""
        return f"evidence-{self.id}"


CHECKS = msgspec.convert(_DATA["checks"], tuple[Check, ...])
CHECK_IDS = tuple(check.id for check in CHECKS)

ADVICE = ("image.runnable",)
"""The facts that are shown but fail no check."""

NOTEBOOKS: tuple[str, ...] = tuple(_DATA["notebooks"])
OPTIONAL_NOTEBOOKS: tuple[str, ...] = tuple(_DATA["optional-notebooks"])
"""Notebooks for extra practice: they are not graded, and `handson run` leaves them out."""

ALL_NOTEBOOKS = tuple(sorted((*NOTEBOOKS, *OPTIONAL_NOTEBOOKS)))


class Form(Struct, frozen=True):
    """A cell in which a learner fills in a form of the console.

    Attributes:
        name: The nbgrader `grade_id` of the cell, and the variable that gets the result.
        notebook: The notebook of the cell.
        verb: The verb that the cell calls.
        settings: The settings that the learner passes to it.
    """

    name: str
    notebook: str
    verb: str
    settings: tuple[str, ...]


FORMS = msgspec.convert(_DATA["forms"], tuple[Form, ...])


class Answer(Struct, frozen=True):
    """A cell that the learner writes and a person marks, with its nbgrader `grade_id`."""

    grade_id: str
    notebook: str
    points: int | float


QUESTIONS = msgspec.convert(_DATA["questions"], tuple[Answer, ...])
DIAGRAM = msgspec.convert(_DATA["diagram"], Answer)

DRAWING = Check(DIAGRAM.grade_id, DIAGRAM.notebook, DIAGRAM.points)
"""The check of the diagram, which reads the learner's drawing instead of the target.

A person gives its points; the report shows that person what the check finds.
"""
EVIDENCE_IDS = (*CHECK_IDS, DRAWING.id)
"""The checks that evidence is collected for: the five items and the diagram."""


def find_check(check_id: str) -> Check:
    """Return the check with this id; the diagram's is one of them.

    Raises:
        KeyError: No check has this id.
    """
    return {check.id: check for check in (*CHECKS, DRAWING)}[check_id]
