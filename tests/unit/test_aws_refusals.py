"""boto3's errors turned into ours: the right kind, two lines, and no secret."""

from __future__ import annotations

from typing import Any

import botocore.exceptions as botocore
import pytest
from botocore.parsers import ResponseParserError

from handson.aws.refusals import has_code, translate_errors
from handson.core import messages
from handson.core.errors import AWSError, AWSUnclear, HandsonError, NotAllowed
from tests.unit.fake_aws import URL, FakeAws, Refusal, closed, no_answer, silent

SECRET = "AKIAFAKEFAKEFAKEFAKE a-secret-key a-session-token"
MISSING = [
    botocore.NoCredentialsError(),
    botocore.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
    botocore.CredentialRetrievalError(provider="process", error_msg=SECRET),
    botocore.ProfileNotFound(profile="handson"),
    botocore.UnauthorizedSSOTokenError(),
    botocore.TokenRetrievalError(provider="sso", error_msg=SECRET),
    botocore.NoAuthTokenError(),
    botocore.ConfigParseError(path="config", error=SECRET),
    botocore.InvalidConfigError(error_msg=SECRET),
    botocore.MetadataRetrievalError(error_msg=SECRET),
]
ON_THE_WAY = [
    closed(),
    silent(),
    botocore.HTTPClientError(error=SECRET),
    ResponseParserError(f"Unable to parse {SECRET}"),
    botocore.SSLError(endpoint_url=URL, error=SECRET),
    botocore.ProxyConnectionError(proxy_url=URL),
]
REFUSALS = [
    ("UnauthorizedOperation", 403, NotAllowed),
    ("AccessDenied", 403, NotAllowed),
    ("AccessDeniedException", 400, NotAllowed),
    ("SomethingNewAboutPermissions", 403, NotAllowed),
    ("ExpiredToken", 403, NotAllowed),
    ("ExpiredTokenException", 400, NotAllowed),
    ("RequestExpired", 400, NotAllowed),
    ("InvalidClientTokenId", 403, NotAllowed),
    ("UnrecognizedClientException", 400, NotAllowed),
    ("SignatureDoesNotMatch", 403, NotAllowed),
    ("AuthFailure", 401, NotAllowed),
    ("SomethingNewAboutKeys", 401, NotAllowed),
    ("Throttling", 400, AWSError),
    ("TooManyRequests", 429, AWSError),
    ("InvalidVpc.Range", 400, AWSError),
    ("InternalError", 500, AWSUnclear),
    ("Unavailable", 503, AWSUnclear),
]


def seen(error: Exception, *, operation: str = "CreateVpc") -> HandsonError:
    with pytest.raises(HandsonError) as refused, translate_errors("ec2", operation, endpoint=None):
        raise error
    return refused.value


def answered(code: str, *, status: int = 400, message: str = "said AWS") -> HandsonError:
    fake = FakeAws()
    fake.answers("CreateVpc", Refusal(code, message, status))
    with pytest.raises(HandsonError) as refused:
        fake.connect(attempts=1).call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    return refused.value


def name(error: Exception) -> str:
    return type(error).__name__


def test_an_endpoint_that_takes_a_call_and_says_nothing_has_not_broken_off() -> None:
    told = seen(silent())
    assert (name(told), "時間内に来ませんでした" in told.problem) == ("AWSUnclear", True)


@pytest.mark.parametrize(("code", "status", "kind"), REFUSALS)
def test_an_answer_of_aws_becomes_the_error_that_says_what_to_do(
    code: str, status: int, kind: type[HandsonError]
) -> None:
    assert type(answered(code, status=status)) is kind


@pytest.mark.parametrize(("code", "status"), [(code, status) for code, status, _ in REFUSALS])
def test_the_error_carries_the_code_of_aws(code: str, status: int) -> None:
    assert answered(code, status=status).code == code


@pytest.mark.parametrize("error", MISSING, ids=name)
def test_credentials_that_cannot_be_had_are_not_allowed(error: Exception) -> None:
    assert type(seen(error)) is NotAllowed


@pytest.mark.parametrize("error", ON_THE_WAY, ids=name)
def test_a_write_that_broke_off_is_unclear(error: Exception) -> None:
    assert type(seen(error)) is AWSUnclear


@pytest.mark.parametrize("error", ON_THE_WAY, ids=name)
@pytest.mark.parametrize("operation", ["DescribeVpcs", "DeleteVpc", "DetachInternetGateway"])
def test_a_read_or_deletion_that_broke_off_is_repeatable(error: Exception, operation: str) -> None:
    refused = seen(error, operation=operation)
    assert (type(refused), getattr(refused, "repeatable", None)) == (AWSError, True)


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    with (
        pytest.raises(AWSError) as refused,
        translate_errors("ec2", "CreateVpc", endpoint="http://127.0.0.1:4566"),
    ):
        raise no_answer()
    assert "http://127.0.0.1:4566" in refused.value.problem


def test_an_endpoint_that_does_not_answer_was_not_reached() -> None:
    refused = seen(no_answer())
    assert (type(refused), getattr(refused, "repeatable", None)) == (AWSError, True)


@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("ExpiredToken", "aws.expired"),
        ("InvalidClientTokenId", "aws.credentials-refused"),
        ("Throttling", "aws.throttled"),
    ],
)
def test_each_kind_of_refusal_has_sentences_of_its_own(code: str, key: str) -> None:
    refused = answered(code)
    assert (refused.problem, refused.remedy) == messages.advice(key, call="ec2:CreateVpc")


def test_a_denied_call_is_named_as_a_policy_names_it() -> None:
    denied = answered("UnauthorizedOperation", status=403)
    assert ("ec2:CreateVpc" in denied.problem, "ec2:CreateVpc" in denied.remedy) == (True, True)


def test_a_denied_call_names_the_cell_that_makes_it() -> None:
    assert "workshop.ensure_network (01-network)" in answered("UnauthorizedOperation").problem


def test_the_action_that_aws_names_is_told_in_the_place_of_the_call() -> None:
    said = "User: arn:aws:iam::1:user/u is not authorized to perform: ec2:CreateTags on resource: x"
    denied = answered("UnauthorizedOperation", status=403, message=said)
    assert isinstance(denied, NotAllowed)
    assert (denied.actions, "arn:aws" in str(denied)) == (("ec2:CreateTags",), False)


def test_aws_own_words_are_told_where_they_help() -> None:
    assert "VPCs are full" in answered("VpcLimitExceeded", message="VPCs are full").problem


def every_error() -> list[HandsonError]:
    answers = [answered(code, status=status, message="said\nAWS") for code, status, _ in REFUSALS]
    wrong = botocore.ParamValidationError(report="Missing required parameter\nUnknown parameter")
    return [*answers, *map(seen, [*MISSING, *ON_THE_WAY, no_answer(), wrong])]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_error_is_two_lines(language: str) -> None:
    messages.use(language)
    assert [str(error) for error in every_error() if len(str(error).split("\n")) != 2] == []


def secrets_in(error: HandsonError) -> list[str]:
    shown = f"{error}{error!r}{error.lines()}{error._render_traceback_()}"
    return [word for word in SECRET.split() if word in shown]


@pytest.mark.parametrize(
    ("code", "status"),
    [(code, status) for code, status, kind in REFUSALS if kind is NotAllowed],
)
def test_what_aws_says_of_refused_credentials_is_not_shown(code: str, status: int) -> None:
    assert secrets_in(answered(code, status=status, message=SECRET)) == []


@pytest.mark.parametrize("error", [*MISSING, *ON_THE_WAY], ids=name)
def test_an_error_on_the_way_shows_no_secret(error: Exception) -> None:
    assert secrets_in(seen(error)) == []


def test_what_is_not_known_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), translate_errors("ec2", "CreateVpc", endpoint=None):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        (["InvalidVpcID.NotFound"], True),
        (["InvalidVpcId.NotFound"], True),
        (["InvalidVpcID.NotFound: does not exist"], True),
        (["InvalidVpcID.NotFound: something else"], False),
        (["InvalidSubnetID.NotFound"], False),
        ([], False),
    ],
)
def test_an_error_is_told_by_code_and_words(codes: list[str], found: bool) -> None:
    error: Any = AWSError("", "", code="InvalidVpcID.NotFound", reason="vpc-1 Does Not Exist")
    assert has_code(error, codes) is found
