"""AWS's reply to a call that a learner makes, shown as a card of what the call did."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from handson.core import messages
from handson.core.cards import Card, Displayable, Rows
from handson.core.text import one_line

_MOST_ROWS = 20
_SECRET = "(?i)secret|token|password"


class Reply(dict[str, Any], Displayable):
    """A reply as the dict that boto3 returns; a notebook shows it as a card.

    Args:
        reply: boto3's reply.
        call: The service and the operation, "ec2:DeleteSubnet".
        parameters: The call's parameters.
    """

    def __init__(self, reply: Mapping[str, Any], call: str, parameters: Mapping[str, Any]) -> None:
        super().__init__(reply)
        self._call, self._parameters = call, parameters

    def _repr_pretty_(self, printer: Any, _is_cycle: bool) -> None:
        # IPython prefers its own printer of dicts to the bundle's text, and a notebook saves that.
        printer.text(self.card().text())

    def card(self) -> Card:
        """Return one sentence where the messages have one for the operation; else the reply."""
        values: dict[str, str] = {}
        for path, text in _flatten(self._parameters):
            name = path.rpartition(".")[2].partition(" ")[0]
            values[name] = f"{values[name]}, {text}" if name in values else text
        with suppress(KeyError):  # no sentence, or a parameter that it names was left out
            done = messages.label("aws.done", self._call.partition(":")[2], **values)
            return Card(done, state="ok")
        rows = list(_flatten({name: self[name] for name in self if name != "ResponseMetadata"}))
        more = messages.text("aws.more", count=len(rows) - _MOST_ROWS)
        rows[_MOST_ROWS:] = [("…", more)] if len(rows) > _MOST_ROWS else []
        return Card(messages.text("aws.answered", call=self._call), (Rows(rows),) if rows else ())


def _flatten(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each value within a value; a secret stays hidden."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flatten(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value, start=1):
            yield from _flatten(item, f"{path} {number}")
    else:
        yield path, "…" if re.search(_SECRET, path) else one_line(str(value))
