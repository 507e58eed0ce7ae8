"""The ways to break a finished workshop, each planned as the AWS calls that do it.

A breakage is a wrong state that learners get into, reached by the calls that the console makes.  It
touches only resources that carry the workshop's tag, and the recorded image URI.  It never deletes
the learner's image: a tag is taken off, or put onto another manifest of the same layers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from msgspec.structs import replace

from handson.aws import Aws
from handson.core import messages
from handson.core.errors import NotReady
from handson.course.checks import cluster, network, vpcs
from handson.course.checks.repository import find_goal_images, find_tagged_image, parse_image_uri
from handson.course.exercise import LIKELY_REGIONS, TAG_KEY, TAG_VALUE, Exercise
from handson.course.network_form import ANYWHERE
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
from handson.engine import is_image_manifest
from handson.resources.images import MANIFEST_TYPES
from handson.resources.plan import Ref, Step, tag_specification

T = TypeVar("T", Vpc, Subnet, InternetGateway, RouteTable, Cluster, Repository)

_INDEX = "application/vnd.oci.image.index.v1+json"
_UNIQUE_TAG_LETTERS = 12


@dataclass(frozen=True)
class Damage:
    """What a breakage does: AWS calls, and perhaps another image URI to record."""

    steps: Sequence[Step] = ()
    uri: RecordedUri | None = None


@dataclass(frozen=True)
class OwnResources:
    """The resources of a finished workshop that carry its tag.

    Each property raises `NotReady` when its resource lacks the tag: the learner made that one by
    hand, or it belongs to somebody else.

    Args:
        aws: The connection, for details that a snapshot does not hold.
        snapshot: A workshop that passes all checks.
        exercise: What the learner was asked to build.
    """

    aws: Aws
    snapshot: Snapshot
    exercise: Exercise

    @property
    def vpc(self) -> Vpc:
        """The workshop's VPC."""
        return _require_tag(network.choose_vpc(self.snapshot.vpcs, self.exercise).vpc, "VPC")

    @property
    def subnets(self) -> list[Subnet]:
        """Its public subnets, by address."""
        public = vpcs.find_public_subnets(self.vpc, self.exercise)
        return [_require_tag(subnet, "subnet") for subnet in public]

    @property
    def gateway(self) -> InternetGateway:
        """The internet gateway that is attached to the VPC."""
        return _require_tag(next(iter(self.vpc.internet_gateways), None), "internet gateway")

    @property
    def table(self) -> RouteTable:
        """The route table of the last public subnet; never the main one, which AWS made."""
        return _require_tag(self.vpc.route_table_of(self.subnets[-1].id), "route table")

    @property
    def cluster(self) -> Cluster:
        """The workshop's cluster, in which nothing runs."""
        found = _require_tag(cluster.find_goal_cluster(self.snapshot, self.exercise), "cluster")
        if found.active_services or found.running_tasks:
            raise _impossible(messages.text("practice.breakages.in-use", what=found.name))
        return found

    @property
    def repository(self) -> Repository:
        """The workshop's repository."""
        name = self.exercise.repository
        found = (each for each in self.snapshot.repositories if each.name == name)
        return _require_tag(next(found, None), "repository")

    @property
    def image(self) -> Image:
        """The image in that repository that the workshop's tag leads to."""
        images = find_goal_images(self.snapshot, self.exercise)
        image = find_tagged_image(images, self.exercise.tag)
        assert image is not None  # the checks pass
        return image

    @property
    def uri(self) -> RecordedUri:
        """The recorded image URI."""
        assert self.snapshot.recorded_uri is not None  # the checks pass
        return self.snapshot.recorded_uri

    @property
    def is_uri_by_tag(self) -> bool:
        """Whether the recorded image URI names the workshop's tag."""
        uri = parse_image_uri(self.uri.uri)
        return uri is not None and uri.tag == self.exercise.tag

    def find_association(self, subnet: Subnet) -> str:
        """Return the id of the association of a subnet with the public route table."""
        reply = self.aws.call("ec2", "DescribeRouteTables", RouteTableIds=[self.table.id])
        associations: list[dict[str, Any]] = reply["RouteTables"][0]["Associations"]
        ids = (a["RouteTableAssociationId"] for a in associations if a.get("SubnetId") == subnet.id)
        return str(next(ids))


def remove_route(own: OwnResources) -> Damage:
    """Take the default route out of the public route table."""
    parameters = {"RouteTableId": own.table.id, "DestinationCidrBlock": ANYWHERE}
    return Damage([Step("route", "ec2", "DeleteRoute", parameters)])


def detach_gateway(own: OwnResources) -> Damage:
    """Detach the internet gateway; the route to it stays."""
    return Damage([_detach(own)])


def exchange_gateway(own: OwnResources) -> Damage:
    """Replace the internet gateway by another one; the route still leads to the first."""
    create = {"TagSpecifications": tag_specification("internet-gateway", own.gateway.name)}
    made = "InternetGateway.InternetGatewayId"
    attach = {"InternetGatewayId": Ref("new"), "VpcId": own.vpc.id}
    delete = {"InternetGatewayId": own.gateway.id}
    return Damage(
        [
            _detach(own),
            Step("old", "ec2", "DeleteInternetGateway", delete, after=("detached",)),
            Step("new", "ec2", "CreateInternetGateway", create, made),
            Step("attached", "ec2", "AttachInternetGateway", attach, after=("old",)),
        ]
    )


def disassociate_subnet(own: OwnResources) -> Damage:
    """Take the last subnet away from the public route table."""
    return Damage([_disassociate(own)])


def turn_dns_off(own: OwnResources) -> Damage:
    """Turn DNS resolution off in the VPC."""
    parameters = {"VpcId": own.vpc.id, "EnableDnsSupport": {"Value": False}}
    return Damage([Step("dns", "ec2", "ModifyVpcAttribute", parameters)])


def rename_vpc(own: OwnResources) -> Damage:
    """Give the VPC another name."""
    tag = {"Key": "Name", "Value": f"{own.vpc.name}-old"}
    parameters = {"Resources": [own.vpc.id], "Tags": [tag]}
    return Damage([Step("name", "ec2", "CreateTags", parameters)])


def delete_subnet(own: OwnResources) -> Damage:
    """Delete the last public subnet."""
    return Damage([_disassociate(own), _delete_subnet(own)])


def crowd_zone(own: OwnResources) -> Damage:
    """Make the last public subnet again, in the zone of the first."""
    first, *_, last = own.subnets
    name = last.name.replace(last.zone, first.zone)
    create = {
        "VpcId": own.vpc.id,
        "CidrBlock": last.cidr,
        "AvailabilityZone": first.zone,
        "TagSpecifications": tag_specification("subnet", name),
    }
    associate = {"RouteTableId": own.table.id, "SubnetId": Ref("new")}
    return Damage(
        [
            _disassociate(own),
            _delete_subnet(own),
            Step("new", "ec2", "CreateSubnet", create, "Subnet.SubnetId", after=("gone",)),
            Step("joined", "ec2", "AssociateRouteTable", associate),
        ]
    )


def remove_providers(own: OwnResources) -> Damage:
    """Take all capacity providers off the cluster."""
    parameters = {
        "cluster": own.cluster.arn,
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    }
    return Damage([Step("providers", "ecs", "PutClusterCapacityProviders", parameters)])


def misspell_cluster(own: OwnResources) -> Damage:
    """Make the cluster again, with a letter of its name left out."""
    found = own.cluster
    create = {
        "clusterName": f"{found.name[:-2]}{found.name[-1]}",
        "capacityProviders": list(found.capacity_providers),
        "tags": [{"key": TAG_KEY, "value": TAG_VALUE}],
    }
    return Damage(
        [
            Step("gone", "ecs", "DeleteCluster", {"cluster": found.arn}),
            Step("new", "ecs", "CreateCluster", create, after=("gone",)),
        ]
    )


def delete_tag(own: OwnResources) -> Damage:
    """Take the tag off the image, which keeps its unique tag.

    The tag first moves to another image, which is then deleted: an emulator may delete an image
    whole when one of its tags is deleted, where ECR takes off that tag alone (API Reference,
    BatchDeleteImage).
    """
    tag = own.exercise.tag
    if len(own.image.tags) == 1:
        raise _impossible(messages.text("practice.breakages.only-tag", tag=tag))
    put = _put_image(own, _next_release(own), own.image.media_type)
    image = {"imageDigest": put["imageDigest"]}
    delete = {"repositoryName": own.repository.name, "imageIds": [image]}
    return Damage(
        [
            Step("tag", "ecr", "PutImage", {**put, "imageTag": tag}),
            Step("gone", "ecr", "BatchDeleteImage", delete, after=("tag",)),
        ]
    )


def move_tag(own: OwnResources) -> Damage:
    """Move the tag to another image, as the next push does; the recorded URI stays."""
    if not own.is_uri_by_tag:
        why = messages.text("practice.breakages.uri-by-another-tag", tag=own.exercise.tag)
        raise _impossible(why)
    return Damage(_push(own, _put_image(own, _next_release(own), own.image.media_type)))


def push_arm_image(own: OwnResources) -> Damage:
    """Move the tag to an image for arm64, pushed and recorded as the workshop does."""
    platform = {"os": "linux", "architecture": "arm64"}
    children = [{**child, "platform": platform} for child in _list_images(own)]
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": children}
    put = _put_image(own, index, _INDEX)
    recorded = replace(own.uri, digest=put["imageDigest"]) if own.is_uri_by_tag else None
    return Damage(_push(own, put), recorded)


def record_other_region(own: OwnResources) -> Damage:
    """Record an image URI that names the registry of another region."""
    here = own.snapshot.target.region
    there = next(region for region in LIKELY_REGIONS if region != here)
    return Damage(uri=replace(own.uri, uri=own.uri.uri.replace(f".{here}.", f".{there}.")))


@dataclass(frozen=True)
class Breakage:
    """One way to break the workshop; `plan` returns what it does, and changes nothing."""

    id: str
    plan: Callable[[OwnResources], Damage]

    @property
    def symptom(self) -> str:
        """What people report who suffer from it."""
        return messages.label("practice.breakages.symptom", self.id)

    @property
    def place(self) -> str:
        """The first hint: where to look."""
        return messages.label("practice.breakages.place", self.id)

    @property
    def cause(self) -> str:
        """The second hint: what is wrong, in general words."""
        return messages.label("practice.breakages.cause", self.id)


BREAKAGES = {
    breakage.id: breakage
    for breakage in (
        Breakage("image-platform", push_arm_image),
        Breakage("route-missing", remove_route),
        Breakage("cluster-without-fargate", remove_providers),
        Breakage("gateway-detached", detach_gateway),
        Breakage("uri-region", record_other_region),
        Breakage("vpc-renamed", rename_vpc),
        Breakage("tag-moved", move_tag),
        Breakage("subnet-deleted", delete_subnet),
        Breakage("cluster-misspelt", misspell_cluster),
        Breakage("table-left", disassociate_subnet),
        Breakage("tag-deleted", delete_tag),
        Breakage("dns-off", turn_dns_off),
        Breakage("one-zone", crowd_zone),
        Breakage("gateway-exchanged", exchange_gateway),
    )
}
"""All breakages by id, in the order in which seeds choose them."""


def choose_breakage(seed: int) -> Breakage:
    """Return the breakage that a seed chooses, the same one for everybody."""
    return list(BREAKAGES.values())[seed % len(BREAKAGES)]


def _require_tag(resource: T | None, kind: str) -> T:
    if resource is None or not resource.tagged:
        what = resource.name if resource and resource.name else kind
        raise _impossible(messages.text("practice.breakages.not-ours", what=what))
    return resource


def _impossible(why: str) -> NotReady:
    return NotReady(*messages.advice("practice.breakages.impossible", why=why))


def _detach(own: OwnResources) -> Step:
    parameters = {"InternetGatewayId": own.gateway.id, "VpcId": own.vpc.id}
    return Step("detached", "ec2", "DetachInternetGateway", parameters)


def _disassociate(own: OwnResources) -> Step:
    parameters = {"AssociationId": own.find_association(own.subnets[-1])}
    return Step("left", "ec2", "DisassociateRouteTable", parameters)


def _delete_subnet(own: OwnResources) -> Step:
    parameters = {"SubnetId": own.subnets[-1].id}
    return Step("gone", "ec2", "DeleteSubnet", parameters, after=("left",))


def _read_manifest(own: OwnResources) -> str:
    """Return the manifest of the image, byte for byte as ECR keeps it."""
    reply = own.aws.call(
        "ecr",
        "BatchGetImage",
        repositoryName=own.repository.name,
        imageIds=[{"imageDigest": own.image.digest}],
        acceptedMediaTypes=MANIFEST_TYPES,
    )
    return str(reply["images"][0]["imageManifest"])


def _list_images(own: OwnResources) -> list[dict[str, Any]]:
    """Return the entries of the image's index; for a plain image, the entry it would have."""
    text = _read_manifest(own)
    manifest = json.loads(text)
    if "manifests" in manifest:
        return [child for child in manifest["manifests"] if is_image_manifest(child)]
    size = len(text.encode())
    return [{"mediaType": own.image.media_type, "digest": own.image.digest, "size": size}]


def _next_release(own: OwnResources) -> dict[str, Any]:
    """Return the image's manifest with another annotation, and so with another digest."""
    manifest: dict[str, Any] = json.loads(_read_manifest(own))
    version = {"org.opencontainers.image.version": "next"}
    return {**manifest, "annotations": {**manifest.get("annotations", {}), **version}}


def _put_image(own: OwnResources, manifest: dict[str, Any], media_type: str) -> dict[str, str]:
    """Return the parameters of PutImage, without a tag."""
    if own.repository.tag_mutability != "MUTABLE":
        raise _impossible(messages.text("practice.breakages.immutable", tag=own.exercise.tag))
    text = json.dumps(manifest)
    return {
        "repositoryName": own.repository.name,
        "imageManifest": text,
        "imageManifestMediaType": media_type,
        "imageDigest": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}",
    }


def _push(own: OwnResources, put: dict[str, str]) -> list[Step]:
    """Return the push of an image under a unique tag and, after that, the workshop's tag."""
    unique = put["imageDigest"].partition(":")[2][:_UNIQUE_TAG_LETTERS]
    return [
        Step("unique-tag", "ecr", "PutImage", {**put, "imageTag": unique}),
        Step(
            "tag", "ecr", "PutImage", {**put, "imageTag": own.exercise.tag}, after=("unique-tag",)
        ),
    ]
