"""The learner's own diagram: drawn in the process, shown below the cell, nothing left behind."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

import diagrams
import pytest
from diagrams import Cluster, Edge
from diagrams.aws.compute import ECR, Fargate
from diagrams.aws.network import VPC
from diagrams.onprem.container import Docker

from handson.core import errors
from handson.drawing import Diagram
from handson.drawing.svg_document import Picture

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that whatever is left behind is seen."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def example(name: str = "ECS の構成", label: str = "docker push") -> Picture:
    with Diagram(name) as diagram:
        image = Docker("自分の\nイメージ")
        with Cluster("AWS <クラウド> & more"):
            registry = ECR("rails-app")
            with Cluster("<VPC>"):
                cluster = Fargate("ecs-handson-cluster")
        image >> Edge(label=label) >> registry >> cluster
    assert diagram.picture is not None
    return diagram.picture


def words(picture: Picture) -> list[str]:
    root = ElementTree.fromstring(picture.svg)
    return [each.text or "" for each in root.iter(f"{SVG}text")]


def test_every_label_is_on_the_picture() -> None:
    expected = {
        "ECS の構成",
        "自分の",
        "イメージ",
        "AWS <クラウド> & more",
        "rails-app",
        "ecs-handson-cluster",
        "docker push",
    }
    assert expected <= set(words(example()))


def one(label: str) -> Picture:
    with Diagram("x") as diagram, Cluster("AZ"):
        VPC(label)
    assert diagram.picture is not None
    return diagram.picture


def high(picture: Picture) -> float:
    return float(ElementTree.fromstring(picture.svg).attrib["viewBox"].split()[3])


def test_a_label_that_nearly_fits_is_kept_on_one_line() -> None:
    assert "パブリックサブネット 2" in words(one("パブリックサブネット 2"))


def test_a_label_that_is_broken_gets_the_room_for_its_second_line() -> None:
    long = one("パブリックサブネットとデータベース")
    assert (len(words(long)), high(long) > high(one("VPC")) + 16) == (4, True)


def test_the_same_diagram_gives_the_same_bytes() -> None:
    assert example().svg == example().svg


def test_nothing_is_left_in_the_folder(empty_folder: Path) -> None:
    example()
    assert list(empty_folder.iterdir()) == []


def test_a_file_is_written_where_one_is_named(empty_folder: Path) -> None:
    with Diagram("x", "mine", outformat=["svg", "png"]):
        VPC("vpc")
    assert sorted(path.name for path in empty_folder.iterdir()) == ["mine.png", "mine.svg"]


def test_a_block_that_raises_draws_nothing(empty_folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), Diagram("x", "mine") as diagram:
        VPC(str(1 / 0))
    assert diagram.picture is None
    assert list(empty_folder.iterdir()) == []


def test_a_block_that_raises_leaves_no_diagram_open() -> None:
    with pytest.raises(ZeroDivisionError), Diagram("x"), Cluster("c"):
        VPC(str(1 / 0))
    assert diagrams.getdiagram() is None
    assert diagrams.getcluster() is None


def test_a_picture_within_a_learners_block_does_not_disturb_it() -> None:
    from handson.course.exercise import Exercise
    from handson.course.goal import describe_goal
    from handson.drawing import draw

    with Diagram("x") as diagram, Cluster("around"):
        draw(describe_goal(Exercise()))
        VPC("inside")
    assert diagram.picture is not None
    assert "inside" in words(diagram.picture)


def test_it_is_one_of_the_diagrams_package() -> None:
    assert issubclass(Diagram, diagrams.Diagram)


def test_the_description_says_what_leads_where() -> None:
    assert "自分の イメージ → rails-app" in example().description


ARROWS: dict[str, tuple[str, ...]] = {
    "a >> b": ("a → b",),
    "a << b": ("b → a",),
    "a - b": ("a — b",),
    "a >> Edge() << b": ("a ↔ b",),
    "[a, b] >> c": ("a → c", "b → c"),
    "[a, b] << c": ("c → a", "c → b"),
    "[a, b] - c": ("a — c", "b — c"),
    "a >> [b, c]": ("a → b", "a → c"),
    "a << [b, c]": ("b → a", "c → a"),
    "a - [b, c]": ("a — b", "a — c"),
    "a >> b << c": ("a → b", "c → b"),
}


def test_the_picture_in_words_says_which_way_an_arrow_leads() -> None:
    told = {}
    for arrow in ARROWS:
        with Diagram("x", show=False) as diagram:
            eval(arrow, {**{name: VPC(name) for name in "abc"}, "Edge": Edge})
        assert diagram.picture is not None
        parts = diagram.picture.description.split(" / ")
        told[arrow] = tuple(sorted(part for part in parts if len(part) > 1))
    assert told == ARROWS


@pytest.mark.parametrize("wanted", [True, False])
def test_a_notebook_shows_it_when_the_block_ends_if_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    shown: list[Picture | None] = []
    notebook = SimpleNamespace(display=shown.append)
    ipython = SimpleNamespace(get_ipython=lambda: "a kernel", display=notebook)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    with Diagram("x", show=wanted) as diagram:
        VPC("vpc")
    assert shown == [diagram.picture] * wanted


def test_a_notebook_shows_the_object_without_calling_a_program() -> None:
    with Diagram("x") as diagram:
        VPC("vpc")
    assert set(diagram._repr_mimebundle_()) == {"text/html", "text/plain"}
    assert diagram._repr_png_() is None


def test_another_format_is_refused_before_anything_is_drawn() -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        Diagram("x", outformat="pdf")
    assert "svg" in caught.value.problem


@pytest.mark.parametrize("name", ['<script>"&', "a\\b", "", "&lt;", "a <b> c"])
def test_any_words_give_a_document_that_parses(name: str) -> None:
    with Diagram(name) as diagram:
        with Cluster(name):
            first = VPC(name)
        first >> Edge(label=name) >> VPC(name)
    assert diagram.picture is not None
    ElementTree.fromstring(diagram.picture.svg)


def test_words_that_graphviz_takes_for_broken_markup_are_refused(empty_folder: Path) -> None:
    with pytest.raises(errors.InvalidInput), Diagram("x", "mine"):
        VPC("<b>bold</b>")
    assert list(empty_folder.iterdir()) == []


@pytest.mark.parametrize(("direction", "curvestyle"), [("LR", "ortho"), ("BT", "curved")])
def test_the_arguments_of_diagrams_are_taken(direction: str, curvestyle: str) -> None:
    with Diagram("x", direction=direction, curvestyle=curvestyle) as diagram:
        VPC("a") >> Edge(label="says") >> VPC("b")
    assert diagram.picture is not None
    assert {"x", "a", "b", "says"} == set(words(diagram.picture))


def test_words_stand_inside_the_page_which_is_neither_blown_up_nor_white() -> None:
    root = ElementTree.fromstring(example().svg)
    assert root.get("width") == root.get("viewBox", "").split()[2]
    assert [each for each in root.iter(f"{SVG}polygon") if each.get("fill") == "white"] == []
    [card] = root.iter(f"{SVG}rect")
    wide, high = float(card.get("width", "0")), float(card.get("height", "0"))
    for each in root.iter(f"{SVG}text"):
        assert 0 < float(each.get("x", "0")) < wide
        assert 0 < float(each.get("y", "0")) < high


def test_a_background_that_was_asked_for_is_kept() -> None:
    with Diagram("x", graph_attr={"bgcolor": "#ffeeaa"}) as diagram:
        VPC("a")
    assert diagram.picture is not None
    assert 'fill="#ffeeaa"' in diagram.picture.svg


def test_a_diagram_can_be_had_as_png() -> None:
    assert example().png().startswith(b"\x89PNG")
