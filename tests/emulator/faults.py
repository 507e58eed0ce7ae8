"""What can go wrong at any call to AWS, one call at a time, as hooks on botocore's events.

    wire = Wire()                     a hook (see `hooks.py`); it lets everything through
    with wire.watched() as calls:     the calls of the block are collected, in order
        ...
    with wire.broken((call, "lost")) as planned: one call of the block meets a fault, once
        ...

What AWS answers is given as the bytes that AWS would send, so that botocore reads them as it would
AWS's own; `test_proxy.py` compares what is imitated here with what a real socket does.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from handson.aws.refusals import READS
from tests.emulator.hooks import Body

TRANSIENT = ("throttled", "failed", "refused", "cut", "lost", "timeout")
"""A verb that meets one of these once goes on as if nothing had been."""

LASTING = ("denied", "expired", "gone")
"""Nothing helps here but the learner; "gone": in that region nobody answers from that call on."""

FAULTS = (*TRANSIENT, *LASTING)
HERE = "us-east-1"

_SAID = {
    "throttled": {"ec2": ("RequestLimitExceeded", 503), "sts": ("Throttling", 400)},
    "failed": {"ec2": ("InternalError", 500), "sts": ("InternalFailure", 500)},
    "denied": {"ec2": ("UnauthorizedOperation", 403), "sts": ("AccessDenied", 403)},
    "expired": {"ec2": ("RequestExpired", 400), "sts": ("ExpiredToken", 403)},
}
_SAID_IN_JSON = {
    "throttled": ("ThrottlingException", 400),
    "failed": ("ServerException", 500),
    "denied": ("AccessDeniedException", 400),
    "expired": ("ExpiredTokenException", 400),
}


@dataclass(frozen=True)
class Call:
    """The nth call (from 1) of an operation in one verb, in one region."""

    service: str
    operation: str
    nth: int
    region: str = HERE

    @property
    def kind(self) -> str:
        return f"{self.service}:{self.operation}"

    @property
    def reads(self) -> bool:
        return self.operation.startswith(READS)

    def __str__(self) -> str:
        return f"{self.kind} #{self.nth}" + (f" in {self.region}" if self.region != HERE else "")


Pair = tuple[Call, str]
"""A call and the fault that it meets."""


@dataclass
class Planned:
    """One fault, and whether it has happened."""

    call: Call
    fault: str
    happened: bool = False

    def has_closed(self, region: str) -> bool:
        """Tell whether nobody answers in a region any more."""
        return self.happened and self.fault == "gone" and self.call.region == region


class Wire:
    """The way to AWS, on which one call can be made to fail."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._planned: Planned | None = None
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()
        self._losing = threading.local()

    def attach(self, session: Any) -> None:
        session.register("before-send", self._before)
        session.register("after-call", self._after)

    @contextmanager
    def watched(self) -> Iterator[list[Call]]:
        with self._lock:
            self._counts.clear()
            self.calls = made = []
        yield made

    @contextmanager
    def broken(self, pair: Pair) -> Iterator[Planned]:
        with self.watched():
            self._planned = planned = Planned(*pair)
            try:
                yield planned
            finally:
                self._planned = None

    def _before(self, event_name: str, request: Any, **_: Any) -> AWSResponse | None:
        _, service, operation = event_name.split(".")
        planned = self._meets(service, operation, _region(request))
        if planned is None:
            return None
        if planned.fault == "lost":
            self._losing.now = True
            return None
        url, request.url = request.url, "https://answered.invalid"  # or it would take effect
        return answered(planned.fault, service, url=url)

    def _meets(self, service: str, operation: str, region: str) -> Planned | None:
        with self._lock:
            self._counts[service, operation, region] += 1
            nth = self._counts[service, operation, region]
            call = Call(service, operation, nth, region)
            self.calls.append(call)
            planned = self._planned
            if planned is None or not (planned.call == call or planned.has_closed(region)):
                return None
            planned.happened = True
            return planned

    def _after(self, **_: Any) -> None:
        if getattr(self._losing, "now", False):
            self._losing.now = False
            raise ConnectionClosedError(endpoint_url="http://127.0.0.1")


def _region(request: Any) -> str:
    """Return the region that a request was signed for."""
    signed = request.headers["Authorization"]
    text = signed.decode() if isinstance(signed, bytes) else signed
    return str(text.partition("Credential=")[2].split("/")[2])


_SILENT = {
    "refused": EndpointConnectionError,
    "gone": EndpointConnectionError,
    "cut": ConnectionClosedError,
    "timeout": ReadTimeoutError,
}


def answered(fault: str, service: str, *, url: str) -> AWSResponse:
    """Return what AWS answers, or raise what botocore raises where it does not answer."""
    if fault in _SILENT:
        raise _SILENT[fault](endpoint_url=url)
    status, headers, body = refusal(fault, service)
    return AWSResponse(url, status, headers, Body(body))


def refusal(fault: str, service: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of AWS's answer in the protocol of the service."""
    code, status = _SAID[fault].get(service, _SAID_IN_JSON[fault])
    error = f"<Error><Code>{code}</Code><Message>said AWS</Message></Error>"
    in_xml = {
        "ec2": f"<Response><Errors>{error}</Errors><RequestID>refused</RequestID></Response>",
        "sts": f"<ErrorResponse>{error}<RequestId>refused</RequestId></ErrorResponse>",
    }
    if service in in_xml:
        return status, {"content-type": "text/xml"}, in_xml[service].encode()
    said = json.dumps({"__type": code, "message": "said AWS"})
    return status, {"content-type": "application/x-amz-json-1.1"}, said.encode()
