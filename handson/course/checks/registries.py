"""How registries, image URIs and ARNs are read: account, region, repository, tag, digest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from handson.core.text import find_nearest
from handson.course.exercise import Exercise
from handson.course.state import Image, Repository, Snapshot, Target

_REGISTRY = (
    r"([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]{1,40})\.(?:amazonaws\.com(?:\.cn)?|on\.aws)"
)
_REPOSITORY_URI = re.compile(rf"{_REGISTRY}/([a-z0-9._/-]{{2,256}})")
_IMAGE_URI = re.compile(
    rf"{_REPOSITORY_URI.pattern}(?::([A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?(?:@(sha256:[0-9a-f]{{64}}))?"
)


@dataclass(frozen=True)
class ImageUri:
    """An image URI of ECR, taken apart. Without a tag and a digest the tag is `latest`."""

    account: str
    region: str
    repository: str
    tag: str | None
    digest: str | None


def parse_image_uri(uri: str) -> ImageUri | None:
    """Return the parts of an image URI of a private registry, or None when it is not one."""
    match = _IMAGE_URI.fullmatch(uri)
    if match is None:
        return None
    account, region, repository, tag, digest = match.groups()
    if tag is None and digest is None:
        tag = "latest"
    return ImageUri(account, region, repository, tag, digest)


def parse_repository_uri(uri: str) -> ImageUri | None:
    """Return account, region and name of a private repository's URI, or None."""
    match = _REPOSITORY_URI.fullmatch(uri)
    return ImageUri(match[1], match[2], match[3], None, None) if match else None


def repository_uri(target: Target, name: str) -> str:
    """Return the URI that a repository has in the target's own account and region."""
    ending = "amazonaws.com.cn" if target.region.startswith("cn-") else "amazonaws.com"
    return f"{target.account}.dkr.ecr.{target.region}.{ending}/{name}"


def region_of_arn(arn: str) -> str:
    """Return the region in an ARN (``arn:partition:service:region:account:resource``), or ""."""
    parts = arn.split(":")
    return parts[3] if len(parts) > 5 else ""


def is_public(repository: Repository) -> bool:
    """Tell whether a repository is one of Amazon ECR Public's."""
    return ":ecr-public:" in repository.arn or repository.uri.startswith("public.ecr.aws/")


def own_images(snapshot: Snapshot, exercise: Exercise = Exercise()) -> list[Image]:
    """Return the images in the exercise's repository."""
    return [image for image in snapshot.images if image.repository == exercise.repository]


def tagged(images: list[Image], tag: str) -> Image | None:
    """Return the image that a tag leads to; the newest one, should a tag lead to several."""
    return newest([image for image in images if tag in image.tags])


def newest(images: list[Image]) -> Image | None:
    """Return the image that was pushed last."""
    return max(images, key=lambda image: (image.pushed_at, image.digest), default=None)


def likeliest(name: str, candidates: list[str]) -> str | None:
    """Return the candidate that may be `name` misspelt."""
    return find_nearest(name, sorted(set(candidates)))
