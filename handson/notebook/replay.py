"""Run the notebooks: in order, each in a fresh kernel, executed copies kept.

The source notebooks are never written.  A notebook that fails is kept as far as it came, and the
ones after it are not run.  What kernels write to their terminal goes to `kernel.log` beside the
copies: it is neither a result nor progress.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from handson.aws.settings import Settings, notebooks_folder
from handson.core import messages
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.course import syllabus
from handson.notebook import saving

_CELL_SECONDS = 1800
_KERNEL = "python3"
_LOG = "kernel.log"

OnCell = Callable[[str, int, int], None]
"""Told of a notebook's name, how many of its code cells are done, and how many it has."""


@dataclass(frozen=True)
class Outcome:
    """What became of one notebook: its executed copy and, where a cell failed, what it said.

    `cell` is the failing cell's id and `error` two lines, problem and remedy; both are empty where
    nothing failed.
    """

    notebook: str
    copy: Path
    cell: str = ""
    error: str = ""

    @property
    def failed(self) -> bool:
        """Tell whether a cell of the notebook raised an error."""
        return bool(self.error)


def find_notebooks(cwd: Path, *, lang: str, optional: bool = False) -> list[Path]:
    """Return the notebooks of an edition, in the syllabus's order.

    Args:
        cwd: Where they are looked for, from there upwards.
        lang: The edition.
        optional: Also return the optional ones, as far as the edition has them.

    Raises:
        NotReady: There are no notebooks here, or none in that language.
    """
    folder = notebooks_folder(cwd) or notebooks_folder(Path(__file__).parent)
    if folder is None:
        raise NotReady(*messages.advice("notebook.replay.no-notebooks", folder=cwd))
    edition = folder / lang
    found = [edition / f"{name}.ipynb" for name in syllabus.NOTEBOOKS]
    missing = [path.name for path in found if not path.is_file()]
    if missing:
        raise NotReady(
            *messages.advice("notebook.replay.no-edition", lang=lang, missing=", ".join(missing))
        )
    names = syllabus.OPTIONAL_NOTEBOOKS if optional else ()
    more = [path for name in names if (path := edition / f"{name}.ipynb").is_file()]
    return sorted([*found, *more])


def run_notebooks(
    settings: Settings, notebooks: list[Path], *, output: Path, on_cell: OnCell
) -> list[Outcome]:
    """Run notebooks one after another and keep executed copies in `output`.

    The file for handing in goes there too, unless the settings name another folder.

    Returns:
        One outcome for each notebook that was begun; the last one may have failed.

    Raises:
        InvalidInput: `output` is where the notebooks themselves are.
        NotReady: `output` cannot be written, or a notebook cannot be read.
        KeyboardInterrupt: Ctrl-C; the running notebook is kept as far as it came, its kernel is
            gone.
    """
    if any(path.parent.resolve() == output.resolve() for path in notebooks):
        raise InvalidInput(*messages.advice("notebook.replay.source", folder=output))
    books = [_Book(path, _read(path), output / path.name) for path in notebooks]
    with _writing(output):
        _prepare(output, books)
    outcomes: list[Outcome] = []
    kept = replace(settings, hand_in=settings.hand_in or output.resolve())
    for book in books:
        outcomes.append(_run(book, kept.as_environment(), on_cell=on_cell))
        if outcomes[-1].failed:
            break
    return outcomes


def keep_pictures(settings: Settings, *, output: Path) -> list[Path]:
    """Copy the pictures that the notebooks drew to `output`, and return the copies.

    Raises:
        NotReady: `output` cannot be written.
    """
    kept = []
    with _writing(output):
        for picture in sorted((settings.home / "pictures").glob("*.svg")):
            copy = output / picture.name
            if copy.resolve() != picture.resolve():
                shutil.copy2(picture, copy)
            kept.append(copy)
    return kept


@dataclass(frozen=True)
class _Book:
    """A notebook in memory, where it came from and where its executed copy goes."""

    source: Path
    node: Any
    copy: Path

    @property
    def log(self) -> Path:
        """Where what the kernels write to their terminal goes."""
        return self.copy.with_name(_LOG)


def _read(path: Path) -> Any:
    """Return a notebook without its outputs: a cell that is not reached shows none of old."""
    import nbformat

    try:
        node = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(node)
    except Exception as error:  # its converters trip over whatever a broken file holds
        reason = type(error).__name__
        raise NotReady(
            *messages.advice("notebook.replay.unreadable", path=path, reason=reason)
        ) from error
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return node


def _prepare(output: Path, books: list[_Book]) -> None:
    """Make the folder, and take out of it what an earlier run left there; the rest stays."""
    output.mkdir(parents=True, exist_ok=True)
    for book in books:
        book.copy.unlink(missing_ok=True)
        book.log.write_bytes(b"")


@contextmanager
def _writing(output: Path) -> Iterator[None]:
    """Turn what the file system refuses into a sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        advice = messages.advice("notebook.replay.output", folder=output, reason=reason)
        raise NotReady(*advice) from error


def _run(book: _Book, environment: Mapping[str, str], *, on_cell: OnCell) -> Outcome:
    import nbformat

    counter = _Counter(book, on_cell)
    try:
        error = _executed(book, counter, environment)
    finally:
        saving.without_views(book.node)
        with _writing(book.copy.parent):
            nbformat.write(book.node, book.copy)  # type: ignore[no-untyped-call]
    name = book.source.stem
    return Outcome(name, book.copy, cell=counter.current if error else "", error=error)


def _executed(book: _Book, counter: _Counter, environment: Mapping[str, str]) -> str:
    """Run all cells; return what went wrong, as two lines, or an empty string."""
    import asyncio

    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    client = NotebookClient(
        book.node,
        timeout=_CELL_SECONDS,
        kernel_name=_KERNEL,
        resources={"metadata": {"path": str(book.source.parent)}},
        on_cell_start=counter.start,
        on_cell_executed=counter.executed,
        store_widget_state=False,  # without the views it would describe nothing
        shutdown_kernel="immediate",
    )
    error = ""
    try:
        with book.log.open("ab") as log:
            asyncio.run(_execute(client, env=dict(environment), stdout=log, stderr=log))
    except CellExecutionError as failure:
        error = _last_words(book, counter.current) or _told("notebook.replay.cell", book, failure)
    except CellTimeoutError:
        error = _told("notebook.replay.too-long", book, _CELL_SECONDS // 60)
    except (DeadKernelError, RuntimeError) as failure:
        error = _told("notebook.replay.kernel", book, failure)
    if counter.interrupted:
        raise KeyboardInterrupt
    return error


async def _execute(client: Any, **options: Any) -> None:
    """Run all cells in a kernel of their own; whatever happens, the kernel is gone afterwards.

    The kernel is started here, where asyncio answers Ctrl-C; while cells run, `_Counter` does, in
    the place of nbclient, which would report a kernel that died.
    """
    client.km = manager = client.create_kernel_manager()
    try:
        await client.async_start_new_kernel(**options)
        await client.async_start_new_kernel_client()
        await client.async_execute()
    finally:
        if manager.has_kernel:
            await manager.shutdown_kernel(now=True)


class _Counter:
    """Counts the code cells that are done, and remembers which one is running."""

    def __init__(self, book: _Book, on_cell: OnCell) -> None:
        self._name = book.source.stem
        self._total = len(list(_numbered(book)))
        self._done = 0
        self._on_cell = on_cell
        self._task: Any = None
        self.current = next((_id(cell, index) for index, cell in _numbered(book)), "")
        self.interrupted = False
        self._on_cell(self._name, 0, self._total)

    def start(self, cell: Any, cell_index: int) -> None:
        """Take note of the cell that is about to run, and of Ctrl-C from now on."""
        import asyncio

        if not _runs(cell):
            return
        self.current = _id(cell, cell_index)
        self._task = asyncio.current_task()
        # Windows has no such handlers; there asyncio.run answers Ctrl-C by itself.
        with suppress(RuntimeError):
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, self._interrupt)
        if self.interrupted:
            self._interrupt()

    def executed(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        """Count a cell that ran to its end."""
        self._task = None
        if execute_reply["content"]["status"] == "ok" or "raises-exception" in _tags(cell):
            self._done += 1
            self._on_cell(self._name, self._done, self._total)

    def _interrupt(self) -> None:
        """Break off the running cell; between cells, the next one (a kernel may be ending)."""
        self.interrupted = True
        if self._task is not None:
            self._task.cancel()


def _numbered(book: _Book) -> Iterator[tuple[int, Any]]:
    return ((index, cell) for index, cell in enumerate(book.node.cells) if _runs(cell))


def _id(cell: Any, index: int) -> str:
    return str(cell.get("id", index))


def _runs(cell: Any) -> bool:
    return bool(cell.cell_type == "code" and cell.source.strip())


def _tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", ()))


def _last_words(book: _Book, cell_id: str) -> str:
    """Return what the failing cell's error says: our own two lines, or problem and remedy."""
    for index, cell in _numbered(book):
        if _id(cell, index) != cell_id:
            continue
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                own = len(output.traceback) == 2 and output.traceback[0].startswith("✗")
                said = f"{output.ename}: {output.evalue}"
                return (
                    "\n".join(output.traceback)
                    if own
                    else _told("notebook.replay.cell", book, said)
                )
    return ""


def _told(key: str, book: _Book, reason: object) -> str:
    advice = messages.advice(key, reason=reason, copy=book.copy, log=book.log)
    return str(HandsonError(*advice))
