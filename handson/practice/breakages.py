"""The ways to break a finished workshop, each planned as the AWS calls that do it.

A breakage is a wrong state that learners get into, reached by the calls that the console makes.  It
touches only resources that carry the workshop's tag, and the recorded image URI.  It never deletes
the learner's image: a tag is taken off, or put onto another manifest of the same layers.

A running system is mended and not built again: most breakages take a decision, and a single call.
`BUILT_AGAIN` lists the others.

`BREAKAGES` lists them all.  Each is a function that plans a `Damage` and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from handson.aws import Aws
from handson.core import messages
from handson.core.errors import NotReady
from handson.course import state
from handson.course.checks import cluster, network_facts
from handson.course.checks import repository as ecr
from handson.course.exercise import LIKELY_REGIONS, Exercise
from handson.course.state import Cluster, InternetGateway, Repository, RouteTable, Subnet, Vpc
from handson.engine.oci import INDEX, digest_of, is_image_manifest
from handson.resources.cluster import ClusterForm
from handson.resources.images import fetch_manifest
from handson.resources.plan import Ref, Step, make_tag_specification

T = TypeVar("T", Vpc, Subnet, InternetGateway, RouteTable, Cluster, Repository)


Damage = Sequence[Step | state.RecordedUri]
"""What a breakage does, in this order: AWS calls, and perhaps another image URI to record."""


class OwnResources(Struct, frozen=True):
    """The resources of a finished workshop that carry its tag.

    Each property raises `NotReady` when its resource lacks the tag: the learner made that one by
    hand, or it belongs to somebody else.

    Args:
        aws: The connection, for details that a snapshot does not hold.
        snapshot: A workshop that passes all checks.
        exercise: What the learner was asked to build.
    """

    aws: Aws
    snapshot: state.Snapshot
    exercise: Exercise

    @property
    def vpc(self) -> Vpc:
        """The workshop's VPC."""
        return _require_tag(network_facts.find_goal_vpc(self.snapshot, self.exercise), "VPC")

    @property
    def subnets(self) -> list[Subnet]:
        """Its public subnets, by address."""
        public = network_facts.find_public_subnets(self.vpc, self.exercise)
        return [_require_tag(subnet, "Subnet") for subnet in public]

    @property
    def gateway(self) -> InternetGateway:
        """The internet gateway that is attached to the VPC."""
        return _require_tag(next(iter(self.vpc.internet_gateways), None), "InternetGateway")

    @property
    def table(self) -> RouteTable:
        """The route table of the last public subnet; never the main one, which AWS made."""
        return _require_tag(self.vpc.route_table_of(self.subnets[-1].id), "RouteTable")

    @property
    def cluster(self) -> Cluster:
        """The workshop's cluster, in which nothing runs."""
        found = _require_tag(cluster.find_goal_cluster(self.snapshot, self.exercise), "Cluster")
        if found.active_services or found.running_tasks:
            raise _impossible(messages.text("practice.breakages.in-use", what=found.name))
        return found

    @property
    def repository(self) -> Repository:
        """The workshop's repository."""
        return _require_tag(ecr.find_goal_repository(self.snapshot, self.exercise), "Repository")

    @property
    def image(self) -> state.Image:
        """The image in that repository that the workshop's tag leads to."""
        images = ecr.find_goal_images(self.snapshot, self.exercise)
        image = ecr.find_tagged_image(images, self.exercise.tag)
        assert image is not None  # the checks pass
        return image

    def fetch_manifest(self) -> str:
        """Return the image's manifest or index, byte for byte."""
        return fetch_manifest(self.aws, self.repository.name, self.image.digest)

    @property
    def uri(self) -> state.RecordedUri:
        """The recorded image URI."""
        assert self.snapshot.recorded_uri is not None  # the checks pass
        return self.snapshot.recorded_uri

    @property
    def is_uri_by_tag(self) -> bool:
        """Whether the recorded image URI names a tag."""
        uri = ecr.parse_image_uri(self.uri.uri)
        return uri is not None and uri.tag is not None

    def tag(self, resource_type: str, name: str) -> list[dict[str, Any]]:
        """Return the tags of a resource that is made again."""
        return make_tag_specification(resource_type, name, owner=self.aws.owners.name)


def remove_route(own: OwnResources) -> list[Step]:
    """Take the default route out of the public route table."""
    return [_ec2("DeleteRoute", RouteTableId=own.table.id, DestinationCidrBlock=state.ANYWHERE)]


def detach_gateway(own: OwnResources) -> Damage:
    """Detach the internet gateway; the route to it stays."""
    return [_ec2("DetachInternetGateway", InternetGatewayId=own.gateway.id, VpcId=own.vpc.id)]


def exchange_gateway(own: OwnResources) -> Damage:
    """Replace the internet gateway by another one; the route still leads to the first."""
    tags, new = own.tag("internet-gateway", own.gateway.name), Ref("CreateInternetGateway")
    return [
        *detach_gateway(own),
        _ec2("DeleteInternetGateway", InternetGatewayId=own.gateway.id),
        _ec2("CreateInternetGateway", TagSpecifications=tags),
        _ec2("AttachInternetGateway", InternetGatewayId=new, VpcId=own.vpc.id),
    ]


def disassociate_subnet(own: OwnResources) -> Damage:
    """Take the last subnet away from the public route table."""
    last = own.subnets[-1].id
    reply = own.aws.call("ec2", "DescribeRouteTables", RouteTableIds=[own.table.id])
    associations: list[dict[str, Any]] = reply["RouteTables"][0]["Associations"]
    ids = (a["RouteTableAssociationId"] for a in associations if a.get("SubnetId") == last)
    return [_ec2("DisassociateRouteTable", AssociationId=next(ids))]


def turn_dns_off(own: OwnResources) -> Damage:
    """Turn DNS resolution off in the VPC."""
    return [_ec2("ModifyVpcAttribute", VpcId=own.vpc.id, EnableDnsSupport={"Value": False})]


def rename_vpc(own: OwnResources) -> Damage:
    """Give the VPC another name."""
    tag = {"Key": "Name", "Value": f"{own.vpc.name}-old"}
    return [_ec2("CreateTags", Resources=[own.vpc.id], Tags=[tag])]


def add_namesake(own: OwnResources) -> Damage:
    """Create an empty VPC with the name of the workshop's."""
    tags = own.tag("vpc", own.vpc.name)
    return [_ec2("CreateVpc", CidrBlock=own.vpc.cidr, TagSpecifications=tags)]


def crowd_zone(own: OwnResources) -> Damage:
    """Make the last public subnet again, in the zone of the first."""
    first, *_, last = own.subnets
    name = last.name.replace(last.zone, first.zone)
    create = {
        "VpcId": own.vpc.id,
        "CidrBlock": last.cidr,
        "AvailabilityZone": first.zone,
        "TagSpecifications": own.tag("subnet", name),
    }
    return [
        *disassociate_subnet(own),
        _ec2("DeleteSubnet", SubnetId=last.id),
        _ec2("CreateSubnet", **create),
        _ec2("AssociateRouteTable", RouteTableId=own.table.id, SubnetId=Ref("CreateSubnet")),
    ]


def remove_providers(own: OwnResources) -> Damage:
    """Take all capacity providers off the cluster."""
    none: dict[str, Any] = {"capacityProviders": [], "defaultCapacityProviderStrategy": []}
    parameters = {"cluster": own.cluster.arn, **none}
    return [Step("providers", "ecs", "PutClusterCapacityProviders", parameters)]


def misspell_cluster(own: OwnResources) -> Damage:
    """Make the cluster again, with a letter of its name left out."""
    found = own.cluster
    delete = Step("old", "ecs", "DeleteCluster", {"cluster": found.arn})
    misspelt, providers = f"{found.name[:-2]}{found.name[-1]}", found.capacity_providers
    form = ClusterForm(name=misspelt, capacity_providers=providers)
    return [delete, *form.plan(own.aws.owners.name)]


def delete_tag(own: OwnResources) -> Damage:
    """Take the learner's own tags off the image, which keeps the exercise's.

    The tags first move to another image, which is then deleted: an emulator may delete an image
    whole when one of its tags is deleted, where ECR takes off that tag alone (API Reference,
    BatchDeleteImage).
    """
    kind, tags = own.image.media_type, [tag for tag in own.image.tags if tag != own.exercise.tag]
    digest, steps = _plan_push(own, _next_release(own), kind, tags=tags)
    image = {"repositoryName": own.repository.name, "imageIds": [{"imageDigest": digest}]}
    return [*steps, Step("gone", "ecr", "BatchDeleteImage", image)]


def move_tag(own: OwnResources) -> Damage:
    """Move all tags to another image, as a push that reuses them does; the recorded URI stays."""
    if not own.is_uri_by_tag:
        raise _impossible(messages.text("practice.breakages.uri-by-digest"))
    kind = own.image.media_type
    return _plan_push(own, _next_release(own), kind, tags=own.image.tags)[1]


def push_arm_image(own: OwnResources) -> Damage:
    """Move all tags to an image for arm64, pushed and recorded as the workshop does."""
    platform = {"os": "linux", "architecture": "arm64"}
    children = [{**child, "platform": platform} for child in _list_images(own)]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": children}
    digest, steps = _plan_push(own, index, INDEX, tags=own.image.tags)
    return [*steps, replace(own.uri, digest=digest)] if own.is_uri_by_tag else steps


def record_other_region(own: OwnResources) -> Damage:
    """Record an image URI that names the registry of another region."""
    here = own.snapshot.target.region
    there = next(region for region in LIKELY_REGIONS if region != here)
    return [replace(own.uri, uri=own.uri.uri.replace(f".{here}.", f".{there}."))]


BREAKAGES: Mapping[str, Callable[[OwnResources], Damage]] = {
    "image-platform": push_arm_image,
    "route-missing": remove_route,
    "cluster-without-fargate": remove_providers,
    "gateway-detached": detach_gateway,
    "uri-region": record_other_region,
    "vpc-renamed": rename_vpc,
    "tag-moved": move_tag,
    "vpc-namesake": add_namesake,
    "cluster-misspelt": misspell_cluster,
    "table-left": disassociate_subnet,
    "tag-deleted": delete_tag,
    "dns-off": turn_dns_off,
    "one-zone": crowd_zone,
    "gateway-exchanged": exchange_gateway,
}
"""All breakages by id, in the order in which seeds choose them."""

BUILT_AGAIN = {"image-platform", "cluster-misspelt", "one-zone"}
"""Those whose repair is to build the wrong part again: AWS cannot change it."""


def choose_breakage(seed: int) -> str:
    """Return the id of the breakage that a seed chooses, the same one for everybody."""
    return list(BREAKAGES)[seed % len(BREAKAGES)]


def find_kind(id: str) -> str:
    """Return the kind of resources that a breakage changes, as clean-up names it."""
    kinds = {"cluster": "cluster", "image": "repository", "tag": "repository", "uri": "repository"}
    return kinds.get(id.partition("-")[0], "network")


def describe_breakage(id: str, exercise: Exercise) -> tuple[str, str, str]:
    """Return the symptom of a breakage, where to look, and what is wrong."""
    names = {"repository": exercise.repository, "tag": exercise.tag}
    symptom = messages.label("practice.breakages.symptom", id, **names)
    place = messages.label("practice.breakages.place", id, **names)
    return symptom, place, messages.label("practice.breakages.cause", id, **names)


def _ec2(operation: str, **parameters: Any) -> Step:
    """Return a step that is named after its operation; one that creates results in an id."""
    noun = operation.removeprefix("Create")
    result = f"{noun}.{noun}Id" if "TagSpecifications" in parameters else ""
    return Step(operation, "ec2", operation, parameters, result)


def _require_tag(resource: T | None, noun: str) -> T:
    if resource is None or not resource.tagged:
        kind = messages.label("course.types", noun)
        what = resource.name if resource and resource.name else kind
        raise _impossible(messages.text("practice.breakages.not-ours", what=what))
    return resource


def _impossible(why: str) -> NotReady:
    return NotReady.from_key("practice.breakages.impossible", why=why)


def _list_images(own: OwnResources) -> list[dict[str, Any]]:
    """Return the entries of the image's index; for a plain image, the entry it would have."""
    text = own.fetch_manifest()
    manifest = json.loads(text)
    if "manifests" in manifest:
        return [child for child in manifest["manifests"] if is_image_manifest(child)]
    size = len(text.encode())
    return [{"mediaType": own.image.media_type, "digest": own.image.digest, "size": size}]


def _next_release(own: OwnResources) -> dict[str, Any]:
    """Return the image's manifest with another annotation, and so with another digest."""
    manifest: dict[str, Any] = json.loads(own.fetch_manifest())
    version = {"org.opencontainers.image.version": "next"}
    return {**manifest, "annotations": {**manifest.get("annotations", {}), **version}}


def _plan_push(
    own: OwnResources, manifest: dict[str, Any], media_type: str, *, tags: Sequence[str]
) -> tuple[str, list[Step]]:
    """Return an image's digest, and the steps of its push under these tags."""
    if own.repository.keeps_tags:
        raise _impossible(messages.text("practice.breakages.immutable", tag=own.exercise.tag))
    text = json.dumps(manifest)
    put = {
        "repositoryName": own.repository.name,
        "imageManifest": text,
        "imageManifestMediaType": media_type,
        "imageDigest": digest_of(text.encode()),
    }
    steps = [Step(tag, "ecr", "PutImage", {**put, "imageTag": tag}) for tag in tags]
    return put["imageDigest"], steps
