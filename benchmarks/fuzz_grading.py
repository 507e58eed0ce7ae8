"""Grade submissions that chance has damaged: `python -m benchmarks.fuzz_grading [20000 [SEED]]`.

Each input is a whole submission of a learner who did everything, with one to four of its parts
damaged: bytes flipped, cut out or repeated, JSON values swapped for others, records edited, zips
built by chance or broken afterwards.  Hypothesis chooses the damage, from the seed.  Asked of
every input:

- grading ends with a result for the learner, and for the neighbour the right one, 80 points;
- nothing is written beside the submission, and what is shown can be encoded;
- a check without full points has a fact that is false or a finding that says why.

The last line tells how many inputs there were, which findings they led to, and the slowest.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from handson import grading
from handson.grading import Result
from handson.grading.output import format_json, format_table
from tests.grading import making
from tests.grading.making import zipped

SCORED = ("01-network.ipynb", "02-cluster.ipynb", "03-image.ipynb", "05-architecture.ipynb")
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=[]), max_size=30),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
    st.just([[[[[[]]]]]]),
    st.just("x" * 5_000),
)
DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "repeat", "value", "value", "record", "record", "name"]),
        st.sampled_from(SCORED),
        st.integers(0, 2**32),
        st.integers(0, 2**16),
        STRANGE,
    ),
    min_size=1,
    max_size=4,
)


@cache
def submission(learner: str, number: int) -> dict[str, bytes]:
    """Return a learner's notebooks without the pictures, which only take time here."""
    book = making.hand_in(learner, seed=number)
    for cell in book.cells():
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/svg+xml", None)
            output.get("data", {}).pop("text/html", None)
    return book.files()


def damaged(files: dict[str, bytes], damage: list[Any]) -> dict[str, bytes]:
    for kind, name, place, size, strange in damage:
        data = files.get(name, b"{}")
        start = place % (len(data) or 1)
        if kind == "flip":
            data = data[:start] + bytes([size % 256]) + data[start + 1 :]
        elif kind == "cut":
            data = data[:start] + data[start + size :]
        elif kind == "repeat":
            data = data[:start] + data[start : start + size] * 2 + data[start:]
        elif kind == "name":
            files = {**files, f"{str(strange)[:9]}{name}".replace("/", "").replace("\0", ""): data}
        else:
            data = swapped(data, place, strange, within=kind)
        files = {**files, name: data}
    return files


def swapped(data: bytes, place: int, strange: Any, *, within: str) -> bytes:
    """Return JSON with one value swapped, of the whole notebook or of its evidence records."""
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        return data
    holders = [holder for holder in walked(read) if within == "value" or "digest" in holder]
    if holders:
        holder = holders[place % len(holders)]
        keys: list[Any] = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if keys:
            holder[keys[place // 7 % len(keys)]] = strange
    return json.dumps(read).encode()


def walked(value: Any) -> list[Any]:
    found, waiting = [], [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict | list):
            found.append(item)
            waiting += item.values() if isinstance(item, dict) else item
    return found


class Watch:
    """What the run has seen so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = 0
        self.codes: Counter[str] = Counter()
        self.slowest = 0.0
        (folder / "s02.zip").write_bytes(zipped(submission("s02", 2)))

    def grade(self, data: bytes) -> None:
        (self.folder / "s01.zip").write_bytes(data)
        before = {path.name for path in self.folder.iterdir()}
        started = time.perf_counter()
        grades = grading.grade_class([self.folder], workers=1)
        results = {result.learner.id: result for result in grades.results}
        format_json(grades).encode()
        for text in format_table(grades):
            text.encode("utf-8")
        self.slowest = max(self.slowest, time.perf_counter() - started)
        self.inputs += 1
        assert {path.name for path in self.folder.iterdir()} == before
        assert set(results) == {"s01", "s02"}
        assert results["s02"].points == 80
        explained(results["s01"])
        self.codes.update({finding.code for finding in results["s01"].findings})


def explained(result: Result) -> None:
    codes = {finding.code for finding in result.findings}
    assert "not-graded" not in codes, result.findings
    for mark in result.checks:
        wrong = [fact.id for fact in mark.facts if not (fact.passed or fact.advice)]
        because = {"passed": True, "failed": wrong, "unproven": mark.reason in codes}
        assert because.get(mark.status, codes), mark


def main(count: int = 20_000, chance: int = 20260501) -> int:
    with tempfile.TemporaryDirectory(prefix="handson-fuzz-") as folder:
        watch = Watch(Path(folder))

        @seed(chance)
        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(DAMAGE, st.binary(max_size=60), st.integers(0, 2**20), st.integers(0, 9))
        def fuzz(damage: list[Any], noise: bytes, place: int, whole: int) -> None:
            data = zipped(damaged(submission("s01", 1), damage))
            start = place % len(data)
            # One in ten has its zip broken as well.
            watch.grade(data if whole else data[:start] + noise + data[start + len(noise) :])

        started = time.perf_counter()
        fuzz()
        took = time.perf_counter() - started
    found = ", ".join(f"{code} {times}" for code, times in watch.codes.most_common())
    print(f"{watch.inputs} inputs in {took:.0f} s, slowest {watch.slowest:.2f} s\n{found}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
