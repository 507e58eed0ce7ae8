"""Checks: what is there, judged against the exercise, by pure functions over one snapshot.

`verify` judges everything, `check` one item, `trim` keeps what an item's evidence has to carry, and
`derive` judges such evidence again wherever it is read, from JSON that a stranger may have written.
A fact passes exactly when what was observed equals what the syllabus expects; nothing that says
"passed" is ever read.  Each check's module says in its docstring what breaks which fact.
"""

from __future__ import annotations

from types import ModuleType
from typing import NoReturn

import msgspec

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import find_nearest, quote
from handson.course import syllabus
from handson.course.checks import architecture, cluster, image, image_uri, network, repository
from handson.course.checks.results import CheckResult, Diagnosis, FactResult, Verification
from handson.course.exercise import Exercise
from handson.course.state import Snapshot

__all__ = [
    "CheckResult",
    "Diagnosis",
    "FactResult",
    "Verification",
    "check",
    "derive",
    "require_check",
    "trim",
    "verify",
]

MOST_PARTS = 500
"""Of a network or a diagram in one record; AWS's quota for a VPC is 200 of each kind."""

_ROOMS: dict[str, ModuleType] = {
    room.ID: room for room in (network, cluster, repository, image, image_uri, architecture)
}


def verify(snapshot: Snapshot, exercise: Exercise = Exercise()) -> Verification:
    """Return the results of all checks over one look, in the syllabus's order."""
    checks = tuple(check(check_id, snapshot, exercise) for check_id in syllabus.CHECK_IDS)
    return Verification(snapshot.target, checks)


def check(check_id: str, snapshot: Snapshot, exercise: Exercise = Exercise()) -> CheckResult:
    """Return the result of one check.

    Raises:
        InvalidInput: There is no such check.
    """
    result: CheckResult = _room(check_id).judge(snapshot, exercise)
    return result


def trim(check_id: str, snapshot: Snapshot, exercise: Exercise = Exercise()) -> Snapshot:
    """Return the part of a snapshot that a check reads: `check` answers the same for it.

    Raises:
        InvalidInput: There is no such check.
    """
    trimmed: Snapshot = _room(check_id).trim(snapshot, exercise)
    return trimmed


def derive(check_id: str, observed: object, exercise: Exercise = Exercise()) -> CheckResult:
    """Return the result of a check over the `observed` part of an evidence record.

    Args:
        check_id: The record's check.
        observed: What `trim(…).to_json()` gave, after whatever happened to it on its way.
        exercise: What the state is judged by.

    Raises:
        InvalidInput: There is no such check, or `observed` does not describe a state.
    """
    room = _room(check_id)
    try:
        snapshot = Snapshot.from_json(observed)
        # Refuses what JSON cannot hold: integers without bound, text that is no text.
        msgspec.json.encode(snapshot)
        _refuse_crowds(snapshot)
    except (msgspec.ValidationError, ValueError, OverflowError, RecursionError) as error:
        reason = quote(str(error))
        raise InvalidInput(
            *messages.advice("course.checks.unreadable", check=check_id, reason=reason)
        ) from None
    result: CheckResult = room.judge(snapshot, exercise)
    return result


def require_check(check_id: object) -> str:
    """Return the id of a check that exists.

    Raises:
        InvalidInput: There is no such check; the remedy offers the nearest id.
    """
    if isinstance(check_id, str) and check_id in _ROOMS:
        return check_id
    _unknown(check_id)


def _refuse_crowds(snapshot: Snapshot) -> None:
    """Refuse more than a VPC can hold, so that reading it takes no time worth speaking of."""
    parts = sum(len(vpc.subnets) + len(vpc.route_tables) + 1 for vpc in snapshot.vpcs)
    if parts > MOST_PARTS:
        raise ValueError(f"{parts} VPCs, subnets and route tables")
    drawing = snapshot.drawing
    drawn = len((*drawing.boxes, *drawing.icons, *drawing.arrows)) if drawing else 0
    if drawn > MOST_PARTS:
        raise ValueError(f"{drawn} boxes, icons and arrows")


def _room(check_id: object) -> ModuleType:
    room = _ROOMS.get(check_id) if isinstance(check_id, str) else None
    return room if room is not None else _unknown(check_id)


def _unknown(check_id: object) -> NoReturn:
    near = find_nearest(check_id, syllabus.EVIDENCE_IDS) if isinstance(check_id, str) else None
    choices = ", ".join(syllabus.EVIDENCE_IDS)
    shown = quote(check_id)
    raise InvalidInput(
        *messages.advice(
            "course.checks.unknown",
            check=shown,
            near=near or syllabus.CHECK_IDS[0],
            choices=choices,
        )
    )
