"""Checks: pure functions that judge a snapshot of the target by an exercise.

`run_checks` runs all checks and `run_check` runs one.  `trim` returns the part of a snapshot that
evidence has to hold, and `derive` judges that part again, from JSON that may be forged.  A fact
passes exactly when the observed value equals the expected one; no stored verdict is ever read.  The
docstring of each check's module says which mistake turns which fact false.
"""

from __future__ import annotations

import msgspec

from handson.core.errors import InvalidInput
from handson.core.text import check_choice, quote
from handson.course import syllabus
from handson.course.checks import architecture, cluster, image, network, repository, results
from handson.course.checks.results import CheckResult, Diagnosis, FactResult, Verification
from handson.course.exercise import Exercise
from handson.course.state import Snapshot, Unseen

# For importers of these classes; the functions need no mention.
__all__ = ["CheckResult", "Diagnosis", "FactResult", "Verification"]

MOST_PARTS = 500
"""The most parts of a network or a diagram in one record; AWS's quota for a VPC is 200 a kind."""

_FUNCTIONS = {
    "network": (network.judge_network, network.trim_to_network),
    "cluster": (cluster.judge_cluster, cluster.trim_to_cluster),
    "repository": (repository.judge_repository, repository.trim_to_repository),
    "image": (image.judge_image, image.trim_to_image),
    "image-uri": (image.judge_image_uri, image.trim_to_image_uri),
    "architecture": (architecture.judge_diagram, architecture.trim_to_diagram),
}
"""The functions that judge a snapshot and trim it, by check."""


def run_checks(snapshot: Snapshot, exercise: Exercise = Exercise()) -> Verification:
    """Return the results of all checks over one snapshot, in the syllabus's order."""
    judged = tuple(run_check(check_id, snapshot, exercise) for check_id in syllabus.CHECK_IDS)
    return Verification(snapshot.target, judged)


def run_check(check_id: str, snapshot: Snapshot, exercise: Exercise = Exercise()) -> CheckResult:
    """Return the result of one check.

    Where a service that the check reads refused or failed, the result says so and no more.

    Raises:
        InvalidInput: There is no such check.
    """
    judge, _ = _FUNCTIONS[require_check(check_id)]
    result, unseen = judge(snapshot, exercise), _find_unseen_services(check_id, snapshot)
    return results.conclude_unseen(result, unseen[0]) if unseen else result


def trim(check_id: str, snapshot: Snapshot, exercise: Exercise = Exercise()) -> Snapshot:
    """Return the part of a snapshot that a check reads: `run_check` gives the same result for it.

    Raises:
        InvalidInput: There is no such check.
    """
    _, trim_to_check = _FUNCTIONS[require_check(check_id)]
    unseen = _find_unseen_services(check_id, snapshot)
    foreign = tuple(item for item in snapshot.foreign if item.check == check_id)
    if foreign and run_check(check_id, snapshot, exercise).passed:
        foreign = ()  # a class does not stand in the record of one learner
    kept = trim_to_check(snapshot, exercise)
    return Snapshot(target=snapshot.target, unseen=unseen, foreign=foreign, **kept)


def derive(check_id: str, observed: object, exercise: Exercise = Exercise()) -> CheckResult:
    """Return the result of a check over the `observed` part of an evidence record.

    Args:
        check_id: The record's check.
        observed: The JSON of a trimmed snapshot, perhaps changed since; nulls may be missing.
        exercise: The exercise to judge by, whatever the record claims.

    Raises:
        InvalidInput: There is no such check, or `observed` does not describe a state.
    """
    require_check(check_id)
    try:
        snapshot = Snapshot.from_json(observed)
        # Refuses what JSON cannot hold: unbounded integers, strings that are not Unicode text.
        msgspec.json.encode(snapshot)
        _refuse_crowds(snapshot)
    except (msgspec.ValidationError, ValueError, OverflowError, RecursionError) as error:
        values = {"check": check_id, "reason": quote(str(error))}
        raise InvalidInput.from_key("course.checks.unreadable", **values) from None
    return run_check(check_id, snapshot, exercise)


def require_check(check_id: object) -> str:
    """Return the id of a check that exists.

    Raises:
        InvalidInput: There is no such check; the remedy offers the nearest id.
    """
    return check_choice("course.checks.unknown", check_id, syllabus.EVIDENCE_IDS)


def _find_unseen_services(check_id: str, snapshot: Snapshot) -> tuple[Unseen, ...]:
    services = syllabus.find_check(check_id).services
    return tuple(unseen for unseen in snapshot.unseen if unseen.service in services)


def _refuse_crowds(snapshot: Snapshot) -> None:
    """Refuse more parts than a VPC can hold, so that judging a record takes no noticeable time."""
    parts = sum(len(vpc.subnets) + len(vpc.route_tables) + 1 for vpc in snapshot.vpcs)
    if parts > MOST_PARTS:
        raise ValueError(f"{parts} VPCs, subnets and route tables")
    drawing = snapshot.drawing
    drawn = len((*drawing.boxes, *drawing.icons, *drawing.arrows)) if drawing else 0
    if drawn > MOST_PARTS:
        raise ValueError(f"{drawn} boxes, icons and arrows")
