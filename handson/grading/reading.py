"""From bytes to what grading needs of a notebook, quickly, whatever the bytes are.

Most notebooks are read straight into the structs below; pictures and texts of outputs are passed
over.  One that does not fit (text in another encoding, half characters, a cell of a wrong type) is
read again by the standard library, and what fits of it is kept.  Nothing in a notebook is executed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from handson.course.evidence import METADATA_KEY
from handson.grading import handout, names
from handson.grading.model import clean
from handson.grading.trees import Refused

PICTURE = "image/svg+xml"


class _Graded(msgspec.Struct):
    grade_id: str = ""


class _CellMetadata(msgspec.Struct):
    nbgrader: _Graded | None = None
    id: str = ""


class _OutputMetadata(msgspec.Struct, rename={"record": METADATA_KEY}):
    record: msgspec.Raw = msgspec.Raw()


class _Data(msgspec.Struct, rename={"text": "text/plain", "picture": PICTURE}):
    text: msgspec.Raw = msgspec.Raw()
    picture: msgspec.Raw = msgspec.Raw()


class Output(msgspec.Struct):
    """An output, with the record in its metadata as it was written, and the text of its card."""

    metadata: _OutputMetadata | None = None
    data: _Data | None = None

    @property
    def record(self) -> bytes:
        """The evidence record as JSON, or nothing."""
        return bytes(self.metadata.record) if self.metadata is not None else b""

    @property
    def text(self) -> str:
        """What the output says as plain text."""
        return _joined(_decoded(self.data.text)) if self.data is not None else ""

    @property
    def picture(self) -> str:
        """The drawing as SVG, or ""."""
        return _joined(_decoded(self.data.picture)) if self.data is not None else ""

    @property
    def has_picture(self) -> bool:
        """It holds a drawing."""
        return self.data is not None and len(bytes(self.data.picture)) > 2


class Cell(msgspec.Struct):
    """A cell; `source` is a text, or the list of its lines."""

    cell_type: str = ""
    id: str = ""
    source: str | list[str] = ""
    metadata: _CellMetadata | None = None
    outputs: list[Output] = []

    @property
    def text(self) -> str:
        """Its source as one text."""
        return _joined(self.source)

    @property
    def name(self) -> str:
        """Its id; Colab keeps it in the metadata."""
        return self.id or (self.metadata.id if self.metadata is not None else "")

    @property
    def grade_id(self) -> str:
        """The nbgrader id, or "" when the cell has none."""
        graded = self.metadata.nbgrader if self.metadata is not None else None
        return graded.grade_id if graded is not None else ""


class _File(msgspec.Struct):
    cells: list[Cell]
    nbformat: int = 4


@dataclass(frozen=True)
class Notebook:
    """A notebook that was handed in.

    Attributes:
        name: Which of the workshop's it is.
        where: Its path within the submission.
        modified: When the file was written, as ISO 8601 in UTC, or "".
        cells: Those that could be read.
        lost: How many could not.
        twins: Names that stand twice in one JSON object, where only one reading is possible.
    """

    name: str
    where: str
    modified: str
    cells: tuple[Cell, ...]
    lost: int = 0
    twins: tuple[str, ...] = ()

    def records(self) -> Iterator[tuple[Cell, bytes]]:
        """Yield each evidence record with its cell, in order."""
        for cell in self.cells:
            for output in cell.outputs:
                if output.record:
                    yield cell, output.record


_decoder = msgspec.json.Decoder(_File)


def read_notebook(data: bytes, *, where: str, modified: str = "") -> Notebook:
    """Return a notebook of the workshop.

    Args:
        data: The bytes of the file.
        where: Its path, whose name tells which notebook it is; else its cells do.
        modified: When the file was written.

    Raises:
        Refused: It is no notebook, of another format, or none of the workshop's.
    """
    try:
        file, lost = _decoder.decode(data), 0
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        file, lost = _salvaged(data)
    if file.nbformat != 4:
        raise Refused("file-format", version=str(file.nbformat)[:20])
    cells = tuple(file.cells)
    name = names.notebook(where.rpartition("/")[2]) or _by_cells(cells)
    if not name:
        raise Refused("file-foreign")
    return Notebook(name, where, modified, cells, lost, tuple(twins(data)))


def twins(data: bytes) -> list[str]:
    """Return the names that may hide something because they stand twice in one object."""
    # A quotation mark within a text has a backslash before it, so these are names or whole texts.
    if data.count(b'"cells"') < 2:
        return []
    found: list[str] = []
    load(data, found)
    return [name for name in found if name == "cells"]


def load(data: bytes, twice: list[str] | None = None) -> Any:
    """Return JSON as the standard library reads it; names that stand twice are added to `twice`.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deep.
    """

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(items)
        if twice is not None and len(read) < len(items):
            counted = Counter(name for name, _ in items)
            twice.extend(name for name, count in counted.items() if count > 1)
        return read

    return json.loads(data, object_pairs_hook=pairs if twice is not None else None)


def _salvaged(data: bytes) -> tuple[_File, int]:
    """Return what can be read of a notebook that does not fit, and how many cells cannot."""
    try:
        read = load(data)
    except RecursionError as error:
        raise Refused("file-deep") from error
    except ValueError as error:
        raise Refused("file-not-json", reason=clean(str(error))[:120]) from error
    if not isinstance(read, dict) or not isinstance(read.get("cells"), list):
        raise Refused("file-no-cells")
    version = read.get("nbformat", 4)
    cells = [_salvaged_cell(cell) for cell in read["cells"]]
    kept = [cell for cell in cells if cell is not None]
    return _File(kept, version if isinstance(version, int) else -1), len(cells) - len(kept)


def _salvaged_cell(cell: object) -> Cell | None:
    try:
        return msgspec.json.decode(_carried(cell), type=Cell)
    except (ValueError, RecursionError):
        pass
    if not isinstance(cell, dict):
        return None
    # Without its outputs the cell may fit: an answer is not lost with a broken picture.
    try:
        return msgspec.json.decode(_carried({**cell, "outputs": []}), type=Cell)
    except (ValueError, RecursionError):
        return None


def _carried(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return clean(text).encode("utf-8")


def _by_cells(cells: tuple[Cell, ...]) -> str:
    """Return the notebook whose cells these are, if most of those that are known are of one."""
    known = handout.notebook_of_cell()
    owners = [known[cell.name] for cell in cells if cell.name in known]
    return max(set(owners), key=owners.count) if owners else ""


def _decoded(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw) if bytes(raw) else ""
    except (ValueError, RecursionError):
        return ""


def _joined(source: object) -> str:
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""
