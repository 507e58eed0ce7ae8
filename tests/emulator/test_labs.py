"""Individual labs on an AWS: the sheet under start, changes in the middle, and a whole course."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handson.aws import settings
from handson.aws.emulator import Running
from handson.core.errors import NotReady
from handson.course.course import read_course
from handson.course.exercise import Exercise
from handson.notebook.workshop import Workshop
from tests.emulator.workshops import open_workshop

pytestmark = pytest.mark.emulator

LAB = '[exercise]\nkey = "spring"\n'


@pytest.fixture
def course(home: Path) -> Path:
    path = home.parent / "course.toml"
    path.write_text(LAB, encoding="utf-8")
    return path


def derive(course: Path, learner: str) -> Exercise:
    read = read_course(course, known_regions=settings.list_regions())
    return read.derive_exercise(learner)


def read_sheet(held: Workshop) -> str:
    return repr(held.overview())


def test_without_a_name_nothing_is_made_and_two_lines_say_so(home: Path, course: Path) -> None:
    with pytest.raises(NotReady) as refused:
        open_workshop(home, learner="")
    assert len(refused.value.lines()) == 2
    assert 'learner="' in str(refused.value)
    assert [each.name for each in home.iterdir()] == []


def test_the_sheet_shows_ones_own_values_and_none_where_all_build_the_same(
    home: Path, emulator: Running, course: Path
) -> None:
    own = derive(course, "Hanako")
    sheet = read_sheet(open_workshop(home, endpoint_url=emulator.endpoint))
    values = (own.network.name, own.network.cidr, own.cluster, own.repository, own.region)
    assert [value for value in values if not re.search(rf": {value}$", sheet, re.M)] == []
    course.unlink()
    assert "ecs-handson" not in read_sheet(open_workshop(home, endpoint_url=emulator.endpoint))


def test_another_spelling_goes_on_and_another_name_is_told_what_was_made(
    home: Path, emulator: Running, course: Path
) -> None:
    def open_as(learner: str) -> Workshop:
        return open_workshop(home, learner=learner, endpoint_url=emulator.endpoint)

    first = open_as("Hanako Yamada")
    first.overview()
    first.ensure_network()
    name = derive(course, "Hanako Yamada").network.vpc_name
    assert name not in read_sheet(open_as("ＨＡＮＡＫＯ　yamada"))
    other = open_as("Hanako Yamamoto")
    for _ in range(2):  # as long as it is there
        sheet = read_sheet(other)
        assert name in sheet
        assert "learner='Hanako Yamada'" in sheet
    assert read_sheet(open_as("Hanako Yamada")).count("⚠") == 0
    course.write_text(LAB.replace("spring", "autumn"), encoding="utf-8")
    again = open_as("Hanako Yamada")
    sheet = read_sheet(again)
    assert name in sheet
    assert "course.toml" in sheet
    again.cleanup(confirm="delete")
    assert read_sheet(again).count("⚠") == 0
