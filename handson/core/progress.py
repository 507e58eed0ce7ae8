"""Progress of long calls: one line that is replaced and ends as a sentence.

A function that takes long has a parameter `say`, to which it passes one short sentence at a time.
In a notebook the line is a display that is updated in place, and emptied where the result says all
that is left to say.  Elsewhere it goes to standard error, because results own standard output.
In a notebook every line starts with the same sign, so that a replay can tell progress from results.

A sentence may have further lines, such as a bar for each layer of a push.  The last sentence
replaces them all.
"""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Protocol, TextIO

from msgspec import Struct

from handson.core import messages
from handson.core.text import cut_to_columns

SIGN = "▸ "

_STYLE = "font-family:monospace;font-size:12px"

Say = Callable[[str], None]


class CountedSentence(str):
    """A sentence that also carries how much is done, for a widget that draws a bar.

    Args:
        sentence: What a line of text shows.
        done: How much is done, in any unit.
        whole: How much there is; 0 while it is unknown.
    """

    done: int
    whole: int

    def __new__(cls, sentence: str, *, done: int, whole: int) -> CountedSentence:
        counted = super().__new__(cls, sentence)
        counted.done, counted.whole = done, whole
        return counted


class ProgressLine(Protocol):
    """One line of progress: call it with what is going on, and end it with `done`."""

    def __call__(self, sentence: str) -> None: ...

    def done(self, sentence: str) -> None:
        """Show the last sentence, however little time has passed; "" if the result says it."""


class Progress(Protocol):
    """Where progress is shown."""

    def line(self, label: str) -> ProgressLine:
        """Open a line that begins with the label."""


class Work(Struct):
    """A line that is open for a block of work, and the sentence that it ends as."""

    line: ProgressLine
    ending: str = ""

    def __call__(self, sentence: str) -> None:
        self.line(sentence)


@contextmanager
def show_work(progress: Progress, label: str) -> Iterator[Work]:
    """Open a line for the block, which ends it, whatever happens.

    The block may set an `ending` that its result does not tell, such as that nothing was run.
    """
    work = Work(progress.line(label))
    try:
        yield work
    except BaseException:
        work.line.done(messages.text("core.progress.broken-off"))
        raise
    work.line.done(work.ending)


def ignore_progress(_sentence: str) -> None:
    """Take a sentence and show nothing."""


class TerminalLine(Struct):
    """A line on a stream, with the lines below it; a terminal replaces them in place."""

    label: str
    stream: TextIO
    columns: int
    _below: int = 0

    def __call__(self, sentence: str) -> None:
        if self.stream.isatty():
            self._write(sentence, end="")

    def done(self, sentence: str) -> None:
        self._write(sentence or messages.text("core.progress.done"), end="\n")

    def _write(self, sentence: str, *, end: str) -> None:
        rows = _rows(self.label, sentence)
        if self.stream.isatty():
            up = f"\x1b[{self._below}A" if self._below else ""
            self.stream.write(f"\r{up}\x1b[J")
            self._below = len(rows) - 1
        self.stream.write("\n".join(rows if end else map(self._cut, rows)) + end)
        self.stream.flush()

    def _cut(self, row: str) -> str:
        # A row that wraps cannot be replaced, and a terminal may show "█" wider than expected: so
        # wrapping is switched off as well.
        return f"\x1b[?7l{cut_to_columns(row, self.columns - 1)}\x1b[?7h"


class TerminalProgress(Struct):
    """Progress on a stream: standard error, unless another is given.

    Attributes:
        stream: The stream.
        columns: Its width; 0 asks the terminal.
    """

    stream: TextIO | None = None
    columns: int = 0

    def line(self, label: str) -> ProgressLine:
        columns = self.columns or shutil.get_terminal_size().columns
        return TerminalLine(label, self.stream or sys.stderr, columns)


class ThrottledLine:
    """A line that changes at most once an `interval` (seconds); its last sentence always shows.

    Args:
        display: Shows a sentence in the place of the one before.
        interval: The least time between two sentences.
        clock: Seconds that only ever grow.
    """

    def __init__(
        self, display: Say, interval: float = 0.1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._display, self._interval, self._clock = display, interval, clock
        self._shown_at = -math.inf

    def __call__(self, sentence: str) -> None:
        if self._clock() - self._shown_at >= self._interval:
            self.show(sentence)

    def done(self, sentence: str) -> None:
        self.show(sentence)

    def show(self, sentence: str) -> None:
        """Show a sentence, however little time has passed."""
        self._shown_at = self._clock()
        self._display(sentence)


class NotebookProgress:
    """Progress in a Jupyter notebook: a display that is updated in place."""

    def line(self, label: str) -> ProgressLine:
        from IPython.display import display

        handle = display(_bundle(label, "…"), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        return ThrottledLine(lambda sentence: handle.update(_bundle(label, sentence), raw=True))


def choose_progress() -> Progress:
    """Return notebook progress in a notebook's kernel, and terminal progress elsewhere."""
    return NotebookProgress() if is_notebook() else TerminalProgress()


def show_card(card: object) -> None:
    """Show a card in addition to a call's result: as a notebook output, or on standard error."""
    if is_notebook():
        from IPython.display import display

        display(card)  # type: ignore[no-untyped-call]
    else:
        print(card, file=sys.stderr)


def find_ipython() -> Any:
    """Return the IPython shell that this process runs in, or None."""
    library = sys.modules.get("IPython")
    return library.get_ipython() if library else None


def is_notebook() -> bool:
    """Tell whether this process is a notebook's kernel."""
    return getattr(find_ipython(), "kernel", None) is not None


def _rows(label: str, sentence: str) -> list[str]:
    first, *below = sentence.split("\n")
    return [f"{SIGN}{label}: {first}", *(f"{SIGN}{row}" for row in below)]


def _bundle(label: str, sentence: str) -> dict[str, str]:
    if not sentence:
        return {"text/plain": "", "text/html": ""}
    rows = _rows(label, sentence)
    html = "<br>".join(escape(row) for row in rows)
    return {"text/plain": "\n".join(rows), "text/html": f'<div style="{_STYLE}">{html}</div>'}
