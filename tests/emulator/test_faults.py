"""Every kind of call of the whole workshop meets every kind of fault, one at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import cycle, product
from pathlib import Path

import pytest
from msgspec.structs import replace

from handson.aws import Aws
from handson.core.errors import AWSUnclear, HandsonError, NotAllowed
from handson.course.exercise import Exercise
from handson.notebook.workshop import Workshop
from handson.resources import cleanup, cluster, receipts
from handson.resources.repository import ensure_repository
from tests.conftest import FULL
from tests.emulator.faults import FAULTS, LASTING, TRANSIENT, Call, Pair
from tests.emulator.hooks import Inside, reset
from tests.emulator.surviving import (
    Bench,
    Verb,
    deal,
    network_seen,
    open_bench,
    survive,
    verbs,
)
from tests.tally import count

pytestmark = pytest.mark.emulator

# The workshop

VERBS = [verb.name for verb in verbs(push=print)]


@pytest.fixture(scope="module")
def recorded(inside: Inside, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    reset(inside)
    bench = open_bench(inside, tmp_path_factory.mktemp("faults"))
    bench.record()
    return bench


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_survives_faults(recorded: Bench, name: str) -> None:
    [verb] = [verb for verb in recorded.verbs if verb.name == name]
    assert survive(recorded, deal(recorded.recorded), verb) == []


@pytest.mark.full
def test_lost_replies_make_nothing_twice_with_the_patience_for_real_aws(
    emulator: Inside, tmp_path: Path
) -> None:
    bench = open_bench(emulator, tmp_path, kind="aws")
    bench.record()
    dealt = {
        name: [(call, "lost") for call in calls if not call.reads]
        for name, calls in bench.recorded.items()
    }
    wrong = {verb.name: survive(bench, dealt, verb) for verb in bench.verbs}
    assert {name: found for name, found in wrong.items() if found} == {}


# Other regions


TOKYO = "ap-northeast-1"


def make_in_tokyo(aws: Aws) -> None:
    """Make a cluster and a repository of the workshop's where a learner did not mean to."""
    tokyo = aws.in_region(TOKYO)
    cluster.ensure_cluster(tokyo, cluster.ClusterForm())
    ensure_repository(tokyo, Exercise().repository)


@pytest.fixture
def elsewhere(emulator: Inside, tmp_path: Path) -> Bench:
    """Return a bench of what asks other regions: nothing is here, and something in Tokyo."""
    bench = open_bench(emulator, tmp_path)
    tokyo = replace(bench.aws.target, region=TOKYO)
    receipts.remember_region(bench.home, tokyo)
    bench.verbs = [
        Verb("verify", lambda held: held.verify(), before=make_in_tokyo),
        Verb("cleanup", lambda held: held.cleanup(confirm="delete"), before=make_in_tokyo),
    ]
    bench.record()
    return bench


def in_tokyo(bench: Bench, name: str) -> list[Pair]:
    """Return calls of a verb to Tokyo and what they meet.

    The first call of each operation meets a fault that lasts, all of these in turn; some meet one
    that passes, and writes the lost reply.
    """
    calls = [call for call in bench.recorded[name] if call.region == TOKYO]
    if FULL:
        return list(product(calls, FAULTS))
    first = {call.kind: call for call in reversed(calls)}.values()
    lost = [(call, "lost") for call in calls if not call.reads]
    return [*zip(first, cycle(LASTING), strict=False), *lost, *zip(calls, TRANSIENT, strict=False)]


@pytest.mark.full
def test_a_clean_up_survives_faults_in_another_region(elsewhere: Bench) -> None:
    pairs = in_tokyo(elsewhere, "cleanup")
    wrong = [str((pair, found)) for pair in pairs if (found := not_cleaned(elsewhere, pair))]
    assert ({fault for _, fault in pairs}, wrong) == (set(FAULTS), [])


def not_cleaned(bench: Bench, pair: Pair) -> str:
    """Clean up with a fault in Tokyo; return what is wrong.

    Where the fault lasts, Tokyo is told as left, and the next clean-up goes on there.
    """
    bench.stand_before(bench.verbs[1])
    with bench.wire.broken(pair) as planned:
        done = bench.workshop.cleanup(confirm="delete")
    lasts = pair[1] in LASTING
    told = sorted({removal.resource.region for removal in (*done.left, *done.unpriced)})
    left = () if lasts else cleanup.list_cleanup(bench.aws.in_region(TOKYO), bench.home).found
    found = "" if planned.happened else "the call was not made; "
    found += f"told as left: {told}; " if told != ([TOKYO] if lasts else []) else ""
    found += f"left: {left}" if left else ""
    count("faults survived", not found)
    return found


def test_a_look_at_another_region_that_fails_changes_no_verdict(elsewhere: Bench) -> None:
    def verdict() -> list[tuple[str, ...]]:
        """Return the facts of each check that hold."""
        checked = elsewhere.workshop.verify().checks
        return [tuple(fact.id for fact in check.facts if fact.passed) for check in checked]

    elsewhere.stand_before(elsewhere.verbs[0])
    expected, wrong = verdict(), []
    for pair in in_tokyo(elsewhere, "verify"):
        elsewhere.workshop.aws.looks_elsewhere = True  # it stops with the first denial
        with elsewhere.wire.broken(pair) as planned:
            survived = (verdict(), planned.happened) == (expected, True)
        wrong += [] if count("faults survived", survived) else [pair]
    assert (len(expected), wrong) == (5, [])


# What would not survive is found

VPC = {"CidrBlock": "10.8.0.0/16"}


def make(held: Workshop) -> None:
    held.aws.call("ec2", "CreateVpc", **VPC)


def make_blindly(held: Workshop) -> None:
    for _ in range(2):
        with contextlib.suppress(AWSUnclear):
            return make(held)
    return None


def make_and_drop(held: Workshop) -> None:
    held.aws.client("ec2").create_vpc(**VPC)


def make_and_say_little(held: Workshop) -> None:
    try:
        make(held)
    except HandsonError:
        raise NotAllowed("You may not.", "Ask somebody.") from None


FOUND: list[tuple[Callable[[Workshop], None], dict[str, str]]] = [
    (make_blindly, {"lost": "stands otherwise"}),
    (make_and_drop, {"cut": "ConnectionClosedError", "denied": "raised ClientError"}),
    (
        make_and_say_little,
        {
            "denied": "the missing permission is not named",
            "expired": "it is not said to sign in again",
            "gone": "it is not said where nobody answers",
        },
    ),
]


def test_a_verb_that_does_not_survive_or_meets_no_fault_is_found(
    emulator: Inside, tmp_path: Path
) -> None:
    bench = open_bench(emulator, tmp_path)
    bench.verbs = [Verb("verb", make, network_seen)]
    bench.record()
    call = Call("ec2", "CreateVpc", 1)
    for run, found in FOUND:
        verb = Verb("verb", run, network_seen)
        seen = {fault: "; ".join(bench.survives(verb, (call, fault))) for fault in found}
        assert {fault: said for fault, said in seen.items() if found[fault] not in said} == {}
    never = bench.survives(bench.verbs[0], (Call("ec2", "CreateVpc", 2), "lost"))
    assert never == ["ec2:CreateVpc #2 was not made"]
