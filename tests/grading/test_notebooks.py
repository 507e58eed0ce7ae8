"""Notebooks: what is read of a file that somebody handed in, and what differs from the course."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handson.grading import notebooks
from handson.grading.archives import Refused
from handson.grading.notebooks import Notebook, compare_cells, read_notebook

from .making import FEW, JSON, TEXTS, read_cells

COURSE = {name: [*cells] for name, cells in notebooks.load_handout().notebooks.items()}


def read(data: bytes) -> Notebook:
    return read_notebook(data, where="s01/01-network.ipynb", modified="2026")


def test_a_notebook_is_known_by_its_file_or_most_of_its_cells_and_others_refused() -> None:
    names = (*COURSE["02-cluster"][:2], COURSE["01-network"][0])
    cells = [{"id": name} for name in names]
    assert read_cells(*cells, where="a/03-image (1).ipynb").name == "03-image"
    assert read_cells(*cells, where="02/Untitled.ipynb").name == "02-cluster"
    with pytest.raises(Refused, match="file-foreign"):
        read_cells({"id": "own"}, where="01-network.ipynb/Untitled.ipynb")
    deep, digits = b'{"cells":' + b"[" * 100_000, b'{"cells":[], "nbformat": ' + b"9" * 9_000 + b"}"
    wrong: dict[str, list[bytes]] = {
        "file-not-json": [b"", b"\x80\x05\x95cos\nsystem\n(S'touch x'\ntR.", bytes(5_000), digits],
        "file-no-cells": [b"null", b"[]", b'{"nbformat": 4}', b'{"cells": {"a": 1}}'],
        "file-deep": [deep, b'{"cells":[{"source":' + b'{"a":' * 50_000],
        "file-format": [b'{"cells": [], "nbformat": 3}', b'{"cells": [], "nbformat": "four"}'],
    }
    for code, files in wrong.items():
        for data in files:
            with pytest.raises(Refused, match=code):
                read(data)


def test_every_encoding_of_json_is_read_also_half_a_character_and_two_lists_of_cells() -> None:
    text = json.dumps({"cells": [{"id": "a", "source": ["問い", "\n1"]}]}, ensure_ascii=False)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        found = read(text.encode(encoding))
        assert (encoding, found.cells[0].text, found.lost) == (encoding, "問い\n1", 0)
    place = (found.name, found.where, found.modified)
    assert place == ("01-network", "s01/01-network.ipynb", "2026")
    found = read(b'{"cells": [{"id": "a\\ud83d", "source": "\\udc41 b"}]}')
    assert (found.cells[0].name, found.cells[0].text, found.lost) == ("a\ufffd", "\ufffd b", 0)
    assert read(b'{"cells": [], "cells": [{"source": "\\"cells\\""}]}').has_twins
    assert not read(b'{"cells": [{"source": "\\"cells\\"", "outputs": []}]}').has_twins


def test_pasted_pictures_are_left_out_of_a_notebook_that_is_too_large_with_them() -> None:
    shot = "iVBORw0KGgo+/=" * 300_000
    pasted = {"id": "a", "attachments": {"a.png": {"image/png": shot}}}
    colab = {"id": "b", "source": ["![](data:image/png;base64,", f"{shot})", "answer"]}
    found = read(json.dumps({"cells": [pasted, colab]}).encode())
    assert found.cells[1].text == "![](data:image/png;base64,)answer"
    long = {"source": "a b" * 2_700_000}
    with pytest.raises(Refused) as refused:
        read(json.dumps({"cells": [pasted, long]}).encode())
    assert (refused.value.code, refused.value.values) == ("file-too-large", {"limit": "8 MB"})


def test_a_notebook_has_at_most_10000_cells_and_outputs_and_400000_values_that_do_not_fit() -> None:
    cell = b'{"outputs": [{}, {}]}'
    assert len(read(b'{"cells": [%s{}]}' % ((cell + b",") * 3_333)).cells) == 3_334
    values = b'{"cells": [%s{"metadata": {"own": [0%s]}}]}'
    assert read(values % (b"7,", b",0" * 399_993)).lost == 1
    assert len(read(values % (b"", b",0" * 500_000)).cells) == 1
    for data in (
        b'{"cells": [%s{}, {}]}' % ((cell + b",") * 3_333),
        values % (b"7,", b",0" * 399_994),
        values % (b'{}], "cells": [', b",0" * 399_992),
    ):
        with pytest.raises(Refused, match="file-overfull"):
            read(data)


def test_sound_cells_of_any_tool_are_kept_beside_broken_ones() -> None:
    picture = {"data": {"image/svg+xml": ["<svg", "/>"], "text/plain": "a"}, "metadata": {}}
    sound, broken = {"id": "c", "outputs": [picture]}, {"id": "a", "source": "b", "outputs": 7}
    found = read(json.dumps({"cells": [7, broken, {"id": 7}, sound]}).encode())
    assert [(cell.name, cell.text) for cell in found.cells] == [("a", "b"), ("c", "")]
    assert (found.lost, found.cells[0].outputs) == (2, [])
    output = found.cells[1].outputs[0]
    assert (output.picture, output.has_picture, output.text) == ("<svg/>", True, "a")
    colab = {"metadata": {"id": "x7", "nbgrader": None}, "outputs": [{"data": None}]}
    graded = {"id": "i", "metadata": {"id": "x", "nbgrader": {"grade_id": "g"}}}
    bare = {"metadata": None, "outputs": [{"data": {}, "metadata": None}]}
    found = read_cells(colab, graded, bare)
    names = [(cell.name, cell.grade_id, found.locate(cell)) for cell in found.cells]
    place = "01-network.ipynb"
    assert names == [("x7", "", f"{place}#x7"), ("i", "g", f"{place}#i"), ("", "", place)]
    outputs = [output for cell in found.cells for output in cell.outputs]
    seen = [(each.record, each.text, each.picture, each.has_picture) for each in outputs]
    assert seen == [(b"", "", "", False)] * 2


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
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_a_name_that_stands_twice_is_always_seen(pairs: list[tuple[str, str]]) -> None:
    keys = [key for key, _ in pairs]
    text = "{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in pairs) + "}"
    _, twice = notebooks.load_json(text.encode())
    assert sorted(twice) == sorted({key for key in keys if keys.count(key) > 1})


WHOLE = {name: read_cells(*({"id": cell} for cell in cells), where=f"{name}.ipynb")
         for name, cells in COURSE.items()}  # fmt: skip


def compared(names: list[str], book: str = "01-network", lost: int = 0) -> list[tuple[Any, ...]]:
    own = read_cells(*({"id": name} for name in names), where=f"{book}.ipynb")
    found = compare_cells([*{**WHOLE, book: replace(own, lost=lost)}.values()])
    return [(each.code, each.severity, each.values) for each in found]


def test_missing_repeated_and_the_fewest_moved_cells_need_an_eye_where_they_count() -> None:
    given, code = COURSE["01-network"], notebooks.load_handout().code
    plain, first = (next(name for name in given if (name in code) == is_code)
                    for is_code in (False, True))  # fmt: skip
    told = {"network-evidence-record": ["warning"] * 3, plain: ["note"] * 3}
    told[first] = ["note", "note", "warning"]
    for name, severities in told.items():
        rest = [other for other in given if other != name]
        moved = [*rest, name] if rest[-1] != given[-2] else [name, *rest]
        found = compared(rest) + compared([*given, name]) + compared(moved)
        values = {"cells": name, "count": "1"}
        codes = ("cells-missing", "cells-twice", "cells-moved")
        assert found == [(*of, values) for of in zip(codes, severities, strict=True)]
    moved = {"abcd": "", "abdc": "d", "dabc": "d", "bcda": "a", "acd": "", "": "", "ba": "b"}
    assert {own: "".join(notebooks.find_moved_cells(own, "abcd")) for own in moved} == moved
    # The longest unbroken run is "56"; "134" and "124" are longer, with gaps.
    assert len(notebooks.find_moved_cells("561324", "123456")) == 3


def test_broken_and_unknown_cells_and_missing_notebooks_are_told() -> None:
    given = COURSE["01-network"]
    assert compared(given) == compared([*given, "own"]) == []
    assert compared(given, lost=2) == [("cells-broken", "warning", {"count": "2"})]
    assert compared(["own"]) == [("cells-unknown", "note", {})]
    assert compared(["own"], "06-troubleshooting") == []
    found = {each.severity: (each.code, each.values["notebooks"]) for each in compare_cells([])}
    scored = "01-network, 02-cluster, 03-image, 05-architecture"
    others = "00-prepare, 04-evidence, 99-cleanup"
    assert found == {"warning": ("notebook-missing", scored), "note": ("notebook-missing", others)}
