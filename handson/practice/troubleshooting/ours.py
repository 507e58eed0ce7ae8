"""What of a finished workshop may be broken, and a breakage as the calls that make it.

Everything that is handed out here carries the workshop's tag.  What does not, the learner made by
hand or somebody else did: a breakage that would need it cannot be made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from handson.aws import Aws
from handson.core import messages
from handson.core.errors import NotReady
from handson.course import syllabus
from handson.course.checks import cluster as cluster_check
from handson.course.checks import network as network_check
from handson.course.checks import registries, vpcs
from handson.course.state import (
    Cluster,
    Image,
    InternetGateway,
    RecordedUri,
    Repository,
    RouteTable,
    Snapshot,
    Subnet,
    Vpc,
)
from handson.resources.plan import Step


class Tagged(Protocol):
    """What AWS keeps tags on."""

    @property
    def name(self) -> str: ...

    @property
    def tagged(self) -> bool: ...


T = TypeVar("T", bound=Tagged)


@dataclass(frozen=True)
class Change:
    """What a breakage does: calls, each of which names what it changes, and perhaps another URI."""

    steps: Sequence[Step] = ()
    uri: RecordedUri | None = None


@dataclass(frozen=True)
class Ours:
    """The resources of a finished workshop that carry its tag; asking for another one raises.

    Args:
        aws: The connection, for what a look does not tell.
        seen: A look at a workshop that passes all checks.
    """

    aws: Aws
    seen: Snapshot

    @property
    def vpc(self) -> Vpc:
        """The workshop's VPC."""
        return _ours(network_check.choose(self.seen.vpcs).vpc, "VPC")

    @property
    def subnets(self) -> list[Subnet]:
        """Its public subnets, by address."""
        return [_ours(subnet, "subnet") for subnet in vpcs.public_subnets(self.vpc)]

    @property
    def gateway(self) -> InternetGateway:
        """The internet gateway that is attached to it."""
        return _ours(next(iter(self.vpc.internet_gateways), None), "internet gateway")

    @property
    def table(self) -> RouteTable:
        """The route table of its last public subnet; never the main one, which AWS made."""
        return _ours(self.vpc.route_table_of(self.subnets[-1].id), "route table")

    @property
    def cluster(self) -> Cluster:
        """The workshop's cluster, in which nothing runs."""
        cluster = _ours(cluster_check.find(self.seen), "cluster")
        if cluster.active_services or cluster.running_tasks:
            raise impossible("in-use", what=cluster.name)
        return cluster

    @property
    def repository(self) -> Repository:
        """The workshop's repository."""
        goal = syllabus.REPOSITORY.name
        named = (each for each in self.seen.repositories if each.name == goal)
        return _ours(next(named, None), "repository")

    @property
    def image(self) -> Image:
        """The image that the tag leads to, in that repository."""
        images = [each for each in self.seen.images if each.repository == self.repository.name]
        image = registries.tagged(images, syllabus.REPOSITORY.tag)
        if image is None:
            raise impossible("not-ours", what="image")
        return image

    @property
    def uri(self) -> RecordedUri:
        """The image URI that the learner keeps."""
        if self.seen.recorded_uri is None:
            raise impossible("not-ours", what="image URI")
        return self.seen.recorded_uri

    def association(self, subnet: Subnet) -> str:
        """Return the id of what joins the public route table and a subnet."""
        reply = self.aws.call("ec2", "DescribeRouteTables", RouteTableIds=[self.table.id])
        associations: list[dict[str, Any]] = reply["RouteTables"][0]["Associations"]
        ids = (a["RouteTableAssociationId"] for a in associations if a.get("SubnetId") == subnet.id)
        return str(next(ids))


def impossible(reason: str, **values: object) -> NotReady:
    """Return the refusal of a breakage that cannot be made in this workshop, and why."""
    why = messages.text(f"practice.troubleshooting.why-{reason}", **values)
    return NotReady(*messages.advice("practice.troubleshooting.impossible", why=why))


def _ours(resource: T | None, kind: str) -> T:
    if resource is None or not resource.tagged:
        raise impossible("not-ours", what=resource.name if resource and resource.name else kind)
    return resource
