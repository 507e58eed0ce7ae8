"""The ECS cluster: a logical group for tasks, on Fargate, with no machine to look after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handson.aws import Aws, is_one_of
from handson.core import messages
from handson.core.cards import Card, Commands, Note, Rows, Shown
from handson.core.errors import AWSError, InvalidInput, NotReady
from handson.core.progress import Say, silent
from handson.core.waiting import wait_until
from handson.course import policy, rules
from handson.course.exercise import TAG_KEY, TAG_VALUE, Exercise
from handson.course.state import Cluster, Removal, Resource
from handson.resources import plan
from handson.resources.plan import Step
from handson.resources.usual import other_settings

TYPE = "AWS::ECS::Cluster"
ABSENT = "INACTIVE"
"""A deleted cluster goes on being described for a while (ECS API Reference, DescribeClusters)."""

_GOING = ("DEPROVISIONING", ABSENT)
_SETTLED = ("ACTIVE", "FAILED")

_INCLUDE = ["TAGS", "SETTINGS", "ATTACHMENTS"]
_BATCH = 100
_ACTIVE_SECONDS = 180.0
_ROLE_NOT_READY = (
    "ClientException: service linked role",
    "InvalidParameterException: service linked role",
)
_BUSY = {
    "ClusterContainsContainerInstancesException",
    "ClusterContainsServicesException",
    "ClusterContainsTasksException",
    "ClusterContainsCapacityProviderException",
}
_OCCUPANTS = (
    ("ListServices", "serviceArns"),
    ("ListTasks", "taskArns"),
    ("ListContainerInstances", "containerInstanceArns"),
)
_UPDATING = {"UpdateInProgressException"}


@dataclass(frozen=True)
class Form:
    """The settings of "Create cluster" that the workshop knows; the others keep their default."""

    name: str = Exercise().cluster
    capacity_providers: tuple[str, ...] = rules.CAPACITY_PROVIDERS
    ec2_instances: bool = False

    def check(self) -> None:
        """Refuse what ECS would refuse, and what this workshop does not make, before any call.

        Raises:
            InvalidInput: With AWS's error code where AWS has one, why, and a remedy.
        """
        rules.cluster_name(self.name)
        rules.capacity_providers(self.capacity_providers)
        if rules.switch(self.ec2_instances, parameter="ec2_instances"):
            raise InvalidInput(*messages.advice("resources.cluster.ec2-instances"))
        if not self.capacity_providers:
            raise InvalidInput(*messages.advice("resources.cluster.no-providers"))

    def plan(self) -> list[Step]:
        """Return the one call that makes the cluster.

        The service-linked role, made by AWS at an account's first cluster, may not be ready yet:
        then the call is made again (ECS Developer Guide, "Using service-linked roles").
        """
        parameters: dict[str, Any] = {
            "clusterName": self.name,
            "capacityProviders": list(self.capacity_providers),
            "tags": [{"key": TAG_KEY, "value": TAG_VALUE}],
        }
        return [
            Step(
                "cluster",
                "ecs",
                "CreateCluster",
                parameters,
                "cluster.clusterArn",
                unknown=_ROLE_NOT_READY,
            )
        ]


@dataclass(frozen=True, repr=False)
class EnsuredCluster(Shown):
    """The cluster as it is, and the aws CLI command that makes one like it."""

    cluster: Cluster
    commands: tuple[str, ...]
    notes: tuple[Note, ...] = ()
    """What is to be said of the settings that were asked for."""

    def card(self) -> Card:
        """Return the card: the cluster overview of the console, and the command."""
        cluster = self.cluster
        parts = (
            *self.notes,
            described(cluster),
            *(
                [Note(messages.text("resources.cluster.no-instances"))]
                if _is_fargate_alone(cluster)
                else ()
            ),
            Commands(messages.text("resources.network.commands"), self.commands),
        )
        state = "warn" if self.notes else "ok"
        return Card(messages.text("resources.cluster.title", name=cluster.name), parts, state=state)


def described(cluster: Cluster) -> Rows:
    """Return the cluster overview of the console."""
    rows = [
        (messages.text("resources.cluster.row-status"), cluster.status),
        ("ARN", cluster.arn),
        (
            messages.text("resources.cluster.row-providers"),
            ", ".join(cluster.capacity_providers) or "-",
        ),
        (messages.text("resources.cluster.row-instances"), str(cluster.container_instances)),
        (messages.text("resources.cluster.row-services"), str(cluster.active_services)),
        (messages.text("resources.cluster.row-tasks"), str(cluster.running_tasks)),
    ]
    return Rows(rows)


def find_cluster(aws: Aws, name: str) -> Cluster | None:
    """Return the cluster of that name, or None when there is none or it is INACTIVE."""
    found = [cluster for cluster in _describe(aws, [name]) if cluster.status != ABSENT]
    return next(iter(found), None)


def find_clusters(aws: Aws) -> tuple[Cluster, ...]:
    """Return all clusters of the region, sorted by name; INACTIVE ones may be among them."""
    arns = aws.pages("ecs", "ListClusters", "clusterArns")
    names = [str(arn) for arn in arns]
    batches = [names[start : start + _BATCH] for start in range(0, len(names), _BATCH)]
    clusters = [cluster for batch in batches for cluster in _describe(aws, batch)]
    return tuple(sorted(clusters, key=lambda cluster: (cluster.name, cluster.arn)))


def ensure_cluster(
    aws: Aws, form: Form, *, exercise: Exercise = Exercise(), say: Say = silent
) -> EnsuredCluster:
    """Make the cluster if there is none of that name, wait until it is ACTIVE, and return it.

    A cluster that is there but lacks a capacity provider is given it; none is taken away.

    Raises:
        InvalidInput: ECS would refuse the form; nothing was created.
        NotReady: A cluster of that name is there and FAILED.
        NotAllowed: A permission is lacking; ECS's role among them, when it is still not there
            after waiting.
        WaitTimeout: It is not ACTIVE, or not with its providers, after three minutes.
        HandsonError: AWS refused a call or did not answer; run again to complete.
    """
    form.check()
    steps = form.plan()

    def attempt() -> None:
        if _staying(aws, form.name, say=say) is None:
            _create(aws, steps, say=say)

    plan.until_clear(attempt, patience=aws.patience)
    cluster = _active(aws, form.name, say=say)
    if _missing(form, cluster):
        cluster = _with_providers(aws, form, say=say)
    commands = (*plan.shell_setup(aws), *plan.as_commands(steps))
    notes = other_settings("cluster", {"name": form.name}, {"name": exercise.cluster})
    return EnsuredCluster(cluster, commands, notes)


def delete_cluster(aws: Aws, *, say: Say = silent) -> list[Removal]:
    """Delete the clusters that carry the workshop's tag; content when they are gone already.

    Services and tasks that run in them carry no tag of ours, so a cluster that has any stays, and
    the removal names them.  ECS's service-linked role is the account's and stays, too.

    Raises:
        HandsonError: A call was not allowed or did not answer; run again to go on.
    """
    removals = []
    for cluster in _tagged(aws):
        say(f"{TYPE} {cluster.name}")
        removals.append(_removed(aws, cluster))
    return removals


def find_tagged(aws: Aws) -> list[Resource]:
    """Return the clusters that carry the workshop's tag."""
    return [_resource(aws, cluster) for cluster in _tagged(aws)]


def find_beside(aws: Aws, exercise: Exercise) -> list[Resource]:
    """Return the cluster of the exercise's name that does not carry the tag, if there is one."""
    found = find_cluster(aws, exercise.cluster)
    mine = found and not found.tagged and found.status not in _GOING
    return [_resource(aws, found)] if found and mine else []


def _tagged(aws: Aws) -> list[Cluster]:
    return [
        cluster for cluster in find_clusters(aws) if cluster.tagged and cluster.status not in _GOING
    ]


def _resource(aws: Aws, cluster: Cluster) -> Resource:
    return Resource(type=TYPE, id=cluster.arn, name=cluster.name, region=aws.region)


def _still_in_use(aws: Aws, cluster: Cluster) -> str:
    """Return the reason to keep a cluster, with what runs in it by name."""
    arns = [
        str(arn)
        for operation, key in _OCCUPANTS
        for arn in aws.pages("ecs", operation, key, cluster=cluster.arn)
    ]
    what = ", ".join(arn.rpartition(":")[2] for arn in arns) or "-"
    return messages.text("resources.cluster.still-in-use", what=what)


def _removed(aws: Aws, cluster: Cluster) -> Removal:
    resource = _resource(aws, cluster)
    if cluster.active_services or cluster.running_tasks or cluster.container_instances:
        return Removal(resource=resource, reason=_still_in_use(aws, cluster))
    try:
        parameters = {"cluster": cluster.arn}
        aws.call_until_known("ecs", "DeleteCluster", parameters, unknown=(*_BUSY, *_UPDATING))
    except AWSError as error:
        if error.code == "ClusterNotFoundException":
            return Removal(resource=resource)
        if error.code not in _BUSY:
            raise
        return Removal(resource=resource, reason=_still_in_use(aws, cluster))
    return Removal(resource=resource)


def _create(aws: Aws, steps: Sequence[Step], *, say: Say) -> None:
    try:
        plan.carry_out(aws, steps, known={}, say=say)
    except AWSError as error:
        # ECS makes its role with the caller's permissions, and says only that it is not there.
        if is_one_of(error, _ROLE_NOT_READY):
            raise policy.denied(["iam:CreateServiceLinkedRole"], code=error.code) from error
        raise


def _is_fargate_alone(cluster: Cluster) -> bool:
    providers = set(cluster.capacity_providers)
    return bool(providers) and providers <= set(rules.CAPACITY_PROVIDERS)


def _missing(form: Form, cluster: Cluster) -> list[str]:
    """Return the capacity providers that the form asks for and the cluster lacks."""
    there = cluster.capacity_providers
    return [name for name in form.capacity_providers if name not in there]


def _with_providers(aws: Aws, form: Form, *, say: Say) -> Cluster:
    """Give an ACTIVE cluster the capacity providers that it lacks, and return it with them."""

    def attempt() -> None:
        for raw in _described(aws, [form.name]):
            if missing := _missing(form, _cluster(raw)):
                _put_providers(aws, raw, missing)
                say(f"PutClusterCapacityProviders {' '.join(missing)}")

    plan.until_clear(attempt, patience=aws.patience)
    what = messages.text("resources.cluster.wait-providers", name=form.name)
    cluster = _wait(
        aws,
        form.name,
        until=lambda seen: seen.cluster is None or not _missing(form, seen.cluster),
        what=what,
        say=say,
    )
    return cluster or _active(aws, form.name, say=say)


def _put_providers(aws: Aws, raw: Mapping[str, Any], missing: Sequence[str]) -> None:
    """Add capacity providers to those a cluster has; the call replaces, so it names them all."""
    parameters = {
        "cluster": raw["clusterName"],
        "capacityProviders": [*raw.get("capacityProviders", ()), *missing],
        "defaultCapacityProviderStrategy": raw.get("defaultCapacityProviderStrategy", []),
    }
    aws.call_until_known("ecs", "PutClusterCapacityProviders", parameters, unknown=_UPDATING)


def _staying(aws: Aws, name: str, *, say: Say) -> Cluster | None:
    """Return the cluster of that name; one that is being deleted is waited for to be gone."""
    what = messages.text("resources.cluster.wait-gone", name=name)
    return _wait(aws, name, until=lambda seen: str(seen) not in _GOING, what=what, say=say)


def _active(aws: Aws, name: str, *, say: Say) -> Cluster:
    what = messages.text("resources.cluster.wait-active", name=name)
    cluster = _wait(aws, name, until=lambda seen: str(seen) in _SETTLED, what=what, say=say)
    if cluster is None or cluster.status == "FAILED":
        raise NotReady(*messages.advice("resources.cluster.failed", name=name))
    return cluster


@dataclass(frozen=True)
class _Seen:
    """One look at a cluster; in a sentence it is the cluster's status."""

    cluster: Cluster | None

    def __str__(self) -> str:
        return self.cluster.status if self.cluster else "-"


def _wait(
    aws: Aws, name: str, *, until: Callable[[_Seen], bool], what: str, say: Say
) -> Cluster | None:
    def probe() -> _Seen:
        seen = _Seen(find_cluster(aws, name))
        say(str(seen))
        return seen

    return wait_until(
        probe,
        done=until,
        what=what,
        timeout=_ACTIVE_SECONDS,
        interval=1.0,
        factor=1.5,
        clock=aws.patience.clock,
        sleep=aws.patience.sleep,
    ).cluster


def _describe(aws: Aws, clusters: Sequence[str]) -> list[Cluster]:
    return [_cluster(raw) for raw in _described(aws, clusters)]


def _described(aws: Aws, clusters: Sequence[str]) -> list[dict[str, Any]]:
    reply = aws.call("ecs", "DescribeClusters", clusters=list(clusters), include=_INCLUDE)
    return list(reply.get("clusters", ()))


def _cluster(raw: Mapping[str, Any]) -> Cluster:
    tags = {tag["key"]: tag["value"] for tag in raw.get("tags", ())}
    return Cluster(
        name=raw["clusterName"],
        arn=raw["clusterArn"],
        status=raw["status"],
        capacity_providers=tuple(sorted(raw.get("capacityProviders", ()))),
        container_instances=int(raw.get("registeredContainerInstancesCount", 0)),
        running_tasks=int(raw.get("runningTasksCount", 0)),
        active_services=int(raw.get("activeServicesCount", 0)),
        tagged=tags.get(TAG_KEY) == TAG_VALUE,
    )
