"""The embedded AWS's process: start, find and end it, and read the record it leaves.

A process id alone is not enough: after a crash or a reboot it may belong to another program.  Each
start therefore gets a random token, which is in the process's command line and in its record.  A
process is ours only if its command line contains that token.  (The start time of a process would
not do: it is computed from the boot time and moves when the clock is set or a laptop sleeps.)  One
that answers proves with the home's secret that it is ours, which is quicker.
"""

from __future__ import annotations

import errno
import hmac
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from handson.aws.emulator import gate, server
from handson.core.errors import NotReady, WaitTimeout
from handson.core.files import PRIVATE, open_private, read_state, replace_file
from handson.core.waiting import wait_until

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
NO_ANSWER, OTHER_SECRET = -1, -2
_SECONDS_TO_DIE = 10.0
_SHORTEST_SECRET = 16


class DetachedProcess(subprocess.Popen[bytes]):
    """A process that may outlive this one, so that Python does not warn of it at its own end."""

    def __del__(self) -> None:
        """Replace Popen's warning that the process is still running."""


_children: dict[int, DetachedProcess] = {}
"""The processes started here, by id."""


class ProcessRecord(msgspec.Struct, frozen=True, tag_field="schema", tag=server.SCHEMA):
    """What the process writes about itself into `process.json`; see `server` for its states."""

    state: str
    pid: int
    port: int
    token: str
    region: str


def read_record(folder: Path) -> ProcessRecord | None:
    """Return the record in `folder`, or None if there is none or it is not valid."""
    return read_state(folder / server.RECORD, ProcessRecord)


def write_record(folder: Path, record: ProcessRecord | None, /, **changes: Any) -> None:
    """Write `record` with `changes`; None deletes the record.

    Raises:
        OSError: The folder cannot be written.
    """
    path = folder / server.RECORD
    if record is None:
        path.unlink(missing_ok=True)
    else:
        changed = msgspec.structs.replace(record, **changes)
        replace_file(path, [msgspec.json.encode(changed)], mode=PRIVATE)


def read_secret(folder: Path) -> str:
    """Return the home's secret access key, or "" if there is none, or no usable one."""
    with suppress(OSError, ValueError):
        secret = (folder / server.SECRET).read_text(encoding="ascii").strip()
        return secret if len(secret) >= _SHORTEST_SECRET and secret.isprintable() else ""
    return ""


def make_secret(folder: Path) -> str:
    """Return a new secret access key for the home, as long as AWS's, kept for its owner alone.

    Raises:
        OSError: The folder cannot be written.
    """
    secret = secrets.token_urlsafe(30)
    replace_file(folder / server.SECRET, [secret.encode()], mode=PRIVATE)
    return secret


def build_environment(folder: Path, *, region: str, passed_on: Mapping[str, str]) -> dict[str, str]:
    """Return all variables of MiniStack: loopback only, state kept, no Docker, no credentials.

    ``DOCKER_HOST`` names a socket that does not exist.  Otherwise MiniStack would connect to the
    user's Docker at its start and remove containers there (its `core/container_reaper.py`).
    """
    return {
        **{name: value for name, value in passed_on.items() if name.upper() in PASSED_ON},
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder / "tmp")),
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
    }


def open_log(folder: Path) -> IO[bytes]:
    """Open the log for appending; rename it first if it has grown large.

    Raises:
        OSError: It cannot be written, or the disk is full.
    """
    path = locate_log(folder)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_name(f"{path.name}.1"))
    with open_private(path) as log:
        log.write(b"--- start\n")
    return open_private(path)


def locate_log(folder: Path) -> Path:
    """Return the path of the log."""
    return folder / "emulator.log"


def explain_death(folder: Path, code: int) -> NotReady:
    """Return why a process ended at its start: the exit code and the last line of its log."""
    log = locate_log(folder)
    text = ""
    with suppress(OSError):
        text = log.read_text(encoding="utf-8", errors="replace")
    last_line = (text.strip().rpartition("\n")[2].strip() or "?")[:200]
    if any(os.strerror(each) in last_line for each in (errno.ENOSPC, errno.EDQUOT)):
        return NotReady.from_key("aws.emulator.disk-full", path=folder, reason=last_line)
    return NotReady.from_key("aws.emulator.died", code=code, said=last_line, log=log)


def spawn(
    folder: Path, *, token: str, region: str, preferred_port: int, passed_on: Mapping[str, str]
) -> DetachedProcess:
    """Start the process, detached: it outlives this one, and Ctrl-C here does not reach it.

    Raises:
        OSError: The log cannot be written, or the disk is full.
    """
    windows_flags = 0
    if sys.platform == "win32":
        windows_flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    arguments = [token, str(folder), region, str(preferred_port)]
    with open_log(folder) as log:
        child = DetachedProcess(
            [sys.executable, server.__file__, *arguments],
            cwd=folder,
            env=build_environment(folder, region=region, passed_on=passed_on),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            creationflags=windows_flags,
        )
    _children[child.pid] = child
    return child


def find_process(record: ProcessRecord | None) -> psutil.Process | None:
    """Return the process of `record`, or None if it has ended or its id is another program's."""
    if record is None or record.state != "running":
        return None
    import psutil

    _reap(record.pid)
    try:
        process = psutil.Process(record.pid)
        return process if record.token in process.cmdline() else None
    except psutil.Error:
        return None


def check_health(port: int, secret: str) -> int:
    """Return 0 if this home's AWS answers on `port` within a second and its state can be saved.

    If its state cannot be saved, return the `errno` of the reason; `OTHER_SECRET` if it cannot
    prove that it has the secret, and `NO_ANSWER` without an answer.
    """
    connection = HTTPConnection(server.HOST, port, timeout=1.0)
    challenge = secrets.token_hex(16)
    with closing(connection), suppress(OSError, HTTPException):
        connection.request("GET", gate.HEALTH, headers={gate.CHALLENGE: challenge})
        proof = connection.getresponse().getheader(gate.PROOF, "")
        for failure in (0, *errno.errorcode) if proof else ():
            known = gate.prove(secret, "health", f"{challenge}\n{failure}")
            if hmac.compare_digest(known.encode(), proof.encode()):
                return failure
        return OTHER_SECRET if proof else NO_ANSWER
    return NO_ANSWER


def end_process(process: psutil.Process, *, folder: Path, timeout: float) -> None:
    """Ask the process to save its state and end; kill it if it has not ended in time."""
    import psutil

    def wait(seconds: float) -> None:
        wait_until(lambda: _has_ended(process), done=bool, what="emulator", timeout=seconds)

    with suppress(psutil.NoSuchProcess):
        if sys.platform == "win32":
            (folder / server.STOP).touch()
        else:
            process.terminate()
        try:
            wait(timeout)
        except WaitTimeout:
            process.kill()
            wait(_SECONDS_TO_DIE)
    _reap(process.pid)


def _has_ended(process: psutil.Process) -> bool:
    """Tell whether a process has ended and released its port and files."""
    import psutil

    if not process.is_running():
        return True
    # A process becomes a zombie with its first thread; others may still hold its files.
    return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1


def _reap(pid: int) -> None:
    """Collect the exit status of a process started here: until then its id stays taken."""
    if pid in _children:
        _children[pid].poll()
