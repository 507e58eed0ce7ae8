"""Whose is what: folders, zips and exports of learning platforms, names in any script."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from handson.core.errors import InvalidInput
from handson.grading import Learner, Roster, export_names, grade_class, read_roster
from handson.grading.sources import find_submissions

from . import making
from .classes import zipped

NOBODY = Roster()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return making.hand_in("", seed=3).files()


def put(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def owners(*paths: Path, roster: Roster = NOBODY) -> list[str]:
    return [found.owner for found in find_submissions(paths, roster)]


def learners(*paths: Path, roster: Roster = NOBODY) -> list[tuple[str, int]]:
    grades = grade_class(paths, roster=roster)
    return [(result.learner, result.points) for result in grades.results]


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("山田 花子_12345_assignsubmission_file_", "山田 花子"),
        ("O'Brien Ana_9_assignsubmission_file_01-network.ipynb", "O'Brien Ana"),
        ("yamadahanako_12345_67890_01-network.ipynb", "yamadahanako"),
        ("yamadahanako_LATE_12345_67890_01-network-1.ipynb", "yamadahanako"),
        ("Step 2_s1001_attempt_2026-05-01-10-30-00_01-network.ipynb", "s1001"),
        ("12345-67890 - Hanako Yamada - May 1, 2026 1030 AM", "Hanako Yamada"),
        ("s1001_01-network.ipynb", "s1001"),
        ("s1001_06-troubleshooting.ipynb", "s1001"),
        ("06-troubleshooting.ipynb", ""),
        ("s1001.zip", "s1001"),
        ("s1001@山田花子", "s1001@山田花子"),
        ("01-network (1).ipynb", ""),
        ("01-network-Copy1.ipynb", ""),
        ("01-network のコピー.ipynb", ""),
        ("notebooks", ""),
    ],
)
def test_a_name_tells_whose_it_is(name: str, owner: str) -> None:
    assert export_names.find_owner(name) == owner


def test_decomposed_letters_are_the_same_name() -> None:
    assert export_names.find_owner("Nguye\u0302\u0303n") == export_names.find_owner("Nguyễn")


def test_a_folder_of_notebooks_is_one_submission(files: dict[str, bytes], tmp_path: Path) -> None:
    assert owners(put(tmp_path / "s01", files)) == ["s01"]


def test_folders_around_a_single_learner_are_looked_through(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    put(tmp_path / "class" / "s01" / "notebooks" / "ja", files)
    assert owners(tmp_path / "class") == ["s01"]


@pytest.mark.parametrize("given", ["submitted", "submitted/s01", "submitted/s01/ecs-handson"])
def test_an_assignment_of_nbgraders_is_its_learners_even_in_a_class_of_one(
    files: dict[str, bytes], tmp_path: Path, given: str
) -> None:
    stamp = {"timestamp.txt": b"2026-05-01 10:30:00.000000 UTC"}
    put(tmp_path / "submitted" / "s01" / "ecs-handson", {**files, **stamp})
    assert owners(tmp_path / given) == ["s01"]


def test_notebooks_that_are_named_one_by_one_are_one_submission(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    folder = put(tmp_path / "s01", files)
    assert learners(*sorted(folder.glob("*.ipynb"))) == [("s01", 80)]


def test_an_export_without_folders_is_parted_by_the_names_before(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    for number in (1, 2):
        named = {f"Ana {number}_5{number}_assignsubmission_file_{n}": d for n, d in files.items()}
        put(tmp_path, named)
    assert owners(tmp_path) == ["Ana 1", "Ana 2"]


def test_a_zip_of_zips_and_folders_is_a_class(files: dict[str, bytes], tmp_path: Path) -> None:
    inner = {f"work/{name}": data for name, data in files.items()}
    export = {"s01.zip": zipped(inner), "note.txt": b""}
    export.update({f"s02/ja/{name}": data for name, data in files.items()})
    (tmp_path / "export.zip").write_bytes(zipped(export))
    assert learners(tmp_path / "export.zip") == [("s01", 80), ("s02", 80)]


def test_folders_of_groups_are_looked_through_for_whom_the_roster_knows(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    for group, learner in (("A", "s01"), ("A", "s02"), ("B", "s03")):
        put(tmp_path / f"group {group}" / learner, files)
    roster = Roster(tuple(Learner(f"s0{number}") for number in (1, 2, 3)))
    assert owners(tmp_path, roster=roster) == ["s01", "s02", "s03"]


def test_the_newest_of_several_submissions_counts(files: dict[str, bytes], tmp_path: Path) -> None:
    def none(check: str, observed: dict[str, object]) -> None:
        observed["vpcs"] = []

    old = making.hand_in("", seed=3, observe=none).write(tmp_path / "first" / "s01")
    for path in old.iterdir():
        os.utime(path, (1_500_000_000, 1_500_000_000))
    put(tmp_path / "second" / "s01", files)
    assert learners(tmp_path / "first", tmp_path / "second") == [("s01", 80)]


def test_a_copy_that_was_worked_in_beats_one_that_was_not(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    folder = put(tmp_path / "s01", {name: files[name] for name in files})
    for path in folder.iterdir():
        os.utime(path, (1_500_000_000, 1_500_000_000))
    handed_out = {name: making.packed(book) for name, book in making.committed().items()}
    put(folder / "again", {f"{name}.ipynb": data for name, data in handed_out.items()})
    assert learners(folder) == [("s01", 80)]


def test_a_notebook_by_another_name_is_known_by_its_cells(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    renamed = {name.replace("01-network", "Untitled3"): data for name, data in files.items()}
    assert learners(put(tmp_path / "s01", renamed)) == [("s01", 80)]


def test_without_a_folder_of_their_own_the_evidence_names_the_learner(tmp_path: Path) -> None:
    making.hand_in("山田 花子", seed=1).write(tmp_path / "notebooks")
    roster = Roster((Learner("s07", "花子 山田"), Learner("s08")))
    assert learners(tmp_path / "notebooks", roster=roster) == [("s07", 80), ("s08", 0)]


def test_folders_that_differ_in_case_are_two_learners_unless_the_roster_knows_better(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    both = {f"{owner}/{name}": data for owner in ("Ana", "ana") for name, data in files.items()}
    (tmp_path / "class.zip").write_bytes(zipped(both))
    assert [name for name, _ in learners(tmp_path / "class.zip")] == ["Ana", "ana"]
    roster = Roster((Learner("ana"),))
    assert [name for name, _ in learners(tmp_path / "class.zip", roster=roster)] == ["ana"]


def test_who_is_not_in_the_roster_is_graded_and_told(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    put(tmp_path / "s01", files)
    put(tmp_path / "s99", files)
    grades = grade_class([tmp_path], roster=Roster((Learner("s01"), Learner("s02"))))
    told = {r.learner: [f.code for f in r.to_review()] for r in grades.results}
    assert "not-in-roster" in told["s99"]
    assert told["s02"] == ["nothing-handed-in"]


def test_a_link_to_a_folder_is_not_followed(files: dict[str, bytes], tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", files)
    (tmp_path / "class" / "s01").mkdir(parents=True)
    (tmp_path / "class" / "s01" / "ja").symlink_to(tmp_path / "elsewhere")
    grades = grade_class([tmp_path / "class"])
    (result,) = grades.results
    assert [finding.code for finding in result.findings] == ["nothing-readable", "file-link"]


def test_a_learner_who_is_a_link_is_told_and_not_followed(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    put(tmp_path / "elsewhere", files)
    put(tmp_path / "class" / "s01", files)
    (tmp_path / "class" / "s02").symlink_to(tmp_path / "elsewhere")
    grades = grade_class([tmp_path / "class"])
    told = {r.learner: (r.points, [f.code for f in r.to_review()]) for r in grades.results}
    assert told["s02"] == (0, ["nothing-readable", "file-link"])


def test_what_stands_beside_the_learners_is_not_passed_over(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    for name in ("s01", "s02", "submission"):
        put(tmp_path / "class" / name, files)
    put(tmp_path / "class", {"Untitled.ipynb": b"{"})
    assert owners(tmp_path / "class") == ["s01", "s02", "", ""]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_roster_is_read_as_spreadsheets_write_it(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    rows = [["氏名", "学籍番号", "クラス"], ["山田 花子", "0012", "A 組"], ["", "", ""]]
    path = tmp_path / "roster.csv"
    path.write_text("\r\n".join(map(delimiter.join, rows)), encoding=encoding, newline="")
    assert read_roster(path).learners == (Learner("0012", "山田 花子", "A 組"),)


@pytest.mark.parametrize(
    ("written", "account"),
    [
        ("12345678", "000012345678"),
        ("1234-5678-9012", "123456789012"),
        ("１２３４５６７８９０１２", "123456789012"),
        ("", ""),
    ],
)
def test_an_account_is_read_as_people_and_spreadsheets_write_it(
    tmp_path: Path, written: str, account: str
) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(f"learner,account\ns01,{written}\n", encoding="utf-8")
    assert read_roster(path).learners[0].account == account


@pytest.mark.parametrize("written", ["1.23457E+11", "1234567890123", "my account"])
def test_an_account_that_a_spreadsheet_spoilt_is_refused(tmp_path: Path, written: str) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(f"learner,account\ns01,{written}\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="12 桁"):
        read_roster(path)


@pytest.mark.parametrize(
    "text",
    ["", "who\nx\n", "learner\ns1\nS1\n", "learner,name\n,Ana\n", 'learner\n"' + "x" * 200_000],
)
def test_a_roster_that_cannot_be_one_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput):
        read_roster(path)


def test_a_name_that_two_learners_have_is_nobodys() -> None:
    roster = Roster((Learner("s01", "山田 花子"), Learner("s02", "山田 花子")))
    assert (roster.find("山田花子"), roster.find("山田花子 s02")) == (None, roster.learners[1])


MOODLE = ("山田 花子_12345_assignsubmission_file_", "山田 花子_12399_assignsubmission_file_")
NAMESAKES = Roster((Learner("s01", "山田 花子"), Learner("s02", "山田 花子")))


def put_canvas(folder: Path, owner: str, files: dict[str, bytes]) -> None:
    put(
        folder,
        {f"{owner}_{place}_{name}": data for place, (name, data) in enumerate(files.items())},
    )


@pytest.mark.parametrize("learner", ["s01", "s02"])
def test_namesakes_in_an_export_are_told_apart_by_their_evidence(
    tmp_path: Path, learner: str
) -> None:
    for folder, name in zip(MOODLE, ("s01", "s02"), strict=True):
        making.hand_in(name, seed=len(folder) + ord(name[-1])).write(tmp_path / folder)
    assert (learner, 80) in learners(tmp_path, roster=NAMESAKES)


def test_of_namesakes_whom_nothing_tells_apart_both_are_graded_and_told(tmp_path: Path) -> None:
    for seed, folder in enumerate(MOODLE):
        making.hand_in("山田 花子", seed=seed).write(tmp_path / folder)
    grades = grade_class([tmp_path], roster=NAMESAKES)
    told = {r.learner: (r.points, [f.code for f in r.findings]) for r in grades.results}
    for name in ("山田 花子 (12345)", "山田 花子 (12399)"):
        assert told[name] == (80, ["name-of-several"])


def test_namesakes_whose_files_lie_in_one_folder_are_two(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    for owner in ("yamada_111", "yamada_222"):
        put_canvas(tmp_path, owner, files)
    assert learners(tmp_path) == [("yamada (111)", 80), ("yamada (222)", 80)]


def test_who_has_another_number_in_another_export_is_one_learner(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    for export, owner in (("first", MOODLE[0]), ("second", MOODLE[1])):
        put(tmp_path / export / owner, files)
    found = learners(tmp_path / "first", tmp_path / "second")
    assert found == [("山田 花子", 80)]


def test_who_takes_a_neighbours_name_in_an_export_does_not_take_their_place(
    tmp_path: Path,
) -> None:
    for seed, number in enumerate((12345, 12399)):
        name = f"s01_{number}_assignsubmission_file_"
        making.hand_in("s01", seed=seed).write(tmp_path / name)
    grades = grade_class([tmp_path], roster=Roster((Learner("s01"), Learner("s02"))))
    told = [(r.learner, [f.code for f in r.findings]) for r in grades.results]
    assert told == [("s01", ["learner-twice"])] * 2 + [("s02", ["nothing-handed-in"])]


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="none"):
        grade_class([tmp_path / "none"])


def test_a_folder_with_nothing_in_it_is_a_submission_without_notebooks(tmp_path: Path) -> None:
    grades = grade_class([tmp_path])
    assert [f.code for result in grades.results for f in result.findings] == ["nothing-readable"]


def test_no_paths_are_nothing_to_grade() -> None:
    with pytest.raises(InvalidInput, match="採点する提出物"):
        grade_class([])


@pytest.mark.parametrize("name", [".", "none.csv"])
def test_a_roster_that_is_no_file_asks_for_its_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="パスを確かめて"):
        read_roster(tmp_path / name)
