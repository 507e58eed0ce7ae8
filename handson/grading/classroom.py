"""A class: every submission graded, by several processes, and then compared with the others.

Results lie in a temporary file and are read again when they are asked for, so that a class of any
size needs little memory.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import msgspec

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.grading import copies
from handson.grading.judging import Requirements
from handson.grading.marks import Marks
from handson.grading.model import WARNING, Finding, Passage, Result
from handson.grading.roster import Learner, Roster
from handson.grading.sources import Submission, find_submissions
from handson.grading.submission import Graded, Task, empty_result, grade_task, newest_time

WORKERS = 2
FEW = 24
"""So many submissions are graded before other processes would have started."""
_AT_ONCE = 4

Progress = Callable[[int, int], None]


class Grades:
    """The results of a class, in the roster's order and then by name; a context manager.

    Iterating reads them from a temporary file, which `close` removes.

    Attributes:
        requirements: What was asked of the evidence.
        marks: The marks that people have given.
        readable: The number of submissions with something that could be read.
    """

    def __init__(self, requirements: Requirements, marks: Marks) -> None:
        self.requirements = requirements
        self.marks = marks
        self.readable = 0
        self._file = tempfile.TemporaryFile(prefix="handson-grades-")  # noqa: SIM115 (see `close`)
        self._ends = [0]
        self._learners: list[str] = []
        self._order: list[int] = []
        self._added: dict[int, list[Finding]] = defaultdict(list)
        self._decoder = msgspec.json.Decoder(Result)

    def __len__(self) -> int:
        return len(self._learners)

    def __iter__(self) -> Iterator[Result]:
        return map(self.load, self._order)

    def __enter__(self) -> Grades:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def load(self, number: int) -> Result:
        """Return the result of that number, with the findings of comparing the class."""
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        result = self._decoder.decode(self._file.read(end - start))
        findings = (*self._added.get(number, ()), *result.findings)
        return self.marks.apply(msgspec.structs.replace(result, findings=findings))

    def find_marked_strangers(self) -> list[str]:
        """Return the names that have marks and are not in the class."""
        return self.marks.find_unknown(self._learners)

    def close(self) -> None:
        """Delete all results."""
        self._file.close()

    def _keep(self, learner: str, result: bytes) -> None:
        self._learners.append(learner)
        self._file.seek(self._ends[-1])
        self._ends.append(self._ends[-1] + self._file.write(result))

    def _add_findings(self) -> None:
        """Add a finding where several submissions belong to one learner."""
        by_learner: dict[str, list[int]] = defaultdict(list)
        for number, learner in enumerate(self._learners):
            by_learner[learner].append(number)
        for numbers in by_learner.values():
            for number in numbers if len(numbers) > 1 else ():
                others = tuple(self.load(other).source for other in numbers if other != number)
                finding = Finding(code="learner-twice", severity=WARNING, others=others)
                self._added[number].append(finding)

    def _complete(self, roster: Roster) -> None:
        """Add the learners who handed in nothing, and sort all by the roster, then by name."""
        handed_in = set(self._learners)
        for learner in roster.learners:
            if learner.id not in handed_in:
                absent = Finding(code="nothing-handed-in", severity=WARNING)
                result = empty_result(learner, [absent], handed_in=False)
                self._keep(learner.id, msgspec.json.encode(result))
        places = {learner.id: place for place, learner in enumerate(roster.learners)}
        self._order = sorted(
            range(len(self._learners)),
            key=lambda n: (places.get(self._learners[n], len(places)), self._learners[n]),
        )


def grade(
    paths: Sequence[Path],
    *,
    roster: Roster | None = None,
    requirements: Requirements | None = None,
    marks: Marks | None = None,
    pictures: bool = False,
    workers: int = WORKERS,
    on_progress: Progress | None = None,
) -> Grades:
    """Grade the submissions of the given paths without running anything in them.

    Args:
        paths: Notebooks, folders and zips.
        roster: The learners of the class; without it, those whom the folders and evidence name.
        requirements: What evidence has to be, and the exercise that it is judged by.
        marks: The marks that people have given so far.
        pictures: Keep the pictures that the diagrams drew.
        workers: The number of processes, where there is enough work for them.
        on_progress: Takes the number of submissions graded so far, and of all.

    Raises:
        InvalidInput: A path cannot be graded, or nothing was handed in at all.
    """
    roster, requirements = roster or Roster(), requirements or Requirements()
    tasks = _make_tasks(find_submissions(paths, roster), roster)
    if not tasks:
        raise InvalidInput(*messages.advice("grading.nothing"))
    grades = Grades(requirements, marks or Marks())
    work = partial(grade_task, requirements=requirements, roster=roster, pictures=pictures)
    try:
        with closing(copies.Index()) as evidence, closing(copies.Index()) as answers:
            with _run(work, tasks, workers) as results:
                for number, graded in enumerate(results):
                    grades._keep(graded.learner, graded.result)
                    grades.readable += graded.is_readable
                    evidence.add(number, graded.identifiers)
                    answers.add(number, graded.sketches)
                    if on_progress is not None:
                        on_progress(number + 1, len(tasks))
            for owner, finding in copies.compare_evidence(evidence.shared(), grades.load):
                grades._added[owner].append(finding)
            _compare_answers(grades, answers)
        grades._add_findings()
        grades._complete(roster)
    except BaseException:
        grades.close()
        raise
    return grades


@contextmanager
def _run(
    work: Callable[[Task], Graded], tasks: list[Task], workers: int
) -> Iterator[Iterator[Graded]]:
    """Give the results of the tasks in order, made by one process or several."""
    if workers < 2 or len(tasks) < FEW or (os.cpu_count() or 1) < 2:
        yield map(work, tasks)
        return
    # Spawned, not forked: a fork takes over the locks of our other threads, and open zips.
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, messages.use, (messages.language(),)) as pool:
        yield pool.imap(work, tasks, chunksize=_AT_ONCE)


def _make_tasks(submissions: Iterator[Submission], roster: Roster) -> list[Task]:
    """Return a task for each learner, with the newest of several submissions."""
    found: dict[str, list[Submission]] = defaultdict(list)
    for number, submission in enumerate(submissions):
        known = roster.find(submission.owner) if submission.owner else None
        found[known.id if known else submission.owner or f"\0{number}"].append(submission)
    return [
        _make_task(own, roster, has_namesakes=len(people) > 1)
        for _, submissions in sorted(found.items())
        for people in [_split_namesakes(submissions)]
        for own in people
    ]


def _split_namesakes(submissions: list[Submission]) -> list[list[Submission]]:
    """Divide the submissions of one name among the people who bear it.

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


def _make_task(submissions: list[Submission], roster: Roster, *, has_namesakes: bool) -> Task:
    chosen = submissions[0]
    if len(submissions) > 1:
        chosen = max(submissions, key=lambda each: (newest_time(each), each.source))
    earlier = len(submissions) - 1
    candidates = roster.find_namesakes(chosen.owner) if chosen.owner else ()
    if len(candidates) == 1:
        return Task(chosen, candidates[0], earlier)
    learner = Learner(chosen.owner)
    if has_namesakes and chosen.number:
        learner = Learner(f"{chosen.owner} ({chosen.number})", chosen.owner)
    in_roster = not (roster and chosen.owner) or bool(candidates)
    return Task(chosen, learner, earlier, in_roster, candidates)


def _compare_answers(grades: Grades, sketches: copies.Index) -> None:
    passages: dict[int, dict[int, list[Passage]]] = defaultdict(lambda: defaultdict(list))
    for grade_id, one, other in copies.find_candidates(sketches.shared()):
        mine, theirs = (
            next(answer for answer in grades.load(number).answers if answer.grade_id == grade_id)
            for number in (one, other)
        )
        for owner, partner, texts in ((one, other, (mine, theirs)), (other, one, (theirs, mine))):
            passage = copies.compare_answers(*texts)
            if passage is not None:
                passages[owner][partner].append(passage)
    for owner, partners in passages.items():
        grades._added[owner].append(_describe_alike(grades, partners))


def _describe_alike(grades: Grades, partners: dict[int, list[Passage]]) -> Finding:
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
