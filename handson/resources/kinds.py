"""The kinds of resources: how each is observed, searched for and deleted.

Snapshot and clean-up read this table and name no kind themselves.  The pure half, with the IAM
actions, is `handson.course.kinds`.  A new kind is one entry in each, and one module beside this.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from handson.aws import Aws
from handson.core.progress import Say
from handson.course.exercise import Exercise
from handson.course.state import Removal, Resource, Snapshot
from handson.course.syllabus import CHECKS
from handson.resources import cluster, images, network, repository

Observe = Callable[[Aws, Exercise, Collection[str] | None], dict[str, tuple[Any, ...]]]
"""Returns fields of a snapshot: what the given checks read; without checks, everything."""


@dataclass(frozen=True)
class Search:
    """How to find a resource in another region, where a check misses it in its own.

    Attributes:
        check: The check.
        is_missing: Tells whether the snapshot lacks the resource.
        find_ids: Returns the ids of the resource in the connection's region.
    """

    check: str
    is_missing: Callable[[Snapshot, Exercise], bool]
    find_ids: Callable[[Aws, Exercise], list[str]]


@dataclass(frozen=True)
class ResourceKind:
    """One kind of resource.

    Attributes:
        service: boto3's name of its service.
        context: Checks that read it, but can be judged without it where the service fails.
        observe: Return the kind's fields of a snapshot; several run in parallel.
        searches: How to find it in other regions.
        find_tagged: Return the resources with the workshop's tag, in the order of deletion.
        find_untagged: Return the resources with a name of the exercise but without the tag.
        delete: Delete the resources with the workshop's tag.
    """

    service: str
    context: frozenset[str]
    observe: tuple[Observe, ...]
    searches: tuple[Search, ...]
    find_tagged: Callable[[Aws], list[Resource]]
    find_untagged: Callable[[Aws, Exercise], list[Resource]]
    delete: Callable[[Aws, Say], list[Removal]]

    @property
    def checks(self) -> set[str]:
        """The checks that cannot be judged without it."""
        return {check.id for check in CHECKS if self.service in check.services}


def _lacks_vpc(snapshot: Snapshot, exercise: Exercise) -> bool:
    """Tell whether no VPC is the exercise's: by its name, its tag or its CIDR block."""
    form = exercise.network
    return not any(
        vpc.name == form.vpc_name or vpc.tagged or vpc.cidr == form.cidr
        for vpc in snapshot.vpcs
        if not vpc.is_default
    )


def _lacks_cluster(snapshot: Snapshot, exercise: Exercise) -> bool:
    return not any(
        each.name == exercise.cluster and each.status != cluster.DELETED
        for each in snapshot.clusters
    )


def _find_cluster_arns(aws: Aws, exercise: Exercise) -> list[str]:
    found = cluster.find_cluster(aws, exercise.cluster)
    return [found.arn] if found else []


def _lacks_repository(snapshot: Snapshot, exercise: Exercise) -> bool:
    return all(each.name != exercise.repository for each in snapshot.repositories)


def _find_repository_arns(aws: Aws, exercise: Exercise) -> list[str]:
    found = repository.find_repository(aws, exercise.repository)
    return [found.arn] if found else []


def _lacks_image(snapshot: Snapshot, exercise: Exercise) -> bool:
    return all(image.repository != exercise.repository for image in snapshot.images)


def _find_digests(aws: Aws, exercise: Exercise) -> list[str]:
    return [image.digest for image in images.find_images(aws, exercise.repository)[:1]]


KINDS = (
    ResourceKind(
        service="ecs",
        context=frozenset({"image", "image-uri"}),
        observe=(cluster.observe_clusters,),
        searches=(Search("cluster", _lacks_cluster, _find_cluster_arns),),
        find_tagged=cluster.find_tagged_clusters,
        find_untagged=cluster.find_untagged_clusters,
        delete=lambda aws, say: cluster.delete_clusters(aws, say=say),
    ),
    ResourceKind(
        service="ecr",
        context=frozenset(),
        observe=(repository.observe_repositories, images.observe_images),
        searches=(
            Search("repository", _lacks_repository, _find_repository_arns),
            Search("image", _lacks_image, _find_digests),
        ),
        find_tagged=repository.find_tagged_repositories,
        find_untagged=repository.find_untagged_repositories,
        delete=lambda aws, say: repository.delete_repositories(aws, say=say),
    ),
    ResourceKind(
        service="ec2",
        context=frozenset(),
        observe=(network.observe_vpcs,),
        searches=(
            Search(
                "network",
                _lacks_vpc,
                lambda aws, exercise: network.find_vpc_ids(aws, exercise.network.vpc_name),
            ),
        ),
        find_tagged=network.find_tagged_network,
        find_untagged=network.find_untagged_vpcs,
        delete=lambda aws, say: network.delete_network(aws, say=say),
    ),
)
"""All kinds, in the order of deletion."""
