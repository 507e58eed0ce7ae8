"""Notebooks: what is read of a file that somebody handed in, and what differs from the course."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handson.course import syllabus
from handson.grading import notebooks
from handson.grading.archives import Refused
from handson.grading.notebooks import (
    Notebook,
    compare_cells,
    find_moved_cells,
    find_repeated_names,
    read_notebook,
)

from . import making
from .making import FEW, JSON, TEXTS, read_cells


def read(data: bytes, where: str = "s01/01-network.ipynb") -> Notebook:
    return read_notebook(data, where=where, modified="2026")


# read_notebook.


def test_what_is_no_notebook_of_the_course_is_refused_with_its_reason() -> None:
    wrong: dict[str, tuple[bytes, str]] = {
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
        "zeros": (bytes(5_000), "file-not-json"),
        "cut off": (making.packed(making.committed()["01-network"])[:-3], "file-not-json"),
    }
    codes = {}
    for name, (data, _) in wrong.items():
        with pytest.raises(Refused) as refused:
            read(data)
        codes[name] = refused.value.code
    assert codes == {name: code for name, (_, code) in wrong.items()}


def test_a_notebook_is_known_by_its_file_or_else_by_most_of_its_cells() -> None:
    cells = [{"id": "network-why"}, {"id": "cluster-why"}, {"id": "why-network"}]
    given = notebooks.load_cells().notebooks
    two, one = [{"id": name} for name in given["02-cluster"][:2]], {"id": given["01-network"][0]}
    assert read_cells(*cells, where="a/03-image (1).ipynb").name == "03-image"
    assert read_cells(*two, one, where="02/Untitled.ipynb").name == "02-cluster"
    with pytest.raises(Refused, match="file-foreign"):
        read_cells({"id": "own"}, where="01-network.ipynb/Untitled.ipynb")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_encoding_of_json_is_read(encoding: str) -> None:
    data = json.dumps({"cells": [{"id": "a", "source": ["問い", "\n1"]}]}, ensure_ascii=False)
    found = read(data.encode(encoding))
    assert (found.cells[0].text, found.lost) == ("問い\n1", 0)
    assert (found.name, found.where, found.modified) == (
        "01-network",
        "s01/01-network.ipynb",
        "2026",
    )


def test_sound_cells_are_kept_beside_broken_ones() -> None:
    picture = {"data": {"image/svg+xml": ["<svg", "/>"], "text/plain": "a"}, "metadata": {}}
    cells = [
        7,
        {"id": "a", "source": "b", "outputs": 7},
        {"id": 7},
        {"id": "c", "outputs": [picture]},
    ]
    found = read(json.dumps({"cells": cells}).encode())
    assert [(cell.name, cell.text) for cell in found.cells] == [("a", "b"), ("c", "")]
    assert (found.lost, found.cells[0].outputs) == (2, [])
    output = found.cells[1].outputs[0]
    assert (output.picture, output.has_picture, output.text) == ("<svg/>", True, "a")


def test_nulls_and_names_of_other_tools_are_taken() -> None:
    null = {"data": None, "metadata": None}
    colab = {"metadata": {"id": "x7", "nbgrader": None}, "outputs": [null]}
    graded = {"id": "i", "metadata": {"id": "x", "nbgrader": {"grade_id": "g"}}, "source": None}
    found = read_cells(
        colab, {**graded, "source": "s"}, {"metadata": None, "outputs": [{"data": {}}]}
    )
    assert [(cell.name, cell.grade_id) for cell in found.cells] == [
        ("x7", ""),
        ("i", "g"),
        ("", ""),
    ]
    empty = [output for cell in found.cells for output in cell.outputs]
    assert [(each.record, each.text, each.picture, each.has_picture) for each in empty] == [
        (b"", "", "", False)
    ] * 2
    assert [found.locate(cell) for cell in found.cells] == [
        *("01-network.ipynb#x7", "01-network.ipynb#i", "01-network.ipynb")
    ]


def test_half_a_character_is_shown_as_such() -> None:
    found = read(b'{"cells": [{"id": "a\\ud83d", "source": "\\udc41 b"}]}')
    assert (found.cells[0].name, found.cells[0].text, found.lost) == ("a\ufffd", "\ufffd b", 0)


def test_two_lists_of_cells_are_told() -> None:
    assert read(b'{"cells": [], "cells": [{"source": "\\"cells\\""}]}').repeated == ("cells",)
    assert read(b'{"cells": [{"source": "\\"cells\\"", "outputs": []}]}').repeated == ()


@FEW
@given(JSON)
def test_whatever_json_a_file_holds_it_is_a_notebook_or_refused(value: Any) -> None:
    for wrapped in (value, {"cells": value}, {"cells": [value, {"source": value}]}):
        try:
            notebook = read(json.dumps(wrapped).encode())
        except Refused:
            continue
        assert all(isinstance(cell.text, str) for cell in notebook.cells)


@FEW
@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf{}")
def test_whatever_bytes_a_file_holds_it_is_a_notebook_or_refused(data: bytes) -> None:
    try:
        seen = read(data).name
    except Refused as refused:
        seen = refused.code
    assert seen == "01-network" or seen.startswith("file-")


# find_repeated_names.


@FEW
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_a_name_that_stands_twice_is_always_seen(pairs: list[tuple[str, str]]) -> None:
    keys = [key for key, _ in pairs]
    text = "{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in pairs) + "}"
    twice = find_repeated_names(text.encode())
    assert sorted(twice) == sorted({key for key in keys if keys.count(key) > 1})


# compare_cells.

COURSE = notebooks.load_cells().notebooks


def compared(names: list[str], book: str = "01-network", **of: Any) -> list[tuple[Any, ...]]:
    """Return what is told of one notebook with cells of these names, beside all the others."""
    whole = [read_cells(*({"id": i} for i in ids), where=f"{n}.ipynb") for n, ids in COURSE.items()]
    cells = (*(whole[0].cells[0].__class__(id=name) for name in names),)
    others = [each for each in whole if each.name != book]
    own = Notebook(book, f"{book}.ipynb", "", cells, **of)
    found = [(each.code, each.severity, each.values) for each in compare_cells([*others, own])]
    return found


def test_missing_notebooks_are_told_and_only_scored_ones_need_an_eye() -> None:
    found = [(each.code, each.severity, each.values) for each in compare_cells([])]
    scored = "01-network, 02-cluster, 03-image, 05-architecture"
    assert found == [
        ("notebook-missing", "warning", {"notebooks": scored}),
        ("notebook-missing", "note", {"notebooks": "00-prepare, 04-evidence, 99-cleanup"}),
    ]


def test_cells_that_are_missing_repeated_or_moved_need_an_eye_only_where_they_count() -> None:
    given = [*COURSE["01-network"]]
    evidence = given.index("network-evidence-record")
    plain = next(name for name in given if name not in notebooks.load_cells().code)
    code = next(name for name in notebooks.load_cells().code if name in given)
    assert compared(given) == compared([*given, "own"]) == []
    gone = [name for name in given if name != "network-evidence-record"]
    one = {"cells": "network-evidence-record", "count": "1"}
    assert compared(gone) == [("cells-missing", "warning", one)]
    assert compared([*given, given[evidence]]) == [("cells-twice", "warning", one)]
    assert compared([given[evidence], *gone]) == [("cells-moved", "warning", one)]
    told = {"cells": plain, "count": "1"}
    rest = [name for name in given if name != plain]
    assert compared(rest) == [("cells-missing", "note", told)]
    assert compared([plain, *given]) == [("cells-twice", "note", told)]
    assert compared([*rest, plain]) == [("cells-moved", "note", told)]
    moved = [*(name for name in given if name != code), code]
    assert compared(moved) == [("cells-moved", "warning", {"cells": code, "count": "1"})]


def test_broken_and_unknown_cells_are_told() -> None:
    assert compared([*COURSE["01-network"]], lost=2) == [
        ("cells-broken", "warning", {"count": "2"})
    ]
    assert compared(["own"]) == [("cells-unknown", "note", {})]
    assert compared(["own"], "06-troubleshooting") == []


# find_moved_cells.


def test_the_fewest_cells_count_as_moved() -> None:
    moved = {"abcd": "", "abdc": "d", "dabc": "d", "bcda": "a", "acd": "", "": "", "ba": "b"}
    assert {own: "".join(find_moved_cells(own, "abcd")) for own in moved} == moved
    # The longest unbroken run is "56"; "134" and "124" are longer, with gaps.
    assert len(find_moved_cells("561324", "123456")) == 3


# load_cells, load_editions.


def test_the_course_covers_the_syllabus() -> None:
    cells = notebooks.load_cells()
    questions = {answer.grade_id for answer in (*syllabus.QUESTIONS, syllabus.DIAGRAM)}
    assert sorted(set(cells.evidence.values())) == sorted(syllabus.EVIDENCE_IDS)
    assert tuple(cells.notebooks) == syllabus.ALL_NOTEBOOKS
    assert [set(edition.answers) for edition in notebooks.load_editions()] == [questions, questions]
