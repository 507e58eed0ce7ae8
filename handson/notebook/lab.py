"""Run JupyterLab for `handson lab`: its log goes to a file, its address to the terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from handson.aws.settings import Settings
from handson.core import messages
from handson.core.errors import NotReady
from handson.core.files import PRIVATE, explain_unwritable, shorten_path

CONFIGURATION = Path(__file__).parent / "jupyter"

_ADDRESS = re.compile(r"(https?://\S*/lab/tree/\S*)\n")
_LAST_LINES = 12
_TICK = 0.05
_Server = subprocess.Popen[bytes]


def run_lab(
    command: Sequence[str],
    chosen: Settings,
    *,
    port: int,
    show_log: bool = False,
    wait: Callable[[_Server], object] = _Server.wait,
) -> None:
    """Run JupyterLab until it ends or Ctrl-C is pressed; its address is the last line shown.

    Args:
        command: Starts JupyterLab.
        chosen: The settings of its kernels, and the home folder, which gets the log.
        port: The port that is asked for; another one is told.
        show_log: Show the log in the terminal instead.
        wait: Waits until the server ends.

    Raises:
        NotReady: The log cannot be written, or the server ended before it answered; the end of its
            log has been shown.
    """
    log, environ = chosen.home / "jupyterlab.log", _make_environment(chosen)
    with explain_unwritable(log):
        if os.name == "posix":  # another lab of this home folder goes on with the file that it has
            log.unlink(missing_ok=True)
        log.touch(PRIVATE)
    with open(log, "wb") as file, open(log, encoding="utf-8", errors="replace") as lines:
        stream = None if show_log else file
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": stream, "stderr": stream}
        if os.name == "posix":  # else Ctrl-C would leave kernels behind
            streams["process_group"] = 0
        server = _Server(command, env=environ, **streams)
        try:
            address = None
            if not show_log:
                _show("opening", log=shorten_path(log))
                while server.poll() is None and not address:
                    time.sleep(_TICK)
                    lines.seek(0)
                    address = _ADDRESS.search(lines.read())
            if address:
                if (taken := urlsplit(address[1]).port) != port:
                    _show("next-port", port=port, taken=taken)
                _show("open")
                print(address[1], flush=True)
            if address or show_log:
                wait(server)
            if not address and not (show_log and server.returncode == 0):
                lines.seek(0)
                print(*lines.read().splitlines()[-_LAST_LINES:], sep="\n", file=sys.stderr)
                raise NotReady.from_key("notebook.lab.failed", code=server.returncode)
        except KeyboardInterrupt:
            _show("ending")
        finally:
            server.terminate()
            server.wait()


def _make_environment(chosen: Settings) -> dict[str, str]:
    environ = chosen.as_environment()
    if not chosen.environ.get("HANDSON_LANG"):
        environ.pop("HANDSON_LANG", None)  # each notebook speaks the language of its edition
    # This configuration chooses JupyterLab's language, saves widgets' static forms and turns off
    # news and updates.  A learner's own configuration of JupyterLab has precedence over it.
    paths = [str(CONFIGURATION / chosen.lang), str(CONFIGURATION)]
    paths.append(environ.get("JUPYTER_CONFIG_PATH", ""))
    return environ | {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}


def _show(sentence: str, **values: object) -> None:
    print(messages.label("notebook.lab", sentence, **values), file=sys.stderr, flush=True)
