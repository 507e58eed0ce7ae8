"""Tables as spreadsheets and learning platforms write them, and cells that no spreadsheet computes.

A CSV may be UTF-8 (with or without a mark), UTF-16 or Shift_JIS, with commas, semicolons or tabs.
Of an .xlsx the first sheet that has rows is read.  A table can be filled in: its other cells, its
encoding and its separators stay.
"""

from __future__ import annotations

import codecs
import csv
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from handson.core.errors import InvalidInput
from handson.core.files import decode_text
from handson.core.text import one_line, show_invisible

MOST_BYTES = 5_000_000
"""The largest file, and the largest .xlsx when unpacked: a class of 1,000 has 1 MB."""
MOST_ROWS, MOST_COLUMNS = 20_000, 200

Cells = Mapping[tuple[int, int], str | float]
"""What is to stand in a table, by row and column, both counted from 0."""

_WINDOWS = ("Shift_JIS", "cp932")
"""Python's own Shift_JIS lacks letters of Windows."""
_SEPARATORS = ",;\t"
_XLSX = b"PK\3\4"
# Spreadsheets in Japanese take the full-width signs for the others (OWASP, "CSV Injection").
_SIGNS = "=+\\-@＝＋－＠"
_BLANK = '[\\s"]*'
FORMULA = re.compile(f"[\t\r]|{_BLANK}[{_SIGNS}]")
# A spreadsheet that parts cells at another sign than a comma takes a quote within for a letter.
INNER_FORMULA = re.compile(f"([;\t\r\n]{_BLANK})('?)(?=[{_SIGNS}])")


@dataclass(frozen=True)
class Table:
    """The rows of a file, and the file itself with its codec; an .xlsx has a sheet instead."""

    rows: list[list[str]]
    data: bytes
    encoding: str = ""
    separator: str = ","
    sheet: int = 0

    def fill(self, cells: Cells) -> bytes:
        """Return the file with other texts and numbers in some cells; all others stay."""
        if not self.encoding:
            return _fill_workbook(self.data, self.sheet, cells)
        rows = [list(row) for row in self.rows]
        for (row, column), value in cells.items():
            rows[row] += [""] * (column + 1 - len(rows[row]))
            rows[row][column] = escape_formula(format_cell(value))
        text, _ = decode_text(self.data)
        end = re.split("(\r\n?|\n)", f"{text}\n", maxsplit=1)[1]
        # Platforms quote all cells or those that need it; the first shows which.
        quoting = csv.QUOTE_ALL if text.startswith('"') else csv.QUOTE_MINIMAL
        filled = format_rows(rows, delimiter=self.separator, lineterminator=end, quoting=quoting)
        return filled.encode(self.encoding, "replace")


def read_table(path: Path) -> Table:
    """Return the rows of a CSV or .xlsx file.

    Raises:
        InvalidInput: It cannot be read.
    """
    with InvalidInput.replace_os_errors("grading.csv-missing", path=path), path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"> {MOST_BYTES} bytes")
        return _read_workbook(data) if data.startswith(_XLSX) else _read_csv(data)
    except Exception as error:  # openpyxl raises anything from KeyError to SyntaxError
        reason = one_line(" ".join(str(error).split()))
        raise InvalidInput.from_key("grading.csv-unreadable", path=path, reason=reason) from error


def format_rows(rows: Iterable[Sequence[str]], **dialect: Any) -> str:
    """Return rows as CSV with all cells quoted, whatever sign parts them, but for `dialect`."""
    file = StringIO(newline="")
    usual: dict[str, Any] = {"lineterminator": "\n", "quoting": csv.QUOTE_ALL}
    csv.writer(file, **(usual | dialect)).writerows(rows)
    return file.getvalue()


def format_cell(value: object) -> str:
    """Return a cell as people write it: no ".0" behind a number, "" for none."""
    if isinstance(value, float):
        return f"{value:.15g}"
    return "" if value is None else str(value)


def escape_formula(cell: str) -> str:
    """Return a cell of which no spreadsheet takes a part for a formula, and that hides no letters.

    It stands between commas; spreadsheets may part it at semicolons, tabs and line ends, too.
    """
    text = INNER_FORMULA.sub(r"\1'", show_invisible(cell))
    return f"'{text}" if FORMULA.match(text) else text


def unescape_formula(cell: str) -> str:
    """Return the text of a cell as it was before `escape_formula`."""
    own = cell.removeprefix("'")
    return INNER_FORMULA.sub(r"\1", own if FORMULA.match(own) else cell)


def _read_csv(data: bytes) -> Table:
    text, encoding = decode_text(data)
    if not encoding:
        raise ValueError("UTF-8, UTF-16, Shift_JIS: ✘")
    heads = next((line for line in text.splitlines() if re.search(f"[{_SEPARATORS}]", line)), "")
    separator = max(_SEPARATORS, key=heads.count)
    rows = list(csv.reader(StringIO(text.replace("\ufeff", ""), newline=""), delimiter=separator))
    codec = "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else encoding.replace(*_WINDOWS)
    return Table(rows, data, codec, separator)


def _read_workbook(data: bytes) -> Table:
    with ZipFile(BytesIO(data)) as file:  # which reads no member beyond the size that it declares
        if sum(member.file_size for member in file.infolist()) > MOST_BYTES:
            raise ValueError(f"> {MOST_BYTES} bytes")
    book = _open_workbook(data, read_only=True, data_only=True)
    for number, sheet in enumerate(book.worksheets):
        found = sheet.iter_rows(1, MOST_ROWS, 1, MOST_COLUMNS, values_only=True)
        if any(rows := [_read_cells(row) for row in found]):
            return Table(rows, data, sheet=number)
    return Table([], data)


def _read_cells(values: Sequence[object]) -> list[str]:
    """Return the cells of a row without the blank ones at its end."""
    cells = [format_cell(value) for value in values] if any(values) else []
    while cells and not cells[-1]:
        del cells[-1]
    return cells


def _fill_workbook(data: bytes, sheet: int, cells: Cells) -> bytes:
    book = _open_workbook(data)
    for (row, column), value in cells.items():
        cell = book.worksheets[sheet].cell(row + 1, column + 1)
        cell.value = show_invisible(value) if isinstance(value, str) else value
        if isinstance(value, str):
            cell.data_type = "s"  # "=1" is a text, too
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def _open_workbook(data: bytes, **options: bool) -> Any:
    from openpyxl import load_workbook  # takes a tenth of a second

    with warnings.catch_warnings(action="ignore"):  # of styles that it does not know
        return load_workbook(BytesIO(data), **options)
