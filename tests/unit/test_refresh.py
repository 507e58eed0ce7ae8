"""Keeping new outputs in a committed notebook changes the outputs and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="module")
def tool(root: Path) -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(root / "tools"), *sys.path])
        import refresh  # type: ignore[import-not-found, unused-ignore]

        yield refresh


SHOWN = {"output_type": "execute_result", "data": {"text/plain": "✔"}, "execution_count": 3}


def notebook(**code: Any) -> dict[str, Any]:
    cell = {"cell_type": "code", "id": "b", "metadata": {"tags": ["x"]}, "source": ["1"], **code}
    prose = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["構成図"]}
    return {"cells": [prose, cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def refreshed(tool: ModuleType, tmp_path: Path) -> str:
    """The text of a notebook after its outputs were taken from an executed copy."""
    path, copy = tmp_path / "a.ipynb", tmp_path / "run" / "copy.ipynb"
    copy.parent.mkdir()
    path.write_text(json.dumps(notebook(outputs=[], execution_count=None)), encoding="utf-8")
    broken = str(tmp_path).replace("/", "/<wbr>")
    said = f"{tmp_path}/log, {tmp_path}/run/journal.jsonl, {broken}/log"
    output = {"output_type": "stream", "name": "stdout", "text": said}
    sealed = {**SHOWN, "metadata": {"handson": {"check": "network"}, "other": 1}}
    executed = {"execution": {"started": "now"}}
    run = notebook(outputs=[output, sealed], execution_count=3, metadata=executed)
    copy.write_text(json.dumps(run), encoding="utf-8")
    tool.keep_outputs(path, copy, home=tmp_path)
    return path.read_text(encoding="utf-8")


def test_outputs_and_counts_are_kept_without_records_and_nothing_else(
    refreshed: str, tmp_path: Path
) -> None:
    said = "notebooks/.handson/log, journal.jsonl, notebooks/.handson/log"
    output = {"output_type": "stream", "name": "stdout", "text": said}
    shown = {**SHOWN, "metadata": {"other": 1}}
    assert json.loads(refreshed) == notebook(outputs=[output, shown], execution_count=3)
    assert str(tmp_path) not in refreshed


def test_a_notebook_is_written_as_jupyterlab_writes_it(refreshed: str) -> None:
    assert refreshed.startswith('{\n "cells": [\n  {\n')
    assert "構成図" in refreshed
