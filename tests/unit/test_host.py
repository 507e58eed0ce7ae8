"""What stands in a browser's tab for threads and Graphviz, tried on a computer."""

from __future__ import annotations

import re
from typing import Any

import pytest

from handson.core.host import CallingWorkers
from handson.drawing import graphviz
from handson.drawing.tab_graph import TabGraph

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


def render(source: str, form: str, images: list[dict[str, Any]]) -> str:
    """Draw with this computer's Graphviz."""
    return graphviz.arrange_graph(source, form=form).decode()


def test_workers_of_a_tab_do_the_work_when_it_is_given() -> None:
    done: list[int] = []
    with CallingWorkers(8) as pool:
        first = pool.submit(done.append, 1)
        assert (first.done(), done) == (True, [1])
        assert list(pool.map(str, [2, 3])) == ["2", "3"]
        failed = pool.submit(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        failed.result()


def test_a_graph_of_a_tab_is_written_with_its_boxes_words_and_arrows() -> None:
    graph = TabGraph(SOURCE, render)
    assert [node.attr["label"] for node in graph.nodes()] == [r"web\nserver", "db"]
    assert [box.graph_attr["label"] for box in graph.subgraphs()] == ["VPC", "zone"]
    assert [edge.attr["label"] for edge in graph.edges()] == ["asks"]
    graph.nodes()[1].attr["label"] = 'db "2"'
    graph.layout(prog="dot")
    drawing = graph.draw(format="svg", prog="dot").decode()
    assert {"Shop &quot;1&quot;", "VPC", "zone", "asks", "db &quot;2&quot;"} <= set(
        re.findall(r">([^<>\n]+)</text>", drawing)
    )
    assert re.fullmatch(r"[\d.]+,[\d.]+", graph.nodes()[0].attr["pos"])
