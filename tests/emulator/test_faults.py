"""Every call of the whole workshop meets every fault, one at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import cycle, product
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from msgspec.structs import replace

from handson.aws import Aws
from handson.aws.emulator import Running
from handson.core.errors import AWSError, AWSUnclear, HandsonError, NotAllowed
from handson.course.exercise import Exercise
from handson.notebook.workshop import Workshop
from handson.resources import cleanup, cluster
from handson.resources.repository import ensure_repository
from tests.emulator.faults import FAULTS, LASTING, TRANSIENT, Call, Pair
from tests.emulator.surviving import (
    ALL,
    Bench,
    Verb,
    deal,
    network_seen,
    open_bench,
    survive,
    thinned,
)
from tests.tally import tally

pytestmark = [pytest.mark.emulator, pytest.mark.process]

# The workshop


def test_every_call_survives_faults(emulator: Running, tmp_path: Path) -> None:
    bench = open_bench(emulator, tmp_path)
    bench.record()
    assert survive(bench, deal(bench.recorded, to_writes=2), where="MiniStack") == []


def test_lost_replies_make_nothing_twice_with_the_patience_for_real_aws(
    emulator: Running, tmp_path: Path
) -> None:
    bench = open_bench(emulator, tmp_path, kind="aws", by_hand=True)
    bench.record()
    dealt = thinned(deal(bench.recorded, to_writes=1), to_reads=0)
    assert survive(bench, dealt, where="MiniStack") == []


def test_every_kind_of_call_meets_every_fault(emulator: Running, tmp_path: Path) -> None:
    bench = open_bench(emulator, tmp_path)
    bench.record()
    met: dict[str, set[str]] = {}
    for pairs in deal(bench.recorded, to_writes=2).values():
        for call, fault in pairs:
            kind = call.operation if call.reads else "writes"
            met.setdefault(kind, set()).add(fault)
    assert [kind for kind, faults in met.items() if faults != set(FAULTS)] == []


# Other regions


TOKYO = "ap-northeast-1"


def make_in_tokyo(aws: Aws) -> None:
    """Make a cluster and a repository of the workshop's where a learner did not mean to."""
    tokyo = aws.in_region(TOKYO)
    cluster.ensure_cluster(tokyo, cluster.ClusterForm())
    ensure_repository(tokyo, Exercise().repository)


def elsewhere(emulator: Running, folder: Path) -> Bench:
    """Return a bench of what asks other regions: nothing is here, and something in Tokyo."""
    bench = open_bench(emulator, folder)
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

    The first and the last call of each operation meets a fault that lasts, all of these in turn;
    some meet one that passes, and writes the lost reply.
    """
    calls = [call for call in bench.recorded[name] if call.region == TOKYO]
    if ALL:
        return list(product(calls, FAULTS))
    first = {call.kind: call for call in reversed(calls)}
    last = {call.kind: call for call in calls}
    ends = dict.fromkeys([*first.values(), *last.values()])
    lost = [(call, "lost") for call in calls if not call.reads]
    return [*zip(ends, cycle(LASTING), strict=False), *lost, *zip(calls, TRANSIENT, strict=False)]


def test_a_clean_up_survives_faults_in_another_region(emulator: Running, tmp_path: Path) -> None:
    bench = elsewhere(emulator, tmp_path)
    pairs = in_tokyo(bench, "cleanup")
    wrong = [str((pair, found)) for pair in pairs if (found := not_cleaned(bench, pair))]
    assert ({fault for _, fault in pairs}, wrong) == (set(FAULTS), [])


def not_cleaned(bench: Bench, pair: Pair) -> str:
    """Clean up with a fault in Tokyo; return what is wrong.

    Where the fault lasts, Tokyo is told as left, and the next clean-up goes on there.
    """
    make_in_tokyo(bench.aws)
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


def test_a_look_at_another_region_that_fails_changes_no_verdict(
    emulator: Running, tmp_path: Path
) -> None:
    bench = elsewhere(emulator, tmp_path)
    make_in_tokyo(bench.aws)
    expected = verdict(bench.workshop)
    wrong = []
    for pair in in_tokyo(bench, "verify"):
        with bench.wire.broken(pair) as planned:
            survived = (verdict(bench.workshop), planned.happened) == (expected, True)
        wrong += [] if tally("faults survived", "MiniStack").count(survived) else [pair]
    assert (len(expected), wrong) == (5, [])


def verdict(held: Workshop) -> list[tuple[str, ...]]:
    """Return the facts of each check that hold."""
    checked = held.verify().checks
    return [tuple(fact.id for fact in check.facts if fact.passed) for check in checked]


# What would not survive is found


def bench_of(run: Callable[[Workshop], object], emulator: Running, folder: Path) -> Bench:
    """Return a bench whose only verb is this one, recorded in a region that is empty again."""
    bench = open_bench(emulator, folder)
    bench.verbs = [Verb("verb", run, network_seen)]
    bench.record()
    for vpc in bench.aws.call("ec2", "DescribeVpcs")["Vpcs"]:
        if vpc["CidrBlock"] == CIDR:
            bench.aws.call("ec2", "DeleteVpc", VpcId=vpc["VpcId"])
    return bench


def make_blindly(held: Workshop) -> None:
    for _ in range(2):
        with contextlib.suppress(AWSUnclear):
            held.aws.call("ec2", "CreateVpc", CidrBlock=CIDR)
            return


def make_and_drop(held: Workshop) -> None:
    held.aws.client("ec2").create_vpc(CidrBlock=CIDR)


def make_and_say_nothing(held: Workshop) -> None:
    with contextlib.suppress(HandsonError):
        held.aws.call("ec2", "CreateVpc", CidrBlock=CIDR)


def make_and_say_little(held: Workshop) -> None:
    try:
        held.aws.call("ec2", "CreateVpc", CidrBlock=CIDR)
    except HandsonError:
        raise NotAllowed("You may not.", "Ask somebody.") from None


def make_and_blame_aws(held: Workshop) -> None:
    try:
        held.aws.call("ec2", "CreateVpc", CidrBlock=CIDR)
    except HandsonError as error:
        raise AWSError(error.problem, error.remedy) from None


def make_and_hold_on(held: Workshop) -> None:
    lock = FileLock(held.settings.home / "changes.lock")
    lock.acquire(timeout=1)
    HELD.append(lock)
    held.aws.call("ec2", "CreateVpc", CidrBlock=CIDR)


def make_and_take(held: Workshop) -> None:
    held.aws.call("ec2", "CreateVpc", CidrBlock=CIDR)
    for vpc in held.aws.call("ec2", "DescribeVpcs")["Vpcs"]:
        if vpc["CidrBlock"] == "10.9.0.0/16":
            held.aws.call("ec2", "DeleteVpc", VpcId=vpc["VpcId"])


HELD: list[FileLock] = []
CIDR = "10.8.0.0/16"


@pytest.mark.parametrize(
    ("run", "fault", "found"),
    [
        (make_blindly, "lost", "stands otherwise"),
        (make_blindly, "denied", ""),
        (make_and_drop, "cut", "raised ConnectionClosedError"),
        (make_and_drop, "denied", "raised ClientError"),
        (make_and_say_nothing, "denied", "went on although denied"),
        (make_and_say_nothing, "cut", "stands otherwise"),
        (make_and_say_little, "denied", "the missing permission is not named"),
        (make_and_say_little, "expired", "it is not said to sign in again"),
        (make_and_say_little, "gone", "it is not said where nobody answers"),
        (make_and_blame_aws, "expired", "told as AWSError"),
        (make_and_hold_on, "throttled", "changes.lock is held"),
    ],
)
def test_a_verb_that_does_not_survive_is_found(
    emulator: Running, tmp_path: Path, run: Any, fault: str, found: str
) -> None:
    bench = bench_of(run, emulator, tmp_path)
    wrong = bench.survives(bench.verbs[0], (Call("ec2", "CreateVpc", 1), fault))
    for lock in HELD:
        lock.release(force=True)
    HELD.clear()
    assert found in "; ".join(wrong)


def test_a_verb_that_takes_what_is_somebody_elses_is_found(
    emulator: Running, tmp_path: Path
) -> None:
    bench = bench_of(lambda held: held.ensure_network(), emulator, tmp_path)
    bench.verbs = [Verb("verb", make_and_take, network_seen)]
    wrong = bench.survives(bench.verbs[0], (Call("ec2", "CreateVpc", 1), "throttled"))
    assert "stands otherwise" in "; ".join(wrong)


def test_a_fault_that_never_happens_is_not_counted_as_survived(
    emulator: Running, tmp_path: Path
) -> None:
    bench = bench_of(make_and_drop, emulator, tmp_path)
    wrong = bench.survives(bench.verbs[0], (Call("ec2", "CreateVpc", 2), "lost"))
    assert wrong == ["ec2:CreateVpc #2 was not made"]


def test_a_broken_chain_of_evidence_is_found(emulator: Running, tmp_path: Path) -> None:
    bench = open_bench(emulator, tmp_path)
    look = Verb("look", lambda held: held.evidence("network"))
    bench.workshop.evidence("network")
    journal = bench.home / "journal.jsonl"
    journal.write_text(journal.read_text().replace("{", '{"previous":"sha256:0",', 1))
    wrong = bench.survives(look, (Call("ec2", "DescribeVpcs", 1), "throttled"))
    assert wrong == ["the chain of evidence is broken"]


def test_a_call_written_today_meets_faults_today(emulator: Running, tmp_path: Path) -> None:
    bench = bench_of(lambda held: held.aws.call("sts", "GetCallerIdentity"), emulator, tmp_path)
    met = [fault for _, fault in deal(bench.recorded, to_writes=2)["verb"]]
    assert met == list(FAULTS)
