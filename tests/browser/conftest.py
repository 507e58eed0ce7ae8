"""Chromium and JupyterLab for a module, what the browser's page says, and pictures of it.

lab     JupyterLab on the notebooks
page    a page of the Chromium that the system has, without a window
log     what the page's console tells as an error, and what was asked of other machines
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.browser.lab import SECONDS, Lab
from tests.browser.looking import Log

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def chromium(require: Callable[[str, bool, str], None]) -> str:
    """Return the path of the Chromium that the system has."""
    found = next(filter(None, map(shutil.which, BROWSERS)), "")
    require("browser", bool(found), "no Chromium is installed (apt install chromium)")
    return found


@contextmanager
def open_browser(program: str) -> Iterator[Any]:
    """Start Chromium, by its path or that of a program that becomes it; give it for a while."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(
            executable_path=program, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    with open_browser(chromium) as opened:
        yield opened


@pytest.fixture(scope="module")
def lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    opened = Lab(tmp_path_factory.mktemp("lab"))
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
