"""What is in a repository."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from handson.aws import Aws
from handson.core import messages
from handson.core.cards import Card, Commands, Note, Part, Shown, Table
from handson.core.errors import AWSError, NotReady
from handson.course.state import Image
from handson.engine import IMAGE_PLATFORM, format_size
from handson.resources.registry.contents import INDEX_TYPES, read_contents, read_manifests


@dataclass(frozen=True, repr=False)
class Images(Shown):
    """What is in a repository, the newest push first."""

    repository: str
    images: tuple[Image, ...]

    def card(self) -> Card:
        """Return the card: one line an image, as the console lists them."""
        title = messages.text("resources.registry.images-title", name=self.repository)
        if not self.images:
            return Card(title, (Note(messages.text("resources.registry.no-images")),), state="warn")
        foreign = [image for image in self.images if _is_foreign(image)]
        notes = [part for image in foreign for part in _mending(image)]
        return Card(title, (self.table(), *notes), state="warn" if foreign else "ok")

    def table(self) -> Table:
        """Return the table: one line an image, and no word on whether it is a good one."""
        headers = [
            messages.text(f"resources.registry.column-{name}")
            for name in ("tags", "digest", "size", "for")
        ]
        rows = [
            (
                ", ".join(image.tags) or "-",
                f"{image.digest[:19]}…",
                format_size(image.size_bytes),
                _platforms(image) or "-",
            )
            for image in self.images
        ]
        return Table(headers, rows)


def find_images(aws: Aws, repository: str) -> tuple[Image, ...]:
    """Return the tagged images of a repository, the newest push first.

    Untagged manifests are left out: they are parts of an index, or what a tag led to before.  Only
    where nothing has a tag, the images without one are what there is.
    """
    details = _details(aws, repository)
    listed = [detail for detail in details if detail.get("imageTags")] or details
    manifests = read_manifests(aws, repository, [_digest(detail) for detail in listed])
    parts = {part["digest"] for index in manifests.values() for part in index.get("manifests", ())}
    whole = [detail for detail in listed if detail.get("imageTags") or _digest(detail) not in parts]
    with ThreadPoolExecutor(8) as pool:
        images = list(pool.map(lambda detail: _image(aws, repository, detail, manifests), whole))
    return tuple(sorted(images, key=lambda image: (image.pushed_at, image.tags), reverse=True))


def require_image(aws: Aws, repository: str, tag: str) -> Image:
    """Return the image that a tag of a repository leads to.

    Raises:
        NotReady: No image has the tag; says which tags there are.
    """
    images = find_images(aws, repository)
    image = next((image for image in images if tag in image.tags), None)
    if image is None:
        tags = ", ".join(name for item in images for name in item.tags) or "-"
        sentences = messages.advice(
            "resources.registry.no-image", repository=repository, tag=tag, tags=tags
        )
        raise NotReady(*sentences, code="ImageNotFoundException")
    return image


def _is_foreign(image: Image) -> bool:
    """Tell an image that Fargate cannot run; one that does not state its platform may be fine."""
    return bool(image.platforms) and IMAGE_PLATFORM not in _platforms(image).split(", ")


def _platforms(image: Image) -> str:
    return ", ".join(f"{item.os}/{item.architecture}" for item in image.platforms)


def _mending(image: Image) -> tuple[Part, ...]:
    """Return why Fargate could not run an image, and the command that builds one that it can."""
    key = "foreign-index" if image.media_type in INDEX_TYPES else "foreign"
    name = ":".join((image.repository, *image.tags[:1]))
    reason = messages.text(
        f"resources.registry.{key}", name=name, found=_platforms(image), wanted=IMAGE_PLATFORM
    )
    command = f"docker build --platform {IMAGE_PLATFORM} -t {name} ."
    summary = messages.text("resources.registry.rebuild", wanted=IMAGE_PLATFORM)
    return Note(reason, "warn"), Commands(summary, (command,))


def _digest(detail: Mapping[str, Any]) -> str:
    return str(detail["imageDigest"])


@dataclass(frozen=True)
class StoredBlob:
    """A layer or configuration that a repository stores, once however many images have it."""

    digest: str
    size_bytes: int
    since: datetime


def find_stored_blobs(aws: Aws, repository: str) -> tuple[StoredBlob, ...]:
    """Return what a repository stores, with the images that have no tag any more.

    The sizes are those in the manifests: an emulator's `imageSizeInBytes` is the manifest's own.
    """
    details = _details(aws, repository)
    manifests = read_manifests(aws, repository, [detail["imageDigest"] for detail in details])
    blobs: dict[str, StoredBlob] = {}
    for detail in sorted(details, key=lambda detail: detail["imagePushedAt"]):
        manifest = manifests.get(detail["imageDigest"], {})
        for blob in (*manifest.get("layers", ()), *filter(None, [manifest.get("config")])):
            found = StoredBlob(blob["digest"], int(blob["size"]), detail["imagePushedAt"])
            blobs.setdefault(found.digest, found)
    return tuple(blobs.values())


def _details(aws: Aws, repository: str) -> list[dict[str, Any]]:
    try:
        return aws.pages("ecr", "DescribeImages", "imageDetails", repositoryName=repository)
    except AWSError as error:
        if error.code == "RepositoryNotFoundException":
            return []
        raise


def _image(
    aws: Aws,
    repository: str,
    detail: Mapping[str, Any],
    manifests: Mapping[str, dict[str, Any]],
) -> Image:
    digest = _digest(detail)
    manifest = manifests.get(digest, {})
    contents = read_contents(aws, repository, manifest)
    pushed = detail.get("imagePushedAt")
    return Image(
        repository=repository,
        digest=digest,
        tags=tuple(sorted(detail.get("imageTags") or ())),
        media_type=manifest.get("mediaType") or detail.get("imageManifestMediaType", ""),
        platforms=tuple(contents.platforms),
        size_bytes=contents.size_bytes,
        pushed_at=pushed.astimezone(UTC).isoformat(timespec="seconds") if pushed else "",
        built_by=contents.built_by,
    )
