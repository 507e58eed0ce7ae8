"""Images before and on their way to a registry: which tag, which commands, build and push.

Input is checked here before an engine is asked for anything: the context and its Dockerfile
exist, names and tags follow the rules that Docker and ECR share.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from handson.core import cards, messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.progress import Say
from handson.core.text import quote
from handson.course import rules
from handson.engine import BuildRequest, Destination, Engine, LocalImage, PushedImage
from handson.engine.packing import digest_context, list_context

DOCKERFILE = "Dockerfile"

_DIGITS = 12
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, repr=False)
class PushCommands(cards.Shown):
    """The ECR console's "View push commands", for bash and for PowerShell, in order."""

    repository: str
    bash: tuple[str, ...]
    powershell: tuple[str, ...]
    lacking: tuple[str, str] | None = None
    """Problem and remedy where the repository is not there, so that a push would fail."""

    def card(self) -> cards.Card:
        """Return the card: both lists, and what Apple Silicon needs."""
        parts = (
            *(cards.warning(*self.lacking) if self.lacking else ()),
            cards.Commands(messages.text("resources.image.bash"), self.bash),
            cards.Commands(messages.text("resources.image.powershell"), self.powershell),
            cards.Note(messages.text("resources.image.apple-silicon"), "advice"),
        )
        title = messages.text("resources.image.push-commands", name=self.repository)
        return cards.Card(title, parts, state="warn" if self.lacking else "info")


@dataclass(frozen=True)
class PushForm:
    """What the push commands are filled in with.

    Attributes:
        repository: The repository's name, and the image's local one.
        context: The folder with the Dockerfile.
        registry: The registry's address, as docker takes it.
        region: The registry's region.
        tag: The tag to build and push.
        base_image: What takes the place of the Dockerfile's base image, if anything does.
    """

    repository: str
    context: Path | str
    registry: str
    region: str
    tag: str = "latest"
    base_image: str = ""


def unique_tag(context: Path) -> str:
    """Return a tag that names exactly this build context.

    The commit id (12 hex digits) where Git has every file of the context and none of them is
    changed; else ``ctx-`` and 12 hex digits of the context's digest.  `.dockerignore` is honoured.

    Raises:
        NotReady: A file of the context cannot be read.
    """
    try:
        return _commit(context) or f"ctx-{_digest(context)[:_DIGITS]}"
    except OSError as error:
        path, reason = error.filename or context, error.strerror or str(error)
        found = messages.advice("resources.image.unreadable", path=path, reason=reason)
        raise NotReady(*found) from error


def push_commands(form: PushForm, *, setup: Mapping[str, str] = _NOTHING) -> PushCommands:
    """Return the commands that push an image by hand, as the ECR console shows them.

    On AWS they are the console's, to the letter.  An emulator has no console: there both lists use
    the aws CLI, and `setup` is set first, so that they can be pasted as they stand.

    Args:
        form: Which folder's image goes where.
        setup: The variables that point the aws CLI at an emulator; empty on AWS.

    Raises:
        InvalidInput: The repository's name or the tag is none.
    """
    rules.repository_name(form.repository)
    rules.image_tag(form.tag)
    target = f"{form.registry}/{form.repository}:{form.tag}"
    local = form.repository if form.tag == "latest" else f"{form.repository}:{form.tag}"
    base = ("--build-arg", f"BASE_IMAGE={form.base_image}") if form.base_image else ()
    password = f"aws ecr get-login-password --region {form.region}"
    login = f"docker login --username AWS --password-stdin {form.registry}"
    rest = (
        shlex.join(("docker", "build", "-t", local, *base, ".")),
        f"docker tag {form.repository}:{form.tag} {target}",
        f"docker push {target}",
    )
    bash = (
        *(f"export {name}={shlex.quote(value)}" for name, value in setup.items()),
        f"cd {shlex.quote(str(form.context))}",
        "aws sts get-caller-identity",
        f"{password} | {login}",
        *rest,
    )
    powershell = (
        *(f"$env:{name} = {_powershell_string(value)}" for name, value in setup.items()),
        f"Set-Location {_powershell_quoted(str(form.context))}",
        "aws sts get-caller-identity" if setup else "Get-STSCallerIdentity",
        f"{password if setup else '(Get-ECRLoginCommand).Password'} | {login}",
        *rest,
    )
    return PushCommands(form.repository, bash, powershell)


def context_handed_out(context: Path | str) -> Path | str:
    """Return the context, or the folder of its name beside the notebook where it is not there.

    A course that hands out folders hands out the application within them.
    """
    beside = Path(Path(str(context)).name)
    is_there = Path(str(context)).expanduser().exists()
    return beside if not is_there and (beside / DOCKERFILE).is_file() else context


def prepare(
    context: Path | str,
    *,
    folder: Path,
    name: str = "rails-app",
    tag: str = "latest",
    build_args: Mapping[str, str] | None = None,
) -> BuildRequest:
    """Return the request to build `context`, checked, with its unique tag beside `tag`.

    Args:
        context: The build context; it holds a Dockerfile.
        folder: Where an engine may keep what it makes.
        name: The image's local name.
        tag: The tag that was asked for.
        build_args: Values for the Dockerfile's `ARG`s.

    Raises:
        InvalidInput: Context or Dockerfile are missing, or name or tag are none.
        NotReady: A file of the context cannot be read.
    """
    rules.repository_name(name)
    rules.image_tag(tag)
    place = find_context(context)
    return BuildRequest(
        context=place,
        dockerfile=place / DOCKERFILE,
        folder=folder,
        name=name,
        tags=tags_of(place, tag),
        build_args=dict(build_args or {}),
    )


def find_context(context: Path | str) -> Path:
    """Return the folder of a build context, which holds a Dockerfile.

    Raises:
        InvalidInput: There is no such folder, or no Dockerfile in it.
    """
    place = Path(str(context_handed_out(context))).expanduser()
    if not place.is_dir():
        raise InvalidInput(*messages.advice("resources.image.no-context", path=context))
    if not (place / DOCKERFILE).is_file():
        raise InvalidInput(*messages.advice("resources.image.no-dockerfile", path=context))
    return place.resolve()


def tags_of(place: Path, tag: str) -> tuple[str, ...]:
    """Return the tags that an image gets: the one that was asked for, and one of its own.

    Raises:
        NotReady: A file of the context cannot be read.
    """
    return tuple(dict.fromkeys((tag, unique_tag(place))))


def build_image(engine: Engine, request: BuildRequest, *, say: Say) -> LocalImage:
    """Build the image of a prepared request with `engine`; it has all of the request's tags.

    Raises:
        HandsonError: The engine says what failed, and where in the Dockerfile.
    """
    for tag in request.tags:
        rules.image_tag(tag)
    return engine.build(request, say=say)


def check_built(image: object) -> None:
    """Accept an image that an engine built.

    Raises:
        InvalidInput: It is something else, such as the image's name.
    """
    if not isinstance(image, LocalImage):
        raise InvalidInput(*messages.advice("resources.image.not-built", value=quote(image)))


def push_image(
    engine: Engine, image: LocalImage, *, destination: Destination, say: Say
) -> PushedImage:
    """Push `image`; the destination's tags (all of the image's when none are named) lead to it.

    Raises:
        InvalidInput: A tag or the repository's name is none, or another engine built the image.
        HandsonError: The registry refused, or broke off.
    """
    rules.repository_name(destination.repository)
    for tag in destination.tags:
        rules.image_tag(tag)
    if image.engine != engine.name:
        found = messages.advice("resources.image.other-engine", name=image.name, built=image.engine)
        raise InvalidInput(*found)
    return engine.push(image, destination, say=say)


def _digest(context: Path) -> str:
    dockerfile = context / DOCKERFILE
    return digest_context(context, extra=(dockerfile,) if dockerfile.is_file() else ())


def _commit(context: Path) -> str:
    """Return the commit id that holds exactly this context, or nothing."""
    tracked = _git(context, "ls-files", "-z")
    head = _git(context, "rev-parse", "--verify", "HEAD")
    changed = _git(context, "status", "--porcelain", "--untracked-files=no", "--", ".")
    if tracked is None or head is None or changed is None or changed:
        return ""
    known = set(tracked.split("\0"))
    listed = list_context(context)
    # Git's own folder is never tracked, and changes without the shop changing.
    ours = (path for path in listed if path != ".git" and not path.startswith(".git/"))
    files = {path for path in ours if not _is_folder(context / path)}
    return head.strip()[:_DIGITS] if {*files, DOCKERFILE} <= known else ""


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _git(context: Path, *arguments: str) -> str | None:
    # A file system monitor that the repository's settings name is a program: not run from here.
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(context), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def _powershell_quoted(path: str) -> str:
    return path if re.fullmatch(r"[\w./\\:~-]+", path) else _powershell_string(path)


def _powershell_string(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
