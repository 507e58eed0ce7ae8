"""What notebooks use: the workshop and its verbs, widgets, and the tools around notebooks.

    workshop         `handson.start()` and the verbs
    overview         what is done and what comes next, under each `start`
    evidence_cards   evidence and the journal, as cards
    hand_in          the zip to hand in, and what it lacks
    mistakes         two-line answers to mistakes in a cell
    doctor           what this machine lacks
    widgets          forms, the board and questions with controls
    replay           run all notebooks
    nbgrader         points while nbgrader executes a notebook

The folder `jupyter` is JupyterLab's configuration.

This package is an extension of Jupyter Server, too: a notebook is saved with the static card of a
widget instead of its view.  A view works only while the kernel of its widget runs.  In an opened
file JupyterLab would prefer the view to the static card, and show an error.  So `handson run` and
JupyterLab remove the view from a notebook that they save; the open page keeps it.

A kernel does not see its notebook being saved; Jupyter Server does.  The installed package enables
the extension, and so does `handson lab`.  A server that runs in another environment than its
kernels does not have it.
"""

from __future__ import annotations

from typing import Any

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
    """Register `before_saving` with a Jupyter Server that has started."""
    server.contents_manager.register_pre_save_hook(before_saving)
