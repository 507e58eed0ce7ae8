"""Grade 1,000 submissions.

    python -m benchmarks.grading [--nbgrader PATH] [--feedback] [1000]

A submission has all seven notebooks with their outputs, derived from the committed ones with ids,
times, answers and sealed evidence of the learner's own.  Notebooks without anything of a learner's
are linked, which saves disk space; they are read and decoded all the same.

Each class is graded by `handson grade --csv` in a process of its own, which with `--feedback` also
writes a page a learner.  Reported are the time from start to exit, the processor time of all its
processes, and the largest sum of their memory: with each one's share of common pages (PSS), and
with common pages counted in each (RSS).  Beside it stands what `nbformat.read` alone takes for the
same notebooks and, where its command is named, what `nbgrader autograde` takes for one more of
them, its journal beside it: the command's time for two submissions less its time for one.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from handson.course import syllabus
from tests.grading import making
from tests.notebooks.courses import ASSIGNMENT, Course

WANTED_SECONDS, WANTED_MB = 5.0, 300
WANTED_WITH_FEEDBACK = 15.0
WANTED_TIMES = 500
"""How much faster than nbgrader's autograde, which executes the notebooks."""
SAME_FOR_ALL = ("00-prepare.ipynb", "99-cleanup.ipynb")


@dataclass
class Peak:
    """The largest memory of a process and its children, looked at again and again."""

    pid: int
    pss: int = 0
    rss: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.done.wait(0.1):
            try:
                parent = psutil.Process(self.pid)
                found = [p.memory_full_info() for p in [parent, *parent.children(recursive=True)]]
            except psutil.Error:
                continue
            self.pss = max(self.pss, sum(getattr(info, "pss", info.rss) for info in found))
            self.rss = max(self.rss, sum(info.rss for info in found))


def make(folder: Path, count: int) -> None:
    """Write a class, and say that it takes a while."""
    print(f"making {count} submissions…", file=sys.stderr, flush=True)
    common = folder.with_suffix(".common")
    common.mkdir()
    for number in range(count):
        learner = f"s{number:05}"
        files = making.hand_in(learner, seed=number).files()
        own = folder / learner
        own.mkdir(parents=True)
        for name, data in files.items():
            if name in SAME_FOR_ALL:
                link(common / name, own / name, data)
            else:
                (own / name).write_bytes(data)


def link(common: Path, name: Path, data: bytes) -> None:
    if not common.exists():
        common.write_bytes(data)
    os.link(common, name)


def grade(folder: Path, count: int, *options: str) -> tuple[float, bool]:
    """Grade a class and print its row; return its time, and whether the limits were kept."""
    command = [sys.executable, "-m", "handson", "grade", str(folder), "--csv", *options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output)
        peak = Peak(process.pid)
        watcher = threading.Thread(target=peak.watch)
        watcher.start()
        code = process.wait()
        took = time.perf_counter() - started
        peak.done.set()
        watcher.join()
        output.seek(0)
        rows = list(csv.DictReader(output.read().decode("utf-8-sig").splitlines()))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    full = sum(row["automatic"] == "80" for row in rows)
    assert (code, len(rows), full) == (0, count, count), rows[:3]
    pss, rss = peak.pss / 1e6, peak.rss / 1e6
    print(
        f"{count} submissions: {took:.2f} s, {spent:.2f} s of processor time, "
        f"{took / count * 1e3:.2f} ms each, {pss:.0f} MB (common pages in each: {rss:.0f} MB)"
    )
    wanted = WANTED_WITH_FEEDBACK if options else WANTED_SECONDS
    return took, took <= wanted * count / 1_000 and pss <= WANTED_MB


def peer(folder: Path) -> None:
    """Print what `nbformat.read` takes for the notebooks of twenty submissions."""
    import nbformat

    chosen = random.Random(1).sample(sorted(folder.iterdir()), 20)
    paths = [path for learner in chosen for path in sorted(learner.iterdir())]

    def read() -> None:
        for path in paths:
            nbformat.read(path, as_version=4)

    print(f"nbformat.read of the same notebooks: {timed(read) / 20 * 1e3:.2f} ms a submission")


def autograde(nbgrader: str) -> float:
    """Return the seconds that `nbgrader autograde` takes for one more submission."""
    with tempfile.TemporaryDirectory(prefix="handson-nbgrader-") as home:
        course = Course(Path(home) / "course", nbgrader)
        course.folder.mkdir()
        course.prepare()
        course.run("generate_assignment", ASSIGNMENT)
        for number in (1, 2, 3):
            book = making.hand_in(f"s{number}", seed=number)
            folder = book.write(course.folder / "submitted" / f"s{number}" / ASSIGNMENT)
            (folder / "journal.jsonl").write_bytes(book.journal())
        one = timed(lambda: course.run("autograde", ASSIGNMENT, "--student", "s1"))
        two = timed(lambda: course.run("autograde", ASSIGNMENT))  # those that are left
        course.run("export")
        points = float(sum(check.points for check in syllabus.CHECKS))
        assert course.scores() == dict.fromkeys(("s1", "s2", "s3"), points), course.scores()
    return two - one


def timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(nbgrader: str, ours: float) -> bool:
    """Print nbgrader's time beside ours for a submission; tell whether we are quick enough."""
    theirs = autograde(nbgrader)
    print(f"nbgrader autograde: {theirs:.2f} s a submission, {theirs / ours:,.0f} times as long")
    return theirs / ours >= WANTED_TIMES


def main(counts: list[int], *, nbgrader: str = "", feedback: bool = False) -> int:
    kept = True
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="handson-class-") as home:
            folder = Path(home) / "class"
            make(folder, count)
            pages = ("--feedback", str(Path(home) / "feedback")) if feedback else ()
            took, fits = grade(folder, count, *pages)
            kept = fits and kept
            if count == counts[0]:
                peer(folder)
            shutil.rmtree(folder)
        if nbgrader and count == counts[0]:
            kept = compare(nbgrader, took / count) and kept
    return 0 if kept else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("counts", nargs="*", type=int, default=[1_000])
    parser.add_argument("--nbgrader", default="", metavar="PATH")
    parser.add_argument("--feedback", action="store_true")
    given = parser.parse_args()
    sys.exit(main(given.counts, nbgrader=given.nbgrader, feedback=given.feedback))
