"""Folders: the running notebook's, wherever its kernel was started, and those of all notebooks.

A learner works in a *workspace*; the *worked* editions are a checkout's or the package's.
"""

from __future__ import annotations

import os
from os.path import isdir, isfile  # unlike Path's, they answer in a closed folder, too
from pathlib import Path

from handson.core import messages
from handson.core.progress import find_ipython, is_notebook

SESSION = "JPY_SESSION_NAME"
"""The variable in which Jupyter Server names a kernel's notebook."""
WORKSPACE = "workspace"
"""The folder of a checkout in which its learner works."""
LAID_OUT = Path(".handson", "workspace.json")
"""The file in a workspace that lists what was laid out there."""
_VS_CODE = "__vsc_ipynb_file__"
"""The name in a kernel under which VS Code keeps the path of its notebook."""


def find_current_folder() -> Path:
    """Return the folder of the running notebook; outside of notebooks, the working folder.

    JupyterLab starts a kernel beside the notebook, or beside the link that was opened; VS Code in
    the folder that was opened, or in the home folder.  Where nothing names the notebook, and there
    are notebooks around, it is taken for one of the current language.
    """
    cwd, named = Path.cwd(), _list_session_names()
    # nbgrader starts a kernel beside the notebook, and may have been called from another notebook.
    named = [] if os.environ.get("NBGRADER_EXECUTION") else named
    for path in (cwd / name for name in named):
        if find_edition(path.parent.resolve()):
            return path.parent.resolve()
        if path.is_file():  # unlike an unsaved notebook, or one on another computer
            return path.resolve().parent
    editions = find_editions(cwd) if is_notebook() and not find_edition(cwd) else []
    spoken = [edition for edition in editions if edition.name == messages.language()]
    return next(iter([*spoken, *editions]), cwd)


def find_notebook() -> str:
    """Return the running notebook's name without its suffix, or "" where nothing names it."""
    return next((Path(name).stem for name in _list_session_names()), "")


def find_notebooks_folder(cwd: Path) -> Path | None:
    """Return the folder of the notebooks around `cwd`, found upwards, or None.

    It is a workspace or a checkout's folder `notebooks`.  Elsewhere in a checkout it is the
    workspace that was laid out there, if there is one.
    """
    for folder in (cwd, *cwd.parents):
        if _is_workspace(folder) or _is_worked(folder):
            return folder
        if _is_worked(folder / "notebooks"):
            own = folder / WORKSPACE
            return own if _is_workspace(own) else folder / "notebooks"
    return None


def find_worked_folder(cwd: Path) -> Path | None:
    """Return the folder of the worked editions, `notebooks`, found from `cwd` upwards, or None."""
    folders = (each for folder in (cwd, *cwd.parents) for each in (folder, folder / "notebooks"))
    return next(filter(_is_worked, folders), None)


def find_editions(cwd: Path) -> list[Path]:
    """Return the folders of the editions around `cwd`, such as `notebooks/ja`."""
    notebooks = find_notebooks_folder(cwd)
    editions = [notebooks / lang for lang in messages.LANGUAGES] if notebooks else []
    return [edition for edition in editions if isdir(edition)]


def find_edition(cwd: Path) -> Path | None:
    """Return the folder of the edition that `cwd` is in, such as `notebooks/en`, or None."""
    return next((it for it in find_editions(cwd) if cwd.is_relative_to(it)), None)


def locate(path: str | Path) -> Path:
    """Return a path that a learner wrote: they mean it from the folder of their notebook."""
    folder = find_current_folder()
    return Path(path) if folder == Path.cwd() else (folder / path).resolve()


def _list_session_names() -> list[str]:
    """Return what VS Code and Jupyter Server name this kernel's notebook."""
    namespace = getattr(find_ipython(), "user_ns", {})
    named = (namespace.get(_VS_CODE), os.environ.get(SESSION))
    return [str(name) for name in named if name]


def _is_worked(folder: Path) -> bool:
    is_laid_out = isfile(folder / LAID_OUT)  # a learner may call a workspace "notebooks", too
    return folder.name == "notebooks" and isdir(folder / "ja") and not is_laid_out


def _is_workspace(folder: Path) -> bool:
    # Its home folder may have been deleted, or left behind when it was copied.
    books = (Path(lang, "00-prepare.ipynb") for lang in messages.LANGUAGES)
    return any(isfile(folder / file) for file in (LAID_OUT, *books))
