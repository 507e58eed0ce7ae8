"""What `import handson` adds to bare Python: the two side by side, alternating (wanted: 60 ms).

Usage: python -m benchmarks.import_time [RUNS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WANTED_MS = 60


def milliseconds(statement: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
    return (time.perf_counter() - start) * 1000


def main(runs: int) -> int:
    pairs = [(milliseconds("pass"), milliseconds("import handson")) for _ in range(runs)]
    bare = statistics.median(pair[0] for pair in pairs)
    added = statistics.median(ours - python for python, ours in pairs)
    print(
        f"bare Python {bare:.1f} ms · import handson adds {added:.1f} ms (wanted: {WANTED_MS} ms)"
    )
    return 0 if added <= WANTED_MS else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 21))
