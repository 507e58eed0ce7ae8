"""Push 200 MB in four layers: the builtin engine beside `docker push`, to the same endpoint.

    python benchmarks/push.py [--megabytes 200] [--rounds 3]

Both push the same four files of random bytes (so nothing compresses away) to one embedded AWS, in
turns, each round to a repository and with bytes of its own.  Prints each time, the ratio of the
medians, and the most memory that the pushing process had.  Wanted: at least half of docker's
speed, and less than 150 MB.  Exits 1 when either is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from handson import emulator
from handson.engine import BuildRequest, BuiltinEngine, Destination, LocalImage, choose
from handson.errors import HandsonError
from handson.progress import silent

LAYERS = 4
LEAST_SPEED = 0.5  # of docker's
MOST_MEMORY = 150.0  # MB
BLOCK = 1 << 20
NAME = "handson-benchmark"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--push-layout", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.push_layout:
        return push_one(*options.push_layout)
    with tempfile.TemporaryDirectory() as folder:
        return compare(Path(folder), options.megabytes, options.rounds)


def compare(folder: Path, megabytes: int, rounds: int) -> int:
    """Push in turns; print times, ratio and memory."""
    times: dict[str, list[float]] = {"docker": [], "builtin": []}
    memory: list[float] = []
    for number in range(rounds):
        context = make_context(folder / f"context{number}", megabytes)
        for name in ("docker", "builtin"):
            with registry(folder / f"home-{name}-{number}") as address:
                seconds, most = push_with(name, context, address)
            times[name].append(seconds)
            memory += [most] if name == "builtin" else []
            speed = megabytes / seconds
            print(f"{name:8} {seconds:6.2f} s  {speed:6.1f} MB/s", flush=True)
    return judge(times, max(memory))


def judge(times: dict[str, list[float]], memory: float) -> int:
    """Print the ratio of the medians and the memory; answer whether both are as wanted."""
    ratio = statistics.median(times["docker"]) / statistics.median(times["builtin"])
    print(f"builtin pushes at {ratio:.2f} x docker's speed (wanted: {LEAST_SPEED} or more)")
    print(f"its process had {memory:.0f} MB at most (wanted: below {MOST_MEMORY:.0f} MB)")
    return 0 if ratio >= LEAST_SPEED and memory < MOST_MEMORY else 1


def make_context(folder: Path, megabytes: int) -> Path:
    """Make a build context of four files, a layer each."""
    folder.mkdir()
    steps = ["FROM scratch"]
    for number in range(LAYERS):
        with (folder / f"layer{number}").open("wb") as file:
            for _ in range(megabytes // LAYERS):
                file.write(os.urandom(BLOCK))
        steps.append(f"COPY layer{number} /layer{number}")
    (folder / "Dockerfile").write_text("\n".join(steps) + "\n")
    return folder


@contextlib.contextmanager
def registry(home: Path) -> Iterator[str]:
    """Give the address of a fresh embedded AWS with a repository in it."""
    import boto3

    running = emulator.ensure_running(home, region="us-east-1")
    try:
        ecr = boto3.client(
            "ecr",
            endpoint_url=running.endpoint,
            region_name=running.region,
            aws_access_key_id=running.access_key_id,
            aws_secret_access_key=running.secret_access_key,
        )
        ecr.create_repository(repositoryName=NAME)
        yield f"127.0.0.1:{running.port}"
    finally:
        emulator.stop(home)


def push_with(name: str, context: Path, address: str) -> tuple[float, float]:
    """Build, then push; return the seconds of the push and the pushing process's MB."""
    request = BuildRequest(context, context / "Dockerfile", context.parent / "images", name=NAME)
    engine = choose(name, docker_host=os.environ.get("DOCKER_HOST", ""))
    image = engine.build(request, say=silent)
    if name == "docker":
        return push_with_docker(image, address), 0.0
    assert image.layout is not None
    command = [sys.executable, __file__, "--push-layout", str(image.layout), image.id, address]
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - started, float(done.stdout)


def push_with_docker(image: LocalImage, address: str) -> float:
    target = f"{address}/{NAME}:latest"
    subprocess.run(["docker", "tag", image.id, target], check=True)
    try:
        started = time.perf_counter()
        subprocess.run(["docker", "push", "--quiet", target], check=True, capture_output=True)
        return time.perf_counter() - started
    finally:
        subprocess.run(["docker", "rmi", "--force", image.id], check=True, capture_output=True)


def push_one(layout: str, image_id: str, address: str) -> int:
    """Push a layout in a process of its own, and print the most memory it had, in MB."""
    image = LocalImage("builtin", NAME, image_id, ("latest",), 0, layout=Path(layout))
    destination = Destination(address, "http", NAME, "AWS", "token")
    BuiltinEngine().push(image, destination, say=silent)
    # Linux counts in kilobytes, macOS in bytes.
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(most / (1e6 if sys.platform == "darwin" else 1e3))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except HandsonError as error:
        sys.exit("\n".join(error.lines()))
