"""The differences between a recording and what another AWS answers to the same probes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from handson.core import messages
from handson.core.text import one_line, pick_fields
from handson.parity.recording import Recording, read_data


def compare(recorded: Recording, here: Recording) -> dict[str, Any]:
    """Return `handson.parity-comparison/1`, as JSON has it: the new differences come first.

    Only the last answer to each question counts; a probe is equal where all of its answers are, in
    every field.
    """
    known = read_data("accepted.toml").items()
    answers, others = ({it.probe: it.fields() for it in one.exchanges} for one in (recorded, here))
    found = []
    for probe, before in answers.items():
        after = others.get(probe, {})
        is_same = before["outcome"] == after.get("outcome")
        for name in sorted(before | after) if is_same else ["outcome"]:
            one, other = (", ".join(fields.get(name, "-")) for fields in (before, after))
            if one != other:
                reasons = (why for key, why in known if fnmatchcase(f"{probe} {name}", key))
                row = {"probe": probe, "field": name, "recorded": one, "here": other}
                found.append(row | {"reason": next(reasons, "")})
    probes = {probe.split()[0] for probe in answers}
    return {
        "schema": "handson.parity-comparison/1",
        **pick_fields(recorded, "source date"),
        "probes": len(probes),
        "equal": len(probes - {it["probe"].split()[0] for it in found}),
        "differences": sorted(found, key=lambda it: bool(it["reason"])),
    }


def describe(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for people for each difference, and the figure."""
    for it in found["differences"]:
        recorded, here = (one_line(it[side], longest=60) for side in ("recorded", "here"))
        mark = "⚠" if it["reason"] else "✘"
        yield f"{mark} {it['probe']}  {it['field']}  {recorded} ≠ {here}  {it['reason']}".rstrip()
    source = messages.label("parity.source", found["source"], date=found["date"])
    yield messages.text("parity.figure", source=source, equal=found["equal"], whole=found["probes"])
