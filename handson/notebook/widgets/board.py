"""The board: the five items, turning green one by one as the learner looks again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ipywidgets import HTML, Button, HBox

from handson.core import messages, progress
from handson.core.cards import Card, CardPart, Note, Tile, Tiles, warning_notes
from handson.core.errors import HandsonError
from handson.course.checks import Verification
from handson.notebook.nbgrader import SkippedCall
from handson.notebook.widgets.base import LiveCard, describe_error, render_parts, show_answer
from handson.notebook.workshop import Workshop


class Board(LiveCard):
    """The five items as they are now.

    Args:
        workshop: The workshop that looks.
        now: Tells the time of day.
    """

    def __init__(self, workshop: Workshop, *, now: Callable[[], datetime] = datetime.now) -> None:
        self._news: list[Card] = []
        self._workshop = workshop.with_own_progress(
            progress.TerminalProgress(), show=lambda news: self._news.append(news.card())
        )
        self._now = now
        self._items = describe_items(self._workshop.verify())
        super().__init__()

    def static_card(self) -> Card:
        """Return the card beside the controls; the items stand below."""
        about = Note(messages.text("notebook.widgets.board-about"))
        static = Note(messages.text("notebook.widgets.board-static"))
        return Card(messages.text("notebook.widgets.board"), (about, static))

    def below(self) -> Sequence[Card]:
        """Return the news, such as that AWS was restarted, and the items of the last look."""
        return [*self._news, self._items]

    def look(self) -> None:
        """Look again."""
        try:
            self._items = describe_items(self._workshop.verify())
            looked = messages.text("notebook.widgets.board-looked", time=f"{self._now():%H:%M:%S}")
            show_answer(self._status, Note(looked), state="info")
        except HandsonError as error:
            self._items = describe_error(messages.text("notebook.widgets.board-failed"), error)
        self.update()

    def make_controls(self) -> Sequence[Any]:
        label = messages.text("notebook.widgets.board-refresh")
        refresh = Button(description=label, button_style="primary")
        refresh.on_click(lambda _: self.look())
        self._status = HTML()
        about = HTML(render_parts([Note(messages.text("notebook.widgets.board-about"))]))
        return [about, HBox([refresh]), self._status]


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
