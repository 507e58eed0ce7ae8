"""The board: the five items, turning green one by one as the learner looks again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ipywidgets import HTML, Button, Checkbox, HBox

from handson.core import messages, progress
from handson.core.cards import Card, CardPart, Note, Tile, Tiles, warning_notes
from handson.core.errors import HandsonError
from handson.core.host import IN_TAB
from handson.course import checks, syllabus
from handson.course.checks import Verification
from handson.notebook.nbgrader import SkippedCall
from handson.notebook.widgets.base import LiveCard, describe_error, render_parts, show_answer
from handson.notebook.workshop import Workshop

SECONDS = 10
"""The time between two looks while the board watches."""


class Board(LiveCard):
    """The five items as they are now.

    Args:
        workshop: The workshop that looks.
        seconds: How long to wait between two looks while the board watches.
        now: Tells the time of day.
    """

    def __init__(
        self,
        workshop: Workshop,
        *,
        seconds: float = SECONDS,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._news: list[Card] = []
        self._workshop = workshop.with_own_progress(
            progress.TerminalProgress(), show=lambda news: self._news.append(news.card())
        )
        self._seconds = seconds
        self._now = now
        self._stop = threading.Event()
        self._items = describe_items(self._verify(everywhere=True))
        super().__init__()

    def static_card(self) -> Card:
        """Return the card beside the controls; the items stand below."""
        about = Note(messages.text("notebook.widgets.board-about"))
        static = Note(messages.text("notebook.widgets.board-static"))
        return Card(messages.text("notebook.widgets.board"), (about, static))

    def below(self) -> Sequence[Card]:
        """Return the news, such as that AWS was restarted, and the items of the last look."""
        return [*self._news, self._items]

    def look(self, *, everywhere: bool = True) -> bool:
        """Look again, and return whether nothing is left to wait for.

        Args:
            everywhere: Search other regions, too, for missing resources.
        """
        before = self.below()
        try:
            verification = self._verify(everywhere=everywhere)
            self._items, over = describe_items(verification), verification.passed
            self._show_status(watching=self._watching.value and not over)
        except HandsonError as error:
            self._items = describe_error(messages.text("notebook.widgets.board-failed"), error)
            over = True
        if self.below() != before:
            self.update()
        return over

    def watch(self) -> threading.Thread:
        """Look again and again, until all is done, a look fails or `stop` is called.

        Returns:
            The thread that looks.
        """
        self._stop = threading.Event()
        thread = threading.Thread(target=self._watch, args=(self._stop,), daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Stop watching, after the look that has begun."""
        self._stop.set()

    def make_controls(self) -> Sequence[Any]:
        label = messages.text("notebook.widgets.board-refresh")
        refresh = Button(description=label, button_style="primary")
        refresh.on_click(lambda _: self.look())
        label = messages.text("notebook.widgets.board-watch", seconds=SECONDS)
        self._watching = Checkbox(value=False, description=label, indent=False)
        self._watching.observe(
            lambda change: self.watch() if change["new"] else self.stop(), names="value"
        )
        self._status = HTML()
        about = HTML(render_parts([Note(messages.text("notebook.widgets.board-about"))]))
        watching = () if IN_TAB else (self._watching,)  # which takes a thread
        return [about, HBox([refresh]), *watching, self._status]

    def _watch(self, stop: threading.Event) -> None:
        try:
            while not self.look(everywhere=False):
                if stop.wait(self._seconds):
                    return
        finally:
            self._watching.value = False

    def _show_status(self, *, watching: bool) -> None:
        now = f"{self._now():%H:%M:%S}"
        notes = [Note(messages.text("notebook.widgets.board-looked", time=now))]
        if watching:
            notes.append(Note(messages.text("notebook.widgets.board-watching")))
        show_answer(self._status, *notes, state="info")

    def _verify(self, *, everywhere: bool) -> Verification:
        missing = syllabus.CHECK_IDS if everywhere else ()
        snapshot = self._workshop.snapshot(missing=missing, partial=True)
        return checks.run_checks(snapshot, self._workshop.settings.exercise)


def describe_items(verification: Verification) -> Card:
    """Return the card of the five items, and the next step for the first that is not done."""
    failing = verification.failing
    count = len(verification.checks)
    passed = count - len(failing)
    title = messages.text("notebook.widgets.board-counted", passed=passed, count=count)
    tiles = [
        Tile(check.state, check.label, (check.verdict, f"{check.counted} · {check.notebook}"))
        for check in verification.checks
    ]
    parts: list[CardPart] = [Tiles(tiles)]
    for check in failing[:1]:
        parts.append(Note(messages.text("notebook.widgets.board-next", notebook=check.notebook)))
        for diagnosis in check.diagnoses[:1]:
            parts += warning_notes(diagnosis.message, diagnosis.remedy)
    return Card(title, parts, state="ok" if verification.passed else "info")


def board(workshop: Workshop | SkippedCall) -> Board | SkippedCall:
    """Return the five items as they are now: in JupyterLab with buttons that look again.

    While nbgrader executes the notebook, nothing is looked at.

    Raises:
        HandsonError: AWS did not answer.
    """
    return SkippedCall() if isinstance(workshop, SkippedCall) else Board(workshop)
