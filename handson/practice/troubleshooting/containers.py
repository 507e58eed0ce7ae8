"""Breakages of the cluster, of the image in its repository, and of the URI that is kept.

An image is never deleted: a tag is taken off or put onto another manifest of the same layers, so
that what the learner has pushed is still there afterwards.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from msgspec.structs import replace

from handson.course import syllabus
from handson.course.checks import registries
from handson.course.state import RecordedUri
from handson.engine import is_image
from handson.practice.troubleshooting.ours import Change, Ours, impossible
from handson.resources import registry
from handson.resources.plan import Step

_INDEX = "application/vnd.oci.image.index.v1+json"
_TAG = syllabus.REPOSITORY.tag
_OWN_TAG_LETTERS = 12


def without_fargate(ours: Ours) -> Change:
    """Take all capacity providers off the cluster."""
    parameters = {
        "cluster": ours.cluster.arn,
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    }
    return Change([Step("providers", "ecs", "PutClusterCapacityProviders", parameters)])


def cluster_misspelt(ours: Ours) -> Change:
    """Make the cluster again, and leave out a letter of its name."""
    cluster = ours.cluster
    create = {
        "clusterName": f"{cluster.name[:-2]}{cluster.name[-1]}",
        "capacityProviders": list(cluster.capacity_providers),
        "tags": [{"key": syllabus.TAG_KEY, "value": syllabus.TAG_VALUE}],
    }
    return Change(
        [
            Step("gone", "ecs", "DeleteCluster", {"cluster": cluster.arn}),
            Step("new", "ecs", "CreateCluster", create, after=("gone",)),
        ]
    )


def tag_deleted(ours: Ours) -> Change:
    """Take the tag off the image; it stays, under its own tag.

    The tag is moved to an image that is deleted with it: an emulator may delete an image whole when
    one of its tags is deleted (ECR takes off that tag alone; API Reference, BatchDeleteImage).
    """
    if len(ours.image.tags) == 1:
        raise impossible("only-tag", tag=_TAG)
    put = _put(ours, _next(ours), ours.image.media_type)
    image = {"imageDigest": put["imageDigest"]}
    delete = {"repositoryName": ours.repository.name, "imageIds": [image]}
    return Change(
        [
            Step("tag", "ecr", "PutImage", {**put, "imageTag": _TAG}),
            Step("gone", "ecr", "BatchDeleteImage", delete, after=("tag",)),
        ]
    )


def tag_moved(ours: Ours) -> Change:
    """Move the tag to another image, as the next push does, and keep the URI as it is."""
    if not _leads_by_tag(ours.uri):
        raise impossible("uri-by-another-tag", tag=_TAG)
    return Change(_push(_put(ours, _next(ours), ours.image.media_type)))


def image_platform(ours: Ours) -> Change:
    """Let the tag lead to an image for arm64, pushed and recorded as the workshop does."""
    children = [
        {**child, "platform": {"os": "linux", "architecture": "arm64"}} for child in _images(ours)
    ]
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": children}
    put = _put(ours, index, _INDEX)
    recorded = replace(ours.uri, digest=put["imageDigest"]) if _leads_by_tag(ours.uri) else None
    return Change(_push(put), recorded)


def uri_region(ours: Ours) -> Change:
    """Let the URI name the registry of another region."""
    here = ours.seen.target.region
    there = next(region for region in reversed(syllabus.LIKELY_REGIONS[:2]) if region != here)
    return Change(uri=replace(ours.uri, uri=ours.uri.uri.replace(f".{here}.", f".{there}.")))


def _leads_by_tag(recorded: RecordedUri) -> bool:
    uri = registries.parse_image_uri(recorded.uri)
    return uri is not None and uri.tag == _TAG


def _stored(ours: Ours) -> str:
    """Return the manifest behind the tag as ECR has it."""
    reply = ours.aws.call(
        "ecr",
        "BatchGetImage",
        repositoryName=ours.repository.name,
        imageIds=[{"imageDigest": ours.image.digest}],
        acceptedMediaTypes=registry.MANIFEST_TYPES,
    )
    return str(reply["images"][0]["imageManifest"])


def _images(ours: Ours) -> list[dict[str, Any]]:
    """Return the images of the index behind the tag as it lists them; a plain one as it would."""
    text = _stored(ours)
    manifest = json.loads(text)
    if "manifests" in manifest:
        return [child for child in manifest["manifests"] if is_image(child)]
    size = len(text.encode())
    return [{"mediaType": ours.image.media_type, "digest": ours.image.digest, "size": size}]


def _next(ours: Ours) -> dict[str, Any]:
    """Return the manifest behind the tag as the next release's would be: of another digest."""
    manifest: dict[str, Any] = json.loads(_stored(ours))
    version = {"org.opencontainers.image.version": "next"}
    return {**manifest, "annotations": {**manifest.get("annotations", {}), **version}}


def _put(ours: Ours, manifest: dict[str, Any], media_type: str) -> dict[str, str]:
    """Return the parameters of PutImage, but for a tag."""
    if ours.repository.tag_mutability != "MUTABLE":
        raise impossible("immutable", tag=_TAG)
    text = json.dumps(manifest)
    return {
        "repositoryName": ours.repository.name,
        "imageManifest": text,
        "imageManifestMediaType": media_type,
        "imageDigest": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}",
    }


def _push(put: dict[str, str]) -> list[Step]:
    """Return the push of an image under a tag of its own and, after that, the exercise's."""
    own = put["imageDigest"].partition(":")[2][:_OWN_TAG_LETTERS]
    return [
        Step("own-tag", "ecr", "PutImage", {**put, "imageTag": own}),
        Step("tag", "ecr", "PutImage", {**put, "imageTag": _TAG}, after=("own-tag",)),
    ]
