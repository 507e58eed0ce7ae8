"""How wide words are, without asking this machine's fonts.

A picture must be the same on every machine, so widths are estimated: a full-width character is one
em, Latin ones are the proportions of a common sans-serif.  Nothing needs to be exact; labels have
room to spare and are anchored where they must not move.
"""

from __future__ import annotations

import unicodedata

_NARROW = frozenset("iljtfrI.,:;'|!()[]{}/-\\ ")
_BROAD = frozenset("mwMW@%")
_BREAKS = frozenset("-_/. :")
_NEVER_FIRST = frozenset("、。，．・:;!?)]}」』)ーァィゥェォッャュョ…")


def clean(words: str) -> str:
    """Return one line without control, format, private and unassigned characters."""
    kept = (" " if unicodedata.category(letter).startswith("C") else letter for letter in words)
    return " ".join("".join(kept).split())


def width(words: str, *, size: float) -> float:
    """Return about how wide `words` are at a font size, in the unit of `size`."""
    return size * sum(map(_em, words))


def fit(words: str, room: float, *, size: float) -> str:
    """Return `words`, or as much of their beginning as fits into `room` with an ellipsis."""
    if width(words, size=size) <= room:
        return words
    kept = words
    while kept and width(kept + "…", size=size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def wrap(words: str, room: float, *, size: float) -> list[str]:
    """Return `words` in at most two lines that fit into `room`, broken at a sign or space."""
    words = clean(words)
    if width(words, size=size) <= room:
        return [words]
    cut = _cut(words, room, size=size)
    return [words[:cut].rstrip(), fit(words[cut:].lstrip(), room, size=size)]


def fill(words: str, room: float, *, size: float, most: int = 3) -> list[str]:
    """Return `words` in as many lines as they need, the last of at most `most` shortened."""
    rest = clean(words)
    lines: list[str] = []
    while rest and len(lines) < most - 1 and width(rest, size=size) > room:
        end = _end(rest, room, size=size)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*lines, fit(rest, room, size=size)] if rest else lines


def _end(words: str, room: float, *, size: float) -> int:
    """Return how much of `words` fits into a line, without a Latin word cut in two."""
    end = 1
    while end < len(words) and width(words[: end + 1], size=size) <= room:
        end += 1
    places = range(end, end // 2, -1)
    return next((place for place in places if _may_break(words, place)), end)


def _may_break(words: str, place: int) -> bool:
    """Tell whether a line may end before a place: at a space, or between full-width letters."""
    before, after = words[place - 1 : place], words[place : place + 1]
    if after in _NEVER_FIRST:
        return False
    return " " in before + after or "A" not in _kinds(before + after)


def _kinds(letters: str) -> str:
    return "".join("W" if _em(letter) == 1.0 else "A" for letter in letters)


def _cut(words: str, room: float, *, size: float) -> int:
    """Return where to break: where both lines fit and are most alike, else as late as fits."""
    end = len(words)
    while end > 1 and width(words[:end], size=size) > room:
        end -= 1
    whole = width(words, size=size)
    breaks = [
        place
        for place in range(1, end + 1)
        if words[place - 1] in _BREAKS or words[place : place + 1] == "("
    ]
    fitting = [place for place in breaks if whole - width(words[:place], size=size) <= room]
    if fitting:
        return min(fitting, key=lambda place: abs(whole / 2 - width(words[:place], size=size)))
    return breaks[-1] if breaks else end


def _em(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WFA":
        return 1.0
    if letter in _NARROW:
        return 0.33
    if letter in _BROAD:
        return 0.86
    return 0.68 if letter.isupper() else 0.56
