"""Build an image and push it: tags, the console's push commands, and the image URI for step 3.

The module checks its input before it asks an engine: the build context and its Dockerfile exist,
names and tags follow the rules that Docker and ECR share.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from shutil import which

from msgspec import Struct

from handson.aws import Aws
from handson.core import files, messages
from handson.core.cards import Card, CardPart, CommandBlock, Displayable, Note, Rows, list_fields
from handson.core.errors import InvalidInput, NotReady
from handson.core.folders import find_current_folder, find_notebooks_folder, locate
from handson.core.progress import Say
from handson.core.text import find_nearest, pick_fields, quote
from handson.course import evidence, rules
from handson.course.exercise import IMAGE_PLATFORM, Exercise
from handson.course.state import RecordedUri
from handson.engine import Engine
from handson.engine.build_context import list_context
from handson.engine.dockerfile import DOCKERFILE
from handson.engine.model import BuildRequest, Destination, LocalImage, PushedImage
from handson.engine.registry_client import RegistryClient
from handson.resources import plan
from handson.resources.images import require_image

AWS_CLI = "aws"

_COMMANDS = files.read_data("handson.resources", "push_commands.toml")
IMAGE_URI = files.KeptState("image-uri.json", RecordedUri)
"""The URI that the learner has recorded."""


class PushCommands(Displayable, Struct, frozen=True):
    """The commands that push an image by hand, as the ECR console's "View push commands".

    They are the console's, with the account kept in a variable and the platform of Fargate named.
    An emulator has no console: there both lists use the aws CLI and begin with the variables of
    `setup`, so that one can paste them unchanged; the card shows these apart.

    Attributes:
        repository: The repository's name, and the image's local one.
        context: The folder with the Dockerfile.
        registry: The registry's address for docker.
        region: The registry's region.
        tag: The tag to build and push.
        base_image: The image in place of the Dockerfile's base image, if any.
        setup: The variables that point the aws CLI at an emulator; empty on AWS.
        program: The aws CLI, or the `handson` command where there is none.
        notes: What keeps the commands from being run here, or from reaching a repository.
    """

    repository: str
    context: Path | str
    registry: str
    region: str
    tag: str = "latest"
    base_image: str = ""
    setup: Mapping[str, str] = {}
    program: str = AWS_CLI
    notes: tuple[Note, ...] = ()

    @property
    def bash(self) -> tuple[str, ...]:
        """The commands for bash."""
        program, context = map(shlex.quote, (self.program, str(self.context)))
        lines = self._fill_in("bash", program=program, context=context)
        return (*plan.format_exports(self.setup), *lines)

    @property
    def powershell(self) -> tuple[str, ...]:
        """The commands for PowerShell."""
        program, context = map(_quote_path, (self.program, str(self.context)))
        program = program if program == self.program else f"& {program}"
        shell = "powershell" if self.setup or self.program != AWS_CLI else "powershell-tools"
        return (
            *(f"$env:{name} = {_quote_variable(value)}" for name, value in self.setup.items()),
            *self._fill_in(shell, program=program, context=context),
        )

    def _fill_in(self, shell: str, **values: str) -> Iterator[str]:
        local = f"{self.repository}:{self.tag}"
        base = shlex.join(["--build-arg", f"BASE_IMAGE={self.base_image}"])
        values |= {
            **pick_fields(self, "region registry"),
            "platform": IMAGE_PLATFORM,
            "local": local,
            "name": self.repository if self.tag == "latest" else local,
            "base": f"{base} " if self.base_image else "",
        }
        return (line.format(**values) for line in _COMMANDS[shell])

    def card(self) -> Card:
        """Return the card: both lists, before them what other terminals need to be told."""
        parts: list[CardPart] = list(self.notes)
        if self.program != AWS_CLI:
            parts.append(Note(messages.text("resources.image.no-aws-cli"), "advice"))
        first = len(self.setup)
        for shell, lines in (("bash", self.bash), ("powershell", self.powershell)):
            name = messages.label("resources.image.shell", shell)
            other = messages.text("resources.image.other-terminal", shell=name)
            here = (shell == "powershell") == (os.name == "nt")
            parts.append(CommandBlock(name, lines[first:], unfolded=here))
            parts += [CommandBlock(other, lines[:first])] if first else []
        is_warned = any(note.state == "warn" for note in self.notes)
        title = messages.text("resources.image.push-commands", name=self.repository)
        return Card(title, parts, state="warn" if is_warned else "info")


def find_program() -> str:
    """Return the aws CLI, or where it is not installed the `handson` command in its place."""
    own = str(Path(sys.executable).with_name("handson"))
    return AWS_CLI if which(AWS_CLI) else "handson" if which("handson") else own


def locate_context(context: Path | str) -> Path | str:
    """Return the context, seen from the notebook or else from the working folder.

    Where it is missing, return the folder of its name beside the notebook or the editions, if that
    has a Dockerfile: a course may hand out the application there, or a notebook lie deeper.
    """
    given = Path(str(context)).expanduser()
    seen = [locate(given), given]
    named = [folder / given.name for folder in _list_places()]
    fitting = [*filter(_has_dockerfile, seen), *filter(Path.exists, seen)]
    place = next(iter([*fitting, *filter(_has_dockerfile, named)]), given)
    return context if place == given else place


def _list_places() -> tuple[Path, ...]:
    """Return the folders around the notebook that may hold an application's folder."""
    here = find_current_folder()
    return locate("."), find_notebooks_folder(here) or here


def _has_dockerfile(folder: Path) -> bool:
    return (folder / DOCKERFILE).is_file()


def prepare_build(
    context: Path | str,
    *,
    folder: Path,
    name: str = "rails-app",
    tag: str = "latest",
    build_args: Mapping[str, str] | None = None,
) -> BuildRequest:
    """Return the checked request to build `context`.

    Args:
        context: The build context; it contains a Dockerfile.
        folder: Where an engine may keep its files.
        name: The image's local name.
        tag: The learner's tag.
        build_args: Values for the Dockerfile's `ARG`s.

    Raises:
        InvalidInput: The context or its Dockerfile is missing, or the name or tag is invalid.
        NotReady: A file of the context cannot be read.
    """
    rules.check_repository_name(name)
    rules.check_image_tag(tag)
    place = find_context(context)
    _require_readable(place)
    return BuildRequest(
        context=place, folder=folder, name=name, tag=tag, build_args=dict(build_args or {})
    )


def find_context(context: Path | str) -> Path:
    """Return the folder of a build context, which contains a Dockerfile.

    Raises:
        InvalidInput: The folder or its Dockerfile is missing.
    """
    place = Path(str(locate_context(context))).expanduser()
    if not place.is_dir():
        raise _refuse_context("resources.image.no-context", context)
    if not _has_dockerfile(place):
        raise _refuse_context("resources.image.no-dockerfile", context)
    return place.resolve()


def _require_readable(context: Path) -> None:
    """Refuse a context with a file that cannot be read: engines would break off within it."""
    try:
        for path in map(context.joinpath, list_context(context)):
            if path.is_file():
                path.open("rb").close()
    except OSError as error:
        path, reason = error.filename or context, error.strerror or str(error)
        raise NotReady.from_key("resources.image.unreadable", path=path, reason=reason) from error


def _refuse_context(key: str, context: Path | str) -> InvalidInput:
    """Return the refusal of a context, with a folder that has a Dockerfile if one is near."""
    library = find_notebooks_folder(Path(__file__).parent)
    places = filter(None, [locate(".."), *_list_places(), Path.cwd(), library])
    found = [file.parent for place in places for file in sorted(place.glob(f"*/{DOCKERFILE}"))]
    by_name = {folder.name: folder for folder in reversed(found)}
    near = find_nearest(Path(str(context)).name, by_name) or next(reversed(by_name), "")
    refused = InvalidInput.from_key(key, path=context, folder=by_name.get(near, near))
    if not found:
        refused.remedy = messages.text("resources.image.no-app")
    return refused


def run_git(context: Path, *arguments: str) -> str | None:
    """Return what git says about a folder, or None where it is no repository, or git is missing."""
    # The repository's settings may name a file system monitor, which is a program: do not run it.
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(context), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def check_local_image(image: object) -> None:
    """Refuse anything but an image that an engine built.

    Raises:
        InvalidInput: It is something else, such as the image's name.
    """
    if not isinstance(image, LocalImage):
        raise InvalidInput.from_key("resources.image.not-built", value=quote(image))


def push_image(
    engine: Engine, image: LocalImage, *, destination: Destination, say: Say
) -> PushedImage:
    """Push `image` with the destination's tag.

    Raises:
        InvalidInput: The tag or the repository's name is invalid, or another engine built it.
        NotReady: The emulator has no registry.
        HandsonError: The registry refused a request or broke off.
    """
    rules.check_repository_name(destination.repository)
    rules.check_image_tag(destination.tag)
    if image.engine != engine.name:
        values = {"name": image.name, "built": image.engine}
        raise InvalidInput.from_key("resources.image.other-engine", **values)
    if destination.scheme == "http" and RegistryClient(destination).find_status() == 404:
        registry = destination.registry
        raise NotReady.from_key("resources.image.no-registry", registry=registry)
    return engine.push(image, destination, say=say)


class ImageUri(Displayable, Struct, frozen=True):
    """The recorded URI of an image, by tag and by digest."""

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
        digest = f"{repository}@{self.recorded.digest}"
        values = {"uri": self.recorded.uri, "digest": digest, "tag": tag}
        return list_fields("resources.image_uri.row", values)


def record_image_uri(
    aws: Aws,
    home: Path,
    *,
    repository: str,
    tag: str,
    exercise: Exercise = Exercise(),
    clock: Callable[[], datetime] = evidence.now,
) -> ImageUri:
    """Record the URI of an image in ECR in the home folder, and return it.

    Raises:
        InvalidInput: The repository's name or the tag is invalid.
        NotReady: ECR has no such repository or tag, or the home folder is not writable.
    """
    found, image = require_image(aws, repository, tag, exercise=exercise)
    recorded = RecordedUri(
        uri=f"{found.uri}:{tag}",
        digest=image.digest,
        recorded_at=clock().isoformat(timespec="seconds"),
    )
    IMAGE_URI.write(home, recorded)
    return ImageUri(recorded)


def _quote_path(path: str) -> str:
    return path if re.fullmatch(r"[\w./\\:~-]+", path) else _quote_powershell(path)


def _quote_powershell(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quote_variable(value: str) -> str:
    return value if value == plan.SHOWN_SECRET else _quote_powershell(value)
