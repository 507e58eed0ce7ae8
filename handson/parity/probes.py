"""The probes, each a call with a question to AWS, and the account on which they are played."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import msgspec
from msgspec.structs import replace

from handson.aws import Aws
from handson.core.errors import HandsonError, NotAllowed, NotReady
from handson.core.progress import CountedSentence
from handson.core.text import list_briefly, map_texts
from handson.course import owners, rules
from handson.course.exercise import Exercise
from handson.engine.registry_client import RegistryClient
from handson.parity.recording import SCHEMA, Exchange, Recording, Scrubber, read_data
from handson.resources import cleanup, cluster, network, plan, repository, vpc_listing

OWNER = f"{owners.HOME}parity"
"""The owner's tag on whatever the probes create, which no learner has; only that is deleted."""


class Probe(plan.Step, frozen=True):
    """A call that asks AWS a question, which stands in `probes.toml`.

    `{name}` in its parameters is the result of an earlier probe.  The service "registry" has method
    and address as its operation, and as its result a header of the answer.

    Attributes:
        times: How often to ask.
        look: The operation and parameters that are repeated until two answers agree.
    """

    times: int = 1
    look: Mapping[str, Any] = {}


def list_probes(aws: Aws, mode: str) -> Iterator[Probe]:
    """Yield the probes of a mode in order: "record", or "console", which only read."""
    for raw in read_data("probes.toml")[mode]:
        yield from _plan_network(aws) if "plan" in raw else (msgspec.convert(raw, Probe),)


def _plan_network(aws: Aws) -> Iterator[Probe]:
    """Yield the calls of the workshop's own plan, twice each, and then as a dry run."""
    form, there = Exercise().network, vpc_listing.find_zones(aws)
    zones = rules.choose_zones(form.availability_zones, there, region=aws.region)
    steps = network.plan_network(form, zones=zones, region=aws.region, owner=OWNER)
    names = {step.name: f"{{{step.name}}}" for step in steps}
    for step in steps:
        noun = step.operation.removeprefix("Create")
        parameters = plan.fill_in(step.parameters, names)
        look = {"operation": f"Describe{noun}s", "parameters": {f"{noun}Ids": [names[step.name]]}}
        probe = Probe(step.name, "ec2", step.operation, parameters, step.result)
        yield replace(probe, times=2, look=look if step.result else {})
        if step.operation not in plan.NO_DRY_RUN:
            dry = {**parameters, "DryRun": True}
            yield Probe(f"dry-run-{step.name}", "ec2", step.operation, dry)


@contextmanager
def use_account(aws: Aws, mode: str) -> Iterator[None]:
    """Delete whatever the probes make in the block, also when it is interrupted.

    Args:
        aws: The connection; it reports each deletion.
        mode: "record" needs an empty account; "clean" does not; "console" deletes nothing.

    Raises:
        NotAllowed: The account is not empty.
        NotReady: Something could not be deleted.
        HandsonError: The clean-up was refused, or AWS did not answer.
    """
    aws.owners = owners.Owners(OWNER, (OWNER,))
    if mode == "record" and (found := _list_all(aws)):
        raise NotAllowed.from_key("parity.not-empty", what=list_briefly(found))
    try:
        yield
    finally:
        removals = cleanup.delete_tagged(aws).left if mode != "console" else ()
        left = [f"{removal.resource} ({removal.reason})" for removal in removals]
        if left or (mode == "record" and (left := _list_all(aws))):
            raise NotReady.from_key("parity.left", what="; ".join(left))


def _list_all(aws: Aws) -> list[str]:
    """Return the VPCs but the default one, the clusters and the repositories."""
    vpcs = vpc_listing.list_ec2_resources(aws, "Vpc")
    found = [vpc["VpcId"] for vpc in vpcs if not vpc.get("IsDefault")]
    found += [each.name for each in cluster.find_clusters(aws) if not each.is_deleted]
    return [*found, *repository.list_repository_names(aws)]


def play_probes(aws: Aws, mode: str) -> tuple[Recording, set[str]]:
    """Ask all probes of a mode; return the answers, and strings that no file of them may hold.

    Answers under a certificate of one's own (`AWS_CA_BUNDLE`) count as a simulation.

    Raises:
        NotAllowed: The credentials are refused; a permission that lacks is an answer.
    """
    player, probes = Player(aws), list(list_probes(aws, mode))
    for number, probe in enumerate(probes):
        aws.say(CountedSentence(probe.name, done=number, whole=len(probes)))
        player.play(probe)
    source = "aws" if aws.kind == "aws" and not aws.ca_bundle else "simulation"
    where = (aws.patience.now().date().isoformat(), aws.region, version("botocore"), source)
    return Recording(SCHEMA, *where, player.skipped, player.exchanges), player.scrubber.own


class Player:
    """Asks probes one after the other, and keeps each answer as it came over the wire, scrubbed."""

    def __init__(self, aws: Aws) -> None:
        self.exchanges: list[Exchange] = []
        self.skipped: dict[str, str] = {}
        self.scrubber = Scrubber(aws.account, aws.caller)
        self._data = read_data("probes.toml")
        self._results = {"region": aws.region, "owner": OWNER, **self._data["content"]}
        self._clock = aws.patience.clock
        self._began = self._sent_at = self._clock()
        self._asked = ("", "", "")
        self._parameters: dict[str, Any] = {}
        aws.session.register("before-call", self._note_request)
        aws.session.register("response-received", self._note_answer)
        self._aws = aws.with_own_clients()  # only clients that are made from now on are listened to

    def play(self, probe: Probe) -> None:
        """Ask a probe as often as it says, then look at what it made until two looks agree."""
        for turn in range(probe.times):
            self._ask(probe, probe.name + (" again" if turn else ""))
        look, before = replace(probe, **{**probe.look, "result": ""}), None
        pauses = self._data["pauses"] if probe.look and probe.name not in self.skipped else ()
        for pause in pauses:
            self._aws.patience.sleep(pause)
            self._ask(look, f"{probe.name} look")
            seen = self.exchanges[-1]  # a refusal means that AWS does not know it yet
            if seen.status == 200 and before == (before := seen.fields()):
                break

    def _ask(self, probe: Probe, label: str) -> None:
        answers = len(self.exchanges)
        call = (probe.operation, self._data["tags"].get(probe.operation, {}) | probe.parameters)
        try:
            operation, parameters = map_texts(call, lambda text: text.format_map(self._results))
            self._asked = (label, probe.service, operation)
            if probe.service == "registry":
                result: Any = self._ask_registry(operation, parameters)
            else:
                result = self._aws.call(probe.service, operation, **parameters)
            for key in filter(None, probe.result.split(".")):
                result = result[key]
            self._results.setdefault(probe.name, result)
        except (KeyError, HandsonError) as error:
            if isinstance(error, NotAllowed) and not error.actions:  # the credentials, not a call
                raise
            if len(self.exchanges) == answers:  # nothing answered, for a refusal is an answer
                reason = getattr(error, "code", error)
                self.skipped[probe.name] = f"{type(error).__name__}: {reason}"

    def _ask_registry(self, operation: str, parameters: dict[str, Any]) -> Mapping[str, str]:
        """Send a request to the registry; return the headers of its answer."""
        found = repository.require_repository(self._aws, Exercise().repository)
        registry = RegistryClient(repository.make_destination(self._aws, found))
        self._parameters, self._sent_at = parameters, self._clock()
        answer = registry.ask(*operation.split(), also=range(400, 600), **parameters)
        self._keep(answer.status_code, answer.headers, answer.content)
        return answer.headers

    def _note_request(self, params: Any, **_: Any) -> None:
        body = params["body"] or b"{}"
        self._parameters = body if isinstance(body, dict) else msgspec.json.decode(body)
        self._sent_at = self._clock()

    def _note_answer(self, response_dict: Any, event_name: str, **_: Any) -> None:
        # Signing in to the registry makes calls, too, which are no probe.
        if response_dict and event_name.split(".")[1:] == [*self._asked[1:]]:
            self._keep(*map(response_dict.get, ("status_code", "headers", "body")))

    def _keep(self, status: Any, headers: Any, body: Any) -> None:
        kept = {name: headers[name] for name in self._data["headers"] if name in headers}
        spans = (self._clock() - self._sent_at, self._sent_at - self._began)
        ms, at = (round(1000 * seconds) for seconds in spans)
        answer = (self._parameters, status, kept, body.decode("utf-8", "replace"), ms, at)
        self.exchanges.append(Exchange(*map_texts((*self._asked, *answer), self.scrubber.scrub)))
