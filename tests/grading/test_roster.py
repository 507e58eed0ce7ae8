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
    text = "氏名,学籍番号,クラス\r\n山田 花子 ,0012,A 組\r\n, ,\r\n,7"
    for delimiter in ",;\t":
        path = saved(tmp_path, text.replace(",", delimiter), encoding)
        expected = (Learner("0012", "山田 花子", "A 組"), Learner("7"))
        assert read_roster(path).learners == expected


def test_heads_and_accounts_are_read_as_people_write_them_and_other_files_refused(
    tmp_path: Path,
) -> None:
    assert read_account("12345678") == "000012345678"
    for text in ("1234-5678-9012", " 1234 56789012", "１２３４５６７８９０１２"):
        assert read_account(text) == "123456789012"
    for text in ("1.23457E+11", "1234567890123", "my account", "一二三"):
        with pytest.raises(InvalidInput, match="12 桁"):
            read_account(text)
    text = "Username,Student ID,Learner,AWS Account,Section,名前\nu,t,s,1,A,Ana\n"
    (learner,) = read_roster(saved(tmp_path, text)).learners
    assert learner == Learner("s", "Ana", "A", "000000000001")
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


ANA = Learner("Ana", "佐藤 太郎")
THREE = Roster((Learner("s01", "山田 花子"), Learner("s02", "山田 花子"), ANA))


def test_a_learner_is_found_by_id_or_name_and_what_a_spreadsheet_would_compute_is_quoted() -> None:
    names = {
        **{"Ｓ０１": ["s01"], "s01@山田花子": ["s01"], "山田花子 s02": ["s02"], "Ana": ["Ana"]},
        **{"花子 山田": ["s01", "s02"], "太郎佐藤": ["Ana"], "ana (太郎佐藤)": ["Ana"]},
        **{"s01 s02": ["s01", "s02"], "s011": [], "": []},
    }
    assert {name: [each.id for each in THREE.find_namesakes(name)] for name in names} == names
    assert [THREE.find(name) for name in ("花子 山田", "s99", "太郎佐藤")] == [None, None, ANA]
    same, others = ["ana", "太郎", "Ana 佐藤", "太郎　佐藤"], ["s01", "", "山田 太郎", "anna"]
    assert [name for name in (*same, *others) if ANA.is_named(name)] == same
    for text in ("=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n@x", "＝1", "＋1", "－1", "＠x"):
        assert escape_formula(text) == f"'{text}"
    for text in ("s01", "山田 花子", "0/80", "a=b", ""):
        assert escape_formula(text) == text
    assert escape_formula("=\ud83d") == "'=\ufffd"
