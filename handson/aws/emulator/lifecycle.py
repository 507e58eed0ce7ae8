"""Start, find, stop and wipe the embedded AWS of a home folder.

Everything is in ``<home>/emulator``: `process.json` (which process, which port, how it ended),
`state/` (saved at the last stop), `registry/` (the images' layers), `emulator.log`, and `lock`
(held while starting or stopping).
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from handson.aws.emulator import process, server
from handson.aws.emulator.process import ACCOUNT, Launch, ProcessRecord
from handson.core import messages
from handson.core.errors import NotReady, WaitTimeout
from handson.core.waiting import wait_until

if TYPE_CHECKING:
    import psutil

SECRET = "handson-not-a-secret"
"""The embedded AWS checks no signatures; a fixed word keeps anyone from using a real key."""

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Running:
    """An embedded AWS that answers, with everything an AWS client needs to reach it.

    `state` tells how it came to run: ``"running"`` (it already was), ``"started"`` (now, from its
    saved state), or ``"restarted"`` (now, after it had been killed: everything made since its last
    graceful stop is lost, except repositories and images).  The access key is the account number;
    neither it nor the secret protects anything.
    """

    endpoint: str
    port: int
    pid: int
    account: str
    access_key_id: str
    secret_access_key: str
    region: str
    state: Literal["started", "running", "restarted"]


def ensure_running(
    home: Path, *, region: str, environ: Mapping[str, str] = _EMPTY, timeout: float = 30.0
) -> Running:
    """Return the embedded AWS of `home`; when this returns, it answers requests.

    Its registry serves one region alone, the one it was started for.  For another region it is
    stopped, its state saved, and started again.

    Args:
        home: The `HANDSON_HOME`; made if missing.
        region: The region that clients will name.
        environ: The caller's environment.  Only what Python needs to start is taken from it
            (`process.PASSED_ON`; on Windows it has to be given), never an ``AWS_`` variable.
        timeout: Seconds to wait for it to answer, and for another process that is starting it.

    Raises:
        NotReady: The home cannot be written, the disk is full, the process died at its start or
            did not answer in time, or its state could not be saved for the other region.
    """
    folder = _folder(home)
    record = process.read_record(folder)
    if record and record.region == region and process.probe(record) == "ready":
        return _running(record, "running")
    with _lock(folder, timeout=timeout):
        return _join_or_start(folder, region=region, environ=environ, timeout=timeout)


def find_running(home: Path) -> Running | None:
    """Return the embedded AWS of `home` if its process exists, else None; change nothing."""
    record = process.read_record(_folder(home))
    return _running(record, "running") if record and process.find(record) else None


def stop(home: Path, *, timeout: float = 30.0) -> bool:
    """Stop the embedded AWS of `home`, its state saved; tell whether it was running.

    Args:
        home: The `HANDSON_HOME`; not made if missing.
        timeout: Seconds it may take to save its state before it is killed.

    Raises:
        NotReady: It had to be killed, or its state could not be saved: everything made since the
            last graceful stop is lost.  It is stopped nevertheless.
    """
    folder = _folder(home)
    if not folder.is_dir():
        return False
    with _lock(folder, timeout=timeout):
        return _stop(folder, timeout=timeout)


def reset(home: Path, *, timeout: float = 30.0) -> bool:
    """Stop the embedded AWS of `home` and wipe its state; tell whether it was running.

    The port is remembered; the log is kept.

    Raises:
        NotReady: The home cannot be written.
    """
    folder = _folder(home)
    if not folder.is_dir():
        return False
    with _lock(folder, timeout=timeout):
        was_running = _stop_or_kill(folder, timeout=timeout)
        with _file_errors(folder):
            for saved in (folder / "state", folder / server.BLOBS):
                if saved.exists():
                    shutil.rmtree(saved)
            process.write_record(folder, process.read_record(folder), state="stopped")
    return was_running


def _folder(home: Path) -> Path:
    return home.absolute() / "emulator"


def _running(record: ProcessRecord, state: Literal["started", "running", "restarted"]) -> Running:
    return Running(
        endpoint=f"http://{server.HOST}:{record.port}",
        port=record.port,
        pid=record.pid,
        account=ACCOUNT,
        access_key_id=ACCOUNT,
        secret_access_key=SECRET,
        region=record.region,
        state=state,
    )


def _join_or_start(
    folder: Path, *, region: str, environ: Mapping[str, str], timeout: float
) -> Running:
    """Look again, now that no other process can start one, and start one if there is none."""
    found = process.read_record(folder)
    if found and _wait_settled(found, folder, timeout=timeout) == "ready":
        if found.region == region:
            return _running(found, "running")
        _stop(folder, timeout=timeout)
    ended = process.read_record(folder)  # the process may have written it during the wait
    launch = Launch(secrets.token_hex(16), region, ended.port if ended else 0)
    with _file_errors(folder), process.open_log(folder) as log:
        child = process.spawn(folder, launch, log=log, passed_on=environ)
    try:
        record = _wait_started(folder, child, launch, timeout=timeout)
    except BaseException:
        child.kill()
        child.wait()
        with _file_errors(folder):
            process.write_record(folder, ended)
        raise
    process.adopt(child)
    killed = ended is not None and ended.state != "stopped"
    return _running(record, "restarted" if killed else "started")


def _wait_settled(record: ProcessRecord, folder: Path, *, timeout: float) -> str:
    """Wait while the process lives without answering: it starts, stops or is very busy."""
    try:
        return wait_until(
            lambda: process.probe(record),
            done=lambda seen: seen != "busy",
            what="emulator",
            timeout=timeout,
        )
    except WaitTimeout:
        raise _silent(folder, timeout) from None


def _wait_started(
    folder: Path, child: subprocess.Popen[bytes], launch: Launch, *, timeout: float
) -> ProcessRecord:
    """Return the record of the new process when it answers."""

    def probe() -> ProcessRecord | Literal["starting", "dead"]:
        if child.poll() is not None:
            return "dead"
        record = process.read_record(folder)
        ours = record is not None and record.token == launch.token
        if ours and record and process.answers(record.port, patience=1.0):
            return record
        return "starting"

    try:
        seen = wait_until(
            probe, done=lambda seen: seen != "starting", what="emulator", timeout=timeout
        )
    except WaitTimeout:
        raise _silent(folder, timeout) from None
    if isinstance(seen, ProcessRecord):
        return seen
    raise _died(folder, child.returncode)


def _stop(folder: Path, *, timeout: float) -> bool:
    if not _stop_or_kill(folder, timeout=timeout):
        return False
    record, log = process.read_record(folder), process.log_path(folder)
    if record and record.state == "running":
        raise NotReady(*messages.advice("aws.emulator.killed", log=log))
    if record is None or record.state != "stopped":
        raise NotReady(*messages.advice("aws.emulator.unsaved", log=log))
    return True


def _stop_or_kill(folder: Path, *, timeout: float) -> bool:
    """End the process of this folder, killing it if need be; tell whether there was one."""
    record = process.read_record(folder)
    found = process.find(record) if record else None
    if found is None:
        return False
    process.ask_to_stop(found, folder=folder)
    try:
        _wait_ended(found, timeout=timeout)
    except WaitTimeout:
        process.kill(found)
        _wait_ended(found, timeout=10.0)
    return True


def _wait_ended(found: psutil.Process, *, timeout: float) -> None:
    wait_until(lambda: process.has_ended(found), done=bool, what="emulator", timeout=timeout)


@contextmanager
def _lock(folder: Path, *, timeout: float) -> Iterator[None]:
    """Hold the folder's lock, so that no other process starts or stops the embedded AWS."""
    from filelock import FileLock, Timeout

    seconds = 2 * timeout
    lock = FileLock(folder / "lock", timeout=seconds, poll_interval=0.01, mode=0o600)
    with _file_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / "tmp").mkdir(exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            path = folder / "lock"
            sentences = messages.advice("aws.emulator.locked", path=path, seconds=f"{seconds:g}")
            raise NotReady(*sentences) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _file_errors(folder: Path) -> Iterator[None]:
    """Turn errors of the file system into ours."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in server.DISK_FULL:
            raise _disk_full(folder, reason) from error
        sentences = messages.advice("aws.emulator.not-writable", path=folder, reason=reason)
        raise NotReady(*sentences) from error


def _disk_full(folder: Path, reason: str) -> NotReady:
    return NotReady(*messages.advice("aws.emulator.disk-full", path=folder, reason=reason))


def _silent(folder: Path, timeout: float) -> NotReady:
    log = process.log_path(folder)
    return NotReady(*messages.advice("aws.emulator.silent", seconds=f"{timeout:g}", log=log))


def _died(folder: Path, code: int) -> NotReady:
    if code == server.EXIT_DISK_FULL:
        return _disk_full(folder, "ENOSPC")
    said, log = process.read_last_log_line(folder), process.log_path(folder)
    return NotReady(*messages.advice("aws.emulator.died", code=code, said=said, log=log))
