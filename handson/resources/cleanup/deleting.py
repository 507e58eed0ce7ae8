"""Clean-up in one region: look, delete in AWS's order, look again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from handson.aws import Aws
from handson.core import messages
from handson.core.errors import WaitTimeout
from handson.core.progress import Say, silent
from handson.core.waiting import wait_until
from handson.course.exercise import Exercise
from handson.course.state import Removal, Resource
from handson.resources import cluster, network, registry
from handson.resources.cleanup.shown import Cleanup


def find_tagged(aws: Aws) -> tuple[Resource, ...]:
    """Return everything in the region that carries the workshop's tag, in the order of deletion."""
    return (
        *cluster.find_tagged(aws),
        *registry.find_tagged(aws),
        *network.find_tagged(aws),
    )


def find_beside(aws: Aws, exercise: Exercise) -> tuple[Resource, ...]:
    """Return what has a name of the exercise's and not its tag: made by hand, and left alone."""
    return (
        *cluster.find_beside(aws, exercise),
        *registry.find_beside(aws, exercise),
        *network.find_beside(aws, exercise),
    )


def delete_tagged(aws: Aws, *, say: Say = silent) -> Cleanup:
    """Delete everything that carries the workshop's tag in this region, and nothing else.

    Safe to run again: what is gone is left out, what is left is tried again.

    Raises:
        HandsonError: A call was not allowed or did not answer; run again to go on.
    """
    found = find_tagged(aws)
    removals = (
        *cluster.delete_cluster(aws, say=say),
        *registry.delete_repository(aws, say=say),
        *network.delete_network(aws, say=say),
    )
    return Cleanup(found, _seen_again(aws, removals), confirmed=True)


def _seen_again(aws: Aws, removals: Sequence[Removal]) -> tuple[Removal, ...]:
    """Return what became of each, once AWS has been asked again: what it still shows is left."""
    kept = {removal.resource.id for removal in removals if removal.reason}

    def unexpected() -> set[str]:
        return {resource.id for resource in find_tagged(aws)} - kept

    still: set[str] = unexpected() if removals else set()
    if still:
        with suppress(WaitTimeout):
            wait_until(
                unexpected,
                done=lambda seen: not seen,
                what="",
                timeout=aws.patience.consistency,
                interval=0.5,
                factor=1.5,
                clock=aws.patience.clock,
                sleep=aws.patience.sleep,
            )
        still = unexpected()
    reason = messages.text("resources.cleanup.still-listed")
    return tuple(
        Removal(resource=removal.resource, reason=reason)
        if removal.resource.id in still
        else removal
        for removal in removals
    )
