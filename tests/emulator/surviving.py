"""The whole workshop as a list of verbs, each run with a fault at one of its calls, then again.

    bench = open_bench(running, folder)
    bench.record()
    bench.survives(verb, (call, fault))     what is wrong afterwards, as sentences; none is well

The calls are those that an undisturbed run makes (`recorded`), so a new call is covered the day it
is written.  What stood before a verb in that run is brought back before each fault; what has to
stand after it is what stood after it in that run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, product
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from handson.aws import Aws
from handson.aws.connection import Connection
from handson.aws.emulator import Running
from handson.core.errors import HandsonError, NotAllowed
from handson.course import syllabus
from handson.course.checks import Verification
from handson.course.exercise import Exercise
from handson.course.state import Snapshot
from handson.notebook.evidence_cards import Evidence
from handson.notebook.workshop import Workshop
from handson.resources import cluster
from handson.resources.images import find_images
from handson.resources.receipts import Cleanup
from handson.resources.repository import find_repositories
from tests.conftest import FULL
from tests.emulator import hooks
from tests.emulator.faults import FAULTS, LASTING, Call, Pair, Wire
from tests.emulator.hooks import shape
from tests.emulator.workshops import broken_chain, make_shop, open_workshop
from tests.tally import count


@dataclass(frozen=True)
class Verb:
    """One verb of the workshop, and what of the target it may have changed, unless it only reads.

    `before` makes what it needs and the workshop does not leave.
    """

    name: str
    run: Callable[[Workshop], object]
    seen: Callable[[Aws], object] | None = None
    before: Callable[[Aws], object] = lambda _aws: None


network_seen = shape


def cluster_seen(aws: Aws) -> object:
    return [
        (found.name, found.capacity_providers, found.tagged)
        for found in cluster.find_clusters(aws)
        if not found.is_deleted
    ]


def registry_seen(aws: Aws) -> object:
    return [
        (
            found.name,
            found.tagged,
            [(each.tags, each.digest) for each in find_images(aws, found.name)],
        )
        for found in find_repositories(aws)
    ]


def everything(aws: Aws) -> object:
    return [network_seen(aws), cluster_seen(aws), registry_seen(aws)]


WRITING = ("network", "cluster", "mending", "repository", "cleanup")


def verbs(push: Callable[[Workshop], object]) -> list[Verb]:
    """Return the workshop's verbs in the order of the notebooks; `push` pushes an image."""
    return [
        Verb("network", lambda held: held.ensure_network(), network_seen),
        Verb("cluster", lambda held: held.ensure_cluster(), cluster_seen),
        Verb("mending", lambda held: held.ensure_cluster(), cluster_seen, take_fargate),
        Verb("repository", lambda held: held.ensure_repository(), registry_seen),
        Verb("push", push, registry_seen),
        Verb("images", lambda held: held.images()),
        Verb("run", lambda held: held.run_image()),
        Verb("record", lambda held: held.record_image_uri()),
        *(
            Verb(f"evidence {check}", lambda held, check=check: held.evidence(check))
            for check in syllabus.CHECK_IDS
        ),
        Verb("verify", lambda held: held.verify()),
        Verb("snapshot", lambda held: held.snapshot()),
        Verb("list", lambda held: held.cleanup()),
        Verb("cleanup", lambda held: held.cleanup(confirm="delete"), everything),
    ]


def take_fargate(aws: Aws) -> None:
    """Take the capacity providers away from the cluster, as a learner may have made it."""
    nothing = {"capacityProviders": [], "defaultCapacityProviderStrategy": []}
    aws.call("ecs", "PutClusterCapacityProviders", cluster=Exercise().cluster, **nothing)


@dataclass
class Bench:
    """One workshop on one target, whose calls go over one wire."""

    inside: hooks.Inside
    workshop: Workshop
    wire: Wire
    verbs: Sequence[Verb]
    recorded: dict[str, list[Call]] = field(default_factory=dict)
    expected: dict[str, object] = field(default_factory=dict)
    _before: dict[str, tuple[Any, dict[Path, bytes]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.aws, self.home = self.workshop.aws, self.workshop.settings.home

    def record(self) -> None:
        """Run the workshop undisturbed, and keep its calls and what stood after each verb."""
        for verb in self.verbs:
            verb.before(self.aws)
            files = {path: path.read_bytes() for path in self.home.glob("*.json")}
            self._before[verb.name] = self.inside.door.copy_state(), files
            with self.wire.watched() as calls:
                verb.run(self.workshop)
                self.recorded[verb.name] = list(calls)
            if verb.seen:
                self.expected[verb.name] = verb.seen(self.aws)

    def stand_before(self, verb: Verb) -> None:
        """Bring back what stood before a verb when it was recorded."""
        state, files = self._before[verb.name]
        self.inside.door.restore_state(state)
        for path in {*self.home.glob("*.json")} - files.keys():
            path.unlink()
        for path, content in files.items():
            path.write_bytes(content)

    def survives(self, verb: Verb, pair: Pair) -> list[str]:
        """Run a verb with a fault at one call, run it again, and return what is wrong."""
        call, fault = pair
        self.stand_before(verb)
        with self.wire.broken(pair) as planned:
            wrong = list(self._judged(verb, call, fault))
        wrong += [] if planned.happened else [f"{call} was not made"]
        for path in self.home.glob("*.lock"):
            try:
                with FileLock(path, timeout=0):
                    pass
            except Timeout:
                wrong.append(f"{path.name} is held")
        if fault in LASTING:
            try:
                verb.run(self.workshop)
            except HandsonError as error:
                wrong.append(f"the next run does not complete: {error.problem}")
        if verb.seen:
            seen = verb.seen(self.aws)
            return wrong + [f"stands otherwise: {seen}"] * (seen != self.expected.get(verb.name))
        return wrong + ["the chain of evidence is broken" for _ in broken_chain(self.home)[:1]]

    def _judged(self, verb: Verb, call: Call, fault: str) -> Iterator[str]:
        records = self.workshop.journal().records
        try:
            shown = verb.run(self.workshop)
        except HandsonError as error:
            yield from ("it is sealed" for _ in "1" if self.workshop.journal().records != records)
            yield from (f"not healed: {error.problem}" for _ in "1" if fault not in LASTING)
            yield from _misexplained(error, call, fault)
        except BaseException as error:  # whatever leaves a verb is judged
            yield f"raised {error!r}"
        else:
            if fault in LASTING and not _is_told_by_its_checks(shown, call, fault):
                yield f"went on although {fault}"


def _is_told_by_its_checks(shown: object, call: Call, fault: str) -> bool:
    """Tell whether a result says "could not look" for the checks of a failed service, and no other.

    A clean-up names what it could not list, delete or price, and goes on.  A snapshot leaves out
    another repository whose tags may not be read, and never the exercise's own.

    Evidence of a check that does not need the service says nothing of it.  Where all of a region is
    gone, others that were under way may have failed, too.
    """
    if isinstance(shown, Evidence):
        return call.service not in syllabus.find_check(shown.record["check"]).services
    if isinstance(shown, Snapshot):
        return [it.name for it in shown.repositories] == [Exercise().repository]
    if isinstance(shown, Cleanup):
        return bool(shown.left or shown.unpriced or shown.unread)
    if not isinstance(shown, Verification):
        return False
    unseen = {
        check.id
        for check in shown.checks
        if [cause.code for cause in check.diagnoses] == ["could-not-look"]
    }
    failed = {check.id for check in syllabus.CHECKS if call.service in check.services}
    return failed <= unseen if fault == "gone" else failed == unseen


def _misexplained(error: HandsonError, call: Call, fault: str) -> Iterator[str]:
    """Yield what is wrong with what the learner is told."""
    problem, remedy = error.lines()
    if "\n" in problem or "\n" in remedy or not (error.problem and error.remedy):
        yield f"told in other than two lines: {error}"
    if fault == "denied" and (call.kind not in problem or call.kind not in remedy):
        yield f"the missing permission is not named: {error}"
    if fault == "expired" and "sso login" not in remedy:
        yield f"it is not said to sign in again: {error}"
    if fault == "gone" and "127.0.0.1" not in problem and "AWS" not in problem:
        yield f"it is not said where nobody answers: {error}"
    if (fault in ("denied", "expired")) != isinstance(error, NotAllowed):
        yield f"told as {type(error).__name__}: {error}"


KINDS = (("throttled", "failed"), ("refused", "cut", "timeout"), ("lost",), LASTING)
"""Faults that a verb meets in the same way; those of a kind take turns."""


def deal(recorded: Mapping[str, Sequence[Call]], *, full: bool = FULL) -> dict[str, list[Pair]]:
    """Return which faults each verb's calls meet.

    Each operation meets one fault of each kind, at calls from the first to the last of all verbs;
    in full, each call meets each fault.
    """
    if full:
        return {name: list(product(calls, FAULTS)) for name, calls in recorded.items()}
    turns = [cycle(kind) for kind in KINDS]
    made: dict[str, list[tuple[str, Call]]] = defaultdict(list)
    for name, calls in recorded.items():
        for call in calls:
            made[call.kind].append((name, call))
    dealt: dict[str, list[Pair]] = {name: [] for name in recorded}
    for calls_of_a_kind in made.values():
        for number, turn in enumerate(turns):
            name, call = calls_of_a_kind[number * len(calls_of_a_kind) // len(turns)]
            dealt[name].append((call, next(turn)))
    return dealt


def open_bench(inside: hooks.Inside, folder: Path, *, kind: str = "emulator") -> Bench:
    """Return a bench on an empty target in which somebody else has made things of their own.

    The kind "aws" has the workshop take the target for real AWS; it pushes no image there.
    """
    real, wire = kind == "aws", Wire()
    way = [wire, hooks.LikeAws(inside)] if real else [wire]
    aws = hooks.connect(inside, *way, kind=kind)
    aws.call("ecs", "CreateCluster", clusterName="somebody-elses")
    aws.call("ecr", "CreateRepository", repositoryName="somebody-elses")
    aws.call("ec2", "CreateVpc", CidrBlock="10.9.0.0/16")
    held = open_workshop(
        folder / "home",
        endpoint_url=None if real else inside.endpoint,
        environ={"HANDSON_TARGET": "aws", "HANDSON_AWS_ACCOUNT": inside.account} if real else {},
        ways={"connect": lambda _settings: Connection(aws)},
    )
    local = held.build_image(make_shop(folder))
    all_verbs = verbs(lambda held: held.push_image(local))
    chosen = [verb for verb in all_verbs if verb.name in WRITING] if real else all_verbs
    return Bench(inside, held, wire, chosen)


def running_at(endpoint: str) -> Running:
    """Return another emulator as if it were the embedded AWS."""
    port = int(endpoint.rpartition(":")[2])
    return Running(pid=0, port=port, region="us-east-1", state="running")


def survive(bench: Bench, dealt: Mapping[str, Sequence[Pair]], verb: Verb) -> list[str]:
    """Have a verb meet its faults, one after another; return what did not survive."""
    wrong = []
    for pair in dealt[verb.name]:
        found = bench.survives(verb, pair)
        if not count("faults survived", not found):
            wrong.append(f"{pair[0]} · {pair[1]}: {'; '.join(found)}")
    return wrong
