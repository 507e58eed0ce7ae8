"""What notebooks use: the workshop and its verbs, widgets, and the tools around notebooks.

    workshop         `handson.start()` and the verbs
    overview         what is done and what comes next, under each `start`
    evidence_cards   evidence and the journal, as cards
    hand_in          the zip to hand in, and what it lacks
    mistakes         two-line answers to mistakes in a cell
    syntax_errors    why Python cannot read a cell
    doctor           what this machine lacks
    lab              JupyterLab, its log and its address
    widgets          forms, the board and questions with controls
    replay           run all notebooks
    workspace        the notebooks that a learner works in, laid out and renewed
    nbgrader         points while nbgrader executes a notebook
    tab              what a kernel in a browser's tab needs besides

The folder `jupyter` is JupyterLab's configuration, the folder `ipython` that of kernels.

This package is an extension of Jupyter Server, too: a notebook is saved with the static card of a
widget instead of its view.  A view works only while the kernel of its widget runs.  In an opened
file JupyterLab would prefer the view to the static card, and show an error.  So `handson run` and
JupyterLab remove the view from a notebook that they save; the open page keeps it.

A kernel does not see its notebook being saved; Jupyter Server does.  The installed package enables
the extension, and so does `handson lab`.  A server that runs in another environment than its
kernels does not have it.

It is an extension of IPython as well, which the installed package enables: in the folders of the
workshop's notebooks, mistakes are explained from the kernel's start.  So importing this package has
to be quick.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from handson.core import folders, messages
from handson.core.host import IN_TAB
from handson.course import syllabus
from handson.notebook import tab

VIEW = "application/vnd.jupyter.widget-view+json"

OURS = "handson-static"
"""The class of a static card's element.  Widgets of other libraries keep their views."""

_STATIC = "text/html"


def remove_widget_views(notebook: Any) -> None:
    """Remove the views of our widgets from a notebook's outputs, so that static cards show."""
    for cell in notebook.get("cells", ()):
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if VIEW in data and f'class="{OURS}"' in "".join(data.get(_STATIC, "")):
                del data[VIEW]


def before_saving(model: Any, **_: Any) -> None:
    """Remove our views from a file that Jupyter Server is about to write (`pre_save_hook`)."""
    if model.get("type") == "notebook" and model.get("content"):
        remove_widget_views(model["content"])


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Tell Jupyter Server which module to load."""
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Register `before_saving` and our style sheet with Jupyter Server.

    JupyterLab loads the style sheet where `handson lab` configures it; a learner's own comes first.
    """
    server.contents_manager.register_pre_save_hook(before_saving)
    styles = Path(__file__).parent / "jupyter" / "custom"
    server.web_app.settings["static_custom_path"].append(str(styles))


def load_ipython_extension(shell: Any) -> None:
    """Explain mistakes from the kernel's start, if its folder is one of the workshop's notebooks.

    The language is that of the notebook's edition.  Diagrams are ours, see `prepare_shell`.  The
    kernel also stops naming Python's version to JupyterLab, which would note it in the notebook: an
    opened notebook would count as changed.
    """
    if "JUPYTERHUB_USER" in os.environ:
        # Where a server's memory ends, a kernel has to end, and not the server with all of them.
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    folder = folders.find_current_folder()
    edition = folders.find_edition(folder)
    notebooks = (folder / f"{name}.ipynb" for name in syllabus.NOTEBOOKS)
    if not IN_TAB and not edition and not any(path.is_file() for path in notebooks):
        return
    language = os.environ.get("HANDSON_LANG", "").strip() or (edition and edition.name)
    if language in messages.LANGUAGES:
        messages.use(language)
    prepare_shell(shell)
    if IN_TAB:
        tab.prepare_tab(shell)
        return
    known = shell.kernel.language_info
    shell.kernel.language_info = {name: known[name] for name in known if name != "version"}


def prepare_shell(shell: Any) -> None:
    """Explain mistakes in this kernel, and draw without the `dot` program.

    Args:
        shell: The result of `IPython.get_ipython`; None outside IPython.
    """
    if shell is not None:
        explain_errors(shell)
        # The `Diagram` of the `diagrams` package draws in this kernel; other programs keep its own.
        shell.events.register("pre_run_cell", replace_diagrams)


def explain_errors(shell: Any, *, folder: Callable[[], Path] = folders.find_current_folder) -> None:
    """Make IPython explain mistakes in cells; a handler that is set already is kept.

    Args:
        shell: The result of `IPython.get_ipython`.
        folder: Returns the folder from which the notebooks are searched for, upwards.
    """
    if shell.custom_exceptions:
        return

    def answer(shell: Any, kind: Any, error: Any, trace: Any, tb_offset: Any = None) -> None:
        from handson.notebook import mistakes  # only once it is needed

        mistakes.show_error(shell, kind, error, trace, tb_offset=tb_offset, folder=folder())

    kinds = (NameError, AttributeError, TypeError, NotImplementedError, SyntaxError)
    shell.set_custom_exc(kinds, answer)


def replace_diagrams(cell: Any) -> None:
    """Replace the package's `Diagram` before a cell that may import it: loading it takes time."""
    if "diagrams" in (cell.raw_cell or ""):
        from handson.drawing.diagram import replace_original

        replace_original()
