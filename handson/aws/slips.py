"""Calls that are written wrongly, answered before anything is sent: a name, a type, its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import find_nearest, quote

_MOST = 12
_USUAL = ("ec2", "ecs", "ecr")
_PLACE = r"in (?P<place>.*?): "
_UNKNOWN = re.compile(rf'Unknown parameter {_PLACE}"(?P<name>.*)", must be one of: (?P<choices>.*)')
_MISSING = re.compile(rf'Missing required parameter {_PLACE}"(?P<name>.*)"')
_TYPE = re.compile(
    r"Invalid type for parameter (?P<name>\S+), value: .*, type: <class '(?P<kind>.*)'>, valid "
    r"types: <class '(?P<wanted>\w+)'>.*"
)
_TYPES = {"str": "text", "list": "list", "dict": "dict", "int": "number", "bool": "switch"}


def unnamed(service: str, operation: str, values: Sequence[object]) -> InvalidInput:
    """Return the refusal of parameters that are given without their names."""
    said = ", ".join(map(quote, values[:_MOST]))
    usage = f'workshop.aws.call("{service}", "{operation}", …=…)'
    return InvalidInput(*messages.advice("aws.unnamed", values=said, usage=usage))


def unknown_service(service: object) -> InvalidInput:
    """Return the refusal of a service that there is not; the workshop's own are proposed."""
    near = find_nearest(str(service), _USUAL)
    choices = ", ".join(f'"{name}"' for name in ([near] if near else _USUAL))
    advice = messages.advice("aws.no-service", service=quote(service), choices=choices)
    return InvalidInput(*advice)


def unknown_operation(service: str, operation: object, known: Collection[str]) -> InvalidInput:
    """Return the refusal of an operation that a service does not have."""
    values = {"service": service, "operation": quote(operation)}
    near = find_nearest(str(operation), sorted(known)) if operation else None
    if near:
        return InvalidInput(*messages.advice("aws.operation-near", near=near, **values))
    return InvalidInput(*messages.advice("aws.no-operation", **values))


def wrong_parameters(call: str, report: str) -> InvalidInput | None:
    """Return what is wrong with parameters by botocore's report; None where it says another thing.

    One thing is told at a time: a name that is not there first, for another is often missing
    because of it.
    """
    lines = report.splitlines()
    for told in (_unknown, _missing, _type):
        for line in lines:
            refusal = told(call, line)
            if refusal:
                return refusal
    return None


def _unknown(call: str, line: str) -> InvalidInput | None:
    found = _UNKNOWN.fullmatch(line)
    if not found:
        return None
    choices, name = found["choices"].split(", "), found["name"]
    where, near = _where(call, found["place"]), find_nearest(name, choices)
    if near:
        advice = messages.advice("aws.parameter-near", where=where, name=name, near=near)
        return InvalidInput(*advice)
    listed = ", ".join(choices[:_MOST]) + (", …" if len(choices) > _MOST else "")
    advice = messages.advice("aws.parameter-unknown", where=where, name=name, choices=listed)
    return InvalidInput(*advice)


def _missing(call: str, line: str) -> InvalidInput | None:
    found = _MISSING.fullmatch(line)
    if not found:
        return None
    where = _where(call, found["place"])
    advice = messages.advice("aws.parameter-missing", where=where, name=found["name"])
    return InvalidInput(*advice)


def _type(call: str, line: str) -> InvalidInput | None:
    found = _TYPE.fullmatch(line)
    kind = _TYPES.get(found["wanted"]) if found else None
    if not found or not kind:
        return None
    wanted = messages.text(f"aws.wanted-{kind}")
    values = {"name": found["name"], "kind": found["kind"], "wanted": wanted}
    return InvalidInput(*messages.advice("aws.parameter-type", where=call, **values))


def _where(call: str, place: str) -> str:
    return call if place == "input" else f"{call} ({place})"
