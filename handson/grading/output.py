"""Results for people and for programs; those for a gradebook are in `gradebook`.

`handson.grading/1`, what `--json` prints:

    schema        "handson.grading/1"
    requirements  target, accounts, region, from, until: what was asked for, or null
    possible      automatic (80), manual (20)
    summary       learners, handed_in, checks {id: {status: count}}, findings {code: count},
                points {check, grade_id, counted or total: {count mean deviation histogram}} of
                those who handed in; histogram: five equal ranges of points, all of them in the last
                failed [{check fact learners}], diagnoses [{check code learners}]: most first
    learners      in the roster's order, then by name:
      learner name group source handed_in handed_in_at named files issuers
      until       the learner's own deadline, or null; late_by, seconds after it, 0 is on time
      points      automatic, out of `possible`; never the manual ones
      counted     the same, but for checks that a person overruled
      comment     what people tell the learner about the whole
      checks      id, status (passed · failed · unproven · missing), points, possible, reason,
                  facts [{id expected observed passed advice}], diagnoses [{code message remedy}],
                  proof {digest observed_at learner kind account region intact source where},
                  counted, and ruling {points reason} where a person overruled it, or null
      answers     grade_id, status (answered · untouched · missing), possible, text, comment
      diagram     the same, text is its code, and drawn; check is what reading it found, as in
                  checks (its points are a proposal and not counted), or null where nothing was
                  handed in that can be read
      marks       {grade_id: points that a person gave, or null}, the diagram's among them
      total       counted points and marks together, or null while a mark is missing or disputed
      findings    code, severity (serious · warning · note), check, where, others, message, remedy,
                  passages [{grade_id mine theirs common}]

Messages are in the current language, everything else is not.  Fields may be added.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import fmean, pstdev
from typing import Any

from handson.core import messages
from handson.core.text import cut_to_columns, group_pairs, one_line, pick_fields, show_invisible
from handson.course import syllabus
from handson.course.course import Course
from handson.grading.classroom import Grades
from handson.grading.findings import CheckMark, Finding, Result

SCHEMA = "handson.grading/1"
SIGNS = {"passed": "✔", "failed": "✘", "unproven": "?", "missing": "-"}

_LONGEST, _PLACES = 400, 2
_WIDEST = 40
"""Columns of a name in the table."""
BINS = 5
"""The equal ranges of a histogram, from no points to all of them, which stand in the last one."""

Owners = dict[tuple[str, str], list[int]]
"""By check and fact (or diagnosis), the numbers of the results that have it, the most first."""


def format_json(grades: Grades) -> str:
    """Return `handson.grading/1`, a learner a line."""
    asked = grades.requirements
    head = {
        "schema": SCHEMA,
        "requirements": {
            **pick_fields(asked, "target accounts region"),
            "course": asked.course.name,
            "from": asked.since and asked.since.isoformat(),
            "until": asked.until and asked.until.isoformat(),
        },
        "possible": pick_fields(asked.course, "automatic manual"),
        "summary": summarize(grades),
    }
    learners = "\n,".join(dump_json(result.to_json()) for result in grades.results)
    return f'{dump_json(head)[:-1]}, "learners": [\n{learners}\n]}}\n'


def summarize(grades: Grades) -> dict[str, Any]:
    """Return how many learners handed in, and the figures of their checks, points and findings."""
    results = grades.results
    findings = Counter(finding.code for result in results for finding in result.findings)
    return {
        "learners": len(results),
        "handed_in": sum(result.handed_in for result in results),
        "checks": {
            check.id: dict(sorted(Counter(each.check(check.id).status for each in results).items()))
            for check in syllabus.CHECKS
        },
        "findings": dict(sorted(findings.items())),
        "points": measure_points(results, grades.requirements.course),
        "failed": _count(find_failed_facts(results), "fact"),
        "diagnoses": _count(find_diagnoses(results), "code"),
    }


def _count(owned: Owners, name: str) -> list[dict[str, Any]]:
    pairs = owned.items()
    return [{"check": check, name: it, "learners": len(own)} for (check, it), own in pairs]


def format_table(grades: Grades) -> Iterator[str]:
    """Yield the table for people, then what a person has to look at, learner by learner.

    A terminal takes all of it for nothing but text.
    """
    results = grades.results
    handed_in = sum(result.handed_in for result in results)
    reviewed = sum(bool(result.to_review()) for result in results)
    yield messages.text(
        "grading.title", learners=len(results), handed_in=handed_in, reviewed=reviewed
    )
    course = grades.requirements.course
    yield from _align([_describe_for_people(result, course) for result in results])
    yield messages.text("grading.signs")
    if any(check.mark is not None for result in results for check in result.checks):
        yield messages.text("grading.overruled")
    if handed_in > 1:
        yield from _format_figures(grades)
    for result in results:
        if review := result.to_review():
            yield ""
            yield f"{one_line(result.learner.label)}:"
            yield from _format_findings(review)
    notes = Counter(it.code for each in results for it in each.findings if it.severity == "note")
    if notes:
        listed = ", ".join(f"{code} ({count})" for code, count in sorted(notes.items()))
        yield ""
        yield messages.text("grading.notes", notes=listed)


def _format_figures(grades: Grades) -> Iterator[str]:
    """Yield the mean and the spread of the checks' points, and the fact that failed most often."""
    course = grades.requirements.course
    counted = measure_points(grades.results, course)["counted"]
    values = {name: f"{counted[name]:g}" for name in ("mean", "deviation")}
    yield messages.text("grading.figures", **values, possible=f"{course.automatic:g}")
    for (check, fact), owners in [*find_failed_facts(grades.results).items()][:1]:
        label = messages.label("course.checks.fact", fact)
        yield messages.text("grading.failed-most", check=check, fact=label, count=len(owners))


def _format_findings(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield the first of the findings of each code, and the places of the others."""
    for first, *others in group_pairs((each.code, each) for each in findings).values():
        places = list(dict.fromkeys(each.where for each in (first, *others) if each.where))
        shown = ", ".join(map(one_line, places[:_PLACES]))
        more = f", … ({len(places)})" if len(places) > _PLACES else ""
        message, remedy = (one_line(it, longest=_LONGEST) for it in (first.message, first.remedy))
        yield f"  ⚠ {message}{f' [{shown}{more}]' if places else ''}"
        yield f"    → {remedy}"
        for passage in first.passages:
            longest = max(passage.common, key=len, default="")
            yield f"      {passage.grade_id}: “{one_line(' '.join(longest.split()))}”"


def _describe_for_people(result: Result, course: Course) -> dict[str, str]:
    """Return a learner's row by the names of its columns."""
    answered = sum(answer.status == "answered" for answer in result.answers)
    diagram = result.diagram
    drawn = ("✔" if diagram.drawn else "?") if diagram.status == "answered" else "-"
    facts = diagram.check.facts if diagram.check else ()
    passed = f" {sum(fact.passed for fact in facts)}/{len(facts)}" if facts else ""
    more = "…" if result.total is None else ""
    marks = f"{sum(result.marks):g}/{course.manual:g}{more}"
    names = result.learner.to_json().items()
    return {
        **{name: cut_to_columns(one_line(text), _WIDEST) for name, text in names},
        **{it.id: SIGNS[it.status] + "*" * (it.mark is not None) for it in result.checks},
        "points": f"{result.counted:g}/{course.automatic:g}",
        "answers": f"{answered}/{len(result.answers)}",
        "diagram": f"{drawn}{passed}",
        "marks": marks if result.marks else "",
        "late": result.lateness,
        "findings": str(len(result.to_review()) or ""),
    }


def _align(rows: list[dict[str, str]]) -> Iterator[str]:
    """Yield heads and rows with aligned columns, without the empty ones.

    Full-width letters count as two.
    """
    from rich.cells import cell_len, set_cell_size

    words = read_words("grading.column")
    heads = {name: words.get(name, name) for name in rows[0] if any(row[name] for row in rows)}
    widths = {name: max(cell_len(row[name]) for row in (heads, *rows)) for name in heads}
    ruler = {name: "─" * width for name, width in widths.items()}
    for line in (heads, ruler, *rows):
        cells = (set_cell_size(line[name], width) for name, width in widths.items())
        yield "  ".join(cells).rstrip()


def read_words(group: str) -> dict[str, str]:
    """Return the sentences of a group in the current language, with their placeholders."""
    return {name: it[messages.language()] for name, it in messages.group(group).items()}


def dump_json(data: object, **options: Any) -> str:
    """Return data as JSON that UTF-8 can carry and that hides no letters."""
    return show_invisible(json.dumps(data, ensure_ascii=False, **options))


# Figures of a class: mean, spread and a histogram an item, and what was most often wrong.


def measure_points(results: Sequence[Result], course: Course) -> dict[str, dict[str, Any]]:
    """Return the figures of each item's points, of `counted` and of `total`.

    They are those of the learners who handed in and, of what people mark, have a mark.
    """
    whole = {"counted": course.automatic, "total": course.automatic + course.manual}
    possible = course.possible | whole
    rows = [
        {item.id: item.counted for item in result.checks}
        | {item.id: item.mark for item in result.written}
        | pick_fields(result, "counted total")
        for result in results
        if result.handed_in
    ]
    given = {item: [row[item] for row in rows if row[item] is not None] for item in possible}
    return {item: _measure(given[item], most) for item, most in possible.items()}


def find_failed_facts(results: Sequence[Result]) -> Owners:
    """Return the facts that fail checks; advice is none of them."""
    return _find(results, lambda mark: [it.id for it in mark.facts if not (it.passed or it.advice)])


def find_diagnoses(results: Sequence[Result]) -> Owners:
    """Return the diagnoses of failed facts, advice apart: what learners have misunderstood."""
    advice = {*syllabus.ADVICE}
    return _find(results, lambda mark: [it.code for it in mark.diagnoses if {*it.facts} - advice])


def _measure(points: Sequence[float], possible: float) -> dict[str, Any]:
    places = [min(int(it * BINS / possible), BINS - 1) if possible else BINS - 1 for it in points]
    return {
        "count": len(points),
        "mean": round(fmean(points), 2) if points else None,
        "deviation": round(pstdev(points), 2) if points else None,
        "histogram": [places.count(place) for place in range(BINS)],
    }


def _find(results: Sequence[Result], names: Callable[[CheckMark], Sequence[str]]) -> Owners:
    owners = group_pairs(
        ((mark.id, name), number)
        for number, result in enumerate(results)
        for mark in result.checks
        for name in dict.fromkeys(names(mark))
    )
    return dict(sorted(owners.items(), key=lambda owned: -len(owned[1])))
