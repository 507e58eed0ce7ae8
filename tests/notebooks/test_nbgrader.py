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

import nbformat
import pytest

from handson.aws import emulator
from handson import grading
from handson.course import syllabus
from tests.conftest import require

from .courses import ASSIGNMENT, COURSE, STUB, Course, work

pytestmark = [pytest.mark.nbgrader, pytest.mark.notebooks, pytest.mark.emulator]

ROOT = Path(__file__).parents[2]
NBGRADER = shutil.which("nbgrader")
WHY = "there is no nbgrader command (pip install nbgrader ., in an environment of its own)"
ANSWER = "通りに面した扉を減らすと、守るところが少なくなるからです。"
CHECKS = {check.grade_id: float(check.points) for check in syllabus.CHECKS}
BY_HAND = [answer.grade_id for answer in (*syllabus.QUESTIONS, syllabus.DIAGRAM)]
MARKED = ("01-network", "02-cluster", "03-image", "05-architecture")
TWO_LINES = re.compile(r"✗ .+\n→ .+")


def committed(cell_id: str) -> str:
    """Return the source of a cell as it is in our own notebooks."""
    for path in (ROOT / "notebooks" / "ja").glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.id == cell_id:
                return str(cell.source)
    raise KeyError(cell_id)


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
    errors = {name: learn(course, folder / name) for name in ("hana", "ken", "taro")}
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
    marked = (folder / f"{name}.ipynb" for name in MARKED)
    files = [*marked, *folder.glob("*.jsonl")]
    packed = archive.parent / f"packed-{learner}"
    packed.mkdir()
    for file in files:
        shutil.copy(file, packed)
    shutil.make_archive(str(archive / learner), "zip", packed)
    shutil.rmtree(packed)


def released(graded: Graded) -> dict[str, Any]:
    """Return the cells of the student version."""
    folder = graded.course.folder / "release" / ASSIGNMENT
    books = (nbformat.read(path, as_version=4) for path in folder.glob("*.ipynb"))
    return {cell.id: cell for book in books for cell in book.cells}


@pytest.mark.parametrize("form", syllabus.FORMS, ids=lambda form: form.name)
def test_the_student_version_asks_for_the_settings(graded: Graded, form: syllabus.Form) -> None:
    cells = [c for c in released(graded).values() if _grade_id(c) == form.name]
    assert [cell.source for cell in cells] == [f"# YOUR CODE HERE\n{STUB}"]


def test_no_cell_of_the_student_version_shows_a_setting(graded: Graded) -> None:
    settings = {name for form in syllabus.FORMS for name in form.settings}
    shown = re.compile(rf"`(?:{'|'.join(settings)})=[^`]+`")
    found = [cell.id for cell in released(graded).values() if shown.search(cell.source)]
    assert found == []


@pytest.mark.parametrize("grade_id", BY_HAND)
def test_the_student_version_keeps_the_questions(graded: Graded, grade_id: str) -> None:
    (cell,) = (c for c in released(graded).values() if _grade_id(c) == grade_id)
    assert cell.source.split("\n")[:5] == committed(cell.id).split("\n")[:5]


def test_an_honest_learner_gets_all_automatic_points(graded: Graded) -> None:
    grades = graded.course.grades("hana")
    assert {name: grades[name] for name in CHECKS} == {
        name: (points, False) for name, points in CHECKS.items()
    }


def test_an_honest_learner_meets_no_error(graded: Graded) -> None:
    assert graded.errors["hana"] == {}


def test_a_weak_learner_gets_the_points_of_what_is_right(graded: Graded) -> None:
    grades = graded.course.grades("ken")
    right = dict.fromkeys(CHECKS, 0.0) | {"evidence-cluster": 15.0}
    assert {name: grades[name][0] for name in CHECKS} == right


def test_answers_and_drawing_wait_for_a_person(graded: Graded) -> None:
    grades = graded.course.grades("hana")
    assert {name: grades[name] for name in BY_HAND} == dict.fromkeys(BY_HAND, (None, True))


def test_the_untouched_student_version_gets_nothing(graded: Graded) -> None:
    grades = graded.course.grades("taro")
    assert set(grades.values()) == {(0.0, False)}


def test_the_untouched_student_version_is_told_what_is_missing(graded: Graded) -> None:
    cell = graded.course.autograded("taro")["network-evidence-record"]
    assert ["journal.jsonl" in output.data["text/html"] for output in cell.outputs] == [True]


def test_a_cell_that_was_not_written_says_so_in_two_lines(graded: Graded) -> None:
    cells = graded.course.autograded("taro")
    empty = [f"{form.name}-create-{form.name}" for form in syllabus.FORMS]
    said = ["\n".join(o.traceback) for name in empty for o in cells[name].outputs]
    assert [bool(TWO_LINES.fullmatch(text)) for text in said] == [True] * len(empty)


def test_the_grades_that_are_exported_are_those_of_the_gradebook(graded: Graded) -> None:
    assert graded.course.scores() == {"hana": 80.0, "ken": 15.0, "taro": 0.0}


@pytest.mark.parametrize("learner", ["hana", "ken", "taro"])
def test_nothing_is_said_on_standard_error(graded: Graded, learner: str) -> None:
    """Autograding takes all points of a cell away that writes there."""
    cells = graded.course.autograded(learner).values()
    streams = [o.get("name") for cell in cells for o in cell.outputs if o.output_type == "stream"]
    assert streams == []


def test_no_embedded_aws_and_no_home_folder_is_made_while_grading(graded: Graded) -> None:
    left = [*graded.course.folder.rglob(".handson"), graded.course.folder.parent / "nobodys-home"]
    assert [path for path in left if path.exists()] == []


def test_the_home_folder_is_not_handed_in(graded: Graded) -> None:
    assert (graded.course.folder.parent / "hana" / ".handson" / "journal.jsonl").is_file()


def test_the_feedback_shows_the_facts(graded: Graded) -> None:
    page = graded.course.folder / "feedback" / "hana" / ASSIGNMENT / "01-network.html"
    assert "VPC の IPv4 CIDR ブロック" in page.read_text(encoding="utf-8")


def test_an_evidence_cell_that_was_rewritten_is_run_as_it_was_handed_out(graded: Graded) -> None:
    cell = graded.course.autograded("ken")["network-evidence-record"]
    assert (cell.source, cell.outputs[0].data["text/plain"]) == ('workshop.evidence("network")', "0")


def test_a_class_collected_by_nbgrader_is_graded_by_our_command_too(graded: Graded) -> None:
    grades = grading.grade_class([graded.course.folder / "submitted"])
    points = {result.learner: result.points for result in grades.results}
    assert points == {"hana": 80, "ken": 15, "taro": 0}


def _grade_id(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
