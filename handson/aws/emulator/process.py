"""Finding, starting and signalling the embedded AWS's process, and the record it leaves.

A pid alone proves nothing: after a crash or a reboot it may belong to anybody.  Each start
therefore gets a random token that stands in the process's command line and in its record, and a
pid is ours only while its command line carries that token.  (A start time would do as well, but it
is computed from the boot time and moves when the clock is set or a laptop sleeps.)
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from handson.aws.emulator import server

if TYPE_CHECKING:
    import psutil

ACCOUNT = "123456789012"
"""The embedded AWS's account: the one AWS's own documentation uses, so nobody takes it for real."""

PASSED_ON = (
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "APPDATA", "USERPROFILE", "PATH",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ",
)  # fmt: skip
"""What a Python needs to start on one system or another; of the rest nothing reaches MiniStack."""

LOG_LIMIT = 1_000_000
ENGINE = "docker.sock"

_adopted: set[int] = set()  # processes started here that have answered; they may outlive us


@dataclass(frozen=True)
class Record:
    """What the process wrote down about itself."""

    state: str
    pid: int
    port: int
    token: str
    region: str


@dataclass(frozen=True)
class Order:
    """A process to be started: under which token, for which region, on which port if it is free."""

    token: str
    region: str
    preferred_port: int


def read_record(folder: Path) -> Record | None:
    """Return the record in `folder`, or None where there is none that can be read."""
    try:
        content = json.loads((folder / server.RECORD).read_text(encoding="utf-8"))
        fields = {name: content[name] for name in Record.__dataclass_fields__}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Record(**fields) if content.get("schema") == server.SCHEMA else None


def write_record(folder: Path, record: Record | None, /, **changes: Any) -> None:
    """Put `record` back as it was, with `changes`; None leaves no record.

    Raises:
        OSError: The folder cannot be written.
    """
    if record is None:
        (folder / server.RECORD).unlink(missing_ok=True)
    else:
        server.write(folder / server.RECORD, {"schema": server.SCHEMA} | vars(record) | changes)


def environment(folder: Path, *, region: str, passed_on: Mapping[str, str]) -> dict[str, str]:
    """Return all variables MiniStack gets: loopback only, state kept, no Docker, no credentials.

    ``DOCKER_HOST`` names a socket that is not there, because MiniStack would otherwise connect to
    the user's Docker at its start, and remove every container that has a label of its services and
    none of an instance.  `lend_engine` puts an engine there for a moment; while it runs MiniStack
    looks for containers that carry its own address alone (its `core/container_reaper.py`).
    """
    scratch = str(folder / "tmp")
    return {name: value for name, value in passed_on.items() if name.upper() in PASSED_ON} | {
        "BIND_HOST": server.HOST,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": region,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder / "state"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder / ENGINE}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUTF8": "1",
        "TMPDIR": scratch,
        "TEMP": scratch,
        "TMP": scratch,
    }


def open_log(folder: Path) -> IO[bytes]:
    """Return the log opened for appending; one that has grown large is put aside first.

    Raises:
        OSError: It cannot be written, or the disk is full.
    """
    path = log_path(folder)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_name(f"{path.name}.1"))
    log = path.open("ab", buffering=0)
    try:
        log.write(b"--- start\n")
    except OSError:
        log.close()
        raise
    return log


def log_path(folder: Path) -> Path:
    """Return where the log is."""
    return folder / "emulator.log"


def last_words(folder: Path) -> str:
    """Return the last line of the log, shortened."""
    try:
        lines = log_path(folder).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return "?"
    said = [line.strip() for line in lines[-200:] if line.strip()]
    return said[-1][:200] if said else "?"


def spawn(
    folder: Path, order: Order, *, log: IO[bytes], passed_on: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start the process, detached: it outlives this one, and Ctrl-C here does not reach it.

    An engine that a killed kernel left lent to the process before is taken away first.
    """
    (folder / ENGINE).unlink(missing_ok=True)
    return subprocess.Popen(
        [
            sys.executable, "-P", server.__file__,
            order.token, str(folder), order.region, str(order.preferred_port),
        ],
        cwd=folder,
        env=environment(folder, region=order.region, passed_on=passed_on),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        creationflags=_creation_flags(),
    )  # fmt: skip


def let_go(child: subprocess.Popen[bytes]) -> None:
    """Leave a started process on its own: it is to outlive this one, so nobody waits for it."""
    _adopted.add(child.pid)
    child.returncode = 0  # or Python would warn, when it ends, of a process still running


def find(record: Record) -> psutil.Process | None:
    """Return the process of `record`, or None when it is gone or its pid is somebody else's."""
    if record.state != "running":
        return None
    import psutil

    _reap(record.pid)
    try:
        process = psutil.Process(record.pid)
        return process if record.token in process.cmdline() else None
    except psutil.Error:
        return None


def ended(process: psutil.Process) -> bool:
    """Tell whether a process found before is over, its port and files let go.

    A process turns into a zombie with its first thread, while the others may still hold its files.
    """
    import psutil

    try:
        zombie = process.is_running() and process.status() == psutil.STATUS_ZOMBIE
        over = process.num_threads() <= 1 if zombie else not process.is_running()
    except psutil.NoSuchProcess:
        over = True
    if over:
        _reap(process.pid)
    return over


def look(record: Record, *, patience: float = 1.0) -> Literal["ready", "busy", "dead"]:
    """Tell whether the process of `record` answers, lives without answering, or is gone."""
    if find(record) is None:
        return "dead"
    return "ready" if answers(record.port, patience=patience) else "busy"


def answers(port: int, *, patience: float) -> bool:
    """Tell whether an emulator answers on `port` within `patience` seconds."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(server.HOST, port, timeout=patience)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def ask_to_stop(process: psutil.Process, *, folder: Path) -> None:
    """Ask the process to save its state and end; returns at once."""
    import psutil

    if sys.platform == "win32":
        (folder / server.STOP).touch()
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()


def kill(process: psutil.Process) -> None:
    """End the process at once, its state unsaved."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def _reap(pid: int) -> None:
    """Take note of the end of a process started here; until then its pid stays taken."""
    if sys.platform != "win32" and pid in _adopted:
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                return
        _adopted.discard(pid)


def _creation_flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0
