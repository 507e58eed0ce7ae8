"""The roster: learners as a spreadsheet lists them, and the names by which they are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from handson.core.errors import InvalidInput
from handson.grading import Learner, Roster, read_account, read_roster
from handson.grading.roster import escape_formula


def saved(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
def test_a_roster_is_read_as_spreadsheets_write_it(tmp_path: Path, encoding: str) -> None:
    rows = [
        ["氏名", "学籍番号", "クラス"],
        ["山田 花子 ", "0012", "A 組"],
        ["", " ", ""],
        ["", "7"],
    ]
    for delimiter in ",;\t":
        path = saved(tmp_path, "\r\n".join(map(delimiter.join, rows)), encoding)
        expected = (Learner("0012", "山田 花子", "A 組"), Learner("7"))
        assert read_roster(path).learners == expected


def test_of_several_columns_with_an_id_the_first_known_head_counts(tmp_path: Path) -> None:
    text = "Username,Student ID,Learner,AWS Account,Section\nu,t,s,1,A\n"
    assert read_roster(saved(tmp_path, text)).learners == (
        Learner("s", group="A", account="000000000001"),
    )


def test_an_account_is_read_as_people_and_spreadsheets_write_it(tmp_path: Path) -> None:
    accounts = {
        "12345678": "000012345678",
        "1234-5678-9012": "123456789012",
        " 1234 56789012": "123456789012",
        "１２３４５６７８９０１２": "123456789012",
    }
    assert {text: read_account(text) for text in accounts} == accounts
    for text in ("1.23457E+11", "1234567890123", "my account", "一二三"):
        with pytest.raises(InvalidInput, match="12 桁"):
            read_account(text)
    assert read_roster(saved(tmp_path, "learner,account\ns1,\n")).learners == (Learner("s1"),)


def test_a_file_that_is_no_roster_is_refused(tmp_path: Path) -> None:
    wrong = [
        *("", "who\nx\n", "learner\ns1\nS1\n", "learner,name\n,Ana\n"),
        *('learner\n"' + "x" * 200_000, "learner\n" + "\n" * 5_000_000, "learner,account\ns1,x\n"),
    ]
    for text in wrong:
        with pytest.raises(InvalidInput):
            read_roster(saved(tmp_path, text))
    for name in (".", "none.csv"):
        with pytest.raises(InvalidInput, match="パスを確かめて"):
            read_roster(tmp_path / name)


TWO = Roster(
    (Learner("s01", "山田 花子"), Learner("s02", "山田 花子"), Learner("Ana", "佐藤 太郎"))
)


def test_a_learner_is_found_by_the_id_the_name_or_both() -> None:
    names = {
        **{"S01": ["s01"], "s01@山田花子": ["s01"], "山田花子 s02": ["s02"], "Ana": ["Ana"]},
        **{"花子 山田": ["s01", "s02"], "太郎佐藤": ["Ana"], "ana (太郎佐藤)": ["Ana"]},
        **{"s01 s02": ["s01", "s02"], "s011": [], "": []},
    }
    found = {name: [each.id for each in TWO.find_namesakes(name)] for name in names}
    assert found == names
    assert [TWO.find(name) for name in ("花子 山田", "s99", "太郎佐藤")] == [
        None,
        None,
        TWO.learners[2],
    ]


def test_a_learner_is_named_by_the_id_or_the_name() -> None:
    ana = Learner("s01", "Ana Sato")
    names = {"s01": True, "sato": True, "s01 Ana": True, "s02": False, "": False}
    assert {name: ana.is_named(name) for name in names} == names
    assert not Learner("s01").is_named("Ana")


def test_what_a_spreadsheet_would_compute_is_quoted_and_nothing_else() -> None:
    formulas = ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n@x", "＝1", "＋1", "－1", "＠x"]
    assert [escape_formula(text) for text in formulas] == [f"'{text}" for text in formulas]
    harmless = ["s01", "山田 花子", "0/80", "a=b", ""]
    assert [escape_formula(text) for text in harmless] == harmless
    assert escape_formula("=\ud83d") == "'=\ufffd"
