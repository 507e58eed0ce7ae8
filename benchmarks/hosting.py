"""What a learner's container costs, and how many learners a host holds.

    python -m benchmarks.hosting [--image handson:0.1.0] [--base debian:bookworm-slim]

Prints the image's size above its base; the memory of JupyterLab's container idle, at its peak while
the whole workshop runs in it, and afterwards; that run's processor seconds; and what follows from
them for a host of 16 GB.  Then 300 learners at once on what they share: accounts on one MiniStack,
as a host could share it, each of which has to see its own alone.  Memory is the container's
(cgroup) without the files that the kernel would give back.  Exits 1 when the image is larger than
500 MB above its base, the workshop fails, or an account sees another's.  Needs an engine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3
import psutil

from benchmarks.registry_memory import plain
from handson.core.waiting import wait_until

MOST_MB = 500
HOST, SYSTEM = 16_000, 2_000  # MB of a host, and of its system with the hub
LEARNERS, CALLS = 300, 6
# Version 1 of cgroups, then version 2: a name of the first that is there is read.
PEAK = ("memory/memory.max_usage_in_bytes", "memory.peak")
USED = ("memory/memory.usage_in_bytes", "memory.current")
STAT = ("memory/memory.stat", "memory.stat")
SECONDS = ("cpuacct/cpuacct.usage", "cpu.stat")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", default="handson:0.1.0")
    parser.add_argument("--base", default="debian:bookworm-slim")
    options = parser.parse_args()
    size, base = (measure_image(name) for name in (options.image, options.base))
    print(f"image: {size:.0f} MB, {size - base:.0f} MB above {options.base}")
    passed = measure_learner(options.image)
    alone = measure_accounts()
    return 0 if passed and alone and size - base <= MOST_MB else 1


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def measure_image(name: str) -> float:
    """Return the size of an image in MB."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", name)) / 1e6


def measure_learner(image: str) -> bool:
    """Measure a server, and the workshop in it; tell whether the workshop passed."""
    limits = ("--network=none", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--memory=1g")
    name = docker("run", "--detach", "--rm", *limits, image)
    try:
        wait_until(lambda: is_up(name), done=bool, what="the server", timeout=120)
        time.sleep(20)  # JupyterLab loads its parts after its first answer
        idle, before = memory(name), seconds(name)
        done = subprocess.run(["docker", "exec", name, "handson", "run"], capture_output=True)
        peak = read(name, PEAK)
        print(
            f"JupyterLab idle: {idle:.0f} MB; whole workshop: exit code {done.returncode}, "
            f"at most {peak:.0f} MB with cached files, {seconds(name) - before:.1f} processor "
            f"seconds; afterwards {memory(name):.0f} MB"
        )
        fit = (HOST - SYSTEM) / peak
        print(f"on {HOST // 1000} GB: {fit:.0f} learners who all run everything at once")
    finally:
        docker("stop", name)
    return done.returncode == 0


def is_up(name: str) -> bool:
    asked = ["docker", "exec", name, "start-learner", "--healthy"]
    return subprocess.run(asked, capture_output=True).returncode == 0


def read(name: str, files: tuple[str, str]) -> float:
    """Return a number of a container's cgroup in MB."""
    return int(cgroup(name, files).split()[0]) / 1e6


def cgroup(name: str, files: tuple[str, str]) -> str:
    places = " ".join(f"/sys/fs/cgroup/{file}" for file in files)
    return docker("exec", name, "sh", "-c", f"cat {places} 2>/dev/null || true")


def memory(name: str) -> float:
    """Return a container's memory in MB, without the files that were read long ago."""
    stat = dict(line.split() for line in cgroup(name, STAT).splitlines())
    return read(name, USED) - int(stat.get("total_inactive_file", stat.get("inactive_file"))) / 1e6


def seconds(name: str) -> float:
    """Return the processor seconds that a container has used."""
    words = cgroup(name, SECONDS).split()
    return int(words[1]) / 1e6 if words[0] == "usage_usec" else int(words[0]) / 1e9


def measure_accounts() -> bool:
    """Make a VPC, a cluster and a repository in many accounts; tell whether each sees its own."""
    session = boto3.session.Session(region_name="us-east-1")
    with tempfile.TemporaryDirectory() as folder, plain(Path(folder)) as (pid, port):
        server = psutil.Process(pid)
        before = server.memory_info().rss / 1e6, sum(server.cpu_times()[:2])
        alone = [work(session, port, number) for number in range(LEARNERS)]
        after = server.memory_info().rss / 1e6, sum(server.cpu_times()[:2])
    each = (after[1] - before[1]) / (CALLS * LEARNERS) * 1e3
    print(
        f"{LEARNERS} accounts on one MiniStack: {CALLS * LEARNERS} calls, {each:.1f} ms of "
        f"processor time a call, {before[0]:.0f} -> {after[0]:.0f} MB; "
        f"{'each saw its own' if all(alone) else 'SOME SAW THOSE OF OTHERS'}"
    )
    return all(alone)


def work(session: Any, port: int, number: int) -> bool:
    """Make and list things in an account; return whether all that is there is its own."""
    given = {"endpoint_url": f"http://127.0.0.1:{port}", "aws_access_key_id": f"{number:012}"}
    given["aws_secret_access_key"] = "any"
    ec2, ecs, ecr = (session.client(service, **given) for service in ("ec2", "ecs", "ecr"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    cluster = ecs.create_cluster(clusterName=f"cluster-{number}")["cluster"]["clusterArn"]
    ecr.create_repository(repositoryName=f"app-{number}")
    vpcs = [it["VpcId"] for it in ec2.describe_vpcs()["Vpcs"] if not it["IsDefault"]]
    repositories = [it["repositoryName"] for it in ecr.describe_repositories()["repositories"]]
    found = (vpcs, ecs.list_clusters()["clusterArns"], repositories)
    return found == ([vpc], [cluster], [f"app-{number}"])


if __name__ == "__main__":
    sys.exit(main())
