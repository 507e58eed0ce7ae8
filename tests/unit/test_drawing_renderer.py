"""The door to Graphviz: which way is taken, and what a learner sees when there is none."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from handson.core import errors, messages
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.drawing import fonts, render, renderer
from handson.drawing.renderer import Libraries, Program, choose
from handson.drawing.scene import Scene
from handson.drawing.words import Words

GOAL = describe_goal(Exercise())


def no_library() -> None:
    raise ImportError("libXrender.so.1: cannot open shared object file")


def test_the_libraries_come_first() -> None:
    chosen = choose(load=SimpleNamespace, which=lambda name: f"/usr/bin/{name}")
    assert isinstance(chosen, Libraries)


def test_the_program_serves_where_the_libraries_do_not_load() -> None:
    chosen = choose(load=no_library, which=lambda name: f"/usr/bin/{name}")
    assert isinstance(chosen, Program)
    assert chosen.path == "/usr/bin/dot"


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_with_neither_the_remedy_says_what_to_install(language: str) -> None:
    messages.use(language)
    with pytest.raises(errors.NotReady) as caught:
        choose(load=no_library, which=lambda name: None)
    assert "libXrender.so.1" in caught.value.problem
    assert "apt-get install -y libglib2.0-0 libxrender1" in caught.value.remedy


def test_a_graph_that_graphviz_refuses_is_the_learners_to_mend() -> None:
    with pytest.raises(errors.InvalidInput):
        renderer.renderer()("digraph { a -> ", layout="dot", form="svg")


def test_an_unknown_layout_is_refused() -> None:
    with pytest.raises(errors.InvalidInput):
        renderer.renderer()("digraph { a }", layout="no-such", form="svg")


def test_what_graphviz_says_does_not_reach_the_notebook(
    capfd: pytest.CaptureFixture[str],
) -> None:
    narrow = 'digraph { a [fixedsize=true width=0.1 height=0.1 label="far too long"] }'
    renderer.renderer()(narrow, layout="dot", form="svg")
    sys.stderr.flush()
    assert capfd.readouterr().err == ""


def test_the_standard_error_is_whole_again_after_a_refusal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(errors.InvalidInput):
        renderer.renderer()("digraph { a -> ", layout="dot", form="svg")
    print("still here", file=sys.stderr, flush=True)
    assert capfd.readouterr().err == "still here\n"


def test_the_program_is_given_the_graph_and_answers_the_drawing(tmp_path: Path) -> None:
    dot = tmp_path / "dot"
    dot.write_text('#!/bin/sh\necho "$@"\ncat\n')
    dot.chmod(0o755)
    assert Program(str(dot))("graph", layout="nop2", form="svg") == b"-Knop2 -Tsvg\ngraph"


def test_what_the_program_says_when_it_fails_is_told(tmp_path: Path) -> None:
    dot = tmp_path / "dot"
    dot.write_text("#!/bin/sh\necho syntax error in line 1 >&2\nexit 1\n")
    dot.chmod(0o755)
    with pytest.raises(errors.InvalidInput) as caught:
        Program(str(dot))("graph", layout="dot", form="svg")
    assert "syntax error in line 1" in caught.value.problem


@pytest.mark.parametrize(("has_font", "language"), [(True, "ja"), (False, "en")])
def test_a_png_is_in_english_where_japanese_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, has_font: bool, language: str
) -> None:
    monkeypatch.setattr(fonts, "has_japanese", lambda: has_font)
    spoken = []

    def paint(words: Words) -> Scene:
        spoken.append(words.language)
        return Scene(100, 100, "t", "d", words.language)

    render.picture(paint, language="ja").png()
    assert spoken[-1] == language


def test_the_svg_is_japanese_whatever_fonts_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    from handson.drawing import draw

    monkeypatch.setattr(fonts, "has_japanese", lambda: False)
    assert "自分のコンピューター" in draw(GOAL).svg
