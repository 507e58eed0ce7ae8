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


# The kind of error


def test_an_answer_of_aws_becomes_the_error_that_says_what_to_do_with_its_code() -> None:
    found = {code: answered(code, status=status) for code, status, _ in REFUSALS}
    assert {code: (type(error), error.code) for code, error in found.items()} == {
        code: (kind, code) for code, _, kind in REFUSALS
    }


def test_credentials_that_cannot_be_had_are_not_allowed() -> None:
    assert {name(it): type(seen(it)) for it in MISSING} == {name(it): NotAllowed for it in MISSING}


def test_a_write_that_broke_off_is_unclear() -> None:
    found = {name(it): type(seen(it)) for it in ON_THE_WAY}
    assert found == {name(it): AWSUnclear for it in ON_THE_WAY}


@pytest.mark.parametrize("operation", ["DescribeVpcs", "DeleteVpc", "DetachInternetGateway"])
def test_a_read_or_deletion_that_broke_off_is_repeatable(operation: str) -> None:
    found = {name(it): seen(it, operation=operation) for it in ON_THE_WAY}
    assert {cause: type(error) for cause, error in found.items()} == dict.fromkeys(found, AWSError)
    assert [cause for cause, it in found.items() if not getattr(it, "repeatable", None)] == []


def test_an_endpoint_that_was_not_reached_is_named_and_can_be_asked_again() -> None:
    with (
        pytest.raises(AWSError, match=r"http://127\.0\.0\.1:4566") as refused,
        translate_errors("ec2", "CreateVpc", endpoint="http://127.0.0.1:4566"),
    ):
        raise no_answer()
    assert type(refused.value) is AWSError
    assert refused.value.repeatable is True


def test_what_is_not_known_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), translate_errors("ec2", "CreateVpc", endpoint=None):
        raise ZeroDivisionError


# What it says


def test_each_kind_of_refusal_has_sentences_of_its_own() -> None:
    keys = {
        "ExpiredToken": "aws.expired",
        "InvalidClientTokenId": "aws.credentials-refused",
        "Throttling": "aws.throttled",
    }
    assert {code: answered(code).lines() for code in keys} == {
        code: (f"✗ {problem} [{code}]", f"→ {remedy}")
        for code, key in keys.items()
        for problem, remedy in [messages.advice(key, call="ec2:CreateVpc")]
    }


def test_an_endpoint_that_takes_a_call_and_says_nothing_has_not_broken_off() -> None:
    assert "時間内に来ませんでした" in seen(silent()).problem


def test_a_denied_call_names_itself_as_a_policy_does_and_the_cell_that_makes_it() -> None:
    denied = answered("UnauthorizedOperation", status=403)
    assert "ec2:CreateVpc" in denied.problem
    assert "workshop.ensure_network (01-network)" in denied.problem
    assert "ec2:CreateVpc" in denied.remedy


def test_the_action_that_aws_names_is_told_in_the_place_of_the_call() -> None:
    said = "User: arn:aws:iam::1:user/u is not authorized to perform: ec2:CreateTags on resource: x"
    denied = answered("UnauthorizedOperation", status=403, message=said)
    assert isinstance(denied, NotAllowed)
    assert denied.actions == ("ec2:CreateTags",)
    assert "arn:aws" not in str(denied)


def test_aws_own_words_are_told_where_they_help() -> None:
    assert "VPCs are full" in answered("VpcLimitExceeded", message="VPCs are full").problem


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_error_is_two_lines(language: str) -> None:
    messages.use(language)
    answers = [answered(code, status=status, message="said\nAWS") for code, status, _ in REFUSALS]
    wrong = botocore.ParamValidationError(report="Missing required parameter\nUnknown parameter")
    errors = [*answers, *map(seen, [*MISSING, *ON_THE_WAY, no_answer(), wrong])]
    assert [str(error) for error in errors if len(str(error).split("\n")) != 2] == []


def test_neither_refused_credentials_nor_an_error_on_the_way_show_a_secret() -> None:
    denied = [(code, status) for code, status, kind in REFUSALS if kind is NotAllowed]
    errors = [answered(code, status=status, message=SECRET) for code, status in denied]
    errors += map(seen, [*MISSING, *ON_THE_WAY])
    shown = [f"{it}{it!r}{it.lines()}{it._render_traceback_()}" for it in errors]
    assert [text for text in shown if any(word in text for word in SECRET.split())] == []


# has_code

CODES = {
    "InvalidVpcID.NotFound": True,
    "InvalidVpcId.NotFound": True,
    "InvalidVpcID.NotFound: does not exist": True,
    "InvalidVpcID.NotFound: something else": False,
    "InvalidSubnetID.NotFound": False,
    "InvalidVpcID": False,
}


def test_an_error_is_told_by_code_and_words() -> None:
    error: Any = AWSError("", "", code="InvalidVpcID.NotFound", reason="vpc-1 Does Not Exist")
    assert {code: has_code(error, [code]) for code in CODES} == CODES
    assert has_code(error, list(CODES)) is True
    assert has_code(error, []) is False
