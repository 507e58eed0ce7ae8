"""Tasks without code: said in one sentence, done with the verbs, judged by a look at the state.

A task is never graded, and its judgement says what is wrong and not how to do it.  What belongs to
the exercise has to be as it was.  Some tasks have two phases, such as to break and to mend: the
home folder keeps that the first one was seen, and which tasks are done.

Each function in `TASKS` returns the name of a sentence of the task in the catalogue of messages,
and its values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path

from msgspec import Struct

from handson.core import files, messages
from handson.core.cards import Card, Displayable, Note
from handson.core.text import quote
from handson.course import checks, rules
from handson.course.checks import cluster, network_facts
from handson.course.checks import repository as ecr
from handson.course.exercise import FARGATE, Exercise
from handson.course.state import Image, Snapshot

KEPT = files.KeptState("tasks.json", dict[str, str])
"""How far each task is, and when it was done first."""
_PREFIX = 20
"""The prefix of the subnets that the form makes in a large VPC."""

Finding = tuple[str, Mapping[str, object]]
TASK: Finding = ("task", {})
DONE: Finding = ("done", {})
_HALF = ("count", "broken", "spot", "behind")
"""The sentences on a task whose first phase is done."""


class Case(Struct, frozen=True):
    """What a task is judged by: the state, what the home folder keeps, and the learner's answer."""

    snapshot: Snapshot
    exercise: Exercise
    kept: Mapping[str, str]
    answer: object = None

    def find_failing(self) -> dict[str, str]:
        """Return the labels of the facts of the network that are false now, by id."""
        result = checks.run_check("network", self.snapshot, self.exercise)
        return {fact.id: fact.label for fact in result.facts if not fact.passed}

    def list_images(self) -> dict[str, Image]:
        """Return the tagged images by digest."""
        images = ecr.find_goal_images(self.snapshot, self.exercise)
        return {image.digest: image for image in images if image.tags}


def judge_other_network(case: Case) -> Finding:
    """Judge whether there is a second VPC, as large as AWS allows, and its /20 are counted."""
    goal = network_facts.find_goal_vpc(case.snapshot, case.exercise)
    own = [vpc for vpc in case.snapshot.vpcs if vpc.tagged and not vpc.is_default]
    sizes = {vpc.name: vpc.cidr for vpc in own if vpc != goal}
    if not sizes:
        return TASK
    if failing := case.find_failing():
        return "exercise", {"what": ", ".join(failing.values())}
    name = min(sizes, key=lambda name: ip_network(sizes[name]).prefixlen)
    prefix, values = ip_network(sizes[name]).prefixlen, {"name": name, "cidr": sizes[name]}
    if prefix > rules.LARGEST_BLOCK:
        return "larger", values
    if case.answer is None:
        return "count", {**values, "block": f"/{_PREFIX}"}
    if type(case.answer) is int and case.answer == 1 << _PREFIX - prefix:
        return DONE
    return "miscounted", {**values, "block": f"/{_PREFIX}", "answer": quote(case.answer)}


def judge_broken_route(case: Case) -> Finding:
    """Judge whether the default route went and came back."""
    failing = case.find_failing()
    if "vpc.exists" in failing or (not failing and "broken-route.begun" not in case.kept):
        return TASK
    if list(failing) == ["routes.default"]:
        return "broken", {"fact": failing["routes.default"]}
    return ("exercise", {"what": ", ".join(failing.values())}) if failing else DONE


def judge_spot_only(case: Case) -> Finding:
    """Judge whether the cluster took Spot alone and takes Fargate again."""
    found = cluster.find_goal_cluster(case.snapshot, case.exercise)
    if found is None:
        return TASK
    providers = found.capacity_providers
    if providers == (rules.FARGATE_SPOT,):
        return "spot", {}
    if FARGATE not in providers:
        return "providers", {"providers": ", ".join(providers) or "-"}
    return DONE if "spot-only.begun" in case.kept else TASK


def judge_second_version(case: Case) -> Finding:
    """Judge whether another image is there under a tag of its own, and the shared tag is on it."""
    images, shared = case.list_images(), case.exercise.tag
    before = case.kept.get("second-version.digest", "")
    if before in images:
        return "done", {"digest": before}
    if len(images) < 2:
        own = sorted({tag for image in images.values() for tag in image.tags} - {shared})
        return ("same", {"tags": ", ".join(own)}) if len(own) > 1 else TASK
    # Two pushes within a second: the shared tag tells which of them is the second version.
    newest = max(images.values(), key=lambda image: (image.pushed_at, shared in image.tags))
    if not {*newest.tags} - {shared}:
        return "no-own-tag", {"tags": ", ".join(newest.tags)}
    if shared not in newest.tags:
        return "behind", {"tags": ", ".join(newest.tags), "tag": shared}
    return "done", {"digest": newest.digest}


def judge_roll_back(case: Case) -> Finding:
    """Judge whether the shared tag is back on another image than the second version."""
    images, shared = case.list_images(), case.exercise.tag
    second = case.kept.get("second-version.digest")
    if not second:
        return "second-first", {}
    now = [digest for digest, image in images.items() if shared in image.tags]
    if not now or second not in images:
        return "gone", {"tag": shared}
    return TASK if now == [second] else DONE


TASKS: Mapping[str, Callable[[Case], Finding]] = {
    "other-network": judge_other_network,
    "broken-route": judge_broken_route,
    "spot-only": judge_spot_only,
    "second-version": judge_second_version,
    "roll-back": judge_roll_back,
}


class TaskReport(Displayable, Struct, frozen=True):
    """What was found of a task; `done_at` is when it was done first, or empty."""

    id: str
    finding: Finding
    done_at: str = ""

    @property
    def state(self) -> str:
        """Return task, half, wrong or done."""
        name, _ = self.finding
        return name if name in ("task", "done") else "half" if name in _HALF else "wrong"

    def card(self) -> Card:
        """Return the card: the task where nothing was done, else what was found."""
        name, values = self.finding
        parts = [Note(messages.label("practice.tasks.finding", f"{self.id}.{name}", **values))]
        if self.done_at and self.state != "done":
            parts.append(Note(messages.text("practice.tasks.before", at=self.done_at), "ok"))
        task = messages.label("practice.tasks.label", self.id)
        marks = {"task": "info", "half": "advice", "wrong": "bad", "done": "ok"}
        title = messages.label("practice.tasks.title", self.state, task=task)
        return Card(title, parts, state=marks[self.state])


def judge_task(id: str, case: Case, home: Path, *, clock: Callable[[], datetime]) -> TaskReport:
    """Judge a task, keep how far it is, and return what was found."""
    report = TaskReport(id, TASKS[id](case), case.kept.get(id, ""))
    if report.state == "half":
        begin_task(home, id)
    if report.state == "done":
        left = {f"{id}.{name}": str(value) for name, value in report.finding[1].items()}
        at = report.done_at or f"{clock():%Y-%m-%d %H:%M} UTC"
        KEPT.write(home, {**(KEPT.read(home) or {}), id: at, **left})
    return report


def begin_task(home: Path, id: str) -> None:
    """Keep that the first phase of a task was done."""
    KEPT.write(home, {**(KEPT.read(home) or {}), f"{id}.begun": "yes"})
