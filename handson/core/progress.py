"""Progress of long verbs: one line that is replaced and ends as a sentence.

A room takes `say`, a callable of one short line.  In a notebook the line is a display that is
updated in place; elsewhere it goes to standard error, because results own standard output.  Every
line in a notebook starts with the same sign, so that a replay can tell progress from results.

What is said may have lines below its first, such as a bar for each layer of a push: they are shown
while it lasts, and the sentence at the end takes the place of them all.
"""

from __future__ import annotations

import shutil
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol, TextIO

SIGN = "▸ "

_LINE = "font-family:monospace;font-size:12px"

Say = Callable[[str], None]


class Counted(str):
    """A sentence that also knows how much of the whole is done, for whoever draws a bar.

    Args:
        sentence: What a line of text shows.
        done: How much is done, in any unit.
        whole: How much there is; 0 while nobody knows.
    """

    __slots__ = ("done", "whole")

    def __new__(cls, sentence: str, *, done: int, whole: int) -> Counted:
        counted = super().__new__(cls, sentence)
        counted.done, counted.whole = done, whole
        return counted

    done: int
    whole: int


class Line(Protocol):
    """One line of progress: call it with what is going on, and end it with `done`."""

    def __call__(self, sentence: str) -> None: ...

    def done(self, sentence: str) -> None:
        """Show the last sentence, whatever was shown a moment ago."""


class Progress(Protocol):
    """Where progress is shown: opens a line for a verb."""

    def line(self, label: str) -> Line: ...


@dataclass
class Work:
    """A line that is open for a block of work, and the sentence that it ends as."""

    line: Line
    ending: str

    def __call__(self, sentence: str) -> None:
        self.line(sentence)


@contextmanager
def working(progress: Progress, label: str, *, done: str, broken_off: str) -> Iterator[Work]:
    """Open a line for the block; it ends as one of the two sentences, whatever happens.

    The block may give it another `ending`, where nothing was to be done.
    """
    work = Work(progress.line(label), done)
    try:
        yield work
    except BaseException:
        work.line.done(broken_off)
        raise
    work.line.done(work.ending)


def silent(_sentence: str) -> None:
    """Take a line of progress and show nothing."""


class TerminalLine:
    """A line on a stream; replaced in place where the stream is a terminal of so many columns.

    Lines below it are replaced with it.
    """

    def __init__(self, label: str, stream: TextIO, *, columns: int) -> None:
        self._label = label
        self._stream = stream
        self._columns = columns
        self._below = 0

    def __call__(self, sentence: str) -> None:
        if self._stream.isatty():
            self._write(sentence, end="")

    def done(self, sentence: str) -> None:
        self._write(sentence, end="\n")

    def _write(self, sentence: str, *, end: str) -> None:
        rows = _rows(self._label, sentence)
        if self._stream.isatty():
            up = f"\x1b[{self._below}A" if self._below else ""
            self._stream.write(f"\r{up}\x1b[J")
            self._below = len(rows) - 1
        self._stream.write("\n".join(rows if end else map(self._kept_on_one_line, rows)) + end)
        self._stream.flush()

    def _kept_on_one_line(self, row: str) -> str:
        """What wraps cannot be replaced; a terminal may show "█" wider than we reckon."""
        return f"\x1b[?7l{cut(row, self._columns - 1)}\x1b[?7h"


class TerminalProgress:
    """Shows progress on a stream, standard error unless another is given.

    Args:
        stream: Where to.
        columns: How wide it is, where that is known better than by asking the terminal.
    """

    def __init__(self, stream: TextIO | None = None, *, columns: int = 0) -> None:
        self._stream = stream
        self._columns = columns

    def line(self, label: str) -> Line:
        columns = self._columns or shutil.get_terminal_size().columns
        return TerminalLine(label, self._stream or sys.stderr, columns=columns)


class NotebookLine:
    """A notebook display that is updated in place, at most once an `interval` (seconds)."""

    def __init__(
        self, label: str, *, handle: Any, interval: float, clock: Callable[[], float]
    ) -> None:
        self._label = label
        self._handle = handle
        self._interval = interval
        self._clock = clock
        self._shown_at = -interval

    def __call__(self, sentence: str) -> None:
        if self._clock() - self._shown_at >= self._interval:
            self.done(sentence)

    def done(self, sentence: str) -> None:
        self._shown_at = self._clock()
        self._handle.update(_bundle(self._label, sentence), raw=True)


class NotebookProgress:
    """Shows progress in a Jupyter notebook, updated at most ten times a second."""

    def __init__(
        self, *, interval: float = 0.1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = interval
        self._clock = clock

    def line(self, label: str) -> Line:
        from IPython.display import display

        handle = display(_bundle(label, "…"), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        return NotebookLine(label, handle=handle, interval=self._interval, clock=self._clock)


def choose() -> Progress:
    """Return the progress that fits where this process runs: a notebook kernel or not."""
    return NotebookProgress() if in_notebook() else TerminalProgress()


def show(card: object) -> None:
    """Show a card beside a verb's result: as a notebook output, or on standard error."""
    if in_notebook():
        from IPython.display import display

        display(card)  # type: ignore[no-untyped-call]
    else:
        print(card, file=sys.stderr)


def shell() -> Any:
    """Return the IPython that this process runs in, or None."""
    library = sys.modules.get("IPython")
    return library.get_ipython() if library else None


def in_notebook() -> bool:
    """Tell whether this process is a notebook's kernel."""
    return getattr(shell(), "kernel", None) is not None


def cut(row: str, columns: int) -> str:
    """Return a row that takes no more than so many columns; a Japanese letter takes two."""
    taken = 0
    for at, letter in enumerate(row):
        taken += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if taken > columns:
            return f"{row[: max(0, at - 2)]}…"
    return row


def _rows(label: str, sentence: str) -> list[str]:
    first, *below = sentence.split("\n")
    return [f"{SIGN}{label}: {first}", *(f"{SIGN}{row}" for row in below)]


def _bundle(label: str, sentence: str) -> dict[str, str]:
    rows = _rows(label, sentence)
    html = "<br>".join(escape(row) for row in rows)
    return {"text/plain": "\n".join(rows), "text/html": f'<div style="{_LINE}">{html}</div>'}
