"""The browser edition, worked through in Chromium on a static host: `make site`, then a learner.

The site is built once, or is the folder that HANDSON_SITE names.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handson.course.course import Course
from handson.grading import grade_files
from handson.notebook import VIEW
from tests.browser.conftest import BROWSERS
from tests.browser.lab import IS_RUN, READY, SECONDS, Opened
from tests.conftest import REQUIRED
from tests.site.firefox import Firefox
from tests.site.served import ROOT, Edition, StaticHost

pytestmark = pytest.mark.site

PATIENCE = 4 * SECONDS
"""Seconds in which a page has to be ready: Python starts in it, beside whatever else is tested."""
SITE = os.environ.get("HANDSON_SITE", "")
LEARNER = {"ja": "山田 花子", "en": "Hanako Yamada"}
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
NOTEBOOKS = ("01-network", "02-cluster", "03-image", "04-evidence", "05-architecture")
START = f'import handson\nworkshop = handson.start(learner="{LEARNER["ja"]}")\nworkshop'
EMPTY = "(この行を、あなたの答えに書き換えてください)"
ANSWERS = {
    "why-network": "外から入ってよい道だけを開けて、ほかの人の機器とは分けておくためです。",
    "why-zones": "停電や火事は建物ごとに起きるので、離れた所にも置けば全滅しません。",
    "why-cluster": "落ちたものを誰かが見張って立て直す手間を、機械に任せたいからです。",
    "why-registry": "私のノート PC を閉じても、同じ中身をいつでも取り出せるようにしたいからです。",
}
UNABLE = {
    "WebAssembly": "delete WebAssembly.Suspending",
    "Service Worker": "delete Navigator.prototype.serviceWorker",
    "保存": "Object.defineProperty(window, 'indexedDB', { value: undefined })",
}
"""What a browser may lack, by a word of the reason that the first page gives."""


@pytest.fixture(scope="module")
def site(
    require: Callable[[str, bool, str], None], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    require("site", any(map(shutil.which, BROWSERS)), "no Chromium is installed")
    if SITE:
        return Path(SITE)
    asked = "site" in REQUIRED
    require("site", asked, "HANDSON_REQUIRE does not name it; it takes minutes and the network")
    folder = tmp_path_factory.mktemp("site") / "site"
    subprocess.run([sys.executable, ROOT / "tools" / "build_site.py", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def host(site: Path) -> Iterator[StaticHost]:
    served = StaticHost(site)
    yield served
    served.close()


@pytest.fixture
def browser(host: StaticHost, tmp_path: Path) -> Iterator[Any]:
    """Return a browser without a network that has never seen the site."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=next(filter(None, map(shutil.which, BROWSERS))),
            args=["--headless", "--no-sandbox", "--disable-gpu", ALONE],
            locale="ja",
        )
        opened.set_default_timeout(PATIENCE * 1000)
        yield opened
        opened.close()


class Learner:
    """A learner in a browser, who opens notebooks from the list of them."""

    def __init__(self, browser: Any, host: StaticHost, lang: str) -> None:
        self.browser, self.host, self.lang, self.said = browser, host, lang, list[str]()
        host.missing.clear()
        browser.on("console", self._hear)
        browser.on("weberror", lambda error: self.said.append(str(error.error)))
        self.page = self.new_page()

    def new_page(self) -> Any:
        page = self.browser.new_page()
        page.on("request", self._look_at)
        page.goto(self.host.base)
        if self.lang == "en":
            page.click("#language")
        return page

    def open(self, name: str, page: Any = None) -> FromList:
        page = page or self.page
        return FromList(Edition(self.host, page, self.lang), page, name)

    def work(self, name: str) -> dict[str, Any]:
        """Run a whole notebook and save it."""
        self.opened = self.open(name)
        self.opened.run_all()
        return self.opened.save()

    def download(self, button: str, folder: Path) -> Path:
        self.page.goto(self.host.base)
        with self.page.expect_download() as saving:
            self.page.click(button)
        path = folder / saving.value.suggested_filename
        saving.value.save_as(path)
        return path

    def list_done(self) -> list[str]:
        """Return the notebooks that the list marks as done."""
        self.page.goto(self.host.base)
        self.page.locator("#list li").first.wait_for()
        found = self.page.locator("#list .done .name").all_inner_texts()
        return [name.split()[0] for name in found]

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.said.append(f"{message.text} ({message.location.get('url', '')})")

    def _look_at(self, request: Any) -> None:
        if not request.url.startswith((self.host.base, "data:", "blob:")):
            self.said.append(f"asked for {request.url}")


class FromList(Opened):
    """A notebook that was opened from the list of them."""

    patience = PATIENCE

    def open(self, *, anew: bool = False) -> None:
        self.page.goto(self.lab.base)
        self.page.click(f'#list a[href*="{self.name}"]')
        self._wait(READY, self.lab.path_of(self.name))

    def ask(self, code: str) -> str:
        """Run code in the notebook's kernel, and return what it prints."""
        said: str = self.page.evaluate(_ASK, code)
        return said


_ASK = """async code => {
  const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
  const asked = kernel.requestExecute({ code });
  let said = "";
  asked.onIOPub = ({ content }) => {
    said += content.text ?? content.evalue ?? content.data?.["text/plain"] ?? "";
  };
  await asked.done;
  return said;
}"""
_READ = """async path =>
  (await jupyterapp.serviceManager.contents.get(path, { content: true })).content"""
_SAID = "words => document.querySelector('#said').textContent.includes(words)"
_TYPE = """([id, blank, typed]) => {
  const cells = [...jupyterapp.shell.currentWidget.content.model.cells];
  const cell = cells.find(cell => cell.id === id).sharedModel;
  cell.setSource(cell.getSource().replace(blank, typed));
}"""


def fill_blanks(lang: str) -> dict[str, str]:
    """Return the worked code and answers; the diagram is drawn with the package's own class."""
    worked = {}
    for path in (ROOT / "notebooks" / lang).glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code":
                worked[cell["id"]] = source
            elif cell["id"] in ANSWERS:
                worked[cell["id"]] = source.replace(EMPTY, ANSWERS[cell["id"]])
    worked.pop("prepare-start-workshop")
    drawn = worked["architecture-diagram"].replace("import Diagram, translate", "import translate")
    worked["architecture-diagram"] = f"from diagrams import Diagram\n{drawn}"
    return worked


def begin(learner: Learner) -> float:
    """Write the learner's name into 00 and run it; return the seconds to its first answer."""
    begun = time.monotonic()
    opened = learner.open("00-prepare")
    name = f'"{LEARNER[learner.lang]}"'
    learner.page.evaluate(_TYPE, ["prepare-start-workshop", "...", name])
    opened.begin_run()
    learner.page.locator(".jp-OutputArea-output").first.wait_for()
    seconds = time.monotonic() - begun
    opened.end_run()
    opened.save()
    return seconds


def mend(opened: FromList) -> None:
    """Do in 06 what the last hint says."""
    said = opened.ask("print(workshop.hint(3).diagnosis.remedy)")
    assert "CreateRoute" in said
    opened.ask(said[said.index("workshop.aws") :])
    assert opened.ask("print(workshop.mended().passed)") == "True\n"


def clean_up(learner: Learner, *, beside: FromList) -> None:
    """Clean up in 99, and see in the notebook beside it, still open, that all is gone."""
    look = "print(workshop.resources())"
    assert "ecs-handson-vpc" in beside.ask(look)
    last = learner.open("99-cleanup", learner.new_page())
    last.run_all()
    last.ask('workshop.cleanup(confirm="delete")')
    assert "ecs-handson-vpc" not in beside.ask(look)


def find_spoilt(notebook: dict[str, Any]) -> list[str]:
    """Return the cells that show an error, or that were saved with a widget's view."""
    return [
        cell["id"]
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
        if output["output_type"] == "error" or VIEW in output.get("data", ())
    ]


def grade(file: Path) -> tuple[float, list[str]]:
    """Return the automatic points of a file that was handed in, and the codes of its findings.

    That the evidence was made within minutes is left out: it was.
    """
    result = grade_files(file, (), Course())
    codes = [finding.code for finding in result.findings]
    return result.points, [code for code in codes if code != "pace-quick"]


def test_a_learner_works_through_the_workshop(
    browser: Any, host: StaticHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host.filled = fill_blanks("ja")
    learner = Learner(browser, host, "ja")
    sent, answered = [host.sent], [begin(learner)]
    sent.append(host.sent)
    spoilt = {name: find_spoilt(learner.work(name)) for name in NOTEBOOKS}
    assert spoilt == {name: [] for name in NOTEBOOKS}
    learner.opened.ask("workshop.hand_in()")  # now that 05 is saved
    assert grade(learner.download("#hand-in", tmp_path)) == (80, [])

    sent.append(host.sent)
    answered.append(begin(learner))
    sent.append(host.sent)
    assert find_spoilt(learner.work("06-troubleshooting")) == []
    mend(learner.opened)
    clean_up(learner, beside=learner.opened)
    # In 05 the diagram is the one to begin with, which is not yet what is asked for.
    assert learner.list_done() == ["00", "01", "02", "03", "04", "99"]
    assert (learner.said, host.missing) == ([], [])
    first, again = sent[1] - sent[0], sent[3] - sent[2]
    with capsys.disabled():
        print(f"\nMB sent, first visit and again: {first / 1e6:.1f}, {again / 1e6:.2f}")
        print("link to first answer, s: {:.1f}, again {:.1f}".format(*answered))


@pytest.mark.full
def test_work_is_saved_deleted_and_brought_back(
    browser: Any, host: StaticHost, tmp_path: Path
) -> None:
    host.filled = fill_blanks("en")
    learner = Learner(browser, host, "en")
    begin(learner)
    with browser.expect_page() as leading:
        learner.page.locator('.jp-MarkdownOutput a[href$="01-network.ipynb"]').last.click()
    leading.value.wait_for_function(READY, arg="en/01-network.ipynb")
    leading.value.close()
    learner.work("01-network")
    assert learner.list_done() == ["00", "01"]
    kept = learner.download("#export", tmp_path)
    learner.page.on("dialog", lambda dialog: dialog.accept())
    learner.page.click("#delete")
    learner.page.wait_for_function(_SAID, arg="Your work is deleted.")
    assert learner.list_done() == []
    learner.page.set_input_files("#file", kept)
    learner.page.wait_for_function(_SAID, arg="files are back")
    assert learner.list_done() == ["00", "01"]
    opened = learner.open("01-network")
    assert find_spoilt(opened.save()) == []
    opened.restart()
    assert "ecs-handson-vpc" in opened.ask("import handson; handson.start().resources()")
    assert (learner.said, host.missing) == ([], [])


@pytest.mark.full
def test_a_learner_works_through_the_workshop_in_firefox(
    host: StaticHost, tmp_path: Path, require: Callable[[str, bool, str], None]
) -> None:
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    require("firefox", bool(program), "no Firefox is installed")
    host.filled = fill_blanks("ja") | {"prepare-start-workshop": START}
    with Firefox(str(program), tmp_path / "profile") as page:
        for name in ("00-prepare", *NOTEBOOKS):
            edition = Edition(host, page, "ja")
            path = edition.path_of(name)
            page.goto(edition.address_of(path))
            page.wait_for(READY, path)
            page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
            page.wait_for(IS_RUN)
            page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
            assert find_spoilt(edition.saved(name)) == []
        page.evaluate(_ASK, "workshop.hand_in()")
        packed = tmp_path / "handed-in.zip"
        content = page.evaluate(_READ, f"ja/{LEARNER['ja']}.zip")
        packed.write_bytes(base64.b64decode(content))
    assert grade(packed) == (80, [])
    assert page.errors == []


@pytest.mark.parametrize("reason", UNABLE)
def test_a_browser_that_cannot_run_it_reads_why(
    browser: Any, host: StaticHost, reason: str
) -> None:
    browser.add_init_script(UNABLE[reason])
    page = browser.new_page()
    page.goto(host.base)
    told = page.locator("#unable", has_text=reason)
    told.wait_for()
    assert "Chrome" in told.inner_text()
    assert page.locator("#list a").count() == 0
