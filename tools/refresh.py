"""Run the notebooks and keep their outputs as the committed ones: `make refresh`.

They run as `handson run` runs them, in a temporary home folder and with the builtin engine.  Only
outputs and execution counts change, and only when every notebook has run to its end.  The outputs
are written without evidence records, and the files by which grading knows the notebooks anew.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import course

from handson.aws import emulator, settings
from handson.core.files import replace_file
from handson.course.evidence import METADATA_KEY
from handson.notebook import replay

ROOT = Path(__file__).resolve().parent.parent
KEPT_AS = "notebooks/.handson"


def main(arguments: list[str]) -> int:
    """Refresh the named editions, or both; return 1 and write nothing when a cell failed."""
    for edition in arguments or ["notebooks/ja", "notebooks/en"]:
        with tempfile.TemporaryDirectory(prefix="handson-") as folder:
            home = Path(folder).resolve()
            try:
                failed = refresh(Path(edition).name, home=home)
            finally:
                emulator.stop_emulator(home)
        if failed:
            print(failed, file=sys.stderr)
            return 1
    return course.main()


def refresh(lang: str, *, home: Path) -> str:
    """Run an edition in `home` and write its outputs back; return the error of a failing cell."""
    chosen = settings.read_settings({}, cwd=ROOT, home=str(home), lang=lang, engine="builtin")
    notebooks = replay.find_notebooks(ROOT, lang=lang, optional=True)
    outcomes = replay.run_notebooks(chosen, notebooks, output=home / "run", on_cell=print_start)
    for outcome in outcomes:
        if outcome.error:
            return f"{outcome.notebook}, {outcome.cell}: {outcome.error}"
    for path, outcome in zip(notebooks, outcomes, strict=True):
        keep_outputs(path, outcome.copy, home=home)
    return ""


def keep_outputs(path: Path, copy: Path, *, home: Path) -> None:
    """Write the outputs of an executed copy into the notebook that it was made from."""
    notebook = read_notebook(path)
    fresh = read_notebook(copy)
    for cell, run in zip(notebook["cells"], fresh["cells"], strict=True):
        if cell["cell_type"] == "code":
            cell["outputs"] = [without_record(output) for output in run["outputs"]]
            cell["execution_count"] = run["execution_count"]
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    # A learner hands in from the notebooks' own folder, not from the folder of the copies.
    text = path_pattern(f"{copy.parent}/").sub("", text)
    # A learner sees the default home folder, not the temporary one of this run.
    text = path_pattern(str(home)).sub(KEPT_AS, text)
    replace_file(path, [f"{text}\n".encode()])


def without_record(output: dict[str, Any]) -> dict[str, Any]:
    """Return an output without its evidence record: a record proves a learner's work, not ours."""
    if "metadata" not in output:
        return output
    kept = {key: value for key, value in output["metadata"].items() if key != METADATA_KEY}
    return {**output, "metadata": kept}


def path_pattern(path: str) -> re.Pattern[str]:
    """Return a pattern of a path, with or without the line breaks that cards put into it."""
    return re.compile("".join(f"{re.escape(sign)}(?:<wbr>)?" for sign in path))


def read_notebook(path: Path) -> Any:
    """Return a notebook as plain data: nbformat would change more than the outputs."""
    return json.loads(path.read_text(encoding="utf-8"))


def print_start(name: str, done: int, total: int) -> None:
    """Print the name of a notebook that starts."""
    if done == 0:
        print(f"▸ {name} ({total})", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
