"""One look at the target: everything that checks and pictures read, in one `Snapshot`.

A learner who worked in another region sees "there is no cluster" and looks at one.  So what is
missing here can be looked for in other regions, too: only for the checks that ask for it, only
where something is missing, in a handful of regions, and whatever goes wrong there is no matter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from handson.aws import Aws, settings
from handson.core.errors import HandsonError
from handson.course.checks.repository import parse_image_uri
from handson.course.exercise import LIKELY_REGIONS, Exercise
from handson.course.state import Image, Repository, Sighting, Snapshot
from handson.resources import cluster, image_run, image_uri, network, registry


def take_snapshot(
    aws: Aws, *, home: Path, exercise: Exercise = Exercise(), missing: Collection[str] = ()
) -> Snapshot:
    """Look at the network, the clusters, the repositories and their images, all at once.

    Args:
        aws: The connection.
        exercise: What is to be built.
        home: Where the image URI, and what was seen running, were recorded.
        missing: The checks for which something that is missing is looked for elsewhere, too.

    Raises:
        HandsonError: A call was not allowed, or AWS did not answer.
    """
    for service in ("ec2", "ecs", "ecr"):
        aws.client(service)
    with ThreadPoolExecutor(3) as pool:
        vpcs = pool.submit(network.find_vpcs, aws)
        clusters = pool.submit(cluster.find_clusters, aws)
        repositories = registry.find_repositories(aws)
        images: list[Image] = []
        for found in pool.map(lambda item: registry.find_images(aws, item.name), repositories):
            images.extend(found)
        seen = Snapshot(
            target=aws.target,
            vpcs=vpcs.result(),
            clusters=clusters.result(),
            repositories=repositories,
            images=tuple(images),
            recorded_uri=image_uri.read_image_uri(home),
            recorded_run=image_run.read_image_run(home),
        )
    lost = [
        search
        for search in _searches(exercise)
        if search.check in missing and not search.here(seen)
    ]
    return _searched(aws, seen, lost, exercise) if lost else seen


@dataclass(frozen=True)
class _Search:
    """How what a check is about is told to be here, and found in another region, by its ids."""

    check: str
    here: Callable[[Snapshot], bool]
    there: Callable[[Aws], list[str]]


def _searches(exercise: Exercise) -> tuple[_Search, ...]:
    vpc, name, repository = exercise.network.vpc_name, exercise.cluster, exercise.repository
    return (
        _Search(
            "network",
            lambda seen: any(each.name == vpc and not each.is_default for each in seen.vpcs),
            lambda aws: network.find_vpc_ids(aws, vpc),
        ),
        _Search(
            "cluster",
            lambda seen: any(c.name == name and c.status != cluster.ABSENT for c in seen.clusters),
            lambda aws: [found.arn for found in [cluster.find_cluster(aws, name)] if found],
        ),
        _Search(
            "repository",
            lambda seen: any(item.name == repository for item in seen.repositories),
            lambda aws: [it.arn for it in [registry.find_repository(aws, repository)] if it],
        ),
        _Search(
            "image",
            lambda seen: any(image.repository == repository for image in seen.images),
            lambda aws: [image.digest for image in registry.find_images(aws, repository)[:1]],
        ),
    )


def _searched(aws: Aws, seen: Snapshot, lost: list[_Search], exercise: Exercise) -> Snapshot:
    """Return the snapshot with what other regions, and ECR Public, hold of what is missing."""
    places = [(region, search) for region in _regions(seen) for search in lost]
    with ThreadPoolExecutor(8) as pool:
        private = all(search.check != "repository" for search in lost)
        public = [] if private else [pool.submit(_public, aws, exercise.repository)]
        found = list(pool.map(lambda place: _sightings(aws, *place), places))
    repositories = [repository for future in public for repository in future.result()]
    return replace(
        seen,
        repositories=(*seen.repositories, *repositories),
        elsewhere=tuple(sighting for some in found for sighting in some),
    )


def _sightings(aws: Aws, region: str, search: _Search) -> list[Sighting]:
    try:
        ids = search.there(aws.in_region(region, attempts=1))
    except HandsonError:
        return []  # Not allowed there, switched off or slow: then nothing is known of it.
    return [Sighting(check=search.check, region=region, id=id) for id in ids]


def _public(aws: Aws, name: str) -> list[Repository]:
    try:
        found = registry.find_public_repository(aws, name)
    except HandsonError:
        return []
    return [found] if found else []


def _regions(seen: Snapshot) -> list[str]:
    """Return the regions to look in, each once: the recorded URI's, then the likely ones."""
    uri = parse_image_uri(seen.recorded_uri.uri) if seen.recorded_uri else None
    said = uri.region if uri else ""
    likely = ([said] if said in settings.regions() else []) + [*LIKELY_REGIONS]
    return [region for region in dict.fromkeys(likely) if region != seen.target.region]
