"""The exercise: what a learner is asked to build, as one frozen value.

`Settings` carries it and evidence records name it; checks, pictures, grading, policy and clean-up
receive it as an argument.  The defaults are the values that step 2 enters in the AWS console's
forms "VPC and more", "Create cluster" and "Create private repository".
"""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import NamedTuple

from handson.core.files import read_data
from handson.course.state import State

TAG_KEY, TAG_VALUE = "handson", "ecs-handson"
"""The tag that everything the workshop creates carries."""

OWNER_KEY = "handson-owner"
"""The second tag, which names the learner; see `owners`."""

LIKELY_REGIONS = ("us-east-1", "ap-northeast-1", "us-east-2", "us-west-2", "ap-northeast-3")
"""Where a missing resource is searched for: the learners' own region, the console's defaults, and
the neighbours of a menu that are clicked on instead."""

PLATFORM = ("linux", "amd64")
IMAGE_PLATFORM = "/".join(PLATFORM)
"""What Fargate runs by default (cpuArchitecture X86_64), and the same as OCI writes it."""

FARGATE = "FARGATE"
"""The capacity provider that the cluster needs."""

SUBNET_BITS = 4
BLOCKS_A_KIND = 8
"""The console divides a VPC into 16 blocks: 8 for public subnets, then 8 for private ones."""


class SubnetPlan(NamedTuple):
    """The CIDR blocks of the subnets that "VPC and more" creates, in the console's order."""

    public: tuple[IPv4Network, ...]
    private: tuple[IPv4Network, ...]


class NetworkForm(State, frozen=True, kw_only=True):
    """The form "VPC and more", filled in; other settings of the console keep their default.

    Attributes:
        name: How the Name tags begin (the field "Auto-generate").
        cidr: The IPv4 block of the VPC; the subnets get blocks whose prefix is 4 bits longer.
        availability_zones: The number of zones for the subnets.
        public_subnets: The number of subnets with a route to the internet gateway.
        private_subnets: The number of subnets without one.
        tenancy: The tenancy of the VPC.
        s3_endpoint: Whether the VPC gets a gateway endpoint for S3.
    """

    name: str = "ecs-handson"
    cidr: str = "10.0.0.0/16"
    availability_zones: int = 2
    public_subnets: int = 2
    private_subnets: int = 0
    tenancy: str = "default"
    s3_endpoint: bool = True

    @property
    def vpc_name(self) -> str:
        """The Name tag of the VPC."""
        return self.name_of("vpc")

    def plan_blocks(self) -> SubnetPlan:
        """Return the blocks that the console gives to the subnets of a form that `rules` accept.

        A subnet's prefix is 4 bits longer than the VPC's.  Public subnets get the blocks from the
        first of the 16 on, private ones those from the ninth on.
        """
        blocks, most = tuple(IPv4Network(self.cidr).subnets(SUBNET_BITS)), BLOCKS_A_KIND
        return SubnetPlan(blocks[: self.public_subnets], blocks[most : most + self.private_subnets])

    def name_of(self, kind: str, *, number: int = 0, zone: str = "") -> str:
        """Return the Name tag that the console gives to a resource.

        Args:
            kind: One of name_tags.toml.
            number: Counts subnets, and the route tables of private ones, from 1 within their kind.
            zone: The Availability Zone of the subnet.
        """
        ending: str = read_data("handson.course", "name_tags.toml")[kind]
        return f"{self.name}-{ending.format(number=number, zone=zone)}"


class Exercise(State, frozen=True, kw_only=True):
    """What is to be built; by default the workshop's own step 2.

    Attributes:
        region: Where everything is built.
        network: The form "VPC and more" as it has to be filled in.
        cluster: The name of the ECS cluster.
        repository: The name of the ECR repository.
        tag: The tag that the image is pushed under.
    """

    region: str = "us-east-1"
    network: NetworkForm = NetworkForm()
    cluster: str = "ecs-handson-cluster"
    repository: str = "rails-app"
    tag: str = "latest"
