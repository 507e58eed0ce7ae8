"""boto3's errors turned into ours, and calls that a learner writes wrongly: told in two lines."""

from __future__ import annotations

import ssl
from typing import Any

import botocore.exceptions as botocore
import pytest
from botocore.parsers import ResponseParserError

from handson.aws.refusals import has_code, translate_errors
from handson.core import messages
from handson.core.errors import (
    AWSError,
    AWSUnclear,
    HandsonError,
    InvalidInput,
    NotAllowed,
    NotReady,
)
from tests.unit.fake_aws import URL, FakeAws, Refusal, closed, no_answer, silent, unauthorized

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
REFUSALS = {
    NotAllowed: {
        400: "AccessDeniedException ExpiredTokenException UnrecognizedClientException",
        401: "AuthFailure SomethingNewAboutKeys",
        403: "UnauthorizedOperation SomethingNewAboutPermissions ExpiredToken InvalidClientTokenId",
    },
    AWSError: {400: "Throttling InvalidVpc.Range", 429: "TooManyRequests"},
    AWSUnclear: {500: "InternalError", 503: "Unavailable"},
}
CODES = {
    code: (status, kind)
    for kind, codes in REFUSALS.items()
    for status, named in codes.items()
    for code in named.split()
}


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


def test_an_answer_of_aws_becomes_the_error_that_says_what_to_do_with_its_code() -> None:
    found = {code: answered(code, status=status) for code, (status, _) in CODES.items()}
    wanted = {code: (kind, code) for code, (_, kind) in CODES.items()}
    assert {code: (type(error), error.code) for code, error in found.items()} == wanted


def test_a_certificate_that_is_not_trusted_is_told_with_its_host_also_of_a_write() -> None:
    failed = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused = seen(botocore.SSLError(endpoint_url=f"{URL}/?x", error=failed))
    assert (type(refused), "fake.invalid" in refused.problem) == (NotReady, True)


def kinds(errors: list[Exception], *, operation: str = "CreateVpc") -> set[tuple[type, bool]]:
    """Return what the errors become, and whether the call may be repeated."""
    found = [seen(it, operation=operation) for it in errors]
    return {(type(it), getattr(it, "repeatable", False)) for it in found}


def test_no_credentials_a_broken_off_write_and_a_broken_off_read_are_three_things() -> None:
    assert kinds(MISSING) == {(NotAllowed, False)}
    assert {kind for kind, _ in kinds(ON_THE_WAY)} == {AWSUnclear}
    for operation in ("DescribeVpcs", "DeleteVpc", "DetachInternetGateway"):
        assert kinds(ON_THE_WAY, operation=operation) == {(AWSError, True)}
    with pytest.raises(ZeroDivisionError), translate_errors("ec2", "CreateVpc", endpoint=None):
        raise ZeroDivisionError  # not botocore's


def test_an_endpoint_that_was_not_reached_is_named_and_can_be_asked_again() -> None:
    with (
        pytest.raises(AWSError, match=r"http://127\.0\.0\.1:4566") as refused,
        translate_errors("ec2", "CreateVpc", endpoint="http://127.0.0.1:4566"),
    ):
        raise no_answer()
    assert (type(refused.value), refused.value.repeatable) == (AWSError, True)


def test_a_denied_call_or_action_is_told_with_its_cell_and_another_refusal_in_awss_words() -> None:
    denied = answered("UnauthorizedOperation", status=403)
    assert "ec2:CreateVpc" in denied.problem
    assert "workshop.ensure_network (01-network)" in denied.problem
    assert "VPCs are full" in answered("VpcLimitExceeded", message="VPCs are full").problem
    named = unauthorized("ec2:CreateTags")
    denied = answered(named.code, status=403, message=named.message)
    assert isinstance(denied, NotAllowed)
    assert (denied.actions, "arn:aws" in str(denied)) == (("ec2:CreateTags",), False)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_error_is_two_lines(language: str) -> None:
    messages.use(language)
    answers = [answered(it, status=CODES[it][0], message="said\nAWS") for it in CODES]
    wrong = botocore.ParamValidationError(report="Missing required parameter\nUnknown parameter")
    errors = [*answers, *map(seen, [*MISSING, *ON_THE_WAY, no_answer(), wrong])]
    assert [str(error) for error in errors if len(str(error).split("\n")) != 2] == []


def test_neither_refused_credentials_nor_an_error_on_the_way_show_a_secret() -> None:
    denied = {code: status for code, (status, kind) in CODES.items() if kind is NotAllowed}
    errors = [answered(code, status=status, message=SECRET) for code, status in denied.items()]
    errors += map(seen, [*MISSING, *ON_THE_WAY])
    shown = [f"{it}{it!r}{it.lines()}{it._render_traceback_()}" for it in errors]
    assert [text for text in shown if any(word in text for word in SECRET.split())] == []


def test_an_error_is_told_by_code_and_words() -> None:
    error: Any = AWSError("", "", code="InvalidVpcID.NotFound", reason="vpc-1 Does Not Exist")
    own = ["InvalidVpcID.NotFound", "InvalidVpcId.NotFound", "InvalidVpcID.NotFound: not exist"]
    others = ["InvalidVpcID.NotFound: something", "InvalidSubnetID.NotFound", "InvalidVpcID"]
    assert [code for code in (*own, *others) if has_code(error, [code])] == own
    assert (has_code(error, [*others, own[0]]), has_code(error, [])) == (True, False)


PROVIDERS = "PutClusterCapacityProviders"
SWITCH = {"VpcId": "x", "EnableDnsSupport": True}
SMALL = {"Resources": ["x"], "Tags": [{"key": "Name", "Value": "x"}]}
SLIPS: dict[str, tuple[tuple[Any, ...], dict[str, Any], str]] = {
    "a service in capitals": (("EC2", "DeleteSubnet"), {"SubnetId": "x"}, '"ec2"'),
    "a service that is none": (("vpc", "DeleteSubnet"), {}, '"ec2", "ecs", "ecr"'),
    "a service that is no text": ((5, "DeleteSubnet"), {}, '"ec2", "ecs", "ecr"'),
    "an operation in small letters": (("ec2", "deletesubnet"), {}, '"DeleteSubnet"'),
    "a letter too few": (("ecs", PROVIDERS[:-1]), {"cluster": "x"}, f'"{PROVIDERS}"'),
    "no operation": (("ec2",), {"SubnetId": "x"}, "API"),
    "a method of boto3's that is no operation": (("ec2", "get_paginator"), {}, "API"),
    "a value without its name": (("ec2", "DeleteSubnet", "subnet-1"), {}, '"DeleteSubnet", …=…'),
    "a parameter too few": (("ec2", "DeleteSubnet"), {}, "SubnetId"),
    "a parameter in other letters": (("ec2", "DeleteSubnet"), {"subnetid": "x"}, "SubnetId"),
    "a parameter that is none": (("ec2", "DeleteSubnet"), {"zzz": "x"}, "SubnetId, DryRun"),
    "a text for a list": (("ec2", "CreateTags"), {"Resources": "x", "Tags": []}, "Resources"),
    "a text for a dictionary": (("ecs", "CreateCluster"), {"tags": ["x"]}, "tags[0]"),
    "a switch for a dictionary": (("ec2", "ModifyVpcAttribute"), SWITCH, "EnableDnsSupport"),
    "a key in small letters": (("ec2", "CreateTags"), SMALL, "Key"),
}


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_a_call_that_is_written_wrongly_is_answered_with_how_to_write_it(language: str) -> None:
    messages.use(language)
    aws = FakeAws().connect()  # that has no answer, so nothing may be sent
    told = {}
    for slip, (given, named, _) in SLIPS.items():
        with pytest.raises(InvalidInput) as refused:
            aws.call(*given, **named)
        told[slip] = refused.value
    missing = {slip: it.remedy for slip, it in told.items() if SLIPS[slip][2] not in it.remedy}
    assert missing == {}
    assert [str(it) for it in told.values() if len(str(it).splitlines()) != 2] == []
    fake = FakeAws()
    fake.answers("DeleteSubnet", {})
    fake.connect().call("ec2", "delete_subnet", SubnetId="subnet-1")  # as boto3 writes it
    assert fake.operations == ["DeleteSubnet"]
