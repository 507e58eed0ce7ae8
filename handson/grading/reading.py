"""From the bytes of a notebook to the parts that grading reads, quickly, whatever the bytes are.

Most notebooks are decoded straight into the structs below; pictures and texts of outputs are left
undecoded.  A notebook that does not fit (text in another encoding, half characters, a cell of a
wrong type) is read again by the standard library, and its sound cells are kept.  Nothing in a
notebook is executed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from handson.course.evidence import METADATA_KEY
from handson.drawing.picture import EMBEDDED, find_svg
from handson.grading import export_names, handout
from handson.grading.archives import Refused
from handson.grading.model import replace_surrogates

PICTURE = "image/svg+xml"


class _Graded(msgspec.Struct):
    grade_id: str = ""


class _CellMetadata(msgspec.Struct):
    nbgrader: _Graded | None = None
    id: str = ""


class _OutputMetadata(msgspec.Struct, rename={"record": METADATA_KEY}):
    record: msgspec.Raw = msgspec.Raw()


class _Data(msgspec.Struct, rename={"text": "text/plain", "html": "text/html", "picture": PICTURE}):
    text: msgspec.Raw = msgspec.Raw()
    html: msgspec.Raw = msgspec.Raw()
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
        """The plain text of the output."""
        return _decode_text(self.data.text) if self.data is not None else ""

    @property
    def picture(self) -> str:
        """The drawing as SVG, or ""; notebooks of earlier versions hold it as SVG, not in HTML."""
        if self.data is None:
            return ""
        return _decode_text(self.data.picture) or find_svg(_decode_text(self.data.html))

    @property
    def has_picture(self) -> bool:
        """It holds a drawing."""
        if self.data is None:
            return False
        return len(bytes(self.data.picture)) > 2 or EMBEDDED.encode() in bytes(self.data.html)


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
        return _join(self.source)

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
        name: The notebook of the workshop that it is.
        where: Its path within the submission.
        modified: The time of the file, as ISO 8601 in UTC, or "".
        cells: The cells that could be read.
        lost: The number of cells that could not.
        repeated: Names that stand twice in one JSON object; another reader may take the other.
    """

    name: str
    where: str
    modified: str
    cells: tuple[Cell, ...]
    lost: int = 0
    repeated: tuple[str, ...] = ()

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
        where: Its path, whose name says which notebook it is; otherwise its cells do.
        modified: The time of the file.

    Raises:
        Refused: It is not a notebook, has another format, or belongs to another course.
    """
    try:
        file, lost = _decoder.decode(data), 0
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        file, lost = _salvage(data)
    if file.nbformat != 4:
        raise Refused("file-format", version=str(file.nbformat)[:20])
    cells = tuple(file.cells)
    name = export_names.find_notebook(where.rpartition("/")[2]) or _name_by_cells(cells)
    if not name:
        raise Refused("file-foreign")
    return Notebook(name, where, modified, cells, lost, tuple(find_repeated_cells(data)))


def find_repeated_cells(data: bytes) -> list[str]:
    """Return "cells" where a notebook has two such lists, of which one may hide something."""
    # A quotation mark within a text has a backslash before it, so these are names or whole texts.
    if data.count(b'"cells"') < 2:
        return []
    repeated: list[str] = []
    load_json(data, repeated)
    return [name for name in repeated if name == "cells"]


def load_json(data: bytes, repeated: list[str] | None = None) -> Any:
    """Return JSON as the standard library reads it, which is more tolerant than msgspec.

    Args:
        data: The JSON.
        repeated: Takes the names that stand twice in one object.

    Raises:
        ValueError: It is not JSON.
        RecursionError: It is nested too deep.
    """

    def to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(pairs)
        if repeated is not None and len(read) < len(pairs):
            counted = Counter(name for name, _ in pairs)
            repeated.extend(name for name, count in counted.items() if count > 1)
        return read

    return json.loads(data, object_pairs_hook=to_object if repeated is not None else None)


def _salvage(data: bytes) -> tuple[_File, int]:
    """Return the sound cells of a notebook that does not fit, and the number of the others."""
    try:
        read = load_json(data)
    except RecursionError as error:
        raise Refused("file-deep") from error
    except ValueError as error:
        raise Refused("file-not-json", reason=replace_surrogates(str(error))[:120]) from error
    if not isinstance(read, dict) or not isinstance(read.get("cells"), list):
        raise Refused("file-no-cells")
    version = read.get("nbformat", 4)
    cells = [cell for cell in map(_salvage_cell, read["cells"]) if cell is not None]
    lost = len(read["cells"]) - len(cells)
    return _File(cells, version if isinstance(version, int) else -1), lost


def _salvage_cell(cell: object) -> Cell | None:
    # Without its outputs the cell may fit: an answer is not lost with a broken picture.
    for tried in [cell, {**cell, "outputs": []}] if isinstance(cell, dict) else []:
        try:
            text = json.dumps(tried, ensure_ascii=False, allow_nan=False)
            return msgspec.json.decode(replace_surrogates(text).encode("utf-8"), type=Cell)
        except (ValueError, RecursionError):
            continue
    return None


def _name_by_cells(cells: tuple[Cell, ...]) -> str:
    """Return the notebook that most of the known cells belong to, or ""."""
    known = handout.notebook_of_cell()
    owners = [known[cell.name] for cell in cells if cell.name in known]
    return max(set(owners), key=owners.count) if owners else ""


def _decode_text(raw: msgspec.Raw) -> str:
    try:
        return _join(msgspec.json.decode(raw)) if bytes(raw) else ""
    except (ValueError, RecursionError):
        return ""


def _join(source: object) -> str:
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""
