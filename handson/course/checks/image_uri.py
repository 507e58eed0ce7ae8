"""The check `image-uri`: the address that step 3 will start its containers from.

`uri.recorded`: an image URI of a private registry was kept.  `uri.region`: it names the region of
the target and of the cluster.  `uri.resolves`: its account and repository are the exercise's, and
its tag (or digest) leads to the image it led to when it was recorded.  The last one leaves the
region aside, so that a URI with another region in it breaks `uri.region` alone while the image is
where it should be.  Any tag will do, for a unique one is better than `latest`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handson.course import syllabus
from handson.course.checks import causes, cluster, registries
from handson.course.checks.registries import ImageUri
from handson.course.checks.results import CheckResult, Diagnosis, conclude
from handson.course.exercise import Exercise
from handson.course.state import Image, RecordedUri, Snapshot

ID = "image-uri"
_NOTEBOOK = syllabus.check(ID).notebook
_FACTS = tuple(fact.id for fact in syllabus.check(ID).facts)


def judge(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the recorded URI and why some are false."""
    expected: dict[str, Any] = {
        "uri.recorded": True,
        "uri.region": snapshot.target.region,
        "uri.resolves": True,
    }
    recorded = snapshot.recorded_uri
    uri = registries.parse_image_uri(recorded.uri) if recorded else None
    if recorded is None or uri is None:
        found, reasons = {"uri.recorded": False}, [_unusable(recorded, exercise)]
        return conclude(ID, expected=expected, observed=found, diagnoses=reasons)
    place, reason = (
        _misplaced(exercise, snapshot, uri),
        _unresolved(exercise, snapshot, recorded, uri),
    )
    observed: dict[str, Any] = {
        "uri.recorded": True,
        "uri.region": _regions(exercise, snapshot, uri),
        "uri.resolves": reason is None,
    }
    reasons = [diagnosis for diagnosis in (place, reason) if diagnosis is not None]
    return conclude(ID, expected=expected, observed=observed, diagnoses=reasons)


def trim(snapshot: Snapshot, exercise: Exercise) -> Snapshot:
    """Return the part of a snapshot that this check reads: the URI, its image, the cluster."""
    recorded, own = snapshot.recorded_uri, cluster.find(snapshot, exercise)
    uri = registries.parse_image_uri(recorded.uri) if recorded else None
    if uri is None:
        return Snapshot(target=snapshot.target, recorded_uri=recorded)
    images = [image for image in registries.own_images(snapshot, exercise) if _leads_to(uri, image)]
    return Snapshot(
        target=snapshot.target,
        clusters=(own,) if own else (),
        images=tuple(images),
        recorded_uri=recorded,
    )


def _leads_to(uri: ImageUri, image: Image) -> bool:
    return uri.tag in image.tags or uri.digest == image.digest


def _cluster_region(exercise: Exercise, snapshot: Snapshot) -> str:
    own = cluster.find(snapshot, exercise)
    return (registries.region_of_arn(own.arn) if own else "") or snapshot.target.region


def _regions(exercise: Exercise, snapshot: Snapshot, uri: ImageUri) -> str | list[str]:
    """The URI's region; both, should the cluster be found in another one than the target's."""
    regions = [uri.region, _cluster_region(exercise, snapshot)]
    return regions if regions[1] != snapshot.target.region else uri.region


def _record(exercise: Exercise) -> str:
    return f'workshop.record_image_uri("{exercise.repository}", tag="{exercise.tag}")'


def _unusable(recorded: RecordedUri | None, exercise: Exercise) -> Diagnosis:
    remedy = causes.call_or_run(_record(exercise), _NOTEBOOK)
    if recorded is None:
        return causes.diagnosis("uri-absent", _FACTS, remedy)
    return causes.diagnosis("uri-malformed", _FACTS, remedy, uri=recorded.uri)


def _misplaced(exercise: Exercise, snapshot: Snapshot, uri: ImageUri) -> Diagnosis | None:
    region = _cluster_region(exercise, snapshot)
    if uri.region == region == snapshot.target.region:
        return None
    remedy, facts = causes.run(_NOTEBOOK), ["uri.region"]
    return causes.diagnosis("uri-region", facts, remedy, image=uri.region, cluster=region)


def _unresolved(
    exercise: Exercise, snapshot: Snapshot, recorded: RecordedUri, uri: ImageUri
) -> Diagnosis | None:
    return next(_obstacles(exercise, snapshot, recorded, uri), None)


def _obstacles(
    exercise: Exercise, snapshot: Snapshot, recorded: RecordedUri, uri: ImageUri
) -> Iterator[Diagnosis]:
    """Give the reasons why a URI does not lead to the image it was recorded for."""
    facts, remedy = ["uri.resolves"], causes.call_or_run(_record(exercise), _NOTEBOOK)
    goal, target = exercise.repository, snapshot.target
    if uri.account != target.account:
        yield causes.diagnosis("uri-account", facts, remedy, found=uri.account, here=target.account)
    if uri.repository != goal:
        yield causes.diagnosis("uri-repository", facts, remedy, found=uri.repository, wanted=goal)
    images = registries.own_images(snapshot, exercise)
    if uri.tag is None:
        led_to = next((image for image in images if image.digest == uri.digest), None)
    else:
        led_to = registries.tagged(images, uri.tag)
    if led_to is None:
        code, again = "uri-gone", causes.run(_NOTEBOOK)
        yield causes.diagnosis(code, facts, again, tag=uri.tag or str(uri.digest), name=goal)
    elif led_to.digest != recorded.digest or uri.digest not in (None, led_to.digest):
        then, now = recorded.digest[:19], led_to.digest[:19]
        yield causes.diagnosis("uri-moved", facts, remedy, tag=uri.tag or "-", then=then, now=now)
