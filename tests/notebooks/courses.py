"""A course with nbgrader: its folder, its commands, and learners who work in what it hands out.

The notebooks are those of this checkout, as they are.  nbgrader comes from an environment of its
own: its command finds its helpers there, and this checkout's workshop through PYTHONPATH.
"""

from __future__ import annotations

import asyncio
import csv
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
ASSIGNMENT = "ecs-handson"
COURSE = "step2"
STUB = "raise NotImplementedError()"
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

Write = Callable[[Any], str]
"""Answers what a learner writes into a cell that is still to be written."""


@dataclass(frozen=True)
class Course:
    """The instructor's folder, and the nbgrader command."""

    folder: Path
    nbgrader: str

    @property
    def exchange(self) -> Path:
        """Where nbgrader hands out and collects."""
        return self.folder.parent / "exchange"

    def prepare(self) -> None:
        """Copy the notebooks and the application, as the README says."""
        source = self.folder / "source" / ASSIGNMENT
        shutil.copytree(ROOT / "notebooks" / "ja", source, ignore=_made_while_working)
        shop = ROOT / "notebooks" / "docker-rails-workshop"
        shutil.copytree(shop, source / shop.name)
        self.exchange.mkdir()
        self.exchange.chmod(0o777)
        self.configure(self.folder)

    def configure(self, folder: Path) -> None:
        """Put the settings into a folder where nbgrader is started."""
        config = CONFIG.format(exchange=str(self.exchange))
        (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")

    def run(self, *words: str, cwd: Path | None = None) -> str:
        """Run an nbgrader command in the course's folder; return what it says, all of it.

        Raises:
            AssertionError: The command failed.
        """
        place = str(Path(self.nbgrader).resolve().parent)
        environ = {
            **os.environ,
            **INSTRUCTOR,
            "HANDSON_HOME": str(self.folder.parent / "nobodys-home"),
            "PATH": f"{place}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(
            [self.nbgrader, *words],
            cwd=cwd or self.folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def scores(self) -> dict[str, float]:
        """Return the exported score of each learner."""
        with (self.folder / "grades.csv").open(encoding="utf-8", newline="") as file:
            return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}

    def grades(self, learner: str) -> dict[str, tuple[float | None, bool]]:
        """Return by cell its automatic score, and whether a person has to mark it."""
        query = """
            SELECT base_cell.name, grade.auto_score, grade.needs_manual_grade
            FROM grade
            JOIN base_cell ON base_cell.id = grade.cell_id
            JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
            JOIN submitted_assignment
                ON submitted_assignment.id = submitted_notebook.assignment_id
            WHERE submitted_assignment.student_id = ?
        """
        connection = sqlite3.connect(self.folder / "gradebook.db")
        try:
            rows = connection.execute(query, (learner,)).fetchall()
        finally:
            connection.close()
        return {name: (score, bool(manual)) for name, score, manual in rows}

    def autograded(self, learner: str) -> dict[str, Any]:
        """Return the code cells of a learner's notebooks as nbgrader has executed them."""
        folder = self.folder / "autograded" / learner / ASSIGNMENT
        return {
            cell.id: cell
            for path in sorted(folder.glob("*.ipynb"))
            for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "code"
        }


def work(folder: Path, *, write: Write, notebooks: Collection[str]) -> dict[str, str]:
    """Work through some notebooks of an assignment on the embedded AWS, as a learner does.

    Args:
        folder: Where the assignment lies.
        write: Is given each cell that is still to be written.
        notebooks: Which notebooks are worked through.

    Returns:
        By cell id, the errors that cells showed.
    """
    errors: dict[str, str] = {}
    for name in notebooks:
        path = folder / f"{name}.ipynb"
        book = nbformat.read(path, as_version=4)
        for cell in book.cells:
            if STUB in cell.source or "YOUR ANSWER HERE" in cell.source:
                cell.source = write(cell)
        environment = {
            **os.environ,
            "HANDSON_LEARNER": folder.parent.name,
            "HANDSON_ENGINE": "builtin",
            "PYTHONPATH": str(ROOT),
        }
        client = NotebookClient(
            book,
            timeout=300,
            kernel_name="python3",
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
        )
        asyncio.run(_execute(client, environment))
        nbformat.write(book, path)
        errors |= {
            cell.id: "\n".join(output.traceback)
            for cell in book.cells
            for output in cell.get("outputs", ())
            if output.output_type == "error"
        }
    return errors


async def _execute(client: NotebookClient, environment: dict[str, str]) -> None:
    await client.async_execute(env=environment, stderr=subprocess.DEVNULL)


def _made_while_working(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith(".ipynb")]
