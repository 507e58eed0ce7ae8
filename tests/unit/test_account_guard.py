"""Real AWS: nothing before the account agrees, on every way; and never mistaken for an emulator."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handson.aws import connect_aws, connection, settings
from handson.aws.connection import Connection
from handson.aws.emulator import ACCOUNT as EMBEDDED
from handson.core.errors import AWSError, NotAllowed
from handson.core.progress import TerminalProgress, ignore_progress
from handson.engine.model import LocalImage
from handson.notebook import doctor
from handson.notebook.workshop import Workshop
from tests.unit.fake_aws import ACCOUNT, ARN, REGION, Clock, FakeAws, Refusal, Wire
from tests.unit.fake_ec2 import FakeEc2

OTHER = {"Account": "998877665544", "Arn": "arn:aws:iam::998877665544:user/else", "UserId": "AIDA"}
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
IMAGE = LocalImage("docker", "rails-app", "sha256:0", ("latest",), 0)
CALLS: dict[str, Callable[[Workshop, Path], Any]] = {
    "ensure_network": lambda room, _: room.ensure_network(),
    "ensure_cluster": lambda room, _: room.ensure_cluster(),
    "ensure_repository": lambda room, _: room.ensure_repository(),
    "push_commands": lambda room, shop: room.push_commands(context=shop),
    "push_image": lambda room, _: room.push_image(IMAGE),
    "images": lambda room, _: room.images(),
    "run_image": lambda room, _: room.run_image(),
    "record_image_uri": lambda room, _: room.record_image_uri(),
    "evidence": lambda room, _: room.evidence("network"),
    "verify": lambda room, _: room.verify(),
    "snapshot": lambda room, _: room.snapshot(),
    "questions": lambda room, _: room.questions("why-zones"),
    "draw": lambda room, _: room.draw(),
    "resources": lambda room, _: room.resources(),
    "break_it": lambda room, _: room.break_it(),
    "hint": lambda room, _: room.hint(),
    "mended": lambda room, _: room.mended(),
    "cleanup": lambda room, _: room.cleanup(),
    "cleanup for good": lambda room, _: room.cleanup(confirm="delete"),
}
WITHOUT_AWS = {"card", "with_own_progress", "hand_in", "journal", "build_image", "doctor"}
"""Verbs that call nothing, and the doctor, which tells the refusal as a finding."""


def real(home: Path, *, account: str = ACCOUNT) -> settings.Settings:
    environ = {"HANDSON_HOME": str(home), "HANDSON_TARGET": "aws", "HANDSON_AWS_ACCOUNT": account}
    return settings.read_settings(environ, cwd=home.parent)


@pytest.fixture
def fake() -> FakeAws:
    return FakeAws()


@pytest.fixture
def room(fake: FakeAws, tmp_path: Path) -> Workshop:
    """Return a workshop on real AWS that was opened while the account was the named one."""
    aws = fake.connect()
    chosen = real(tmp_path / "home")
    return Workshop(
        chosen, progress=TerminalProgress(), show=ignore_progress, connect=lambda _: Connection(aws)
    )


def test_credentials_that_became_those_of_another_account_stop_every_verb(
    room: Workshop, fake: FakeAws, tmp_path: Path
) -> None:
    verbs = {name for name, _ in inspect.getmembers(Workshop, inspect.isfunction) if name[0] != "_"}
    assert {name.split()[0] for name in CALLS} == verbs - WITHOUT_AWS
    fake.answers("GetCallerIdentity", OTHER)
    called = {}
    for verb, call in CALLS.items():
        fake.calls.clear()
        with pytest.raises(NotAllowed, match="998877665544"):
            call(room, tmp_path)
        called[verb] = list(fake.operations)
    assert called == {verb: ["GetCallerIdentity"] for verb in CALLS}
    assert room.journal().records == ()


def test_nothing_is_broken_on_real_aws(room: Workshop, fake: FakeAws, tmp_path: Path) -> None:
    for verb in ("break_it", "hint", "mended"):
        with pytest.raises(NotAllowed, match=ACCOUNT) as refused:
            CALLS[verb](room, tmp_path)
        assert "HANDSON_TARGET" in refused.value.remedy
    assert fake.operations == ["GetCallerIdentity"] * 3
    assert not (tmp_path / "home" / "regions.json").exists()


def test_the_doctor_tells_of_another_account(room: Workshop, fake: FakeAws) -> None:
    fake.answers("GetCallerIdentity", OTHER)
    target = next(item for item in room.doctor().findings if item.id == "target")
    assert target.state == "bad"
    assert "998877665544" in target.seen


def test_the_named_account_counts_for_real_aws_alone_and_is_not_the_embedded_ones(
    tmp_path: Path,
) -> None:
    with pytest.raises(NotAllowed, match=EMBEDDED):
        connection.connect_target(real(tmp_path / "home", account=EMBEDDED))
    environ = {"HANDSON_HOME": str(tmp_path / "home"), "HANDSON_AWS_ACCOUNT": ACCOUNT}
    chosen = settings.read_settings(environ, cwd=tmp_path, endpoint_url="http://127.0.0.1:9")
    with pytest.raises(AWSError, match=r"http://127\.0\.0\.1:9"):
        connection.connect_target(chosen)


PROFILE = """
[default]
endpoint_url = http://127.0.0.1:9
services = local
[services local]
ec2 =
  endpoint_url = http://127.0.0.1:9
sts =
  endpoint_url = http://127.0.0.1:9
"""
SOME_READS = {"ec2": "DescribeVpcs", "ecr": "DescribeRepositories", "ecs": "ListClusters"}


@pytest.mark.parametrize("where", ["environment", "profile"])
def test_an_endpoint_of_the_learners_own_configuration_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str
) -> None:
    if where == "profile":
        (tmp_path / "config").write_text(PROFILE)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        for name in ("EC2", "ECR", "ECS", "STS", "SERVICE_QUOTAS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", "http://127.0.0.1:9")
    wire, patience = Wire(), Clock().patience(attempts=1)
    aws = connect_aws(region=REGION, account=ACCOUNT, session=wire.session(), patience=patience)
    for service, operation in SOME_READS.items():
        with pytest.raises(AWSError):
            aws.call(service, operation)
    assert [url.split("/")[2] for url, _ in wire.sent] == [
        "sts.us-east-1.amazonaws.com",
        "ec2.us-east-1.amazonaws.com",
        "api.ecr.us-east-1.amazonaws.com",
        "ecs.us-east-1.amazonaws.com",
    ]
    assert (aws.target.kind, aws.target.endpoint) == ("aws", None)


def test_the_root_user_is_advised_against_on_real_aws_alone(room: Workshop, fake: FakeAws) -> None:
    assert "ルートユーザー" not in str(room)
    room.aws.caller = ROOT
    assert "ルートユーザー" in str(room)
    emulated = fake.connect(kind="emulator")
    emulated.caller = ROOT
    assert emulated.is_root is False


def findings(fake: FakeAws, tmp_path: Path, *, caller: str = ARN) -> dict[str, doctor.Finding]:
    aws = fake.connect()
    aws.caller = caller
    found = doctor.examine_machine(real(tmp_path / "home"), connect=lambda: aws).findings
    return {finding.id: finding for finding in found}


def test_the_doctor_asks_for_permissions_and_makes_nothing(tmp_path: Path) -> None:
    region = FakeEc2()
    assert findings(region, tmp_path)["permissions"].state == "ok"
    assert ("CreateVpc" in region.operations, region.writes) == (True, [])
    words = f"User: {ARN} is not authorized to perform: ec2:CreateVpc on resource: x"
    region.first("CreateVpc", Refusal("UnauthorizedOperation", words, 403))
    found = findings(region, tmp_path)["permissions"]
    assert (found.state, "ec2:CreateVpc" in found.seen) == ("bad", True)


def test_the_doctor_advises_against_the_root_user(tmp_path: Path) -> None:
    for caller, state in ((ARN, "ok"), (ROOT, "advice")):
        found = findings(FakeEc2(), tmp_path, caller=caller)["caller"]
        assert (found.state, ACCOUNT in found.seen) == (state, False)
