"""AWS's recorded answers, replayed to the unmodified product; recorded anew, they are the same."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from handson.cli import main
from handson.parity.recording import Exchange, Recording, compare, read_recording
from tests.simulated_aws.conftest import Simulated
from tests.simulated_aws.proxy import ACCOUNT
from tests.simulated_aws.replay import Replay

pytestmark = pytest.mark.emulator

SIMULATION = Path(__file__).parents[1] / "parity" / "simulation.jsonl.gz"
WALK = ("network", "evidence network", "cluster", "evidence cluster", "repository")
WALK += ("evidence repository", "push", "images", "uri", "evidence image", "verify", "clean-up")
DENIED = (
    '{"__type": "AccessDeniedException", "message": "User: arn:aws:iam::111122223333:user/learner'
    " is not authorized to perform: ecr:CreateRepository on resource:"
    " arn:aws:ecr:us-east-1:111122223333:repository/rails-app"
    ' because no identity-based policy allows the ecr:CreateRepository action"}'
)
FULL = (
    "<Response><Errors><Error><Code>VpcLimitExceeded</Code><Message>"
    "The maximum number of VPCs has been reached.</Message></Error></Errors></Response>"
)


@pytest.fixture(scope="module")
def recorded() -> Recording:
    return read_recording(SIMULATION)


def record(simulated: Simulated) -> Recording:
    path = simulated.folder / "made.jsonl.gz"
    words = ["parity", "record", "--account", ACCOUNT, "--yes", "--output", str(path)]
    home = {"HANDSON_HOME": str(simulated.folder / "owner")}
    done = CliRunner().invoke(main, words, env=home)
    assert done.exit_code == 0, done.output
    return read_recording(path)


@pytest.mark.full
def test_what_is_recorded_through_aws_s_own_host_names_is_the_recording_kept_here(
    simulated: Simulated, recorded: Recording
) -> None:
    made = record(simulated)
    assert compare(recorded, made)["differences"] == []
    assert (made.source, made.skipped, simulated.left()) == ("simulation", {}, [])
    hosts = {request.host for request in simulated.proxy.seen}
    assert f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com" in hosts


def test_the_product_ends_clean_on_recorded_answers(
    simulated: Simulated, recorded: Recording
) -> None:
    marked = [
        msgspec.structs.replace(it, body=it.body.replace("</vpc>", "<new>since</new></vpc>"))
        for it in recorded.exchanges
    ]
    simulated.proxy.replay = Replay(msgspec.structs.replace(recorded, exchanges=tuple(marked)))
    learner = simulated.learner()
    read = {step: learner.take(step) for step in WALK}
    assert [step for step, reading in read.items() if reading.failed or reading.error] == []
    assert {"vpc", "public-subnet-1", "default-route", "cluster", "dry-run-vpc"} <= {
        *simulated.proxy.replay.served
    }
    assert simulated.left() == []


@pytest.mark.parametrize(
    ("operation", "body", "step", "sentence"),
    [
        ("CreateVpc", FULL, "network", "L-F678F1CE"),
        ("CreateRepository", DENIED, "repository", "handson policy"),
    ],
)
def test_a_recorded_refusal_becomes_the_sentence_that_it_should(
    simulated: Simulated, operation: str, body: str, step: str, sentence: str
) -> None:
    probe = record_of(operation, body)
    simulated.proxy.replay = Replay(probe)
    reading = simulated.learner().take(step)
    assert (reading.failed, reading.is_traceback, sentence in reading.text) == (True, False, True)


def record_of(operation: str, body: str) -> Recording:
    """Return the kept recording, in which AWS refuses an operation as in this body."""
    kept = read_recording(SIMULATION)
    refused = tuple(
        Exchange(it.probe, it.service, it.operation, it.parameters, 400, {}, body, 1, 1)
        for it in kept.exchanges
        if it.operation == operation and "DryRun" not in it.parameters
    )
    return msgspec.structs.replace(kept, exchanges=refused)
