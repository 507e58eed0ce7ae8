"""Figures of a class: mean, spread and a histogram an item, and what was most often wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import fmean, pstdev
from typing import Any

from handson.core.text import pick_fields
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
    whole = {"counted": course.automatic, "total": course.automatic + course.manual}
    possible = course.possible | whole
    rows = [
        {item.id: item.counted for item in result.items} | pick_fields(result, "counted total")
        for result in results
        if result.handed_in
    ]
    return {
        item: _measure([given for row in rows if (given := row[item]) is not None], most)
        for item, most in possible.items()
    }


def find_failed_facts(results: Sequence[Result]) -> Owners:
    """Return the facts that fail checks; advice is none of them."""
    return _find(results, lambda mark: [it.id for it in mark.facts if not (it.passed or it.advice)])


def find_diagnoses(results: Sequence[Result]) -> Owners:
    """Return the diagnoses of failed facts, advice apart: what learners have misunderstood."""
    advice = {*syllabus.ADVICE}
    return _find(results, lambda mark: [it.code for it in mark.diagnoses if {*it.facts} - advice])


def _measure(points: Sequence[float], possible: float) -> dict[str, Any]:
    places = [
        min(int(each * BINS / possible), BINS - 1) if possible else BINS - 1 for each in points
    ]
    return {
        "count": len(points),
        "mean": round(fmean(points), 2) if points else None,
        "deviation": round(pstdev(points), 2) if points else None,
        "histogram": [places.count(place) for place in range(BINS)],
    }


def _find(results: Sequence[Result], names: Callable[[CheckMark], Sequence[str]]) -> Owners:
    owners: Owners = defaultdict(list)
    for number, result in enumerate(results):
        for mark in result.checks:
            for name in dict.fromkeys(names(mark)):
                owners[mark.id, name].append(number)
    return dict(sorted(owners.items(), key=lambda owned: -len(owned[1])))
