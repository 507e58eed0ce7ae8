"""The account guard: real AWS is asked who calls, and nothing else, until the account agrees."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions

from handson.aws import Credentials, connect_aws, connect_emulator
from handson.aws.connection import make_private_session
from handson.core.errors import AWSError, HandsonError, NotAllowed
from tests.unit.fake_aws import ACCOUNT, ARN, REGION, Clock, FakeAws, Refusal, Wire, no_answer

OTHER = "998877665544"
KEYS = Credentials(ACCOUNT, "not-a-secret")
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def fake() -> FakeAws:
    return FakeAws()


def connect(fake: FakeAws, *, account: str | None = ACCOUNT) -> Any:
    patience = fake.clock.patience()
    return connect_aws(region=REGION, account=account, session=fake.session(), patience=patience)


def refused(fake: FakeAws, *, account: str | None = ACCOUNT) -> HandsonError:
    with pytest.raises(HandsonError) as error:
        connect(fake, account=account)
    return error.value


# connect_aws


@pytest.mark.parametrize("account", [None, ""])
def test_without_a_named_account_nothing_is_called(fake: FakeAws, account: str | None) -> None:
    error = refused(fake, account=account)
    assert (type(error), len(str(error).splitlines())) == (NotAllowed, 2)
    assert fake.operations == []


def test_with_the_named_account_only_the_identity_was_asked_for(fake: FakeAws) -> None:
    aws = connect(fake)
    assert (aws.account, aws.caller, aws.kind) == (ACCOUNT, ARN, "aws")
    assert fake.operations == ["GetCallerIdentity"]


def test_another_account_is_refused_after_one_call_and_both_are_named(fake: FakeAws) -> None:
    error = refused(fake, account=OTHER)
    assert (type(error), len(str(error).splitlines())) == (NotAllowed, 2)
    assert ACCOUNT in error.problem
    assert OTHER in error.problem
    assert fake.operations == ["GetCallerIdentity"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Refusal("ExpiredToken", status=403), NotAllowed),
        (Refusal("InvalidClientTokenId", status=403), NotAllowed),
        (exceptions.NoCredentialsError(), NotAllowed),
        (no_answer(), AWSError),
    ],
    ids=["expired", "invalid", "none", "no answer"],
)
def test_who_cannot_be_identified_is_refused(fake: FakeAws, answer: Any, kind: type) -> None:
    fake.answers("GetCallerIdentity", answer)
    assert type(refused(fake)) is kind


def test_missing_credentials_and_a_missing_profile_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patience = Clock().patience()
    with pytest.raises(NotAllowed, match="NoCredentialsError"):
        connect_aws(region=REGION, account=ACCOUNT, patience=patience)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(NotAllowed, match="ProfileNotFound"):
        connect_aws(region=REGION, account=ACCOUNT, patience=patience)


def asked(wire: Wire) -> None:
    patience = Clock().patience(attempts=2)
    connect_aws(region=REGION, account=ACCOUNT, session=wire.session(), patience=patience)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<!DOCTYPE html><html><body>Welcome</body></html>"),
        (200, "<a><b/></a>"),
        (200, "<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>"),
        (200, '{"welcome": []}'),
        (200, ""),
        (302, ""),
        (404, "<html>Not Found</html>"),
    ],
    ids=["page", "xml", "nobody", "json", "nothing", "elsewhere", "not found"],
)
def test_what_is_no_answer_of_awss_is_told_in_two_lines(status: int, body: str) -> None:
    with pytest.raises(AWSError, match="AWS の応答ではありません") as refused:
        asked(Wire(status=status, body=body))
    assert len(str(refused.value).splitlines()) == 2


def test_the_only_request_on_the_wire_is_get_caller_identity() -> None:
    wire = Wire()
    asked(wire)
    [(url, body)] = wire.sent
    assert url == "https://sts.us-east-1.amazonaws.com/"
    assert "Action=GetCallerIdentity" in body


# make_private_session, connect_emulator


def test_the_learners_own_keys_and_profile_are_not_seen_by_an_emulator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOWNOWNOWNOWNOWN1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "own-token")
    keys = make_private_session(KEYS).get_credentials()
    assert (keys.access_key, keys.secret_key, keys.token) == (ACCOUNT, "not-a-secret", None)


def test_an_emulator_that_does_not_answer_is_named() -> None:
    clock = Clock()
    patience = clock.patience(attempts=2)
    with pytest.raises(AWSError, match=r"http://127\.0\.0\.1:9"):
        connect_emulator(NOWHERE, region=REGION, credentials=KEYS, patience=patience)
    assert len(clock.pauses) == 1


def test_an_emulator_whose_account_is_known_is_not_asked_for_it() -> None:
    aws = connect_emulator(NOWHERE, region=REGION, credentials=KEYS, account=ACCOUNT)
    assert (aws.account, aws.requests) == (ACCOUNT, [])
