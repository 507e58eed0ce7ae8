"""Every call of the whole workshop meets every fault, one at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from handson.emulator import Running
from handson.errors import AWSError, AWSUnclear, HandsonError, NotAllowed
from handson.workshop import Workshop
from tests.emulator.faults import FAULTS, Call
from tests.emulator.surviving import (
    Bench,
    Verb,
    deal,
    network_seen,
    open_bench,
    survive,
    thinned,
)

pytestmark = pytest.mark.emulator

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
    assert wrong == ["the call was not made"]


def test_a_broken_chain_of_evidence_is_found(emulator: Running, tmp_path: Path) -> None:
    bench = open_bench(emulator, tmp_path)
    look = Verb("look", lambda held: held.evidence("network"))
    bench.workshop.evidence("network")
    journal = bench.home / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"previous":null', '"previous":"sha256:0"'))
    wrong = bench.survives(look, (Call("ec2", "DescribeVpcs", 1), "throttled"))
    assert wrong == ["the chain of evidence is broken"]


def test_a_call_written_today_meets_faults_today(emulator: Running, tmp_path: Path) -> None:
    bench = bench_of(lambda held: held.aws.call("sts", "GetCallerIdentity"), emulator, tmp_path)
    met = [fault for _, fault in deal(bench.recorded, to_writes=2)["verb"]]
    assert met == list(FAULTS)
