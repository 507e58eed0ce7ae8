"""The report: one HTML file that needs no network, for a person who reads and marks a class.

The file holds the class as JSON, in `script` elements that no browser runs: the rows of the table
in one, each learner in another, which is read when that learner is opened.  `page/report.js` builds
the page from it and writes strangers' words as text only; a content security policy allows that
script alone, by its hash, and no request.  Pictures are shown as images, in which an SVG runs no
script either: the architecture of the evidence beside the goal, and the learner's own diagram.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from handson.core import messages
from handson.core.errors import HandsonError, NotReady
from handson.core.files import PRIVATE, replace_file
from handson.core.text import group_pairs, one_line, pick_fields
from handson.course import syllabus
from handson.course.checks import FactResult
from handson.course.checks.results import describe_value
from handson.course.state import Snapshot, Target, Unseen
from handson.grading import marking
from handson.grading.answers import fingerprint_texts
from handson.grading.classroom import Grades
from handson.grading.findings import Result, check_label
from handson.grading.marks import Requirements, format_end, format_local
from handson.grading.output import SIGNS, dump_json, find_diagnoses, find_failed_facts, read_words
from handson.grading.tables import FORMULA, INNER_FORMULA

DATA = '<script type="application/json" id="{name}">{data}</script>\n'
_ESCAPED = "<>&\u2028\u2029"
"""Signs that could end the element, begin another, or end a line of JavaScript."""
_SHOWN = {
    **{"network": "vpcs", "cluster": "clusters", "repository": "repositories"},
    **{"image": "images recorded_run", "image-uri": "recorded_uri"},
}
"""By check, the parts of a snapshot that its evidence shows."""


def write_report(grades: Grades, path: Path) -> None:
    """Make `path` hold the report, whole or not at all, readable by its owner alone.

    Raises:
        NotReady: It cannot be written there.
    """
    with NotReady.replace_os_errors("grading.report.unwritable", path=path):
        # The report names people and their points, so only its owner may read it.
        replace_file(path, (part.encode() for part in make_page(grades)), mode=PRIVATE)


def make_page(grades: Grades) -> Iterator[str]:
    """Yield the page piece by piece: the class, then a learner at a time."""
    style, script = read_asset("report.css"), read_asset("report.js")
    words = read_words("grading.report.page")
    yield begin_page(words["title"], style, script)
    yield f"<noscript>{escape(words['noscript'])}</noscript>\n"
    yield DATA.format(name="class", data=embed_data(_describe_class(grades)))
    for number, result in enumerate(grades.results):
        yield DATA.format(name=f"learner-{number}", data=embed_data(_describe_learner(result)))
    yield f"<script>{script}</script>\n</body>\n</html>\n"


def begin_page(title: str, style: str, script: str = "", *, sources: str = "img-src data:") -> str:
    """Return the beginning of a page on which nothing runs but the script.

    Args:
        title: The title, as text.
        style: The style sheet, which the page gets.
        script: The script that the caller will add, or "" for none.
        sources: What else the page's security policy allows.
    """
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        f"{sources}; base-uri 'none'; form-action 'none'"
    )
    values = {"lang": messages.language(), "title": escape(title), "policy": escape(policy)}
    return read_asset("report.html").format(**values, style=style)


@cache
def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode()}'"


@cache
def read_asset(name: str) -> str:
    """Return a file of the pages: a template, a style sheet or a script."""
    return files("handson.grading").joinpath("page", name).read_text(encoding="utf-8")


def embed_data(data: object) -> str:
    """Return JSON that can stand in a `script` element, whatever it holds."""
    text = dump_json(data, separators=(",", ":"))
    for sign in _ESCAPED:
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _describe_class(grades: Grades) -> dict[str, Any]:
    """Return the data of the class as a whole."""
    course, short = grades.requirements.course, read_words("grading.report.short")
    findings = [(number, it) for number, each in enumerate(grades.results) for it in each.findings]
    examples = {it.code: it for _, it in reversed(findings)}
    found = group_pairs(((it.severity, it.code), number) for number, it in findings)
    owned = {kind: [*dict.fromkeys(owners)] for kind, owners in found.items()}
    return {
        "words": read_words("grading.report.page"),
        "signs": SIGNS,
        "items": [
            {
                **{**pick_fields(item, "id possible"), "title": item.label},
                **{"short": short.get(item.id), "text": marking.TEXTS[item.id]},
                "rubric": course.rubric.get(item.id),
            }
            for item in grades.results[0].items
        ],
        "columns": (marking.LEARNER, marking.ANSWERS, *marking.COLUMNS),
        "asked": _describe_requirements(grades.requirements),
        "rows": [_row(result) for result in grades.results],
        "formula": FORMULA.pattern,
        "inner": INNER_FORMULA.pattern,
        "failed": [
            (messages.label("course.checks.fact", fact), check_label(check), owners)
            for (check, fact), owners in find_failed_facts(grades.results).items()
        ],
        "diagnoses": [
            (_find_example(grades.results[owners[0]], check, code), check_label(check), owners)
            for (check, code), owners in find_diagnoses(grades.results).items()
        ],
        "found": [
            (one_line(examples[code].message), severity, owners, code)
            for (severity, code), owners in sorted(owned.items(), key=lambda it: -len(it[1]))
        ],
    }


def _find_example(result: Result, check: str, code: str) -> str:
    """Return the sentence of a learner's diagnosis."""
    return next(each.message for each in result.check(check).diagnoses if each.code == code)


def _describe_requirements(asked: Requirements) -> list[str]:
    """Return the requirements of the evidence, a line each."""
    since = asked.since and format_local(asked.since)
    until = asked.until and format_end(asked.until)
    values = {"target": asked.target, "account": ", ".join(asked.accounts), "region": asked.region}
    given = [(name, it) for name, it in (*values.items(), ("from", since), ("until", until)) if it]
    return [messages.label("grading.report.asked", name, value=it) for name, it in given]


def _row(result: Result) -> dict[str, Any]:
    """Return what the page knows of a learner who is not open; `given` is what people gave."""
    given: dict[str, float | str | None] = {marking.COMMENT: result.comment}
    for item in result.items:
        given |= {item.id: item.mark, marking.TEXTS[item.id]: item.comment}
    return {
        **result.learner.to_json(),
        "handed_in": result.handed_in,
        "until": result.until and format_end(datetime.fromisoformat(result.until)),
        "statuses": {mark.id: mark.status for mark in result.checks},
        "points": {mark.id: mark.points for mark in result.checks},
        "review": len(result.to_review()),
        "late": result.lateness,
        "print": fingerprint_texts(result),
        "given": {column: value for column, value in given.items() if value not in (None, "")},
        "conflicts": {
            finding.values["item"]: finding.message
            for finding in result.findings
            if finding.code == "marks-conflict"
        },
    }


def _describe_learner(result: Result) -> dict[str, Any]:
    """Return the data of one learner, the items and findings as in `handson.grading/1`."""
    items = {item.id: item.to_json() for item in result.items}
    for mark in result.checks:
        items[mark.id]["facts"] = [*map(describe_fact, mark.facts)]
    items[result.diagram.id] |= pick_fields(result.diagram, "drawn picture")
    return {
        **pick_fields(result, "source named handed_in_at"),
        "items": items,
        "findings": [finding.to_json() for finding in result.findings],
        "architecture": draw_architecture(result),
        "unproven": [mark.label for mark in result.checks if not mark.facts],
    }


def describe_fact(fact: FactResult) -> tuple[str, str, str, str]:
    """Return a fact's kind, its name, and the expected and the observed value, for people."""
    kind = "passed" if fact.passed else "failed"
    name = f"{SIGNS[kind]} {fact.label}"
    if fact.advice:
        kind, name = "advice", f"{fact.label} · {messages.text('grading.report.advice')}"
    return kind, name, describe_value(fact.expected), describe_value(fact.observed)


def draw_architecture(result: Result) -> dict[str, str] | None:
    """Return the picture of what the evidence shows, beside the goal; None without evidence."""
    if not any(mark.facts for mark in result.checks):
        return None
    try:
        from handson import drawing  # the page alone needs it

        picture = drawing.draw(combine_evidence(result), goal=True, exercise=result.exercise)
    except HandsonError:  # such as a picture that is too large
        return None
    return {"svg": picture.svg, "words": picture.description}


def combine_evidence(result: Result) -> Snapshot:
    """Return one snapshot with what the evidence of each check shows of its own resources.

    A service whose checks all lack evidence is one that could not be looked at.
    """
    read = {mark.id: mark.observed for mark in result.checks}
    found = {check: Snapshot.from_json(observed) for check, observed in read.items() if observed}
    shown: dict[str, Any] = {}
    for check, snapshot in found.items():
        shown |= pick_fields(snapshot, _SHOWN[check])
    nowhere = Target(kind="", account="", region="")
    problem, remedy = messages.advice("grading.report.no-evidence")
    services = {service for check in syllabus.CHECKS for service in check.services}
    seen = {service for check in found for service in syllabus.find_check(check).services}
    unseen = [Unseen(service=it, problem=problem, remedy=remedy) for it in sorted(services - seen)]
    return Snapshot(
        target=next((each.target for each in found.values()), nowhere),
        elsewhere=tuple(each for snapshot in found.values() for each in snapshot.elsewhere),
        unseen=tuple(unseen),
        **shown,
    )
