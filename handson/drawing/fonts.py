"""Whether this machine can write Japanese into a PNG."""

from __future__ import annotations

import json
from functools import cache

from handson.drawing.renderer import renderer

_SIZE = 100
_MISSING = "\u0378"
"""A character that Unicode has not assigned: no font has it."""


@cache
def has_japanese() -> bool:
    """Tell whether a font with Japanese is installed.

    Graphviz is asked how wide letters are.  In the place of one that no font has, it draws a box
    with the letter's number, and all those boxes are of one width.
    """
    box = _width(_MISSING)
    return all(_width(letter) != box for letter in "漢あ")


def _width(letter: str) -> float:
    source = (
        f"digraph{{node[shape=none margin=0 width=0 height=0 fontsize={_SIZE}]"
        f'n[label="{letter * 8}"]}}'
    )
    answer = json.loads(renderer()(source, layout="dot", form="json0"))
    return float(answer["objects"][0]["width"])
