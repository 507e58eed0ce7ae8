"""A submission: from its files to a result, whose it is, and what of it is left aside."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from handson.grading import Learner, Requirements, Result, Roster, judge_folders, read_answers
from handson.grading.export_names import Person
from handson.grading.sources import Submission
from handson.grading.submission import grade_submission
from tests.unit.drawn_by_learners import WRONG, draw

from . import making
from .making import Book, sealed

TWO = Roster((Learner("s01", "山田 花子", "A"), Learner("s02", "山田 花子", "B")))
ONE = Roster((Learner("s03", "Ana"),))
AT = 1_760_000_000  # 2025-10-09T08:53:20Z


@pytest.fixture
def book() -> Book:
    return making.hand_in("s01", seed=1)


def graded(folder: Path, owner: str = "", **of: Any) -> Result:
    asked = Requirements(roster=TWO, **of)
    return grade_submission(Submission(str(folder), person=Person(owner)), asked)


def codes(result: Result) -> list[str]:
    return [finding.code for finding in result.findings]


def read(result: Result) -> tuple[str, str | None]:
    assert result.diagram.check is not None
    return result.diagram.check.status, result.diagram.check.reason


def hand_in(folder: Path, *learners: str) -> Path:
    folder.mkdir(exist_ok=True)
    records = zip(("cluster", "network"), learners, strict=False)
    lines = [json.dumps(sealed(check, learner=name)) for check, name in records]
    (folder / "journal.jsonl").write_text("\n".join(lines))
    return folder


def test_a_whole_submission_has_its_points_and_its_place(book: Book, tmp_path: Path) -> None:
    folder = book.write(tmp_path / "s01")
    for number, path in enumerate(sorted(folder.iterdir())):
        os.utime(path, (AT - number, AT - number))
    result = graded(folder, owner="s01")
    assert result.learner == TWO.learners[0]
    assert (result.source, result.named) == ("s01", ("s01",))
    assert (read_answers(folder), len(result.answers)) == (result.answers, 4)
    assert (result.handed_in, result.handed_in_at) == (True, "2025-10-09T08:53:20+00:00")
    assert result.files == tuple(f"{name}.ipynb" for name in sorted(book.notebooks))
    assert (result.points, result.findings, result.issuers) == (80, (), ())
    assert {answer.status for answer in result.written} == {"answered"}
    assert read(result) == ("passed", None)
    assert (result.diagram.drawn, result.diagram.picture) == (True, "")


def test_two_lists_of_cells_are_told_and_an_optional_notebook_is_not(
    book: Book, tmp_path: Path
) -> None:
    cells = book.notebooks.pop("06-troubleshooting")["cells"]
    book.write(tmp_path)
    assert codes(graded(tmp_path)) == []
    for left in (cells[::-1], cells[:1]):
        (tmp_path / "06-troubleshooting.ipynb").write_text(json.dumps({"cells": left}))
        assert codes(graded(tmp_path)) == []
    path = book.write(tmp_path) / "04-evidence.ipynb"
    path.write_bytes(path.read_bytes().replace(b'{\n "cells"', b'{"cells": [],\n "cells"', 1))
    told = [(each.code, each.where, each.values) for each in graded(tmp_path).findings]
    assert told == [("file-twins", "04-evidence.ipynb", {"names": "cells"})]


def test_what_a_diagram_lacks_is_told_by_fact_and_costs_no_points(
    book: Book, tmp_path: Path
) -> None:
    def observe(check: str, observed: Any) -> None:
        if check == "architecture":
            observed["drawing"] = draw(WRONG["servers"][0]).to_json()

    result = graded(making.hand_in("s01", seed=1, observe=observe).write(tmp_path))
    assert result.diagram.check is not None
    wrong = {fact.id for fact in result.diagram.check.facts if not fact.passed}
    assert (read(result), wrong) == (("failed", None), {*WRONG["servers"][1]})
    assert (result.points, len(result.checks)) == (80, 5)
    elsewhere = graded(book.write(tmp_path), target="aws")
    unproven = ("unproven", "target-other")
    assert (read(elsewhere), codes(elsewhere)) == (unproven, ["target-other"] * 6)
    book.cell("architecture-evidence-record")["outputs"] = []
    result = graded(book.write(tmp_path))
    assert (read(result), codes(result)) == (("missing", None), ["outputs-missing"])
    assert "Diagram" in result.diagram.text


def test_what_holds_nothing_readable_or_meets_a_fault_of_ours_is_told(tmp_path: Path) -> None:
    empty = graded(tmp_path)
    assert (codes(empty), empty.handed_in) == (["nothing-handed-in"], False)
    for name in ("b.ipynb", "a.ipynb"):
        (tmp_path / name).write_text('{"cells": []}')
    result = graded(tmp_path, owner="s99")
    foreign = [("file-foreign", "note", f"{name}.ipynb") for name in "ab"]
    nothing, unknown = ("nothing-readable", "serious", None), ("not-in-roster", "warning", None)
    told = [(each.code, each.severity, each.where) for each in result.findings]
    assert told == [nothing, *foreign, unknown]
    assert result.findings[0].values == {"files": "a.ipynb, b.ipynb"}
    gone = graded(tmp_path / "gone.zip", owner="s01").findings
    assert [(each.code, each.where) for each in gone][1:] == [("file-unreadable", "gone.zip")]
    broken: Any = None
    folder = hand_in(tmp_path / "s01", "s02")
    result = graded(folder, owner="s01", now=broken)
    assert (result.learner.id, result.source, result.points) == ("s01", "s01", 0)
    assert [(each.code, each.severity) for each in result.findings] == [("not-graded", "serious")]
    assert result.findings[0].values["reason"].startswith("TypeError: ")


def test_what_stands_in_a_notebooks_place_is_named_where_one_is_missing(
    book: Book, tmp_path: Path
) -> None:
    book.write(tmp_path / "s01")
    others = ("01-network.html", "a.rar", "work/b.7Z", "report.pdf", "timestamp.txt", "LICENSE")
    for name in others:
        (tmp_path / "s01" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "s01" / name).write_bytes(b"x")
    asked = {"owner": "s01"}
    assert codes(graded(tmp_path / "s01", **asked)) == []
    (tmp_path / "s01" / "01-network.ipynb").unlink()
    told = {each.code: each.values["files"] for each in graded(tmp_path / "s01", **asked).findings
            if each.code.startswith("instead")}  # fmt: skip
    assert told == {"instead-archive": "a.rar, work/b.7Z", "instead-page": "01-network.html"}
    for path in (tmp_path / "s01").glob("*.ipynb"):
        path.unlink()
    result = graded(tmp_path / "s01", **asked)
    assert (result.findings[0].code, result.handed_in) == ("nothing-readable", True)
    told = {each.code: each.values["files"] for each in result.findings[1:]}
    documents = {"instead-document": "LICENSE, report.pdf"}
    assert told == {"instead-archive": "a.rar, work/b.7Z", **documents, "instead-page": others[0]}


def test_2000_lines_of_a_journal_and_64_megabytes_of_all_files_are_read(tmp_path: Path) -> None:
    line = json.dumps(sealed())
    for lines, named in ((2_000, ()), (1_999, ("s01",))):
        (tmp_path / "journal.jsonl").write_text(line + "\n" * lines)
        result = graded(tmp_path)
        assert (result.named, "record-malformed" in codes(result)) == (named, False)
    for number in range(8):
        with (tmp_path / f"00-prepare ({number}).ipynb").open("wb") as giant:
            giant.truncate(8_000_000 if number else 1)
    (refused,) = (each for each in graded(tmp_path).findings if each.code == "files-too-large")
    assert (refused.where, refused.values) == ("journal.jsonl", {"limit": "64 MB"})
    (tmp_path / "00-prepare (0).ipynb").unlink()
    result = graded(tmp_path)
    assert (result.named, result.handed_in_at) == (("s01",), None)


def test_values_and_letters_beyond_what_memory_holds_are_refused_and_outputs_are_not(
    tmp_path: Path,
) -> None:
    record = sealed("network")
    output = {"data": {"plot": [{"x": 0}] * 100_000}, "metadata": {"handson": record}}
    values = json.dumps({"cells": [{"cell_type": "code", "outputs": [output]}]})
    (tmp_path / "01-network.ipynb").write_text(values)
    result = graded(tmp_path)
    assert (result.named, "file-overfull" in codes(result)) == (("s01",), False)
    for name, source in {
        "02-cluster": [""] * 600_001,
        **dict.fromkeys(("03-image", "05-architecture"), "x" * 7_900_000),
    }.items():
        book = json.dumps({"cells": [{"source": source}]})
        (tmp_path / f"{name}.ipynb").write_text(book)
    found = [each for each in graded(tmp_path).findings if each.code == "file-overfull"]
    assert [each.where for each in found] == ["02-cluster.ipynb", "05-architecture.ipynb"]


def test_of_copies_the_worked_in_newest_uppermost_one_counts(book: Book, tmp_path: Path) -> None:
    handed_out = making.packed(making.committed()["02-cluster"])
    answered = making.packed({"cells": [book.cell("why-cluster")]})
    worked_in = book.files()["02-cluster.ipynb"]
    copies = {"a": (handed_out, AT + 9), "b": (worked_in, AT), "c/c": (worked_in, AT)}
    for name, (data, moment) in {**copies, "d": (answered, AT - 9)}.items():
        path = tmp_path / name / "02-cluster.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (moment, moment))
    for count, name in ((3, "b"), (2, "c/c"), (1, "d")):
        result, file = graded(tmp_path), f"{name}/02-cluster.ipynb"
        (left,) = (each for each in result.findings if each.code == "copies-left")
        assert (result.files, left.severity, left.where) == ((file,), "note", file)
        assert left.values == {"count": str(count)}
        (tmp_path / file).unlink()
    assert "copies-left" not in codes(graded(tmp_path))


def test_a_check_is_judged_by_the_evidence_of_all_folders(book: Book, tmp_path: Path) -> None:
    folders = [book.write(tmp_path / "a"), tmp_path]
    (tmp_path / "01-network.ipynb").write_text("{")
    (tmp_path / "journal.jsonl").write_text(json.dumps(sealed(schema="x")))
    mark, findings = judge_folders("cluster", folders, Requirements())
    assert (mark.id, mark.status, mark.points) == ("cluster", "passed", 15)
    assert [(each.code, each.where) for each in findings] == [("record-schema", "journal.jsonl")]
    mark, findings = judge_folders("cluster", folders, Requirements(target="aws"))
    assert mark.status == "unproven"
    assert [each.code for each in findings] == ["target-other", "record-schema"]
    with pytest.raises(KeyError):
        judge_folders("netwrk", folders, Requirements())
