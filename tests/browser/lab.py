"""JupyterLab on a copy of the workshop, and a page that shows one of its notebooks.

What a learner presses is pressed; what is waited for is asked of JupyterLab (`jupyterapp`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import TimeoutError

ROOT = Path(__file__).parents[2]
SECONDS, SOON = 90.0, 10.0
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
WIDTH, HEIGHT = 1200, 900
_HIGHEST = 16000  # a picture of a higher window is cut off

_ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/\S*token=(\w+)")
_HANDSON = (sys.executable, "-m", "handson")
_CONFIG = "c = get_config()\nc.LabApp.expose_app_in_browser = True\n"
# A notebook that is closed soon after it was opened cuts short what the debugger asks its kernel,
# and the debugger says so in the log.
_DISABLED = {"@jupyterlab/debugger-extension": True}


class Lab:
    """JupyterLab as `handson lab` opens it; a page that loads it is in the edition's language."""

    edition = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignore = shutil.ignore_patterns(".handson", ".ipynb_checkpoints")
        shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=ignore)
        shutil.copytree(ROOT / "diagrams", folder / "diagrams")
        self._log = folder / "lab.log"
        own = {"HANDSON_ENGINE": "builtin", "HANDSON_HOME": str(folder / "home")}
        own |= {"JUPYTER_CONFIG_DIR": str(folder / "jupyter"), "PYTHONPATH": str(ROOT)}
        self._environ = {**os.environ, **own}
        self._configure(folder / "jupyter")
        self.speak("ja")
        command = [*_HANDSON, "lab", "--no-browser", f"--port={free_port()}"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder / "notebooks",  # elsewhere, a workspace would be laid out and opened
                env=self._environ,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self.base, self.token = self._address()
        except BaseException:
            self.stop()
            raise

    def speak(self, edition: str) -> bool:
        """Choose an edition, and tell whether another one was chosen before.

        JupyterLab opens in Japanese, as the edition is; English is a setting of the learner's own.
        """
        before, self.edition = self.edition, edition
        settings = self.folder / "jupyter" / "lab" / "user-settings" / "@jupyterlab"
        path = settings / "translation-extension" / "plugin.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if edition == "en":
            path.write_text('{"locale": "en"}', encoding="utf-8")
        return before != edition

    def path_of(self, name: str) -> str:
        """Return where JupyterLab has a notebook."""
        return f"notebooks/{self.edition}/{name}.ipynb"

    def address_of(self, path: str) -> str:
        return f"{self.base}/lab/tree/{path}?token={self.token}&reset"

    def saved(self, name: str) -> dict[str, Any]:
        notebook: dict[str, Any] = json.loads(self._path_of(name).read_text(encoding="utf-8"))
        return notebook

    def write(self, name: str, cells: dict[str, str], *, outputs: Sequence[Any] = ()) -> None:
        given = {"metadata": {"tags": ["raises-exception"]}, "outputs": list(outputs)}
        codes = [nbformat.v4.new_code_cell(cells[key], id=key, **given) for key in cells]
        written = {**self.saved("00-prepare")["metadata"]}
        written.pop("from", None)  # which says that a notebook comes from elsewhere
        book = nbformat.v4.new_notebook(cells=codes, metadata=written)
        nbformat.write(book, self._path_of(name))

    def clear(self, name: str) -> None:
        """Take the outputs out of a notebook, so that those seen later are of this run."""
        notebook = self.saved(name)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell.update(outputs=[], execution_count=None)
        self._path_of(name).write_text(json.dumps(notebook), encoding="utf-8")

    def distrust(self, name: str) -> None:
        """Change a notebook in a way that nobody sees, as one does that comes from elsewhere."""
        notebook = self.saved(name)
        notebook["metadata"]["from"] = "elsewhere"
        self._path_of(name).write_text(json.dumps(notebook), encoding="utf-8")

    def end_kernels(self, page: Any) -> None:
        """End all kernels, as a computer does that is switched off."""
        headers = {"Authorization": f"token {self.token}"}
        for kernel in page.request.get(f"{self.base}/api/kernels", headers=headers).json():
            page.request.delete(f"{self.base}/api/kernels/{kernel['id']}", headers=headers)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        command = [*_HANDSON, "emulator", "stop"]
        subprocess.run(
            command, cwd=self.folder, env=self._environ, check=False, capture_output=True
        )

    def _path_of(self, name: str) -> Path:
        return self.folder / self.path_of(name)

    def _configure(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "jupyter_lab_config.py").write_text(_CONFIG, encoding="utf-8")
        (folder / "labconfig").mkdir()
        disabled = json.dumps({"disabledExtensions": _DISABLED})
        (folder / "labconfig" / "page_config.json").write_text(disabled, encoding="utf-8")

    def _address(self) -> tuple[str, str]:
        def said() -> re.Match[str] | None:
            return _ADDRESS.search(self._log.read_text(encoding="utf-8"))

        found = until(said)
        # jupyter_server prints its address before it listens (`add_callback(_bind_http_server)`).
        until(lambda: accepts(int(found[1].rpartition(":")[2])))
        return found[1], found[2]


class Opened:
    """A notebook that a page shows in the JupyterLab of `Lab`, or in that of a hub's learner."""

    patience = SECONDS

    def __init__(self, lab: Any, page: Any, name: str, *, anew: bool = True) -> None:
        self.lab, self.page, self.name = lab, page, name
        self.open(anew=anew)

    def open(self, *, anew: bool = False) -> None:
        """Open the notebook in the JupyterLab that the page shows, or in it loaded anew."""
        path = self.lab.path_of(self.name)
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        if anew or not self.page.url.startswith(self.lab.base):
            self.page.goto(self.lab.address_of(path))
        else:
            self.page.evaluate(_OPEN, path)
        self._wait(READY, path)

    def is_changed(self) -> bool:
        """Tell whether JupyterLab would save something, once it knows the notebook's kernel."""
        changed: bool = self.page.evaluate(_IS_CHANGED)
        return changed

    def close(self) -> None:
        """Close the notebook as it is; its kernel goes on, and so does JupyterLab."""
        self.page.evaluate(_CLOSE)
        self._wait(_CLOSED)

    def restart(self) -> None:
        """Restart the kernel, and wait until it can be used."""
        self.page.evaluate(_RESTART)
        self._wait(READY, self.lab.path_of(self.name))

    def run_all(self) -> None:
        """Choose Run All Cells and wait for the end of the run, or for an error that ends it."""
        self.begin_run()
        self.end_run()

    def begin_run(self) -> None:
        """Choose Run All Cells, again where it was lost, as happens while JupyterLab is busy."""
        until(lambda: self._sets_off("runmenu:run-all", _STARTED))

    def end_run(self) -> None:
        self._wait(IS_RUN)

    def save(self) -> dict[str, Any]:
        """Choose Save, again where that was lost, and return the notebook as it is saved then.

        The file is read when JupyterLab has the server's answer: before, it may be half written.
        """
        before = self.page.evaluate(_LAST_MODIFIED)
        until(lambda: self._sets_off("docmanager:save", _SAVED, before))
        return self.lab.saved(self.name)

    def words(self, command: str) -> str:
        label: str = self._entry(command).locator(".lm-Menu-itemLabel").inner_text()
        self.page.keyboard.press("Escape")
        return label

    def _entry(self, command: str) -> Any:
        entry = self.page.locator(f'.lm-Menu-item[data-command="{command}"]').first
        menus = self.page.locator(".lm-MenuBar-item")
        menus.first.click()
        for _ in range(2 * menus.count()):
            if entry.is_visible():
                return entry
            self.page.keyboard.press("ArrowRight")
        raise AssertionError(f"no menu holds {command}")

    def show(self, theme: str, width: int) -> None:
        # What is out of sight has no height yet: so the window is higher than any notebook first.
        self.page.evaluate(_DRESS, THEMES[theme])
        self._wait(_DRESSED, THEMES[theme])
        self._resize(width, _HIGHEST)
        self._resize(width, self._wait(_END))

    def _resize(self, width: int, height: int) -> None:
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.evaluate(_SETTLED)

    def _sets_off(self, command: str, sign: str, argument: Any = None) -> bool:
        """Choose a command from the menus, and tell whether its sign appears soon."""
        self._entry(command).click()
        try:
            self.page.wait_for_function(sign, arg=argument, timeout=SOON * 1000)
        except TimeoutError:
            return False
        return True

    def _wait(self, condition: str, argument: Any = None) -> Any:
        try:
            met = self.page.wait_for_function(condition, arg=argument, timeout=self.patience * 1000)
        except TimeoutError as late:
            raise AssertionError(f"{self.name}: {self.page.evaluate(_SEEN)}") from late
        return met.json_value()


_DRESS = "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })"
_OPEN = "path => { jupyterapp.commands.execute('docmanager:open', { path }) }"
_CLOSE = "() => { jupyterapp.shell.currentWidget.dispose() }"
_RESTART = """async () => {
  const { sessionContext } = jupyterapp.shell.currentWidget;
  await sessionContext.restartKernel();
  await sessionContext.session.kernel.requestKernelInfo();
}"""
_CLOSED = "() => !jupyterapp.shell.currentWidget?.context"
READY = """path => {
  const panel = globalThis.jupyterapp?.shell?.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  return panel?.context?.path === path && panel.context.isReady && panel.sessionContext.isReady
    && kernel?.connectionStatus === 'connected' && kernel.status === 'idle'
    && panel.content.widgets.length === panel.content.model.cells.length;
}"""
IS_RUN = """() => {
  const panel = jupyterapp.shell.currentWidget;
  if (panel.sessionContext.session.kernel.status !== 'idle') return false;
  const codes = [...panel.content.model.cells].filter(cell => cell.type === 'code');
  const outputs = cell => cell.sharedModel.getOutputs();
  const broken = cell => !cell.getMetadata('tags')?.includes('raises-exception')
    && outputs(cell).some(each => each.output_type === 'error');
  const view = 'application/vnd.jupyter.widget-view+json';
  const views = codes.flatMap(outputs).filter(each => each.data?.[view]);
  return (codes.every(cell => cell.executionCount) || codes.some(broken))
    && document.querySelectorAll('.handson-live').length === views.length;
}"""
_IS_CHANGED = """async () => {
  const { context, sessionContext } = jupyterapp.shell.currentWidget;
  await Promise.all([sessionContext.session.kernel.info, sessionContext.session.kernel.spec]);
  return context.model.dirty;
}"""
_STARTED = """() => {
  const panel = jupyterapp.shell.currentWidget;
  return panel.sessionContext.session.kernel.status === 'busy'
    || [...panel.content.model.cells].some(cell => cell.executionCount);
}"""
_SEEN = """() => {
  const panel = globalThis.jupyterapp?.shell?.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  const dialog = document.querySelector('.jp-Dialog')?.innerText;
  return { path: panel?.context?.path, kernel: kernel?.status, dialog };
}"""
_LAST_MODIFIED = "() => jupyterapp.shell.currentWidget.context.contentsModel.last_modified"
_SAVED = """before => {
  const { contentsModel, model } = jupyterapp.shell.currentWidget.context;
  return contentsModel.last_modified !== before && !model.dirty;
}"""
_END = """() => {
  const { outerNode, widgets } = jupyterapp.shell.currentWidget.content;
  outerNode.scrollTop = 0;
  const { bottom } = widgets.at(-1).node.getBoundingClientRect();
  return bottom > 0 && Math.ceil(bottom) + 60;
}"""
# While it changes, JupyterLab lays a veil over the window.
_DRESSED = """name => document.body.dataset.jpThemeName === name
  && !document.getElementById('jupyterlab-splash')"""
_SETTLED = """async () => {
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
  await frame(); await frame();
  await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
}"""


def free_port() -> int:
    """Return a port that is free now; JupyterLab takes the next one when it no longer is."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(probe: Callable[[], Any], *, seconds: float = SECONDS) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return answer
