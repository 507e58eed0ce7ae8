"""Open and sort the report of a class in Chromium: `python -m benchmarks.report [1000]`.

The class is the one of `benchmarks.grading`, with answers, evidence and pictures of each learner's
own.  `handson grade --html` writes the report; Chromium opens it from the disk in a fresh profile.
Reported are, as the median of five, the time from asking for the file until the table of all
learners is on the screen, and from the click on a column's button until the sorted table is; each
with the processor time of the page's main thread, which a busy machine does not stretch.  Beside it
stands a page that has the same table as plain HTML, and nothing else.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from html import escape
from pathlib import Path
from shutil import which
from statistics import median
from typing import Any

from benchmarks.grading import make, timed

WANTED_SECONDS = 1.0
TIMES = 5

# Two frames later, what was asked for is on the screen.
PAINTED = "new Promise(d => requestAnimationFrame(() => requestAnimationFrame(() => d())))"
SORT = "column => document.querySelectorAll('.learners thead button')[column].click()"
TABLE = """() => [...document.querySelectorAll('.learners tr')]
    .map(row => [...row.cells].map(cell => cell.innerText))"""


@dataclass
class Times:
    """Seconds that something took, and of these the processor's, time after time."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{median(self.wall):.2f} s (processor {median(self.processor):.2f} s)"


class Tab:
    """A page in a fresh profile, whose main thread tells how long it worked."""

    def __init__(self, browser: Any) -> None:
        self._context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page = self._context.new_page()
        self.page.goto("about:blank")
        self._session = self._context.new_cdp_session(self.page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def measure(self, work: Callable[[], object], times: Times) -> None:
        """Do something and add how long it took until it was on the screen."""
        before = self._worked()

        def until_painted() -> None:
            work()
            self.page.evaluate(PAINTED)

        times.wall.append(timed(until_painted))
        times.processor.append(self._worked() - before)

    def close(self) -> None:
        self._context.close()

    def _worked(self) -> float:
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def write(folder: Path, report: Path) -> float:
    """Write the report; return how long grading and writing took."""
    command = [sys.executable, "-m", "handson", "grade", str(folder), "--html", str(report)]
    return timed(lambda: subprocess.run(command, check=True, capture_output=True) and None)


def measure(browser: Any, report: Path, count: int) -> tuple[Times, Times, list[list[str]]]:
    """Return how long opening and sorting took, each time by another column, and the table."""
    opening, sorting = Times(), Times()
    for column in range(TIMES):
        tab = Tab(browser)
        tab.measure(partial(tab.page.goto, report.as_uri()), opening)
        assert tab.page.locator(".learners tbody tr").count() == count
        tab.measure(partial(tab.page.evaluate, SORT, column), sorting)
        table = tab.page.evaluate(TABLE)
        tab.close()
    return opening, sorting, table


def plain(browser: Any, table: list[list[str]], path: Path) -> Times:
    """Return how long the same table takes as plain HTML, without anything around it."""
    rows = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in table)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    path.write_text(f"<!doctype html><meta charset=utf-8><table>{body}</table>", encoding="utf-8")
    times = Times()
    for _ in range(TIMES):
        tab = Tab(browser)
        tab.measure(partial(tab.page.goto, path.as_uri()), times)
        tab.close()
    return times


def main(count: int) -> int:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="handson-report-") as home:
        folder, report = Path(home) / "class", Path(home) / "report.html"
        make(folder, count)
        took = write(folder, report)
        size = report.stat().st_size / 1e6
        print(f"{count} learners: graded and written in {took:.2f} s, {size:.1f} MB")
        with sync_playwright() as play:
            browser = play.chromium.launch(
                executable_path=which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            opening, sorting, table = measure(browser, report, count)
            alone = plain(browser, table, report.with_name("plain.html"))
            browser.close()
    print(f"on the screen after {opening}, sorted in {sorting}; the table as plain HTML: {alone}")
    return 0 if max(median(opening.wall), median(sorting.wall)) <= WANTED_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 1_000))
