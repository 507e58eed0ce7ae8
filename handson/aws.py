"""AWS: the only room that knows boto3.

`Aws` is one connection: a region, an account, an endpoint.  Every call goes through `call`, which
records its request id, turns boto3's errors into ours and retries where that cannot do harm:

- a throttled call, or one that never reached AWS, is made again, whatever it does;
- a read that broke off is made again;
- a *write* that broke off raises `AWSUnclear`: it may have taken effect, and the caller looks first.

boto3's own retries are off, because its default mode repeats a CreateVpc whose reply was lost and
so makes a second VPC (Amazon EC2 API Reference, "Ensuring idempotency": CreateVpc takes no token).
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from handson import messages
from handson.errors import AWSError, AWSUnclear, HandsonError, NotAllowed
from handson.state import Target

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
REFUSED_CREDENTIALS = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
THROTTLED = {
    "EC2ThrottledException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
READS = ("Describe", "List", "Get", "BatchGet", "BatchCheck")

_ATTEMPTS = 5
_FIRST_PAUSE = 0.2


@dataclass(frozen=True)
class Credentials:
    """The fixed, worthless credentials of an emulator; its access key is the account."""

    access_key_id: str
    secret_access_key: str


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

    attempts: int = _ATTEMPTS
    pause: float = _FIRST_PAUSE
    consistency: float = 30.0
    """Seconds in which AWS may still not know what it has just created."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def pause_before(self, attempt: int) -> None:
        """Sleep before the given attempt, longer each time, with jitter."""
        self.sleep(self.pause * 2 ** (attempt - 1) * random.uniform(0.5, 1.0))


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
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def target(self) -> Target:
        """Where this connection leads, as evidence and checks name it."""
        return Target(
            kind=self.kind, account=self.account, region=self.region, endpoint=self.endpoint
        )

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make one call and return AWS's reply.

        Args:
            service: boto3's name of the service, "ec2".
            operation: The API's name of the operation, "CreateVpc".
            parameters: As the API names them.

        Raises:
            NotAllowed: Credentials are missing, expired or refused, or a permission is lacking.
            AWSUnclear: A write broke off and may have taken effect.
            AWSError: AWS refused the call, or it never answered.
        """
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
        """
        deadline = self.patience.clock() + self.patience.consistency
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._once(service, operation, parameters)
            except AWSError as error:
                if error.code in unknown and self.patience.clock() < deadline:
                    self.patience.pause_before(min(attempt, 4))
                elif error.repeatable and attempt < self.patience.attempts:
                    self.patience.pause_before(attempt)
                else:
                    raise

    def pages(
        self, service: str, operation: str, key: str, **parameters: Any
    ) -> list[dict[str, Any]]:
        """Make a listing call, page after page, and return all items under `key`."""
        token_name = "NextToken" if service == "ec2" else "nextToken"
        items: list[dict[str, Any]] = []
        while True:
            reply = self.call(service, operation, **parameters)
            items.extend(reply.get(key, ()))
            token = reply.get(token_name)
            if not token:
                return items
            parameters = {**parameters, token_name: token}

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
                    service, region_name=self.region, endpoint_url=self.endpoint, config=_config()
                )
            return self._clients[service]

    def _once(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        from botocore import xform_name

        with translated(service, operation, endpoint=self.endpoint):
            method = getattr(self.client(service), xform_name(operation))
            reply: dict[str, Any] = method(**parameters)
        request_id = str(reply.get("ResponseMetadata", {}).get("RequestId", ""))
        self.requests.append(Request(service, operation, request_id))
        return reply


def connect_emulator(
    endpoint: str, *, region: str, credentials: Credentials, patience: Patience | None = None
) -> Aws:
    """Connect to the embedded AWS or another AWS-compatible endpoint.

    Nothing of the learner's own AWS configuration is read or sent.

    Raises:
        AWSError: The endpoint does not answer.
    """
    aws = Aws(
        region=region,
        endpoint=endpoint,
        kind="emulator",
        session=_private_session(credentials),
        credentials=credentials,
        patience=patience or Patience(consistency=1.0),
    )
    _identify(aws)
    return aws


def connect_aws(
    *, region: str, account: str | None, session: Any = None, patience: Patience | None = None
) -> Aws:
    """Connect to real AWS with the learner's own credential chain, if the account is the named one.

    Args:
        region: The one region for everything.
        account: What `HANDSON_AWS_ACCOUNT` names; calls are allowed in no other account.
        session: A botocore session in the place of the learner's own.
        patience: Pauses and clock, for tests.

    Raises:
        NotAllowed: No account is named, or the credentials are missing, expired or of another
            account.  The only call made until then is GetCallerIdentity.
    """
    if account is None:
        raise NotAllowed(*messages.advice("aws.no-account"))
    with translated("sts", "GetCallerIdentity", endpoint=None):
        aws = Aws(
            region=region,
            endpoint=None,
            kind="aws",
            session=session or _own_session(),
            patience=patience or Patience(),
        )
    _identify(aws)
    if aws.account != account:
        raise NotAllowed(*messages.advice("aws.other-account", seen=aws.account, wanted=account))
    return aws


def command_name(name: str) -> str:
    """Return the aws CLI's spelling of an API name: `CreateVpc` is `create-vpc`."""
    from botocore import xform_name

    return str(xform_name(name, "-"))


@contextmanager
def translated(service: str, operation: str, *, endpoint: str | None) -> Iterator[None]:
    """Turn botocore's errors into ours, chained; let the unknown through.

    What AWS says of refused credentials is left out: such messages can quote the request.
    """
    from botocore import exceptions as botocore
    from botocore import parsers

    where = endpoint or "AWS"
    call = f"{service}:{operation}"
    try:
        yield
    except botocore.ClientError as error:
        raise _refusal(error, call=call, operation=operation) from error
    except (botocore.EndpointConnectionError, botocore.ConnectTimeoutError) as error:
        raise AWSError(
            *messages.advice("aws.unreachable", where=where, call=call), repeatable=True
        ) from error
    except (botocore.HTTPClientError, parsers.ResponseParserError) as error:
        sentences = messages.advice("aws.broke-off", where=where, call=call)
        raise _perhaps_done(operation, sentences) from error
    except (
        botocore.NoCredentialsError,
        botocore.PartialCredentialsError,
        botocore.CredentialRetrievalError,
        botocore.ProfileNotFound,
        botocore.SSOError,
        botocore.TokenRetrievalError,
        botocore.ConfigParseError,
    ) as error:
        reason = type(error).__name__
        raise NotAllowed(*messages.advice("aws.no-credentials", reason=reason)) from error
    except (botocore.ParamValidationError, botocore.UnknownServiceError) as error:
        raise AWSError(
            *messages.advice("aws.refused", call=call, reason=error), code="ValidationError"
        ) from error


def _refusal(error: Any, *, call: str, operation: str) -> HandsonError:
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    reason = str(error.response.get("Error", {}).get("Message", "")) or code
    if code in DENIED:
        return NotAllowed(*messages.advice("aws.denied", call=call), code=code)
    if code in EXPIRED:
        return NotAllowed(*messages.advice("aws.expired"), code=code)
    if code in REFUSED_CREDENTIALS:
        return NotAllowed(*messages.advice("aws.credentials-refused"), code=code)
    if code in THROTTLED:
        return AWSError(*messages.advice("aws.throttled", call=call), code=code, repeatable=True)
    if status >= 500:
        return _perhaps_done(operation, messages.advice("aws.failed", call=call), code=code)
    return AWSError(*messages.advice("aws.refused", call=call, reason=reason), code=code)


def _perhaps_done(
    operation: str, sentences: tuple[str, str], *, code: str | None = None
) -> AWSError:
    if operation.startswith(READS):
        return AWSError(*sentences, code=code, repeatable=True)
    return AWSUnclear(*sentences, code=code)


def _identify(aws: Aws) -> None:
    reply = aws.call("sts", "GetCallerIdentity")
    aws.account = str(reply["Account"])
    aws.caller = str(reply["Arn"])


def _private_session(credentials: Credentials) -> Any:
    """Make a session that sees no profile, file, role or instance of the learner's own."""
    import botocore.session

    nothing = (None, None, None, None)
    no_file = (None, None, os.devnull, None)
    session = botocore.session.Session(
        {"profile": nothing, "config_file": no_file, "credentials_file": no_file}
    )
    session.set_credentials(credentials.access_key_id, credentials.secret_access_key)
    return session


def _own_session() -> Any:
    import boto3

    return _Boto3Session(boto3.Session())


@dataclass(frozen=True)
class _Boto3Session:
    """The learner's boto3 session behind botocore's method name."""

    session: Any

    def create_client(self, service: str, **arguments: Any) -> Any:
        return self.session.client(service, **arguments)


def _config() -> Any:
    from botocore.config import Config

    settings: Any = Config  # its stubs lag behind its options
    return settings(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=5,
        read_timeout=60,
        max_pool_connections=16,
        ignore_configured_endpoint_urls=True,
        user_agent_extra="handson",
    )
