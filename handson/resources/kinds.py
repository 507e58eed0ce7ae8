"""The kinds of resources: how each is observed, searched for, listed and deleted.

Snapshot and clean-up read this table and name no kind themselves.  A new kind is one entry here,
its IAM actions in `handson.course.policy`, and one module beside this.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from handson.aws import Aws
from handson.core.progress import Say
from handson.course.exercise import Exercise
from handson.course.state import Removal, Resource
from handson.course.syllabus import CHECKS
from handson.resources import cluster, images, network_deletion, repository, vpc_listing

Observe = Callable[[Aws, Exercise, Collection[str] | None], tuple[Any, ...]]
"""Returns what the given checks read; without checks, everything."""

FindIds = Callable[[Aws, Exercise], list[str]]
"""Returns the ids of the exercise's resource in the connection's region."""


@dataclass(frozen=True)
class ResourceKind:
    """The resources of one service.

    Attributes:
        service: boto3's name of the service.
        context: Checks that read it, but can be judged without it where the service fails.
        observe: Fill the fields of a snapshot, by field; several run in parallel.
        find_ids: Find in another region what a check misses in its own, by check.
        list_all: Return the resources, each with whether it carries the workshop's tag, in the
            order of deletion.
        delete: Delete the resources with the workshop's tag.
    """

    service: str
    context: frozenset[str]
    observe: Mapping[str, Observe]
    find_ids: Mapping[str, FindIds]
    list_all: Callable[[Aws], list[tuple[Resource, bool]]]
    delete: Callable[[Aws, Say], list[Removal]]

    @property
    def checks(self) -> set[str]:
        """The checks that cannot be judged without it."""
        return {check.id for check in CHECKS if self.service in check.services}


KINDS = (
    ResourceKind(
        service="ecs",
        context=frozenset({"image", "image-uri"}),
        observe={"clusters": cluster.observe_clusters},
        find_ids={"cluster": cluster.find_cluster_arns},
        list_all=cluster.list_cluster_resources,
        delete=cluster.delete_clusters,
    ),
    ResourceKind(
        service="ecr",
        context=frozenset(),
        observe={"repositories": repository.observe_repositories, "images": images.observe_images},
        find_ids={
            "repository": repository.find_repository_arns,
            "image": images.find_image_digests,
        },
        list_all=repository.list_repository_resources,
        delete=repository.delete_repositories,
    ),
    ResourceKind(
        service="ec2",
        context=frozenset(),
        observe={"vpcs": vpc_listing.observe_vpcs},
        find_ids={"network": vpc_listing.find_vpc_ids},
        list_all=network_deletion.list_network_resources,
        delete=network_deletion.delete_network,
    ),
)
"""All kinds, in the order of deletion."""
