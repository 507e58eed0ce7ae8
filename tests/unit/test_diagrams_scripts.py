"""The scripts in diagrams/ and the pictures that are committed beside them."""

from __future__ import annotations

import runpy
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

SCRIPTS = ["step1_local", "step2_aws", "step2_onprem"]
LANGUAGES = ["ja", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_committed_picture_is_what_its_script_draws(
    root: Path, tmp_path: Path, script: str, language: str
) -> None:
    source = (root / "diagrams" / f"{script}.py").read_text("utf-8")
    ours = [line for line in source.splitlines() if line.startswith(("from handson", "import han"))]
    assert ours == ["from handson.drawing import Diagram"]
    draw = runpy.run_path(str(root / "diagrams" / f"{script}.py"))["draw"]
    draw(language, tmp_path)
    [drawn] = tmp_path.iterdir()
    committed = root / "diagrams" / f"{script}.{language}.svg"
    assert drawn.name == committed.name
    svg = committed.read_text("utf-8")
    assert drawn.read_text("utf-8") == svg
    assert ElementTree.fromstring(svg).get("lang") == language
    assert len(svg.encode()) < 30_000
    assert "site-packages" not in svg  # nor any other folder of this machine


def test_no_picture_is_without_its_script(root: Path) -> None:
    committed = sorted(path.name for path in (root / "diagrams").glob("*.svg"))
    assert committed == [f"{name}.{code}.svg" for name in SCRIPTS for code in sorted(LANGUAGES)]
