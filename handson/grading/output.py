"""Results for people, for programs and for a learning platform's gradebook.

`handson.grading/1`, what `--json` prints:

    schema        "handson.grading/1"
    requirements  target, accounts, region, from, until: what was asked for, or null
    possible      automatic (80), manual (20)
    summary       learners, handed_in, checks {id: {status: count}}, findings {code: count}
    learners      in the roster's order, then by name:
      learner name group source handed_in handed_in_at named files issuers
      points      automatic, out of `possible`; never the manual ones
      checks      id, status (passed · failed · unproven · missing), points, possible, reason,
                  facts [{id expected observed passed advice}], diagnoses [{code message remedy}],
                  proof {digest observed_at learner kind account region intact source where}
      answers     grade_id, status (answered · untouched · missing), possible, text
      diagram     the same, text is its code, and drawn; check is what reading it found, as in
                  checks (its points are a proposal and not counted), or null
      marks       {grade_id: points that a person gave, or null}, the diagram's among them
      total       points and marks together, or null while something is not marked
      findings    code, severity (serious · warning · note), check, where, others, message, remedy,
                  passages [{grade_id mine theirs common}]

Messages are in the current language, everything else is not.  Fields may be added.
"""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from handson.core import messages
from handson.core.text import list_briefly, one_line
from handson.course import syllabus
from handson.grading.answers import MARKED
from handson.grading.classroom import Grades
from handson.grading.model import (
    ANSWERED,
    FAILED,
    MISSING,
    NOTE,
    PASSED,
    UNPROVEN,
    Finding,
    Result,
    replace_surrogates,
)
from handson.grading.roster import escape_formula

SCHEMA = "handson.grading/1"
AUTOMATIC = sum(check.points for check in syllabus.CHECKS)
MANUAL = sum(item.points for item in MARKED)
SIGNS = {PASSED: "✔", FAILED: "✘", UNPROVEN: "?", MISSING: "-"}

_LONGEST, _PLACES = 400, 2


def to_json(result: Result) -> dict[str, Any]:
    """Return one learner as `handson.grading/1` has it."""
    diagram = result.diagram
    return {
        "learner": result.learner,
        "name": result.name,
        "group": result.group,
        "source": result.source,
        "handed_in": result.handed_in,
        "handed_in_at": result.handed_in_at,
        "named": result.named,
        "files": result.files,
        "issuers": result.issuers,
        "points": result.points,
        "checks": [check.to_json() for check in result.checks],
        "answers": [answer.to_json() for answer in result.answers],
        "diagram": {
            **diagram.to_json(),
            "drawn": diagram.drawn,
            "check": diagram.check and diagram.check.to_json(),
        },
        "marks": {written.grade_id: written.mark for written in result.written},
        "total": result.total,
        "findings": [finding.to_json() for finding in result.findings],
    }


def write_json(grades: Grades, file: IO[str]) -> None:
    """Write `handson.grading/1`, a learner a line, one learner in memory at a time."""
    asked = grades.requirements
    head = {
        "schema": SCHEMA,
        "requirements": {
            "target": asked.target,
            "accounts": asked.accounts,
            "region": asked.region,
            "from": asked.since and asked.since.isoformat(),
            "until": asked.until and asked.until.isoformat(),
        },
        "possible": {"automatic": AUTOMATIC, "manual": MANUAL},
        "summary": summarize(grades),
    }
    file.write(f'{_dump(head)[:-1]}, "learners": [\n')
    for number, result in enumerate(grades):
        file.write(f"{',' if number else ''}{_dump(to_json(result))}\n")
    file.write("]}\n")


def summarize(grades: Iterable[Result]) -> dict[str, Any]:
    """Return how many learners handed in, and the counts of statuses by check and of findings."""
    learners = handed_in = 0
    findings: Counter[str] = Counter()
    checks: dict[str, Counter[str]] = {check.id: Counter() for check in syllabus.CHECKS}
    for result in grades:
        learners += 1
        handed_in += result.handed_in
        findings.update(finding.code for finding in result.findings)
        for mark in result.checks:
            checks[mark.id][mark.status] += 1
    return {
        "learners": learners,
        "handed_in": handed_in,
        "checks": {name: dict(sorted(counted.items())) for name, counted in checks.items()},
        "findings": dict(sorted(findings.items())),
    }


def write_csv(grades: Grades, file: IO[str]) -> None:
    """Write a row a learner for a gradebook; missing marks are left blank."""
    writer = csv.writer(file, lineterminator="\n")
    checks = [check.id for check in syllabus.CHECKS]
    manual = [answer.grade_id for answer in MARKED]
    heads = ["learner", "name", "group", *checks, "automatic", *manual, "findings", "to-review"]
    writer.writerow([*heads, "total"])
    for result in grades:
        points = [str(mark.points) for mark in result.checks]
        review = result.to_review()
        codes = " ".join(dict.fromkeys(finding.code for finding in review))
        row = [result.learner, result.name, result.group, *points, str(result.points)]
        row += [_format_points(written.mark) for written in result.written]
        row += [str(len(review)), codes, _format_points(result.total)]
        writer.writerow(map(escape_formula, row))


def format_table(grades: Grades) -> Iterator[str]:
    """Yield the table for people, then what a person has to look at, learner by learner."""
    handed_in = sum(result.handed_in for result in grades)
    reviewed = sum(bool(result.to_review()) for result in grades)
    yield messages.text(
        "grading.title", learners=len(grades), handed_in=handed_in, reviewed=reviewed
    )
    yield from _align([_heads(), *map(_row, grades)])
    yield messages.text("grading.signs")
    notes: Counter[str] = Counter()
    for result in grades:
        notes.update(finding.code for finding in result.findings if finding.severity == NOTE)
        review = result.to_review()
        if review:
            yield ""
            yield f"{one_line(result.label)}:"
            yield from _format_findings(review)
    if notes:
        listed = ", ".join(f"{code} ({count})" for code, count in sorted(notes.items()))
        yield ""
        yield messages.text("grading.notes", notes=listed)


def format_notices(grades: Grades, *, report: Path | None) -> Iterator[str]:
    """Yield what stands beside the results: marks without a learner, the path of the report."""
    strangers = grades.find_marked_strangers()
    if strangers:
        yield messages.text("grading.marks-unknown", learners=list_briefly(strangers))
    if report is not None:
        yield messages.text("grading.report.written", path=report)


def _format_findings(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield the first of the findings of each code, and the places of the others."""
    by_code: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_code[finding.code].append(finding)
    for first, *others in by_code.values():
        places = list(dict.fromkeys(each.where for each in (first, *others) if each.where))
        shown = ", ".join(map(one_line, places[:_PLACES]))
        more = f", … ({len(places)})" if len(places) > _PLACES else ""
        message = one_line(first.message, longest=_LONGEST)
        yield f"  ⚠ {message}{f' [{shown}{more}]' if places else ''}"
        yield f"    → {first.remedy}"
        for passage in first.passages:
            longest = max(passage.common, key=len, default="")
            yield f"      {passage.grade_id}: “{one_line(' '.join(longest.split()))}”"


def _heads() -> list[str]:
    return [
        messages.text("grading.column-learner"),
        messages.text("grading.column-name"),
        messages.text("grading.column-group"),
        *(check.id for check in syllabus.CHECKS),
        messages.text("grading.column-points"),
        messages.text("grading.column-answers"),
        messages.text("grading.column-diagram"),
        messages.text("grading.column-marks"),
        messages.text("grading.column-findings"),
    ]


def _row(result: Result) -> list[str]:
    answered = sum(answer.status == ANSWERED for answer in result.answers)
    diagram = result.diagram
    drawn = ("✔" if diagram.drawn else "?") if diagram.status == ANSWERED else "-"
    facts = diagram.check.facts if diagram.check else ()
    passed = f" {sum(fact.passed for fact in facts)}/{len(facts)}" if facts else ""
    more = "" if result.is_marked else "…"
    return [
        one_line(result.learner),
        one_line(result.name),
        one_line(result.group),
        *(SIGNS[mark.status] for mark in result.checks),
        f"{result.points}/{AUTOMATIC}",
        f"{answered}/{len(result.answers)}",
        f"{drawn}{passed}",
        f"{_format_points(sum(result.marks))}/{MANUAL}{more}" if result.marks else "",
        str(len(result.to_review()) or ""),
    ]


def _align(rows: list[list[str]]) -> Iterator[str]:
    """Yield the rows with aligned columns, without the empty ones.

    Full-width letters count as two.  Only these few short cells of each learner are in memory.
    """
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    used = [place for place, column in enumerate(zip(*rows[1:], strict=True)) if any(column)]
    for number, row in enumerate(rows):
        cells = [row[place] + " " * (widths[place] - cell_len(row[place])) for place in used]
        yield "  ".join(cells).rstrip()
        if number == 0:
            yield "  ".join("─" * widths[place] for place in used)


def _format_points(points: float | None) -> str:
    """Return points as people write them, "" for none."""
    return "" if points is None else f"{points:g}"


def _dump(data: object) -> str:
    return replace_surrogates(json.dumps(data, ensure_ascii=False))
