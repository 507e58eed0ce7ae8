"""Clean-up: delete the learner's own resources with the workshop's tag, in every used region.

Resources without the tag, and those with another learner's name or nobody's, are kept and named.
ECS's service-linked role is kept, too: it belongs to the account, is free, and other clusters may
need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from msgspec import ValidationError

from handson.aws import Aws, settings
from handson.core import files, messages
from handson.core.errors import HandsonError, WaitTimeout
from handson.core.progress import Say, ignore_progress
from handson.course import evidence
from handson.course.checks.repository import parse_image_uri
from handson.course.exercise import Exercise
from handson.course.state import Removal, Resource, Target
from handson.resources import plan, receipts, repository
from handson.resources.images import find_stored_blobs
from handson.resources.push import read_image_uri
from handson.resources.receipts import Cleanup, StorageCost
from handson.resources.snapshot import KINDS, ResourceKind

_REGIONS_FILE = "regions.json"
_TAKEN_FILE = "taken-over.json"
_CHARGED = "ecr"
_ORDER = sorted(KINDS, key=lambda kind: kind.service != _CHARGED)
"""The kinds in the order of deletion: what costs money goes first."""

T = TypeVar("T")


def find_tagged(aws: Aws) -> tuple[Resource, ...]:
    """Return the learner's resources of the region with the workshop's tag."""
    return tuple(item for kind in KINDS for item in _list_own(aws, kind))


def list_cleanup(aws: Aws, home: Path, *, exercise: Exercise = Exercise()) -> Cleanup:
    """Return what a clean-up would delete in every region that was used; deletes nothing.

    Raises:
        HandsonError: The connection or the credentials are lost.  What alone cannot be listed, one
            kind in one region, is listed as something left.
    """
    regions = list_used_regions(home, aws.target)
    aws.owners.taken.update(files.read_state(home / _TAKEN_FILE, list[str]) or ())
    places = [(region, kind) for region in regions for kind in KINDS]
    listed, failed = _try_each(aws, places, lambda place, kind: kind.list_all(place))
    own = tuple(item for item, _ in listed if aws.owners.may_delete(item, item.id))
    names = (exercise.cluster, exercise.repository, exercise.network.vpc_name)
    unread = tuple(item for item, is_tagged in listed if is_tagged is None)
    reason = messages.text("resources.cleanup.unknown")
    failed += tuple(Removal(resource=it, reason=reason) for it in unread if it.name in names)
    return Cleanup(
        own,
        failed=failed,
        untagged=tuple(it for it, is_tagged in listed if is_tagged is False and it.name in names),
        foreign=tuple(item for item, is_tagged in listed if is_tagged and item not in own),
        unread=tuple(item for item in unread if item.name not in names),
        regions=regions,
        unfinished=receipts.find_unfinished(home, aws.target) is not None,
    )


def clean_up(
    aws: Aws,
    home: Path,
    *,
    exercise: Exercise = Exercise(),
    say: Say = ignore_progress,
    clock: Callable[[], datetime] = evidence.now,
) -> Cleanup:
    """Delete the learner's resources in every region that was used, and keep a receipt.

    After an interruption, run it again to go on; the receipt covers both runs.

    What fails, one resource or one kind in one region, stops nothing else: it is left, with AWS's
    reason.

    Raises:
        HandsonError: The connection or the credentials are lost, or the receipt cannot be kept; run
            again to go on.
    """
    aws = aws.report_to(say)

    def price(place: Aws, _: ResourceKind) -> list[StorageCost]:
        return _find_costs(place, listed.found, now=clock())

    listed = list_cleanup(aws, home, exercise=exercise)
    stuck = {removal.resource for removal in listed.failed}
    places = [
        (it, kind) for kind in _ORDER for it in listed.regions if _name(it, kind) not in stuck
    ]
    charged = [place for place in places if place[1].service == _CHARGED]
    costs, unpriced = _try_each(aws, charged, price)
    # The receipt names what is about to go, so that an interrupted clean-up can be completed.
    begun = receipts.begin_receipt(home, aws.target, found=listed.found, storage=costs, now=clock())
    removals, stopped = _try_each(aws, places, _delete)
    done = replace(listed, failed=(*listed.failed, *stopped), unpriced=unpriced)
    found = {item.id for item in listed.found}
    # Resources that an interrupted run deleted are in its receipt, and no longer in AWS's lists.
    earlier = [
        Removal(resource=item)
        for item in begun.receipt.found
        if item.id not in found and item.region in done.finished_regions
    ]
    # A deletion lists again, and AWS may then have refused a look at a repository's tags.
    missed = messages.text("resources.cleanup.missed")
    results = {item.id: Removal(resource=item, reason=missed) for item in listed.found}
    results |= {removal.resource.id: removal for removal in removals}
    done = replace(done, removals=(*earlier, *results.values()), confirmed=True)
    return replace(done, saved=receipts.finish_receipt(begun, done, now=clock()))


def take_over(aws: Aws, home: Path, *, exercise: Exercise = Exercise()) -> Cleanup:
    """Take over the resources without an owner, and return what a clean-up would delete now.

    The home folder keeps their ids, and nothing is changed on AWS.

    Raises:
        NotReady: The home folder cannot be written.
        HandsonError: AWS did not answer in the region of the settings.
    """
    foreign = list_cleanup(aws, home, exercise=exercise).foreign
    aws.owners.taken.update(item.id for item in foreign if not item.owner)
    files.write_state(home / _TAKEN_FILE, sorted(aws.owners.taken))
    return list_cleanup(aws, home, exercise=exercise)


def delete_tagged(aws: Aws, *, say: Say = ignore_progress) -> Cleanup:
    """Delete the learner's resources with the workshop's tag in this region, and nothing else.

    A second run skips what is gone, and tries again to delete what is left.

    Raises:
        HandsonError: The resources could not be listed; run again to go on.
    """
    aws = aws.report_to(say)
    found = find_tagged(aws)
    removals = [removal for kind in _ORDER for removal in _delete(aws, kind)]
    return Cleanup(found, tuple(removals), confirmed=True)


def remember_region(home: Path, target: Target) -> None:
    """Note in the home folder that the target's region is used.

    Raises:
        NotReady: The home folder cannot be written.
    """
    known = _read_targets(home)
    target = Target(kind=target.kind, account=target.account, region=target.region)
    if target not in known:
        files.write_state(home / _REGIONS_FILE, (*known, target))


def list_used_regions(home: Path, target: Target) -> tuple[str, ...]:
    """Return the regions of the target's account that the home folder used, its own first.

    They come from the settings, the evidence in the journal, the recorded image URI, and the
    regions in which the workshop began to create something: an image in the wrong region may have
    no evidence.  Other regions are not asked; on real AWS the receipt says how to look there.

    Raises:
        NotReady: The journal cannot be read.
    """
    journal = evidence.Journal(home).records()
    targets = [*_read_targets(home), *_parse_targets(each.get("target") for each in journal)]
    account = (target.kind, target.account)
    used = {item.region for item in targets if (item.kind, item.account) == account}
    recorded = read_image_uri(home)
    uri = parse_image_uri(recorded.uri) if recorded else None
    if uri and uri.account == target.account:
        used.add(uri.region)
    return (target.region, *sorted(used & set(settings.list_regions()) - {target.region}))


def _list_own(aws: Aws, kind: ResourceKind) -> list[Resource]:
    """Return the resources of a kind that clean-up may delete."""
    return [item for item, _ in kind.list_all(aws) if aws.owners.may_delete(item, item.id)]


def _name(region: str, kind: ResourceKind) -> Resource:
    """Return a kind of resources in a region, as a receipt names what it could not look at."""
    name = f"{region} {kind.service.upper()}"
    return Resource(
        type=messages.text("resources.cleanup.region"), id=name, name=name, region=region
    )


def _try_each(
    aws: Aws,
    places: Iterable[tuple[str, ResourceKind]],
    work: Callable[[Aws, ResourceKind], Iterable[T]],
) -> tuple[list[T], tuple[Removal, ...]]:
    """Call `work` for each kind in its region; return the results, and what failed, with reasons.

    Raises:
        HandsonError: The connection or the credentials are lost altogether.
    """
    results: list[T] = []
    failed: list[Removal] = []
    for region, kind in places:
        try:
            results += work(aws if region == aws.region else aws.in_region(region), kind)
        except HandsonError as error:
            aws.call("sts", "GetCallerIdentity")  # It fails, too, where everything would.
            failed.append(Removal(resource=_name(region, kind), reason=error.problem))
    return results, tuple(failed)


def _find_costs(aws: Aws, found: Iterable[Resource], *, now: datetime) -> list[StorageCost]:
    """Return what the images in the repositories of the connection's region cost."""
    return [
        receipts.compute_cost(item, blobs, until=now)
        for item in found
        if item.region == aws.region and item.type == repository.TYPE
        if (blobs := find_stored_blobs(aws, item.name))
    ]


def _delete(aws: Aws, kind: ResourceKind) -> list[Removal]:
    """Delete the resources of a kind; with a reason for each that AWS still lists after a while."""
    removals = kind.delete(aws, aws.say)
    kept = {removal.resource.id for removal in removals if removal.reason}

    def list_unexpected() -> set[str]:
        return {resource.id for resource in _list_own(aws, kind)} - kept

    # AWS lists a deleted resource for a while longer; one that stays listed was not deleted.
    still: set[str] = set()
    if removals:
        try:
            what = messages.text("resources.cleanup.gone")
            timeout = aws.patience.consistency
            plan.wait_for(
                aws, list_unexpected, done=lambda ids: not ids, what=what, timeout=timeout
            )
        except WaitTimeout:
            still = list_unexpected()
    reason = messages.text("resources.cleanup.still-listed")
    return [
        Removal(resource=removal.resource, reason=reason)
        if removal.resource.id in still
        else removal
        for removal in removals
    ]


def _read_targets(home: Path) -> list[Target]:
    return list(_parse_targets(files.read_state(home / _REGIONS_FILE, list[Any]) or ()))


def _parse_targets(entries: Iterable[Any]) -> Iterator[Target]:
    """Yield the targets that are well formed; a damaged entry does not cost the others."""
    for entry in entries:
        with suppress(ValidationError):
            yield Target.from_json(entry)
