"""The widths of words, and lines that fit into their room.

Widths are estimated, because a picture must be the same on every machine: a full-width character is
one em, Latin ones have the proportions of a common sans-serif.  Nothing needs to be exact; labels
have room to spare and are anchored where they must not move.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

_BREAKS = frozenset("-_/. :")
# Line-start prohibition, as in "Requirements for Japanese Text Layout" (W3C JLREQ), 3.1.7.
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
    return size * sum(map(_measure_letter, words))


@_remember
def shorten(words: str, room: float, *, size: float) -> str:
    """Return `words`, or as much of their beginning as fits into `room` with an ellipsis."""
    if measure(words, size=size) <= room:
        return words
    end = _count_fitting(words, room - measure("…", size=size), size=size)
    return words[:end].rstrip() + "…"


@_remember
def wrap(words: str, room: float, *, size: float) -> tuple[str, ...]:
    """Return a name in at most two lines that fit into `room`, broken at a sign or space.

    Of the breaks that let both lines fit, it takes the one that makes them most alike.
    """
    words = clean(words)
    wide = measure(words, size=size)
    if wide <= room:
        return (words,)
    end = max(_count_fitting(words, room, size=size), 1)
    breaks = {
        place: measure(words[:place], size=size)
        for place in range(1, end + 1)
        if words[place - 1] in _BREAKS or words[place : place + 1] == "("
    }
    fitting = [place for place, before in breaks.items() if wide - before <= room]
    cut = min(
        fitting, key=lambda place: abs(wide / 2 - breaks[place]), default=max(breaks, default=end)
    )
    return words[:cut].rstrip(), shorten(words[cut:].lstrip(), room, size=size)


@_remember
def fill_lines(words: str, room: float, *, size: float) -> tuple[str, ...]:
    """Return a sentence in as many lines as it needs, the last of at most three shortened."""
    rest = clean(words)
    lines: list[str] = []
    while rest and len(lines) < 2 and measure(rest, size=size) > room:
        fitting = max(_count_fitting(rest, room, size=size), 1)
        places = range(fitting, fitting // 2, -1)
        end = next((place for place in places if _may_break(rest, place)), fitting)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return (*lines, shorten(rest, room, size=size)) if rest else tuple(lines)


def _count_fitting(words: str, room: float, *, size: float) -> int:
    """Return how many letters of `words` fit into a line."""
    wide = 0.0
    for number, letter in enumerate(words):
        wide += size * _measure_letter(letter)
        if wide > room:
            return number
    return len(words)


def _may_break(words: str, place: int) -> bool:
    """Tell whether a line may end before a place: at a space, or between full-width letters."""
    before, after = words[place - 1 : place], words[place : place + 1]
    if after in _NEVER_FIRST:
        return False
    return " " in before + after or all(_measure_letter(each) == 1.0 for each in before + after)


@cache
def _measure_letter(letter: str) -> float:
    """Return the width of a letter in ems; an "ambiguous" one (UAX #11) counts as full-width."""
    if unicodedata.east_asian_width(letter) in "WFA":
        return 1.0
    if letter in "iljtfrI.,:;'|!()[]{}/-\\ ":
        return 0.33
    if letter in "mwMW@%":
        return 0.86
    return 0.68 if letter.isupper() else 0.56
