"""Our notebooks in a course that uses nbgrader: its own commands, from the source to the grades.

hana did everything.  ken hands in what he was given, with points written in the place of an
evidence cell, and evidence of his cluster alone.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest

from handson import grading
from handson.aws import emulator
from handson.course import syllabus
from tests.conftest import require
from tests.grading import making

from .courses import ASSIGNMENT, FORMS, ROOT, Course, work_through

pytestmark = [pytest.mark.nbgrader, pytest.mark.notebooks]

NBGRADER = shutil.which("nbgrader")
WHY = "there is no nbgrader command (pip install nbgrader ., in an environment of its own)"
EVIDENCE = 'workshop.evidence("network")'
CHECKS = {check.grade_id: float(check.points) for check in syllabus.CHECKS}
BY_HAND = [answer.grade_id for answer in (*syllabus.QUESTIONS, syllabus.DIAGRAM)]
MARKED = "0[1235]-*.ipynb"
TWO_LINES = re.compile(r"✗ .+\n→ .+")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Run the pipeline once: assign, collect, grade."""
    require("nbgrader", NBGRADER is not None, WHY)
    course = Course(tmp_path_factory.mktemp("course"), str(NBGRADER))
    course.prepare(MARKED)
    course.run("generate_assignment", ASSIGNMENT)
    archive = course.folder / "downloaded" / ASSIGNMENT / "archive"
    archive.mkdir(parents=True)
    for name, files in {"hana": handed_in_by_hana(), "ken": handed_in_by_ken(course)}.items():
        (archive / f"{name}.zip").write_bytes(making.zipped(files))
    course.run("zip_collect", ASSIGNMENT)
    course.run("autograde", ASSIGNMENT)
    return course


def handed_in_by_hana() -> dict[str, bytes]:
    book = making.hand_in("hana", seed=1)
    files = {"journal.jsonl": book.journal()}
    for name, data in book.files().items():
        if Path(name).match(MARKED):  # the student version has no nbgrader cells for the forms
            node = msgspec.json.decode(data)
            for cell in node["cells"]:
                if cell["metadata"].get("nbgrader", {}).get("grade_id") in FORMS:
                    del cell["metadata"]["nbgrader"]
            files[name] = msgspec.json.encode(node)
    return files


def handed_in_by_ken(course: Course) -> dict[str, bytes]:
    folder = course.folder / "release" / ASSIGNMENT
    files = {path.name: path.read_bytes() for path in folder.glob("*.ipynb")}
    network = files["01-network.ipynb"]
    changed = network.replace(msgspec.json.encode(EVIDENCE), b'"30"')
    assert changed != network
    record = making.sealed(observed=making.recorded()["cluster"]["observed"], learner="ken")
    return {**files, "01-network.ipynb": changed, "journal.jsonl": msgspec.json.encode(record)}


def graded(cells: dict[str, Any]) -> dict[str, Any]:
    """Return by its name for nbgrader each cell that has one."""
    return {c.metadata.nbgrader.grade_id: c for c in cells.values() if "nbgrader" in c.metadata}


def test_the_student_version_asks_for_each_setting_and_keeps_the_questions(course: Course) -> None:
    released = course.cells("release")
    asked = graded(released)
    for form in syllabus.FORMS:
        source = released[f"{form.name}-create-{form.name}"].source
        assert [name for name in form.settings if f"{name}=...," not in source] == []
        assert form.name not in asked
    settings = "|".join(name for form in syllabus.FORMS for name in form.settings)
    shown = re.compile(rf"`(?:{settings})=[^`]+`")
    assert [name for name, cell in released.items() if shown.search(cell.source)] == []
    kept = graded(course.cells("source"))
    begins = [{name: c[name].source.split("\n")[:5] for name in BY_HAND} for c in (asked, kept)]
    assert begins[0] == begins[1]


def test_learners_get_the_points_that_we_give_and_a_person_marks_their_answers(
    course: Course,
) -> None:
    weak = dict.fromkeys(CHECKS, 0.0) | {"evidence-cluster": 15.0}
    points = {
        "hana": {name: (score, False) for name, score in CHECKS.items()}
        | dict.fromkeys(BY_HAND, (None, True)),
        "ken": {name: (score, False) for name, score in weak.items()}
        | dict.fromkeys(BY_HAND, (0.0, False)),
    }
    assert {name: course.grades(name) for name in points} == points
    ours = grading.grade_class([course.folder / "submitted"]).results
    assert {result.learner.id: result.points for result in ours} == {"hana": 80.0, "ken": 15.0}


def test_a_cell_says_what_is_missing_and_its_own_source_is_run(course: Course) -> None:
    cells = course.cells("autograded", "ken")
    evidence = cells["network-evidence-record"]
    [shown] = evidence.outputs
    assert (evidence.source, shown.data["text/plain"]) == (EVIDENCE, "0")
    assert "journal.jsonl" in shown.data["text/html"].replace("<wbr>", "")
    [said] = ["\n".join(it.traceback) for it in cells["architecture-diagram"].outputs[-1:]]
    assert TWO_LINES.fullmatch(said)
    blank = [cells[f"{form.name}-create-{form.name}"] for form in syllabus.FORMS]
    assert [it.output_type for cell in blank for it in cell.outputs if "error" in str(it)] == []


def test_grading_writes_nothing_to_standard_error_and_makes_no_home_folder(course: Course) -> None:
    """Autograding takes all points of a cell away that writes there."""
    cells = {who: course.cells("autograded", who) for who in ("hana", "ken")}
    streams = [
        (who, name)
        for who in cells
        for name, cell in cells[who].items()
        if any(output.output_type == "stream" for output in cell.get("outputs", ()))
    ]
    homes = [*course.folder.rglob(".handson"), *course.folder.parent.glob("nobodys-home")]
    assert (streams, homes) == ([], [])


@pytest.mark.full
def test_a_learner_fills_in_the_student_version_and_reads_the_feedback(tmp_path: Path) -> None:
    """The assignment goes through nbgrader's exchange, and is worked through in live kernels."""
    require("nbgrader", NBGRADER is not None, WHY)
    course, home = Course(tmp_path / "course", str(NBGRADER)), tmp_path / "hana"
    course.prepare(MARKED)
    shop = ROOT / "notebooks" / "docker-rails-workshop"
    shutil.copytree(shop, course.folder / "source" / ASSIGNMENT / shop.name)
    course.run("generate_assignment", ASSIGNMENT)
    course.run("release_assignment", ASSIGNMENT)
    home.mkdir()
    course.configure(home)
    course.run("fetch_assignment", ASSIGNMENT, "--course", "step2", cwd=home)
    paths = (ROOT / "notebooks" / "ja").glob(MARKED)
    worked = {cell.id: cell for path in paths for cell in nbformat.read(path, as_version=4).cells}
    try:
        names = sorted(path.stem for path in (home / ASSIGNMENT).glob("*.ipynb"))
        work_through(home / ASSIGNMENT, names=names, write=lambda cell: worked[cell.id].source)
    finally:
        emulator.stop_emulator(home / ".handson")
    student = "--CourseDirectory.student_id=hana"
    course.run("submit", ASSIGNMENT, "--course", "step2", student, cwd=home)
    for step in ("collect", "autograde", "generate_feedback"):
        course.run(step, ASSIGNMENT)
    course.run("export")
    assert course.scores() == {"hana": 80.0}
    page = course.folder / "feedback" / "hana" / ASSIGNMENT / "01-network.html"
    assert "VPC の IPv4 CIDR ブロック" in page.read_text(encoding="utf-8")
