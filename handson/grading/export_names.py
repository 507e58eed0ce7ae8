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

from handson.core.files import read_data
from handson.course import syllabus
from handson.grading.findings import replace_surrogates

SUFFIXES = (".ipynb", ".zip")
RENAMED = (".ipynb.txt", ".ipynb.json")
"""How a notebook's name ends that a browser or an editor has saved as text."""

_DATA = read_data("handson.grading", "export_names.toml")
_PLATFORMS = [re.compile(pattern, re.DOTALL) for pattern in _DATA["platforms"]]
_NOTEBOOKS = "|".join(map(re.escape, syllabus.ALL_NOTEBOOKS))
_NOTEBOOK = re.compile(rf"(?P<before>.*?)(?P<notebook>{_NOTEBOOKS})(?P<after>.*)", re.DOTALL)
# What browsers, desktops and platforms add to a second file of the same name.  The pattern never
# backtracks (`?>`, `*+`): a stranger's name of forty digits would take hours.
_COPY = re.compile(
    r"(?>[ _-]*(?:\(\d+\)|\d+|copy(?: ?\d+)?|のコピー(?: ?\d+)?|コピー))*+", re.IGNORECASE
)
_UNSAFE = r'<>:"/\\|?*_'
"""What Windows takes in no file's name, and the sign between the parts of an exported name."""
_SEPARATORS = re.compile(rf"[\s{_UNSAFE}@()\[\],.;・-]+")
_LONGEST = 230
"""Bytes of a zip's name; a disk takes 255, and its draft has a longer one."""


def normalize_name(name: str) -> str:
    """Return a file's name in composed letters that UTF-8 can carry."""
    return unicodedata.normalize("NFC", replace_surrogates(name))


def find_owner(name: str) -> str:
    """Return the person whom a file's or folder's name mentions, or ""."""
    return find_person(name)[0]


def find_person(name: str) -> tuple[str, str]:
    """Return the person whom a name mentions, and the number that tells namesakes apart.

    Both may be "".  Learning platforms give the number: it is unique within one export, and the
    next export may number the same people anew.
    """
    stem = _stem(name)
    exported = next(filter(None, (platform.fullmatch(stem) for platform in _PLATFORMS)), None)
    if exported:
        return exported["who"].strip(), exported.groupdict().get("number", "")
    found = _NOTEBOOK.fullmatch(stem)
    if found and _COPY.fullmatch(found["after"]):
        stem = found["before"].rstrip(" _.-")
    stem = stem.strip()
    return "" if stem.casefold() in _DATA["nobody"] else stem, ""


def make_zip_name(learner: str) -> str:
    """Return the name of a learner's zip, from which `find_owner` reads the same person.

    It is a name on every system, and keeps the letters of every language: platforms take them.
    """
    name = re.sub(rf"[{_UNSAFE}]|[^\S ]", "-", normalize_name(learner)).strip(" .-")
    name = name.encode()[:_LONGEST].decode(errors="ignore").rstrip(" .-")
    return f"{name or 'submission'}.zip"


def find_notebook(name: str) -> str:
    """Return the notebook of the workshop that a file's name mentions, or ""."""
    found = _NOTEBOOK.fullmatch(_stem(name))
    return found["notebook"] if found and _COPY.fullmatch(found["after"]) else ""


def is_renamed(name: str) -> bool:
    """Tell whether a file's name is that of a notebook with another ending."""
    return name.casefold().endswith(RENAMED)


def fold_name(name: str) -> str:
    """Return a name without the differences of width, case and spaces."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", name)).casefold()


def split_name(name: str) -> frozenset[str]:
    """Return the words of a name, each folded."""
    words = _SEPARATORS.split(unicodedata.normalize("NFKC", name))
    return frozenset(word.casefold() for word in words if word)


def is_same_person(one: str, other: str) -> bool:
    """Tell whether two names are equal, in another order, or one part of the other."""
    if fold_name(one) == fold_name(other):
        return True
    ours, theirs = split_name(one), split_name(other)
    return bool(ours and theirs) and (ours <= theirs or theirs <= ours)


def _stem(name: str) -> str:
    """Return a normalized name without the suffix of a notebook or zip, or what became of it."""
    name = normalize_name(name)
    for suffix in (*SUFFIXES, *RENAMED):
        if name.casefold().endswith(suffix):
            return name[: -len(suffix)]
    return name
