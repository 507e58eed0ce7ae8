"""The check `image-uri`: the address of the image for step 3.

`uri.recorded`: the learner recorded an image URI of a private registry.  `uri.region`: the URI
names the region of the target and of the cluster.  `uri.resolves`: its account and repository are
right, and its tag (or digest) leads to the same image as when it was recorded.  `uri.resolves`
ignores the region, so that a wrong region in the URI turns `uri.region` alone false.  Every tag
counts, because a unique one is better than `latest`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handson.course import syllabus
from handson.course.checks import causes
from handson.course.checks.causes import diagnose
from handson.course.checks.cluster import find_goal_cluster
from handson.course.checks.repository import (
    ImageUri,
    find_goal_images,
    find_tagged_image,
    parse_image_uri,
)
from handson.course.checks.results import CheckResult, Diagnosis, conclude
from handson.course.exercise import Exercise
from handson.course.state import RecordedUri, Snapshot

ID = "image-uri"
_NOTEBOOK = syllabus.check(ID).notebook


def judge(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the recorded URI and why some are false."""
    expected: dict[str, Any] = {
        "uri.recorded": True,
        "uri.region": snapshot.target.region,
        "uri.resolves": True,
    }
    recorded = snapshot.recorded_uri
    uri = parse_image_uri(recorded.uri) if recorded else None
    if recorded is None or uri is None:
        return conclude(
            ID,
            expected=expected,
            observed={"uri.recorded": False},
            explain=lambda false: [_explain_unusable(recorded, exercise, false)],
        )
    here, region = snapshot.target.region, _find_cluster_region(snapshot, exercise)
    obstacle = next(_find_obstacles(snapshot, exercise, recorded, uri), None)
    observed = {
        "uri.recorded": True,
        "uri.region": uri.region if region == here else [uri.region, region],
        "uri.resolves": obstacle is None,
    }
    return conclude(
        ID,
        expected=expected,
        observed=observed,
        explain=lambda false: [
            *(_explain_region(uri, region) if "uri.region" in false else ()),
            *([obstacle] if obstacle else ()),
        ],
    )


def trim(snapshot: Snapshot, exercise: Exercise) -> Snapshot:
    """Return the part of a snapshot that this check reads: the URI, its image, the cluster."""
    recorded, cluster = snapshot.recorded_uri, find_goal_cluster(snapshot, exercise)
    uri = parse_image_uri(recorded.uri) if recorded else None
    if uri is None:
        return Snapshot(target=snapshot.target, recorded_uri=recorded)
    return Snapshot(
        target=snapshot.target,
        clusters=(cluster,) if cluster else (),
        images=tuple(
            image
            for image in find_goal_images(snapshot, exercise)
            if uri.tag in image.tags or uri.digest == image.digest
        ),
        recorded_uri=recorded,
    )


def _find_cluster_region(snapshot: Snapshot, exercise: Exercise) -> str:
    """Return the region in the cluster's ARN, or the target's where the ARN names none."""
    cluster = find_goal_cluster(snapshot, exercise)
    # arn:partition:service:region:account:resource
    parts = cluster.arn.split(":") if cluster else []
    return (parts[3] if len(parts) > 5 else "") or snapshot.target.region


def _explain_unusable(
    recorded: RecordedUri | None, exercise: Exercise, false: list[str]
) -> Diagnosis:
    remedy = _advise_recording(exercise)
    if recorded is None:
        return diagnose("course.checks.cause.uri-absent", false, remedy)
    return diagnose("course.checks.cause.uri-malformed", false, remedy, uri=recorded.uri)


def _advise_recording(exercise: Exercise) -> str:
    call = f'workshop.record_image_uri("{exercise.repository}", tag="{exercise.tag}")'
    return causes.advise_call_or_notebook(call, _NOTEBOOK)


def _explain_region(uri: ImageUri, region: str) -> Iterator[Diagnosis]:
    key, remedy = "course.checks.cause.uri-region", causes.advise_notebook(_NOTEBOOK)
    yield diagnose(key, ["uri.region"], remedy, image=uri.region, cluster=region)


def _find_obstacles(
    snapshot: Snapshot, exercise: Exercise, recorded: RecordedUri, uri: ImageUri
) -> Iterator[Diagnosis]:
    """Yield the reasons why a URI does not lead to the image it was recorded for."""
    facts, remedy = ["uri.resolves"], _advise_recording(exercise)
    name, account = exercise.repository, snapshot.target.account
    if uri.account != account:
        values = {"found": uri.account, "here": account}
        yield diagnose("course.checks.cause.uri-account", facts, remedy, **values)
    if uri.repository != name:
        values = {"found": uri.repository, "wanted": name}
        yield diagnose("course.checks.cause.uri-repository", facts, remedy, **values)
    images = find_goal_images(snapshot, exercise)
    if uri.tag is None:
        image = next((image for image in images if image.digest == uri.digest), None)
    else:
        image = find_tagged_image(images, uri.tag)
    if image is None:
        rerun, tag = causes.advise_notebook(_NOTEBOOK), uri.tag or str(uri.digest)
        yield diagnose("course.checks.cause.uri-gone", facts, rerun, tag=tag, name=name)
    elif image.digest != recorded.digest or uri.digest not in (None, image.digest):
        values = {"tag": uri.tag or "-", "then": recorded.digest[:19], "now": image.digest[:19]}
        yield diagnose("course.checks.cause.uri-moved", facts, remedy, **values)
