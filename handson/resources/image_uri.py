"""The image URI that the learner keeps for step 3, in the home folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from handson.aws import Aws
from handson.core import files, messages
from handson.core.cards import Card, Note, Rows, Shown
from handson.course import rules
from handson.course.exercise import Exercise
from handson.course.state import RecordedUri
from handson.resources import registry

_FILE = "image-uri.json"


@dataclass(frozen=True, repr=False)
class ImageUri(Shown):
    """The recorded URI, by tag and by digest."""

    recorded: RecordedUri

    @property
    def uri(self) -> str:
        """The URI with the tag, as the ECR console shows it."""
        return self.recorded.uri

    def card(self) -> Card:
        """Return the card: both forms of the URI, and which of them never changes."""
        parts = (self.rows(), Note(messages.text("resources.image_uri.note")))
        return Card(messages.text("resources.image_uri.title"), parts, state="ok")

    def rows(self) -> Rows:
        """Return both forms of the URI."""
        repository, _, tag = self.recorded.uri.rpartition(":")
        return Rows(
            [
                (messages.text("resources.image_uri.row-tag", tag=tag), self.recorded.uri),
                (
                    messages.text("resources.image_uri.row-digest"),
                    f"{repository}@{self.recorded.digest}",
                ),
            ]
        )


def record_image_uri(
    aws: Aws,
    home: Path,
    *,
    repository: str,
    tag: str,
    exercise: Exercise = Exercise(),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ImageUri:
    """Keep the URI of an image that is in ECR, and return it.

    Raises:
        InvalidInput: The repository's name or the tag cannot be one.
        NotReady: There is no such repository or tag in ECR, or the home folder is not writable.
    """
    rules.repository_name(repository)
    rules.image_tag(tag)
    there = registry.require_repository(aws, repository, exercise=exercise)
    image = registry.require_image(aws, repository, tag)
    recorded = RecordedUri(
        uri=f"{there.uri}:{tag}",
        digest=image.digest,
        recorded_at=clock().isoformat(timespec="seconds"),
    )
    keep_image_uri(home, recorded)
    return ImageUri(recorded)


def keep_image_uri(home: Path, recorded: RecordedUri) -> None:
    """Let this be what was recorded.

    Raises:
        NotReady: The home folder is not writable.
    """
    files.write(home / _FILE, recorded)


def read_image_uri(home: Path) -> RecordedUri | None:
    """Return what was recorded, or None when nothing was, or the file is not readable."""
    return files.read(home / _FILE, RecordedUri)


def forget_image_uri(home: Path) -> None:
    """Forget what was recorded: the image it leads to is gone."""
    files.forget(home / _FILE)
