"""Writes pictures as SVG documents that stand alone, with their icons inside.

Every word is escaped here, so that no name in AWS can end up as markup.  A picture lies on a light
card of its own: notebooks, web pages and GitHub show it as an image, which knows neither
JupyterLab's theme nor the colour behind it, and many icons are black.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape

from handson.core import messages
from handson.drawing.icons import Symbol, load_symbol
from handson.drawing.scene import Arrow, Box, Icon, Label, Scene

FAMILY = (
    "'Helvetica Neue',Arial,'Hiragino Sans','Hiragino Kaku Gothic ProN','Noto Sans CJK JP',"
    "'Noto Sans JP','Yu Gothic',Meiryo,IPAexGothic,sans-serif"
)
MARGIN = 12.0
_CARD, _EDGE, _ROUND = "#FBFCFD", "#D5DBE1", 10
_HEAD = 8.0
"""The length of an arrow's head."""


def write_scene(scene: Scene) -> str:
    """Return the document of a scene."""
    return write_document(
        f"<g>{''.join(_elements(scene))}</g>",
        [load_symbol(name) for name in dict.fromkeys(_icon_names(scene))],
        width=scene.width,
        height=scene.height,
        title=scene.title,
        description=scene.description,
    )


def write_document(
    content: str,
    symbols: Sequence[Symbol],
    *,
    width: float,
    height: float,
    title: str,
    description: str,
    language: str = "",
    margin: float = MARGIN,
) -> str:
    """Return a document with `content` on a card.

    Args:
        content: Elements in a page of `width` and `height` points.
        symbols: The icons that they use.
        width: The width of the page.
        height: The height of the page.
        title: The picture's name, for people and screen readers.
        description: What can be seen on it, in sentences.
        language: The language of its words, by default that of this process.
        margin: How far the card reaches beyond the page on all four sides.
    """
    width, height = width + 2 * margin, height + 2 * margin
    language = language or messages.language()
    # Two pictures on one page must not share the ids that name them.
    mark = sha256(f"{title}\0{description}".encode()).hexdigest()[:8]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width:g}" viewBox="0 0 {width:g} {height:g}" xml:lang="{language}" '
        f'lang="{language}" role="img" aria-labelledby="title-{mark} desc-{mark}">\n'
        f'<title id="title-{mark}">{escape(title)}</title>\n'
        f'<desc id="desc-{mark}">{escape(description)}</desc>\n'
        f"<defs>{''.join(symbol.definition for symbol in symbols)}</defs>\n"
        f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="{_ROUND}" '
        f'fill="{_CARD}" stroke="{_EDGE}"/>\n'
        f'<g transform="translate({margin:g} {margin:g})" font-family="{FAMILY}">{content}</g>\n'
        "</svg>\n"
    )


def write_label(label: Label) -> str:
    """Return a line of words; a pointer that rests on a shortened one shows it whole."""
    anchor = "" if label.anchor == "start" else f' text-anchor="{label.anchor}"'
    weight = ' font-weight="700"' if label.bold else ""
    whole = f"<title>{escape(label.whole)}</title>" if label.whole else ""
    return (
        f'\n<text x="{label.x:g}" y="{label.y:g}" font-size="{label.size:g}" fill="{label.colour}"'
        f"{anchor}{weight}>{whole}{escape(label.words)}</text>"
    )


def _icon_names(scene: Scene) -> Iterator[str]:
    yield from (icon.name for icon in scene.icons)
    for inner, _, _ in scene.inner:
        yield from _icon_names(inner)


def _elements(scene: Scene) -> Iterator[str]:
    yield from map(_box, scene.boxes)
    yield from map(_icon, scene.icons)
    yield from map(_arrow, scene.arrows)
    yield from map(_box, scene.badges)
    yield from map(write_label, scene.labels)
    for inner, x, y in scene.inner:
        yield f'\n<g transform="translate({x:g} {y:g})">'
        yield from _elements(inner)
        yield "</g>"


def _box(box: Box) -> str:
    dashes = ' stroke-dasharray="5,2"' if box.dashed else ""
    thickness = f' stroke-width="{box.thickness:g}"' if box.thickness != 1 else ""
    # `path`, because the one `rect` of a picture is its card.
    return (
        f'\n<path d="M{box.x:g} {box.y:g}h{box.width:g}v{box.height:g}h{-box.width:g}z" '
        f'fill="{box.fill}" stroke="{box.stroke}"{dashes}{thickness}/>'
    )


def _icon(icon: Icon) -> str:
    half = icon.size / 2
    return (
        f'\n<use xlink:href="#{load_symbol(icon.name).id}" x="{icon.x - half:g}" '
        f'y="{icon.y - half:g}" width="{icon.size:g}" height="{icon.size:g}"/>'
    )


def _arrow(arrow: Arrow) -> str:
    (fromx, fromy), (tipx, tipy) = arrow.points[-2:]
    length = abs(tipx - fromx) + abs(tipy - fromy)  # every piece is level or upright
    alongx, alongy = (tipx - fromx) / length, (tipy - fromy) / length
    endx, endy = tipx - _HEAD * alongx, tipy - _HEAD * alongy
    half = _HEAD * 0.35
    line = "L".join(f"{x:g} {y:g}" for x, y in (*arrow.points[:-1], (endx, endy)))
    head = (
        f"M{tipx:g} {tipy:g}L{endx - half * alongy:g} {endy + half * alongx:g}"
        f"L{endx + half * alongy:g} {endy - half * alongx:g}z"
    )
    dashes = ' stroke-dasharray="5,2"' if arrow.dashed else ""
    return (
        f'\n<path d="M{line}" fill="none" stroke="{arrow.colour}" stroke-width="1.4"{dashes}/>'
        f'<path d="{head}" fill="{arrow.colour}" stroke="{arrow.colour}"/>'
    )
