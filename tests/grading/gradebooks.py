"""Exports of learning platforms, written as the platforms do; gradebooks.toml has their texts."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook

TEXTS: dict[str, str] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
EXPORTS = [*TEXTS, "manaba.xlsx"]
_MARKED = ("moodle-worksheet-ja.csv", "canvas.csv")
_WINDOWS = ("webclass.csv", "manaba.csv")

HANAKO, JOHN = ("2026001", "山田 花子"), ("2026002", "John Smith")
LEARNERS = {name: [HANAKO, JOHN] for name in EXPORTS} | {
    "google.csv": [(f"{number}@example.ac.jp", name) for number, name in (HANAKO, JOHN)]
}
ALIASES = {
    "moodle-worksheet-ja.csv": ("参加者4001", "4001", "HANAKO-Y", "hanako-y@example.ac.jp"),
    "canvas.csv": ("hanako-y", "9001", "花子 山田"),
    "google.csv": ("2026001",),
    "github.csv": ("hanako-y", "5550000"),
    "sakai.csv": ("hanako-y",),
    "manaba.xlsx": ("00202600195", "2026001@00202600195"),
}
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    '<row r="1"><c t="inlineStr"><is><t>learner</t></is></c></row></sheetData></worksheet>'
)


def write(folder: Path, name: str) -> Path:
    """Write an export as its platform does."""
    path = folder / name
    if name.endswith(".xlsx"):
        rows = csv.reader(StringIO(TEXTS[name.replace(".xlsx", ".csv")]))
        path.write_bytes(make_workbook(rows))
    elif name in _WINDOWS:
        path.write_bytes(TEXTS[name].replace("\n", "\r\n").encode("cp932"))
    else:
        path.write_bytes(TEXTS[name].encode("utf-8-sig" if name in _MARKED else "utf-8"))
    return path


def make_workbook(rows: Iterable[Sequence[str | float | None]]) -> bytes:
    """Return an .xlsx; short digits become numbers, and no text becomes a formula."""
    book = Workbook()
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            cell = book.worksheets[0].cell(number, column)
            short = isinstance(value, str) and value.isdecimal() and len(value) < 4
            cell.value = int(value) if short else value or None
            cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
    book.create_sheet("other")
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def replace_sheet(workbook: bytes, sheet: str) -> bytes:
    """Return a workbook with other XML as its sheet."""
    target = BytesIO()
    with ZipFile(BytesIO(workbook)) as before, ZipFile(target, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            own = before.read(name)
            after.writestr(name, sheet if name.endswith("sheet1.xml") else own)
    return target.getvalue()
