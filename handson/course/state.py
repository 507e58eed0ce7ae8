"""The state of a workshop's resources, as frozen data.

The `resources` wing fills a `Snapshot`; checks, pictures, evidence and grading read it.  A snapshot
holds observations and no verdict.  `to_json` and `from_json` carry it through a notebook and back;
reading is strict, so a file with wrong types is refused as a whole.

Field names follow AWS's API.  `tagged` is true when the resource carries the workshop's tag
(`exercise.TAG_KEY`), which allows clean-up to delete it; in a snapshot, only where it also names an
owner, or where owners do not matter.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Self

import msgspec

from handson.core import messages

ANYWHERE = "0.0.0.0/0"
"""The destination of a default route."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The base class of all states: frozen, keyword-only, comparable."""

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain dicts, lists, strings, numbers and booleans."""
        # Through JSON: msgspec.to_builtins would leave tuples, which JSON gives back as lists.
        data: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return data

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Return the state that `data` describes.

        Raises:
            msgspec.ValidationError: A field is missing or has a wrong type.
        """
        return msgspec.convert(data, cls, strict=True)


class Target(State, frozen=True, kw_only=True):
    """The AWS in use. `kind` is "emulator" or "aws"; real AWS has no `endpoint`."""

    kind: str
    account: str
    region: str
    endpoint: str | None = None


class Owned(State, frozen=True, kw_only=True):
    """What the tags of a resource say: the workshop's tag, and the owner's, or ""."""

    tagged: bool = False
    owner: str = ""


class Named(Owned, frozen=True, kw_only=True):
    """A resource with an id and a Name tag, which may be ""."""

    id: str
    name: str

    @property
    def title(self) -> str:
        """Its name, or its id where it has none."""
        return self.name or self.id


class Subnet(Named, frozen=True, kw_only=True):
    """A subnet. `available_addresses` counts free addresses; AWS keeps five of each subnet."""

    cidr: str
    zone: str
    map_public_ip: bool
    ipv6_cidrs: tuple[str, ...] = ()
    available_addresses: int = 0


class Route(State, frozen=True, kw_only=True):
    """A route. `target` is an id (`igw-…`, `nat-…`) or "local"; `state` is active or blackhole."""

    destination: str
    target: str
    state: str


class RouteTable(Named, frozen=True, kw_only=True):
    """A route table; `subnets` are the ids that are associated with it explicitly."""

    main: bool
    subnets: tuple[str, ...]
    routes: tuple[Route, ...]


class InternetGateway(Named, frozen=True, kw_only=True):
    """An internet gateway; `attachment` is the state of its attachment to its VPC."""

    attachment: str

    @property
    def is_attached(self) -> bool:
        """AWS's API answers "available"; other implementations of it answer "attached"."""
        return self.attachment in ("available", "attached")


class VpcEndpoint(Named, frozen=True, kw_only=True):
    """A VPC endpoint, such as the S3 gateway endpoint `com.amazonaws.us-east-1.s3`."""

    service: str
    type: str
    state: str


class Vpc(Named, frozen=True, kw_only=True):
    """A VPC with its parts. `cidrs` are all its IPv4 blocks, the primary one first."""

    cidr: str
    cidrs: tuple[str, ...]
    ipv6_cidrs: tuple[str, ...]
    tenancy: str
    is_default: bool
    state: str
    dns_support: bool
    dns_hostnames: bool
    subnets: tuple[Subnet, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    internet_gateways: tuple[InternetGateway, ...] = ()
    endpoints: tuple[VpcEndpoint, ...] = ()

    def route_table_of(self, subnet_id: str) -> RouteTable | None:
        """Return the route table of a subnet: the associated one, else the VPC's main one."""
        associated = (table for table in self.route_tables if subnet_id in table.subnets)
        main = (table for table in self.route_tables if table.main)
        return next(chain(associated, main), None)

    def is_public(self, subnet: Subnet) -> bool:
        """Tell whether a subnet is public.

        A subnet is public when its route table has a route to an internet gateway
        (Amazon VPC User Guide, "Subnets for your VPC", subnet types).
        """
        table = self.route_table_of(subnet.id)
        return table is not None and any(route.target.startswith("igw-") for route in table.routes)


class Cluster(Owned, frozen=True, kw_only=True):
    """An ECS cluster; `status` is AWS's string (ACTIVE, PROVISIONING, …, INACTIVE)."""

    name: str
    arn: str
    status: str
    capacity_providers: tuple[str, ...]
    container_instances: int
    running_tasks: int = 0
    active_services: int = 0

    def __str__(self) -> str:
        return self.status

    @property
    def is_deleted(self) -> bool:
        """ECS describes a deleted cluster for a while (ECS API Reference, DescribeClusters)."""
        return self.status == "INACTIVE"


class Repository(Owned, frozen=True, kw_only=True):
    """A private ECR repository (public ones live in another service, `ecr-public`)."""

    name: str
    arn: str
    uri: str
    registry_id: str
    tag_mutability: str

    @property
    def keeps_tags(self) -> bool:
        """Tell whether tags never move, but for those that a filter excludes.

        `tag_mutability` is MUTABLE or IMMUTABLE, either also with the suffix _WITH_EXCLUSION
        (ECR API Reference, Repository).
        """
        return self.tag_mutability.startswith("IMMUTABLE")


class Platform(State, frozen=True, kw_only=True):
    """An operating system and a processor architecture, as OCI writes them: linux, amd64."""

    os: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.os}/{self.architecture}"


class Unseen(State, frozen=True, kw_only=True):
    """What refused or failed, so that nothing is known about its resources.

    Attributes:
        service: "ec2", "ecs" or "ecr".
        problem: The reason, in the language that was current.
        remedy: What the learner can do, in that language.
    """

    service: str
    problem: str
    remedy: str


class Image(State, frozen=True, kw_only=True):
    """An image in ECR.

    Attributes:
        repository: The name of its repository.
        digest: The digest of its manifest or index.
        tags: Its tags.
        media_type: The media type of its manifest or index.
        platforms: The platforms from the index or the config blob, without attestations.
        size_bytes: The sum of its compressed layers, as the registry lists them.
        pushed_at: When ECR received it.
        built_by: The engine that built it ("docker" or "builtin"), or None if it is unknown.
        unread: Why a platform is unknown: the configuration that holds it could not be read.
    """

    repository: str
    digest: str
    tags: tuple[str, ...]
    media_type: str
    platforms: tuple[Platform, ...]
    size_bytes: int
    pushed_at: str
    built_by: str | None = None
    unread: Unseen | None = None


class RecordedUri(State, frozen=True, kw_only=True):
    """The image URI that the learner records for step 3, with the digest of its image then."""

    uri: str
    digest: str
    recorded_at: str


class RecordedRun(State, frozen=True, kw_only=True):
    """The result of running an image for a moment.

    `digest` is the digest of the image in its repository.  `status` is the HTTP status of its first
    page, or 0 when the container did not start or did not answer.
    """

    repository: str
    digest: str
    ran_at: str
    engine: str
    status: int


class Sighting(State, frozen=True, kw_only=True):
    """A resource of the exercise in another region, where it does not belong.

    `check` is the check that misses the resource here; `id` is its id, ARN or digest.
    """

    check: str
    region: str
    id: str


class Foreign(State, frozen=True, kw_only=True):
    """A resource of another learner in place of what a check looks for; `owner` is its tag."""

    check: str
    name: str
    owner: str


class DrawnBox(State, frozen=True, kw_only=True):
    """A box of a learner's diagram; `inside` is the id of the box around it, or ""."""

    id: str
    label: str
    inside: str = ""


class DrawnIcon(State, frozen=True, kw_only=True):
    """An icon of a learner's diagram; `kind` is its path (``aws/compute/fargate``), or ""."""

    id: str
    label: str
    kind: str = ""
    inside: str = ""


class DrawnArrow(State, frozen=True, kw_only=True):
    """An arrow between two icons; `direction` is "forward", "back", "both" or "none"."""

    tail: str
    head: str
    label: str = ""
    direction: str = "forward"


class Drawing(State, frozen=True, kw_only=True):
    """A learner's diagram: its parts and their labels, without colours and positions."""

    boxes: tuple[DrawnBox, ...] = ()
    icons: tuple[DrawnIcon, ...] = ()
    arrows: tuple[DrawnArrow, ...] = ()


class Snapshot(State, frozen=True, kw_only=True):
    """The state of the target at one time. Every list is sorted by name, then id.

    Attributes:
        elsewhere: Resources that are missing here and exist in another region, if searched for.
        drawing: The learner's diagram, if asked for.
        unseen: The services that could not be queried; their empty lists say nothing.
        foreign: Other learners' resources in the same account and region; no list holds them.
    """

    target: Target
    vpcs: tuple[Vpc, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    repositories: tuple[Repository, ...] = ()
    images: tuple[Image, ...] = ()
    recorded_uri: RecordedUri | None = None
    recorded_run: RecordedRun | None = None
    elsewhere: tuple[Sighting, ...] = ()
    drawing: Drawing | None = None
    unseen: tuple[Unseen, ...] = ()
    foreign: tuple[Foreign, ...] = ()


class Resource(Named, frozen=True, kw_only=True):
    """A resource that clean-up deletes. `type` is its type in AWS, such as `AWS::EC2::VPC`."""

    type: str
    region: str = ""

    @property
    def service(self) -> str:
        """boto3's name of its service."""
        return self.type.split("::")[1].lower()

    @property
    def label(self) -> str:
        """Its type for people, in the current language."""
        noun = self.type.rpartition("::")[2]
        known = f"types.{noun}" in messages.catalogue("course")
        return messages.label("course.types", noun) if known else self.type

    def __str__(self) -> str:
        """Return the resource for people: its name if it has one, its type and its id."""
        short = self.id.rpartition(":")[2]
        return f"{self.name} ({self.label} {short})" if self.name else f"{short} ({self.label})"


class Removal(State, frozen=True, kw_only=True):
    """The result of deleting a resource; `reason` says why it still exists, "" if deleted."""

    resource: Resource
    reason: str = ""
