"""Predictions: a question before a cell, whose answer the result of the cell shows.

A prediction is never graded.  The home folder keeps the last answer before the result, with its
time.  What there is to see is read from the described state, so that other settings are compared
with what they made.  The catalogue of messages has the question, its choices by name, and the
sentence that says what there is to see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from handson.core import files, messages
from handson.core.cards import Card, Displayable, Note
from handson.core.text import check_choice
from handson.course.checks import network_facts
from handson.course.checks import repository as ecr
from handson.course.exercise import Exercise
from handson.course.state import Image, Snapshot

ANSWERS = files.KeptState("predictions.json", dict[str, dict[str, str]])
"""The last answer to each prediction before its result, with its time."""

Seen = Mapping[str, str]
"""The right choice as `seen`, and what else the sentence names; empty before the result."""


def count_route_tables(snapshot: Snapshot, exercise: Exercise) -> Seen:
    """Return how many route tables the VPC has, and how many of them the form made."""
    vpc = network_facts.find_goal_vpc(snapshot, exercise)
    count = len(vpc.route_tables) if vpc else 0
    return {"seen": str(count), "made": str(count - 1)} if count else {}


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
    tags = {image.digest: image.tags for image in _list_images(snapshot, exercise)}
    most = max(tags, key=lambda digest: len(tags[digest]), default="")
    seen = "same" if most and len(tags[most]) > 1 else "other"
    return {"seen": seen, "digest": most[:19]} if sum(map(len, tags.values())) > 1 else {}


def count_images(snapshot: Snapshot, exercise: Exercise) -> Seen:
    """Return how many images there are, where the learner chose two tags for the only content."""
    images = _list_images(snapshot, exercise)
    if len(images) != 1 or len(images[0].tags) < 2:
        return {}
    return {"seen": "1", "tags": str(len(images[0].tags))}


_NETWORK, _CLUSTER, _IMAGES = ("ensure_network",), ("ensure_cluster",), ("tag_image", "images")
PREDICTIONS: Mapping[str, tuple[tuple[str, ...], Callable[[Snapshot, Exercise], Seen]]] = {
    "route-tables": (_NETWORK, count_route_tables),
    "main-route": (_NETWORK, find_default_table),
    "cluster-in-vpc": (_CLUSTER, locate_cluster),
    "second-tag-digest": (_IMAGES, compare_digests),
    "images-after-second-tag": (_IMAGES, count_images),
}
"""By id the verbs whose results compare the answer, and what returns the right one."""


class Prediction(Displayable, Struct, frozen=True):
    """A question, the learner's answer if there is one, and what there was to see before it."""

    id: str
    answer: str = ""
    seen: Seen = field(default_factory=dict)

    def card(self) -> Card:
        """Return the card: the question with the line that answers it, or what became of it."""
        lines = [f"{name}: {text}" for name, text in list_choices(self.id).items()]
        lines.append(messages.text("practice.predictions.how", id=self.id))
        if self.answer:
            said = list_choices(self.id)[self.answer]
            kept = messages.text("practice.predictions.kept", answer=said)
            lines = [kept, messages.text("practice.predictions.kept-how")]
            if self.seen:
                late = messages.text("practice.predictions.late")
                lines = [kept, late, _describe(self.id, self.seen)]
        question = messages.label("practice.predictions.question", self.id)
        title = messages.text("practice.predictions.title")
        return Card(title, tuple(map(Note, [question, *lines])))


def list_choices(id: str) -> dict[str, str]:
    """Return the choices of a prediction, in the order of the catalogue: what each name says."""
    names = messages.group(f"practice.predictions.choice.{id}")
    return {it: messages.label("practice.predictions.choice", f"{id}.{it}") for it in names}


def find_prediction(id: object, answer: object = None) -> Prediction:
    """Return a prediction, with an answer if one is given.

    Raises:
        InvalidInput: There is no such prediction, or it does not take this answer.
    """
    known = check_choice("practice.predictions.unknown", id, PREDICTIONS)
    if answer in (None, ""):
        return Prediction(known)
    refusal = "practice.predictions.no-choice"
    return Prediction(known, check_choice(refusal, str(answer), list_choices(known), id=known))


def recall_answer(home: Path, asked: Prediction) -> Prediction:
    """Return a prediction with the answer that the home folder keeps, if there is one."""
    answer = (ANSWERS.read(home) or {}).get(asked.id, {}).get("answer", "")
    return replace(asked, answer=answer) if answer in list_choices(asked.id) else asked


def keep_answer(
    home: Path, made: Prediction, snapshot: Snapshot, exercise: Exercise, *, at: datetime
) -> Prediction:
    """Keep an answer, unless there is something to see already, and return it.

    Raises:
        NotReady: The home folder is not writable.
    """
    _, look = PREDICTIONS[made.id]
    seen = look(snapshot, exercise)
    if not seen:
        kept = {"answer": made.answer, "at": at.isoformat(timespec="seconds")}
        ANSWERS.write(home, {**(ANSWERS.read(home) or {}), made.id: kept})
    return Prediction(made.id, made.answer, seen)


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
    for id, kept in (ANSWERS.read(home) or {}).items():
        verbs, look = PREDICTIONS.get(id, ((), count_images))
        if verb in verbs and (seen := look(snapshot, exercise)):
            answer = kept.get("answer", "")
            name = "as-said" if answer == seen["seen"] else "otherwise"
            values = {"answer": list_choices(id).get(answer, answer), "result": _describe(id, seen)}
            said = messages.label("practice.predictions.compared", name, **values)
            notes.append(Note(said, "info"))
    return tuple(notes)


def _list_images(snapshot: Snapshot, exercise: Exercise) -> list[Image]:
    return [image for image in ecr.find_goal_images(snapshot, exercise) if image.tags]


def _describe(id: str, seen: Seen) -> str:
    said = list_choices(id).get(seen["seen"], seen["seen"])
    return messages.label("practice.predictions.result", id, **{**seen, "seen": said})
