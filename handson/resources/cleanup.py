"""Clean-up: delete the learner's own resources with the workshop's tag, in every used region.

Resources without the tag, and those with another learner's name or nobody's, are kept and named.
ECS's service-linked role is kept, too: it belongs to the account, is free, and other clusters may
need it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from handson.aws import Aws, settings
from handson.core import files, messages
from handson.core.errors import HandsonError, WaitTimeout
from handson.core.host import Workers
from handson.core.text import check_choice
from handson.course import evidence
from handson.course.checks.repository import parse_image_uri
from handson.course.exercise import Exercise
from handson.course.state import Removal, Resource, Target
from handson.resources import plan, receipts, repository
from handson.resources.images import find_stored_blobs
from handson.resources.push import IMAGE_URI
from handson.resources.snapshot import KINDS, ResourceKind

_TAKEN = files.KeptState("taken-over.json", list[str])

Place = tuple[str, ResourceKind, Collection[str] | None]
"""A kind of resources in a region; with ids, only these matter."""

T = TypeVar("T")


def list_cleanup(
    aws: Aws, home: Path, *, kind: str = "", exercise: Exercise = Exercise()
) -> receipts.Cleanup:
    """Return what a clean-up would delete in every region that was used; deletes nothing.

    Args:
        aws: The connection.
        home: The home folder.
        kind: The name of the only kind in `KINDS` to delete; "" for all.
        exercise: What is to be built.

    Raises:
        InvalidInput: There is no such kind.
        HandsonError: The connection or the credentials are lost.  What alone cannot be listed, one
            kind in one region, is listed as something left.
    """
    if kind:
        check_choice("resources.cleanup.unknown-kind", kind, [known.name for known in KINDS])
    kinds = [known for known in KINDS if kind in ("", known.name)]
    regions = list_used_regions(home, aws.target)
    aws.owners.taken.update(_TAKEN.read(home) or ())
    listed, failed = _list_all(aws, [(region, it, None) for it in kinds for region in regions])
    own = _choose_own(aws, listed)
    names = (exercise.cluster, exercise.repository, exercise.network.vpc_name)
    unread = [item.resource for item in listed if item.unread]
    others = [item.resource for item in listed if not item.unread and item not in own]
    reason = messages.text("resources.cleanup.unknown")
    failed += [Removal(resource=item, reason=reason) for item in unread if item.name in names]
    return receipts.Cleanup(
        tuple(own),
        failed=tuple(failed),
        beside=tuple(item for item in others if not item.tagged and item.name in names),
        foreign=tuple(item for item in others if item.tagged),
        unread=tuple(item for item in unread if item.name not in names),
        regions=regions,
        unfinished=receipts.find_unfinished(home, aws.target, kind) is not None,
        kind=kind,
    )


def clean_up(
    aws: Aws,
    home: Path,
    *,
    kind: str = "",
    exercise: Exercise = Exercise(),
    clock: Callable[[], datetime] = evidence.now,
) -> receipts.Cleanup:
    """Delete the learner's resources in every region that was used, and keep a receipt.

    With a kind, as `list_cleanup` takes it, everything else stays.
    After an interruption, run it again to go on; the receipt covers both runs.

    What fails, one resource or one kind in one region, stops nothing else: it is left, with AWS's
    reason.

    Raises:
        HandsonError: The connection or the credentials are lost, or the receipt cannot be kept; run
            again to go on.
    """
    listed = list_cleanup(aws, home, kind=kind, exercise=exercise)
    costs, unpriced = _find_costs(aws, listed.found, now=clock())
    # The receipt names what is about to go, so that an interrupted clean-up can be completed.
    begun = receipts.begin_receipt(
        home, aws.target, kind=kind, found=listed.found, storage=costs, now=clock()
    )
    done = replace(_delete(aws, listed), unpriced=unpriced)
    found = {item.id for item in listed.found}
    # Resources that an interrupted run deleted are in its receipt, and no longer in AWS's lists.
    earlier = [
        Removal(resource=item)
        for item in begun.receipt.found
        if item.id not in found and item.region in done.finished_regions
    ]
    done = replace(done, removals=(*earlier, *done.removals))
    return replace(done, saved=receipts.finish_receipt(begun, done, now=clock()))


def take_over(aws: Aws, home: Path, *, exercise: Exercise = Exercise()) -> receipts.Cleanup:
    """Take over the resources without an owner, and return what a clean-up would delete now.

    The home folder keeps their ids, and nothing is changed on AWS.

    Raises:
        NotReady: The home folder cannot be written.
        HandsonError: AWS did not answer in the region of the settings.
    """
    foreign = list_cleanup(aws, home, exercise=exercise).foreign
    aws.owners.taken.update(item.id for item in foreign if not item.owner)
    _TAKEN.write(home, sorted(aws.owners.taken))
    return list_cleanup(aws, home, exercise=exercise)


def delete_tagged(aws: Aws) -> receipts.Cleanup:
    """Delete the learner's resources with the workshop's tag in this region, and nothing else.

    Raises:
        HandsonError: The connection or the credentials are lost; run again to go on.
    """
    listed, failed = _list_all(aws, [(aws.region, kind, None) for kind in KINDS])
    own = tuple(_choose_own(aws, listed))
    return _delete(aws, receipts.Cleanup(own, failed=tuple(failed), regions=(aws.region,)))


def list_used_regions(home: Path, target: Target) -> tuple[str, ...]:
    """Return the regions of the target's account that the home folder used, its own first.

    They come from the settings, the evidence in the journal, the recorded image URI, and the
    regions in which the workshop began to create something: an image in the wrong region may have
    no evidence.  Other regions are not asked; on real AWS the receipt says how to look there.

    Raises:
        NotReady: The journal cannot be read.
    """
    sealed = [record.get("target") for record in evidence.Journal(home).records()]
    targets = [*receipts.read_targets(home), *receipts.parse_targets(sealed)]
    account = (target.kind, target.account)
    used = {item.region for item in targets if (item.kind, item.account) == account}
    recorded = IMAGE_URI.read(home)
    uri = parse_image_uri(recorded.uri) if recorded else None
    if uri and uri.account == target.account:
        used.add(uri.region)
    return (target.region, *sorted(used & set(settings.list_regions()) - {target.region}))


def _list_all(aws: Aws, places: Sequence[Place]) -> tuple[list[plan.Listed], list[Removal]]:
    """Return the resources of each kind in its region, and what could not be listed, with reasons.

    Raises:
        HandsonError: The connection or the credentials are lost altogether.
    """

    def ask(place: Place) -> Sequence[plan.Listed] | str:
        region, kind, ids = place
        return _attempt(aws, lambda: kind.list_all(aws.in_region(region), ids))

    listed: list[plan.Listed] = []
    failed: list[Removal] = []
    with Workers(8) as pool:
        for place, answer in zip(places, pool.map(ask, places), strict=True):
            if isinstance(answer, str):
                failed.append(Removal(resource=_name(place), reason=answer))
            else:
                listed += answer
    return listed, failed


def _choose_own(aws: Aws, listed: Iterable[plan.Listed]) -> list[plan.Listed]:
    """Return what clean-up may delete."""
    return [it for it in listed if aws.owners.may_delete(it.resource, it.resource.id)]


def _find_costs(
    aws: Aws, found: Iterable[Resource], *, now: datetime
) -> tuple[list[receipts.StorageCost], tuple[Removal, ...]]:
    """Return what the images in the repositories cost, and the repositories that did not say."""
    costs, unpriced = [], []
    for item in found:
        if item.type == repository.TYPE:
            find = partial(find_stored_blobs, aws.in_region(item.region), item.name)
            blobs = _attempt(aws, find)
            if isinstance(blobs, str):
                unpriced.append(Removal(resource=item, reason=blobs))
            elif blobs:
                costs.append(receipts.compute_cost(item, blobs, until=now))
    return costs, tuple(unpriced)


def _delete(aws: Aws, listed: receipts.Cleanup) -> receipts.Cleanup:
    """Delete what was listed; what AWS still lists after a while is left."""
    reasons: dict[str, str] = {}
    for item in listed.own:
        aws.say(f"{item.resource.label} {item.resource.title}")
        reasons[item.resource.id] = _attempt(aws, item.delete)
    gone = [item for item in listed.found if not reasons[item.id]]
    places = [
        (region, kind, ids)
        for kind in KINDS
        for region in listed.regions
        if (ids := {it.id for it in gone if (it.region, it.service) == (region, kind.service)})
    ]
    ids = {item.id for item in gone}
    still, failed = ids, list[Removal]()

    def look() -> bool:
        nonlocal still, failed
        seen, failed = _list_all(aws, places)
        still = ids & {item.resource.id for item in seen}
        return not still

    # AWS lists a deleted resource for a while longer; one that stays listed was not deleted.
    with suppress(WaitTimeout):
        what, timeout = messages.text("resources.cleanup.gone"), aws.patience.consistency
        plan.wait_for(aws, look, done=bool, what=what, timeout=timeout)
    reasons |= dict.fromkeys(still, messages.text("resources.cleanup.still-listed"))
    removals = tuple(Removal(resource=item, reason=reasons[item.id]) for item in listed.found)
    return replace(listed, removals=removals, failed=(*listed.failed, *failed))


def _attempt(aws: Aws, work: Callable[[], T]) -> T | str:
    """Return the result of `work`, or why AWS refused it.

    Raises:
        HandsonError: The connection or the credentials are lost altogether.
    """
    try:
        return work()
    except HandsonError as error:
        aws.call("sts", "GetCallerIdentity")  # It fails, too, where everything would.
        return error.problem


def _name(place: Place) -> Resource:
    """Return a kind of resources in a region, as a receipt names what it could not look at."""
    region, kind, _ = place
    type, name = messages.text("resources.cleanup.region"), f"{region} {kind.service.upper()}"
    return Resource(type=type, id=name, name=name, region=region)
