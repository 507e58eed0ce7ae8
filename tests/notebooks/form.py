"""Rules of form: each returns what is wrong with a notebook, and nothing when all is well."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from nbformat.validator import iter_validate

from handson.course import syllabus
from handson.course.exercise import Exercise
from handson.course.learner_notebook import list_blanks

from .book import FOLDER, LINK, Book, strings

LONGEST_CELL = 8
LONGEST_EXERCISE = 20  # the learner's own cell is there to grow
SMALLEST_INTRODUCED_SHARE = 0.9
LARGEST_FILE = 200_000

LOGIC = (ast.If, ast.For, ast.While, ast.Try, ast.comprehension, ast.FunctionDef, ast.ClassDef,
         ast.Lambda)  # fmt: skip
DECIDED = {
    "ensure_network": {"name", "cidr", "availability_zones", "public_subnets", "private_subnets"},
    "ensure_cluster": {"name", "fargate", "ec2_instances"},
    "ensure_repository": {"name"},
    "start": {"learner", "region"},
    "push_commands": {"tag"},
    "build_image": {"tag"},
    "run_image": {"tag"},
    "record_image_uri": {"tag"},
    "tag_image": {"image"},
}
"""By verb the settings that a learner decides."""
START = "import handson\nworkshop = handson.start("
SOLUTION = re.compile(r"(?s)^.+\n.*BEGIN SOLUTION.*\n(?:.*\n)?.*END SOLUTION")
SLUG = re.compile(r"(?=.{1,64}$)[a-z0-9]+(?:-[a-z0-9]+)*")
SECRETS = {
    "an access key id": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a secret access key": re.compile(r"(?i)secret_?access_?key\W{1,5}[A-Za-z0-9/+]{20,}"),
    "a session token": re.compile(r"\b(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)"),
    "a registry token": re.compile(r"\bQVdTO[A-Za-z0-9+/=]{8,}"),
    "a signed URL": re.compile(r"X-Amz-(?:Signature|Security-Token|Credential)="),
    "a signed header": re.compile(r"AWS4-HMAC-SHA256 "),
    "a JSON web token": re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
}
MACHINE_PATH = re.compile(
    r"(?<![\w.~-])/(?:home|Users|root|tmp|work|var|private|mnt|opt)/|\b[A-Za-z]:\\(?:\\)?\w"
)
FOLD = re.compile(r"<summary>(.*?)</summary>")
CONSOLE = re.compile("コンソール|console")
MONTH = re.compile(r"\(\d{4} 年 \d{1,2} 月時点\)|\(as of [A-Z][a-z]+ \d{4}\)")
_MARK = re.compile("(?:BEGIN|END) SOLUTION")
_MARK_ALONE = re.compile("(?:<!--|# for nbgrader:) (?:BEGIN|END) SOLUTION(?: -->)?")


def invalid_format(book: Book) -> list[str]:
    """A notebook is what nbformat 4.5 says."""
    wrong = [error.message for error in iter_validate(book.node)]
    newest = (book.node.nbformat, book.node.nbformat_minor) == (4, 5)
    return wrong if newest else [*wrong, "not nbformat 4.5"]


def unstable_ids(book: Book) -> list[str]:
    """Every cell has a readable id that no other has."""
    ids = [cell.get("id", "") for cell in book.node.cells]
    unreadable = [f"no slug: {name!r}" for name in ids if not SLUG.fullmatch(name)]
    return unreadable + [f"twice: {name}" for name in sorted(set(ids)) if ids.count(name) > 1]


def long_code(book: Book) -> list[str]:
    """Code cells are short; the exercise may grow."""
    wrong = []
    for cell in book.cells("code"):
        graded, lines = cell.metadata.get("nbgrader", {}), len(cell.source.splitlines())
        is_exercise = graded.get("grade") and graded.get("solution")
        if lines > (LONGEST_EXERCISE if is_exercise else LONGEST_CELL):
            wrong.append(f"{cell.id}: {lines} lines")
    return wrong


def logic_in_code(book: Book) -> list[str]:
    """Code cells are plain Python without branches, loops or definitions."""
    wrong = []
    for cell in book.cells("code"):
        try:
            tree = ast.parse(cell.source)
        except SyntaxError as error:
            wrong.append(f"{cell.id}: {error.msg}")
            continue
        found = [type(node).__name__ for node in ast.walk(tree) if isinstance(node, LOGIC)]
        wrong += [f"{cell.id}: {kind}" for kind in found]
    return wrong


def other_beginning(book: Book) -> list[str]:
    """The first code cell starts the workshop, so that a fresh kernel can begin there."""
    begins = book.cells("code")[0].source.startswith(START)
    return [] if begins else [f"first code cell does not begin with {START!r}"]


def missing_title(book: Book) -> list[str]:
    """The first cell is the title, and there is one title."""
    first = book.node.cells[0]
    titles = [line for _, line in book.lines() if line.startswith("# ")]
    is_title = first.cell_type == "markdown" and first.source.startswith("# ")
    return [] if is_title and len(titles) == 1 else [f"titles: {titles}, first cell {first.id}"]


def unintroduced_code(book: Book) -> list[str]:
    """Nine of ten code cells follow a cell of prose."""
    pairs = [(a, b) for a, b in pairwise(book.node.cells) if b.cell_type == "code"]
    bare = [b.id for a, b in pairs if a.cell_type != "markdown" or not a.source.strip()]
    enough = len(pairs) - len(bare) >= SMALLEST_INTRODUCED_SHARE * len(pairs)
    return [] if enough else [f"without introduction: {', '.join(bare)}"]


def wrong_grading(book: Book) -> list[str]:
    """Answers, forms and evidence of the syllabus stand once, as nbgrader's cells of their kind."""
    graded = [cell for cell in book.node.cells if "nbgrader" in cell.metadata]
    found = [(cell.cell_type, dict(cell.metadata["nbgrader"])) for cell in graded]
    due = [graded for notebook, graded in _graded() if notebook == book.name]
    wanted = [(graded["cell_type"], graded) for graded in due]
    wrong = [f"unexpected or wrong: {cell}" for cell in found if cell not in wanted]
    return wrong + [f"not once: {cell}" for cell in wanted if found.count(cell) != 1]


def _graded() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each cell that nbgrader knows: its notebook, and its metadata."""
    for answer in (syllabus.DIAGRAM, *syllabus.QUESTIONS):
        kind = "code" if answer is syllabus.DIAGRAM else "markdown"
        yield answer.notebook, _cell(answer.grade_id, kind, points=answer.points, solution=True)
    for form in syllabus.FORMS:
        yield form.notebook, _cell(form.name, "code", solution=True)
    for check in syllabus.CHECKS:
        yield check.notebook, _cell(check.grade_id, "code", points=check.points)


def _cell(grade_id: str, kind: str, *, solution: bool = False, points: int = 0) -> dict[str, Any]:
    known = {"schema_version": 3, "grade_id": grade_id, "cell_type": kind, "grade": points > 0}
    known |= {"solution": solution, "locked": not solution, "task": False}
    return known | ({"points": points} if points else {})


def decided_settings(book: Book) -> list[str]:
    """What a learner decides is blank in the learner's edition."""
    return [
        f"{cell.id}: {name}"
        for cell in book.cells("code")
        for verb, given in _calls(cell.source)
        for name in sorted(DECIDED.get(verb, set()) & given.keys() - {*list_blanks(cell)})
    ]


def compared_answers(book: Book) -> list[str]:
    """What only a learner answers, predictions and tasks, is skipped by nbval and a run."""
    return [
        cell.id
        for cell in book.cells("code")
        if any(verb in ("predict", "check_task") for verb, _ in _calls(cell.source))
        and "nbval-skip" not in cell.metadata.get("tags", [])
    ]


def lost_prose(book: Book) -> list[str]:
    """A cell to be written by hand keeps what stands around nbgrader's own lines."""
    return [
        f"{cell.id}: nbgrader would replace all of it"
        for cell in book.node.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
        and cell.metadata["nbgrader"]["grade"]
        and not SOLUTION.search(cell.source)
    ]


def undated_console(book: Book) -> list[str]:
    """A fold with steps in the console bears the month in which they were true."""
    folds = ((cell_id, fold) for cell_id, source in book.prose() for fold in FOLD.findall(source))
    return [name for name, fold in folds if CONSOLE.search(fold) and not MONTH.search(fold)]


def broken_links(book: Book) -> list[str]:
    """What a link or a picture points at within the repository is there."""
    return [
        f"{cell_id}: {link['target']}"
        for cell_id, source in book.prose()
        for link in LINK.finditer(source)
        if not _reaches(link["target"])
    ]


def _reaches(target: str) -> bool:
    if target.startswith(("https://", "#")):
        return True
    return ":" not in target and (FOLDER / target.partition("#")[0]).is_file()


def dead_end(book: Book) -> list[str]:
    """The last cell is prose and leads to the next notebook of all (the last one to the first)."""
    last = book.node.cells[-1]
    names = syllabus.NOTEBOOKS
    following = next((name for name in names if name > book.name), names[0])
    leads = last.cell_type == "markdown" and f"({following}.ipynb)" in last.source
    return [] if leads else [f"{last.id} does not link to {following}"]


def compared_change(book: Book) -> list[str]:
    """Nothing is compared of what differs by machine, or where the work has been done already."""
    return [
        cell.id
        for cell in book.cells("code")
        if any(word in cell.source for word in (".doctor(", "since="))
        and "nbval-ignore-output" not in cell.metadata.get("tags", [])
    ]


def deleting_code(book: Book) -> list[str]:
    """No committed cell deletes anything: step 3 needs it all."""
    return [cell.id for cell in book.cells("code") if "confirm" in cell.source]


def marks_in_prose(book: Book) -> list[str]:
    """nbgrader takes any line that holds one of its marks for one; so each stands by itself."""
    lines = [line for cell in book.node.cells for line in cell.source.splitlines()]
    return [line for line in lines if _MARK.search(line) and not _MARK_ALONE.fullmatch(line)]


def secrets(book: Book) -> list[str]:
    """Nothing that opens a door, neither in sources nor in outputs."""
    text = "\n".join(strings(book.node))
    return [name for name, pattern in SECRETS.items() if pattern.search(text)]


def machine_paths(book: Book) -> list[str]:
    """Nothing that tells where somebody ran it."""
    return [text[:120] for text in strings(book.node) if MACHINE_PATH.search(text)]


def heavy_file(book: Book) -> list[str]:
    """A notebook with its outputs stays small."""
    size = len(json.dumps(book.node, ensure_ascii=False, indent=1).encode())
    return [] if size < LARGEST_FILE else [f"{size} bytes"]


def unlike_the_syllabus(book: Book) -> list[str]:
    """The forms are filled in as the syllabus says."""
    calls = [call for cell in book.cells("code") for call in _calls(cell.source)]
    forms = _forms()
    wrong = [f"{verb}: {form}" for verb, form in calls if form != forms.get(verb, form)]
    asked = [(form.verb, set(form.settings)) for form in syllabus.FORMS]
    given = [(verb, set(form)) for verb, form in calls if verb in forms]
    wrong += [f"not asked for as given: {form}" for form in given if form not in asked]
    proved = [form.get("0") for verb, form in calls if verb == "evidence"]
    checks = (*syllabus.CHECKS, syllabus.DRAWING)
    due = [check.id for check in checks if check.notebook == book.name]
    return wrong if proved == due else [*wrong, f"evidence {proved}, not {due}"]


def _forms() -> dict[str, dict[str, Any]]:
    exercise = Exercise()
    fields = "name", "cidr", "availability_zones", "public_subnets", "private_subnets"
    return {
        "ensure_network": {field: getattr(exercise.network, field) for field in fields},
        "ensure_cluster": {"name": exercise.cluster, "fargate": True, "ec2_instances": False},
        "ensure_repository": {"name": exercise.repository},
    }


def _calls(source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given = {str(place): value for place, value in enumerate(node.args)}
            given |= {keyword.arg or "**": keyword.value for keyword in node.keywords}
            constants = {k: v.value for k, v in given.items() if isinstance(v, ast.Constant)}
            yield node.func.attr, constants
