"""Doubts: what a person should see of evidence and answers although they count.

Each doubt is something that honest work does not show: an id that AWS does not give, a request that
no evidence cell makes, an image that was pushed after it was seen.  None withholds points, because
each may have a reason, and whoever knows these rules can keep to them: docs/evidence.md says what
cannot be seen.  What could not be looked at, such as a journal that is missing, raises no doubt.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from operator import sub
from typing import Any

from handson.core import messages
from handson.core.text import fold_name
from handson.course import syllabus
from handson.course.policy import VERBS
from handson.grading import copies
from handson.grading.answers import DIAGRAM_CELL, LONGEST
from handson.grading.claims import Claims, find_objects
from handson.grading.findings import Claim, Finding, Severity, Written, make_finding
from handson.grading.marks import format_local
from handson.grading.notebooks import Notebook, load_handout

CALLS = {*VERBS["evidence"][1], "ec2:DescribeAvailabilityZones", "sts:GetCallerIdentity"}
"""What evidence cells call.  Earlier versions asked for the zones; the caller is asked for when
credentials are renewed, and needs no permission for that."""
QUICK = timedelta(minutes=1)
"""Before and after the push of the image; each notebook takes its reader minutes."""
NOTEBOOKS = 3
"""Notebooks, the image's among them, that nobody reads within that time."""
LEEWAY = timedelta(hours=2)
"""Between two computers: one's clock may not know of summer time."""
ONE_CLOCK = timedelta(minutes=1)
"""On one computer, where only setting the clock makes a difference."""
OWN_SHARE = 0.25
"""The share of an answer that the course's own texts do not hold."""

_RESOURCES = ("vpcs", "clusters", "repositories", "images")
_FORMS = re.compile(
    r"(?:vpc|subnet|rtb|igw|vpce)-(?:[0-9a-f]{8}|[0-9a-f]{17})"  # EC2 User Guide, "Resource IDs"
    r"|sha256:[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_VALUES = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
_NO_DIGITS = re.compile(r"^(?:vpc|subnet|rtb|igw|vpce|sha256)[-:]|-")
_HERE = re.compile(rb'"https?://(?:127\.|localhost\b|\[::1\])')

_LEFT_OUT = re.compile(r'^[ \t]*#[^\n]*|("""|' r"''').*?\1", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r'"([^"\n]*)"|' r"'([^'\n]*)'")
_PLACEHOLDERS = re.compile(r"[{}%]+|\\n")
_IMPORTED = re.compile(r"^[ \t]*(?:from|import)[ \t]+(\w+)", re.MULTILINE)
_MODULES = sys.stdlib_module_names | {"diagrams", "handson"}


# Evidence.


def examine_claims(claims: Claims, now: datetime) -> Iterator[Finding]:
    """Yield what evidence shows that AWS, an evidence cell and a reader would not leave there.

    Args:
        claims: The evidence.
        now: The moment of grading.
    """
    for claim in claims.own:
        for code, seen in _examine_claim(claim, now):
            if seen:
                yield claim.make_finding(code, seen=seen)
    records = {claim.digest: claim for claim in claims.items}
    counted = Counter(request for claim in records.values() for request in claim.requests)
    if again := [request for request, count in counted.items() if count > 1]:
        yield make_finding("requests-again", seen=again)
    # Where records are missing, cells that were run again hide when they were run first.
    if not any(claim.previous and claim.previous not in records for claim in claims.items):
        yield from _examine_pace(claims)


def _examine_claim(claim: Claim, now: datetime) -> Iterator[tuple[str, list[str]]]:
    """Yield the code of each doubt about a record, and what was seen, if anything was."""
    observed = claim.read_observed()
    digests = [str(each.get("digest")) for each in find_objects(observed, "images")]
    names = (*copies.list_resources(observed), *digests, *claim.requests)
    odd = (name for name in names if not _FORMS.fullmatch(name.lower()) or is_regular(name))
    yield "ids-odd", [*odd]
    asked = {call.partition(":")[0] for call in claim.calls}
    needed = syllabus.find_check(claim.check).services if any(map(observed.get, _RESOURCES)) else ()
    yield "requests-none", [service for service in needed if service not in asked]
    yield "requests-odd", [call for call in claim.calls if call not in CALLS]
    seen, made = datetime.fromisoformat(claim.observed_at), _list_moments(observed)
    yield "future", [format_local(seen)] if seen > now + LEEWAY else []
    limit = seen + (ONE_CLOCK if _HERE.search(claim.observed) else LEEWAY)
    later = [format_local(each) for each in made if each > limit]
    yield "seen-before", [f"{format_local(seen)} < {each}" for each in later]


def is_regular(name: str) -> bool:
    """Tell whether the hexadecimal digits of an id repeat or count.

    Of a million random ids with 8 digits, a hundred do; of those with 17 and more, none.
    """
    values = _NO_DIGITS.sub("", name.lower()).encode().translate(_VALUES)
    steps = bytes(map((15).__and__, map(sub, values[1:], values)))  # modulo 16
    return any(len(set(pairwise(each))) * 2 < len(each) for each in (values, steps))


def _examine_pace(claims: Claims) -> Iterator[Finding]:
    """Yield a finding where several notebooks were begun around the push of the image."""
    begun: dict[str, datetime] = {}
    pushed: list[datetime] = []
    for claim in claims.items:
        notebook = syllabus.find_check(claim.check).notebook
        seen = datetime.fromisoformat(claim.observed_at)
        begun[notebook] = min(seen, begun.get(notebook, seen))
        pushed += _list_moments(claim.read_observed()) if b"pushed_at" in claim.observed else []
    push = min(pushed, default=None)
    near = [moment for moment in begun.values() if push and abs(moment - push) <= QUICK]
    if push and len(near) >= NOTEBOOKS:
        seconds = round((max(*near, push) - min(*near, push)).total_seconds())
        yield make_finding("pace-quick", count=len(near), seconds=seconds)


def _list_moments(observed: dict[str, Any]) -> list[datetime]:
    """Return when the observed images were pushed and recorded."""
    texts = [each.get("pushed_at") for each in find_objects(observed, "images")]
    recorded = observed.get("recorded_uri")
    texts += [recorded.get("recorded_at")] if isinstance(recorded, dict) else []
    moments = []
    for text in texts:
        with suppress(ValueError):
            moments.append(datetime.fromisoformat(str(text)))
    return [moment for moment in moments if moment.tzinfo]


# Answers and the diagram.


def examine_answers(answers: Iterable[Written]) -> Iterator[Finding]:
    """Yield a note about the answers that say next to nothing beyond the course's own texts."""
    quoted = []
    for answer in answers:
        every = copies.list_shingles(answer.text)
        own = every - copies.course_shingles()
        if len(every) >= copies.LEAST and len(own) <= len(every) * OWN_SHARE:
            quoted.append(answer.id)
    if quoted:
        yield make_finding("answers-quoted", "note", questions=", ".join(quoted))


def examine_diagram(diagram: Written, notebooks: Iterable[Notebook]) -> Iterator[Finding]:
    """Yield a finding where the code holds few of the labels that the evidence says it drew.

    The code is that of the diagram's cell and of cells that the learner added to its notebook; it
    is never executed.  The labels of the drawing that was handed out do not count.
    """
    drawing = ((diagram.check and diagram.check.observed) or {}).get("drawing") or {}
    parts = (part for name in ("boxes", "icons") for part in find_objects(drawing, name))
    labels = {fold_name(str(part.get("label"))): str(part.get("label")) for part in parts}
    given = _list_texts(load_handout().editions[0].answers[syllabus.DIAGRAM.grade_id])
    own = [label for label in labels if label and not _holds(given, label)]
    books = [each for each in notebooks if each.name == syllabus.DIAGRAM.notebook]
    course = {*load_handout().code} - {DIAGRAM_CELL}
    cells = [cell for each in books for cell in each.cells if cell.name not in course]
    code = "\n".join(cell.text for cell in cells if cell.cell_type == "code")[:LONGEST]
    strange = [label for label in own if not _holds(_list_texts(code), label)]
    if len(strange) * 2 <= len(own) or not code:
        return
    # Who draws again has another picture than the evidence; what is imported may draw as well.
    picture = fold_name("".join(output.picture for cell in cells for output in cell.outputs))
    is_shown = sum(label in picture for label in strange) * 2 > len(strange)
    is_whole = {*_IMPORTED.findall(code)} <= _MODULES
    seen = [f"{len(strange)}/{len(own)}", *sorted(labels[each] for each in strange)]
    severity: Severity = "warning" if is_shown and is_whole else "note"
    yield make_finding("diagram-other", severity, check=syllabus.DRAWING.id, seen=seen)


def _holds(texts: Iterable[str], label: str) -> bool:
    """Tell whether a text is the label, a part of it as in an f-string, or a list with it."""
    return any(text in label or label in text for text in texts)


@lru_cache(4)
def _list_texts(code: str) -> set[str]:
    """Return the texts in code, folded, and in each language those that the course translates."""
    quoted = _QUOTED.findall(_LEFT_OUT.sub("", code))
    parts = {fold_name(part) for pair in quoted for part in _PLACEHOLDERS.split("".join(pair))}
    texts = {part for part in parts if len(part) > 1}
    return texts.union(*(_list_translations().get(text, ()) for text in texts))


@cache
def _list_translations() -> dict[str, set[str]]:
    entries = messages.catalogue("drawing").values()
    return {fold_name(each["en"]): {*map(fold_name, each.values())} for each in entries}
