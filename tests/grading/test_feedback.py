"""Feedback: what a learner reads, what stays with the instructor, and how it goes back."""

from __future__ import annotations

import io
import re
import stat
import zipfile
from html import unescape
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from handson import grading
from handson.cli import main
from handson.core import messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.files import read_data
from handson.course.course import Course
from handson.grading import Grades, Learner, Requirements, Roster
from handson.grading.feedback import make_page, write_feedback
from handson.grading.findings import make_finding
from handson.grading.submission import make_empty_result

from . import making

CLASS = ("s01", "s02", "s03", "s04")
DATA = read_data("handson.grading", "feedback.toml")


def marker(learner: str) -> str:
    return f"MARKER-OF-{learner.upper()}"


def borrow(check: str, observed: dict[str, Any]) -> None:
    """See no cluster but that of s01, as in an account that they share."""
    observed["clusters"] = []
    owner = f"{marker('s01')}-0000"
    if check == "cluster":
        here = {"check": "cluster", "name": "ecs-handson-cluster", "owner": owner}
        observed["foreign"] = [here]


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two with the same answers, one with another's evidence, one who shares an account."""
    folder = tmp_path_factory.mktemp("inbox")
    for number, learner in enumerate(CLASS, 1):
        name = marker("s02" if learner == "s03" else learner)
        seed = 2 if learner == "s03" else number
        observe = borrow if learner == "s04" else None
        book = making.hand_in(name, seed=seed, observe=observe)
        book.answer("why-network", making.ESSAY if number < 3 else f"{number} {marker(learner)}")
        book.answer("why-zones", f"{marker(learner)} <img src=x onerror=alert(1)>")
        book.write(folder / learner)
    return folder


@pytest.fixture(scope="module")
def grades(inbox: Path) -> Grades:
    people = (*CLASS, "s05")
    roster = Roster(tuple(Learner(each, marker(each), marker("group")) for each in people))
    return grading.grade_class([inbox], Requirements(roster=roster, pictures=True))


def read(page: str) -> str:
    """Return the words of a page, without its style."""
    return unescape(re.sub("<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL))


def page_of(result: grading.Result, course: Course | None = None) -> str:
    return "".join(make_page(result, Requirements(course=course or Course())))


def test_nothing_of_another_learner_is_on_a_page(grades: Grades, inbox: Path) -> None:
    codes = {finding.code for result in grades.results for finding in result.findings}
    assert {"answers-alike", "same-record", "learner-other"} <= codes
    assert "foreign" in [each.code for each in grades.results[3].check("cluster").diagnoses]
    for lang in messages.LANGUAGES:
        messages.use(lang)
        for result in grades.results:
            named = set(re.findall(r"MARKER-OF-\w+", page_of(result)))
            assert named == {marker(result.learner.id)}
    assert str(inbox) not in "".join(map(page_of, grades.results))


def test_a_page_needs_no_network_and_runs_nothing(grades: Grades) -> None:
    page = page_of(grades.results[0])
    assert "default-src &#x27;none&#x27;" in page
    assert not re.search(r"<(script|svg|iframe|object|form|link|a)\b", page)
    assert re.findall(r'src="([\w:/+]*)', page) == ["data:image/svg+xml"] * 2
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert page == page_of(grades.results[0])


def test_a_learner_reads_points_marks_comments_and_what_to_do_next(tmp_path: Path) -> None:
    messages.use("en")
    book = making.hand_in("s01", seed=1, observe=making.no_cluster)
    book.cell("repository-evidence-record")["outputs"] = []
    book.write(tmp_path / "s01")
    (graded,) = grading.grade_class([tmp_path], Requirements(pictures=True)).results
    network, *others = graded.checks
    ruled = replace(network, mark=12.5, comment="Seen in the lab.")
    first, *more = graded.written
    result = replace(
        graded,
        checks=(ruled, *others),
        written=(replace(first, mark=3.5, comment="Good."), *more),
        comment="See you on Friday.",
        until="2026-05-11T00:00:00+00:00",
        late_by=7_384,
    )
    course = Course(name="Clouds", rubric={"why-network": "Names what is isolated."})
    said = " ".join(read(page_of(result, course)).split())
    told = (
        "Clouds · Feedback s01 41 / 100 points Not everything is marked yet",
        "2 h 4 min after the deadline (2026-05-10)",
        "12.5 / 30 Your instructor changed the points (automatic: 30). Seen in the lab.",
        "ECS cluster on Fargate 0 / 15 ✘ not passed",
        "Question 1: Why build a VPC and isolate the network? 3.5 / 4 Good.",
        "– / 4 not marked yet",
        "From your instructor See you on Friday.",
        "ECS cluster on Fargate (02-cluster): The Region us-east-1 has no cluster named",
        "“Private repository in ECR”: the evidence cell holds no record. Run the cell, save,",
        "✘ The cluster exists yes no",
        "Rubric: Names what is isolated.",
    )
    assert [words for words in told if words not in said] == []
    assert "Private repository in ECR (03-image)" not in said


def test_evidence_that_is_missing_or_does_not_count_is_said_without_blame(tmp_path: Path) -> None:
    messages.use("en")
    book = making.hand_in("s01", seed=1)
    (output,) = book.cell("cluster-evidence-record")["outputs"]
    output["metadata"] = {"handson": {**output["metadata"]["handson"], "learner": "s02"}}
    del book.notebooks["03-image"]
    book.write(tmp_path / "s01")
    (result,) = grading.grade_class([tmp_path]).results
    said = read(page_of(result))
    told = (
        "The notebooks 03-image were not in your submission.",
        "Private repository in ECR (03-image): There is no evidence. Run the notebook",
        "ECS cluster on Fargate (02-cluster): The evidence could not be counted. Ask your",
    )
    assert [words for words in told if words not in said] == []
    assert ("digest" in said, "changed" in said, "{" in said) == (False, False, False)


def test_who_has_nothing_to_mend_is_told_so_and_who_handed_in_nothing_too(tmp_path: Path) -> None:
    messages.use("en")
    book = making.hand_in("s01", seed=1, observe=making.no_cluster)
    del book.notebooks["99-cleanup"]  # no points depend on it
    book.write(tmp_path / "s01")
    roster = Roster((Learner("s01"), Learner("s02")))
    graded, absent = grading.grade_class([tmp_path], Requirements(roster=roster)).results
    full = {"mark": 15, "comment": "Seen."}
    checks = tuple(
        replace(mark, **full) if mark.id == "cluster" else mark for mark in graded.checks
    )
    said = read(page_of(replace(graded, checks=checks, until="2026-05-11T00:00:00+00:00")))
    assert ("There is nothing to mend." in said, "deadline" in said) == (True, False)
    said = read(page_of(absent))
    assert "No submission of yours was found." in said
    assert ("points" in said, "evidence" in said) == (False, False)
    lost = (
        make_finding("outputs-missing", check="image"),
        make_finding("output-other", check="image"),
    )
    said = read(page_of(make_empty_result(Learner("s03"), lost)))
    assert (said.count("holds no record"), "What was checked" in said) == (1, False)


def test_a_diagram_is_to_be_mended_until_it_has_all_points(tmp_path: Path) -> None:
    def forget(check: str, observed: dict[str, Any]) -> None:
        if "drawing" in observed:
            observed["drawing"] = {"boxes": [], "icons": [], "arrows": []}

    messages.use("en")
    book = making.hand_in("s01", seed=1, observe=forget)
    book.write(tmp_path / "s01")
    (result,) = grading.grade_class([tmp_path]).results
    marked, empty, both = (
        replace(result, written=(*result.answers, replace(result.diagram, **changes)))
        for changes in ({"mark": 4}, {"status": "untouched"}, {"status": "untouched", "mark": 4})
    )
    asked = ("Your own diagram (05-architecture)", "The diagram (05-architecture): There is no")
    found = [
        tuple(words in read(page_of(each)) for words in asked)
        for each in (result, marked, empty, both)
    ]
    assert found == [(True, False), (False, False), (False, True), (False, False)]


def test_the_findings_that_learners_read_exist_and_are_said_without_names() -> None:
    findings = messages.group("grading.finding")
    parts = {name.rpartition(".")[0] for name in findings}
    told = messages.group("grading.feedback.told")
    assert {*DATA["told"]} == {*told}
    for sentence, codes in DATA["told"].items():
        assert [code for code in codes if code not in parts] == []
        needed = {name for _, name, _, _ in Formatter().parse(told[sentence]["en"]) if name}
        for code in codes:
            either = findings[f"{code}.problem"]["en"] + findings[f"{code}.remedy"]["en"]
            given = {name for _, name, _, _ in Formatter().parse(either) if name}
            assert needed - {"check", "where"} <= given - {"named", "names", "others", "owners"}


def test_pages_are_private_and_a_second_run_replaces_them_and_nothing_else(
    grades: Grades, inbox: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "feedback"
    said = write_feedback(grades, folder, paths=[inbox])
    assert [str(folder) in line for line in said] == [True]
    pages = sorted(folder.iterdir())
    assert [page.name for page in pages] == [f"{each}.html" for each in (*CLASS, "s05")]
    assert {stat.S_IMODE(page.stat().st_mode) for page in pages} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "mine.txt").write_text("mine")
    before = pages[0].read_bytes()
    fewer = Grades(grades.results[:1], grades.requirements, 1, [])
    messages.use("en")
    write_feedback(fewer, folder, paths=[inbox])
    assert (len([*folder.iterdir()]), (folder / "mine.txt").read_text()) == (6, "mine")
    assert pages[0].read_bytes() != before
    pages[0].write_text("mine")
    with pytest.raises(InvalidInput, match=r"s01\.html"):
        write_feedback(grades, folder, paths=[inbox])
    assert pages[0].read_text() == "mine"


def test_no_page_goes_where_submissions_are(grades: Grades, inbox: Path, tmp_path: Path) -> None:
    zipped = tmp_path / "zipped"
    zipped.mkdir()
    (zipped / "s01.zip").write_bytes(making.zipped({"a": b""}))
    (tmp_path / "file").touch()
    for folder in (inbox, inbox / "feedback", inbox.parent, zipped):
        with pytest.raises(InvalidInput, match=folder.name):
            write_feedback(grades, folder, paths=[inbox / "s01", inbox])
    with pytest.raises(NotReady):
        write_feedback(grades, tmp_path / "file", paths=[inbox])
    assert sorted(each.name for each in inbox.iterdir()) == [*CLASS]


def test_names_that_are_one_on_some_disk_get_pages_of_their_own(tmp_path: Path) -> None:
    learners = ("a/b", "A-B", "a-b-2", "../x", "")
    results = tuple(make_empty_result(Learner(each), []) for each in learners)
    write_feedback(Grades(results, Requirements(), 0, []), tmp_path / "f", paths=[])
    names = sorted(page.name for page in (tmp_path / "f").iterdir())
    assert names == ["A-B_2.html", "a-b-2.html", "a-b.html", "submission.html", "x.html"]


@pytest.mark.parametrize(
    ("platform", "place", "source", "members"),
    [
        ("moodle", "山田 花子_41_assignsubmission_file_", "", ["{place}/feedback.html"]),
        ("sakai", "山田, 花子(s01)", "", [
            "feedback/{place}/Feedback Attachment(s)/feedback.html",
            "feedback/{place}/フィードバックの添付ファイル/feedback.html"]),
        ("canvas", "yamada_LATE_9_77", "in", ["{place}_feedback.html"]),
        ("canvas", "yamada_9_77", "in/yamada_9_77_s01.zip", ["{place}_feedback.zip"]),
    ],
)  # fmt: skip
def test_a_platform_gets_the_pages_by_its_own_names(
    platform: str, place: str, source: str, members: list[str], tmp_path: Path
) -> None:
    given = {"platform": platform, "place": place, "source": source}
    others = ({**given, "place": ""}, {"platform": "manaba", "place": "s03@s03"})
    results = tuple(
        replace(make_empty_result(Learner(f"s0{number}"), []), comment="\ud83d", **about)
        for number, about in enumerate((given, *others), 1)
    )
    graded = Grades(results, Requirements(), 1, [])
    for _ in range(2):
        said = write_feedback(graded, tmp_path / "f", paths=[])
    path = tmp_path / "f" / f"feedback-{platform}.zip"
    assert (stat.S_IMODE(path.stat().st_mode), str(path) in said[1]) == (0o600, True)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [name.format(place=place) for name in members]
        data = archive.read(archive.namelist()[0])
    if members[0].endswith(".zip"):
        data = zipfile.ZipFile(io.BytesIO(data)).read("feedback.html")
    assert data == (tmp_path / "f" / "s01.html").read_bytes()


def test_the_command_writes_the_pages_with_the_pictures_and_says_where(
    inbox: Path, tmp_path: Path
) -> None:
    command = ["grade", str(inbox), "--feedback", str(tmp_path / "f"), "--lang", "en"]
    done = CliRunner().invoke(main, command)
    assert (done.exit_code, f"4 feedback pages: {tmp_path / 'f'}" in done.stderr) == (0, True)
    page = (tmp_path / "f" / "s01.html").read_text("utf-8")
    assert (page.count("data:image/svg+xml"), '<html lang="en">' in page) == (2, True)
    refused = CliRunner().invoke(main, [*command[:3], str(inbox / "f"), *command[4:]])
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (2, 2)
