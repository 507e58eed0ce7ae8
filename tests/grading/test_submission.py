"""A submission: from its files to a result, whose it is, and what of it is left aside."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from handson.course import syllabus
from handson.grading import Learner, Requirements, Result, Roster, judge_folders
from handson.grading.sources import Submission
from handson.grading.submission import grade_submission
from tests.unit.drawn_by_learners import WRONG, draw

from . import making
from .making import Book, sealed

TWO = Roster((Learner("s01", "山田 花子", "A"), Learner("s02", "山田 花子", "B")))
AT = 1_760_000_000
"""2025-10-09T08:53:20Z."""


@pytest.fixture
def book() -> Book:
    return making.hand_in("s01", seed=1)


def graded(folder: Path, *, roster: Roster = TWO, asked: Any = Requirements(), **of: Any) -> Result:  # noqa: B008
    return grade_submission(Submission(str(folder), **of), asked, roster)


def codes(result: Result) -> list[str]:
    return [finding.code for finding in result.findings]


def keep_journal(folder: Path, *records: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "journal.jsonl").write_text("\n".join(map(json.dumps, records)))
    return folder


def hand_in(folder: Path, *learners: str) -> Path:
    """Write a journal in which each of the names sealed a record for another check."""
    records = zip(("cluster", "network"), learners, strict=False)
    return keep_journal(folder, *(sealed(check, learner=name) for check, name in records))


# grade_submission: the whole.


def test_a_whole_submission_has_its_points_and_its_place(book: Book, tmp_path: Path) -> None:
    folder = book.write(tmp_path / "s01")
    for number, path in enumerate(sorted(folder.iterdir())):
        os.utime(path, (AT - number, AT - number))
    result = graded(folder, owner="s01")
    assert (result.learner, result.name, result.group) == ("s01", "山田 花子", "A")
    assert (result.source, result.handed_in, result.named) == ("s01", True, ("s01",))
    assert result.handed_in_at == "2025-10-09T08:53:20+00:00"
    assert result.files == tuple(f"{name}.ipynb" for name in sorted(book.notebooks))
    assert (result.points, result.findings, result.issuers) == (80, (), ())
    assert {answer.status for answer in result.written} == {"answered"}
    assert (result.diagram.drawn, result.diagram.picture) == (True, "")


def test_nothing_of_an_optional_notebook_matters(book: Book, tmp_path: Path) -> None:
    optional = "06-troubleshooting"
    cells = book.notebooks[optional]["cells"]
    book.write(tmp_path)
    left = [{"cells": cells[::-1]}, {"cells": cells[:1]}, None]
    for notebook in left:
        path = tmp_path / f"{optional}.ipynb"
        path.write_text(json.dumps(notebook)) if notebook else path.unlink()
        assert codes(graded(tmp_path)) == []


def test_the_journal_makes_up_for_broken_records(book: Book, tmp_path: Path) -> None:
    for _, output in book.outputs():
        output["metadata"]["handson"] = {**output["metadata"]["handson"], "learner": "x"}
    folder = book.write(tmp_path / "s01")
    (folder / "journal.jsonl").write_bytes(book.journal())
    result = graded(folder, owner="s01")
    assert (result.points, codes(result)[:6]) == (80, ["digest-broken"] * 6)
    assert {mark.proof.source for mark in result.checks if mark.proof} == {"journal"}


def test_a_fault_of_ours_costs_that_submission_alone(tmp_path: Path) -> None:
    broken: Any = None
    folder = hand_in(tmp_path / "s01", "s02")
    result = graded(folder, owner="s01", asked=Requirements(exercise=broken))
    assert (result.learner, result.source, result.points) == ("s01", "s01", 0)
    (finding,) = result.findings
    assert (finding.code, finding.severity) == ("not-graded", "serious")
    assert finding.values["reason"].startswith("AttributeError: 'NoneType'")


# grade_submission: the diagram, which people mark.


def test_what_a_diagram_lacks_is_told_by_fact_and_costs_no_automatic_points(
    tmp_path: Path,
) -> None:
    def observe(check: str, observed: Any) -> None:
        if check == "architecture":
            observed["drawing"] = draw(WRONG["servers"][0]).to_json()

    book = making.hand_in("s01", seed=1, observe=observe)
    for _, output in book.outputs():
        record = output["metadata"]["handson"]
        output["metadata"]["handson"] = making.resealed(record, passed=True)
    result = graded(book.write(tmp_path))
    assert result.diagram.check is not None
    wrong = {fact.id for fact in result.diagram.check.facts if not fact.passed}
    assert (result.diagram.check.status, wrong) == ("failed", WRONG["servers"][1])
    assert (result.points, len(result.checks)) == (80, 5)


def test_a_diagrams_evidence_that_does_not_count_says_why(book: Book, tmp_path: Path) -> None:
    result = graded(book.write(tmp_path), asked=Requirements(target="aws"))
    assert result.diagram.check is not None
    assert (result.diagram.check.status, result.diagram.check.reason) == (
        "unproven",
        "target-other",
    )
    assert codes(result) == ["target-other"] * 6


def test_without_evidence_the_diagram_is_marked_by_its_code_alone(
    book: Book, tmp_path: Path
) -> None:
    book.cell("architecture-evidence-record")["outputs"] = []
    result = graded(book.write(tmp_path))
    assert result.diagram.check is not None
    assert (result.diagram.check.status, codes(result)) == ("missing", ["outputs-missing"])
    assert "Diagram" in result.diagram.text


# grade_submission: whose it is.


@pytest.mark.parametrize(
    ("named", "of", "learner", "found"),
    [
        (["s02"], {"owner": "s01"}, "s01", ["learner-other"]),
        (["s02"], {"owner": "山田 花子"}, "s02", []),
        (["s01", "s02"], {"owner": "山田 花子"}, "山田 花子", ["learner-other", "name-of-several"]),
        (["Ana"], {"owner": "山田 花子"}, "山田 花子", ["learner-other", "name-of-several"]),
        (["s01"], {"owner": "Ana"}, "Ana", ["learner-other", "not-in-roster"]),
        ([], {"owner": "Ana", "number": "7"}, "Ana", ["not-in-roster"]),
        ([], {"owner": "Ana", "number": "7", "has_namesakes": True}, "Ana (7)", ["not-in-roster"]),
        ([], {"owner": "Ana", "has_namesakes": True}, "Ana", ["not-in-roster"]),
        (["s02"], {}, "s02", []),
        (["Ana"], {}, "Ana", []),
        ([""], {}, "inbox", ["learner-unnamed"]),
        (["Ana", "Ben"], {}, "inbox", ["learner-several"]),
    ],
)
def test_the_folder_says_whose_it_is_and_evidence_decides_among_namesakes(
    tmp_path: Path, named: list[str], of: dict[str, Any], learner: str, found: list[str]
) -> None:
    folder = hand_in(tmp_path / "inbox", *(named or [of["owner"]]))
    result = graded(folder, **of)
    told = [code for code in dict.fromkeys(codes(result)) if code != "notebook-missing"]
    assert (result.learner, told) == (learner, found)


def test_without_a_roster_nobody_is_missing_from_it(tmp_path: Path) -> None:
    result = graded(hand_in(tmp_path, "Ana"), owner="Ana", roster=Roster())
    assert (result.learner, "not-in-roster" in codes(result)) == ("Ana", False)


def test_the_name_of_several_and_earlier_submissions_are_told_with_their_values(
    tmp_path: Path,
) -> None:
    result = graded(hand_in(tmp_path / "a", "s01", "s02"), owner="山田\n花子", earlier=2)
    earlier, several = result.findings[-2:]
    assert (earlier.code, earlier.severity) == ("earlier-left", "note")
    assert earlier.values == {"count": "2", "source": "a"}
    assert several.values == {"learners": "s01, s02", "name": "山田�花子"}


# grade_submission: what is read.


def test_what_holds_nothing_readable_is_told_with_its_files(tmp_path: Path) -> None:
    assert graded(tmp_path).findings[0].values == {"files": "-"}
    for name in ("b.ipynb", "a.ipynb"):
        (tmp_path / name).write_text('{"cells": []}')
    result = graded(tmp_path, owner="s99")
    told = [(each.code, each.severity, each.where) for each in result.findings]
    assert told == [
        ("nothing-readable", "serious", None),
        ("file-foreign", "note", "a.ipynb"),
        ("file-foreign", "note", "b.ipynb"),
        ("not-in-roster", "warning", None),
    ]
    assert result.findings[0].values == {"files": "a.ipynb, b.ipynb"}


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    result = graded(tmp_path / "gone.zip", owner="s01")
    assert [(each.code, each.where) for each in result.findings] == [
        ("nothing-readable", None),
        ("file-unreadable", "gone.zip"),
    ]


def test_of_a_journal_the_newest_2000_lines_are_read(tmp_path: Path) -> None:
    line = json.dumps(sealed())
    for lines, named in ((1_999, ("s01",)), (2_000, ())):
        (tmp_path / "journal.jsonl").write_text(line + "\n" * lines)
        assert graded(tmp_path).named == named


def test_of_a_submission_64_megabytes_are_read(tmp_path: Path) -> None:
    hand_in(tmp_path, "s01")
    for number in range(8):
        with (tmp_path / f"00-prepare ({number}).ipynb").open("wb") as giant:
            giant.truncate(8_000_000)
    refused = [each for each in graded(tmp_path).findings if each.code == "files-too-large"]
    assert [(each.where, each.values) for each in refused] == [
        ("journal.jsonl", {"limit": "64 MB"})
    ]
    os.truncate(tmp_path / "00-prepare (7).ipynb", 7_999_999)
    os.remove(tmp_path / "00-prepare (6).ipynb")
    assert graded(tmp_path).named == ("s01",)


def test_a_notebook_with_two_lists_of_cells_is_told(book: Book, tmp_path: Path) -> None:
    path = book.write(tmp_path) / "04-evidence.ipynb"
    path.write_bytes(path.read_bytes().replace(b'{\n "cells"', b'{"cells": [],\n "cells"', 1))
    (finding,) = graded(tmp_path).findings
    assert (finding.code, finding.where) == ("file-twins", "04-evidence.ipynb")
    assert finding.values == {"names": "cells"}


def test_of_copies_the_one_that_was_worked_in_counts_then_the_newest_then_the_uppermost(
    book: Book, tmp_path: Path
) -> None:
    handed_out = making.packed(making.committed()["02-cluster"])
    answered = making.packed({"cells": [book.cell("why-cluster")]})
    worked_in = book.files()["02-cluster.ipynb"]
    copies = {"a": (handed_out, AT + 9), "b": (worked_in, AT), "c/c": (worked_in, AT)}
    for name, (data, moment) in {**copies, "d": (answered, AT - 9)}.items():
        path = tmp_path / name / "02-cluster.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (moment, moment))

    def chosen() -> tuple[tuple[str, ...], list[Any]]:
        result = graded(tmp_path)
        left = [each for each in result.findings if each.code == "copies-left"]
        return result.files, [(each.severity, each.where, each.values) for each in left]

    for number, name in enumerate(("b", "c/c", "d")):
        file = f"{name}/02-cluster.ipynb"
        assert chosen() == ((file,), [("note", file, {"count": str(3 - number)})])
        (tmp_path / file).unlink()
    assert chosen() == (("a/02-cluster.ipynb",), [])


# judge_folders.


def test_a_check_is_judged_by_the_evidence_of_all_folders(book: Book, tmp_path: Path) -> None:
    notebooks = book.write(tmp_path / "a")
    journal = keep_journal(tmp_path / "b", sealed("cluster", schema="x"))
    mark, findings = judge_folders("cluster", [notebooks, journal], Requirements())
    assert (mark.id, mark.status, mark.points) == ("cluster", "passed", 15)
    assert [(each.code, each.where) for each in findings] == [("record-schema", "journal.jsonl")]
    with pytest.raises(KeyError):
        judge_folders("netwrk", [notebooks], Requirements())


def test_what_withholds_the_points_of_a_check_comes_first(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").symlink_to("/etc/hostname")
    (tmp_path / "01-network.ipynb").write_text("{")
    kept = keep_journal(tmp_path / "kept", sealed("cluster"))
    mark, findings = judge_folders("cluster", [tmp_path, kept], Requirements(target="aws"))
    assert (mark.status, mark.points) == ("unproven", 0)
    assert [each.code for each in findings] == ["target-other", "file-link"]
    assert syllabus.find_check("cluster").points == mark.possible
