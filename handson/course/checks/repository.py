"""The check `repository`: a private ECR repository in the account and region of the target.

`repository.private` is false for a repository of Amazon ECR Public.  `repository.uri` asks for the
URI that ECR gives in this account and region.  Tag mutability, scanning and encryption do not
matter.

This module also parses ECR's image URIs and chooses an image from a repository, for the checks of
images.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from handson.core.text import find_nearest
from handson.course import syllabus
from handson.course.checks import causes
from handson.course.checks.causes import diagnose
from handson.course.checks.results import CheckResult, Diagnosis, conclude
from handson.course.exercise import Exercise
from handson.course.state import Image, Repository, Snapshot, Target

ID = "repository"
_NOTEBOOK = syllabus.check(ID).notebook

# Amazon ECR User Guide, "Private registry" and "Amazon ECR service endpoints": FIPS endpoints, the
# China partition and the dual-stack names on.aws beside the usual form.
_IMAGE_URI = re.compile(
    r"([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]{1,40})\.(?:amazonaws\.com(?:\.cn)?|on\.aws)"
    r"/([a-z0-9._/-]{2,256})"
    r"(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class ImageUri:
    """The parts of a URI of a private ECR registry; a missing tag is `latest`, as for Docker."""

    account: str
    region: str
    repository: str
    tag: str | None
    digest: str | None


def parse_image_uri(uri: str) -> ImageUri | None:
    """Return the parts of an image's or a repository's URI, or None for another registry's."""
    match = _IMAGE_URI.fullmatch(uri)
    if match is None:
        return None
    account, region, repository, tag, digest = match.groups()
    return ImageUri(account, region, repository, tag or (None if digest else "latest"), digest)


def build_repository_uri(target: Target, name: str) -> str:
    """Return the URI that ECR gives to a repository in the target's account and region."""
    ending = "amazonaws.com.cn" if target.region.startswith("cn-") else "amazonaws.com"
    return f"{target.account}.dkr.ecr.{target.region}.{ending}/{name}"


def find_goal_images(snapshot: Snapshot, exercise: Exercise = Exercise()) -> list[Image]:
    """Return the images in the exercise's repository."""
    return [image for image in snapshot.images if image.repository == exercise.repository]


def find_tagged_image(images: list[Image], tag: str) -> Image | None:
    """Return the image with a tag; if several have it, the newest one."""
    return find_newest_image([image for image in images if tag in image.tags])


def find_newest_image(images: list[Image]) -> Image | None:
    """Return the image that was pushed last."""
    return max(images, key=lambda image: (image.pushed_at, image.digest), default=None)


def judge(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the repository and why some are false."""
    target, repository = snapshot.target, _find_repository(snapshot, exercise)
    uri = build_repository_uri(target, exercise.repository)
    expected: dict[str, Any] = {
        "repository.exists": True,
        "repository.private": True,
        "repository.uri": uri,
    }
    if repository is None:
        return conclude(
            ID,
            expected=expected,
            observed={"repository.exists": False},
            explain=lambda false: [_explain_absence(snapshot, exercise, false)],
        )
    observed = {
        "repository.exists": True,
        "repository.private": not _is_public(repository),
        "repository.uri": repository.uri,
    }
    return conclude(
        ID,
        expected=expected,
        observed=observed,
        explain=lambda false: _explain(target, repository, uri),
    )


def trim(snapshot: Snapshot, exercise: Exercise) -> Snapshot:
    """Return the part of a snapshot that this check reads: the repository, or a similar one."""
    repository = _find_repository(snapshot, exercise)
    if repository:
        return Snapshot(target=snapshot.target, repositories=(repository,))
    return Snapshot(
        target=snapshot.target,
        repositories=tuple(_find_misspelt(snapshot, exercise)),
        elsewhere=causes.find_sightings(snapshot, ID),
    )


def _find_repository(snapshot: Snapshot, exercise: Exercise) -> Repository | None:
    """Return the exercise's repository: a private one first, then one with the right URI."""
    uri = build_repository_uri(snapshot.target, exercise.repository)
    named = [item for item in snapshot.repositories if item.name == exercise.repository]
    return min(named, key=lambda r: (_is_public(r), r.uri != uri, r.arn, r.uri), default=None)


def _find_misspelt(snapshot: Snapshot, exercise: Exercise) -> list[Repository]:
    near = find_nearest(exercise.repository, sorted({r.name for r in snapshot.repositories}))
    return [repository for repository in snapshot.repositories if repository.name == near][:1]


def _is_public(repository: Repository) -> bool:
    return ":ecr-public:" in repository.arn or repository.uri.startswith("public.ecr.aws/")


def _explain_absence(snapshot: Snapshot, exercise: Exercise, false: list[str]) -> Diagnosis:
    name, here = exercise.repository, snapshot.target.region
    there = causes.list_other_regions(snapshot, ID)
    if there:
        remedy = causes.advise_other_region(_NOTEBOOK, here=here, there=there)
        values = {"name": name, "there": there, "here": here}
        return diagnose("course.checks.cause.repository-region", false, remedy, **values)
    values, remedy = {"name": name, "region": here}, causes.advise_notebook(_NOTEBOOK)
    misspelt = _find_misspelt(snapshot, exercise)
    if misspelt:
        values["found"] = misspelt[0].name
        return diagnose("course.checks.cause.repository-misspelt", false, remedy, **values)
    return diagnose("course.checks.cause.repository-absent", false, remedy, **values)


def _explain(target: Target, repository: Repository, uri: str) -> Iterator[Diagnosis]:
    name, remedy = repository.name, causes.advise_notebook(_NOTEBOOK)
    if _is_public(repository):
        facts = ["repository.private", "repository.uri"]
        yield diagnose("course.checks.cause.repository-public", facts, remedy, name=name)
        return
    if repository.uri == uri:
        return
    facts, parts = ["repository.uri"], parse_image_uri(repository.uri)
    if parts and parts.region != target.region:
        values = {"name": name, "there": parts.region, "here": target.region}
        yield diagnose("course.checks.cause.repository-region", facts, remedy, **values)
    elif parts and parts.account != target.account:
        values = {"name": name, "there": parts.account, "here": target.account}
        yield diagnose("course.checks.cause.repository-account", facts, remedy, **values)
    else:
        values = {"name": name, "uri": repository.uri, "wanted": uri}
        yield diagnose("course.checks.cause.repository-uri", facts, remedy, **values)
