"""JupyterLab in Chromium, as a learner uses it: forms, board and questions, then whole notebooks.

A notebook is visited: opened, run, saved, left, opened and saved again.  One always is; all of them
in `make test-full`, one after another in one home folder.  What is asked of the Japanese JupyterLab
comes first, because another language loads it anew.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import nbformat
import pytest
from playwright.sync_api import expect

from handson.aws.emulator import find_running
from handson.course.evidence import METADATA_KEY
from handson.notebook import VIEW
from handson.notebook.evidence_cards import JournalEntries
from handson.notebook.overview import Overview
from tests.browser import looking
from tests.browser.lab import Lab, Opened
from tests.browser.looking import Log

WIDGETS = {
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
    """Return a notebook with all widgets, which has run."""
    lab.write("zz-widgets", WIDGETS)
    found = Opened(lab, page, "zz-widgets")
    found.run_all()
    found.show(*looking.LOOKS[0])
    return found


def cell_of(opened: Opened, key: str) -> Any:
    return opened.page.locator(".jp-Notebook .jp-CodeCell").filter(has_text=WIDGETS[key])


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


def test_the_overview_leads_to_the_next_notebook_though_its_own_is_not_trusted(
    lab: Lab, page: Any
) -> None:
    anew = lab.speak("ja")
    card = Overview(JournalEntries(()))._repr_mimebundle_()
    shown = nbformat.v4.new_output("display_data", card)
    lab.write("zz-overview", {"overview": "handson.start()"}, outputs=[shown])
    Opened(lab, page, "zz-overview", anew=anew)
    page.locator(".jp-OutputArea a").last.click()
    page.wait_for_function(_SHOWN, arg="notebooks/ja/01-network.ipynb")
    page.evaluate("() => { jupyterapp.shell.closeAll() }")
    lab.end_kernels(page)


_SHOWN = "path => jupyterapp.shell.currentWidget?.context?.path === path"


_IN_TERMINAL = """async ([token, line]) => {
  const headers = { Authorization: `token ${token}` };
  const made = await fetch("/api/terminals", { method: "POST", headers });
  const { name } = await made.json();
  const socket = new WebSocket(`/terminals/websocket/${name}?token=${token}`);
  return new Promise(resolve => {
    let said = "";
    socket.onopen = () => socket.send(JSON.stringify(["stdin", line + "\\r"]));
    socket.onmessage = ({ data }) => {
      const [kind, text] = JSON.parse(data);
      said += kind === "stdout" ? text : "";
      if (said.includes("<END>")) resolve(said);
    };
  });
}"""


def test_a_terminal_of_jupyterlab_has_our_commands_and_is_pointed_at_the_embedded_aws(
    lab: Lab, browser: Any
) -> None:
    # What is typed is echoed: so the shell puts the last word together.
    asked = ("handson emulator status", 'echo "<$AWS_ENDPOINT_URL>"', "basename $PWD")
    line = " && ".join([*asked, "printf '<E%s>' ND"])
    page = browser.new_page()
    page.goto(f"{lab.base}/login")
    said = page.evaluate(_IN_TERMINAL, [lab.token, line])
    page.close()
    running = find_running(lab.folder / "home")
    assert running is not None
    assert f"<{running.endpoint}>\r\nja\r\n" in said


EVIDENCE = {
    "00-prepare": [],
    "01-network": ["network"],
    "02-cluster": ["cluster"],
    "03-image": ["repository", "image", "image-uri"],
    "04-evidence": [],
    "05-architecture": ["architecture"],
    "06-troubleshooting": [],
    "99-cleanup": [],
    "zz-broken": ["network", "image"],
}
"""The notebooks, and the evidence that each records."""

BROKEN = "zz-broken"
"""A notebook of our own, which comes last: what goes wrong, and what cleaning up shows."""

CELLS = (
    "import handson\nfrom handson import widgets\nworkshop = handson.start()\n"
    "workshop.cleanup('network', confirm='delete')\n"  # 06 leaves it broken
    "workshop.ensure_network(); workshop.ensure_cluster(); workshop.ensure_repository()\n"
    "workshop.push_image(workshop.build_image('../docker-rails-workshop', tag='1.0.0'))\n"
    "workshop.tag_image(tag='latest', image='1.0.0')\n"
    "workshop.record_image_uri();",
    'workshop.ensure_network(name="ecs-handson", cidr="10.0.0.0/8")',
    "workshop.break_it(seed=1)",
    "workshop.verify()",
    "widgets.board(workshop)",
    "workshop.hint(3)",
    'workshop.evidence("network")',
    'workshop.cleanup(confirm="delete")',
    "workshop.verify()",
    'workshop.evidence("image")',
    "workshop.resources()",
)
ALWAYS = {("en", "01-network")}
IMAGES = {"00-prepare": 1, "01-network": 1, "02-cluster": 1, "03-image": 1, "05-architecture": 5}
LIVE = dict(zip(("ja", "en"), looking.LOOKS, strict=True))
"""How axe looks at an edition's notebooks; where pictures are taken, it looks in both ways."""
AGAIN = dict(zip(("en", "ja"), looking.LOOKS, strict=True))
"""How it looks at them as their files are, with cards in the place of controls: the other way."""
RUN_ALL = {"ja": "すべてのセルを実行", "en": "Run All Cells"}


def expected(edition: str, name: str) -> dict[str, Any]:
    """Return what a visit has to see."""
    return {
        "changed before a key is pressed": False,
        "cells that did not run": [],
        "cells with an error": ["broken-2"] if name == BROKEN else [],
        "evidence in the saved file": EVIDENCE[name],
        "cells that changed when opened and saved again": [],
        "cells with a widget's view in the saved file": [],
        "images": IMAGES.get(name, 0),
        "trusted when it comes from elsewhere": False,
        "images without trust": IMAGES.get(name, 0),
        "images that are not there or do not fit": [],
        "drawings that a click does not enlarge without trust": [],
        "letters without a font": "",
        "faults that axe finds": [],
        "the menu's words": RUN_ALL[edition],
        "what the page says and fetches from elsewhere": [],
    }


def visit(lab: Lab, page: Any, log: Log, edition: str, name: str) -> dict[str, Any]:
    """Visit a notebook, and return what was seen, as `expected` returns it."""
    anew = lab.speak(edition)
    if name == BROKEN:
        lab.write(name, {f"broken-{number}": code for number, code in enumerate(CELLS, start=1)})
    lab.clear(name)
    log.take()
    opened = Opened(lab, page, name, anew=anew)
    is_changed = opened.is_changed()
    opened.run_all()
    saved = opened.save()
    words = opened.words("runmenu:run-all")
    faults = looking.look(opened, LIVE[edition])
    has_controls = page.locator(".handson-live").count() > 0
    images = looking.images(page)
    letters = looking.letters_without_font(page)
    opened.close()
    lab.distrust(name)
    opened.open()
    again = opened.save()
    if has_controls or images:
        opened.show(*AGAIN[edition])
    if has_controls:
        faults += looking.faults(page)
    trusted = looking.is_trusted(page)
    distrusted = looking.images(page)
    fixed = looking.find_fixed_drawings(page)
    opened.close()
    lab.end_kernels(page)
    codes = [cell for cell in saved["cells"] if cell["cell_type"] == "code"]
    outputs = [(cell["id"], output) for cell in codes for output in cell["outputs"]]
    kept = [output.get("metadata", {}).get(METADATA_KEY) for _, output in outputs]
    pairs = zip(saved["cells"], again["cells"], strict=True)
    return {
        "changed before a key is pressed": is_changed,
        "cells that did not run": [cell["id"] for cell in codes if not cell["execution_count"]],
        "cells with an error": [key for key, each in outputs if each["output_type"] == "error"],
        "evidence in the saved file": [record["check"] for record in kept if record],
        "cells that changed when opened and saved again": [
            before["id"] for before, after in pairs if before != after
        ],
        "cells with a widget's view in the saved file": [
            key for key, each in outputs if VIEW in each.get("data", {})
        ],
        "images": len(images),
        "trusted when it comes from elsewhere": trusted,
        "images without trust": len(distrusted),
        "images that are not there or do not fit": [
            image
            for image in (*images, *distrusted)
            if image.natural == 0 or image.width > image.room
        ],
        "drawings that a click does not enlarge without trust": fixed,
        "letters without a font": letters,
        "faults that axe finds": faults,
        "the menu's words": words,
        "what the page says and fetches from elsewhere": log.take(),
    }


@pytest.mark.parametrize(
    ("edition", "name"),
    [
        pytest.param(*each, marks=() if each in ALWAYS else pytest.mark.full)
        for each in product(AGAIN, EVIDENCE)  # English first, which loads JupyterLab anew
    ],
)
def test_a_notebook_is_worked_through(
    lab: Lab, page: Any, log: Log, edition: str, name: str
) -> None:
    assert visit(lab, page, log, edition, name) == expected(edition, name)
