"""Predictions: a question before a cell, whose answer the result of the cell shows.

A prediction is never graded.  The home folder keeps the last answer before the result, with its
time.  What there is to see is read from the described state, so that other settings are compared
with what they made.  `PREDICTIONS` lists them; their sentences are in the catalogue of messages,
where a prediction with choices has one sentence for each, and another one asks for a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from handson.core import files, messages
from handson.core.cards import Card, Displayable, Note
from handson.core.errors import InvalidInput
from handson.core.text import find_nearest, quote
from handson.course.checks import network_facts
from handson.course.checks import repository as ecr
from handson.course.exercise import Exercise
from handson.course.state import Image, Snapshot, State

_FILE = "predictions.json"

Answer = int | str
Seen = Mapping[str, Answer]
"""What there is to see, as `seen`, and what else the sentence names; empty before the result."""


@dataclass(frozen=True)
class Prediction:
    """A question whose answer a result shows.

    Attributes:
        verbs: The verbs whose results compare it.
        look: Return what there is to see.
    """

    verbs: tuple[str, ...]
    look: Callable[[Snapshot, Exercise], Seen]


def count_route_tables(snapshot: Snapshot, exercise: Exercise) -> Seen:
    """Return how many route tables the VPC has, and how many of them the form made."""
    vpc = network_facts.find_goal_vpc(snapshot, exercise)
    count = len(vpc.route_tables) if vpc else 0
    return {"seen": count, "made": count - 1} if count else {}


def find_default_table(snapshot: Snapshot, exercise: Exercise) -> Seen:
    """Return the kind of the route table that a subnet follows without an association."""
    vpc = network_facts.find_goal_vpc(snapshot, exercise)
    table = vpc.route_table_of("") if vpc else None
    return {"seen": "main", "table": table.id} if table else {}


def locate_cluster(snapshot: Snapshot, _exercise: Exercise) -> Seen:
    """Return that a cluster is in no VPC, if there is one: no field of it names a network."""
    names = [cluster.name for cluster in snapshot.clusters if not cluster.is_deleted]
    return {"seen": "no", "cluster": names[0]} if names else {}


def compare_digests(snapshot: Snapshot, exercise: Exercise) -> Seen:
    """Return whether a second tag leads to the same digest, where the learner chose two."""
    tags = {image.digest: ecr.list_chosen_tags(image) for image in _list_images(snapshot, exercise)}
    if sum(map(len, tags.values())) < 2:
        return {}
    digest = max(tags, key=lambda digest: len(tags[digest]))
    return {"seen": "same" if len(tags[digest]) > 1 else "other", "digest": digest[:19]}


def count_images(snapshot: Snapshot, exercise: Exercise) -> Seen:
    """Return how many images there are, where the learner chose two tags for the only content."""
    images = _list_images(snapshot, exercise)
    if len(images) != 1 or len(ecr.list_chosen_tags(images[0])) < 2:
        return {}
    return {"seen": 1, "tags": len(images[0].tags)}


_NETWORK, _CLUSTER, _IMAGES = ("ensure_network",), ("ensure_cluster",), ("tag_image", "images")
PREDICTIONS: Mapping[str, Prediction] = {
    "route-tables": Prediction(_NETWORK, count_route_tables),
    "main-route": Prediction(_NETWORK, find_default_table),
    "cluster-in-vpc": Prediction(_CLUSTER, locate_cluster),
    "second-tag-digest": Prediction(_IMAGES, compare_digests),
    "images-after-second-tag": Prediction(_IMAGES, count_images),
}


class Kept(State, frozen=True, kw_only=True):
    """An answer that the home folder keeps."""

    answer: Answer
    at: str


@dataclass(frozen=True, repr=False)
class Question(Displayable):
    """A prediction to make; `choices` are its answers by name, or empty where a number is asked."""

    id: str

    @property
    def prompt(self) -> str:
        """The question."""
        return messages.label("practice.predictions.question", self.id)

    @property
    def choices(self) -> dict[str, str]:
        """What each answer says, in the order of the catalogue."""
        prefix = f"predictions.choice.{self.id}."
        keys = [key for key in messages.catalogue("practice") if key.startswith(prefix)]
        names = [key.removeprefix("predictions.choice.") for key in keys]
        said = {name: messages.label("practice.predictions.choice", name) for name in names}
        return {name.rpartition(".")[2]: text for name, text in said.items()}

    def check(self, answer: object) -> Answer:
        """Return an answer of the right type.

        Raises:
            InvalidInput: It is another one than the question takes.
        """
        if answer in list(self.choices):
            return str(answer)
        if not self.choices and type(answer) is int and answer >= 0:
            return answer
        key = "practice.predictions.no-choice" if self.choices else "practice.predictions.no-number"
        values = {"answer": quote(answer), "id": self.id, "choices": ", ".join(self.choices)}
        raise InvalidInput.from_key(key, **values)

    def describe(self, answer: Answer) -> str:
        """Return an answer as a sentence has it."""
        return self.choices.get(str(answer), str(answer))

    def card(self) -> Card:
        """Return the card: the question, its choices, and the line that answers it."""
        example = f'"{next(iter(self.choices))}"' if self.choices else "0"
        line = f'workshop.predict("{self.id}", {example})'
        choices = [Note(f"{name}: {text}") for name, text in self.choices.items()]
        how = Note(messages.text("practice.predictions.how", line=line))
        title = messages.text("practice.predictions.title")
        return Card(title, (Note(self.prompt), *choices, how))


@dataclass(frozen=True, repr=False)
class GivenAnswer(Displayable):
    """An answer that was kept; or one that came after the result, with what there is to see."""

    question: Question
    answer: Answer
    seen: Seen

    @property
    def notes(self) -> tuple[Note, ...]:
        """The sentences that answer the learner."""
        if not self.seen:
            return (Note(messages.text("practice.predictions.kept-how")),)
        late = Note(messages.text("practice.predictions.late"), "advice")
        return late, Note(_describe(self.question, self.seen))

    def card(self) -> Card:
        """Return the card: the question, the answer, and where it will be compared."""
        values = {"answer": self.question.describe(self.answer)}
        return Card(
            messages.text("practice.predictions.kept", **values),
            (Note(self.question.prompt), *self.notes),
        )


def find_question(id: object) -> Question:
    """Return the question of a prediction.

    Raises:
        InvalidInput: There is no such prediction.
    """
    if id not in list(PREDICTIONS):
        near = find_nearest(str(id), PREDICTIONS) or next(iter(PREDICTIONS))
        values = {"id": quote(id), "choices": ", ".join(PREDICTIONS), "near": near}
        raise InvalidInput.from_key("practice.predictions.unknown", **values)
    return Question(str(id))


def keep_answer(
    home: Path, question: Question, answer: Answer, seen: Seen, *, clock: Callable[[], datetime]
) -> GivenAnswer:
    """Keep an answer, unless there is something to see already, and return it.

    Raises:
        NotReady: The home folder is not writable.
    """
    if not seen:
        kept = Kept(answer=answer, at=clock().isoformat(timespec="seconds"))
        files.write_state(home / _FILE, {**_read_answers(home), question.id: kept})
    return GivenAnswer(question, answer, seen)


def compare_answers(
    home: Path, verb: str, snapshot: Snapshot, exercise: Exercise
) -> tuple[Note, ...]:
    """Return what the learner said before a result and what it shows; nothing was said, nothing.

    Args:
        home: The home folder.
        verb: The verb that gave the result.
        snapshot: The resources of the result.
        exercise: What is to be built.
    """
    notes = []
    for id, kept in _read_answers(home).items():
        prediction = PREDICTIONS.get(id)
        seen = (
            prediction.look(snapshot, exercise) if prediction and verb in prediction.verbs else {}
        )
        if seen:
            question = Question(id)
            name = "as-said" if kept.answer == seen["seen"] else "otherwise"
            values = {"answer": question.describe(kept.answer), "result": _describe(question, seen)}
            notes.append(
                Note(messages.label("practice.predictions.compared", name, **values), "info")
            )
    return tuple(notes)


def forget_answers(home: Path) -> None:
    """Delete the answers that the home folder keeps."""
    files.delete_file(home / _FILE)


def _list_images(snapshot: Snapshot, exercise: Exercise) -> list[Image]:
    return [image for image in ecr.find_goal_images(snapshot, exercise) if image.tags]


def _read_answers(home: Path) -> dict[str, Kept]:
    return files.read_state(home / _FILE, dict[str, Kept]) or {}


def _describe(question: Question, seen: Seen) -> str:
    values = {**seen, "seen": question.describe(seen["seen"])}
    return messages.label("practice.predictions.result", question.id, **values)
