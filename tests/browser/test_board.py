"""The class board in a real browser: forty learners, live, on a projector, without their names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.looking import Log
from tests.grading import classes
from tests.grading.classes import BLANK, log, records, seal

pytestmark = pytest.mark.browser

RUN = "window.hits = (window.hits || 0) + 1"
EVIL, WORSE = (f"<img src={name} onerror='{RUN}'>" for name in "xy")
LOOKS = (("light", 1280), ("dark", 1920), ("light", 800))
STUCK = [EVIL, *(f"u{number}" for number in ("35", "30", "25", "20", "15", "10", "05"))]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("homes")
    now = datetime.now(UTC)
    classes.make_class(folder, 39, now=now)
    log(folder / EVIL / ".handson", (50, "00-prepare", WORSE), now=now)
    return folder


@pytest.fixture(scope="module")
def address(homes: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "handson", "board", str(homes), "--lang", "ja"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
    assert process.stdout
    yield [process.stdout.readline().strip() for _ in range(2)][-1]
    process.terminate()
    process.communicate()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """Give the board as it opens; it runs nothing of learners' and asks nothing elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    said = Log(page)
    page.goto(address)
    page.locator("tbody tr").first.wait_for()
    yield page
    assert (said.take(), page.evaluate("window.hits || 0")) == ([], 0)
    context.close()


def names(page: Any, where: str) -> list[str]:
    found: list[str] = page.locator(where).all_inner_texts()
    return found


def violations(page: Any) -> list[tuple[str, str]]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]


def test_those_longest_at_an_error_come_first_and_the_class_is_counted(page: Any) -> None:
    assert "token" not in page.url
    assert names(page, ".stuck .head span") == STUCK
    assert names(page, "tbody th")[:9] == [*STUCK, "u01"]
    assert names(page, ".stuck time")[0] == "50 分"
    assert page.locator(".stuck p").first.inner_text() == WORSE
    assert page.locator(".stuck li.long").count() == 7
    assert page.get_by_role("heading", name="エラーで止まっている人: 8 人").is_visible()
    assert names(page, ".tiles b") == ["33 / 40", "26 / 40", "19 / 40", "12 / 40", "6 / 40"]
    here = page.locator(".where li", has_text="05 構成図と問い")
    assert here.locator("b").inner_text() == "12"
    row = page.locator("tbody tr", has=page.get_by_role("rowheader", name="u35", exact=True))
    assert [text.split()[-1] for text in row.locator("td.sign").all_inner_texts()[:5]] == [
        "合格", "合格", "合格", "合格", "合格",
    ]  # fmt: skip
    picture = page.get_by_role("img", name="ネットワーク 33 / 40")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")


def test_what_learners_do_is_seen_while_the_page_is_open(page: Any, homes: Path) -> None:
    tile = page.locator(".tiles li", has_text="クラスター").locator("b")
    before, now = page.locator("img").get_attribute("src"), datetime.now(UTC)
    expect(tile).to_have_text("26 / 40")
    seal(homes / "u01" / ".handson", records(1)[:2], at=now)
    log(homes / "u02" / ".handson", (55, "02-cluster", BLANK), (0, "02-cluster", BLANK), now=now)
    log(homes / "u35" / ".handson", (0, "05-architecture", ""), now=now)
    expect(tile).to_have_text("27 / 40", timeout=15_000)
    expect(page.locator(".stuck .head span").first).to_have_text("u02", timeout=15_000)
    assert names(page, ".stuck .head span") == ["u02", EVIL, *STUCK[2:]]
    assert "まだ書かれていない" in page.locator(".stuck li").first.inner_text()
    assert page.locator("img").get_attribute("src") != before


def test_one_click_hides_the_names_and_another_one_shows_them(page: Any) -> None:
    hide = page.get_by_role("button", name="名前を隠す")
    hide.click()
    assert hide.get_attribute("aria-pressed") == "true"
    shown = page.evaluate("document.body.innerText + document.querySelector('main').innerHTML")
    assert [name for name in STUCK if name in shown] == []
    assert names(page, "tbody th")[-1].startswith("受講者 ")
    hide.click()
    assert "u39" in names(page, "tbody th")


def test_the_projector_gets_large_figures_and_nobodys_name(page: Any) -> None:
    size = "element => parseFloat(getComputedStyle(element).fontSize)"
    small = page.locator(".tiles b").first.evaluate(size)
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.get_by_role("button", name="投影用").click()
    assert page.locator(".tiles b").first.evaluate(size) > 1.5 * small
    assert [page.locator(it).is_visible() for it in ("table", ".stuck ol")] == [False, False]
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080


def test_axe_finds_no_fault_and_the_page_is_never_wider_than_the_window(page: Any) -> None:
    found = []
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        for large in (False, True):
            found += [(scheme, width, large, *each) for each in violations(page)]
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.get_by_role("button", name="投影用").click()
    assert found == []


def test_a_server_that_does_not_answer_is_told_and_what_was_read_stays(page: Any) -> None:
    page.route("**/learners.json", lambda route: route.fulfill(body="no JSON"))
    said = page.get_by_role("status")
    expect(said).to_contain_text("サーバーにつながりません。", timeout=15_000)
    assert page.locator("tbody tr").count() == 40
    page.unroute("**/learners.json")
    expect(said).to_have_text("", timeout=15_000)
