"""The connection to AWS: every call goes through it; and the reply to a call, shown as a card."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from handson.aws import refusals
from handson.aws.credentials import resolve_credentials
from handson.core import https, messages
from handson.core.cards import Card, Displayable, Rows
from handson.core.errors import AWSError, NotAllowed
from handson.core.progress import Say, ignore_progress
from handson.core.text import one_line, pick_fields
from handson.course import evidence
from handson.course.owners import Owners
from handson.course.state import State, Target

_LONGEST_PAUSE = 5.0
_MOST_ROWS = 20
_SECRET = "(?i)secret|token|password"


class Credentials(Struct, frozen=True):
    """The fixed credentials of an emulator; the access key is the account."""

    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id!r})"  # without the secret


class Request(State, frozen=True, kw_only=True):
    """A call that AWS answered, with AWS's own id of it."""

    service: str
    operation: str
    request_id: str


class Patience(Struct):
    """How often and how long to try a call: as long as the Terraform provider for AWS does."""

    attempts: int = 5
    """How often to make a call that is safe to repeat."""
    pause: float = 0.2
    """Seconds before the second attempt; they double with each attempt, up to five."""
    consistency: float = 120.0
    """Seconds in which AWS may not yet know a resource that it has just created or deleted, or may
    throttle a call."""
    busy: float = 600.0
    """Seconds in which AWS may still be changing a resource, or taking it apart."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = evidence.now
    """Returns this machine's time, to compare with AWS's."""

    def pause_before(self, attempt: int) -> None:
        """Sleep before an attempt (2 is the second), longer each time, with jitter."""
        longest = min(self.pause * 2 ** min(attempt - 2, 64), _LONGEST_PAUSE)
        self.sleep(longest * random.uniform(0.5, 1.0))

    def pause_to_see(self) -> None:
        """Sleep until AWS should show the resource that an interrupted call has created."""
        self.sleep(min(self.consistency, _LONGEST_PAUSE))


class Aws(Struct):
    """A connection to AWS or an emulator, made by `connect_aws` or `connect_emulator`."""

    region: str
    endpoint: str | None
    kind: str
    session: Any
    patience: Patience = field(default_factory=Patience)
    credentials: Credentials | None = None
    account: str = ""
    caller: str = ""
    confirmed_key: str = ""
    """The ID of the access key that was seen to belong to the account."""
    owners: Owners = Owners()
    requests: list[Request] = []
    looks_elsewhere: bool = True
    """Whether to look in other regions for what is missing: not where that was denied before."""
    say: Say = ignore_progress
    _clients: dict[tuple[str, str], Any] = {}
    """By service and region; the connections that are made of this one share them."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __repr__(self) -> str:
        return f"Aws({self.region!r}, {self.endpoint!r}, {self.kind!r})"

    @property
    def target(self) -> Target:
        """The target of this connection, as evidence names it."""
        return Target(**pick_fields(self, "kind account region endpoint"))

    @property
    def is_root(self) -> bool:
        """Whether the caller is the root user of a real account, which AWS advises against."""
        return self.kind == "aws" and self.caller.endswith(":root")

    @property
    def ca_bundle(self) -> str | None:
        """The file of certificates that `AWS_CA_BUNDLE` or the profile's `ca_bundle` names."""
        bundle: str | None = self.session.get_config_variable("ca_bundle")
        return bundle

    def call(
        self, service: str, operation: str = "", *unnamed: object, **parameters: Any
    ) -> dict[str, Any]:
        """Make one call and return AWS's reply, a dict that a notebook shows as a card.

        Args:
            service: boto3's name of the service, "ec2".
            operation: The API's name of the operation, "CreateVpc".
            unnamed: Values without a name; they are refused.
            parameters: As the API names them.

        Raises:
            InvalidInput: The service, the operation or a parameter is unknown, or a type is wrong.
            NotAllowed: Credentials are missing, expired or refused, or a permission is lacking.
            AWSUnclear: A write broke off and may have taken effect.
            AWSError: AWS refused the call, or did not answer.
        """
        if unnamed:
            raise refusals.refuse_unnamed(service, operation, unnamed)
        reply = self.call_until_known(str(service), operation, parameters, unknown=())
        return Reply(reply, f"{service}:{operation}", parameters)

    def call_until_known(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        unknown: Collection[str],
        busy: Collection[str] = (),
    ) -> dict[str, Any]:
        """Make one call, and repeat it while AWS answers with one of these codes.

        AWS is eventually consistent: AttachInternetGateway right after CreateInternetGateway may
        answer ``InvalidInternetGatewayID.NotFound`` (EC2 API Reference, "Eventual consistency").

        Args:
            service: boto3's name of the service, "ec2".
            operation: The API's name of the operation, "AttachInternetGateway".
            parameters: As the API names them.
            unknown: Error codes, as `has_code` takes them, while AWS does not know a resource yet.
            busy: Error codes while AWS is still changing a resource.

        Raises:
            HandsonError: As `call`; an error with one of these codes once the time is over.
        """
        started = self.patience.clock()
        broken_off, attempt = 0, 1
        while True:
            try:
                return self._once(service, operation, parameters)
            except AWSError as error:
                # A broken call is repeated a few times, the others until their time is over.
                broken_off += error.repeatable
                seconds = self._find_limit(error, unknown, busy)
                waited = self.patience.clock() - started
                values = {"call": f"{service}:{operation}", "seconds": round(waited)}
                if waited < seconds:
                    self.say(messages.text("aws.waiting", code=error.code, **values))
                elif not error.repeatable and seconds:
                    advice = messages.advice("aws.not-yet", reason=error.reason, **values)
                    raise AWSError(*advice, code=error.code, reason=error.reason) from error
                elif not error.repeatable or broken_off >= self.patience.attempts:
                    raise
            attempt += 1
            self.patience.pause_before(attempt)

    def list_items(
        self, service: str, operation: str, key: str, **parameters: Any
    ) -> list[dict[str, Any]]:
        """Make a listing call, page after page, and return the items under `key` of all pages."""
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
        """Return the connection of the same caller to another region.

        Args:
            region: The other region.
            attempts: How often to make each call there, if not as often as here.
        """
        if region == self.region and attempts is None:
            return self
        patience = replace(self.patience, attempts=attempts or self.patience.attempts)
        return replace(self, region=region, patience=patience)

    def with_own_clients(self) -> Aws:
        """Return the same connection, whose clients are made anew."""
        return replace(self, _clients={})

    def without_recording(self) -> Aws:
        """Return the same connection, whose calls are not among the requests of this one."""
        return replace(self, requests=[])

    def report_to(self, say: Say) -> Aws:
        """Return the same connection, which reports what it waits for."""
        return replace(self, say=say)

    def client(self, service: str) -> Any:
        """Return the client of a service in this region, made on first use."""
        # One at a time: four clients made in threads take longer than four made in a row.
        with self._lock:
            if (service, self.region) not in self._clients:
                where = {"region_name": self.region, "endpoint_url": self.endpoint}
                made = self.session.create_client(service, **where, config=_config(self.endpoint))
                self._clients[service, self.region] = made
            return self._clients[service, self.region]

    def sign_address(self, path: str) -> str:
        """Return the address of a path of the endpoint's registry, signed for a minute."""
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest("GET", f"{self.endpoint}{path}")
        keys = self.session.get_credentials()
        SigV4QueryAuth(keys, "ecr", self.region, expires=60).add_auth(request)
        return str(request.url)

    def confirm_account(self, account: str | None) -> None:
        """Ask AWS for the caller if the credentials are new, and refuse one of another account.

        Credentials can change to another account's while a kernel runs: `credential_process`, for
        example, is called again when they expire.  An access key never changes its account.

        Raises:
            NotAllowed: The caller belongs to another account, or the credentials are refused.
        """
        key = resolve_credentials(self.session)
        if key == self.confirmed_key:
            return
        seen, caller = self.identify_caller()
        if seen != account:
            raise NotAllowed.from_key("aws.other-account", seen=seen, wanted=account)
        self.account, self.caller, self.confirmed_key = seen, caller, key

    def identify_caller(self) -> tuple[str, str]:
        """Ask for the account and the ARN of the caller."""
        reply = self.call("sts", "GetCallerIdentity")
        with refusals.translate_errors("sts", "GetCallerIdentity", endpoint=self.endpoint):
            return str(reply["Account"]), str(reply["Arn"])

    def _find_limit(
        self, error: AWSError, unknown: Collection[str], busy: Collection[str]
    ) -> float:
        """Return for how many seconds to repeat a call that AWS refused with this error."""
        if refusals.has_code(error, busy):
            return self.patience.busy
        throttled = refusals.read_names("answer").get(str(error.code)) == "throttled"
        waits = refusals.has_code(error, unknown) or (throttled and self.patience.attempts > 1)
        return self.patience.consistency if waits else 0.0

    def _once(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        from botocore import xform_name

        if self.confirmed_key and operation != "GetCallerIdentity":
            self.confirm_account(self.account)  # They may have changed in the middle of a verb.
        where = self.endpoint or f"AWS ({self.region})"
        with refusals.translate_errors(service, operation, endpoint=where, now=self.patience.now):
            client, method = self.client(service), xform_name(str(operation))
            known = client.meta.method_to_api_mapping
            if method not in known:
                raise refusals.refuse_operation(service, operation, known.values())
            reply: dict[str, Any] = getattr(client, method)(**parameters)
        request_id = str(reply.get("ResponseMetadata", {}).get("RequestId", ""))
        request = Request(service=service, operation=operation, request_id=request_id)
        self.requests.append(request)
        return reply


class Reply(dict[str, Any], Displayable):
    """A reply as the dict that boto3 returns; a notebook shows it as a card.

    Args:
        reply: boto3's reply.
        call: The service and the operation, "ec2:DeleteSubnet".
        parameters: The call's parameters.
    """

    def __init__(self, reply: Mapping[str, Any], call: str, parameters: Mapping[str, Any]) -> None:
        super().__init__(reply)
        self._call, self._parameters = call, parameters

    def _repr_pretty_(self, printer: Any, _is_cycle: bool) -> None:
        # IPython prefers its own printer of dicts to the bundle's text, and a notebook saves that.
        printer.text(self.card().text())

    def card(self) -> Card:
        """Return one sentence where the messages have one for the operation; else the reply."""
        values: dict[str, str] = {}
        for path, text in _flatten(self._parameters):
            name = path.rpartition(".")[2].partition(" ")[0]
            values[name] = f"{values[name]}, {text}" if name in values else text
        with suppress(KeyError):  # no sentence, or a parameter that it names was left out
            done = messages.label("aws.done", self._call.partition(":")[2], **values)
            return Card(done, state="ok")
        rows = list(_flatten({name: self[name] for name in self if name != "ResponseMetadata"}))
        more = messages.text("aws.more", count=len(rows) - _MOST_ROWS)
        rows[_MOST_ROWS:] = [("…", more)] if len(rows) > _MOST_ROWS else []
        return Card(messages.text("aws.answered", call=self._call), (Rows(rows),) if rows else ())


def _flatten(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each value within a value; a secret stays hidden."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flatten(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value, start=1):
            yield from _flatten(item, f"{path} {number}")
    else:
        yield path, "…" if re.search(_SECRET, path) else one_line(str(value))


def command_name(name: str) -> str:
    """Return the aws CLI's spelling of an API name: `create-vpc` for `CreateVpc`."""
    from botocore import xform_name

    return str(xform_name(name, "-"))


def _config(endpoint: str | None) -> Any:
    from botocore.config import Config

    options: Any = Config  # its stubs lack some options
    return options(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=5,
        read_timeout=20 if endpoint else 60,
        max_pool_connections=16,
        ignore_configured_endpoint_urls=True,
        user_agent="handson" if endpoint else None,  # the full one takes as long as signing
        user_agent_extra="" if endpoint else "handson",
        # A company's proxy cannot reach this machine.
        proxies={} if endpoint and https.is_on_loopback(endpoint) else None,
    )
