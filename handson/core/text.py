"""Text from outside, made fit for a sentence: short, on one line, corrected where it can be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar
from unicodedata import category, normalize

from handson.core import messages
from handson.core.errors import InvalidInput

K = TypeVar("K")
V = TypeVar("V")

_LONGEST_QUOTE = 60
_LONGEST_LINE = 120
_LONGEST_NAME = 256  # as long as a name of ECR may be
_MOST_LETTERS = 8
# The patterns of rare letters are compiled at their first use, which takes milliseconds.
_FULL_WIDTH = "[\uff01-\uff5e\u3000\u2018-\u201f\u2010-\u2015\u2212\u30fc\u3001\u3002\u30fb]+"
"""Letters that a Japanese keyboard or a word processor writes in place of ASCII."""
_INVISIBLE = (
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
"""Control characters, and what Unicode lets nobody see (Default_Ignorable_Code_Point,
and the empty Braille pattern)."""
_EMOJI = "\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_NEEDED = (
    "(?<=[\u0600-\u10ff\u1200-\u1cff])[\u180b-\u180f\u200b-\u200d]"  # Persian, Hindi, Thai …
    f"|(?<=[#*0-9\xa9\xae{_EMOJI}])[\ufe0e\ufe0f]\u200d?|(?<=[{_EMOJI}])\u200d"
    "|(?<=[\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
    "[\ufe00-\ufe02\U000e0100-\U000e01ef]"  # a variant of an ideograph, as names have it
    "|(?<=\U0001f3f4)\U000e0067\U000e0062[\U000e0061-\U000e007a]{3}\U000e007f"  # a flag
)
"""Those that belong to the letter before them."""
_ASCII = str.maketrans("‐‑‒–—―−ー、。・", "--------,./", "“”„‟‘’‚‛\"'")


def find_nearest(name: str, choices: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the choice that is spelled most like a name, or None if none is similar.

    Capitals do not count, and ``_`` equals ``-``.
    """
    from difflib import get_close_matches  # takes longer than all else here

    folded = {_fold(choice): choice for choice in reversed(list(choices))}
    found = get_close_matches(_fold(name), folded, n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def check_choice(key: str, name: object, choices: Iterable[str], **values: object) -> str:
    """Return a name that is one of the choices.

    Args:
        key: The key of the sentences of a refusal; they may use `name`, `choices`, and `near`, the
            choice that is spelled most like the name.
        name: What was typed.
        choices: The names that exist.
        values: The other placeholders of the sentences.

    Raises:
        InvalidInput: It is none of them.
    """
    listed = list(choices)
    if isinstance(name, str) and name in listed:
        return name
    near = find_nearest(str(name), listed) or listed[0]
    values |= {"name": quote(name), "choices": ", ".join(listed), "near": near}
    raise InvalidInput(*messages.advice(key, **values), key=key)


def advise_half_width(text: str) -> str | None:
    """Name the full-width letters in a text that has to be ASCII, and give the corrected text.

    Return None if there are none, or if the text is not ASCII without them either.
    """
    mended = to_half_width(text).strip()
    found = list(dict.fromkeys(re.findall(_FULL_WIDTH, text)))
    if not (found and mended and mended.isascii()):
        return None
    space = messages.text("core.text.full-width-space")
    letters = ", ".join(space if part.isspace() else part for part in found[:_MOST_LETTERS])
    mended = mended[: 2 * _LONGEST_QUOTE]
    return messages.text("core.text.full-width", signs=letters, mended=mended)


def to_half_width(text: str) -> str:
    """Return a text with plain ASCII in the place of full-width letters and signs."""
    return normalize("NFKC", text).translate(_ASCII)


def quote(value: object) -> str:
    """Return a value in quotes, on one line and at most 60 letters long."""
    try:
        text = repr(value[: _LONGEST_QUOTE + 1] if isinstance(value, str) else value)
    except (ValueError, RecursionError):  # it holds an integer of thousands of digits, or itself
        text = type(value).__name__
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"


def one_line(text: str, *, longest: int = _LONGEST_LINE) -> str:
    """Return a text on one line, shortened; control characters become replacement characters."""
    return replace_controls(text if len(text) <= longest else f"{text[:longest]}…")


def replace_controls(text: str, *, keep: str = "") -> str:
    """Return a text that a terminal takes for nothing but text, with its spaces and `keep`.

    Control, format and direction characters become replacement characters.
    """
    if text.isprintable():  # grading asks for 100 texts a submission, nearly all of which are
        return text
    return "".join(
        letter if letter.isprintable() or letter in keep or category(letter) == "Zs" else "�"
        for letter in text
    )


def replace_surrogates(text: str) -> str:
    """Return a text that UTF-8 can carry: half a character becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def find_invisible(text: str) -> str:
    """Return the letters of a text that nobody sees and that no script or emoji needs."""
    return "".join(run[0] for run in re.finditer(_INVISIBLE, text) if not _is_needed(run))


def show_invisible(text: str) -> str:
    """Return a text with the letters of `find_invisible` as their numbers: ``[U+200B U+E0041]``.

    UTF-8 can carry it: half a character becomes U+FFFD.
    """

    def show(run: re.Match[str]) -> str:
        if _is_needed(run):
            return run[0]
        return f"[{' '.join(f'U+{ord(letter):04X}' for letter in run[0])}]"

    return re.sub(_INVISIBLE, show, replace_surrogates(text))


def list_briefly(texts: Sequence[str], *, most: int = 12) -> str:
    """Return the first texts on one line, and the number of all if there are more."""
    listed = ", ".join(one_line(text) for text in texts[:most])
    return listed if len(texts) <= most else f"{listed}, … ({len(texts)})"


def map_texts(value: Any, change: Callable[[str], Any]) -> Any:
    """Return a JSON value with each of its texts changed, but for the keys of objects."""
    return map_leaves(value, lambda leaf: change(leaf) if isinstance(leaf, str) else leaf)


def map_leaves(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a JSON value with everything changed that is neither an object nor an array."""
    if isinstance(value, Mapping):
        return {key: map_leaves(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [map_leaves(item, change) for item in value]
    return change(value)


def write_call(function: str, *values: Any, **arguments: Any) -> str:
    """Return a call as code for a cell; a stranger's text in it becomes one short line."""
    shorten = partial(one_line, longest=_LONGEST_NAME)
    given = [write_literal(it) for it in map_texts(values, shorten)]
    given += [f"{name}={write_literal(it)}" for name, it in map_texts(arguments, shorten).items()]
    return f"{function}({', '.join(given)})"


def write_literal(value: Any) -> str:
    """Return a JSON value as Python code, its texts in the quotes that the notebooks use."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        items = (f"{write_literal(key)}: {write_literal(item)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(write_literal, value))}]"
    return repr(value)


def fold_name(name: str) -> str:
    """Return a name without the differences of width, case and spaces."""
    return re.sub(r"\s", "", normalize("NFKC", name)).casefold()


def group_pairs(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Return the values of each key, keys and values in the order of the pairs."""
    grouped: dict[K, list[V]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    return grouped


def pick_fields(holder: object, names: str) -> dict[str, Any]:
    """Return the attributes with these names, which spaces part."""
    return {name: getattr(holder, name) for name in names.split()}


def cut_to_columns(line: str, columns: int) -> str:
    """Return a line shortened to a number of terminal columns; wide letters take two."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(line) <= columns:
        return line
    return f"{set_cell_size(line, columns - 2).rstrip()}…"  # which may be wide, too


def _is_needed(run: re.Match[str]) -> bool:
    return re.compile(_NEEDED).fullmatch(run.string, *run.span()) is not None


def _fold(name: str) -> str:
    return name[:256].casefold().replace("_", "-")
