"""What the checks say of a state, and what stands in it, in a form that two can be compared in."""

from __future__ import annotations

from typing import Any

from handson.course.checks import Diagnosis, Verification
from handson.course.state import Snapshot


def false_facts(verification: Verification) -> set[str]:
    return {fact.id for check in verification.checks for fact in check.facts if not fact.passed}


def diagnoses(verification: Verification) -> list[Diagnosis]:
    return [diagnosis for check in verification.checks for diagnosis in check.diagnoses]


def resources(seen: Snapshot) -> Any:
    """Return what stands beside the network, without tags and times of what was pushed and run."""
    images = [(image.repository, image.platforms, "latest" in image.tags) for image in seen.images]
    recorded = seen.recorded_uri and seen.recorded_uri.uri.rpartition(":")[0]
    run = seen.recorded_run
    ran = run and (run.repository, run.digest, run.status)
    return seen.clusters, seen.repositories, images, recorded, ran
