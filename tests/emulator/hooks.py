"""What can happen on the way between a call and AWS, as hooks on botocore's events.

    aws = connect(running, StopAt(3))

makes a connection to the embedded AWS on whose way the third mutating call, and any after it, is
stopped.  `kind="aws"` has the same connection behave as on real AWS.  Its clock only moves on by
sleeping, so that no test waits.
"""

from __future__ import annotations

import base64
import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection
from typing import Any, Protocol
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.credentials import Credentials as SigningKeys
from botocore.exceptions import ConnectionClosedError

from handson.aws import Aws, Credentials, emulator
from handson.aws.connection import make_private_session
from handson.aws.emulator.gate import prove
from handson.aws.emulator.in_process import InProcess, find_in_process
from handson.aws.refusals import READS
from handson.resources.vpc_listing import NetworkListing, list_network
from tests.unit.fake_aws import Clock, Refusal, reply


class Hook(Protocol):
    def attach(self, session: Any) -> None: ...


class Stopped(BaseException):
    """The kernel was interrupted here."""


class OnWrites:
    """Counts mutating calls; what happens at the k-th of them is up to the subclass."""

    def __init__(self, k: int) -> None:
        self.seen: list[str] = []
        self._k = k
        self._lock = threading.Lock()

    def count(self, operation: str) -> int:
        """Return the number of this mutating call, from 1; 0 for a call that only reads."""
        if operation.startswith(READS):
            return 0
        with self._lock:
            self.seen.append(operation)
            return len(self.seen)


class StopAt(OnWrites):
    """Stops the k-th mutating call and all after it: they never reach AWS."""

    def attach(self, session: Any) -> None:
        session.register("before-call", self._before)

    def _before(self, model: Any, **_: Any) -> None:
        if self.count(model.name) >= self._k:
            raise Stopped


class LoseReply(OnWrites):
    """Loses the reply to the k-th mutating call, once it has taken effect."""

    def attach(self, session: Any) -> None:
        session.register("after-call", self._after)

    def _after(self, model: Any, **_: Any) -> None:
        if self.count(model.name) == self._k:
            raise ConnectionClosedError(endpoint_url="http://127.0.0.1")


class Answer:
    """Gives this answer to each call of an operation."""

    def __init__(self, operation: str, answer: dict[str, Any] | Refusal) -> None:
        self._operation = operation
        self._answer = answer

    def attach(self, session: Any) -> None:
        session.register("before-call", self._before)

    def _before(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]] | None:
        return reply(self._answer) if model.name == self._operation else None


class Meeting:
    """Lets calls of an operation pass only when `parties` of them are under way at once."""

    def __init__(self, operations: set[str], *, parties: int) -> None:
        self._operations = operations
        self._barrier = threading.Barrier(parties, timeout=20)

    def attach(self, session: Any) -> None:
        session.register("before-call", self._before)

    def _before(self, model: Any, **_: Any) -> None:
        if model.name in self._operations:
            self._barrier.wait()


class LikeAws:
    """Leads what is meant for AWS itself to an emulator, and answers dry runs as AWS does.

    Attach it after what is to see the calls: it is the last to see a request.
    """

    def __init__(self, running: emulator.Running) -> None:
        self._endpoint = running.endpoint

    def attach(self, session: Any) -> None:
        session.register("before-send", self._before)

    def _before(self, request: Any, **_: Any) -> AWSResponse | None:
        if "DryRun=true" in str(request.body):
            return AWSResponse(request.url, 412, {"content-type": "text/xml"}, Body(DRY_RUN))
        way = urlsplit(request.url)
        request.url = f"{self._endpoint}{way.path}" + (f"?{way.query}" if way.query else "")
        return None


DRY_RUN = (
    b"<Response><Errors><Error><Code>DryRunOperation</Code><Message>Request would have succeeded"
    b"</Message></Error></Errors><RequestID>dry</RequestID></Response>"
)
"""What EC2 answers a dry run that is allowed (EC2 API Reference, "DryRun")."""


class Body:
    """A body as botocore reads it from the network."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body


def connect(
    running: emulator.Running, *hooks: Hook, kind: str = "emulator", clock: Clock | None = None
) -> Aws:
    """Return a connection as `connect_emulator` makes it, with these hooks on its way.

    One that goes on to AWS itself (`LikeAws`) knows of no endpoint.
    """
    clock = clock or Clock()
    credentials = Credentials(running.access_key_id, running.secret_access_key)
    made = Aws(
        region=running.region,
        endpoint=None if any(isinstance(hook, LikeAws) for hook in hooks) else running.endpoint,
        kind=kind,
        session=(make_private_session if hooks else _share_session)(credentials),
        credentials=credentials,
        patience=clock.patience(consistency=30.0 if kind == "aws" else 1.0),
        account=running.account,
    )
    for hook in hooks:
        hook.attach(made.session)
    if not hooks:
        made._clients = _clients.setdefault(running.endpoint, made._clients)
    return made


_clients: dict[str, dict[tuple[str, str], Any]] = {}
"""Making a client takes longer than most tests: those without hooks share theirs."""
_share_session = cache(make_private_session)
"""The same holds for a session."""


def writes(aws: Aws) -> list[str]:
    """Return the mutating calls that were answered."""
    made = (request.operation for request in aws.requests)
    return [operation for operation in made if not operation.startswith(READS)]


@dataclass(frozen=True)
class Moto(emulator.Running):
    """moto's server, in the place of the embedded AWS."""


@dataclass(frozen=True)
class Inside(emulator.Running):
    """The embedded AWS in this process, and its state when it was empty."""

    door: InProcess
    empty: Any = field(repr=False)

    @classmethod
    def of(cls, door: InProcess, *, region: str) -> Inside:
        port = int(door.endpoint.rpartition(":")[2])
        where = {"pid": os.getpid(), "port": port, "region": region, "state": "running"}
        return cls(door=door, empty=door.copy_state(), **where)  # type: ignore[arg-type]


def reset(running: emulator.Running) -> None:
    """Empty the embedded AWS, or moto."""
    if isinstance(running, Inside):
        running.door.restore_state(running.empty)
        return
    order(running, "/moto-api/reset" if isinstance(running, Moto) else "/_ministack/reset")


def order(running: emulator.Running, way: str, body: str = "") -> None:
    """Send an order to an emulator's own interface."""
    headers = {"Content-Type": "text/plain"}  # or moto would take it for a form
    if door := find_in_process(running.endpoint):
        assert door.answer("POST", running.endpoint + way, headers, body).status == 200
        return
    if not isinstance(running, Moto):
        signed = AWSRequest("POST", running.endpoint + way, data=body)
        keys = SigningKeys(running.access_key_id, running.secret_access_key)
        SigV4Auth(keys, "ecr", running.region).add_auth(signed)
        headers |= dict(signed.headers)
    with contextlib.closing(HTTPConnection("127.0.0.1", running.port, timeout=10)) as connection:
        connection.request("POST", way, body, headers)
        assert connection.getresponse().status == 200


def log_in(running: emulator.Running) -> dict[str, str]:
    """Return the header with a password of the registry."""
    secret = running.secret_access_key
    password = f"AWS:9999999999.{prove(secret, 'registry', '9999999999')}"
    return {"Authorization": f"Basic {base64.b64encode(password.encode()).decode()}"}


def shape(aws: Aws) -> dict[str, Any]:
    """Return all that stands in the region, ids replaced by names, so that two can be compared."""
    seen = list_network(aws)
    names = _names(seen)
    return {
        "vpcs": _anonymous([vpc.to_json() for vpc in seen.vpcs], names),
        "loose gateways": [gateway.name for gateway in seen.loose_gateways],
        "endpoint tables": sorted(
            (names[endpoint], sorted(names[table] for table in tables))
            for endpoint, tables in seen.endpoint_tables.items()
        ),
    }


def _names(seen: NetworkListing) -> dict[str, str]:
    names: dict[str, str] = {}
    for vpc in seen.vpcs:
        parts = (vpc.subnets, vpc.route_tables, vpc.internet_gateways, vpc.endpoints)
        for item in (vpc, *(item for part in parts for item in part)):
            names[item.id] = f"<{vpc.name}/{item.name}>"
    return names


def _anonymous(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _anonymous(item, names) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return sorted((_anonymous(item, names) for item in value), key=repr)
    if isinstance(value, str):
        # A prefix list's id is the Region's own, and another one each time moto is emptied.
        return "<prefix list>" if value.startswith("pl-") else names.get(value, value)
    return value
