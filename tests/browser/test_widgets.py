"""Forms, board and questions in a real JupyterLab: what is filled in, pressed and answered."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from handson.notebook import VIEW
from tests.browser import looking
from tests.browser.lab import Lab, Opened
from tests.browser.looking import Log

NAME = "zz-widgets"
CELLS = {
    "too-early": "workshop.journal()",
    "full-width": "print（“店”）",
    "start": "import handson\nfrom handson import widgets\nworkshop = handson.start()",
    "form-refuses": 'widgets.form(workshop, "network")',
    "form-made": 'widgets.form(workshop, "cluster")',
    "form-not-made": 'widgets.form(workshop, "image")',
    "board": "widgets.board(workshop)",
    "text": 'print("10.0.0.0/16")',
    "prediction": 'widgets.predict(workshop, "cluster-in-vpc")',
    "questions-answered": 'widgets.questions(workshop, "why-zones")',
}
WRONGDOINGS = {
    "console.error('it went wrong')": "console",
    "setTimeout(() => { throw new Error('it went wrong') })": "pageerror",
    "fetch('/api/it-went-wrong')": "console",
}
"""What goes wrong in a page, and what the browser calls the event that tells of it."""
BROKEN_LINKS = """() => [...document.querySelectorAll('.jupyter-widgets-disconnected')]
  .filter(each => getComputedStyle(each, '::before').content !== 'none').length"""
"""How many of ipywidgets' signs show that a widget has lost its kernel."""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def opened(lab: Lab, page: Any, log: Log) -> Opened:
    """A notebook with all widgets, which has run."""
    lab.write(NAME, CELLS)
    found = Opened(lab, page, NAME)
    found.run_all()
    found.show(*looking.LOOKS[0])
    return found


def cell_of(opened: Opened, key: str) -> Any:
    return opened.page.locator(".jp-Notebook .jp-CodeCell").filter(has_text=CELLS[key])


def test_slips_before_the_first_cell_are_answered_in_the_language_of_the_edition(
    opened: Opened,
) -> None:
    early, full = (cell_of(opened, key).inner_text() for key in ("too-early", "full-width"))
    assert "workshop = handson.start()」のセルを先に実行してください" in early
    assert '書き直して、もう一度実行してください: print("店")' in full
    assert "Traceback" not in early + full


def test_a_form_refuses_answers_and_makes(opened: Opened) -> None:
    network, cluster = cell_of(opened, "form-refuses"), cell_of(opened, "form-made")
    network.get_by_label("名前タグの自動生成").fill("shop")
    network.get_by_label("IPv4 CIDR").first.fill("10.0.0.0/8")
    for label in ("アベイラビリティーゾーン", "パブリックサブネット", "プライベートサブネット"):
        network.get_by_label(label).first.select_option("2")
    network.get_by_role("alert").wait_for()

    create = cluster.get_by_role("button", name="クラスターを作成")
    cluster.get_by_label("クラスター名").fill("my cluster")
    cluster.get_by_role("alert").get_by_text("InvalidParameterException").wait_for()
    expect(create).to_be_disabled()
    cluster.get_by_label("クラスター名").fill("ecs-handson-cluster")
    cluster.get_by_label("インフラストラクチャ: Fargate").check()
    cluster.get_by_text("AWS はこの設定を受け付けます").first.wait_for()
    create.click()
    cluster.get_by_text("ECS クラスター ecs-handson-cluster").wait_for()


def test_a_form_tells_what_it_could_not_make(opened: Opened) -> None:
    image = cell_of(opened, "form-not-made")
    image.get_by_label("リポジトリ名").fill("rails-app")
    image.get_by_label("タグ", exact=True).fill("latest")
    image.get_by_role("button", name="ビルドしてプッシュ").click()
    beside = image.locator(".handson-live").get_by_role("alert")
    beside.get_by_text("最後まで進めませんでした").wait_for()
    assert "→ 先に 03-image の" in beside.inner_text()
    assert image.locator("progress").count() == 0


def test_the_board_turns_green_when_it_looks_again(opened: Opened) -> None:
    board = cell_of(opened, "board")
    tile = board.get_by_text("Fargate の ECS クラスター", exact=True).locator("xpath=..")
    tile.get_by_text("まだ終わっていません").wait_for()
    board.get_by_role("button", name="いまの状態に更新").click()
    tile.get_by_text("できています").wait_for()


def test_a_question_is_answered_with_its_reason(opened: Opened) -> None:
    cell = cell_of(opened, "questions-answered")
    for choice, right in (("両方とも", 0), ("ecs-handson-subnet-public2-us-east-1b", 1)):
        cell.get_by_label(choice).check()
        cell.get_by_role("button", name="答え合わせ").first.click()
        cell.get_by_text(f"2 問のうち {right} 問正解").wait_for()
        if not right:
            cell.get_by_role("alert").get_by_text("リソースマップで").wait_for()
            cell.get_by_role("button", name="説明を見る").first.click()
            cell.get_by_role("alert").get_by_text("AZ をまたぎません").wait_for()
    for marked in ("✘ a. 両方とも", "✔ c. ecs-handson-subnet-public2-us-east-1b"):
        cell.get_by_label(marked).wait_for()
    assert cell.get_by_label("✔ c.").is_checked()
    assert "電源もネットワークも us-east-1a とは別です" in cell.inner_text()


def test_a_prediction_is_noted_with_a_click(opened: Opened) -> None:
    cell = cell_of(opened, "prediction")
    cell.get_by_label("加わらない").check()
    cell.get_by_role("button", name="予想を控える").click()
    cell.get_by_text("結果がもう出ているので").wait_for()


def test_text_and_errors_end_their_lines_between_words(opened: Opened) -> None:
    text = cell_of(opened, "text").locator(".jp-RenderedText pre")
    assert text.evaluate("pre => getComputedStyle(pre).wordBreak") == "normal"


def test_axe_finds_no_serious_fault_in_what_was_used(opened: Opened) -> None:
    assert looking.look(opened, *looking.LOOKS) == []


def test_after_a_restart_nothing_but_the_static_card_shows(opened: Opened, log: Log) -> None:
    opened.restart()
    live = opened.page.locator(".handson-live")
    live.first.get_by_text("handson.start() のセルを実行してから").wait_for()
    controls = live.locator("input, select, button")
    assert [each for each in controls.all() if each.is_visible()] == []
    assert opened.page.evaluate(BROKEN_LINKS) == 0
    made = cell_of(opened, "form-made")
    assert "ensure_cluster" in made.locator(".handson-live").inner_text()
    assert made.get_by_text("ECS クラスター ecs-handson-cluster").is_visible()
    assert log.take() == []


def test_a_form_is_a_static_card_when_it_is_opened_again(opened: Opened, log: Log) -> None:
    kept = opened.save()
    assert [cell["id"] for cell in kept["cells"] if VIEW in str(cell["outputs"])] == []
    opened.close()
    opened.lab.end_kernels(opened.page)
    opened.open()
    card = opened.page.locator(".jp-RenderedHTML", has_text="クラスターの作成").first
    card.wait_for()
    assert opened.page.locator(".handson-live").count() == 0
    assert "ensure_cluster" in card.inner_text()
    assert log.take() == []


def test_what_is_wrong_would_be_seen(opened: Opened, log: Log) -> None:
    page, unseen = opened.page, []
    page.evaluate(
        "() => { document.querySelector('.jp-OutputArea-output').innerHTML = "
        "'<p style=\"color:#bbb;background:#fff\">pale</p><input>' }"
    )
    kinds = {fault.partition(":")[0] for fault in looking.faults(page)}
    for wrongdoing, event in WRONGDOINGS.items():
        with page.expect_event(event):
            page.evaluate(f"() => {{ {wrongdoing} }}")
        if not any("went" in said for said in log.take()):
            unseen.append(wrongdoing)
    assert (kinds, unseen) == ({"color-contrast", "label"}, [])
    assert looking.letters_without_font(page, "図\u0378") == "\u0378"
