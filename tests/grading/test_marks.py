"""What people gave, read from a CSV and told with the rest."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from handson import grading
from handson.cli import main
from handson.core.errors import InvalidInput
from handson.grading import answers, notebooks, read_marks

from . import making

HEAD = "learner,answers,why-network,why-zones,why-cluster,why-registry,architecture"


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inbox")
    making.hand_in("s01", seed=1).write(folder / "s01")
    making.hand_in("=2", seed=2).write(folder / "=2")
    return folder


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HANDSON_HOME", str(tmp_path / "home"))


def table(folder: Path, *rows: str, head: str = HEAD, encoding: str = "utf-8-sig") -> Path:
    path = folder / "marks.csv"
    path.write_bytes("\r\n".join((head, *rows)).encode(encoding))
    return path


def graded(inbox: Path, given: Path, *options: str) -> Result:
    folders = sorted(inbox.iterdir(), reverse=True)
    return CliRunner().invoke(main, ["grade", *map(str, folders), "--marks", str(given), *options])


def test_all_marks_make_a_total_in_the_gradebook(inbox: Path, tmp_path: Path) -> None:
    given = table(tmp_path, "s01,,4,3.5,4,2,1", "'=2,,1,,,,")
    rows = list(csv.DictReader(io.StringIO(graded(inbox, given, "--csv").stdout)))
    questions = [item.grade_id for item in notebooks.MARKED]
    assert [[row[name] for name in (*questions, "total")] for row in rows] == [
        ["1", "", "", "", "", ""],
        ["4", "3.5", "4", "2", "1", "94.5"],
    ]


def test_the_table_shows_how_far_marking_has_come(inbox: Path, tmp_path: Path) -> None:
    lines = graded(inbox, table(tmp_path, "s01,,4,3.5,4,2,1", "'=2,,1,,,,")).stdout.splitlines()
    assert [line.split()[-1] for line in lines if "80/80" in line] == ["1/20…", "14.5/20"]


def test_what_is_not_marked_is_null_and_has_no_total(inbox: Path, tmp_path: Path) -> None:
    given = table(tmp_path, "s01,,4,,,,")
    learner = json.loads(graded(inbox, given, "--json").stdout)["learners"][1]
    assert (learner["learner"], learner["total"]) == ("s01", None)
    assert set(learner["marks"].values()) == {4, None}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_spreadsheets_way_of_writing_is_read(tmp_path: Path, encoding: str) -> None:
    path = table(tmp_path, 's01;"3,5"', "", head="learner;why-zones", encoding=encoding)
    assert read_marks(path)["s01"].points == {"why-zones": 3.5}


def test_marks_for_other_texts_are_told(inbox: Path, tmp_path: Path) -> None:
    grades = grading.grade_class([inbox / "s01"])
    right = answers.fingerprint_texts(grades.results[0])
    for print_, codes in ((right, []), ("0123456789ab", ["marks-stale"]), ("", [])):
        given = read_marks(table(tmp_path, f"s01,{print_},4,,,,"))
        grades = grading.grade_class([inbox / "s01"], marks=given)
        found = [finding.code for finding in grades.results[0].to_review()]
        assert found == codes


def test_no_spreadsheet_takes_what_marks_are_for_for_a_number(inbox: Path) -> None:
    """Of hex digits alone, one in three hundred would be saved as 1.23457E+11."""
    grades = grading.grade_class([inbox / "s01"])
    result = grades.results[0]
    answer, *others = result.answers
    texts = (replace(answer, text=str(number)) for number in range(2_000))
    prints = [answers.fingerprint_texts(replace(result, answers=(text, *others))) for text in texts]
    assert [print_ for print_ in prints if print_.isdecimal()] == []


def test_marks_of_nobody_in_the_class_are_told_beside_the_results(
    inbox: Path, tmp_path: Path
) -> None:
    result = graded(inbox, table(tmp_path, "s01,,4,,,,", "s99,,4,,,,"), "--csv")
    assert (result.exit_code, "s99" in result.stderr, "s99" in result.stdout) == (0, True, False)


@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        (HEAD, ("s01,,5,,,,",), "「5」"),
        (HEAD, ("s01,,-1,,,,",), "「-1」"),
        (HEAD, ("s01,,nan,,,,",), "「nan」"),
        (HEAD, ("s01,,good,,,,",), "「good」"),
        (HEAD, ("s01,,4,,,,", "s01,,3,,,,"), "s01"),
        ("learner,points", ("s01,4",), "列"),
        ("name,why-zones", ("s01,4",), "列"),
    ],
)
def test_marks_that_cannot_be_are_refused(
    inbox: Path, tmp_path: Path, head: str, rows: tuple[str, ...], said: str
) -> None:
    given = table(tmp_path, *rows, head=head)
    with pytest.raises(InvalidInput, match=said):
        read_marks(given)
    result = graded(inbox, given)
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 2)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    path.write_bytes(b"")
    with pytest.raises(InvalidInput, match=r"marks\.csv"):
        read_marks(path)
