"""Run the notebooks in order, each in a fresh kernel, and keep executed copies.

The source notebooks are never written.  The copy of a notebook that fails ends at the failing cell,
and later notebooks are not run.  What kernels write to their terminal goes to `kernel.log` beside
the copies: it is neither a result nor progress.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from handson.aws.settings import Settings
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.core.folders import find_worked_folder
from handson.course import syllabus
from handson.notebook import remove_widget_views

_CELL_SECONDS = 1800
_KERNEL = "python3"
_LOG = "kernel.log"
_UNWRITABLE = "notebook.replay.output"
_SKIP = "nbval-skip"
"""The tag of cells that only a learner runs, such as predictions; nbval skips them, too."""

OnCell = Callable[[str, int, int], None]
"""Takes a notebook's name, the number of finished code cells, and the number of all."""


class Outcome(Struct, frozen=True):
    """The result of one notebook: its executed copy and, where a cell failed, its error.

    `cell` is the failing cell's id and `error` two lines, problem and remedy; both are empty where
    nothing failed.
    """

    notebook: str
    copy: Path
    cell: str = ""
    error: str = ""


def find_notebooks(cwd: Path, *, lang: str, optional: bool = False) -> list[Path]:
    """Return the notebooks of a worked edition, in the syllabus's order.

    Args:
        cwd: The folder from which the notebooks are searched for, upwards; where there are none,
            they are those of the package.
        lang: The edition.
        optional: Whether to include the optional notebooks that the edition has.

    Raises:
        NotReady: There are no notebooks here, or none in that language.
    """
    folder = find_worked_folder(cwd) or find_worked_folder(Path(__file__).parent)
    if folder is None:
        raise NotReady.from_key("notebook.replay.no-notebooks", folder=cwd)
    required = [folder / lang / f"{name}.ipynb" for name in syllabus.NOTEBOOKS]
    missing = ", ".join(path.name for path in required if not path.is_file())
    if missing:
        raise NotReady.from_key("notebook.replay.no-edition", lang=lang, missing=missing)
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
        raise InvalidInput.from_key("notebook.replay.source", folder=output)
    runs = [_NotebookRun(path, output / path.name) for path in notebooks]
    with NotReady.replace_os_errors(_UNWRITABLE, folder=output):
        output.mkdir(parents=True, exist_ok=True)
        for run in runs:
            run.copy.unlink(missing_ok=True)
            run.log.write_bytes(b"")
    environment = replace(settings, hand_in=settings.hand_in or output.resolve()).as_environment()
    outcomes: list[Outcome] = []
    for run in runs:
        outcomes.append(run.execute(environment, on_cell=on_cell))
        if outcomes[-1].error:
            break
    return outcomes


def keep_pictures(settings: Settings, *, output: Path) -> list[Path]:
    """Copy the pictures that the notebooks drew to `output`, and return the copies.

    Raises:
        NotReady: `output` cannot be written.
    """
    copies = []
    with NotReady.replace_os_errors(_UNWRITABLE, folder=output):
        for picture in sorted((settings.home / "pictures").glob("*.svg")):
            copy = output / picture.name
            if copy.resolve() != picture.resolve():
                shutil.copy2(picture, copy)
            copies.append(copy)
    return copies


class _NotebookRun:
    """A notebook in memory, its source, its executed copy, and the cell that runs or ran last."""

    def __init__(self, source: Path, copy: Path) -> None:
        self.source = source
        self.copy = copy
        self.log = copy.with_name(_LOG)
        self.node = _read_notebook(source)
        self._code = [
            (index, cell)
            for index, cell in enumerate(self.node.cells)
            if cell.cell_type == "code" and cell.source.strip()
            if _SKIP not in cell.metadata.get("tags", ())
        ]
        self._cell: Any = self._code[0][1] if self._code else {}
        self._interrupted = False

    def execute(self, environment: Mapping[str, str], *, on_cell: OnCell) -> Outcome:
        """Run all cells and write the copy, as far as they came."""
        import nbformat

        try:
            error = self._find_error(environment, on_cell)
        finally:
            remove_widget_views(self.node)
            with NotReady.replace_os_errors(_UNWRITABLE, folder=self.copy.parent):
                nbformat.write(self.node, self.copy)  # type: ignore[no-untyped-call]
        cell = str(self._cell.get("id", "")) if error else ""
        return Outcome(self.source.stem, self.copy, cell, error)

    def _find_error(self, environment: Mapping[str, str], on_cell: OnCell) -> str:
        """Run all cells; return the error as two lines, or an empty string."""
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

        try:
            with self.log.open("ab") as log:
                options = {"env": dict(environment), "stdout": log, "stderr": log}
                asyncio.run(self._run_cells(on_cell, **options))
            return ""
        except CellExecutionError as failure:
            return self._describe_failure(failure)
        except CellTimeoutError:
            minutes, key = _CELL_SECONDS // 60, "notebook.replay.too-long"
            error = HandsonError.from_key(key, minutes=minutes, copy=self.copy)
        except (asyncio.CancelledError, DeadKernelError, RuntimeError) as failure:
            if self._interrupted:
                raise KeyboardInterrupt from None
            error = HandsonError.from_key("notebook.replay.kernel", reason=failure, log=self.log)
        return str(error)

    async def _run_cells(self, on_cell: OnCell, **options: Any) -> None:
        """Run all cells in a new kernel, and end the kernel whatever happens.

        nbclient's own loop would handle Ctrl-C, and report a dead kernel.
        """
        from nbclient import NotebookClient

        # Windows has no such handlers; there asyncio.run handles Ctrl-C by itself.
        with suppress(RuntimeError):
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            for each in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(each, self._interrupt, task)
        client = NotebookClient(
            self.node,
            timeout=_CELL_SECONDS,
            kernel_name=_KERNEL,
            resources={"metadata": {"path": str(self.source.parent)}},
        )
        manager: Any = client.create_kernel_manager()
        client.km = manager
        try:
            on_cell(self.source.stem, 0, len(self._code))
            await client.async_start_new_kernel(**options)
            await client.async_start_new_kernel_client()
            for number, (index, cell) in enumerate(self._code, start=1):
                self._cell = cell
                await client.async_execute_cell(cell, index, execution_count=number)
                on_cell(self.source.stem, number, len(self._code))
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
            if manager.has_kernel:
                await manager.shutdown_kernel(now=True)

    def _interrupt(self, task: asyncio.Task[Any] | None) -> None:
        """Cancel the run, once: a second Ctrl-C must not break off the end of the kernel."""
        if task and not self._interrupted:
            self._interrupted = True
            task.cancel()

    def _describe_failure(self, failure: Exception) -> str:
        """Return the failing cell's own two lines, or any other error and the copy with it."""
        reason: object = failure
        for output in self._cell.outputs:
            if output.output_type == "error":
                lines = output.traceback
                if len(lines) == 2 and lines[0].startswith("✗"):  # a HandsonError of ours
                    return "\n".join(lines)
                reason = f"{output.ename}: {output.evalue}"
        return str(HandsonError.from_key("notebook.replay.cell", reason=reason, copy=self.copy))


def _read_notebook(path: Path) -> Any:
    """Return a notebook without outputs, so that cells that do not run show no old ones."""
    import nbformat

    try:
        node = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(node)
    except Exception as error:  # the converters raise anything on a broken file
        reason = type(error).__name__
        raise NotReady.from_key("notebook.replay.unreadable", path=path, reason=reason) from error
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return node
