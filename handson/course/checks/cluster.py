"""The check `cluster`: an ECS cluster that runs on Fargate alone.

Without the cluster every fact is false.  A cluster that AWS lists as INACTIVE is deleted and counts
as absent; so does one with another name, because step 3 refers to the cluster by name.
`cluster.fargate` looks for FARGATE among the capacity providers; the console adds FARGATE_SPOT
itself.  `cluster.instances` checks the form's choice "Fargate only": registered instances and
capacity providers other than Fargate's turn it false and do not affect `cluster.fargate`.
Container Insights, namespaces and default strategies do not matter.
"""

from __future__ import annotations

from collections.abc import Iterator

from handson.core import messages
from handson.core.text import list_briefly, one_line
from handson.course import rules, syllabus
from handson.course.checks import results
from handson.course.checks.results import CheckResult, Diagnosis, Facts, Kept, conclude, diagnose
from handson.course.exercise import FARGATE, Exercise
from handson.course.state import Cluster, Snapshot

_NOTEBOOK = syllabus.find_check("cluster").notebook
_CHANGING = ("PROVISIONING", "DEPROVISIONING")


def judge_cluster(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the cluster and why some are false."""
    cluster = find_goal_cluster(snapshot, exercise)
    providers = cluster.capacity_providers if cluster else ()
    instances = cluster.container_instances if cluster else 0
    foreign = [one for one in providers if one not in rules.CAPACITY_PROVIDERS]
    facts: Facts = {
        "cluster.exists": (True, cluster is not None),
        "cluster.active": ("ACTIVE", cluster and cluster.status),
        "cluster.fargate": (FARGATE, FARGATE if FARGATE in providers else list(providers)),
        "cluster.instances": (0, [instances, *foreign] if foreign else instances),
    }
    if cluster is None:
        return conclude("cluster", facts, [_explain_no_cluster(snapshot, exercise)], found=False)
    return conclude("cluster", facts, _explain_cluster(cluster, foreign))


def trim_to_cluster(snapshot: Snapshot, exercise: Exercise) -> Kept:
    """Return what this check reads: the cluster, else similar ones."""
    if cluster := find_goal_cluster(snapshot, exercise):
        return {"clusters": (cluster,)}
    similar = (*_find_namesakes(snapshot, exercise), *_find_misspelt(snapshot, exercise))
    return {"clusters": similar, "elsewhere": results.find_sightings(snapshot, "cluster")}


def find_goal_cluster(snapshot: Snapshot, exercise: Exercise = Exercise()) -> Cluster | None:
    """Return the exercise's cluster unless it was deleted; an ACTIVE one first."""
    living = [c for c in _find_namesakes(snapshot, exercise) if not c.is_deleted]
    return min(living, key=lambda cluster: (cluster.status != "ACTIVE", cluster.arn), default=None)


def _find_namesakes(snapshot: Snapshot, exercise: Exercise) -> list[Cluster]:
    return [cluster for cluster in snapshot.clusters if cluster.name == exercise.cluster]


def _find_misspelt(snapshot: Snapshot, exercise: Exercise) -> tuple[Cluster, ...]:
    living = ((each.name, each) for each in snapshot.clusters if not each.is_deleted)
    return results.find_similar(exercise.cluster, living)


def _explain_no_cluster(snapshot: Snapshot, exercise: Exercise) -> Diagnosis:
    misspelt = _find_misspelt(snapshot, exercise)
    here = "cluster-deleted" if _find_namesakes(snapshot, exercise) else "cluster-absent"
    return results.explain_absence(
        "cluster",
        snapshot,
        elsewhere="cluster-region",
        here="cluster-misspelt" if misspelt else here,
        name=exercise.cluster,
        found=misspelt[0].name if misspelt else "",
    )


def _explain_cluster(cluster: Cluster, foreign: list[str]) -> Iterator[Diagnosis]:
    name, status = cluster.name, cluster.status
    delete = results.write_aws_call("ecs", "DeleteCluster", cluster=name)
    anew = results.advise_call(delete, then=_NOTEBOOK)
    if status in _CHANGING:
        anew = messages.text("course.checks.remedy.wait", notebook=_NOTEBOOK)
    yield diagnose("cluster-not-active", "cluster.active", remedy=anew, name=name, status=status)
    # `ensure_cluster` gives an existing cluster the providers it lacks.
    providers: dict[str, tuple[str, ...]] = {"capacityProviders": rules.CAPACITY_PROVIDERS}
    providers["defaultCapacityProviderStrategy"] = ()
    call = results.write_aws_call("ecs", "PutClusterCapacityProviders", cluster=name, **providers)
    yield diagnose("cluster-no-fargate", "cluster.fargate", call=call, name=name)
    fact = "cluster.instances"
    if foreign:
        values = {"name": name, "providers": list_briefly(foreign), "call": call}
        yield diagnose("cluster-ec2-provider", fact, remedy=results.advise_call(call), **values)
    if count := cluster.container_instances:
        remedy = messages.text("course.checks.remedy.deregister", cluster=one_line(name))
        yield diagnose("cluster-instances", fact, remedy=remedy, name=name, count=count)
