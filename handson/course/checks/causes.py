"""The causes of false facts: each with its stable code, its sentence and the next thing to do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from handson.core import messages
from handson.core.text import find_nearest, list_briefly, one_line
from handson.course import syllabus
from handson.course.state import Sighting, Snapshot

CLEANUP = 'workshop.cleanup(confirm="delete")'
T = TypeVar("T")


@dataclass(frozen=True)
class Diagnosis:
    """Why facts are false, and the one next thing to do about it.

    Attributes:
        code: The stable name of the cause.
        message: The cause, in the language that was current.
        remedy: What to do, in that language.
        facts: The ids of the facts that the diagnosis explains.
        resource: AWS's id of the resource it is about, or "".
    """

    code: str
    message: str
    remedy: str
    facts: tuple[str, ...]
    resource: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the diagnosis as the contract `handson.verification/1` has it."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}


def diagnose(code: str, *facts: str, remedy: str = "", **values: object) -> Diagnosis:
    """Return a diagnosis for `conclude`, which keeps it only for facts that are false.

    Args:
        code: The code, which is also the name of its sentence among "course.checks.cause".
        facts: The ids of the facts that the cause may explain; none stands for all false facts.
        remedy: The one next thing to do; "" stands for running the check's notebook.
        values: The sentence's placeholders; `id` is also the diagnosis's resource.
    """
    safe = {name: one_line(v) if isinstance(v, str) else v for name, v in values.items()}
    message = messages.label("course.checks.cause", code, **safe)
    return Diagnosis(code, message, remedy, facts, str(values.get("id", "")))


def explain_absence(
    check_id: str, snapshot: Snapshot, *, elsewhere: str, here: str, there: str = "", **values: str
) -> Diagnosis:
    """Return why a check finds no resource to judge.

    Args:
        check_id: The check.
        snapshot: The state, whose sightings name other regions that hold the resource.
        elsewhere: The code if another region holds it.
        here: The code otherwise.
        there: The other region, where no sighting names one.
        values: The placeholders of the sentences besides `region` and `there`.
    """
    region = snapshot.target.region
    seen = [sighting.region for sighting in find_sightings(snapshot, check_id)]
    there = list_briefly(list(dict.fromkeys(seen))) or there
    if not there:
        return diagnose(here, region=region, **values)
    notebook = syllabus.find_check(check_id).notebook
    remedy = messages.text(
        "course.checks.remedy.run-here", notebook=notebook, here=region, there=there
    )
    return diagnose(elsewhere, remedy=remedy, region=region, there=there, **values)


def find_sightings(snapshot: Snapshot, check_id: str) -> tuple[Sighting, ...]:
    """Return what other regions hold of what a check misses here."""
    here = snapshot.target.region
    return tuple(
        item for item in snapshot.elsewhere if item.check == check_id and item.region != here
    )


def find_similar(
    name: str, items: Iterable[tuple[str, T]], *, cutoff: float = 0.6
) -> tuple[T, ...]:
    """Return the first item whose name is spelled most like `name`, if any is similar."""
    pairs = list(items)
    near = find_nearest(name, sorted({given for given, _ in pairs}), cutoff=cutoff)
    return tuple(item for given, item in pairs if given == near)[:1]


def advise_call(call: str, *, then: str = "") -> str:
    """Return the remedy of making a call in a new cell, then running notebooks from one on."""
    if then:
        return messages.text("course.checks.remedy.type-then-run", call=call, notebook=then)
    return messages.text("course.checks.remedy.type", call=call)


def write_aws_call(service: str, operation: str, **parameters: Any) -> str:
    """Return a call of AWS as code for a cell: learners may have no aws CLI."""
    given = [f"{name}={_write_literal(value)}" for name, value in parameters.items()]
    names = [_write_literal(service), _write_literal(operation)]
    return f"workshop.aws.call({', '.join([*names, *given])})"


def _write_literal(value: Any) -> str:
    """Return a value as Python code in double quotes; a stranger's text becomes one short line."""
    if isinstance(value, str):
        return json.dumps(one_line(value), ensure_ascii=False)
    if isinstance(value, dict):
        items = (f"{_write_literal(key)}: {_write_literal(item)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_write_literal, value))}]"
    return repr(value)
