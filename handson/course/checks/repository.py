"""The check `repository`: a private ECR repository in the account and region of the target.

`repository.private` is false for a repository of Amazon ECR Public.  `repository.uri` asks for the
URI that ECR gives in this account and region.  Tag mutability, scanning and encryption do not
matter.

This module also parses ECR's image URIs and chooses an image from a repository, for the checks of
images.
"""

from __future__ import annotations

import re

from msgspec import Struct

from handson.course.checks import results
from handson.course.checks.results import CheckResult, Diagnosis, Facts, Kept, conclude, diagnose
from handson.course.exercise import Exercise
from handson.course.state import Image, Repository, Snapshot, Target

# Amazon ECR User Guide, "Private registry" and "Amazon ECR service endpoints": FIPS endpoints, the
# China partition and the dual-stack names on.aws beside the usual form.
_IMAGE_URI = (
    r"([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]{1,40})\.(?:amazonaws\.com(?:\.cn)?|on\.aws)"
    r"/([a-z0-9._/-]{2,256})"
    r"(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?"
)


class EcrUri(Struct, frozen=True):
    """The parts of a URI in a private ECR registry; without tag and digest the tag is `latest`."""

    account: str
    region: str
    repository: str
    tag: str | None
    digest: str | None


def parse_image_uri(uri: str) -> EcrUri | None:
    """Return the parts of an image's or a repository's URI, or None for another registry's."""
    match = re.fullmatch(_IMAGE_URI, uri)
    if match is None:
        return None
    account, region, repository, tag, digest = match.groups()
    return EcrUri(account, region, repository, tag or (None if digest else "latest"), digest)


def build_repository_uri(target: Target, name: str) -> str:
    """Return the URI that ECR gives to a repository in the target's account and region."""
    ending = "amazonaws.com.cn" if target.region.startswith("cn-") else "amazonaws.com"
    return f"{target.account}.dkr.ecr.{target.region}.{ending}/{name}"


def find_goal_repository(snapshot: Snapshot, exercise: Exercise) -> Repository | None:
    """Return the exercise's repository: a private one first, then one with the right URI."""
    uri = build_repository_uri(snapshot.target, exercise.repository)
    named = [item for item in snapshot.repositories if item.name == exercise.repository]
    return min(named, key=lambda r: (_is_public(r), r.uri != uri, r.arn, r.uri), default=None)


def find_goal_images(snapshot: Snapshot, exercise: Exercise = Exercise()) -> list[Image]:
    """Return the images in the exercise's repository."""
    return [image for image in snapshot.images if image.repository == exercise.repository]


def find_tagged_image(images: list[Image], tag: str) -> Image | None:
    """Return the image with a tag; if several have it, the newest one."""
    return find_newest_image([image for image in images if tag in image.tags])


def find_newest_image(images: list[Image]) -> Image | None:
    """Return the image that was pushed last."""
    return max(images, key=lambda image: (image.pushed_at, image.digest), default=None)


def judge_repository(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the repository and why some are false."""
    repository = find_goal_repository(snapshot, exercise)
    uri = build_repository_uri(snapshot.target, exercise.repository)
    facts: Facts = {
        "repository.exists": (True, repository is not None),
        "repository.private": (True, repository and not _is_public(repository)),
        "repository.uri": (uri, repository and repository.uri),
    }
    if repository is None:
        cause = _explain_no_repository(snapshot, exercise)
    else:
        cause = _explain_repository(snapshot.target, repository, uri)
    return conclude("repository", facts, [cause], found=repository is not None)


def trim_to_repository(snapshot: Snapshot, exercise: Exercise) -> Kept:
    """Return what this check reads: the repository, or a similar one."""
    if repository := find_goal_repository(snapshot, exercise):
        return {"repositories": (repository,)}
    similar = find_misspelt(snapshot, exercise)
    return {"repositories": similar, "elsewhere": results.find_sightings(snapshot, "repository")}


def find_misspelt(snapshot: Snapshot, exercise: Exercise) -> tuple[Repository, ...]:
    """Return another repository whose name is most like the exercise's, if one is similar."""
    others = (each for each in snapshot.repositories if each.name != exercise.repository)
    return results.find_similar(exercise.repository, ((each.name, each) for each in others))


def _is_public(repository: Repository) -> bool:
    return ":ecr-public:" in repository.arn or repository.uri.startswith("public.ecr.aws/")


def _explain_no_repository(snapshot: Snapshot, exercise: Exercise) -> Diagnosis:
    misspelt = find_misspelt(snapshot, exercise)
    return results.explain_absence(
        "repository",
        snapshot,
        elsewhere="repository-region",
        here="repository-misspelt" if misspelt else "repository-absent",
        name=exercise.repository,
        found=misspelt[0].name if misspelt else "",
    )


def _explain_repository(target: Target, repository: Repository, wanted: str) -> Diagnosis:
    name, uri = repository.name, repository.uri
    if _is_public(repository):
        return diagnose("repository-public", "repository.private", "repository.uri", name=name)
    parts, fact = parse_image_uri(uri), "repository.uri"
    if parts and parts.region != target.region:
        places = {"there": parts.region, "region": target.region}
        return diagnose("repository-region", fact, name=name, **places)
    if parts and parts.account != target.account:
        places = {"there": parts.account, "here": target.account}
        return diagnose("repository-account", fact, name=name, **places)
    return diagnose("repository-uri", fact, name=name, uri=uri, wanted=wanted)
