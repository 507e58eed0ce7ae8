"""The check `repository`: a private ECR repository in the account and region of the target.

`repository.private` is false for a repository of Amazon ECR Public.  `repository.uri` asks for the
URI that ECR itself gives in this account and region.  Tag mutability, scanning and encryption do
not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handson.course import syllabus
from handson.course.checks import causes, registries
from handson.course.checks.results import CheckResult, Diagnosis, conclude
from handson.course.exercise import Exercise
from handson.course.state import Repository, Snapshot, Target

ID = "repository"
_NOTEBOOK = syllabus.check(ID).notebook
_FACTS = tuple(fact.id for fact in syllabus.check(ID).facts)


def judge(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the repository and why some are false."""
    target, repository = snapshot.target, _find(snapshot, exercise)
    uri = registries.repository_uri(target, exercise.repository)
    expected: dict[str, Any] = {
        "repository.exists": True,
        "repository.private": True,
        "repository.uri": uri,
    }
    if repository is None:
        found, reasons = {"repository.exists": False}, [_absent(snapshot, exercise)]
        return conclude(ID, expected=expected, observed=found, diagnoses=reasons)
    observed: dict[str, Any] = {
        "repository.exists": True,
        "repository.private": not registries.is_public(repository),
        "repository.uri": repository.uri,
    }
    reasons = list(_explain(target, repository, uri))
    return conclude(ID, expected=expected, observed=observed, diagnoses=reasons)


def trim(snapshot: Snapshot, exercise: Exercise) -> Snapshot:
    """Return the part of a snapshot that this check reads: the repository, or one like it."""
    repository = _find(snapshot, exercise)
    if repository:
        return Snapshot(target=snapshot.target, repositories=(repository,))
    like, elsewhere = _misspelt(snapshot, exercise), causes.sightings(snapshot, ID)
    return Snapshot(target=snapshot.target, repositories=tuple(like), elsewhere=elsewhere)


def _find(snapshot: Snapshot, exercise: Exercise) -> Repository | None:
    """Return the exercise's repository: a private one first, then one of the right URI."""
    goal = exercise.repository
    uri = registries.repository_uri(snapshot.target, goal)
    named = [repository for repository in snapshot.repositories if repository.name == goal]
    return min(
        named, key=lambda r: (registries.is_public(r), r.uri != uri, r.arn, r.uri), default=None
    )


def _misspelt(snapshot: Snapshot, exercise: Exercise) -> list[Repository]:
    names = [repository.name for repository in snapshot.repositories]
    like = registries.likeliest(exercise.repository, names)
    return [repository for repository in snapshot.repositories if repository.name == like][:1]


def _absent(snapshot: Snapshot, exercise: Exercise) -> Diagnosis:
    name, here = exercise.repository, snapshot.target.region
    there = causes.in_region(snapshot, ID)
    if there:
        code, again = "repository-region", causes.run_here(_NOTEBOOK, here=here, there=there)
        return causes.diagnosis(code, _FACTS, again, name=name, there=there, here=here)
    values, remedy = {"name": name, "region": here}, causes.run(_NOTEBOOK)
    misspelt = _misspelt(snapshot, exercise)
    if misspelt:
        found = misspelt[0].name
        return causes.diagnosis("repository-misspelt", _FACTS, remedy, found=found, **values)
    return causes.diagnosis("repository-absent", _FACTS, remedy, **values)


def _explain(target: Target, repository: Repository, uri: str) -> Iterator[Diagnosis]:
    name, remedy = repository.name, causes.run(_NOTEBOOK)
    if registries.is_public(repository):
        facts = ["repository.private", "repository.uri"]
        yield causes.diagnosis("repository-public", facts, remedy, name=name)
        return
    if repository.uri == uri:
        return
    facts, parts = ["repository.uri"], registries.parse_repository_uri(repository.uri)
    if parts and parts.region != target.region:
        there, here = parts.region, target.region
        yield causes.diagnosis(
            "repository-region", facts, remedy, name=name, there=there, here=here
        )
    elif parts and parts.account != target.account:
        there, here = parts.account, target.account
        yield causes.diagnosis(
            "repository-account", facts, remedy, name=name, there=there, here=here
        )
    else:
        yield causes.diagnosis(
            "repository-uri", facts, remedy, name=name, uri=repository.uri, wanted=uri
        )
