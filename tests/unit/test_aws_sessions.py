"""The account guard: real AWS is asked who calls, and nothing else, until the account agrees."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore import exceptions
from botocore.awsrequest import AWSResponse

from handson.aws import Credentials, connect_aws, connect_emulator
from handson.aws.connection import make_private_session
from handson.core.errors import AWSError, HandsonError, NotAllowed
from tests.unit.fake_aws import ACCOUNT, ARN, REGION, Clock, FakeAws, Refusal, no_answer

OTHER = "998877665544"


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


@pytest.mark.parametrize("account", [None, ""])
def test_without_a_named_account_nothing_is_called(fake: FakeAws, account: str | None) -> None:
    error = refused(fake, account=account)
    assert (type(error), fake.operations) == (NotAllowed, [])


def test_with_the_named_account_only_the_identity_was_asked_for(fake: FakeAws) -> None:
    connect(fake)
    assert fake.operations == ["GetCallerIdentity"]


def test_the_connection_knows_account_and_caller(fake: FakeAws) -> None:
    aws = connect(fake)
    assert (aws.account, aws.caller, aws.kind) == (ACCOUNT, ARN, "aws")


def test_another_account_is_refused_after_one_call(fake: FakeAws) -> None:
    error = refused(fake, account=OTHER)
    assert (type(error), fake.operations) == (NotAllowed, ["GetCallerIdentity"])


def test_the_refusal_names_both_accounts(fake: FakeAws) -> None:
    problem = refused(fake, account=OTHER).problem
    assert (ACCOUNT in problem, OTHER in problem) == (True, True)


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


def test_every_refusal_is_two_lines(fake: FakeAws) -> None:
    errors = [refused(fake, account=None), refused(fake, account=OTHER)]
    assert [len(str(error).splitlines()) for error in errors] == [2, 2]


def test_a_learner_without_credentials_is_told_so() -> None:
    with pytest.raises(NotAllowed) as error:
        connect_aws(region=REGION, account=ACCOUNT, patience=Clock().patience())
    assert "NoCredentialsError" in error.value.problem


def test_a_profile_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(NotAllowed) as error:
        connect_aws(region=REGION, account=ACCOUNT, patience=Clock().patience())
    assert "ProfileNotFound" in error.value.problem


class Network:
    """The network's place: keeps the requests that would be sent, and answers in XML."""

    def __init__(self, *, status: int = 200, body: str | None = None) -> None:
        self.sent: list[Any] = []
        self.status, self.body = status, body

    def __call__(self, request: Any, **_: Any) -> AWSResponse:
        self.sent.append(request)
        body = (
            self.body
            if self.body is not None
            else (
                '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
                f"<GetCallerIdentityResult><Arn>{ARN}</Arn><UserId>AIDA</UserId>"
                f"<Account>{ACCOUNT}</Account></GetCallerIdentityResult>"
                "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
                "</GetCallerIdentityResponse>"
            )
        )
        answer = AWSResponse(request.url, self.status, {}, None)
        answer._content = body.encode()
        return answer


def asked(network: Network) -> None:
    session = botocore.session.Session()
    session.set_credentials("AKIAFAKEFAKEFAKEFAKE", "a-secret-key")
    session.register("before-send", network)
    patience = Clock().patience(attempts=2)
    connect_aws(region=REGION, account=ACCOUNT, session=session, patience=patience)


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
        asked(Network(status=status, body=body))
    assert len(str(refused.value).splitlines()) == 2


def test_the_only_request_on_the_wire_is_get_caller_identity() -> None:
    network = Network()
    asked(network)
    sent = [
        (request.url, "Action=GetCallerIdentity" in str(request.body)) for request in network.sent
    ]
    assert sent == [("https://sts.us-east-1.amazonaws.com/", True)]


def test_the_learners_own_keys_and_profile_are_not_seen_by_an_emulator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOWNOWNOWNOWNOWN1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "own-token")
    keys = make_private_session(Credentials(ACCOUNT, "not-a-secret")).get_credentials()
    assert (keys.access_key, keys.secret_key, keys.token) == (ACCOUNT, "not-a-secret", None)


def test_an_emulator_that_does_not_answer_is_named() -> None:
    clock = Clock()
    with pytest.raises(AWSError) as error:
        connect_emulator(
            "http://127.0.0.1:9",
            region=REGION,
            credentials=Credentials(ACCOUNT, "not-a-secret"),
            patience=clock.patience(attempts=2),
        )
    assert ("http://127.0.0.1:9" in error.value.problem, len(clock.pauses)) == (True, 1)


def test_an_emulator_whose_account_is_known_is_not_asked_for_it() -> None:
    aws = connect_emulator(
        "http://127.0.0.1:9",
        region=REGION,
        credentials=Credentials(ACCOUNT, "not-a-secret"),
        account=ACCOUNT,
    )
    assert (aws.account, aws.requests) == (ACCOUNT, [])
