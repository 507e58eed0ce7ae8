"""Figures of a class: mean, spread and a histogram an item, and what was most often wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from math import sqrt
from typing import Any

from handson.course import syllabus
from handson.course.course import Course
from handson.grading.findings import CheckMark, Result

BINS = 5
"""The equal ranges of a histogram, from no points to all of them, which stand in the last one."""

Owners = dict[tuple[str, str], list[int]]
"""By check and fact (or diagnosis), the numbers of the results that have it, the most first."""


def measure_points(results: Sequence[Result], course: Course) -> dict[str, dict[str, Any]]:
    """Return the figures of each item's points, of `counted` and of `total`.

    They are those of the learners who handed in and, of what people mark, have a mark.
    """
    possible = {check.id: check.points for check in course.checks}
    possible |= {item.grade_id: item.points for item in course.marked}
    possible |= {"counted": course.automatic, "total": course.automatic + course.manual}
    given: dict[str, list[float]] = defaultdict(list)
    for result in results:
        for item, points in _list_points(result) if result.handed_in else ():
            if points is not None:
                given[item].append(points)
    return {item: _measure(given[item], most) for item, most in possible.items()}


def find_failed_facts(results: Sequence[Result]) -> Owners:
    """Return the facts that fail checks; advice is none of them."""
    return _find(results, lambda mark: [it.id for it in mark.facts if not (it.passed or it.advice)])


def find_diagnoses(results: Sequence[Result]) -> Owners:
    """Return the diagnoses of failed facts, advice apart: what learners have misunderstood."""
    advice = {*syllabus.ADVICE}
    return _find(results, lambda mark: [it.code for it in mark.diagnoses if {*it.facts} - advice])


def _list_points(result: Result) -> Iterator[tuple[str, float | None]]:
    for check in result.checks:
        yield check.id, check.counted
    for written in result.written:
        yield written.grade_id, written.mark
    yield from (("counted", result.counted), ("total", result.total))


def _measure(points: Sequence[float], possible: float) -> dict[str, Any]:
    mean = sum(points) / len(points) if points else 0
    spread = sqrt(sum((each - mean) ** 2 for each in points) / len(points)) if points else 0
    histogram = [0] * BINS
    for each in points:
        histogram[min(int(each * BINS / possible), BINS - 1) if possible else BINS - 1] += 1
    return {
        "count": len(points),
        "mean": round(mean, 2) if points else None,
        "deviation": round(spread, 2) if points else None,
        "histogram": histogram,
    }


def _find(results: Sequence[Result], names: Callable[[CheckMark], Sequence[str]]) -> Owners:
    owners: Owners = defaultdict(list)
    for number, result in enumerate(results):
        for mark in result.checks:
            for name in dict.fromkeys(names(mark)):
                owners[mark.id, name].append(number)
    return dict(sorted(owners.items(), key=lambda owned: -len(owned[1])))
