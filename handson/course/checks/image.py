"""The check `image`: the shop's image in the repository, one that Fargate can run.

Judged is the image that the tag `latest` leads to, and where nothing has that tag, the newest one,
so that a forgotten tag turns `image.tag` false and not the platform with it.  How many images and
untagged manifests lie beside it does not matter: a push with a provenance attestation makes three.
`image.unique-tag` and `image.runnable` are advice.  `image.runnable` is true when exactly this
image was seen running: the last run that was recorded is of its digest and its first page came
with a good HTTP status.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handson.core.text import find_nearest, list_briefly
from handson.course import syllabus
from handson.course.checks import causes, cluster, registries
from handson.course.checks.results import CheckResult, Diagnosis, conclude
from handson.course.exercise import PLATFORM, Exercise
from handson.course.state import Image, Platform, RecordedRun, Snapshot

ID = "image"
BUILTIN = "builtin"
_NOTEBOOK = syllabus.check(ID).notebook
_FACTS = tuple(fact.id for fact in syllabus.check(ID).facts)
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
    images = registries.own_images(snapshot, exercise)
    image = registries.tagged(images, exercise.tag) or registries.newest(images)
    if image is None:
        found, reasons = {"image.pushed": False}, [_absent(snapshot, exercise)]
        return conclude(ID, expected=expected, observed=found, diagnoses=reasons)
    run = _run_of(image, snapshot)
    observed = _observed(image, images, run, exercise)
    wrong = {id for id, value in expected.items() if observed[id] != value}
    reasons = [*_explain(image, images, wrong, exercise), *_explain_run(image, run, exercise)]
    return conclude(ID, expected=expected, observed=observed, diagnoses=reasons)


def trim(snapshot: Snapshot, exercise: Exercise) -> Snapshot:
    """Return the part of a snapshot that this check reads.

    The image of the tag; else the newest one and those whose tags are listed.  Where the repository
    holds none, one image of the repository that was perhaps taken for it, and what may tell of
    another region: the recorded URI, what was seen there, and the cluster that is here.
    """
    images = registries.own_images(snapshot, exercise)
    wanted, last = registries.tagged(images, exercise.tag), registries.newest(images)
    if wanted is not None:
        return Snapshot(
            target=snapshot.target, images=(wanted,), recorded_run=_run_of(wanted, snapshot)
        )
    if images:
        read = tuple(image for image in images if image.tags or image is last)
        run = _run_of(last, snapshot) if last else None
        return Snapshot(target=snapshot.target, images=read, recorded_run=run)
    own = cluster.find(snapshot, exercise)
    return Snapshot(
        target=snapshot.target,
        clusters=(own,) if own else (),
        images=tuple(_elsewhere(snapshot, exercise)),
        recorded_uri=snapshot.recorded_uri,
        elsewhere=causes.sightings(snapshot, ID),
    )


def _observed(
    image: Image, images: list[Image], run: RecordedRun | None, exercise: Exercise
) -> dict[str, Any]:
    goal = exercise.tag
    platforms = [_written(platform) for platform in image.platforms]
    return {
        "image.pushed": True,
        "image.tag": goal if goal in image.tags else _tags(images),
        "image.platform": _PLATFORM if _PLATFORM in platforms else platforms,
        "image.unique-tag": any(tag != goal for tag in image.tags),
        "image.runnable": image.built_by != BUILTIN and run is not None and _answered(run),
    }


def _run_of(image: Image, snapshot: Snapshot) -> RecordedRun | None:
    """Return the run that was recorded, if it is of exactly this image."""
    run = snapshot.recorded_run
    return run if run and (run.repository, run.digest) == (image.repository, image.digest) else None


def _answered(run: RecordedRun) -> bool:
    return 200 <= run.status < 400


def _tags(images: list[Image]) -> list[str]:
    return sorted({tag for image in images for tag in image.tags})


def _written(platform: Platform) -> str:
    return f"{platform.os}/{platform.architecture}"


def _elsewhere(snapshot: Snapshot, exercise: Exercise) -> list[Image]:
    """Return an image of the repository whose name is most like the exercise's, if any."""
    names = sorted({image.repository for image in snapshot.images})
    like = find_nearest(exercise.repository, names, cutoff=0.0)
    return [image for image in snapshot.images if image.repository == like][:1]


def _absent(snapshot: Snapshot, exercise: Exercise) -> Diagnosis:
    remedy, name = causes.run(_NOTEBOOK), exercise.repository
    here = snapshot.target.region
    there = causes.in_region(snapshot, ID) or _recorded_region(snapshot)
    if there:
        code = "image-region" if cluster.find(snapshot, exercise) else "image-other-region"
        again = causes.run_here(_NOTEBOOK, here=here, there=there)
        return causes.diagnosis(code, _FACTS, again, image=there, cluster=here)
    elsewhere = _elsewhere(snapshot, exercise)
    if elsewhere:
        found = elsewhere[0].repository
        return causes.diagnosis("image-elsewhere", _FACTS, remedy, name=name, found=found)
    return causes.diagnosis("image-absent", _FACTS, remedy, name=name, region=here)


def _recorded_region(snapshot: Snapshot) -> str:
    """Return the region of the recorded URI, where it is another one than the target's."""
    recorded = snapshot.recorded_uri
    uri = registries.parse_image_uri(recorded.uri) if recorded else None
    return uri.region if uri and uri.region != snapshot.target.region else ""


def _explain(
    image: Image, images: list[Image], wrong: set[str], exercise: Exercise
) -> Iterator[Diagnosis]:
    remedy, tag = causes.run(_NOTEBOOK), exercise.tag
    if "image.tag" in wrong:
        found = list_briefly(_tags(images))
        code = "image-tag" if found else "image-untagged"
        yield causes.diagnosis(code, ["image.tag"], remedy, tag=tag, tags=found)
    if "image.platform" in wrong:
        found = list_briefly([_written(platform) for platform in image.platforms])
        code = "image-platform" if found else "image-platform-unknown"
        yield causes.diagnosis(
            code, ["image.platform"], causes.rebuild(_NOTEBOOK), found=found, wanted=_PLATFORM
        )
    if "image.unique-tag" in wrong:
        yield causes.diagnosis("image-only-latest", ["image.unique-tag"], remedy, tag=tag)


def _explain_run(image: Image, run: RecordedRun | None, exercise: Exercise) -> Iterator[Diagnosis]:
    call = f'workshop.run_image("{exercise.repository}", tag="{exercise.tag}")'
    facts, remedy = ["image.runnable"], causes.call_or_mend(call, _NOTEBOOK)
    if image.built_by == BUILTIN:
        yield causes.diagnosis("image-builtin", facts, causes.install(_NOTEBOOK))
    elif run is None:
        yield causes.diagnosis("image-unseen", facts, causes.call_or_run(call, _NOTEBOOK))
    elif run.status == 0:
        yield causes.diagnosis("image-silent", facts, remedy, at=run.ran_at)
    elif not _answered(run):
        yield causes.diagnosis("image-status", facts, remedy, at=run.ran_at, status=run.status)
