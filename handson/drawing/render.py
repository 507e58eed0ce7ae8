"""From a scene to a picture: geometry by Graphviz, words and icons put in, PNG on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from handson.drawing import dotgraph, fonts, svg
from handson.drawing.picture import Picture
from handson.drawing.renderer import renderer
from handson.drawing.scene import QUIET, Label, Scene
from handson.drawing.words import Words

PNG_DPI = 144
"""Two pixels a point."""

Painter = Callable[[Words], Scene]


def picture(paint: Painter, *, language: str) -> Picture:
    """Return the picture that `paint` makes of the words of a language.

    Raises:
        NotReady: Nothing on this machine can draw.
    """
    scene = paint(Words(language))
    drawn = renderer()(dotgraph.source(scene, words=False), layout="nop2", form="svg")
    page = svg.Page(
        scene.width, scene.height, scene.title, scene.description, language, scene.labels
    )
    return Picture(
        svg.finish(drawn, page),
        scene.title,
        scene.description,
        rasterize=lambda: _raster(paint, language),
    )


def _raster(paint: Painter, language: str) -> bytes:
    if language == "ja" and not fonts.has_japanese():
        scene = _with_note(paint(Words("en")))
    else:
        scene = paint(Words(language))
    source = dotgraph.source(scene, words=True).replace("{", f"{{graph [dpi={PNG_DPI}]\n", 1)
    return renderer()(source, layout="nop2", form="png")


def _with_note(scene: Scene) -> Scene:
    """Return the scene with a line at its lower edge that says why it is in English."""
    note = Label(16, scene.height + 4, Words("en")("no-font"), size=11, colour=QUIET)
    taller = replace(scene, height=scene.height + 16)
    taller.say(note)
    return taller
