"""Questions with controls: those to check oneself, and predictions, which are kept."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from ipywidgets import HTML, Button, HBox, RadioButtons

from handson.core import messages
from handson.core.cards import MARKS, Card, CardPart, Note
from handson.core.errors import HandsonError
from handson.notebook.nbgrader import SkippedCall
from handson.notebook.widgets.base import LiveCard, render_parts, show_answer
from handson.notebook.workshop import Workshop
from handson.practice.predictions import list_choices
from handson.practice.questions import Question, Quiz


class QuizCard(LiveCard):
    """The self-check questions of a topic.  Choices live in the page alone, and in no file."""

    def __init__(self, quiz: Quiz) -> None:
        self._quiz = quiz
        self._choosers: list[Any] = []
        self._right: dict[int, bool] = {}
        super().__init__()

    def static_card(self) -> Card:
        """Return the questions, each with its answer folded away."""
        return self._quiz.card()

    def check(self, number: int, *, explain: bool = False) -> str:
        """Check the choice for a question, show why or a hint, and return the shown text."""
        letter = self._choosers[number - 1].value
        if letter is None:
            first = Note(messages.text("notebook.widgets.choose-first"), "advice")
            return self._explain(number, first)
        given = self._quiz.answer(number, letter, explain=explain)
        self._right[number] = given.choice.right
        self._mark(number, letter, MARKS[given.state])
        self._show_marks()
        return self._explain(number, Note(given.verdict, given.state), Note(given.reason))

    def make_controls(self) -> Sequence[Any]:
        self._marks = HTML()
        self._show_marks()
        self._reasons = [HTML() for _ in self._quiz.questions]
        about = HTML(render_parts([Note(sentence) for sentence in self._quiz.introduction]))
        numbered = enumerate(self._quiz.questions, start=1)
        asked = [widget for item in numbered for widget in self._make_question(*item)]
        return [about, *asked, self._marks]

    def _make_question(self, number: int, question: Question) -> list[Any]:
        options = [(f"{each.letter}. {each.text}", each.letter) for each in question.choices]
        chooser = RadioButtons(options=options, value=None)
        self._choosers.append(chooser)
        button = Button(description=messages.text("notebook.widgets.check"))
        button.on_click(lambda _: self.check(number))
        why = Button(description=messages.text("notebook.widgets.explain"))
        why.on_click(lambda _: self.check(number, explain=True))
        heading = messages.text("practice.questions.number", number=number)
        prompt = HTML(f"<strong>{escape(f'{heading}: {question.prompt}')}</strong>")
        return [prompt, chooser, HBox([button, why]), self._reasons[number - 1]]

    def _mark(self, number: int, letter: str, mark: str) -> None:
        """Put a mark before a choice; new options would undo what is chosen."""
        chooser = self._choosers[number - 1]
        for index, (text, each) in enumerate(options := list(chooser.options)):
            if each == letter:
                options[index] = (f"{mark} {text.removeprefix(mark).strip()}", each)
        chooser.options, chooser.value = options, letter

    def _explain(self, number: int, *notes: Note) -> str:
        return show_answer(self._reasons[number - 1], *notes, state=notes[0].state)

    def _show_marks(self) -> None:
        right, count = sum(self._right.values()), len(self._quiz.questions)
        state = "ok" if right == count else "info"
        key = "notebook.widgets.marks" if self._right else "notebook.widgets.marks-none"
        show_answer(self._marks, Note(messages.text(key, right=right, count=count)), state=state)


def questions(workshop: Workshop | SkippedCall, *topics: str) -> QuizCard | SkippedCall:
    """Return self-check questions where a thing was done, drawn from the learner's own state.

    While nbgrader executes the notebook, it asks none.

    Args:
        workshop: What `handson.start()` returned.
        topics: Some of why-network, why-zones, why-cluster, why-registry, or ids of questions.

    Raises:
        InvalidInput: There is no such topic or question.
        HandsonError: AWS did not answer.
    """
    if isinstance(workshop, SkippedCall):
        return SkippedCall()
    return QuizCard(workshop.questions(*topics))


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
