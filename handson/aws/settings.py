"""Where and who: target, exercise, endpoint, learner, home folder, language.

Read once, from arguments and the environment; arguments win.  Nothing else reads `HANDSON_…`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.files import not_writable, write_whole
from handson.core.text import find_nearest
from handson.course import rules, syllabus
from handson.course.exercise import Exercise

TARGETS = ("emulator", "aws")
ENGINES = ("auto", "docker", "builtin")

PREFIX = "HANDSON_"
_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws")
_NAMES = (
    "target",
    "endpoint_url",
    "region",
    "learner",
    "home",
    "lang",
    "aws_account",
    "engine",
    "base_image",
    "hand_in",
)


@dataclass(frozen=True)
class Settings:
    """What a workshop was started with.

    Attributes:
        target: "emulator" (the embedded AWS or `endpoint_url`) or "aws".
        exercise: What the learner is asked to build, in the chosen region.
        endpoint_url: An AWS-compatible endpoint in the place of the embedded AWS, or None.
        learner: Who hands in; empty until the learner has said so.
        home: The folder of the embedded AWS, the journal and the pictures.
        lang: "ja" or "en".
        account: The account that calls to real AWS are allowed in, or None.
        engine: "docker", "builtin" or "auto".
        base_image: The image in the place of the Dockerfile's `BASE_IMAGE`, or None.
        hand_in: Where the file for handing in is put; None beside the running notebook.
        environ: The whole environment, for the processes that the workshop starts.
    """

    target: str
    exercise: Exercise
    endpoint_url: str | None
    learner: str
    home: Path
    lang: str
    account: str | None
    engine: str
    base_image: str | None = None
    hand_in: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def region(self) -> str:
        """The one region for everything."""
        return self.exercise.region

    @property
    def docker_host(self) -> str:
        """`DOCKER_HOST`, or an empty string."""
        return self.environ.get("DOCKER_HOST", "")

    def as_environment(self) -> dict[str, str]:
        """Return the environment in which a kernel reads these settings again.

        A learner whom the home folder remembers is left to it, so that a name given in a notebook
        is the one that the next notebook finds.
        """
        remembered = self.learner == _remembered_learner(self.home)
        own = {
            "TARGET": self.target,
            "ENDPOINT_URL": self.endpoint_url or "",
            "REGION": self.region,
            "LEARNER": "" if remembered else self.learner,
            "HOME": str(self.home),
            "LANG": self.lang,
            "AWS_ACCOUNT": self.account or "",
            "ENGINE": self.engine,
            "BASE_IMAGE": self.base_image or "",
            "HAND_IN": str(self.hand_in or ""),
        }
        return {**self.environ, **{PREFIX + name: value for name, value in own.items()}}


def from_environment(**arguments: str | None) -> Settings:
    """Return the settings of this process: its environment, its folder, and the arguments."""
    return read(os.environ, cwd=Path.cwd(), **arguments)


def read(environ: Mapping[str, str], *, cwd: Path, **arguments: str | None) -> Settings:
    """Return the settings of arguments and environment; from here on messages speak their language.

    Args:
        environ: The environment; only ``HANDSON_…`` is looked at.
        cwd: Where the default home is looked for: `.handson` beside the notebooks.  In an edition
            of the notebooks, its language is the default.
        arguments: Any of target, endpoint_url, region, learner, home, lang, aws_account, engine,
            base_image, hand_in. None and an empty string leave it to the environment.

    Raises:
        InvalidInput: There is no such setting, or a value is none of the possible ones; nothing
            was created.
        NotReady: The home folder cannot be made or written.
    """
    given = {name: _given(name, environ, arguments) for name in _NAMES}
    lang = _language(given["lang"], cwd=cwd)
    endpoint = _endpoint(given["endpoint_url"])
    if endpoint and given["target"] == "aws":
        raise InvalidInput(*messages.advice("aws.settings.both", value=endpoint))
    chosen = Settings(
        target=_one_of("target", given["target"] or "emulator", TARGETS),
        exercise=_exercise(given["region"]),
        endpoint_url=endpoint,
        learner=_learner(given["learner"]),
        home=_home(given["home"], cwd=cwd),
        lang=lang,
        account=_account(given["aws_account"]),
        engine=_one_of("engine", given["engine"] or "auto", ENGINES),
        base_image=given["base_image"] or None,
        hand_in=cwd / Path(given["hand_in"]).expanduser() if given["hand_in"] else None,
        environ=dict(environ),
    )
    _make_writable(chosen.home)
    return chosen if chosen.learner else replace(chosen, learner=_remembered_learner(chosen.home))


def nbgrader_step() -> str:
    """Return what nbgrader executes this notebook for, "autograde" or "validate"; or nothing."""
    return os.environ.get("NBGRADER_EXECUTION", "").strip()


def is_assignment() -> bool:
    """Tell whether the notebook that runs is nbgrader's student version, its forms to be filled."""
    return _is_assignment(Path.cwd())


def speak(lang: str | None = None) -> None:
    """Let messages speak the language of the argument, or of the environment.

    Raises:
        InvalidInput: It is none that they speak.
    """
    _language(_given("lang", os.environ, {"lang": lang}), cwd=Path.cwd())


def home_of_environment() -> Path:
    """Return the home folder of this process, there or not; nothing is created."""
    return _home(os.environ.get(f"{PREFIX}HOME", "").strip(), cwd=Path.cwd())


def regions() -> tuple[str, ...]:
    """Return the regions of AWS's standard partition.

    From AWS's list (AWS General Reference, "AWS Regions"); kept here because a name is checked
    before boto3, which has the same list, is loaded.
    """
    return _REGIONS


def notebooks_folder(cwd: Path) -> Path | None:
    """Return the folder of the notebooks, found from `cwd` upwards, or None."""
    for folder in (cwd, *cwd.parents):
        if folder.name == "notebooks" and (folder / "ja").is_dir():
            return folder
        if (folder / "notebooks" / "ja").is_dir():
            return folder / "notebooks"
    return None


def _language_of(cwd: Path) -> str:
    """Return the language of the edition of the notebooks that `cwd` is in, or Japanese."""
    folder = notebooks_folder(cwd)
    editions = [lang for lang in messages.LANGUAGES if folder and cwd.is_relative_to(folder / lang)]
    return editions[0] if editions else messages.LANGUAGES[0]


def default_home(cwd: Path) -> Path:
    """Return `.handson` beside the notebooks, or in `cwd` where there are none.

    What lies in an assignment's folder is handed in with it: there it is the folder around it.
    """
    around = cwd.parent if _is_assignment(cwd) and os.access(cwd.parent, os.W_OK) else cwd
    return (notebooks_folder(cwd) or around) / ".handson"


def remember_learner(home: Path, learner: str) -> None:
    """Keep the learner's name in the home folder, for the notebooks that follow.

    Raises:
        NotReady: The home folder cannot be written; the name that was kept before still is.
    """
    write_whole(home / "learner", learner + "\n")


def _is_assignment(folder: Path) -> bool:
    """Tell whether a folder holds notebooks as nbgrader hands them out, their cells' sums taken."""
    try:
        return b'"checksum"' in (folder / f"{syllabus.CHECKS[0].notebook}.ipynb").read_bytes()
    except OSError:
        return False


def _language(lang: str, *, cwd: Path) -> str:
    chosen = _one_of("lang", lang or _language_of(cwd), messages.LANGUAGES)
    messages.use(chosen)
    return chosen


def _given(name: str, environ: Mapping[str, str], arguments: Mapping[str, str | None]) -> str:
    for argument in sorted(set(arguments) - set(_NAMES)):
        near = find_nearest(argument, _NAMES) or "learner"
        choices = ", ".join(_NAMES)
        found = messages.advice("aws.settings.unknown", name=argument, near=near, choices=choices)
        raise InvalidInput(*found)
    value = arguments.get(name)
    if value is not None and not isinstance(value, (str, Path)):
        raise InvalidInput(*messages.advice("aws.settings.not-text", name=name, value=repr(value)))
    return str(value or "").strip() or environ.get(PREFIX + name.upper(), "").strip()


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value in choices:
        return value
    raise InvalidInput(
        *messages.advice(
            "aws.settings.choice",
            name=PREFIX + name.upper(),
            value=value,
            choices=" / ".join(choices),
        )
    )


def _exercise(region: str) -> Exercise:
    """Return the workshop's own exercise, in the chosen region."""
    return Exercise(region=rules.region(region, known=regions())) if region else Exercise()


def _endpoint(url: str) -> str | None:
    if not url:
        return None
    parts = _parts(url)
    if parts and parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc:
        if _is_aws(parts.hostname):
            raise InvalidInput(*messages.advice("aws.settings.aws-endpoint", value=parts.hostname))
        return url.rstrip("/")
    # What stands before an @ may be a password, and a sentence is saved with the notebook.
    raise InvalidInput(*messages.advice("aws.settings.endpoint", value=url.rpartition("@")[2]))


def _is_aws(host: str) -> bool:
    """Tell whether a host is AWS itself, which is reached by HANDSON_TARGET alone."""
    name = f".{host.rstrip('.').lower()}"
    return name.endswith(_AWS_DOMAINS)


def _parts(url: str) -> SplitResult | None:
    """Return the parts of a URL whose port, if it names one, can be a port."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _account(account: str) -> str | None:
    digits = account.replace("-", "")
    if not digits:
        return None
    if len(digits) == 12 and digits.isascii() and digits.isdecimal():
        return digits
    raise InvalidInput(*messages.advice("aws.settings.account", value=account))


def _home(home: str, *, cwd: Path) -> Path:
    try:
        folder = Path(home).expanduser() if home else default_home(cwd)
    except RuntimeError as error:  # "~nobody"
        raise not_writable(Path(home), error) from error
    return folder if folder.is_absolute() else cwd / folder


def _make_writable(folder: Path) -> None:
    """Make the folder, and prove that something can be kept in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise not_writable(folder, error) from error


def _learner(learner: str) -> str:
    if len(learner) > 80 or not learner.isprintable():
        raise InvalidInput(*messages.advice("aws.settings.learner"))
    return learner


def _remembered_learner(home: Path) -> str:
    """Return the name that is kept in the home folder; empty where none can be read."""
    try:
        return _learner((home / "learner").read_text(encoding="utf-8").strip())
    except (OSError, ValueError, InvalidInput):
        return ""


_REGIONS = (
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)
