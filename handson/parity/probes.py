"""The probes: calls with a question to AWS each, and the player that asks them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from handson.aws import Aws, command_name
from handson.core.errors import HandsonError, NotAllowed
from handson.course import evidence, owners, rules
from handson.course.exercise import Exercise, NetworkForm
from handson.engine.registry_client import RegistryClient
from handson.parity.recording import Exchange
from handson.resources.network import plan_network
from handson.resources.plan import Ref, make_tag_specification
from handson.resources.repository import make_destination, require_repository
from handson.resources.vpc_listing import find_zones

OWNER = f"{owners.HOME}parity"
"""The owner's tag on whatever the probes create, which no learner has; only that is deleted."""
_BYTES = "application/octet-stream"


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A call, and the question that it asks AWS.

    Attributes:
        name: Unique; also the name of its result.
        asks: The question.
        service: boto3's name of the service, or "registry".
        operation: The API's name, or method and address of the registry.
        parameters: As the API names them; `{name}` and `Ref` are results of earlier probes.
        result: The path of the result in the reply, or a header of the registry's answer.
        times: How often to ask.
        look: The operation and parameters that are repeated until two answers agree.
        mode: "record", or "console" for what only reads what the owner made in the console.
        content: The name of the bytes that are sent to the registry.
        token: The region whose token is shown to the registry, if not the own one's.
    """

    name: str
    asks: str
    service: str
    operation: str
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    result: str = ""
    times: int = 1
    look: dict[str, Any] = msgspec.field(default_factory=dict)
    mode: str = "record"
    content: str = ""
    token: str = ""


def choose_probes(aws: Aws, mode: str) -> tuple[Probe, ...]:
    """Return the probes of a mode, "record" or "console", in order; other modes have none."""
    return tuple(probe for probe in _list_probes(aws) if probe.mode == mode)


def _list_probes(aws: Aws) -> Iterator[Probe]:
    for raw in _read_file()["probe"]:
        if "plan" in raw:
            yield from _plan_network(aws, dry=raw["plan"] == "dry-run")
        else:
            yield msgspec.convert(raw, Probe)


@cache
def _read_file() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("probes.toml").read_text("utf-8"))


def _plan_network(aws: Aws, *, dry: bool) -> Iterator[Probe]:
    """Yield the calls of the workshop's own plan; dry runs of those that have them."""
    form = NetworkForm()
    zones = rules.choose_zones(form.availability_zones, find_zones(aws), region=aws.region)
    for step in plan_network(form, zones=zones, region=aws.region, owner=OWNER):
        call: dict[str, Any] = {"service": "ec2", "operation": step.operation}
        call["parameters"] = {**step.parameters, **({"DryRun": True} if dry else {})}
        if not dry:
            noun = step.operation.removeprefix("Create")
            look = {"operation": f"Describe{noun}s", "parameters": {f"{noun}Ids": [Ref(step.name)]}}
            call |= {"result": step.result, "times": 2, "look": look if step.result else {}}
            yield Probe(name=step.name, asks="Is it idempotent? How soon is it seen?", **call)
        elif step.operation != "ModifyVpcAttribute":  # it has no dry run
            yield Probe(name=f"dry-run-{step.name}", asks="How is it allowed?", **call)


class Player:
    """Asks probes one after the other, and keeps each answer as it came over the wire."""

    def __init__(self, aws: Aws) -> None:
        self.exchanges: list[Exchange] = []
        self.skipped: dict[str, str] = {}
        self._aws, self._clock = aws, aws.patience.clock
        self._results: dict[str, Any] = {"region": aws.region}
        self._heard: set[str] = set()
        self._label, self._began, self._sent_at = "", self._clock(), 0.0
        self._parameters: Any = None

    def play(self, probe: Probe) -> None:
        """Ask a probe as often as it says, then look at what it made until two looks agree.

        Raises:
            NotAllowed: The credentials are refused; a permission that lacks is an answer.
        """
        try:
            for turn in range(probe.times):
                self._ask(probe, probe.name + (" again" if turn else ""))
            look, before = msgspec.structs.replace(probe, **probe.look, result=""), None
            for pause in _read_file()["pauses"] if probe.look else ():
                self._aws.patience.sleep(pause)
                self._ask(look, f"{probe.name} look")
                seen = self.exchanges[-1]  # a refusal means that AWS does not know it yet
                if seen.status == 200 and before == (before := seen.fields()):
                    break
        except (KeyError, HandsonError) as error:
            if _ends_all(error):
                raise
            reason = error if isinstance(error, KeyError) else error.code
            self.skipped[probe.name] = f"{type(error).__name__}: {reason}"

    def _ask(self, probe: Probe, label: str) -> None:
        """Make one call; raise where nothing answered, for a refusal is an answer."""
        parameters, answers = _fill_in(probe.parameters, self._results), len(self.exchanges)
        try:
            if probe.service == "registry":
                result: Any = self._ask_registry(probe, label)
            else:
                self._listen(probe.service)
                self._label = label
                parameters = _tag(probe.service, probe.operation, parameters)
                result = self._aws.call(probe.service, probe.operation, **parameters)
        except HandsonError as error:
            if len(self.exchanges) == answers or _ends_all(error):
                raise
            return
        finally:
            self._label = ""
        for key in probe.result.split(".") if probe.result else ():
            result = result[key]
        self._results.setdefault(probe.name, result)

    def _listen(self, service: str) -> None:
        if service not in self._heard:
            self._heard.add(service)
            events = self._aws.client(service).meta.events
            events.register("before-send", self._note_request)
            events.register("response-received", self._note_answer)

    def _note_request(self, request: Any, **_: Any) -> None:
        body = request.body or b"{}"
        text = body.decode() if isinstance(body, bytes) else body
        form = dict(parse_qsl(text, keep_blank_values=True))
        self._parameters = form if "Action" in form else msgspec.json.decode(text)
        self._sent_at = self._clock()

    def _note_answer(self, response_dict: Any, event_name: str, **_: Any) -> None:
        if response_dict and self._label:
            answer = map(response_dict.get, ("status_code", "headers", "body"))
            self._keep(self._label, *event_name.split(".")[1:], *answer)

    def _ask_registry(self, probe: Probe, label: str) -> Mapping[str, str]:
        """Send a request to the registry, and return the headers of its answer."""
        there = self._aws.in_region(probe.token or self._aws.region)
        repository = require_repository(self._aws, Exercise().repository)
        own, shown = (make_destination(aws, repository, tags=()) for aws in (self._aws, there))
        client = RegistryClient(replace(own, username=shown.username, password=shown.password))
        method, _, address = _fill_in(probe.operation, self._results).partition(" ")
        content = _read_file()["content"].get(probe.content, "")
        kind = (re.findall(r'^{"schemaVersion":2,"mediaType":"([^"]+)', content) or [_BYTES])[0]
        self._parameters, self._sent_at = {}, self._clock()
        sent = {"data": content.encode(), "headers": {"Content-Type": kind}}
        answer = client.ask(method, address, also=range(400, 600), **sent)
        where = f"{method} {urlsplit(answer.url).path}"
        self._keep(label, "registry", where, answer.status_code, answer.headers, answer.content)
        return answer.headers

    def _keep(self, *answered: Any) -> None:
        label, service, operation, status, headers, body = answered
        wanted = _read_file()["headers"]
        kept = {name: value for name, value in headers.items() if name.lower() in wanted}
        for name in kept.keys() & {"Date", "date"}:
            ahead = parsedate_to_datetime(kept[name]) - evidence.now()
            kept[name] = f"{ahead.total_seconds():+.0f}"
        spans = (self._clock() - self._sent_at, self._sent_at - self._began)
        answer = (
            status,
            kept,
            body.decode("utf-8", "replace"),
            *(round(1000 * it) for it in spans),
        )
        self.exchanges.append(Exchange(label, service, operation, self._parameters, *answer))


def _ends_all(error: Exception) -> bool:
    """Tell whether the credentials are refused, and not only a call."""
    return isinstance(error, NotAllowed) and not error.actions


def _tag(service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters with the workshop's tag and our own for what they create."""
    noun, tags = operation.removeprefix("Create"), owners.list_tags(OWNER)
    if noun in (operation, "Route", "Tags") or "TagSpecifications" in parameters:
        return parameters
    if service == "ec2":
        specification = make_tag_specification(command_name(noun), OWNER, owner=OWNER)
        return {**parameters, "TagSpecifications": specification}
    name_of, text_of = ("key", "value") if service == "ecs" else ("Key", "Value")
    return {**parameters, "tags": [{name_of: name, text_of: text} for name, text in tags.items()]}


def _fill_in(value: Any, results: Mapping[str, Any]) -> Any:
    if isinstance(value, Ref):
        return results[value.step]
    if isinstance(value, str):
        return value.format_map(results)
    if isinstance(value, Mapping):
        return {key: _fill_in(item, results) for key, item in value.items()}
    return [_fill_in(item, results) for item in value] if isinstance(value, list | tuple) else value
