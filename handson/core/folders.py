"""Folders: the running notebook's, wherever its kernel was started, and that of all notebooks."""

from __future__ import annotations

import os
from pathlib import Path

from handson.core import messages
from handson.core.progress import find_ipython, is_notebook

SESSION = "JPY_SESSION_NAME"
"""The variable in which Jupyter Server names a kernel's notebook."""
_VS_CODE = "__vsc_ipynb_file__"
"""The name in a kernel under which VS Code keeps the path of its notebook."""


def find_current_folder() -> Path:
    """Return the folder of the running notebook; outside of notebooks, the working folder.

    JupyterLab starts a kernel beside the notebook, or beside the link that was opened; VS Code in
    the folder that was opened, or in the home folder.  Where nothing names the notebook, and there
    are notebooks around, it is taken for one of the current language.
    """
    cwd, shell = Path.cwd(), find_ipython()
    named = [getattr(shell, "user_ns", {}).get(_VS_CODE), os.environ.get(SESSION)]
    # nbgrader starts a kernel beside the notebook, and may have been called from another notebook.
    named = [] if os.environ.get("NBGRADER_EXECUTION") else named
    for path in (cwd / str(name) for name in named if name):
        if find_edition(path.parent.resolve()):
            return path.parent.resolve()
        if path.is_file():  # unlike an unsaved notebook, or one on another computer
            return path.resolve().parent
    notebooks = find_notebooks_folder(cwd)
    is_around = is_notebook() and notebooks and not find_edition(cwd)
    return notebooks / messages.language() if notebooks and is_around else cwd


def find_notebooks_folder(cwd: Path) -> Path | None:
    """Return the folder of the notebooks, found from `cwd` upwards, or None."""
    for folder in (cwd, *cwd.parents):
        if folder.name == "notebooks" and (folder / "ja").is_dir():
            return folder
        if (folder / "notebooks" / "ja").is_dir():
            return folder / "notebooks"
    return None


def find_edition(cwd: Path) -> Path | None:
    """Return the folder of the edition that `cwd` is in, such as `notebooks/en`, or None."""
    notebooks = find_notebooks_folder(cwd)
    editions = [notebooks / lang for lang in messages.LANGUAGES] if notebooks else []
    return next((edition for edition in editions if cwd.is_relative_to(edition)), None)


def locate(path: str | Path) -> Path:
    """Return a path that a learner wrote: they mean it from the folder of their notebook."""
    folder = find_current_folder()
    return Path(path) if folder == Path.cwd() else (folder / path).resolve()
