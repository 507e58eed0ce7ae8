"""Names of people and files, as learning platforms and people write them.

Moodle        山田 花子_12345_assignsubmission_file_/01-network.ipynb
Canvas        yamadahanako_LATE_12345_67890_01-network-1.ipynb
Blackboard    Step 2_s1001_attempt_2026-05-01-10-30-00_01-network.ipynb
Brightspace   12345-67890 - Hanako Yamada - May 1, 2026 1030 AM/01-network.ipynb
by hand       s1001@山田花子/01-network (1).ipynb,  s1001_01-network.ipynb,  s1001.zip
"""

from __future__ import annotations

import re
import unicodedata

from handson.course import syllabus
from handson.grading.model import clean

_PLATFORMS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"(?P<who>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)",
        r".+?_(?P<who>[^_]+)_attempt_\d{4}(?:-\d\d){5}_?(?P<rest>.*)",
        r"(?P<who>[^_]+?)_(?:LATE_)?(?P<number>\d+)_\d+_(?P<rest>.+)",
        r"(?P<number>\d+)-\d+ - (?P<who>.+?) - [^-]+(?P<rest>)",
    )
)
_NAMES = "|".join(map(re.escape, syllabus.ALL_NOTEBOOKS))
_BOOK = re.compile(
    rf"(?P<before>.*?)(?P<notebook>{_NAMES})(?P<after>.*)",
    re.DOTALL,
)
# What browsers, desktops and platforms add to a second file of the same name.  Nothing is tried in
# two ways (`?>`, `*+`): a stranger's name of forty digits would take hours.
_COPY = re.compile(
    r"(?>[ _-]*(?:\(\d+\)|\d+|copy(?: ?\d+)?|のコピー(?: ?\d+)?|コピー))*+", re.IGNORECASE
)
_NOBODY = frozenset(
    [
        *("", ".", "ja", "en", "work", "home", "notebooks", "handson", "file", "files"),
        *("submission", "submissions", "submitted", "assignment", "assignments", "step2"),
    ]
)
_BETWEEN = re.compile(r"[\s_@()\[\],.;・-]+")
SUFFIXES = (".ipynb", ".zip")


def readable(name: str) -> str:
    """Return a file's name as text: composed letters, and nothing that UTF-8 cannot carry."""
    return unicodedata.normalize("NFC", clean(name))


def owner(name: str) -> str:
    """Return whom a file's or folder's name tells of, or "" when it names nobody."""
    stem = _without_suffix(readable(name))
    exported = _exported(stem)
    if exported:
        return exported["who"].strip()
    found = _BOOK.fullmatch(stem)
    if found and _COPY.fullmatch(found["after"]):
        stem = found["before"].rstrip(" _.-")
    stem = stem.strip()
    return "" if stem.casefold() in _NOBODY else stem


def number(name: str) -> str:
    """Return the number by which a learning platform tells namesakes apart, "" where it has none.

    Within one export it is a person's own; another export may give them another.
    """
    exported = _exported(_without_suffix(readable(name)))
    return exported.groupdict().get("number", "") if exported else ""


def notebook(name: str) -> str:
    """Return the notebook of the workshop that a file's name tells, or "" when it tells none."""
    found = _BOOK.fullmatch(_without_suffix(readable(name)))
    return found["notebook"] if found and _COPY.fullmatch(found["after"]) else ""


def folded(name: str) -> str:
    """Return a name so that two ways of writing it are equal: width, case, spaces."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", name)).casefold()


def parts(name: str) -> frozenset[str]:
    """Return the words of a name, each folded."""
    words = _BETWEEN.split(unicodedata.normalize("NFKC", name))
    return frozenset(word.casefold() for word in words if word)


def same(one: str, other: str) -> bool:
    """Tell whether two names may well be one person's: equal, in another order, or one in both."""
    if folded(one) == folded(other):
        return True
    ours, theirs = parts(one), parts(other)
    return bool(ours and theirs) and (ours <= theirs or theirs <= ours)


def _exported(stem: str) -> re.Match[str] | None:
    found = (platform.fullmatch(stem) for platform in _PLATFORMS)
    return next(filter(None, found), None)


def _without_suffix(name: str) -> str:
    for suffix in SUFFIXES:
        if name.casefold().endswith(suffix):
            return name[: -len(suffix)]
    return name
