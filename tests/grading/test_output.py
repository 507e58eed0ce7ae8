"""What comes out: for people, for programs, for a gradebook; the command; what is loaded."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import runpy
from datetime import datetime
from math import ceil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from rich.cells import cell_len

from handson import grading
from handson.cli import main
from handson.core import messages
from handson.course.course import read_moment
from handson.grading import Grades, Requirements
from handson.grading.findings import Passage, make_finding
from handson.grading.gradebook import format_csv
from handson.grading.marking import read_marks
from handson.grading.output import format_json, format_table
from handson.grading.roster import Learner
from handson.grading.submission import make_empty_result

from . import making

PARTS = {
    "learner": {"learner", "name", "group", "source", "handed_in", "handed_in_at", "named", "files",
                "issuers", "points", "checks", "answers", "diagram", "marks", "total", "findings",
                "until", "late_by", "counted", "comment"},
    "check": {"id", "status", "points", "possible", "reason", "facts", "diagnoses", "proof",
              "counted", "ruling"},
    "fact": {"id", "expected", "observed", "passed", "advice"},
    "proof": {"digest", "observed_at", "learner", "kind", "account", "region", "intact", "source",
              "where"},
    "answer": {"grade_id", "status", "possible", "text", "comment"},
    "diagram": {"grade_id", "status", "possible", "text", "comment", "drawn", "check"},
}  # fmt: skip
GIVEN = ("30", "15", "10", "15", "10", "80")
ROSTER = 'learner,name,group\ns01,山田 花子,A\ns02,"=HYPERLINK(""x"")",B\n=1+1,@SUM,+1\n'
MARKS = """learner,why-network,why-zones,why-cluster,why-registry,architecture
s01,4,3.5,4,2,1
'=1+1,1,,,,
s99,1,,,,
"""


COURSE = """name = "Step 2"
from = 2026-05-01
until = 2026-05-11T00:00:00+09:00
[points]
network = 25
why-zones = 10
[[extensions]]
learner = "＝１＋１"
until = 2026-06-01T00:00:00+09:00
[[extensions]]
learner = "s77"
until = 2026-06-01
"""


ASKED = Requirements(
    **{"target": "emulator", "accounts": ("1", "123456789012"), "region": "us-east-1"},
    **{"since": read_moment("2026-05-01T00:00Z"), "until": read_moment("2026-06-01T00:00Z")},
)


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two learners with everything, one of whom is named by a formula, a roster and marks."""
    folder = tmp_path_factory.mktemp("inbox")
    making.hand_in("s01", seed=1).write(folder / "s01")
    making.hand_in("=1+1", seed=2).write(folder / "=1+1")
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    (folder / "marks.csv").write_text(MARKS)
    return folder


@pytest.fixture(scope="module")
def grades(inbox: Path) -> Grades:
    roster = grading.read_roster(inbox / "roster.csv")
    asked = dataclasses.replace(ASKED, roster=roster)
    marks, paths = read_marks([inbox / "marks.csv"]), [inbox / "s01", inbox / "=1+1"]
    return grading.grade_class(paths, asked, marks=marks)


def test_the_table_has_a_line_a_learner_and_then_what_to_look_at(grades: Grades) -> None:
    messages.use("en")
    title, heads, ruler, *rows = format_table(grades)
    assert title == "2 of 3 learners handed in; 1 has something that needs a human eye."
    assert heads.split()[3:8] == ["network", "cluster", "repository", "image", "image-uri"]
    assert set(ruler) == {"─", " "}
    assert not {*rows} & {"* points that a person changed"}  # nobody has
    passed = [*"✔✔✔✔✔", "80/80", "4/4", "✔", "14/14"]
    assert [row.split() for row in rows[:3]] == [
        ["s01", "山田", "花子", "A", *passed, "14.5/20"],
        ["s02", '=HYPERLINK("x")', "B", *"-----", "0/80", "0/4", "-", "1"],
        ["=1+1", "@SUM", "+1", *passed, "1/20…"],
    ]
    starts = [column.start() for column in re.finditer("─+", ruler)]
    points = zip(rows, ("80/80", "0/80", "80/80"), strict=False)
    assert [cell_len(row.partition(own)[0]) for row, own in points] == [starts[8]] * 3
    assert rows[-3:-1] == ['s02 =HYPERLINK("x"):', "  ⚠ Nothing was handed in."]


def test_findings_of_a_code_are_told_once_with_their_places() -> None:
    messages.use("en")
    broken = [make_finding("cells-broken", where=f"{n}.ipynb", count=n) for n in (1, 2, 1)]
    three = [make_finding("file-deep", where=f"{n}.ipynb") for n in (1, 2, 3)]
    passage = Passage(grade_id="why-zones", mine="", theirs="", common=("a", "b\nc"))
    alike = replace(make_finding("answers-alike", questions="why-zones"), passages=(passage,))
    notes = [make_finding("chain-gap", "note", records="")] * 2
    result = make_empty_result(Learner("s01", "Ana"), [*broken, *three, alike, *notes])
    lines = [*format_table(Grades((result,), Requirements(), readable=1))]
    about = lines[lines.index("s01 Ana:") + 1 :]
    assert [line[:5] for line in about[:4:2]] == ["  ⚠ 1", "  ⚠ I"]
    ends = (" [1.ipynb, 2.ipynb]", " [1.ipynb, 2.ipynb, … (3)]", "chain-gap (2)")
    assert [about[at].endswith(end) for at, end in zip((0, 2, 8), ends, strict=True)] == [True] * 3
    assert about[6:8] == ["      why-zones: “b c”", ""]


def test_no_form_of_output_controls_a_terminal_or_hides_letters_and_a_long_name_is_cut() -> None:
    messages.use("en")
    name = "x\x1b]0;owned\x07\x1b[2J\x9b\u202egnp\U000e0041"
    found = make_finding("cells-broken", where=f"{name}.ipynb", count=1)
    several = [Learner(name, "山" * 300), Learner("s02", "𩸽\U000e0100　花子")]
    results = tuple(replace(make_empty_result(it, [found]), source=name) for it in several)
    grades = Grades(results, Requirements(), readable=1)
    table = [*format_table(grades)]
    shown = [format_csv(grades), format_json(grades)]
    raw = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\U000e0041]")
    assert [raw.findall(text) for text in ("".join(table), *shown)] == [[], [], []]
    for text in shown:
        assert ("U+009B U+202E]gnp[U+E0041]" in text, "𩸽\U000e0100　花子" in text) == (True, True)
    assert max(map(cell_len, table[1:5])) < 200
    assert table[3].split()[1] == f"{'山' * 19}…"


def test_a_gradebook_and_programs_get_points_an_item_and_no_formulas(grades: Grades) -> None:
    mark, *table = format_csv(grades)
    assert mark == "\ufeff"
    assert list(csv.reader(io.StringIO("".join(table)))) == [
        [
            *("learner", "name", "group", "network", "cluster", "repository", "image", "image-uri"),
            *("automatic", "why-network", "why-zones", "why-cluster", "why-registry"),
            *("architecture", "findings", "to-review", "total", "overruled", "late-minutes"),
            "comment",
        ],
        ["s01", "山田 花子", "A", *GIVEN, "4", "3.5", "4", "2", "1", "0", "", "94.5", "", "", ""],
        [
            "s02",
            '\'=HYPERLINK("x")',
            "B",
            *"000000",
            *[""] * 5,
            "1",
            "nothing-handed-in",
            *[""] * 4,
        ],
        ["'=1+1", "'@SUM", "'+1", *GIVEN, "1", *[""] * 4, "0", *[""] * 5],
    ]
    data = json.loads(format_json(grades))
    first, absent, partly = data["learners"]
    checks = data["summary"].pop("checks")
    assert data["summary"].pop("points")["why-network"]["mean"] == 2.5
    nothing = {"failed": [], "diagnoses": [], "findings": {"nothing-handed-in": 1}}
    assert data["summary"] == {"learners": 3, "handed_in": 2, **nothing}
    assert (len(checks), checks["network"]) == (5, {"missing": 1, "passed": 2})
    marks = {"why-network": 4, "why-zones": 3.5, "why-cluster": 4, "why-registry": 2}
    assert (first["total"], first["marks"]) == (94.5, {**marks, "architecture": 1})
    assert (partly["total"], partly["marks"]["why-zones"]) == (None, None)
    assert (absent["handed_in"], absent["diagram"]["check"]) == (False, None)
    assert set(absent["diagram"]) == PARTS["diagram"]
    assert data["requirements"] == {
        **{"target": "emulator", "accounts": ["1", "123456789012"], "region": "us-east-1"},
        **{"from": "2026-05-01T00:00:00+00:00", "until": "2026-06-01T00:00:00+00:00"},
        "course": "",
    }
    assert list(data) == ["schema", "requirements", "possible", "summary", "learners"]
    assert (data["schema"], [*data["possible"].values()]) == ("handson.grading/1", [80, 20])
    learner, check = data["learners"][0], data["learners"][0]["checks"][0]
    seen = {"learner": learner, "check": check, "fact": check["facts"][0], "proof": check["proof"]}
    seen |= {"answer": learner["answers"][0], "diagram": learner["diagram"]}
    assert {name: set(part) for name, part in seen.items()} == PARTS


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HANDSON_HOME", str(tmp_path / "home"))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["grade", *map(str, arguments)])


def test_the_command_prints_results_and_what_else_there_is(inbox: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    marks = ("--marks", inbox / "marks.csv", "--html", path)
    result = run(inbox / "s01", *marks, "--json", "--require-target", "emulator")
    data = json.loads(result.stdout)
    nothing = {"accounts": [], "region": None, "from": None, "until": None}
    assert data["requirements"] == {"target": "emulator", "course": "", **nothing}
    assert (result.exit_code, data["learners"][0]["total"]) == (0, 94.5)
    assert [part for part in ("s99", str(path)) if part not in result.stderr] == []
    assert run(inbox / "s01", "--csv").stdout.startswith('\ufeff"learner","name",')
    assert "80/80" in run(inbox / "s01", "--lang", "en").stdout
    assert not (tmp_path / "home").exists()


def test_the_course_says_what_items_are_worth_and_options_win_over_its_window(
    inbox: Path, tmp_path: Path
) -> None:
    course = tmp_path / "course.toml"
    course.write_text(COURSE, encoding="utf-8")
    marks = tmp_path / "marks.csv"
    marks.write_text("learner,why-zones,network,network-reason\ns01,9.5,24,asked\n")
    given = (inbox / "s01", inbox / "=1+1", "--course", course, "--marks", marks)
    result = run(*given, "--json", "--from", "2026-05-02")
    data = json.loads(result.stdout)
    assert (data["requirements"]["course"], data["requirements"]["from"][:10]) == (
        "Step 2",
        "2026-05-02",
    )
    assert data["possible"] == {"automatic": 75, "manual": 26}
    late, on_time = sorted(data["learners"], key=lambda each: each["learner"], reverse=True)
    network = late["checks"][0]
    assert (network["points"], network["possible"], network["counted"]) == (25, 25, 24)
    assert (late["answers"][1]["possible"], late["marks"]["why-zones"]) == (10, 9.5)
    assert (late["points"], late["counted"], late["until"]) == (75, 74, "2026-05-10T15:00:00+00:00")
    assert [each["code"] for each in late["findings"]] == ["too-late"] * 6
    newest = max(each["proof"]["observed_at"] for each in late["checks"])
    assert late["late_by"] >= seconds_between(late["until"], newest) > 0
    assert (on_time["until"], on_time["late_by"], on_time["findings"]) == (
        "2026-05-31T15:00:00+00:00",
        0,
        [],
    )
    assert "s77" in result.stderr
    heads, _, *rows = run(*given, "--lang", "en").stdout.splitlines()[1:7]
    assert heads.split()[-4:] == ["marks", "late", "to", "review"]
    row = next(row.split() for row in rows if row.startswith("s01"))
    assert (row[1], row[2], row[6]) == ("✔*", "✔", "74/75")
    minutes = ceil(late["late_by"] / 60)
    assert row[-6:-1] == ["9.5/26…", f"{minutes // 60}", "h", f"{minutes % 60}", "min"]
    assert rows[-1].startswith("* points")
    table = csv.DictReader(io.StringIO(run(*given, "--csv").stdout.removeprefix("\ufeff")))
    own = next(each for each in table if each["learner"] == "s01")
    told = [own[head] for head in ("network", "automatic", "overruled", "late-minutes")]
    assert told == ["24", "75", "network", str(minutes)]


def seconds_between(first: str, second: str) -> float:
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds()


def test_a_wrong_option_or_nothing_to_grade_is_exit_code_two(inbox: Path, tmp_path: Path) -> None:
    wrong: dict[str, str | Path] = {
        **{"--from": "yesterday", "--until": "2026-13-01", "--region": "us-east-11"},
        **{"--roster": "none.csv", "--account": "1.23457E+11", "--marks": inbox / "roster.csv"},
        "--course": "none.toml",
        "--html": tmp_path / "none" / "report.html",
    }
    for option, value in wrong.items():
        result = run(inbox / "s01", option, value)
        assert (option, result.exit_code, len(result.stderr.splitlines())) == (option, 2, 2)
        assert Path(value).name in result.stderr
    for result in (run(tmp_path / "none"), run()):
        assert (result.exit_code, result.stdout) == (2, "")
    assert "�[2Jgnp" in run(tmp_path / "x\x1b[2Jgnp").stderr
    (tmp_path / "01-network.ipynb").write_text("{")
    result = run(tmp_path)
    assert (result.exit_code, tmp_path.name in result.stdout) == (2, True)


def test_the_course_is_that_of_the_notebooks_which_have_no_evidence(root: Path) -> None:
    """After a change of a notebook: `.venv/bin/python tools/course.py`."""
    tool = runpy.run_path(str(root / "tools" / "course.py"))
    assert tool["FILE"].read_text(encoding="utf-8") == tool["describe"](root / "notebooks")
    notebooks = [json.loads(path.read_text("utf-8")) for path in root.glob("notebooks/*/*.ipynb")]
    outputs = [o for book in notebooks for cell in book["cells"] for o in cell.get("outputs", ())]
    assert [output for output in outputs if "handson" in output.get("metadata", {})] == []
