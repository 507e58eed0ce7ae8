"""Explain why Python cannot read a cell: full-width characters, missing commas, quotes, brackets.

Corrections are tried on the cell.  One is shown only if Python can read the corrected cell.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.files import read_data
from handson.core.text import one_line, to_half_width

_QUOTES = dict(zip("“”„‟＂「」『』‘’‚‛＇", '"' * 9 + "'" * 5, strict=True))
_KINDS = ("handson.notebook", "syntax_errors.toml")
_MOST_TRIES = 300
"""Corrections to try: a cell with several mistakes has thousands, and its learner waits."""


def explain_syntax_error(error: SyntaxError, cell: str) -> InvalidInput | None:
    """Explain why Python cannot read a cell, or return None for other reasons than these.

    Args:
        error: The error that reading the cell raised.
        cell: The whole cell.
    """
    kind, at = _classify(error, cell)
    if not kind:
        return None
    sign, line = cell[at : at + 1], cell.count("\n", 0, at) + 1
    name = messages.text("core.text.full-width-space") if sign == "\u3000" else sign
    values = {"line": line, "sign": name, "plain": _half_width(sign)}
    problem, remedy = messages.advice_of("notebook.mistakes.syntax", kind, **values)
    with warnings.catch_warnings(action="ignore"):
        mended = _mend(cell, error, iter(range(_MOST_TRIES)))
    pairs = zip(cell.split("\n"), (mended or cell).split("\n"), strict=True)
    if lines := " ⏎ ".join(after.strip() for before, after in pairs if before != after):
        remedy = messages.text("notebook.mistakes.syntax-mended", lines=one_line(lines))
    return InvalidInput(problem, remedy)


def _classify(error: SyntaxError, cell: str) -> tuple[str, int]:
    """Return the kind of a mistake, or "", and its place in the cell."""
    at = _find_place(error, cell)
    if isinstance(error, IndentationError):
        return "indent", at
    kinds = read_data(*_KINDS).items()
    kind = next((each for each, it in kinds if re.match(it["said"], error.msg)), "")
    line = cell[at:].partition("\n")[0]
    wrong = [at + each for each, sign in enumerate(line) if kind == "quote" and sign in _QUOTES]
    is_wide = kind == "character" and _half_width(line[:1])
    return ("full-width", (wrong or [at])[0]) if wrong or is_wide else (kind, at)


def _mend(cell: str, error: SyntaxError, tries: Iterator[int]) -> str | None:
    """Return the cell with its mistakes corrected, if Python can read it within these tries."""
    kind, at = _classify(error, cell)
    for corrected, _ in zip(_list_corrections(cell, kind, at), tries, strict=False):
        try:
            ast.parse(corrected)
            return corrected
        except SyntaxError as after:
            # A wrong correction leaves the error where it was, or makes one before it.
            left = len(corrected) - _find_place(after, corrected)
            goes_on = kind == "full-width" or left < len(cell) - at or "never closed" in after.msg
            if goes_on and (mended := _mend(corrected, after, tries)):
                return mended
    return None


def _list_corrections(cell: str, kind: str, at: int) -> list[str]:
    """Return the cell with each possible correction of a mistake, the likeliest first."""
    if kind == "full-width":
        return [cell[:at] + _half_width(cell[at]) + cell[at + 1 :]]
    missing = read_data(*_KINDS).get(kind, {})
    signs, where = missing.get("signs", ""), missing.get("where", "$")
    begin = cell.rfind("\n", 0, at) + 1 if kind == "quote" else at
    places = [place.start() for place in re.compile(where, re.MULTILINE).finditer(cell, begin)]
    edits = [(place, 0, sign) for place in places for sign in signs]
    if kind == "quote":  # one that ends with the other sign
        edits = [(end, 1, cell[at]) for end in range(at, len(cell)) if cell[end] in signs] + edits
    if kind == "bracket":
        edits += [(at, 1, "")]
    return [cell[:place] + put + cell[place + gone :] for place, gone, put in edits]


def _half_width(sign: str) -> str:
    """Return the ASCII character that is meant by a sign of a Japanese keyboard, or ""."""
    plain = _QUOTES.get(sign) or to_half_width(sign)
    return plain if plain.isascii() and len(plain) == 1 else ""


def _find_place(error: SyntaxError, cell: str) -> int:
    before = cell.split("\n")[: (error.lineno or 1) - 1]
    return sum(len(line) + 1 for line in before) + max((error.offset or 1) - 1, 0)
