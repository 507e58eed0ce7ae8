"""The roster: the learners of a class, from a table with the columns learner, name, group, account.

Only `learner` is required; the heads may be Japanese.  What learning platforms export is recognised
by its heads, wherever they stand among the first rows; roster_heads.toml has them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from handson.core.errors import InvalidInput
from handson.core.files import read_data
from handson.core.text import fold_name, group_pairs, list_briefly, one_line, pick_fields
from handson.grading.export_names import is_same_person, list_words, normalize_name
from handson.grading.tables import Table, read_table

HEADS_WITHIN = 30
"""Rows among which the heads stand."""

_DATA = read_data("handson.grading", "roster_heads.toml")
PLATFORMS: Mapping[str, Mapping[str, Any]] = _DATA["platforms"]
"""The files of each learning platform, the most particular first."""
_KEYS = ("id", "email", "login")
"""The columns that may say who somebody is, the best first."""
_PATTERNS = {column: re.compile(pattern) for column, pattern in _DATA["cells"].items()}
_ANY = re.compile(".*", re.DOTALL)
_FAMILY_FIRST = re.compile("[\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""The letters of languages in which the family name comes first."""


@dataclass(frozen=True)
class Learner:
    """A learner of the class.

    Attributes:
        id: What the school calls the learner by; where a file has no such number, the e-mail
            address or the account.
        account: The AWS account that the learner works in, or "".
        aliases: What a platform calls the learner by: an account, an e-mail address, a number.
    """

    id: str
    name: str = ""
    group: str = ""
    account: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The id, and the name where it is known."""
        return f"{self.id} {self.name}".strip()

    def to_json(self) -> dict[str, str]:
        """Return the learner as `handson.grading/1` has it."""
        return {"learner": self.id, **pick_fields(self, "name group")}

    def is_named(self, name: str) -> bool:
        """Tell whether a name is this learner's: the id, the name, both, or an alias."""
        known = filter(None, (self.id, self.name))
        is_alias = fold_name(name) in map(fold_name, self.aliases)
        return bool(name) and (is_alias or any(is_same_person(own, name) for own in known))


_Called = tuple[int, tuple[str, ...], Learner]
"""The words of an alias 0, a name 1 or an id 2, and the learner whom they call."""


@dataclass(frozen=True)
class Roster:
    """The learners of a class, in the file's order; an empty one stands for no roster."""

    learners: tuple[Learner, ...] = ()

    @cached_property
    def _index(self) -> dict[str, list[_Called]]:
        """By one word of each, what learners are called: an alias 0, the name 1, the id 2."""
        return group_pairs(
            (min(words), (kind, words, learner))
            for learner in self.learners
            for kind, texts in enumerate((learner.aliases, _turn(learner.name), (learner.id,)))
            for text in texts
            for words in dict.fromkeys(((*list_words(text),), (fold_name(text),)))
            if any(words)
        )

    def find(self, name: str) -> Learner | None:
        """Return the learner whom a name means; None where it means nobody, or several."""
        found = self.find_namesakes(name)
        return found[0] if len(found) == 1 else None

    def find_namesakes(self, name: str) -> tuple[Learner, ...]:
        """Return all learners whom a name may mean: of those who are in it, the surest.

        The words of an id, a name or an alias stand in it side by side and in their order.  The
        surest is the whole name; then come an id, a name and an alias, of more words first.
        """
        folded, line = fold_name(name), f" {' '.join(list_words(name))} "
        found: dict[tuple[int, int], list[Learner]] = {}
        for kind, own, learner in self._find_words(name):
            if own == (folded,):
                found.setdefault((3 if kind else 0, len(line)), []).append(learner)
            elif f" {' '.join(own)} " in line:
                found.setdefault((kind, 0 if kind == 2 else len(own)), []).append(learner)
        return tuple(dict.fromkeys(found[max(found)])) if found else ()

    def find_mentions(self, name: str) -> set[tuple[Learner, int]]:
        """Return the learners all words of whose alias 0, name 1 or id 2 are in a name."""
        return {(learner, kind) for kind, _, learner in self._find_words(name)}

    def _find_words(self, name: str) -> Iterator[_Called]:
        """Yield what learners are called with words that are all in a name, wherever they stand."""
        every = dict.fromkeys((fold_name(name), *list_words(name)))
        known = (each for word in every for each in self._index.get(word, ()))
        return (each for each in known if every.keys() >= {*each[1]})


def _turn(name: str) -> Iterator[str]:
    """Yield a name, and its words without spaces in the orders in which people write them."""
    words = list_words(name)
    yield name
    for turned in (words[::-1], *(words[at:] + words[:at] for at in range(len(words)))):
        yield re.sub(r"\W", "", "".join(turned))


@dataclass(frozen=True)
class Listing:
    """A table that lists learners.

    Attributes:
        platform: The learning platform that exported it, or "".
        top: The row of its heads.
        heads: The heads, folded.
        columns: The places of each column's heads, the best first.
    """

    table: Table
    platform: str
    top: int
    heads: list[str]
    columns: dict[str, list[int]]

    def find_learners(self) -> Iterator[tuple[int, Learner]]:
        """Yield the row of each learner, and the learner; an export's other rows are left out.

        Raises:
            InvalidInput: A row has an invalid AWS account.
        """
        rows = [*enumerate(self.table.rows)][self.top + 1 :]
        has_roles = any(self._read(row, "role") for _, row in rows)
        is_commented = self.table.rows[self.top][0].startswith("#")
        for number, row in rows:
            is_comment = is_commented and row[:1] and row[0].startswith("#")
            if is_comment or (has_roles and not self._read(row, "role")):
                continue
            learner = self._read_learner(row)
            if learner.id or (learner.name and not self.platform):
                yield number, learner

    def _read_learner(self, row: list[str]) -> Learner:
        learner_id, *keys = self._read(row, *_KEYS) or [""]
        users = (address.partition("@")[0] for address in self._read(row, "email"))
        numbers = (re.sub(r"^\D+(?=\d+$)", "", cell) for cell in self._read(row, "number"))
        aliases = dict.fromkeys((*keys, *users, *numbers))
        return Learner(
            id=learner_id,
            name=self._read_name(row),
            group="".join(self._read(row, "group")[:1]),
            account="".join(map(read_account, self._read(row, "account")[:1])),
            aliases=tuple(alias for alias in aliases if alias != learner_id),
        )

    def _read_name(self, row: list[str]) -> str:
        """Return the full name as people write it: in Latin letters the given name first."""
        whole = "".join(self._read(row, "name")[:1])
        parts = self._read(row, "family", "given")
        for cell in self._read(row, "sortable"):
            parts = [part.strip() for part in cell.split(",", 1)]
        return whole or " ".join(parts if _FAMILY_FIRST.search("".join(parts)) else parts[::-1])

    def _read(self, row: list[str], *columns: str) -> list[str]:
        """Return what a row has in the places of columns, without what cannot stand there."""
        places = ((name, place) for name in columns for place in self.columns[name])
        cells = ((name, normalize_name("".join(row[at : at + 1])).strip()) for name, at in places)
        return [cell for name, cell in cells if cell and _PATTERNS.get(name, _ANY).fullmatch(cell)]


def read_roster(path: Path) -> Roster:
    """Return the roster of a CSV or .xlsx file.

    Raises:
        InvalidInput: It cannot be read, has no column of learners, names one twice, or has an
            invalid account.
    """
    learners = tuple(learner for _, learner in read_listing(path).find_learners())
    ids = Counter(fold_name(learner.id) for learner in learners)
    for learner in learners:
        if not learner.id or ids[fold_name(learner.id)] > 1:
            who = learner.id or "-"
            raise InvalidInput.from_key("grading.roster-twice", path=path, learner=who)
    return Roster(learners)


def read_listing(path: Path) -> Listing:
    """Return a table of learners with its heads recognised.

    Raises:
        InvalidInput: It cannot be read, or has no column of learners.
    """
    table = read_table(path)
    for top, row in enumerate(table.rows[:HEADS_WITHIN]):
        heads = [fold_name(head).lstrip("#") for head in row]
        known = ((name, line) for name, own in PLATFORMS.items() for line in own["when"])
        platform = next((name for name, line in known if set(line.split()) <= set(heads)), "")
        names = {**_DATA["heads"], **PLATFORMS.get(platform, {})}
        columns = {
            column: [heads.index(head) for head in names.get(column, "").split() if head in heads]
            for column in (*_DATA["heads"], "login", "number", "sortable", "role")
        }
        if not any(columns[key] for key in _KEYS):
            columns["login"] = columns["number"]
        if any(columns[key] for key in _KEYS):
            return Listing(table, platform, top, heads, columns)
    rows = ([cell for cell in row if cell.strip()] for row in table.rows[:HEADS_WITHIN])
    seen = list_briefly(max(rows, key=len, default=[]))
    raise InvalidInput.from_key("grading.roster-columns", path=path, seen=seen or "-")


def read_account(text: str) -> str:
    """Return the twelve digits of an AWS account, with or without the hyphens of the console.

    Spreadsheets drop the zeros at the beginning of a number; they are put back.

    Raises:
        InvalidInput: It is not an account.
    """
    digits = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).zfill(12)
    if len(digits) == 12 and digits.isascii() and digits.isdecimal():
        return digits
    raise InvalidInput.from_key("grading.no-account", account=one_line(text))
