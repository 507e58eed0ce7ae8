"""The roster: who is in the class, from a CSV with the columns learner, name, group, account.

Only `learner` has to be there; the heads may be Japanese.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.grading import names, tables
from handson.grading.requirements import account

_HEADS = {
    "learner": (
        *("learner", "id", "learner id", "student", "student id", "username"),
        *("学籍番号", "受講者", "受講者id", "学生番号", "ユーザー名"),
    ),
    "name": ("name", "full name", "student name", "氏名", "名前"),
    "group": ("group", "class", "section", "クラス", "組", "グループ"),
    "account": ("account", "aws account", "アカウント", "awsアカウント"),
}


@dataclass(frozen=True)
class Learner:
    """One of the class; `account` is the AWS account that is theirs, or ""."""

    id: str
    name: str = ""
    group: str = ""
    account: str = ""

    def is_named(self, name: str) -> bool:
        """Tell whether a name is this learner's: the id, the name, or both."""
        return any(known and names.same(known, name) for known in (self.id, self.name))


@dataclass(frozen=True)
class Roster:
    """The class, in the file's order; one that is empty knows nobody and asks for nobody."""

    learners: tuple[Learner, ...] = ()
    _known: dict[str, list[Learner]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for learner in self.learners:
            for key in {names.folded(learner.id), *_orders(learner.name)}:
                self._known.setdefault(key, []).append(learner)

    def __bool__(self) -> bool:
        return bool(self.learners)

    def find(self, name: str) -> Learner | None:
        """Return the one learner whom a name tells of; None for nobody, and for several."""
        found = self.named(name)
        return found[0] if len(found) == 1 else None

    def named(self, name: str) -> tuple[Learner, ...]:
        """Return all whom a name may tell of: several, where the class has namesakes."""
        return tuple(next(filter(None, self._candidates(name)), ()))

    def _candidates(self, name: str) -> Iterator[list[Learner]]:
        """Yield who it may be: by the whole name, then by an id in it, then by a name in it."""
        yield self._known.get(names.folded(name), [])
        words = names.parts(name)
        named = list(dict.fromkeys(who for word in words for who in self._known.get(word, [])))
        yield [learner for learner in named if names.folded(learner.id) in words]
        yield named


def read_roster(path: Path) -> Roster:
    """Return the roster of a CSV file.

    Raises:
        InvalidInput: It cannot be read, has no column of learners, names one twice, or gives an
            account that is none.
    """
    rows = tables.rows(path)
    columns = _columns(rows[0] if rows else [])
    if "learner" not in columns:
        raise InvalidInput(*messages.advice("grading.roster-columns", path=path))
    learners = tuple(_learner(row, columns) for row in rows[1:] if any(map(str.strip, row)))
    _refuse_twins(path, learners)
    return Roster(learners)


def _columns(heads: Iterable[str]) -> dict[str, int]:
    written = [names.folded(head) for head in heads]
    known = {key: [names.folded(head) for head in heads] for key, heads in _HEADS.items()}
    return {
        key: written.index(head)
        for key, heads in known.items()
        for head in reversed(heads)
        if head in written
    }


def _learner(row: list[str], columns: dict[str, int]) -> Learner:
    def cell(column: str) -> str:
        place = columns.get(column, len(row))
        return names.readable(row[place]).strip() if place < len(row) else ""

    own = cell("account")
    return Learner(cell("learner"), cell("name"), cell("group"), account(own) if own else "")


def _refuse_twins(path: Path, learners: tuple[Learner, ...]) -> None:
    seen: set[str] = set()
    for learner in learners:
        key = names.folded(learner.id)
        if not key or key in seen:
            raise InvalidInput(
                *messages.advice("grading.roster-twice", path=path, learner=learner.id or "-")
            )
        seen.add(key)


def _orders(name: str) -> set[str]:
    """Return a name folded as it is written and, where it has two words, the other way round."""
    words = name.split()
    orders = {names.folded(name)} | {names.folded("".join(reversed(words)))}
    return orders - {""}
