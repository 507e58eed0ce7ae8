"""What a picture consists of before anyone renders it: boxes, icons, words, arrows, with places.

Coordinates are points; x runs to the right and y *down*, as in SVG.  A scene holds no Graphviz and
no SVG: the views make scenes, `dotgraph` and `svg` turn them into pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from handson.drawing import text

INK = "#232F3E"
QUIET = "#5A6B7B"
GHOST = "#66727E"
PAPER = "#FFFFFF"

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
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

    def styled(self, stroke: str, fill: str = "none", *, dashed: bool = False) -> Box:
        """Return the same rectangle in these colours."""
        return replace(self, stroke=stroke, fill=fill, dashed=dashed)


@dataclass(frozen=True)
class Icon:
    """An icon of the `diagrams` package by its class (``aws.network.VPC``), round its centre."""

    id: str
    icon: str
    x: float
    y: float
    size: float = 48


@dataclass(frozen=True)
class Spot:
    """A place without an icon that an arrow can lead to."""

    id: str
    x: float
    y: float


@dataclass(frozen=True)
class Label:
    """One line of words from its baseline's start, middle or end; `whole` is the uncut text."""

    x: float
    y: float
    words: str
    size: float = 13
    anchor: str = "start"
    colour: str = INK
    bold: bool = False
    whole: str = ""


@dataclass(frozen=True)
class Arrow:
    """A line of straight pieces from one icon or spot to another, with a head at its end."""

    tail: str
    head: str
    points: tuple[Point, ...]
    colour: str = INK
    dashed: bool = False


@dataclass
class Scene:
    """A picture in the making; it is drawn in the order boxes, icons, arrows, badges, words."""

    width: float
    height: float
    title: str
    description: str
    language: str
    boxes: list[Box] = field(default_factory=list)
    icons: list[Icon] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    badges: list[Box] = field(default_factory=list)

    def say(self, label: Label, *, room: float = 0) -> None:
        """Add a line of words, shortened to `room` points when it is longer than that."""
        words = text.clean(label.words)
        shown = text.fit(words, room, size=label.size) if room else words
        if shown:
            whole = words if shown != words else ""
            self.labels.append(replace(label, words=shown, whole=whole))

    def say_lines(self, label: Label, lines: Sequence[str], *, room: float = 0) -> None:
        """Add lines below each other, each in the style of `label`, the first one at its place."""
        leading = label.size + 4
        for number, line in enumerate(lines):
            self.say(replace(label, words=line, y=label.y + number * leading), room=room)
