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
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from handson.core import messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.files import PRIVATE, read_data, replace_file
from handson.course import syllabus
from handson.grading import report
from handson.grading.classroom import Grades
from handson.grading.export_names import SUFFIXES, make_zip_name
from handson.grading.findings import CheckMark, Result, Written, check_label
from handson.grading.marks import Requirements, format_end
from handson.grading.output import SIGNS, read_words

ENDING = b"<!-- handson feedback -->"
"""The end of each page, and the comment of each zip: by it a later run knows its own files."""

_TOLD, _LAYOUTS = read_data("handson.grading", "feedback.toml").values()
_SENTENCES = {code: sentence for sentence, codes in _TOLD.items() for code in codes}
_ENCODED = str.maketrans({sign: f"%{ord(sign):02X}" for sign in '%#&"<\t\n\r'})
"""What an address in an attribute cannot hold.  The rest stays: it is shorter than base64."""

Words = dict[str, str]


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
        InvalidInput: The folder lies among the submissions or holds some, or another file has the
            name of a page.
        NotReady: It cannot be written there.
    """
    at, graded = folder.resolve(), [path.resolve() for path in paths]
    if any(path in (at, *at.parents) or at in path.parents for path in graded):
        raise InvalidInput.from_key("grading.feedback.submissions", folder=folder)
    pages = _name_pages(grades.results)
    said = [messages.text("grading.feedback.written", pages=len(pages), folder=folder)]
    with NotReady.replace_os_errors("grading.feedback.unwritable", path=folder):
        folder.mkdir(0o700, parents=True, exist_ok=True)
        for path in (*folder.glob("*"), *folder.glob("*/*")):
            is_in_the_way = path.name in pages or path.suffix.casefold() in SUFFIXES
            if is_in_the_way and path.is_file() and not _is_ours(path):
                raise InvalidInput.from_key("grading.feedback.taken", path=path)
        for name, result in pages.items():
            page = "".join(make_page(result, grades.requirements)).encode("utf-8", "replace")
            replace_file(folder / name, [page, ENDING], mode=PRIVATE)
        for platform in sorted({result.platform for result in grades.results} & {*_LAYOUTS}):
            target = folder / f"feedback-{platform}.zip"
            own = [(folder / name, it) for name, it in pages.items() if it.platform == platform]
            members = (member for page, it in own for member in _list_members(it, page))
            replace_file(target, [_zip(members)], mode=PRIVATE)
            said.append(messages.text("grading.feedback.zipped", path=target))
    return said


def make_page(result: Result, requirements: Requirements) -> Iterator[str]:
    """Yield the page of a learner piece by piece, in the current language."""
    course = requirements.course
    words = read_words("grading.report.page") | read_words("grading.feedback.page")
    title = " · ".join(filter(None, (course.name, words["title"])))
    style = report.read_asset("report.css") + report.read_asset("feedback.css")
    yield f"{report.begin_page(title, style)}<main>\n"
    yield _write("h1", title) + _write("p", result.label, "who")
    if result.handed_in:
        yield from _show_points(result, words)
    if result.comment:
        yield _write("h2", words["comment"]) + _write("p", result.comment, "text")
    steps = "".join(_write("li", step) for step in dict.fromkeys(_list_steps(result, words)))
    yield _write("h2", words["next"])
    yield f"<ul>{steps}</ul>" if steps else _write("p", words["nothing-next"])
    if result.handed_in:
        facts = "".join(_show_facts(mark, words) for mark in _list_checks(result))
        yield _write("h2", words["checks"]) + facts if facts else ""
        picture = report.draw_architecture(result)
        if picture:
            yield _write("h2", words["architecture"])
            yield _show_picture(picture["svg"], picture["words"], "architecture")
        yield _write("h2", words["answers"])
        for each in result.written:
            yield from _show_written(each, course.rubric.get(each.id, ""), words)
    yield "</main>\n</body>\n</html>\n"


def _show_points(result: Result, words: Words) -> Iterator[str]:
    """Yield the total, what is to be said of it, and a table of the items."""
    total = result.counted + sum(result.marks) if result.total is None else result.total
    possible = sum(item.possible for item in result.items)
    points = words["points-of"].format(points=f"{total:g}", possible=f"{possible:g}")
    yield _write("p", points, "total")
    if result.total is None:
        yield _write("p", words["so-far"], "warning")
    if result.until and result.late_by:
        until = format_end(datetime.fromisoformat(result.until)).replace("T", " ")
        yield _write("p", words["late"].format(until=until, late=result.lateness), "warning")
    rows = []
    for item in result.items:
        given = "–" if item.counted is None else f"{item.counted:g}"
        kind, remark = "", item.comment or words["unmarked"] * (item.counted is None)
        if isinstance(item, CheckMark) and item.mark is not None:
            remark = words["ruled"].format(points=f"{item.points:g}", reason=item.comment)
        elif isinstance(item, CheckMark):
            kind, remark = item.status, f"{SIGNS[item.status]} {words[item.status]}"
        rows.append((kind, item.label, f"{given} / {item.possible:g}", remark))
    yield _make_table([words["item"], words["score"], words["remark"]], rows)


def _list_checks(result: Result) -> list[CheckMark]:
    """Return the checks, and the diagram's if it was drawn and does not have all points yet."""
    diagram, read = result.diagram, result.diagram.check
    is_open = diagram.status == "answered" and diagram.mark != diagram.possible
    return [*result.checks, read] if read and is_open else [*result.checks]


def _list_steps(result: Result, words: Words) -> Iterator[str]:
    """Yield what the learner can do about each thing that is not as it should be."""
    told = [finding for finding in result.to_review() if finding.code in _SENTENCES]
    for finding in told:
        where = finding.where or words["submission"]
        values = {"check": check_label(finding.check), "where": where, **finding.values}
        yield messages.label("grading.feedback.told", _SENTENCES[finding.code], **values)
    if not (result.files or any(mark.proof for mark in result.checks)):
        return
    explained = {finding.check for finding in told}
    for mark in _list_checks(result):
        about = {"label": mark.label, "notebook": syllabus.find_check(mark.id).notebook}
        reasons = [f"{cause.message} → {cause.remedy}" for cause in mark.diagnoses]
        if any(cause.code == "foreign" for cause in mark.diagnoses):
            reasons = [words["foreign"]]  # the sentences of that cause name the other person
        if mark.status != "failed":
            is_explained = mark.status == "passed" or mark.id in explained
            reasons = [] if is_explained else [words[f"{mark.status}-evidence"]]
        for what in reasons if mark.counted < mark.possible else ():
            yield words["step"].format(what=what, **about)
    for each in result.written:
        if each.status != "answered" and each.mark != each.possible:
            about = {"label": each.label, "notebook": syllabus.DIAGRAM.notebook}
            yield words["step"].format(what=words["no-answer"], **about)


def _show_facts(mark: CheckMark, words: Words) -> str:
    """Return the facts of a check, with the expected and the observed values."""
    rows = [report.describe_fact(fact) for fact in mark.facts]
    heads = [words[name] for name in ("fact", "expected", "observed")]
    return _write("h3", mark.label) + _make_table(heads, rows) if rows else ""


def _show_written(written: Written, rubric: str, words: Words) -> Iterator[str]:
    """Yield an answer or the diagram, and how it is marked."""
    yield _write("h3", written.label)
    if rubric:
        yield _write("p", f"{words['rubric']}: {rubric}", "quiet")
    if written.picture:
        yield _show_picture(written.picture, words["picture"], "drawn")
    else:
        yield _write("p", written.text or words["no-answer"], "text")


def _show_picture(svg: str, description: str, kind: str) -> str:
    address = f"data:image/svg+xml;charset=utf-8,{svg.translate(_ENCODED)}"
    return f'<img class="{kind}" alt="{escape(description)}" src="{address}">\n'


def _make_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts; a row is its kind, its head and its cells."""
    head = "".join(_write("th", each) for each in heads)
    body = "".join(
        f'<tr class="{kind}">{_write("th", first)}{"".join(_write("td", each) for each in cells)}'
        for kind, first, *cells in rows
    )
    return f"<table><thead><tr>{head}</thead>\n<tbody>{body}</tbody></table>\n"


def _write(tag: str, text: str, kind: str = "") -> str:
    """Return an element that holds a text, whoever wrote it."""
    return f'<{tag} class="{kind}" dir="auto">{escape(text)}</{tag}>\n'


def _name_pages(results: Iterable[Result]) -> dict[str, Result]:
    """Return the results by the names of their pages, which differ on every system."""
    pages: dict[str, Result] = {}
    counted: Counter[str] = Counter()
    for result in results:
        stem = make_zip_name(result.learner).removesuffix(".zip")  # it holds no "_"
        counted[stem.casefold()] += 1
        again = counted[stem.casefold()]
        pages[f"{stem}_{again}.html" if again > 1 else f"{stem}.html"] = result
    return pages


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(ENDING)))
        return file.read() == ENDING


def _list_members(result: Result, page: Path) -> Iterator[tuple[str, bytes]]:
    """Yield a page by each name under which the learner's platform takes it back."""
    for layout in _LAYOUTS[result.platform] if result.place else ():
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
