"""Marks for a gradebook: a table, or a learning platform's own file with the marks filled in.

The table (`--csv`) has a row a learner and these columns, whatever the language:

    learner name group        as the roster has them
    network … image-uri       the points of each check, or those of a person who overruled it
    automatic                 the points of the checks, without what people overruled
    why-network … architecture    the points that people gave; blank before that
    findings to-review        how many things a person has to look at, and their codes
    total                     all points; blank while a mark is missing or disputed
    overruled late-minutes    the checks that a person overruled; minutes after the deadline
    comment                   what people tell the learner

`--for generic` has learner, name, group, points and comment alone.  The points, there and in a
platform's file, are the total, or those of the checks while something is not marked.  Where nothing
was handed in that could be read, they are blank.

A platform's file is filled in where roster_heads.toml says: its points where they were blank or a
number, and its comments.  Every other line and cell stays as it was.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import IO

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import list_briefly, pick_fields
from handson.grading.classroom import Grades
from handson.grading.export_names import fold_name
from handson.grading.findings import Result, check_label
from handson.grading.roster import PLATFORMS, Listing, read_listing
from handson.grading.tables import Cells, escape_formula, format_rows

GENERIC = "generic"
TAKERS = (*(name for name, own in PLATFORMS.items() if "points" in own), GENERIC)
"""The platforms that take a file with marks, and `generic` for all others."""

_BOM = "\ufeff"
"""Without it, Excel reads a CSV as Shift_JIS on a Japanese Windows."""
_REPLACEABLE = re.compile(r"-?|\d+([.,]\d+)?")
"""Cells that points replace: blank, Moodle's sign for it, or other points; not Canvas's EX."""


@dataclass(frozen=True)
class Gradebook:
    """A platform's own file, where its points and comments stand, and the heads that it lacks."""

    listing: Listing
    points: int
    comment: int | None
    heads: Cells

    def fill(self, grades: Grades) -> bytes:
        """Return the file with the marks of a class."""
        by_learner: dict[str, list[Result]] = defaultdict(list)
        for result in grades.results:
            by_learner[result.learner].append(result)
        table, cells = self.listing.table, dict(self.heads)
        for row, learner in self.listing.find_learners():
            before = "".join(table.rows[row][self.points : self.points + 1])
            cells |= {(row, column): "" for _, column in self.heads}
            found = by_learner[learner.id]
            if len(found) == 1:  # of two, a person has to say which one is the learner's
                points, comment = find_points(found[0]), describe_comments(found[0])
                if points is not None and _REPLACEABLE.fullmatch(before.strip()):
                    cells[row, self.points] = points
                if comment and self.comment is not None:
                    cells[row, self.comment] = comment
        return table.fill(cells)

    def find_missing(self, grades: Grades) -> list[str]:
        """Return those who handed in and are not in the file."""
        known = {learner.id for _, learner in self.listing.find_learners()}
        return [result.label for result in grades.results if result.learner not in known]


def open_gradebook(platform: str | None, path: Path | None, column: str | None) -> Gradebook | None:
    """Return the file of a platform to fill in; None where none is asked for.

    Args:
        platform: One of `TAKERS`, or None.
        path: The platform's own file.
        column: The head of the column of points, where the file has several.

    Raises:
        InvalidInput: The file is missing, another platform's, or has no such column.
    """
    if platform in (None, GENERIC):
        if column:
            raise InvalidInput.from_key("grading.for-column-alone")
        return None
    listing = read_listing(path) if path else None
    wanted = messages.label("grading.for-file", str(platform))
    if listing is None or listing.platform != platform:
        given = f"{path} ({listing.platform or '?'})" if listing else "-"
        raise InvalidInput.from_key(
            "grading.for-other", platform=platform, given=given, wanted=wanted
        )
    own, heads = PLATFORMS[platform], listing.heads
    asked = re.escape(fold_name(column)) if column else own["points"]
    points = [place for place, head in enumerate(heads) if re.fullmatch(asked, head)]
    comments = [n for n, head in enumerate(heads) if re.fullmatch(own.get("comment", "$"), head)]
    added: dict[tuple[int, int], str | float] = {}
    if not points and "added" in own and not column:
        points, comments = [len(heads)], [len(heads) + 1]
        added = {(listing.top, len(heads) + n): head for n, head in enumerate(own["added"])}
    if len(points) != 1:
        seen = [head for head in listing.table.rows[listing.top] if head.strip()]
        raise InvalidInput.from_key(
            "grading.for-column", path=path, seen=list_briefly(seen), wanted=wanted
        )
    return Gradebook(listing, points[0], next(iter(comments), None), added)


def write_csv(grades: Grades, file: IO[str], *, platform: str | None = None) -> None:
    """Write a row a learner; with a byte order mark, unless people read it on a terminal."""
    describe = _describe_briefly if platform == GENERIC else _describe_fully
    rows = [describe(result) for result in grades.results]
    cells = (list(map(escape_formula, row.values())) for row in rows)
    file.write(("" if file.isatty() else _BOM) + format_rows([[*rows[0]], *cells]))


def find_points(result: Result) -> float | None:
    """Return the points for a gradebook; None where nothing was handed in that could be read."""
    is_judged = result.marks or any(mark.ruling for mark in result.checks)
    if not (is_judged or result.files or result.identifiers):
        return None
    return result.counted if result.total is None else result.total


def describe_comments(result: Result) -> str:
    """Return what people tell the learner: on the whole, by question, and why they overruled."""
    lines = [
        ("", result.comment),
        *(
            (messages.label("grading.report.question", written.grade_id), written.comment)
            for written in result.written
        ),
        *((check_label(mark.id), mark.ruling.reason) for mark in result.checks if mark.ruling),
    ]
    return "\n".join(f"{head}: {text}" if head else text for head, text in lines if text)


def _describe_fully(result: Result) -> dict[str, str]:
    """Return a learner's row by the heads of its columns."""
    review = result.to_review()
    return {
        **pick_fields(result, "learner name group"),
        **{mark.id: _format_points(mark.counted) for mark in result.checks},
        "automatic": _format_points(result.points),
        **{written.grade_id: _format_points(written.mark) for written in result.written},
        "findings": str(len(review)),
        "to-review": " ".join(dict.fromkeys(finding.code for finding in review)),
        "total": _format_points(result.total),
        "overruled": " ".join(mark.id for mark in result.checks if mark.ruling),
        "late-minutes": str(ceil(result.late_by / 60) or ""),
        "comment": describe_comments(result),
    }


def _describe_briefly(result: Result) -> dict[str, str]:
    return {
        **pick_fields(result, "learner name group"),
        "points": _format_points(find_points(result)),
        "comment": describe_comments(result),
    }


def _format_points(points: float | None) -> str:
    """Return points as people write them, "" for none."""
    return "" if points is None else f"{points:g}"
