"""The wording of diagnoses: a cause by its key, and a remedy as a call or a notebook to run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from handson.core import messages
from handson.core.text import list_briefly, one_line
from handson.course.checks.results import Diagnosis
from handson.course.state import Sighting, Snapshot

CLEANUP = 'workshop.cleanup(confirm="delete")'


def diagnose(key: str, facts: Iterable[str], remedy: str, **values: object) -> Diagnosis:
    """Return the diagnosis that a sentence of the catalogue gives; its code ends the key.

    Args:
        key: The key of the sentence, such as "course.checks.cause.vpc-absent".
        facts: The ids of the facts that the diagnosis explains.
        remedy: The one next thing to do.
        values: The sentence's placeholders; `id` is also the diagnosis's resource.
    """
    safe = {name: one_line(v) if isinstance(v, str) else v for name, v in values.items()}
    code, resource = key.rpartition(".")[2], str(values.get("id", ""))
    return Diagnosis(code, messages.text(key, **safe), remedy, tuple(facts), resource)


def advise_notebook(notebook: str) -> str:
    """Return the remedy of running a notebook from its top."""
    return messages.text("course.checks.remedy.run", notebook=notebook)


def advise_call(call: str) -> str:
    """Return the remedy of making a call in a new cell."""
    return messages.text("course.checks.remedy.type", call=call)


def advise_call_then_notebook(call: str, notebook: str) -> str:
    """Return the remedy of making a call in a new cell, then running notebooks from one on."""
    return messages.text("course.checks.remedy.type-then-run", call=call, notebook=notebook)


def advise_call_or_notebook(call: str, notebook: str) -> str:
    """Return the remedy of making a call that a notebook makes too."""
    return messages.text("course.checks.remedy.call-or-run", call=call, notebook=notebook)


def advise_other_region(notebook: str, *, here: str, there: str) -> str:
    """Return the remedy for a resource that was made in another region."""
    return messages.text("course.checks.remedy.run-here", notebook=notebook, here=here, there=there)


def write_call(service: str, operation: str, **parameters: Any) -> str:
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


def list_other_regions(snapshot: Snapshot, check_id: str) -> str:
    """Return the regions that hold what a check misses here, or "" where none does."""
    regions = (sighting.region for sighting in find_sightings(snapshot, check_id))
    return list_briefly(list(dict.fromkeys(regions)))


def find_sightings(snapshot: Snapshot, check_id: str) -> tuple[Sighting, ...]:
    """Return what other regions hold of what a check misses here."""
    here = snapshot.target.region
    return tuple(
        item for item in snapshot.elsewhere if item.check == check_id and item.region != here
    )
