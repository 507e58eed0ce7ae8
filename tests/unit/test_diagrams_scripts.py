"""The scripts in diagrams/ and the pictures that are committed beside them."""

from __future__ import annotations

import platform
import re
import runpy
import sys
from pathlib import Path

import pytest

SCRIPTS = {
    "step1_local.py": ["step1_local.en.svg", "step1_local.ja.svg"],
    "step2_aws.py": ["step2_aws.en.svg", "step2_aws.ja.svg"],
    "step2_onprem.py": ["step2_onprem.en.svg", "step2_onprem.ja.svg"],
}
# Where the icons' pixels are known to come out the same; elsewhere rounding may differ.
SAME_PIXELS = (sys.platform, platform.machine()) == ("linux", "x86_64")


def comparable(path: Path) -> str:
    svg = path.read_text(encoding="utf-8")
    if SAME_PIXELS:
        return svg
    return re.sub(r'base64,[^"]*', "", svg)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_committed_pictures_are_what_the_script_draws(
    root: Path, tmp_path: Path, script: str
) -> None:
    pictures = runpy.run_path(str(root / "diagrams" / script))["pictures"]
    drawn = sorted(pictures(tmp_path))
    assert [path.name for path in drawn] == SCRIPTS[script]
    for path in drawn:
        assert comparable(path) == comparable(root / "diagrams" / path.name)


def test_no_picture_is_without_its_script(root: Path) -> None:
    committed = sorted(path.name for path in (root / "diagrams").glob("*.svg"))
    assert committed == sorted(name for names in SCRIPTS.values() for name in names)


def test_the_folder_does_not_hide_the_package_of_its_name(root: Path) -> None:
    assert not (root / "diagrams" / "__init__.py").exists()


def test_no_picture_names_a_folder_of_this_machine(root: Path) -> None:
    for path in (root / "diagrams").glob("*.svg"):
        assert "site-packages" not in path.read_text(encoding="utf-8")
