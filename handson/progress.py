"""Progress of long verbs: one line that is replaced and ends as a sentence.

A room takes `say`, a callable of one short line.  In a notebook the line is a display that is
updated in place; elsewhere it goes to standard error, because results own standard output.  Every
line in a notebook starts with the same sign, so that a replay can tell progress from results.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Protocol, TextIO

SIGN = "▸ "

Say = Callable[[str], None]


class Line(Protocol):
    """One line of progress: call it with what is going on, and end it with `done`."""

    def __call__(self, sentence: str) -> None: ...

    def done(self, sentence: str) -> None:
        """Show the last sentence, whatever was shown a moment ago."""


class Progress(Protocol):
    """Where progress is shown: opens a line for a verb."""

    def line(self, label: str) -> Line: ...


@contextmanager
def working(progress: Progress, label: str, *, done: str, broken_off: str) -> Iterator[Line]:
    """Open a line for the block; it ends as one of the two sentences, whatever happens."""
    line = progress.line(label)
    try:
        yield line
    except BaseException:
        line.done(broken_off)
        raise
    line.done(done)


def silent(_sentence: str) -> None:
    """Take a line of progress and show nothing."""


class TerminalLine:
    """A line on a stream; replaced in place where the stream is a terminal of so many columns."""

    def __init__(self, label: str, stream: TextIO, *, columns: int) -> None:
        self._label = label
        self._stream = stream
        self._columns = columns

    def __call__(self, sentence: str) -> None:
        if self._stream.isatty():
            self._write(self._cut(sentence), end="")

    def done(self, sentence: str) -> None:
        self._write(sentence, end="\n")

    def _cut(self, sentence: str) -> str:
        """Cut a sentence so that it stays on one line: what wraps cannot be replaced.

        A Japanese letter takes two columns.
        """
        wide = 1 if sentence.isascii() else 2
        room = max(5, (self._columns - 2 * len(self._label) - len(SIGN) - 4) // wide)
        return sentence if len(sentence) <= room else f"{sentence[: room - 1]}…"

    def _write(self, sentence: str, *, end: str) -> None:
        start = "\r\x1b[2K" if self._stream.isatty() else ""
        self._stream.write(f"{start}{SIGN}{self._label}: {sentence}{end}")
        self._stream.flush()


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
        self._handle.update(_bundle(f"{self._label}: {sentence}"), raw=True)


class NotebookProgress:
    """Shows progress in a Jupyter notebook, updated at most ten times a second."""

    def __init__(
        self, *, interval: float = 0.1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = interval
        self._clock = clock

    def line(self, label: str) -> Line:
        from IPython.display import display

        handle = display(_bundle(f"{label}: …"), raw=True, display_id=True)  # type: ignore[no-untyped-call]
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


def in_notebook() -> bool:
    """Tell whether this process is a notebook's kernel."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell else None
    return getattr(running, "kernel", None) is not None


def _bundle(line: str) -> dict[str, str]:
    html = f'<div style="font-family:monospace;font-size:12px">{SIGN}{escape(line)}</div>'
    return {"text/plain": f"{SIGN}{line}", "text/html": html}
