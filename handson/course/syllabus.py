"""The syllabus: notebooks, checks, forms, questions and points, as frozen data.

What a learner builds is in `exercise`; the facts of a check are in its module among `checks`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A check: an item that a learner builds and collects evidence for.

    Attributes:
        id: The name, as in `workshop.evidence("network")`.
        notebook: The notebook in which the learner builds the item.
        points: The points for it.
        services: The AWS services without which the check cannot be judged.
    """

    id: str
    notebook: str
    points: int
    services: tuple[str, ...] = ()

    @property
    def grade_id(self) -> str:
        """The nbgrader id of the cell that collects its evidence."""
        return f"evidence-{self.id}"


CHECKS = (
    Check("network", "01-network", 30, ("ec2",)),
    Check("cluster", "02-cluster", 15, ("ecs",)),
    Check("repository", "03-image", 10, ("ecr",)),
    Check("image", "03-image", 15, ("ecr",)),
    Check("image-uri", "03-image", 10, ("ecr",)),
)
CHECK_IDS = tuple(check.id for check in CHECKS)

ADVICE = ("image.runnable",)
"""The facts that are shown but fail no check."""

NOTEBOOKS = (
    "00-prepare",
    "01-network",
    "02-cluster",
    "03-image",
    "04-evidence",
    "05-architecture",
    "99-cleanup",
)
OPTIONAL_NOTEBOOKS = ("06-troubleshooting",)
"""Notebooks for extra practice: they are not graded, and `handson run` leaves them out."""

ALL_NOTEBOOKS = tuple(sorted((*NOTEBOOKS, *OPTIONAL_NOTEBOOKS)))


@dataclass(frozen=True)
class Form:
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


_NETWORK_SETTINGS = ("name", "cidr", "availability_zones", "public_subnets", "private_subnets")
FORMS = (
    Form("network", "01-network", "ensure_network", _NETWORK_SETTINGS),
    Form("cluster", "02-cluster", "ensure_cluster", ("name", "fargate", "ec2_instances")),
    Form("repository", "03-image", "ensure_repository", ("name",)),
)


@dataclass(frozen=True)
class Answer:
    """A cell that the learner writes and a person marks, with its nbgrader `grade_id`."""

    grade_id: str
    notebook: str
    points: int


_WHY = ("why-network", "why-zones", "why-cluster", "why-registry")
QUESTIONS = tuple(Answer(grade_id, "05-architecture", 4) for grade_id in _WHY)
DIAGRAM = Answer("architecture", "05-architecture", 4)

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
