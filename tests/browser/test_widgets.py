"""Forms, board and questions in a real JupyterLab: what is filled in, pressed and answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from handson.notebook import VIEW
from tests.browser import looking
from tests.browser.lab import Lab, Opened
from tests.browser.looking import Camera, Log

LIVE = ".handson-live"

pytestmark = pytest.mark.browser


def open_widget(lab: Lab, page: Any, name: str, *, last: str) -> tuple[Opened, Any]:
    """Open a notebook without outputs and run its first cell and the one that ends in `last`.

    Returns:
        The notebook, and the code cell with the widget in its output.
    """
    lab.clear(name)
    opened = Opened(lab, page, name)
    opened.run("import handson")
    cell = opened.run(last)
    cell.locator(LIVE).wait_for()
    return opened, cell


def outputs_of(lab: Lab, name: str, cell_id: str) -> Any:
    """Return the outputs of a cell as they are saved."""
    [cell] = [cell for cell in lab.saved(name)["cells"] if cell["id"] == cell_id]
    return cell["outputs"]


def faults_of(opened: Opened, cell: Any, name: str, camera: Camera) -> list[str]:
    """Return what axe finds in either theme, and take pictures of the cell's output."""
    found = []
    output = cell.locator(".jp-Cell-outputArea")
    for theme, width in looking.ALL_LOOKS if camera.is_there else looking.LOOKS:
        opened.unfold(width)
        opened.dress(theme)
        found += looking.faults(opened.page)
        camera.take(opened, output, name, theme=theme, width=width)
    return found


def test_a_form_answers_makes_and_is_a_static_card_when_opened_again(
    lab: Lab, page: Any, log: Log
) -> None:
    log.take()
    opened, cell = open_widget(lab, page, "02-cluster", last='widgets.form(workshop, "cluster")')
    create = cell.get_by_role("button", name="クラスターを作成")
    cell.get_by_label("クラスター名").fill("my cluster")
    cell.get_by_role("alert").get_by_text("InvalidParameterException").wait_for()
    expect(create).to_be_disabled()

    cell.get_by_role("button", name="ワークショップの設定に戻す").click()
    cell.get_by_text("AWS はこの設定を受け付けます").wait_for()
    create.click()
    cell.get_by_text("ECS クラスター ecs-handson-cluster").wait_for()

    opened.save()
    kept = str(outputs_of(lab, "02-cluster", "cluster-try-form-open"))
    assert "アクティブなサービス" in kept
    assert VIEW not in kept
    opened.close()
    lab.end_kernels(page)
    opened.open()
    card = page.locator(".jp-RenderedHTML", has_text="クラスターの作成")
    card.wait_for()
    assert page.locator(LIVE).count() == 0
    assert "ensure_cluster" in card.inner_text()
    assert log.take() == []


def refuse(cell: Any) -> None:
    """Fill in a setting that the form's rules refuse."""
    cell.get_by_label("IPv4 CIDR").first.fill("10.0.0.0/8")
    cell.get_by_role("alert").wait_for()


def make(cell: Any) -> None:
    """Make what the form says."""
    cell.get_by_role("button", name="クラスターを作成").click()
    cell.get_by_text("終わりました。結果は").wait_for()


def break_off(cell: Any) -> None:
    """Make what lacks what comes before it."""
    cell.get_by_role("button", name="ビルドしてプッシュ").click()
    cell.get_by_text("最後まで進めませんでした").first.wait_for()


def answer(cell: Any) -> None:
    """Answer each question with its first choice."""
    choices = cell.get_by_role("radio")
    for number in range(3):
        choices.nth(number * 4).check()
        cell.get_by_role("button", name="答え合わせ").nth(number).click()
    cell.get_by_text("3 問のうち").wait_for()


@pytest.mark.parametrize(
    ("name", "last", "use"),
    [
        pytest.param("01-network", 'form(workshop, "network")', refuse, id="form-refuses"),
        pytest.param("02-cluster", 'form(workshop, "cluster")', make, id="form-made"),
        pytest.param("03-image", 'form(workshop, "image")', break_off, id="form-not-made"),
        pytest.param(
            "05-architecture",
            'questions(workshop, "why-network")',
            answer,
            id="questions-answered",
        ),
    ],
)
def test_axe_finds_no_serious_fault_in(
    lab: Lab,
    page: Any,
    camera: Camera,
    request: pytest.FixtureRequest,
    name: str,
    last: str,
    use: Callable[[Any], None],
) -> None:
    opened, cell = open_widget(lab, page, name, last=f"widgets.{last}")
    use(cell)
    assert faults_of(opened, cell, request.node.callspec.id, camera) == []


def test_the_board_turns_green_when_it_looks_again(lab: Lab, page: Any) -> None:
    _, cell = open_widget(lab, page, "04-evidence", last="widgets.board(workshop)")
    tile = cell.get_by_text("ECR のプライベートリポジトリ", exact=True).locator("xpath=..")
    tile.get_by_text("まだ終わっていません").wait_for()
    lab.python("import handson; handson.start().ensure_repository()")
    cell.get_by_role("button", name="いまの状態に更新").click()
    tile.get_by_text("できています").wait_for()


def test_a_question_is_answered_with_its_reason(lab: Lab, page: Any) -> None:
    _, cell = open_widget(
        lab, page, "05-architecture", last='widgets.questions(workshop, "why-zones")'
    )
    cell.get_by_label("ecs-handson-subnet-public2-us-east-1b").check()
    cell.get_by_role("button", name="答え合わせ").first.click()
    cell.get_by_text("2 問のうち 1 問正解").wait_for()
    assert "電源もネットワークも us-east-1a とは別です" in cell.inner_text()
