"""Chromium and JupyterLab for a module, what the browser's page says, and pictures of it.

lab        JupyterLab on an edition of the notebooks: the module's EDITION, or the Japanese one
page       a page of the Chromium that the system has, without a window
log        what the page's console tells as an error
requests   where the page asked for something beyond this machine
camera     keeps pictures in the folder that HANDSON_SCREENSHOTS names; without it, takes none
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import SECONDS, Lab
from tests.browser.looking import Camera, Log, Requests

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


@pytest.fixture(scope="module")
def lab(
    browser: Any, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    edition = getattr(request.module, "EDITION", "ja")
    opened = Lab(tmp_path_factory.mktemp("lab"), edition=edition)
    yield opened
    opened.stop()


@pytest.fixture(scope="module")
def page(browser: Any) -> Any:
    opened = browser.new_page()
    opened.set_default_timeout(SECONDS * 1000)
    return opened


@pytest.fixture(scope="module")
def log(page: Any) -> Log:
    return Log(page)


@pytest.fixture(scope="module")
def requests(page: Any) -> Requests:
    return Requests(page)
