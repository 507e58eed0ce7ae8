"""Strangers' text in a sentence: short, on one line, and what was probably meant by it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from handson.core import messages

_SHOWN = 60
_MOST_SIGNS = 8
_WIDE = re.compile("[\uff01-\uff5e\u3000\u2018-\u201f\u2010-\u2015\u2212\u30fc\u3001\u3002\u30fb]+")
"""What a Japanese keyboard and a word processor give for the same keys."""
_PLAIN = str.maketrans("‐‑‒–—―−ー、。・", "--------,./", "“”„‟‘’‚‛\"'")

_LONGEST = 120
_MOST = 12


def find_nearest(name: str, choices: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the choice that is most like `name` (capitals and ``_`` or ``-`` alike), or None."""
    folded = {_folded(choice): choice for choice in reversed(list(choices))}
    found = get_close_matches(_folded(name), folded, n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def advise_half_width(text: str) -> str | None:
    """Say which full-width signs are in a text that has to be plain, and the text without them.

    None where there is none, or where what is left would not be plain: such as a Japanese word.
    """
    mended = unicodedata.normalize("NFKC", text).translate(_PLAIN).strip()
    found = list(dict.fromkeys(_WIDE.findall(text)))
    if not (found and mended and mended.isascii()):
        return None
    space = messages.text("course.rules.full-width-space")
    signs = ", ".join(space if sign.isspace() else sign for sign in found[:_MOST_SIGNS])
    return messages.text("course.rules.full-width", signs=signs, mended=mended[: _SHOWN * 2])


def quote(value: object) -> str:
    """Return a value as a sentence can hold it: in quotes, on one line, not too long."""
    try:
        text = repr(value[: _SHOWN + 1] if isinstance(value, str) else value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, somewhere in it
        text = type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def one_line(text: str, *, longest: int = _LONGEST) -> str:
    """Return a stranger's text as one short line: nothing in it can start a line of its own."""
    cut = text if len(text) <= longest else f"{text[:longest]}…"
    if cut.isprintable():
        return cut
    return "".join(sign if sign.isprintable() else "�" for sign in cut)


def list_briefly(texts: Sequence[str]) -> str:
    """Return several of a stranger's texts on one line, the first dozen of them."""
    said = ", ".join(one_line(text) for text in texts[:_MOST])
    return said if len(texts) <= _MOST else f"{said}, … ({len(texts)})"


def _folded(name: str) -> str:
    return name[:256].casefold().replace("_", "-")
