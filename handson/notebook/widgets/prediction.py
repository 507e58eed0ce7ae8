"""Predictions with controls: choose or write, and the workshop keeps the answer."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from ipywidgets import HTML, BoundedIntText, Button, HBox, RadioButtons

from handson.core import messages
from handson.core.cards import Card, Note
from handson.core.errors import HandsonError
from handson.notebook.nbgrader import SkippedCall
from handson.notebook.widgets.base import LiveCard, render_answer
from handson.notebook.workshop import Workshop
from handson.practice.predictions import GivenAnswer, find_question

_LARGEST = 999


class PredictionCard(LiveCard):
    """A question on what the next cell will show."""

    def __init__(self, workshop: Workshop, id: str) -> None:
        self._workshop = workshop
        self._question = find_question(id)
        super().__init__()

    def static_card(self) -> Card:
        """Return the static card: the question, its choices, and the line that answers it."""
        return self._question.card()

    card = static_card

    def choose(self, answer: int | str) -> None:
        """Choose an answer, as a click does."""
        self._input.value = answer

    def answer(self) -> str:
        """Keep the chosen answer, and return what is shown."""
        notes: Sequence[Note] = [Note(messages.text("notebook.widgets.choose-first"), "advice")]
        try:
            given = self._workshop.predict(self._question.id, self._input.value)
            if isinstance(given, GivenAnswer):
                notes = (Note(given.card().title), *given.notes)
        except HandsonError as error:
            notes = tuple(map(Note, error.lines()))
        self._said.value = render_answer(notes, state="info")
        return "\n".join(line.strip() for note in notes for line in note.text())

    def make_controls(self) -> Sequence[Any]:
        choices = self._question.choices
        options = [(text, name) for name, text in choices.items()]
        chooser, field = RadioButtons(options=options, value=None), BoundedIntText(max=_LARGEST)
        self._input = chooser if options else field
        self._said = HTML()
        button = Button(description=messages.text("notebook.widgets.predict"))
        button.on_click(lambda _: self.answer())
        prompt = HTML(f"<strong>{escape(self._question.prompt)}</strong>")
        return [prompt, self._input, HBox([button]), self._said]


def predict(workshop: Workshop | SkippedCall, id: str) -> PredictionCard | SkippedCall:
    """Return a question on what the next cell will show; its result compares the answer.

    Args:
        workshop: What `handson.start()` returned.
        id: The id of the question.

    Raises:
        InvalidInput: There is no such question.
    """
    return workshop if isinstance(workshop, SkippedCall) else PredictionCard(workshop, id)
