"""What comes out: for people, for programs, for a gradebook; the command; what is loaded."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner, Result

from handson import grading
from handson.cli import main
from handson.course import syllabus
from handson.grading import Learner, Roster, notebooks
from handson.grading.notebooks import find_moved_cells
from handson.grading.roster import escape_formula

from . import making

PARTS = {
    "learner": {"learner", "name", "group", "source", "handed_in", "handed_in_at", "named", "files",
                "issuers", "points", "checks", "answers", "diagram", "marks", "total", "findings"},
    "check": {"id", "status", "points", "possible", "reason", "facts", "diagnoses", "proof"},
    "fact": {"id", "expected", "observed", "passed", "advice"},
    "proof": {"digest", "observed_at", "learner", "kind", "account", "region", "intact", "source",
              "where"},
    "answer": {"grade_id", "status", "possible", "text"},
}  # fmt: skip


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three learners: one honest, one whose name is a formula, one who handed in nothing."""
    folder = tmp_path_factory.mktemp("inbox")
    making.hand_in("s01", seed=1).write(folder / "s01")
    making.hand_in("=1+1", seed=2).write(folder / "=1+1")
    (folder / "roster.csv").write_text(
        'learner,name,group\ns01,山田 花子,A\ns02,"=HYPERLINK(""x"")",B\n=1+1,@SUM,+1\n',
        encoding="utf-8",
    )
    return folder


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HANDSON_HOME", str(tmp_path / "home"))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["grade", *map(str, arguments)])


def graded(inbox: Path, *options: str) -> Result:
    folders = sorted(path for path in inbox.iterdir() if path.is_dir())
    return run(*folders, "--roster", inbox / "roster.csv", *options)


def test_the_table_has_a_line_a_learner_and_then_what_to_look_at(inbox: Path) -> None:
    result = graded(inbox, "--lang", "en")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0] == "2 of 3 learners handed in; 1 have something that needs a human eye."
    assert lines[3].split() == ["s01", "山田", "花子", "A", *"✔✔✔✔✔", "80/80", "4/4", "✔", "14/14"]
    assert 's02 =HYPERLINK("x"):' in lines
    assert "  ⚠ Nothing was handed in." in lines


def test_the_columns_stand_below_each_other_in_full_width_letters(inbox: Path) -> None:
    from rich.cells import cell_len

    lines = graded(inbox).stdout.splitlines()
    ends = {cell_len(line.partition("/80")[0]) for line in lines if "/80" in line}
    assert len({end // 10 for end in ends}) == 1


def test_the_json_keeps_its_schema(inbox: Path) -> None:
    data = json.loads(graded(inbox, "--json", "--require-target", "emulator").stdout)
    assert set(data) == {"schema", "requirements", "possible", "summary", "learners"}
    assert (data["schema"], data["possible"]) == (
        "handson.grading/1",
        {"automatic": 80, "manual": 20},
    )
    assert data["requirements"]["target"] == "emulator"
    learner = data["learners"][0]
    check = learner["checks"][0]
    seen = {"learner": learner, "check": check, "fact": check["facts"][0], "proof": check["proof"]}
    seen["answer"] = learner["answers"][0]
    assert {name: set(part) for name, part in seen.items()} == PARTS
    assert set(learner["diagram"]) == PARTS["answer"] | {"drawn", "check"}
    assert set(learner["diagram"]["check"]) == PARTS["check"]


def test_the_summary_counts_the_class(inbox: Path) -> None:
    summary = json.loads(graded(inbox, "--json").stdout)["summary"]
    assert summary["checks"]["network"] == {"missing": 1, "passed": 2}
    assert (summary["learners"], summary["handed_in"]) == (3, 2)


def test_a_gradebook_gets_points_an_item_and_blanks_for_people(inbox: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(graded(inbox, "--csv").stdout)))
    assert list(rows[0]) == [
        *("learner", "name", "group", "network", "cluster", "repository", "image", "image-uri"),
        *("automatic", "why-network", "why-zones", "why-cluster", "why-registry"),
        *("architecture", "findings", "to-review", "total"),
    ]
    assert [row["automatic"] for row in rows] == ["80", "0", "80"]
    assert {row["why-network"] for row in rows} == {""}
    assert rows[1]["to-review"] == "nothing-handed-in"


def test_no_cell_of_the_gradebook_is_a_formula(inbox: Path) -> None:
    rows = list(csv.reader(io.StringIO(graded(inbox, "--csv").stdout)))
    assert [rows[3][:3], rows[2][1]] == [["'=1+1", "'@SUM", "'+1"], '\'=HYPERLINK("x")']


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n@x", "＝1", "＠x"]
)
def test_what_a_spreadsheet_would_compute_is_made_escape_formula(text: str) -> None:
    assert escape_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["s01", "山田 花子", "0/80", "a=b", ""])
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert escape_formula(text) == text


def test_nothing_to_grade_is_exit_code_two(tmp_path: Path) -> None:
    for result in (run(tmp_path / "none"), run()):
        assert (result.exit_code, result.stdout) == (2, "")


def test_submissions_of_which_nothing_can_be_read_are_told_and_nothing_to_grade(
    tmp_path: Path,
) -> None:
    (tmp_path / "s01").mkdir()
    (tmp_path / "s01" / "01-network.ipynb").write_text("{")
    result = run(tmp_path)
    assert (result.exit_code, "s01" in result.stdout) == (2, True)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--from", "yesterday", "yesterday"),
        ("--until", "2026-13-01", "2026-13-01"),
        ("--region", "us-east-11", "us-east-1"),
        ("--roster", "none.csv", "none.csv"),
        ("--account", "1.23457E+11", "1.23457E+11"),
    ],
)
def test_a_wrong_option_is_two_lines(inbox: Path, option: str, value: str, said: str) -> None:
    result = run(inbox / "s01", option, value)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 2)
    assert said in result.stderr


@pytest.mark.parametrize("day", ["2026-05-01", "20260501", "2026-W18-5"])
def test_a_date_ends_with_its_day(day: str) -> None:
    begin, end = grading.read_moment(day), grading.read_moment(day, end=True)
    assert (end - begin).total_seconds() == 86_400


def test_a_time_with_a_zone_is_that_moment() -> None:
    said = grading.read_moment("2026-05-01T09:00+09:00")
    assert said.isoformat() == "2026-05-01T00:00:00+00:00"


def test_results_can_be_read_one_by_one(inbox: Path) -> None:
    grades = grading.grade_class([inbox / "s01"], roster=Roster((Learner("s01"), Learner("s02"))))
    assert [result.learner for result in grades.results] == ["s01", "s02"]
    assert grades.results[0].check("image").points == 15
    with pytest.raises(KeyError):
        grades.results[0].check("imgae")


def test_grading_loads_neither_aws_an_engine_nor_a_kernel(root: Path) -> None:
    heavy = {"boto3", "botocore", "docker", "nbclient", "nbformat", "jupyter_client", "IPython"}
    script = "import sys, handson.grading; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert heavy & set(loaded.stdout.split()) == set()


# The course as grading knows it.


@pytest.fixture(scope="module")
def tool(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("course_tool", root / "tools" / "course.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_course_is_that_of_the_notebooks(root: Path, tool: ModuleType) -> None:
    """After a change of a notebook: `.venv/bin/python tools/course.py`."""
    kept = {path.name: path.read_text(encoding="utf-8") for path in tool.FOLDER.glob("*.json")}
    assert kept == tool.describe(root / "notebooks")


def test_editions_with_different_cells_are_refused(
    root: Path, tool: ModuleType, tmp_path: Path
) -> None:
    for lang, cells in (("ja", []), ("en", [{"id": "a", "cell_type": "raw", "metadata": {}}])):
        (tmp_path / lang).mkdir()
        notebook = json.dumps({"cells": cells})
        (tmp_path / lang / "00-prepare.ipynb").write_text(notebook, encoding="utf-8")
    with pytest.raises(ValueError, match="different cells"):
        tool.describe(tmp_path)


def test_the_notebooks_are_committed_without_evidence(root: Path) -> None:
    notebooks = [json.loads(path.read_text("utf-8")) for path in root.glob("notebooks/*/*.ipynb")]
    outputs = [o for book in notebooks for cell in book["cells"] for o in cell.get("outputs", ())]
    assert [output for output in outputs if "handson" in output.get("metadata", {})] == []


def test_the_course_covers_the_syllabus() -> None:
    cells = notebooks.load_cells()
    questions = {answer.grade_id for answer in (*syllabus.QUESTIONS, syllabus.DIAGRAM)}
    assert sorted(set(cells.evidence.values())) == sorted(syllabus.EVIDENCE_IDS)
    assert tuple(cells.notebooks) == syllabus.ALL_NOTEBOOKS
    assert [set(edition.answers) for edition in notebooks.load_editions()] == [questions, questions]


@pytest.mark.parametrize(
    ("own", "expected"),
    [("abcd", ""), ("abdc", "d"), ("dabc", "d"), ("bcda", "a"), ("acd", ""), ("", ""), ("ba", "b")],
)
def test_the_fewest_cells_count_as_moved(own: str, expected: str) -> None:
    assert "".join(find_moved_cells(own, "abcd")) == expected


def test_of_two_runs_in_order_the_longer_one_stays() -> None:
    # The longest unbroken run is "56"; "134" and "124" are longer, with gaps.
    assert len(find_moved_cells("561324", "123456")) == 3


def test_what_nbgrader_hands_out_is_no_answer(tmp_path: Path) -> None:
    book = making.hand_in("s01", seed=1)
    for question in syllabus.QUESTIONS:
        book.answer(question.grade_id, "YOUR ANSWER HERE")
    diagram = book.cell("architecture-diagram")
    source = "".join(making.committed_cell("architecture-diagram")["source"]).partition(
        "# for nbgrader"
    )[0]
    diagram["source"] = f"{source}# YOUR CODE HERE\nraise NotImplementedError()"
    book.write(tmp_path / "s01")
    grades = grading.grade_class([tmp_path])
    (result,) = grades.results
    written = {answer.status for answer in (*result.answers, result.diagram)}
    assert written == {"untouched"}


def test_quoting_the_course_or_the_question_is_not_copying(tmp_path: Path) -> None:
    lesson = "".join(making.committed_cell("network-why")["source"])
    for number in (1, 2):
        book = making.hand_in("", seed=number)
        book.answer("why-network", f"{lesson}\nそのとおりだと思います。")
        book.answer("why-zones", "わかりません。")
        book.write(tmp_path / f"s0{number}")
    assert alike(tmp_path) == []


def test_a_paragraph_in_common_is_found_in_either_language(tmp_path: Path) -> None:
    english = (
        "If one data centre floods, the subnet in the second zone keeps answering, so nobody who "
        "is buying socks at midnight ever learns that half of our shop lay dark for an hour."
    )
    for number in (1, 2):
        book = making.hand_in("", seed=number)
        book.answer("why-zones", f"{english.upper() if number == 1 else english} {number * 'ok '}")
        book.write(tmp_path / f"s0{number}")
    assert alike(tmp_path) == [("s01", ["why-zones"]), ("s02", ["why-zones"])]


def alike(folder: Path) -> list[tuple[str, list[str]]]:
    grades = grading.grade_class([folder])
    found: list[Any] = [(r.learner, f) for r in grades.results for f in r.findings]
    return [(n, [p.grade_id for p in f.passages]) for n, f in found if f.passages]
