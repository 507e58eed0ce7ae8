"""Tables as spreadsheets write them, and cells as spreadsheets may read them.

A file is UTF-8 (with or without a mark), UTF-16 or Shift_JIS, its columns parted by commas,
semicolons or tabs.
"""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.grading.model import clean

MOST_BYTES = 5_000_000

_ENCODINGS = ("utf-8-sig", "cp932")
# Spreadsheets in Japanese take the full-width signs for the others (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def rows(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file.

    Raises:
        InvalidInput: It cannot be read.
    """
    text = _text(path)
    first = text.partition("\n")[0]
    try:
        lines = StringIO(text, newline="")
        return list(csv.reader(lines, delimiter=max(",;\t", key=first.count)))
    except csv.Error as error:
        raise _refused(path, str(error)) from error


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = clean(cell)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text


def _text(path: Path) -> str:
    try:
        data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
    except OSError as error:
        reason = error.strerror or str(error)
        advice = messages.advice("grading.csv-missing", path=path, reason=reason)
        raise InvalidInput(*advice) from error
    if data is None:
        raise _refused(path, f"> {MOST_BYTES} bytes")
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else _ENCODINGS
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refused(path, "UTF-8, UTF-16, Shift_JIS: ✘")


def _refused(path: Path, reason: str) -> InvalidInput:
    return InvalidInput(*messages.advice("grading.csv-unreadable", path=path, reason=reason))
