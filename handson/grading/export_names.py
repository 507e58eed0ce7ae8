"""Names of people and files, as learning platforms and people write them.

Moodle            山田 花子_12345_assignsubmission_file_/01-network.ipynb
Canvas            yamadahanako_LATE_12345_67890_01-network-1.ipynb
Blackboard        Step 2_s1001_attempt_2026-05-01-10-30-00_01-network.ipynb
Brightspace       12345-67890 - Hanako Yamada - May 1, 2026 1030 AM/01-network.ipynb
Sakai             山田, 花子(s1001)/提出物の添付/01-network.ipynb
manaba            s1001@00123495/01-network.ipynb,  s1001@00123495@01-network.ipynb
WebClass          s1001_山田 花子_01-network.ipynb  (assumed)
Google Classroom  山田 花子 - 01-network.ipynb  (assumed)
GitHub Classroom  step-2-submissions/step-2-hanako-y/notebooks/ja/01-network.ipynb
Teams             Submitted files/山田 花子/Step 2/Version 2/01-network.ipynb
by hand           s1001@山田花子/01-network (1).ipynb,  s1001_01-network.ipynb,  s1001.zip

What stands before the name of a notebook, journal or proof is the learner's, whoever wrote it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from handson.core.files import read_data
from handson.core.text import fold_name, replace_surrogates
from handson.course import syllabus

SUFFIXES = (".ipynb", ".zip")
RENAMED = (".ipynb.txt", ".ipynb.json")
"""How a notebook's name ends that a browser or an editor has saved as text."""

RECORDS = {".jsonl": "journal", ".jwt": "proof"}
"""How the names of journals and of signed proofs end, and what they mention."""

_DATA = read_data("handson.grading", "export_names.toml")
_PLATFORMS = {name: re.compile(it, re.DOTALL) for name, it in _DATA["platforms"].items()}
_PREFIXES = {name: re.compile(it) for name, it in _DATA["prefixes"].items()}
_NO_PERSON = re.compile(_DATA["no-person"])
_VERSION = re.compile(_DATA["version"], re.DOTALL | re.IGNORECASE)
_JUNK = re.compile("|".join(_DATA["junk"]), re.DOTALL | re.IGNORECASE)
_INSTEAD = {suffix: kind for kind, each in _DATA["instead"].items() for suffix in each}
_SUFFIXES = (*RENAMED, *SUFFIXES, *RECORDS, *_INSTEAD)
_NOTEBOOKS = "|".join(map(re.escape, syllabus.ALL_NOTEBOOKS))
_NOTEBOOK = re.compile(rf"(?P<before>.*?)(?P<notebook>{_NOTEBOOKS})(?P<after>.*)", re.DOTALL)
_RECORD = re.compile(r"(?P<before>.*?)(?:journal|proof)(?P<after>.*)", re.DOTALL | re.IGNORECASE)
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


def says_who(own: str, other: str) -> bool:
    """Tell whether a name says whose something is, so that the other name may contradict it.

    Numbers, accounts, addresses and repositories are no person's name; a number contradicts only
    another one of its form.
    """
    if not _NO_PERSON.fullmatch(unicodedata.normalize("NFKC", own)):
        return bool(own)
    forms = [re.sub("[a-z]", "a", re.sub(r"\d", "0", name.casefold())) for name in (own, other)]
    return "0" in forms[0] and forms[0] == forms[1]


def says_person(name: str) -> bool:
    """Tell whether the name of a folder may be a person's, and is not that of a version or copy."""
    return bool(name) and not _VERSION.fullmatch(unicodedata.normalize("NFKC", name))


def split_suffix(name: str) -> tuple[str, str]:
    """Return a name without the suffix of what learners hand in, and that suffix or ""."""
    name = normalize_name(name)
    folded = name.casefold()
    for suffix in _SUFFIXES:
        if folded.endswith(suffix) and RECORDS.get(suffix, "") in folded:
            return name[: -len(suffix)], suffix
    return name, ""


class Person(NamedTuple):
    """Whom a name mentions; all is "" where it mentions nobody.

    `number` tells namesakes apart: learning platforms give it, it is unique within one export, and
    the next export may number the same people anew.  `place` is what the platform calls the
    learner's folder, or writes before the names of the learner's files.
    """

    name: str = ""
    number: str = ""
    platform: str = ""
    place: str = ""
    is_late: bool = False


NOBODY = Person()


def find_person(name: str, above: str = "") -> Person:
    """Return the person whom the name of a file or folder mentions.

    Args:
        name: The name.
        above: The name of the folder that it stands in.
    """
    stem, suffix = split_suffix(name)
    for platform, pattern in _PLATFORMS.items():
        if found := pattern.fullmatch(f"{above}/{stem}" if "/" in pattern.pattern else stem):
            parts = {"number": "", "late": "", "rest": "", **found.groupdict()}
            who = parts["who"].strip()
            if who.casefold() in _DATA["anonymous"]:
                who = f"{who} {parts['number']}"
            place = stem.removesuffix(parts["rest"]).rstrip(" _") if parts["rest"] else stem
            return Person(who, parts["number"], platform, place, bool(parts["late"]))
    found = (_RECORD if suffix in RECORDS else _NOTEBOOK).fullmatch(stem)
    place = found["before"] if found and _COPY.fullmatch(found["after"]) else stem
    who = place.strip() if place == stem else place.rstrip(" _.@-").strip()
    if who.casefold() in _DATA["nobody"]:
        return NOBODY
    platforms = (known for known, prefix in _PREFIXES.items() if prefix.fullmatch(place))
    return Person(who, platform=next(platforms, ""), place=place)


def make_zip_name(learner: str) -> str:
    """Return the name of a learner's zip, from which `find_person` reads the same person.

    It is a name on every system, and keeps the letters of every language: platforms take them.
    """
    name = re.sub(rf"[{_UNSAFE}]|[^\S ]", "-", normalize_name(learner)).strip(" .-")
    name = name.encode()[:_LONGEST].decode(errors="ignore").rstrip(" .-")
    return f"{name or 'submission'}.zip"


def find_notebook(name: str) -> str:
    """Return the notebook of the workshop that a file's name mentions, or ""."""
    found = _NOTEBOOK.fullmatch(split_suffix(name)[0])
    return found["notebook"] if found and _COPY.fullmatch(found["after"]) else ""


def is_junk(name: str) -> bool:
    """Tell whether a platform, an editor or the workshop makes a file or folder of that name."""
    return _JUNK.fullmatch(name) is not None


def describe_instead(name: str) -> str:
    """Return what a file is that stands in a notebook's place: a page, an archive or a document."""
    return str(_INSTEAD.get(split_suffix(name)[1], "document"))


def list_words(name: str) -> list[str]:
    """Return the words of a name in their order, each folded."""
    words = _SEPARATORS.split(unicodedata.normalize("NFKC", name))
    return [word.casefold() for word in words if word]


def is_same_person(one: str, other: str) -> bool:
    """Tell whether two names are equal, in another order, or one part of the other."""
    if fold_name(one) == fold_name(other):
        return True
    ours, theirs = {*list_words(one)}, {*list_words(other)}
    return bool(ours and theirs) and (ours <= theirs or theirs <= ours)
