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

A platform's file (`--for`) is filled in where roster_heads.toml says: its points where they were
blank or a number, and its comments.  Every other line and cell stays as it was.  `--for generic`
fills the columns points and comment of any roster, or adds them; without a roster it prints
learner, name, group, points and comment.  The points in all these are the total, or those of the
checks while something is not marked.  Where nothing was handed in that could be read, they are
blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from math import ceil
from pathlib import Path

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import fold_name, group_pairs, list_briefly
from handson.grading.classroom import Grades
from handson.grading.findings import Result
from handson.grading.roster import PLATFORMS, Listing, read_listing
from handson.grading.tables import Cells, escape_formula, format_cell, format_rows

GENERIC = "generic"
"""Any table, for platforms that take no file."""
TAKERS = tuple(name for name, own in PLATFORMS.items() if "points" in own)
"""The platforms that take a file with marks, and `generic`."""
_BOM = "\ufeff"
"""Without it, Excel reads a CSV as Shift_JIS on a Japanese Windows."""
_NUMBER = re.compile(r"\d+([.,]\d+)?")
_REPLACEABLE = re.compile(f"-?|{_NUMBER.pattern}")
"""Cells that points replace: blank, Moodle's sign for it, or other points; not Canvas's EX."""


@dataclass(frozen=True)
class Gradebook:
    """A file to fill in, the columns of its points and comments, and the heads to add to it."""

    listing: Listing
    points: int
    comment: int | None
    heads: Cells

    def fill(self, grades: Grades) -> bytes:
        """Return the file with the marks of a class."""
        by_learner = group_pairs((result.learner.id, result) for result in grades.results)
        table, cells = self.listing.table, dict(self.heads)
        for row, learner in self.listing.find_learners():
            cells |= {(row, column): "" for _, column in self.heads}
            found = by_learner.get(learner.id, ())
            if len(found) == 1:  # of two, a person has to say which one is the learner's
                points, comment = find_points(found[0]), describe_comments(found[0])
                before = "".join(table.rows[row][self.points : self.points + 1])
                if points is not None and _REPLACEABLE.fullmatch(before.strip()):
                    cells[row, self.points] = points
                if comment and self.comment is not None:
                    cells[row, self.comment] = comment
        return table.fill(cells)

    def tell_open(self, grades: Grades) -> Iterator[str]:
        """Yield who is not in the file or not fully marked, and whether its maximum differs."""
        known = {learner.id for _, learner in self.listing.find_learners()}
        results = grades.results
        half = [each for each in results if each.total is None and find_points(each) is not None]
        told = {
            "missing": [each.learner.label for each in results if each.learner.id not in known],
            "unmarked": [each.learner.label for each in half if each.learner.id in known],
        }
        for name, learners in told.items():
            if learners:
                yield messages.label("grading.for-told", name, learners=list_briefly(learners))
        maximum, course = self.find_maximum(), grades.requirements.course
        possible = course.automatic + course.manual
        if maximum not in (None, possible):
            values = {"maximum": f"{maximum:g}", "possible": f"{possible:g}"}
            yield messages.text("grading.for-maximum", **values)

    def find_maximum(self) -> float | None:
        """Return the points that the platform gives at most, where the file says so."""
        head = PLATFORMS[self.listing.platform or GENERIC].get("maximum", "(?!)")
        for row, below in pairwise([*self.listing.table.rows, []]):
            for at, cell in enumerate(row):
                if re.fullmatch(head, fold_name(cell)):
                    near = (row[at + 1 : at + 2], below[at : at + 1], row[self.points :][:1])
                    numbers = filter(_NUMBER.fullmatch, map(str.strip, chain(*near)))
                    return next((float(number.replace(",", ".")) for number in numbers), None)
        return None


def open_gradebook(platform: str | None, path: Path | None, column: str | None) -> Gradebook | None:
    """Return the file of a platform to fill in; None where a table is to be made.

    Args:
        platform: One of `TAKERS`, or None.
        path: The platform's own file; with `generic`, any roster, or None.
        column: The head of the column of points, where the file has several.

    Raises:
        InvalidInput: The file is missing, another platform's, or has no such column.
    """
    if platform is None and column:
        raise InvalidInput.from_key("grading.for-column-alone")
    if platform is None or (platform == GENERIC and path is None):
        return None
    listing = read_listing(path) if path else None
    file = messages.label("grading.for-file", platform)
    if listing is None or platform not in (GENERIC, listing.platform):
        given = f"{path} {listing.platform}" if listing else messages.text("grading.for-none")
        about = {"platform": platform, "given": given.strip(), "file": file}
        raise InvalidInput.from_key("grading.for-other", **about)
    own, table, heads = PLATFORMS[platform], listing.table, listing.heads
    if platform == GENERIC and table.encoding != "cp932":
        listing = replace(listing, table=replace(table, encoding="utf-8-sig"))
    asked = re.escape(fold_name(column)) if column else own["points"]
    points = [place for place, head in enumerate(heads) if re.fullmatch(asked, head)]
    comments = [place for place, head in enumerate(heads) if re.fullmatch(own["comment"], head)]
    added: dict[tuple[int, int], str | float] = {}
    if not (points or column) and "added" in own:
        comments = [1 + (width := max(map(len, table.rows)))]
        added = {(listing.top, width + n): head for n, head in enumerate(own["added"])}
        points = [width]
    if len(points) != 1:
        seen = list_briefly([head for head in table.rows[listing.top] if head.strip()])
        raise InvalidInput.from_key("grading.for-column", path=path, seen=seen, file=file)
    return Gradebook(listing, points[0], next(iter(comments), None), added)


def format_csv(grades: Grades, *, platform: str | None = None) -> str:
    """Return a row a learner; the byte order mark at the beginning is for Excel."""
    rows = [_describe(result, briefly=platform == GENERIC) for result in grades.results]
    cells = ([escape_formula(format_cell(cell)) for cell in row.values()] for row in rows)
    return _BOM + format_rows([[*rows[0]], *cells])


def find_points(result: Result) -> float | None:
    """Return the points for a gradebook; None where nothing was handed in that could be read."""
    is_judged = any(item.mark is not None for item in result.items)
    if not (is_judged or result.files or result.identifiers):
        return None
    return result.counted if result.total is None else result.total


def describe_comments(result: Result) -> str:
    """Return what people tell the learner: on the whole, and by item."""
    parts = (f"{item.label}: {item.comment}" for item in result.items if item.comment)
    return "\n".join(filter(None, (result.comment, *parts)))


def _describe(result: Result, *, briefly: bool) -> dict[str, object]:
    """Return a learner's row by the heads of its columns."""
    who, comment = result.learner.to_json(), describe_comments(result)
    if briefly:
        return {**who, "points": find_points(result), "comment": comment}
    review = result.to_review()
    return {
        **who,
        **{mark.id: mark.counted for mark in result.checks},
        "automatic": result.points,
        **{written.id: written.mark for written in result.written},
        "findings": len(review),
        "to-review": " ".join(dict.fromkeys(finding.code for finding in review)),
        "total": result.total,
        "overruled": " ".join(mark.id for mark in result.checks if mark.mark is not None),
        "late-minutes": ceil(result.late_by / 60) or None,
        "comment": comment,
    }
