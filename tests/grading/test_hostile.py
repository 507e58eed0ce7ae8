"""Files made to do harm, or merely damaged: each costs at most itself, and says why."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from handson.course import syllabus
from handson.grading import Result, archives, grade_class, notebooks, submission
from handson.grading.archives import MOST_BYTES, Archive, Refused
from handson.grading.claims import gather_claims
from handson.grading.notebooks import Notebook, read_notebook

from . import making
from .classes import zipped

FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return making.hand_in("s01", seed=1).files()


def graded(folder: Path) -> Result:
    grades = grade_class([folder])
    (result,) = grades.results
    return result


def put(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def codes(result: Result) -> list[str]:
    return [finding.code for finding in result.to_review()]


DAMAGED = {
    "empty": (b"", "file-not-json"),
    "null": (b"null", "file-no-cells"),
    "a list": (b"[]", "file-no-cells"),
    "no cells": (b'{"nbformat": 4}', "file-no-cells"),
    "cells no list": (b'{"cells": {"a": 1}}', "file-no-cells"),
    "a pickle": (b"\x80\x05\x95cos\nsystem\n(S'touch x'\ntR.", "file-not-json"),
    "brackets": (b'{"cells":' + b"[" * 100_000, "file-deep"),
    "brackets within": (b'{"cells":[{"source":' + b'{"a":' * 50_000, "file-deep"),
    "endless digits": (b'{"cells":[], "nbformat": ' + b"9" * 9_000 + b"}", "file-not-json"),
    "another format": (b'{"cells": [], "nbformat": 3}', "file-format"),
    "a format in words": (b'{"cells": [], "nbformat": "four"}', "file-format"),
    "zeros": (b"\0" * 5_000, "file-not-json"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_notebook_costs_itself_and_says_why(
    files: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    data, code = DAMAGED[name]
    result = graded(put(tmp_path / "s01", {**files, "02-cluster.ipynb": data}))
    assert [mark.points for mark in result.checks] == [30, 0, 10, 15, 10]
    assert codes(result) == [code, "notebook-missing"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_notebook_that_was_cut_off_costs_itself(
    files: dict[str, bytes], tmp_path: Path, share: float
) -> None:
    data = files["01-network.ipynb"]
    cut = {**files, "01-network.ipynb": data[: int(len(data) * share)]}
    assert codes(graded(put(tmp_path / "s01", cut))) == ["file-not-json", "notebook-missing"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_other_encodings_are_read(files: dict[str, bytes], tmp_path: Path, encoding: str) -> None:
    other = {name: data.decode().encode(encoding) for name, data in files.items()}
    result = graded(put(tmp_path / "s01", other))
    assert (result.points, result.findings) == (80, ())


def _forget_metadata(cell: dict[str, Any]) -> None:
    cell["metadata"] = None


def _forget_nbgrader(cell: dict[str, Any]) -> None:
    cell["metadata"] = {**cell["metadata"], "nbgrader": None}


def _add_null_output(cell: dict[str, Any]) -> None:
    if cell["cell_type"] == "code":
        null = {"output_type": "display_data", "data": None, "metadata": None}
        cell["outputs"] = [*cell["outputs"], null]


@pytest.mark.parametrize("spoil", [_forget_metadata, _forget_nbgrader, _add_null_output])
def test_nulls_of_other_tools_cost_nothing(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    book = making.hand_in("s01", seed=1)
    for cell in book.cells():
        spoil(cell)
    result = graded(put(tmp_path / "s01", book.files()))
    assert (result.points, result.diagram.drawn) == (80, True)
    assert "cells-broken" not in codes(result)


def test_two_gigabytes_are_not_read(files: dict[str, bytes], tmp_path: Path) -> None:
    folder = put(tmp_path / "s01", files)
    with (folder / "02-cluster.ipynb").open("wb") as file:
        file.truncate(2_000_000_000)
    assert codes(graded(folder)) == ["file-too-large", "notebook-missing"]


def test_half_characters_in_names_and_texts_are_shown_as_such(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    folder = put(tmp_path / "s01\udcff", files)
    (folder / "05-architecture.ipynb").write_bytes(
        files["05-architecture.ipynb"].replace("### 問い 1".encode(), b"\\udc41 ### ")
    )
    result = graded(folder)
    assert (result.learner, result.points) == ("s01�", 80)
    assert result.answers[0].text.startswith("�")


@pytest.mark.parametrize("tail", ["1" * 120, "copy11" * 30, " (1)1" * 30])
def test_a_name_that_could_be_read_in_many_ways_keeps_nobody_waiting(
    files: dict[str, bytes], tmp_path: Path, tail: str
) -> None:
    name = f"01-network{tail}x.ipynb"
    assert graded(put(tmp_path / "s01", {**files, name: b"{"})).points == 80


def archive(files: dict[str, bytes], **changes: Any) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = changes.get("method", zipfile.ZIP_DEFLATED)
            info.external_attr = changes.get("attributes", 0)
            packed.writestr(info, data)
    return target.getvalue()


ZIPS = {
    "no zip": (b"PK", "file-not-a-zip"),
    "cut off": (zipped({"01-network.ipynb": b"{}" * 99})[:-30], "file-not-a-zip"),
    "a bomb": (zipped({"01-network.ipynb": b" " * 7_000_000}), "file-bomb"),
    "too large": (zipped({"01-network.ipynb": bytes(9_000_000)}), "file-too-large"),
    "up": (archive({"../01-network.ipynb": b"{}"}), "file-outside"),
    "absolute": (archive({"/etc/01-network.ipynb": b"{}"}), "file-outside"),
    "a drive": (archive({"C:\\01-network.ipynb": b"{}"}), "file-outside"),
    "backslashes": (archive({"..\\..\\01-network.ipynb": b"{}"}), "file-outside"),
    "a link": (archive({"01-network.ipynb": b"/etc"}, attributes=0o120777 << 16), "file-link"),
    "lzma": (archive({"01-network.ipynb": b"{}"}, method=zipfile.ZIP_LZMA), "file-compression"),
    "a zip too deep": (zipped({"a.zip": zipped({"b.zip": zipped({"c.zip": b""})})}), "file-nested"),
    "folders too deep": (zipped({f"{'a/' * 30}01-network.ipynb": b"{}"}), "file-too-deep"),
}  # fmt: skip


@pytest.mark.parametrize("name", ZIPS)
def test_a_hostile_zip_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    data, code = ZIPS[name]
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "s01.zip").write_bytes(data)
    result = graded(tmp_path / "class")
    assert code in codes(result)
    assert [path.name for path in tmp_path.rglob("*")] == ["class", "s01.zip"]


def test_a_locked_zip_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    data = bytearray(zipped({"01-network.ipynb": files["01-network.ipynb"]}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    (tmp_path / "s01.zip").write_bytes(data)
    assert codes(graded(tmp_path / "s01.zip")) == ["nothing-readable", "file-locked"]


def test_a_size_that_a_zip_lies_about_is_not_believed(tmp_path: Path) -> None:
    data = bytearray(zipped({"01-network.ipynb": b" " * 900_000}))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(mark) + place
        data[start : start + 4] = (10).to_bytes(4, "little")
    (tmp_path / "s01.zip").write_bytes(data)
    assert "nothing-readable" in codes(graded(tmp_path / "s01.zip"))


def test_a_crowded_zip_is_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_DIRECTORY", 1_000)
    with pytest.raises(Refused, match="file-crowded"):
        Archive(io.BytesIO(zipped({f"{number}": b"" for number in range(100)})))


def test_more_files_than_anyone_needs_are_not_read(tmp_path: Path) -> None:
    put(tmp_path / "s01", {f"01-network ({number}).ipynb": b"x" for number in range(450)})
    assert "file-too-many" in codes(graded(tmp_path / "s01"))


def test_records_without_end_are_cut_short() -> None:
    lines = [("journal.jsonl", json.dumps(record).encode()) for record in _many(400)]
    found = gather_claims([], lines)
    assert (len(found.items), [f.code for f in found.findings]) == (300, ["records-many"])


def _many(count: int) -> list[dict[str, Any]]:
    record = making.hand_in("s01", seed=1).records[1]
    return [making.resealed(record, learner=str(number)) for number in range(count)]


@pytest.mark.parametrize(
    "code", ["__import__('os').system('touch ran')", "%touch ran", "!touch ran"]
)
def test_code_in_a_notebook_is_read_and_never_run(
    files: dict[str, bytes], tmp_path: Path, code: str
) -> None:
    notebook = json.loads(files["05-architecture.ipynb"])
    for cell in notebook["cells"]:
        cell["source"] = code if cell["cell_type"] == "code" else cell["source"]
    data = json.dumps(notebook).encode()
    result = graded(put(tmp_path / "s01", {**files, "05-architecture.ipynb": data}))
    assert result.diagram.text == code
    assert not Path("ran").exists()


@pytest.mark.parametrize("odd", ["\\ud800", "x" * 3_000, "\\u0000"])
def test_odd_text_in_a_record_costs_its_check_at_most(
    files: dict[str, bytes], tmp_path: Path, odd: str
) -> None:
    data = files["02-cluster.ipynb"].replace(b"ecs-handson-cluster", odd.encode())
    result = graded(put(tmp_path / "s01", {**files, "02-cluster.ipynb": data}))
    assert [mark.points for mark in result.checks] == [30, 0, 10, 15, 10]
    assert "digest-broken" in codes(result)
    assert "not-graded" not in codes(result)


def test_a_submission_is_read_up_to_a_size(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sum(len(files[f"{name}.ipynb"]) for name in syllabus.NOTEBOOKS[:2])
    monkeypatch.setattr(submission, "MOST_TOGETHER", MOST_BYTES + first)
    result = graded(put(tmp_path / "s01", files))
    assert [mark.points for mark in result.checks] == [30, 15, 0, 0, 0]
    assert "files-too-large" in codes(result)


# Properties.


def attempted(work: Callable[[bytes], object], data: bytes) -> object:
    """Return what a reader makes of bytes, or its refusal; whatever else it raises is a fault."""
    try:
        return work(data)
    except Refused as refusal:
        return refusal


def read(data: bytes) -> Notebook:
    return read_notebook(data, where="01-network.ipynb")


def read_all(data: bytes) -> bytes:
    tree = Archive(io.BytesIO(data))
    files = (e for e in tree.list_entries("") if not e.is_folder and e.refusal is None)
    return b"".join(archives.read_entry(tree, entry, limit=100) for entry in files)


@FEW
@given(JSON)
def test_whatever_json_a_file_holds_it_is_a_notebook_or_refused(value: Any) -> None:
    for wrapped in (value, {"cells": value}, {"cells": [value, {"source": value}]}):
        notebook = attempted(read, json.dumps(wrapped).encode())
        cells = notebook.cells if isinstance(notebook, Notebook) else ()
        assert all(isinstance(cell.text, str) for cell in cells)


@FEW
@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf{}")
def test_whatever_bytes_a_file_holds_it_is_a_notebook_or_refused(data: bytes) -> None:
    assert isinstance(attempted(read, data), Notebook | Refused)


@FEW
@given(st.binary(max_size=200))
def test_whatever_bytes_a_zip_holds_it_is_a_tree_or_refused(data: bytes) -> None:
    good = zipped({"01-network.ipynb": b"{}"})
    for mixed in (data, good[:40] + data + good[40:], good + data):
        assert isinstance(attempted(read_all, mixed), bytes | Refused)


@FEW
@given(field=st.sampled_from(["check", "learner", "target", "observed_at", "digest", "requests",
                              "observed", "previous", "schema"]), value=JSON)  # fmt: skip
def test_whatever_a_record_says_it_is_a_claim_or_a_finding(field: str, value: Any) -> None:
    record = {**making.hand_in("s01", seed=1).records[1], field: value}
    found = gather_claims([], [("journal.jsonl", json.dumps(record).encode())])
    assert len(found.items) + len(found.findings) == 1
    assert all(claim.check in syllabus.CHECK_IDS for claim in found.items)


@FEW
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_a_name_that_stands_twice_is_always_seen(pairs: list[tuple[str, str]]) -> None:
    keys = [key for key, _ in pairs]
    text = "{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in pairs) + "}"
    twice = notebooks.find_repeated_names(text.encode())
    assert sorted(twice) == sorted({key for key in keys if keys.count(key) > 1})
