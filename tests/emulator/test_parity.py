"""AWS's answers recorded on the embedded AWS: what is made is deleted, and the answers compared."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certifi
import msgspec
import pytest
from botocore.awsrequest import AWSResponse
from click.testing import CliRunner, Result

from handson.aws import Aws
from handson.aws import emulator as embedded
from handson.cli import main
from handson.core.errors import NotAllowed, NotReady
from handson.course.exercise import NetworkForm
from handson.course.owners import Owners
from handson.parity.probes import Player, Probe, list_probes, play_probes, use_account
from handson.parity.recording import read_recording, write_recording
from handson.resources.cleanup import list_cleanup
from handson.resources.network import ensure_network
from tests.emulator.hooks import (
    Answer,
    Body,
    Inside,
    LikeAws,
    StopAt,
    Stopped,
    connect,
    reset,
    writes,
)
from tests.unit.fake_aws import Clock, Refusal, unauthorized

pytestmark = pytest.mark.emulator

Call = Callable[..., Result]
ACCOUNT = embedded.ACCOUNT


@pytest.fixture
def call(home: Path, emulator: embedded.Running) -> Call:
    """Answer ``call("compare", path)`` on the embedded AWS that tests share."""
    base = {"HANDSON_HOME": str(home), "HANDSON_LANG": "en"}
    base |= {"HANDSON_ENDPOINT_URL": emulator.endpoint}

    def caller(*words: object) -> Result:
        return CliRunner().invoke(main, ["parity", *map(str, words)], env=base)

    return caller


@pytest.fixture(scope="module")
def made(inside: Inside, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Record the embedded AWS once; return the file, and what the command said."""
    reset(inside)
    folder = tmp_path_factory.mktemp("parity")
    environ = {"HANDSON_HOME": str(folder), "HANDSON_LANG": "en"}
    environ |= {"HANDSON_ENDPOINT_URL": inside.endpoint}
    words = ["parity", "record", "--account", ACCOUNT, "--yes"]
    path = folder / "made.jsonl.gz"
    return path, CliRunner().invoke(main, [*words, "--output", str(path)], env=environ)


@pytest.fixture
def nothing_is_left(emulator: embedded.Running) -> Callable[[], bool]:
    """Tell whether neither a VPC of ours, a cluster nor a repository is there."""

    def look() -> bool:
        aws = connect(emulator)
        vpcs = [vpc for vpc in aws.call("ec2", "DescribeVpcs")["Vpcs"] if not vpc["IsDefault"]]
        clusters = aws.call("ecs", "ListClusters")["clusterArns"]
        return [vpcs, clusters, aws.call("ecr", "DescribeRepositories")["repositories"]] == [[]] * 3

    return look


def network(aws: Aws) -> list[Probe]:
    """Return the probes of the workshop's own plan, from the VPC to the endpoint."""
    probes = list(list_probes(aws, "record"))
    names = [probe.name for probe in probes]
    return probes[names.index("vpc") : names.index("dry-run-s3-endpoint") + 1]


def test_a_recording_says_that_it_is_a_simulation_and_holds_every_probe(
    made: tuple[Path, Result],
) -> None:
    path, said = made
    assert (said.exit_code, "4 at most" in said.stderr) == (0, True), said.output
    assert "not of AWS" in said.stdout
    recorded = read_recording(path)
    assert (recorded.source, recorded.region, recorded.skipped) == ("simulation", "us-east-1", {})
    outcomes = {it.probe: it.outcome for it in recorded.exchanges}
    assert {name: outcomes[name] for name in OUTCOMES} == OUTCOMES
    text = gzip.decompress(path.read_bytes()).decode()
    assert (ACCOUNT in text, "111122223333" in text, path.stat().st_size < 30_000) == (
        False,
        True,
        True,
    )


OUTCOMES = {
    "identity": "200",
    "vpc": "200",
    "vpc again": "200",
    "vpc look": "200",
    "attachment again": "400 Resource.AlreadyAssociated",
    "vpc-unknown": "400 InvalidVpcID.NotFound",
    "repository again": "400 RepositoryAlreadyExistsException",
    "layer": "201",
    "blob-wrong-digest": "400 DIGEST_INVALID",
    "index": "201",
    "manifest-unknown": "404 MANIFEST_UNKNOWN",
    "repository-in-use": "400 RepositoryNotEmptyException",
    "vpc-in-use": "400 DependencyViolation",
    "lone-vpc-deletion again": "400 InvalidVpcID.NotFound",
}


def test_one_thing_has_one_id_in_all_answers_and_the_wire_is_kept_as_it_was(
    made: tuple[Path, Result],
) -> None:
    seen = {it.probe: it for it in read_recording(made[0]).exchanges}
    [vpc] = seen["vpc"].fields()["vpcId"]
    assert vpc == "vpc-*"
    id = seen["vpc"].body.partition("<vpcId>")[2].partition("<")[0]
    assert seen["vpc look"].parameters["VpcId.1"] == id
    assert seen["public-subnet-1"].parameters["VpcId"] == id
    assert seen["token"].fields()["authorizationToken"] == ['"QVdTOmRyb3BwZWQ="']
    upload = seen["upload-layer"].headers["location"]
    assert seen["layer"].operation == f"PUT {upload}"
    assert json.loads(seen["cluster"].body)["cluster"]["clusterName"] == "ecs-handson-cluster"


def test_the_same_probes_are_answered_alike_and_nothing_is_left(
    made: tuple[Path, Result], call: Call, nothing_is_left: Callable[[], bool]
) -> None:
    done = call("compare", made[0])
    whole = len({it.probe.split()[0] for it in read_recording(made[0]).exchanges})
    figure = f"answers of a simulation, not of AWS, of {read_recording(made[0]).date}"
    assert done.stdout == f"{figure}: {whole} of {whole} answers equal\n"
    assert (done.exit_code, nothing_is_left()) == (0, True)


def change(path: Path, **outcomes: int) -> None:
    """Change the status of recorded probes, by name."""
    made = read_recording(path)
    changed = [
        msgspec.structs.replace(it, status=outcomes.get(it.probe, it.status))
        for it in made.exchanges
    ]
    write_recording(msgspec.structs.replace(made, exchanges=changed), path, own=())


@pytest.mark.full
def test_a_new_difference_fails_and_an_accepted_one_does_not(
    made: tuple[Path, Result], call: Call, tmp_path: Path
) -> None:
    path = tmp_path / "changed.jsonl.gz"
    path.write_bytes(made[0].read_bytes())
    change(path, **{"dry-run-vpc": 500})
    assert call("compare", path).exit_code == 0
    change(path, zones=500)
    done = call("compare", path, "--json")
    found = json.loads(done.stdout)
    row = {"probe": "zones", "field": "outcome", "recorded": "500", "here": "200", "reason": ""}
    assert (done.exit_code, found["differences"][0]) == (1, row)
    assert (found["schema"], found["probes"] - found["equal"]) == (
        "handson.parity-comparison/1",
        2,
    )


def test_a_comparison_that_cannot_run_is_neither(call: Call, tmp_path: Path) -> None:
    assert call("compare", tmp_path / "none.jsonl.gz").exit_code == 2


def test_nothing_is_made_without_yes_in_another_account_or_beside_other_things(
    call: Call, emulator: embedded.Running, tmp_path: Path
) -> None:
    path = tmp_path / "made.jsonl.gz"
    refusals = [
        ["--yes"],
        ["--account", ACCOUNT],
        ["--account", "111111111111", "--yes"],
        ["--account", ACCOUNT, "--yes", "--output", tmp_path / "no folder" / "made.jsonl.gz"],
    ]
    for words in refusals:
        assert (words, call("record", "--output", path, *words).exit_code) == (words, 2)
    assert "with --output" in call("record", "--output", path, *refusals[-1]).stderr
    aws = connect(emulator)
    makers: list[tuple[str, str, dict[str, Any]]] = [
        ("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"}),
        ("ecs", "CreateCluster", {"clusterName": "prod"}),
        ("ecr", "CreateRepository", {"repositoryName": "prod"}),
    ]
    for service, operation, parameters in makers:
        aws.call(service, operation, **parameters)
        done = call("record", "--output", path, "--account", ACCOUNT, "--yes")
        assert (operation, done.exit_code, "not empty" in done.stderr) == (operation, 2, True)
        reset(emulator)
    assert not path.exists()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, pytest.param(OSError, marks=pytest.mark.full)])
def test_whatever_was_made_is_deleted_when_the_probes_break_off(
    kind: type[BaseException], emulator: embedded.Running, nothing_is_left: Callable[[], bool]
) -> None:
    aws = connect(emulator)

    def interrupt(sentence: str) -> None:
        if sentence == "s3-endpoint":
            raise kind

    with pytest.raises(kind), use_account(aws, "record"):
        play_probes(aws.report_to(interrupt), "record")
    assert ("CreateSubnet" in writes(aws), nothing_is_left()) == (True, True)


def test_what_a_killed_run_has_left_is_deleted_and_nothing_else(
    call: Call, emulator: embedded.Running, tmp_path: Path
) -> None:
    aws = connect(emulator, StopAt(9))
    player, probes = Player(aws), network(aws)
    with pytest.raises(Stopped):
        list(map(player.play, probes))
    other = connect(emulator)
    other.owners = Owners("Aiko", ("Aiko",))
    hers = ensure_network(other, NetworkForm(name="hers")).vpc.id
    done = call("record", "--account", ACCOUNT, "--clean-only", "--yes")
    assert done.exit_code == 0, done.output
    everybody = connect(emulator)
    vpcs = everybody.call("ec2", "DescribeVpcs")["Vpcs"]
    assert [vpc["VpcId"] for vpc in vpcs if not vpc["IsDefault"]] == [hers]
    assert {item.owner for item in list_cleanup(everybody, tmp_path).found} == {"Aiko"}


@pytest.mark.parametrize("kind", [KeyboardInterrupt, None])
def test_what_cannot_be_deleted_is_named_and_how_to_go_on(
    kind: type[BaseException] | None, emulator: embedded.Running
) -> None:
    refused = Answer("DeleteVpc", Refusal("DependencyViolation", "has dependencies"))
    aws = connect(emulator, refused, clock=Clock())
    left = pytest.raises(NotReady, match=r"has dependencies[\s\S]*--clean-only")
    with left, use_account(aws, "record"):
        Player(aws).play(network(aws)[0])
        if kind:
            raise kind


def test_looks_go_on_until_two_agree_and_tell_when(emulator: embedded.Running) -> None:
    clock = Clock()
    code, until = "InvalidVpcID.NotFound", clock() + 0.3
    late = OnTheWire("DescribeVpcs", code, clock=clock, until=until)
    aws = connect(emulator, late, clock=clock)
    player, unknown = Player(aws), f"400 {code}"
    player.play(network(aws)[0])
    looks = [(it.at, it.outcome) for it in player.exchanges if it.probe == "vpc look"]
    refused, found = [(0, unknown), (50, unknown), (100, unknown), (200, unknown)], [400, 800]
    assert looks == [*refused, *((at, "200") for at in found)]


ERROR = "<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors></Response>"


class OnTheWire:
    """EC2 refuses an operation until some time, in the bytes of its reply."""

    def __init__(
        self, operation: str, code: str, message: str = "", *, clock: Clock, until: float
    ) -> None:
        self._operation, self._body = operation, ERROR.format(code, message).encode()
        self._clock, self._until = clock, until

    def attach(self, session: Any) -> None:
        session.register(f"before-send.ec2.{self._operation}", self._before)

    def _before(self, request: Any, **_: Any) -> AWSResponse | None:
        if self._clock() >= self._until:
            return None
        return AWSResponse(request.url, 400, {}, Body(self._body))


@pytest.mark.parametrize(
    ("code", "words", "ends"),
    [
        ("UnauthorizedOperation", unauthorized("ec2:ModifyVpcAttribute").message, False),
        ("InvalidVpcID.NotFound", "gone", False),
        ("RequestExpired", "Request has expired.", True),
    ],
)
def test_a_lacking_permission_is_an_answer_and_refused_credentials_are_the_end(
    code: str,
    words: str,
    ends: bool,
    emulator: embedded.Running,
    nothing_is_left: Callable[[], bool],
) -> None:
    clock = Clock()
    hook = OnTheWire("ModifyVpcAttribute", code, words, clock=clock, until=math.inf)
    aws = connect(emulator, hook, clock=clock)
    player, probes = Player(aws), network(aws)[:4]
    with use_account(aws, "record"):
        if ends:
            with pytest.raises(NotAllowed):
                list(map(player.play, probes))
        else:
            list(map(player.play, probes))
            outcomes = {it.probe: it.outcome for it in player.exchanges}
            assert outcomes["dns-hostnames again"] == f"400 {code}"
            assert outcomes["public-subnet-1"] == "200"
    assert nothing_is_left()


def test_a_probe_that_lacks_an_earlier_result_is_skipped_with_the_reason(
    emulator: embedded.Running,
) -> None:
    subnet = {"VpcId": "{vpc}", "CidrBlock": "10.0.0.0/20"}
    player = Player(connect(emulator))
    player.play(Probe("subnet", "ec2", "CreateSubnet", subnet))
    assert (player.skipped, player.exchanges) == ({"subnet": "KeyError: 'vpc'"}, [])


def test_what_was_made_in_the_console_is_only_read(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "console.jsonl.gz"
    done = call("record", "--account", ACCOUNT, "--console", "--yes", "--output", path)
    assert (done.exit_code, "makes nothing" in done.stderr) == (0, True), done.output
    operations = {it.operation for it in read_recording(path).exchanges}
    assert all(name.startswith("Describe") for name in operations)


def test_only_aws_under_its_own_certificate_counts_as_aws(emulator: embedded.Running) -> None:
    sources = []
    for bundle in (None, certifi.where()):
        aws = connect(emulator, LikeAws(emulator), kind="aws")
        aws.session.set_config_variable("ca_bundle", bundle)
        sources.append(play_probes(aws, "console")[0].source)
    assert sources == ["aws", "simulation"]
