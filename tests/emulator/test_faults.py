"""Every call of the whole workshop meets every fault, one at a time, on MiniStack and on moto."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from handson import settings
from handson.connection import Connection
from handson.emulator import Running
from handson.errors import AWSError, AWSUnclear, HandsonError, NotAllowed
from handson.workshop import Workshop
from tests.emulator import hooks, moto
from tests.emulator.faults import FAULTS, Call, Wire
from tests.emulator.surviving import Bench, Pair, Verb, deal, network_seen, thinned, verbs
from tests.emulator.test_workshop import DOCKERFILE, Told
from tests.tally import tally
from tests.unit.fake_aws import Clock

pytestmark = [
    pytest.mark.emulator,
    # moto's and its server's own, not ours
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

MINISTACK, MOTO = "MiniStack", "moto"

MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {"digest": f"sha256:{'ab' * 32}", "size": 7},
    "layers": [{"digest": f"sha256:{'cd' * 32}", "size": 5}],
}


def open_bench(
    running: Running, folder: Path, *, kind: str = "emulator", moto_holds_it: bool = False
) -> Bench:
    """Return a bench on an empty target in which somebody else has made things of their own."""
    environ = {"HANDSON_HOME": str(folder / "home"), "HANDSON_ENGINE": "builtin"}
    chosen = settings.read(environ, cwd=folder, endpoint_url=running.endpoint, learner="Hanako")
    held = Workshop(chosen, progress=Told(), show=lambda _card: None)
    wire = Wire()
    aws = hooks.connect(running, wire, kind=kind, clock=Clock())
    held._connection = Connection(aws)
    aws.call("ecs", "CreateCluster", clusterName="somebody-elses")
    aws.call("ecr", "CreateRepository", repositoryName="somebody-elses")
    aws.call("ec2", "CreateVpc", CidrBlock="10.9.0.0/16")
    push = put_by_hand if moto_holds_it else pushing(held, folder)
    return Bench(held, wire, verbs(push))


def running_at(endpoint: str) -> Running:
    """Return another emulator as if it were the embedded AWS."""
    port = int(endpoint.rpartition(":")[2])
    return Running(
        endpoint=endpoint,
        port=port,
        pid=0,
        account="123456789012",
        access_key_id="123456789012",
        secret_access_key="not-a-secret",
        region="us-east-1",
        state="running",
    )


def pushing(held: Workshop, folder: Path) -> Callable[[Workshop], object]:
    shop = folder / "shop"
    shop.mkdir()
    (shop / "Dockerfile").write_text(DOCKERFILE)
    (shop / "app.rb").write_text("puts 1\n")
    local = held.build_image(shop)
    return lambda held: held.push_image(local)


def put_by_hand(held: Workshop) -> object:
    """Put an image where there is no registry to push to."""
    put = {"imageManifest": json.dumps(MANIFEST), "imageTag": "latest"}
    with contextlib.suppress(Exception):
        held.aws.call("ecr", "PutImage", repositoryName="rails-app", **put)


def survive(bench: Bench, dealt: dict[str, list[Pair]], *, where: str) -> list[str]:
    """Go through the workshop until every verb has met its faults; return what did not survive."""
    counted = tally("faults survived", where)
    wrong = []
    while any(dealt.values()):
        for verb in bench.verbs:
            if dealt[verb.name]:
                call, fault = dealt[verb.name].pop()
                found = bench.survives(verb, call, fault)
                counted.count(not found)
                wrong += [f"{verb.name} · {call} · {fault}: {'; '.join(found)}"] if found else []
            elif verb.seen:
                verb.run(bench.workshop)
    return wrong


# The workshop


def test_every_call_survives_faults(emulator: Running, tmp_path: Path) -> None:
    bench = open_bench(emulator, tmp_path)
    bench.record()
    assert survive(bench, deal(bench.recorded, to_writes=2), where=MINISTACK) == []


def test_lost_replies_make_nothing_twice_with_the_patience_for_real_aws(
    emulator: Running, tmp_path: Path
) -> None:
    bench = open_bench(emulator, tmp_path, kind="aws")
    bench.record()
    dealt = thinned(deal(bench.recorded, to_writes=1), to_reads=0)
    assert survive(bench, dealt, where=MINISTACK) == []


def test_calls_survive_faults_on_moto(tmp_path: Path) -> None:
    with moto.serving() as endpoint:
        bench = open_bench(running_at(endpoint), tmp_path, moto_holds_it=True)
        bench.record()
        dealt = thinned(deal(bench.recorded, to_writes=1), to_reads=3)
        assert survive(bench, dealt, where=MOTO) == []


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
    wrong = bench.survives(bench.verbs[0], Call("ec2", "CreateVpc", 1), fault)
    for lock in HELD:
        lock.release(force=True)
    HELD.clear()
    assert found in "; ".join(wrong)


def test_a_verb_that_takes_what_is_somebody_elses_is_found(
    emulator: Running, tmp_path: Path
) -> None:
    bench = bench_of(lambda held: held.ensure_network(), emulator, tmp_path)
    bench.verbs = [Verb("verb", make_and_take, network_seen)]
    wrong = bench.survives(bench.verbs[0], Call("ec2", "CreateVpc", 1), "throttled")
    assert "stands otherwise" in "; ".join(wrong)


def test_a_fault_that_never_happens_is_not_counted_as_survived(
    emulator: Running, tmp_path: Path
) -> None:
    bench = bench_of(make_and_drop, emulator, tmp_path)
    wrong = bench.survives(bench.verbs[0], Call("ec2", "CreateVpc", 2), "lost")
    assert wrong == ["the call was not made"]


def test_a_broken_chain_of_evidence_is_found(emulator: Running, tmp_path: Path) -> None:
    bench = open_bench(emulator, tmp_path)
    look = Verb("look", lambda held: held.evidence("network"))
    bench.workshop.evidence("network")
    journal = bench.home / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"previous":null', '"previous":"sha256:0"'))
    wrong = bench.survives(look, Call("ec2", "DescribeVpcs", 1), "throttled")
    assert wrong == ["the chain of evidence is broken"]


def test_a_call_written_today_meets_faults_today(emulator: Running, tmp_path: Path) -> None:
    bench = bench_of(lambda held: held.aws.call("sts", "GetCallerIdentity"), emulator, tmp_path)
    met = [fault for _, fault in deal(bench.recorded, to_writes=2)["verb"]]
    assert met == list(FAULTS)
