"""The check `cluster`: an ECS cluster that runs on Fargate alone.

Without the cluster every fact is false.  A cluster that AWS lists as INACTIVE is deleted and counts
as absent; so does one with another name, because step 3 refers to the cluster by name.
`cluster.fargate` looks for FARGATE among the capacity providers; the console adds FARGATE_SPOT
itself.  `cluster.instances` checks the form's "Amazon EC2 instances: off": registered instances and
capacity providers other than Fargate's turn it false and do not affect `cluster.fargate`.
Container Insights, namespaces and default strategies do not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handson.core import messages
from handson.core.text import find_nearest, list_briefly, one_line
from handson.course import rules, syllabus
from handson.course.checks import causes
from handson.course.checks.causes import diagnose
from handson.course.checks.results import CheckResult, Diagnosis, conclude
from handson.course.exercise import FARGATE, Exercise
from handson.course.state import Cluster, Snapshot

ID = "cluster"
_NOTEBOOK = syllabus.check(ID).notebook
_DELETED = "INACTIVE"
_CHANGING = ("PROVISIONING", "DEPROVISIONING")


def judge(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the cluster and why some are false."""
    cluster = find_goal_cluster(snapshot, exercise)
    expected = {
        "cluster.exists": True,
        "cluster.active": "ACTIVE",
        "cluster.fargate": FARGATE,
        "cluster.instances": 0,
    }
    if cluster is None:
        return conclude(
            ID,
            expected=expected,
            observed={"cluster.exists": False},
            explain=lambda false: [_explain_absence(snapshot, exercise, false)],
        )
    return conclude(
        ID,
        expected=expected,
        observed=_observe(cluster),
        explain=lambda false: _explain(cluster, false),
    )


def trim(snapshot: Snapshot, exercise: Exercise) -> Snapshot:
    """Return the part of a snapshot that this check reads: the cluster, else similar ones."""
    cluster = find_goal_cluster(snapshot, exercise)
    if cluster:
        return Snapshot(target=snapshot.target, clusters=(cluster,))
    return Snapshot(
        target=snapshot.target,
        clusters=(*_find_namesakes(snapshot, exercise), *_find_misspelt(snapshot, exercise)),
        elsewhere=causes.find_sightings(snapshot, ID),
    )


def find_goal_cluster(snapshot: Snapshot, exercise: Exercise = Exercise()) -> Cluster | None:
    """Return the exercise's cluster unless it was deleted; an ACTIVE one first."""
    living = [c for c in _find_namesakes(snapshot, exercise) if c.status != _DELETED]
    return min(living, key=lambda cluster: (cluster.status != "ACTIVE", cluster.arn), default=None)


def _find_namesakes(snapshot: Snapshot, exercise: Exercise) -> list[Cluster]:
    return [cluster for cluster in snapshot.clusters if cluster.name == exercise.cluster]


def _find_misspelt(snapshot: Snapshot, exercise: Exercise) -> list[Cluster]:
    living = [cluster for cluster in snapshot.clusters if cluster.status != _DELETED]
    near = find_nearest(exercise.cluster, sorted({cluster.name for cluster in living}))
    return [cluster for cluster in living if cluster.name == near][:1]


def _observe(cluster: Cluster) -> dict[str, Any]:
    providers, foreign = cluster.capacity_providers, _list_foreign_providers(cluster)
    instances = cluster.container_instances
    return {
        "cluster.exists": True,
        "cluster.active": cluster.status,
        "cluster.fargate": FARGATE if FARGATE in providers else list(providers),
        "cluster.instances": [instances, *foreign] if foreign else instances,
    }


def _list_foreign_providers(cluster: Cluster) -> list[str]:
    return [one for one in cluster.capacity_providers if one not in rules.CAPACITY_PROVIDERS]


def _explain_absence(snapshot: Snapshot, exercise: Exercise, false: list[str]) -> Diagnosis:
    here, there = snapshot.target.region, causes.list_other_regions(snapshot, ID)
    values = {"name": exercise.cluster, "region": here}
    if there:
        remedy = causes.advise_other_region(_NOTEBOOK, here=here, there=there)
        return diagnose("course.checks.cause.cluster-region", false, remedy, there=there, **values)
    remedy = causes.advise_notebook(_NOTEBOOK)
    misspelt = _find_misspelt(snapshot, exercise)
    if misspelt:
        values["found"] = misspelt[0].name
        return diagnose("course.checks.cause.cluster-misspelt", false, remedy, **values)
    if _find_namesakes(snapshot, exercise):
        return diagnose("course.checks.cause.cluster-deleted", false, remedy, **values)
    return diagnose("course.checks.cause.cluster-absent", false, remedy, **values)


def _explain(cluster: Cluster, false: list[str]) -> Iterator[Diagnosis]:
    name, rerun = cluster.name, causes.advise_notebook(_NOTEBOOK)
    foreign, instances = _list_foreign_providers(cluster), cluster.container_instances
    if "cluster.active" in false:
        delete = causes.write_call("ecs", "DeleteCluster", cluster=name)
        remedy = causes.advise_call_then_notebook(delete, _NOTEBOOK)
        if cluster.status in _CHANGING:
            remedy = messages.text("course.checks.remedy.wait", notebook=_NOTEBOOK)
        key = "course.checks.cause.cluster-not-active"
        yield diagnose(key, ["cluster.active"], remedy, name=name, status=cluster.status)
    if "cluster.fargate" in false:
        # `ensure_cluster` gives an existing cluster the providers it lacks.
        key = "course.checks.cause.cluster-no-fargate"
        yield diagnose(key, ["cluster.fargate"], rerun, name=name)
    if foreign:
        keep_fargate = causes.write_call(
            "ecs",
            "PutClusterCapacityProviders",
            cluster=name,
            capacityProviders=rules.CAPACITY_PROVIDERS,
            defaultCapacityProviderStrategy=[],
        )
        remedy, key = causes.advise_call(keep_fargate), "course.checks.cause.cluster-ec2-provider"
        found = list_briefly(foreign)
        yield diagnose(key, ["cluster.instances"], remedy, name=name, providers=found)
    if instances:
        remedy = messages.text("course.checks.remedy.deregister", cluster=one_line(name))
        key = "course.checks.cause.cluster-instances"
        yield diagnose(key, ["cluster.instances"], remedy, name=name, count=instances)
