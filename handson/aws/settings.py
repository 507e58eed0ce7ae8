"""Settings: the target, the exercise, the endpoint, the learner, the home folder, the language.

They are read once, from arguments and the environment; arguments win.  No other module reads a
variable ``HANDSON_…``.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from handson.core import folders, messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.files import make_private, write_whole
from handson.core.text import find_nearest
from handson.course import rules, syllabus
from handson.course.course import read_course
from handson.course.exercise import Exercise
from handson.course.variation import Variation

TARGETS = ("emulator", "aws")
ENGINES = ("auto", "docker", "builtin")
SWITCH = ("off", "on")
_CHOICES = {"target": TARGETS, "engine": ENGINES, "activity_log": SWITCH}

COURSE = "course.toml"
"""The file of the course, where it stands beside the notebooks."""

_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws")
_NAMES = (
    "target", "endpoint_url", "region", "learner", "home", "lang", "aws_account", "engine",
    "base_image", "hand_in", "activity_log", "course",
)  # fmt: skip


class Settings(Struct, frozen=True):
    """The settings of a workshop.

    Attributes:
        target: "emulator" (the embedded AWS or `endpoint_url`) or "aws".
        exercise: What the learner is asked to build.
        region: The one region for everything, by default the exercise's.
        endpoint_url: An AWS-compatible endpoint in place of the embedded AWS, or None.
        learner: The learner's name; empty until the learner gives it.
        learner_from: The name's source: "argument", "environment", "kept" (by the home folder),
            "hub", or "" without a name.
        home: The folder of the embedded AWS, the journal and the pictures.
        lang: "ja" or "en".
        aws_account: The account in which calls to real AWS are allowed, or None.
        engine: "docker", "builtin" or "auto".
        base_image: The image in place of the Dockerfile's `BASE_IMAGE`, or None.
        hand_in: The folder of the file to hand in, or None for that of the running notebook.
        activity_log: "on" to log starts and the names of errors for a class board, or "off".
        course: The file that `HANDSON_COURSE` names, or None.
        variation: What varies from learner to learner, or None.
        environ: The whole environment, for the processes that the workshop starts.
    """

    target: str
    exercise: Exercise
    region: str
    endpoint_url: str | None
    learner: str
    home: Path
    lang: str
    aws_account: str | None
    engine: str
    base_image: str | None = None
    hand_in: Path | None = None
    activity_log: str = SWITCH[0]
    course: Path | None = None
    variation: Variation | None = None
    learner_from: str = ""
    environ: Mapping[str, str] = {}

    def __repr__(self) -> str:
        # The environment may hold secrets.
        shown = {name: value for name, value in asdict(self).items() if name != "environ"}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def docker_host(self) -> str:
        """`DOCKER_HOST`, or an empty string."""
        return self.environ.get("DOCKER_HOST", "")

    def without_course(self) -> Settings:
        """Return these settings for the worked notebooks, which build the usual exercise."""
        exercise = Exercise()
        region = self.environ.get("HANDSON_REGION", "").strip() or exercise.region
        return replace(self, course=None, variation=None, exercise=exercise, region=region)

    def as_environment(self) -> dict[str, str]:
        """Return the environment from which a kernel reads these settings, with our commands.

        A name that the home folder keeps is left out, and so is the hub's: a notebook may change it
        there, and the next notebook reads the change.
        """
        chosen = {name: str(getattr(self, name) or "") for name in _NAMES}
        if self.region == self.exercise.region:  # another name may have another exercise
            chosen["region"] = self.environ.get("HANDSON_REGION", "")
        if self.learner_from == "hub" or self.learner == _remembered_learner(self.home):
            chosen["learner"] = ""
        # The notebook of this process is not that of the kernel.
        environ = {name: value for name, value in self.environ.items() if name != folders.SESSION}
        places = (str(Path(sys.executable).parent), environ.get("PATH", os.defpath))
        environ["PATH"] = os.pathsep.join(places)
        return environ | {_variable(name): value for name, value in chosen.items()}


def read_environment(**arguments: str | None) -> Settings:
    """Return the settings of this process, from its environment, its notebook and the arguments."""
    return read_settings(os.environ, cwd=folders.find_current_folder(), **arguments)


def read_settings(environ: Mapping[str, str], *, cwd: Path, **arguments: str | None) -> Settings:
    """Return the settings from arguments and environment, and switch messages to their language.

    Args:
        environ: The environment; only ``HANDSON_…`` is read, and the user of a JupyterHub.
        cwd: The notebook's folder.  The default home is `.handson` beside the notebooks around it,
            and the default language is that of the edition it is in, or of the only one around.
            `course.toml` is read in it, or beside the notebooks around it, and nowhere else.
        arguments: Any of target, endpoint_url, region, learner, home, lang, aws_account, engine,
            base_image, hand_in, activity_log, course.  None and an empty string leave a setting to
            the environment.

    Raises:
        InvalidInput: An argument is unknown, or a value is invalid; nothing was created.
        NotReady: The home folder cannot be made or written.
    """
    given = _read_values(environ, arguments)
    lang = _switch_language(given["lang"], cwd=cwd)
    endpoint = _parse_endpoint(given["endpoint_url"])
    if endpoint and given["target"] == "aws":
        raise InvalidInput.from_key("aws.settings.both", value=endpoint)
    home = _locate(given["home"], cwd=cwd) or default_home(cwd)
    learner, learner_from = _find_learner(environ, given["learner"], home)
    if str(arguments.get("learner") or "").strip():
        learner_from = "argument"
    course = _locate(given["course"], cwd=cwd)
    variation = _read_variation(course, cwd=cwd)
    exercise = variation.derive_exercise(learner) if variation and learner else Exercise()
    region = given["region"] or exercise.region
    chosen = Settings(
        **{name: _require_choice(name, given[name], of) for name, of in _CHOICES.items()},
        exercise=exercise,
        region=rules.check_region(region, known=list_regions(), usual=exercise.region),
        endpoint_url=endpoint,
        learner=learner,
        home=home,
        lang=lang,
        aws_account=_parse_account(given["aws_account"]),
        base_image=given["base_image"] or None,
        hand_in=_locate(given["hand_in"], cwd=cwd),
        course=course,
        variation=variation,
        learner_from=learner_from,
        environ=dict(environ),
    )
    _make_writable(chosen.home, cwd=cwd)
    return chosen


def choose_language(lang: str | None = None, *, cwd: Path | None = None) -> str:
    """Switch messages to a language, by default that of the environment, and return it.

    Raises:
        InvalidInput: The language is not supported.
    """
    given = _read_values(os.environ, {"lang": lang})["lang"]
    return _switch_language(given, cwd=cwd or folders.find_current_folder())


def find_home() -> Path:
    """Return the home folder of this process, whether it exists or not; create nothing."""
    given, cwd = _read_values(os.environ, {}), folders.find_current_folder()
    return _locate(given["home"], cwd=cwd) or default_home(cwd)


def find_variation() -> Variation | None:
    """Return what varies from learner to learner in the course of this process.

    Raises:
        InvalidInput: There is a course.toml that cannot be read.
    """
    given, cwd = _read_values(os.environ, {}), folders.find_current_folder()
    return _read_variation(_locate(given["course"], cwd=cwd), cwd=cwd)


def default_home(cwd: Path) -> Path:
    """Return `.handson` beside the notebooks, or in `cwd` if there are none."""
    # Everything in the folder of an nbgrader assignment is handed in: so not there, but above it.
    around = cwd.parent if is_assignment(cwd) and os.access(cwd.parent, os.W_OK) else cwd
    return (folders.find_notebooks_folder(cwd) or around) / ".handson"


def remember_learner(home: Path, learner: str) -> None:
    """Keep the learner's name in the home folder, for the notebooks that follow.

    Raises:
        NotReady: The home folder is not writable; the name kept before is still there.
    """
    write_whole(home / "learner", learner + "\n")


def nbgrader_step() -> str:
    """Return the nbgrader step that runs this notebook, "autograde" or "validate", or ""."""
    return os.environ.get("NBGRADER_EXECUTION", "").strip()


def is_assignment(folder: Path) -> bool:
    """Tell whether a folder holds nbgrader's student version, with forms to fill in."""
    try:  # its cells have checksums
        return b'"checksum"' in (folder / f"{syllabus.CHECKS[0].notebook}.ipynb").read_bytes()
    except OSError:
        return False


@cache
def list_regions() -> tuple[str, ...]:
    """Return the regions of AWS's standard partition, from botocore's list.

    It reads botocore's file without importing botocore, which takes a hundred times longer.
    """
    spec = find_spec("botocore")
    assert spec
    assert spec.origin
    file = Path(spec.origin).with_name("data") / "partitions.json"
    partitions = msgspec.json.decode(file.read_bytes())["partitions"]
    [standard] = (partition for partition in partitions if partition["id"] == "aws")
    return tuple(sorted(set(standard["regions"]) - {"aws-global"}))


def _variable(name: str) -> str:
    return f"HANDSON_{name.upper()}"


def _read_values(environ: Mapping[str, str], arguments: Mapping[str, object]) -> dict[str, str]:
    """Return all settings by name; an empty string where neither names a value."""
    values = {name: environ.get(_variable(name), "").strip() for name in _NAMES}
    for name, value in arguments.items():
        if name not in _NAMES:
            names = {"near": find_nearest(name, _NAMES) or "learner", "choices": ", ".join(_NAMES)}
            raise InvalidInput.from_key("aws.settings.unknown", name=name, **names)
        if value is not None and not isinstance(value, (str, Path)):
            raise InvalidInput.from_key("aws.settings.not-text", name=name, value=repr(value))
        values[name] = str(value or "").strip() or values[name]
    return values


def _locate(path: str, *, cwd: Path) -> Path | None:
    """Return a path that a setting names, seen from the notebook's folder; None for no path."""
    try:
        return cwd / Path(path).expanduser() if path else None
    except RuntimeError as error:  # "~nobody"
        raise InvalidInput.from_key("aws.settings.no-user", path=path) from error


def _require_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    """Return a value that is one of the choices, of which the first is the default."""
    if not value or value in choices:
        return value or choices[0]
    values = {"name": _variable(name), "value": value, "choices": " / ".join(choices)}
    raise InvalidInput.from_key("aws.settings.choice", **values)


def _switch_language(lang: str, *, cwd: Path) -> str:
    edition = folders.find_edition(cwd) or next(iter(folders.find_editions(cwd)), None)
    spoken = edition.name if edition else messages.LANGUAGES[0]
    chosen = _require_choice("lang", lang or spoken, messages.LANGUAGES)
    messages.use(chosen)
    return chosen


def _parse_endpoint(url: str) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # of the port
        valid = False
    if not valid or not parts.hostname:
        # The text before an @ may be a password, and the sentence is saved with the notebook.
        raise InvalidInput.from_key("aws.settings.endpoint", value=url.rpartition("@")[2])
    if f".{parts.hostname.rstrip('.').lower()}".endswith(_AWS_DOMAINS):
        raise InvalidInput.from_key("aws.settings.aws-endpoint", value=parts.hostname)
    return url.rstrip("/")


def _parse_account(account: str) -> str | None:
    digits = account.replace("-", "")
    if not digits:
        return None
    if re.fullmatch("[0-9]{12}", digits):
        return digits
    raise InvalidInput.from_key("aws.settings.account", value=account)


def _check_learner(learner: str) -> str:
    learner = learner.replace("\u3000", " ")  # a Japanese keyboard's space, which is not printable
    if len(learner) > 80 or not learner.isprintable():
        raise InvalidInput.from_key("aws.settings.learner")
    return learner


def _find_learner(environ: Mapping[str, str], given: str, home: Path) -> tuple[str, str]:
    """Return the learner's name and its source; both are "" without a name."""
    if given:
        return _check_learner(given), "environment"
    if kept := _remembered_learner(home):
        return kept, "kept"
    name = _find_hub_user(environ)
    return name, "hub" if name else ""


def _read_variation(course: Path | None, *, cwd: Path) -> Variation | None:
    """Return what varies by a file, or by course.toml beside the notebook or all notebooks."""
    files = (folder / COURSE for folder in (cwd, folders.find_notebooks_folder(cwd)) if folder)
    course = course or next(filter(os.path.lexists, files), None)
    return read_course(course, known_regions=list_regions()).exercise if course else None


def _find_hub_user(environ: Mapping[str, str]) -> str:
    """Return the user of a JupyterHub, or "" if there is none, or none that a record can bear.

    It is the user's own name, and not the one that is made of it for files.  On Binder, which is a
    hub as well, it is made up.
    """
    name = "" if "BINDER_LAUNCH_HOST" in environ else environ.get("JUPYTERHUB_USER", "").strip()
    try:
        return _check_learner(name)
    except InvalidInput:
        return ""  # the overview asks for a name


def _remembered_learner(home: Path) -> str:
    """Return the name that the home folder keeps, or "" if it keeps none that is valid."""
    try:
        return _check_learner((home / "learner").read_text(encoding="utf-8").strip())
    except (OSError, ValueError, InvalidInput):
        return ""


def _make_writable(folder: Path, *, cwd: Path) -> None:
    """Make the folder, for its owner alone, and prove that files can be made in it.

    A folder around the notebooks, or the user's own, holds more than ours: it stays as it is.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(it.is_relative_to(folder) for it in (cwd, Path.home())):
            make_private(folder)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason, key = getattr(error, "strerror", None) or error, "core.files.not-writable"
        raise NotReady.from_key(key, folder=folder, reason=reason) from error
