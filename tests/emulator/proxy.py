"""A real way to AWS that really breaks: a proxy in front of an emulator, over TCP.

    with proxy_to(running.port) as proxy:
        proxy.breaks("ec2:CreateVpc", 2, "lost")      the second such request, once
        proxy.address

A request is named as IAM names the call ("ecs:ListClusters"), or by method and kind where it is one
to the registry ("PATCH blobs/uploads").  The requests that came are in `proxy.seen`, in order.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

from tests.emulator.faults import Call, refusal
from tests.servers import Answering, listening

_SERVICES = {"AmazonEC2ContainerServiceV20141113": "ecs", "AmazonEC2ContainerRegistry": "ecr"}
_REGISTRY = {
    "throttled": (429, "TOOMANYREQUESTS", "Rate exceeded"),
    "failed": (500, "INTERNAL", "an error of its own"),
    "denied": (403, "DENIED", "User is not authorized to perform: ecr:PutImage"),
    "expired": (403, "DENIED", "Your authorization token has expired."),
}


class Proxy:
    """What was asked, and what is to be done about it."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.address = ""
        self.seen: list[Call] = []
        self.answered: Counter[str] = Counter()
        self.happened = False
        self.released = threading.Event()
        self.stalled = threading.Event()
        self._planned: tuple[Call, str] | None = None
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def breaks(self, call: Call | None, fault: str = "") -> None:
        """Break this call the next time it comes, counted from now; None breaks nothing."""
        with self._lock:
            self.seen = []
            self._counts.clear()
            self.happened = False
            self._planned = (call, fault) if call else None

    def fault(self, service: str, operation: str) -> str:
        """Return the fault that the request meets which has just come, or nothing."""
        with self._lock:
            self._counts[service, operation] += 1
            call = Call(service, operation, self._counts[service, operation])
            self.seen.append(call)
            if self._planned is None or self._planned[0] != call:
                return ""
            self.happened = True
            return self._planned[1]


@contextmanager
def proxy_to(upstream: int) -> Iterator[Proxy]:
    """Give a proxy to an emulator on a port of this machine."""
    proxy = Proxy(upstream)
    with listening(type("Bound", (Handler,), {"proxy": proxy})) as proxy.address:
        try:
            yield proxy
        finally:
            proxy.released.set()


class Connected(Answering):
    """Somebody's connection, which may end at any time on either side."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        with suppress(OSError):  # whoever called has gone
            super().handle()

    def hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(2)


class Handler(Connected):
    proxy: Proxy

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        kind = re.match(r"/v2/[^/]+/(blobs/uploads|blobs|manifests)/", self.path)
        body = b"" if kind else self.rfile.read(length)
        service, operation = (
            ("registry", f"{self.command} {kind[1]}") if kind else _named(self, body)
        )
        fault = self.proxy.fault(service, operation)
        if kind:
            body = self.rfile.read(length // 2 if fault == "stall" else length)
        if fault in ("timeout", "stall"):
            self.proxy.stalled.set()
            self.proxy.released.wait(30)
        if fault in ("cut", "timeout", "stall"):
            self.hang_up()
        elif fault in ("", "lost", "half"):
            self.pass_on(body, fault)
            self.proxy.answered[operation] += 1
        else:
            status, headers, body = self.refused(fault, service)
            self.answer(status, body, headers)

    do_HEAD = do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any

    def refused(self, fault: str, service: str) -> tuple[int, dict[str, str], bytes]:
        """Return what is answered in AWS's place."""
        if service != "registry":
            return refusal(fault, service)
        status, code, message = _REGISTRY[fault]
        said = json.dumps({"errors": [{"code": code, "message": message}]})
        return status, {"Content-Type": "application/json"}, said.encode()

    def pass_on(self, body: bytes, fault: str) -> None:
        """Ask the emulator, and give its answer back unless the fault takes it."""
        with closing(HTTPConnection("127.0.0.1", self.proxy.upstream, timeout=30)) as upstream:
            upstream.request(self.command, self.path, body, dict(self.headers.items()))
            reply = upstream.getresponse()
            content = reply.read()
        if fault == "lost":
            return self.hang_up()
        headers = {name: value for name, value in reply.getheaders() if name.lower() not in _OWN}
        if fault == "half":
            headers |= {"Content-Length": str(len(content)), "Connection": "close"}
            content = content[: len(content) // 2]
        self.answer(reply.status, content, headers)
        return None


_OWN = {"content-length", "transfer-encoding", "connection", "date", "server", "keep-alive"}


def _named(request: BaseHTTPRequestHandler, body: bytes) -> tuple[str, str]:
    target = request.headers.get("X-Amz-Target", "")
    if target:
        prefix, _, operation = target.rpartition(".")
        return _SERVICES[prefix.partition("_")[0]], operation
    operation = parse_qs(body.decode())["Action"][0]
    return ("sts" if operation == "GetCallerIdentity" else "ec2"), operation
