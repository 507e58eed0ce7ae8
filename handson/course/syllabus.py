"""The syllabus: notebooks, checks with their facts, forms, questions and points, as frozen data.

What a learner builds is in `exercise`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One thing that a check compares; a fact that is `advice` is shown but fails no check."""

    id: str
    advice: bool = False


@dataclass(frozen=True)
class Check:
    """A check: an item that a learner builds and collects evidence for.

    Attributes:
        id: The name, as in `workshop.evidence("network")`.
        notebook: The notebook in which the learner builds the item.
        points: The points for it.
        facts: The facts, in the order of the card.
        services: The AWS services without which the check cannot be judged.
    """

    id: str
    notebook: str
    points: int
    facts: tuple[Fact, ...]
    services: tuple[str, ...] = ()

    @property
    def grade_id(self) -> str:
        """The nbgrader id of the cell that collects its evidence."""
        return f"evidence-{self.id}"


CHECKS: tuple[Check, ...] = (
    Check(
        "network",
        "01-network",
        30,
        (
            Fact("vpc.exists"),
            Fact("vpc.cidr"),
            Fact("vpc.ipv6"),
            Fact("vpc.tenancy"),
            Fact("vpc.dns"),
            Fact("subnets.public"),
            Fact("subnets.private"),
            Fact("subnets.zones"),
            Fact("subnets.cidr"),
            Fact("gateway.attached"),
            Fact("routes.default"),
            Fact("names"),
        ),
        services=("ec2",),
    ),
    Check(
        "cluster",
        "02-cluster",
        15,
        (
            Fact("cluster.exists"),
            Fact("cluster.active"),
            Fact("cluster.fargate"),
            Fact("cluster.instances"),
        ),
        services=("ecs",),
    ),
    Check(
        "repository",
        "03-image",
        10,
        (Fact("repository.exists"), Fact("repository.private"), Fact("repository.uri")),
        services=("ecr",),
    ),
    Check(
        "image",
        "03-image",
        15,
        (
            Fact("image.pushed"),
            Fact("image.tag"),
            Fact("image.platform"),
            Fact("image.unique-tag", advice=True),
            Fact("image.runnable", advice=True),
        ),
        services=("ecr",),
    ),
    Check(
        "image-uri",
        "03-image",
        10,
        (Fact("uri.recorded"), Fact("uri.region"), Fact("uri.resolves")),
        services=("ecr",),
    ),
)
CHECK_IDS = tuple(check.id for check in CHECKS)

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
FORMS: tuple[Form, ...] = (
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


QUESTIONS: tuple[Answer, ...] = (
    Answer("why-network", "05-architecture", 4),
    Answer("why-zones", "05-architecture", 4),
    Answer("why-cluster", "05-architecture", 4),
    Answer("why-registry", "05-architecture", 4),
)
DIAGRAM = Answer("architecture", "05-architecture", 4)

DRAWING = Check(
    DIAGRAM.grade_id,
    DIAGRAM.notebook,
    DIAGRAM.points,
    (
        Fact("drawing.computer"),
        Fact("drawing.cloud"),
        Fact("drawing.vpc"),
        Fact("drawing.zones"),
        Fact("drawing.subnets"),
        Fact("drawing.private"),
        Fact("drawing.cluster"),
        Fact("drawing.spread"),
        Fact("drawing.servers"),
        Fact("drawing.registry"),
        Fact("drawing.registry-outside"),
        Fact("drawing.sign-in"),
        Fact("drawing.push"),
        Fact("drawing.pull"),
    ),
)
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
    for candidate in (*CHECKS, DRAWING):
        if candidate.id == check_id:
            return candidate
    raise KeyError(check_id)
