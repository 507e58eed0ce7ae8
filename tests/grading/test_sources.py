"""Sources: folders, zips and exports of learning platforms, and whose the files in them are."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

from handson.core.errors import InvalidInput
from handson.course import syllabus
from handson.grading import Learner, Roster, export_names
from handson.grading.export_names import Person
from handson.grading.sources import (
    OTHER,
    Submission,
    choose_submissions,
    find_files,
    find_submissions,
)

from .making import zipped

NOBODY = Roster()
CLASS = Roster(tuple(Learner(f"s0{number}") for number in (1, 2, 3)))
BOOKS = ("01-network.ipynb", "02-cluster.ipynb")
MOODLE = "山田 花子_{}_assignsubmission_file_".format


def put(folder: Path, *names: str, time: int = 1_500_000_000) -> Path:
    for name in names or BOOKS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}")
        os.utime(path, (time, time))
    return folder


def owners(*paths: Path, roster: Roster = NOBODY) -> list[str]:
    return [found.person.name for found in find_submissions(paths, roster)]


def chosen(*paths: Path, roster: Roster = NOBODY) -> list[tuple[str, int, bool]]:
    """Return place, number of earlier ones and doubt about the name of what counts."""
    found = choose_submissions(find_submissions(paths, roster), roster)
    return [(each.source, each.earlier, each.has_namesakes) for each in found]


@pytest.mark.parametrize(("books", "crowded"), [((2, 2, 2), [2]), ((4, 1, 1), [0, 2])])
def test_zips_beyond_50000_names_together_are_not_opened(
    books: tuple[int, ...], crowded: list[int], tmp_path: Path
) -> None:
    for number, count in enumerate(books):
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
            for name in syllabus.NOTEBOOKS[:count]:
                info = zipfile.ZipInfo(f"{name}.ipynb")
                info.comment = b"PK\x01\x02" * 16_000  # is counted as names
                archive.writestr(info, "{}")
    read, refused = set(), {}
    for file in find_files(Submission(str(tmp_path))):
        if file.entry.refusal:
            refused[file.shown] = file.entry.refusal.code
        else:
            read.add(file.shown[:5])
    assert refused == {f"{number}.zip": "file-crowded" for number in crowded}
    assert read == {f"{number}.zip" for number in range(3)} - refused.keys()


def test_a_name_tells_whose_it_is_which_number_a_platform_gave_and_keeps_nobody_waiting() -> None:
    people = {
        "山田 花子_12345_assignsubmission_file_": ("山田 花子", "12345"),
        "O'Brien Ana_9_assignsubmission_onlinetext_01-network.ipynb": ("O'Brien Ana", "9"),
        "yamadahanako_12345_67890_01-network.ipynb": ("yamadahanako", "12345"),
        "yamadahanako_LATE_12345_67890_01-network-1.ipynb": ("yamadahanako", "12345"),
        "Step 2_s1001_attempt_2026-05-01-10-30-00_01-network.ipynb": ("s1001", ""),
        "12345-67890 - Hanako Yamada - May 1, 2026 1030 AM": ("Hanako Yamada", "12345"),
        "s1001 - 06-troubleshooting (2).IPYNB": ("s1001", ""),
        "06-troubleshooting.ipynb": ("", ""),
        "s1001.zip": ("s1001", ""),
        "s1001@山田花子": ("s1001@山田花子", ""),
        "01-network-Copy1.ipynb": ("", ""),
        "01-network のコピー.ipynb": ("", ""),
        "01-networking.ipynb": ("01-networking", ""),
        "Notebooks": ("", ""),
        "Nguye\u0302\u0303n": ("Nguyễn", ""),
    }
    assert {name: export_names.find_person(name)[:2] for name in people} == people
    for tail in ("1" * 120, "copy11" * 30, " (1)1" * 30):
        assert export_names.find_notebook(f"01-network{tail}x.ipynb") == ""


FILES = (*BOOKS, "journal.jsonl", "proof.jwt")
FLAT = {
    "manaba": ("2026{}@0095{}@", "2026{}@0095{}", "2026{}@0095{}"),
    "webclass": ("2026{}_山田 {}_", "2026{}_山田 {}", "2026{}_山田 {}_"),
    "google-classroom": ("山田 {} - ", "山田 {}", "山田 {} - "),
    "canvas": ("yamada{}_LATE_9{}_7_", "yamada{}", "yamada{}_LATE_9{}_7"),
    "blackboard": (
        "L_s{}_attempt_2026-05-01-10-30-00_",
        "s{}",
        "L_s{}_attempt_2026-05-01-10-30-00",
    ),
}
FOLDERS = {
    "moodle": ("", "山田 {}_40{}_assignsubmission_file_", "", "山田 {}"),
    "brightspace": ("", "40{}-7 - Ana {} - May 1, 2026 1030 AM", "", "Ana {}"),
    "manaba": ("", "2026{}@0095{}", "report", "2026{}@0095{}"),
    "sakai": ("Step 2", "山田, 花子(s{})", "提出物の添付", "山田, 花子(s{})"),
    "github-classroom": ("step-2-submissions", "step-2-hanako-{}", "notebooks/ja", "hanako-{}"),
}


@pytest.mark.parametrize("count", [1, 3])
def test_an_export_gives_each_learner_once_with_all_that_bears_the_same_name(
    count: int, tmp_path: Path
) -> None:
    for platform, (prefix, owner, place) in FLAT.items():
        for n in range(count):
            put(tmp_path / platform, *(prefix.format(n, n) + name for name in (*FILES, "a.zip")))
        found = [(each.person.name, each.person.platform, each.person.place, len(each.files))
                 for each in find_submissions([tmp_path / platform], NOBODY)]  # fmt: skip
        assert found == [(owner.format(n, n), platform, place.format(n, n), 5)
                         for n in range(count)]  # fmt: skip
    for platform, (top, place, inner, owner) in FOLDERS.items():
        for n in range(count):
            folder = tmp_path / f"{platform} folders" / top / place.format(n, n)
            put(folder / inner, *FILES)
            put(folder, "timestamp.txt", "comments.txt")
            put(folder / "Feedback Attachment(s)", "01-network.ipynb")
        for given in (tmp_path / f"{platform} folders", tmp_path / f"{platform} folders" / top):
            submissions = [*find_submissions([given], NOBODY)]
            assert [
                (each.person.name, each.person.platform, each.person.place) for each in submissions
            ] == [(owner.format(n, n), platform, place.format(n, n)) for n in range(count)]
            assert {len([*find_files(each)]) for each in submissions} == {4}
        [one] = find_submissions([folder], NOBODY)
        assert (one.person.name, one.person.platform) == (owner.format(n, n), platform)


def test_a_folder_or_a_list_of_notebooks_is_one_submission_however_deep(tmp_path: Path) -> None:
    assert owners(put(tmp_path / "s01")) == ["s01"]
    put(tmp_path / "class" / "s02" / "notebooks" / "ja")
    assert owners(tmp_path / "class") == ["s02"]
    for part in ("ja", "en", ".handson/run"):
        put(tmp_path / "room" / "s04" / part)
    for given in ("room", "room/s04"):
        assert owners(tmp_path / given) == ["s04"]
    assert chosen(put(tmp_path / "submissions")) == [("submissions", 0, False)]
    assert owners(put(tmp_path / "s03", "journal.jsonl", "proof (1).jwt")) == ["s03"]
    put(tmp_path / "submitted" / "s01" / "ecs-handson", *BOOKS, "timestamp.txt")
    for given in ("submitted", "submitted/s01", "submitted/s01/ecs-handson"):
        assert owners(tmp_path / given) == ["s01"]
    folder = put(tmp_path / "s01")
    (found,) = find_submissions([folder / name for name in BOOKS], NOBODY)
    assert found == Submission(str(folder), "", BOOKS, Person("s01", place="s01"))
    loose = ("s02_01-network.ipynb", "s03_02-cluster.ipynb")
    assert owners(*(put(folder, *loose) / name for name in loose)) == ["s02", "s03"]


def test_an_export_without_folders_or_of_zips_is_a_class(tmp_path: Path) -> None:
    for number in (1, 2):
        put(tmp_path, *(f"Ana {number}_5{number}_assignsubmission_file_{name}" for name in BOOKS))
    found = [(each.person.name, each.person.number, len(each.files))
             for each in find_submissions([tmp_path], NOBODY)]  # fmt: skip
    assert found == [("Ana 1", "51", 2), ("Ana 2", "52", 2)]
    inner = zipped({f"work/{name}": b"{}" for name in BOOKS})
    export = {"s01.zip": inner, "note.txt": b"", "s02/ja/01-network.ipynb": b"{}"}
    (tmp_path / "export.zip").write_bytes(zipped(export))
    found = find_submissions([tmp_path / "export.zip"], NOBODY)
    files = {(each.person.name, each.source, each.is_zipped): [
        file.shown for file in find_files(each)] for each in found}  # fmt: skip
    assert files == {
        ("s01", "export.zip/s01.zip", True): ["work/01-network.ipynb", "work/02-cluster.ipynb"],
        ("s02", "export.zip/s02", False): ["ja/01-network.ipynb"],
    }


def test_folders_of_groups_are_looked_through_and_others_refused(tmp_path: Path) -> None:
    for group, learner in (("A", "s01"), ("A", "s02"), ("B", "s03"), ("C", "s99")):
        put(tmp_path / f"group {group}" / learner)
    assert owners(tmp_path, roster=CLASS) == ["s01", "s02", "s03", "group C"]
    assert owners(tmp_path) == ["s01", "s02", "group B", "group C"]
    put(tmp_path, "notes.txt")
    for name in ("none", "none.zip", "notes.txt"):
        with pytest.raises(InvalidInput, match=name):
            owners(tmp_path / name)


def test_without_a_roster_groups_are_told_from_versions_of_one_learners_work(
    tmp_path: Path,
) -> None:
    def seal(folder: Path, learner: str) -> None:
        put(folder, "01-network.ipynb")
        (folder / "journal.jsonl").write_text(json.dumps({"learner": learner}, ensure_ascii=False))

    for group, name in (("A組", "山田 花子"), ("A組", "佐藤 太郎"), ("B組", "鈴木 次郎")):
        seal(tmp_path / "groups" / group / name, name)
    put(tmp_path / "unsigned" / "月曜" / "A組" / "s01", time=1_500_000_001)
    put(tmp_path / "unsigned" / "月曜" / "A組" / "s02").parent.with_suffix(".pdf").write_bytes(b"")
    (tmp_path / "unsigned" / "月曜.zip").write_bytes(zipped({f"B/s03_{b}": b"" for b in BOOKS}))
    for export, numbers in (("export1", (1,)), ("export2", (1, 2))):
        for n in numbers:
            put(tmp_path / "exports" / export / f"Ana {n}_400{n}_assignsubmission_file_")
    for part in ("tokyo", "osaka"):  # the evidence says that both are one learner's
        seal(tmp_path / "parts" / "山田 花子" / part, "山田 花子")
        seal(tmp_path / "parts" / "taro-s" / part, "佐藤 太郎")
    for part in ("ecs", "ecs のコピー", "old", "第2回", ".ipynb_checkpoints"):
        put(tmp_path / "copies" / "s01" / part)
        put(tmp_path / "copies" / "s02" / part)
    assert {folder.name: owners(folder) for folder in tmp_path.iterdir()} == {
        "groups": ["佐藤 太郎", "山田 花子", "鈴木 次郎"],
        "unsigned": ["s01", "s02", "s03"],
        "exports": ["Ana 1", "Ana 1", "Ana 2"],
        "parts": ["taro-s", "山田 花子"],
        "copies": ["s01", "s02"],
    }


def test_a_stranger_in_a_folder_named_after_a_learner_is_not_that_learner(tmp_path: Path) -> None:
    folder = put(tmp_path / "class of s01" / "s02").parent
    put(folder / "x")
    (folder / "y.zip").write_bytes(zipped({BOOKS[0]: b"{}"}))
    assert owners(folder, roster=CLASS) == ["s02", "x", "y"]


def test_zips_of_classes_and_groups_are_looked_through(tmp_path: Path) -> None:
    files = {f"{name}_4{n}_assignsubmission_file/{book}": b"{}"
             for n, name in enumerate(("s01", "s02")) for book in BOOKS}  # fmt: skip
    (tmp_path / "submissions.zip").write_bytes(
        zipped(files)
    )  # as Canvas calls it, a name of nobody
    assert owners(tmp_path) == owners(tmp_path, roster=CLASS) == ["s01", "s02"]
    (tmp_path / "submissions.zip").rename(tmp_path / "export.zip")
    (tmp_path / "more.zip").write_bytes(zipped({"s03.zip": zipped({BOOKS[0]: b"{}"})}))
    assert owners(tmp_path, roster=CLASS) == ["s01", "s02", "s03"]
    flat = {f"A/s0{n}_{book}": b"{}" for n in (1, 2) for book in BOOKS}
    (tmp_path / "flat.zip").write_bytes(zipped({"B/s03/01-network.ipynb": b"{}", **flat}))
    assert owners(tmp_path / "flat.zip", roster=CLASS) == ["s01", "s02", "s03"]


def test_of_one_learner_the_folders_around_the_files_are_guesses(tmp_path: Path) -> None:
    (tmp_path / "inbox" / "Ana").mkdir(parents=True)
    (tmp_path / "inbox" / "Ana" / "a.zip").write_bytes(zipped({f"work/{BOOKS[0]}": b"{}"}))
    [one] = find_submissions([tmp_path / "inbox"], NOBODY)
    assert (one.person.name, one.guesses) == ("a", ("a", "Ana"))
    put(tmp_path / "room" / "Ana" / "Step 2" / "work")
    [one] = find_submissions([tmp_path / "room"], NOBODY)
    assert (one.person.name, one.guesses) == ("Step 2", ("Step 2", "Ana", "room"))
    [one] = find_submissions([tmp_path / "room"], Roster((Learner("Ana"),)))
    assert (one.person.name, one.guesses) == ("Ana", ())
    put(tmp_path / "Submitted files" / "Ana" / "Step 2" / "Version 2")
    for given in (tmp_path / "Submitted files", tmp_path / "Submitted files" / "Ana"):
        [one] = find_submissions([given], NOBODY)
        assert (one.person.name, one.person.platform, one.guesses) == ("Ana", "teams", ())


def test_several_zips_or_folders_of_one_name_are_one_submission(tmp_path: Path) -> None:
    for name in ("Ana_1", "Ben_2"):
        for part, book in enumerate(BOOKS):
            put(tmp_path / "folders" / f"{name}_part{part}", book)
            put(tmp_path / "zips", "x.txt")
            (tmp_path / "zips" / f"{name} - p{part}.zip").write_bytes(zipped({book: b"{}"}))
    (tmp_path / "zips" / "Cal - p0.zip").write_bytes(zipped({BOOKS[0]: b"{}"}))
    named = Roster((Learner("Ana"), Learner("Ben")))
    for folder, names in {
        "folders": ["Ana_1", "Ben_2"],
        "zips": ["Ana_1", "Ben_2", "Cal - p0"],
    }.items():
        for roster in (NOBODY, named):
            found = [*find_submissions([tmp_path / folder], roster)]
            assert [len([*find_files(each)]) for each in found] == [2, 2, 1][: len(names)]
        assert owners(tmp_path / folder) == names
    for group in "AB":
        put(tmp_path / "room" / f"{group}_s01")
        put(tmp_path / "room" / f"{group}_s0{group}")
    assert len(owners(tmp_path / "room")) == 4


def test_what_stands_beside_the_learners_is_not_passed_over(tmp_path: Path) -> None:
    for name in ("s01", "s02", "submission", "__MACOSX", ".git"):
        put(tmp_path / name)
    put(tmp_path, "Untitled.ipynb", "notes.txt")
    (tmp_path / "s03").symlink_to(tmp_path / "s01")
    assert sorted(owners(tmp_path)) == ["", "", "s01", "s02", "s03"]


def test_the_newest_submission_counts_of_each_whom_the_roster_tells_apart(tmp_path: Path) -> None:
    put(tmp_path / "first" / "s01", time=1_500_000_001)
    put(tmp_path / "second" / "s01")
    put(tmp_path / "second" / "s01 again", time=1_500_000_002)
    (tmp_path / "s01.zip").write_bytes(b"PK")
    given = tmp_path / "first", tmp_path / "second" / "s01", tmp_path / "s01.zip"
    assert chosen(*given) == chosen(*given[::-1]) == [("first/s01", 2, False)]
    again = chosen(*given, tmp_path / "second" / "s01 again", roster=CLASS)
    assert again == [("s01 again", 3, False)]
    both = {f"{owner}/{name}": b"{}" for owner in ("Ana", "ana") for name in BOOKS}
    (tmp_path / "class.zip").write_bytes(zipped(both))
    assert len(chosen(tmp_path / "class.zip")) == 2
    one = Roster((Learner("ana"),))
    assert chosen(tmp_path / "class.zip", roster=one) == [("class.zip", 0, False)]
    unnamed = [put(tmp_path / name / "work") for name in ("submission", "ja")]
    assert len(choose_submissions([Submission(str(path)) for path in unnamed], NOBODY)) == 2


def test_the_numbers_of_one_export_tell_namesakes_apart_not_those_of_two(tmp_path: Path) -> None:
    for name in ("both/{1}", "both/{2}", "first/{1}", "second/{2}"):
        put(tmp_path / name.format("", MOODLE(12345), MOODLE(12399)))
    assert [doubt for *_, doubt in chosen(tmp_path / "both")] == [True, True]
    assert [each[1:] for each in chosen(tmp_path / "first", tmp_path / "second")] == [(1, False)]
    flat = put(tmp_path / "flat", *(f"yamada_{n}_{n}_{book}" for n in (1, 2) for book in BOOKS))
    assert [each[1:] for each in chosen(flat)] == [(0, True), (0, True)]


def files_of(folder: Path, *own: str) -> dict[str, str]:
    """Return the suffix of each file by its place; of a refused one the code."""
    found = find_files(Submission(str(folder), files=own))
    return {each.shown: each.entry.refusal.code if each.entry.refusal else each.kind
            for each in found if each.kind != OTHER}  # fmt: skip


def test_of_a_submission_notebooks_journals_and_proofs_alone_are_read(tmp_path: Path) -> None:
    ours = {
        **{".handson/journal.jsonl": ".jsonl", "01-network.ipynb": ".ipynb", "a.IPYNB": ".ipynb"},
        **{"my journal (1).jsonl": ".jsonl", "proof.jwt": ".jwt", "x/Untitled.ipynb": ".ipynb"},
    }
    others = ("notes.txt", "data.jsonl", "token.jwt", ".ipynb_checkpoints/01-network.ipynb")
    put(tmp_path, *ours, "e\u0301/01-network.ipynb", *others, "diagrams/a.ipynb")
    assert files_of(tmp_path) == {**ours, "é/01-network.ipynb": ".ipynb"}
    assert files_of(tmp_path, "a.IPYNB") == {"a.IPYNB": ".ipynb"}


def test_links_zips_in_zips_and_deep_folders_are_refused_one_by_one(tmp_path: Path) -> None:
    put(tmp_path, "a/" * 8 + "01-network.ipynb", "b/" * 9 + "01-network.ipynb")
    nested = zipped({"e.zip": zipped({"f.zip": b"", "01-network.ipynb": b""})})
    (tmp_path / "d.zip").write_bytes(nested)
    (tmp_path / "g.zip").write_bytes(b"PK")
    (tmp_path / "h").symlink_to(tmp_path / "a")
    assert files_of(tmp_path) == {
        "a/" * 8 + "01-network.ipynb": ".ipynb",
        "b/" * 8 + "b": "file-too-deep",
        "d.zip/e.zip/01-network.ipynb": ".ipynb",
        "d.zip/e.zip/f.zip": "file-nested",
        "g.zip": "file-not-a-zip",
        "h": "file-link",
    }
    (tmp_path / "s.zip").write_bytes(zipped({"d.zip": nested}))
    inner = find_files(Submission(str(tmp_path / "s.zip"), "d.zip", is_zipped=True))
    assert [each.shown for each in inner] == ["e.zip/01-network.ipynb", "e.zip/f.zip"]


def test_a_notebook_with_another_ending_is_named_and_not_read(tmp_path: Path) -> None:
    renamed = ("01-network.ipynb.txt", "02-cluster.IPYNB.json")
    put(tmp_path / "s01", *renamed, "03-image.ipynb", "a.ipynb.html")
    put(tmp_path / "class", *(f"s02_{name}" for name in renamed), "s03_03-image.ipynb")
    assert files_of(tmp_path / "s01") == {
        **dict.fromkeys(renamed, "file-renamed"),
        "03-image.ipynb": ".ipynb",
    }
    assert owners(tmp_path / "s01") == ["s01"]
    assert owners(tmp_path / "class") == ["s02", "s03"]
    [named] = find_submissions([tmp_path / "s01" / renamed[0]], CLASS)
    assert (named.person.name, named.files) == ("s01", renamed[:1])


def test_a_file_of_another_kind_is_the_learners_whose_name_it_bears(tmp_path: Path) -> None:
    names = ("s01_01-network.ipynb", "s01_report.pdf", "s02_01-network.html", "s03 my.pdf", "x.pdf")
    put(tmp_path, *names, "index.html", "LICENSE", "s02_submissionText.html")
    found = {each.person.name: each.files for each in find_submissions([tmp_path], CLASS)}
    assert found == {"s01": names[:2], "s02": names[2:3], "s03 my": names[3:4]}
    assert owners(tmp_path) == ["s01", "s02"]


def test_400_files_of_a_submission_are_read(tmp_path: Path) -> None:
    assert files_of(tmp_path / "gone.zip") == {"gone.zip": "file-unreadable"}
    put(tmp_path, *(f"a{number:03}.ipynb" for number in range(400)))
    assert set(files_of(tmp_path).values()) == {".ipynb"}
    put(tmp_path, "a400.ipynb", "a401.ipynb")
    assert [*files_of(tmp_path).values()] == [".ipynb"] * 400 + ["file-too-many"]
