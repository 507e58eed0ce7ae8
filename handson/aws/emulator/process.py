"""The embedded AWS's process: find, start and signal it, and read the record it leaves.

A process id alone is not enough: after a crash or a reboot it may belong to another program.  Each
start therefore gets a random token, which is in the process's command line and in its record.  A
process is ours only if its command line contains that token.  (The start time of a process would
not do: it is computed from the boot time and moves when the clock is set or a laptop sleeps.)
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
"""The embedded AWS's account: the example account of AWS's documentation."""

PASSED_ON = (
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "APPDATA", "USERPROFILE", "PATH",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ",
)  # fmt: skip
"""The variables that Python needs to start on some system; MiniStack gets no others."""

LOG_LIMIT = 1_000_000

_adopted: set[int] = set()
"""Process ids of those started here; they may outlive this process."""


@dataclass(frozen=True)
class ProcessRecord:
    """What the process writes about itself into `process.json`."""

    state: str
    pid: int
    port: int
    token: str
    region: str


@dataclass(frozen=True)
class Launch:
    """How to start a process: its token, its region, and its port if that is free."""

    token: str
    region: str
    preferred_port: int


def read_record(folder: Path) -> ProcessRecord | None:
    """Return the record in `folder`, or None if there is none or it is not valid."""
    try:
        content = json.loads((folder / server.RECORD).read_text(encoding="utf-8"))
        fields = {name: content[name] for name in ProcessRecord.__dataclass_fields__}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return ProcessRecord(**fields) if content.get("schema") == server.SCHEMA else None


def write_record(folder: Path, record: ProcessRecord | None, /, **changes: Any) -> None:
    """Write `record` with `changes`; None deletes the record.

    Raises:
        OSError: The folder cannot be written.
    """
    if record is None:
        (folder / server.RECORD).unlink(missing_ok=True)
    else:
        server.write_json(
            folder / server.RECORD, {"schema": server.SCHEMA} | vars(record) | changes
        )


def build_environment(folder: Path, *, region: str, passed_on: Mapping[str, str]) -> dict[str, str]:
    """Return all variables of MiniStack: loopback only, state kept, no Docker, no credentials.

    ``DOCKER_HOST`` names a socket that does not exist.  Otherwise MiniStack would connect to the
    user's Docker at its start and remove containers there (its `core/container_reaper.py`).
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
        "DOCKER_HOST": f"unix://{folder / 'no-docker.sock'}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUTF8": "1",
        "TMPDIR": scratch,
        "TEMP": scratch,
        "TMP": scratch,
    }


def open_log(folder: Path) -> IO[bytes]:
    """Open the log for appending; rename it first if it has grown large.

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
    """Return the path of the log."""
    return folder / "emulator.log"


def read_last_log_line(folder: Path) -> str:
    """Return the last line of the log, shortened, or "?" if there is none."""
    try:
        lines = log_path(folder).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return "?"
    said = [line.strip() for line in lines[-200:] if line.strip()]
    return said[-1][:200] if said else "?"


def spawn(
    folder: Path, launch: Launch, *, log: IO[bytes], passed_on: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start the process, detached: it outlives this one, and Ctrl-C here does not reach it."""
    return subprocess.Popen(
        [
            sys.executable, "-P", server.__file__,
            launch.token, str(folder), launch.region, str(launch.preferred_port),
        ],
        cwd=folder,
        env=build_environment(folder, region=launch.region, passed_on=passed_on),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        creationflags=_creation_flags(),
    )  # fmt: skip


def adopt(child: subprocess.Popen[bytes]) -> None:
    """Let a started process outlive this one."""
    _adopted.add(child.pid)
    # Without a return code Popen warns, when it is deleted, that its process is still running.
    child.returncode = 0


def find(record: ProcessRecord) -> psutil.Process | None:
    """Return the process of `record`, or None if it has ended or its id is another program's."""
    if record.state != "running":
        return None
    import psutil

    _reap(record.pid)
    try:
        process = psutil.Process(record.pid)
        return process if record.token in process.cmdline() else None
    except psutil.Error:
        return None


def has_ended(process: psutil.Process) -> bool:
    """Tell whether a process has ended and released its port and files."""
    import psutil

    try:
        # A process becomes a zombie with its first thread; others may still hold its files.
        zombie = process.is_running() and process.status() == psutil.STATUS_ZOMBIE
        over = process.num_threads() <= 1 if zombie else not process.is_running()
    except psutil.NoSuchProcess:
        over = True
    if over:
        _reap(process.pid)
    return over


def probe(record: ProcessRecord, *, patience: float = 1.0) -> Literal["ready", "busy", "dead"]:
    """Tell whether the process of `record` answers, lives without answering, or has ended."""
    if find(record) is None:
        return "dead"
    return "ready" if answers(record.port, patience=patience) else "busy"


def answers(port: int, *, patience: float) -> bool:
    """Tell whether MiniStack answers on `port` within `patience` seconds."""
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
    """Ask the process to save its state and end; return at once."""
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
    """Collect the exit status of a process started here: until then its id stays taken."""
    if sys.platform != "win32" and pid in _adopted:
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                return
        _adopted.discard(pid)


def _creation_flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0
