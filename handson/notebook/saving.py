"""Save a notebook with the static form of a widget in place of its view.

A widget lives in its kernel.  In a file its view leads nowhere, and JupyterLab, which prefers the
view, would show an error where the static form beside it is true.  So the view is removed when a
notebook is saved, by `handson run` and by JupyterLab; the open page keeps it.

Only Jupyter Server sees what is saved: the kernel does not, and JupyterLab prefers a view in
whatever order the forms stand.  So this is an extension of Jupyter Server, which the installed
package enables, and which `handson lab` enables everywhere.  A server in another environment than
its kernels does not know it.
"""

from __future__ import annotations

from typing import Any

VIEW = "application/vnd.jupyter.widget-view+json"

OURS = "handson-static"
"""The class of a static form's element: widgets of other libraries keep their views."""

_STATIC = "text/html"


def remove_widget_views(notebook: Any) -> None:
    """Remove the views of our widgets from a notebook's outputs, so that static forms show."""
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
