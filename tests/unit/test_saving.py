"""What a notebook's file keeps of a widget."""

from __future__ import annotations

import json
import tomllib
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from handson import notebook as saving

FORM = f'<div class="{saving.OURS}"><p>form</p></div>'
VIEW = {"version_major": 2, "version_minor": 0, "model_id": "0f"}


def notebook(**data: Any) -> dict[str, Any]:
    cells = [
        {"cell_type": "markdown", "source": "text"},
        {"cell_type": "code", "outputs": [{"output_type": "display_data", "data": data}]},
        {"cell_type": "code", "outputs": [{"output_type": "stream", "text": "hello"}]},
    ]
    return {"cells": cells}


def kept(book: dict[str, Any]) -> list[str]:
    return sorted(book["cells"][1]["outputs"][0]["data"])


def test_a_view_with_a_static_form_beside_it_is_taken_out() -> None:
    book = notebook(**{"text/plain": "form", "text/html": FORM, saving.VIEW: VIEW})
    saving.remove_widget_views(book)
    assert kept(book) == ["text/html", "text/plain"]


def test_a_form_that_is_saved_line_by_line_is_known_too() -> None:
    book = notebook(**{"text/html": FORM.splitlines(keepends=True), saving.VIEW: VIEW})
    saving.remove_widget_views(book)
    assert kept(book) == ["text/html"]


def test_the_view_of_somebody_elses_widget_stays() -> None:
    book = notebook(**{"text/html": "<p>a chart</p>", saving.VIEW: VIEW})
    saving.remove_widget_views(book)
    assert kept(book) == [saving.VIEW, "text/html"]


def test_a_view_that_is_all_there_is_stays() -> None:
    book = notebook(**{"text/plain": "IntSlider(value=1)", saving.VIEW: VIEW})
    saving.remove_widget_views(book)
    assert kept(book) == [saving.VIEW, "text/plain"]


def test_the_package_enables_the_extension_in_a_plain_jupyter_lab(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    [(source, target)] = shared.items()
    [config] = (root / source).glob("*.json")
    enabled = json.loads(config.read_text(encoding="utf-8"))["ServerApp"]["jpserver_extensions"]
    assert (target, enabled) == ("etc/jupyter/jupyter_server_config.d", {saving.__name__: True})


def test_jupyter_server_asks_before_it_writes() -> None:
    hooks: list[Any] = []
    manager = SimpleNamespace(register_pre_save_hook=hooks.append)
    extension = import_module(saving._jupyter_server_extension_points()[0]["module"])
    extension._load_jupyter_server_extension(SimpleNamespace(contents_manager=manager))
    assert hooks == [saving.before_saving]


def test_a_notebook_is_saved_remove_widget_views() -> None:
    book = notebook(**{"text/html": FORM, saving.VIEW: VIEW})
    saving.before_saving(model={"type": "notebook", "content": book}, path="a.ipynb", other=1)
    assert kept(book) == ["text/html"]


def test_other_files_are_saved_as_they_are() -> None:
    model = {"type": "file", "content": "cells"}
    saving.before_saving(model=model, path="cells.txt")
    assert model == {"type": "file", "content": "cells"}
