"""How long network, cluster and repository take to be made, beside what they cannot take less than.

    live kernel    80 ms are added to every call, as on a long way to AWS; the session is warm and
                   its clients are made.  Side by side with the longest chain of calls that need one
                   another, and with all calls one after the other (wanted: 1.25 x the chain).
    from start     a fresh Python that starts the workshop and makes the three, beside a shell
                   script that makes the same with the aws CLI (wanted: 20 times as fast); on a
                   busy machine their processor time differs less from run to run.

Everything runs against an embedded AWS of its own.  Without the aws command the second part is
left out.

Usage: python -m benchmarks.provisioning [--runs N] [--aws-cli PATH]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from handson.aws import Aws, Credentials, connection, emulator
from handson.course.exercise import NetworkForm
from handson.resources import cleanup, cluster, network
from handson.resources.cluster import ClusterForm as ClusterForm
from handson.resources.network import plan_network
from handson.resources.plan import Step
from handson.resources.repository import ensure_repository

ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
REPOSITORY = "rails-app"
DELAY = 0.080
WANTED_CHAIN = 1.25
WANTED_CLI = 20.0

FRESH = """
import handson
workshop = handson.start()
workshop.ensure_network()
workshop.ensure_cluster()
workshop.ensure_repository()
"""


class Way:
    """The way to AWS: counts the calls, and is as long as `delay` says, in seconds."""

    def __init__(self) -> None:
        self.delay = 0.0
        self.calls = 0
        self._lock = threading.Lock()

    def __call__(self, **_: Any) -> None:
        with self._lock:
            self.calls += 1
        if self.delay:
            time.sleep(self.delay)


def connect(running: emulator.Running, way: Way) -> Aws:
    keys = Credentials(running.access_key_id, running.secret_access_key)
    connected = connection.connect_emulator(running.endpoint, region=REGION, credentials=keys)
    connected.session.register("before-send", way)
    for service in ("ec2", "ecs", "ecr"):
        connected.client(service)
    return connected


def provision(connected: Aws) -> None:
    """Make all three at once."""
    tasks: list[Callable[[], object]] = [
        lambda: network.ensure_network(connected, NetworkForm()),
        lambda: cluster.ensure_cluster(connected, ClusterForm()),
        lambda: ensure_repository(connected, REPOSITORY),
    ]
    with ThreadPoolExecutor(len(tasks)) as pool:
        for task in [pool.submit(task) for task in tasks]:
            task.result()


def longest_chain() -> int:
    """Return how many calls have to wait for one another.

    Network: one look (its calls at once), the longest chain of the plan, and one last look.
    Cluster: look, create, look.  Repository: look, create, look, its tags.
    """
    steps = plan_network(NetworkForm(), zones=[f"{REGION}a", f"{REGION}b"], region=REGION)
    return max(1 + depth(steps) + 1, 3, 4)


def depth(steps: Sequence[Step]) -> int:
    depths: dict[str, int] = {}
    for step in steps:
        depths[step.name] = 1 + max((depths[name] for name in step.needs), default=0)
    return max(depths.values())


def live(running: emulator.Running, runs: int) -> tuple[list[float], int]:
    """Return the seconds of each run, and how many calls one makes."""
    way = Way()
    connected = connect(running, way)
    provision(connected)
    seconds: list[float] = []
    calls = 0
    for _ in range(runs):
        way.delay = 0.0
        cleanup.delete_tagged(connected)
        way.delay, way.calls = DELAY, 0
        begin = time.perf_counter()
        provision(connected)
        seconds.append(time.perf_counter() - begin)
        calls = way.calls
    way.delay = 0.0
    cleanup.delete_tagged(connected)
    return seconds, calls


def script(running: emulator.Running) -> list[str]:
    """Return the commands of the three cards, after those that ask who calls and for the zones."""
    connected = connect(running, Way())
    made = (
        network.ensure_network(connected, NetworkForm()),
        cluster.ensure_cluster(connected, ClusterForm()),
        ensure_repository(connected, REPOSITORY),
    )
    cleanup.delete_tagged(connected)
    lines = [line for item in made for line in item.commands]
    commands = [line for line in lines if not line.startswith("export")]
    return ["aws sts get-caller-identity", "aws ec2 describe-availability-zones", *commands]


def from_start(running: emulator.Running, home: Path, cli: str, runs: int) -> dict[str, Any]:
    connected = connect(running, Way())
    lines = script(running)
    paths = f"{Path(cli).parent}{os.pathsep}{os.defpath}"
    shell = [str(shutil.which("bash")), "-eu", "-c", "\n".join(lines)]
    settings = {
        "PATH": paths,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": running.endpoint,
        "AWS_ACCESS_KEY_ID": running.access_key_id,
        "AWS_SECRET_ACCESS_KEY": running.secret_access_key,
    }
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    for _ in range(runs):
        ours.append(_process([sys.executable, "-c", FRESH], {"HANDSON_HOME": str(home)}))
        cleanup.delete_tagged(connected)
        theirs.append(_process(shell, settings))
        cleanup.delete_tagged(connected)
    return {"ours": ours, "theirs": theirs, "commands": sum("aws " in line for line in lines)}


def _process(command: list[str], extra: dict[str, str]) -> tuple[float, float]:
    """Return the seconds, and the processor seconds of the process and its children."""
    environment = {"PATH": os.defpath, "HOME": os.environ.get("HOME", ""), **extra}
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def row(name: str, seconds: float, ratio: str, wanted: str) -> str:
    return f"| {name} | {seconds * 1000:,.0f} ms | {ratio} | {wanted} |"


def table_of_live(seconds: list[float], calls: int) -> tuple[list[str], bool]:
    chain = longest_chain()
    least = chain * DELAY
    median = statistics.median(seconds)
    in_order = calls * DELAY
    lines = [
        row(f"longest chain: {chain} calls", least, "1.00 ×", ""),
        row(f"handson: {calls} calls", median, f"{median / least:.2f} ×", f"≤ {WANTED_CHAIN} ×"),
        row("  its slowest run", max(seconds), f"{max(seconds) / least:.2f} ×", ""),
        row(f"{calls} calls in order, at least", in_order, f"{in_order / least:.2f} ×", ""),
    ]
    return lines, median <= WANTED_CHAIN * least


def table_of_start(measured: dict[str, Any]) -> tuple[list[str], bool]:
    (ours, work), (theirs, their_work) = (
        map(statistics.median, zip(*measured[who], strict=True)) for who in ("ours", "theirs")
    )
    faster, less = theirs / ours, their_work / work
    commands = measured["commands"]
    lines = [
        row("a fresh Python with handson", ours, f"{faster:.1f} × as fast", f"≥ {WANTED_CLI:g} ×"),
        row(f"a script of {commands} aws commands", theirs, "1.0 ×", ""),
        row("processor time: a fresh Python with handson", work, f"1/{less:.1f}", ""),
        row("processor time: that script", their_work, "1", ""),
    ]
    return lines, faster >= WANTED_CLI


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--aws-cli", default=shutil.which("aws"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        running = emulator.ensure_running(home, region=REGION)
        try:
            lines, good = table_of_live(*live(running, asked.runs))
            if asked.aws_cli:
                measured = from_start(running, home, asked.aws_cli, max(1, asked.runs // 2))
                more, fast = table_of_start(measured)
                lines, good = [*lines, *more], good and fast
        finally:
            emulator.stop_emulator(home)
    print(f"Network, cluster and repository ({DELAY * 1000:g} ms added to each call in a kernel)\n")
    print("| | median | ratio | wanted |\n|---|---:|---:|---:|")
    print("\n".join(lines))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
