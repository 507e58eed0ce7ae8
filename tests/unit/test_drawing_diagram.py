"""The learner's own diagram: drawn in the process, shown below the cell, nothing left behind."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import diagrams
import pytest
from diagrams import Cluster, Edge
from diagrams.aws.compute import ECR, Fargate
from diagrams.aws.network import VPC
from diagrams.onprem.container import Docker
from IPython.core.events import EventManager, available_events
from msgspec.structs import replace

from handson.core import errors, messages
from handson.course import checks
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.drawing import Diagram, describe_last_diagram, draw
from handson.drawing.svg_document import Picture
from handson.notebook import prepare_shell
from tests.notebooks.book import read_book

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that whatever is left behind is seen."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def finished(diagram: Diagram) -> Picture:
    assert diagram.picture is not None
    return diagram.picture


def example() -> Picture:
    with Diagram("ECS の構成") as diagram:
        image = Docker("自分の\nイメージ")
        with Cluster("AWS <クラウド> & more"):
            registry = ECR("rails-app")
            with Cluster("<VPC>"):
                cluster = Fargate("ecs-handson-cluster")
        image >> Edge(label="docker push") >> registry >> cluster
    return finished(diagram)


def words(picture: Picture) -> list[str]:
    root = ElementTree.fromstring(picture.svg)
    return [each.text or "" for each in root.iter(f"{SVG}text")]


LABELS = "ECS の構成, 自分の, イメージ, AWS <クラウド> & more, rails-app, docker push"


def test_every_label_is_on_the_picture_and_nothing_in_the_folder(empty_folder: Path) -> None:
    drawn = example()
    assert set(LABELS.split(", ")) <= set(words(drawn))
    assert "自分の イメージ → rails-app" in drawn.description
    assert drawn.svg == example().svg
    assert drawn.png().startswith(b"\x89PNG")
    assert list(empty_folder.iterdir()) == []


def test_a_label_that_does_not_fit_gets_the_room_for_its_second_line() -> None:
    drawn = []
    for label in ("パブリックサブネット 2", "パブリックサブネットとデータベース"):
        with Diagram("x") as diagram, Cluster("AZ"):
            VPC(label)
        drawn.append(finished(diagram))
    near, long = drawn
    assert ("パブリックサブネット 2" in words(near), len(words(long))) == (True, 4)
    high = [float(ElementTree.fromstring(it.svg).attrib["viewBox"].split()[3]) for it in drawn]
    assert high[1] > high[0] + 16


def test_a_block_that_raises_draws_nothing_and_leaves_no_diagram_open(empty_folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), Diagram("x", "mine") as diagram, Cluster("c"):
        VPC(str(1 / 0))
    assert (diagram.picture, list(empty_folder.iterdir())) == (None, [])
    assert (diagrams.getdiagram(), diagrams.getcluster()) == (None, None)


def test_a_picture_within_a_learners_block_does_not_disturb_it() -> None:
    with Diagram("x") as diagram, Cluster("around"):
        draw(describe_goal(Exercise()))
        VPC("inside")
    assert "inside" in words(finished(diagram))


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
        parts = finished(diagram).description.split(" / ")
        told[arrow] = tuple(sorted(part for part in parts if len(part) > 1))
    assert told == ARROWS


def test_a_notebook_shows_it_when_the_block_ends_if_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[Picture | None] = []
    shell = SimpleNamespace(kernel="a kernel", display=shown.append)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", shell)
    for wanted in (False, True):
        with Diagram("x", show=wanted) as diagram:
            VPC("vpc")
    assert shown == [diagram.picture]
    assert set(diagram._repr_mimebundle_()) == {"text/html", "text/plain"}
    assert diagram._repr_png_() is None  # which would call a program


def test_a_named_file_is_written_but_for_another_format_or_broken_markup(
    empty_folder: Path,
) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        Diagram("x", outformat="pdf")
    assert "svg" in caught.value.problem
    with pytest.raises(errors.InvalidInput), Diagram("x", "mine"):
        VPC("<b>bold</b>")
    assert list(empty_folder.iterdir()) == []
    with Diagram("x", "mine", outformat=["svg", "png"]):
        VPC("vpc")
    assert sorted(path.name for path in empty_folder.iterdir()) == ["mine.png", "mine.svg"]


@pytest.mark.parametrize("name", ['<script>"&', "a\\b", "", "&lt;", "a <b> c"])
def test_any_words_give_a_document_that_parses(name: str) -> None:
    with Diagram(name) as diagram, Cluster(name):
        VPC(name) >> Edge(label=name) >> VPC(name)
    ElementTree.fromstring(finished(diagram).svg)


def test_the_arguments_of_diagrams_are_taken() -> None:
    looks: Any = {"direction": "BT", "curvestyle": "curved", "graph_attr": {"bgcolor": "#ffeeaa"}}
    with Diagram("x", **looks) as diagram:
        VPC("a") >> Edge(label="says") >> VPC("b")
    assert {"x", "a", "b", "says"} == set(words(finished(diagram)))
    assert 'fill="#ffeeaa"' in finished(diagram).svg


def test_words_stand_inside_the_page_which_is_neither_blown_up_nor_white() -> None:
    root = ElementTree.fromstring(example().svg)
    assert root.get("width") == root.get("viewBox", "").split()[2]
    assert [each for each in root.iter(f"{SVG}polygon") if each.get("fill") == "white"] == []
    [card] = root.iter(f"{SVG}rect")
    wide, high = float(card.get("width", "0")), float(card.get("height", "0"))
    for each in root.iter(f"{SVG}text"):
        assert 0 < float(each.get("x", "0")) < wide
        assert 0 < float(each.get("y", "0")) < high


FROM_THE_INTERNET = """
from diagrams import Diagram
with Diagram({arguments}):
    a, b = VPC("a"), VPC("b")
    a >> b
"""
ARGUMENTS = {
    '"Web Service", show=False': [],
    '"Grouped Workers", "", "TB", "curved", "jpg", show=False': [],
    '"Mine", show=False, filename="mine"': ["mine.png"],
    '"Mine", filename="mine", outformat=["svg", "png"], direction="TB"': ["mine.png", "mine.svg"],
}


class Shell:
    """A kernel that runs cells and keeps what they show."""

    custom_exceptions = (KeyError,)

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(diagrams, "Diagram", diagrams.Diagram)  # the package's own afterwards
        self.shown: list[Picture] = []
        self.kernel, self.display = "a kernel", self.shown.append
        self.events = EventManager(self, available_events)
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: self))
        monkeypatch.setitem(sys.modules, "IPython.display", self)

    def run(self, cell: str) -> None:
        self.events.trigger("pre_run_cell", SimpleNamespace(raw_cell=cell))
        exec(cell, {"VPC": VPC})


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_examples_of_the_package_are_shown_read_and_leave_only_files_they_name(
    arguments: str, empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(monkeypatch)
    prepare_shell(shell)
    shell.run(FROM_THE_INTERNET.format(arguments=arguments))
    assert [picture.description[-5:] for picture in shell.shown] == ["a → b"]
    drawn = describe_last_diagram()
    assert drawn is not None
    assert [icon.label for icon in drawn.icons] == ["a", "b"]
    assert sorted(path.name for path in empty_folder.iterdir()) == ARGUMENTS[arguments]


def test_the_package_stays_as_it_is_until_a_cell_of_a_notebook_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shell, own = Shell(monkeypatch), diagrams.Diagram
    prepare_shell(None)
    prepare_shell(shell)
    prepare_shell(shell)
    shell.run("1 + 1")
    assert diagrams.Diagram is own
    shell.run("import diagrams")
    assert issubclass(diagrams.Diagram, Diagram)
    assert len(shell.events.callbacks["pre_run_cell"]) == 1


PASSED_AT_ONCE = ["drawing.computer", "drawing.private", "drawing.servers"]
STARTERS = {
    "ja": {"EC サイト(Rails)", "自分のコンピューター", "ブラウザー", "コンテナ"},
    "en": {"The shop (Rails)", "Your computer", "Browser", "Container"},
}


@pytest.mark.parametrize("language", STARTERS)
def test_the_exercise_starts_in_the_language_of_its_edition_and_without_servers(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages.use(language)
    shell = Shell(monkeypatch)
    cells = read_book("05-architecture", edition=language).cells("code")
    [starter] = [cell.source for cell in cells if cell.id == "architecture-diagram"]
    shell.run(starter)
    assert set(words(shell.shown[0])) == STARTERS[language] | {"Docker Engine", "rails-app:latest"}
    drawn = describe_last_diagram()
    assert drawn is not None
    assert {icon.kind for icon in drawn.icons} == {
        "onprem/client/client",
        "onprem/container/docker",
        "aws/compute/ec2-container-registry-image",
    }
    seen = replace(describe_goal(Exercise()), drawing=drawn)
    facts = checks.run_check("architecture", seen).facts
    assert [fact.id for fact in facts if fact.passed] == PASSED_AT_ONCE
