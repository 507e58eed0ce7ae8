"""How long a picture takes, beside `diagrams` as it comes.

    python benchmarks/drawing.py

draws the finished step 2 again and again in one process, warm, and the same content with plain
`diagrams`: through its `dot` program where there is one, else its graph through pygraphviz as it
stands.  Prints milliseconds and the ratio; exits 1 when a picture of one view takes more than 1 ms.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import diagrams
from diagrams.aws.compute import ECR, Fargate
from diagrams.aws.network import InternetGateway, PublicSubnet
from diagrams.aws.security import IAM
from diagrams.onprem.client import Client
from diagrams.onprem.container import Docker

from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.drawing import VIEWS, draw
from handson.drawing.graphviz import arrange_graph

LIMIT = 1.0
RUNS = 200
SLOW_RUNS = 10


def milliseconds(work: Callable[[], object], *, runs: int = RUNS) -> float:
    """Return the median time of `work`, warm."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


class Plain(diagrams.Diagram):  # type: ignore[misc]
    """`diagrams` with one thing changed: rendered through pygraphviz, in the process."""

    def render(self) -> None:
        arrange_graph(self.dot.source, form="svg")
        with open(self.filename, "w", encoding="utf-8"):
            """`__exit__` removes this file."""


def peer(kind: type[diagrams.Diagram]) -> None:
    with kind("step2", show=False, outformat="svg"):
        with diagrams.Cluster("Your computer"):
            browser, image = Client("Browser"), Docker("rails-app:latest")
        with diagrams.Cluster("AWS Cloud"), diagrams.Cluster("us-east-1"):
            login, registry = IAM("IAM / STS"), ECR("rails-app")
            with diagrams.Cluster("ecs-handson-vpc 10.0.0.0/16"):
                gateway = InternetGateway("ecs-handson-igw")
                zones = []
                for zone in ("us-east-1a", "us-east-1b"):
                    with diagrams.Cluster(zone):
                        zones.append(PublicSubnet(f"public {zone}"))
                cluster = Fargate("ecs-handson-cluster")
        browser >> gateway >> zones
        image >> diagrams.Edge(label="login") >> login >> registry
        image >> diagrams.Edge(label="push") >> registry >> diagrams.Edge(label="pull") >> cluster


def main() -> int:
    snapshot = describe_goal(Exercise())
    start = time.perf_counter()
    draw(snapshot)
    print(f"first picture of a process   {(time.perf_counter() - start) * 1000:7.1f} ms")
    ours = {view: milliseconds(lambda view=view: draw(snapshot, view=view)) for view in VIEWS}
    for view, spent in ours.items():
        size = len(draw(snapshot, view=view).svg.encode()) / 1000
        print(f"{view:7} as SVG               {spent:7.2f} ms   {size:5.0f} kB")
    together = milliseconds(lambda: draw(snapshot, view=VIEWS))
    print(f"all three, side by side      {together:7.2f} ms")
    marked = milliseconds(lambda: draw(snapshot, goal=True))
    print(f"aws beside the goal          {marked:7.2f} ms")
    as_image = milliseconds(draw(snapshot).html)
    print(f"aws, the image for a page    {as_image:7.2f} ms")
    as_png = milliseconds(draw(snapshot).png, runs=SLOW_RUNS)
    print(f"aws as PNG                   {as_png:7.1f} ms")
    program = shutil.which("dot")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        theirs = milliseconds(lambda: peer(diagrams.Diagram if program else Plain), runs=SLOW_RUNS)
        os.chdir("/")
    how = "its dot program" if program else "pygraphviz"
    print(f"diagrams through {how:11} {theirs:7.1f} ms   ratio {ours['aws'] / theirs:.3f}")
    slowest = max(ours.values())
    print(f"limit {LIMIT:.0f} ms: {'kept' if slowest <= LIMIT else 'missed'}")
    return 0 if slowest <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
