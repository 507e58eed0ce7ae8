"""A course with nbgrader: its folder and its commands, with the notebooks of this checkout.

nbgrader comes from another environment: its command finds its helpers there, and this checkout's
workshop through PYTHONPATH.
"""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from handson.course import syllabus
from handson.course.learner_notebook import list_blanks, make_learner_notebook

ROOT = Path(__file__).parents[2]
ASSIGNMENT = "ecs-handson"
FORMS = {form.name: list(form.settings) for form in syllabus.FORMS}
CONFIG = r"""
c = get_config()
c.CourseDirectory.course_id = "step2"
c.FileNameCollectorPlugin.named_regexp = r".*/(?P<student_id>[^/]+)/(?P<file_id>[^/]+)$"
c.FileNameCollectorPlugin.valid_ext = [".ipynb", ".jsonl"]
c.Exchange.root = {exchange!r}
"""
# Whatever the instructor's machine is set to: nothing of it may be reached while grading.
INSTRUCTOR = {
    "HANDSON_TARGET": "aws",
    "HANDSON_AWS_ACCOUNT": "123456789012",
    "HANDSON_ENGINE": "docker",
    "DOCKER_HOST": "unix:///nowhere/docker.sock",
}
GRADES = """
    SELECT base_cell.name, grade.auto_score, grade.needs_manual_grade
    FROM grade
    JOIN base_cell ON base_cell.id = grade.cell_id
    JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
    JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
    WHERE submitted_assignment.student_id = ?
"""


@dataclass(frozen=True)
class Course:
    """The instructor's folder, and the nbgrader command."""

    folder: Path
    nbgrader: str

    def prepare(self, pattern: str = "*.ipynb") -> None:
        """Write the learner's edition, or some of it, and nbgrader's settings."""
        source = self.folder / "source" / ASSIGNMENT
        source.mkdir(parents=True)
        for path in (ROOT / "notebooks" / "ja").glob(pattern):
            book = json.loads(path.read_text(encoding="utf-8"))
            made, _ = make_learner_notebook(book)
            (source / path.name).write_text(json.dumps(made), encoding="utf-8")
        self.configure(self.folder)

    def configure(self, folder: Path) -> None:
        """Write nbgrader's settings, with the exchange where it hands out and collects."""
        exchange = self.folder.parent / "exchange"
        exchange.mkdir(mode=0o777, exist_ok=True)
        exchange.chmod(0o777)
        text = CONFIG.replace("{exchange!r}", repr(str(exchange)))
        (folder / "nbgrader_config.py").write_text(text, encoding="utf-8")

    def run(self, *words: str, cwd: Path | None = None) -> None:
        """Run an nbgrader command, by default in the course's folder; it must not fail."""
        place = str(Path(self.nbgrader).resolve().parent)
        environ = {
            **os.environ,
            **INSTRUCTOR,
            "HANDSON_HOME": str(self.folder.parent / "nobodys-home"),
            "PATH": f"{place}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }
        command = [self.nbgrader, *words]
        done = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def scores(self) -> dict[str, float]:
        """Return the exported score of each learner."""
        with (self.folder / "grades.csv").open(encoding="utf-8", newline="") as file:
            return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}

    def grades(self, learner: str) -> dict[str, tuple[float | None, bool]]:
        """Return by cell its automatic score, and whether a person has to mark it."""
        connection = sqlite3.connect(self.folder / "gradebook.db")
        try:
            rows = connection.execute(GRADES, (learner,)).fetchall()
        finally:
            connection.close()
        return {name: (score, bool(manual)) for name, score, manual in rows}

    def cells(self, step: str, learner: str = ".") -> dict[str, Any]:
        """Return by id the cells as nbgrader released or autograded them."""
        paths = sorted((self.folder / step / learner / ASSIGNMENT).glob("*.ipynb"))
        books = [nbformat.read(path, as_version=4) for path in paths]
        return {cell.id: cell for book in books for cell in book.cells}


def work_through(folder: Path, *, names: Iterable[str], write: Callable[[Any], str]) -> None:
    """Work through notebooks of an assignment in live kernels, as its learner does.

    `write` returns what the learner writes into a cell that is still to be written.
    """
    environ = {**os.environ, "HANDSON_ENGINE": "builtin", "PYTHONPATH": str(ROOT)}
    environ["HANDSON_LEARNER"] = folder.parent.name
    for name in names:
        book = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        for cell in book.cells:
            stub = "raise NotImplementedError" in cell.source or "YOUR ANSWER HERE" in cell.source
            if stub or list_blanks(cell):
                cell.source = write(cell)
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(book, kernel_name="python3", resources=resources).execute(env=environ)
        nbformat.write(book, folder / f"{name}.ipynb")
