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


def test_a_view_is_taken_out_where_a_static_form_of_ours_stands_beside_it() -> None:
    html, plain = "text/html", "text/plain"
    of_others = {html: "<p>a chart</p>"}, {plain: "IntSlider(value=1)"}
    ours = {plain: "form", html: FORM}, {html: FORM.splitlines(keepends=True)}
    for data in (*ours, *of_others):
        book = notebook(**data, **{saving.VIEW: VIEW})
        saving.remove_widget_views(book)
        assert kept(book) == sorted(data if data in ours else [*data, saving.VIEW])


def test_the_package_enables_the_extension_in_a_plain_jupyter_lab(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    [folder] = [source for source, target in shared.items() if target.startswith("etc/jupyter")]
    [config] = (root / folder).glob("*.json")
    enabled = json.loads(config.read_text(encoding="utf-8"))["ServerApp"]["jpserver_extensions"]
    assert (shared[folder], enabled) == (
        "etc/jupyter/jupyter_server_config.d",
        {saving.__name__: True},
    )


def test_jupyter_server_asks_before_it_writes() -> None:
    hooks: list[Any] = []
    manager = SimpleNamespace(register_pre_save_hook=hooks.append)
    extension = import_module(saving._jupyter_server_extension_points()[0]["module"])
    web_app = SimpleNamespace(settings={"static_custom_path": []})
    server = SimpleNamespace(contents_manager=manager, web_app=web_app)
    extension._load_jupyter_server_extension(server)
    assert hooks == [saving.before_saving]


def test_only_notebooks_are_changed_when_they_are_saved() -> None:
    book = notebook(**{"text/html": FORM, saving.VIEW: VIEW})
    saving.before_saving(model={"type": "notebook", "content": book}, path="a.ipynb", other=1)
    assert kept(book) == ["text/html"]
    model = {"type": "file", "content": "cells"}
    saving.before_saving(model=model, path="cells.txt")
    assert model == {"type": "file", "content": "cells"}
