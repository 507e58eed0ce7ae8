"""Real AWS: nothing before the account agrees, on every way; and never mistaken for an emulator."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES as SETTINGS
from botocore.exceptions import NoCredentialsError

from handson.aws import Aws, Credentials, connection, settings
from handson.aws.connection import Connection, connect_aws, connect_emulator, make_private_session
from handson.aws.emulator import ACCOUNT as EMBEDDED
from handson.core.errors import AWSError, HandsonError, NotAllowed
from handson.core.progress import TerminalProgress, ignore_progress
from handson.course.owners import Owners
from handson.engine.model import LocalImage
from handson.notebook import doctor
from handson.notebook.workshop import Workshop
from tests.unit.fake_aws import ACCOUNT, ARN, Clock, FakeAws, Refusal, Wire, no_answer, unauthorized
from tests.unit.fake_ec2 import FakeEc2

OTHER = "998877665544"
KEYS = Credentials(ACCOUNT, "not-a-secret")
NOWHERE = "http://127.0.0.1:9"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
IMAGE = LocalImage("docker", "rails-app", "sha256:0", "latest", 0)
BARE = (
    "ensure_network ensure_cluster ensure_repository images run_image record_image_uri verify"
    " snapshot draw resources delete_default_route break_it hint mended cleanup take_over"
)
CALLS: dict[str, Callable[[Workshop], Any]] = {
    **{verb: operator.methodcaller(verb) for verb in BARE.split()},
    "push_commands": lambda room: room.push_commands(context="shop"),
    "push_image": lambda room: room.push_image(IMAGE),
    "tag_image": lambda room: room.tag_image(tag="latest", image="1.0.0"),
    "predict": lambda room: room.predict("route-tables", 1),
    "check_task": lambda room: room.check_task("broken-route"),
    "evidence": lambda room: room.evidence("network"),
    "questions": lambda room: room.questions("why-zones"),
    "cleanup for good": lambda room: room.cleanup(confirm="delete"),
}
WITHOUT_AWS = {
    *("card", "with_own_progress", "hand_in", "journal", "overview", "build_image", "doctor")
}
"""Verbs that call nothing, and the doctor, which tells the refusal as a finding."""


def identity(account: str) -> dict[str, str]:
    return {"Account": account, "Arn": f"arn:aws:iam::{account}:user/learner", "UserId": "AIDA"}


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


def test_credentials_of_another_account_stop_every_verb(room: Workshop, fake: FakeAws) -> None:
    verbs = {name for name, _ in inspect.getmembers(Workshop, inspect.isfunction) if name[0] != "_"}
    assert {name.split()[0] for name in CALLS} == verbs - WITHOUT_AWS
    fake.answers("GetCallerIdentity", identity(OTHER))
    called = {}
    for verb, call in CALLS.items():
        fake.calls.clear()
        with pytest.raises(NotAllowed, match=OTHER):
            call(room)
        called[verb] = list(fake.operations)
    assert called == {verb: ["GetCallerIdentity"] for verb in CALLS}
    assert room.journal().records == ()
    [target] = [item for item in room.doctor().findings if item.id == "target"]
    assert (target.state, OTHER in target.seen) == ("bad", True)


def test_new_credentials_are_asked_for_their_account_before_anything_is_called_with_them(
    room: Workshop, fake: FakeAws
) -> None:
    fake.answers("DescribeVpcs", {"Vpcs": []})
    for _ in range(3):
        room.aws.call("ec2", "DescribeVpcs")
    once = ["GetCallerIdentity", *["DescribeVpcs"] * 3]
    assert (fake.operations, room.aws.confirmed_key) == (once, fake.key)
    verb, elsewhere = room.aws, room.aws.in_region("eu-west-1")  # in the middle of a verb
    fake.key = "ASIANEWNEWNEWNEWNEWN"
    verb.call("ec2", "DescribeVpcs")
    verb.call("ec2", "DescribeVpcs")
    assert fake.operations[4:] == ["GetCallerIdentity", *["DescribeVpcs"] * 2]
    fake.key = "ASIAOTHEROTHEROTHERO"
    fake.answers("GetCallerIdentity", identity(OTHER))
    fake.calls.clear()
    for aws in (verb, elsewhere, verb.without_recording()):
        with pytest.raises(NotAllowed, match=OTHER):
            aws.call("ec2", "DescribeVpcs")
    assert (set(fake.operations), verb.account) == ({"GetCallerIdentity"}, ACCOUNT)


def test_nothing_is_broken_on_real_aws(room: Workshop, fake: FakeAws) -> None:
    answers = [CALLS[verb](room) for verb in ("break_it", "hint", "mended")]
    assert [repr(answer).startswith("ⓘ ") for answer in answers] == [True] * 3
    assert all("HANDSON_TARGET" in repr(answer) for answer in answers)
    assert fake.operations == ["GetCallerIdentity"]  # for the first; the key is the same since then


def test_the_named_account_is_for_real_aws_alone_and_not_the_embedded_ones(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match=EMBEDDED):
        connection.connect_target(real(tmp_path / "home", account=EMBEDDED))
    environ = {"HANDSON_HOME": str(tmp_path / "home"), "HANDSON_AWS_ACCOUNT": ACCOUNT}
    chosen = settings.read_settings(environ, cwd=tmp_path, endpoint_url=NOWHERE)
    with pytest.raises(AWSError, match=r"http://127\.0\.0\.1:9"):
        connection.connect_target(chosen)


def connect(session: Any = None, *, account: str | None = ACCOUNT, attempts: int = 2) -> Aws:
    patience = Clock().patience(attempts=attempts)
    return connect_aws(region="us-east-1", account=account, session=session, patience=patience)


SAME = identity(ACCOUNT)
STRANGERS: dict[str, tuple[str | None, Any, type[HandsonError]]] = {
    # the named account, who calls; the error
    "no account": (None, SAME, NotAllowed),
    "an empty account": ("", SAME, NotAllowed),
    "another account": (OTHER, SAME, NotAllowed),
    "expired": (ACCOUNT, Refusal("ExpiredToken", status=403), NotAllowed),
    "no credentials": (ACCOUNT, NoCredentialsError(), NotAllowed),
    "no answer": (ACCOUNT, no_answer(), AWSError),
}


@pytest.mark.parametrize("case", STRANGERS)
def test_who_is_not_of_the_named_account_is_refused_and_calls_nothing_else(case: str) -> None:
    account, answer, kind = STRANGERS[case]
    fake = FakeAws()
    fake.answers("GetCallerIdentity", answer)
    with pytest.raises(kind):
        connect(fake.session(), account=account)
    assert set(fake.operations) == ({"GetCallerIdentity"} if account else set())


OTHERS = [
    (200, "<!DOCTYPE html><html><body>Welcome</body></html>"),
    (200, "<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>"),
    (200, ""),
    (302, ""),
    (404, "<html>Not Found</html>"),
]


def test_what_is_no_answer_of_awss_is_told() -> None:
    for status, body in OTHERS:
        with pytest.raises(AWSError, match="AWS の応答ではありません"):
            connect(Wire(status=status, body=body).session())


def test_a_missing_profile_is_told_and_an_emulator_sees_no_key_of_the_learners(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PROFILE", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        monkeypatch.setenv(f"AWS_{name}", "own")
    with pytest.raises(NotAllowed, match="プロファイル own が"):
        connect()
    keys = make_private_session(KEYS).get_credentials()
    assert (keys.access_key, keys.secret_key, keys.token) == (ACCOUNT, "not-a-secret", None)


def test_an_emulators_client_takes_nothing_from_the_learners_variables_and_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = [name for _, name, *_ in SETTINGS.values() if isinstance(name, str)]
    for name in {*names, "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"}:
        monkeypatch.setenv(name, "bogus")
    settings = "".join(f"{name} = bogus\n" for name in SETTINGS)
    (tmp_path / "config").write_text(f"[default]\n{settings}[profile bogus]\n{settings}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    aws = connect_emulator(NOWHERE, region="us-east-1", credentials=KEYS, account=ACCOUNT)
    read = {name: aws.session.get_config_variable(name) for name in SETTINGS}
    assert "bogus" not in read.values()
    found = {it: aws.client(it).meta.endpoint_url for it in ("ec2", "ecr", "ecs", "sts")}
    assert set(found.values()) == {NOWHERE}
    assert "bogus" not in str(vars(aws.client("sts").meta.config))


def test_an_emulator_is_asked_for_its_account_unless_it_is_known() -> None:
    aws = connect_emulator(NOWHERE, region="us-east-1", credentials=KEYS, account=ACCOUNT)
    assert (aws.account, aws.requests) == (ACCOUNT, [])
    clock = Clock()
    patience = clock.patience(attempts=2)
    with pytest.raises(AWSError, match=r"http://127\.0\.0\.1:9"):
        connect_emulator(NOWHERE, region="us-east-1", credentials=KEYS, patience=patience)
    assert len(clock.pauses) == 1


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
AWS = "us-east-1.amazonaws.com"
SOME_READS = {"ec2": "DescribeVpcs", "ecr": "DescribeRepositories", "ecs": "ListClusters"}


@pytest.mark.parametrize("where", ["environment", "profile"])
def test_an_endpoint_of_the_learners_is_not_taken_and_the_first_request_is_of_the_identity(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str
) -> None:
    if where == "profile":
        (tmp_path / "config").write_text(PROFILE)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE)
        for name in ("EC2", "ECR", "ECS", "STS", "SERVICE_QUOTAS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", NOWHERE)
    wire = Wire()
    aws = connect(wire.session(), attempts=1)
    [(url, body)] = wire.sent
    assert (url, "Action=GetCallerIdentity" in body) == (f"https://sts.{AWS}/", True)
    assert (aws.account, aws.caller, aws.kind) == (ACCOUNT, ARN, "aws")
    for service, operation in SOME_READS.items():
        with pytest.raises(AWSError):
            aws.call(service, operation)
    hosts = [url.split("/")[2] for url, _ in wire.sent[1:]]
    assert hosts == [f"{service}.{AWS}" for service in ("ec2", "api.ecr", "ecs")]
    assert (aws.target.kind, aws.target.endpoint) == ("aws", None)


def test_the_root_user_is_advised_against_on_real_aws_alone(room: Workshop, fake: FakeAws) -> None:
    assert "ルートユーザー" not in str(room)
    room.aws.caller = ROOT
    assert "ルートユーザー" in str(room)
    emulated = fake.connect(kind="emulator")
    emulated.caller = ROOT
    assert emulated.is_root is False


def test_the_doctor_asks_for_permissions_makes_nothing_and_advises_against_the_root_user(
    tmp_path: Path,
) -> None:
    def findings(caller: str) -> dict[str, doctor.Finding]:
        aws = region.connect()
        aws.caller, aws.owners = caller, Owners("Aiko", ("Aiko",))
        found = doctor.examine_machine(real(tmp_path / "home"), connect=lambda: aws).findings
        return {finding.id: finding for finding in found}

    region = FakeEc2()
    absent = Refusal("RepositoryNotFoundException", "There is none.")
    region.answers("DescribeRepositories", *[absent, {"repositories": []}] * 3)
    region.answers("DescribeClusters", {"clusters": []})
    region.answers("ListClusters", {"clusterArns": []})
    good = findings(ARN)
    assert (good["permissions"].state, good["caller"].state) == ("ok", "ok")
    assert ("CreateVpc" in region.operations, region.writes) == (True, [])
    region.first("CreateVpc", unauthorized("ec2:CreateVpc"))
    bad = findings(ROOT)
    assert (bad["permissions"].state, bad["caller"].state) == ("bad", "advice")
    assert "ec2:CreateVpc" in bad["permissions"].seen
    assert ACCOUNT not in good["caller"].seen + bad["caller"].seen
    assert (good["learners"].state, good["learners"].seen) == ("ok", "-")
    region.answers("DescribeClusters", unauthorized("ecs:DescribeClusters"))
    blind = findings(ARN)["learners"]
    assert (blind.state, "ecs:DescribeClusters" in blind.seen) == ("advice", True)
