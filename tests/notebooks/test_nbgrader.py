"""Our notebooks in a course that uses nbgrader: its own commands, from the source to the grades.

hana does everything and hands in through nbgrader's exchange.  ken gives the network another CIDR
block, stops after the cluster, and writes points in the place of an evidence cell; he and taro, who
touched nothing, hand in through a learning platform.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import nbformat
import pytest

from handson import grading
from handson.aws import emulator
from handson.course import syllabus
from tests.conftest import require

from .book import read_book
from .courses import ASSIGNMENT, COURSE, STUB, Course, work

pytestmark = [pytest.mark.nbgrader, pytest.mark.notebooks, pytest.mark.emulator]

NBGRADER = shutil.which("nbgrader")
WHY = "there is no nbgrader command (pip install nbgrader ., in an environment of its own)"
ANSWER = "通りに面した扉を減らすと、守るところが少なくなるからです。"
CHECKS = {check.grade_id: float(check.points) for check in syllabus.CHECKS}
BY_HAND = [answer.grade_id for answer in (*syllabus.QUESTIONS, syllabus.DIAGRAM)]
LEARNERS = ("hana", "ken", "taro")
MARKED = ("01-network", "02-cluster", "03-image", "05-architecture")
TWO_LINES = re.compile(r"✗ .+\n→ .+")


def committed(cell_id: str) -> str:
    """Return the source of a cell as it is in our own notebooks."""
    books = map(read_book, syllabus.ALL_NOTEBOOKS)
    [source] = [cell.source for book in books for cell in book.node.cells if cell.id == cell_id]
    return str(source)


def diligent(cell: Any) -> str:
    """Write what the workshop asks for."""
    if cell.cell_type == "markdown":
        return str(cell.source.replace("YOUR ANSWER HERE", ANSWER))
    if cell.id == "architecture-diagram":
        return str(cell.source.replace(STUB, "").replace("Online shop", "Online shop on AWS"))
    return committed(cell.id)


def careless(cell: Any) -> str:
    """Write another CIDR block, and no answer."""
    return committed(cell.id).replace("10.0.0.0/16", "10.9.0.0/16")


@dataclass(frozen=True)
class Graded:
    """The course after its last command, and by learner what cells had to complain of."""

    course: Course
    errors: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Run the pipeline once: assign, release, fetch, work, submit, collect, grade, tell."""
    require("nbgrader", NBGRADER is not None, WHY)
    folder = tmp_path_factory.mktemp("nbgrader")
    course = Course(folder / "course", str(NBGRADER))
    course.folder.mkdir()
    course.prepare()
    course.run("generate_assignment", ASSIGNMENT)
    course.run("release_assignment", ASSIGNMENT)
    errors = {name: learn(course, folder / name) for name in LEARNERS}
    course.run("collect", ASSIGNMENT)
    course.run("zip_collect", ASSIGNMENT)
    course.run("autograde", ASSIGNMENT)
    course.run("generate_feedback", ASSIGNMENT)
    course.run("export")
    return Graded(course, errors)


def learn(course: Course, home: Path) -> dict[str, str]:
    """Fetch or copy the assignment, work in it as that learner does, and hand it in."""
    home.mkdir()
    folder = home / ASSIGNMENT
    if home.name == "hana":
        course.configure(home)
        course.run("fetch_assignment", ASSIGNMENT, "--course", COURSE, cwd=home)
    else:
        shutil.copytree(course.folder / "release" / ASSIGNMENT, folder)
    write, books = {
        "hana": (diligent, MARKED),
        "ken": (careless, ("01-network", "02-cluster", "05-architecture")),
        "taro": (lambda cell: cell.source, ()),
    }[home.name]
    try:
        errors = work(folder, write=write, notebooks=books)
    finally:
        emulator.stop_emulator(home / ".handson")
    if home.name == "ken":
        rewrite(folder / "01-network.ipynb", old='workshop.evidence("network")', new="30")
    if home.name == "hana":
        student = "--CourseDirectory.student_id=hana"
        course.run("submit", ASSIGNMENT, "--course", COURSE, student, cwd=home)
    else:
        hand_in(course, folder, learner=home.name)
    return errors


def rewrite(path: Path, *, old: str, new: str) -> None:
    """Replace the whole source of a cell."""
    book = nbformat.read(path, as_version=4)
    for cell in book.cells:
        cell.source = new if cell.source == old else cell.source
    nbformat.write(book, path)


def hand_in(course: Course, folder: Path, *, learner: str) -> None:
    """Put what a learning platform exports where nbgrader looks for it: what is marked, visible."""
    archive = course.folder / "downloaded" / ASSIGNMENT / "archive"
    archive.mkdir(parents=True, exist_ok=True)
    with ZipFile(archive / f"{learner}.zip", "w") as packed:
        for file in [*(folder / f"{name}.ipynb" for name in MARKED), *folder.glob("*.jsonl")]:
            packed.write(file, file.name)


def released(graded: Graded) -> list[Any]:
    """Return the cells of the student version."""
    folder = graded.course.folder / "release" / ASSIGNMENT
    books = (nbformat.read(path, as_version=4) for path in folder.glob("*.ipynb"))
    return [cell for book in books for cell in book.cells]


def test_the_student_version_asks_for_each_setting_and_shows_none(graded: Graded) -> None:
    cells = released(graded)
    forms = {form.name: [f"# YOUR CODE HERE\n{STUB}"] for form in syllabus.FORMS}
    assert {name: [c.source for c in cells if _grade_id(c) == name] for name in forms} == forms
    settings = {name for form in syllabus.FORMS for name in form.settings}
    shown = re.compile(rf"`(?:{'|'.join(settings)})=[^`]+`")
    assert [cell.id for cell in cells if shown.search(cell.source)] == []


def test_the_student_version_keeps_the_questions(graded: Graded) -> None:
    asked = {_grade_id(c): c for c in released(graded) if _grade_id(c) in BY_HAND}
    assert sorted(asked) == sorted(BY_HAND)
    begins = {name: cell.source.split("\n")[:5] for name, cell in asked.items()}
    assert begins == {name: committed(c.id).split("\n")[:5] for name, c in asked.items()}


def test_an_honest_learner_meets_no_error_and_gets_all_automatic_points(graded: Graded) -> None:
    automatic = {name: (points, False) for name, points in CHECKS.items()}
    grades = graded.course.grades("hana")
    assert graded.errors["hana"] == {}
    assert grades == automatic | dict.fromkeys(BY_HAND, (None, True)), "a person marks the answers"


def test_a_weak_learner_gets_the_points_of_what_is_right(graded: Graded) -> None:
    grades = graded.course.grades("ken")
    right = dict.fromkeys(CHECKS, 0.0) | {"evidence-cluster": 15.0}
    assert {name: grades[name][0] for name in CHECKS} == right


def test_the_untouched_student_version_gets_nothing_and_is_told_what_is_missing(
    graded: Graded,
) -> None:
    cells = graded.course.autograded("taro")
    assert set(graded.course.grades("taro").values()) == {(0.0, False)}
    [shown] = cells["network-evidence-record"].outputs
    assert "journal.jsonl" in shown.data["text/html"]
    empty = [cells[f"{form.name}-create-{form.name}"] for form in syllabus.FORMS]
    said = ["\n".join(output.traceback) for cell in empty for output in cell.outputs]
    assert [text for text in said if not TWO_LINES.fullmatch(text)] == []
    assert len(said) == len(empty)


def test_all_that_grade_agree(graded: Graded) -> None:
    submitted = grading.grade_class([graded.course.folder / "submitted"])
    ours = {result.learner: result.points for result in submitted.results}
    expected = {"hana": 80.0, "ken": 15.0, "taro": 0.0}
    assert {"exported": graded.course.scores(), "ours": ours} == {
        "exported": expected,
        "ours": expected,
    }


def test_nothing_is_said_on_standard_error(graded: Graded) -> None:
    """Autograding takes all points of a cell away that writes there."""
    cells = [(who, cell) for who in LEARNERS for cell in graded.course.autograded(who).values()]
    kinds = [(who, cell.id, o.output_type) for who, cell in cells for o in cell.outputs]
    assert [kind for kind in kinds if kind[2] == "stream"] == []


def test_home_folders_are_neither_made_nor_handed_in(graded: Graded) -> None:
    folder = graded.course.folder
    left = [*folder.rglob(".handson"), folder.parent / "nobodys-home"]
    assert [path for path in left if path.exists()] == []
    assert (folder.parent / "hana" / ".handson" / "journal.jsonl").is_file()


def test_the_feedback_shows_the_facts(graded: Graded) -> None:
    page = graded.course.folder / "feedback" / "hana" / ASSIGNMENT / "01-network.html"
    assert "VPC の IPv4 CIDR ブロック" in page.read_text(encoding="utf-8")


def test_an_evidence_cell_that_was_rewritten_is_run_as_it_was_handed_out(graded: Graded) -> None:
    cell = graded.course.autograded("ken")["network-evidence-record"]
    shown = cell.outputs[0].data["text/plain"]
    assert (cell.source, shown) == ('workshop.evidence("network")', "0")


def _grade_id(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
