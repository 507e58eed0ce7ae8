"""What a picture consists of: boxes, icons, words and arrows with their places.

Coordinates are points; x runs to the right and y *down*, as in SVG.  The views make scenes and
`svg` writes them.  Widths of words are estimated, because a picture must be the same on every
machine: a full-width character is one em, Latin ones have the proportions of a common sans-serif.
Nothing needs to be exact; labels have room to spare and are anchored where they must not move.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

INK = "#232F3E"
QUIET = "#5A6B7B"
GHOST = "#66727E"
PAPER = "#FFFFFF"

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


class Icon(Struct, frozen=True):
    """An icon by its class in `diagrams` (``aws.network.VPC``), around its centre."""

    name: str
    x: float
    y: float
    size: float = 48


class Label(Struct, frozen=True):
    """One line of words from its baseline's start, middle or end; `whole` is the uncut text."""

    x: float
    y: float
    words: str = ""
    size: float = 13
    anchor: str = "start"
    colour: str = INK
    bold: bool = False
    whole: str = ""


class Arrow(Struct, frozen=True):
    """A line of straight pieces with a head at its end."""

    points: tuple[Point, ...]
    colour: str = INK
    dashed: bool = False


class Scene(Struct):
    """A picture in the making; it is drawn in the order boxes, icons, arrows, badges, words.

    `inner` holds the scenes of a picture of several views, each with the place of its corner.
    """

    width: float
    height: float
    title: str
    description: str
    boxes: list[Box] = field(default_factory=list)
    icons: list[Icon] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    badges: list[Box] = field(default_factory=list)
    inner: list[tuple[Scene, float, float]] = field(default_factory=list)

    def add_label(self, label: Label, *, room: float = 0) -> None:
        """Add a line of words, shortened to `room` points when it is longer than that."""
        words = clean(label.words)
        shown = shorten(words, room, size=label.size) if room else words
        if shown:
            whole = words if shown != words else ""
            self.labels.append(replace(label, words=shown, whole=whole))

    def add_lines(self, label: Label, lines: Sequence[str], *, room: float = 0) -> None:
        """Add lines below each other, each in the style of `label`, the first one at its place."""
        leading = label.size + 4
        for number, line in enumerate(lines):
            self.add_label(replace(label, words=line, y=label.y + number * leading), room=room)


_BREAKS = frozenset("-_/. :")
_NEVER_FIRST = frozenset("、。，．・:;!?)]}」』)ーァィゥェォッャュョ…")


_remember = lru_cache(maxsize=4096)
"""Pictures of one target write the same words again and again; measuring them takes longest."""


@_remember
def clean(words: str) -> str:
    """Return one line without control, format, private and unassigned characters."""
    if not words.isprintable():
        words = "".join(" " if unicodedata.category(c).startswith("C") else c for c in words)
    return " ".join(words.split())


def measure(words: str, *, size: float) -> float:
    """Return about how wide `words` are at a font size, in the unit of `size`."""
    return size * sum(map(_EMS.__getitem__, words))


@_remember
def shorten(words: str, room: float, *, size: float) -> str:
    """Return `words`, or as much of their beginning as fits into `room` with an ellipsis."""
    if measure(words, size=size) <= room:
        return words
    kept = words
    while kept and measure(kept + "…", size=size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"


@_remember
def wrap(words: str, room: float, *, size: float) -> tuple[str, ...]:
    """Return `words` in at most two lines that fit into `room`, broken at a sign or space."""
    words = clean(words)
    if measure(words, size=size) <= room:
        return (words,)
    cut = _find_cut(words, room, size=size)
    return words[:cut].rstrip(), shorten(words[cut:].lstrip(), room, size=size)


@_remember
def fill_lines(words: str, room: float, *, size: float, most: int = 3) -> tuple[str, ...]:
    """Return `words` in as many lines as they need, the last of at most `most` shortened."""
    rest = clean(words)
    lines: list[str] = []
    while rest and len(lines) < most - 1 and measure(rest, size=size) > room:
        fitting = _count_fitting(rest, room, size=size)
        places = range(fitting, fitting // 2, -1)
        end = next((place for place in places if _may_break(rest, place)), fitting)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return (*lines, shorten(rest, room, size=size)) if rest else tuple(lines)


def _count_fitting(words: str, room: float, *, size: float) -> int:
    """Return how many letters of `words` fit into a line; at least one."""
    wide = 0.0
    for number, letter in enumerate(words):
        wide += size * _EMS[letter]
        if wide > room:
            return max(number, 1)
    return len(words)


def _may_break(words: str, place: int) -> bool:
    """Tell whether a line may end before a place: at a space, or between full-width letters."""
    before, after = words[place - 1 : place], words[place : place + 1]
    if after in _NEVER_FIRST:
        return False
    return " " in before + after or all(_EMS[letter] == 1.0 for letter in before + after)


def _find_cut(words: str, room: float, *, size: float) -> int:
    """Return where to break: where both lines fit and are most alike, else as late as fits."""
    end = _count_fitting(words, room, size=size)
    whole = measure(words, size=size)
    breaks = {
        place: measure(words[:place], size=size)
        for place in range(1, end + 1)
        if words[place - 1] in _BREAKS or words[place : place + 1] == "("
    }
    fitting = [place for place, wide in breaks.items() if whole - wide <= room]
    if fitting:
        return min(fitting, key=lambda place: abs(whole / 2 - breaks[place]))
    return max(breaks, default=end)


class _Ems(dict[str, float]):
    """The width of each letter in ems, worked out once a letter."""

    def __missing__(self, letter: str) -> float:
        if unicodedata.east_asian_width(letter) in "WFA":
            em = 1.0
        elif letter in "iljtfrI.,:;'|!()[]{}/-\\ ":
            em = 0.33
        elif letter in "mwMW@%":
            em = 0.86
        else:
            em = 0.68 if letter.isupper() else 0.56
        self[letter] = em
        return em


_EMS = _Ems()
