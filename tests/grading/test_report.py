"""The report without a browser: what it holds, how it is written, what it draws."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from handson import drawing, grading
from handson.core import messages
from handson.core.errors import NotReady
from handson.course import checks, syllabus
from handson.grading import Result, notebooks, report

from . import making

Observed = dict[str, Any]
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
    grades = grading.grade_class([inbox], pictures=True)
    return "".join(report.make_page(grades))


def data_of(page: str, name: str) -> Any:
    found = re.search(f'<script type="application/json" id="{name}">(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])


# The page.


def test_what_strangers_wrote_cannot_end_its_element(inbox: Path) -> None:
    page = page_of(inbox)
    inside = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert len(inside) == 3
    assert not re.search("[<>&\u2028\u2029]", "".join(inside))
    assert data_of(page, "learner-1")["answers"][1]["text"] == "a</script>\n<b>&amp;\ufffd"
    assert page == page_of(inbox)


def test_the_policy_names_our_script_and_style_and_nothing_else(inbox: Path) -> None:
    page = page_of(inbox)
    for element in ("script", "style"):
        text = re.search(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{element}-src &#x27;sha256-{digest}&#x27;" in page
    assert "default-src &#x27;none&#x27;" in page
    assert "unsafe" not in page


def test_nothing_is_fetched_from_a_network(inbox: Path) -> None:
    ours = (PAGE / "report.js").read_text("utf-8") + (PAGE / "report.css").read_text("utf-8")
    assert re.findall(r"https?:|//[a-z]|@import|url\(|innerHTML|eval\(|fetch\(", ours) == []


def test_the_page_is_in_the_language_that_was_asked_for(inbox: Path) -> None:
    titles = {}
    for lang in ("ja", "en"):
        messages.use(lang)
        page = page_of(inbox)
        assert f'<html lang="{lang}">' in page
        titles[lang] = data_of(page, "class")["words"]["title"]
    assert titles == {"ja": "採点レポート", "en": "Grading report"}


def test_the_page_says_every_word_that_it_is_given_and_no_other(inbox: Path) -> None:
    """Some words are put together in the script: their beginning has to stand there."""
    script = (PAGE / "report.js").read_text(encoding="utf-8")
    whole = set(re.findall(r'say\("([\w-]+)"', script)) | set(
        re.findall(r'section\("(\w+)"', script)
    )
    said_by_state = {"passed", "failed", "unproven", "missing", "serious", "warning", "note"}
    said_by_state |= {"yes", "no"}
    said_by_state |= {"ascending", "descending", "before", "after", "no-cell", "no-answer"}
    given = set(data_of(page_of(inbox), "class")["words"]) - {"noscript", "title"}
    assert whole - given - {"title", "show-them"} == set()
    left = given - whole - said_by_state
    assert {word for word in left if not word.startswith("show-")} == set()


def test_questions_are_called_as_in_the_notebooks() -> None:
    spoken = set()
    for lang in messages.LANGUAGES:
        messages.use(lang)
        spoken |= {
            messages.label("grading.report.question", q.grade_id) for q in syllabus.QUESTIONS
        }
    sources = [text for edition in notebooks.load_editions() for text in edition.answers.values()]
    headings = {text.partition("\n")[0].lstrip("# ") for text in sources if text.startswith("#")}
    assert headings == spoken


def test_only_its_owner_may_read_the_report(inbox: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    grades = grading.grade_class([inbox])
    grading.write_report(grades, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]


def test_a_report_that_cannot_be_written_leaves_what_was_there(inbox: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    grades = grading.grade_class([inbox])
    with pytest.raises(NotReady, match="none"):
        grading.write_report(grades, tmp_path / "none" / "report.html")
    broken: Any = (*grades.results, None)
    with pytest.raises(AttributeError):
        grading.write_report(replace(grades, results=broken), path)
    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("old", 1)


# The architecture.


def graded(folder: Path, change: Callable[[str, Observed], object]) -> Result:
    making.hand_in("s01", seed=1, observe=change).write(folder / "s01")
    grades = grading.grade_class([folder])
    return grades.results[0]


def described(folder: Path) -> Any:
    """Return the data of the one learner in the report."""
    grades = grading.grade_class([folder])
    return data_of("".join(report.make_page(grades)), "learner-0")


def test_the_evidence_of_all_checks_makes_one_snapshot_that_passes_them(tmp_path: Path) -> None:
    snapshot = report.combine_evidence(graded(tmp_path, lambda check, observed: None))
    assert checks.run_checks(snapshot).passed


def test_the_picture_is_the_one_that_shows_the_goal_in_the_notebooks(tmp_path: Path) -> None:
    def no_cluster(check: str, observed: Observed) -> None:
        observed["clusters"] = []

    result = graded(tmp_path, no_cluster)
    (cause,) = result.check("cluster").diagnoses
    shown = described(tmp_path)["architecture"]
    picture = drawing.draw(report.combine_evidence(result), goal=True)
    assert shown == {"svg": picture.svg, "words": picture.description}
    assert cause.message in shown["words"]


def test_what_has_no_evidence_is_said_beside_the_picture(tmp_path: Path) -> None:
    book = making.hand_in("s01", seed=1)
    for cell, output in list(book.outputs()):
        if output["metadata"]["handson"]["check"] == "cluster":
            cell["outputs"] = []
    book.write(tmp_path / "s01")
    shown = described(tmp_path)
    assert shown["unproven"] == [messages.label("course.checks.check", "cluster")]
    assert shown["architecture"] is not None


def test_without_evidence_there_is_no_picture(tmp_path: Path) -> None:
    making.Book(dict(making.committed())).write(tmp_path / "s01")
    shown = described(tmp_path)
    assert (shown["architecture"], len(shown["unproven"])) == (None, 5)
