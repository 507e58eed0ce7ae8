"""The embedded AWS: one MiniStack process per home folder, shared by all its kernels.

    ensure_running    find it, or start it and wait until it answers
    status            find it
    stop              let it save its state and end
    reset             stop it and forget everything it held
    lend_engine       let it start containers of ECS tasks, while a block lasts

Everything is in ``<home>/emulator``: `process.json` (which process, which port, how it ended),
`state/` (what was saved at the last stop), `registry/` (the images' layers), `emulator.log`,
`lock` (held while starting or stopping).  Everything that knows it is MiniStack is in this room.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import gethostname
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from handson.aws.emulator import process, server
from handson.aws.emulator.process import ACCOUNT, Order, Record
from handson.core import messages
from handson.core.errors import NotReady, WaitTimeout
from handson.core.waiting import wait_until

if TYPE_CHECKING:
    import psutil

__all__ = [
    "ACCOUNT",
    "SECRET",
    "Running",
    "container_label",
    "ensure_running",
    "lend_engine",
    "reset",
    "status",
    "stop",
]

SECRET = "handson-not-a-secret"
"""The embedded AWS checks no signatures; a fixed word keeps anyone from using a real key."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Running:
    """An embedded AWS that answers, and all that an AWS client needs to be pointed at it.

    `state` tells how it came to run: ``"started"`` (now, from its saved state), ``"running"``
    (it already was), or ``"restarted"`` (now, after it had been killed: what was made since its
    last graceful stop is lost, but for repositories and their images).  The access key is the
    account; neither it nor the secret is one.
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
    home: Path, *, region: str, environ: Mapping[str, str] = _NOTHING, timeout: float = 30.0
) -> Running:
    """Return the embedded AWS of `home`; when this returns, it answers requests.

    Args:
        home: The `HANDSON_HOME`; made if missing.
        region: The region clients will name; the embedded AWS serves every region at once.
        environ: The caller's environment. Only what Python needs to start is taken from it
            (`process.PASSED_ON`; on Windows it has to be given), never an ``AWS_`` variable.
        timeout: Seconds to wait for it to answer, and for another process that is starting it.

    Raises:
        NotReady: The home cannot be written, the disk is full, the process died at its start or
            did not answer in time.
    """
    folder = _folder(home)
    record = process.read_record(folder)
    if record and process.look(record) == "ready":
        return _running(record, region=region, state="running")
    with _held(folder, timeout=timeout):
        return _join_or_start(folder, region=region, environ=environ, timeout=timeout)


def status(home: Path) -> Running | None:
    """Return the embedded AWS of `home` if its process is there, else None. Changes nothing.

    Its region is the one it was started for.
    """
    record = process.read_record(_folder(home))
    if record is None or process.find(record) is None:
        return None
    return _running(record, region=record.region, state="running")


def stop(home: Path, *, timeout: float = 30.0) -> bool:
    """Stop the embedded AWS of `home`, its state saved; tell whether there was one.

    Args:
        home: The `HANDSON_HOME`; not made if missing.
        timeout: Seconds it may take to save its state before it is killed.

    Raises:
        NotReady: It had to be killed, or its state could not be saved: what was made since the
            last graceful stop is lost.  It is stopped nevertheless.
    """
    folder = _folder(home)
    if not folder.is_dir():
        return False
    with _held(folder, timeout=timeout):
        return _stop(folder, timeout=timeout)


def reset(home: Path, *, timeout: float = 30.0) -> bool:
    """Stop the embedded AWS of `home` and wipe all it held; tell whether it was running.

    The port is remembered; the log is kept.

    Raises:
        NotReady: The home cannot be written.
    """
    folder = _folder(home)
    if not folder.is_dir():
        return False
    with _held(folder, timeout=timeout):
        was_running = _stop_or_kill(folder, timeout=timeout)
        with _explained(folder):
            for held in (folder / "state", folder / server.BLOBS):
                if held.exists():
                    shutil.rmtree(held)
            process.write_record(folder, process.read_record(folder), state="stopped")
    return was_running


@contextmanager
def lend_engine(home: Path, socket: str) -> Iterator[None]:
    """Let the embedded AWS of `home` reach a container engine while the block lasts.

    It was started with the name of a socket that is not there; for the block, that name leads to
    the engine's.  MiniStack looks for the engine when a task is run and removes, while it runs,
    containers of its own address alone: nothing of the user's.

    Args:
        home: The `HANDSON_HOME`.
        socket: The path of the engine's Unix socket.

    Raises:
        NotReady: The home cannot be written.
    """
    path = _folder(home) / process.ENGINE
    with _explained(path.parent):
        path.unlink(missing_ok=True)
        path.symlink_to(socket)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def container_label(endpoint: str) -> str:
    """Return the label that every container started by the embedded AWS at `endpoint` carries.

    A port belongs to one process at a time, so whatever carries it while nothing of ours runs was
    left by one that is gone.
    """
    return f"ministack.instance={gethostname()}:{urlsplit(endpoint).port}"


def _folder(home: Path) -> Path:
    return home.absolute() / "emulator"


def _running(
    record: Record, *, region: str, state: Literal["started", "running", "restarted"]
) -> Running:
    return Running(
        endpoint=f"http://{server.HOST}:{record.port}",
        port=record.port,
        pid=record.pid,
        account=ACCOUNT,
        access_key_id=ACCOUNT,
        secret_access_key=SECRET,
        region=region,
        state=state,
    )


def _join_or_start(
    folder: Path, *, region: str, environ: Mapping[str, str], timeout: float
) -> Running:
    """Look again now that nobody else can start one, then start one."""
    before = process.read_record(folder)
    if before and _settled(before, folder, timeout=timeout) == "ready":
        return _running(before, region=region, state="running")
    ended = process.read_record(folder)  # it may have written how it ended while we waited
    order = Order(secrets.token_hex(16), region, ended.port if ended else 0)
    with _explained(folder), process.open_log(folder) as log:
        child = process.spawn(folder, order, log=log, passed_on=environ)
    try:
        record = _started(folder, child, order, timeout=timeout)
    except BaseException:
        child.kill()
        child.wait()
        with _explained(folder):
            process.write_record(folder, ended)
        raise
    process.let_go(child)
    killed = ended is not None and ended.state != "stopped"
    return _running(record, region=region, state="restarted" if killed else "started")


def _settled(record: Record, folder: Path, *, timeout: float) -> str:
    """Wait while the process lives without answering: it is starting, stopping or very busy."""
    try:
        return wait_until(
            lambda: process.look(record),
            done=lambda seen: seen != "busy",
            what="emulator",
            timeout=timeout,
        )
    except WaitTimeout:
        raise _silent(folder, timeout) from None


def _started(
    folder: Path, child: subprocess.Popen[bytes], order: Order, *, timeout: float
) -> Record:
    """Return the record of the new process once it answers."""

    def probe() -> Record | Literal["starting", "dead"]:
        if child.poll() is not None:
            return "dead"
        record = process.read_record(folder)
        ours = record is not None and record.token == order.token
        if ours and record and process.answers(record.port, patience=1.0):
            return record
        return "starting"

    try:
        seen = wait_until(
            probe, done=lambda seen: seen != "starting", what="emulator", timeout=timeout
        )
    except WaitTimeout:
        raise _silent(folder, timeout) from None
    if isinstance(seen, Record):
        return seen
    raise _died(folder, child.returncode)


def _stop(folder: Path, *, timeout: float) -> bool:
    if not _stop_or_kill(folder, timeout=timeout):
        return False
    record = process.read_record(folder)
    if record is None or record.state != "stopped":
        key = "killed" if record and record.state == "running" else "unsaved"
        advice = messages.advice(f"aws.emulator.{key}", log=process.log_path(folder))
        raise NotReady(*advice)
    return True


def _stop_or_kill(folder: Path, *, timeout: float) -> bool:
    """Make sure that no process of this folder is left; tell whether there was one."""
    record = process.read_record(folder)
    found = process.find(record) if record else None
    if record is None or found is None:
        return False
    process.ask_to_stop(found, folder=folder)
    try:
        _wait_ended(found, timeout=timeout)
    except WaitTimeout:
        process.kill(found)
        _wait_ended(found, timeout=10.0)
    return True


def _wait_ended(found: psutil.Process, *, timeout: float) -> None:
    wait_until(lambda: process.ended(found), done=bool, what="emulator", timeout=timeout)


@contextmanager
def _held(folder: Path, *, timeout: float) -> Iterator[None]:
    """Hold the folder's lock, so that nobody else starts or stops the process meanwhile."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock", timeout=2 * timeout, poll_interval=0.01, mode=0o600)
    with _explained(folder):
        _prepare(folder)
        try:
            lock.acquire()
        except Timeout:
            advice = messages.advice(
                "aws.emulator.locked", path=folder / "lock", seconds=f"{2 * timeout:g}"
            )
            raise NotReady(*advice) from None
    try:
        yield
    finally:
        lock.release()


def _prepare(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "tmp").mkdir(exist_ok=True)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into a sentence."""
    try:
        yield
    except OSError as error:
        key = "disk-full" if error.errno in server.DISK_FULL else "not-writable"
        reason = error.strerror or str(error)
        raise NotReady(
            *messages.advice(f"aws.emulator.{key}", path=folder, reason=reason)
        ) from error


def _silent(folder: Path, timeout: float) -> NotReady:
    advice = messages.advice(
        "aws.emulator.silent", seconds=f"{timeout:g}", log=process.log_path(folder)
    )
    return NotReady(*advice)


def _died(folder: Path, code: int) -> NotReady:
    if code == server.EXIT_DISK_FULL:
        return NotReady(*messages.advice("aws.emulator.disk-full", path=folder, reason="ENOSPC"))
    return NotReady(
        *messages.advice(
            "aws.emulator.died",
            code=code,
            said=process.last_words(folder),
            log=process.log_path(folder),
        )
    )
