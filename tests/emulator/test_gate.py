"""The gate of the embedded AWS: who is let in, who is not, and what each of them learns."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.compat import get_current_datetime
from botocore.credentials import Credentials
from ministack.core import router  # type: ignore[import-untyped]

from handson.aws import emulator
from handson.aws.emulator import gate
from handson.aws.emulator.gate import Gate
from handson.aws.emulator.in_process import attach_session
from tests.emulator.hooks import Inside

pytestmark = pytest.mark.emulator

ENDPOINT = "http://127.0.0.1:4566"
SECRET = "the-secret-access-key-of-this-home-0123"
OWNER = Credentials(emulator.ACCOUNT, SECRET)
STRANGERS = {
    "another secret": Credentials(emulator.ACCOUNT, emulator.SECRET),
    "another account": Credentials("222222222222", SECRET),
    "MiniStack's own": Credentials("test", "test"),
    "a key of nobody's": Credentials("AKIAEXAMPLE00000AIKO", SECRET),
}
LIST_VPCS = b"Action=DescribeVpcs&Version=2016-11-15"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/x-amz-json-1.1"}


class Door:
    """A gate, what stands behind it, and a clock to set."""

    def __init__(self) -> None:
        self.passed: list[bytes] = []
        self.read = 0
        self.changes = 0
        self.now, self.seconds = 1_800_000_000.0, 0.0
        self.failure = 0
        self.gate = Gate(
            self._behind,
            account=emulator.ACCOUNT,
            secret=SECRET,
            note_change=self._note,
            find_failure=lambda: self.failure,
            clock=lambda: self.seconds,
            now=lambda: self.now,
        )

    def _note(self) -> None:
        self.changes += 1

    async def _behind(self, _scope: Any, receive: Any, send: Any) -> None:
        self.passed.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def ask(self, request: AWSRequest) -> SimpleNamespace:
        """Send a request, and return the answer."""
        way = urlsplit(request.url)
        body = request.data or b""
        body = body.encode() if isinstance(body, str) else body
        arriving = [body[:7], body[7:]]
        said: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            self.read += 1
            return {"type": "http.request", "body": arriving.pop(0), "more_body": bool(arriving)}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        headers = {"Host": way.netloc, **request.headers}
        scope = {
            "type": "http",
            "method": request.method,
            "path": way.path or "/",
            "raw_path": (way.path or "/").encode(),
            "query_string": way.query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        asyncio.run(self.gate(scope, receive, send))
        fields = {name.decode().lower(): value.decode() for name, value in said[0]["headers"]}
        return SimpleNamespace(status=said[0]["status"], headers=fields, body=said[1]["body"])


@pytest.fixture
def door(inside: Inside) -> Door:
    del inside  # it has loaded MiniStack without a port, a log or Docker
    return Door()


def sign(
    request: AWSRequest, keys: Credentials = OWNER, service: str = "ec2", by: Any = SigV4Auth
) -> AWSRequest:
    by(keys, service, "us-east-1").add_auth(request)
    return request


class WithoutHost(SigV4Auth):  # type: ignore[misc]
    """Leaves out of the signature where the request goes."""

    def headers_to_sign(self, request: AWSRequest) -> Any:
        headers = super().headers_to_sign(request)
        del headers["host"]
        return headers


def list_vpcs(url: str = ENDPOINT) -> AWSRequest:
    return AWSRequest("POST", f"{url}/", headers=FORM, data=LIST_VPCS)


def list_clusters() -> AWSRequest:
    target = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"}
    return AWSRequest("POST", f"{ENDPOINT}/", headers=JSON | target, data=b"{}")


def ask_to(door: Door, method: str, path: str, **headers: str) -> SimpleNamespace:
    return door.ask(AWSRequest(method, ENDPOINT + path, headers=headers))


def status_of(answers: Iterable[SimpleNamespace]) -> list[int]:
    return [answer.status for answer in answers]


def test_whoever_signs_with_the_secret_is_let_in_by_any_of_botocores_signers(door: Door) -> None:
    def presign(keys: Credentials, service: str, region: str) -> SigV4QueryAuth:
        return SigV4QueryAuth(keys, service, region, expires=60)

    object_ = f"{ENDPOINT}/bucket/%E5%B1%B1%20a+b/key?list-type=2&prefix=%2F"
    upload = AWSRequest("PUT", object_, data=b"content")
    unsigned = AWSRequest("PUT", object_, data=b"content")
    unsigned.context["client_config"] = SimpleNamespace(s3={"payload_signing_enabled": False})
    unsigned.context["payload_signing_enabled"] = False
    signed = [
        sign(list_vpcs()),
        sign(list_clusters(), service="ecs"),
        sign(AWSRequest("GET", f"{ENDPOINT}/v2/rails-app/blobs/x"), service="ecr", by=presign),
        sign(upload, service="s3", by=S3SigV4Auth),
        sign(unsigned, service="s3", by=S3SigV4Auth),
        sign(AWSRequest("GET", object_), service="s3", by=S3SigV4QueryAuth),
        sign(AWSRequest("POST", f"{ENDPOINT}/_ministack/reset"), service="ecr"),
        sign(list_vpcs(), Credentials(emulator.ACCOUNT, SECRET, "a-token-left-in-the-shell")),
    ]
    answers = [(door.ask(request).status, request.url) for request in signed]
    assert answers == [(200, request.url) for request in signed]
    assert door.passed[:2] == [LIST_VPCS, b"{}"]


CODES = {
    "another secret": [(401, "AuthFailure"), (403, "InvalidSignatureException")],
    "another account": [(401, "AuthFailure"), (403, "UnrecognizedClientException")],
    "MiniStack's own": [(401, "AuthFailure"), (403, "UnrecognizedClientException")],
    "a key of nobody's": [(401, "AuthFailure"), (403, "UnrecognizedClientException")],
}


@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_gets_the_code_that_aws_gives(door: Door, who: str) -> None:
    requests = [sign(list_vpcs(), STRANGERS[who])]
    requests.append(sign(list_clusters(), STRANGERS[who], "ecs"))
    answers = [door.ask(request) for request in requests]
    seen = [
        (answer.status, code)
        for answer, (_, code) in zip(answers, CODES[who], strict=True)
        if code.encode() in answer.body
    ]
    assert (seen, door.passed) == (CODES[who], [])
    assert SECRET.encode() not in answers[0].body + answers[1].body
    door.seconds = 99.0
    assert door.gate.find_disuse() == 99.0  # a stranger keeps it from ending no longer


CALLER = AWSRequest("POST", f"{ENDPOINT}/", headers=FORM, data=b"Action=GetCallerIdentity")


@pytest.mark.parametrize(
    ("who", "code"),
    [("another secret", "SignatureDoesNotMatch"), ("another account", "InvalidClientTokenId")],
)
def test_sts_names_the_key_and_the_signature(door: Door, who: str, code: str) -> None:
    answer = door.ask(sign(AWSRequest(**vars_of(CALLER)), STRANGERS[who], "sts"))
    assert (answer.status, f"<Code>{code}</Code>".encode() in answer.body) == (403, True)


def vars_of(request: AWSRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in ("method", "url", "headers", "data")}


def test_a_signed_request_that_was_changed_is_refused(door: Door) -> None:
    body, path, header, method = (sign(list_vpcs()) for _ in range(4))
    body.data = LIST_VPCS.replace(b"Describe", b"Delete")
    path.url += "?a=b"
    header.headers.replace_header("X-Amz-Date", "20000101T000000Z")
    method.method = "GET"
    stated = sign(AWSRequest("PUT", f"{ENDPOINT}/b/k", data=b"content"), OWNER, "s3", S3SigV4Auth)
    stated.data = b"another"
    cut = sign(list_vpcs())
    cut.headers.replace_header("Authorization", cut.headers["Authorization"][:-9] + "ä")
    other = sign(list_vpcs())
    algorithm = other.headers["Authorization"].replace("HMAC-SHA256", "ECDSA-P256-SHA256")
    other.headers.replace_header("Authorization", algorithm)
    more, no_host = sign(list_vpcs()), sign(list_vpcs())
    lent = sign(AWSRequest("POST", f"{ENDPOINT}/b/k"), service="s3", by=S3SigV4QueryAuth)
    for request in (more, lent):
        request.headers["X-Amz-Target"] = list_clusters().headers["X-Amz-Target"]
    unnamed = no_host.headers["Authorization"].replace(";host", "")
    no_host.headers.replace_header("Authorization", unnamed)
    unbound = sign(list_vpcs(), by=WithoutHost)
    changed = [body, path, header, method, stated, other, more, lent, no_host, unbound]
    assert [door.ask(request).status in (401, 403) for request in changed] == [True] * 10
    assert door.passed == []


def test_a_stranger_does_not_keep_it_busy_with_a_service_that_it_does_not_know(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "_KNOWN_AWS_SERVICE_NAMES", None)
    who = STRANGERS["another secret"]
    assert door.ask(sign(list_vpcs(), who, "glacier")).status in (401, 403)
    assert router._KNOWN_AWS_SERVICE_NAMES is None  # it is made from all of botocore's models


def test_nothing_is_opened_by_an_empty_secret(door: Door) -> None:
    with pytest.raises(ValueError, match="secret"):
        replace(door.gate, secret="")


def test_a_clock_may_be_off_by_as_much_as_aws_allows(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}
    for minutes in (-16, -4, 4, 16):
        moment = get_current_datetime() + timedelta(minutes=minutes)
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda moment=moment: moment)
        seen[minutes] = door.ask(sign(list_vpcs())).status
    assert seen == {-16: 401, -4: 200, 4: 200, 16: 401}


def test_a_presigned_address_is_good_until_it_expires(door: Door) -> None:
    seen = []
    for seconds in (60, -60, "soon"):
        request = AWSRequest("GET", f"{ENDPOINT}/v2/rails-app/blobs/x")
        SigV4QueryAuth(OWNER, "ecr", "us-east-1", expires=seconds).add_auth(request)
        seen.append(door.ask(request).status)
    assert seen == [200, 403, 403]


UNSIGNED = {
    "nothing": ("GET", "/", {}),
    "a list of buckets": ("GET", "/?x-id=ListBuckets", {}),
    "MiniStack's reset": ("POST", "/_ministack/reset", {}),
    "MiniStack's health": ("GET", "/_ministack/health", {}),
    "LocalStack's health": ("GET", "/_localstack/health", {}),
    "a path on the way to the registry": ("POST", "/_ministack/reset/../v2/", {}),
    "Signature Version 2": ("GET", "/b?AWSAccessKeyId=test&Signature=x", {}),
    "half a signature": ("POST", "/", {"Authorization": "AWS4-HMAC-SHA256 Credential=1/2"}),
    "half an address": ("GET", "/?X-Amz-Signature=x&X-Amz-Credential=123456789012", {}),
    "an empty expiry": ("GET", "/?X-Amz-Signature=x&X-Amz-Expires=", {}),
    "a password for AWS": ("POST", "/", {"Authorization": "Basic QVdTOng="}),
}


@pytest.mark.parametrize("what", UNSIGNED)
def test_what_is_not_signed_is_refused_wherever_it_goes(door: Door, what: str) -> None:
    method, path, headers = UNSIGNED[what]
    answer = ask_to(door, method, path, **headers)
    assert (answer.status in (401, 403), door.passed) == (True, [])


def passwords(door: Door) -> dict[str, str]:
    """Return passwords of the registry: a good one, and others."""
    ecr = SimpleNamespace(
        _get_authorization_token=lambda _data: (200, {}, b'{"authorizationData": [{}]}')
    )
    door.gate.attach(ecr)
    given = json.loads(ecr._get_authorization_token({})[2])["authorizationData"][0]
    assert given["expiresAt"] == door.now + 12 * 60 * 60
    good = base64.b64decode(given["authorizationToken"]).decode().removeprefix("AWS:")
    expires, _, proof = good.partition(".")
    return {
        "good": good,
        "longer": f"{int(expires) + 1}.{proof}",
        "MiniStack's": "ministack-auth-token",
        "the secret": SECRET,
        "none": "",
        "strange": "9999999999.ä",
    }


def test_the_registry_takes_the_password_that_was_given_for_twelve_hours(door: Door) -> None:
    known = passwords(door)
    coded = {name: base64.b64encode(f"AWS:{it}".encode()).decode() for name, it in known.items()}
    others = {"no user": known["good"], "another user": f"root:{known['good']}"}
    coded |= {name: base64.b64encode(it.encode()).decode() for name, it in others.items()}
    coded["no base64"] = "x"
    seen = {
        name: ask_to(door, "GET", "/v2/_catalog", Authorization=f"Basic {it}").status
        for name, it in coded.items()
    }
    assert seen == {name: 200 if name == "good" else 401 for name in seen}
    good = f"Basic {coded['good']}"
    elsewhere = ("/", "/v2/apis", "/v2/email/identities", "/v2x", "/_ministack/v2/")
    seen_there = [ask_to(door, "POST", path, Authorization=good) for path in elsewhere]
    assert status_of(seen_there) == [403] * 5
    door.now += 12 * 60 * 60
    late = ask_to(door, "GET", "/v2/", Authorization=good)
    assert (late.status, late.headers["www-authenticate"]) == (401, 'Basic realm="ECR"')
    assert json.loads(late.body)["errors"][0]["code"] == "UNAUTHORIZED"


def test_a_page_of_another_site_gets_nothing_even_with_a_signature(door: Door) -> None:
    password = base64.b64encode(f"AWS:{passwords(door)['good']}".encode()).decode()
    headers = {"Authorization": f"Basic {password}"}
    pages = [
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Host": "example.org:4566"},
        {"Host": "127.0.0.1.example.org"},
        {"Host": ""},
    ]
    assert status_of(ask_to(door, "GET", "/v2/", **headers, **page) for page in pages) == [403] * 6
    names = ("localhost:4566", "[::1]:4566", "bucket.localhost", "127.0.0.1")
    named = [ask_to(door, "GET", "/v2/", **headers, Host=name) for name in names]
    assert status_of(named) == [200] * 4
    preflight = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    answer = ask_to(door, "OPTIONS", "/", **preflight)
    assert (answer.status, "access-control-allow-origin" in answer.headers) == (403, False)


def test_a_health_check_tells_who_has_the_secret_and_nobody_else(door: Door) -> None:
    for door.failure in (0, errno.ENOSPC, errno.EACCES):
        answer = ask_to(door, "GET", gate.HEALTH, **{gate.CHALLENGE: "c0ffee"})
        known = gate.prove(SECRET, "health", f"c0ffee\n{door.failure}")
        assert (answer.status, answer.body, answer.headers) == (204, b"", {gate.PROOF: known})
    assert door.passed == []
    assert gate.prove(SECRET, "registry", "x") != gate.prove(SECRET, "health", "x")


def test_disuse_ends_with_a_request_and_a_change_is_noted_but_no_look(door: Door) -> None:
    door.seconds = 50.0
    door.ask(sign(list_vpcs()))
    door.ask(sign(list_clusters(), service="ecs"))
    door.seconds = 60.0
    password = base64.b64encode(f"AWS:{passwords(door)['good']}".encode()).decode()
    for method in ("GET", "HEAD"):
        ask_to(door, method, "/v2/_catalog", Authorization=f"Basic {password}")
    assert (door.gate.find_disuse(), door.changes) == (0.0, 0)
    door.seconds = 70.0
    assert door.gate.find_disuse() == 10.0
    made = AWSRequest("POST", f"{ENDPOINT}/", headers=FORM, data=b"Action=CreateVpc")
    kept = AWSRequest("PUT", f"{ENDPOINT}/b/k", data=b"List of what to buy")
    door.ask(sign(made))
    door.ask(sign(kept, service="s3", by=S3SigV4Auth))
    ask_to(door, "POST", "/v2/rails-app/blobs/uploads/", Authorization=f"Basic {password}")
    assert door.changes == 3


def test_a_body_without_end_is_refused_before_it_is_checked(door: Door) -> None:
    request, vouched = list_vpcs(), list_vpcs()
    request.data = vouched.data = b"x" * (gate.UNPROVEN_LIMIT + 1)
    assert door.ask(sign(request)).status in (401, 403)
    assert door.passed == []
    # Its headers name the body's digest, and are signed.
    assert door.ask(sign(vouched, service="s3", by=S3SigV4Auth)).status == 200


def test_the_body_of_a_stranger_is_not_read_where_the_headers_tell(door: Door) -> None:
    forged = sign(list_vpcs(), STRANGERS["another secret"], service="s3", by=S3SigV4Auth)
    assert [door.ask(request).status for request in (list_vpcs(), forged)] == [403, 403]
    assert door.read == 0


def test_no_web_socket_is_opened(door: Door) -> None:
    said: list[Any] = []

    async def scenario() -> None:
        async def receive() -> dict[str, str]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            said.append(message)

        await door.gate({"type": "websocket", "headers": [], "path": "/"}, receive, send)

    asyncio.run(scenario())
    assert said == [{"type": "websocket.close", "code": 1008}]


def test_a_key_that_was_made_with_the_secret_is_let_in(door: Door, inside: Inside) -> None:
    session = botocore.session.Session()
    attach_session(session)
    session.set_credentials(inside.access_key_id, inside.secret_access_key)
    where = {"region_name": inside.region, "endpoint_url": inside.endpoint}
    iam, sts = (session.create_client(service, **where) for service in ("iam", "sts"))
    iam.create_user(UserName="ci")
    made = iam.create_access_key(UserName="ci")["AccessKey"]
    keys = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    role = "arn:aws:iam::123456789012:role/audit"
    lent = sts.assume_role(RoleArn=role, RoleSessionName="audit")["Credentials"]
    names = (lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"])
    wrong = Credentials(made["AccessKeyId"], SECRET), Credentials(*names[:2])
    seen = [door.ask(sign(list_vpcs(), each)).status for each in (keys, Credentials(*names))]
    assert seen == [200, 200]
    assert [door.ask(sign(list_vpcs(), each)).status for each in wrong] == [401, 401]
    iam.delete_access_key(UserName="ci", AccessKeyId=made["AccessKeyId"])
    iam.delete_user(UserName="ci")
    assert door.ask(sign(list_vpcs(), keys)).status == 401
