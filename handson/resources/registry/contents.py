"""What an image is, read from its manifests.

An image is described by what its tag leads to: an index (what Docker pushes today, with
attestations beside the image) or a plain manifest.  The platform is read from the index or from the
image's configuration, the size is the sum of the layers as the registry lists them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handson.aws import Aws
from handson.course.state import Platform
from handson.engine import ENGINE_LABEL, is_image_manifest

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = [
    *INDEX_TYPES,
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]
_BATCH = 100
_LARGEST_CONFIG = 1_000_000
_SECONDS = 30.0


@dataclass
class Contents:
    """What an image's manifests say, gathered from an index or a plain manifest."""

    platforms: list[Platform] = field(default_factory=list)
    size_bytes: int = 0
    built_by: str | None = None


def read_manifests(aws: Aws, repository: str, digests: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the parsed manifests by digest; what ECR does not give back is left out.

    Raises:
        HandsonError: A call was not allowed or did not answer.
    """
    manifests: dict[str, dict[str, Any]] = {}
    unique = list(dict.fromkeys(digests))
    for start in range(0, len(unique), _BATCH):
        reply = aws.call(
            "ecr",
            "BatchGetImage",
            repositoryName=repository,
            imageIds=[{"imageDigest": digest} for digest in unique[start : start + _BATCH]],
            acceptedMediaTypes=MANIFEST_TYPES,
        )
        for image in reply.get("images", ()):
            manifests[image["imageId"]["imageDigest"]] = json.loads(image["imageManifest"])
    return manifests


def read_contents(aws: Aws, repository: str, manifest: Mapping[str, Any]) -> Contents:
    """Return what an index, with the images it lists, or a plain manifest says.

    Raises:
        HandsonError: A call was not allowed or did not answer.
    """
    contents = Contents()
    if "manifests" not in manifest:
        _add(aws, repository, manifest, contents=contents)
        return contents
    images = [child for child in manifest["manifests"] if is_image_manifest(child)]
    children = read_manifests(aws, repository, [child["digest"] for child in images])
    for child in images:
        stated = _platform(child.get("platform", {}))
        found = children.get(child["digest"], {})
        _add(aws, repository, found, contents=contents, platform=stated)
    return contents


def _platform(said: Mapping[str, Any]) -> Platform | None:
    """Return the platform that an index or a configuration states, or None where it does not."""
    if not said.get("os") or not said.get("architecture"):
        return None
    return Platform(os=said["os"], architecture=said["architecture"])


def _add(
    aws: Aws,
    repository: str,
    manifest: Mapping[str, Any],
    *,
    contents: Contents,
    platform: Platform | None = None,
) -> None:
    """Add what a plain manifest says; `platform` is what an index says of it."""
    contents.size_bytes += sum(int(layer["size"]) for layer in manifest.get("layers", ()))
    config = _config(aws, repository, manifest)
    platform = platform or _platform(config)
    if platform:
        contents.platforms.append(platform)
    labels = (config.get("config") or {}).get("Labels") or {}
    contents.built_by = contents.built_by or labels.get(ENGINE_LABEL)


def _config(aws: Aws, repository: str, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the image's configuration; empty where there is none, or it is no such thing."""
    described = manifest.get("config") or {}
    if not described or int(described.get("size", 0)) > _LARGEST_CONFIG:
        return {}
    try:
        config = json.loads(_blob(aws, repository, described["digest"]) or b"{}")
    except ValueError:
        return {}
    return config if isinstance(config, dict) else {}


def _blob(aws: Aws, repository: str, digest: str) -> bytes | None:
    """Return a small blob, or None where the registry does not give it out.

    ECR answers GetDownloadUrlForLayer with a signed address, which is used and never kept; an
    emulator's registry is read over the registry protocol.
    """
    from urllib.request import getproxies

    import urllib3

    if aws.endpoint:
        address = f"{aws.endpoint}/v2/{repository}/blobs/{digest}"
    else:
        reply = aws.call(
            "ecr", "GetDownloadUrlForLayer", repositoryName=repository, layerDigest=digest
        )
        address = reply["downloadUrl"]
    proxy = None if aws.endpoint else getproxies().get("https")
    pool = urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()
    try:
        answer = pool.request("GET", address, retries=2, timeout=_SECONDS)
    except urllib3.exceptions.HTTPError:
        return None
    return answer.data if answer.status == 200 else None
