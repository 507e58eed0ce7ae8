"""The embedded AWS: one MiniStack process for each home folder, shared by all its kernels.

This module starts, finds, stops and wipes it.  Everything that depends on MiniStack is in this
package:

    process          the process itself: spawn it, signal it, read its record
    in_process       the same AWS within this Python, for tests and for where no process can start
    server           the program that the process runs
    gate             in front of it: lets in only who has the home's secret
    state_saver      saves its state a moment after each change
    blob_registry    its registry, with the blobs on disk
    blobs            the files of the blobs, and which repository has which blob

Everything is kept in ``<home>/emulator``: `process.json` (which process, which port, how it ended),
`secret-access-key`, `state/`, `registry/` (the images' layers), `emulator.log`, and `lock` (held
while starting or stopping).
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

from handson.aws.emulator import process, server
from handson.aws.emulator.process import ProcessRecord
from handson.core.errors import NotReady, WaitTimeout
from handson.core.files import hold_lock, make_private
from handson.core.waiting import wait_until

ACCOUNT = process.ACCOUNT
SECRET = "handson-not-a-secret"
"""The secret access key for an endpoint that checks none; nobody has to use a real one."""

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Running:
    """An embedded AWS that answers, with everything an AWS client needs to reach it.

    `state` tells how it came to run: ``"running"`` (it already was), ``"started"`` (now, from its
    saved state), or ``"restarted"`` (now, after it had been killed: what was made in the seconds
    before may be lost).  The access key is the account number; the secret is this home's own, and
    nobody without it gets an answer.
    """

    account: ClassVar[str] = ACCOUNT
    access_key_id: ClassVar[str] = ACCOUNT
    pid: int
    port: int
    region: str
    state: Literal["started", "running", "restarted"]
    secret_access_key: str = field(default=SECRET, repr=False, kw_only=True)

    @property
    def endpoint(self) -> str:
        """The URL that clients send their requests to."""
        return f"http://{server.HOST}:{self.port}"


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
        NotReady: It runs, but its state cannot be saved; what was saved before is kept.
    """
    folder = _folder(home)
    record, secret = process.read_record(folder), process.read_secret(folder)
    # No lock: a process that answers is neither starting nor stopping, and every verb asks for it.
    if record and secret and record.region == region:
        failure = process.check_health(record.port, secret)
        if failure >= 0:
            return _require_saved(folder, record, failure)
    with _lock(folder, timeout=timeout):
        try:
            running = _join(folder, region=region, timeout=timeout)
            return running or _start(folder, region=region, environ=environ, timeout=timeout)
        except WaitTimeout:
            seconds, log = f"{timeout:g}", process.locate_log(folder)
            raise NotReady.from_key("aws.emulator.silent", seconds=seconds, log=log) from None


def find_running(home: Path) -> Running | None:
    """Return the embedded AWS of `home` if its process exists, else None; change nothing."""
    folder = _folder(home)
    record = process.read_record(folder)
    return _describe(folder, record, "running") if record and process.find_process(record) else None


def stop_emulator(home: Path, *, timeout: float = 30.0) -> bool:
    """Stop the embedded AWS of `home`, its state saved; tell whether it was running.

    Args:
        home: The `HANDSON_HOME`; not made if missing.
        timeout: Seconds it may take to save its state before it is killed.

    Raises:
        NotReady: It had to be killed, or its state could not be saved: what was made after the
            last save is lost.  It is stopped nevertheless.
    """
    folder = _folder(home)
    if not folder.is_dir():
        return False
    with _lock(folder, timeout=timeout):
        return _stop(folder, timeout=timeout)


def reset_emulator(home: Path, *, timeout: float = 30.0) -> bool:
    """Stop the embedded AWS of `home` and wipe its state; tell whether it was running.

    The port is remembered; the log is kept.

    Raises:
        NotReady: The home cannot be written.
    """
    folder = _folder(home)
    if not folder.is_dir():
        return False
    with _lock(folder, timeout=timeout):
        was_running = _end_process(folder, timeout=timeout)
        with _file_errors(folder):
            for saved in (folder / "state", folder / server.BLOBS):
                if saved.exists():
                    shutil.rmtree(saved)
            process.write_record(folder, process.read_record(folder), state="stopped")
    return was_running


def _folder(home: Path) -> Path:
    return home.absolute() / "emulator"


def _describe(
    folder: Path, record: ProcessRecord, state: Literal["started", "running", "restarted"]
) -> Running:
    secret = process.read_secret(folder) or SECRET
    return Running(record.pid, record.port, record.region, state, secret_access_key=secret)


def _require_saved(folder: Path, record: ProcessRecord, failure: int) -> Running:
    if failure:
        raise explain_failure(folder / "state", OSError(failure, os.strerror(failure)))
    return _describe(folder, record, "running")


def _join(folder: Path, *, region: str, timeout: float) -> Running | None:
    """Return the running process, now that no other process can start one.

    Wait while it lives without answering: it starts, stops or is very busy.  Stop it if it serves
    another region, or if the home has no secret or another one: nobody can sign for a process
    whose secret was lost or exchanged.
    """
    record, secret = process.read_record(folder), process.read_secret(folder)
    if record is None:
        return None
    if secret:
        failure = wait_until(
            lambda: process.check_health(record.port, secret),
            done=lambda it: it != process.NO_ANSWER or not process.find_process(record),
            what="emulator",
            timeout=timeout,
        )
        if record.region == region and failure >= 0:
            return _require_saved(folder, record, failure)
    _stop(folder, timeout=timeout)
    return None


def _start(folder: Path, *, region: str, environ: Mapping[str, str], timeout: float) -> Running:
    """Start a process and return it when it answers; if it does not, leave none behind."""
    ended = process.read_record(folder)  # the process may have written it while `_join` waited
    port, token = ended.port if ended else 0, secrets.token_hex(16)
    with _file_errors(folder):
        secret = process.read_secret(folder) or process.make_secret(folder)
        child = process.spawn(
            folder, token=token, region=region, preferred_port=port, passed_on=environ
        )

    def is_ready(record: ProcessRecord | None) -> bool:
        if child.poll() is not None:
            raise process.explain_death(folder, child.returncode)
        if record is None or record.token != token:
            return False
        return process.check_health(record.port, secret) >= 0

    try:
        record = wait_until(
            lambda: process.read_record(folder), done=is_ready, what="emulator", timeout=timeout
        )
        assert record is not None
    except BaseException:
        child.kill()
        child.wait()
        # Its own record would hide how the process before it ended.
        with _file_errors(folder):
            process.write_record(folder, ended)
        raise
    was_killed = ended is not None and ended.state != "stopped"
    return _describe(folder, record, "restarted" if was_killed else "started")


def _stop(folder: Path, *, timeout: float) -> bool:
    if not _end_process(folder, timeout=timeout):
        return False
    record = process.read_record(folder)
    if record is None or record.state != "stopped":
        was_killed = record and record.state == "running"
        key = "aws.emulator.killed" if was_killed else "aws.emulator.unsaved"
        raise NotReady.from_key(key, log=process.locate_log(folder))
    return True


def _end_process(folder: Path, *, timeout: float) -> bool:
    """End the process of this folder, killing it if need be; tell whether there was one."""
    found = process.find_process(process.read_record(folder))
    if found:
        process.end_process(found, folder=folder, timeout=timeout)
    return found is not None


@contextmanager
def _lock(folder: Path, *, timeout: float) -> Iterator[None]:
    """Hold the folder's lock, so that no other process starts or stops the embedded AWS."""
    with _file_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        make_private(folder)
        (folder / "tmp").mkdir(mode=0o700, exist_ok=True)
    # Another process may hold it for two timeouts: to wait for a busy process, and to start one.
    path, seconds = folder / "lock", 2 * timeout
    with hold_lock(path, timeout=seconds, busy="aws.emulator.locked"):
        yield


@contextmanager
def _file_errors(folder: Path) -> Iterator[None]:
    """Turn errors of the file system into ours."""
    try:
        yield
    except OSError as error:
        raise explain_failure(folder, error) from error


def explain_failure(folder: Path, error: Exception) -> NotReady:
    """Return the error for what kept files of a folder from being written."""
    key, number = "aws.emulator.not-writable", getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        key = "aws.emulator.disk-full"
    if number in (errno.EAGAIN, errno.ENOMEM):  # of fork
        key = "core.exhausted"
    reason = getattr(error, "strerror", None) or str(error)
    return NotReady.from_key(key, path=folder, reason=reason)
