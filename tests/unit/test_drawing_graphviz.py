"""The door to Graphviz: which way is taken, and what a learner sees when there is none."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from handson.core import errors, messages
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.drawing import Diagram, draw, graphviz, svg_document
from handson.drawing import diagram as diagram_module
from handson.drawing.graphviz import Libraries, Program, choose_renderer, find_renderer

GOAL = describe_goal(Exercise())


def no_library() -> None:
    raise ImportError("libXrender.so.1: cannot open shared object file")


def test_the_libraries_come_first() -> None:
    chosen = choose_renderer(load=SimpleNamespace, which=lambda name: f"/usr/bin/{name}")
    assert isinstance(chosen, Libraries)


def test_the_program_serves_where_the_libraries_do_not_load() -> None:
    chosen = choose_renderer(load=no_library, which=lambda name: f"/usr/bin/{name}")
    assert isinstance(chosen, Program)
    assert chosen.path == "/usr/bin/dot"


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_with_neither_the_remedy_says_what_to_install(language: str) -> None:
    messages.use(language)
    with pytest.raises(errors.NotReady) as caught:
        choose_renderer(load=no_library, which=lambda name: None)
    assert "libXrender.so.1" in caught.value.problem
    assert "apt-get install -y libglib2.0-0 libxrender1" in caught.value.remedy


def test_a_graph_that_graphviz_refuses_is_the_learners_to_mend() -> None:
    with pytest.raises(errors.InvalidInput):
        find_renderer()("digraph { a -> ", form="svg")


def test_what_graphviz_says_does_not_reach_the_notebook(
    capfd: pytest.CaptureFixture[str],
) -> None:
    narrow = 'digraph { a [fixedsize=true width=0.1 height=0.1 label="far too long"] }'
    find_renderer()(narrow, form="svg")
    sys.stderr.flush()
    assert capfd.readouterr().err == ""


def test_the_standard_error_is_whole_again_after_a_refusal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(errors.InvalidInput):
        find_renderer()("digraph { a -> ", form="svg")
    print("still here", file=sys.stderr, flush=True)
    assert capfd.readouterr().err == "still here\n"


def test_the_program_is_given_the_graph_and_answers_the_drawing(tmp_path: Path) -> None:
    dot = tmp_path / "dot"
    dot.write_text('#!/bin/sh\necho "$@"\ncat\n')
    dot.chmod(0o755)
    assert Program(str(dot))("graph", form="svg") == b"-Tsvg\ngraph"


def test_what_the_program_says_when_it_fails_is_told(tmp_path: Path) -> None:
    dot = tmp_path / "dot"
    dot.write_text("#!/bin/sh\necho syntax error in line 1 >&2\nexit 1\n")
    dot.chmod(0o755)
    with pytest.raises(errors.InvalidInput) as caught:
        Program(str(dot))("graph", form="svg")
    assert "syntax error in line 1" in caught.value.problem


def test_the_program_draws_a_learners_diagram_and_its_icons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diagrams.aws.network import VPC

    drawing = find_renderer()("digraph { a [shape=none] }", form="svg")
    (tmp_path / "drawing.svg").write_bytes(drawing)
    dot = tmp_path / "dot"
    answers = f'case "$1" in *json*) echo "{{}}";; *) cat {tmp_path}/drawing.svg;; esac'
    dot.write_text(f"#!/bin/sh\n{answers}\n")
    dot.chmod(0o755)
    for module in (diagram_module, graphviz):
        monkeypatch.setattr(module, "find_renderer", lambda: Program(str(dot)))
    with Diagram("the title", show=False) as diagram:
        VPC("vpc")
    assert diagram.picture is not None
    assert "<title id=" in diagram.picture.svg
    assert diagram.picture.description == "the title"


@pytest.mark.parametrize(("has_font", "language"), [(True, "ja"), (False, "en")])
def test_a_png_is_in_english_where_japanese_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, has_font: bool, language: str
) -> None:
    written: list[str] = []
    monkeypatch.setattr(svg_document, "has_japanese_font", lambda: has_font)
    monkeypatch.setattr(svg_document, "_rasterize", lambda svg: written.append(svg) or b"")
    draw(GOAL).png()
    assert f'lang="{language}"' in written[0]
    assert messages.language() == "ja"


def test_the_svg_is_japanese_whatever_fonts_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svg_document, "has_japanese_font", lambda: False)
    assert "自分のコンピューター" in draw(GOAL).svg
