"""Feedback: a page a learner, with what was graded and what to do next, and nothing of others.

A page is one HTML file without a script, which needs no network and can be printed.  Of the
findings it has those that feedback.toml names, in sentences that speak to the learner; the others
are for the instructor.  A picture is an image with a data URI, in which an SVG runs no script.

Some platforms take such files back in a zip, by the names of their own export; feedback.toml has
the layouts, and docs/instructors.md says how to upload them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape
from itertools import chain, count
from pathlib import Path

from handson.core import messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.files import PRIVATE, read_data, replace_file
from handson.course import syllabus
from handson.grading.classroom import Grades
from handson.grading.export_names import SUFFIXES, make_zip_name
from handson.grading.findings import CheckMark, Result, Written, check_label
from handson.grading.marks import Requirements
from handson.grading.output import SIGNS
from handson.grading.report import (
    begin_page,
    describe_fact,
    draw_architecture,
    read_asset,
    read_words,
)

ENDING = b"<!-- handson feedback -->"
"""The end of each page, and the comment of each zip: by it a later run knows its own files."""

_DATA = read_data("handson.grading", "feedback.toml")
_SENTENCES = {code: sentence for sentence, codes in _DATA["told"].items() for code in codes}
_ENCODED = {sign: f"%{ord(sign):02X}" for sign in '%#&"<\t\n\r'}
"""What an address in an attribute cannot hold.  The rest stays: it is shorter than base64."""


def write_feedback(grades: Grades, folder: Path, *, paths: Sequence[Path]) -> list[str]:
    """Write a page a learner, and a zip for each platform that takes them back.

    Pages and zips of an earlier run are replaced; no other file is touched.

    Args:
        grades: The class, graded with its pictures.
        folder: The folder of the pages; it is made if it does not exist.
        paths: What was graded.

    Returns:
        Sentences that say what was written.

    Raises:
        InvalidInput: The folder holds submissions or lies among them, or another file has the
            name of a page.
        NotReady: It cannot be written there.
    """
    at, graded = folder.resolve(), [path.resolve() for path in paths]
    is_within = any(path in (at, *at.parents) or at in path.parents for path in graded)
    pages = _name_pages(grades.results)
    platforms = {each.platform for each in grades.results} & _DATA["layouts"].keys()
    zips = {f"feedback-{platform}.zip": platform for platform in sorted(platforms)}
    said = [messages.text("grading.feedback.written", pages=len(pages), folder=folder)]
    with NotReady.replace_os_errors("grading.feedback.unwritable", path=folder):
        if is_within or _holds_submissions(folder):
            raise InvalidInput.from_key("grading.feedback.submissions", folder=folder)
        folder.mkdir(0o700, parents=True, exist_ok=True)
        for path in (folder / name for name in (*pages, *zips)):
            if path.exists() and not _is_ours(path):
                raise InvalidInput.from_key("grading.feedback.taken", path=path)
        for name, result in pages.items():
            page = "".join(make_page(result, grades.requirements)).encode("utf-8", "replace")
            replace_file(folder / name, [page, ENDING], mode=PRIVATE)
        for name, platform in zips.items():
            own = ((page, it) for page, it in pages.items() if it.platform == platform)
            members = (each for page, it in own for each in _list_members(it, folder / page))
            replace_file(folder / name, [_zip(members)], mode=PRIVATE)
            where = {"platform": platform, "path": folder / name}
            said.append(messages.text("grading.feedback.zipped", **where))
    return said


def make_page(result: Result, requirements: Requirements) -> Iterator[str]:
    """Yield the page of a learner piece by piece, in the current language."""
    course = requirements.course
    words = read_words("grading.report.page") | read_words("grading.feedback.page")
    title = " · ".join(filter(None, (course.name, words["title"])))
    yield begin_page(title, read_asset("report.css") + read_asset("feedback.css"))
    yield _write("h1", title) + _write("p", result.label, "who")
    if result.handed_in:
        yield from _show_points(result, words)
    if result.comment:
        yield _write("h2", words["comment"]) + _write("p", result.comment, "text")
    steps = "".join(_write("li", step) for step in dict.fromkeys(_list_steps(result, words)))
    nothing = _write("p", words["nothing-next"])
    yield _write("h2", words["next"]) + (f"<ul>{steps}</ul>" if steps else nothing)
    if result.handed_in:
        yield _write("h2", words["checks"])
        yield from (_show_facts(mark, words) for mark in result.checks)
        picture = draw_architecture(result, requirements.exercise)
        if picture:
            yield _write("h2", words["architecture"])
            yield _show_picture(picture["svg"], picture["words"], "architecture")
        yield _write("h2", words["answers"])
        for written in result.written:
            yield _show_written(written, course.rubric.get(written.grade_id, ""), words)
    yield "</body>\n</html>\n"


def _show_points(result: Result, words: dict[str, str]) -> Iterator[str]:
    """Yield the total, what is to be said of it, and a table of the items."""
    total = result.counted + sum(result.marks) if result.total is None else result.total
    possible = sum(it.possible for it in result.checks) + sum(it.possible for it in result.written)
    values = {"points": f"{total:g}", "possible": f"{possible:g}"}
    yield _write("p", words["points-of"].format(**values), "total")
    if result.total is None:
        yield _write("p", words["so-far"], "warning")
    if result.until and result.late_by:
        until = datetime.fromisoformat(result.until).astimezone()
        hours, minutes = divmod(result.late_by // 60, 60)
        late = words["late"].format(until=f"{until:%Y-%m-%d %H:%M}", hours=hours, minutes=minutes)
        yield _write("p", late, "warning")
    rows = []
    for mark in result.checks:
        kind, remark = str(mark.status), f"{SIGNS[mark.status]} {words[mark.status]}"
        if mark.ruling:
            kind = ""
            points = f"{mark.points:g}"
            remark = words["ruled"].format(points=points, reason=mark.ruling.reason)
        points = f"{mark.counted:g} / {mark.possible:g}"
        rows.append((kind, check_label(mark.id), points, remark))
    for each in result.written:
        given = "–" if each.mark is None else f"{each.mark:g}"
        remark = each.comment or ("" if each.mark is not None else words["unmarked"])
        rows.append(("", _name_question(each), f"{given} / {each.possible:g}", remark))
    yield _make_table([words["item"], words["score"], words["remark"]], rows)


def _list_steps(result: Result, words: dict[str, str]) -> Iterator[str]:
    """Yield what the learner can do about each thing that is not as it should be."""
    told = [finding for finding in result.to_review() if finding.code in _SENTENCES]
    for finding in told:
        where = finding.where or words["submission"]
        values = {"check": check_label(finding.check), "where": where, **finding.values}
        yield messages.label("grading.feedback.told", _SENTENCES[finding.code], **values)
    if not (result.files or any(mark.proof for mark in result.checks)):
        return
    explained = {finding.check for finding in told}
    for mark in result.checks:
        about = {"label": check_label(mark.id), "notebook": syllabus.find_check(mark.id).notebook}
        is_explained = mark.status != "failed" and mark.id in explained
        if mark.counted < mark.possible and not is_explained:
            for what in _explain_mark(mark, words):
                yield words["step"].format(what=what, **about)
    for written in result.written:
        about = {"label": _name_question(written), "notebook": syllabus.DIAGRAM.notebook}
        if written.status != "answered":
            yield words["step"].format(what=words["no-answer"], **about)
        elif written.check and written.check.status == "failed":
            for what in _explain_mark(written.check, words):
                yield words["step"].format(what=what, **about)


def _explain_mark(mark: CheckMark, words: dict[str, str]) -> Iterator[str]:
    """Yield why a check gave no points, and what to do about it."""
    if mark.status != "failed":
        yield words["run-again" if mark.status == "missing" else "not-counted"]
    for cause in mark.diagnoses if mark.status == "failed" else ():
        # Whoever made a thing of the same name is named in the sentences of that cause.
        is_foreign = cause.code == "foreign"
        yield words["foreign"] if is_foreign else f"{cause.message} → {cause.remedy}"


def _show_facts(mark: CheckMark, words: dict[str, str]) -> str:
    """Return the facts of a check, with the expected and the observed values."""
    if not mark.facts:
        return ""
    heads = [words[name] for name in ("fact", "expected", "observed")]
    rows = []
    for fact in mark.facts:
        name, expected, observed = describe_fact(fact)
        kind = "advice" if fact.advice else "passed" if fact.passed else "failed"
        head = f"{name} · {words['advice']}" if fact.advice else f"{SIGNS[kind]} {name}"
        rows.append((kind, head, expected, observed))
    return _write("h3", check_label(mark.id)) + _make_table(heads, rows)


def _show_written(written: Written, rubric: str, words: dict[str, str]) -> str:
    """Return an answer or the diagram, how it is marked, and what was said of it."""
    said = "no-answer"
    if written.grade_id == syllabus.DIAGRAM.grade_id:
        said = "too-large" if written.drawn else "not-drawn"
    parts = [_write("h3", _name_question(written))]
    if rubric:
        parts.append(_write("p", f"{words['rubric']}: {rubric}", "quiet"))
    if written.picture:
        parts.append(_show_picture(written.picture, words["picture"], "drawn"))
    elif said == "no-answer" and written.status == "answered":
        parts.append(_write("p", written.text, "text"))
    else:
        parts.append(_write("p", words[said], "quiet"))
    if written.comment:
        parts.append(_write("p", f"{words['comment']}: {written.comment}", "comment"))
    if written.check:
        parts.append(_show_facts(written.check, words))
    return "".join(parts)


def _show_picture(svg: str, description: str, kind: str) -> str:
    for sign, code in _ENCODED.items():
        svg = svg.replace(sign, code)
    alt = escape(description)
    return f'<img class="{kind}" alt="{alt}" src="data:image/svg+xml;charset=utf-8,{svg}">\n'


def _make_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts; a row is its kind, its head and its cells."""
    head = "".join(_write("th", each) for each in heads)
    body = "".join(
        f'<tr class="{kind}">{_write("th", first)}{"".join(_write("td", each) for each in cells)}'
        for kind, first, *cells in rows
    )
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>\n"


def _write(tag: str, text: str, kind: str = "") -> str:
    """Return an element that holds a text, whoever wrote it."""
    return f'<{tag} class="{kind}" dir="auto">{escape(text)}</{tag}>\n'


def _name_question(written: Written) -> str:
    return messages.label("grading.report.question", written.grade_id)


def _name_pages(results: Iterable[Result]) -> dict[str, Result]:
    """Return the results by the names of their pages, which differ on every system."""
    pages: dict[str, Result] = {}
    taken: set[str] = set()
    for result in results:
        stem = make_zip_name(result.learner).removesuffix(".zip")
        names = chain([f"{stem}.html"], (f"{stem}-{number}.html" for number in count(2)))
        name = next(name for name in names if name.casefold() not in taken)
        taken.add(name.casefold())
        pages[name] = result
    return pages


def _holds_submissions(folder: Path) -> bool:
    """Tell whether a folder, or one in it, holds notebooks or zips that are not ours."""
    found = (path for path in chain(folder.glob("*"), folder.glob("*/*")) if path.is_file())
    return any(path.suffix.casefold() in SUFFIXES and not _is_ours(path) for path in found)


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(ENDING)))
        return file.read() == ENDING


def _list_members(result: Result, page: Path) -> Iterator[tuple[str, bytes]]:
    """Yield a page by each name under which the learner's platform takes it back."""
    for layout in _DATA["layouts"][result.platform] if result.place else ():
        name, data = layout.format(place=result.place), page.read_bytes()
        if result.platform == "canvas" and result.source.endswith(".zip"):
            # Canvas shows the page under the name of the file that was handed in.
            name, data = name.replace(".html", ".zip"), _zip([("feedback.html", data)])
        yield name, data


def _zip(members: Iterable[tuple[str, bytes]]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.comment = ENDING
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return target.getvalue()
