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
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from handson.core import messages
from handson.core.text import list_briefly, one_line
from handson.course import syllabus
from handson.grading.classroom import Grades
from handson.grading.marks import MARKED
from handson.grading.model import (
    ANSWERED,
    FAILED,
    MISSING,
    NOTE,
    PASSED,
    UNPROVEN,
    CheckMark,
    Finding,
    Result,
    Written,
    clean,
)
from handson.grading.tables import harmless

SCHEMA = "handson.grading/1"
AUTOMATIC = sum(check.points for check in syllabus.CHECKS)
MANUAL = sum(item.points for item in MARKED)
SIGNS = {PASSED: "✔", FAILED: "✘", UNPROVEN: "?", MISSING: "-"}

_LONGEST, _PLACES = 400, 2
_PROOF_INSIDE = {"observed", "requests", "previous"}


def to_json(result: Result) -> dict[str, Any]:
    """Return one learner as `handson.grading/1` has it."""
    return {
        "learner": result.learner,
        "name": result.name,
        "group": result.group,
        "source": result.source,
        "handed_in": result.handed_in,
        "handed_in_at": result.handed_in_at or None,
        "named": list(result.named),
        "files": list(result.files),
        "issuers": list(result.issuers),
        "points": result.points,
        "checks": [_check_json(check) for check in result.checks],
        "answers": [_written_json(answer) for answer in result.answers],
        "diagram": _diagram_json(result.diagram),
        "marks": {written.grade_id: written.mark for written in result.written},
        "total": result.total,
        "findings": [finding.to_json() for finding in result.findings],
    }


def write_json(grades: Grades, file: IO[str]) -> None:
    """Write `handson.grading/1`, a learner a line, without holding the class in memory."""
    head = {
        "schema": SCHEMA,
        "requirements": _requirements_json(grades),
        "possible": {"automatic": AUTOMATIC, "manual": MANUAL},
        "summary": summarize(grades),
    }
    file.write(f'{_dumped(head)[:-1]}, "learners": [\n')
    for number, result in enumerate(grades):
        file.write(f"{',' if number else ''}{_dumped(to_json(result))}\n")
    file.write("]}\n")


def summarize(grades: Iterable[Result]) -> dict[str, Any]:
    """Return the class at a glance: how many handed in, what became of checks, which findings."""
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
    """Write a row a learner for a gradebook; what people have not marked is left blank."""
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
        row += [number(written.mark) for written in result.written]
        row += [str(len(review)), codes, number(result.total)]
        writer.writerow(map(harmless, row))


def number(points: float | None) -> str:
    """Return points as people write them, "" for none."""
    return "" if points is None else f"{points:g}"


def lines(grades: Grades) -> Iterator[str]:
    """Yield the table for people, then what needs a human eye, learner by learner."""
    yield messages.text("grading.title", **_counts(grades))
    yield from _table([_heads(), *map(_row, grades)])
    yield messages.text("grading.signs")
    for result in grades:
        review = result.to_review()
        if review:
            yield ""
            yield f"{one_line(result.label)}:"
            for alike in _by_code(review):
                yield from _said(alike)
    notes = Counter(f.code for result in grades for f in result.findings if f.severity == NOTE)
    if notes:
        told = ", ".join(f"{code} ({count})" for code, count in sorted(notes.items()))
        yield ""
        yield messages.text("grading.notes", notes=told)


def told_aside(grades: Grades, *, report: Path | None) -> Iterator[str]:
    """Yield what is said beside the results: marks of nobody in the class, where the report is."""
    strangers = grades.marked_strangers()
    if strangers:
        yield messages.text("grading.marks-unknown", learners=list_briefly(strangers))
    if report is not None:
        yield messages.text("grading.report.written", path=report)


def _by_code(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    """Yield the findings of each code together."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.code, []).append(finding)
    yield from found.values()


def _said(findings: list[Finding]) -> Iterator[str]:
    """Say the first of several findings of one code, and where the others are."""
    first = findings[0]
    places = list(dict.fromkeys(finding.where for finding in findings if finding.where))
    shown = ", ".join(map(one_line, places[:_PLACES]))
    more = f", … ({len(places)})" if len(places) > _PLACES else ""
    yield f"  ⚠ {one_line(first.message, longest=_LONGEST)}{f' [{shown}{more}]' if places else ''}"
    yield f"    → {first.remedy}"
    for passage in first.passages:
        longest = max(passage.common, key=len, default="")
        yield f"      {passage.grade_id}: “{one_line(' '.join(longest.split()))}”"


def _counts(grades: Grades) -> dict[str, int]:
    handed_in = reviewed = 0
    for result in grades:
        handed_in += result.handed_in
        reviewed += bool(result.to_review())
    return {"learners": len(grades), "handed_in": handed_in, "reviewed": reviewed}


def _heads() -> list[str]:
    texts = [messages.text(f"grading.column-{name}") for name in ("learner", "name", "group")]
    texts += [check.id for check in syllabus.CHECKS]
    return texts + [
        messages.text(f"grading.column-{name}")
        for name in ("points", "answers", "diagram", "marks", "findings")
    ]


def _row(result: Result) -> list[str]:
    answered = sum(answer.status == ANSWERED for answer in result.answers)
    diagram = result.diagram
    drawn = ("✔" if diagram.drawn else "?") if diagram.status == ANSWERED else "-"
    facts = diagram.check.facts if diagram.check else ()
    read = f" {sum(fact.passed for fact in facts)}/{len(facts)}" if facts else ""
    return [
        one_line(result.learner),
        one_line(result.name),
        one_line(result.group),
        *(SIGNS[mark.status] for mark in result.checks),
        f"{result.points}/{AUTOMATIC}",
        f"{answered}/{len(result.answers)}",
        f"{drawn}{read}",
        _marks(result),
        str(len(result.to_review()) or ""),
    ]


def _marks(result: Result) -> str:
    """Return the sum of the marks; "…" behind it while something is not marked yet."""
    marks = [written.mark for written in result.written if written.mark is not None]
    more = "" if len(marks) == len(result.written) else "…"
    return f"{number(sum(marks))}/{MANUAL}{more}" if marks else ""


def _table(rows: list[list[str]]) -> Iterator[str]:
    """Yield the rows with columns aligned, full-width letters counted as two, empty ones left out.

    Only these few short cells of each learner are held at once.
    """
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    used = [place for place, column in enumerate(zip(*rows[1:], strict=True)) if any(column)]
    for number, row in enumerate(rows):
        cells = [row[place] + " " * (widths[place] - cell_len(row[place])) for place in used]
        yield "  ".join(cells).rstrip()
        if number == 0:
            yield "  ".join("─" * widths[place] for place in used)


def _check_json(check: CheckMark) -> dict[str, Any]:
    proof = msgspec.to_builtins(check.proof) if check.proof else None
    return {
        "id": check.id,
        "status": check.status,
        "points": check.points,
        "possible": check.possible,
        "reason": check.reason or None,
        "facts": [
            {
                "id": fact.id,
                "expected": fact.expected,
                "observed": fact.observed,
                "passed": fact.passed,
                "advice": fact.advice,
            }
            for fact in check.facts
        ],
        "diagnoses": [msgspec.to_builtins(found) for found in check.diagnoses],
        "proof": {k: v for k, v in proof.items() if k not in _PROOF_INSIDE} if proof else None,
    }


def _written_json(written: Written) -> dict[str, Any]:
    return {
        "grade_id": written.grade_id,
        "status": written.status,
        "possible": written.possible,
        "text": written.text,
    }


def _diagram_json(diagram: Written) -> dict[str, Any]:
    check = _check_json(diagram.check) if diagram.check else None
    return {**_written_json(diagram), "drawn": diagram.drawn, "check": check}


def _requirements_json(grades: Grades) -> dict[str, Any]:
    asked = grades.requirements
    return {
        "target": asked.target,
        "accounts": list(asked.accounts),
        "region": asked.region,
        "from": asked.since.isoformat() if asked.since else None,
        "until": asked.until.isoformat() if asked.until else None,
    }


def _dumped(data: object) -> str:
    return clean(json.dumps(data, ensure_ascii=False))
