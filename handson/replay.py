"""Run the notebooks: in order, each in a fresh kernel, executed copies kept.

The source notebooks are never written.  A notebook that fails is kept as far as it came, and the
ones after it are not run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handson import messages, syllabus
from handson.errors import NotReady
from handson.settings import Settings, notebooks_folder

_CELL_SECONDS = 1800
_KERNEL = "python3"

OnCell = Callable[[str, int, int], None]
"""Told of a notebook's name, how many of its code cells are done, and how many it has."""


@dataclass(frozen=True)
class Outcome:
    """What became of one notebook: its executed copy, and what a failing cell said."""

    notebook: str
    copy: Path
    cell: str = ""
    error: str = ""

    @property
    def failed(self) -> bool:
        """Tell whether a cell of the notebook raised an error."""
        return bool(self.error)


def find_notebooks(cwd: Path, *, lang: str) -> list[Path]:
    """Return the notebooks of an edition, in the syllabus's order.

    Raises:
        NotReady: There are no notebooks here, or none in that language.
    """
    folder = notebooks_folder(cwd) or notebooks_folder(Path(__file__).parent)
    if folder is None:
        raise NotReady(*messages.advice("replay.no-notebooks", folder=cwd))
    edition = folder / lang
    found = [edition / f"{name}.ipynb" for name in syllabus.NOTEBOOKS]
    missing = [path.name for path in found if not path.is_file()]
    if missing:
        raise NotReady(
            *messages.advice("replay.no-edition", lang=lang, missing=", ".join(missing))
        )
    return found


def run_notebooks(
    settings: Settings, notebooks: list[Path], *, output: Path, on_cell: OnCell
) -> list[Outcome]:
    """Run notebooks one after another and keep executed copies in `output`.

    Returns:
        One outcome for each notebook that was begun; the last one may have failed.

    Raises:
        NotReady: `output` cannot be written.
    """
    _prepare(output)
    outcomes: list[Outcome] = []
    for path in notebooks:
        outcomes.append(_run(path, settings.as_environment(), output=output, on_cell=on_cell))
        if outcomes[-1].failed:
            break
    return outcomes


def keep_pictures(settings: Settings, *, output: Path) -> list[Path]:
    """Copy the pictures that the notebooks drew to `output`, and return the copies."""
    kept = []
    for picture in sorted((settings.home / "pictures").glob("*.svg")):
        kept.append(Path(shutil.copy2(picture, output / picture.name)))
    return kept


def _prepare(output: Path) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
        for stale in (*output.glob("*.ipynb"), *output.glob("*.svg")):
            stale.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise NotReady(
            *messages.advice("replay.output", folder=output, reason=reason)
        ) from error


def _run(
    path: Path, environment: Mapping[str, str], *, output: Path, on_cell: OnCell
) -> Outcome:
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    copy = output / path.name
    counter = _Counter(path.stem, notebook, on_cell)
    client = NotebookClient(
        notebook,
        timeout=_CELL_SECONDS,
        kernel_name=_KERNEL,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_complete=counter.complete,
    )
    error = ""
    try:
        client.execute(env=dict(environment))
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as failure:
        error = _last_words(notebook) or str(failure)
    finally:
        nbformat.write(notebook, copy)
    return Outcome(path.stem, copy, cell=counter.current if error else "", error=error)


class _Counter:
    """Counts the code cells that are done and remembers which one comes next."""

    def __init__(self, name: str, notebook: Any, on_cell: OnCell) -> None:
        self._name = name
        self._cells = [cell["id"] for cell in notebook.cells if cell.cell_type == "code"]
        self._done = 0
        self._on_cell = on_cell
        self._on_cell(name, 0, len(self._cells))

    @property
    def current(self) -> str:
        """The id of the cell that is not done yet."""
        return str(self._cells[min(self._done, len(self._cells) - 1)])

    def complete(self, cell: Any, cell_index: int) -> None:
        """Count a cell that nbclient has run to its end."""
        if cell.cell_type == "code":
            self._done += 1
            self._on_cell(self._name, self._done, len(self._cells))


def _last_words(notebook: Any) -> str:
    """Return what the failing cell's error output says, as the learner sees it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                return "\n".join(output.traceback)
    return ""
