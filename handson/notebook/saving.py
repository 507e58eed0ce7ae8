"""What a notebook's file keeps of a widget: its static form.

A widget lives in its kernel.  In a file its view would lead nowhere, and JupyterLab, which prefers
it, would show an error where the static form beside it is true.  So the view is taken out of what
is saved, by `handson run` and by JupyterLab; the page that is open keeps it.

Only Jupyter Server sees what is saved: the kernel does not, and JupyterLab takes a view before any
other form, in whatever order they stand.  So this is an extension of Jupyter Server, which the
package enables where it is installed, and `handson lab` wherever it runs.  A server in another
environment than its kernels knows nothing of it.
"""

from __future__ import annotations

from typing import Any

VIEW = "application/vnd.jupyter.widget-view+json"

OURS = "handson-static"
"""The class of a static form's element: the widgets of others are theirs to keep."""

_STATIC = "text/html"


def without_views(notebook: Any) -> None:
    """Take the views of our widgets out of a notebook's outputs, for their static forms to show."""
    for cell in notebook.get("cells", ()):
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if VIEW in data and f'class="{OURS}"' in "".join(data.get(_STATIC, "")):
                del data[VIEW]


def before_saving(model: Any, **_: Any) -> None:
    """Answer Jupyter Server, which is about to write a file (its `pre_save_hook`)."""
    if model.get("type") == "notebook" and model.get("content"):
        without_views(model["content"])


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Answer Jupyter Server, which asks what there is to load."""
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Answer Jupyter Server, which has started: from now on it asks before it writes a file."""
    server.contents_manager.register_pre_save_hook(before_saving)
