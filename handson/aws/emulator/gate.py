"""The embedded AWS's gate: only who holds the secret of its home gets an answer.

It stands in front of MiniStack, which answers everybody.  A request passes if it is

    signed           with Signature Version 4 and the home's secret access key, or with a key that
                     a signed request has made (IAM's access keys, the sessions of STS)
    to the registry  (``/v2/…``) with the password that GetAuthorizationToken gave

All others are refused, whatever they ask for, with the error that AWS gives.  No page in a browser
can ask at all, not even under a name of its own that leads here ("DNS rebinding").

MiniStack's own primitives compute the signatures: they are loaded already, and importing botocore
would make each start a quarter longer.

This module runs in the embedded AWS's own process, like `server`, and imports nothing of `handson`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

if TYPE_CHECKING:
    from handson.aws.emulator.blob_registry import App, Message, Receive, Send

HEALTH = "/handson/health"
CHALLENGE, PROOF = "x-handson-challenge", "x-handson-proof"
TOKEN_SECONDS = 12 * 60 * 60
BODY_LIMIT, UNPROVEN_LIMIT = 64 << 20, 8 << 20
"""Bytes of a body; fewer where only the body shows whether the signature is right."""
_UNKNOWN = "InvalidClientTokenId", "The security token included in the request is invalid."
_EXPIRED = "RequestExpired", "Request has expired."
_OTHER_BODY = "SignatureDoesNotMatch", "The payload does not match x-amz-content-sha256."
_NOT_LOGGED_IN = b'{"errors": [{"code": "UNAUTHORIZED", "message": "Not Authorized"}]}'
_NAMES = r"(?i)(127(\.\d+){3}|\[::1]|([\w-]+\.)*(localhost|amazonaws\.com))(:\d+)?"
"""This host's names, and AWS's own: a tool may be led here without its knowledge."""
_SERVICE = "Credential=[^/]+/[^/]+/[^/]+/([^/]+)/"
_DIGEST = r"[0-9a-f]{64}"
_READS = rb"Action=(Describe|Get|List|BatchGet|BatchCheck)"


def prove(secret: str, purpose: str, text: str) -> str:
    """Return what only the holder of the secret can compute for a text, and for one purpose."""
    return hmac.new(secret.encode(), f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()


class Refused(Exception):
    """A request that is refused, with AWS's code and message; without them, at the registry."""


@dataclass(eq=False, repr=False)
class Request:
    """A request; `headers` has each value that Signature Version 4 signs, by its small name."""

    scope: Message
    headers: dict[str, str]
    query: dict[str, list[str]]
    receive: Receive
    may_change: bool = True

    @property
    def is_presigned(self) -> bool:
        """Whether the signature is in the address."""
        return "authorization" not in self.headers and "X-Amz-Signature" in self.query

    async def read_body(self, limit: int) -> bytes:
        """Return the whole body, which can be received once more afterwards."""
        body, receive, more = bytearray(), self.receive, True
        while more:
            message = await receive()
            more = bool(message.get("more_body"))
            body += message.get("body", b"")
            if len(body) > limit:
                raise Refused("UnsupportedSignature", f"The body exceeds {limit} bytes.")
        whole = bytes(body)  # one copy, since others may send many
        again = [{"type": "http.request", "body": whole, "more_body": False}]

        async def replay() -> Message:
            return again.pop() if again else await receive()

        self.receive = replay
        return whole


@dataclass(eq=False, repr=False)  # so that its secret is never shown
class Gate:
    """The ASGI application that passes on what the holder of the secret asks for.

    Attributes:
        app: MiniStack with its registry.
        account: The access key that belongs to the secret.
        secret: The secret access key.
        note_change: Called after each request that may have changed something.
        find_failure: Returns 0, or the `errno` of what keeps the state from being saved.
        clock: Measures disuse.
        now: Returns the time for the registry's passwords.
        used: When the last request was let in, by that clock.
    """

    app: App
    account: str
    secret: str
    note_change: Callable[[], None]
    find_failure: Callable[[], int] = lambda: 0
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = lambda: datetime.now(UTC).timestamp()
    used: float = 0.0

    def __post_init__(self) -> None:
        if not self.secret:  # anybody can sign with it
            raise ValueError("the secret access key is empty")
        self.used = self.clock()

    def attach(self, ecr: Any) -> None:
        """Let GetAuthorizationToken give passwords that are good here, and nowhere else.

        Args:
            ecr: MiniStack's module of that name.
        """
        ecr._get_authorization_token = partial(self._authorize, ecr._get_authorization_token)

    def find_disuse(self) -> float:
        """Return the seconds since the last request that was let in."""
        return self.clock() - self.used

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(_read_request(scope, receive), send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, request: Request, send: Send) -> None:
        try:
            _refuse_pages(request.headers)
            if request.scope["path"] == HEALTH:
                # It proves to the holder of the secret that this is its AWS; others learn nothing.
                asked = f"{request.headers.get(CHALLENGE)}\n{self.find_failure()}"
                await _answer(send, 204, {PROOF: prove(self.secret, "health", asked)}, b"")
                return
            await self._admit(request)
        except Refused as refused:
            await self._refuse(request, send, *refused.args)
            return
        self.used = self.clock()
        try:
            await self.app(request.scope, request.receive, send)
        finally:
            if request.may_change:
                self.note_change()

    async def _admit(self, request: Request) -> None:
        """Refuse what neither is signed nor has the registry's password."""
        from ministack import app  # type: ignore[import-untyped]

        authorization = request.headers.get("authorization", "")
        if request.is_presigned or authorization.startswith("AWS4-"):
            await self._check_signature(request)
        elif not app._is_ecr_registry_path(request.scope["path"]):
            # API Gateway has "/v2/apis", for one.
            raise Refused("MissingAuthenticationToken", "Missing Authentication Token")
        elif not self._is_password(authorization):
            raise Refused
        else:
            request.may_change = request.scope["method"] not in ("GET", "HEAD")

    async def _check_signature(self, request: Request) -> None:
        from ministack.core import sigv4  # type: ignore[import-untyped]

        headers, query, presigned = request.headers, request.query, request.is_presigned
        if presigned:
            signature = sigv4.parse_query_signature(query)
            [algorithm, *_], [token, *_] = (
                query.get(f"X-Amz-{name}") or [""] for name in ("Algorithm", "Security-Token")
            )
        else:
            signature = sigv4.parse_header_signature(headers)
            algorithm = headers["authorization"].partition(" ")[0]
            token = headers.get("x-amz-security-token", "")
        if isinstance(signature, tuple):
            raise Refused(*signature)
        if algorithm != "AWS4-HMAC-SHA256" or not signature.signature.isascii():
            raise Refused("UnsupportedSignature", "Unsupported AWS 'algorithm'.")
        late = sigv4.request_time_failure(signature)
        if presigned:
            late = _EXPIRED if _is_expired(signature.amz_date, query) else None
        if late:
            raise Refused(*late)
        # A presigned address may be given to others, who must not make another request of it.
        signed = {*signature.signed_headers.split(";"), "x-amz-content-sha256"}
        if "host" not in signed or any(x.startswith("x-amz-") for x in headers.keys() - signed):
            raise Refused("SignatureDoesNotMatch", "There were headers which were not signed.")
        scope = request.scope
        raw_path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
        secret = self._find_secret(signature.access_key_id, token)
        stated = headers.get("x-amz-content-sha256", "")
        # A stranger's body is not read where the headers tell already.
        is_stated = bool(re.fullmatch(_DIGEST, stated)) or stated == "UNSIGNED-PAYLOAD"
        failure = sigv4.header_signature_failure(
            signature, secret, scope["method"], raw_path, query, headers,
            b"" if is_stated else await request.read_body(UNPROVEN_LIMIT), presigned=presigned,
        )  # fmt: skip
        if failure:
            raise Refused(*failure)
        body = await request.read_body(BODY_LIMIT)
        if re.fullmatch(_DIGEST, stated) and hashlib.sha256(body).hexdigest() != stated:
            raise Refused(*_OTHER_BODY)
        target = headers.get("x-amz-target", "").rpartition(".")[2].encode()
        request.may_change = not re.match(_READS, b"Action=" + target if target else body)

    def _find_secret(self, key: str, token: str) -> str:
        """Return the secret of an access key: the home's, or one that was made with it."""
        if key == self.account:
            return self.secret
        if not key.startswith(("AKIA", "ASIA")):  # MiniStack takes several words for a root user's
            raise Refused(*_UNKNOWN)
        from ministack.core import iam_evaluator

        found = iam_evaluator.resolve_credential(key, self.account, token)
        if not hasattr(found, "secret_access_key"):
            raise Refused(*_UNKNOWN)
        return str(found.secret_access_key)

    def _is_password(self, authorization: str) -> bool:
        """Tell whether this is "Basic AWS:password" with a password that is still good."""
        try:
            user, _, password = base64.b64decode(authorization[6:]).decode().partition(":")
            expires, _, proof = password.partition(".")
            good = int(expires) > self.now()
            known = hmac.compare_digest(proof, prove(self.secret, "registry", expires))
        except (ValueError, TypeError):
            return False
        return authorization[:6].lower() == "basic " and user == "AWS" and good and known

    def _authorize(self, answer_as_usual: Callable[[Any], Any], data: Any) -> Any:
        """Return MiniStack's answer to GetAuthorizationToken, with a password of this home."""
        status, headers, body = answer_as_usual(data)
        expires = int(self.now()) + TOKEN_SECONDS
        login = f"AWS:{expires}.{prove(self.secret, 'registry', str(expires))}"
        answer, token = json.loads(body), base64.b64encode(login.encode()).decode()
        answer["authorizationData"][0] |= {"authorizationToken": token, "expiresAt": expires}
        return status, headers, json.dumps(answer).encode()

    async def _refuse(
        self, request: Request, send: Send, code: str = "", message: str = ""
    ) -> None:
        """Answer as the service does that was asked, or as ECR's registry."""
        from ministack import app
        from ministack.core.router import SERVICE_PATTERNS  # type: ignore[import-untyped]

        scope, headers = request.scope, request.headers
        fields = {"Content-Type": "application/json", "WWW-Authenticate": 'Basic realm="ECR"'}
        status, body = 401, _NOT_LOGGED_IN
        if code:
            named = re.search(_SERVICE, headers.get("authorization", ""))
            if not named or named[1] not in SERVICE_PATTERNS:
                # To know the name, it would read botocore's models of all services, for seconds.
                headers = {**headers, "authorization": ""}
            service = app.detect_service(scope["method"], scope["path"], headers, request.query)
            failure, number = SimpleNamespace(code=code, message=message), str(uuid.uuid4())
            status, fields, body = app._credential_failure(service, "", number, failure, headers)
        # AWS answers some of it with 400.
        await _answer(send, 401 if status == 401 else 403, fields, body)


def _read_request(scope: Message, receive: Receive) -> Request:
    from ministack.core import sigv4

    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        # Signature Version 4 joins the values of a header that comes twice by a comma.
        key, text = name.decode("latin-1").lower(), sigv4.decode_header_value(value)
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    query = parse_qs(scope["query_string"].decode("utf-8", "replace"), keep_blank_values=True)
    return Request(scope, headers, query, receive)


def _refuse_pages(headers: dict[str, str]) -> None:
    """Refuse what a browser sends for a page, and what was sent to a name that is not this host's.

    A browser names the page's origin in each request that can change something, and says of each
    whether it is the page's own (Fetch Metadata Request Headers, "Sec-Fetch-Site").
    """
    known = re.fullmatch(_NAMES, headers.get("host", ""))
    if not known or {"origin", "sec-fetch-site"} & headers.keys():
        raise Refused("UnsupportedSignature", "This AWS answers no page in a browser.")


def _is_expired(signed_at: str, query: dict[str, list[str]]) -> bool:
    """Tell whether a presigned address has expired, or states no time to expire."""
    from ministack.core import sigv4

    try:
        seconds = query.get("X-Amz-Expires", [""])[0]
        return bool(sigv4.presigned_request_is_expired(signed_at, seconds))
    except (ValueError, OverflowError):
        return True


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": False})
