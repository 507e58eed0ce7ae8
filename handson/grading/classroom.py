"""A class: every submission graded, two processes sharing the work, memory staying flat.

A result is written to a temporary file as soon as it is there and read again when it is asked for;
of each submission only what tells it from the others stays in memory.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import tempfile
import threading
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

import msgspec

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.grading import alike, crossing
from handson.grading.marks import Marks
from handson.grading.meetings import Meetings
from handson.grading.model import WARNING, Finding, Passage, Result, Written
from handson.grading.requirements import Requirements
from handson.grading.roster import Learner, Roster
from handson.grading.sources import Submission, find_submissions
from handson.grading.submission import Graded, Task, empty, grade_task, newest

WORKERS = 2
FEW = 24
"""So many submissions are graded before a second process would be ready."""
_AT_ONCE = 4

Tell = Callable[[int, int], None]
"""Is told how many submissions are graded, of how many."""


class Grades:
    """The results of a class, in the roster's order and then by name; a context manager.

    Iterating reads them from a temporary file, which `close` removes.
    """

    def __init__(self, requirements: Requirements, marks: Marks) -> None:
        self.requirements = requirements
        self.marks = marks
        self.readable = 0
        """How many submissions had something that could be read."""
        self._file = tempfile.TemporaryFile(prefix="handson-grades-")  # noqa: SIM115 (see `close`)
        self._starts = array("Q", [0])
        self._learners: list[str] = []
        self._order: list[int] = []
        self._late: dict[int, list[Finding]] = defaultdict(list)
        self._decoder = msgspec.json.Decoder(Result)

    def __len__(self) -> int:
        return len(self._learners)

    def __iter__(self) -> Iterator[Result]:
        return map(self.load, self._order)

    def __enter__(self) -> Grades:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def load(self, number: int) -> Result:
        """Return the result of that number, with what comparing the class has found."""
        start, end = self._starts[number], self._starts[number + 1]
        self._file.seek(start)
        result = self._decoder.decode(self._file.read(end - start))
        late = self._late.get(number)
        if late:
            result = msgspec.structs.replace(result, findings=(*late, *result.findings))
        return self.marks.apply(result)

    def marked_strangers(self) -> list[str]:
        """Return who has marks and is not in the class."""
        return self.marks.unknown(self._learners)

    def close(self) -> None:
        """Forget all results."""
        self._file.close()

    def _keep(self, learner: str, result: bytes) -> None:
        self._learners.append(learner)
        self._file.seek(self._starts[-1])
        self._file.write(result)
        self._starts.append(self._starts[-1] + len(result))

    def _add(self, number: int, finding: Finding) -> None:
        self._late[number].append(finding)

    def _complete(self, roster: Roster) -> None:
        """Add those who handed in nothing, and put all in the roster's order, then by name."""
        there = set(self._learners)
        for learner in roster.learners:
            if learner.id not in there:
                absent = Finding(code="nothing-handed-in", severity=WARNING)
                result = empty(learner, [absent], handed_in=False)
                self._keep(learner.id, msgspec.json.encode(result))
        places = {learner.id: place for place, learner in enumerate(roster.learners)}
        named = enumerate(self._learners)
        ordered = sorted(named, key=lambda item: (places.get(item[1], len(places)), item[1]))
        self._order = [number for number, _ in ordered]


def grade(
    paths: Sequence[Path],
    *,
    roster: Roster | None = None,
    requirements: Requirements | None = None,
    marks: Marks | None = None,
    pictures: bool = False,
    workers: int = WORKERS,
    tell: Tell | None = None,
) -> Grades:
    """Grade the submissions of the given paths without running anything in them.

    Args:
        paths: Notebooks, folders and zips.
        roster: Who is in the class; without it, whoever the folders and the evidence name.
        requirements: What evidence has to be.
        marks: What people have given so far.
        pictures: Keep the pictures that the diagrams drew.
        workers: How many processes share the work, where there is enough of it.
        tell: Is told about progress.

    Raises:
        InvalidInput: A path cannot be graded, or nothing was handed in at all.
    """
    roster, requirements = roster or Roster(), requirements or Requirements()
    tasks = _tasks(find_submissions(paths, roster), roster)
    if not tasks:
        raise InvalidInput(*messages.advice("grading.nothing"))
    grades = Grades(requirements, marks or Marks())
    work = partial(grade_task, requirements=requirements, roster=roster, pictures=pictures)
    try:
        with tempfile.TemporaryFile(prefix="handson-met-") as file:
            met = _Met(Meetings(64, file), alike.Sketches(file))
            with _shared(work, tasks, workers) as done:
                _gather(grades, met, done, len(tasks), tell)
            _compare(grades, met)
        grades._complete(roster)
    except BaseException:
        grades.close()
        raise
    return grades


@dataclass(frozen=True)
class _Met:
    """What may stand in several submissions."""

    same: Meetings
    sketches: alike.Sketches


def _gather(
    grades: Grades, met: _Met, done: Iterator[Graded], count: int, tell: Tell | None
) -> None:
    for number, graded in enumerate(done):
        grades._keep(graded.learner, graded.result)
        grades.readable += graded.is_readable
        met.same.add(number, graded.keys)
        met.sketches.add(number, graded.sketches)
        if tell is not None:
            tell(number + 1, count)


def _compare(grades: Grades, met: _Met) -> None:
    for owner, finding in crossing.look(met.same, grades.load):
        grades._add(owner, finding)
    _compare_answers(grades, met.sketches)
    _tell_twins(grades)


@contextmanager
def _shared(
    work: Callable[[Task], Graded], tasks: list[Task], workers: int
) -> Iterator[Iterator[Graded]]:
    """Give what becomes of each task, in order, by one process or several."""
    if workers < 2 or len(tasks) < FEW or (os.cpu_count() or 1) < 2:
        yield map(work, tasks)
        return
    # A fork is ready at once, and safe where there are no threads that could hold a lock.
    can_fork = "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if can_fork else "spawn")
    gc.freeze()  # a child's collector would copy every page that it looks at
    try:
        language = (messages.language(),)
        with context.Pool(workers, initializer=messages.use, initargs=language) as pool:
            yield pool.imap(work, tasks, chunksize=_AT_ONCE)
    finally:
        gc.unfreeze()


def _tasks(submissions: Iterator[Submission], roster: Roster) -> list[Task]:
    """Return one task a learner, with the newest of several submissions."""
    found: dict[str, list[Submission]] = {}
    for number, submission in enumerate(submissions):
        known = roster.find(submission.owner) if submission.owner else None
        key = known.id if known else submission.owner or f"\0{number}"
        found.setdefault(key, []).append(submission)
    return [
        _task(own, roster, has_namesakes=len(people) > 1)
        for _, submissions in sorted(found.items())
        for people in [_people(submissions)]
        for own in people
    ]


def _people(submissions: list[Submission]) -> list[list[Submission]]:
    """Part the submissions of one name by whose they are.

    A learning platform numbers the people of an export, and may number them anew in the next.
    """
    numbers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for submission in submissions:
        numbers[submission.export].add(submission.number)
    if all(len(found - {""}) < 2 for found in numbers.values()):
        return [submissions]
    people: dict[str, list[Submission]] = defaultdict(list)
    for submission in submissions:
        people[submission.number].append(submission)
    return list(people.values())


def _task(submissions: list[Submission], roster: Roster, *, has_namesakes: bool) -> Task:
    chosen = submissions[0] if len(submissions) == 1 else max(submissions, key=_age)
    earlier = len(submissions) - 1
    candidates = roster.named(chosen.owner) if chosen.owner else ()
    if len(candidates) == 1:
        return Task(chosen, candidates[0], earlier)
    learner = Learner(chosen.owner)
    if has_namesakes and chosen.number:
        learner = Learner(f"{chosen.owner} ({chosen.number})", chosen.owner)
    in_roster = not (roster and chosen.owner) or bool(candidates)
    return Task(chosen, learner, earlier, in_roster, candidates)


def _age(submission: Submission) -> tuple[str, str]:
    return newest(submission), submission.source


def _compare_answers(grades: Grades, sketches: alike.Sketches) -> None:
    passages: dict[int, dict[int, list[Passage]]] = defaultdict(lambda: defaultdict(list))
    for grade_id, one, other in sketches.candidates():
        mine, theirs = (_answer(grades.load(number), grade_id) for number in (one, other))
        for owner, partner, texts in ((one, other, (mine, theirs)), (other, one, (theirs, mine))):
            passage = alike.compare(*texts)
            if passage is not None:
                passages[owner][partner].append(passage)
    for owner, partners in passages.items():
        grades._add(owner, _alike(grades, partners))


def _tell_twins(grades: Grades) -> None:
    """Tell of submissions that are one learner's by their evidence, though not by their names."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, learner in enumerate(grades._learners):
        found[learner].append(number)
    for numbers in found.values():
        for number in numbers if len(numbers) > 1 else ():
            others = tuple(grades.load(other).source for other in numbers if other != number)
            grades._add(number, Finding(code="learner-twice", severity=WARNING, others=others))


def _answer(result: Result, grade_id: str) -> Written:
    return next(answer for answer in result.answers if answer.grade_id == grade_id)


def _alike(grades: Grades, partners: dict[int, list[Passage]]) -> Finding:
    """Return the finding for one learner: all who share answers, the passages of the closest."""
    closest = max(partners, key=lambda number: (len(partners[number]), -number))
    others = [closest, *(number for number in sorted(partners) if number != closest)]
    found = {passage.grade_id for passages in partners.values() for passage in passages}
    return Finding(
        code="answers-alike",
        severity=WARNING,
        values={"questions": ", ".join(sorted(found))},
        others=tuple(grades.load(number).label for number in others),
        passages=tuple(partners[closest]),
    )
