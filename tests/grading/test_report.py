"""The report without a browser: what it holds, how it is written, what it draws."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from handson import drawing, grading
from handson.core import messages
from handson.core.errors import NotReady
from handson.course import checks, syllabus
from handson.grading import Result, notebooks, report
from handson.grading.report import write_report

from . import making

PAGE = Path(report.__file__).parent / "page"


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inbox")
    making.hand_in("s01", seed=1).write(folder / "s01")
    book = making.hand_in("s02", seed=2)
    book.answer("why-zones", "a</script>\u2028<b>&amp;HALF")
    for path in book.write(folder / "s02").iterdir():
        path.write_bytes(path.read_bytes().replace(b"HALF", b"\\ud83d"))
    return folder


def page_of(inbox: Path) -> str:
    grades = grading.grade_class([inbox], grading.Requirements(pictures=True))
    return "".join(report.make_page(grades))


def data_of(page: str, name: str) -> Any:
    found = re.search(f'<script type="application/json" id="{name}">(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])


def test_what_strangers_wrote_cannot_end_its_element_and_the_policy_names_ours(inbox: Path) -> None:
    page = page_of(inbox)
    inside = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert len(inside) == 3
    assert not re.search("[<>&\u2028\u2029]", "".join(inside))
    assert data_of(page, "learner-1")["items"]["why-zones"]["text"] == "a</script>\n<b>&amp;\ufffd"
    assert data_of(page, "learner-0")["items"]["architecture"]["picture"].startswith("<svg")
    assert page == page_of(inbox)
    for element in ("script", "style"):
        text = re.search(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{element}-src &#x27;sha256-{digest}&#x27;" in page
    assert ("default-src &#x27;none&#x27;" in page, "unsafe" in page) == (True, False)


def test_the_page_is_in_the_language_asked_for_and_says_every_word_of_it(inbox: Path) -> None:
    for lang, title in {"ja": "採点レポート", "en": "Grading report"}.items():
        messages.use(lang)
        page = page_of(inbox)
        assert f'<html lang="{lang}">' in page
        assert data_of(page, "class")["words"]["title"] == title
    script = (PAGE / "report.js").read_text(encoding="utf-8")
    whole = {*re.findall(r'say\("([\w-]+)"', script), *re.findall(r'section\("(\w+)"', script)}
    said_by_state = {"passed", "failed", "unproven", "missing", "serious", "warning", "note",
                     "ascending", "descending", "prev", "next", "no-cell",
                     "no-answer", "no-code", "todo", "where", "others", "review", "too-large",
                     "not-drawn", "possible", "mean", "deviation", "spread"}  # fmt: skip
    given = set(data_of(page_of(inbox), "class")["words"]) - {"noscript", "title"}
    assert whole - given == {"title"}
    assert [
        word for word in given - whole - said_by_state if word[:5] not in ("show-", "open-")
    ] == []


def test_questions_are_called_as_in_the_notebooks() -> None:
    spoken = set()
    for lang in messages.LANGUAGES:
        messages.use(lang)
        spoken |= {messages.label("grading.report.question", question.grade_id)
                   for question in syllabus.QUESTIONS}  # fmt: skip
    sources = [
        text for edition in notebooks.load_handout().editions for text in edition.answers.values()
    ]
    headings = {text.partition("\n")[0].lstrip("# ") for text in sources if text.startswith("#")}
    assert headings == spoken


def test_the_report_is_its_owners_alone_and_written_whole(inbox: Path, tmp_path: Path) -> None:
    path, grades = tmp_path / "report.html", grading.grade_class([inbox])
    write_report(grades, path)
    whole = path.read_text()
    with pytest.raises(NotReady, match="none"):
        write_report(grades, tmp_path / "none" / "report.html")
    broken: Any = (*grades.results, None)
    with pytest.raises(AttributeError):
        write_report(replace(grades, results=broken), path)
    assert (path.read_text(), [*tmp_path.iterdir()]) == (whole, [path])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_window_is_told_in_this_machines_time_zone(inbox: Path) -> None:
    until = datetime(2026, 5, 12, tzinfo=timezone(timedelta(hours=-11)))
    grades = grading.grade_class([inbox], grading.Requirements(until=until))
    (asked,) = data_of("".join(report.make_page(grades)), "class")["asked"]
    assert asked.endswith(until.astimezone().isoformat(timespec="minutes"))


def graded(folder: Path, book: making.Book) -> tuple[Result, Any]:
    book.write(folder / "s01")
    grades = grading.grade_class([folder])
    return grades.results[0], data_of("".join(report.make_page(grades)), "learner-0")


def test_the_picture_is_that_of_the_notebooks_with_what_has_no_evidence(tmp_path: Path) -> None:
    result, data = graded(tmp_path, making.hand_in("s01", seed=1, observe=making.no_cluster))
    (cause,) = result.check("cluster").diagnoses
    picture = drawing.draw(report.combine_evidence(result), goal=True)
    assert data["architecture"] == {"svg": picture.svg, "words": picture.description}
    assert cause.message in data["architecture"]["words"]
    book = making.hand_in("s01", seed=1)
    result, whole = graded(tmp_path, book)
    assert checks.run_checks(report.combine_evidence(result)).passed
    book.cell("cluster-evidence-record")["outputs"] = []
    _, partly = graded(tmp_path, book)
    _, empty = graded(tmp_path, making.Book(making.committed()))
    unproven = [[], [messages.label("course.checks.check", "cluster")]]
    assert [whole["unproven"], partly["unproven"], len(empty["unproven"])] == [*unproven, 5]
    assert (partly["architecture"] is None, empty["architecture"]) == (False, None)
