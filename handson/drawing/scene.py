"""What a picture consists of: boxes, icons, words and arrows with their places, written as SVG.

Coordinates are points; x runs to the right and y *down*, as in SVG.  Every word is escaped here, so
that no name in AWS can end up as markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from msgspec import Struct
from msgspec.structs import replace

from handson.drawing.svg_document import clean, load_symbol, shorten, write_document

INK = "#232F3E"
QUIET = "#5A6B7B"
GHOST = "#66727E"
PAPER = "#FFFFFF"
_DASHES = ' stroke-dasharray="5,2"'
_HEAD = 8.0
"""The length of an arrow's head."""
_GAP = 20.0
"""The space between scenes side by side."""

Point = tuple[float, float]


class Box(Struct, frozen=True):
    """A rectangle: a border, a group of things, or a place where something will stand."""

    x: float
    y: float
    width: float
    height: float
    stroke: str = "none"
    fill: str = "none"
    dashed: bool = False
    thickness: float = 1.0

    @property
    def right(self) -> float:
        """The x of the right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of the lower side."""
        return self.y + self.height

    @property
    def middle(self) -> Point:
        """The centre."""
        return self.x + self.width / 2, self.y + self.height / 2

    def styled(
        self, stroke: str, fill: str = "none", *, dashed: bool = False, thickness: float = 1.0
    ) -> Box:
        """Return the same rectangle in these colours."""
        return Box(self.x, self.y, self.width, self.height, stroke, fill, dashed, thickness)

    def write(self) -> str:
        """Return the element; a `path`, because the one `rect` of a picture is its card."""
        thickness = f' stroke-width="{self.thickness:g}"' if self.thickness != 1 else ""
        return (
            f'\n<path d="M{self.x:g} {self.y:g}h{self.width:g}v{self.height:g}h{-self.width:g}z" '
            f'fill="{self.fill}" stroke="{self.stroke}"{_DASHES * self.dashed}{thickness}/>'
        )


class Icon(Struct, frozen=True):
    """An icon by its file in `diagrams` (``aws/network/vpc``), around its centre."""

    name: str
    x: float
    y: float
    size: float = 48

    def write(self) -> str:
        """Return the element that uses the icon's symbol."""
        left, top = self.x - self.size / 2, self.y - self.size / 2
        return (
            f'\n<use xlink:href="#{load_symbol(self.name).id}" x="{left:g}" y="{top:g}" '
            f'width="{self.size:g}" height="{self.size:g}"/>'
        )


class Label(Struct, frozen=True):
    """The place and style of a line of words, from its baseline's start, middle or end.

    Attributes:
        room: How wide the words may be; 0 for any width.
        words: The words that fit.
        whole: The uncut words, where they do not fit.
    """

    x: float
    y: float
    size: float = 13
    anchor: str = "start"
    colour: str = INK
    bold: bool = False
    room: float = 0
    words: str = ""
    whole: str = ""

    def write(self) -> str:
        """Return the element; a pointer that rests on a shortened line shows it whole."""
        anchor = "" if self.anchor == "start" else f' text-anchor="{self.anchor}"'
        weight = ' font-weight="700"' if self.bold else ""
        whole = f"<title>{escape(self.whole)}</title>" if self.whole else ""
        return (
            f'\n<text x="{self.x:g}" y="{self.y:g}" font-size="{self.size:g}" '
            f'fill="{self.colour}"{anchor}{weight}>{whole}{escape(self.words)}</text>'
        )


class Arrow(Struct, frozen=True):
    """A line of level and upright pieces with a head at its end."""

    points: tuple[Point, ...]
    colour: str = INK
    dashed: bool = False

    def write(self) -> str:
        """Return the elements of the line and of its head."""
        (fromx, fromy), (tipx, tipy) = self.points[-2:]
        length = abs(tipx - fromx) + abs(tipy - fromy)
        alongx, alongy = (tipx - fromx) / length, (tipy - fromy) / length
        endx, endy = tipx - _HEAD * alongx, tipy - _HEAD * alongy
        half = _HEAD * 0.35
        line = "L".join(f"{x:g} {y:g}" for x, y in (*self.points[:-1], (endx, endy)))
        return (
            f'\n<path d="M{line}" fill="none" stroke="{self.colour}" stroke-width="1.4"'
            f"{_DASHES * self.dashed}/>"
            f'<path d="M{tipx:g} {tipy:g}L{endx - half * alongy:g} {endy + half * alongx:g}'
            f'L{endx + half * alongy:g} {endy - half * alongx:g}z" '
            f'fill="{self.colour}" stroke="{self.colour}"/>'
        )


@dataclass
class Scene:
    """A picture in the making; it is drawn in the order boxes, icons, arrows, badges, words.

    `inner` holds the scenes of a picture of several views, each with the place of its corner.
    """

    width: float
    height: float
    title: str
    description: str
    boxes: list[Box] = field(default_factory=list)
    icons: list[Icon] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    badges: list[Box] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    inner: list[tuple[Scene, float, float]] = field(default_factory=list)

    def add_lines(self, label: Label, *lines: str) -> None:
        """Add lines below each other in the style of `label`, the first one at its place."""
        leading = label.size + 4
        for number, line in enumerate(lines):
            words = clean(line)
            shown = shorten(words, label.room, size=label.size) if label.room else words
            if shown:
                whole, y = words if shown != words else "", label.y + number * leading
                self.labels.append(replace(label, y=y, words=shown, whole=whole))

    def write(self) -> str:
        """Return the SVG document."""
        return write_document(
            f"<g>{self._write_elements()}</g>",
            [load_symbol(name) for name in dict.fromkeys(self._list_icons())],
            width=self.width,
            height=self.height,
            title=self.title,
            description=self.description,
        )

    def _write_elements(self) -> str:
        layers = (self.boxes, self.icons, self.arrows, self.badges, self.labels)
        own = [element.write() for layer in layers for element in layer]
        inner = [
            f'\n<g transform="translate({x:g} {y:g})">{scene._write_elements()}</g>'
            for scene, x, y in self.inner
        ]
        return "".join([*own, *inner])

    def _list_icons(self) -> Iterator[str]:
        yield from (icon.name for icon in self.icons)
        for scene, _, _ in self.inner:
            yield from scene._list_icons()


def join_scenes(rows: Sequence[Sequence[Scene]]) -> Scene:
    """Return one scene with the scenes of each row side by side, and the rows in order."""
    scenes = [scene for row in rows for scene in row]
    joined = Scene(
        width=max(sum(scene.width + _GAP for scene in row) - _GAP for row in rows),
        height=-_GAP,
        title=" · ".join(scene.title for scene in scenes),
        description=" ".join(f"{scene.title}: {scene.description}" for scene in scenes),
    )
    for row in rows:
        x = (joined.width - sum(scene.width + _GAP for scene in row) + _GAP) / 2
        for scene in row:
            joined.inner.append((scene, x, joined.height + _GAP))
            x += scene.width + _GAP
        joined.height += max(scene.height for scene in row) + _GAP
    return joined
