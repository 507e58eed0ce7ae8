"""Run JupyterLab for `handson lab`: its log goes into a file, and the terminal shows its address.

The server notes its address when it listens (`handson.notebook`, an extension of Jupyter Server).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from handson.aws.settings import Settings
from handson.core import messages
from handson.core.errors import NotReady
from handson.core.files import PRIVATE, shorten_path
from handson.notebook import ADDRESS

CONFIGURATION = Path(__file__).parent / "jupyter"

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
        NotReady: The server ended before it answered; the end of its log has been shown.
    """
    log, note = chosen.home / "jupyterlab.log", chosen.home / f".lab-{os.getpid()}"
    environ = _make_environment(chosen) | {ADDRESS: str(note)}
    with open(log, "wb", opener=lambda path, flags: os.open(path, flags, PRIVATE)) as file:
        stream = None if show_log else file
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": stream, "stderr": stream}
        if os.name == "posix":  # else Ctrl-C would leave kernels behind
            streams["process_group"] = 0
        server = _Server(command, env=environ, **streams)
    try:
        if not show_log:
            _show("opening", log=shorten_path(log))
        while server.poll() is None and not note.exists():
            time.sleep(_TICK)
        if not note.exists():
            ending = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
            print(*ending, sep="\n", file=sys.stderr)
            raise NotReady.from_key("notebook.lab.failed", code=server.returncode)
        taken, address = note.read_text(encoding="utf-8").split(maxsplit=1)
        if int(taken) != port:
            _show("next-port", port=port, taken=taken)
        _show("open")
        print(address, flush=True)
        wait(server)
    except KeyboardInterrupt:
        _show("ending")
    finally:
        note.unlink(missing_ok=True)
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
