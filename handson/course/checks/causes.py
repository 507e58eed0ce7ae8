"""How a diagnosis is put into words: the cause by its code, the remedy as a call or a notebook."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from handson.core import messages
from handson.core.text import list_briefly, one_line
from handson.course.checks.results import Diagnosis
from handson.course.state import Sighting, Snapshot

CLEANUP = 'workshop.cleanup(confirm="delete")'


def diagnosis(code: str, facts: Iterable[str], remedy: str, **values: object) -> Diagnosis:
    """Return a diagnosis whose message is the sentence of `code` in the current language."""
    safe = {name: one_line(v) if isinstance(v, str) else v for name, v in values.items()}
    message, resource = (
        messages.text(f"course.checks.cause.{code}", **safe),
        str(values.get("id", "")),
    )
    return Diagnosis(code, message, remedy, tuple(facts), resource)


def run(notebook: str) -> str:
    """Return the remedy of running a notebook from its top."""
    return messages.text("course.checks.remedy.run", notebook=notebook)


def type_in(call: str) -> str:
    """Return the remedy of one call in a cell of its own."""
    return messages.text("course.checks.remedy.type", call=call)


def type_then_run(call: str, notebook: str) -> str:
    """Return the remedy of one call in a cell of its own, and notebooks from one on after it."""
    return messages.text("course.checks.remedy.type-then-run", call=call, notebook=notebook)


def delete_then_run(resource: str, notebook: str) -> str:
    """Return the remedy of deleting something in the console, and a notebook after it."""
    return messages.text(
        "course.checks.remedy.delete-then-run", resource=one_line(resource), notebook=notebook
    )


def call(service: str, operation: str, **parameters: Any) -> str:
    """Return a call of AWS as a cell can make it, where a learner has no aws CLI."""
    given = [f"{name}={_literal(value)}" for name, value in parameters.items()]
    return f"workshop.aws.call({', '.join([_literal(service), _literal(operation), *given])})"


def _literal(value: Any) -> str:
    """Return a value as Python has it, in double quotes; a stranger's text is one short line."""
    if isinstance(value, str):
        return json.dumps(one_line(value), ensure_ascii=False)
    if isinstance(value, dict):
        items = (f"{_literal(key)}: {_literal(item)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value)


def in_region(snapshot: Snapshot, check_id: str) -> str:
    """Return the regions in which what a check misses was seen; empty where it was in none."""
    regions = (sighting.region for sighting in sightings(snapshot, check_id))
    return list_briefly(list(dict.fromkeys(regions)))


def sightings(snapshot: Snapshot, check_id: str) -> tuple[Sighting, ...]:
    """Return what was seen elsewhere of what a check misses."""
    own = snapshot.target.region
    seen = (item for item in snapshot.elsewhere if item.check == check_id)
    return tuple(sighting for sighting in seen if sighting.region != own)


def run_here(notebook: str, *, here: str, there: str) -> str:
    """Return the remedy for what was made in another region."""
    return messages.text("course.checks.remedy.run-here", notebook=notebook, here=here, there=there)


def edit_cidrs(vpc_id: str, cidrs: str) -> str:
    """Return the remedy for CIDR blocks that were added to a VPC."""
    return messages.text("course.checks.remedy.edit-cidrs", resource=one_line(vpc_id), cidrs=cidrs)


def delete(resource: str) -> str:
    """Return the remedy of deleting something, with all that stands in it, in the console."""
    return messages.text("course.checks.remedy.delete", resource=one_line(resource))


def rename_or_run(call: str, notebook: str) -> str:
    """Return the remedy for what may be someone else's: rename it, or make one's own."""
    return messages.text("course.checks.remedy.rename-or-run", call=call, notebook=notebook)


def call_or_run(call: str, notebook: str) -> str:
    """Return the remedy of one call in a cell, which a notebook makes too."""
    return messages.text("course.checks.remedy.call-or-run", call=call, notebook=notebook)


def call_or_mend(call: str, notebook: str) -> str:
    """Return the remedy for an image that failed: once more, or else with its mistake mended."""
    return messages.text("course.checks.remedy.call-or-mend", call=call, notebook=notebook)


def wait(notebook: str) -> str:
    """Return the remedy of looking again in a minute."""
    return messages.text("course.checks.remedy.wait", notebook=notebook)


def deregister(cluster: str) -> str:
    """Return the remedy for container instances that are registered with a cluster."""
    return messages.text("course.checks.remedy.deregister", cluster=one_line(cluster))


def rebuild(notebook: str) -> str:
    """Return the remedy for an image of the wrong platform."""
    return messages.text("course.checks.remedy.rebuild", notebook=notebook)


def install(notebook: str) -> str:
    """Return the remedy for an image that the builtin engine packed."""
    return messages.text("course.checks.remedy.install", notebook=notebook)
