"""The board: the five items, looked at again on demand, turning green one by one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from ipywidgets import HTML, Button, Checkbox, HBox

from handson.core import messages, progress
from handson.core.cards import COLOURS, MARKS, Card, Note, Part, Shown, warning
from handson.core.errors import HandsonError
from handson.course import checks, syllabus
from handson.course.checks import Verification
from handson.notebook.scoring import SkippedCall
from handson.notebook.widgets.live import Live, answer, html, refusal
from handson.notebook.workshop import Workshop

SECONDS = 10
"""Between two looks while the board watches."""


class Board(Live):
    """The five items as they are now.

    Args:
        workshop: Which looks.
        seconds: How long to wait between two looks while it watches.
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
        self._workshop = workshop.beside(progress.TerminalProgress(), show=self._tell)
        self._seconds = seconds
        self._now = now
        self._stop = threading.Event()
        self._seen = items(self._verify(everywhere=True))
        super().__init__()

    def card(self) -> Card:
        """Return the card beside the controls; the items stand below."""
        about, static = (
            messages.text(f"notebook.widgets.board-{each}") for each in ("about", "static")
        )
        return Card(messages.text("notebook.widgets.board"), (Note(about), Note(static)))

    def below(self) -> Sequence[Card]:
        """Return the items as they were seen last, below news such as that AWS was restarted."""
        return [*self._news, self._seen]

    def look(self, *, everywhere: bool = True) -> bool:
        """Look again, and tell whether there is nothing more to wait for.

        Args:
            everywhere: Look for what is missing in other regions, too.
        """
        before = self.below()
        try:
            verification = self._verify(everywhere=everywhere)
        except HandsonError as error:
            self._seen = refusal(messages.text("notebook.widgets.board-failed"), error)
            over = True
        else:
            self._seen, over = items(verification), verification.passed
            looked = messages.text("notebook.widgets.board-looked", time=f"{self._now():%H:%M:%S}")
            going_on = (
                [messages.text("notebook.widgets.board-watching")] if self._watching.value else []
            )
            self._say(looked, *([] if over else going_on))
        if self.below() != before:
            self.update()
        return over

    def _verify(self, *, everywhere: bool) -> Verification:
        missing = syllabus.CHECK_IDS if everywhere else ()
        return checks.verify(self._workshop.snapshot(missing=missing))

    def watch(self) -> threading.Thread:
        """Look again and again, until all is done, a look fails or `stop` is called.

        Returns:
            The thread that looks.
        """
        self._stop = threading.Event()
        looking = threading.Thread(target=self._watch, args=(self._stop,), daemon=True)
        looking.start()
        return looking

    def stop(self) -> None:
        """Watch no longer; a look that has begun is finished first."""
        self._stop.set()

    def make_controls(self) -> Sequence[Any]:
        refresh = Button(
            description=messages.text("notebook.widgets.board-refresh"), button_style="primary"
        )
        refresh.on_click(lambda _: self.look())
        label = messages.text("notebook.widgets.board-watch", seconds=SECONDS)
        self._watching = Checkbox(value=False, description=label, indent=False)
        self._watching.observe(self._switched, names="value")
        self._said = HTML()
        about = Note(messages.text("notebook.widgets.board-about"))
        return [HTML(html([about])), HBox([refresh]), self._watching, self._said]

    def _switched(self, change: Any) -> None:
        if change["new"]:
            self.watch()
        else:
            self.stop()

    def _watch(self, stop: threading.Event) -> None:
        try:
            while not self.look(everywhere=False):
                if stop.wait(self._seconds):
                    return
        finally:
            self._watching.value = False

    def _tell(self, news: Shown) -> None:
        self._news.append(news.card())

    def _say(self, *sentences: str) -> None:
        self._said.value = answer([Note(sentence) for sentence in sentences], state="info")


@dataclass(frozen=True)
class _Tiles:
    """The items side by side: each with a mark, its name, its state in words, and its facts."""

    verification: Verification

    def text(self) -> list[str]:
        return [f"  {MARKS[state]} {' · '.join(words)}" for state, words in self._items()]

    def html(self) -> str:
        tiles = "".join(_tile(state, words) for state, words in self._items())
        return (
            '<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));'
            f'gap:8px;margin:8px 0;text-align:left">{tiles}</div>'
        )

    def _items(self) -> list[tuple[str, tuple[str, ...]]]:
        return [
            (
                "ok" if check.passed else "bad",
                (
                    check.label,
                    messages.text(
                        "course.checks.passed" if check.passed else "course.checks.failed"
                    ),
                    check.counted,
                    syllabus.check(check.id).notebook,
                ),
            )
            for check in self.verification.checks
        ]


def _tile(state: str, words: Sequence[str]) -> str:
    label, verdict, *quiet = map(escape, words)
    return (
        f'<div style="overflow-wrap:anywhere;border:1px solid {COLOURS[state]};'
        f'border-top:6px solid {COLOURS[state]};border-radius:4px;padding:6px 10px">'
        f'<div style="font-weight:600">{label}</div>'
        f'<div style="font-size:13px"><span style="color:{COLOURS[state]};font-weight:700">'
        f"{MARKS[state]}</span> {verdict}</div>"
        f'<div style="color:var(--jp-ui-font-color2, #666);font-size:12px">{" · ".join(quiet)}'
        "</div></div>"
    )


def items(verification: Verification) -> Card:
    """Return the card of the five items, and what to do next about the first that is not done."""
    passed = sum(check.passed for check in verification.checks)
    count = len(verification.checks)
    title = messages.text("notebook.widgets.board-counted", passed=passed, count=count)
    parts: list[Part] = [_Tiles(verification)]
    for check in verification.checks:
        if not check.passed:
            notebook = syllabus.check(check.id).notebook
            parts.append(Note(messages.text("notebook.widgets.board-next", notebook=notebook)))
            for diagnosis in check.diagnoses[:1]:
                parts += warning(diagnosis.message, diagnosis.remedy)
            break
    return Card(title, parts, state="ok" if verification.passed else "info")


def board(workshop: Workshop | SkippedCall) -> Board | SkippedCall:
    """Return the five items as they are now: in JupyterLab with buttons that look again.

    While nbgrader executes the notebook, nothing is looked at.

    Raises:
        HandsonError: AWS did not answer.
    """
    return SkippedCall() if isinstance(workshop, SkippedCall) else Board(workshop)
