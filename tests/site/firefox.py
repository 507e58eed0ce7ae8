"""A page of Debian's Firefox, driven with WebDriver BiDi: Playwright drives a build of its own."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any

from websocket import create_connection

from tests.browser.lab import until

SECONDS = 300
"""Seconds in which Firefox has to answer; Python starts in its page."""


class Firefox:
    """A Firefox without a window and its one page, with a profile of its own."""

    def __init__(self, program: str, profile: Path) -> None:
        profile.mkdir()
        command = [program, "--headless", "--no-remote", "--profile", str(profile)]
        with (profile / "firefox.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--remote-debugging-port=0"], stdout=log, stderr=log
            )
        self.errors: list[str] = []
        self._number = 0
        try:
            self._connect(profile / "WebDriverBiDiServer.json")
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _connect(self, place: Path) -> None:
        until(lambda: place.exists() and place.read_text(encoding="utf-8"), seconds=SECONDS)
        at = json.loads(place.read_text(encoding="utf-8"))
        address = f"ws://{at['ws_host']}:{at['ws_port']}/session"
        self._socket = create_connection(address, timeout=SECONDS, suppress_origin=True)
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded"])
        self._page = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def __enter__(self) -> Firefox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with closing(self._socket):
            self._process.terminate()
            self._process.wait()

    def goto(self, address: str) -> None:
        self._ask("browsingContext.navigate", context=self._page, url=address, wait="complete")

    def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a function of the page with a value, and return what it returns, as JSON has it."""
        call = (
            f"(async () => JSON.stringify((await ({function})({json.dumps(argument)})) ?? null))()"
        )
        target = {"context": self._page}
        said = self._ask("script.evaluate", expression=call, target=target, awaitPromise=True)
        assert said["type"] == "success", said["exceptionDetails"]["text"]
        return json.loads(said["result"]["value"])

    def wait_for(self, condition: str, argument: Any = None) -> None:
        until(lambda: self.evaluate(condition, argument), seconds=SECONDS)

    def _ask(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(asked))
        while True:
            said = json.loads(self._socket.recv())
            if said.get("id") == self._number:
                assert said["type"] == "success", said
                return said["result"]
            if said.get("method") == "log.entryAdded" and said["params"]["level"] == "error":
                self.errors.append(said["params"]["text"])
