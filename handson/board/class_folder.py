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
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice, takewhile
from pathlib import Path
from threading import Lock

import msgspec

from handson import grading
from handson.core import messages
from handson.core.folders import WORKSPACE
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
from handson.grading.submission import read_answers, read_claims

MOST_FOLDERS, MOST_ENTRIES = 100_000, 5_000
"""Folders of a class, and entries of a folder, that are looked at."""
SECONDS = 20
"""The time between two searches for new files; known ones are looked at each time."""

_HOME, _DIAGRAM = ".handson", f"{syllabus.DIAGRAM.notebook}.ipynb"
_OURS = {HAND_IN, LOG, _DIAGRAM}
_GENERIC = {*_OURS, _HOME, WORKSPACE, "notebooks", *messages.LANGUAGES}
_KNOWN = {*syllabus.ALL_NOTEBOOKS}
_MOST_NOTES = 3

Files = Mapping[str, tuple[float, int] | Finding]
"""By path the time and the size of a file, or why the file or folder cannot be looked at."""


class Learner(msgspec.Struct, frozen=True, kw_only=True):
    """What the board shows of a learner; all texts are strangers', on one line.

    Attributes:
        name: The learner's folder, from where learners' folders differ.
        notebook: The notebook of the newest start, error or evidence, or "".
        checks: The status of each check, as grading gives it.
        answers: The number of questions with a saved answer.
        error: The error that the learner is at, in words, or "".
        since: When it was met first, in seconds since 1970, by the clock of the files.
        seen: When the learner's files changed last, likewise; 0 if none could be looked at.
        notes: What could not be read, or does not count.
    """

    name: str
    notebook: str = ""
    checks: tuple[str, ...] = ("missing",) * len(syllabus.CHECKS)
    answers: int = 0
    error: str = ""
    since: float = 0
    seen: float = 0
    notes: tuple[str, ...] = ()


class ClassFolder:
    """A folder in which the homes or workspaces of a class lie, at any depth.

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
        self._searched = float("-inf")
        self._paths: dict[str, list[str]] = {}
        self._known: dict[str, tuple[Files, Learner]] = {}

    @property
    def exercise(self) -> Exercise:
        """What the class builds, with an ellipsis where names are each learner's own."""
        varied = self._asked.course.exercise
        return varied.name_exercise("…") if varied else self._asked.exercise

    def read(self) -> list[Learner]:
        """Return the learners by name; only files that have changed are read again."""
        with self._lock:
            now = self._clock()
            if now - self._searched >= SECONDS:
                self._paths, self._searched = _group_by_learner(self._root), now
            self._known = dict(self._look())
            return [learner for _, learner in self._known.values()]

    def _look(self) -> Iterator[tuple[str, tuple[Files, Learner]]]:
        for name, paths in self._paths.items():
            files: Files = {path: _look_at(path) for path in paths}
            known = self._known.get(name)
            if known is None or known[0] != files:
                known = files, read_learner(name, files, self._asked)
            yield name, known


def _group_by_learner(root: str) -> dict[str, list[str]]:
    """Return the paths of our files by the learner's folder, which holds the workspace."""
    paths = defaultdict(list)
    for path in find_files(root):
        folder = path
        while os.path.basename(folder) in _GENERIC and folder != root:
            folder = os.path.dirname(folder)
        paths[folder].append(path)
    above = os.path.commonpath([os.path.dirname(folder) for folder in paths]) if paths else ""
    return {os.path.relpath(folder, above): paths[folder] for folder in sorted(paths)}


def find_files(folder: str, budget: int = MOST_FOLDERS) -> Iterator[str]:
    """Yield our files in a folder and below, and the folders that cannot be listed.

    Folders share the budget evenly, so that one learner's thousands do not hide the others.
    """
    try:
        with os.scandir(folder) as listed:
            entries = sorted(islice(listed, MOST_ENTRIES), key=lambda each: each.name)
        inner = {each.name: each.path for each in entries if each.is_dir(follow_symlinks=False)}
    except OSError:
        yield folder
        return
    names = {*_OURS, _HOME} - inner.keys()  # a home folder that is a link is to be told of
    yield from (each.path for each in entries if each.name in names)
    if os.path.basename(folder) == _HOME:  # what `handson run` made there is not the learner's
        return
    below = [path for name, path in inner.items() if name == _HOME or name[0] != "."]
    below = below[: budget - 1]
    for path in below:
        yield from find_files(path, (budget - 1) // len(below))


def _look_at(path: str) -> tuple[float, int] | Finding:
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            os.scandir(path).close()
        status = os.lstat(path)
        return status.st_mtime, status.st_size
    except OSError as error:
        return make_finding("file-unreadable", reason=error.strerror)


def read_learner(name: str, files: Files, asked: Requirements) -> Learner:
    """Return what a learner's files show; nothing in them makes this raise."""
    try:
        return _read_files(one_line(name), files, asked.for_learner(grading.Learner(name)))
    except Exception as error:  # one learner's files must not hide the others
        return Learner(name=one_line(name), notes=(one_line(f"{type(error).__name__}: {error}"),))


def _read_files(name: str, files: Files, asked: Requirements) -> Learner:
    findings, times = [], {}
    folders: dict[str, list[Path]] = defaultdict(list)
    for path, looked in files.items():
        if isinstance(looked, Finding):
            findings.append(looked)
        elif os.path.realpath(path) != path:  # or a link has taken a folder's place
            findings.append(make_finding("file-link"))
        else:
            times[path] = looked[0]
            folders[os.path.basename(path)].append(Path(path).parent)
    claims, unread = read_claims(folders[HAND_IN], (HAND_IN,))
    marks = [judge_check(check, claims, asked) for check in syllabus.CHECKS]
    log = max((path for path in times if path.endswith(LOG)), key=times.__getitem__, default="")
    activities = [*_read_log(log, findings)] if log else []
    sealed = [(datetime.fromisoformat(it.observed_at), it) for it in claims.items]
    places = [(each.at, each.notebook) for each in activities if each.notebook in _KNOWN]
    places += [(at, syllabus.find_check(claim.check).notebook) for at, claim in sealed]
    passed = {it.proof.observed_at for it in marks if it.proof and it.status == "passed"}
    run = _find_run(activities, [datetime.fromisoformat(each) for each in passed])
    answers = [sum(it.status == "answered" for it in read_answers(at)) for at in folders[_DIAGRAM]]
    findings += [*unread, *(mark.objection for mark in marks if mark.objection)]
    notes = dict.fromkeys(one_line(finding.message) for finding in findings)
    return Learner(
        name=name,
        notebook=max(places)[1] if places else "",
        checks=tuple(mark.status for mark in marks),
        answers=max(answers, default=0),
        error=describe_error(run[0].error) if run else "",
        since=times[log] - max(0, (run[0].at - run[-1].at).total_seconds()) if run else 0,
        seen=max(times.values(), default=0),
        notes=tuple(notes)[:_MOST_NOTES],
    )


def _read_log(path: str, findings: list[Finding]) -> Iterator[Activity]:
    """Yield the lines of a log, newest first; `findings` gets what is not read."""
    try:
        data = read_entry(Folder(os.path.dirname(path)), Entry(LOG, LOG), limit=MOST_BYTES)
    except Refused as refusal:
        findings.append(make_finding(refusal.code, "warning", **refusal.values))
        return
    lines = [*read_activities(data.split(b"\n"))]
    if None in lines:
        findings.append(make_finding("log-lines", count=lines.count(None)))
    yield from (each for each in reversed(lines) if each)


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
