"""The account guard: real AWS is asked who calls, and nothing else, until the account agrees."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from handson.aws import Aws, Credentials, connect_aws, connect_emulator
from handson.aws.connection import make_private_session
from handson.core.errors import AWSError, HandsonError, NotAllowed
from tests.unit.fake_aws import ACCOUNT, ARN, REGION, Clock, FakeAws, Refusal, Wire, no_answer

OTHER = "998877665544"
KEYS = Credentials(ACCOUNT, "not-a-secret")
NOWHERE = "http://127.0.0.1:9"


def connect(session: Any = None, *, account: str | None = ACCOUNT) -> Aws:
    patience = Clock().patience(attempts=2)
    return connect_aws(region=REGION, account=account, session=session, patience=patience)


SAME = {"Account": ACCOUNT, "Arn": ARN, "UserId": "AIDA"}
STRANGERS: dict[str, tuple[str | None, Any, type[HandsonError], list[str]]] = {
    # the named account, who calls; the error and its words
    "no account": (None, SAME, NotAllowed, []),
    "an empty account": ("", SAME, NotAllowed, []),
    "another account": (OTHER, SAME, NotAllowed, [OTHER, ACCOUNT]),
    "expired": (ACCOUNT, Refusal("ExpiredToken", status=403), NotAllowed, []),
    "invalid": (ACCOUNT, Refusal("InvalidClientTokenId", status=403), NotAllowed, []),
    "no credentials": (ACCOUNT, NoCredentialsError(), NotAllowed, []),
    "no answer": (ACCOUNT, no_answer(), AWSError, []),
}


@pytest.mark.parametrize("case", STRANGERS)
def test_who_is_not_of_the_named_account_is_refused_and_calls_nothing_else(case: str) -> None:
    account, answer, kind, words = STRANGERS[case]
    fake = FakeAws()
    fake.answers("GetCallerIdentity", answer)
    with pytest.raises(HandsonError) as refused:
        connect(fake.session(), account=account)
    assert (type(refused.value), len(str(refused.value).splitlines())) == (kind, 2)
    assert [word for word in words if word not in refused.value.problem] == []
    assert set(fake.operations) == ({"GetCallerIdentity"} if account else set())


def test_missing_credentials_and_a_missing_profile_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(NotAllowed, match="NoCredentialsError"):
        connect()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(NotAllowed, match="ProfileNotFound"):
        connect()


ANSWERS_OF_OTHERS = [
    (200, "<!DOCTYPE html><html><body>Welcome</body></html>"),
    (200, "<a><b/></a>"),
    (200, "<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>"),
    (200, '{"welcome": []}'),
    (200, ""),
    (302, ""),
    (404, "<html>Not Found</html>"),
]


@pytest.mark.parametrize(("status", "body"), ANSWERS_OF_OTHERS)
def test_what_is_no_answer_of_awss_is_told_in_two_lines(status: int, body: str) -> None:
    with pytest.raises(AWSError, match="AWS の応答ではありません") as refused:
        connect(Wire(status=status, body=body).session())
    assert len(str(refused.value).splitlines()) == 2


def test_the_only_request_on_the_wire_is_get_caller_identity() -> None:
    wire = Wire()
    aws = connect(wire.session())
    assert (aws.account, aws.caller, aws.kind) == (ACCOUNT, ARN, "aws")
    [(url, body)] = wire.sent
    assert url == "https://sts.us-east-1.amazonaws.com/"
    assert "Action=GetCallerIdentity" in body


def test_the_learners_own_keys_and_profile_are_not_seen_by_an_emulator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOWNOWNOWNOWNOWN1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "own-token")
    keys = make_private_session(KEYS).get_credentials()
    assert (keys.access_key, keys.secret_key, keys.token) == (ACCOUNT, "not-a-secret", None)


def test_an_emulator_is_asked_for_its_account_unless_it_is_known() -> None:
    aws = connect_emulator(NOWHERE, region=REGION, credentials=KEYS, account=ACCOUNT)
    assert (aws.account, aws.requests) == (ACCOUNT, [])
    clock = Clock()
    patience = clock.patience(attempts=2)
    with pytest.raises(AWSError, match=r"http://127\.0\.0\.1:9"):
        connect_emulator(NOWHERE, region=REGION, credentials=KEYS, patience=patience)
    assert len(clock.pauses) == 1
