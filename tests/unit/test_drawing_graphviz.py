"""The door to Graphviz, and what a learner sees when it cannot be opened."""

from __future__ import annotations

import re
import sys
from types import SimpleNamespace

import pytest

from handson.core import errors, messages
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.drawing import draw, svg_document
from handson.drawing.graphviz import DotGraph, arrange_graph, draw_graph

GOAL = describe_goal(Exercise())
SOURCE = r"""
digraph shop {
    graph [label="Shop \"1\"" pad=2]
    node [shape=none fixedsize=true width=1.4 height=1.9]
    subgraph cluster_vpc {
        label=VPC
        web [label="web\nserver"]
        subgraph cluster_zone { label=zone db [label=db] }
    }
    web -> db [label=asks dir=both]
}
"""


def test_without_the_library_the_remedy_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)  # importing it raises ImportError
    with pytest.raises(errors.NotReady) as caught:
        arrange_graph("digraph {}", form="svg")
    assert "pygraphviz" in caught.value.problem
    assert "apt-get install -y libglib2.0-0 libxrender1" in caught.value.remedy


def test_what_graphviz_says_does_not_reach_the_notebook_nor_hold_back_what_others_say(
    capfd: pytest.CaptureFixture[str],
) -> None:
    narrow = 'digraph { a [fixedsize=true width=0.1 height=0.1 label="far too long"] }'
    arrange_graph(narrow, form="svg")
    with pytest.raises(errors.InvalidInput):  # which is the learner's to mend
        arrange_graph("digraph { a -> ", form="svg")
    print("still here", file=sys.stderr, flush=True)
    assert capfd.readouterr().err == "still here\n"


def test_a_size_that_is_no_number_is_refused_in_two_lines() -> None:
    with pytest.raises(errors.InvalidInput, match="small"):
        draw_graph("digraph { a -> b [label=asks fontsize=small] }", title="", description="")


def test_a_graph_is_written_with_its_boxes_words_and_arrows() -> None:
    graph = DotGraph(SOURCE)
    assert [node.attr["label"] for node in graph.nodes] == [r"web\nserver", "db"]
    assert [box.attr["label"] for box in graph.boxes] == ["VPC", "zone"]
    assert [edge.attr["label"] for edge in graph.edges] == ["asks"]
    graph.nodes[1].attr["label"] = 'db "2"'
    graph.layout()
    drawing = graph.draw("svg").decode()
    assert {"Shop &quot;1&quot;", "VPC", "zone", "asks", "db &quot;2&quot;"} <= set(
        re.findall(r">([^<>\n]+)</text>", drawing)
    )
    assert re.fullmatch(r"[\d.]+,[\d.]+", graph.nodes[0].attr["pos"])


@pytest.mark.parametrize(("has_font", "language"), [(True, "ja"), (False, "en")])
def test_a_png_is_in_english_where_japanese_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, has_font: bool, language: str
) -> None:
    written: list[str] = []

    def paint(*, svg_string: str, zoom: int) -> bytes:
        written.append(svg_string)
        return svg_string.encode() if has_font else b"the box of a missing letter"

    monkeypatch.setitem(sys.modules, "resvg_py", SimpleNamespace(svg_to_bytes=paint))
    svg_document.has_japanese_font.cache_clear()
    draw(GOAL).png()
    svg_document.has_japanese_font.cache_clear()
    assert f'lang="{language}"' in written[-1]
    assert messages.language() == "ja"
