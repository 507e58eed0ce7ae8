"""boto3's errors turned into ours, and calls that a learner writes wrongly: told in two lines."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
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

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
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
    botocore.InvalidDefaultsMode(mode=SECRET, valid_modes=""),
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


def answered(
    code: str, *, status: int = 400, message: str = "said AWS", date: str = ""
) -> HandsonError:
    fake = FakeAws()
    fake.answers("CreateVpc", Refusal(code, message, status, date))
    aws = fake.connect(attempts=1, now=lambda: NOON)
    with pytest.raises(HandsonError) as refused:
        aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    return refused.value


def test_an_answer_of_aws_becomes_the_error_that_says_what_to_do_with_its_code() -> None:
    found = {code: answered(code, status=status) for code, (status, _) in CODES.items()}
    wanted = {code: (kind, code) for code, (_, kind) in CODES.items()}
    assert {code: (type(error), error.code) for code, error in found.items()} == wanted


def test_a_certificate_that_is_not_trusted_is_told_with_its_host_also_of_a_write() -> None:
    failed = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused = seen(botocore.SSLError(endpoint_url=f"{URL}/?x", error=failed))
    assert (type(refused), "fake.invalid" in refused.problem) == (NotReady, True)


def test_a_proxy_is_named_without_its_password_and_asks_for_one_itself() -> None:
    messages.use("en")
    proxy = f"http://aiko:{SECRET.split()[1]}@proxy.invalid:3128"
    failed = {
        "Tunnel connection failed: 407 x": "wants a user name and a password (407,",
        "Connection refused": "does not connect to AWS",
    }
    for reason, told in failed.items():
        error = seen(botocore.ProxyConnectionError(proxy_url=proxy, error=OSError(reason)))
        assert f"The proxy proxy.invalid:3128 {told}" in error.problem
        assert "aiko" not in str(error)


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


SCP = "arn:aws:organizations::111122223333:policy/o-example/service_control_policy/p-example"
BOUNDARY = "arn:aws:iam::112233445566:policy/boundary"
NO = "because no {} allows the ec2:CreateTags action"
DENY = "with an explicit deny in a {}"
ENDINGS: dict[str, tuple[str, str]] = {
    # how AWS's sentence ends: who is asked to mend it, and the ARN that is shown
    "": ("`handson policy`", ""),
    NO.format("identity-based policy"): ("`handson policy`", ""),
    DENY.format("identity-based policy").replace("a id", "an id"): ("remove the deny", ""),
    NO.format("permissions boundary"): ("who set the permissions boundary", ""),
    DENY.format(f"permissions boundary: {BOUNDARY}"): ("who set the permissions", BOUNDARY),
    NO.format("session policy"): ("issues your session", ""),
    DENY.format("session policy"): ("issues your session", ""),
    NO.format("service control policy"): ("(AWS Organizations)", ""),
    DENY.format(
        f"service control policy: {SCP}. Encoded authorization failure message: QWJjRGVm"
    ): (*("set HANDSON_REGION", SCP),),
    DENY.format("resource control policy"): ("(AWS Organizations)", ""),
    DENY.format("resource-based policy"): ("owner of the resource", ""),
    NO.format("resource-based policy"): ("owner of the resource", ""),
    DENY.format("VPC endpoint policy."): ("this network's administrator", ""),
    "with an explicit deny": ("can change that policy", ""),
    DENY.format("declarative policy"): ("can change that policy", ""),
}


def test_the_kind_of_policy_that_refused_decides_who_is_asked_to_mend_it() -> None:
    messages.use("en")
    said = (
        "You are not authorized to perform this operation. "
        + unauthorized("ec2:CreateTags").message
    )
    for ending, (remedy, arn) in ENDINGS.items():
        denied = answered("UnauthorizedOperation", status=403, message=f"{said} {ending}".strip())
        assert isinstance(denied, NotAllowed)
        assert denied.actions == ("ec2:CreateTags",)
        assert remedy in denied.remedy, ending
        assert ("handson policy" in str(denied)) == ("handson policy" in remedy), ending
        assert "ec2:CreateTags" in denied.problem
        assert ("arn:" in str(denied), arn in denied.problem) == (arn != "", True), ending
        assert "QWJj" not in str(denied)
    assert '"declarative"' in denied.problem


def at(minutes: float) -> str:
    """Return AWS's date, so many minutes after the machine's."""
    return format_datetime(NOON + timedelta(minutes=minutes), usegmt=True)


TIMES = {
    # AWS's words, where a proxy leaves out the date
    "Signature expired: 20261130T110000Z is now earlier than 20261130T114500Z "
    "(20261130T120000Z - 15 min.)": "60 minutes behind",
    "Signature not yet current: 20261130T123000Z is still later than 20261130T120500Z "
    "(20261130T120000Z + 5 min.)": "30 minutes ahead of",
}


def test_a_wrong_clock_is_named_with_its_size_and_a_wrong_key_is_not_taken_for_it() -> None:
    messages.use("en")
    stale = (
        "SignatureDoesNotMatch InvalidSignatureException RequestExpired AuthFailure ExpiredToken"
    )
    for code in stale.split():
        sizes = {minutes: answered(code, date=at(minutes)).problem for minutes in (20, -7, 180)}
        clock = "This computer's clock is about {} AWS's, so AWS did not accept the signature."
        assert sizes == {
            20: clock.format("20 minutes behind"),
            -7: clock.format("7 minutes ahead of"),
            180: clock.format("3 hours behind"),
        }
        for date in (at(3), at(-3), "", "yesterday"):
            assert "clock" not in str(answered(code, date=date))
        for message, size in TIMES.items():
            assert answered(code, message=message).problem == clock.format(size)
    for code in ("OptInRequired", "UnauthorizedOperation"):  # which come after the signature
        assert "clock" not in str(answered(code, date=at(20)))


HELP = {
    # what the remedy of a code names, and what it does not
    "OptInRequired": ("payment method", "aws configure"),
    "PendingVerification": ("e-mail from AWS", "aws configure"),
    "Blocked": ("support case", "run the same cell"),
    "RegionDisabledException": ("Account settings → STS", "policy"),
    "InvalidClientTokenId": ("Account → AWS Regions → Enable", "clock"),
    "AuthFailure": ("Account → AWS Regions → Enable", "clock"),
    "SignatureDoesNotMatch": ("access key", "AWS Regions"),
    "ExpiredToken": ("Sign in again", "AWS Regions"),
    "VpcLimitExceeded": ("L-F678F1CE", "settings"),
    "NatGatewayLimitExceeded": ("Service Quotas", "settings"),
    "SomethingNew": ("AWS's own", "settings"),
}


def test_each_code_has_a_remedy_of_its_own_and_an_unknown_one_is_told_in_awss_words() -> None:
    messages.use("en")
    errors = {code: answered(code) for code in HELP}
    lacking = {code: it.remedy for code, it in errors.items() if HELP[code][0] not in it.remedy}
    assert lacking == {}
    misled = {code: it.remedy for code, it in errors.items() if HELP[code][1] in it.remedy}
    assert misled == {}
    assert "AWS (us-east-1)" in errors["AuthFailure"].problem
    for status in (400, 401, 403):
        assert "AWS says: said AWS" in answered("SomethingNew", status=status).problem
    for message in ("Credential=x", "X-Amz-Signature=x", "t0ken" * 20):
        assert message not in str(answered("SomethingNew", status=403, message=message))


QUOTAS = {
    "CreateVpc": "VPCs per Region, L-F678F1CE",
    "CreateInternetGateway": "Internet gateways per Region, L-A4707A72",
    "CreateSubnet": "Subnets per VPC, L-407747CB",
    "CreateRouteTable": "Route tables per VPC, L-589F43AA",
    "CreateRoute": "Routes per route table, L-93826ACB",
    "CreateVpcEndpoint": "Gateway VPC endpoints per Region, L-1B52E74A",
    "CreateCluster": "Clusters per account, L-21C621EB",
    "CreateRepository": "Registered repositories, L-CFEB8E8D",
    "PutImage": "Images per repository, L-03A36CE1",
    "CreateNatGateway": "LimitExceededException",  # the code, where the quota is not known
}


def test_a_quota_is_named_by_what_would_have_been_made() -> None:
    answer: Any = {"Error": {"Code": "LimitExceededException", "Message": "Full."}}
    for language in messages.LANGUAGES:
        messages.use(language)
        for operation, quota in QUOTAS.items():
            refused = seen(botocore.ClientError(answer, operation), operation=operation)
            assert (quota in refused.remedy, "Full." in refused.problem) == (True, True), operation
            assert (type(refused), refused.code) == (AWSError, "LimitExceededException")


def test_a_web_page_of_a_proxy_is_no_denial() -> None:
    refused = answered("403", status=403, message="Forbidden")
    assert (type(refused), refused.code) == (AWSError, None)


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
