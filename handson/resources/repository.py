"""The private ECR repository: find, ensure, delete, and the destination of a push."""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from handson.aws import Aws, accept_codes
from handson.aws.emulator.in_process import find_adapter
from handson.core import https, messages
from handson.core.cards import CardPart, list_fields
from handson.core.errors import AWSError, NotAllowed, NotReady
from handson.core.host import Workers
from handson.core.text import find_nearest, pick_fields
from handson.course import rules
from handson.course.checks.repository import build_repository_uri
from handson.course.checks.results import write_aws_call
from handson.course.exercise import Exercise
from handson.course.owners import list_tags
from handson.course.state import Repository, Resource
from handson.resources import plan
from handson.resources.answers import Raw, read_answer

if TYPE_CHECKING:
    from handson.engine.model import Destination

TYPE = "AWS::ECR::Repository"
_PUBLIC_REGION = "us-east-1"
_NOT_FOUND = "RepositoryNotFoundException"


class EnsuredRepository(plan.Creation, frozen=True):
    """A repository that was created, or existed already."""

    repository: Repository

    def describe(self) -> tuple[str, Sequence[CardPart]]:
        """Return the title, and the repository's line of the console."""
        title = messages.text("resources.registry.title", name=self.repository.name)
        fields = {"visibility": messages.text("resources.registry.private")}
        fields |= pick_fields(self.repository, "uri tag_mutability")
        return title, [list_fields("resources.registry.row", fields)]


def find_repository(aws: Aws, name: str) -> Repository | None:
    """Return the private repository with that name, or None."""
    raw = _describe(aws, "ecr", name)
    return _repository(aws, raw) if raw else None


def find_repositories(aws: Aws, *, needed: str = "") -> tuple[Repository, ...]:
    """Return the private repositories of the region, sorted by name.

    Those whose own policy forbids a look are left out.

    Raises:
        NotAllowed: The repository of the name that is needed may not be read.
    """
    return tuple(found for _, found in _read_all(aws, needed=needed) if found)


def find_public_repositories(aws: Aws, exercise: Exercise) -> list[Repository]:
    """Return the repository with the exercise's name in Amazon ECR Public, if it exists.

    ECR Public is another service, whose API answers in us-east-1 (Amazon ECR Public User Guide,
    "Amazon ECR Public endpoints"); emulators do not have it.
    """
    if aws.kind != "aws":
        return []
    in_public_region = aws.in_region(_PUBLIC_REGION, attempts=1)
    raw = _describe(in_public_region, "ecr-public", exercise.repository)
    return [read_answer(Repository, raw)] if raw else []


def observe_repositories(
    aws: Aws, exercise: Exercise, checks: Collection[str] | None
) -> tuple[Repository, ...]:
    """Return the repositories that the checks read; without checks, all.

    The exercise's repository is found by its name.  Only where it is missing, the other names are
    listed to find a misspelt one.
    """
    if checks is None:
        return find_repositories(aws, needed=exercise.repository)
    # An image in another learner's repository does not count, so its owner has to be known.
    if "repository" not in checks and not aws.owners.own:
        return ()
    found = find_repository(aws, exercise.repository)
    if found or "repository" not in checks:
        return (found,) if found else ()
    return tuple(find_similar_repositories(aws, exercise))


def find_similar_repositories(aws: Aws, exercise: Exercise) -> list[Repository]:
    """Return the other repository whose name is most like the exercise's, if one is similar."""
    others = [name for name in list_repository_names(aws) if name != exercise.repository]
    near = find_nearest(exercise.repository, others)
    found = find_repository(aws, near) if near else None
    return [found] if found else []


def list_repository_names(aws: Aws) -> list[str]:
    """Return the names of all private repositories of the region, sorted."""
    found = aws.list_items("ecr", "DescribeRepositories", "repositories")
    return sorted(str(raw["repositoryName"]) for raw in found)


def ensure_repository(aws: Aws, name: str, *, exercise: Exercise = Exercise()) -> EnsuredRepository:
    """Create the private repository where there is none with that name, and return it.

    Raises:
        InvalidInput: ECR would refuse the name; nothing was created.
        HandsonError: AWS refused a call or did not answer; run again to complete.
    """
    rules.check_repository_name(name)
    tags = [{"Key": key, "Value": value} for key, value in list_tags(aws.owners.name).items()]
    create = {"repositoryName": name, "tags": tags}
    steps = [plan.Step("repository", "ecr", "CreateRepository", create, "repository.repositoryUri")]

    def attempt() -> None:
        found = find_repository(aws, name)
        plan.refuse_foreign(aws, found)
        if found is None:
            # Another kernel may have created it a moment earlier.
            with accept_codes("RepositoryAlreadyExistsException"):
                plan.carry_out(aws, steps, known={})

    plan.retry_unclear(attempt, patience=aws.patience)
    parameters = {"repositoryNames": [name]}
    reply = aws.call_until_known("ecr", "DescribeRepositories", parameters, unknown=(_NOT_FOUND,))
    repository = _repository(aws, reply["repositories"][0])
    plan.refuse_foreign(aws, repository)
    chosen, expected = {"name": name}, {"name": exercise.repository}
    # Without `force`: ECR refuses to delete one with images.
    undo = write_aws_call("ecr", "DeleteRepository", repositoryName=name)
    notes = plan.warn_of_settings("repository", chosen, expected, undo=undo)
    commands = plan.format_commands(aws, steps)
    return EnsuredRepository(repository, commands=commands, notes=notes)


def require_repository(aws: Aws, name: str, *, exercise: Exercise = Exercise()) -> Repository:
    """Return the repository with that name.

    Raises:
        NotReady: There is none, and names the existing ones or the cell that creates it; or it is
            another learner's.
    """
    repository = find_repository(aws, name)
    if repository is None:
        raise NotReady(*explain_missing_repository(aws, name, exercise), code=_NOT_FOUND)
    plan.refuse_foreign(aws, repository)
    return repository


def explain_missing_repository(aws: Aws, name: str, exercise: Exercise) -> tuple[str, str]:
    """Return the problem and the remedy for a repository that does not exist."""
    names: list[str] = []
    with suppress(AWSError, NotAllowed):  # A policy may allow a look at one repository only.
        names = list_repository_names(aws)
    usual = exercise.repository
    meant = find_nearest(name, names) or (usual if usual in names else None)
    values = {"name": name, "region": aws.region}
    if name == usual or meant is None:
        return messages.advice("resources.registry.no-repository", usual=usual, **values)
    values |= {"there": ", ".join(names), "meant": meant}
    return messages.advice("resources.registry.other-repository", **values)


def get_login(aws: Aws) -> tuple[str, str]:
    """Return the user name and the password of this region's registry.

    The password is valid for twelve hours (ECR API Reference, GetAuthorizationToken).
    """
    reply = aws.call("ecr", "GetAuthorizationToken")
    token = reply["authorizationData"][0]["authorizationToken"]
    username, _, password = base64.b64decode(token).decode().partition(":")
    return username, password


def make_destination(aws: Aws, repository: Repository, *, tag: str = "") -> Destination:
    """Return the destination of a push to this repository, with a new token of this region."""
    from handson.engine.model import Destination  # a push alone needs it

    scheme = urlsplit(aws.endpoint).scheme if aws.endpoint else "https"
    place = (build_registry_address(aws), scheme, repository.name)
    return Destination(*place, *get_login(aws), tag, partial(open_session, aws))


def open_session(aws: Aws) -> Any:
    """Open a session of requests to the registry, and to where it keeps its layers."""
    endpoint, sleep = aws.endpoint or "", aws.patience.sleep
    local, adapter = https.is_on_loopback(endpoint), find_adapter(endpoint)
    return https.open_session(aws.ca_bundle, is_local=local, adapter=adapter, sleep=sleep)


def build_registry_address(aws: Aws) -> str:
    """Return the address at which docker reaches the registry of this account and region.

    An emulator serves its registry on its own port, and not at the address in a repository's URI.
    """
    if aws.endpoint:
        return urlsplit(aws.endpoint).netloc
    return build_repository_uri(aws.target, "").rstrip("/")


def find_repository_arns(aws: Aws, exercise: Exercise) -> list[str]:
    """Return the ARN of the exercise's repository, if it exists."""
    found = find_repository(aws, exercise.repository)
    return [found.arn] if found and not aws.owners.is_foreign(found) else []


def list_repository_resources(aws: Aws, ids: Collection[str] | None = None) -> list[plan.Listed]:
    """Return the repositories, or those with these ARNs; deleting one deletes its images, too."""
    listed = []
    for raw, it in _read_all(aws, ids):
        arn, name = raw["repositoryArn"], raw["repositoryName"]
        tags: Any = {"tagged": it.tagged, "owner": it.owner} if it else {}
        resource = Resource(type=TYPE, id=arn, name=name, region=aws.region, **tags)
        listed.append(plan.Listed(resource, partial(_delete, aws, name), unread=it is None))
    return listed


def _delete(aws: Aws, name: str) -> str:
    with accept_codes(_NOT_FOUND):
        aws.call("ecr", "DeleteRepository", repositoryName=name, force=True)
    return ""


def _read_all(
    aws: Aws, arns: Collection[str] | None = None, *, needed: str = ""
) -> list[tuple[Raw, Repository | None]]:
    """Return the region's repositories, by name; None beside those that may not be read."""

    def read(raw: Raw) -> tuple[Raw, Repository | None]:
        try:
            return raw, _repository(aws, raw)
        except NotAllowed as error:
            if not error.actions or raw["repositoryName"] == needed:  # no actions: credentials
                raise
            return raw, None

    found = aws.list_items("ecr", "DescribeRepositories", "repositories")
    found = [raw for raw in found if arns is None or raw["repositoryArn"] in arns]
    found.sort(key=lambda raw: str(raw["repositoryName"]))
    with Workers(8) as pool:
        return list(pool.map(read, found))


def _describe(aws: Aws, service: str, name: str) -> Raw | None:
    found: list[Raw] = []
    with accept_codes(_NOT_FOUND):
        found = aws.call(service, "DescribeRepositories", repositoryNames=[name])["repositories"]
    return next(iter(found), None)


def _repository(aws: Aws, raw: Raw) -> Repository:
    reply = aws.call("ecr", "ListTagsForResource", resourceArn=raw["repositoryArn"])
    return read_answer(Repository, {**raw, "tags": reply.get("tags", ())})
