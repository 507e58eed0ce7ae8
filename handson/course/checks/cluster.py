"""The check `cluster`: an ECS cluster that runs on Fargate alone.

A cluster that AWS lists as INACTIVE was deleted and counts as absent; then every fact is false, and
so it is under another name, because step 3 calls the cluster by its name.  `cluster.fargate` asks
for FARGATE among the capacity providers; FARGATE_SPOT beside it is the console's own doing.
`cluster.instances` stands for the form's "Amazon EC2 instances: off": registered instances or a
capacity provider that is not Fargate's turn it false, and leave `cluster.fargate` alone.  Container
Insights, namespaces and default strategies do not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handson.core.text import list_briefly
from handson.course import rules, syllabus
from handson.course.checks import causes, registries
from handson.course.checks.results import CheckResult, Diagnosis, conclude
from handson.course.exercise import FARGATE, Exercise
from handson.course.state import Cluster, Snapshot

ID = "cluster"
_NOTEBOOK = syllabus.check(ID).notebook
_FACTS = tuple(fact.id for fact in syllabus.check(ID).facts)
_GONE = "INACTIVE"
_ON_ITS_WAY = ("PROVISIONING", "DEPROVISIONING")


def judge(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the cluster and why some are false."""
    cluster = find(snapshot, exercise)
    expected = {
        "cluster.exists": True,
        "cluster.active": "ACTIVE",
        "cluster.fargate": FARGATE,
        "cluster.instances": 0,
    }
    if cluster is None:
        found, reasons = {"cluster.exists": False}, [_absent(snapshot, exercise)]
        return conclude(ID, expected=expected, observed=found, diagnoses=reasons)
    observed = _observed(cluster)
    wrong = {id for id, value in expected.items() if observed[id] != value}
    reasons = list(_explain(cluster, wrong))
    return conclude(ID, expected=expected, observed=observed, diagnoses=reasons)


def trim(snapshot: Snapshot, exercise: Exercise) -> Snapshot:
    """Return the part of a snapshot that this check reads: the cluster, else what resembles it."""
    cluster = find(snapshot, exercise)
    if cluster:
        return Snapshot(target=snapshot.target, clusters=(cluster,))
    like = (*_namesakes(snapshot, exercise), *_misspelt(snapshot, exercise))
    elsewhere = causes.sightings(snapshot, ID)
    return Snapshot(target=snapshot.target, clusters=like, elsewhere=elsewhere)


def find(snapshot: Snapshot, exercise: Exercise = Exercise()) -> Cluster | None:
    """Return the exercise's cluster unless it was deleted; an ACTIVE one first."""
    living = [cluster for cluster in _namesakes(snapshot, exercise) if cluster.status != _GONE]
    return min(living, key=lambda cluster: (cluster.status != "ACTIVE", cluster.arn), default=None)


def _namesakes(snapshot: Snapshot, exercise: Exercise) -> list[Cluster]:
    return [cluster for cluster in snapshot.clusters if cluster.name == exercise.cluster]


def _misspelt(snapshot: Snapshot, exercise: Exercise) -> list[Cluster]:
    living = [c for c in snapshot.clusters if c.status != _GONE]
    like = registries.likeliest(exercise.cluster, [cluster.name for cluster in living])
    return [cluster for cluster in living if cluster.name == like][:1]


def _observed(cluster: Cluster) -> dict[str, Any]:
    foreign = _foreign(cluster)
    has_fargate = FARGATE in cluster.capacity_providers
    instances = cluster.container_instances
    return {
        "cluster.exists": True,
        "cluster.active": cluster.status,
        "cluster.fargate": FARGATE if has_fargate else list(cluster.capacity_providers),
        "cluster.instances": [instances, *foreign] if foreign else instances,
    }


def _foreign(cluster: Cluster) -> list[str]:
    known = rules.CAPACITY_PROVIDERS
    return [provider for provider in cluster.capacity_providers if provider not in known]


def _absent(snapshot: Snapshot, exercise: Exercise) -> Diagnosis:
    here, there = snapshot.target.region, causes.in_region(snapshot, ID)
    values = {"name": exercise.cluster, "region": here}
    if there:
        remedy = causes.run_here(_NOTEBOOK, here=here, there=there)
        return causes.diagnosis("cluster-region", _FACTS, remedy, there=there, **values)
    remedy = causes.run(_NOTEBOOK)
    misspelt = _misspelt(snapshot, exercise)
    if misspelt:
        found = misspelt[0].name
        return causes.diagnosis("cluster-misspelt", _FACTS, remedy, found=found, **values)
    code = "cluster-deleted" if _namesakes(snapshot, exercise) else "cluster-absent"
    return causes.diagnosis(code, _FACTS, remedy, **values)


def _explain(cluster: Cluster, wrong: set[str]) -> Iterator[Diagnosis]:
    name = cluster.name
    if "cluster.active" in wrong:
        deleted = causes.call("ecs", "DeleteCluster", cluster=name)
        again = causes.type_then_run(deleted, _NOTEBOOK)
        remedy = causes.wait(_NOTEBOOK) if cluster.status in _ON_ITS_WAY else again
        code = "cluster-not-active"
        yield causes.diagnosis(code, ["cluster.active"], remedy, name=name, status=cluster.status)
    if "cluster.fargate" in wrong:
        remedy = causes.run(_NOTEBOOK)  # `ensure_cluster` gives a cluster the providers it lacks
        yield causes.diagnosis("cluster-no-fargate", ["cluster.fargate"], remedy, name=name)
    if _foreign(cluster):
        remedy, found = causes.type_in(_fargate_only(name)), list_briefly(_foreign(cluster))
        yield causes.diagnosis(
            "cluster-ec2-provider", ["cluster.instances"], remedy, name=name, providers=found
        )
    if cluster.container_instances:
        remedy, count = causes.deregister(name), cluster.container_instances
        yield causes.diagnosis(
            "cluster-instances", ["cluster.instances"], remedy, name=name, count=count
        )


def _fargate_only(name: str) -> str:
    """Return the call that takes all other capacity providers away."""
    return causes.call(
        "ecs",
        "PutClusterCapacityProviders",
        cluster=name,
        capacityProviders=rules.CAPACITY_PROVIDERS,
        defaultCapacityProviderStrategy=[],
    )
