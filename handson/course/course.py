"""The course as its instructor runs it, from `course.toml`: window, points, individual labs.

    name = "Step 2"
    from = 2026-05-10
    until = 2026-05-19T17:00:00+09:00
    by-fact = ["network"]

    [points]
    network = 25

    [rubric]
    why-network = "Names isolation, and what it protects."

    [[extensions]]
    learner = "s07"
    until = 2026-05-26

    [exercise]
    key = "step 2, spring 2026"
    vary = ["prefix", "cidr", "cluster", "repository"]
    regions = ["us-east-1", "ap-northeast-1"]

Everything may be missing.  Points are by the id of a check or the `grade_id` of what people mark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.files import read_utf8
from handson.core.text import check_choice, one_line
from handson.course import syllabus
from handson.course.exercise import Exercise
from handson.course.variation import PARTS, Variation

_MARKED = (*syllabus.QUESTIONS, syllabus.DIAGRAM)
_MARKED_IDS = tuple(item.grade_id for item in _MARKED)
# msgspec's sentences, which are in English.
_FIELD = r"(?P<kind>unknown|missing)\b[a-z ]*`(?P<name>.+?)`"
_PLACE = r"at `\$\.(?P<name>.+)`$"
_LIMITS = msgspec.Meta(ge=0, le=1000)


class _Common(msgspec.Struct, frozen=True, kw_only=True, rename={"by_fact": "by-fact"}):
    """What a course has as its file says it."""

    name: str = ""
    points: dict[str, Annotated[int, _LIMITS] | Annotated[float, _LIMITS]] = {}
    by_fact: tuple[str, ...] = ()
    rubric: dict[str, str] = {}
    exercise: Variation | None = None


class Course(_Common, frozen=True, kw_only=True):
    """What an instructor decides about a course; the defaults are the syllabus's.

    Attributes:
        name: Its name, for people.
        since: The moment at which its window opens.
        until: The moment at which its window has closed.
        points: The points of items that differ from the syllabus, by check id or `grade_id`.
        by_fact: The checks whose points are given by the share of the facts that pass.
        rubric: What the marker of an answer or the diagram looks for, by `grade_id`.
        extensions: The later deadlines of learners, as the file names them.
        exercise: What varies from learner to learner, or None where all build the same.
    """

    since: datetime | None = None
    until: datetime | None = None
    extensions: dict[str, datetime] = {}

    @property
    def checks(self) -> tuple[syllabus.Check, ...]:
        """The checks of the syllabus, with this course's points."""
        return tuple(
            replace(each, points=self.points.get(each.id, each.points)) for each in syllabus.CHECKS
        )

    @property
    def marked(self) -> tuple[syllabus.Answer, ...]:
        """The questions, then the diagram, with this course's points."""
        return tuple(
            replace(each, points=self.points.get(each.grade_id, each.points)) for each in _MARKED
        )

    @property
    def possible(self) -> dict[str, float]:
        """The most points of each check, then of each thing that people mark."""
        checks = {each.id: each.points for each in self.checks}
        return {**checks, **{each.grade_id: each.points for each in self.marked}}

    @property
    def automatic(self) -> float:
        """The points of all checks."""
        return sum(each.points for each in self.checks)

    @property
    def manual(self) -> float:
        """The points of all that people mark."""
        return sum(each.points for each in self.marked)

    def derive_exercise(self, learner: str) -> Exercise:
        """Return what a learner is asked to build."""
        return self.exercise.derive_exercise(learner) if self.exercise else Exercise()


class _Extension(msgspec.Struct, forbid_unknown_fields=True):
    learner: Annotated[str, msgspec.Meta(pattern=r"\S")]
    until: Any


class _File(_Common, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """A file as it is written; a moment may be any of TOML's types."""

    since: Any = None
    until: Any = None
    extensions: tuple[_Extension, ...] = ()


def read_course(path: Path, *, known_regions: Sequence[str]) -> Course:
    """Return the course of a TOML file.

    Args:
        path: The file.
        known_regions: The Regions that exist.

    Raises:
        InvalidInput: It cannot be read, or something in it is unknown, impossible or contradictory;
            the error names the line.
    """
    with InvalidInput.replace_os_errors("course.course.missing", path=path):
        text = read_utf8(path)
    try:
        return _parse(text, known_regions)
    except ValueError as error:  # no TOML; the reason names the line
        raise InvalidInput.from_key("course.course.no-toml", path=path, reason=error) from error
    except InvalidInput as error:
        number, line = _find_line(text, error.problem, known_regions)
        where = f"{path}:{number} ({one_line(line)})"
        raise InvalidInput(f"{where}: {error.problem}", error.remedy) from None


def read_moment(text: str, *, end: bool = False) -> datetime:
    """Return the moment of an ISO 8601 date or time; without a zone it is this machine's.

    Args:
        text: Such as ``2026-05-01`` or ``2026-05-01T17:00+09:00``.
        end: Take the end of the day where the text is a date.

    Raises:
        InvalidInput: It is neither a date nor a time.
    """
    is_date = len(text) <= len("2026-05-01")  # every form of a date with a time is longer
    try:
        moment = datetime.fromisoformat(text) + timedelta(days=int(end and is_date))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput.from_key("course.course.no-moment", text=one_line(text)) from None


def _parse(text: str, known_regions: Sequence[str]) -> Course:
    import tomllib  # compiles its patterns

    data = tomllib.loads(text)
    try:
        written = msgspec.convert(data, _File)
    except msgspec.ValidationError as error:
        field, place = re.search(_FIELD, str(error)), re.search(_PLACE, str(error))
        name = ".".join(found["name"] for found in (place, field) if found)
        kind = field["kind"] if field else "points" if name == "points[...]" else "value"
        reason = messages.label("course.course.reason", kind, name=name)
        raise InvalidInput.from_key("course.course.wrong", reason=reason) from None
    items = (*syllabus.CHECK_IDS, *_MARKED_IDS)
    named = [(name, items) for name in written.points]
    named += [(name, syllabus.CHECK_IDS) for name in written.by_fact]
    named += [(name, _MARKED_IDS) for name in written.rubric]
    named += [(name, PARTS) for name in written.exercise.vary] if written.exercise else []
    for name, choices in named:
        check_choice("course.course.unknown", name, choices)
    if written.exercise:
        for region in written.exercise.regions:
            check_choice("course.course.no-region", region, known_regions)
        if PARTS[0] not in written.exercise.vary:
            raise InvalidInput.from_key("course.course.no-prefix")
        if not written.exercise.key.strip():
            raise InvalidInput.from_key("course.course.no-key")
    since = None if written.since is None else read_moment(str(written.since))
    until = None if written.until is None else read_moment(str(written.until), end=True)
    if since and until and since >= until:
        raise InvalidInput.from_key("course.course.window")
    extensions: dict[str, datetime] = {}
    for extension in written.extensions:
        learner, moment = extension.learner.strip(), read_moment(str(extension.until), end=True)
        if learner in extensions:
            raise InvalidInput.from_key("course.course.extended-twice", learner=one_line(learner))
        if until and moment < until:
            raise InvalidInput.from_key("course.course.extended-back", learner=one_line(learner))
        extensions[learner] = moment
    own = {"since": since, "until": until, "extensions": extensions}
    course = Course(**msgspec.structs.asdict(written) | own)
    if not course.automatic + course.manual:
        raise InvalidInput.from_key("course.course.pointless")
    return course


def _find_line(text: str, problem: str, known_regions: Sequence[str]) -> tuple[int, str]:
    """Return the number and the text of the line with which a file begins to have a problem."""

    def has_problem(count: int) -> bool:
        try:
            _parse("\n".join([*lines[:count], ""]), known_regions)
        except InvalidInput as error:
            return error.problem == problem
        except ValueError:  # a value goes on behind these lines
            return False
        return False

    lines = text.split("\n")
    last = next(filter(has_problem, range(1, len(lines) + 1)))
    return last, lines[last - 1].strip()
