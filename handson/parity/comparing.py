"""The differences between a recording and what another AWS answers to the same probes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import one_line
from handson.parity.recording import Exchange, Recording

SCHEMA = "handson.parity-comparison/1"


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """Differences that are known; probe and field are patterns as those of file names."""

    probe: str
    field: str = "*"
    reason: str


class Difference(msgspec.Struct, frozen=True):
    """A field that another AWS answers otherwise; `reason` says why that is accepted."""

    probe: str
    field: str
    recorded: str
    here: str
    reason: str

    def line(self) -> str:
        """Return the difference as a line for people."""
        recorded, here = (one_line(text, longest=60) for text in (self.recorded, self.here))
        sign = "⚠" if self.reason else "✘"
        return f"{sign} {self.probe}  {self.field}  {recorded} ≠ {here}  {self.reason}".rstrip()


class Comparison(msgspec.Struct, frozen=True):
    """`handson.parity-comparison/1`: all differences, the new ones first, and the figure.

    Attributes:
        schema: Its name.
        source: The source of the recording.
        date: Its day.
        probes: The number of its probes.
        equal: How many of them are answered alike in every field.
        differences: The differences.
    """

    schema: str
    source: str
    date: str
    probes: int
    equal: int
    differences: list[Difference]

    def lines(self) -> Iterator[str]:
        """Yield a line a difference, and the figure."""
        yield from (difference.line() for difference in self.differences)
        source = messages.label("parity.source", self.source, date=self.date)
        yield messages.text("parity.figure", source=source, equal=self.equal, whole=self.probes)


def compare(recorded: Recording, here: Recording, accepted: Sequence[Accepted]) -> Comparison:
    """Return the differences of the last answers to each probe that was recorded."""
    seen = {exchange.probe: exchange for exchange in here.exchanges}
    differences = []
    for exchange in {exchange.probe: exchange for exchange in recorded.exchanges}.values():
        for field, before, after in _differ(exchange, seen.get(exchange.probe)):
            known = (it.reason for it in accepted if _fits(it, exchange.probe, field))
            differences.append(Difference(exchange.probe, field, before, after, next(known, "")))
    differences.sort(key=lambda it: bool(it.reason))
    probes = {exchange.probe.split()[0] for exchange in recorded.exchanges}
    equal = len(probes - {it.probe.split()[0] for it in differences})
    return Comparison(SCHEMA, recorded.source, recorded.date, len(probes), equal, differences)


def read_accepted(path: Path | None) -> list[Accepted]:
    """Return the accepted differences in a TOML file, or those of the embedded AWS.

    Raises:
        InvalidInput: The file is missing, or no list of differences, each with a reason.
    """
    source: Any = path or files(__package__).joinpath("accepted.toml")
    try:
        return msgspec.convert(tomllib.loads(source.read_text("utf-8"))["accepted"], list[Accepted])
    except (OSError, KeyError, ValueError, msgspec.ValidationError) as error:
        reason = one_line(str(error))
        raise InvalidInput.from_key("parity.no-accepted", path=path, reason=reason) from error


def _fits(accepted: Accepted, probe: str, field: str) -> bool:
    return fnmatchcase(probe, accepted.probe) and fnmatchcase(field, accepted.field)


def _differ(recorded: Exchange, here: Exchange | None) -> Iterator[tuple[str, str, str]]:
    if here is None or recorded.outcome != here.outcome:
        yield "status", recorded.outcome, here.outcome if here else "-"
        return
    before, after = recorded.fields(), here.fields()
    for field in sorted(before.keys() | after.keys()):
        if before.get(field) != after.get(field):
            yield field, ", ".join(before.get(field, "-")), ", ".join(after.get(field, "-"))
