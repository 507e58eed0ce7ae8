"""The exercise itself, as frozen data: settings, names, checks with their facts, questions, points.

Notebooks, checks, pictures and grading read it; nothing repeats it.  The values are those of the
AWS console's forms for "VPC and more", "Create cluster" and "Create private repository".
"""

from __future__ import annotations

from dataclasses import dataclass

TAG_KEY = "handson"
"""The tag that everything the workshop creates carries."""

REGION = "us-east-1"
LIKELY_REGIONS = ("us-east-1", "ap-northeast-1", "us-east-2", "us-west-2", "ap-northeast-3")
"""Where what is missing is looked for: the learners' own region, the console's defaults, and the
neighbours of a menu that are clicked on instead."""

PLATFORM = ("linux", "amd64")
"""What Fargate runs by default (cpuArchitecture X86_64)."""

PUSH_TAG = "latest"


@dataclass(frozen=True)
class NetworkGoal:
    """What the form "VPC and more" is filled in with."""

    name: str = "ecs-handson"
    cidr: str = "10.0.0.0/16"
    availability_zones: int = 2
    public_subnets: int = 2
    private_subnets: int = 0
    tenancy: str = "default"

    @property
    def vpc_name(self) -> str:
        """The Name tag the console gives the VPC."""
        return f"{self.name}-vpc"


@dataclass(frozen=True)
class ClusterGoal:
    """What the form "Create cluster" is filled in with."""

    name: str = "ecs-handson-cluster"
    capacity_provider: str = "FARGATE"
    container_instances: int = 0


@dataclass(frozen=True)
class RepositoryGoal:
    """What the form "Create private repository" is filled in with."""

    name: str = "rails-app"
    tag: str = PUSH_TAG


NETWORK = NetworkGoal()
CLUSTER = ClusterGoal()
REPOSITORY = RepositoryGoal()
TAG_VALUE = NETWORK.name


@dataclass(frozen=True)
class Fact:
    """One thing that a check looks at. An `advice` fact is shown but does not fail the check."""

    id: str
    advice: bool = False


@dataclass(frozen=True)
class Check:
    """One of the five items that a learner proves.

    Attributes:
        id: Its name, as in `workshop.evidence("network")`.
        notebook: The notebook that makes it.
        points: What it counts.
        facts: What the check looks at, in the order of a card.
        services: The AWS services that the check cannot do without.
    """

    id: str
    notebook: str
    points: int
    facts: tuple[Fact, ...]
    services: tuple[str, ...] = ()

    @property
    def grade_id(self) -> str:
        """The nbgrader id of its evidence cell."""
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
"""For whoever wants more: nothing of them is graded, and `handson run` leaves them out."""

ALL_NOTEBOOKS = tuple(sorted((*NOTEBOOKS, *OPTIONAL_NOTEBOOKS)))


@dataclass(frozen=True)
class Form:
    """A form of the console as a cell asks for it: the verb, and the settings it is filled in with.

    `name` is its nbgrader `grade_id` and the name that its result is given.
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
    """A cell the learner writes, by its nbgrader `grade_id`, marked by a human."""

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
"""The check of the diagram: it reads what the learner drew and not the target.

Its points are given by people; what the check finds is shown to them.
"""
EVIDENCE_IDS = (*CHECK_IDS, DRAWING.id)
"""What there is evidence for: the five items, and the diagram."""


def check(check_id: str) -> Check:
    """Return the check of that id, the diagram's included.

    Raises:
        KeyError: There is no such check.
    """
    for candidate in (*CHECKS, DRAWING):
        if candidate.id == check_id:
            return candidate
    raise KeyError(check_id)
