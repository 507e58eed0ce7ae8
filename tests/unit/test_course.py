"""The course: what course.toml may say, where its mistakes are, and the example in the docs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.course import syllabus
from handson.course.course import Course
from handson.course.course import read_course as read_any_course

WHOLE = """
name = "Step 2"
from = 2026-05-10
until = 2026-05-19
by-fact = ["network", "image"]
points = { network = 25, why-zones = 2.5 }

[rubric]
why-zones = \"\"\"
Two places,
and why.\"\"\"

[[extensions]]
learner = "s07"
until = 2026-05-26

[[extensions]]
learner = "s08"
until = 2026-05-26T12:00:00+09:00
"""


read_course = partial(read_any_course, known_regions=["ap-northeast-1", "us-east-1"])


def write(folder: Path, text: str) -> Path:
    path = folder / "course.toml"
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_a_file_says_everything_and_times_without_a_zone_are_this_machines(
    tmp_path: Path,
) -> None:
    course = read_course(write(tmp_path, WHOLE))
    assert course == Course(
        name="Step 2",
        since=datetime(2026, 5, 10).astimezone(UTC),
        until=datetime(2026, 5, 20).astimezone(UTC),
        points={"network": 25, "why-zones": 2.5},
        by_fact=("network", "image"),
        rubric={"why-zones": "Two places,\nand why."},
        extensions={
            "s07": datetime(2026, 5, 27).astimezone(UTC),
            "s08": datetime(2026, 5, 26, 3, tzinfo=UTC),
        },
    )
    assert [each.points for each in course.checks] == [25, 15, 10, 15, 10]
    assert [each.points for each in course.marked] == [4, 2.5, 4, 4, 4]
    assert [*course.possible.values()] == [25, 15, 10, 15, 10, 4, 2.5, 4, 4, 4]
    assert (course.automatic, course.manual) == (75, 18.5)


def test_an_empty_file_is_the_course_of_the_syllabus(tmp_path: Path) -> None:
    course = read_course(write(tmp_path, ""))
    assert course == Course()
    assert course.checks == syllabus.CHECKS
    assert course.marked == (*syllabus.QUESTIONS, syllabus.DIAGRAM)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("\nnmae = 1", 2, "name"),
        ("name = 1", 1, 'name = "Step 2"'),
        ("name = \n", 1, "TOML"),
        ("until = 12:00:00", 1, "2026-05-01"),
        ("name = 'a'\r\nuntil = 3\r\n", 2, "until = 3"),
        ("from = \"tomorrow\"", 1, "2026-05-01"),
        ("from = 2026-05-10\n\nuntil = 2026-05-09", 3, "until"),
        ("[rubric]\nwhy-zones = 'a'\n[points]\nnetwrok = 2", 4, "network"),
        ("[points]\ncluster = 2\nnetwork = -1", 3, "network = -1"),
        ("[points]\nnetwork = 1001", 2, "from 0 to 1000"),
        ("[points]\nnetwork = true", 2, "network = true"),
        ("[points]\nnetwork = nan", 2, "nan"),
        ("[points]\nnetwork = inf", 2, "inf"),
        ("points = 3", 1, "network = 25"),
        ("a = 1\npoints = { netwrok = 3 }", 1, "name"),
        ("name = 'a'\npoints = { netwrok = 3 }", 2, "network"),
        ("by-fact = ['why-zones']", 1, "repository"),
        ("by-fact = 'network'", 1, "by-fact = ["),
        ("by-fact = [\n  'network',\n  'why-zones',\n]", 4, "repository"),
        ("[rubric]\nnetwork = 'a'", 2, "why-network"),
        ("[rubric]\nwhy-zones = 1", 2, "why-zones = 1"),
        ("[[extensions]]\nlearner = 7", 2, "learner = 7"),
        ("[[extensions]]\nuntil = 2026-05-09\n[[extensions]]", 1, "learner is missing"),
        ("[[extensions]]\nlearner = ' '\n", 2, "learner = "),
        ("[[extensions]]\nlearner = 'a'\nuntil = 7\n[[extensions]]", 4, "learner"),
        ("[[extensions]]\nlearner = 'a'\ntill = 2026-05-09", 3, "until"),
        ("until = 2026-05-10\n[[extensions]]\nlearner = 'a'\nuntil = 2026-05-09", 4, "a"),
        ("[[extensions]]\nlearner = 'a'\nuntil = 2026-05-09\n" * 2, 6, "a has two"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text: str, line: int, said: str, tmp_path: Path) -> None:
    messages.use("en")
    with pytest.raises(InvalidInput) as caught:
        read_course(write(tmp_path, text))
    problem, remedy = caught.value.lines()
    assert re.search(rf"course\.toml:{line} \(|\(at line {line},|, line {line}\b", problem)
    assert said in f"{problem}\n{remedy}"


def test_points_may_be_none_of_an_item_and_not_of_all(tmp_path: Path) -> None:
    checks = "".join(f"{name} = 0\n" for name in syllabus.CHECK_IDS)
    assert read_course(write(tmp_path, f"[points]\n{checks}")).automatic == 0
    equal = checks.replace("cluster = 0", "cluster = 20")
    balanced = read_course(write(tmp_path, f"from = 2026-05-10\n[points]\n{equal}"))
    assert (balanced.automatic, balanced.manual, balanced.until) == (20, 20, None)
    marked = "".join(f"{item.grade_id} = 0\n" for item in (*syllabus.QUESTIONS, syllabus.DIAGRAM))
    with pytest.raises(InvalidInput, match=r"course\.toml:12 "):
        read_course(write(tmp_path, f"\n[points]\n{checks}{marked}"))


def test_a_file_that_is_missing_or_not_utf_8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.toml"):
        read_course(tmp_path / "none.toml")
    path = tmp_path / "course.toml"
    path.write_bytes("name = '名前'".encode("cp932"))
    with pytest.raises(InvalidInput, match=r"course\.toml"):
        read_course(path)


def test_a_window_may_be_as_short_as_it_likes_and_an_extension_end_with_it(tmp_path: Path) -> None:
    text = """from = 2026-05-10T00:00:00Z
until = 2026-05-10T00:00:01Z
[[extensions]]
learner = " a "
until = 2026-05-10T00:00:01Z
"""
    course = read_course(write(tmp_path, text))
    assert course.since is not None
    assert course.extensions == {"a": course.since + timedelta(seconds=1)}
    with pytest.raises(InvalidInput):
        read_course(write(tmp_path, "from = 2026-05-10T00:00:00Z\nuntil = 2026-05-10T00:00:00Z"))


def test_the_example_of_the_docs_is_one_course_in_either_language(
    root: Path, tmp_path: Path
) -> None:
    english, japanese = (
        read_course(write(tmp_path, page.partition("```toml\n")[2].partition("```")[0]))
        for page in (
            (root / "docs" / f"instructors{end}.md").read_text("utf-8") for end in ("", ".ja")
        )
    )
    assert [name for name in Course.__struct_fields__ if not getattr(english, name)] == []
    assert [*japanese.rubric] == [*english.rubric]
    texts = {"name": english.name, "rubric": english.rubric}
    assert msgspec.structs.replace(japanese, **texts) == english
