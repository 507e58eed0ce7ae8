"""The check `image`: the repository holds an image that Fargate can run.

The check judges the image with the exercise's tag.  If no image has the tag, it judges the newest
one, so that a forgotten tag turns `image.tag` false and leaves `image.platform` true.  More images
and untagged manifests do not matter: a push with a provenance attestation makes three manifests.
`image.unique-tag` and `image.runnable` are advice.  `image.runnable` is true when the recorded run
is of exactly this image and its first page had a good HTTP status.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handson.core import messages
from handson.core.text import find_nearest, list_briefly
from handson.course import syllabus
from handson.course.checks import causes
from handson.course.checks.causes import diagnose
from handson.course.checks.cluster import find_goal_cluster
from handson.course.checks.repository import (
    find_goal_images,
    find_newest_image,
    find_tagged_image,
    parse_image_uri,
)
from handson.course.checks.results import CheckResult, Diagnosis, conclude
from handson.course.exercise import PLATFORM, Exercise
from handson.course.state import Image, RecordedRun, Snapshot

ID = "image"
BUILTIN = "builtin"
_NOTEBOOK = syllabus.check(ID).notebook
_PLATFORM = "/".join(PLATFORM)


def judge(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the image and why some are false."""
    expected: dict[str, Any] = {
        "image.pushed": True,
        "image.tag": exercise.tag,
        "image.platform": _PLATFORM,
        "image.unique-tag": True,
        "image.runnable": True,
    }
    images = find_goal_images(snapshot, exercise)
    image = find_tagged_image(images, exercise.tag) or find_newest_image(images)
    if image is None:
        return conclude(
            ID,
            expected=expected,
            observed={"image.pushed": False},
            explain=lambda false: [_explain_absence(snapshot, exercise, false)],
        )
    run, tags = _find_run(image, snapshot), _list_tags(images)
    platforms = _list_platforms(image)
    observed = {
        "image.pushed": True,
        "image.tag": exercise.tag if exercise.tag in image.tags else tags,
        "image.platform": _PLATFORM if _PLATFORM in platforms else platforms,
        "image.unique-tag": any(tag != exercise.tag for tag in image.tags),
        "image.runnable": image.built_by != BUILTIN and run is not None and _answered(run),
    }
    return conclude(
        ID,
        expected=expected,
        observed=observed,
        explain=lambda false: [
            *_explain(image, tags, exercise, false),
            *_explain_run(image, run, exercise),
        ],
    )


def trim(snapshot: Snapshot, exercise: Exercise) -> Snapshot:
    """Return the part of a snapshot that this check reads.

    That is the image with the tag; else the newest one and all images whose tags are listed.  For
    an empty repository: one image of a similar repository, and what may point to another region
    (the recorded URI, the sightings there, and the cluster here).
    """
    images, target = find_goal_images(snapshot, exercise), snapshot.target
    wanted, newest = find_tagged_image(images, exercise.tag), find_newest_image(images)
    if wanted is not None:
        run = _find_run(wanted, snapshot)
        return Snapshot(target=target, images=(wanted,), recorded_run=run)
    if newest is not None:
        read = tuple(image for image in images if image.tags or image is newest)
        return Snapshot(target=target, images=read, recorded_run=_find_run(newest, snapshot))
    cluster = find_goal_cluster(snapshot, exercise)
    return Snapshot(
        target=target,
        clusters=(cluster,) if cluster else (),
        images=tuple(_find_similar(snapshot, exercise)),
        recorded_uri=snapshot.recorded_uri,
        elsewhere=causes.find_sightings(snapshot, ID),
    )


def _find_run(image: Image, snapshot: Snapshot) -> RecordedRun | None:
    """Return the recorded run if it is of exactly this image."""
    run = snapshot.recorded_run
    return run if run and (run.repository, run.digest) == (image.repository, image.digest) else None


def _answered(run: RecordedRun) -> bool:
    return 200 <= run.status < 400


def _list_tags(images: list[Image]) -> list[str]:
    return sorted({tag for image in images for tag in image.tags})


def _list_platforms(image: Image) -> list[str]:
    return [f"{platform.os}/{platform.architecture}" for platform in image.platforms]


def _find_similar(snapshot: Snapshot, exercise: Exercise) -> list[Image]:
    """Return an image from the repository whose name is most like the exercise's, if any."""
    names = sorted({image.repository for image in snapshot.images})
    near = find_nearest(exercise.repository, names, cutoff=0.0)
    return [image for image in snapshot.images if image.repository == near][:1]


def _explain_absence(snapshot: Snapshot, exercise: Exercise, false: list[str]) -> Diagnosis:
    remedy, name = causes.advise_notebook(_NOTEBOOK), exercise.repository
    here = snapshot.target.region
    there = causes.list_other_regions(snapshot, ID) or _find_recorded_region(snapshot)
    if there:
        key = "course.checks.cause.image-other-region"
        if find_goal_cluster(snapshot, exercise):
            key = "course.checks.cause.image-region"
        remedy = causes.advise_other_region(_NOTEBOOK, here=here, there=there)
        return diagnose(key, false, remedy, image=there, cluster=here)
    similar = _find_similar(snapshot, exercise)
    if similar:
        values = {"name": name, "found": similar[0].repository}
        return diagnose("course.checks.cause.image-elsewhere", false, remedy, **values)
    return diagnose("course.checks.cause.image-absent", false, remedy, name=name, region=here)


def _find_recorded_region(snapshot: Snapshot) -> str:
    """Return the region of the recorded URI where it differs from the target's, else ""."""
    recorded = snapshot.recorded_uri
    uri = parse_image_uri(recorded.uri) if recorded else None
    return uri.region if uri and uri.region != snapshot.target.region else ""


def _explain(
    image: Image, tags: list[str], exercise: Exercise, false: list[str]
) -> Iterator[Diagnosis]:
    remedy, tag = causes.advise_notebook(_NOTEBOOK), exercise.tag
    if "image.tag" in false:
        found = list_briefly(tags)
        key = "course.checks.cause.image-tag" if found else "course.checks.cause.image-untagged"
        yield diagnose(key, ["image.tag"], remedy, tag=tag, tags=found)
    if "image.platform" in false:
        found = list_briefly(_list_platforms(image))
        key = "course.checks.cause.image-platform-unknown"
        if found:
            key = "course.checks.cause.image-platform"
        rebuild = messages.text("course.checks.remedy.rebuild", notebook=_NOTEBOOK)
        yield diagnose(key, ["image.platform"], rebuild, found=found, wanted=_PLATFORM)
    if "image.unique-tag" in false:
        key = "course.checks.cause.image-only-latest"
        yield diagnose(key, ["image.unique-tag"], remedy, tag=tag)


def _explain_run(image: Image, run: RecordedRun | None, exercise: Exercise) -> Iterator[Diagnosis]:
    facts = ["image.runnable"]
    call = f'workshop.run_image("{exercise.repository}", tag="{exercise.tag}")'
    again = messages.text("course.checks.remedy.call-or-mend", call=call, notebook=_NOTEBOOK)
    if image.built_by == BUILTIN:
        remedy = messages.text("course.checks.remedy.install", notebook=_NOTEBOOK)
        yield diagnose("course.checks.cause.image-builtin", facts, remedy)
    elif run is None:
        remedy = causes.advise_call_or_notebook(call, _NOTEBOOK)
        yield diagnose("course.checks.cause.image-unseen", facts, remedy)
    elif run.status == 0:
        yield diagnose("course.checks.cause.image-silent", facts, again, at=run.ran_at)
    elif not _answered(run):
        values: dict[str, Any] = {"at": run.ran_at, "status": run.status}
        yield diagnose("course.checks.cause.image-status", facts, again, **values)
