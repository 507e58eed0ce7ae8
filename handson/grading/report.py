"""The report: one HTML file that needs no network, for a person who reads and marks a class.

The file holds the class as JSON, in a `script` element that no browser runs: the rows of the table
in one, each learner in another, which is read when that learner is opened.  `page/report.js` makes
the page of it and writes strangers' words as text only; a content security policy lets nothing run
but that script, known by its hash, and lets nothing be fetched.  The picture that a learner drew is
shown as an image, where an SVG can run nothing either.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from handson.core import messages
from handson.core.errors import NotReady
from handson.core.text import one_line
from handson.course import syllabus
from handson.course.checks.results import words
from handson.grading import architecture, marks
from handson.grading.classroom import Grades
from handson.grading.marks import MARKED
from handson.grading.model import CheckMark, Finding, Result, check_label, clean
from handson.grading.output import AUTOMATIC, SIGNS

_SAID = "report.page-"
_PAGE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<noscript>{noscript}</noscript>
"""
_DATA = '<script type="application/json" id="{name}">{data}</script>\n'
_ESCAPED = "<>&\u2028\u2029"
"""What could end the element, begin another, or end a line of JavaScript."""


def write_report(grades: Grades, path: Path) -> None:
    """Make `path` hold the report, whole or not at all, for its owner's eyes.

    Raises:
        NotReady: It cannot be written there.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        # It names people and says what they got.
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for part in parts(grades):
                file.write(part.encode("utf-8"))
        draft.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise NotReady(
            *messages.advice("grading.report.unwritable", path=path, reason=reason)
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def parts(grades: Grades) -> Iterator[str]:
    """Yield the page piece by piece: the class, then a learner at a time."""
    style, script = _asset("report.css"), _asset("report.js")
    yield _PAGE.format(
        lang=messages.language(),
        policy=escape(_policy(style, script)),
        title=escape(messages.text("grading.report.page-title")),
        style=style,
        noscript=escape(messages.text("grading.report.page-noscript")),
    )
    yield _DATA.format(name="class", data=_embedded(_class(grades)))
    for number, result in enumerate(grades):
        yield _DATA.format(name=f"learner-{number}", data=_embedded(_learner(result)))
    yield f"<script>{script}</script>\n</body>\n</html>\n"


def _policy(style: str, script: str) -> str:
    """Return a policy under which nothing runs but our script and nothing is fetched."""
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode()}'"


@cache
def _asset(name: str) -> str:
    return files("handson.grading").joinpath("page", name).read_text(encoding="utf-8")


def _embedded(data: object) -> str:
    """Return JSON that can stand in a `script` element, whatever it holds."""
    text = clean(json.dumps(data, ensure_ascii=False, separators=(",", ":")))
    for sign in _ESCAPED:
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _class(grades: Grades) -> dict[str, Any]:
    """Return what the class's own part of the page is made of."""
    rows: list[list[Any]] = []
    stuck: dict[tuple[str, str], list[int]] = defaultdict(list)
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    examples: dict[str, str] = {}
    for number, result in enumerate(grades):
        rows.append(_row(result))
        for mark in result.checks:
            for fact in mark.facts:
                if not (fact.passed or fact.advice):
                    stuck[mark.id, fact.id].append(number)
        for finding in result.findings:
            examples.setdefault(finding.code, one_line(finding.message))
            owners = found[finding.severity, finding.code]
            if number not in owners[-1:]:
                owners.append(number)
    return {
        "words": _words(),
        "signs": SIGNS,
        "automatic": AUTOMATIC,
        "checks": [_check_head(check) for check in syllabus.CHECKS],
        "marked": [
            [item.grade_id, item.points, messages.text(f"grading.report.question-{item.grade_id}")]
            for item in MARKED
        ],
        "asked": list(_asked(grades)),
        "rows": rows,
        "stuck": [
            [check_label(check), messages.text(f"course.checks.fact.{fact}"), owners]
            for (check, fact), owners in sorted(stuck.items(), key=lambda item: -len(item[1]))
        ],
        "found": [
            [severity, code, examples[code], owners]
            for (severity, code), owners in sorted(found.items(), key=lambda item: -len(item[1]))
        ],
    }


def _words() -> dict[str, str]:
    """Return what the page itself says, its placeholders unfilled."""
    keys = [key for key in messages.catalogue("grading") if key.startswith(_SAID)]
    names = (key.removeprefix(_SAID) for key in keys)
    return {name: messages.template(f"grading.report.page-{name}") for name in names}


def _check_head(check: syllabus.Check) -> list[Any]:
    return [
        check.id,
        messages.text(f"grading.report.short-{check.id}"),
        check_label(check.id),
        check.points,
    ]


def _asked(grades: Grades) -> Iterator[str]:
    """Yield what was asked of the evidence, a line each."""
    asked = grades.requirements
    if asked.target:
        yield messages.text("grading.report.asked-target", target=asked.target)
    if asked.accounts:
        yield messages.text("grading.report.asked-account", accounts=", ".join(asked.accounts))
    if asked.region:
        yield messages.text("grading.report.asked-region", region=asked.region)
    if asked.since:
        yield messages.text(
            "grading.report.asked-from", moment=asked.since.isoformat(timespec="minutes")
        )
    if asked.until:
        yield messages.text(
            "grading.report.asked-until", moment=asked.until.isoformat(timespec="minutes")
        )


def _row(result: Result) -> list[Any]:
    """Return a learner's row: who, what became of each check, marks, what to look at."""
    return [
        result.learner,
        result.name,
        result.group,
        [mark.status for mark in result.checks],
        result.points,
        [written.mark for written in result.written],
        [written.status for written in result.written],
        len(result.to_review()),
        result.handed_in,
        marks.fingerprint(result),
    ]


def _learner(result: Result) -> dict[str, Any]:
    """Return all there is to see of one learner."""
    return {
        "source": result.source,
        "at": result.handed_in_at,
        "named": result.named,
        "files": result.files,
        "checks": [_check(mark) for mark in result.checks],
        "map": msgspec.to_builtins(architecture.draw(result)) if result.handed_in else None,
        "texts": [written.text for written in result.written],
        "picture": result.diagram.picture,
        "drawn": result.diagram.drawn,
        "findings": [_finding(finding) for finding in result.findings],
    }


def _check(mark: CheckMark) -> dict[str, Any]:
    proof = mark.proof
    return {
        "points": mark.points,
        "reason": mark.reason,
        "facts": [
            [
                messages.text(f"course.checks.fact.{fact.id}"),
                words(fact.expected),
                words(fact.observed),
                fact.passed,
                fact.advice,
            ]
            for fact in mark.facts
        ],
        "told": [[told.message, told.remedy] for told in mark.diagnoses],
        "proof": proof
        and {
            "at": proof.observed_at,
            "learner": proof.learner,
            "target": " · ".join((proof.kind, proof.account, proof.region)),
            "digest": proof.digest[:19],
            "where": one_line(proof.where),
            "intact": proof.intact,
        },
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "remedy": finding.remedy,
        "check": check_label(finding.check),
        "where": one_line(finding.where),
        "others": finding.others,
        "passages": msgspec.to_builtins(finding.passages),
    }
