"""What forms, board and quiz share: controls with a static card beside them, and progress bars."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from ipywidgets import HTML, VBox
from msgspec import Struct
from msgspec.structs import replace

from handson.core import messages
from handson.core.cards import COLOURS, Card, CardPart, Displayable, Note, bundle_cards
from handson.core.errors import HandsonError
from handson.core.progress import CountedSentence, ProgressLine, ThrottledLine
from handson.notebook import OURS, VIEW

_QUIET = "font-family:monospace;font-size:12px;white-space:pre-wrap;margin:2px 0"


class LiveCard(Displayable):
    """Controls in JupyterLab, and a static card wherever there are none.

    A subclass calls `super().__init__()` once it can answer `make_controls`, and after that
    `static_card`.
    """

    def __init__(self) -> None:
        self._handle: Any = None
        self._static = HTML()
        self._static.add_class("handson-unplugged")
        controls = self.make_controls()
        self.update_static()
        # JupyterLab removes style sheets from saved output, and keeps them in a widget.
        style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
        title = escape(self.static_card().title)
        bold = "font-weight:600;font-size:15px"
        head = HTML(f'<style>{style}</style><div style="{bold}">{title}</div>')
        self.controls = VBox([head, *controls, self._static])
        self.controls.add_class("handson-live")

    def card(self) -> Card:
        """Return the static card, with a line on how to get the controls."""
        card, how = self.static_card(), Note(messages.text("notebook.widgets.static"))
        return replace(card, parts=(how, *card.parts))

    def static_card(self) -> Card:
        """Return what stands in the controls' place where there are none."""
        raise NotImplementedError

    def below(self) -> Sequence[Card]:
        """Return the cards below the controls, as they are now; none by default."""
        return ()

    def make_controls(self) -> Sequence[Any]:
        """Return the widgets, from top to bottom."""
        raise NotImplementedError

    def update_static(self) -> None:
        """Renew the static card that style.css shows once the kernel is gone."""
        gone = Note(messages.text("notebook.widgets.unplugged"), "warn")
        card = self.static_card()
        self._static.value = replace(card, parts=(gone, *card.parts)).html()

    def update(self) -> None:
        """Show the cards below as they are now."""
        if self._handle is not None:
            self._handle.update(bundle_cards(*self.below()), raw=True)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = bundle_cards(self.card())
        return {**bundle, "text/html": f'<div class="{OURS}">{bundle["text/html"]}</div>'}

    def _ipython_display_(self) -> None:
        from IPython.display import display

        view = {VIEW: self.controls._repr_mimebundle_()[VIEW]}
        display(self._repr_mimebundle_() | view, raw=True)  # type: ignore[no-untyped-call]
        if self.below():
            below = bundle_cards(*self.below())
            self._handle = display(below, raw=True, display_id=True)  # type: ignore[no-untyped-call]


class ProgressBars(Struct):
    """The progress of verbs in an HTML widget, one bar below the other.

    Attributes:
        widget: The HTML widget.
        interval: The least time between two changes of a bar (seconds).
        clock: Seconds that only ever grow.
    """

    widget: Any
    interval: float = 0.1
    clock: Callable[[], float] = time.monotonic

    def clear(self) -> None:
        """Remove all bars."""
        self.widget.value = ""

    def line(self, label: str) -> ProgressLine:
        """Add a bar for a verb."""
        bar = _Bar(label, self.widget, interval=self.interval, clock=self.clock)
        bar.show("…")
        return bar


class _Bar(ThrottledLine):
    """The last line of a widget, with a bar that fills where the whole is known."""

    def __init__(self, label: str, widget: Any, **options: Any) -> None:
        super().__init__(self._render, **options)
        self._label, self._widget, self._above = escape(label), widget, widget.value
        self._value = ""
        self._open = True

    def __call__(self, sentence: str) -> None:
        if isinstance(sentence, CountedSentence) and sentence.whole:
            self._value = f' value="{sentence.done / sentence.whole:.3f}"'
        super().__call__(sentence)

    def done(self, sentence: str) -> None:
        self._open = False  # A full bar would look like success beside a failure.
        super().done(sentence)

    def _render(self, sentence: str) -> None:
        sentence = sentence or messages.text("core.progress.done")
        first, *below = map(escape, sentence.split("\n"))
        bar = f'<progress max="1"{self._value} aria-label="{self._label}"></progress>' * self._open
        rest = "".join(f'<div style="{_QUIET}">{line}</div>' for line in below)
        self._widget.value = f"{self._above}<div>{self._label}: {first}</div>{bar}{rest}"


def describe_error(title: str, error: HandsonError) -> Card:
    """Return the card of an error: the problem and the remedy."""
    return Card(title, tuple(map(Note, error.lines())), state="bad")


def render_parts(parts: Sequence[CardPart]) -> str:
    """Return parts as the content of an HTML widget."""
    return "".join(part.html() for part in parts)


def show_answer(place: HTML, *parts: CardPart, state: str) -> str:
    """Show an answer to the learner, which screen readers announce, and return its text.

    Args:
        place: The widget that shows it.
        parts: The sentences; their words tell the state, too.
        state: A key of `COLOURS`. "bad" interrupts the reader, all else waits for its end.
    """
    role = "alert" if state == "bad" else "status"
    edge = f"border-left:4px solid {COLOURS[state]};padding:2px 0 2px 10px;margin:6px 0"
    place.value = f'<div role="{role}" style="{edge}">{render_parts(parts)}</div>'
    return "\n".join(line.strip() for part in parts for line in part.text())
