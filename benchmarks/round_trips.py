"""How many requests each step of the workshop makes on real AWS, and how many wait for one another.

AWS is simulated (`tests/simulated_aws`): real host names, TLS, an account with 25 repositories of
other people.  Each answer takes 0.1 s, so that requests at the same time overlap.  Round trips are
the longest chain of requests of which each began after the one before it was answered: times the
way to AWS and back, it is how long a step takes on a slow link.

Usage: python -m benchmarks.round_trips
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from handson.aws.emulator.in_process import open_in_process
from tests.emulator.hooks import Inside
from tests.emulator.workshops import make_shop
from tests.simulated_aws.conftest import Simulated
from tests.simulated_aws.proxy import Proxy, make_certificates, running_proxy
from tests.unit.fake_aws import Clock

REGION = "us-east-1"
DELAY = 0.1
REPOSITORIES, IMAGES = 25, 20
STEPS = (
    "start",
    "evidence network",
    "network",
    "evidence network",
    "cluster",
    "evidence cluster",
    "repository",
    "evidence repository",
    "push",
    "images",
    "uri",
    "evidence image",
    "evidence image-uri",
    "verify",
    "list",
    "clean-up",
)
BEFORE = "evidence network"
"""The first of these two finds nothing, and looks in other regions."""


class Way:
    """The way to AWS, `DELAY` seconds long; notes when each request began and was answered."""

    def __init__(self, proxy: Proxy) -> None:
        self.times: list[tuple[float, float]] = []
        self._answer = proxy.answer
        proxy.answer = self  # type: ignore[method-assign, assignment]

    def __call__(self, request: Any) -> Any:
        began = time.perf_counter()
        time.sleep(DELAY)
        answer = self._answer(request)
        self.times.append((began, time.perf_counter()))
        return answer

    def count_round_trips(self) -> int:
        """Return the length of the longest chain of requests, each after the one before it."""
        chains: list[tuple[float, int]] = []
        for began, ended in sorted(self.times):
            length = 1 + max((each for end, each in chains if end <= began), default=0)
            chains.append((ended, length))
        return max((length for _, length in chains), default=0)


def measure(folder: Path, patch: pytest.MonkeyPatch) -> None:
    inside = Inside.of(open_in_process(folder / "aws", region=REGION), region=REGION)
    certificates, clock = make_certificates(folder), Clock()
    with running_proxy(inside.door, certificates) as renew:
        proxy = renew(clock)
        simulated = Simulated(proxy, clock, folder, make_shop(folder), patch, inside)
        simulated.use()
        simulated.fill(repositories=REPOSITORIES, images=IMAGES)
        learner, way = simulated.learner(), Way(proxy)
        print("| step | requests | of them ECR, registry, layers | round trips |")
        print("|---|---:|---:|---:|")
        for number, step in enumerate(STEPS):
            proxy.seen.clear()
            way.times.clear()
            reading = learner.take(step)
            if reading.error:
                raise SystemExit(reading.text)
            images = [one for one in proxy.seen if one.service in ("ecr", "registry", "layers")]
            name = f"{step}, nothing there" if number == STEPS.index(BEFORE) else step
            print(f"| {name} | {len(proxy.seen)} | {len(images)} | {way.count_round_trips()} |")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        measure(Path(folder), patch)


if __name__ == "__main__":
    main()
