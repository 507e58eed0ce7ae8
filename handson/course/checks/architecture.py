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
from handson.course.checks.diagram_reading import CLOUD, LOCAL, REGISTRY, VPC, DiagramReading
from handson.course.checks.results import CheckResult, Diagnosis, Facts, Kept, conclude, diagnose
from handson.course.exercise import Exercise, NetworkForm
from handson.course.state import Drawing, DrawnBox, Snapshot


def judge_diagram(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the diagram and why some are false."""
    drawing = snapshot.drawing or Drawing()
    reading = DiagramReading(drawing, exercise)
    facts = _compare_facts(reading, exercise.network)
    causes = _explain_diagram(reading, {id: seen for id, (_, seen) in facts.items()})
    if not drawing.icons:
        facts = {id: (expected, None) for id, (expected, _) in facts.items()}
        causes = iter([_hint("drawing-nothing")])
    return conclude(syllabus.DRAWING.id, facts, causes)


def trim_to_diagram(snapshot: Snapshot, exercise: Exercise) -> Kept:
    """Return what this check reads: the drawing alone."""
    return {"drawing": snapshot.drawing}


def _compare_facts(reading: DiagramReading, goal: NetworkForm) -> Facts:
    on_aws = [
        part for part in reading.all(REGISTRY) if reading.on_aws(part) or not reading.has_cloud
    ]
    inside = [s for s in reading.subnets if reading.within(s, VPC) or not reading.boxes(VPC)]
    public = filter(reading.is_public, inside)
    cluster = "Fargate" if reading.says_fargate else "ECS" if reading.clusters else None
    in_vpc = any(reading.within(part, VPC) for part in on_aws)
    zones = {reading.zone(subnet) for subnet in public} - {""}
    return {
        "drawing.computer": (True, _is_computer_apart(reading)),
        "drawing.cloud": (True, _is_cloud_outside(reading)),
        "drawing.vpc": (True, any(_is_border(reading, box) for box in reading.boxes(VPC))),
        "drawing.zones": (goal.availability_zones, len(reading.zones)),
        "drawing.subnets": (goal.availability_zones, len(zones)),
        "drawing.private": (goal.private_subnets, sum(map(reading.is_private, reading.subnets))),
        "drawing.cluster": ("Fargate", cluster),
        "drawing.spread": (True, bool(reading.clusters) and reading.is_spread),
        "drawing.servers": (0, len(reading.servers)),
        "drawing.registry": (True, bool(on_aws)),
        "drawing.registry-outside": (True, bool(on_aws) and not in_vpc),
        "drawing.sign-in": (True, reading.is_signed_in()),
        "drawing.push": (True, reading.is_pushed()),
        "drawing.pull": (True, reading.is_pulled()),
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


def _explain_diagram(reading: DiagramReading, observed: dict[str, Any]) -> Iterator[Diagnosis]:
    """Yield a hint for each fact; a missing part has one for all facts that need it."""
    codes = {fact: fact.replace(".", "-") for fact in observed}
    if reading.boxes(VPC):
        codes["drawing.vpc"] = "drawing-vpc-border"
    if reading.subnets and not any(map(reading.is_public, reading.subnets)):
        codes["drawing.subnets"] = "drawing-subnets-public"
    if observed["drawing.registry"]:
        codes["drawing.registry-outside"] = "drawing-registry-inside"
        codes["drawing.push"] = _find_push_cause(reading)
        if reading.is_pulled(backwards=True):
            codes["drawing.pull"] = "drawing-pull-backwards"
    else:
        needed = ("drawing.registry-outside", "drawing.push", "drawing.pull")
        codes |= dict.fromkeys(needed, "drawing-registry")
    if reading.clusters:
        codes["drawing.cluster"] = "drawing-fargate"
    else:
        codes |= dict.fromkeys(("drawing.spread", "drawing.pull"), "drawing-cluster")
    for code in dict.fromkeys(codes.values()):
        facts = [fact for fact, explained in codes.items() if explained == code]
        yield _hint(code, *facts, count=observed[facts[0]])


def _find_push_cause(reading: DiagramReading) -> str:
    if reading.is_pushed(by_containers=True):
        return "drawing-push-container"
    return "drawing-push-backwards" if reading.is_pushed(backwards=True) else "drawing-push"


def _hint(code: str, *facts: str, **values: object) -> Diagnosis:
    """Return the diagnosis of a cause; its remedy is the hint of the same name."""
    remedy = messages.label("course.checks.hint", code)
    return diagnose(code, *facts, remedy=remedy, call="", **values)
