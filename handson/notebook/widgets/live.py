"""What forms, board and questions share: controls, a static card beside them, output below."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from ipywidgets import HTML, VBox

from handson.core.cards import COLOURS, Card, Note, Part, Shown
from handson.core.errors import HandsonError
from handson.notebook.saving import OURS, VIEW

FIELDS = "handson-fields"
"""The style of a box whose settings stand side by side where there is room."""

_CLASS = "handson-live"
_ARROW = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E"
    "%3Cpath fill='%23808080' d='m5.2 5.9 3.8 3.8 3.8-3.8 1.2 1.2-5 4.9-5-4.9z'/%3E%3C/svg%3E"
)
"""As easy to see on dark as on light; that of ipywidgets is black."""
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
"""A style sheet is welcome here: JupyterLab removes it from saved output, and not from a widget."""


class Live(Shown):
    """Something with controls in JupyterLab, and a static card wherever there are none.

    A class of this kind calls `super().__init__()` once it can answer `card` and `make_controls`.
    """

    def __init__(self) -> None:
        self._handle: Any = None
        heading = HTML(_STYLE + _heading(self.card()))
        self.controls = VBox([heading, *self.make_controls()])
        self.controls.add_class(_CLASS)

    def card(self) -> Card:
        """Return the static card."""
        raise NotImplementedError

    def below(self) -> Sequence[Card]:
        """Return the cards that stand below, as they are now; none where nothing does."""
        return ()

    def make_controls(self) -> Sequence[Any]:
        """Return the widgets, from top to bottom."""
        raise NotImplementedError

    def update(self) -> None:
        """Show what stands below as it is now."""
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


def refusal(title: str, error: HandsonError) -> Card:
    """Return the card that tells of an error: what happened, and what to do."""
    return Card(title, tuple(Note(line) for line in error.lines()), state="bad")


def html(parts: Sequence[Part]) -> str:
    """Return parts as the content of an HTML widget."""
    return "".join(part.html() for part in parts)


def answer(parts: Sequence[Part], *, state: str) -> str:
    """Return what answers the learner, read out to those who cannot see it appear.

    Args:
        parts: What is said; words tell the state, too.
        state: A key of `COLOURS`. What is bad interrupts the reading, all else waits for its end.
    """
    role = "alert" if state == "bad" else "status"
    edge = f"border-left:4px solid {COLOURS[state]};padding:2px 0 2px 10px;margin:6px 0"
    return f'<div role="{role}" style="{edge}">{html(parts)}</div>'


def _bundle(cards: Sequence[Card]) -> dict[str, str]:
    return {
        "text/plain": "\n".join(card.text() for card in cards),
        "text/html": "".join(card.html() for card in cards),
    }


def _heading(card: Card) -> str:
    return f'<div style="font-weight:600;font-size:15px">{escape(card.title)}</div>'
