"""Reads a class from the folders of its learners, which are strangers' files.

Links are not followed, sizes and numbers are limited, and what cannot be read is a note of its
learner.  Times in a learner's files are compared with each other and with the files' own times
alone: the clocks of learners' computers may differ from this one's.
"""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from itertools import islice, takewhile
from pathlib import Path
from threading import Lock

import msgspec

from handson import grading
from handson.core import messages
from handson.core.text import one_line
from handson.course import syllabus
from handson.course.activity import LOG, Activity, read_activities
from handson.course.course import Course
from handson.course.evidence import HAND_IN
from handson.course.exercise import Exercise
from handson.grading import Finding, Requirements
from handson.grading.archives import MOST_BYTES, Entry, Folder, Refused, read_entry
from handson.grading.findings import make_finding
from handson.grading.marks import judge_check
from handson.grading.submission import read_claims

MOST_FOLDERS, DEEPEST = 5_000, 8
"""Folders of a learner that are looked into, and how deep the search goes."""
SECONDS = 20
"""The time between two searches for new files; known ones are looked at each time."""

_HOME = ".handson"
_OURS = {HAND_IN, LOG}
_MOST_NOTES, _MOST_KNOWN = 3, 2_000

Files = tuple[tuple[str, float, int], ...]
"""The path, the time and the size of files and folders; two zeros where it cannot be looked at."""


class Learner(msgspec.Struct, frozen=True, kw_only=True):
    """What the board shows of a learner; all texts are strangers', on one line.

    Attributes:
        name: The name of the learner's folder.
        notebook: The notebook of the newest start, error or evidence, or "".
        checks: The status of each check, as grading gives it.
        error: The error that the learner is at, in words, or "".
        since: When it was met first, in seconds since 1970, by the clock of the files.
        seen: When the learner's files changed last, likewise; 0 if none could be looked at.
        notes: What could not be read, or does not count.
    """

    name: str
    notebook: str = ""
    checks: tuple[str, ...] = ("missing",) * len(syllabus.CHECKS)
    error: str = ""
    since: float = 0
    seen: float = 0
    notes: tuple[str, ...] = ()


class ClassFolder:
    """A folder that holds a folder for each learner: a home, or a workspace.

    Args:
        root: The folder.
        course: The class's course, which may give each learner an exercise.
        clock: Seconds that only ever grow.
    """

    def __init__(
        self, root: Path, course: Course = Course(), *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._root = os.path.realpath(root)
        self._asked = Requirements(course=course)
        self._clock = clock
        self._lock = Lock()
        self._find = lru_cache(maxsize=1)(self._find_learners)
        self._read = lru_cache(maxsize=_MOST_KNOWN)(self._read_learner)

    @property
    def exercise(self) -> Exercise:
        """What the class builds, with an ellipsis where names are each learner's own."""
        varied = self._asked.course.exercise
        return varied.name_exercise("…") if varied else Exercise()

    def read(self) -> list[Learner]:
        """Return the learners by name; only files that have changed are read again.

        Raises:
            OSError: The folder cannot be listed.
        """
        with self._lock:
            paths = self._find(self._clock() // SECONDS)
            looked = {name: tuple(map(_look_at, found)) for name, found in paths.items() if found}
            return [self._read(*each) for each in looked.items()]

    def _find_learners(self, _turn: float) -> dict[str, list[str]]:
        with os.scandir(self._root) as entries:
            names = sorted(each.name for each in entries if each.is_dir(follow_symlinks=False))
        return {name: find_files(os.path.join(self._root, name)) for name in names}

    def _read_learner(self, name: str, files: Files) -> Learner:
        try:
            return read_learner(name, files, self._asked.for_learner(grading.Learner(name)))
        except Exception as error:  # one learner's files must not hide the others
            reason = one_line(f"{type(error).__name__}: {error}")
            return Learner(name=one_line(name), notes=(reason,))


def find_files(folder: str, most: int = MOST_FOLDERS) -> list[str]:
    """Return our files in a learner's folder and below, and the folders that cannot be listed."""
    found: list[str] = []
    deepest = folder.count(os.sep) + DEEPEST
    walk = os.walk(folder, onerror=lambda error: found.append(error.filename))
    for at, inner, names in islice(walk, most):
        home = os.path.join(at, _HOME)
        found += [os.path.join(at, name) for name in names if name in _OURS]
        found += [home] if os.path.islink(home) else []  # which is to be told of
        if os.path.basename(at) == _HOME or at.count(os.sep) == deepest:
            inner.clear()  # what `handson run` made in the home folder is not the learner's
        inner[:] = sorted(name for name in inner if name == _HOME or name[0] != ".")
    return found


def _look_at(path: str) -> tuple[str, float, int]:
    try:
        status = os.lstat(path)
    except OSError:  # the one who reads it is told why
        return path, 0, 0
    return path, status.st_mtime, status.st_size


def read_learner(name: str, files: Files, asked: Requirements) -> Learner:
    """Return what a learner's files show."""
    findings: list[Finding] = []
    folders: dict[str, list[str]] = defaultdict(list)
    times = {path: changed for path, changed, _ in files}
    for path in times:
        if os.path.realpath(path) != path:  # or a link has taken a folder's place
            findings.append(make_finding("file-link"))
        else:  # looking for the journal tells why a folder cannot be listed
            folder, file = (path, HAND_IN) if os.path.isdir(path) else os.path.split(path)
            folders[file].append(folder)
    claims, unread = read_claims(map(Path, folders[HAND_IN]), (HAND_IN,))
    marks = [judge_check(check, claims, asked) for check in syllabus.CHECKS]
    logged_at, log = max(((times[f"{it}/{LOG}"], it) for it in folders[LOG]), default=(0, ""))
    activities = _read_log(log, findings) if log else []
    sealed = [(datetime.fromisoformat(it.observed_at), it) for it in claims.items]
    places = [(it.at, it.notebook) for it in activities if it.notebook in syllabus.ALL_NOTEBOOKS]
    places += [(at, syllabus.find_check(claim.check).notebook) for at, claim in sealed]
    passed = {it.proof.observed_at for it in marks if it.proof and it.status == "passed"}
    run = _find_run(activities, [datetime.fromisoformat(each) for each in passed])
    findings += [*unread, *(mark.objection for mark in marks if mark.objection)]
    notes = dict.fromkeys(one_line(finding.message) for finding in findings)
    return Learner(
        name=one_line(name),
        notebook=max(places)[1] if places else "",
        checks=tuple(mark.status for mark in marks),
        error=describe_error(run[0].error) if run else "",
        since=logged_at - max(0, (run[0].at - run[-1].at).total_seconds()) if run else 0,
        seen=max(times.values()),
        notes=tuple(notes)[:_MOST_NOTES],
    )


def _read_log(folder: str, findings: list[Finding]) -> list[Activity]:
    """Return the activities in a log, newest first; `findings` gets why it is not read."""
    try:
        data = read_entry(Folder(folder), Entry(LOG, LOG), limit=MOST_BYTES)
    except Refused as refusal:
        findings.append(make_finding(refusal.code, "warning", **refusal.values))
        return []
    return [*read_activities(data.split(b"\n"))][::-1]


def _find_run(activities: list[Activity], passed: list[datetime]) -> list[Activity]:
    """Return the activities with the newest one's error, none where evidence passed after it."""
    last = activities[0] if activities else None
    if last is None or not last.error or any(at > last.at for at in passed):
        return []
    return [*takewhile(lambda each: each.error == last.error, activities)]


def describe_error(name: str) -> str:
    """Return the problem that has this key, its values left out, or else the name itself."""
    wing, _, rest = name.partition(".")
    if re.fullmatch("[a-z]+", wing):  # strangers' words lead to no other file
        with suppress(FileNotFoundError, KeyError):
            sentence = messages.catalogue(wing)[f"{rest}.problem"][messages.language()]
            return re.sub(r"\{[^}]*\}", "…", sentence)
    return one_line(name)
