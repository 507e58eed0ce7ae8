"""What a notebook's file keeps of a widget: its static form.

A widget lives in its kernel.  In a file its view would lead nowhere, and JupyterLab, which prefers
it, would show an error where the static form beside it is true.  So the view is taken out of what
is saved, by JupyterLab as `handson lab` starts it and by `handson run`; the page that is open keeps
it.
"""

from __future__ import annotations

from typing import Any

VIEW = "application/vnd.jupyter.widget-view+json"
HOOK = f"{__name__}.before_saving"
"""The name under which Jupyter Server is told of `before_saving`."""

_STATIC = "text/html"


def without_views(notebook: Any) -> None:
    """Take the views of widgets out of a notebook's outputs where a static form stands beside."""
    for cell in notebook.get("cells", ()):
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if VIEW in data and _STATIC in data:
                del data[VIEW]


def before_saving(model: Any, **_: Any) -> None:
    """Answer Jupyter Server, which is about to write a file (its `pre_save_hook`)."""
    if model.get("type") == "notebook" and model.get("content"):
        without_views(model["content"])
