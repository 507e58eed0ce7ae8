"""The check `architecture`: the learner's diagram says what step 2 has built.

It reads the drawing and not the target, and asks for meaning, never for a form: `drawn` says what
counts as what.  What is missing is told without the line that would draw it.

What breaks what.  Without a registry the ways to and from it are false as well, and without a
cluster the way to it; where one thing is missing, one cause is told.  A subnet counts where it is
public and stands in the VPC; a zone counts once, however many subnets it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handson.core import messages
from handson.course import syllabus
from handson.course.checks import causes
from handson.course.checks.drawn import Drawn
from handson.course.checks.results import CheckResult, Diagnosis, conclude
from handson.course.checks.signs import CLOUD, LOCAL, VPC
from handson.course.exercise import Exercise
from handson.course.state import DrawnBox, Snapshot

ID = syllabus.DRAWING.id
_FACTS = tuple(fact.id for fact in syllabus.DRAWING.facts)
_REGISTRY_FACTS = ("drawing.registry", "drawing.registry-outside", "drawing.push", "drawing.pull")
_CLUSTER_FACTS = ("drawing.cluster", "drawing.spread", "drawing.pull")


def judge(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the diagram and why some are false."""
    network = exercise.network
    expected: dict[str, Any] = {
        **dict.fromkeys(_FACTS, True),
        "drawing.zones": network.availability_zones,
        "drawing.subnets": network.availability_zones,
        "drawing.private": network.private_subnets,
        "drawing.cluster": "Fargate",
        "drawing.servers": 0,
    }
    if snapshot.drawing is None or not snapshot.drawing.icons:
        nothing = [_cause("drawing-nothing", *_FACTS)]
        return conclude(ID, expected=expected, observed={}, diagnoses=nothing)
    drawn = Drawn(snapshot.drawing)
    observed = _observed(drawn)
    wrong = {id for id, value in expected.items() if observed[id] != value}
    reasons = list(_explain(drawn, observed, wrong))
    return conclude(ID, expected=expected, observed=observed, diagnoses=reasons)


def trim(snapshot: Snapshot, exercise: Exercise) -> Snapshot:
    """Return the part of a snapshot that this check reads: the drawing alone."""
    return Snapshot(target=snapshot.target, drawing=snapshot.drawing)


def _observed(drawn: Drawn) -> dict[str, Any]:
    registries = [part for part in drawn.registries if drawn.on_aws(part) or not drawn.has_cloud]
    public = [part for part in drawn.subnets if drawn.is_public(part) and _is_in_vpc(drawn, part)]
    holding = {drawn.zone(subnet) for subnet in public} - {""}
    cluster = "Fargate" if drawn.says_fargate else "ECS" if drawn.clusters else None
    return {
        "drawing.computer": _is_beside_aws(drawn),
        "drawing.cloud": _is_around(drawn),
        "drawing.vpc": any(_is_border(drawn, box) for box in drawn.boxes(VPC)),
        "drawing.zones": len(drawn.zones),
        "drawing.subnets": len(holding),
        "drawing.private": sum(map(drawn.is_private, drawn.subnets)),
        "drawing.cluster": cluster,
        "drawing.spread": bool(drawn.clusters) and drawn.is_spread,
        "drawing.servers": len(drawn.servers),
        "drawing.registry": bool(registries),
        "drawing.registry-outside": bool(registries)
        and not any(drawn.within(part, VPC) for part in registries),
        "drawing.sign-in": drawn.is_signed_in(),
        "drawing.push": drawn.is_pushed(),
        "drawing.pull": drawn.is_pulled(),
    }


def _is_beside_aws(drawn: Drawn) -> bool:
    """Tell whether the learner's computer is there and neither side stands in the other."""
    inside = any(drawn.within(box, CLOUD) for box in drawn.boxes(LOCAL))
    around = any(drawn.within(box, LOCAL) for box in drawn.boxes(CLOUD))
    return bool(drawn.local) and not inside and not around


def _is_around(drawn: Drawn) -> bool:
    """Tell whether AWS has a box, and the network stands in it and not around it."""
    return drawn.has_cloud and all(drawn.within(box, CLOUD) for box in drawn.boxes(VPC))


def _is_border(drawn: Drawn, box: DrawnBox) -> bool:
    """Tell whether a box of the VPC is the border of the subnets there are, in all zones."""
    return not drawn.within(box, VPC) and all(box in drawn.around(part) for part in drawn.subnets)


def _is_in_vpc(drawn: Drawn, part: Any) -> bool:
    return drawn.within(part, VPC) or not drawn.boxes(VPC)


def _explain(drawn: Drawn, observed: dict[str, Any], wrong: set[str]) -> Iterator[Diagnosis]:
    if "drawing.computer" in wrong:
        yield _cause("drawing-computer", "drawing.computer")
    if "drawing.cloud" in wrong:
        yield _cause("drawing-cloud", "drawing.cloud")
    if "drawing.vpc" in wrong:
        code = "drawing-vpc-border" if drawn.boxes(VPC) else "drawing-vpc"
        yield _cause(code, "drawing.vpc")
    yield from _explain_zones(drawn, observed, wrong)
    yield from _explain_cluster(drawn, wrong)
    if not observed["drawing.registry"]:
        yield _cause("drawing-registry", *(id for id in _REGISTRY_FACTS if id in wrong))
    elif "drawing.registry-outside" in wrong:
        yield _cause("drawing-registry-inside", "drawing.registry-outside")
    if "drawing.sign-in" in wrong:
        yield _cause("drawing-sign-in", "drawing.sign-in")
    yield from _explain_ways(drawn, observed, wrong)


def _explain_zones(drawn: Drawn, observed: dict[str, Any], wrong: set[str]) -> Iterator[Diagnosis]:
    if "drawing.zones" in wrong:
        yield _cause("drawing-zones", "drawing.zones", count=observed["drawing.zones"])
    if "drawing.subnets" in wrong:
        public = any(map(drawn.is_public, drawn.subnets))
        plain = bool(drawn.subnets) and not public
        code = "drawing-subnets-public" if plain else "drawing-subnets"
        yield _cause(code, "drawing.subnets", count=observed["drawing.subnets"])
    if "drawing.private" in wrong:
        yield _cause("drawing-private", "drawing.private")


def _explain_cluster(drawn: Drawn, wrong: set[str]) -> Iterator[Diagnosis]:
    if not drawn.clusters:
        yield _cause("drawing-cluster", *(id for id in _CLUSTER_FACTS if id in wrong))
    elif "drawing.cluster" in wrong:
        yield _cause("drawing-fargate", "drawing.cluster")
    if drawn.clusters and "drawing.spread" in wrong:
        yield _cause("drawing-spread", "drawing.spread")
    if "drawing.servers" in wrong:
        yield _cause("drawing-servers", "drawing.servers", count=len(drawn.servers))


def _explain_ways(drawn: Drawn, observed: dict[str, Any], wrong: set[str]) -> Iterator[Diagnosis]:
    if not observed["drawing.registry"]:
        return
    if "drawing.push" in wrong:
        code = "drawing-push"
        if drawn.is_pushed(by_containers=True):
            code = "drawing-push-container"
        elif drawn.is_pushed(backwards=True):
            code = "drawing-push-backwards"
        yield _cause(code, "drawing.push")
    if "drawing.pull" in wrong and drawn.clusters:
        backwards = drawn.is_pulled(backwards=True)
        yield _cause("drawing-pull-backwards" if backwards else "drawing-pull", "drawing.pull")


def _cause(code: str, *facts: str, **values: object) -> Diagnosis:
    """Return why facts are false, with a hint as its remedy."""
    return causes.diagnosis(code, facts, messages.text(f"course.checks.hint.{code}"), **values)
