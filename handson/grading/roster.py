"""The roster: the learners of a class, from a CSV with the columns learner, name, group, account.

Only `learner` is required; the heads may be Japanese.  `read_rows` reads what spreadsheets write:
UTF-8 (with or without a mark), UTF-16 or Shift_JIS, with commas, semicolons or tabs.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path

from handson.core.errors import InvalidInput
from handson.core.files import decode_text, read_data
from handson.core.text import one_line, show_invisible
from handson.grading.export_names import fold_name, is_same_person, normalize_name, split_name
from handson.grading.findings import replace_surrogates

MOST_BYTES = 5_000_000

_HEADS: Mapping[str, str] = read_data("handson.grading", "roster_heads.toml")
# Spreadsheets in Japanese take the full-width signs for the others (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Learner:
    """A learner of the class; `account` is the AWS account that the learner works in, or ""."""

    id: str
    name: str = ""
    group: str = ""
    account: str = ""

    def is_named(self, name: str) -> bool:
        """Tell whether a name is this learner's: the id, the name, or both."""
        known = filter(None, (self.id, self.name))
        return bool(name) and any(is_same_person(own, name) for own in known)


@dataclass(frozen=True)
class Roster:
    """The learners of a class, in the file's order; an empty one stands for no roster."""

    learners: tuple[Learner, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.learners)

    @cached_property
    def _by_name(self) -> dict[str, list[Learner]]:
        by_name: dict[str, list[Learner]] = defaultdict(list)
        for learner in self.learners:
            backwards = "".join(reversed(learner.name.split()))
            for name in {fold_name(each) for each in (learner.id, learner.name, backwards)} - {""}:
                by_name[name].append(learner)
        return dict(by_name)

    def find(self, name: str) -> Learner | None:
        """Return the learner whom a name means; None where it means nobody, or several."""
        found = self.find_namesakes(name)
        return found[0] if len(found) == 1 else None

    def find_namesakes(self, name: str) -> tuple[Learner, ...]:
        """Return all learners whom a name may mean."""
        return tuple(next(filter(None, self._candidates(name)), ()))

    def _candidates(self, name: str) -> Iterator[list[Learner]]:
        """Yield the matches of the whole name, then of an id in it, then of a name in it."""
        yield self._by_name.get(fold_name(name), [])
        words = sorted(split_name(name))
        named = list(dict.fromkeys(who for word in words for who in self._by_name.get(word, [])))
        yield [learner for learner in named if fold_name(learner.id) in words]
        yield named


def read_roster(path: Path) -> Roster:
    """Return the roster of a CSV file.

    Raises:
        InvalidInput: It cannot be read, has no column of learners, names one twice, or has an
            invalid account.
    """
    heads, *rows = read_rows(path) or [[]]
    folded = [fold_name(head) for head in heads]
    columns = {
        column: folded.index(head)
        for column, names in _HEADS.items()
        for head in reversed(names.split())
        if head in folded
    }
    if "id" not in columns:
        raise InvalidInput.from_key("grading.roster-columns", path=path)
    learners = tuple(_read_learner(row, columns) for row in rows if any(map(str.strip, row)))
    ids = Counter(fold_name(learner.id) for learner in learners)
    for learner in learners:
        if not learner.id or ids[fold_name(learner.id)] > 1:
            who = learner.id or "-"
            raise InvalidInput.from_key("grading.roster-twice", path=path, learner=who)
    return Roster(learners)


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


def read_rows(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file.

    Raises:
        InvalidInput: It cannot be read.
    """
    missing = InvalidInput.replace_os_errors("grading.csv-missing", path=path)
    with missing, path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"> {MOST_BYTES} bytes")
        text, encoding = decode_text(data)
        if not encoding:
            raise ValueError("UTF-8, UTF-16, Shift_JIS: ✘")
        heads = text.partition("\n")[0]
        lines = StringIO(text, newline="")
        return list(csv.reader(lines, delimiter=max(",;\t", key=heads.count)))
    except (ValueError, csv.Error) as error:
        raise InvalidInput.from_key("grading.csv-unreadable", path=path, reason=error) from error


def escape_formula(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, and that hides no letters."""
    text = show_invisible(replace_surrogates(cell))
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text


def unescape_formula(cell: str) -> str:
    """Return the text of a cell as it was before `escape_formula`."""
    own = cell.removeprefix("'")
    return own if escape_formula(own) != own else cell


def _read_learner(row: list[str], columns: dict[str, int]) -> Learner:
    cells = {
        column: normalize_name(row[place]).strip()
        for column, place in columns.items()
        if place < len(row)
    }
    if cells.get("account"):
        cells["account"] = read_account(cells["account"])
    return Learner(**{"id": "", **cells})
