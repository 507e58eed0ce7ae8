"""`browser`: the Chromium that the system has, without a window; `camera`: keeps what it shows.

HANDSON_SCREENSHOTS names the folder for the pictures; without it, none are taken.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.looking import Camera

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCREENSHOTS = os.environ.get("HANDSON_SCREENSHOTS", "")


@pytest.fixture(scope="session")
def camera() -> Camera:
    return Camera(Path(SCREENSHOTS).absolute() if SCREENSHOTS else None)


@pytest.fixture(scope="module")
def browser(require: Callable[[str, bool, str], None]) -> Iterator[Any]:
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    require("browser", chromium is not None, "no Chromium is installed (apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(
            executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()
