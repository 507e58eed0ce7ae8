"""Notebooks as learners hand them in, and the notebooks as the course handed them out.

Most notebooks are decoded straight into the structs below; pictures and texts of outputs are left
undecoded.  A notebook that does not fit (text in another encoding, half characters, a cell of a
wrong type) is read again by the standard library, and its sound cells are kept.  Nothing in a
notebook is executed.

Missing, repeated and moved cells need a person's eye only where a cell seals evidence or holds an
answer.  Learners may add cells, and optional notebooks may look as they like.

`tools/course.py` writes `handout.json` from the committed notebooks, and a test compares the two,
so that a class can be graded without them.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any

import msgspec

from handson.core.text import replace_surrogates
from handson.course import syllabus
from handson.course.evidence import METADATA_KEY
from handson.drawing.svg_document import EMBEDDED, find_svg
from handson.grading.archives import MOST_BYTES, Refused, refuse_too_large
from handson.grading.export_names import find_notebook
from handson.grading.findings import Finding, Severity, make_finding

MARKED = (*syllabus.QUESTIONS, syllabus.DIAGRAM)
"""What people mark."""
STUBS = "YOUR ANSWER HERE\n# YOUR CODE HERE\nraise NotImplementedError()\n"
"""The lines that nbgrader puts in place of a solution."""

MOST_CELLS = 10_000
"""Cells and outputs of a notebook; the workshop's own have fewer than 100."""
MOST_VALUES = 400_000
"""Values that the standard library builds of a file, each of up to 250 bytes of memory."""

_PICTURE = re.compile(rb'([",])[A-Za-z0-9+/=]{50000,}+')
_LEARNER = re.compile(rb'"learner":\s*"([^"\\\x00-\x1f]++)"')
_LONGEST_TEXT = 2_000_000
"""The longest text of an output that is decoded, in bytes."""
SCORED = {each.notebook for each in syllabus.CHECKS} | {each.notebook for each in MARKED}


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """The texts that the course handed out in one language.

    Attributes:
        answers: By `grade_id`, the source that the learner starts from.
        prose: The source of every Markdown cell.
    """

    answers: dict[str, str]
    prose: tuple[str, ...]


class Handout(msgspec.Struct, frozen=True, kw_only=True):
    """The notebooks that the course handed out; their cells are the same in every language.

    Attributes:
        notebooks: By notebook, the ids of its cells in order.
        code: The ids of the code cells.
        evidence: By cell id, the check whose evidence the cell seals.
        editions: The texts in each language.
    """

    notebooks: dict[str, tuple[str, ...]]
    code: tuple[str, ...]
    evidence: dict[str, str]
    editions: tuple[Edition, ...]


class _Nbgrader(msgspec.Struct, frozen=True):
    grade_id: str = ""


class _CellMetadata(msgspec.Struct, frozen=True):
    nbgrader: _Nbgrader | None = None
    id: str = ""


class _OutputMetadata(msgspec.Struct, frozen=True, rename={"record": METADATA_KEY}):
    record: msgspec.Raw = msgspec.Raw()


class _Data(
    msgspec.Struct,
    frozen=True,
    rename={"text": "text/plain", "html": "text/html", "picture": "image/svg+xml"},
):
    text: msgspec.Raw = msgspec.Raw()
    html: msgspec.Raw = msgspec.Raw()
    picture: msgspec.Raw = msgspec.Raw()


class Output(msgspec.Struct):
    """An output, with the record in its metadata as it was written, and the text of its card.

    nbformat forbids null for metadata and data, but other tools write it.
    """

    metadata: _OutputMetadata | None = None
    data: _Data | None = None

    @property
    def record(self) -> bytes:
        """The evidence record as JSON, or nothing."""
        return bytes(self.metadata.record) if self.metadata else b""

    @property
    def text(self) -> str:
        """The plain text of the output."""
        return _decode_text(self.data.text) if self.data else ""

    @property
    def picture(self) -> str:
        """The drawing as SVG, or ""; notebooks of earlier versions hold it as SVG, not in HTML."""
        data = self.data or _Data()
        return _decode_text(data.picture) or find_svg(_decode_text(data.html))

    @property
    def has_picture(self) -> bool:
        """It holds a drawing."""
        data = self.data or _Data()
        # Two bytes are the quotation marks of an empty text.
        return len(bytes(data.picture)) > 2 or EMBEDDED.encode() in bytes(data.html)


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
        return _join_lines(self.source)

    @property
    def name(self) -> str:
        """Its id; Colab keeps it in the metadata."""
        return self.id or (self.metadata.id if self.metadata else "")

    @property
    def grade_id(self) -> str:
        """The nbgrader id, or "" when the cell has none."""
        graded = self.metadata and self.metadata.nbgrader
        return graded.grade_id if graded else ""


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
        has_twins: It holds two lists of cells; another reader may take the other.
    """

    name: str
    where: str
    modified: str
    cells: tuple[Cell, ...]
    lost: int = 0
    has_twins: bool = False

    def records(self) -> Iterator[tuple[str, bytes]]:
        """Yield each evidence record with the place of its cell, in order."""
        for cell in self.cells:
            for output in cell.outputs:
                if output.record:
                    yield self.locate(cell), output.record

    def locate(self, cell: Cell) -> str:
        """Return the place of a cell, for people: the path and the cell's id."""
        return f"{self.where}#{cell.name}" if cell.name else self.where


_decoder = msgspec.json.Decoder(_File)


def find_learners(data: bytes) -> set[str]:
    """Return the names that the evidence in a notebook or journal bears, without reading it whole.

    Only the first are looked at, and a name with an escaped letter is left out.
    """
    return {each[1].decode("utf-8", "replace") for each in islice(_LEARNER.finditer(data), 50)}


@cache
def load_handout() -> Handout:
    """Return the notebooks that the course handed out."""
    data = files("handson.grading").joinpath("handout.json").read_bytes()
    return msgspec.json.decode(data, type=Handout)


def read_notebook(data: bytes, *, where: str, modified: str = "") -> Notebook:
    """Return a notebook of the workshop.

    Args:
        data: The bytes of the file.
        where: Its path, whose name says which notebook it is; otherwise its cells do.
        modified: The time of the file.

    Raises:
        Refused: It is not a notebook, has another format, or belongs to another course; it is too
            large without its pictures, or has too many cells.
    """
    data = _PICTURE.sub(rb"\1", data) if len(data) > MOST_BYTES else data
    if len(data) > MOST_BYTES:
        raise refuse_too_large(MOST_BYTES)
    try:
        file, lost = _decoder.decode(data), 0
    except (ValueError, RecursionError):
        file, lost = _salvage(data)
    if len(file.cells) + sum(len(cell.outputs) for cell in file.cells) > MOST_CELLS:
        raise Refused("file-overfull")
    if file.nbformat != 4:
        raise Refused("file-format", version=str(file.nbformat)[:20])
    name = find_notebook(where.rpartition("/")[2]) or _name_by_cells(file.cells)
    if not name:
        raise Refused("file-foreign")
    # One of two lists of cells may hide something.  A quotation mark within a text has a backslash
    # before it, so these are names or whole texts.
    is_suspect = data.count(b'"cells"') > 1 and "cells" in load_json(data)[1]
    return Notebook(name, where, modified, tuple(file.cells), lost, is_suspect)


def compare_cells(notebooks: Sequence[Notebook], earned: Iterable[str] = ()) -> Iterator[Finding]:
    """Yield what differs from the notebooks that were handed out.

    Without its notebook, a check that earned points has them from the journal alone.
    """
    missing = {*syllabus.NOTEBOOKS} - {notebook.name for notebook in notebooks}
    if alone := [check for check in earned if syllabus.find_check(check).notebook in missing]:
        yield make_finding("journal-alone", checks=", ".join(alone))
    needed: dict[Severity, set[str]] = {"warning": missing & SCORED, "note": missing - SCORED}
    for severity, named in needed.items():
        if named:
            yield make_finding("notebook-missing", severity, notebooks=", ".join(sorted(named)))
    for notebook in notebooks:
        if notebook.name not in syllabus.OPTIONAL_NOTEBOOKS:
            yield from _compare_notebook(notebook)


def find_moved_cells(own: Sequence[str], given: Sequence[str]) -> list[str]:
    """Return the fewest cells that, moved, put all of them into the given order."""
    place = {name: at for at, name in enumerate(given)}
    longest: list[list[str]] = []  # by length, the cells in order whose last one comes first
    for name in own:
        at = bisect_left(longest, place[name], key=lambda run: place[run[-1]])
        longest[at : at + 1] = [[*(longest[at - 1] if at else ()), name]]
    staying = {*longest[-1]} if longest else set()
    return [name for name in own if name not in staying]


def count_values(data: bytes) -> int:
    """Return how many values a JSON text has at most, without building them."""
    return 1 + sum(map(data.count, (b"{", b"[", b",")))


def load_json(data: bytes) -> tuple[Any, list[str]]:
    """Return the value of a JSON text as Jupyter reads it, and the names that an object has twice.

    Raises:
        Refused: It has more than `MOST_VALUES` values.
        ValueError: It is not JSON.
        RecursionError: It is nested too deep.
    """
    repeated: list[str] = []

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) < len(pairs):
            repeated.extend(Counter(name for name, _ in pairs) - Counter([*built]))
        return built

    if count_values(data) > MOST_VALUES:
        raise Refused("file-overfull")
    return json.loads(data, object_pairs_hook=build), repeated


def _compare_notebook(notebook: Notebook) -> Iterator[Finding]:
    course, where = load_handout(), notebook.where
    given = course.notebooks[notebook.name]
    counted = Counter(cell.name for cell in notebook.cells if cell.name in set(given))
    if not counted:
        yield make_finding("cells-unknown", "note", where=where)
        return
    important = {*course.evidence, *(item.grade_id for item in MARKED)}
    for code, names, needs_review in (
        ("cells-missing", [name for name in given if name not in counted], important),
        ("cells-twice", [name for name, count in counted.items() if count > 1], important),
        ("cells-moved", find_moved_cells([*counted], given), {*important, *course.code}),
    ):
        if names:
            severity: Severity = "warning" if needs_review.intersection(names) else "note"
            yield make_finding(code, severity, where=where, cells=names, count=len(names))
    if notebook.lost:
        yield make_finding("cells-broken", where=where, count=notebook.lost)


def _salvage(data: bytes) -> tuple[_File, int]:
    """Return the sound cells of a notebook that does not fit, and the number of the others."""
    try:
        read, _ = load_json(data)
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


def _name_by_cells(cells: list[Cell]) -> str:
    """Return the notebook that most of the known cells belong to, or ""."""
    own = {cell.name for cell in cells}
    known = {name: len(own.intersection(ids)) for name, ids in load_handout().notebooks.items()}
    name = max(known, key=lambda each: known[each])
    return name if known[name] else ""


def _decode_text(raw: msgspec.Raw) -> str:
    try:
        is_fit = 0 < len(memoryview(raw)) <= _LONGEST_TEXT
        return _join_lines(msgspec.json.decode(raw)) if is_fit else ""
    except (ValueError, RecursionError):
        return ""


def _join_lines(source: object) -> str:
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""
