"""The check `architecture`: the learner's diagram shows the result of step 2.

The check reads the drawing instead of the target, and judges the meaning, not the layout:
`diagram_reading` decides which icons and boxes stand for which part.  A hint names the missing
part, but not the line of code that draws it.

Without a registry the arrows to and from it are false as well, and without a cluster the arrow to
it; one missing part has one diagnosis.  A subnet counts when it is public and in the VPC; a zone
counts once, with any number of subnets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handson.core import messages
from handson.course import syllabus
from handson.course.checks.causes import diagnose
from handson.course.checks.diagram_reading import DiagramReading
from handson.course.checks.diagram_words import CLOUD, LOCAL, VPC, Part
from handson.course.checks.results import CheckResult, Diagnosis, conclude
from handson.course.exercise import Exercise
from handson.course.state import DrawnBox, Snapshot

ID = syllabus.DRAWING.id


def judge(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the diagram and why some are false."""
    network = exercise.network
    expected: dict[str, Any] = {
        **dict.fromkeys((fact.id for fact in syllabus.DRAWING.facts), True),
        "drawing.zones": network.availability_zones,
        "drawing.subnets": network.availability_zones,
        "drawing.private": network.private_subnets,
        "drawing.cluster": "Fargate",
        "drawing.servers": 0,
    }
    if snapshot.drawing is None or not snapshot.drawing.icons:
        return conclude(
            ID,
            expected=expected,
            observed={},
            explain=lambda false: [_hint("course.checks.cause.drawing-nothing", false)],
        )
    reading = DiagramReading(snapshot.drawing, exercise)
    observed = _observe(reading)
    return conclude(
        ID,
        expected=expected,
        observed=observed,
        explain=lambda false: _explain(reading, observed, false),
    )


def trim(snapshot: Snapshot, exercise: Exercise) -> Snapshot:
    """Return the part of a snapshot that this check reads: the drawing alone."""
    return Snapshot(target=snapshot.target, drawing=snapshot.drawing)


def _observe(reading: DiagramReading) -> dict[str, Any]:
    on_aws = [part for part in reading.registries if reading.on_aws(part) or not reading.has_cloud]
    public = [s for s in reading.subnets if reading.is_public(s) and _is_in_vpc(reading, s)]
    cluster = "Fargate" if reading.says_fargate else "ECS" if reading.clusters else None
    in_vpc = any(reading.within(part, VPC) for part in on_aws)
    return {
        "drawing.computer": _is_computer_apart(reading),
        "drawing.cloud": _is_cloud_outside(reading),
        "drawing.vpc": any(_is_border(reading, box) for box in reading.boxes(VPC)),
        "drawing.zones": len(reading.zones),
        "drawing.subnets": len({reading.zone(subnet) for subnet in public} - {""}),
        "drawing.private": sum(map(reading.is_private, reading.subnets)),
        "drawing.cluster": cluster,
        "drawing.spread": bool(reading.clusters) and reading.is_spread,
        "drawing.servers": len(reading.servers),
        "drawing.registry": bool(on_aws),
        "drawing.registry-outside": bool(on_aws) and not in_vpc,
        "drawing.sign-in": reading.is_signed_in(),
        "drawing.push": reading.is_pushed(),
        "drawing.pull": reading.is_pulled(),
    }


def _is_computer_apart(reading: DiagramReading) -> bool:
    """Tell whether the learner's computer is drawn, and neither it nor AWS is in the other."""
    inside = any(reading.within(box, CLOUD) for box in reading.boxes(LOCAL))
    around = any(reading.within(box, LOCAL) for box in reading.boxes(CLOUD))
    return bool(reading.local) and not inside and not around


def _is_cloud_outside(reading: DiagramReading) -> bool:
    """Tell whether AWS has a box, and the network is in it and not around it."""
    return reading.has_cloud and all(reading.within(box, CLOUD) for box in reading.boxes(VPC))


def _is_border(reading: DiagramReading, box: DrawnBox) -> bool:
    """Tell whether a box of the VPC surrounds all subnets in all zones."""
    surrounds = all(box in reading.around(part) for part in reading.subnets)
    return surrounds and not reading.within(box, VPC)


def _is_in_vpc(reading: DiagramReading, part: Part) -> bool:
    return reading.within(part, VPC) or not reading.boxes(VPC)


def _explain(
    reading: DiagramReading, observed: dict[str, Any], false: list[str]
) -> Iterator[Diagnosis]:
    def among(*facts: str) -> list[str]:
        return [fact for fact in facts if fact in false]

    if "drawing.computer" in false:
        yield _hint("course.checks.cause.drawing-computer", ["drawing.computer"])
    if "drawing.cloud" in false:
        yield _hint("course.checks.cause.drawing-cloud", ["drawing.cloud"])
    if "drawing.vpc" in false:
        key = "course.checks.cause.drawing-vpc"
        if reading.boxes(VPC):
            key = "course.checks.cause.drawing-vpc-border"
        yield _hint(key, ["drawing.vpc"])
    if "drawing.zones" in false:
        count = observed["drawing.zones"]
        yield _hint("course.checks.cause.drawing-zones", ["drawing.zones"], count=count)
    if "drawing.subnets" in false:
        key, count = "course.checks.cause.drawing-subnets", observed["drawing.subnets"]
        if reading.subnets and not any(map(reading.is_public, reading.subnets)):
            key = "course.checks.cause.drawing-subnets-public"
        yield _hint(key, ["drawing.subnets"], count=count)
    if "drawing.private" in false:
        yield _hint("course.checks.cause.drawing-private", ["drawing.private"])
    if not reading.clusters:
        facts = among("drawing.cluster", "drawing.spread", "drawing.pull")
        yield _hint("course.checks.cause.drawing-cluster", facts)
    elif "drawing.cluster" in false:
        yield _hint("course.checks.cause.drawing-fargate", ["drawing.cluster"])
    if reading.clusters and "drawing.spread" in false:
        yield _hint("course.checks.cause.drawing-spread", ["drawing.spread"])
    if "drawing.servers" in false:
        count = len(reading.servers)
        yield _hint("course.checks.cause.drawing-servers", ["drawing.servers"], count=count)
    has_registry = observed["drawing.registry"]
    if not has_registry:
        ids = ("drawing.registry", "drawing.registry-outside", "drawing.push", "drawing.pull")
        yield _hint("course.checks.cause.drawing-registry", among(*ids))
    elif "drawing.registry-outside" in false:
        yield _hint("course.checks.cause.drawing-registry-inside", ["drawing.registry-outside"])
    if "drawing.sign-in" in false:
        yield _hint("course.checks.cause.drawing-sign-in", ["drawing.sign-in"])
    if has_registry:
        yield from _explain_routes(reading, false)


def _explain_routes(reading: DiagramReading, false: list[str]) -> Iterator[Diagnosis]:
    if "drawing.push" in false:
        key = "course.checks.cause.drawing-push"
        if reading.is_pushed(by_containers=True):
            key = "course.checks.cause.drawing-push-container"
        elif reading.is_pushed(backwards=True):
            key = "course.checks.cause.drawing-push-backwards"
        yield _hint(key, ["drawing.push"])
    if "drawing.pull" in false and reading.clusters:
        key = "course.checks.cause.drawing-pull"
        if reading.is_pulled(backwards=True):
            key = "course.checks.cause.drawing-pull-backwards"
        yield _hint(key, ["drawing.pull"])


def _hint(key: str, facts: list[str], **values: object) -> Diagnosis:
    """Return the diagnosis that a sentence gives; its remedy is the hint of the same name."""
    code = key.rpartition(".")[2]
    return diagnose(key, facts, messages.label("course.checks.hint", code), **values)
