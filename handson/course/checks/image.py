"""The checks `image` and `image-uri`: an image that Fargate can run, and its address for step 3.

`image` judges the image with the tag of the recorded URI, or else with the exercise's tag.  If no
image has the tag, it judges the newest one, so that a forgotten tag turns `image.tag` false and
leaves `image.platform` true.  More images and untagged manifests do not matter: a push with a
provenance attestation makes three manifests.  Where the configuration that holds the platform could
not be read, the check stays open.  `image.unique-tag` asks for two tags on this image: the
exercise's, which moves on, and one of the learner's own.  `image.runnable` is advice.  It is true
when the recorded run is of exactly this image and its first page had a good HTTP status.

`image-uri` judges the recorded URI.  `uri.recorded`: it is an image URI of a private registry.
`uri.region`: it names the region of the target and of the cluster, which may have been found in
another region.  `uri.resolves`: its account and repository are right, and its tag (or digest) leads
to the same image as when it was recorded.
`uri.resolves` ignores the region, so that a wrong region in the URI turns `uri.region` alone false.
Every tag counts, because a unique one is better than `latest`.
"""

from __future__ import annotations

from collections.abc import Iterator

from handson.core import messages
from handson.core.text import list_briefly, write_call
from handson.course import syllabus
from handson.course.checks import repository, results
from handson.course.checks.cluster import find_goal_cluster
from handson.course.checks.repository import EcrUri, find_goal_images, parse_image_uri
from handson.course.checks.results import CheckResult, Diagnosis, Facts, Kept, conclude, diagnose
from handson.course.exercise import IMAGE_PLATFORM, Exercise
from handson.course.state import Image, RecordedRun, RecordedUri, Snapshot

BUILTIN = "builtin"
_TAGS = ("image.tag", "image.unique-tag")
_EXAMPLE = "1.0.0"
"""A tag such as a learner may choose for a release."""
_NOTEBOOK = syllabus.find_check("image").notebook
_CLUSTER_NOTEBOOK = syllabus.find_check("cluster").notebook


def judge_image(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the image and why some are false."""
    images, wanted = find_goal_images(snapshot, exercise), _find_wanted_tag(snapshot, exercise)
    image = repository.find_tagged_image(images, wanted) or repository.find_newest_image(images)
    run, tags = _find_run(image, snapshot), sorted({tag for each in images for tag in each.tags})
    own, platforms = (image.tags, list(map(str, image.platforms))) if image else ((), [])
    seen = IMAGE_PLATFORM if IMAGE_PLATFORM in platforms else platforms
    runs = image and image.built_by != BUILTIN and run is not None and 200 <= run.status < 400
    facts: Facts = {
        "image.pushed": (True, image is not None),
        "image.tag": (wanted, wanted if wanted in own else tags),
        "image.platform": (IMAGE_PLATFORM, seen),
        "image.unique-tag": (True, exercise.tag in own and len(own) > 1),
        "image.runnable": (True, runs),
    }
    if image is None:
        return conclude("image", facts, [_explain_no_image(snapshot, exercise)], found=False)
    reasons = [*_explain_image(image, tags, wanted, exercise), _explain_run(image, run, wanted)]
    result = conclude("image", facts, reasons)
    if image.unread and seen != IMAGE_PLATFORM:
        return results.conclude_unseen(result, image.unread)
    return result


def trim_to_image(snapshot: Snapshot, exercise: Exercise) -> Kept:
    """Return what the check `image` reads.

    That is the recorded URI, and the image with its tag; else the newest one and all images whose
    tags are listed.  For an empty repository: one of a similar name, and what may point to another
    region (the sightings there, and the cluster here).
    """
    images, uri = find_goal_images(snapshot, exercise), snapshot.recorded_uri
    found = repository.find_tagged_image(images, _find_wanted_tag(snapshot, exercise))
    newest = repository.find_newest_image(images)
    if image := found or newest:
        read = (image,) if found else tuple(it for it in images if it.tags or it is newest)
        run = _find_run(image, snapshot)
        return {"images": read, "recorded_uri": uri, "recorded_run": run}
    cluster = find_goal_cluster(snapshot, exercise)
    return {
        "clusters": (cluster,) if cluster else (),
        "repositories": repository.find_misspelt(snapshot, exercise),
        "recorded_uri": uri,
        "elsewhere": results.find_sightings(snapshot, "image"),
    }


def _find_wanted_tag(snapshot: Snapshot, exercise: Exercise) -> str:
    """Return the tag in the recorded URI of the exercise's repository, or the exercise's tag."""
    uri = _parse_recorded_uri(snapshot)
    own = uri.tag if uri and uri.repository == exercise.repository else None
    return own or exercise.tag


def _find_run(image: Image | None, snapshot: Snapshot) -> RecordedRun | None:
    """Return the recorded run if it is of exactly this image."""
    run = snapshot.recorded_run
    if image and run and (run.repository, run.digest) == (image.repository, image.digest):
        return run
    return None


def _explain_no_image(snapshot: Snapshot, exercise: Exercise) -> Diagnosis:
    similar, uri = repository.find_misspelt(snapshot, exercise), _parse_recorded_uri(snapshot)
    has_cluster = find_goal_cluster(snapshot, exercise) is not None
    return results.explain_absence(
        "image",
        snapshot,
        elsewhere="image-region" if has_cluster else "image-other-region",
        here="image-elsewhere" if similar else "image-absent",
        there=uri.region if uri and uri.region != snapshot.target.region else "",
        name=exercise.repository,
        found=similar[0].name if similar else "",
    )


def _explain_image(
    image: Image, tags: list[str], wanted: str, exercise: Exercise
) -> Iterator[Diagnosis]:
    platforms = list(map(str, image.platforms))
    tag, listed, found = exercise.tag, list_briefly(tags), list_briefly(platforms)
    own = wanted if wanted in image.tags else min(image.tags, default="")
    call = write_call("workshop.tag_image", image.repository, tag=tag, image=own)
    add = {"call": call, "remedy": results.advise_call(call)}
    if not tags:
        yield diagnose("image-untagged", *_TAGS, tag=wanted)
    elif own and tag == wanted not in image.tags:
        yield diagnose("image-tag", *_TAGS, **add, tag=wanted, tags=listed)
    else:
        call = write_call("workshop.tag_image", image.repository, tag=wanted, image=tag)
        alone = call if tag in image.tags else ""
        yield diagnose("image-tag", "image.tag", call=alone, tag=wanted, tags=listed)
    if tag in image.tags:
        call = write_call("workshop.tag_image", image.repository, tag=_EXAMPLE, image=tag)
        remedy = messages.text("course.checks.remedy.own-tag", call=call)
        yield diagnose("image-only-latest", "image.unique-tag", remedy=remedy, call=call, tag=tag)
    elif own and wanted != tag:
        yield diagnose("image-no-latest", "image.unique-tag", **add, tag=tag, own=own)
    code = "image-platform" if found else "image-platform-unknown"
    rebuild = messages.text("course.checks.remedy.rebuild", notebook=_NOTEBOOK)
    yield diagnose(code, "image.platform", remedy=rebuild, found=found, wanted=IMAGE_PLATFORM)


def _explain_run(image: Image, run: RecordedRun | None, tag: str) -> Diagnosis:
    fact, call = "image.runnable", write_call("workshop.run_image", image.repository, tag=tag)
    if image.built_by == BUILTIN:
        remedy = messages.text("course.checks.remedy.install", notebook=_NOTEBOOK)
        return diagnose("image-builtin", fact, remedy=remedy)
    if run is None:
        return diagnose("image-unseen", fact, remedy=_advise_call_or_notebook(call))
    remedy = messages.text("course.checks.remedy.call-or-mend", call=call, notebook=_NOTEBOOK)
    code = "image-status" if run.status else "image-silent"
    return diagnose(code, fact, remedy=remedy, at=run.ran_at, status=run.status)


def _advise_call_or_notebook(call: str) -> str:
    return messages.text("course.checks.remedy.call-or-run", call=call, notebook=_NOTEBOOK)


def judge_image_uri(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the recorded URI and why some are false."""
    here, region = snapshot.target.region, _find_cluster_region(snapshot, exercise)
    recorded, uri = snapshot.recorded_uri, _parse_recorded_uri(snapshot)
    tag = (uri and uri.tag) or exercise.tag
    call = write_call("workshop.record_image_uri", exercise.repository, tag=tag)
    remedy = _advise_call_or_notebook(call)
    obstacle = recorded and uri and _find_obstacle(snapshot, exercise, recorded, uri, remedy)
    named = uri.region if uri else None
    facts: Facts = {
        "uri.recorded": (True, uri is not None),
        "uri.region": (here, named if region == here else [named, region]),
        "uri.resolves": (True, obstacle is None),
    }
    if recorded is None or uri is None:
        code, given = ("uri-malformed", recorded.uri) if recorded else ("uri-absent", "")
        cause = diagnose(code, remedy=remedy, uri=given)
        return conclude("image-uri", facts, [cause], found=False)
    remedy = ""
    if region != here == exercise.region:  # the cluster is in the wrong place
        places = {"notebook": _CLUSTER_NOTEBOOK, "here": here, "there": region}
        remedy = messages.text("course.checks.remedy.run-here", **places)
    elif region != here:
        places = {"notebook": _NOTEBOOK, "region": region}
        remedy = messages.text("course.checks.remedy.region", **places)
    values = {"image": uri.region, "cluster": region, "call": "" if remedy else call}
    wrong_region = diagnose("uri-region", "uri.region", remedy=remedy, **values)
    return conclude("image-uri", facts, [wrong_region, *([obstacle] if obstacle else [])])


def trim_to_image_uri(snapshot: Snapshot, exercise: Exercise) -> Kept:
    """Return what `image-uri` reads: URI, image, cluster or its region."""
    uri = _parse_recorded_uri(snapshot)
    if uri is None:
        return {"recorded_uri": snapshot.recorded_uri}
    cluster, images = find_goal_cluster(snapshot, exercise), find_goal_images(snapshot, exercise)
    return {
        "clusters": (cluster,) if cluster else (),
        "images": tuple(it for it in images if uri.tag in it.tags or uri.digest == it.digest),
        "recorded_uri": snapshot.recorded_uri,
        "elsewhere": () if cluster else results.find_sightings(snapshot, "cluster"),
    }


def _parse_recorded_uri(snapshot: Snapshot) -> EcrUri | None:
    return parse_image_uri(snapshot.recorded_uri.uri) if snapshot.recorded_uri else None


def _find_cluster_region(snapshot: Snapshot, exercise: Exercise) -> str:
    """Return the cluster's region: by its ARN, or by where it was found instead of here."""
    cluster = find_goal_cluster(snapshot, exercise)
    # arn:partition:service:region:account:resource
    parts = cluster.arn.split(":") if cluster else []
    seen = [item.region for item in results.find_sightings(snapshot, "cluster")]
    return (parts[3] if len(parts) > 5 else next(iter(seen), "")) or snapshot.target.region


def _find_obstacle(
    snapshot: Snapshot, exercise: Exercise, recorded: RecordedUri, uri: EcrUri, remedy: str
) -> Diagnosis | None:
    """Return why a URI does not lead to the image it was recorded for, or None if it does."""
    fact, name, account = "uri.resolves", exercise.repository, snapshot.target.account
    if uri.account != account:
        return diagnose("uri-account", fact, remedy=remedy, found=uri.account, here=account)
    if uri.repository != name:
        return diagnose("uri-repository", fact, remedy=remedy, found=uri.repository, wanted=name)
    images = find_goal_images(snapshot, exercise)
    if uri.tag is None:
        image = next((image for image in images if image.digest == uri.digest), None)
    else:
        image = repository.find_tagged_image(images, uri.tag)
    if image is None:
        return diagnose("uri-gone", fact, tag=uri.tag or str(uri.digest), name=name)
    if image.digest != recorded.digest or uri.digest not in (None, image.digest):
        values = {"tag": uri.tag or "-", "then": recorded.digest[:19], "now": image.digest[:19]}
        back = write_call("workshop.tag_image", name, tag=uri.tag, image=recorded.digest)
        return diagnose("uri-moved", fact, remedy=remedy, call=back if uri.tag else "", **values)
    return None
