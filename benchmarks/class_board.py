"""Read a class of 300 for the class board, as often as its page asks.

    python -m benchmarks.class_board [300]

The homes have journals of up to five records, and logs; a fifth is at an error.  Reported is the
processor time of the first look, of a look at which nothing has changed, of one at which every
tenth learner has done something, and of a search for new files; and of the same picture anew.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from handson.board.class_folder import SECONDS, ClassFolder
from handson.board.server import draw_class
from tests.grading import classes

ROUNDS = 10
BETWEEN_LOOKS = 3
"""Seconds, as the page has it."""


def measure(act: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the milliseconds of processor time that a call takes."""
    begin = time.process_time()
    for _ in range(rounds):
        act()
    return (time.process_time() - begin) / rounds * 1000


def main(count: int) -> None:
    now = [0.0]
    with tempfile.TemporaryDirectory() as folder:
        homes = Path(folder)
        classes.make_class(homes, count, now=datetime.now(UTC))
        for home in homes.iterdir():  # what a home holds besides
            for number in range(30):
                (home / "workspace" / "ja" / f"folder-{number}").mkdir(parents=True)
        board = ClassFolder(homes, clock=lambda: now[0])

        def look(seconds: float = 0) -> None:
            now[0] += seconds
            board.read()

        def work() -> None:
            for home in [*homes.iterdir()][::10]:
                classes.log(home / ".handson", (0, "01-network", "NameError"))

        first = measure(look, 1)
        same = measure(look, 5)
        some = []
        for _ in range(5):
            work()
            some.append(measure(look, 1))
        search = measure(lambda: look(SECONDS), 3) - same
        picture = measure(lambda: draw_class(board.read()))
    changed = sum(some) / len(some)
    share = (changed / BETWEEN_LOOKS + search / SECONDS) / 10
    print(f"{count} learners: first look {first:.0f} ms, nothing changed {same:.1f} ms,")
    print(
        f"every tenth changed {changed:.0f} ms, search {search:.0f} ms, picture {picture:.1f} ms;"
    )
    print(f"with a tenth of the class changing at each look {share:.1f} % of a processor")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
