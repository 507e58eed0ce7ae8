"""What forms, board and quiz share: controls with a static card beside them, and progress bars."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ipywidgets import HTML, VBox

from handson.core import progress
from handson.core.cards import COLOURS, Card, CardPart, Displayable, Note
from handson.core.errors import HandsonError
from handson.notebook.saving import OURS, VIEW

FIELDS = "handson-fields"
"""The class of a box whose fields stand side by side where there is room."""

_CLASS = "handson-live"
_QUIET = "font-family:monospace;font-size:12px;white-space:pre-wrap;margin:2px 0"
_ARROW = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E"
    "%3Cpath fill='%23808080' d='m5.2 5.9 3.8 3.8 3.8-3.8 1.2 1.2-5 4.9-5-4.9z'/%3E%3C/svg%3E"
)
"""Visible on dark and on light; the arrow of ipywidgets is black."""
_STYLE = f"""<style>
.{_CLASS} {{ max-width: min(960px, calc(100% - 20px)); padding: 8px 12px; box-sizing: border-box;
  border: 1px solid var(--jp-border-color2, #d0d0d0); border-left: 4px solid #2a78d0;
  border-radius: 4px; }}
.{_CLASS} .widget-text, .{_CLASS} .widget-dropdown {{ flex-direction: column; height: auto;
  align-items: stretch; max-width: 26em; width: 100%; margin: 2px 0 8px 0; }}
.{_CLASS} .widget-text > .widget-label, .{_CLASS} .widget-dropdown > .widget-label {{
  width: auto; max-width: none; text-align: left; white-space: normal; height: auto;
  line-height: 1.5; }}
.{_CLASS} .widget-text > input, .{_CLASS} .widget-dropdown > select {{ flex: 0 0 auto;
  height: 28px; }}
.{_CLASS} .widget-dropdown > select {{ background-image: url("{_ARROW}"); }}
.{_CLASS} .{FIELDS} {{ display: grid; gap: 0 16px; align-items: end; margin: 4px 0;
  grid-template-columns: repeat(auto-fill, minmax(min(17em, 100%), 1fr)); overflow: visible; }}
.{_CLASS} .widget-checkbox {{ width: 100%; height: auto; margin: 2px 0 8px 0; }}
.{_CLASS} .widget-radio {{ width: 100%; height: auto; }}
.{_CLASS} .widget-radio-box label {{ display: block; position: relative; height: auto;
  padding-left: 22px; line-height: 1.5; white-space: normal; margin: 3px 0; }}
.{_CLASS} .widget-radio-box input {{ position: absolute; left: 0; top: 0; float: none;
  margin: 0; }}
.{_CLASS} .widget-hbox {{ flex-wrap: wrap; overflow: visible; }}
.{_CLASS} .jupyter-button {{ flex: 0 0 auto; width: auto; max-width: 100%; padding: 0 16px;
  margin: 2px 8px 2px 0; }}
.{_CLASS} .widget-html, .{_CLASS} .widget-html-content {{ height: auto; line-height: 1.5;
  white-space: normal; width: auto; max-width: 100%; min-width: 0; margin: 0; }}
.{_CLASS} .widget-html-content {{ flex: 1 1 auto; }}
.{_CLASS} strong {{ display: block; margin-top: 12px; }}
.{_CLASS} progress {{ width: 100%; height: 12px; accent-color: #2a78d0; }}
</style>"""
"""JupyterLab removes style sheets from saved output, and keeps them in a widget."""


class LiveCard(Displayable):
    """Controls in JupyterLab, and a static card wherever there are none.

    A subclass calls `super().__init__()` once it can answer `card` and `make_controls`.
    """

    def __init__(self) -> None:
        self._handle: Any = None
        title = f'<div style="font-weight:600;font-size:15px">{escape(self.card().title)}</div>'
        self.controls = VBox([HTML(_STYLE + title), *self.make_controls()])
        self.controls.add_class(_CLASS)

    def card(self) -> Card:
        """Return the static card."""
        raise NotImplementedError

    def below(self) -> Sequence[Card]:
        """Return the cards below the controls, as they are now; none by default."""
        return ()

    def make_controls(self) -> Sequence[Any]:
        """Return the widgets, from top to bottom."""
        raise NotImplementedError

    def update(self) -> None:
        """Show the cards below as they are now."""
        if self._handle is not None:
            self._handle.update(_bundle(self.below()), raw=True)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        card = self.card()
        return {
            "text/plain": card.text(),
            "text/html": f'<div class="{OURS}">{card.html()}</div>',
        }

    def _ipython_display_(self) -> None:
        from IPython.display import display

        view = self.controls._repr_mimebundle_()[VIEW]
        bundle = {**self._repr_mimebundle_(), VIEW: view}
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
        if self.below():
            self._handle = display(  # type: ignore[no-untyped-call]
                _bundle(self.below()), raw=True, display_id=True
            )


@dataclass
class _Bar:
    """The line of one verb, with a bar that fills where the whole is known."""

    label: str
    show: Callable[[], None]
    show_soon: Callable[[], None]
    sentence: str = "…"
    share: float | None = None

    def __call__(self, sentence: str) -> None:
        self.sentence = sentence
        if isinstance(sentence, progress.CountedSentence) and sentence.whole:
            self.share = sentence.done / sentence.whole
        self.show_soon()

    def done(self, sentence: str) -> None:
        self.sentence, self.share = sentence, 1.0
        self.show()

    def html(self) -> str:
        first, *below = self.sentence.split("\n")
        value = "" if self.share is None else f' value="{self.share:.3f}"'
        bar = f'<progress max="1"{value} aria-label="{escape(self.label)}"></progress>'
        rest = "".join(f'<div style="{_QUIET}">{escape(line)}</div>' for line in below)
        return f"<div>{escape(f'{self.label}: {first}')}</div>{bar}{rest}"


class ProgressBars:
    """The progress of verbs in an HTML widget, one bar below the other.

    Args:
        widget: The HTML widget.
        interval: How often it may change (seconds).
        clock: Tells the time.
    """

    def __init__(
        self, widget: Any, *, interval: float = 0.1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._widget = widget
        self._interval = interval
        self._clock = clock
        self._shown_at = -interval
        self._bars: list[_Bar] = []

    def clear(self) -> None:
        """Remove all bars."""
        self._bars.clear()
        self._show()

    def line(self, label: str) -> progress.ProgressLine:
        """Add a bar for a verb."""
        bar = _Bar(label, self._show, self._show_soon)
        self._bars.append(bar)
        self._show()
        return bar

    def _show_soon(self) -> None:
        if self._clock() - self._shown_at >= self._interval:
            self._show()

    def _show(self) -> None:
        self._shown_at = self._clock()
        self._widget.value = "".join(bar.html() for bar in self._bars)


def describe_error(title: str, error: HandsonError) -> Card:
    """Return the card of an error: the problem and the remedy."""
    return Card(title, tuple(Note(line) for line in error.lines()), state="bad")


def render_parts(parts: Sequence[CardPart]) -> str:
    """Return parts as the content of an HTML widget."""
    return "".join(part.html() for part in parts)


def render_answer(parts: Sequence[CardPart], *, state: str) -> str:
    """Return the HTML of an answer to the learner, which screen readers announce.

    Args:
        parts: The sentences; their words tell the state, too.
        state: A key of `COLOURS`. "bad" interrupts the reader, all else waits for its end.
    """
    role = "alert" if state == "bad" else "status"
    edge = f"border-left:4px solid {COLOURS[state]};padding:2px 0 2px 10px;margin:6px 0"
    return f'<div role="{role}" style="{edge}">{render_parts(parts)}</div>'


def _bundle(cards: Sequence[Card]) -> dict[str, str]:
    return {
        "text/plain": "\n".join(card.text() for card in cards),
        "text/html": "".join(card.html() for card in cards),
    }
