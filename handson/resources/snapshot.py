"""The kinds of resources, and a snapshot of their current state, for checks and pictures.

Snapshot and clean-up read the table `KINDS` and name no kind themselves.  A new kind is one entry
here, its IAM actions in `handson.course.policy`, and one module beside this.

A learner may have worked in another region.  So what is missing here is searched for in a few other
regions, for the checks that ask for it.  Errors there are ignored.  The workshop's own policy
allows nothing there, and the account's audit trail keeps each denied call: after the first one,
the connection looks nowhere else any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from handson.aws import Aws, settings
from handson.core.errors import HandsonError, NotAllowed
from handson.core.host import Workers
from handson.course import checks as course_checks
from handson.course import syllabus
from handson.course.checks.repository import parse_image_uri
from handson.course.exercise import LIKELY_REGIONS, Exercise
from handson.course.owners import Owners
from handson.course.state import Foreign, Repository, Sighting, Snapshot, Unseen
from handson.resources import cluster, images, network_deletion, repository, vpc_listing
from handson.resources.image_run import IMAGE_RUN
from handson.resources.plan import Listed
from handson.resources.push import IMAGE_URI

T = TypeVar("T")

_MADE = ("network", "cluster", "repository")
"""The checks of what has an owner."""

Observe = Callable[[Aws, Exercise, Collection[str] | None], tuple[Any, ...]]
"""Returns what the given checks read; without checks, everything."""

FindIds = Callable[[Aws, Exercise], list[str]]
"""Returns the ids of the exercise's resource in the connection's region."""


class ResourceKind(Struct, frozen=True):
    """The resources of one service: how they are observed, searched for, listed and deleted.

    Attributes:
        name: How clean-up names it.
        service: boto3's name of the service.
        observe: Fill the fields of a snapshot, by field; several run in parallel.
        find_ids: Find in another region what a check misses in its own, by check.
        list_all: Return the resources that clean-up may find, in the order of deletion; where ids
            are given, only these need to be among them.
        context: Checks that read it, but can be judged without it where the service fails.
    """

    name: str
    service: str
    observe: Mapping[str, Observe]
    find_ids: Mapping[str, FindIds]
    list_all: Callable[[Aws, Collection[str] | None], Sequence[Listed]]
    context: Collection[str] = ()

    @property
    def checks(self) -> set[str]:
        """The checks that cannot be judged without it."""
        return {check.id for check in syllabus.CHECKS if self.service in check.services}


KINDS = (
    ResourceKind(
        name="repository",
        service="ecr",
        observe={"repositories": repository.observe_repositories, "images": images.observe_images},
        find_ids={
            "repository": repository.find_repository_arns,
            "image": images.find_image_digests,
        },
        list_all=repository.list_repository_resources,
    ),
    ResourceKind(
        name="cluster",
        service="ecs",
        observe={"clusters": cluster.observe_clusters},
        find_ids={"cluster": cluster.find_cluster_arns},
        list_all=cluster.list_cluster_resources,
        context=("image", "image-uri"),
    ),
    ResourceKind(
        name="network",
        service="ec2",
        observe={"vpcs": vpc_listing.find_vpcs},
        find_ids={"network": vpc_listing.find_vpc_ids},
        list_all=network_deletion.list_network_resources,
    ),
)
"""All kinds, in the order of deletion: what costs money goes first."""

_OWNED = {"vpcs": ("network",), "clusters": ("cluster",), "repositories": ("repository", "image")}
"""The fields of a snapshot whose resources have owners, and the checks that miss them."""


def take_snapshot(
    aws: Aws,
    *,
    home: Path,
    exercise: Exercise = Exercise(),
    checks: Collection[str] | None = None,
    missing: Collection[str] = (),
    partial: bool = False,
) -> Snapshot:
    """Return the state of the resources; the services are asked in parallel.

    Args:
        aws: The connection.
        home: The home folder, with the recorded image URI and run.
        exercise: What is to be built.
        checks: Ask only for what these checks read; None asks for everything in the region.
        missing: The checks for which a missing resource is searched for in other regions.
        partial: Where a service fails, list it in `Snapshot.unseen` instead of raising its error.

    Raises:
        HandsonError: A call was not allowed, or AWS did not answer; with `partial`, only where no
            service answered.
    """
    kinds = [kind for kind in KINDS if checks is None or {*kind.checks, *kind.context} & {*checks}]
    fields, errors = _observe(aws, exercise, kinds, checks)
    for kind in kinds:
        needed = checks is None or kind.checks & {*checks}
        if kind.service in errors and (len(errors) == len(kinds) or (needed and not partial)):
            raise errors[kind.service]
    fields, foreign = _set_apart(aws.owners, fields, exercise)
    snapshot = Snapshot(
        target=aws.target,
        foreign=foreign,
        recorded_uri=IMAGE_URI.read(home),
        recorded_run=IMAGE_RUN.read(home),
        unseen=tuple(
            Unseen(service=service, problem=error.problem, remedy=error.remedy)
            for service, error in sorted(errors.items())
        ),
        **fields,
    )
    # An image URI is compared with the region of the cluster, which may be elsewhere.
    wanted = {*missing, *(("cluster",) if "image-uri" in missing else ())}
    lost = {
        check: find_ids
        for kind in kinds
        for check, find_ids in kind.find_ids.items()
        if check in wanted and kind.service not in errors
        # A check's first fact says whether the resource exists.
        if not course_checks.run_check(check, snapshot, exercise).facts[0].passed
    }
    if not lost:
        return snapshot
    return _search_elsewhere(aws, snapshot, lost, exercise)


def find_neighbours(
    aws: Aws, *, home: Path, exercise: Exercise
) -> tuple[tuple[str, ...], tuple[Unseen, ...]]:
    """Return the owners of other learners' workshops in the region, and what did not answer."""
    if not aws.owners.own:
        return (), ()
    try:
        found = take_snapshot(aws, home=home, exercise=exercise, checks=_MADE, partial=True)
    except HandsonError as error:
        return (), (Unseen(service="", problem=error.problem, remedy=error.remedy),)
    return tuple(sorted({item.owner for item in found.foreign})), found.unseen


def find_made(aws: Aws, home: Path, exercise: Exercise, *, owner: str) -> tuple[list[str], bool]:
    """Return the names of an exercise's resources, of one owner, and whether all answered."""
    aws = aws.in_region(exercise.region)
    found = take_snapshot(aws, home=home, exercise=exercise, checks=_MADE, partial=True)
    made = {each.name for each in found.vpcs if each.tagged}
    made |= {each.name for each in found.clusters if each.tagged and not each.is_deleted}
    made |= {each.name for each in found.repositories if each.tagged}
    made |= {each.name for each in found.foreign if each.owner == owner}
    names = (exercise.network.vpc_name, exercise.cluster, exercise.repository)
    return sorted(made.intersection(names)), not found.unseen


def _observe(
    aws: Aws, exercise: Exercise, kinds: Iterable[ResourceKind], checks: Collection[str] | None
) -> tuple[dict[str, Any], dict[str, HandsonError]]:
    """Return the fields of a snapshot, and the first error of each service that failed."""
    fields: dict[str, Any] = {}
    errors: dict[str, HandsonError] = {}
    with Workers(8) as pool:
        pending = [
            (kind.service, field, pool.submit(observe, aws, exercise, checks))
            for kind in kinds
            for field, observe in kind.observe.items()
        ]
        for service, field, future in pending:
            try:
                fields[field] = future.result()
            except HandsonError as error:
                errors.setdefault(service, error)
    return fields, errors


def _set_apart(
    owners: Owners, fields: Mapping[str, Any], exercise: Exercise
) -> tuple[dict[str, Any], tuple[Foreign, ...]]:
    """Return the fields of a snapshot without other learners' resources, and those in the way.

    A resource with the workshop's tag and without an owner counts as one made by hand.
    """
    own, foreign = dict(fields), []
    names = (exercise.network.vpc_name, exercise.cluster, exercise.repository)
    for (field, checks), name in zip(_OWNED.items(), names, strict=True):
        for item in filter(owners.is_foreign, fields.get(field, ())):
            if item.name == name:
                foreign += [Foreign(check=it, name=name, owner=item.owner) for it in checks]
        own[field] = tuple(
            replace(item, tagged=owners.may_delete(item, getattr(item, "arn", "") or item.id))
            for item in fields.get(field, ())
            if not owners.is_foreign(item)
        )
    if any(item.check == "image" for item in foreign):
        own["images"] = ()
    return own, tuple(foreign)


def _search_elsewhere(
    aws: Aws, snapshot: Snapshot, lost: Mapping[str, FindIds], exercise: Exercise
) -> Snapshot:
    """Add to the snapshot what other regions, and ECR Public, have of the missing resources."""
    recorded = snapshot.recorded_uri.uri if snapshot.recorded_uri else ""
    regions = _list_other_regions(aws.region, recorded)
    places = [(check, region) for region in regions for check in lost]

    def search(place: tuple[str, str]) -> list[Sighting]:
        check, region = place
        ids = _try_to_find(lost[check], aws, exercise, region=region)
        return [Sighting(check=check, region=region, id=id) for id in ids]

    # The first place alone: where it is denied, the others are not asked.
    found = [search(place) for place in places[:1]]
    with Workers(8) as pool:
        found += pool.map(search, places[1:])
    others: list[Repository] = []
    if "repository" in lost:
        others = _try_to_find(repository.find_public_repositories, aws, exercise, region="")
    elif "image" in lost:
        with suppress(HandsonError):
            others = repository.find_similar_repositories(aws, exercise)
    return replace(
        snapshot,
        repositories=tuple(dict.fromkeys([*snapshot.repositories, *others])),
        elsewhere=tuple(sighting for sightings in found for sighting in sightings),
    )


def _try_to_find(
    find: Callable[[Aws, Exercise], list[T]], aws: Aws, exercise: Exercise, *, region: str
) -> list[T]:
    """Return what is found in another region; nothing where it is denied, switched off or slow."""
    if not aws.looks_elsewhere:
        return []
    try:
        return find(aws.in_region(region, attempts=1) if region else aws, exercise)
    except NotAllowed as error:
        aws.looks_elsewhere = not error.actions  # without actions, the credentials are refused
    except HandsonError:
        pass
    return []


def _list_other_regions(here: str, recorded_uri: str) -> list[str]:
    """Return the regions to search: that of the recorded URI first, then the likely ones."""
    uri = parse_image_uri(recorded_uri)
    recorded = [uri.region] if uri and uri.region in settings.list_regions() else []
    regions = dict.fromkeys([*recorded, *LIKELY_REGIONS])
    return [region for region in regions if region != here]
