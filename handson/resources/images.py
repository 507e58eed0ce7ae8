"""The images in an ECR repository: what a tag refers to, its platforms and size.

A tag refers to an index (which Docker pushes today, with attestations beside the image) or to a
plain manifest.  The platform is read from the index or from the image's configuration; the size is
the sum of the layers as the registry lists them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from handson.aws import Aws, accept_codes
from handson.core import https, messages
from handson.core.cards import Card, CardPart, CommandBlock, Displayable, Note, Table, warning_notes
from handson.core.errors import HandsonError, NotReady
from handson.core.host import Workers
from handson.course import rules
from handson.course.exercise import IMAGE_PLATFORM, Exercise
from handson.course.state import Image, Platform, Repository, Unseen
from handson.engine.model import ENGINE_LABEL, format_size
from handson.engine.oci import CONFIG, INDEX_TYPES, MANIFEST_TYPES, is_image_manifest
from handson.resources.repository import find_repository_arns, open_session, require_repository

if TYPE_CHECKING:
    import requests

_BATCH = 100  # ECR API Reference, BatchGetImage: imageIds
# Registries also hold what is no image, a Helm chart for one.  Old manifests do not say the type.
_CONFIG_TYPES = ("", CONFIG, "application/vnd.docker.container.image.v1+json")
_LARGEST_CONFIG = 1_000_000  # a configuration has a few kilobytes; another blob is not read
_TIMEOUT = (5.0, 30.0)  # seconds to connect, seconds of silence

Manifest = Mapping[str, Any]

StoredBlob = tuple[int, datetime]
"""The size of a layer or configuration in bytes, and the time of its first push."""


class ImageList(Displayable, Struct, frozen=True):
    """The images in a repository, the newest push first."""

    repository: str
    images: tuple[Image, ...]
    remarks: tuple[Note, ...] = ()

    def card(self) -> Card:
        """Return the card: one line an image as in the console, and advice on wrong platforms."""
        title = messages.text("resources.registry.images-title", name=self.repository)
        if not self.images:
            return Card(title, (Note(messages.text("resources.registry.no-images")),), state="warn")
        foreign = [image for image in self.images if _is_foreign(image)]
        notes = [part for image in foreign for part in _advise_rebuild(image)]
        for unread in dict.fromkeys(image.unread for image in self.images):
            notes += warning_notes(unread.problem, unread.remedy) if unread else ()
        parts = (self.table(), *notes, *self.remarks)
        return Card(title, parts, state="warn" if notes else "ok")

    def table(self) -> Table:
        """Return the table: one line an image, without a judgement."""
        rows = [
            (
                ", ".join(image.tags) or "-",
                f"{image.digest[:19]}…",
                format_size(image.size_bytes),
                _join_platforms(image) or "-",
            )
            for image in self.images
        ]
        return Table.labelled("resources.registry.column", ("tags", "digest", "size", "for"), rows)


def find_images(aws: Aws, repository: str, *, digest: str = "") -> tuple[Image, ...]:
    """Return the tagged images of a repository and the one with a digest, the newest push first.

    Untagged manifests are left out: they belong to an index, or a tag has moved away from them.
    Where no image has a tag, the untagged images are returned.
    """
    details = _describe_images(aws, repository)
    tagged = [it for it in details if it.get("imageTags") or it["imageDigest"] == digest]
    listed = tagged or details
    manifests = _read_manifests(aws, repository, [detail["imageDigest"] for detail in listed])
    parts = {part["digest"] for index in manifests.values() for part in index.get("manifests", ())}
    # The parts of an index without a tag are listed beside it, and are not images themselves.
    whole = tagged or [it for it in listed if it["imageDigest"] not in parts]
    with Workers(8) as pool, open_session(aws) as session:
        store = _Store(aws, repository, session)
        images = list(pool.map(lambda it: store.read_image(it, manifests), whole))
    return tuple(sorted(images, key=lambda image: (image.pushed_at, image.tags), reverse=True))


def observe_images(
    aws: Aws, exercise: Exercise, checks: Collection[str] | None
) -> tuple[Image, ...]:
    """Return the images in the exercise's repository, if one of the checks reads them.

    The workshop's policy allows a look into no other repository.
    """
    if checks is not None and not {"image", "image-uri"} & {*checks}:
        return ()
    return find_images(aws, exercise.repository)


def find_image_digests(aws: Aws, exercise: Exercise) -> list[str]:
    """Return the digest of the newest image in the exercise's repository, if there is one."""
    if aws.owners.own and not find_repository_arns(aws, exercise):
        return []
    return [image.digest for image in find_images(aws, exercise.repository)[:1]]


def require_image(
    aws: Aws, repository: str, tag: str, *, exercise: Exercise, digest: str = ""
) -> tuple[Repository, Image]:
    """Return a repository, and the image that a tag of it refers to, or a digest.

    Raises:
        InvalidInput: The repository's name or the tag is invalid.
        NotReady: ECR has no such repository or tag, and names the existing ones; or the
            repository is another learner's.
    """
    rules.check_repository_name(repository)
    if not digest:
        rules.check_image_tag(tag)
    found = require_repository(aws, repository, exercise=exercise)
    images = find_images(aws, repository, digest=digest)
    image = next((image for image in images if tag in image.tags or image.digest == digest), None)
    if image is None:
        tags = ", ".join(name for item in images for name in item.tags) or "-"
        values = {"repository": repository, "tag": tag, "tags": tags}
        code = "ImageNotFoundException"
        raise NotReady.from_key("resources.registry.no-image", aws_code=code, **values)
    return found, image


def tag_image(aws: Aws, repository: str, *, tag: str, image: str, exercise: Exercise) -> None:
    """Put a tag on an image in ECR, and take it off the image that has it so far.

    Args:
        aws: The connection.
        repository: The repository's name.
        tag: The tag to put or move.
        image: A tag of the image that gets it, or its digest.
        exercise: What is to be built.

    Raises:
        InvalidInput: The repository's name or a tag is invalid.
        NotReady: The repository or the image is missing, and the error names the existing ones.
        AWSError: ECR refused, for one because the repository's tags never move.
    """
    rules.check_image_tag(tag)
    digest = image if image.startswith("sha256:") else ""
    _, found = require_image(aws, repository, image, exercise=exercise, digest=digest)
    if tag in found.tags:
        return
    given = {"repositoryName": repository, "imageTag": tag}
    given["imageManifestMediaType"] = found.media_type
    manifest = fetch_manifest(aws, repository, found.digest)
    aws.call("ecr", "PutImage", imageManifest=manifest, **given)


def fetch_manifest(aws: Aws, repository: str, digest: str) -> str:
    """Return an image's manifest or index byte for byte: otherwise its digest would be another."""
    [found] = _get_images(aws, repository, [digest])
    return str(found["imageManifest"])


def find_stored_blobs(aws: Aws, repository: str) -> list[StoredBlob]:
    """Return the layers and configurations that a repository stores, also of untagged images.

    A repository stores each once, also where several images share it.  The sizes are those in the
    manifests, because an emulator's `imageSizeInBytes` is the size of the manifest itself.
    """
    details = _describe_images(aws, repository)
    manifests = _read_manifests(aws, repository, [detail["imageDigest"] for detail in details])
    blobs: dict[str, StoredBlob] = {}
    # ECR charges for a layer from its first push on.
    for detail in sorted(details, key=lambda detail: detail["imagePushedAt"]):
        manifest = manifests.get(detail["imageDigest"], {})
        for blob in (*manifest.get("layers", ()), *filter(None, [manifest.get("config")])):
            blobs.setdefault(blob["digest"], (int(blob["size"]), detail["imagePushedAt"]))
    return list(blobs.values())


def _is_foreign(image: Image) -> bool:
    """Tell whether Fargate cannot run an image; one that states no platform may be fine."""
    return bool(image.platforms) and IMAGE_PLATFORM not in map(str, image.platforms)


def _join_platforms(image: Image) -> str:
    return ", ".join(map(str, image.platforms))


def _advise_rebuild(image: Image) -> tuple[CardPart, ...]:
    """Return why Fargate cannot run an image, and the command that builds one that it can run."""
    name = ":".join((image.repository, *image.tags[:1]))
    values = {"name": name, "found": _join_platforms(image), "wanted": IMAGE_PLATFORM}
    is_index = image.media_type in INDEX_TYPES
    key = "resources.registry.foreign-index" if is_index else "resources.registry.foreign"
    command = f"docker build --platform {IMAGE_PLATFORM} -t {name} ."
    summary = messages.text("resources.registry.rebuild", wanted=IMAGE_PLATFORM)
    return Note(messages.text(key, **values), "warn"), CommandBlock(summary, (command,))


def _describe_images(aws: Aws, repository: str) -> list[dict[str, Any]]:
    with accept_codes("RepositoryNotFoundException"):
        return aws.list_items("ecr", "DescribeImages", "imageDetails", repositoryName=repository)
    return []


class _Store(Struct, frozen=True):
    """The manifests and configurations of one repository."""

    aws: Aws
    repository: str
    session: requests.Session

    def read_image(self, detail: Mapping[str, Any], manifests: Mapping[str, Manifest]) -> Image:
        """Return the image that DescribeImages lists as `detail`."""
        manifest = manifests.get(detail["imageDigest"], {})
        plain = self._find_plain_manifests(manifest)
        configs = [self._read_config(each) for each, _ in plain]
        labels = [(config.get("config") or {}).get("Labels") or {} for config, _ in configs]
        layers = [layer for each, _ in plain for layer in each.get("layers", ())]
        platforms = [
            stated or _read_platform(config)
            for (_, stated), (config, _) in zip(plain, configs, strict=True)
        ]
        unread = [why for (_, why), known in zip(configs, platforms, strict=True) if not known]
        pushed = detail.get("imagePushedAt")
        return Image(
            repository=self.repository,
            digest=detail["imageDigest"],
            tags=tuple(sorted(detail.get("imageTags") or ())),
            media_type=manifest.get("mediaType") or detail.get("imageManifestMediaType", ""),
            platforms=tuple(filter(None, platforms)),
            size_bytes=sum(int(layer["size"]) for layer in layers),
            pushed_at=pushed.astimezone(UTC).isoformat(timespec="seconds") if pushed else "",
            built_by=next((each[ENGINE_LABEL] for each in labels if each.get(ENGINE_LABEL)), None),
            unread=next(filter(None, unread), None),
        )

    def _find_plain_manifests(self, manifest: Manifest) -> list[tuple[Manifest, Platform | None]]:
        """Return the manifest of each image behind a tag, and the platform that an index states.

        An index may list several images; a plain manifest is one.  The platform that an index
        states counts before that of the configuration.
        """
        if "manifests" not in manifest:
            return [(manifest, None)]
        children = [child for child in manifest["manifests"] if is_image_manifest(child)]
        digests = [child["digest"] for child in children]
        manifests = _read_manifests(self.aws, self.repository, digests)
        return [
            (manifests.get(child["digest"], {}), _read_platform(child.get("platform", {})))
            for child in children
        ]

    def _read_config(self, manifest: Manifest) -> tuple[Manifest, Unseen | None]:
        """Return an image's configuration, or why it could not be read."""
        described = manifest.get("config") or {}
        is_image = "digest" in described and described.get("mediaType", "") in _CONFIG_TYPES
        if manifest and not is_image:
            return {}, None
        host, untrusted = self.repository, None
        try:
            if not manifest or int(described.get("size", 0)) > _LARGEST_CONFIG:
                raise ValueError
            for _ in range(2):  # S3 answers 403 to an address that is no longer good
                address = self._find_address(described["digest"])
                host = urlsplit(address).netloc
                answer = self.session.get(address, timeout=_TIMEOUT)
                if answer.status_code != 403:
                    break
            if not answer.ok:
                raise OSError(f"HTTP {answer.status_code}")
            return msgspec.json.decode(answer.content, type=dict[str, Any]), None
        except HandsonError as error:
            return {}, Unseen(service="ecr", problem=error.problem, remedy=error.remedy)
        except OSError as error:
            untrusted = https.explain_untrusted(error, host)
            reason = str(https.find_cause(error))
        except (ValueError, msgspec.MsgspecError):
            reason = messages.text("resources.registry.no-configuration")
        values = {"repository": self.repository, "host": host, "reason": reason}
        problem, remedy = messages.advice("resources.registry.unread", **values)
        remedy = untrusted.remedy if untrusted else remedy
        return {}, Unseen(service="ecr", problem=problem, remedy=remedy)

    def _find_address(self, digest: str) -> str:
        """Return where a blob is: a signed address, which is used once and never kept."""
        if self.aws.endpoint:
            return self.aws.sign_address(f"/v2/{self.repository}/blobs/{digest}")
        layer = {"repositoryName": self.repository, "layerDigest": digest}
        return str(self.aws.call("ecr", "GetDownloadUrlForLayer", **layer)["downloadUrl"])


def _read_manifests(aws: Aws, repository: str, digests: Sequence[str]) -> dict[str, Manifest]:
    """Return the parsed manifests by digest, without those that ECR does not return."""
    manifests: dict[str, Manifest] = {}
    unique = list(dict.fromkeys(digests))
    for start in range(0, len(unique), _BATCH):
        for image in _get_images(aws, repository, unique[start : start + _BATCH]):
            manifests[image["imageId"]["imageDigest"]] = json.loads(image["imageManifest"])
    return manifests


def _get_images(aws: Aws, repository: str, digests: Sequence[str]) -> list[dict[str, Any]]:
    ids = [{"imageDigest": digest} for digest in digests]
    wanted = {"repositoryName": repository, "acceptedMediaTypes": list(MANIFEST_TYPES)}
    return list(aws.call("ecr", "BatchGetImage", imageIds=ids, **wanted).get("images", ()))


def _read_platform(stated: Mapping[str, Any]) -> Platform | None:
    if not stated.get("os") or not stated.get("architecture"):
        return None
    return Platform(os=stated["os"], architecture=stated["architecture"])
