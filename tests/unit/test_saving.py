"""What a notebook's file keeps of a widget."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from handson import saving

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
    book = notebook(**{"text/plain": "form", "text/html": "<p>form</p>", saving.VIEW: VIEW})
    saving.without_views(book)
    assert kept(book) == ["text/html", "text/plain"]


def test_a_view_that_is_all_there_is_stays() -> None:
    book = notebook(**{"text/plain": "IntSlider(value=1)", saving.VIEW: VIEW})
    saving.without_views(book)
    assert kept(book) == [saving.VIEW, "text/plain"]


def test_jupyter_server_finds_the_hook_under_its_name() -> None:
    room, _, name = saving.HOOK.rpartition(".")
    assert getattr(import_module(room), name) is saving.before_saving


def test_a_notebook_is_saved_without_views() -> None:
    book = notebook(**{"text/html": "<p>form</p>", saving.VIEW: VIEW})
    saving.before_saving(model={"type": "notebook", "content": book}, path="a.ipynb", other=1)
    assert kept(book) == ["text/html"]


def test_other_files_are_saved_as_they_are() -> None:
    model = {"type": "file", "content": "cells"}
    saving.before_saving(model=model, path="cells.txt")
    assert model == {"type": "file", "content": "cells"}
