"""A taste of step 3: the image as a Fargate task of the learner's cluster, on the embedded AWS.

    run_task     register a task definition, run it in the two subnets, ask it, and take it all away
    sweep        stop what an earlier kernel, killed in the middle, left behind

The embedded AWS starts a task's container through the engine on this computer, which it is lent
for that moment alone.  On real AWS nothing is run: that is step 3, and costs money.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from handson.aws import Aws, emulator
from handson.core import messages
from handson.core.cards import Card, Note, Rows, Shown
from handson.core.errors import AWSError, EngineError, NotReady, WaitTimeout
from handson.core.progress import Say, silent
from handson.core.waiting import wait_until
from handson.course import syllabus
from handson.course.state import Image, Removal, Resource
from handson.engine import BUILTIN, Containers, Engine, RunRequest
from handson.resources import cluster, image_run, network, plan
from handson.resources.image_run import Order

TYPE = "AWS::ECS::TaskDefinition"
FAMILY = "handson-rails-app"
STARTED_BY = "handson"
CPU, MEMORY = "256", "512"
PORT = 3000

_CONTAINER = "shop"
_SECONDS = 120.0
_STARTING_SECONDS = 15.0
_SETTLED = ("RUNNING", "STOPPED")


@dataclass(frozen=True, repr=False)
class TaskRun(Shown):
    """What came of running the image as a Fargate task.

    Attributes:
        image: The image's URI, as the task definition has it.
        cluster: The cluster's name.
        outcome: What came of it, in a sentence.
        statuses: The task's statuses in the order they were seen.
    """

    image: str
    cluster: str
    outcome: str
    statuses: tuple[str, ...] = ()

    def card(self) -> Card:
        """Return the card; its rows are the same whether something ran or not."""
        rows = [
            (messages.text("resources.fargate.row-family"), FAMILY),
            (messages.text("resources.fargate.row-image"), self.image),
            (messages.text("resources.fargate.row-cluster"), self.cluster),
            (
                messages.text("resources.fargate.row-size"),
                messages.text("resources.fargate.size", cpu=CPU, mib=MEMORY),
            ),
        ]
        parts = (Rows(rows), Note(self.outcome, "advice"))
        return Card(messages.text("resources.fargate.title"), parts)


@dataclass(frozen=True)
class Place:
    """Where a task runs: the cluster, two subnets of the learner's, and the image's URI."""

    cluster: str
    subnets: tuple[str, ...]
    image: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def definition(self) -> dict[str, Any]:
        """Return the parameters of RegisterTaskDefinition, for Fargate."""
        shop = {
            "name": _CONTAINER,
            "image": self.image,
            "essential": True,
            "portMappings": [{"containerPort": PORT, "protocol": "tcp"}],
        }
        return {
            "family": FAMILY,
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": CPU,
            "memory": MEMORY,
            "containerDefinitions": [shop],
            "tags": _TAGS,
        }

    def task(self, definition: str) -> dict[str, Any]:
        """Return the parameters of RunTask; the task is told a secret made for it alone."""
        told = [{"name": name, "value": value} for name, value in self.environment.items()]
        return {
            "cluster": self.cluster,
            "taskDefinition": definition,
            "launchType": "FARGATE",
            "startedBy": STARTED_BY,
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": list(self.subnets),
                    "assignPublicIp": "ENABLED",
                }
            },
            "overrides": {"containerOverrides": [{"name": _CONTAINER, "environment": told}]},
            "tags": _TAGS,
        }


_TAGS = [{"key": syllabus.TAG_KEY, "value": syllabus.TAG_VALUE}]


def run_task(
    aws: Aws, engine: Engine, order: Order, *, embedded: bool, say: Say = silent
) -> TaskRun:
    """Run an image as a Fargate task, see it answer, stop it, and deregister its definition.

    Args:
        aws: The connection.
        engine: Where the embedded AWS may start the task's container.
        order: Which image, for which home folder.
        embedded: The target is the embedded AWS of that home folder.
        say: Told the task's status.

    Raises:
        NotReady: The cluster, its subnets, the repository or the image are missing.
        EngineError: The task stopped by itself, or does not answer; says why.
        HandsonError: ECS refused a call or did not answer.
    """
    there, image = image_run.find(aws, order)
    uri = f"{there.uri}:{order.tag}"
    why_not = obstacle(aws, engine, image, embedded=embedded)
    containers = engine.containers
    if why_not or containers is None:
        return TaskRun(uri, syllabus.CLUSTER.name, why_not)
    place = _place(aws, uri, image, order)
    request = image_run.request_for(aws, there, image, order)
    with _lent(containers, request, uri, order, aws=aws, say=say):
        return see(aws, containers, place, say=say)


def sweep(aws: Aws, cluster_name: str) -> None:
    """Stop the workshop's tasks in a cluster and take its task definitions away; safe to repeat.

    Raises:
        HandsonError: A call was not allowed or did not answer; run again to go on.
    """
    tasks = aws.pages("ecs", "ListTasks", "taskArns", cluster=cluster_name, startedBy=STARTED_BY)
    for task in tasks:
        _stop(aws, cluster_name, str(task))
    for definition in _definitions(aws):
        _deregister(aws, definition)


def find_tagged(aws: Aws) -> list[Resource]:
    """Return the task definitions that the workshop left behind; on real AWS it makes none."""
    if not aws.endpoint:
        return []
    return [
        Resource(type=TYPE, id=arn, name=FAMILY, region=aws.region) for arn in _definitions(aws)
    ]


def delete_tasks(aws: Aws, *, say: Say = silent) -> list[Removal]:
    """Stop the workshop's tasks, and take away its task definitions; content when they are gone.

    Raises:
        HandsonError: A call was not allowed or did not answer; run again to go on.
    """
    if not aws.endpoint:
        return []
    found = find_tagged(aws)
    for resource in cluster.find_tagged(aws):
        sweep(aws, resource.name)
    for resource in found:
        say(f"{TYPE} {resource.name}")
        _deregister(aws, resource.id)
    return [Removal(resource=resource) for resource in found]


def container_labels(aws: Aws) -> list[str]:
    """Return the labels that the containers of the workshop's tasks carry, and no others."""
    family = f"com.amazonaws.ecs.task-definition-family={FAMILY}"
    return [emulator.container_label(aws.endpoint or ""), family]


def obstacle(aws: Aws, engine: Engine, image: Image, *, embedded: bool) -> str:
    """Return why nothing is run here, in a sentence, or nothing when it can be."""
    if not aws.endpoint:
        return messages.text("resources.fargate.on-aws")
    if not embedded:
        return messages.text("resources.fargate.elsewhere")
    if image.built_by == BUILTIN or engine.containers is None:
        return image_run.why_not(image)
    return ""


def _place(aws: Aws, uri: str, image: Image, order: Order) -> Place:
    name = syllabus.CLUSTER.name
    if cluster.find_cluster(aws, name) is None:
        raise NotReady(*messages.advice("resources.fargate.no-cluster", name=name))
    own = [vpc for vpc in network.find_vpcs(aws) if vpc.name == syllabus.NETWORK.vpc_name]
    subnets = [subnet.id for vpc in own for subnet in vpc.subnets if vpc.is_public(subnet)]
    if not subnets:
        raise NotReady(
            *messages.advice("resources.fargate.no-subnets", name=syllabus.NETWORK.vpc_name)
        )
    told = image_run.environment(image, order)
    return Place(name, tuple(subnets[:2]), uri, told)


@contextmanager
def _lent(
    containers: Containers, request: RunRequest, uri: str, order: Order, *, aws: Aws, say: Say
) -> Iterator[None]:
    """Lend the engine to the embedded AWS, and leave no container of its tasks behind."""
    with containers.lend(request, uri, say=say) as socket:
        containers.remove(container_labels(aws))
        try:
            with emulator.lend_engine(order.home, socket):
                yield
        finally:
            containers.remove(container_labels(aws))


def see(aws: Aws, containers: Containers, place: Place, *, say: Say) -> TaskRun:
    """Run a task in its place, ask it, and stop it; no task and no definition is left.

    Raises:
        EngineError: The task stopped by itself, or does not answer; says why.
        HandsonError: ECS refused a call or did not answer.
    """
    started: list[Mapping[str, Any]] = []

    def attempt() -> None:
        sweep(aws, place.cluster)  # what a killed kernel left, or an attempt whose reply was lost
        started[:] = [_started(aws, place)]

    try:
        plan.until_clear(attempt, patience=aws.patience)
        arn, first = str(started[0]["taskArn"]), str(started[0]["lastStatus"])
        task, statuses = _running(aws, place.cluster, arn, first=first, say=say)
        labels = [f"com.amazonaws.ecs.task-arn={arn}"]
        site = containers.reach(labels, _address(task), what=place.image, timeout=_SECONDS)
        status, _page = image_run.read_page(site.ask, place.image)
    finally:
        sweep(aws, place.cluster)
    way = " → ".join((*statuses, "STOPPED"))
    outcome = messages.text(
        "resources.fargate.ran", way=way, status=status, subnets=len(place.subnets)
    )
    return TaskRun(place.image, place.cluster, outcome, (*statuses, "STOPPED"))


def _started(aws: Aws, place: Place) -> Mapping[str, Any]:
    """Return a task that was started just now."""
    registered = aws.call("ecs", "RegisterTaskDefinition", **place.definition())
    definition = registered["taskDefinition"]["taskDefinitionArn"]
    reply = aws.call("ecs", "RunTask", **place.task(definition))
    if not reply["tasks"]:
        reason = ", ".join(str(it.get("reason")) for it in reply.get("failures", ()))
        raise EngineError(*messages.advice("resources.fargate.stopped", reason=reason or "-"))
    task: Mapping[str, Any] = reply["tasks"][0]
    return task


def _running(
    aws: Aws, cluster_name: str, arn: str, *, first: str, say: Say
) -> tuple[Mapping[str, Any], Sequence[str]]:
    statuses = [first]

    def note(status: str) -> None:
        if status not in statuses:
            statuses.append(status)
            say(status)

    task = _settled(aws, cluster_name, arn, say=note, timeout=_SECONDS)
    if task["lastStatus"] == "STOPPED":
        reason = str(task.get("stoppedReason") or "-")
        raise EngineError(*messages.advice("resources.fargate.stopped", reason=reason))
    return task, statuses


def _settled(
    aws: Aws, cluster_name: str, arn: str, *, say: Say, timeout: float
) -> Mapping[str, Any]:
    """Return a task once it runs or has stopped."""
    seen: dict[str, Any] = {}

    def look() -> str:
        reply = aws.call("ecs", "DescribeTasks", cluster=cluster_name, tasks=[arn])
        seen.update(reply["tasks"][0])
        status = str(seen["lastStatus"])
        say(status)
        return status

    wait_until(
        look,
        done=lambda status: status in _SETTLED,
        what=messages.text("resources.fargate.wait-running"),
        timeout=timeout,
        interval=0.05,
        factor=1.3,
        clock=aws.patience.clock,
        sleep=aws.patience.sleep,
    )
    return seen


def _address(task: Mapping[str, Any]) -> str:
    """Return the private IPv4 address of a task's network interface, or nothing."""
    details = [it for attachment in task.get("attachments", ()) for it in attachment["details"]]
    return next((it["value"] for it in details if it["name"] == "privateIPv4Address"), "")


def _definitions(aws: Aws) -> list[str]:
    """Return the ARNs of the workshop's task definitions, deregistered and not yet deleted too."""
    found = [
        arn
        for status in ("ACTIVE", "INACTIVE")
        for arn in aws.pages(
            "ecs",
            "ListTaskDefinitions",
            "taskDefinitionArns",
            familyPrefix=FAMILY,
            status=status,
        )
    ]
    return [str(arn) for arn in found if str(arn).rpartition("/")[2].rpartition(":")[0] == FAMILY]


def _stop(aws: Aws, cluster_name: str, task: str) -> None:
    """Stop a task; one that is starting is let finish, or its container would come after."""
    reason = messages.text("resources.fargate.why-stopped")
    with suppress(WaitTimeout):
        _settled(aws, cluster_name, task, say=silent, timeout=_STARTING_SECONDS)
    with _content_when_gone():  # it stopped by itself a moment ago
        aws.call("ecs", "StopTask", cluster=cluster_name, task=task, reason=reason)


def _deregister(aws: Aws, definition: str) -> None:
    with _content_when_gone():  # another kernel was a moment earlier
        aws.call("ecs", "DeregisterTaskDefinition", taskDefinition=definition)
    with _content_when_gone():
        aws.call("ecs", "DeleteTaskDefinitions", taskDefinitions=[definition])


@contextmanager
def _content_when_gone() -> Iterator[None]:
    """Let a refusal pass; where AWS did not answer, nobody knows whether anything is gone."""
    try:
        yield
    except AWSError as error:
        if error.repeatable:
            raise
