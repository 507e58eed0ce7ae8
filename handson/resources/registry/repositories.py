"""Private repositories: find, ensure, delete, and the way for a push."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from handson.aws import Aws
from handson.core import messages
from handson.core.cards import Card, Commands, Note, Part, Rows, Shown
from handson.core.errors import AWSError, NotAllowed, NotReady
from handson.core.progress import Say, silent
from handson.core.text import find_nearest
from handson.course import rules
from handson.course.exercise import TAG_KEY, TAG_VALUE, Exercise
from handson.course.state import Removal, Repository, Resource
from handson.engine import Destination
from handson.resources import plan
from handson.resources.plan import Step
from handson.resources.usual import other_settings

TYPE = "AWS::ECR::Repository"
_PUBLIC_REGION = "us-east-1"
_NOT_FOUND = "RepositoryNotFoundException"


@dataclass(frozen=True, repr=False)
class EnsuredRepository(Shown):
    """The repository as it is, and the aws CLI command that makes one like it."""

    repository: Repository
    commands: tuple[str, ...]
    notes: tuple[Note, ...] = ()
    """What is to be said of the settings that were asked for."""

    def card(self) -> Card:
        """Return the card: the repository's line of the console, and the command."""
        rows = [
            (messages.text("resources.registry.row-uri"), self.repository.uri),
            (
                messages.text("resources.registry.row-visibility"),
                messages.text("resources.registry.private"),
            ),
            (messages.text("resources.registry.row-mutability"), self.repository.tag_mutability),
        ]
        title = messages.text("resources.registry.title", name=self.repository.name)
        parts: tuple[Part, ...] = (
            *self.notes,
            Rows(rows),
            Commands(messages.text("resources.network.commands"), self.commands),
        )
        return Card(title, parts, state="warn" if self.notes else "ok")


def find_repository(aws: Aws, name: str) -> Repository | None:
    """Return the private repository of that name, or None."""
    try:
        reply = aws.call("ecr", "DescribeRepositories", repositoryNames=[name])
    except AWSError as error:
        if error.code == _NOT_FOUND:
            return None
        raise
    return _repository(aws, reply["repositories"][0])


def find_repositories(aws: Aws) -> tuple[Repository, ...]:
    """Return all private repositories of the region, sorted by name."""
    found = aws.pages("ecr", "DescribeRepositories", "repositories")
    with ThreadPoolExecutor(8) as pool:
        described = list(pool.map(lambda raw: _repository(aws, raw), found))
    return tuple(sorted(described, key=lambda repository: repository.name))


def find_public_repository(aws: Aws, name: str) -> Repository | None:
    """Return the repository of that name in Amazon ECR Public, or None.

    It is a service of its own, whose API answers in us-east-1 (Amazon ECR Public User Guide,
    "Amazon ECR Public endpoints"); emulators have none.
    """
    if aws.kind != "aws":
        return None
    there = aws.in_region(_PUBLIC_REGION, attempts=1)
    try:
        reply = there.call("ecr-public", "DescribeRepositories", repositoryNames=[name])
    except AWSError as error:
        if error.code == _NOT_FOUND:
            return None
        raise
    raw = reply["repositories"][0]
    return Repository(
        name=raw["repositoryName"],
        arn=raw["repositoryArn"],
        uri=raw["repositoryUri"],
        registry_id=raw["registryId"],
        tag_mutability="MUTABLE",
    )


def ensure_repository(
    aws: Aws, name: str, *, exercise: Exercise = Exercise(), say: Say = silent
) -> EnsuredRepository:
    """Make the private repository if there is none of that name, and return it.

    Raises:
        InvalidInput: ECR would refuse the name; nothing was created.
        HandsonError: AWS refused a call or did not answer; run again to complete.
    """
    rules.repository_name(name)
    create = {
        "repositoryName": name,
        "tags": [{"Key": TAG_KEY, "Value": TAG_VALUE}],
    }
    steps = [Step("repository", "ecr", "CreateRepository", create, "repository.repositoryUri")]

    def attempt() -> None:
        if find_repository(aws, name) is None:
            _create(aws, steps, say=say)

    plan.until_clear(attempt, patience=aws.patience)
    parameters = {"repositoryNames": [name]}
    reply = aws.call_until_known("ecr", "DescribeRepositories", parameters, unknown=(_NOT_FOUND,))
    repository = _repository(aws, reply["repositories"][0])
    commands = (*plan.shell_setup(aws), *plan.as_commands(steps))
    notes = other_settings("repository", {"name": name}, {"name": exercise.repository})
    return EnsuredRepository(repository, commands, notes)


def require_repository(aws: Aws, name: str, *, exercise: Exercise = Exercise()) -> Repository:
    """Return the repository of that name.

    Raises:
        NotReady: There is none; says which ones there are, or which cell makes it.
    """
    repository = find_repository(aws, name)
    if repository is None:
        raise NotReady(*missing_repository(aws, name, exercise), code=_NOT_FOUND)
    return repository


def missing_repository(aws: Aws, name: str, exercise: Exercise) -> tuple[str, str]:
    """Return what to say of a repository that is not there: a problem and a remedy."""
    there: list[str] = []
    with suppress(AWSError, NotAllowed):  # somebody may be allowed to look at one repository only
        found = aws.pages("ecr", "DescribeRepositories", "repositories")
        there = sorted(raw["repositoryName"] for raw in found)
    usual = exercise.repository
    meant = find_nearest(name, there) or (usual if usual in there else None)
    if name == usual or meant is None:
        return messages.advice(
            "resources.registry.no-repository", name=name, region=aws.region, usual=usual
        )
    return messages.advice(
        "resources.registry.other-repository",
        name=name,
        region=aws.region,
        there=", ".join(there),
        meant=meant,
    )


def destination(aws: Aws, repository: Repository, *, tags: Sequence[str]) -> Destination:
    """Return where an image of this repository is pushed, with a fresh token of this region.

    The token is good for twelve hours (ECR API Reference, GetAuthorizationToken).
    """
    reply = aws.call("ecr", "GetAuthorizationToken")
    token = reply["authorizationData"][0]["authorizationToken"]
    username, _, password = base64.b64decode(token).decode().partition(":")
    return Destination(
        registry=address(aws),
        scheme=urlsplit(aws.endpoint).scheme if aws.endpoint else "https",
        repository=repository.name,
        username=username,
        password=password,
        tags=tuple(tags),
    )


def address(aws: Aws) -> str:
    """Return where docker finds the registry of this account and region.

    An emulator serves it on its own port, and not at the address in its repositories' URIs.
    """
    if aws.endpoint:
        return urlsplit(aws.endpoint).netloc
    ending = "amazonaws.com.cn" if aws.region.startswith("cn-") else "amazonaws.com"
    return f"{aws.account}.dkr.ecr.{aws.region}.{ending}"


def find_tagged(aws: Aws) -> list[Resource]:
    """Return the repositories that carry the workshop's tag."""
    return [_resource(aws, item) for item in find_repositories(aws) if item.tagged]


def find_beside(aws: Aws, exercise: Exercise) -> list[Resource]:
    """Return the repository of the exercise's name that does not carry the tag, if there is one."""
    found = find_repository(aws, exercise.repository)
    return [_resource(aws, found)] if found and not found.tagged else []


def delete_repository(aws: Aws, *, say: Say = silent) -> list[Removal]:
    """Delete the repositories that carry the workshop's tag, with the images in them.

    Raises:
        HandsonError: A call was not allowed or did not answer; run again to go on.
    """
    removals = []
    for resource in find_tagged(aws):
        say(f"{resource.type} {resource.name}")
        try:
            aws.call("ecr", "DeleteRepository", repositoryName=resource.name, force=True)
        except AWSError as error:
            if error.code != _NOT_FOUND:
                raise
        removals.append(Removal(resource=resource))
    return removals


def _resource(aws: Aws, repository: Repository) -> Resource:
    return Resource(type=TYPE, id=repository.arn, name=repository.name, region=aws.region)


def _create(aws: Aws, steps: Sequence[Step], *, say: Say) -> None:
    try:
        plan.carry_out(aws, steps, known={}, say=say)
    except AWSError as error:
        # Two kernels at once: the other one was a moment earlier, and that is as good.
        if error.code != "RepositoryAlreadyExistsException":
            raise


def _repository(aws: Aws, raw: Mapping[str, Any]) -> Repository:
    tags = aws.call("ecr", "ListTagsForResource", resourceArn=raw["repositoryArn"])
    ours = {"Key": TAG_KEY, "Value": TAG_VALUE}
    return Repository(
        name=raw["repositoryName"],
        arn=raw["repositoryArn"],
        uri=raw["repositoryUri"],
        registry_id=raw["registryId"],
        tag_mutability=raw.get("imageTagMutability", "MUTABLE"),
        tagged=ours in tags.get("tags", ()),
    )
