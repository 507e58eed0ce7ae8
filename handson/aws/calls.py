"""The connection: every call to AWS goes through it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from handson.aws import slips
from handson.aws.refusals import is_one_of, translated
from handson.core.errors import AWSError
from handson.course.state import Target

_LONGEST_PAUSE = 5.0
_HERE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Credentials:
    """The fixed, worthless credentials of an emulator; its access key is the account."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True)
class Request:
    """A call that AWS answered, with the id under which AWS has it."""

    service: str
    operation: str
    request_id: str

    def to_json(self) -> dict[str, str]:
        """Return the request as evidence holds it."""
        return {
            "service": self.service,
            "operation": self.operation,
            "request_id": self.request_id,
        }


@dataclass
class Patience:
    """How long to go on: pauses between attempts, and the clock they are taken on."""

    attempts: int = 5
    """How often a call is made that can be repeated without harm."""
    pause: float = 0.2
    """Seconds before the second attempt; they double from attempt to attempt, up to five."""
    consistency: float = 30.0
    """Seconds in which AWS may still not know what it has just created or deleted."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def pause_before(self, attempt: int) -> None:
        """Sleep before the given attempt (2 is the second), longer each time, with jitter."""
        longest = min(self.pause * 2 ** (attempt - 2), _LONGEST_PAUSE)
        self.sleep(longest * random.uniform(0.5, 1.0))

    def pause_to_see(self) -> None:
        """Sleep until AWS can be expected to show what a call that broke off has made."""
        self.sleep(min(self.consistency, _LONGEST_PAUSE))


@dataclass
class Aws:
    """A connection to AWS or to what stands in its place; made by `connect_…`."""

    region: str
    endpoint: str | None
    kind: str
    session: Any
    patience: Patience = field(default_factory=Patience)
    credentials: Credentials | None = None
    account: str = ""
    caller: str = ""
    requests: list[Request] = field(default_factory=list)
    _clients: dict[str, Any] = field(default_factory=dict)
    _regions: dict[tuple[str, int], Aws] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def target(self) -> Target:
        """Where this connection leads, as evidence and checks name it."""
        return Target(
            kind=self.kind, account=self.account, region=self.region, endpoint=self.endpoint
        )

    @property
    def is_root(self) -> bool:
        """Tell whether real AWS is called as the account's root user, which it advises against."""
        return self.kind == "aws" and self.caller.endswith(":root")

    def call(
        self, service: str, operation: str = "", *unnamed: object, **parameters: Any
    ) -> dict[str, Any]:
        """Make one call and return AWS's reply.

        Args:
            service: boto3's name of the service, "ec2".
            operation: The API's name of the operation, "CreateVpc".
            unnamed: What was given without a name, and is refused.
            parameters: As the API names them.

        Raises:
            InvalidInput: There is no such service, operation or parameter, or its type is another.
            NotAllowed: Credentials are missing, expired or refused, or a permission is lacking.
            AWSUnclear: A write broke off and may have taken effect.
            AWSError: AWS refused the call, or it never answered.
        """
        if unnamed:
            raise slips.unnamed(service, operation, unnamed)
        if not isinstance(service, str):
            raise slips.unknown_service(service)
        return self.call_until_known(service, operation, parameters, unknown=())

    def call_until_known(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        unknown: Collection[str],
    ) -> dict[str, Any]:
        """Make one call, again and again while AWS answers with one of the codes `unknown`.

        AWS is eventually consistent: AttachInternetGateway right after CreateInternetGateway may
        answer ``InvalidInternetGatewayID.NotFound`` (EC2 API Reference, "Eventual consistency").

        Args:
            service: boto3's name of the service, "ec2".
            operation: The API's name of the operation, "AttachInternetGateway".
            parameters: As the API names them.
            unknown: Error codes; "Code: words" asks for words of AWS's message, too.

        Raises:
            HandsonError: As `call`; an error of these codes, when AWS still says so at the end.
        """
        deadline = self.patience.clock() + self.patience.consistency
        attempt = 1
        broken = 0
        while True:
            try:
                return self._once(service, operation, parameters)
            except AWSError as error:
                broken += error.repeatable
                in_time = self.patience.clock() < deadline
                again = broken < self.patience.attempts if error.repeatable else in_time
                if not again or not (error.repeatable or is_one_of(error, unknown)):
                    raise
            attempt += 1
            self.patience.pause_before(attempt)

    def pages(
        self, service: str, operation: str, key: str, **parameters: Any
    ) -> list[dict[str, Any]]:
        """Make a listing call, page after page, and return all items under `key`."""
        token_name = "NextToken" if service in ("ec2", "cloudtrail") else "nextToken"
        items: list[dict[str, Any]] = []
        while True:
            reply = self.call(service, operation, **parameters)
            items.extend(reply.get(key, ()))
            token = reply.get(token_name)
            if not token:
                return items
            parameters = {**parameters, token_name: token}

    def in_region(self, region: str, *, attempts: int | None = None) -> Aws:
        """Return the connection to another region, as the same caller; made once.

        Args:
            region: The other region.
            attempts: How often each call is tried there: once is enough for a glance.
        """
        tries = attempts or self.patience.attempts
        with self._lock:
            if (region, tries) not in self._regions:
                self._regions[region, tries] = replace(
                    self,
                    region=region,
                    patience=replace(self.patience, attempts=tries),
                    _clients={},
                    _regions={},
                    _lock=threading.Lock(),
                )
            return self._regions[region, tries]

    def apart(self) -> Aws:
        """Return the same connection for calls that no `recording` of this one shall see."""
        return replace(self, requests=[])

    @contextmanager
    def recording(self) -> Iterator[list[Request]]:
        """Collect the requests that are made in the block."""
        start = len(self.requests)
        made: list[Request] = []
        yield made
        made.extend(self.requests[start:])

    def client(self, service: str) -> Any:
        """Return the one client of a service, made on first use.

        Clients are made one after another: four at once in threads take longer than in a row.
        """
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.session.create_client(
                    service,
                    region_name=self.region,
                    endpoint_url=self.endpoint,
                    config=_config(self.endpoint),
                )
            return self._clients[service]

    def _once(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        from botocore import xform_name

        with translated(service, operation, endpoint=self.endpoint):
            client, method = self.client(service), xform_name(str(operation))
            known = client.meta.method_to_api_mapping
            if method not in known:
                raise slips.unknown_operation(service, operation, known.values())
            reply: dict[str, Any] = getattr(client, method)(**parameters)
        request_id = str(reply.get("ResponseMetadata", {}).get("RequestId", ""))
        self.requests.append(Request(service, operation, request_id))
        return reply


def command_name(name: str) -> str:
    """Return the aws CLI's spelling of an API name: `CreateVpc` is `create-vpc`."""
    from botocore import xform_name

    return str(xform_name(name, "-"))


def _config(endpoint: str | None) -> Any:
    from botocore.config import Config

    settings: Any = Config  # its stubs lag behind its options
    return settings(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=5,
        read_timeout=20 if endpoint else 60,
        max_pool_connections=16,
        ignore_configured_endpoint_urls=True,
        user_agent_extra="handson",
        # A proxy of the learner's company does not know the way back to this machine.
        proxies={} if endpoint and urlsplit(endpoint).hostname in _HERE else None,
    )
