"""The notebooks in a real JupyterLab, in a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handson.saving import VIEW

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/\S*token=(\w+)")
SECONDS = 90.0

pytestmark = pytest.mark.browser


class Lab:
    """JupyterLab on a copy of the workshop, as `handson lab` opens it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignore = shutil.ignore_patterns(".handson", ".ipynb_checkpoints")
        shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=ignore)
        shutil.copytree(ROOT / "diagrams", folder / "diagrams")
        self._log = folder / "lab.log"
        self._environ = {
            **os.environ,
            "HANDSON_ENGINE": "builtin",
            "HANDSON_HOME": str(folder / "home"),
            "PYTHONPATH": str(ROOT),
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "handson",
                    "lab",
                    "--no-browser",
                    "--port",
                    str(free_port()),
                ],
                cwd=folder,
                env=self._environ,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self.base, self.token = self._address()
        except BaseException:
            self.stop()
            raise

    def address_of(self, name: str) -> str:
        """Return the address of a Japanese notebook, in a fresh workspace."""
        return f"{self.base}/lab/tree/notebooks/ja/{name}.ipynb?token={self.token}&reset"

    def saved(self, name: str) -> dict[str, Any]:
        """Return a notebook as it is saved."""
        notebook: dict[str, Any] = json.loads(self._path(name).read_text(encoding="utf-8"))
        return notebook

    def clear(self, name: str) -> None:
        """Take the outputs out of a notebook, so that those seen later are of this run."""
        notebook = self.saved(name)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell.update(outputs=[], execution_count=None)
        self._path(name).write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")

    def python(self, code: str) -> None:
        """Run Python beside JupyterLab, with the same home folder."""
        subprocess.run([sys.executable, "-c", code], cwd=self.folder, env=self._environ, check=True)

    def end_kernels(self, page: Any) -> None:
        """End all kernels, as a computer does that is switched off."""
        headers = {"Authorization": f"token {self.token}"}
        for kernel in page.request.get(f"{self.base}/api/kernels", headers=headers).json():
            page.request.delete(f"{self.base}/api/kernels/{kernel['id']}", headers=headers)

    def stop(self) -> None:
        """Stop JupyterLab and the embedded AWS."""
        self._process.terminate()
        self._process.wait(20)
        subprocess.run(
            [sys.executable, "-m", "handson", "emulator", "stop"],
            cwd=self.folder,
            env=self._environ,
            check=False,
            capture_output=True,
        )

    def _path(self, name: str) -> Path:
        return self.folder / "notebooks" / "ja" / f"{name}.ipynb"

    def _address(self) -> tuple[str, str]:
        def said() -> re.Match[str] | None:
            return ADDRESS.search(self._log.read_text(encoding="utf-8"))

        found = until(said)
        return found[1], found[2]


def free_port() -> int:
    """Return a port that is free now; JupyterLab takes the next one when it no longer is."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(probe: Callable[[], Any]) -> Any:
    """Return the first true answer of `probe`."""
    deadline = time.monotonic() + SECONDS
    while not (answer := probe()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
    return answer


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    opened = Lab(tmp_path_factory.mktemp("lab"))
    yield opened
    opened.stop()


@pytest.fixture(scope="module")
def page(lab: Lab, browser: Any) -> Any:
    return browser.new_page(viewport={"width": 1200, "height": 20000})


def run_all(lab: Lab, page: Any, name: str) -> dict[str, Any]:
    """Open a notebook without outputs, run all its cells, save it, and return it as saved."""
    lab.clear(name)
    page.goto(lab.address_of(name))
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=SECONDS * 1000)
    before = len(lab.saved(name)["cells"])
    start_all(page)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
        ".every(each => /\\[\\d+\\]/.test(each.innerText))"
        " && !document.querySelector(\"[data-status='busy']\")",
        timeout=SECONDS * 1000,
    )
    page.wait_for_timeout(2000)
    page.keyboard.press("Control+s")
    page.wait_for_timeout(1500)
    saved = lab.saved(name)
    assert len(saved["cells"]) == before
    return saved


def start_all(page: Any) -> None:
    """Choose Run All Cells, again where the kernel had not started yet and it was lost."""

    def has_started() -> bool:
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator("#jp-mainmenu-run").get_by_text("Run All Cells", exact=True).click()
        page.wait_for_timeout(3000)
        prompts = page.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
        return any(re.search(r"\[(\*|\d+)\]", prompt) for prompt in prompts)

    until(has_started)


def outputs(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [output for cell in notebook["cells"] for output in cell.get("outputs", ())]


def test_the_first_notebook_shows_the_picture_of_the_goal(lab: Lab, page: Any) -> None:
    page.goto(lab.address_of("00-prepare"))
    picture = page.locator(".jp-RenderedMarkdown img").first
    picture.wait_for(timeout=SECONDS * 1000)
    page.wait_for_timeout(2000)
    assert picture.evaluate("image => image.naturalWidth") > 0


@pytest.mark.parametrize("name", ["01-network", "02-cluster"])
def test_a_notebook_run_in_the_browser_keeps_its_evidence_when_saved(
    lab: Lab, page: Any, name: str
) -> None:
    shown = outputs(run_all(lab, page, name))
    records = [output["metadata"]["handson"] for output in shown if output.get("metadata")]
    learner_errors = [output for output in shown if output["output_type"] == "error"]
    assert learner_errors == []
    assert [record["check"] for record in records] == [name.partition("-")[2]]


def test_the_pictures_fit_into_the_notebook(lab: Lab, page: Any) -> None:
    run_all(lab, page, "05-architecture")
    room = page.locator(".jp-OutputArea-output").first.evaluate("each => each.clientWidth")
    widths = page.locator(".jp-RenderedSVG img, .jp-RenderedSVG svg").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect().width)"
    )
    assert len(widths) == 4
    assert max(widths) <= room


# Widgets

LIVE = ".handson-live"


def open_widget(lab: Lab, page: Any, name: str, *, last: str) -> Any:
    """Open a notebook, run its first cell and the one that ends in `last`, and return the widget.

    A key that is pressed before the kernel has started can be lost, so it is pressed again.

    Returns:
        The code cell with the widget in its output.
    """
    page.goto(lab.address_of(name))
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    chosen = cells.filter(has_text=last).first

    def is_live() -> bool:
        for cell in (cells.first, chosen):
            cell.locator(".jp-InputArea-editor").click(timeout=SECONDS * 1000)
            page.keyboard.press("Control+Enter")
        page.wait_for_timeout(5000)
        return bool(chosen.locator(LIVE).count())

    until(is_live)
    return chosen


def outputs_of(lab: Lab, name: str, cell_id: str) -> Any:
    """Return the outputs of a cell as they are saved."""
    [cell] = [cell for cell in lab.saved(name)["cells"] if cell["id"] == cell_id]
    return cell["outputs"]


def test_a_form_answers_makes_and_is_a_static_card_when_opened_again(lab: Lab, page: Any) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    cell = open_widget(lab, page, "02-cluster", last='widgets.form(workshop, "cluster")')
    create = cell.get_by_role("button", name="クラスターを作成")
    cell.get_by_label("クラスター名").fill("my cluster")
    cell.get_by_role("alert").get_by_text("InvalidParameterException").wait_for()
    assert create.is_disabled()

    cell.get_by_role("button", name="ワークショップの設定に戻す").click()
    cell.get_by_text("AWS はこの設定を受け付けます").wait_for()
    create.click()
    cell.get_by_text("ECS クラスター ecs-handson-cluster").wait_for(timeout=SECONDS * 1000)

    page.keyboard.press("Control+s")
    until(
        lambda: (
            "アクティブなサービス" in str(outputs_of(lab, "02-cluster", "cluster-try-form-open"))
        )
    )
    assert VIEW not in str(outputs_of(lab, "02-cluster", "cluster-try-form-open"))
    lab.end_kernels(page)
    page.goto(lab.address_of("02-cluster"))
    card = page.locator(".jp-RenderedHTML", has_text="クラスターの作成")
    card.wait_for(timeout=SECONDS * 1000)
    assert (page.locator(LIVE).count(), page.locator(".jupyter-error").count()) == (0, 0)
    assert "ensure_cluster" in card.inner_text()
    assert errors == []


def test_the_board_turns_green_when_it_looks_again(lab: Lab, page: Any) -> None:
    cell = open_widget(lab, page, "04-evidence", last="widgets.board(workshop)")
    tile = cell.get_by_text("ECR のプライベートリポジトリ", exact=True).locator("xpath=..")
    tile.get_by_text("まだ終わっていません").wait_for()
    lab.python("import handson; handson.start().ensure_repository()")
    cell.get_by_role("button", name="いまの状態に更新").click()
    tile.get_by_text("できています").wait_for()


def test_a_question_is_answered_with_its_reason(lab: Lab, page: Any) -> None:
    cell = open_widget(
        lab, page, "05-architecture", last='widgets.questions(workshop, "why-zones")'
    )
    cell.get_by_label("ecs-handson-subnet-public2-us-east-1b").check()
    cell.get_by_role("button", name="答え合わせ").first.click()
    cell.get_by_text("2 問のうち 1 問正解").wait_for()
    assert "電源もネットワークも us-east-1a とは別です" in cell.inner_text()
