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
from handson.resources import cleanup, cluster
from handson.resources.repository import ensure_repository
from tests.conftest import FULL
from tests.emulator.faults import FAULTS, LASTING, TRANSIENT, Call, Pair
from tests.emulator.hooks import Inside, reset
from tests.emulator.surviving import (
    Bench,
    Verb,
    deal,
    lost_replies,
    network_seen,
    open_bench,
    survive,
    verbs,
)
from tests.tally import tally

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


def test_lost_replies_make_nothing_twice_with_the_patience_for_real_aws(
    emulator: Inside, tmp_path: Path
) -> None:
    bench = open_bench(emulator, tmp_path, kind="aws")
    bench.record()
    dealt = lost_replies(bench.recorded)
    wrong = {verb.name: survive(bench, dealt, verb) for verb in bench.verbs}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_each_operation_is_dealt_one_fault_of_each_kind_and_each_fault_is_dealt() -> None:
    calls = {
        "make": [Call("ec2", "CreateVpc", 1), Call("ec2", "DescribeVpcs", 1)],
        "look": [Call("ec2", "DescribeVpcs", 1), Call("sts", "GetCallerIdentity", 1)],
    }
    dealt = deal(calls, full=False)
    met: dict[str, list[str]] = {}
    for call, fault in [*dealt["make"], *dealt["look"]]:
        met.setdefault(call.operation, []).append(fault)
    assert met == {
        "CreateVpc": ["throttled", "refused", "lost", "denied"],
        "DescribeVpcs": ["failed", "cut", "lost", "expired"],
        "GetCallerIdentity": ["throttled", "timeout", "lost", "gone"],
    }
    assert [call.operation for call, _ in dealt["look"]].count("DescribeVpcs") == 2


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
    cleanup.remember_region(bench.home, tokyo)
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
    told = [removal.resource.region for removal in done.left]
    left = () if lasts else cleanup.find_tagged(bench.aws.in_region(TOKYO))
    found = "" if planned.happened else "the call was not made; "
    found += f"told as left: {told}; " if told != ([TOKYO] if lasts else []) else ""
    found += f"left: {left}" if left else ""
    tally("faults survived", "MiniStack").count(not found)
    return found


def test_a_look_at_another_region_that_fails_changes_no_verdict(elsewhere: Bench) -> None:
    elsewhere.stand_before(elsewhere.verbs[0])
    expected = verdict(elsewhere.workshop)
    wrong = []
    for pair in in_tokyo(elsewhere, "verify"):
        with elsewhere.wire.broken(pair) as planned:
            survived = (verdict(elsewhere.workshop), planned.happened) == (expected, True)
        wrong += [] if tally("faults survived", "MiniStack").count(survived) else [pair]
    assert (len(expected), wrong) == (5, [])


def verdict(held: Workshop) -> list[tuple[str, ...]]:
    """Return the facts of each check that hold."""
    checked = held.verify().checks
    return [tuple(fact.id for fact in check.facts if fact.passed) for check in checked]


# What would not survive is found

CIDR = "10.8.0.0/16"


def bench_of(run: Callable[[Workshop], object], emulator: Inside, folder: Path) -> Bench:
    """Return a bench whose only verb is this one."""
    bench = open_bench(emulator, folder)
    bench.verbs = [Verb("verb", run, network_seen)]
    bench.record()
    return bench


def make(held: Workshop) -> None:
    held.aws.call("ec2", "CreateVpc", CidrBlock=CIDR)


def make_blindly(held: Workshop) -> None:
    for _ in range(2):
        with contextlib.suppress(AWSUnclear):
            return make(held)
    return None


def make_and_drop(held: Workshop) -> None:
    held.aws.client("ec2").create_vpc(CidrBlock=CIDR)


def make_and_say_little(held: Workshop) -> None:
    try:
        make(held)
    except HandsonError:
        raise NotAllowed("You may not.", "Ask somebody.") from None


def make_and_take(held: Workshop) -> None:
    make(held)
    for vpc in held.aws.call("ec2", "DescribeVpcs")["Vpcs"]:
        if vpc["CidrBlock"] == "10.9.0.0/16":
            held.aws.call("ec2", "DeleteVpc", VpcId=vpc["VpcId"])


@pytest.mark.parametrize(
    ("run", "found"),
    [
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
    ],
)
def test_a_verb_that_does_not_survive_is_found(
    emulator: Inside, tmp_path: Path, run: Callable[[Workshop], object], found: dict[str, str]
) -> None:
    bench = bench_of(run, emulator, tmp_path)
    call = Call("ec2", "CreateVpc", 1)
    seen = {fault: "; ".join(bench.survives(bench.verbs[0], (call, fault))) for fault in found}
    assert {fault: said for fault, said in seen.items() if found[fault] not in said} == {}


def test_a_verb_that_takes_what_is_somebody_elses_or_meets_no_fault_is_found(
    emulator: Inside, tmp_path: Path
) -> None:
    bench = bench_of(make, emulator, tmp_path)
    verb = Verb("verb", make_and_take, network_seen)
    wrong = bench.survives(verb, (Call("ec2", "CreateVpc", 1), "throttled"))
    assert "stands otherwise" in "; ".join(wrong)
    never = bench.survives(bench.verbs[0], (Call("ec2", "CreateVpc", 2), "lost"))
    assert never == ["ec2:CreateVpc #2 was not made"]


def test_a_broken_chain_of_evidence_is_found(emulator: Inside, tmp_path: Path) -> None:
    bench = open_bench(emulator, tmp_path)
    bench.verbs = [Verb("look", lambda held: held.evidence("network"))]
    bench.record()
    journal = bench.home / "journal.jsonl"
    journal.write_text(journal.read_text().replace("{", '{"previous":"sha256:0",', 1))
    wrong = bench.survives(bench.verbs[0], (Call("ec2", "DescribeVpcs", 1), "throttled"))
    assert wrong == ["the chain of evidence is broken"]
