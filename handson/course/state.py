"""What is there: the described state of a workshop, as frozen data.

The rooms that look at AWS fill a `Snapshot`; checks, pictures, evidence and grading read it.  It
holds what was seen and no judgement.  `to_json` and `from_json` carry it through a notebook and
back; reading is strict, so a stranger's file with wrong types is refused and never half understood.

Field names follow AWS's API where AWS has one.  `tagged` is true when the resource carries the
workshop's tag (`exercise.TAG_KEY`), that is, when clean-up may delete it.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

S = TypeVar("S", bound="State")


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every described thing: frozen, keyword-only, comparable."""

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain dicts, lists, strings, numbers and booleans."""
        # Through JSON: msgspec.to_builtins would leave tuples, which JSON gives back as lists.
        data: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return data

    @classmethod
    def from_json(cls: type[S], data: object) -> S:
        """Return the state that `data` describes.

        Raises:
            msgspec.ValidationError: A field is missing or has a wrong type.
        """
        return msgspec.convert(data, cls, strict=True)


class Target(State, frozen=True, kw_only=True):
    """Where the workshop runs. `kind` is "emulator" or "aws"; `endpoint` is null on real AWS."""

    kind: str
    account: str
    region: str
    endpoint: str | None = None


class Subnet(State, frozen=True, kw_only=True):
    """A subnet. `available_addresses` is what AWS reports free (it keeps five of each subnet)."""

    id: str
    name: str
    cidr: str
    zone: str
    map_public_ip: bool
    ipv6_cidrs: tuple[str, ...] = ()
    available_addresses: int = 0
    tagged: bool = False


class Route(State, frozen=True, kw_only=True):
    """A route. `target` is an id (`igw-…`, `nat-…`) or "local"; `state` is active or blackhole."""

    destination: str
    target: str
    state: str


class RouteTable(State, frozen=True, kw_only=True):
    """A route table; `subnets` are the ids that are associated with it explicitly."""

    id: str
    name: str
    main: bool
    subnets: tuple[str, ...]
    routes: tuple[Route, ...]
    tagged: bool = False


class InternetGateway(State, frozen=True, kw_only=True):
    """An internet gateway; `attachment` is "available" when it is attached to its VPC."""

    id: str
    name: str
    attachment: str
    tagged: bool = False


class VpcEndpoint(State, frozen=True, kw_only=True):
    """A VPC endpoint, such as the S3 gateway endpoint `com.amazonaws.us-east-1.s3`."""

    id: str
    name: str
    service: str
    type: str
    state: str
    tagged: bool = False


class Vpc(State, frozen=True, kw_only=True):
    """A VPC with all that stands in it. `cidrs` are all its IPv4 blocks, the primary first."""

    id: str
    name: str
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
    tagged: bool = False

    def route_table_of(self, subnet_id: str) -> RouteTable | None:
        """Return the route table that governs a subnet: its own, else the VPC's main one."""
        main = None
        for table in self.route_tables:
            if subnet_id in table.subnets:
                return table
            if table.main:
                main = table
        return main

    def is_public(self, subnet: Subnet) -> bool:
        """Tell whether a subnet is public.

        A subnet is public when its route table has a route to an internet gateway
        (Amazon VPC User Guide, "Subnets for your VPC", subnet types).
        """
        table = self.route_table_of(subnet.id)
        return table is not None and any(route.target.startswith("igw-") for route in table.routes)


class Cluster(State, frozen=True, kw_only=True):
    """An ECS cluster; `status` is AWS's string (ACTIVE, PROVISIONING, …, INACTIVE)."""

    name: str
    arn: str
    status: str
    capacity_providers: tuple[str, ...]
    container_instances: int
    running_tasks: int = 0
    active_services: int = 0
    tagged: bool = False


class Repository(State, frozen=True, kw_only=True):
    """A private ECR repository (public ones live in another service, `ecr-public`)."""

    name: str
    arn: str
    uri: str
    registry_id: str
    tag_mutability: str
    tagged: bool = False


class Platform(State, frozen=True, kw_only=True):
    """An operating system and a processor architecture, as OCI writes them: linux, amd64."""

    os: str
    architecture: str


class Image(State, frozen=True, kw_only=True):
    """An image in ECR, by manifest or index digest.

    `platforms` are read from the index or from the config blob, attestations left out.
    `size_bytes` adds up the layers as the registry lists them (compressed).
    `built_by` is the engine that made it ("docker", "builtin"), null when it does not say so.
    """

    repository: str
    digest: str
    tags: tuple[str, ...]
    media_type: str
    platforms: tuple[Platform, ...]
    size_bytes: int
    pushed_at: str
    built_by: str | None = None


class RecordedUri(State, frozen=True, kw_only=True):
    """The image URI that the learner keeps for step 3, and what its tag led to at that time."""

    uri: str
    digest: str
    recorded_at: str


class RecordedRun(State, frozen=True, kw_only=True):
    """What was seen when an image was started for a moment.

    `digest` is the image's in its repository.  `status` is the HTTP status of its first page, and
    0 when it did not start or did not answer.
    """

    repository: str
    digest: str
    ran_at: str
    engine: str
    status: int


class Sighting(State, frozen=True, kw_only=True):
    """Something of the workshop's that stands where it does not belong: in another region.

    `check` is the check that misses it here; `id` is AWS's id, ARN or digest.
    """

    check: str
    region: str
    id: str


class Unseen(State, frozen=True, kw_only=True):
    """A service that refused or failed: nothing is known about its resources.

    Attributes:
        service: "ec2", "ecs" or "ecr".
        problem: Why, in the language that was current.
        remedy: What to do about it, in that language.
    """

    service: str
    problem: str
    remedy: str


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
    """A learner's diagram, as it can be seen, without colours and places."""

    boxes: tuple[DrawnBox, ...] = ()
    icons: tuple[DrawnIcon, ...] = ()
    arrows: tuple[DrawnArrow, ...] = ()


class Snapshot(State, frozen=True, kw_only=True):
    """One look at the target. Every list is sorted by name, then id.

    Attributes:
        elsewhere: Missing resources that another region has, where a caller searched for them.
        drawing: The learner's diagram, where a caller asked for it.
        unseen: The services that could not be looked at; their lists are empty and say nothing.
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


class Resource(State, frozen=True, kw_only=True):
    """Something that clean-up deletes. `type` is AWS's resource type, such as `AWS::EC2::VPC`."""

    type: str
    id: str
    name: str
    region: str = ""

    def __str__(self) -> str:
        """Return the resource for people: its name where it has one, its type and id."""
        short = self.id.rpartition(":")[2]
        return f"{self.name} ({self.type} {short})" if self.name else f"{short} ({self.type})"


class Removal(State, frozen=True, kw_only=True):
    """What became of a resource that was to be deleted; `reason` says why it is still there."""

    resource: Resource
    reason: str = ""
