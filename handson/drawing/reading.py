"""A learner's diagram as described state: its boxes, icons and arrows, by the words on them."""

from __future__ import annotations

import json
from typing import Any

from handson.course.state import Drawing, DrawnArrow, DrawnBox, DrawnIcon
from handson.drawing.renderer import renderer

_LONGEST = 200
_RESOURCES = "resources/"
_DIRECTIONS = ("forward", "back", "both", "none")


def describe(source: str) -> Drawing:
    """Return what a diagram in the DOT language shows; where the icons' files are is left out."""
    graph = json.loads(renderer()(source, layout="dot", form="json0"))
    things = graph.get("objects", [])
    boxes = {thing["_gvid"]: thing for thing in things if "nodes" in thing or _is_box(thing)}
    inner = {child: number for number, box in boxes.items() for child in box.get("subgraphs", [])}
    icons = [thing for thing in things if thing["_gvid"] not in boxes]
    return Drawing(
        boxes=tuple(
            DrawnBox(id=f"b{number}", label=_label(box), inside=_name(inner.get(number)))
            for number, box in boxes.items()
        ),
        icons=tuple(_icon(icon, boxes, inner) for icon in icons),
        arrows=tuple(map(_arrow, graph.get("edges", []))),
    )


def _is_box(thing: dict[str, Any]) -> bool:
    """Tell whether a thing without anything in it is a box: clusters have names that say so."""
    return str(thing.get("name", "")).startswith("cluster_")


def _icon(icon: dict[str, Any], boxes: dict[int, Any], inner: dict[int, int]) -> DrawnIcon:
    """Describe an icon; of the boxes around it, the innermost is the one with no other inside."""
    around = [number for number, box in boxes.items() if icon["_gvid"] in box.get("nodes", [])]
    outer = {inner.get(number) for number in around}
    innermost = next((number for number in around if number not in outer), None)
    kind = _kind(str(icon.get("image", "")))
    return DrawnIcon(id=f"i{icon['_gvid']}", label=_label(icon), kind=kind, inside=_name(innermost))


def _kind(image: str) -> str:
    """Return what icon it is (``aws/compute/fargate``); "custom" for a picture of one's own."""
    path = image.replace("\\", "/").rpartition(_RESOURCES)[2].rpartition(".")[0]
    return path if path.count("/") == 2 and _RESOURCES in image else "custom" if image else ""


def _arrow(edge: dict[str, Any]) -> DrawnArrow:
    way = edge.get("dir", "forward")
    return DrawnArrow(
        tail=f"i{edge['tail']}",
        head=f"i{edge['head']}",
        label=_label(edge),
        direction=way if way in _DIRECTIONS else "forward",
    )


def _label(thing: dict[str, Any]) -> str:
    words = str(thing.get("label") or thing.get("xlabel") or "")
    return words.replace("\\n", " ").replace("\\N", "")[:_LONGEST]


def _name(number: int | None) -> str:
    return "" if number is None else f"b{number}"
