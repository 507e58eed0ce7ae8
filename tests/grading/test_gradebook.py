"""Marks for gradebooks: the table, and the files of platforms with the marks filled in."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from openpyxl import load_workbook

from handson import grading
from handson.cli import main
from handson.core.errors import InvalidInput
from handson.course.course import Course
from handson.grading import Grades, Learner, Requirements
from handson.grading.gradebook import TAKERS, describe_comments, find_points, open_gradebook
from handson.grading.submission import make_empty_result
from handson.grading.tables import read_table

from . import gradebooks, making

PLATFORMS = {
    "moodle-worksheet-ja.csv": ("moodle", "評点", "フィードバックコメント"),
    "moodle-worksheet-older.csv": ("moodle", "評点", "フィードバックコメント"),
    "moodle-worksheet-en.csv": ("moodle", "Grade", "Feedback comments"),
    "canvas.csv": ("canvas", "Step 2 (4711)", ""),
    "sakai.csv": ("sakai", "grade", ""),
    "manaba.csv": ("manaba", "合計点", "講評"),
    "manaba.xlsx": ("manaba", "合計点", "講評"),
    "webclass.csv": ("webclass", "点数", "コメント"),
}
GOOD = '=よい; "=2+2"\n- 次も'


def graded(learner: str, **values: Any) -> grading.Result:
    """Return a learner with 80 points, of whom nothing is marked."""
    empty = make_empty_result(Learner(learner), [])
    checks = tuple(replace(check, points=check.possible) for check in empty.checks)
    return replace(empty, checks=checks, files=("01-network.ipynb",), **values)


def class_of(*results: grading.Result) -> Grades:
    return Grades(results, Requirements(), readable=1, notices=())


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_platforms_file_comes_back_with_points_and_comments_and_nothing_else_changed(
    name: str, tmp_path: Path
) -> None:
    platform, points, comment = PLATFORMS[name]
    path = gradebooks.write(tmp_path, name)
    book = open_gradebook(platform, path, None)
    absent = replace(make_empty_result(Learner("2026002"), []), handed_in=False)
    stranger = graded("2026003")
    assert book is not None
    grades = class_of(stranger, absent, graded("2026001", comment=GOOD))
    assert [line.rpartition(" ")[2] for line in book.tell_open(grades)] == ["2026003", "2026001"]
    filled = tmp_path / f"filled-{name}"
    filled.write_bytes(book.fill(grades))
    before, after = read_table(path), read_table(filled)
    top, heads = next((n, row) for n, row in enumerate(after.rows) if points in row)
    own = [row for row in after.rows[top + 1 :] if any(gradebooks.HANAKO[0] in c for c in row)]
    assert [row[heads.index(points)] for row in own] == ["80"]
    if comment:
        escaped = "'=よい; \"'=2+2\"\n'- 次も"
        expected = GOOD if not after.encoding else escaped
        assert [row[heads.index(comment)] for row in own] == [expected]
        own[0][heads.index(comment)] = "before" if "en" in name else ""
    own[0][heads.index(points)] = "70.00" if "en" in name else ""
    if platform == "webclass":
        assert [row.pop(-1) + row.pop(-1) for row in after.rows] == ["コメント点数", "", ""]
    assert after.rows == before.rows
    assert (after.encoding, after.data[:3] == b"\xef\xbb\xbf") == (
        before.encoding,
        before.data[:3] == b"\xef\xbb\xbf",
    )


def test_an_xlsx_holds_numbers_and_texts_and_no_formulas(tmp_path: Path) -> None:
    book = open_gradebook("manaba", gradebooks.write(tmp_path, "manaba.xlsx"), None)
    assert book is not None
    first, *others = graded("2026002").checks
    half = replace(graded("2026002"), checks=(replace(first, points=29.5), *others))
    data = book.fill(class_of(graded("2026001", comment="=1+1"), half))
    sheet = load_workbook(BytesIO(data)).worksheets[0]
    assert [(sheet[at].value, sheet[at].data_type) for at in ("I6", "K6", "I7", "B2", "A8")] == [
        *((80, "n"), ("=1+1", "s"), (79.5, "n"), (100, "n"), ("#end", "s")),
    ]


def test_points_are_the_total_or_those_of_the_checks_and_blank_where_nothing_was_read() -> None:
    some = graded("s")
    first, *others = some.checks
    ruled = replace(first, mark=12.5, comment="下書きを見ました。")
    marks = [replace(each, mark=4.0) for each in some.answers]
    marked = {"written": (*marks, some.diagram)}
    whole = replace(some, written=(*marks, replace(some.diagram, mark=0.5)))
    broken = make_empty_result(Learner("s"), [])
    cases = (some, whole, replace(some, **marked), replace(some, checks=(ruled, *others)), broken)
    assert [find_points(each) for each in cases] == [80, 96.5, 80, 62.5, None]
    assert find_points(replace(broken, checks=(ruled, *broken.checks[1:]))) == 12.5
    written = (replace(some.answers[0], comment="もう一言。"), *some.written[1:])
    told = replace(some, written=written, checks=(ruled, *others), comment="よい。")
    lines = [line.rpartition(": ")[::2] for line in describe_comments(told).splitlines()]
    assert [text for _, text in lines] == ["よい。", "下書きを見ました。", "もう一言。"]
    assert [bool(head) for head, _ in lines] == [False, True, True]


def test_a_column_of_several_is_named_and_what_is_no_number_stays(tmp_path: Path) -> None:
    path = tmp_path / "canvas.csv"
    heads = "Student,ID,SIS User ID,Section,Quiz (1),Step 2 (2)\n"
    path.write_text(f"{heads}A B,9,s1,,3,7.5\nC D,8,s2,,3,EX\nE F,7,s3,,3,-\n")
    with pytest.raises(InvalidInput, match=r"Student, ID, SIS User ID, Section, Quiz \(1\), Step"):
        open_gradebook("canvas", path, None)
    book = open_gradebook("canvas", path, "step 2 (2)")
    assert book is not None
    filled = book.fill(class_of(graded("s1"), graded("s2"), graded("s3"))).decode()
    assert filled == f"{heads}A B,9,s1,,3,80\nC D,8,s2,,3,EX\nE F,7,s3,,3,80\n"
    path.write_text("learner\ns1\n")  # which would get a column, were none named
    with pytest.raises(InvalidInput, match="learner"):
        open_gradebook("generic", path, "step 2")


def test_a_maximum_that_is_not_the_courses_is_told(tmp_path: Path) -> None:
    course = Course(points={"network": 15, "why-zones": 2.5})
    for name, (platform, *_) in PLATFORMS.items():
        book = open_gradebook(platform, gradebooks.write(tmp_path, name), None)
        assert book is not None
        told = [*book.tell_open(Grades((), Requirements(course=course), readable=1))]
        expected = [] if platform in ("sakai", "webclass") else [("100", "83.5")]
        assert [re.findall(r"[\d.]+(?= 点満点)", line) for line in told] == [[*e] for e in expected]


def test_points_of_two_submissions_of_one_learner_are_left_open(tmp_path: Path) -> None:
    path = tmp_path / "answer.csv"
    path.write_bytes("ユーザID,氏名,点数,コメント\r\ns1,A B,,\r\n".encode("cp932"))
    book = open_gradebook("webclass", path, None)
    assert book is not None
    filled = [book.fill(class_of(*[graded("s1", comment="よい")] * n)) for n in (1, 2)]
    expected = [f"ユーザID,氏名,点数,コメント\r\ns1,A B,{own}\r\n" for own in ("80,よい", ",")]
    assert [data.decode("cp932") for data in filled] == expected


def test_a_file_that_a_spreadsheet_saved_again_keeps_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "worksheet.txt"
    path.write_text("ID number\tGrade\ns1\t\n", encoding="utf-16", newline="")
    book = open_gradebook("moodle", path, None)
    assert book is not None
    assert book.fill(class_of(graded("s1"))).decode("utf-16") == "ID number\tGrade\ns1\t80\n"


@pytest.mark.parametrize(("end", "cell"), [("\r\n", "a\nb"), ("\n", "a\r\nb"), ("\r", "a")])
def test_line_ends_stay_and_so_do_those_within_cells(end: str, cell: str, tmp_path: Path) -> None:
    path = tmp_path / "roster.txt"
    for encoding in ("utf-8", "utf-16"):
        text = f'learner\tnote{end}s1\t"{cell}"{end}'
        path.write_text(text, encoding=encoding, newline="")
        book = open_gradebook("generic", path, None)
        assert book is not None
        quoted = cell if len(cell) == 1 else f'"{cell}"'
        filled = book.fill(class_of(graded("s1"))).decode("utf-8-sig")
        assert filled == f"learner\tnote\tpoints\tcomment{end}s1\t{quoted}\t80\t{end}"


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HANDSON_HOME", str(tmp_path / "home"))
    making.hand_in("2026001", seed=1).write(tmp_path / "inbox" / "2026001")
    return tmp_path / "inbox"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["grade", *map(str, arguments)])


def test_the_command_writes_what_was_asked_for_to_a_file_of_the_user_alone(
    inbox: Path, tmp_path: Path
) -> None:
    roster, path = gradebooks.write(tmp_path, "manaba.xlsx"), tmp_path / "out"
    begins = {
        ("--csv", "--for", "manaba"): b"PK\3\4",
        ("--csv", "--for", "generic"): "\ufeff#レポート".encode(),
        ("--csv",): b'\xef\xbb\xbf"learner","name","group","network"',
        ("--json",): b'{"schema"',
        ("--lang", "en"): b"1 of 2 learners",
    }
    for options, expected in begins.items():
        result = run(inbox, "--roster", roster, *options, "--output", path)
        assert (result.exit_code, result.stdout, path.stat().st_mode & 0o777) == (0, "", 0o600)
        assert path.read_bytes()[: len(expected)] == expected
    assert run(inbox, "--csv", "--roster", roster).stdout_bytes[:4] == b'\xef\xbb\xbf"'


def test_a_table_for_any_platform_is_the_roster_with_two_columns_or_made_without_one(
    inbox: Path, tmp_path: Path
) -> None:
    found = {}
    for name, codec in (("google.csv", "utf-8-sig"), ("webclass.csv", "cp932")):
        result = run(inbox, "--for", "generic", "--roster", gradebooks.write(tmp_path, name))
        found[name] = result.stdout_bytes.decode(codec).splitlines()
        (tmp_path / name).write_bytes(result.stdout_bytes)
        again = run(inbox, "--for", "generic", "--roster", tmp_path / name)
        assert again.stdout_bytes == result.stdout_bytes
    assert found["google.csv"] == [
        "Last Name,First Name,Email Address,Step 2,points,comment",
        *(",,Date,2026-11-28", ",,Points,100", "山田,花子,2026001@example.ac.jp,,80,"),
        "Smith,John,2026002@example.ac.jp,,,",
    ]
    assert found["webclass.csv"][1:] == ["2026001,山田 花子,,80,", "2026002,John Smith,,,"]
    assert run(inbox, "--for", "generic").stdout == (
        '\ufeff"learner","name","group","points","comment"\n"2026001","","","80",""\n'
    )


def test_options_that_do_not_fit_are_refused_with_what_to_give(inbox: Path, tmp_path: Path) -> None:
    rosters = {name: gradebooks.write(tmp_path, name) for name in ("canvas.csv", "github.csv")}
    participants = gradebooks.write(tmp_path, "moodle-participants-ja.csv")
    plain = tmp_path / "plain.csv"
    plain.write_text("learner\n2026001\n")
    wrong: list[tuple[tuple[str | Path, ...], str]] = [
        (("--json", "--csv"), "--output FILE"),
        (("--json", "--for", "generic"), "--output FILE"),
        (("--for", "moodle"), "評定ワークシート"),
        (("--for", "moodle", "--roster", rosters["canvas.csv"]), "canvas.csv canvas"),
        (("--for", "moodle", "--roster", participants), "IDナンバー"),
        (("--for", "manaba", "--roster", rosters["github.csv"]), "reportlist.xlsx"),
        (("--for", "webclass", "--roster", plain), "plain.csv)"),
        (("--column", "x"), "--for moodle"),
        (("--csv", "--output", tmp_path / "none" / "x.csv"), "x.csv"),
        (("--roster", rosters["canvas.csv"], "--html", rosters["canvas.csv"]), "別のファイル名"),
    ]
    for options, said in wrong:
        result = run(inbox, *options)
        assert (options, result.exit_code, len(result.stderr.splitlines())) == (options, 2, 2)
        assert said in result.stderr
    assert set(TAKERS) == {name for name, *_ in PLATFORMS.values()} | {"generic"}
