"""Tasks without code: said in one sentence, done with the verbs, judged by a look at the state.

A task is never graded, and its judgement says what is wrong and not how to do it.  What belongs to
the exercise has to be as it was.  Some tasks have two phases, such as to break and to mend: the
home folder keeps that the first one was seen, and which tasks are done.

Each function in `TASKS` judges one task.  Its sentences are in the catalogue of messages: `task`,
and one for each finding that the function returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path

from msgspec.structs import replace

from handson.core import files, messages
from handson.core.cards import Card, Displayable, Note
from handson.core.errors import InvalidInput
from handson.core.text import find_nearest, quote
from handson.course import checks, rules
from handson.course.checks import cluster, network_facts
from handson.course.checks import repository as ecr
from handson.course.exercise import FARGATE, Exercise
from handson.course.state import Image, Snapshot, State

_FILE = "tasks.json"
_STATES = {"untouched": "info", "wrong": "bad", "half": "advice", "done": "ok"}
BLOCK_PREFIX = 20
"""The prefix of the subnets that the form makes in a large VPC."""


class Progress(State, frozen=True, kw_only=True):
    """How far a task is: its first phase was seen, it was done, and what it left behind."""

    begun: bool = False
    done_at: str = ""
    left: str = ""


@dataclass(frozen=True)
class Case:
    """What a task is judged by: the state, the learner's answer, and how far the tasks are."""

    snapshot: Snapshot
    exercise: Exercise
    progress: Mapping[str, Progress]
    answer: object = None

    def list_failing(self, check: str) -> list[str]:
        """Return the labels of the facts of a check that are false now."""
        facts = checks.run_check(check, self.snapshot, self.exercise).facts
        return [fact.label for fact in facts if not fact.passed and not fact.advice]

    def has_begun(self, task: str) -> bool:
        """Tell whether the first phase of a task was seen."""
        return task in self.progress and self.progress[task].begun


@dataclass(frozen=True)
class Finding:
    """A judgement: a key of `_STATES`, the sentence's name, its values, what the task leaves."""

    state: str
    name: str
    values: Mapping[str, object] = field(default_factory=dict)
    left: str = ""


UNTOUCHED, DONE = Finding("untouched", "task"), Finding("done", "done")


def judge_other_network(case: Case) -> Finding:
    """Judge whether there is a second VPC, as large as AWS allows, and its /20 are counted."""
    goal = network_facts.find_goal_vpc(case.snapshot, case.exercise)
    name = case.exercise.network.vpc_name
    own = [vpc for vpc in case.snapshot.vpcs if vpc.tagged and not vpc.is_default]
    others = [vpc for vpc in own if vpc != goal and vpc.name != name]
    if not others:
        return UNTOUCHED
    if failing := case.list_failing("network"):
        return Finding("wrong", "exercise", {"what": ", ".join(failing)})
    largest = min(others, key=lambda vpc: ip_network(vpc.cidr).prefixlen)
    prefix = ip_network(largest.cidr).prefixlen
    values = {"name": largest.name, "cidr": largest.cidr, "block": f"/{BLOCK_PREFIX}"}
    if prefix > rules.LARGEST_BLOCK:
        return Finding("wrong", "larger", values)
    if case.answer is None:
        return Finding("half", "count", values)
    if type(case.answer) is not int or case.answer != 1 << BLOCK_PREFIX - prefix:
        return Finding("wrong", "miscounted", {**values, "answer": quote(case.answer)})
    return DONE


def judge_broken_route(case: Case) -> Finding:
    """Judge whether the default route went and came back."""
    check = checks.run_check("network", case.snapshot, case.exercise)
    failing = [fact.id for fact in check.facts if not fact.passed]
    if "vpc.exists" in failing:
        return UNTOUCHED
    if not failing:
        return DONE if case.has_begun("broken-route") else UNTOUCHED
    if failing == ["routes.default"]:
        return Finding("half", "broken", {"fact": case.list_failing("network")[0]})
    return Finding("wrong", "exercise", {"what": ", ".join(case.list_failing("network"))})


def judge_spot_only(case: Case) -> Finding:
    """Judge whether the cluster took Spot alone and takes Fargate again."""
    found = cluster.find_goal_cluster(case.snapshot, case.exercise)
    providers = found.capacity_providers if found else (FARGATE,)
    if providers == (rules.FARGATE_SPOT,):
        return Finding("half", "spot")
    if FARGATE not in providers:
        return Finding("wrong", "providers", {"providers": ", ".join(providers) or "-"})
    return DONE if case.has_begun("spot-only") else UNTOUCHED


def judge_second_version(case: Case) -> Finding:
    """Judge whether another image is there under a tag of its own, and the shared tag is on it."""
    images, shared = _list_images(case), case.exercise.tag
    before = case.progress.get("second-version", Progress()).left
    if before in [image.digest for image in images]:
        return Finding("done", "done", left=before)
    if len(images) < 2:
        return UNTOUCHED
    newest, now = ecr.find_newest_image(images), ecr.find_tagged_image(images, shared)
    assert newest is not None
    if now and now.pushed_at == newest.pushed_at:  # within a second
        newest = now
    if not {*ecr.list_chosen_tags(newest)} - {shared}:
        return Finding("wrong", "no-own-tag", {"tags": ", ".join(newest.tags)})
    if shared not in newest.tags:
        return Finding("half", "behind", {"tags": ", ".join(newest.tags), "tag": shared})
    return Finding("done", "done", left=newest.digest)


def judge_roll_back(case: Case) -> Finding:
    """Judge whether the shared tag is back on another image than the second version."""
    images, shared = _list_images(case), case.exercise.tag
    second = case.progress.get("second-version", Progress()).left
    now = ecr.find_tagged_image(images, shared)
    if not second:
        return Finding("wrong", "second-first")
    if now is None or second not in [image.digest for image in images]:
        return Finding("wrong", "gone", {"tag": shared})
    return UNTOUCHED if now.digest == second else DONE


TASKS: Mapping[str, Callable[[Case], Finding]] = {
    "other-network": judge_other_network,
    "broken-route": judge_broken_route,
    "spot-only": judge_spot_only,
    "second-version": judge_second_version,
    "roll-back": judge_roll_back,
}


@dataclass(frozen=True, repr=False)
class TaskReport(Displayable):
    """What there is of a task; `done_at` is when it was done, or empty."""

    id: str
    finding: Finding
    done_at: str = ""

    def card(self) -> Card:
        """Return the card: the task where nothing was done, else what was found."""
        finding, state = self.finding, _STATES[self.finding.state]
        found = f"{self.id}.{finding.name}"
        parts = [Note(messages.label("practice.tasks.finding", found, **finding.values))]
        if self.done_at and finding.state != "done":
            parts.append(Note(messages.text("practice.tasks.before", at=self.done_at), "ok"))
        task = messages.label("practice.tasks.label", self.id)
        title = messages.label("practice.tasks.title", finding.state, task=task)
        return Card(title, parts, state=state)


def check_task_id(id: object) -> str:
    """Return the id of a task.

    Raises:
        InvalidInput: There is no such task.
    """
    if id not in list(TASKS):
        near = find_nearest(str(id), TASKS) or next(iter(TASKS))
        values = {"id": quote(id), "choices": ", ".join(TASKS), "near": near}
        raise InvalidInput.from_key("practice.tasks.unknown", **values)
    return str(id)


def judge_task(
    id: str,
    snapshot: Snapshot,
    *,
    answer: object,
    home: Path,
    exercise: Exercise,
    clock: Callable[[], datetime],
) -> TaskReport:
    """Judge a task, keep how far it is, and return what was found."""
    progress = _read_progress(home)
    finding = TASKS[id](Case(snapshot, exercise, progress, answer))
    own = progress.get(id, Progress())
    if finding.state == "half":
        own = replace(own, begun=True)
    if finding.state == "done":
        own = replace(
            own, left=finding.left, done_at=own.done_at or f"{clock():%Y-%m-%d %H:%M} UTC"
        )
    _keep(home, progress, id, own)
    return TaskReport(id, finding, own.done_at)


def begin_task(home: Path, id: str) -> None:
    """Keep that the first phase of a task was done, for which a verb was called."""
    progress = _read_progress(home)
    _keep(home, progress, id, replace(progress.get(id, Progress()), begun=True))


def forget_tasks(home: Path) -> None:
    """Delete what the home folder keeps of tasks."""
    files.delete_file(home / _FILE)


def _list_images(case: Case) -> list[Image]:
    images = ecr.find_goal_images(case.snapshot, case.exercise)
    return [image for image in images if image.tags]


def _read_progress(home: Path) -> dict[str, Progress]:
    return files.read_state(home / _FILE, dict[str, Progress]) or {}


def _keep(home: Path, progress: Mapping[str, Progress], id: str, own: Progress) -> None:
    if own != progress.get(id, Progress()):
        files.write_state(home / _FILE, {**progress, id: own})
