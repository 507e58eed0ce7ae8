"""A topic's questions, and the answer to one of them, as cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from handson.core import messages
from handson.core.cards import MARKS, Card, Note, Part, Shown
from handson.core.errors import InvalidInput
from handson.core.text import find_nearest, quote
from handson.course.state import Snapshot
from handson.practice.questions.asked import TOPICS, Choice, Question, Subject


@dataclass(frozen=True, repr=False)
class Answer(Shown):
    """What is said to a choice."""

    question: Question
    choice: Choice

    @property
    def state(self) -> str:
        """The mark of the answer: "ok" or "bad"."""
        return "ok" if self.choice.right else "bad"

    @property
    def verdict(self) -> str:
        """Whether it is right, in words."""
        return messages.text(
            "practice.questions.right" if self.choice.right else "practice.questions.wrong"
        )

    def card(self) -> Card:
        """Return the card: the choice, whether it is right, and why."""
        chosen = f"{self.choice.letter}. {self.choice.text}"
        parts = (Note(self.question.prompt), Note(chosen), Note(self.choice.why))
        return Card(self.verdict, parts, state=self.state)


@dataclass(frozen=True, repr=False)
class Quiz(Shown):
    """The questions of a topic; `planned` where they speak of what is yet to be made."""

    topic: str
    questions: tuple[Question, ...]
    planned: bool = False

    @property
    def title(self) -> str:
        """The quiz's title, in the current language."""
        return messages.text(
            "practice.questions.title",
            topic=messages.text(f"practice.questions.topic.{self.topic}"),
        )

    @property
    def about(self) -> list[str]:
        """What the learner should know before the first question."""
        plan = [messages.text("practice.questions.about-plan")] if self.planned else []
        return [messages.text("practice.questions.about"), *plan]

    def answer(self, number: int, choice: str) -> Answer:
        """Return what is said to a choice.

        Args:
            number: The question's number, from 1.
            choice: The choice's letter, from "a".

        Raises:
            InvalidInput: There is no such question, or it has no such choice.
        """
        count = len(self.questions)
        if type(number) is not int or not 1 <= number <= count:
            shown = quote(number)
            raise InvalidInput(
                *messages.advice("practice.questions.no-question", number=shown, count=count)
            )
        question = self.questions[number - 1]
        wanted = str(choice).strip().lower()
        for candidate in question.choices:
            if candidate.letter == wanted:
                return Answer(question, candidate)
        letters = ", ".join(f'"{candidate.letter}"' for candidate in question.choices)
        values = {"number": number, "choice": quote(choice), "choices": letters}
        raise InvalidInput(*messages.advice("practice.questions.no-choice", **values))

    def card(self) -> Card:
        """Return the card: the questions, each with its answer folded away."""
        notes = [Note(sentence) for sentence in self.about]
        numbered = enumerate(self.questions, start=1)
        asked = [_Asked(number, question) for number, question in numbered]
        how = Note(messages.text("practice.questions.how", topic=self.topic))
        return Card(self.title, (*notes, *asked, how), state="info")


def ask(topic: str, seen: Snapshot) -> Quiz:
    """Return the questions of a topic, drawn from what is there.

    Args:
        topic: The `grade_id` of the free answer that they stand beside.
        seen: One look at the target.

    Raises:
        InvalidInput: There is no such topic.
    """
    if topic not in TOPICS:
        near = find_nearest(str(topic), TOPICS) or next(iter(TOPICS))
        values = {"topic": quote(topic), "choices": ", ".join(TOPICS), "near": near}
        raise InvalidInput(*messages.advice("practice.questions.no-topic", **values))
    subject = Subject(seen)
    questions = tuple(make(subject) for make in TOPICS[topic])
    return Quiz(topic, questions, planned=subject.planned)


@dataclass(frozen=True)
class _Asked(Part):
    """A question with its choices; in HTML the answer is folded away, as text it is left out."""

    number: int
    question: Question

    def text(self) -> list[str]:
        choices = [f"    {choice.letter}. {choice.text}" for choice in self.question.choices]
        return [f"  {self._heading}: {self.question.prompt}", *choices]

    def html(self) -> str:
        choices = _block([f"{choice.letter}. {choice.text}" for choice in self.question.choices])
        reasons = _block([_reason(choice) for choice in self.question.choices])
        summary = escape(messages.text("practice.questions.answer"))
        return (
            f'<div style="margin:12px 0 4px 0;font-weight:600">{escape(self._heading)}: '
            f"{escape(self.question.prompt)}</div>{choices}"
            '<details style="margin:6px 0;text-align:left"><summary style="cursor:pointer">'
            f"{summary}</summary>{reasons}</details>"
        )

    @property
    def _heading(self) -> str:
        return messages.text("practice.questions.number", number=self.number)


def _reason(choice: Choice) -> str:
    """Say of a choice whether it is right, by a mark and in words, and why."""
    mark = MARKS["ok" if choice.right else "bad"]
    verdict = messages.text(
        "practice.questions.is-right" if choice.right else "practice.questions.is-wrong"
    )
    return f"{mark} {choice.letter} ({verdict}): {choice.why}"


def _block(lines: Sequence[str]) -> str:
    items = "".join(f"<div>{escape(line)}</div>" for line in lines)
    return f'<div style="margin:4px 0 4px 1em;line-height:1.7">{items}</div>'
