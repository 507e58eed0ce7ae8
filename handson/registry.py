"""Amazon ECR: private repositories, what is in them, and who may push.

An image is described by what its tag leads to: an index (what Docker pushes today, with
attestations beside the image) or a plain manifest.  The platform is read from the index or from the
image's configuration, the size is the sum of the layers as the registry lists them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from handson import messages, plan, rules, syllabus
from handson.aws import Aws
from handson.cards import Card, Commands, Note, Rows, Shown, Table
from handson.engine import ENGINE_LABEL, Destination, human_size
from handson.errors import AWSError, NotReady
from handson.plan import Step
from handson.progress import Say, silent
from handson.state import Image, Platform, Removal, Repository, Resource

TYPE = "AWS::ECR::Repository"

MANIFEST_TYPES = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]
_INDEX_TYPES = MANIFEST_TYPES[:2]
_BATCH = 100
_LARGEST_CONFIG = 1_000_000
_SECONDS = 30.0


@dataclass(frozen=True, repr=False)
class EnsuredRepository(Shown):
    """The repository as it is, and the aws CLI command that makes one like it."""

    repository: Repository
    commands: tuple[str, ...]

    def card(self) -> Card:
        """Return the card: the repository's line of the console, and the command."""
        rows = [
            (messages.text("registry.row-uri"), self.repository.uri),
            (messages.text("registry.row-visibility"), messages.text("registry.private")),
            (messages.text("registry.row-mutability"), self.repository.tag_mutability),
        ]
        title = messages.text("registry.title", name=self.repository.name)
        parts = (Rows(rows), Commands(messages.text("network.commands"), self.commands))
        return Card(title, parts, state="ok")


@dataclass(frozen=True, repr=False)
class Images(Shown):
    """What is in a repository, the newest push first."""

    repository: str
    images: tuple[Image, ...]

    def card(self) -> Card:
        """Return the card: one line an image, as the console lists them."""
        title = messages.text("registry.images-title", name=self.repository)
        if not self.images:
            return Card(title, (Note(messages.text("registry.no-images")),), state="warn")
        headers = [
            messages.text(f"registry.column-{name}") for name in ("tags", "digest", "size", "for")
        ]
        rows = [
            (
                ", ".join(image.tags) or "-",
                image.digest[:19],
                human_size(image.size_bytes),
                ", ".join(f"{item.os}/{item.architecture}" for item in image.platforms) or "-",
            )
            for image in self.images
        ]
        return Card(title, (Table(headers, rows),), state="ok")


def find_repository(aws: Aws, name: str) -> Repository | None:
    """Return the private repository of that name, or None."""
    try:
        reply = aws.call("ecr", "DescribeRepositories", repositoryNames=[name])
    except AWSError as error:
        if error.code == "RepositoryNotFoundException":
            return None
        raise
    return _repository(aws, reply["repositories"][0])


def find_repositories(aws: Aws) -> tuple[Repository, ...]:
    """Return all private repositories of the region, sorted by name."""
    found = aws.pages("ecr", "DescribeRepositories", "repositories")
    with ThreadPoolExecutor(8) as pool:
        described = list(pool.map(lambda raw: _repository(aws, raw), found))
    return tuple(sorted(described, key=lambda repository: repository.name))


def ensure_repository(aws: Aws, name: str, *, say: Say = silent) -> EnsuredRepository:
    """Make the private repository if there is none of that name, and return it.

    Raises:
        InvalidInput: ECR would refuse the name; nothing was created.
        HandsonError: AWS refused a call or did not answer; run again to complete.
    """
    rules.repository_name(name)
    parameters = {
        "repositoryName": name,
        "tags": [{"Key": syllabus.TAG_KEY, "Value": syllabus.TAG_VALUE}],
    }
    steps = [Step("repository", "ecr", "CreateRepository", parameters, "repository.repositoryUri")]

    def attempt() -> None:
        if find_repository(aws, name) is None:
            _create(aws, steps, say=say)

    plan.until_clear(attempt)
    repository = require_repository(aws, name)
    return EnsuredRepository(repository, (*plan.shell_setup(aws), *plan.as_commands(steps)))


def require_repository(aws: Aws, name: str) -> Repository:
    """Return the repository of that name.

    Raises:
        NotReady: There is none; says which notebook makes it.
    """
    repository = find_repository(aws, name)
    if repository is None:
        raise NotReady(
            *messages.advice("registry.no-repository", name=name, region=aws.region),
            code="RepositoryNotFoundException",
        )
    return repository


def find_images(aws: Aws, repository: str) -> tuple[Image, ...]:
    """Return the tagged images of a repository, the newest push first.

    Untagged manifests are left out: they are parts of an index, or what a tag led to before.
    """
    try:
        details = aws.pages("ecr", "DescribeImages", "imageDetails", repositoryName=repository)
    except AWSError as error:
        if error.code == "RepositoryNotFoundException":
            return ()
        raise
    tagged = [detail for detail in details if detail.get("imageTags")]
    manifests = _manifests(aws, repository, [detail["imageDigest"] for detail in tagged])
    with ThreadPoolExecutor(8) as pool:
        images = list(pool.map(lambda detail: _image(aws, repository, detail, manifests), tagged))
    return tuple(sorted(images, key=lambda image: (image.pushed_at, image.tags), reverse=True))


def destination(aws: Aws, repository: Repository, *, tags: Sequence[str]) -> Destination:
    """Return where an image of this repository is pushed, with a fresh token of this region.

    The token is good for twelve hours (ECR API Reference, GetAuthorizationToken).  An emulator
    serves the registry on its own port, and not at the address in the repository's URI.
    """
    reply = aws.call("ecr", "GetAuthorizationToken")
    token = reply["authorizationData"][0]["authorizationToken"]
    username, _, password = base64.b64decode(token).decode().partition(":")
    scheme, registry = _registry(aws, repository)
    return Destination(
        registry=registry,
        scheme=scheme,
        repository=repository.name,
        username=username,
        password=password,
        tags=tuple(tags),
    )


def find_tagged(aws: Aws) -> list[Resource]:
    """Return the repositories that carry the workshop's tag."""
    return [
        Resource(type=TYPE, id=repository.arn, name=repository.name)
        for repository in find_repositories(aws)
        if repository.tagged
    ]


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
            if error.code != "RepositoryNotFoundException":
                raise
        removals.append(Removal(resource=resource))
    return removals


def _create(aws: Aws, steps: Sequence[Step], *, say: Say) -> None:
    try:
        plan.carry_out(aws, steps, known={}, say=say)
    except AWSError as error:
        # Two kernels at once: the other one was a moment earlier, and that is as good.
        if error.code != "RepositoryAlreadyExistsException":
            raise


def _repository(aws: Aws, raw: Mapping[str, Any]) -> Repository:
    tags = aws.call("ecr", "ListTagsForResource", resourceArn=raw["repositoryArn"])
    ours = {"Key": syllabus.TAG_KEY, "Value": syllabus.TAG_VALUE}
    return Repository(
        name=raw["repositoryName"],
        arn=raw["repositoryArn"],
        uri=raw["repositoryUri"],
        registry_id=raw["registryId"],
        tag_mutability=raw.get("imageTagMutability", "MUTABLE"),
        tagged=ours in tags.get("tags", ()),
    )


def _manifests(aws: Aws, repository: str, digests: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the parsed manifests by digest; what ECR does not give back is left out."""
    manifests: dict[str, dict[str, Any]] = {}
    unique = list(dict.fromkeys(digests))
    for start in range(0, len(unique), _BATCH):
        reply = aws.call(
            "ecr",
            "BatchGetImage",
            repositoryName=repository,
            imageIds=[{"imageDigest": digest} for digest in unique[start : start + _BATCH]],
            acceptedMediaTypes=MANIFEST_TYPES,
        )
        for image in reply.get("images", ()):
            manifests[image["imageId"]["imageDigest"]] = json.loads(image["imageManifest"])
    return manifests


@dataclass
class _Contents:
    """What an image's manifests say, gathered from an index or a plain manifest."""

    platforms: list[Platform] = field(default_factory=list)
    size_bytes: int = 0
    built_by: str | None = None


def _image(
    aws: Aws,
    repository: str,
    detail: Mapping[str, Any],
    manifests: Mapping[str, dict[str, Any]],
) -> Image:
    digest = detail["imageDigest"]
    manifest = manifests.get(digest, {})
    contents = _contents(aws, repository, manifest)
    pushed = detail.get("imagePushedAt")
    return Image(
        repository=repository,
        digest=digest,
        tags=tuple(sorted(detail.get("imageTags", ()))),
        media_type=manifest.get("mediaType") or detail.get("imageManifestMediaType", ""),
        platforms=tuple(contents.platforms),
        size_bytes=contents.size_bytes,
        pushed_at=pushed.isoformat(timespec="seconds") if pushed else "",
        built_by=contents.built_by,
    )


def _contents(aws: Aws, repository: str, manifest: Mapping[str, Any]) -> _Contents:
    if "manifests" not in manifest:
        contents = _Contents()
        _read_plain(aws, repository, manifest, contents)
        return contents
    contents = _Contents()
    images = [child for child in manifest["manifests"] if _is_image(child)]
    children = _manifests(aws, repository, [child["digest"] for child in images])
    for child in images:
        _read_plain(aws, repository, children.get(child["digest"], {}), contents)
    contents.platforms = [
        Platform(os=child["platform"]["os"], architecture=child["platform"]["architecture"])
        for child in images
        if "platform" in child
    ]
    return contents


def _is_image(child: Mapping[str, Any]) -> bool:
    """Tell an image from an attestation, whose platform is unknown/unknown."""
    return bool(child.get("platform", {}).get("os") != "unknown")


def _read_plain(
    aws: Aws, repository: str, manifest: Mapping[str, Any], contents: _Contents
) -> None:
    contents.size_bytes += sum(int(layer["size"]) for layer in manifest.get("layers", ()))
    config = manifest.get("config", {})
    if not config or int(config.get("size", 0)) > _LARGEST_CONFIG:
        return
    image = json.loads(_blob(aws, repository, config["digest"]) or b"{}")
    if image.get("os") and image.get("architecture"):
        contents.platforms.append(Platform(os=image["os"], architecture=image["architecture"]))
    labels = image.get("config", {}).get("Labels") or {}
    contents.built_by = contents.built_by or labels.get(ENGINE_LABEL)


def _blob(aws: Aws, repository: str, digest: str) -> bytes | None:
    """Return a small blob, or None where the registry does not give it out.

    ECR answers GetDownloadUrlForLayer with a signed address, which is used and never kept; an
    emulator's registry is read over the registry protocol.
    """
    import urllib3

    if aws.endpoint:
        address = f"{aws.endpoint}/v2/{repository}/blobs/{digest}"
    else:
        reply = aws.call(
            "ecr", "GetDownloadUrlForLayer", repositoryName=repository, layerDigest=digest
        )
        address = reply["downloadUrl"]
    try:
        answer = urllib3.PoolManager(retries=2, timeout=_SECONDS).request("GET", address)
    except urllib3.exceptions.HTTPError:
        return None
    return answer.data if answer.status == 200 else None


def _registry(aws: Aws, repository: Repository) -> tuple[str, str]:
    if not aws.endpoint:
        return "https", repository.uri.partition("/")[0]
    parts = urlsplit(aws.endpoint)
    return parts.scheme, parts.netloc
