"""The ECS cluster: a logical group of tasks, here on Fargate, without servers to manage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from handson.aws import Aws, has_code
from handson.core import messages
from handson.core.cards import CardPart, Note, Rows, list_fields
from handson.core.errors import AWSError, InvalidInput, NotReady, WaitTimeout
from handson.core.text import find_nearest, pick_fields
from handson.course import rules
from handson.course.checks.results import write_aws_call
from handson.course.exercise import Exercise
from handson.course.owners import list_tags
from handson.course.state import Cluster, Resource
from handson.resources import plan
from handson.resources.answers import read_answer
from handson.resources.plan import CODES, Creation, Listed, Step

TYPE = "AWS::ECS::Cluster"
_DELETING = ("DEPROVISIONING", "INACTIVE")
_SETTLED = ("ACTIVE", "FAILED")
_INCLUDE = ["TAGS", "SETTINGS", "ATTACHMENTS"]
_BATCH = 100  # ECS API Reference, DescribeClusters: clusters
_ACTIVE_SECONDS = 600.0
_OCCUPANTS = (
    ("ListServices", "serviceArns"),
    ("ListTasks", "taskArns"),
    ("ListContainerInstances", "containerInstanceArns"),
)


class ClusterForm(Struct, frozen=True):
    """The form "Create cluster", filled in; other settings of the console keep their default."""

    name: str = Exercise().cluster
    capacity_providers: tuple[str, ...] = rules.CAPACITY_PROVIDERS
    ec2_instances: bool = False
    exact: bool = False
    """Take other capacity providers away from an existing cluster of the workshop."""

    def check(self, exercise: Exercise = Exercise()) -> None:
        """Refuse what ECS would refuse, and what this workshop does not create, before any call.

        Raises:
            InvalidInput: With AWS's error code where AWS has one, why, and a remedy.
        """
        rules.check_cluster_name(self.name, exercise=exercise)
        rules.check_capacity_providers(self.capacity_providers)
        if rules.check_switch(self.ec2_instances, parameter="ec2_instances"):
            raise InvalidInput.from_key("resources.cluster.ec2-instances")
        if not self.capacity_providers:
            raise InvalidInput.from_key("resources.cluster.no-providers")

    def plan(self, owner: str = "") -> list[Step]:
        """Return the one call that creates the cluster.

        AWS makes the service-linked role at an account's first cluster.  While the role is not
        ready, the call is repeated (ECS Developer Guide, "Using service-linked roles").
        """
        parameters: dict[str, Any] = {
            "clusterName": self.name,
            "capacityProviders": list(self.capacity_providers),
            "tags": [{"key": key, "value": value} for key, value in list_tags(owner).items()],
        }
        made, role = "cluster.clusterArn", CODES["role-not-ready"]
        return [Step("cluster", "ecs", "CreateCluster", parameters, made, unknown=role)]


class EnsuredCluster(Creation, frozen=True):
    """A cluster that was created or completed."""

    cluster: Cluster

    def describe(self) -> tuple[str, Sequence[CardPart]]:
        """Return the title, and the cluster overview of the console."""
        providers = set(self.cluster.capacity_providers)
        parts: list[CardPart] = [describe_cluster(self.cluster)]
        if providers and providers <= set(rules.CAPACITY_PROVIDERS):
            parts.append(Note(messages.text("resources.cluster.no-instances")))
        return messages.text("resources.cluster.title", name=self.cluster.name), parts


def describe_cluster(cluster: Cluster) -> Rows:
    """Return the cluster overview of the console, as part of a card."""
    return list_fields("resources.cluster.row", asdict(cluster))


def find_cluster(aws: Aws, name: str) -> Cluster | None:
    """Return the cluster with that name, or None where there is none or it is deleted."""
    return next((found for found in _describe(aws, [name]) if not found.is_deleted), None)


def find_clusters(aws: Aws, arns: Collection[str] | None = None) -> tuple[Cluster, ...]:
    """Return the clusters of the region, sorted by name; deleted ones may be among them."""
    arns = _list_arns(aws) if arns is None else [*arns]
    batches = [arns[start : start + _BATCH] for start in range(0, len(arns), _BATCH)]
    clusters = [cluster for batch in batches for cluster in _describe(aws, batch)]
    return tuple(sorted(clusters, key=lambda cluster: (cluster.name, cluster.arn)))


def observe_clusters(
    aws: Aws, exercise: Exercise, checks: Collection[str] | None
) -> tuple[Cluster, ...]:
    """Return the clusters that the checks read; without checks, all.

    The exercise's cluster is described by its name, also when it is deleted.  Only where it is
    missing, and only for the check `cluster`, the other names are listed to find a misspelt one.
    """
    if checks is None:
        return find_clusters(aws)
    found = _describe(aws, [exercise.cluster])
    if "cluster" in checks and all(cluster.is_deleted for cluster in found):
        names = [arn.rpartition("/")[2] for arn in _list_arns(aws)]
        near = find_nearest(exercise.cluster, sorted(set(names) - {exercise.cluster}))
        found += _describe(aws, [near]) if near else []
    return tuple(sorted(found, key=lambda cluster: (cluster.name, cluster.arn)))


def ensure_cluster(
    aws: Aws, form: ClusterForm, *, exercise: Exercise = Exercise()
) -> EnsuredCluster:
    """Create the cluster where there is none, wait until it is ACTIVE, and return it.

    An existing cluster gets the capacity providers that it lacks; with an `exact` form, one with
    the workshop's tag loses the others.

    Raises:
        InvalidInput: ECS would refuse the form; nothing was created.
        NotReady: The existing cluster of that name is FAILED, or another learner's.
        NotAllowed: A permission is missing.
        WaitTimeout: The cluster is not ACTIVE, or lacks its providers, after ten minutes, or ECS's
            role is still being made after two.
        HandsonError: AWS refused a call or did not answer; run again to complete.
    """
    form.check()
    steps = form.plan(aws.owners.name)

    def create() -> None:
        what = messages.text("resources.cluster.wait-gone", name=form.name)
        found = _wait(aws, form.name, lambda it: it is None or it.status not in _DELETING, what)
        plan.refuse_foreign(aws, found)
        if found is None:
            _create(aws, steps)

    plan.retry_unclear(create, patience=aws.patience)
    what = messages.text("resources.cluster.wait-active", name=form.name)
    cluster = _wait(aws, form.name, lambda it: it is not None and it.status in _SETTLED, what)
    if cluster is None or cluster.status == "FAILED":
        raise NotReady.from_key("resources.cluster.failed", name=form.name)
    plan.refuse_foreign(aws, cluster)  # CreateCluster returns one of the same name, whoever made it
    if not _has_providers(form, cluster):
        cluster = _set_providers(aws, form) or cluster
    chosen, expected = {"name": form.name}, {"name": exercise.cluster}
    undo = write_aws_call("ecs", "DeleteCluster", cluster=form.name)
    notes = plan.warn_of_settings("cluster", chosen, expected, undo=undo)
    commands = plan.format_commands(aws, steps)
    return EnsuredCluster(cluster, commands=commands, notes=notes)


def find_cluster_arns(aws: Aws, exercise: Exercise) -> list[str]:
    """Return the ARN of the exercise's cluster, if it exists."""
    found = find_cluster(aws, exercise.cluster)
    return [found.arn] if found and not aws.owners.is_foreign(found) else []


def list_cluster_resources(aws: Aws, ids: Collection[str] | None = None) -> list[Listed]:
    """Return the clusters, or those with these ARNs.

    Deleting one keeps a cluster with services or tasks, because they do not carry the tag, and
    names them.  ECS's service-linked role belongs to the account and is kept, too.
    """
    listed = []
    for cluster in find_clusters(aws, ids):
        if cluster.status not in _DELETING:
            named = pick_fields(cluster, "name tagged owner")
            resource = Resource(type=TYPE, id=cluster.arn, region=aws.region, **named)
            listed.append(Listed(resource, partial(_delete, aws, cluster)))
    return listed


def _delete(aws: Aws, cluster: Cluster) -> str:
    """Delete one cluster; return the reason where it was kept, or an empty string."""
    if cluster.active_services or cluster.running_tasks or cluster.container_instances:
        return _name_occupants(aws, cluster)
    try:
        parameters, busy = {"cluster": cluster.arn}, (*CODES["occupied"], *CODES["updating"])
        # A service or task that was deleted a moment ago still counts for ECS: hence the patience.
        aws.call_until_known("ecs", "DeleteCluster", parameters, unknown=(), busy=busy)
    except AWSError as error:
        if error.code in (*CODES["occupied"], *CODES["held"]):
            return _name_occupants(aws, cluster)
        if error.code != "ClusterNotFoundException":
            raise
    return ""


def _name_occupants(aws: Aws, cluster: Cluster) -> str:
    """Return the reason to keep a cluster, with the names of its services, tasks and instances."""
    arns = [
        str(arn)
        for operation, key in _OCCUPANTS
        for arn in aws.list_items("ecs", operation, key, cluster=cluster.arn)
    ]
    what = ", ".join(arn.rpartition(":")[2] for arn in arns) or "-"
    return messages.text("resources.cluster.still-in-use", what=what)


def _create(aws: Aws, steps: Sequence[Step]) -> None:
    try:
        plan.carry_out(aws, steps, known={})
    except AWSError as error:
        # ECS creates its role with the caller's permissions; its error only says that the role
        # is missing.
        if has_code(error, CODES["role-not-ready"]):
            raise WaitTimeout.from_key("resources.cluster.no-role", aws_code=error.code) from error
        raise


def _set_providers(aws: Aws, form: ClusterForm) -> Cluster | None:
    """Give an ACTIVE cluster the capacity providers of a form, and return it with them."""

    def put() -> None:
        for raw in _describe_raw(aws, [form.name]):
            cluster = read_answer(Cluster, raw)
            if not _has_providers(form, cluster):
                # The call replaces all providers, so it repeats those that the cluster keeps.
                wanted = _choose_providers(form, cluster)
                strategy = "defaultCapacityProviderStrategy"
                kept = [it for it in raw.get(strategy, ()) if it["capacityProvider"] in wanted]
                parameters = {"cluster": cluster.name, "capacityProviders": wanted, strategy: kept}
                operation, busy = "PutClusterCapacityProviders", CODES["updating"]
                aws.call_until_known("ecs", operation, parameters, unknown=(), busy=busy)
                aws.say(f"{operation} {' '.join(wanted)}")

    plan.retry_unclear(put, patience=aws.patience)
    what = messages.text("resources.cluster.wait-providers", name=form.name)
    return _wait(aws, form.name, lambda it: it is not None and _has_providers(form, it), what)


def _has_providers(form: ClusterForm, cluster: Cluster) -> bool:
    return {*cluster.capacity_providers} == {*_choose_providers(form, cluster)}


def _choose_providers(form: ClusterForm, cluster: Cluster) -> list[str]:
    """Return the capacity providers that a cluster is to have: the form's, and those it keeps."""
    kept = () if form.exact and cluster.tagged else cluster.capacity_providers
    return [*kept, *(name for name in form.capacity_providers if name not in kept)]


def _wait(aws: Aws, name: str, done: Callable[[Cluster | None], bool], what: str) -> Cluster | None:
    find = partial(find_cluster, aws, name)
    return plan.wait_for(aws, find, done=done, what=what, timeout=_ACTIVE_SECONDS)


def _list_arns(aws: Aws) -> list[str]:
    return [str(arn) for arn in aws.list_items("ecs", "ListClusters", "clusterArns")]


def _describe(aws: Aws, clusters: Sequence[str]) -> list[Cluster]:
    return [read_answer(Cluster, raw) for raw in _describe_raw(aws, clusters)]


def _describe_raw(aws: Aws, clusters: Sequence[str]) -> list[dict[str, Any]]:
    reply = aws.call("ecs", "DescribeClusters", clusters=list(clusters), include=_INCLUDE)
    return list(reply.get("clusters", ()))
