"""Predictions with controls: choose, and the workshop keeps the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ipywidgets import HTML, Button, HBox, RadioButtons

from handson.core import messages
from handson.core.cards import Card, CardPart, Note
from handson.core.errors import HandsonError
from handson.notebook.nbgrader import SkippedCall
from handson.notebook.widgets.base import LiveCard, render_parts, show_answer
from handson.notebook.workshop import Workshop
from handson.practice.predictions import list_choices


class PredictionCard(LiveCard):
    """A question on what the next cell will show."""

    def __init__(self, workshop: Workshop, id: str) -> None:
        self._workshop = workshop
        self._prediction = workshop.predict(id)
        super().__init__()

    def static_card(self) -> Card:
        """Return the static card: the question, and its choices or what was answered before."""
        return self._prediction.card()

    def answer(self) -> str:
        """Keep the chosen answer, and return what is shown."""
        parts: list[CardPart] = [Note(messages.text("notebook.widgets.choose-first"), "advice")]
        try:
            if self._chooser.value is not None:
                card = self._workshop.predict(self._prediction.id, self._chooser.value).card()
                parts = [*card.parts[1:]]
        except HandsonError as error:
            parts = [*map(Note, error.lines())]
        return show_answer(self._said, *parts, state="info")

    def make_controls(self) -> Sequence[Any]:
        options = [(text, name) for name, text in list_choices(self._prediction.id).items()]
        known = self._prediction.answer or None
        self._chooser, self._said = RadioButtons(options=options, value=known), HTML()
        if known:
            show_answer(self._said, *self._prediction.card().parts[1:], state="info")
        button = Button(description=messages.text("notebook.widgets.predict"))
        button.on_click(lambda _: self.answer())
        question = HTML(render_parts(self._prediction.card().parts[:1]))
        return [question, self._chooser, HBox([button]), self._said]


def predict(workshop: Workshop | SkippedCall, id: str) -> PredictionCard | SkippedCall:
    """Return a question on what the next cell will show; its result compares the answer.

    Args:
        workshop: What `handson.start()` returned.
        id: The id of the question.

    Raises:
        InvalidInput: There is no such question.
    """
    return workshop if isinstance(workshop, SkippedCall) else PredictionCard(workshop, id)
