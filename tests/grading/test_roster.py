"""The roster: learners as spreadsheets and platforms list them, and the names that find them."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from handson.core.errors import InvalidInput
from handson.grading import Learner, Roster, read_account, read_roster, tables
from handson.grading.tables import escape_formula, format_rows, unescape_formula

from . import gradebooks


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


def test_files_put_together_have_marks_of_their_own_and_those_who_sit_in_are_learners(
    tmp_path: Path,
) -> None:
    text = "ロール,ユーザID,学籍番号\n教員,t,\n\ufeff聴講生,u1,\ufeffs1\n\ufeff履修生,u2,s2\n"
    roster = read_roster(saved(tmp_path, text, "utf-8-sig"))
    assert [learner.id for learner in roster.learners] == ["s1", "s2"]


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
    assert learner == Learner("s", "Ana", "A", "000000000001", aliases=("t", "u"))
    wrong = [
        *("", "who\nx\n", "learner\nS1\nＳ1\n", "learner,name\n,Ana\n"),
        *('learner\n"' + "x" * 200_000, "learner\n" + "\n" * 5_000_000, "learner,account\ns1,x\n"),
    ]
    for text in wrong:
        with pytest.raises(InvalidInput):
            read_roster(saved(tmp_path, text))
    (tmp_path / "roster.csv").write_bytes(b"learner\n\x81")
    with pytest.raises(InvalidInput, match="UTF-16, Shift_JIS"):
        read_roster(tmp_path / "roster.csv")
    with pytest.raises(InvalidInput, match="受講者 - が"):
        read_roster(saved(tmp_path, "learner,name\n,Ana\n"))
    for name in (".", "none.csv"):
        with pytest.raises(InvalidInput, match="パスを確かめて"):
            read_roster(tmp_path / name)


@pytest.mark.parametrize("name", gradebooks.EXPORTS)
def test_an_export_of_a_platform_is_read_as_it_is_and_lists_learners_alone(
    name: str, tmp_path: Path
) -> None:
    learners = read_roster(gradebooks.write(tmp_path, name)).learners
    assert [(each.id, each.name) for each in learners] == gradebooks.LEARNERS[name]
    for alias in gradebooks.ALIASES.get(name, ()):
        assert (alias, Roster(learners).find(alias)) == (alias, learners[0])


def test_a_learner_who_has_no_number_is_called_by_address_or_account(tmp_path: Path) -> None:
    moodle = "Identifier,Full name,ID number,Email address\nParticipant 7,山田 花子,,a@b.jp\n"
    blind = "Identifier,Status,Grade,Last modified (grade)\nParticipant 7,Submitted,,-\n"
    canvas = 'Student,ID,SIS Login ID,Section\n"Müller, Ana",9001,ana,A\n'
    bare = 'Student,ID,Section\n"Müller, Ana",9001,A\n'
    found = [read_roster(saved(tmp_path, text)).learners for text in (moodle, blind, canvas, bare)]
    assert [each[0].id for each in found] == ["a@b.jp", "Participant 7", "ana", "9001"]
    assert [each[0].name for each in found] == ["山田 花子", "", "Ana Müller", "Ana Müller"]
    names = {"A@b.jp": True, "participant 7": True, "participant": False, "70": False}
    assert {name: found[0][0].is_named(name) for name in names} == names


def test_an_id_comes_before_the_account_of_another(tmp_path: Path) -> None:
    text = "learner,email\ns01,x@y.jp\ns02,s01@y.jp\ns03,z@y.jp\n"
    roster = read_roster(saved(tmp_path, text))
    found = {name: roster.find(name) for name in ("s01", "z", "s01@y.jp")}
    assert {name: who and who.id for name, who in found.items()} == {
        **{"s01": "s01", "z": "s03", "s01@y.jp": "s01"},
    }


def test_lines_that_begin_like_the_heads_are_remarks(tmp_path: Path) -> None:
    remarked = read_roster(saved(tmp_path, "#学籍番号,氏名\n#,\ns01,Ana\n#end\n")).learners
    own = read_roster(saved(tmp_path, "学籍番号,氏名\n#1,Ana\n")).learners
    assert [each.id for each in (*remarked, *own)] == ["s01", "#1"]


def test_a_wrong_file_is_refused_with_what_it_has_and_lacks(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"科目, 評価。足りない列: learner、学籍番号"):
        read_roster(saved(tmp_path, "成績\n科目,評価\n数学,A\n"))


def test_a_workbook_is_read_in_limits(tmp_path: Path) -> None:
    path = tmp_path / "roster.xlsx"
    rows = [["学籍番号", "氏名"], [2026001, "山田 花子"], [], [2026002.0, None], ["0012", "=1+1"]]
    path.write_bytes(gradebooks.make_workbook(rows))
    assert [each.id for each in read_roster(path).learners] == ["2026001", "2026002", "0012"]
    book = load_workbook(path)
    book.create_sheet("cover", 0)
    book.save(path)
    assert len(read_roster(path).learners) == 3
    filled = tables.read_table(path).fill({(0, 2): "点数"})
    path.write_bytes(filled)
    assert tables.read_table(path).rows[0] == ["学籍番号", "氏名", "点数"]
    sheet = gradebooks.SHEET
    with ZipFile(BytesIO(gradebooks.replace_sheet(path.read_bytes(), sheet))) as file:
        spare = tables.MOST_BYTES - sum(member.file_size for member in file.infolist())
    largest, beyond = (sheet + " " * (spare + more) for more in (0, 1))
    limit = tmp_path / "limit.xlsx"
    limit.write_bytes(gradebooks.replace_sheet(path.read_bytes(), largest))
    assert tables.read_table(limit).rows == [["learner"]]
    entities = f'<!DOCTYPE x [<!ENTITY a "{"b" * 99}">]>' + sheet.replace("</row>", "&a;</row>", 1)
    hostile = {
        "xml": gradebooks.replace_sheet(path.read_bytes(), entities),
        "wide": gradebooks.replace_sheet(path.read_bytes(), beyond),
        "cut": path.read_bytes()[:999],
    }
    for name, data in hostile.items():
        path.write_bytes(data)
        with pytest.raises(InvalidInput, match="読めませんでした") as caught:
            read_roster(path)
        assert (name, "\n" in caught.value.problem) == (name, False)


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
    signs = ("=1", "+1", "-1", "@x", "＝1", "＋1", "－1", "＠x")
    for text in (*signs, "\tx", "\rx", " =1"):
        assert escape_formula(text) == f"'{text}"
    for text in ("s01", "山田 花子", "0/80", "a=b", ""):
        assert escape_formula(text) == text
    assert escape_formula("=\ud83d") == "'=\ufffd"


def test_a_learner_is_found_in_a_longer_name_by_whole_words_the_most_of_them_first() -> None:
    people = {"2026-001": "Ana de la Cruz", "2026002": "John", "2026003": "John O'Neil", "26": "李"}
    people["A 7"] = ""
    roster = Roster(tuple(Learner(*each) for each in people.items()))
    aliased = Learner("2026004", "伊藤 健", aliases=("ken-i", "0095@x.jp"))
    roster = Roster((*roster.learners, aliased))
    names = {
        **{"2026-001_report": "2026-001", "A班-Ana de la Cruz": "2026-001", "12026002": None},
        **{"delacruzana": "2026-001", "oneiljohn": "2026003", "John O'Neil 2": "2026003"},
        **{"step-2-ken-i": "2026004", "伊藤 健 - 課題2": "2026004", "0095@x.jp": "2026004"},
        **{"a7": "A 7", "Cruz 7": None, "Ana Cruz de la": None, "John A 7": "A 7"},
        **{
            "2026-002": None,
            "2026002 1": "2026002",
            "26 John": "26",
            "2026002 John": "2026002",
            "John, 李": None,
        },
    }
    found = {name: roster.find(name) for name in names}
    assert {name: who and who.id for name, who in found.items()} == names


def test_the_words_of_a_learners_name_stand_side_by_side_in_their_order_and_as_often() -> None:
    people = {"2026-001": "Yang Yang", "s002": "楊 威", "s003": "Liu Wei", "s004": "Sato Li"}
    people |= {"s005": "Sato Wei", "s006": "Ken Ito", "s007": "森 森", "s008": "Ito 2026-001"}
    aliased = (Learner("s009", aliases=("akino",)), Learner("s010", aliases=("aki",)))
    roster = Roster((*(Learner(*each) for each in people.items()), *aliased))
    names = {
        **{"Yang Wei": [], "Yang Yang": ["2026-001"], "Yang Yang_1": ["2026-001"], "森 太郎": []},
        **{"2026-001_1": ["2026-001"], "eva_001_2026": [], "Eva 2026-11-30 001": []},
        **{"Sato Li, Yang Wei": ["s004"], "Liu Wei, Sato Li": ["s003", "s004"]},
        **{"Ken Sato Ito Naoki": [], "Eva Ken Ito": ["s006"], "Ito Ken": ["s006"]},
        **{"Ito 2026-001": ["s008"], "2026-001 s002": ["2026-001", "s002"]},
        **{"Aki No": ["s009"], "Aki Eva": ["s010"]},
    }
    assert {name: [each.id for each in roster.find_namesakes(name)] for name in names} == names


@given(st.text(alphabet="=＋-@a1' \",;\t\n\r\u3000"))
def test_no_spreadsheet_finds_a_formula_wherever_it_parts_a_table(text: str) -> None:
    table = format_rows([[escape_formula(text), "x", escape_formula(text)]] * 2)
    for separator in ",;\t":
        rows = csv.reader(StringIO(table, newline=""), delimiter=separator)
        cells = [cell.lstrip().lstrip('"').lstrip() for row in rows for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "＋", "-", "@"))] == []
    assert escape_formula(unescape_formula(escape_formula(text))) == escape_formula(text)
