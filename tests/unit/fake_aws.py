"""AWS played by a test: botocore asks, and the test answers in the network's place.

An answer is a reply as boto3 gives it, a `Refusal`, an exception to raise, or a function of the
call's parameters that returns one of these.  The last answer of an operation is given for ever.
"""

from __future__ import annotations

import os
import threading
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.credentials import Credentials
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from handson.aws import Aws, Patience, connection

ACCOUNT = "112233445566"
REGION = "us-east-1"
ARN = f"arn:aws:iam::{ACCOUNT}:user/learner"
URL = "https://fake.invalid"
CLIENTS: dict[str, Any] = {}
READ = ("AWS_", "HTTP_", "HTTPS_")  # botocore reads these variables when it makes a client
MODELS = connection.share_loader()  # read once for all tests


@dataclass(frozen=True)
class Refusal:
    code: str
    message: str = "said AWS"
    status: int = 400
    date: str = ""
    """AWS's time, as it heads an answer."""


def unauthorized(action: str) -> Refusal:
    words = f"User: {ARN} is not authorized to perform: {action} on resource: x"
    return Refusal("UnauthorizedOperation", words, 403)


class Clock:
    """A clock that only sleeping moves on."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.pauses.append(seconds)
            self.now += seconds

    def patience(self, **changes: Any) -> Patience:
        return Patience(**({"clock": self, "sleep": self.sleep} | changes))


@dataclass
class FakeAws:
    clock: Clock = field(default_factory=Clock)
    key: str = "AKIAFAKEFAKEFAKEFAKE"
    """The access key that signs."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    planned: dict[str, list[Any]] = field(default_factory=dict)
    elsewhere: dict[str, FakeAws] = field(default_factory=dict)
    """Who answers in other regions, if not this one."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _clients: dict[str, dict[tuple[str, str], Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.answers("GetCallerIdentity", {"Account": ACCOUNT, "Arn": ARN, "UserId": "AIDA"})

    def answers(self, operation: str, *answers: Any) -> None:
        self.planned[operation] = list(answers)

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def said(self, operation: str) -> list[dict[str, Any]]:
        """Return the parameters of each call of an operation."""
        return [said for name, said in self.calls if name == operation]

    def session(self) -> Any:
        nothing = {"ca_bundle": None}
        return SimpleNamespace(
            create_client=self._create_client,
            get_config_variable=nothing.get,
            get_credentials=lambda: Credentials(self.key, "a-secret-key", "a-session-token"),
        )

    def _create_client(self, service: str, **options: Any) -> Any:
        # A copy of the first one like it: making one takes longer than most tests.
        given = {name: text for name, text in os.environ.items() if name.startswith(READ)}
        key = str((service, options["region_name"], options.get("endpoint_url"), given))
        if key not in CLIENTS:
            session = botocore.session.Session()
            session.register_component("data_loader", MODELS)
            session.set_credentials("AKIAFAKEFAKEFAKEFAKE", "a-secret-key", "a-session-token")
            CLIENTS[key] = session.create_client(service, **options)
        client = object.__new__(type(CLIENTS[key]))
        client.__dict__ |= vars(CLIENTS[key])
        client.meta = copy(client.meta)
        client.meta.events = copy(client.meta.events)
        client.meta.events.register("provide-client-params", self._record)
        client.meta.events.register("before-call", self._answer)
        return client

    def connect(self, *, kind: str = "aws", **patience: Any) -> Aws:
        made = Aws(
            region=REGION,
            endpoint=None if kind == "aws" else "http://127.0.0.1:1",
            kind=kind,
            session=self.session(),
            patience=self.clock.patience(**patience),
            account=ACCOUNT,
        )
        made._clients = self._clients.setdefault(kind, made._clients)
        return made

    def _record(self, params: dict[str, Any], model: Any, context: Any, **_: Any) -> None:
        context["said"] = params  # one operation may be called in several threads at once
        there = self.elsewhere.get(context["client_region"], self)
        with self._lock:
            there.calls.append((model.name, params))

    def _answer(self, model: Any, context: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        there = self.elsewhere.get(context["client_region"], self)
        with self._lock:
            answers = there.planned[model.name]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer) and not isinstance(answer, type):
            answer = answer(context["said"])
        if isinstance(answer, Exception):
            raise answer
        return reply(answer)


def reply(answer: dict[str, Any] | Refusal) -> tuple[Any, dict[str, Any]]:
    """Return what botocore gets from the network: a status, and the parsed reply."""
    status, parsed, headers = 200, answer, {}
    if isinstance(answer, Refusal):
        status, headers = answer.status, {"date": answer.date}
        parsed = {"Error": {"Code": answer.code, "Message": answer.message}}
    metadata = {"HTTPStatusCode": status, "RequestId": "11111111-2222", "HTTPHeaders": headers}
    return SimpleNamespace(status_code=status), {**parsed, "ResponseMetadata": metadata}


no_answer = partial(EndpointConnectionError, endpoint_url=URL)
closed = partial(ConnectionClosedError, endpoint_url=URL)
silent = partial(ReadTimeoutError, endpoint_url=URL)


WHO = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    f"<GetCallerIdentityResult><Arn>{ARN}</Arn><UserId>AIDA</UserId><Account>{ACCOUNT}</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


class Wire:
    """The network's place: keeps the requests that would be sent; answers who calls, or `body`."""

    def __init__(self, *, status: int = 200, body: str = WHO) -> None:
        self.sent: list[tuple[str, str]] = []
        self.status, self.body = status, body

    def session(self) -> Any:
        session = botocore.session.Session()
        session.set_credentials("AKIAFAKEFAKEFAKEFAKE", "a-secret-key")
        session.register("before-send", self._answer)
        return session

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        body = request.body or b""
        self.sent.append((request.url, body.decode() if isinstance(body, bytes) else body))
        if "Action=GetCallerIdentity" not in self.sent[-1][1]:
            raise no_answer()
        answer = AWSResponse(request.url, self.status, {}, None)
        answer._content = self.body.encode()
        return answer
