"""A hub as `make hub` runs it, and the seats of those who sign in to it, in Chromium.

Needs root, because the learners' folders are for their user alone; and the base image of
`tests.engine.base`, from which the hub's two images are built.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import docker
from docker.models.containers import Container

from tests.browser.lab import READY, ROOT, SECONDS, Opened, free_port, until
from tests.engine.base import NAME as BASE

LEARNER = 1000
"""The user of the learners' image."""
PASSWORD = "correct-horse"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
IMAGES = {"CLASS_IMAGE": "handson-test-learner:hub", "HUB_IMAGE": "handson-test-hub:hub"}


class Hub:
    """The containers that `tools/hub.py` starts, and the folder of their class."""

    def __init__(self, folder: Path, *, learners: Sequence[str], teacher: str) -> None:
        self.folder, self.engine = folder, docker.from_env(timeout=180)
        self.project = f"handson-test-{os.getpid()}"
        self.list = folder / "learners.csv"
        self.list.write_text("\n".join(["learner", *learners, ""]), encoding="utf-8")
        socket = os.environ.get("DOCKER_HOST", "").removeprefix("unix://")
        self.settings = {
            **IMAGES,
            "BASE": BASE,
            "CLASS_ACTIVITY_LOG": "yes",
            "BUILD_NETWORK": "host",
            "CLASS_FOLDER": str(folder),
            "CLASS_LANG": "en",
            "CLASS_SOCKET": socket or "/var/run/docker.sock",
            "CLASS_SUBNET": "10.214.0.0/16",
            "CLASS_TEACHERS": teacher,
        }
        if CERTIFICATES.is_file():  # those of a proxy, too
            self.settings["BUILD_CA"] = str(CERTIFICATES)
        self._log = folder.with_suffix(".log").open("wb")
        command = ["tools/hub.py", "--project", self.project, "--port", str(free_port())]
        self._process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, **self.settings},
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def wait(self) -> str:
        """Return the hub's address in the network of the class, once the published one answers."""
        assert self._process.stdout is not None
        for line in self._process.stdout:  # those of the builds come first
            if line.startswith("http://127.0.0.1:"):
                urlopen(line.strip()).close()
                found = self.engine.containers.get(f"{self.project}-hub-1").attrs["NetworkSettings"]
                address = found["Networks"][f"{self.project}_class"]["IPAddress"]
                self.address = f"http://{address}:8000/"
                return self.address
        self.stop()
        raise AssertionError(Path(self._log.name).read_text(encoding="utf-8")[-3000:])

    def stop(self) -> None:
        """Stop all of it, as Ctrl-C and SIGTERM do."""
        self._process.terminate()
        self._process.wait(120)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()
        self.engine.close()

    def find_board(self) -> int:
        """Return the process id of the class board's container, which is in the class's network."""
        return int(self.engine.containers.get(f"{self.project}-board-1").attrs["State"]["Pid"])

    def list_containers(self, name: str = "") -> list[Container]:
        """Return the containers of servers, of one user's or of all."""
        label = {"label": f"handson.class={self.project}"}
        found = self.engine.containers.list(filters=label)
        return [each for each in found if f"JUPYTERHUB_USER={name}" in _environment(each)
                or not name]  # fmt: skip

    def refuse(self, **settings: str) -> list[str]:
        """Start a hub with other settings, and return what it says when it ends."""
        volumes = [f"{self.folder}:{self.folder}"]
        if settings.pop("socket", "yes") == "yes":
            volumes.append(f"{self.settings['CLASS_SOCKET']}:/var/run/docker.sock")
        environment = {**self.settings, "CLASS_NAME": f"{self.project}-2", **settings}
        asked: dict[str, Any] = {"environment": environment, "volumes": volumes, "detach": True}
        container = self.engine.containers.run(IMAGES["HUB_IMAGE"], network_mode="none", **asked)
        try:
            assert container.wait(timeout=60)["StatusCode"] == 1
            said = container.logs().decode()
        finally:
            container.remove(force=True)
        return [line for line in said.splitlines() if line.strip()]


class Seat:
    """Somebody's place at a hub: a window of their own, which has signed in, and their server.

    It stands in the place of a `tests.browser.lab.Lab` for `Opened`.
    """

    edition = "en"

    def __init__(self, hub: Hub, browser: Any, name: str, password: str = PASSWORD) -> None:
        self.hub, self.name, self.password = hub, name, password
        self.home = hub.folder / "homes" / name
        self.base = f"{hub.address}user/{quote(name, safe='@')}"
        self.page = browser.new_context().new_page()
        self.page.set_default_timeout(4 * SECONDS * 1000)  # five JupyterLabs load at once

    def expose_lab(self) -> None:
        """Let pages see JupyterLab's application, by a setting of the learner's own."""
        config = self.home / ".jupyter" / "jupyter_lab_config.py"
        self._write(config, "c = get_config()\nc.LabApp.expose_app_in_browser = True\n")

    def sign_in(self, then: str = "/hub/") -> None:
        self.page.goto(f"{self.hub.address}hub/login?next={quote(then, safe='')}")
        self.page.fill("#username_input", self.name)
        self.page.fill("#password_input", self.password)
        self.page.click("#login_submit", no_wait_after=True)

    def wait_for_lab(self) -> None:
        """Wait until JupyterLab shows the first notebook, and its kernel is there."""
        self.page.wait_for_function(READY, arg=self.path_of("00-prepare"))

    def come_back(self) -> None:
        """Ask for the server until it answers.

        A hub that is still stopping it, or does not know that it was killed, starts none.
        """
        self.page.goto(f"{self.hub.address}hub/home")

        def is_there() -> bool:
            answer = self.page.request.get(f"{self.hub.address}hub/spawn")
            return answer.ok and "/lab" in answer.url

        until(is_there)
        self.page.goto(f"{self.hub.address}hub/spawn")
        self.wait_for_lab()

    def stop(self) -> None:
        """Press “Stop My Server” on the hub's page."""
        self.page.goto(f"{self.hub.address}hub/home")
        self.page.click("#stop")
        until(lambda: not self.hub.list_containers(self.name))

    @property
    def container(self) -> Container:
        [found] = self.hub.list_containers(self.name)
        return found

    def run(self, *command: str, folder: str = "") -> str:
        """Return what a command prints in the container, with what it prints as an error."""
        work = f"/home/learner/{folder}"
        return str(self.container.exec_run([*command], workdir=work).output.decode())

    def run_python(self, program: str) -> Any:
        """Return the value that the program's last line prints as JSON."""
        said = self.run("python", "-c", program, folder=self.edition)
        return json.loads(said.splitlines()[-1])

    def list_passed(self) -> list[str]:
        """Return the checks that stand, as `handson verify` says."""
        said = json.loads(self.run("sh", "-c", "handson verify --json 2>/dev/null"))
        return [check["id"] for check in said["checks"] if check["passed"]]

    def measure_memory(self) -> float:
        """Return the memory of the container in MiB, without what the kernel can give back."""
        stats = self.container.stats(stream=False)["memory_stats"]
        freed = stats["stats"].get("total_inactive_file", stats["stats"].get("inactive_file", 0))
        return round((stats["usage"] - freed) / 2**20, 1)

    def fill_in(self, notebook: str) -> None:
        """Write the worked edition's cells into a notebook of the home, without outputs."""
        source = ROOT / "notebooks" / self.edition / f"{notebook}.ipynb"
        book = json.loads(source.read_text(encoding="utf-8"))
        for cell in book["cells"]:
            if cell["cell_type"] == "code":
                cell.update(outputs=[], execution_count=None)
        self._write(self.home / self.path_of(notebook), json.dumps(book))

    def path_of(self, notebook: str) -> str:
        return f"{self.edition}/{notebook}.ipynb"

    def address_of(self, path: str) -> str:
        return f"{self.base}/lab/tree/{path}?reset"

    def saved(self, notebook: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / self.path_of(notebook)).read_text("utf-8"))
        return found

    def _write(self, path: Path, text: str) -> None:
        missing = [each for each in reversed(path.parents) if not each.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        for each in (*missing, path):
            if each.is_relative_to(self.home):
                shutil.chown(each, LEARNER, LEARNER)


def work_through(seats: Sequence[Seat], notebook: str) -> None:
    """Open a notebook at all seats, run all of its cells, and save it; nobody waits for others."""
    opened = []
    for seat in seats:
        seat.fill_in(notebook)
        # Else the forms of the notebook before would count as this one's.
        seat.page.evaluate("() => jupyterapp.commands.execute('application:close-all')")
        opened.append(Opened(seat, seat.page, notebook, anew=False))
        opened[-1].begin_run()
    for each in opened:
        each.end_run()
        each.save()


def wait_seconds(seconds: float) -> None:
    time.sleep(seconds)


def _environment(container: Container) -> list[str]:
    found: list[str] = container.attrs["Config"]["Env"]
    return found
