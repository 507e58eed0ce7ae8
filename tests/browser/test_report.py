"""The report of a class in a real browser: what runs, what is kept, and who can use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import expect

from handson import grading
from handson.cli import main
from handson.grading import Roster
from tests.grading import making
from tests.grading.making import ESSAY

pytestmark = pytest.mark.browser

RUN = "window.hits = (window.hits || 0) + 1"
EVIL = (
    f"</script><script>{RUN}</script><img src=x onerror='{RUN}'>"
    f"<svg onload='{RUN}'></svg><!--<script>\u2028\u2029{{}}'\"`"
)
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" '
    f'onload="{RUN}"><script>{RUN}</script><image href="https://example.com/seen"/></svg>'
)
WIDTHS = (390, 800, 1280)


def no_cluster(check: str, observed: dict[str, Any]) -> None:
    observed["clusters"] = []


def evil_names(check: str, observed: dict[str, Any]) -> None:
    for vpc in observed["vpcs"]:
        vpc["name"] = EVIL
        for subnet in vpc["subnets"]:
            subnet["zone"] = EVIL
    for repository in observed["repositories"]:
        repository["uri"] = EVIL


def hand_in_evil(folder: Path, number: int) -> None:
    book = making.hand_in(EVIL, seed=number, observe=evil_names)
    for grade_id in ("why-network", "why-zones", "why-cluster", "why-registry"):
        book.answer(grade_id, f"{EVIL} {ESSAY if grade_id == 'why-zones' else number}")
    diagram = book.cell("architecture-diagram")
    diagram["source"] = f"# {EVIL}\n{diagram['source']}"
    diagram["outputs"] = [
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {"image/svg+xml": PICTURE},
        }
    ]
    book.write(folder / f"x{number}")


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two honest learners, one without a cluster, two whose every word is markup, one absent."""
    folder = tmp_path_factory.mktemp("inbox")
    making.hand_in("s01", seed=1).write(folder / "s01")
    making.hand_in("s02", seed=2).write(folder / "s02")
    making.hand_in("s03", seed=3, observe=no_cluster).write(folder / "s03")
    hand_in_evil(folder, 4)
    hand_in_evil(folder, 5)
    return folder


@pytest.fixture(scope="module")
def roster() -> Roster:
    names = ("山田 花子", "佐藤 健", "O'Brien", EVIL, EVIL, EVIL)
    ids = ("s01", "s02", "s03", "x4", "x5", "z<b>9")
    return Roster(tuple(grading.Learner(i, n, EVIL) for i, n in zip(ids, names, strict=True)))


@pytest.fixture(scope="module")
def report(inbox: Path, roster: Roster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    grades = grading.grade_class([inbox], roster=roster, pictures=True)
    grading.write_report(grades, path)
    return path


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.problems = []
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.on("console", lambda said: opened.problems.append(said.text))
    yield opened
    context.close()


def look_at_everything(page: Any, path: Path) -> None:
    """Open the class and every learner, and unfold whatever can be unfolded."""
    page.goto(path.as_uri())
    for link in page.locator(".learners tbody a").evaluate_all("all => all.map(a => a.hash)"):
        page.evaluate("hash => { location.hash = hash }", link)
        page.locator("#learner-view h2").wait_for()
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    page.wait_for_timeout(200)


def hits(page: Any) -> int:
    return int(page.evaluate("window.hits || 0"))


# What strangers wrote.


def test_a_page_of_hostile_submissions_runs_nothing_and_fetches_nothing(
    page: Any, report: Path
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    look_at_everything(page, report)
    assert (hits(page), page.problems) == (0, [])
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert page.locator("script:not([type])").count() == 1
    assert page.locator("svg, iframe, object, form").count() == 0


def test_what_they_wrote_is_there_to_read(page: Any, report: Path) -> None:
    page.goto(f"{report.as_uri()}#learner-3")
    said = page.locator(".answer .text").first.text_content()
    assert said.startswith(EVIL.partition("\u2028")[0])
    page.locator("summary", has_text="受講者が描いた図").click()
    assert (
        page.locator("img.drawn").evaluate("image => image.decode().then(() => image.width)") == 9
    )


@pytest.mark.parametrize("has_policy", [True, False])
def test_without_escaping_it_would_run_but_for_the_policy(
    page: Any, report: Path, tmp_path: Path, has_policy: bool
) -> None:
    text = report.read_text(encoding="utf-8").replace("\\u003c", "<").replace("\\u003e", ">")
    if not has_policy:
        text = text.replace("Content-Security-Policy", "X-Nothing")
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(text, encoding="utf-8")
    page.goto(spoilt.as_uri())
    page.wait_for_timeout(200)
    assert (hits(page) == 0) == has_policy


# Reading.


def test_a_button_in_each_heading_sorts_by_keyboard(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    button = page.get_by_role("button", name="クラスター", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    head = page.get_by_role("columnheader", name="クラスター", exact=True)
    first = page.locator(".learners tbody th").first
    assert (head.get_attribute("aria-sort"), first.inner_text()[:5]) == ("ascending", "z<b>9")
    page.keyboard.press("Space")
    assert (head.get_attribute("aria-sort"), first.inner_text()[:3]) == ("descending", "s01")
    assert "降順" in page.locator(".learners [role=status]").inner_text()


def test_those_who_got_stuck_can_be_shown_in_the_table(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    page.get_by_role("button", name="人を表で見る: クラスターがある").click()
    shown = page.locator(".learners tbody th")
    assert [text[:3] for text in shown.all_inner_texts()] == ["s03"]
    page.get_by_role("button", name="絞り込みをやめる").click()
    assert shown.count() == 6


def test_the_way_back_leads_to_where_one_was(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    page.locator(".learners tbody a").nth(1).press("Enter")
    expect(page.get_by_role("heading", name="s02 佐藤 健")).to_be_focused()
    page.get_by_role("link", name="次: s03").first.press("Enter")
    expect(page.get_by_role("heading", name="s03 O'Brien")).to_be_focused()
    page.get_by_role("link", name="クラスに戻る").first.press("Enter")
    expect(page.get_by_role("link", name="s03 O'Brien")).to_be_focused()


def test_what_differs_from_the_goal_is_drawn_and_said(page: Any, report: Path) -> None:
    page.goto(f"{report.as_uri()}#learner-2")
    picture = page.locator("img.architecture")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    shown = page.locator("#learner-2").evaluate("data => JSON.parse(data.textContent).architecture")
    assert "クラスター" in picture.get_attribute("alt")
    assert picture.get_attribute("alt") == shown["words"]


def test_the_page_is_never_wider_than_the_window(page: Any, report: Path) -> None:
    wider = []
    for place in ("", "#learner-2", "#learner-3"):
        page.goto(report.as_uri() + place)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wider.append(f"{place} at {width}")
    assert wider == []


@pytest.mark.parametrize(
    ("place", "scheme"),
    [("", "light"), ("", "dark"), ("#learner-3", "light"), ("#learner-2", "dark")],
)
def test_axe_finds_no_fault(page: Any, report: Path, scheme: str, place: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(report.as_uri() + place)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert violations(page) == []


def violations(page: Any) -> list[tuple[str, str]]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]


def test_axe_would_see_a_field_without_a_label(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    page.evaluate("document.querySelector('label[for=search]').remove()")
    assert "label" in dict(violations(page))


# Marking.


def fill(page: Any, report: Path, number: int, *marks: str) -> None:
    page.goto(f"{report.as_uri()}#learner-{number}")
    fields = page.locator("input[type=number]")
    for place, mark in enumerate(marks):
        fields.nth(place).fill(mark)


def test_marks_stay_in_the_browser(page: Any, report: Path) -> None:
    fill(page, report, 0, "4", "3.5", "0", "2", "1")
    page.reload()
    values = page.locator("input[type=number]").evaluate_all("all => all.map(each => each.value)")
    assert values == ["4", "3.5", "0", "2", "1"]
    page.get_by_role("link", name="クラスに戻る").first.click()
    page.locator(".learners").wait_for()
    assert page.locator(".learners tbody tr").first.inner_text().split()[-3:] == [
        "80",
        "10.5",
        "90.5",
    ]
    assert page.get_by_text("6 人のうち 1 人の採点が済みました。").is_visible()


def test_a_mark_that_cannot_be_is_told_and_not_kept(page: Any, report: Path) -> None:
    fill(page, report, 1, "5")
    assert page.get_by_text("0 から 4 までの数にしてください。").is_visible()
    page.reload()
    assert page.locator("input[type=number]").first.input_value() == ""


def test_marks_can_be_forgotten(page: Any, report: Path) -> None:
    fill(page, report, 1, "3")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="クラスに戻る").first.click()
    page.get_by_role("button", name="このブラウザーに残した点を消す").click()
    page.goto(f"{report.as_uri()}#learner-1")
    page.reload()
    assert page.locator("input[type=number]").first.input_value() == ""


def test_saved_marks_are_taken_back_by_the_command(
    page: Any, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSON_HOME", str(tmp_path / "home"))
    path, saved, again = (tmp_path / name for name in ("one.html", "marks.csv", "two.html"))
    run("--html", path, inbox)
    fill(page, path, 0, "4", "3.5", "0", "2", "1")
    fill(page, path, 1, "4")
    page.get_by_role("link", name="クラスに戻る").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="採点を CSV に保存").click()
    download.value.save_as(saved)
    learners = json.loads(run("--marks", saved, "--html", again, "--json", inbox))["learners"]
    assert [each["total"] for each in learners[:2]] == [90.5, None]
    assert learners[0]["marks"] == {
        "why-network": 4, "why-zones": 3.5, "why-cluster": 0, "why-registry": 2, "architecture": 1,
    }  # fmt: skip
    assert not [f for each in learners for f in each["findings"] if f["code"] == "marks-stale"]
    page.goto(f"{again.as_uri()}#learner-0")
    values = page.locator("input[type=number]").evaluate_all("all => all.map(each => each.value)")
    assert values == ["4", "3.5", "0", "2", "1"]


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(main, ["grade", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout
