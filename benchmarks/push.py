"""Push 200 MB in four layers, or the Rails shop: the library beside `docker push`, same endpoint.

    python benchmarks/push.py [--megabytes 200] [--rounds 5] [--base-image NAME]

The docker command, the library through the same engine, and the builtin engine push in turns, each
to an embedded AWS that has nothing yet.  The docker command puts one tag; the library puts two,
reads the image's size back and shows progress as a terminal does.  The four layers are random
bytes (nothing compresses away), anew in each round; with `--base-image` the image is the Rails
shop, built once from that base, and builtin, which cannot run its steps, stays out.

Prints each time, the ratios of the quickest rounds (whatever else a machine does only adds to a
time), the library's share of a processor and the most memory that builtin's process had.  Wanted:
through the engine at most 1.05 times docker's time and less than 3 % of a processor; builtin at
half of docker's speed or more with less than 150 MB.  Exits 1 when one is missed.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from handson.aws import emulator
from handson.core.errors import HandsonError
from handson.core.progress import TerminalProgress, ignore_progress
from handson.engine import Engine, choose_engine
from handson.engine.builtin_engine import BuiltinEngine
from handson.engine.model import BuildRequest, Destination, LocalImage
from handson.resources import push

LAYERS = 4
PASSWORD = "BENCHMARK_REGISTRY_PASSWORD"
MOST_TIME = 1.05  # of docker's, through the same engine
MOST_CPU = 3.0  # % of one processor
LEAST_SPEED = 0.5  # of docker's, without an engine
MOST_MEMORY = 150.0  # MB
BLOCK = 1 << 20
NAME = "handson-benchmark"
SHOP = Path(__file__).parent.parent / "notebooks" / "docker-rails-workshop"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--base-image", help="push the Rails shop, built from this image")
    parser.add_argument("--push-layout", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.push_layout:
        return push_one(*options.push_layout)
    engine = choose_engine("docker", docker_host=os.environ.get("DOCKER_HOST", ""))
    with tempfile.TemporaryDirectory() as folder:
        if options.base_image:
            return compare_shop(engine, Path(folder), options.base_image, options.rounds)
        return compare(engine, Path(folder), options.megabytes, options.rounds)


def compare(engine: Engine, folder: Path, megabytes: int, rounds: int) -> int:
    """Push random bytes in turns; print times, ratios, processor and memory."""
    figures = Figures()
    for number in range(rounds):
        context = make_context(folder / f"context{number}", megabytes)
        request = BuildRequest(context, folder / "images", name=NAME)
        with built(engine, request) as local:
            figures.take_turns(engine, local, folder / f"homes{number}", turn=number)
        packed = BuiltinEngine().build(request, say=ignore_progress)
        with registry(folder / f"home-builtin{number}") as address:
            figures.push_builtin(packed, address)
    return figures.judge()


def compare_shop(engine: Engine, folder: Path, base: str, rounds: int) -> int:
    """Push the Rails shop in turns; print times, ratio and processor."""
    arguments = {"BASE_IMAGE": base}
    request = push.prepare_build(SHOP, folder=folder / "images", name=NAME, build_args=arguments)
    figures = Figures()
    with built(engine, request) as local:
        for number in range(rounds):
            figures.take_turns(engine, local, folder / f"homes{number}", turn=number)
    return figures.judge()


class Figures:
    """What was measured, and what it says."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}
        self.shares: list[float] = []
        self.memory: list[float] = []

    def take_turns(self, engine: Engine, local: LocalImage, homes: Path, *, turn: int) -> None:
        """Push with the docker command and with the library; who begins changes each turn."""
        names = ["docker", "library"]
        for name in names if turn % 2 == 0 else reversed(names):
            with registry(homes / name) as address:
                if name == "docker":
                    self.note(name, push_with_docker(local, address))
                else:
                    self.note(name, self.push_with_library(engine, local, address))

    def push_with_library(self, engine: Engine, local: LocalImage, address: str) -> float:
        destination = Destination(address, "http", NAME, "AWS", _find_password(), "latest")
        line = TerminalProgress(Terminal(), columns=80).line("push")
        started, worked = time.perf_counter(), time.process_time()
        engine.push(local, destination, say=line)
        seconds = time.perf_counter() - started
        self.shares.append(100 * (time.process_time() - worked) / seconds)
        return seconds

    def push_builtin(self, packed: LocalImage, address: str) -> None:
        seconds, memory = push_packed(packed, address)
        self.note("builtin", seconds)
        self.memory.append(memory)

    def note(self, name: str, seconds: float) -> None:
        self.times.setdefault(name, []).append(seconds)
        print(f"{name:8} {seconds:6.2f} s", flush=True)

    def judge(self) -> int:
        """Print the ratios; answer whether all is as wanted."""
        best = {name: min(times) for name, times in self.times.items()}
        ratio, share = best["library"] / best["docker"], statistics.median(self.shares)
        print(f"the library takes {ratio:.2f} x docker's time (wanted: {MOST_TIME} or less)")
        print(f"and {share:.1f} % of a processor (wanted: less than {MOST_CPU} %)")
        good = ratio <= MOST_TIME and share < MOST_CPU
        if "builtin" not in best:
            return 0 if good else 1
        speed, memory = best["docker"] / best["builtin"], max(self.memory)
        print(f"builtin pushes at {speed:.2f} x docker's speed (wanted: {LEAST_SPEED} or more)")
        print(f"its process had {memory:.0f} MB at most (wanted: below {MOST_MEMORY:.0f} MB)")
        return 0 if good and speed >= LEAST_SPEED and memory < MOST_MEMORY else 1


class Terminal(io.StringIO):
    """A stream that says it is a terminal, so that progress is shown to the full."""

    def isatty(self) -> bool:
        return True


@contextlib.contextmanager
def built(engine: Engine, request: BuildRequest) -> Iterator[LocalImage]:
    """Give an image, and remove it from the engine again."""
    local = engine.build(request, say=ignore_progress)
    try:
        yield local
    finally:
        docker("rmi", "--force", local.id)


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
        keep_password(ecr)
        yield f"127.0.0.1:{running.port}"
    finally:
        emulator.stop_emulator(home)


def keep_password(ecr: Any) -> None:
    """Keep the registry's password for all pushes, also for those in processes of their own."""
    given = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    os.environ[PASSWORD] = base64.b64decode(given).decode().removeprefix("AWS:")


def _find_password() -> str:
    return os.environ[PASSWORD]


def push_with(name: str, context: Path, address: str) -> float:
    """Build with an engine, then push with its own command; return the seconds of the push."""
    request = BuildRequest(context, context.parent / "images", name=NAME)
    engine = choose_engine(name, docker_host=os.environ.get("DOCKER_HOST", ""))
    if name == "docker":
        with built(engine, request) as local:
            return push_with_docker(local, address)
    seconds, _ = push_packed(engine.build(request, say=ignore_progress), address)
    return seconds


def push_packed(packed: LocalImage, address: str) -> tuple[float, float]:
    """Push what builtin packed, in a process of its own; return its seconds and its MB."""
    assert packed.layout is not None
    layout = str(packed.layout)
    command = [sys.executable, __file__, "--push-layout", layout, packed.id, address]
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - started, float(done.stdout)


def push_with_docker(local: LocalImage, address: str) -> float:
    target = f"{address}/{NAME}:latest"
    docker("tag", local.id, target)
    login = ["docker", "login", "--username", "AWS", "--password-stdin", address]
    subprocess.run(login, input=_find_password().encode(), check=True, capture_output=True)
    try:
        started = time.perf_counter()
        docker("push", "--quiet", target)
        return time.perf_counter() - started
    finally:
        docker("logout", address)
        docker("rmi", target)


def docker(*arguments: str) -> None:
    subprocess.run(["docker", *arguments], check=True, capture_output=True)


def push_one(layout: str, image_id: str, address: str) -> int:
    """Push a layout in a process of its own, and print the most memory it had, in MB."""
    local = LocalImage("builtin", NAME, image_id, "latest", 0, layout=Path(layout))
    destination = Destination(address, "http", NAME, "AWS", _find_password(), local.tag)
    BuiltinEngine().push(local, destination, say=ignore_progress)
    # Linux counts in kilobytes, macOS in bytes.
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(most / (1e6 if sys.platform == "darwin" else 1e3))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except HandsonError as error:
        sys.exit("\n".join(error.lines()))
