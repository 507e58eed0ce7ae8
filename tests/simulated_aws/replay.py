"""A recording of `handson parity` in the place of AWS: its own bytes, wherever they fit.

    simulated.proxy.replay = Replay(read_recording(path))

A call is found by its operation and its parameters, without ids and tags.  What AWS always refuses
is refused as recorded.  A creation, a deletion and a listing of what never changes are answered
with the recorded bytes, which then name the ids that the embedded AWS has given.  All else is the
embedded AWS's, because a recorded listing would show what is not there.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from handson.aws.refusals import READS
from handson.parity.recording import ACCOUNT as PLACEHOLDER
from handson.parity.recording import Exchange, Recording
from tests.simulated_aws.proxy import ACCOUNT, Answer, Request

_ID = re.compile(r"(?<![\w-])([a-z]{2,12})-[0-9a-f]{8,17}\b")  # no group of a UUID, of letters
_UNCHANGING = {"DescribeAvailabilityZones", "GetAuthorizationToken", "GetServiceQuota"}
_OTHER = re.compile(r"Tag|tags|ClientToken|^Version$|^Action$")


class Replay:
    """Answers from a recording; `served` are the probes whose answers were given."""

    def __init__(self, recording: Recording) -> None:
        self.served: list[str] = []
        self._known: dict[str, list[Exchange]] = defaultdict(list)
        for exchange in recording.exchanges:
            self._known[_key(exchange.operation, exchange.parameters)].append(exchange)

    def refuse(self, request: Request) -> Answer | None:
        known = self._known[_key(request.operation, request.parameters)]
        if not known or any(it.status < 400 for it in known):
            return None
        return self._serve(known[0], known[0].body, {})

    def replace(self, request: Request, answer: Answer) -> Answer:
        status, headers, content = answer
        for exchange in self._known[_key(request.operation, request.parameters)]:
            if exchange.status == status and _may_serve(request):
                body = _give_ids(exchange.body, content.decode())
                return answer if body is None else self._serve(exchange, body, headers)
        return answer

    def _serve(self, exchange: Exchange, body: str, headers: Mapping[str, str]) -> Answer:
        self.served.append(exchange.probe)
        own = {name: it for name, it in exchange.headers.items() if name.lower() != "date"}
        kept = {name: it for name, it in headers.items() if name != "Content-Length"}
        return exchange.status, kept | own, body.replace(PLACEHOLDER, ACCOUNT).encode()


def _may_serve(request: Request) -> bool:
    if request.service in ("registry", "layers", "sts"):  # bytes with digests, and who calls
        return False
    return request.operation in _UNCHANGING or not request.operation.startswith(READS)


def _key(operation: str, parameters: Mapping[str, Any]) -> str:
    wanted = {name: it for name, it in parameters.items() if not _OTHER.search(name)}
    return _ID.sub(r"\1-*", f"{operation} {json.dumps(wanted, sort_keys=True)}")


def _give_ids(recorded: str, here: str) -> str | None:
    """Return the recorded body with the ids of this one; None where it describes more or less."""
    ids: list[dict[str, list[str]]] = []
    for body in (recorded, here):
        found: dict[str, list[str]] = defaultdict(list)
        for match in _ID.finditer(body):
            if match[0] not in found[match[1]]:
                found[match[1]].append(match[0])
        ids.append(found)
    before, after = ids
    if any(len(before[kind]) != len(own) for kind, own in after.items() if kind != "request"):
        return None
    for kind, own in after.items():
        for old, new in zip(before[kind], own, strict=False):
            recorded = recorded.replace(old, new)
    return recorded
