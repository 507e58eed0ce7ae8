"""Feedback: a page a learner, with what was graded and what to do next, and nothing of others.

A page is one HTML file without a script, which needs no network and can be printed; its template is
page/feedback.html.  Of the findings it has those that feedback.toml names, in sentences that speak
to the learner; the others are for the instructor.  A picture is an image with a data URI, in which
an SVG runs no script.

Some platforms take such files back in a zip, by the names of their own export; feedback.toml has
the layouts, and docs/instructors.md says how to upload them.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from handson.core import messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.files import PRIVATE, read_data, replace_file
from handson.course import syllabus
from handson.grading import report
from handson.grading.classroom import Grades
from handson.grading.export_names import SUFFIXES, make_zip_name
from handson.grading.findings import CheckMark, Result, check_label
from handson.grading.marks import Requirements, format_end
from handson.grading.output import read_words

if TYPE_CHECKING:
    from jinja2 import Template

ENDING = b"<!-- handson feedback -->"
"""The end of each page, and the comment of each zip: by it a later run knows its own files."""

_TOLD, _LAYOUTS = read_data("handson.grading", "feedback.toml").values()
_SENTENCES = {code: sentence for sentence, codes in _TOLD.items() for code in codes}
_REPLACED = '%#&"<\t\n\r'
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
            page = make_page(result, grades.requirements).encode("utf-8", "replace")
            replace_file(folder / name, [page, ENDING], mode=PRIVATE)
        for platform in sorted({result.platform for result in grades.results} & {*_LAYOUTS}):
            target = folder / f"feedback-{platform}.zip"
            own = [(folder / name, it) for name, it in pages.items() if it.platform == platform]
            members = (member for page, it in own for member in _list_members(it, page))
            replace_file(target, [_zip(members)], mode=PRIVATE)
            said.append(messages.text("grading.feedback.zipped", path=target))
    return said


def make_page(result: Result, requirements: Requirements) -> str:
    """Return the page of a learner, in the current language."""
    words = read_words("grading.report.page") | read_words("grading.feedback.page")
    title = " · ".join(filter(None, (requirements.course.name, words["title"])))
    style = report.read_asset("report.css") + report.read_asset("feedback.css")
    until = result.until and format_end(datetime.fromisoformat(result.until)).replace("T", " ")
    return _load_template().render(
        report=report,
        course=requirements.course,
        result=result,
        title=title,
        words=words,
        style=style,
        encode=_encode_picture,
        until=until,
        steps=[*dict.fromkeys(_list_steps(result, words))],
        checked=[mark for mark in _list_checks(result) if mark.facts],
    )


@cache
def _load_template() -> Template:
    from jinja2 import Environment, StrictUndefined  # only those who write pages wait for it

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(report.read_asset("feedback.html"))


def _encode_picture(svg: str) -> str:
    for sign in _REPLACED:
        svg = svg.replace(sign, f"%{ord(sign):02X}")  # str.translate takes ten times as long
    return svg


def _list_checks(result: Result) -> list[CheckMark]:
    """Return the checks, and the diagram's if it was drawn and does not have all points yet."""
    diagram, read = result.diagram, result.diagram.check
    is_open = diagram.status == "answered" and diagram.mark != diagram.possible
    return [*result.checks, read] if read and is_open else [*result.checks]


def _list_steps(result: Result, words: Mapping[str, str]) -> Iterator[str]:
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


def _name_pages(results: Iterable[Result]) -> dict[str, Result]:
    """Return the results by the names of their pages, which differ on every system."""
    pages: dict[str, Result] = {}
    counted: Counter[str] = Counter()
    for result in results:
        stem = make_zip_name(result.learner.id).removesuffix(".zip")  # it holds no "_"
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
