"""Signing in to real AWS: each way that fails ends in two lines that name what to mend."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import awscrt.crypto
import botocore.credentials
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from handson.aws.connection import connect_aws, connect_emulator, find_ca_bundle
from handson.aws.credentials import explain_sign_in, resolve_credentials
from handson.core import messages
from handson.core.errors import AWSError, HandsonError, NotAllowed, NotReady
from handson.core.late import Late
from tests.unit.fake_aws import ACCOUNT, Wire, no_answer

SECRET = "a-secret-argument"
PYTHON = shlex.quote(sys.executable)
SSO = "sso_account_id = 1\nsso_role_name = Student\nsso_start_url = https://example.invalid\n"
ROLE = "[profile student]\nrole_arn = arn:aws:iam::210987654321:role/team/Student\n"
KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = not-a-secret\n"
PROFILES: dict[str, tuple[str, list[str]]] = {
    # the file of profiles; what the two lines name
    "no session of aws login": (
        "[profile student]\nlogin_session = arn:aws:iam::210987654321:user/aiko\n",
        ["aws login --profile student"],
    ),
    "no session of SSO": (
        f"[profile student]\n{SSO}sso_region = us-east-1\n",
        ["IAM Identity Center", "aws sso login --profile student"],
    ),
    "a role whose source has no session of SSO": (
        f"{ROLE}source_profile = a b\n[profile 'a b']\n{SSO}sso_region = us-east-1\n",
        ["profile student", "aws sso login --profile 'a b'"],
    ),
    "a setting of SSO too few": (f"[profile student]\n{SSO}", ["sso_region", "config"]),
    "a source that is not there": (f"{ROLE}source_profile = nobody\n", ["source_profile"]),
    "a source without keys": (
        f"{ROLE}source_profile = base\n[profile base]\n",
        ["student takes", "profile base (source_profile)", "aws configure --profile base"],
    ),
    "a token without a role": (
        "[profile student]\nweb_identity_token_file = token\n",
        ["profile student", "(role_arn)", "Correct", "config, or"],
    ),
    "settings in a setting": (
        "[profile student]\ncredential_process =\n  key = value\n",
        ["profile student", "aws sts get-caller-identity --profile student"],
    ),
    "no source at all": (ROLE, ["source_profile or credential_source"]),
    "a circle of sources": (
        f"{ROLE}source_profile = b\n[profile b]\nrole_arn = b\nsource_profile = student\n",
        ["student", "InfiniteLoopConfigError"],
    ),
    "a program that is not there": (
        f"[profile student]\ncredential_process = no-such-helper --key {SECRET}\n",
        ["no-such-helper (credential_process)", "full path", "not found"],
    ),
    "a program that fails": (
        f"[profile student]\ncredential_process = {PYTHON} -c 'exit(\"{SECRET}\")'\n",
        [sys.executable, "aws sts get-caller-identity --profile student"],
    ),
    "a program that babbles": (
        f"[profile student]\ncredential_process = {PYTHON} -c 'print(\"{SECRET}\")'\n",
        [sys.executable, "did not print JSON"],
    ),
    "a program in half a quotation": (
        f'[profile student]\ncredential_process = helper "{SECRET}\n',
        ["helper (credential_process)"],
    ),
    "a token that is not there": (
        f"{ROLE}web_identity_token_file = no/token\n",
        ["no/token", "missing", "profile student"],
    ),
    "half a key": ("[profile student]\naws_access_key_id = AKIA\n", ["aws_secret_access_key"]),
    "nothing in the profile": (
        "[profile student]\nregion = us-east-1\n",
        ["aws login --profile student", "HANDSON_TARGET"],
    ),
    "a bracket too few": ("[profile student\nregion = us-east-1\n", ["config, line 1,"]),
    "a line that is no setting": ("[profile student]\nregion us-east-1\n", ["config, line 2,"]),
    "a profile written twice": ("[profile a]\n[profile a]\n", ["config, line 2,", "[profile a]"]),
    "a setting written twice": (
        "[profile a]\nregion = x\nregion = y\n",
        ["config, line 3, sets region again in [profile a]"],
    ),
    "keys before any profile": (f"{KEYS}[default]\n", ["config, line 1,", "Write [default]"]),
    "a byte order mark": (f"\ufeff[profile student]\n{KEYS}", ["config begins with a BOM"]),
    "a nested line that is no setting": ("[profile student]\ns3 =\n  x\n", ["config cannot"]),
    "another profile": (
        "[profile studnet]\n[profile aiko]\n",
        ["no profile student", "studnet, aiko", "AWS_PROFILE"],
    ),
    "no profile": ("", ["no profile student", "config. Its profiles: -.", "sso --profile student"]),
}


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Write the file of profiles; AWS_PROFILE is student, and no instance gives a role."""
    environ = {
        "HOME": tmp_path,
        "AWS_CONFIG_FILE": tmp_path / "config",
        "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "credentials",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PROFILE": "student",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, str(value))
    return lambda text: (tmp_path / "config").write_text(text) and None


def refused(session: Any = None) -> HandsonError:
    """Return how the learner's own session, or this one, is refused."""
    own = partial(connect_aws, region="us-east-1", account=ACCOUNT)
    with pytest.raises(HandsonError) as caught:
        (partial(resolve_credentials, session) if session else own)()
    return caught.value


@pytest.mark.parametrize("language", messages.LANGUAGES)
@pytest.mark.parametrize("case", PROFILES)
def test_a_profile_that_does_not_sign_in_is_told_with_what_to_mend(
    write: Callable[[str], None], case: str, language: str
) -> None:
    messages.use(language)
    config, wanted = PROFILES[case]
    write(config)
    error = refused()
    assert (type(error), error.code, len(str(error).splitlines())) == (NotAllowed, None, 2)
    assert SECRET not in f"{error}{error!r}"
    assert error.__suppress_context__  # whose words a long traceback would show
    if language == "en":
        assert [words for words in wanted if words not in str(error)] == []


def test_without_any_profile_the_ways_to_sign_in_are_named(
    write: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    messages.use("en")
    write("")
    monkeypatch.delenv("AWS_PROFILE")
    assert "`aws login`, `aws configure sso` or `aws configure`" in refused().remedy
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    assert "AWS_SECRET_ACCESS_KEY is not set" in refused().problem
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere.invalid/")
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI names elsewhere.invalid," in refused().problem
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "no/token")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::210987654321:role/Student")
    assert "no/token" in refused().problem


@pytest.mark.parametrize(
    ("encoding", "line", "name"),
    [("cp932", 2, "Shift_JIS"), ("utf-16", 1, "UTF-16"), ("utf-16-le", 1, "UTF-16")],
)
def test_a_file_in_another_encoding_is_told_with_its_line_and_encoding(
    write: Callable[[str], None], tmp_path: Path, encoding: str, line: int, name: str
) -> None:
    messages.use("en")
    write("[profile student]\n")
    (tmp_path / "credentials").write_bytes(f"[student]\n# 鍵\n{KEYS}".encode(encoding))
    problem = f"credentials, line {line}, is not UTF-8 (encoding: {name})."
    assert refused().problem.endswith(problem)


def test_a_bundle_without_certificates_is_told_before_anything_is_asked(
    write: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages.use("en")
    write("[profile student]\nca_bundle = /nope.pem\n  a = b\n")
    (tmp_path / "text.pem").write_text("no certificate\n")
    own = partial(connect_aws, region="us-east-1", account=ACCOUNT)
    emulator = partial(connect_emulator, "https://127.0.0.1:9", region="us-east-1")
    for bundle, asks in {"/nope.pem": (own, find_ca_bundle), "text.pem": (own, emulator)}.items():
        for ask in asks:
            with pytest.raises(NotReady, match=f"AWS_CA_BUNDLE .*{bundle}") as refusal:
                ask()
            assert len(str(refusal.value).splitlines()) == 2
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "text.pem"))


def test_a_configuration_that_cannot_be_read_is_told_where_certificates_are_looked_for(
    write: Callable[[str], None],
) -> None:
    write("[profile student\n")
    with pytest.raises(NotAllowed, match="config の 1 行目"):
        find_ca_bundle()


def test_a_file_that_cannot_be_read_is_not_taken_for_one_without_profiles(
    write: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages.use("en")
    write("[default]\nregion = us-east-1\n")
    (tmp_path / "credentials").mkdir()
    for profile in ("student", "default", ""):
        monkeypatch.setenv("AWS_PROFILE", profile)
        assert "credentials cannot be read" in refused().problem


def session_of(answer: Any) -> Any:
    """Return a session of the profile whose calls to sign in get this answer."""
    session = botocore.session.Session()
    session.set_config_variable("region", "us-east-1")

    def reply(request: Any, **_: Any) -> AWSResponse:
        if isinstance(answer, Exception):
            raise answer
        status, code, message = answer
        made = AWSResponse(request.url, status, {}, None)
        error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        made._content = f"<ErrorResponse>{error}</ErrorResponse>".encode()
        return made

    session.register("before-send", reply)
    return session


ANSWERS: dict[str, tuple[str, Any, type, str]] = {
    # settings of the role; what STS answers; the error, and what it says
    "no trust": (
        f"source_profile = base\n[profile base]\n{KEYS}",
        (403, "AccessDenied", "User is not authorized to perform: sts:AssumeRole"),
        *(NotAllowed, "trust policy"),
    ),
    "a wrong key": (
        f"source_profile = base\n[profile base]\n{KEYS}",
        (403, "InvalidClientTokenId", "The security token included in the request is invalid."),
        *(NotAllowed, "AWS Regions"),
    ),
    "no answer": (
        f"source_profile = base\n[profile base]\n{KEYS}",
        no_answer(),
        *(AWSError, "fake.invalid does not answer"),
    ),
    "a token that is over": (
        "web_identity_token_file = config\n",
        (400, "ExpiredTokenException", "Token expired"),
        *(NotAllowed, "Renew the token"),
    ),
    "a region without STS": (
        "web_identity_token_file = config\n",
        (403, "RegionDisabledException", "STS is not activated in this region."),
        *(NotAllowed, "Account settings"),
    ),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_a_role_that_sts_does_not_give_out_is_told_with_awss_reason(
    write: Callable[[str], None], case: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # botocore's own pauses take seconds
    messages.use("en")
    settings, answer, kind, words = ANSWERS[case]
    write(f"{ROLE}{settings}")
    error = refused(session_of(answer))
    assert (type(error), words in str(error)) == (kind, True)
    assert "210987654321" not in str(error)


def test_a_busy_service_is_not_taken_for_one_that_refuses(write: Callable[[str], None]) -> None:
    messages.use("en")
    write(f"{ROLE}web_identity_token_file = config\n")
    for code, status, words in (("Throttling", 400, "throttles"), ("Internal", 500, "its own")):
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        session = botocore.session.Session()
        with pytest.raises(AWSError, match=words), explain_sign_in(session):
            raise ClientError(answer, "AssumeRoleWithWebIdentity")  # botocore's last of several


class StdinNotImplementedError(NotImplementedError):
    """ipykernel's, by name."""


def test_an_mfa_code_that_cannot_be_typed_here_is_typed_in_a_terminal_and_a_wrong_one_again(
    write: Callable[[str], None],
) -> None:
    messages.use("en")
    serial = "mfa_serial = arn:aws:iam::210987654321:mfa/aiko\nsource_profile = base\n"
    write(f"{ROLE}{serial}[profile base]\n{KEYS}")
    invalid = "MultiFactorAuthentication failed with invalid MFA one time pass code."
    prompts: list[tuple[Callable[[str], str], str]] = [
        (lambda _: "123456", "type the next code"),
        (_raiser(EOFError()), "aws configure export-credentials --profile student --format env"),
        (_raiser(StdinNotImplementedError()), "start JupyterLab again from that terminal"),
    ]
    for prompt, remedy in prompts:
        session = session_of((403, "AccessDenied", invalid))
        provider = session.get_component("credential_provider").get_provider("assume-role")
        provider._prompter = prompt
        assert remedy in refused(session).remedy


def _raiser(error: Exception) -> Callable[[str], str]:
    def prompt(_: str) -> str:
        raise error

    return prompt


def test_where_awscrt_is_missing_it_is_named_with_how_to_get_it(
    write: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("[profile student]\nlogin_session = arn:aws:iam::210987654321:user/aiko\n")
    monkeypatch.setattr(botocore.credentials, "EC", None)  # as botocore finds it
    assert "pip install 'botocore[crt]'" in refused().remedy


def test_keys_of_aws_login_are_those_of_awscrt_which_is_loaded_when_they_are_used() -> None:
    assert Late("awscrt.crypto:EC").new_generate == awscrt.crypto.EC.new_generate


PROGRAM = f"{PYTHON} -c \"print(open('answer.json').read())\""
ANSWER = '{"Version": 1, "AccessKeyId": "AKIAPROGRAM", "SecretAccessKey": "s", "SessionToken": "t"}'


def test_each_way_to_sign_in_that_works_gives_its_access_key(
    write: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "answer.json").write_text(ANSWER)
    (tmp_path / "credentials").write_text("[student]\n" + KEYS.replace("EXAMPLE", "SHARED"))
    shared = resolve_credentials(botocore.session.Session())
    (tmp_path / "credentials").unlink()
    monkeypatch.chdir(tmp_path)
    write(f"[profile student]\ncredential_process = {PROGRAM}\n")
    given = resolve_credentials(botocore.session.Session())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    own = resolve_credentials(botocore.session.Session())
    assert (shared, given, own) == ("AKIASHARED", "AKIAPROGRAM", "AKIAENVIRONMENT")


def test_a_refresh_that_fails_in_the_middle_of_a_verb_is_told_as_a_sign_in(
    write: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()  # botocore asks again from 10
    (tmp_path / "answer.json").write_text(f'{ANSWER[:-1]}, "Expiration": "{soon}"}}')
    monkeypatch.chdir(tmp_path)
    write(f"[profile student]\ncredential_process = {PROGRAM}\n")
    session, wire = botocore.session.Session(), Wire()
    session.register("before-send", wire._answer)
    aws = connect_aws(region="us-east-1", account=ACCOUNT, session=session)
    (tmp_path / "answer.json").unlink()
    with pytest.raises(NotAllowed, match="credential_process"):
        aws.call("ec2", "DescribeVpcs")
    assert len(wire.sent) == 1
