"""What an image costs the embedded AWS: memory and time of a push, beside plain MiniStack.

    python -m benchmarks.registry_memory [--megabytes 1024]

Pushes four layers of random bytes, with the builtin engine and with `docker push`, to an embedded
AWS and to plain MiniStack, whose registry keeps images in memory.  The embedded AWS is then stopped
and started again, and killed and started again, and the image is fetched back after each, its
digests checked.  Prints each time and the most resident memory that the server's process had.
Wanted: below 150 MB for any image, a restart that keeps it, and pushes no slower than MiniStack's
(by a tenth, for machines are noisy).  Exits 1 when that is missed.  Linux only; needs an engine.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import requests

from benchmarks.push import NAME, PASSWORD, keep_password, make_context, push_with
from handson.aws import emulator
from handson.core.waiting import wait_until

MOST_MEMORY = 150.0  # MB
SLOWER = 1.1
BLOCK = 1 << 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1024)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return compare(Path(folder), options.megabytes)


def compare(folder: Path, megabytes: int) -> int:
    """Push everywhere, restart, fetch back; answer whether all is as wanted."""
    fine = True
    for engine in ("builtin", "docker"):
        context = make_context(folder / engine, megabytes)
        with plain(folder) as (pid, port):
            make_repository(port, emulator.SECRET)
            slow = push(f"{engine}, MiniStack", engine, context, pid, port, megabytes)
        home = folder / f"home-{engine}"
        running = emulator.ensure_running(home, region="us-east-1")
        try:
            pid, port = running.pid, running.port
            make_repository(port, running.secret_access_key)
            quick = push(f"{engine}, embedded AWS", engine, context, pid, port, megabytes)
            fine &= quick.memory < MOST_MEMORY and quick.seconds < slow.seconds * SLOWER
            for end in (stop, kill):
                fine &= restarted(home, end)
        finally:
            with contextlib.suppress(Exception):
                emulator.stop_emulator(home)
            shutil.rmtree(folder / engine)
            shutil.rmtree(home)
    return 0 if fine else 1


@dataclass(frozen=True)
class Push:
    """A push that was made: its seconds, and the most memory that the server had, in MB."""

    seconds: float
    memory: float


def push(what: str, engine: str, context: Path, pid: int, port: int, megabytes: int) -> Push:
    """Push to the server on `port`; print and return what it took."""
    before = most_memory(pid)
    seconds = push_with(engine, context, f"127.0.0.1:{port}")
    made = Push(seconds, most_memory(pid))
    print(
        f"{what:22} {seconds:6.2f} s  {megabytes / seconds:6.1f} MB/s  "
        f"at most {made.memory:6.0f} MB (before: {before:.0f})",
        flush=True,
    )
    return made


def restarted(home: Path, end: Callable[[Path], None]) -> bool:
    """End the embedded AWS, start it again and fetch the image; tell whether all was well."""
    end(home)
    running = emulator.ensure_running(home, region="us-east-1")
    started = time.perf_counter()
    size = fetch(f"{running.endpoint}/v2/{NAME}")
    seconds = time.perf_counter() - started
    memory = most_memory(running.pid)
    print(
        f"fetched after a {end.__name__:5}  {seconds:6.2f} s  {size / 1e6 / seconds:6.1f} MB/s  "
        f"at most {memory:6.0f} MB",
        flush=True,
    )
    return size > 0 and memory < MOST_MEMORY


def stop(home: Path) -> None:
    emulator.stop_emulator(home)


def kill(home: Path) -> None:
    found = emulator.find_running(home)
    assert found
    os.kill(found.pid, signal.SIGKILL)
    wait_until(lambda: emulator.find_running(home) is None, done=bool, what="end", timeout=10)


def fetch(base: str) -> int:
    """Fetch an image's blobs, their digests checked; return their bytes."""
    login = ("AWS", os.environ[PASSWORD])  # it is good after a new start, too
    manifest: dict[str, Any] = requests.get(
        f"{base}/manifests/latest", auth=login, timeout=10
    ).json()
    total = 0
    for blob in (manifest["config"], *manifest["layers"]):
        seen, place = hashlib.sha256(), f"{base}/blobs/{blob['digest']}"
        with requests.get(place, auth=login, stream=True, timeout=10) as answer:
            for block in answer.iter_content(BLOCK):
                seen.update(block)
                total += len(block)
        assert blob["digest"] == f"sha256:{seen.hexdigest()}"
    return total


def most_memory(pid: int) -> float:
    """Return the most resident memory that a process has had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1e3


@contextlib.contextmanager
def plain(folder: Path) -> Iterator[tuple[int, int]]:
    """Run plain MiniStack; give its process id and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "ministack"],
        env={
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_ACCOUNT_ID": emulator.ACCOUNT,
        },
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(port), done=bool, what="MiniStack", timeout=30)
        yield process.pid, port
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return requests.get(f"http://127.0.0.1:{port}/v2/", timeout=1).ok
    return False


def make_repository(port: int, secret: str) -> None:
    ecr = boto3.client(
        "ecr",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id=emulator.ACCOUNT,
        aws_secret_access_key=secret,
    )
    ecr.create_repository(repositoryName=NAME)
    keep_password(ecr)


if __name__ == "__main__":
    sys.exit(main())
