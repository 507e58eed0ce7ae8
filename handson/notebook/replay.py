"""Run the notebooks in order, each in a fresh kernel, and keep executed copies.

The source notebooks are never written.  The copy of a notebook that fails ends at the failing cell,
and later notebooks are not run.  What kernels write to their terminal goes to `kernel.log` beside
the copies: it is neither a result nor progress.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from handson.aws.settings import Settings, find_notebooks_folder
from handson.core import messages
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.course import syllabus
from handson.notebook import saving

_CELL_SECONDS = 1800
_KERNEL = "python3"
_LOG = "kernel.log"

OnCell = Callable[[str, int, int], None]
"""Takes a notebook's name, the number of finished code cells, and the number of all."""


@dataclass(frozen=True)
class Outcome:
    """The result of one notebook: its executed copy and, where a cell failed, its error.

    `cell` is the failing cell's id and `error` two lines, problem and remedy; both are empty where
    nothing failed.
    """

    notebook: str
    copy: Path
    cell: str = ""
    error: str = ""

    @property
    def failed(self) -> bool:
        """Whether a cell of the notebook raised an error."""
        return bool(self.error)


def find_notebooks(cwd: Path, *, lang: str, optional: bool = False) -> list[Path]:
    """Return the notebooks of an edition, in the syllabus's order.

    Args:
        cwd: The folder from which the notebooks are searched for, upwards.
        lang: The edition.
        optional: Whether to include the optional notebooks that the edition has.

    Raises:
        NotReady: There are no notebooks here, or none in that language.
    """
    folder = find_notebooks_folder(cwd) or find_notebooks_folder(Path(__file__).parent)
    if folder is None:
        raise NotReady(*messages.advice("notebook.replay.no-notebooks", folder=cwd))
    required = [folder / lang / f"{name}.ipynb" for name in syllabus.NOTEBOOKS]
    missing = ", ".join(path.name for path in required if not path.is_file())
    if missing:
        raise NotReady(*messages.advice("notebook.replay.no-edition", lang=lang, missing=missing))
    if not optional:
        return required
    more = [folder / lang / f"{name}.ipynb" for name in syllabus.OPTIONAL_NOTEBOOKS]
    return sorted([*required, *filter(Path.is_file, more)])


def run_notebooks(
    settings: Settings, notebooks: list[Path], *, output: Path, on_cell: OnCell
) -> list[Outcome]:
    """Run notebooks one after another and keep executed copies in `output`.

    The file for handing in goes there too, unless the settings name another folder.

    Returns:
        One outcome for each notebook that was started; only the last one may have failed.

    Raises:
        InvalidInput: `output` is the folder of the notebooks themselves.
        NotReady: `output` cannot be written, or a notebook cannot be read.
        KeyboardInterrupt: Ctrl-C; the running notebook's copy ends there, its kernel is gone.
    """
    if any(path.parent.resolve() == output.resolve() for path in notebooks):
        raise InvalidInput(*messages.advice("notebook.replay.source", folder=output))
    runs = [_NotebookRun(path, _read_notebook(path), output / path.name) for path in notebooks]
    with _refusing_unwritable(output):
        _prepare_folder(output, runs)
    environment = replace(settings, hand_in=settings.hand_in or output.resolve()).as_environment()
    outcomes: list[Outcome] = []
    for run in runs:
        outcomes.append(_run_notebook(run, environment, on_cell=on_cell))
        if outcomes[-1].failed:
            break
    return outcomes


def keep_pictures(settings: Settings, *, output: Path) -> list[Path]:
    """Copy the pictures that the notebooks drew to `output`, and return the copies.

    Raises:
        NotReady: `output` cannot be written.
    """
    copies = []
    with _refusing_unwritable(output):
        for picture in sorted((settings.home / "pictures").glob("*.svg")):
            copy = output / picture.name
            if copy.resolve() != picture.resolve():
                shutil.copy2(picture, copy)
            copies.append(copy)
    return copies


@dataclass(frozen=True)
class _NotebookRun:
    """A notebook in memory, its source, and the place of its executed copy."""

    source: Path
    node: Any
    copy: Path

    @property
    def log(self) -> Path:
        return self.copy.with_name(_LOG)


def _read_notebook(path: Path) -> Any:
    """Return a notebook without outputs, so that cells that do not run show no old ones."""
    import nbformat

    try:
        node = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(node)
    except Exception as error:  # the converters raise anything on a broken file
        reason = type(error).__name__
        advice = messages.advice("notebook.replay.unreadable", path=path, reason=reason)
        raise NotReady(*advice) from error
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return node


def _prepare_folder(output: Path, runs: list[_NotebookRun]) -> None:
    """Make the folder and remove the results of an earlier run; other files stay."""
    output.mkdir(parents=True, exist_ok=True)
    for run in runs:
        run.copy.unlink(missing_ok=True)
        run.log.write_bytes(b"")


@contextmanager
def _refusing_unwritable(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        advice = messages.advice("notebook.replay.output", folder=output, reason=reason)
        raise NotReady(*advice) from error


def _run_notebook(run: _NotebookRun, environment: Mapping[str, str], *, on_cell: OnCell) -> Outcome:
    import nbformat

    counter = _CellCounter(run, on_cell)
    try:
        error = _execute_cells(run, counter, environment)
    finally:
        saving.remove_widget_views(run.node)
        with _refusing_unwritable(run.copy.parent):
            nbformat.write(run.node, run.copy)  # type: ignore[no-untyped-call]
    name = run.source.stem
    return Outcome(name, run.copy, cell=counter.cell_id if error else "", error=error)


def _execute_cells(run: _NotebookRun, counter: _CellCounter, environment: Mapping[str, str]) -> str:
    """Run all cells; return the error as two lines, or an empty string."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    client = NotebookClient(
        run.node,
        timeout=_CELL_SECONDS,
        kernel_name=_KERNEL,
        resources={"metadata": {"path": str(run.source.parent)}},
        on_cell_start=counter.start,
        on_cell_executed=counter.finish,
        store_widget_state=False,  # without the views it would describe nothing
        shutdown_kernel="immediate",
    )
    error = ""
    try:
        with run.log.open("ab") as log:
            asyncio.run(_execute_in_kernel(client, env=dict(environment), stdout=log, stderr=log))
    except CellExecutionError as failure:
        error = _describe_failure(run, counter.cell, failure)
    except CellTimeoutError:
        minutes = _CELL_SECONDS // 60
        advice = messages.advice("notebook.replay.too-long", minutes=minutes, copy=run.copy)
        error = str(HandsonError(*advice))
    except (DeadKernelError, RuntimeError) as failure:
        advice = messages.advice("notebook.replay.kernel", reason=failure, log=run.log)
        error = str(HandsonError(*advice))
    if counter.interrupted:
        raise KeyboardInterrupt
    return error


async def _execute_in_kernel(client: Any, **options: Any) -> None:
    """Run all cells in a new kernel, and end the kernel whatever happens.

    The kernel starts here, where asyncio handles Ctrl-C.  While cells run, `_CellCounter` handles
    it: nbclient would report a dead kernel.
    """
    client.km = manager = client.create_kernel_manager()
    try:
        await client.async_start_new_kernel(**options)
        await client.async_start_new_kernel_client()
        await client.async_execute()
    finally:
        if manager.has_kernel:
            await manager.shutdown_kernel(now=True)


class _CellCounter:
    """Counts the finished code cells, knows the running one, and interrupts it on Ctrl-C."""

    def __init__(self, run: _NotebookRun, on_cell: OnCell) -> None:
        cells = [cell for cell in run.node.cells if _is_executed(cell)]
        self.cell: Any = cells[0] if cells else {}
        self.interrupted = False
        self._name = run.source.stem
        self._total = len(cells)
        self._done = 0
        self._on_cell = on_cell
        self._task: Any = None
        self._on_cell(self._name, 0, self._total)

    @property
    def cell_id(self) -> str:
        """The id of the cell that runs or ran last; of the first cell before any runs."""
        return str(self.cell.get("id", ""))

    def start(self, cell: Any, cell_index: int) -> None:
        """Remember the cell that is about to run, and handle Ctrl-C from now on."""
        if not _is_executed(cell):
            return
        self.cell = cell
        self._task = asyncio.current_task()
        # Windows has no such handlers; there asyncio.run handles Ctrl-C by itself.
        with suppress(RuntimeError):
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, self._interrupt)
        if self.interrupted:
            self._interrupt()

    def finish(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        """Count a cell that ran to its end."""
        self._task = None
        may_fail = "raises-exception" in cell.metadata.get("tags", ())
        if may_fail or execute_reply["content"]["status"] == "ok":
            self._done += 1
            self._on_cell(self._name, self._done, self._total)

    def _interrupt(self) -> None:
        """Cancel the running cell or, while a cell is ending, the next one."""
        self.interrupted = True
        if self._task is not None:
            self._task.cancel()


def _is_executed(cell: Any) -> bool:
    return bool(cell.cell_type == "code" and cell.source.strip())


def _describe_failure(run: _NotebookRun, cell: Any, failure: Exception) -> str:
    """Return the failing cell's own two lines, or any other error and where to look at it."""
    reason: object = failure
    for output in cell.get("outputs", ()):
        if output.output_type == "error":
            lines = output.traceback
            if len(lines) == 2 and lines[0].startswith("✗"):  # a HandsonError of ours
                return "\n".join(lines)
            reason = f"{output.ename}: {output.evalue}"
            break
    advice = messages.advice("notebook.replay.cell", reason=reason, copy=run.copy)
    return str(HandsonError(*advice))
