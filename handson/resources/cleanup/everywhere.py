"""Clean-up in every region that the home folder used, with a receipt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from handson.aws import Aws
from handson.core import messages
from handson.core.errors import HandsonError
from handson.core.progress import Say, silent
from handson.course import evidence
from handson.course.exercise import Exercise
from handson.course.state import Removal, Resource
from handson.resources import registry
from handson.resources.cleanup import receipts
from handson.resources.cleanup.costs import Stored, stored
from handson.resources.cleanup.deleting import delete_tagged, find_beside, find_tagged
from handson.resources.cleanup.regions import regions_used
from handson.resources.cleanup.shown import Cleanup

T = TypeVar("T")


def look(aws: Aws, home: Path, *, exercise: Exercise = Exercise()) -> Cleanup:
    """Return what carries the tag in every region that was used; deletes nothing.

    Raises:
        HandsonError: AWS did not answer in the region of the settings.  What another region does
            not tell is among what is left.
    """
    regions = regions_used(home, aws.target)
    found, unseen = _in_each(aws, regions, find_tagged)
    beside, closed = _in_each(
        aws, _without(regions, unseen), lambda place: find_beside(place, exercise)
    )
    return Cleanup(
        tuple(found),
        unseen=(*unseen, *closed),
        beside=tuple(beside),
        regions=regions,
        unfinished=receipts.unfinished(home, aws.target) is not None,
    )


def clean_up(
    aws: Aws,
    home: Path,
    *,
    exercise: Exercise = Exercise(),
    say: Say = silent,
    clock: Callable[[], datetime] = evidence.now,
) -> Cleanup:
    """Delete what carries the tag in every region that was used, and keep a receipt.

    Interrupted, it goes on when it is run again, and the receipt is of both runs.

    Raises:
        HandsonError: A call was not allowed or did not answer in the region of the settings, or
            the receipt cannot be kept; run again to go on.
    """
    seen = look(aws, home, exercise=exercise)
    regions = _without(seen.regions, seen.unseen)
    storage, closed = _in_each(aws, regions, lambda place: _stored(place, seen.found, now=clock()))
    begun = receipts.begin(home, aws.target, found=seen.found, storage=storage, now=clock())
    regions = _without(regions, closed)
    removals, broken = _in_each(aws, regions, lambda place: delete_tagged(place, say=say).removals)
    looked = _without(regions, broken)
    told = {removal.resource.id for removal in removals}
    earlier = [
        Removal(resource=item)
        for item in begun.receipt.found
        if item.id not in told and item.region in looked
    ]
    done = (*earlier, *removals)
    unseen = (*seen.unseen, *closed, *broken)
    kept = receipts.finish(
        begun, regions=looked, removals=(*done, *unseen), beside=seen.beside, now=clock()
    )
    return replace(seen, removals=done, confirmed=True, unseen=unseen, kept=kept)


def _in_each(
    aws: Aws, regions: Iterable[str], take: Callable[[Aws], Iterable[T]]
) -> tuple[list[T], tuple[Removal, ...]]:
    """Do the same in each region; an error in another than the settings' stops that one alone."""
    taken: list[T] = []
    failed: list[Removal] = []
    for region in regions:
        try:
            taken += take(aws if region == aws.region else aws.in_region(region))
        except HandsonError as error:
            if region == aws.region:
                raise
            failed.append(_unseen(region, error))
    return taken, tuple(failed)


def _unseen(region: str, error: HandsonError) -> Removal:
    place = Resource(
        type=messages.text("resources.cleanup.region"), id=region, name=region, region=region
    )
    return Removal(resource=place, reason=error.problem)


def _without(regions: Iterable[str], unseen: Iterable[Removal]) -> tuple[str, ...]:
    closed = {removal.resource.region for removal in unseen}
    return tuple(region for region in regions if region not in closed)


def _stored(aws: Aws, found: Iterable[Resource], *, now: datetime) -> list[Stored]:
    """Return what is stored in the repositories of a connection's region."""
    here = [item for item in found if item.region == aws.region and item.type == registry.TYPE]
    kept = (stored(it, registry.find_stored_blobs(aws, it.name), until=now) for it in here)
    return [item for item in kept if item]
