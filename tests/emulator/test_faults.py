"""Every call of the whole workshop meets every fault, one at a time, on MiniStack and on moto."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handson import settings
from handson.aws import Aws
from handson.connection import Connection
from handson.emulator import Running
from handson.workshop import Workshop
from tests.emulator import hooks, moto
from tests.emulator.faults import FAULTS, Call, Wire
from tests.emulator.surviving import Bench, Pair, Verb, deal, verbs
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


def test_every_call_survives_every_fault_on_ministack(emulator: Running, tmp_path: Path) -> None:
    bench = open_bench(emulator, tmp_path)
    bench.record()
    assert survive(bench, deal(bench.recorded), where=MINISTACK) == []


def test_every_call_survives_faults_on_moto(tmp_path: Path) -> None:
    with moto.serving() as endpoint:
        port = int(endpoint.rpartition(":")[2])
        running = Running(
            endpoint, port, 0, "123456789012", "123456789012", "x", "us-east-1", "running"
        )
        bench = open_bench(running, tmp_path, moto_holds_it=True)
        bench.record()
        assert survive(bench, deal(bench.recorded, to_writes=2), where=MOTO) == []
