"""A class: every submission graded, by several processes, and then compared with the others."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import fold_name, list_briefly
from handson.grading import copies
from handson.grading.findings import Finding, Result, make_finding
from handson.grading.identity import compare_names
from handson.grading.marking import Marks, apply_marks
from handson.grading.marks import Requirements
from handson.grading.roster import Learner, Roster
from handson.grading.sources import Submission, choose_submissions, find_submissions
from handson.grading.submission import grade_submission, make_empty_result

WORKERS = 2
FEW = 24
"""So many submissions are graded before other processes would have started."""
_AT_ONCE = 4

Progress = Callable[[int, int], None]
Work = Callable[[Submission], Result]


@dataclass(frozen=True)
class Grades:
    """The results of a class.

    Attributes:
        results: A result a learner, in the roster's order and then by name.
        requirements: What was asked of the evidence.
        readable: The number of submissions with something that could be read.
        notices: What stands beside the results: marks that nobody of the class gets.
    """

    results: tuple[Result, ...]
    requirements: Requirements
    readable: int
    notices: tuple[str, ...] = ()


def grade_class(
    paths: Sequence[Path],
    requirements: Requirements | None = None,
    *,
    marks: Marks = Marks(),
    workers: int = WORKERS,
    on_progress: Progress | None = None,
) -> Grades:
    """Grade the submissions of the given paths without running anything in them.

    Args:
        paths: Notebooks, folders and zips.
        requirements: What evidence has to be, the course that it is judged by, and the roster.
        marks: The marks that people have given so far.
        workers: The number of processes, where there is enough work for them.
        on_progress: Takes the number of submissions graded so far, and of all.

    Raises:
        InvalidInput: A path cannot be graded, or nothing was handed in at all.
    """
    asked = requirements or Requirements()
    roster = asked.roster
    submissions = choose_submissions(find_submissions(paths, roster), roster)
    names = (each.person.name for each in submissions)
    asked = asked.for_class(roster.learners or map(Learner, filter(None, names)))
    work = partial(grade_submission, requirements=asked)
    results: list[Result] = []
    with _map(work, submissions, workers) as finished:
        for result in finished:
            results.append(result)
            if on_progress is not None:
                on_progress(len(results), len(submissions))
    if not any(result.handed_in for result in results):
        raise InvalidInput.from_key("grading.nothing")
    results = _compare(results, roster)
    handed_in = {result.learner.id for result in results}
    absent = [learner for learner in roster.learners if learner.id not in handed_in]
    nothing = [make_finding("nothing-handed-in")]
    results += [replace(make_empty_result(it, nothing, asked), handed_in=False) for it in absent]
    places = {learner.id: place for place, learner in enumerate(roster.learners)}
    results.sort(key=lambda each: (places.get(each.learner.id, len(places)), each.learner.id))
    marked, strangers = apply_marks(results, marks)
    return Grades(
        results=marked,
        requirements=asked,
        readable=sum(bool(result.files or result.identifiers) for result in results),
        notices=(*marks.notices, *_describe_strangers(strangers, asked, results)),
    )


def _describe_strangers(
    marked: Sequence[str], asked: Requirements, results: Sequence[Result]
) -> Iterator[str]:
    """Yield a sentence on learners who have marks or an extension and are not in the class.

    So are learners with one exercise, and submissions that bear numbers or accounts, which say of
    nobody whose they are.
    """
    if marked:
        yield messages.text("grading.marks-unknown", learners=list_briefly(marked))
    folded = {fold_name(result.learner.id) for result in results}
    if strangers := sorted(who for who in asked.course.extensions if fold_name(who) not in folded):
        yield messages.text("grading.extensions-unknown", learners=list_briefly(strangers))
    for prefix, holders in asked.holders.items():
        if len(holders) > 1:
            learners = list_briefly([each.label for each in holders])
            yield messages.text("grading.exercise-shared", learners=learners, prefix=prefix)
    if count := sum(each.code == "no-person" for result in results for each in result.findings):
        yield messages.text("grading.no-person", count=count)


@contextmanager
def _map(work: Work, submissions: list[Submission], workers: int) -> Iterator[Iterator[Result]]:
    """Give the results in order, made by one process or several."""
    if workers < 2 or len(submissions) < FEW or (os.cpu_count() or 1) < 2:
        yield map(work, submissions)
        return
    # Spawned, not forked: a fork takes over the locks of our other threads, and open zips.
    import multiprocessing  # an overview of one learner needs none

    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _begin_work, (messages.language(), work)) as pool:
        yield pool.imap(_work_on, submissions, chunksize=_AT_ONCE)


_works: list[Work] = []
"""The work of this process, which it gets once: it holds the whole class, and may be large."""


def _begin_work(language: str, work: Work) -> None:
    messages.use(language)
    _works[:] = [work]


def _work_on(submission: Submission) -> Result:
    return _works[0](submission)


def _compare(results: list[Result], roster: Roster) -> list[Result]:
    """Return the results, with the findings about what several of them have in common."""
    found: dict[int, list[Finding]] = defaultdict(list)
    for number, finding in chain(copies.compare_evidence(results), copies.compare_answers(results)):
        found[number].append(finding)
    for numbers in copies.find_shared([("", result.learner.id)] for result in results).values():
        for number in numbers:
            others = tuple(results[other].source for other in numbers if other != number)
            found[number].append(make_finding("learner-twice", others=others))
    compared = enumerate(compare_names(results, roster))
    return [replace(each, findings=(*found[number], *each.findings)) for number, each in compared]
