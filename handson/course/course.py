"""The course as its instructor runs it: window, points, rubric and extensions, from `course.toml`.

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

Everything may be missing.  Points are by the id of a check or the `grade_id` of what people mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.files import read_utf8
from handson.core.text import check_choice, one_line, quote
from handson.course import syllabus

_MARKED = (*syllabus.QUESTIONS, syllabus.DIAGRAM)
_MARKED_IDS = tuple(item.grade_id for item in _MARKED)
_EXAMPLES = {
    "name": 'name = "Step 2"',
    "from": "from = 2026-05-10",
    "until": "until = 2026-05-19T17:00:00+09:00",
    "points": "points = { network = 25 }",
    "by-fact": 'by-fact = ["network"]',
    "rubric": 'rubric = { why-network = "…" }',
    "extensions": 'extensions = [{ learner = "s07", until = 2026-05-26 }]',
}
"""How each key of the file may be written on one line."""
_LIMITS = msgspec.Meta(ge=0, le=1000)
_Points = Annotated[int, _LIMITS] | Annotated[float, _LIMITS]
_Name = Annotated[str, msgspec.Meta(pattern=r"\S")]


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """What an instructor decides about a course; the defaults are the syllabus's.

    Attributes:
        name: Its name, for people.
        since: The moment at which its window opens.
        until: The moment at which its window has closed.
        points: The points of items that differ from the syllabus, by check id or `grade_id`.
        by_fact: The checks whose points are given by the share of the facts that pass.
        rubric: What the marker of an answer or the diagram looks for, by `grade_id`.
        extensions: The later deadlines of learners, as the file names them.
    """

    name: str = ""
    since: datetime | None = None
    until: datetime | None = None
    points: dict[str, int | float] = {}
    by_fact: tuple[str, ...] = ()
    rubric: dict[str, str] = {}
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
    def automatic(self) -> float:
        """The points of all checks."""
        return sum(each.points for each in self.checks)

    @property
    def manual(self) -> float:
        """The points of all that people mark."""
        return sum(each.points for each in self.marked)


def read_course(path: Path) -> Course:
    """Return the course of a TOML file.

    Raises:
        InvalidInput: It cannot be read, or something in it is unknown, impossible or contradictory;
            the error names the line.
    """
    import tomllib  # compiles its patterns

    with InvalidInput.replace_os_errors("course.course.missing", path=path):
        text = read_utf8(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput.from_key("course.course.no-toml", path=path, reason=error) from error
    return _Reader(path, text).read(data)


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


@dataclass(frozen=True)
class _Reader:
    """Reads the values of a file; `keys` lead to a value, and so to its line."""

    path: Path
    text: str

    def read(self, data: dict[str, Any]) -> Course:
        self.check_names(data, _EXAMPLES)
        by_fact = self.convert(data.get("by-fact", ()), tuple[str, ...], "by-fact")
        self.check_names(by_fact, syllabus.CHECK_IDS, "by-fact")
        since = self.read_moment(data, "from")
        until = self.read_moment(data, "until", end=True)
        if since and until and since >= until:
            raise self.refuse("window", "until")
        course = Course(
            name=self.convert(data.get("name", ""), str, "name"),
            since=since,
            until=until,
            points=self.read_table(data, "points", (*syllabus.CHECK_IDS, *_MARKED_IDS), _Points),
            by_fact=by_fact,
            rubric=self.read_table(data, "rubric", _MARKED_IDS, str),
            extensions=self.read_extensions(data.get("extensions", ()), until),
        )
        if not course.automatic + course.manual:
            raise self.refuse("pointless", "points")
        return course

    def read_table(
        self, data: dict[str, Any], key: str, choices: Iterable[str], kind: Any
    ) -> dict[str, Any]:
        table = self.convert(data.get(key, {}), dict[str, Any], key)
        self.check_names(table, choices, key)
        return {name: self.convert(value, kind, key, name) for name, value in table.items()}

    def read_extensions(self, data: object, until: datetime | None) -> dict[str, datetime]:
        extensions: dict[str, datetime] = {}
        for number, table in enumerate(
            self.convert(data, tuple[dict[str, Any], ...], "extensions")
        ):
            keys = ("extensions", number)
            self.check_names(table, ("learner", "until"), *keys)
            learner = self.convert(table.get("learner"), _Name, *keys, "learner").strip()
            moment = self.read_moment(table, *keys, "until", end=True)
            if moment is None:
                raise self.refuse_value(None, *keys, "until")
            if learner in extensions:
                raise self.refuse("extended-twice", *keys, "learner", learner=one_line(learner))
            if until and moment < until:
                raise self.refuse("extended-back", *keys, "until", learner=one_line(learner))
            extensions[learner] = moment
        return extensions

    def read_moment(
        self, table: dict[str, Any], *keys: str | int, end: bool = False
    ) -> datetime | None:
        value = table.get(str(keys[-1]))
        if value is None:
            return None
        if not isinstance(value, date):
            raise self.refuse_value(value, *keys)
        return read_moment(value.isoformat(), end=end)

    def convert(self, value: object, kind: Any, *keys: str | int) -> Any:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError:
            raise self.refuse_value(value, *keys) from None

    def check_names(self, names: Iterable[str], choices: Iterable[str], *keys: str | int) -> None:
        for name in names:
            place = self.find_place(*keys, name)
            check_choice("course.course.unknown", name, choices, place=place)

    def refuse_value(self, value: object, *keys: str | int) -> InvalidInput:
        name = ".".join(key for key in keys if isinstance(key, str))
        seen = "-" if value is None else quote(value if isinstance(value, str) else str(value))
        return self.refuse("value", *keys, name=name, value=seen, example=_EXAMPLES[str(keys[0])])

    def refuse(self, code: str, *keys: str | int, **values: str) -> InvalidInput:
        values["place"] = self.find_place(*keys)
        return InvalidInput(*messages.advice_of("course.course", code, **values))

    def find_place(self, *keys: str | int) -> str:
        """Return the file and the line of a key or, where that has none, of its table."""
        lines, at = self.text.splitlines(), 0
        for key in keys:
            name = re.escape(key) if isinstance(key, str) else "extensions"
            pattern = re.compile(rf"""\s*(\[\[?\s*{name}\b|["']?{name}["']?\s*=)""")
            found = [number for number in range(at, len(lines)) if pattern.match(lines[number])]
            at = (found[key if isinstance(key, int) else 0 :] or [at])[0]
        return f"{self.path}:{at + 1}"
