"""How long the embedded AWS takes from being asked for until it answers (wanted: 0.5 s).

Every run is a fresh Python that imports the room and calls `ensure_running`; the time is that of
the call alone, the imports it does on the way included.

    cold        a new home folder
    with state  a VPC, a cluster and a repository are read back from the last stop
    joined      it was already running
    MiniStack   its own `python -m ministack`, from the start of the process, for comparison

Usage: python -m benchmarks.emulator_ready [RUNS]
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
WANTED = 0.5

ASK = """
import sys, time
from pathlib import Path
from handson.aws import emulator
begin = time.perf_counter()
emulator.ensure_running(Path(sys.argv[1]), region="us-east-1")
print(time.perf_counter() - begin)
"""

FILL = """
import sys
import boto3
from pathlib import Path
from handson.aws import emulator
running = emulator.ensure_running(Path(sys.argv[1]), region="us-east-1")
session = boto3.Session(running.access_key_id, running.secret_access_key, region_name="us-east-1")
client = lambda service: session.client(service, endpoint_url=running.endpoint)
client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
client("ecs").create_cluster(clusterName="ecs-handson-cluster")
client("ecr").create_repository(repositoryName="rails-app")
"""

STOP = """
import sys
from pathlib import Path
from handson.aws import emulator
emulator.stop_emulator(Path(sys.argv[1]))
"""


def python(code: str, home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, str(home)],
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def asked(home: Path) -> float:
    return float(python(ASK, home))


def asked_and_stopped(home: Path) -> float:
    seconds = asked(home)
    python(STOP, home)
    return seconds


def ministack(folder: Path) -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "ministack"],
        env={"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0"},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _connects(port):
            time.sleep(0.005)
        return time.perf_counter() - begin
    finally:
        process.terminate()
        process.wait()


def _connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def measured(runs: int, folder: Path) -> dict[str, list[float]]:
    homes = iter(range(10_000))
    kept = folder / "kept"
    python(FILL, kept)
    python(STOP, kept)
    kinds: dict[str, Callable[[], float]] = {
        "cold": lambda: asked_and_stopped(folder / f"home{next(homes)}"),
        "with state": lambda: asked_and_stopped(kept),
        "MiniStack": lambda: ministack(folder),
    }
    seconds = {name: [measure() for _ in range(runs)] for name, measure in kinds.items()}
    asked(kept)
    seconds["joined"] = [asked(kept) for _ in range(runs)]
    python(STOP, kept)
    return seconds


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as folder:
        seconds = measured(runs, Path(folder))
    medians = {name: round(statistics.median(times), 3) for name, times in seconds.items()}
    for name, times in seconds.items():
        print(
            f"{name:10}  median {medians[name]:.3f} s  slowest {max(times):.3f} s", file=sys.stderr
        )
    print(json.dumps({"wanted": WANTED, "runs": runs, "seconds": medians}))
    return 0 if max(medians["cold"], medians["with state"]) <= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
