"""Progress as a bar, for the verbs that a widget's button runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from handson.core import progress

_QUIET = "font-family:monospace;font-size:12px;white-space:pre-wrap;margin:2px 0"


@dataclass
class _Row:
    """One verb: its label, what it said last, and how much of it is done (None: nobody knows)."""

    label: str
    sentence: str = "…"
    share: float | None = None
    over: bool = False

    def html(self) -> str:
        first, *below = self.sentence.split("\n")
        said = escape(f"{self.label}: {first}")
        share = 1.0 if self.over else self.share
        value = "" if share is None else f' value="{share:.3f}"'
        bar = f'<progress max="1"{value} aria-label="{escape(self.label)}"></progress>'
        rest = "".join(f'<div style="{_QUIET}">{escape(row)}</div>' for row in below)
        return f"<div>{said}</div>{bar}{rest}"


class Bars:
    """Shows the progress of verbs in an HTML widget, one below the other.

    Args:
        place: The widget.
        interval: How often it may change (seconds).
        clock: Tells the time.
    """

    def __init__(
        self, place: Any, *, interval: float = 0.1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._place = place
        self._interval = interval
        self._clock = clock
        self._shown_at = -interval
        self._rows: list[_Row] = []

    def clear(self) -> None:
        """Forget all rows."""
        self._rows.clear()
        self._show()

    def line(self, label: str) -> progress.Line:
        """Open a row for a verb."""
        row = _Row(label)
        self._rows.append(row)
        self._show()
        return _Bar(row, self._show, self._show_soon)

    def _show_soon(self) -> None:
        if self._clock() - self._shown_at >= self._interval:
            self._show()

    def _show(self) -> None:
        self._shown_at = self._clock()
        self._place.value = "".join(row.html() for row in self._rows)


class _Bar:
    """A row as a line of progress; where the whole is known, its bar fills."""

    def __init__(self, row: _Row, show: Callable[[], None], soon: Callable[[], None]) -> None:
        self._row = row
        self._show = show
        self._soon = soon

    def __call__(self, sentence: str) -> None:
        self._row.sentence = sentence
        if isinstance(sentence, progress.Counted) and sentence.whole:
            self._row.share = sentence.done / sentence.whole
        self._soon()

    def done(self, sentence: str) -> None:
        self._row.sentence, self._row.over = sentence, True
        self._show()
