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
from handson.grading.feedback import write_feedback
from handson.grading.report import write_report
from tests.browser.looking import Log
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
UNFOLD = "for (const each of document.querySelectorAll('details')) each.open = true"
MARKS = {"why-network": 4, "why-zones": 3.5, "why-cluster": 0, "why-registry": 2, "architecture": 1}
LOOKS = (
    ("", "light"), ("", "dark"), ("#learner-3", "light"), ("#learner-2", "dark"),
    ("#question-0", "light"), ("#question-4", "dark"),
)  # fmt: skip
WIDTHS = (390, 800, 1280)


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
    shown = {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": PICTURE}}
    diagram["outputs"] = [shown]
    book.write(folder / f"x{number}")


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two honest learners, one without a cluster, two whose every word is markup, one absent."""
    folder = tmp_path_factory.mktemp("inbox")
    for number in (1, 2):
        making.hand_in(f"s0{number}", seed=number).write(folder / f"s0{number}")
    book = making.hand_in("s03", seed=3, observe=making.no_cluster)
    first = making.Book(making.committed()).cell("architecture-diagram")
    book.cell("architecture-diagram")["source"] = first["source"]
    book.write(folder / "s03")
    hand_in_evil(folder, 4)
    hand_in_evil(folder, 5)
    return folder


@pytest.fixture(scope="module")
def report(inbox: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ("山田 花子", "佐藤 健", "O'Brien", EVIL, EVIL, EVIL)
    ids = ("s01", "s02", "s03", "x4", "x5", "z<b>9")
    roster = Roster(tuple(grading.Learner(i, n, EVIL) for i, n in zip(ids, names, strict=True)))
    asked = grading.Requirements(roster=roster, pictures=True)
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(grading.grade_class([inbox], asked), path)
    return path


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def test_a_page_of_hostile_submissions_runs_nothing_and_can_be_read(
    page: Any, report: Path
) -> None:
    log = Log(page)
    page.goto(report.as_uri())
    for link in page.locator(".learners tbody a").evaluate_all("all => all.map(a => a.hash)"):
        page.evaluate("hash => { location.hash = hash }", link)
        page.locator("#view h2").wait_for()
        page.evaluate(UNFOLD)
    page.wait_for_timeout(200)
    assert (page.evaluate("window.hits || 0"), log.take()) == (0, [])
    assert page.locator("script:not([type])").count() == 1
    assert page.locator("svg, iframe, object, form").count() == 0
    page.goto(f"{report.as_uri()}#learner-3")
    said = page.locator(".answer .text").first.text_content()
    assert said.startswith(EVIL.partition("\u2028")[0])
    page.locator("summary", has_text="受講者が描いた図").click()
    drawn = page.locator("img.drawn")
    assert drawn.evaluate("image => image.decode().then(() => image.width)") == 9


def test_feedback_runs_nothing_asks_for_nothing_and_fits_every_width(
    page: Any, inbox: Path, tmp_path: Path
) -> None:
    log, folder = Log(page), tmp_path / "feedback"
    grades = grading.grade_class([inbox], grading.Requirements(pictures=True))
    write_feedback(grades, folder, paths=[inbox])
    for path in sorted(folder.iterdir()):
        page.goto(path.as_uri())
        drawn = page.locator("img").evaluate_all(
            "all => Promise.all(all.map(each => each.decode().then(() => each.width > 0)))"
        )
        assert (len(drawn) > 0, all(drawn)) == (True, True)
        assert page.locator("script, svg, iframe, object, form").count() == 0
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (page.evaluate("window.hits || 0"), log.take()) == (0, [])


def test_without_escaping_it_would_run_but_for_the_policy(
    page: Any, report: Path, tmp_path: Path
) -> None:
    text = report.read_text(encoding="utf-8").replace("\\u003c", "<").replace("\\u003e", ">")
    ran = []
    for policy in ("Content-Security-Policy", "X-Nothing"):
        spoilt = tmp_path / f"{policy}.html"
        spoilt.write_text(text.replace("Content-Security-Policy", policy), encoding="utf-8")
        page.goto(spoilt.as_uri())
        page.wait_for_timeout(200)
        ran.append(page.evaluate("window.hits || 0") > 0)
    assert ran == [False, True]


def test_the_table_is_sorted_filtered_and_left_by_keyboard(page: Any, report: Path) -> None:
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
    page.goto(report.as_uri())
    page.get_by_role("button", name="人を表で見る: クラスターがある").click()
    shown = page.locator(".learners tbody th")
    assert [text[:3] for text in shown.all_inner_texts()] == ["s03"]
    page.get_by_label("表示").select_option("全員")
    assert shown.count() == 6
    page.goto(report.as_uri())
    page.locator(".learners tbody a").nth(1).press("Enter")
    expect(page.get_by_role("heading", name="s02 佐藤 健")).to_be_focused()
    page.get_by_role("link", name="次: s03").first.press("Enter")
    expect(page.get_by_role("heading", name="s03 O'Brien")).to_be_focused()
    page.get_by_role("link", name="クラスに戻る").first.press("Enter")
    expect(page.get_by_role("link", name="s03 O'Brien")).to_be_focused()


def test_the_page_is_never_wider_than_the_window_and_draws_what_differs(
    page: Any, report: Path
) -> None:
    wider = []
    for place in ("", "#question-4", "#learner-3", "#learner-2"):
        page.goto(report.as_uri() + place)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wider.append(f"{place} at {width}")
    assert wider == []
    picture = page.locator("img.architecture")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    shown = page.locator("#learner-2").evaluate("data => JSON.parse(data.textContent).architecture")
    assert "クラスター" in picture.get_attribute("alt")
    assert picture.get_attribute("alt") == shown["words"]


def violations(page: Any) -> list[tuple[str, str]]:
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate(UNFOLD)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]


@pytest.mark.full
def test_axe_finds_no_fault_and_would_see_a_field_without_a_label(page: Any, report: Path) -> None:
    found = []
    for place, scheme in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.goto("about:blank")
        page.goto(report.as_uri() + place)
        found += [(place, scheme, *each) for each in violations(page)]
    assert found == []
    page.goto(report.as_uri())
    page.evaluate("document.querySelector('label[for=search]').remove()")
    assert "label" in dict(violations(page))


def fill(page: Any, report: Path, number: int, *marks: float) -> None:
    page.goto(f"{report.as_uri()}#learner-{number}")
    for place, mark in enumerate(marks):
        page.locator(".points").nth(place).fill(str(mark))


def filled(page: Any) -> list[str]:
    values: list[str] = page.locator(".answer .points").evaluate_all(
        "all => all.map(each => each.value)"
    )
    return values


def reload(page: Any) -> list[str]:
    """Load the page again whatever it asks, and return what it asked."""
    asked: list[str] = []

    def accept(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.reload()
    page.remove_listener("dialog", accept)
    return asked


KEPT = """async () => [localStorage.length, sessionStorage.length, document.cookie,
    (await indexedDB.databases()).length]"""


def test_marks_are_in_the_page_alone_which_warns_before_it_is_left(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    assert reload(page) == []
    fill(page, report, 0, *MARKS.values())
    assert page.get_by_text("保存していない変更: 5 件").is_visible()
    page.get_by_role("link", name="クラスに戻る").first.click()
    row = page.locator(".learners tbody tr").first
    assert row.inner_text().split()[-3:] == ["80", "10.5", "90.5"]
    assert page.get_by_text("提出した 5 人のうち 1 人の採点が済みました。").is_visible()
    total = page.locator("#class-view tr", has=page.get_by_role("rowheader", name="合計"))
    assert total.inner_text().split() == ["合計", "100", "1", "90.5", "0"]
    page.goto(f"{report.as_uri()}#learner-0")
    page.locator(".points").first.fill("5")
    assert page.get_by_text("0 から 4 までの数にしてください。").is_visible()
    assert (page.evaluate(KEPT), reload(page)) == ([0, 0, "", 0], ["beforeunload"])
    assert set(filled(page)) == {""}


def test_a_question_is_marked_across_the_class_by_keyboard(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    page.get_by_role("link", name="問い 2").press("Enter")
    expect(page.get_by_role("heading", name="問い 2")).to_be_focused()
    page.locator(".points").first.focus()
    for keys in ("4", "Enter", "2", "Tab", "Good, but why?", "Control+Enter", "1", "Tab", "Tab"):
        page.keyboard.press(keys) if keys[0] in "CET" else page.keyboard.type(keys)
    expect(page.get_by_role("button", name="前に書いたコメント: Good, but why?")).to_be_focused()
    page.keyboard.press("Enter")
    comments = page.locator("textarea").evaluate_all("all => all.map(each => each.value)")
    assert comments[:4] == ["", *["Good, but why?"] * 2, ""]
    expect(page.locator(".points").nth(3)).to_be_focused()
    page.get_by_label("まだ採点していない人だけ").check()
    assert [text[:4] for text in page.locator(".answer h3").all_inner_texts()] == ["x4 <", "x5 <"]
    page.get_by_label("まだ採点していない人だけ").uncheck()
    page.goto(f"{report.as_uri()}#question-4")
    assert page.locator("img.drawn").count() == 0
    page.locator(".picture summary").first.click()
    expect(page.locator("img.drawn")).to_have_count(page.locator(".picture").count())
    assert page.get_by_text("図のコードは、もとのままです。").count() == 1
    page.go_back()
    page.get_by_role("link", name="s02 佐藤 健").press("Enter")
    expect(page.locator("h2", has_text="s02 佐藤 健")).to_be_focused()
    assert filled(page) == ["", "2", "", "", ""]
    page.go_back()
    expect(page.get_by_role("link", name="s02 佐藤 健")).to_be_focused()


def test_hidden_names_are_said_in_no_view(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    page.get_by_label("名前を隠す").check()
    said = page.locator("main").inner_text()
    for address in ("#question-1", "#learner-1", "#learner-3"):
        page.goto(report.as_uri() + address)
        page.evaluate(UNFOLD)
        said += page.locator("main").inner_text()
    named = ("s01", "s02", "s03", "x4", "x5", "z<b>9", "山田", "佐藤", "O'Brien")
    assert [name for name in named if name in said] == []
    assert page.get_by_text("名前が出るので、見つかったこと").is_visible()
    assert (page.locator(".findings").is_visible(), page.locator(".points").count()) == (False, 10)


def test_saved_marks_are_read_by_the_command_and_by_the_page(
    page: Any, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSON_HOME", str(tmp_path / "home"))
    path, saved, again = (tmp_path / name for name in ("one.html", "marks.csv", "two.html"))
    run("--html", path, inbox)
    fill(page, path, 0, *MARKS.values())
    page.get_by_label("コメント 問い 1").fill('=1+1, "so";\n- and more')
    page.get_by_label("全体へのコメント").fill("Well done.")
    fill(page, path, 2)
    page.get_by_text("この判定を変える").nth(1).click()
    page.locator("#give-2-cluster").fill("７,5")
    assert page.get_by_text("点と理由の両方").is_visible()
    page.locator("#give-2-cluster-reason").fill("Built, then deleted by us.")
    assert page.get_by_text("7.5 / 15 点").is_visible()
    fill(page, path, 1, 4)
    page.evaluate(UNFOLD)
    page.locator("#give-1-network").fill("1")
    page.get_by_role("button", name="採点を保存").click()
    assert page.get_by_text("足りないので、まだ保存していません: s02 ").is_visible()
    page.locator("#give-1-network").fill("")
    with page.expect_download() as download:
        page.get_by_role("button", name="採点を保存").click()
    download.value.save_as(saved)
    learners = json.loads(run("--marks", saved, "--html", again, "--json", inbox))["learners"]
    assert [each["total"] for each in learners[:2]] == [90.5, None]
    assert learners[0]["marks"] == MARKS
    assert learners[0]["answers"][0]["comment"] == '=1+1, "so";\n- and more'
    ruling = {"points": 7.5, "reason": "Built, then deleted by us."}
    assert [each["checks"][1]["ruling"] for each in learners[:3]] == [None, None, ruling]
    assert not [f for each in learners for f in each["findings"] if f["code"] == "marks-stale"]
    page.goto(f"{again.as_uri()}#learner-0")
    shown = [filled(page), page.get_by_label("全体へのコメント").input_value()]
    assert shown == [[str(mark) for mark in MARKS.values()], "Well done."]
    run("--html", path, inbox)
    page.goto(f"{path.as_uri()}#learner-0")
    page.locator("[type=file]").set_input_files(saved)
    page.get_by_text("marks.csv を開きました(5 人)。").wait_for()
    assert [filled(page), page.get_by_label("全体へのコメント").input_value()] == shown
    assert page.get_by_label("コメント 問い 1").input_value() == '=1+1, "so";\n- and more'
    assert reload(page) == []


def test_a_file_of_marks_is_told_what_it_holds_that_does_not_fit(page: Any, report: Path) -> None:
    page.goto(f"{report.as_uri()}#learner-0")
    others = "learner,why-network\nq9,1\n"
    mixed = (
        'learner,answers,why-network,why-zones,team,comment\ns01,t0,"3,5",9,red,よい\nq9,,1,,,\n'
    )
    told = {}
    for name, text in {"none.csv": "a,b\n1,2\n", "other.csv": others, "mixed.csv": mixed}.items():
        file = {"name": name, "mimeType": "text/csv", "buffer": text.encode("shift_jis")}
        page.locator("[type=file]").set_input_files(file)
        page.locator("header [role=status]", has_text=name).wait_for()
        told[name] = page.locator("header [role=status]").inner_text()
    for name in ("none.csv", "other.csv"):
        assert told[name].startswith(f"{name} に、このクラスの採点がありません。")
    assert told["mixed.csv"] == (
        "mixed.csv を開きました(1 人)。 読まなかった列: team。 このクラスにいない人: q9。 "
        "採点のあとで答えが変わった人: s01 山田 花子。答えを見直してください。 "
        "範囲の外なので読まなかった点: s01 山田 花子 why-zones: 9。"
    )
    assert (filled(page)[:2], page.get_by_label("全体へのコメント").input_value()) == (
        ["3.5", ""],
        "よい",
    )


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(main, ["grade", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout
