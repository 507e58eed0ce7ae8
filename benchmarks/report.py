"""Open and sort the report of a class in Chromium: `python -m benchmarks.report [1000]`.

The class is the one of `benchmarks.grading`, with answers, evidence and pictures of each learner's
own.  `handson grade --html` writes the report; Chromium opens it from the disk in a fresh profile.
Reported are, as the median of five, the time from asking for the file until the table of all
learners is on the screen, and from the click on a column's button until the sorted table is.
Beside it stands a page that has the same table as plain HTML, and no more.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from shutil import which
from statistics import median
from typing import Any

from benchmarks.grading import make, timed

WANTED_SECONDS = 1.0
TIMES = 5

# Two frames later, what was asked for is on the screen.
_PAINTED = "new Promise(d => requestAnimationFrame(() => requestAnimationFrame(() => d())))"
_SORT = f"""async () => {{
    const button = document.querySelectorAll(".learners thead button")[COLUMN];
    const start = performance.now();
    button.click();
    await {_PAINTED};
    return performance.now() - start;
}}"""


def write(folder: Path, report: Path) -> float:
    """Write the report; return how long grading and writing took."""
    command = [sys.executable, "-m", "handson", "grade", str(folder), "--html", str(report)]
    return timed(lambda: subprocess.run(command, check=True, capture_output=True) and None)


def opened(browser: Any, path: Path) -> tuple[float, Any]:
    """Open a page in a fresh profile; return seconds until it is on the screen, and the page."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()

    def work() -> None:
        page.goto(path.as_uri())
        page.evaluate(_PAINTED)

    return timed(work), page


def measure(browser: Any, report: Path, count: int) -> tuple[float, float]:
    """Return the medians of opening and of sorting, each time by another column."""
    opening, sorting = [], []
    for column in range(TIMES):
        seconds, page = opened(browser, report)
        assert page.locator(".learners tbody tr").count() == count
        opening.append(seconds)
        sorting.append(page.evaluate(_SORT.replace("COLUMN", str(column))) / 1e3)
        page.context.close()
    return median(opening), median(sorting)


def plain(browser: Any, report: Path) -> float:
    """Return how long the same table takes as plain HTML, without anything around it."""
    _, page = opened(browser, report)
    rows = page.evaluate(
        "() => [...document.querySelectorAll('.learners tr')]"
        ".map(row => [...row.cells].map(cell => cell.innerText))"
    )
    page.context.close()
    path = report.with_name("plain.html")
    cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    path.write_text(f"<!doctype html><meta charset=utf-8><table>{body}</table>", encoding="utf-8")
    seconds = []
    for _ in range(TIMES):
        took, page = opened(browser, path)
        seconds.append(took)
        page.context.close()
    return median(seconds)


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
            opening, sorting = measure(browser, report, count)
            alone = plain(browser, report)
            browser.close()
    print(
        f"on the screen after {opening:.2f} s, sorted in {sorting:.2f} s; "
        f"the same table as plain HTML: {alone:.2f} s"
    )
    return 0 if max(opening, sorting) <= WANTED_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 1_000))
